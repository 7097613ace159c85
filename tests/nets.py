"""Small networks that behave like large ones."""

import dataclasses
import functools

import keras
import numpy as np

from tfvis.networks import network
from tfvis.networks.network import Network


def small(channels: int = 3, size: int | None = None, seed: int = 0) -> keras.Model:
    """Two blocks of convolutions and poolings, a classifier on top."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((size, size, channels))
    x = keras.layers.Conv2D(8, 3, padding="same", activation="relu", name="block1_conv1")(inputs)
    x = keras.layers.MaxPooling2D(2, name="block1_pool")(x)
    x = keras.layers.Conv2D(12, 3, padding="same", activation="relu", name="block2_conv1")(x)
    x = keras.layers.MaxPooling2D(2, name="block2_pool")(x)
    x = keras.layers.GlobalAveragePooling2D(name="gap")(x)
    outputs = keras.layers.Dense(5, activation="softmax", name="predictions")(x)
    return keras.Model(inputs, outputs, name="small")


def coarse(seed: int = 0) -> keras.Model:
    """As small, but with maps so coarse that all their patches are soon compared."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((None, None, 3))
    conv = functools.partial(keras.layers.Conv2D, padding="same", activation="relu")
    x = conv(8, 9, strides=8, name="block1_conv1")(inputs)
    x = keras.layers.MaxPooling2D(2, name="block1_pool")(x)
    x = conv(12, 3, name="block2_conv1")(x)
    return keras.Model(inputs, x, name="small")


def red(size: int = 24) -> keras.Model:
    """Layers that see nothing in grey or noise: `red` of strong colours, `dead` of none at all."""
    inputs = keras.Input((size, size, 3))
    seen = keras.layers.Conv2D(1, 1, activation="relu", name="red")
    dead = keras.layers.Conv2D(1, 1, activation="relu", name="dead")
    x = keras.layers.Rescaling(1 / 255)(inputs)
    model = keras.Model(inputs, [seen(x), dead(x)], name="red_or_dead")
    kernel = np.array([1, -1, -1], np.float32).reshape(1, 1, 3, 1)
    seen.set_weights([kernel, np.float32([-0.3])])
    dead.set_weights([0 * kernel, np.float32([-1])])
    return model


def wrapped(channels: int = 3, size: int | None = None, **kwargs) -> Network:
    """The small network, ready to be looked into, taking -1..1."""
    from tfvis.networks.preprocessing import contracts

    return network.wrap(small(channels, size), preprocessing=contracts.named("tf"), **kwargs)


def picture(size: int = 16, channels: int = 3, seed: int = 0) -> np.ndarray:
    """A smooth image, float32 [size, size, channels], 0..255."""
    generator = np.random.default_rng(seed)
    coarse = generator.uniform(40, 215, (4, 4, channels))
    from tfvis import images

    return images.resize(coarse.astype(np.float32), size, size)


def oblong(height: int, width: int, seed: int = 0) -> np.ndarray:
    """A smooth image of any shape, float32 [height, width, 3], 0..255."""
    from tfvis import images

    return images.resize(picture(16, seed=seed), height, width)


def checkpoint(folder, classes: tuple[str, ...] = ("circle", "square", "none"), size: int = 32):
    """Writes a classifier on the small network, its head by chance; returns its folder."""
    from tfvis.classifiers import backbone, checkpoints

    folder.mkdir(parents=True, exist_ok=True)
    small().save(folder / "trunk.keras")
    parts = backbone.split(network.build(str(folder / "trunk.keras"), preprocessing="tf"))
    keras.utils.set_random_seed(1)
    learner = backbone.learner(parts, len(classes))
    checkpoints.save(folder, parts, backbone.learnt(learner), classes, size, {})
    return folder


def like_vgg16(pooling: str = "max") -> Network:
    """VGG16's layers by their names, of few channels and by chance, with PACS' classes on top."""
    from tfvis.networks.preprocessing import contracts

    keras.utils.set_random_seed(0)
    inputs = x = keras.Input((None, None, 3))
    for block, (count, channels) in enumerate(((2, 8), (2, 8), (3, 51), (3, 25), (3, 8)), 1):
        for k in range(1, count + 1):
            name = f"block{block}_conv{k}"
            # With small kernels and a bias all units answer something.
            small_kernel = keras.initializers.VarianceScaling(0.1)
            conv = keras.layers.Conv2D(
                channels, 3, padding="same", activation="relu", name=name,
                kernel_initializer=small_kernel, bias_initializer="ones",
            )  # fmt: skip
            x = conv(x)
        x = keras.layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
    x = keras.layers.GlobalAveragePooling2D(name="gap")(x)
    names = ("dog", "elephant", "giraffe", "guitar", "horse", "house", "person")
    x = keras.layers.Dense(len(names), activation="softmax", name="predictions")(x)
    found = network.wrap(
        keras.Model(inputs, x, name="vgg16"),
        preprocessing=contracts.named("tf"),
        variant=(pooling, "post"),
    )
    return dataclasses.replace(found, classes=names)
