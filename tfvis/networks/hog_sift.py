"""HOG and dense SIFT as differentiable networks, to be inverted like learned ones.

What Mahendran & Vedaldi, "Understanding Deep Image Representations by Inverting Them",
CVPR 2015 (below: MV15), section 4 and the authors' code (hog_net, dsift_net), build from
convolutions: image gradients, a histogram of their directions in every pixel, a blurred
histogram in every cell, and cells normalised by their neighbours.

- "hog": the variant of Felzenszwalb, Girshick, McAllester & Ramanan, "Object detection with
  discriminatively trained part based models", PAMI 2010, section 6, without its 4 texture
  channels, as MV15 measure it: 18 directed, then 9 undirected channels per 8-pixel cell.
- "hogb": the same, where a gradient is shared by the two nearest directions.
- "dsift": dense SIFT (Lowe, "Distinctive image features from scale-invariant keypoints", IJCV
  2004, section 6): 4 x 4 bins of 8 directions, row by row, 5 px apart in MV15's code. The
  Gaussian window is constant within a bin, as in VLFeat's fast variant.

Followed from that code: dense SIFT's windows lie 3 bins apart, so that each shares a row of
bins with the next; they are cut off at 0.2 and not normalised again; a cell of HOG at the
border is half the sum over the one or two blocks it has, not over four. Not followed: HOG's
image is padded there with zeros, which puts an edge of up to 255 around it and so lets the
outermost cells measure brightness. Here the outermost pixels have no gradient, as in VLFeat's
HOG and in the DPM's, to which MV15 say theirs is equal. Where a cell has all four blocks, "hog"
equals VLFeat's and dlib's to 1e-7 and "hogb" VLFeat's to 5e-5, the error of its arc cosine.

Everything is computed in float32 whatever a network's precision: gradients are small
differences of large numbers.
"""

import keras
import numpy as np

from tfvis.errors import InputError, arg
from tfvis.networks import hog_sift_layers as layers

# Felzenszwalb et al. 2010: 9 undirected directions. Lowe 2004: 8 directed ones.
_HOG_ORIENTATIONS, _SIFT_ORIENTATIONS = 9, 4
_HOG_CELL = 8
# MV15's code; the same authors took 8 in 2016.
_SIFT_BIN = 5
# Lowe 2004, section 6.1: the Gaussian window's sigma is half the descriptor's width of 4
# bins; the authors' code has 1.5.
_SIFT_SIGMA = 1.5
_SIFT_STRIDE = 3


