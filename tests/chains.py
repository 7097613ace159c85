"""Networks that are chains of convolutions and poolings, wrapped."""

import keras

from tfvis.networks import network

layers = keras.layers

# (kind, kernel, stride, dilation, padding) of each layer of a chain, and the image's size.
CHAINS = {
    "plain": ([("conv", 3, 1, 1, "valid"), ("conv", 5, 2, 1, "valid")], (23, 31)),
    "same": ([("conv", 3, 1, 1, "same"), ("conv", 3, 2, 1, "same")], (22, 17)),
    "even_kernels": ([("conv", 4, 1, 1, "same"), ("conv", 2, 3, 1, "same")], (19, 20)),
    "dilated": ([("conv", 3, 1, 2, "same"), ("conv", 3, 1, 3, "valid")], (18, 21)),
    "vgg": (
        [("conv", 3, 1, 1, "same"), ("max", 2, 2, 1, "valid"), ("conv", 3, 1, 1, "same"),
         ("max", 2, 2, 1, "valid")],
        (21, 27),
    ),
    "overlapping_pools": (
        [("conv", 7, 2, 1, "same"), ("max", 3, 2, 1, "same"), ("mean", 3, 2, 1, "valid")],
        (33, 30),
    ),
    "gaps": ([("conv", 2, 3, 1, "valid"), ("conv", 3, 1, 1, "same")], (20, 23)),
}  # fmt: skip


def wrap(build, size=None, channels: int = 3) -> network.Network:
    keras.utils.set_random_seed(0)
    inputs = keras.Input((size, size, channels))
    return network.wrap(keras.Model(inputs, build(inputs)))


def chain(steps):
    """Builds the layers of `CHAINS`, named by their places."""

    def build(x):
        for k, (kind, kernel, stride, dilation, padding) in enumerate(steps):
            pools = {"max": layers.MaxPooling2D, "mean": layers.AveragePooling2D}
            if kind in pools:
                x = pools[kind](kernel, stride, padding=padding, name=str(k))(x)
                continue
            convolution = layers.Conv2D(
                4, kernel, stride, padding, dilation_rate=dilation, activation="relu", name=str(k)
            )
            x = convolution(x)
        return x

    return build
