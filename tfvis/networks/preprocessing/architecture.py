"""Which of Keras' named networks a model is made of, by its layers and not by what it is called.

`python -m tfvis.networks.preprocessing.architecture` writes the table again, from
the Keras installed.
"""

import collections
import functools
import gzip
import json
import pathlib

import keras

from tfvis import files

_TABLE = pathlib.Path(__file__).with_name("keras_stems.json.gz")
# So many layers with weights, kinds and shapes, are a network's own.
DEPTH = 12
# Of fewer, cut off before, the names must be the network's as well; two may be anyone's.
_FEWEST = 3
# Other widths and kinds of a constructor, whose layers differ from those of its default.
_VARIANTS = {
    "mobilenet": [{"alpha": alpha} for alpha in (0.25, 0.5, 0.75)],
    "mobilenetv2": [{"alpha": alpha} for alpha in (0.35, 0.5, 0.75, 1.3, 1.4)],
    "mobilenetv3small": [{"alpha": 0.75}, {"minimalistic": True}],
    "mobilenetv3large": [{"alpha": 0.75}, {"minimalistic": True}],
}
Stem = tuple[tuple[str, str], ...]


def of(layers: dict[str, keras.Layer]) -> Stem:
    """Returns (name, kind and shapes) of the first layers with weights.

    Args:
        layers: {path: layer} in order of computation, without those in front of the network.
    """
    found = []
    for path, layer in layers.items():
        shapes = [tuple(weight.shape) for weight in getattr(layer, "weights", ())]
        if not shapes or isinstance(layer, keras.layers.Normalization):
            continue
        strides = getattr(layer, "strides", "")
        name = path.rsplit("/", 1)[-1].split(":")[0]
        found.append((name, f"{type(layer).__name__} {shapes} {strides}"))
        if len(found) == DEPTH:
            break
    return tuple(found)


@functools.cache
def known() -> dict[str, tuple[Stem, ...]]:
    """Returns the stems of every keras.applications network, by its name in lower case."""
    table = json.loads(gzip.decompress(_TABLE.read_bytes()))
    return {
        name: tuple(tuple((path, what) for path, what in stem) for stem in stems)
        for name, stems in table.items()
    }


def recognised(stem: Stem) -> tuple[str, ...]:
    """Returns the networks that begin as `stem` does: none, one, or some of one family.

    Args:
        stem: see `of`. A whole one counts whatever its layers are called; a shorter one by its
            names as well, without a head of the model's own.
    """
    found = []
    for name, stems in known().items():
        for one in stems:
            kinds = [what for _, what in one]
            if [what for _, what in stem] == kinds or _begins(stem, one):
                found.append(name)
                break
    return tuple(found)


def _begins(stem: Stem, whole: Stem) -> bool:
    """Tells whether a network was cut off after a few of its layers, which keep their names."""
    same = 0
    while same < min(len(stem), len(whole)) and stem[same] == whole[same]:
        same += 1
    return same >= _FEWEST and same < DEPTH


def _write() -> None:
    from tfvis.networks import keras_applications, rewiring
    from tfvis.networks.preprocessing import contracts

    found = collections.defaultdict(list)
    for name, constructor in sorted(contracts.applications().items()):
        for variant in ({}, *_VARIANTS.get(name, ())):
            build = functools.partial(constructor, **variant)
            stem = of(rewiring.rewire(keras_applications.build(build, None, False)).layers)
            if stem not in found[name]:
                found[name].append(stem)
            keras.backend.clear_session()
    with files.replacing(_TABLE) as temporary:
        temporary.write_bytes(gzip.compress(json.dumps(found).encode(), mtime=0))


if __name__ == "__main__":
    _write()
