"""Activation maximisation beside tf-keras-vis, where that is installed."""

import importlib.util
import time

import numpy as np
import tensorflow as tf

from tfvis import preimages
from tfvis.networks.network import Network
from tfvis.preimages import activation_maximization

from .timing import medians, precisions

_LAYER, _UNITS, _SIZE = "block4_conv2", tuple(range(16)), (224, 224)
# A step takes seconds; three of them outweigh the overhead of a call.
_STEPS = 3


def table_peers(network: Network, rounds: int) -> None:
    """Prints the time of a step of 16 units of block4_conv2 at 224 px, for each way."""
    runs, both = {}, precisions()
    for name, options in {
        "pixels": {"parameterization": "pixels"},
        "fourier": {"parameterization": "fourier"},
    }.items():
        for precision in both:
            settings = preimages.Maximization(precision=precision, **options)
            runs[name, precision] = _chunk(network, _UNITS, settings)
    settings = preimages.Maximization(parameterization="pixels")
    single = _chunk(network, _UNITS[:1], settings)
    runs["one", "float32"] = single
    if importlib.util.find_spec("tf_keras_vis"):
        runs["tf-keras-vis", "float32"] = _theirs(network)
    taken = {name: s / _STEPS for name, s in medians(runs, rounds).items()}
    print(f"A step of {len(_UNITS)} units of {_LAYER} at {_SIZE[0]} px; medians of {rounds}")
    for (name, precision), seconds in taken.items():
        print(f"{name:<14} {precision:<9} {seconds:8.3f} s")
    sixteen = taken["one", "float32"] * len(_UNITS)
    print(f"16 alone take {sixteen / taken['pixels', 'float32']:.2f}x the time of the batch")
    if ("tf-keras-vis", "float32") not in taken:
        print("tf-keras-vis is not installed; nothing to compare with.")
        return
    theirs = taken["tf-keras-vis", "float32"]
    for (name, precision), seconds in taken.items():
        if name in ("pixels", "fourier"):
            print(f"tf-keras-vis takes {theirs / seconds:.2f}x the time of {name}, {precision}")


def _chunk(network: Network, units: tuple[int, ...], settings):
    """Returns a run of `_STEPS` steps, as `maximize` does them."""
    bare = activation_maximization.unit(network, _LAYER, units, _SIZE)
    objective = activation_maximization.normalized(network, bare, _LAYER, _SIZE, [1000.0])
    way = activation_maximization.descending(network, objective, _SIZE, (0,) * len(units), settings)
    stage = way.stages[0]
    state = way.compiled.begin(way.start)
    arguments = (tf.constant(state.canvas), tuple(map(tf.constant, state.slots)))
    zero, steps, rate = tf.constant(0), tf.constant(_STEPS), tf.constant(stage.rate, tf.float32)
    return lambda: way.compiled.chunk(*arguments, zero, zero, steps, rate)[0].numpy()


def _theirs(network: Network):
    """Returns a run of `_STEPS` steps of tf-keras-vis with its own defaults."""
    from tf_keras_vis.activation_maximization import ActivationMaximization
    from tf_keras_vis.utils.scores import CategoricalScore

    model = network.graph.truncated([_LAYER])
    model = tf.keras.Model(model.inputs, model.outputs[0])
    seed = np.random.default_rng(0).uniform(0, 255, (len(_UNITS), *_SIZE, 3)).astype(np.float32)
    visualizer = ActivationMaximization(model, clone=False)

    def run():
        began = time.perf_counter()
        visualizer(CategoricalScore(list(_UNITS)), seed_input=seed, steps=_STEPS)
        return time.perf_counter() - began

    return run
