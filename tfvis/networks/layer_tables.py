"""The layers of Keras' named networks, so that a misspelt one is refused without TensorFlow.

`python -m tfvis.networks.layer_tables` writes the table again, from the Keras installed.
"""

import functools
import gzip
import importlib.metadata
import json
import pathlib

from tfvis import files

_TABLE = pathlib.Path(__file__).with_name("keras_layers.json.gz")
# Channels of a map, entries of a vector; None for another output.
Layers = dict[str, int | None]


@functools.cache
def _read() -> dict:
    return json.loads(gzip.decompress(_TABLE.read_bytes()))


def applications() -> tuple[str, ...]:
    """Returns the names of the keras.applications networks, in lower case."""
    return tuple(_read()["networks"])


def layers(name: str) -> Layers | None:
    """Returns {layer: channels} of a keras.applications network with its classifier.

    Args:
        name: in lower case.

    Returns:
        In order of computation; None where the table is of another Keras than is installed.
    """
    installed = importlib.metadata.version("keras")
    return _read()["networks"][name] if _read()["keras"] == installed else None


def _write() -> None:
    import keras

    from tfvis.networks import keras_applications, rewiring
    from tfvis.networks.preprocessing import contracts

    found = {}
    for name, constructor in sorted(contracts.applications().items()):
        model = keras_applications.build(constructor, None, True)
        graph = rewiring.rewire(model)
        found[name] = {
            path: tensor.shape[-1] if len(tensor.shape) in (2, 4) else None
            for path, tensor in graph.tensors.items()
        }
        keras.backend.clear_session()
    table = json.dumps({"keras": keras.__version__, "networks": found})
    with files.replacing(_TABLE) as temporary:
        temporary.write_bytes(gzip.compress(table.encode(), mtime=0))


if __name__ == "__main__":
    _write()
