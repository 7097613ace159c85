"""Caffe networks ready to be looked into, named ones and small ones."""

import functools

import keras
import numpy as np

from tests.caffe_nets import conv, deploy, layer, pool
from tfvis.networks import network
from tfvis.networks.caffe.to_keras import layers_to_keras

# Each with a layer whose map has some places at the size, and that size, odd for the poolings.
DEEP = {
    "vgg_cnn_s": ("relu4", 91),
    "caffenet": ("relu4", 99),
    "illustration2vec": ("relu3_2", 45),
}


@functools.cache
def named(name: str, top: bool = False) -> network.Network:
    """Returns one of the papers' networks, its weights by chance."""
    return network.build(name, "random", top=top)


def wrapped(*layers: str, size: tuple[int, int] = (29, 26), name: str = "net"):
    """Returns the network of some layers' text; its weights let most units answer."""
    keras.utils.set_random_seed(0)
    model = layers_to_keras.translated(deploy(*layers, size=size), name=name)
    generator = np.random.default_rng(1)
    for weight in model.weights:
        weight.assign(generator.normal(0.1 if weight.ndim == 1 else 0, 0.4, weight.shape))
    return network.wrap(model)


@functools.cache
def small(*tail: str) -> network.Network:
    """Returns all of CaffeNet's kinds of layers, at a size that is quick, then `tail`."""
    return wrapped(
        conv("conv1", "data", "num_output: 6 kernel_size: 5 stride: 2"),
        layer("relu1", "ReLU", "conv1", "conv1"),
        layer("norm1", "LRN", "conv1", lrn="alpha: 0.5"),
        pool("pool1", "norm1", "kernel_size: 3 stride: 2"),
        conv("conv2", "pool1", "num_output: 8 kernel_size: 3 pad: 1 group: 2"),
        layer("relu2", "ReLU", "conv2", "conv2"),
        pool("pool2", "conv2", "kernel_size: 2 stride: 2"),
        *tail,
    )


def windows(sides, pool_) -> list[list[slice]]:
    """Returns the places of each window that are on the map; as many as Caffe has of them."""
    found = []
    for n, k, s, m in zip(sides, pool_.pool_size, pool_.strides, pool_.margin, strict=True):
        count = -(-(n + 2 * m - k) // s) + 1
        count -= (count - 1) * s >= n + m
        found.append([slice(max(i * s - m, 0), min(i * s - m + k, n)) for i in range(count)])
    return found
