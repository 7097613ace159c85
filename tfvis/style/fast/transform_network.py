"""The network that paints: pictures in, pictures out (Johnson et al., ECCV 2016).

c9s1-w, d2w, d4w, five residual blocks, u2w, uw, c9s1-3, as in their supplement; of that,
instance normalisation with a scale and a shift per style after every convolution (Dumoulin et al.
2017), reflection padding of every convolution, so that no border is made up of black, and nearest
upsampling before a convolution where they had transposed ones, whose overlaps leave a checkerboard
(Odena et al., Distill 2016).
"""

import dataclasses

import keras
import tensorflow as tf

from tfvis.networks.padding_layer import Padding
from tfvis.style.fast.normalization import ConditionalInstanceNormalization

# Below this a reflection at the coarsest scale has nothing to reflect.
LEAST_SIDE = 8
# Pixels between the places of the coarsest maps.
STRIDE = 4
# A layer's own name, and that of its normalisation.
NORM = "{}_norm"


@dataclasses.dataclass(frozen=True)
class Architecture:
    """What a transform network is made of.

    Attributes:
        width: channels of the first convolution; twice and four times as many follow. 16 is half
            of Johnson's, whose released models with instance normalisation are of this width.
        blocks: residual ones, at a quarter of the size; 5 as in the paper.
    """

    width: int = 16
    blocks: int = 5


@dataclasses.dataclass(frozen=True)
class Convolution:
    """One convolution of a transform network.

    Attributes:
        name: of its layer.
        channels: that it makes.
        kernel: side of its windows.
        stride: of them.
        up: whether its input is enlarged twice first.
    """

    name: str
    channels: int
    kernel: int = 3
    stride: int = 1
    up: bool = False


def convolutions(architecture: Architecture) -> list[Convolution]:
    """Returns the convolutions in their order."""
    width = architecture.width
    blocks = [
        Convolution(f"block{k}_conv{part}", 4 * width)
        for k in range(1, architecture.blocks + 1)
        for part in (1, 2)
    ]
    return [
        Convolution("conv1", width, kernel=9),
        Convolution("down1", 2 * width, stride=2),
        Convolution("down2", 4 * width, stride=2),
        *blocks,
        Convolution("up1", 2 * width, up=True),
        Convolution("up2", width, up=True),
        Convolution("colors", 3, kernel=9),
    ]


def shapes(styles: int, architecture: Architecture) -> dict[str, list[tuple[int, ...]]]:
    """Returns {layer: shapes of its weights} of what `build` returns."""
    found: dict[str, list[tuple[int, ...]]] = {}
    before = 3
    for one in convolutions(architecture):
        found[one.name] = [(one.kernel, one.kernel, before, one.channels)]
        found[NORM.format(one.name)] = [(styles, one.channels)] * 2
        before = one.channels
    return found


def build(
    styles: int, architecture: Architecture = Architecture(), precision: str = "float32"
) -> keras.Model:
    """Returns a transform network with weights by chance.

    Args:
        styles: how many it can paint in.
        architecture: its sizes.
        precision: of its convolutions, "float32" or "bfloat16"; weights and statistics are
            float32 either way.

    Returns:
        ([batch, height, width, 3], RGB, 0..255; mix, float32 [batch, styles]) -> the shape of the
        pictures, 0..255 (Dumoulin et al. end in a sigmoid, too). One of any size, at least
        `LEAST_SIDE` a side.
    """
    policy = "mixed_bfloat16" if precision == "bfloat16" else "float32"
    pictures, mix = keras.Input((None, None, 3)), keras.Input((styles,))
    x = keras.layers.Rescaling(1 / 127.5, -1.0, dtype="float32")(pictures)
    skipped = None
    for one in convolutions(architecture):
        if one.name.endswith("_conv1"):
            skipped = x
        if one.up:
            x = keras.layers.UpSampling2D(2, interpolation="nearest", dtype=policy)(x)
        margin = one.kernel // 2
        margins = ((margin, margin), (margin, margin))
        x = Padding("reflect", margins, name=f"{one.name}_padding", dtype=policy)(x)
        # What a bias would add the normalisation takes off.
        x = keras.layers.Conv2D(
            one.channels, one.kernel, one.stride, use_bias=False, name=one.name, dtype=policy
        )(x)
        x = ConditionalInstanceNormalization(styles, name=NORM.format(one.name))(x, mix)
        if one.name.endswith("_conv2"):
            x = keras.layers.Add(dtype=policy)([skipped, x])
        elif one.name != "colors":
            x = keras.layers.ReLU(dtype=policy)(x)
    x = keras.layers.Activation("sigmoid", dtype="float32")(x)
    x = keras.layers.Rescaling(255.0, dtype="float32")(x)
    return keras.Model(
        [pictures, mix], CutToSize(name="cut")(x, pictures), name="transform_network"
    )


class CutToSize(keras.layers.Layer):
    """Takes off what a picture whose sides are no multiples of four has gained."""

    def call(self, x, like):
        """Returns the upper left of `x`, as large as `like`."""
        shape = tf.shape(like)
        return x[:, : shape[1], : shape[2]]

    def compute_output_spec(self, x, like=None):
        """As what it is cut to."""
        return keras.KerasTensor((*like.shape[:3], x.shape[3]), x.dtype)
