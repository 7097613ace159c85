"""The flags of units, and of the names of classes."""

from absl import flags

from . import paths


def define_units() -> dict[str, flags.FlagHolder]:
    """Defines --units and --labels."""
    holders = (
        paths.define(
            "units",
            None,
            paths.each(paths.unit),
            "What to look at: layer:channel, layer:0-24, layer:7@3x5 (the neuron at row 3, "
            "column 5), logit:guitar or logit:402 (a class), layer:vector.npy (a direction), "
            "or a layer as a whole; separated by commas. Left out, some channels at several "
            "depths.",
        ),
        paths.define(
            "labels",
            None,
            paths.file,
            "File with the names of the classes: one per line, Caffe's synset_words.txt, or JSON; "
            "left out, a checkpoint's own, or ImageNet's where there are 1000 classes.",
        ),
    )
    return {holder.name: holder for holder in holders}