def hog(cell: int = _HOG_CELL, soft: bool = False, name: str = "hog") -> keras.Model:
    """Returns HOG as a network of one grey channel, 0..255.

    Args:
        cell: side of a cell in pixels, even.
        soft: share gradients between the two nearest directions ("hogb").
        name: of the model and of its last layer.

    Raises:
        InputError: the cell is not even, or below 2.
    """
    if cell < 2 or cell % 2:
        raise InputError(f"Expected an even cell of at least 2 px. Received: {cell}")
    count = _HOG_ORIENTATIONS
    inputs, x = _histograms(count, soft)
    # A cell's centre is that of its pixels; the 1 stands for the outermost pixel.
    x = _cells(x, cell, margin=cell // 2 + 1)
    each = np.eye(2 * count, dtype=np.float32)
    both = each[:, :count] + each[:, count:]
    blocks = np.zeros((2, 2, 2 * count, 4, 3 * count), np.float32)
    back = np.zeros((2, 2, 4, 3 * count, 3 * count), np.float32)
    for cell_of_block, place in enumerate(np.ndindex(2, 2)):
        blocks[(*place, slice(None), cell_of_block)] = np.concatenate([each, both], 1)
        # A cell is the lower right one of the block above and to its left.
        opposite = (1 - place[0], 1 - place[1])
        back[(*opposite, cell_of_block)] = 0.5 * np.eye(3 * count)
    x = _convolve(
        x, blocks.reshape(2, 2, 2 * count, -1), "blocks", activation=layers.normalized_blocks
    )
    x = _convolve(x, back.reshape(2, 2, -1, 3 * count), name, margin=1)
    return keras.Model(inputs, x, name=name)


def dsift(bin_size: int = _SIFT_BIN, name: str = "dsift") -> keras.Model:
    """Returns dense SIFT as a network of one grey channel, 0..255.

    Args:
        bin_size: side of a spatial bin in pixels; 5 in MV15, 8 by the same authors in 2016.
        name: of the model and of its last layer.

    Raises:
        InputError: the bin is below 1.
    """
    if bin_size < 1:
        raise InputError(f"Expected a bin of at least 1 px. Received: {bin_size}")
    channels = 2 * _SIFT_ORIENTATIONS
    inputs, x = _histograms(_SIFT_ORIENTATIONS, soft=True)
    x = _cells(x, bin_size, margin=0)
    kernel = np.zeros((4, 4, channels, 4, 4, channels), np.float32)
    for row, column in np.ndindex(4, 4):
        distance = (row - 1.5) ** 2 + (column - 1.5) ** 2
        weight = np.exp(-0.5 * distance / _SIFT_SIGMA**2)
        kernel[row, column, :, row, column] = weight * np.eye(channels)
    kernel = kernel.reshape(4, 4, channels, -1)
    x = _convolve(x, kernel, name, strides=_SIFT_STRIDE, activation=layers.normalized_descriptors)
    return keras.Model(inputs, x, name=name)


BUILDERS = {
    "hog": hog,
    "hogb": lambda: hog(soft=True, name="hogb"),
    "dsift": dsift,
}


def build(name: str, weights: str | None, pooling: str, activation: str) -> keras.Model:
    """Returns the network called `name`, one of `BUILDERS`.

    Args:
        name: in lower case.
        weights, pooling, activation: as asked of `network.build`.

    Raises:
        InputError: one of them asks for what these networks do not have.
    """
    if weights:
        raise InputError(
            f"{arg('weights')}={weights}: {name} is computed, nothing in it was learned; leave it "
            "out."
        )
    if pooling != "max":
        raise InputError(
            f"{arg('pooling')}={pooling}: {name} has no max pooling to replace; leave it out."
        )
    if activation != "post":
        raise InputError(
            f"{arg('activation')}={activation}: {name} is tapped after its normalisation only; "
            "leave it out."
        )
    return BUILDERS[name]()


def _histograms(count: int, soft: bool):
    """Returns (input image, directions of its gradients), both without the margin of 1."""
    inputs = keras.Input((None, None, 1), name="image")
    kernel = np.zeros((3, 3, 1, 2), np.float32)
    kernel[1, :, 0, 0] = kernel[:, 1, 0, 1] = -0.5, 0, 0.5
    # Halves are exact, so that flat is flat; projected on directions it would be rounded.
    x = _convolve(inputs, kernel, "gradient")
    return inputs, layers.Orientations(count, soft, name="orientations")(x)


def _cells(x, side: int, margin: int):
    """Sums up pixels in cells, weighted by 1 - distance / side on each axis."""
    away = np.abs(np.arange(2 * side) - (side - 0.5)) / side
    kernel = np.outer(1 - away, 1 - away).astype(np.float32)
    layer = layers.FixedDepthwiseConv(2 * side, strides=side, margin=margin, name="cells")
    y = layer(x)
    layer.set_weights([np.repeat(kernel[..., None, None], x.shape[-1], 2)])
    return y


def _convolve(x, kernel: np.ndarray, name: str, **kwargs):
    """Convolves with `kernel` [height, width, in, out]."""
    layer = layers.FixedConv(kernel.shape[-1], kernel.shape[:2], name=name, **kwargs)
    y = layer(x)
    layer.set_weights([kernel])
    return y
