"""Shows, in a few minutes, what VGG16 keeps of a photograph, what it looks for, what it sees.

    python -m apps.demo

Inverts five layers on the demo photograph (or --image), raises the unit of each that
answers the photograph most, exaggerates what the deep ones see in it, paints it in the
style of a painting of the project's own, names both and shows where that is seen, and writes
a page with all pictures to --workdir (index.html, one file, opens from disk). Stopped at any
moment, the same command goes on where it was.
"""

import os
import pathlib
import shlex
import sys

from absl import flags

from apps import common, early, paths, subjects

# 160 px and 200 + 50 steps keep the whole page under eight minutes on two cores; the
# pictures lose little (apps.invert: 224, 300).
_IMAGE, _SIZE, _CROP = subjects.define_image(160)
_NETWORK = subjects.define_network()
_WORKDIR = common.define_workdir("out/demo")
_PRECISION = common.define_precision()
_SEED, _JIT = common.define_run()
_LAYERS = subjects.define_layers("The rungs of the ladder")
_STEPS = flags.DEFINE_integer("steps", 200, "Steps with jitter at full rate.", lower_bound=1)

_CLASSIFIER = paths.define(
    "classifier",
    "pacs_vgg16",
    paths.checkpoint,
    "A checkpoint that names the photograph and its painting; empty leaves that out.",
)

# Side of the painted picture, in tenths of --size: strokes need room.
_PAINTED = 18
# Shallow units answer edges and colours, which a caricature shows least well.
_CARICATURES = 2

_KEEPS = (
    "Each picture was found from noise: it is an image whose features, at the layer "
    "named below it, are those of the photograph. Shallow layers keep nearly every "
    "pixel. Deeper ones keep shapes and let go of exact places and colours; what they "
    "forgot, a natural-image prior filled in. The relative error is the distance of "
    "the features left over, as a share of their length."
)
_LOOKS_FOR = (
    "One unit of each layer, the one that the photograph excites most: each picture was "
    "found from noise, as one that excites the unit as much as an image can that stays "
    "natural. It is as large as what the unit can see. The number says how many times more "
    "it answers than to the strongest spot of two photographs."
)
_SEES = (
    "The photograph, changed so that what a layer answers to in it grows: a caricature of "
    "what the layer sees."
)
_STYLE = (
    "The photograph, painted: it keeps what the network sees in it, and takes the statistics "
    "of its features, which hold strokes, colours and swirls, from the painting."
)
_LOOKS = (
    "A classifier that learnt photographs, paintings, cartoons and sketches of seven things "
    "names the photograph and its painting. VisualBackProp reddens what its layers agree on; "
    "Grad-CAM is bright where it sees the class."
)
_PLOT = "root mean square difference between the pre-image's pixels and the photograph's"


def main() -> None:
    """Reads the picture, makes all pictures, writes the page."""
    from tfvis.errors import InputError

    words = subjects.layer_words(_LAYERS)
    early.check(_NETWORK, words=words)
    picture = subjects.picture(_IMAGE.value)
    workdir = common.workdir(_WORKDIR.value)
    common.start_tensorflow()
    from apps import demos
    from tfvis.report import pages

    built = subjects.networks(_NETWORK)
    if len(built) > 1:
        raise InputError("--network: the demo shows one network; invert compares several.")
    ((label, network),) = built.items()
    size = None if network.fixed_size else _SIZE.value
    target = subjects.target(picture, network, size, _CROP.value)
    demo = demos.Demo(
        label=label,
        network=network,
        target=target,
        picture=picture,
        layers=subjects.layers_of(built, words)[label],
        steps=_STEPS.value,
        seed=_SEED.value,
        precision=_PRECISION.value,
        jit=_JIT.value,
        workdir=workdir,
        arguments=common.arguments(),
    )
    demos.check(demo)
    styled = demos.stylization(demo, _PAINTED * _SIZE.value // 10, _STEPS.value)
    sections = [
        pages.Section("What each layer keeps", _KEEPS, demos.inversion(demo, _PLOT)),
        pages.Section("What its units look for", _LOOKS_FOR, demos.maximization(demo)),
        pages.Section("What it sees", _SEES, demos.caricature(demo, _CARICATURES)),
        pages.Section("In another style", _STYLE, styled),
    ]
    if _CLASSIFIER.value:
        looked = demos.attention(demo, _CLASSIFIER.value, styled[-1].pixels)
        if looked:
            sections.append(pages.Section("What it shows, and where that is seen", _LOOKS, looked))
    page = workdir / "index.html"
    pages.write(page, f"tfvis: {network.name} and one photograph", sections)
    common.tell(f"Open {page.resolve()} in a browser.")
    tensorboard = os.path.relpath(pathlib.Path(sys.executable).with_name("tensorboard"))
    common.tell(
        f"The pictures as they grew: {shlex.quote(tensorboard)} "
        f"--samples_per_plugin=images=500 --logdir {shlex.quote(str(workdir))}"
    )


def run() -> None:
    """The app's entry point."""
    common.run(main, "apps.demo")


if __name__ == "__main__":
    run()
