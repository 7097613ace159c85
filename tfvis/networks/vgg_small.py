"""A small network of VGG's kind, to be taught from nothing by a thousand pictures.

3 x 3 convolutions with ReLUs between max poolings, widths that double where sides halve
(Simonyan & Zisserman 2015), a quarter of VGG16's and fewer: two cores look at a picture of 96 px
and learn from it in a few milliseconds. Each convolution is normalised over the batch (Ioffe &
Szegedy 2015): without, the first ten epochs teach it no more than the first two with it.

Nobody publishes weights of it: they are in checkpoints that stand on it.
"""

import typing

if typing.TYPE_CHECKING:
    import keras

NAME = "vgg_small"
# Side of the pictures it is made for, pixels: its last map is 6 x 6 then.
SIDE = 96
# Pixels of -1..1. A layer of its own, so that all layers with weights lie behind a place to cut.
SCALED = "scaled"
# Channels of the convolutions of each block. Of the first there is one: at full size a second
# would take as long as a whole block.
_BLOCKS = ((16,), (32, 32), (64, 64), (128, 128), (256, 256))


# Share of the running statistics that a step keeps. Of Keras' own 0.99, a tenth would still be of
# the start after 230 steps, nine epochs of 800 pictures.
_MOMENTUM = 0.9


def layers() -> dict[str, int]:
    """Returns {layer: channels}, in order of computation; known without TensorFlow."""
    found = {SCALED: 3}
    for block, widths in enumerate(_BLOCKS, 1):
        if block > 1:
            found[f"block{block - 1}_pool"] = _BLOCKS[block - 2][-1]
        for k, width in enumerate(widths, 1):
            found |= {f"block{block}_{kind}{k}": width for kind in ("conv", "bn", "relu")}
    return found


def build() -> "keras.Model":
    """Returns the network, for RGB pictures of 0..255 of any size, with random weights."""
    import keras

    inputs = keras.Input((None, None, 3), name="image")
    x = inputs
    for name, channels in layers().items():
        if name == SCALED:
            layer = keras.layers.Rescaling(1 / 127.5, -1, name=name)
        elif "conv" in name:
            # The normalisation behind it has a bias of its own.
            layer = keras.layers.Conv2D(
                channels, 3, padding="same", use_bias=False, kernel_initializer="he_normal",
                name=name,
            )  # fmt: skip
        elif "bn" in name:
            layer = keras.layers.BatchNormalization(momentum=_MOMENTUM, name=name)
        elif "relu" in name:
            layer = keras.layers.ReLU(name=name)
        else:
            layer = keras.layers.MaxPooling2D(2, name=name)
        x = layer(x)
    return keras.Model(inputs, x, name=NAME)
