"""Coloured pictures that a small network can learn to name: stripes across, down, or none."""

import pathlib

import keras
import numpy as np

from tfvis import images
from tfvis.classifiers import feature_cache, training

KINDS = ("across", "down", "none")


def picture(kind: str, generator: np.random.Generator, size: int = 32) -> np.ndarray:
    """Returns float32 [size, size, 3], 0..255: two colours, a period and a phase by chance."""
    dark, light = generator.uniform(0, 100, 3), generator.uniform(155, 255, 3)
    wave = np.sin(2 * np.pi * (np.arange(size) / generator.uniform(4, 8) + generator.random()))
    wave = wave * (kind != "none")
    plane = np.broadcast_to(wave[:, None] if kind == "across" else wave[None], (size, size))
    mixed = dark + (light - dark) * (plane[..., None] + 1) / 2
    return np.clip(mixed + generator.normal(0, 10, mixed.shape), 0, 255).astype(np.float32)


def folder(root: pathlib.Path, count: int, kinds=KINDS[:2], seed: int = 0) -> pathlib.Path:
    """Writes `count` pictures of each kind, a folder per kind; returns `root`."""
    generator = np.random.default_rng(seed)
    for kind in kinds:
        for k in range(count):
            images.save_png(root / kind / f"{k}.png", picture(kind, generator))
    return root


def residual(seed: int = 0) -> keras.Model:
    """Two residual blocks with batch normalisations, a sum that is no layer, a dropout."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((None, None, 3))
    x = keras.layers.Rescaling(1 / 127.5, -1)(inputs)
    x = keras.layers.Conv2D(8, 5, strides=2, padding="same", name="stem")(x)
    for k in (1, 2):
        y = keras.layers.BatchNormalization(name=f"norm{k}")(x)
        y = keras.layers.Conv2D(8, 3, padding="same", activation="relu", name=f"inner{k}")(y)
        y = keras.layers.SpatialDropout2D(0.1)(y)
        x = x + keras.layers.Conv2D(8, 1, name=f"outer{k}")(y)
        x = keras.layers.ReLU(name=f"block{k}")(x)
    return keras.Model(inputs, x, name="residual")


def maps(
    count: int, classes: int = 3, shape=(4, 4, 8), views: int = 1, seed: int = 0, noise=1.0
) -> tuple[feature_cache.Features, np.ndarray]:
    """Returns made-up maps of the trunk, each class around a map of its own, and labels."""
    centres = np.random.default_rng(1).normal(size=(classes, 1, 1, shape[-1]))
    generator = np.random.default_rng((2, seed))
    labels = generator.integers(classes, size=count)
    arrays = tuple(
        (centres[labels] + noise * generator.normal(size=(count, *shape))).astype(np.float16)
        for _ in range(views)
    )
    where = np.stack([np.zeros(count, np.int64), np.arange(count)], 1)
    return feature_cache.Features((arrays,), where, {}), labels


def part(count: int, **kwargs) -> training.Part:
    """Returns `maps`, all of them chosen."""
    found, labels = maps(count, **kwargs)
    return training.Part(found, np.arange(count), labels)
