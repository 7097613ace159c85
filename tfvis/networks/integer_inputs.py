"""Models exported to take whole numbers, as of a picture's file: run on floats, or refused."""

import keras
import numpy as np

from tfvis.errors import InputError
from tfvis.networks.rewiring import Graph

# Of the largest output. The same numbers go the same way; only a cast may come later.
_TOLERANCE = 1e-4


def check(model: keras.Model, graph: Graph) -> None:
    """Raises InputError if a model of whole numbers computes something else of floats.

    A gradient needs pixels that can change by less than a grey level. Most such models cast first
    thing, and then any number will do; others count in whole numbers (with a remainder, with an
    overflow) and cannot be looked into.

    Args:
        model: as it was given.
        graph: its rewired copy, which takes floats.
    """
    (source,) = model.inputs
    if "float" in source.dtype or not graph.output:
        return
    shape = [64 if size is None else size for size in source.shape[1:]]
    picture = np.random.default_rng(0).integers(0, 256, (1, *shape))
    wanted = keras.tree.flatten(model(_like(model, picture.astype(source.dtype)), training=False))
    run = graph.truncated([graph.output])
    found = np.asarray(run(picture.astype(np.float32), training=False)[graph.output], np.float64)
    wanted = [np.asarray(one, np.float64) for one in wanted]
    if not any(
        one.shape == found.shape
        and np.allclose(one, found, rtol=0, atol=_TOLERANCE * np.abs(one).max())
        for one in wanted
    ):
        raise InputError(
            f"{model.name} takes {source.dtype} and computes in whole numbers, which have no "
            "gradient. Export it with a float32 input, cast in front of all else."
        )


def _like(model: keras.Model, picture: np.ndarray):
    return keras.tree.map_structure(lambda _: picture, model.input)
