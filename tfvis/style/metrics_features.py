"""Measures of a picture's features at one layer: how far from, or like, another picture's.

Distances are in the unit of the code of Gatys et al. (see `losses`); likenesses are those
of Wang et al., "Evaluate and improve the quality of neural style transfer", CVIU 2021
(below: W21), by their code, StyleEval, which has the constants.

Features here are [height, width, channels]; results are worked out in float64.
"""

import numpy as np

from tfvis.errors import InputError
from tfvis.style.losses import UNIT

# W21: side of a patch, and the weight of its two halves.
PATCH = 3
# What the border is: this share of each side of the map, at either end.
BORDER = 1 / 8
# What the products of patches held at a time may take. At 256 pixels, all of VGG's
# block4_conv1 at once.
_CHUNK_BYTES = 96 * 2**20
# Relative square of what is as good as zero in float32 features.
_ROUNDING = 1e-12


def gram(features: np.ndarray) -> np.ndarray:
    """Returns F^T F / M, float64 [channels, channels]; M places (Gatys et al., their code).

    Args:
        features: [..., channels], a map or any places of it.
    """
    flat = np.asarray(features, np.float64).reshape(-1, features.shape[-1])
    return flat.T @ flat / len(flat)


def content_distance(features: np.ndarray, target: np.ndarray) -> float:
    """Returns the mean squared difference of features.

    Args:
        features, target: [height, width, channels].

    Raises:
        InputError: they differ in shape.
    """
    if features.shape != target.shape:
        raise InputError(
            f"Expected features of one shape. Received: {features.shape} and {target.shape}"
        )
    return float(np.mean(np.square(np.subtract(features, target, dtype=np.float64))))


def style_distance(found: np.ndarray, target: np.ndarray) -> float:
    """Returns 1e3 / N^2 times the mean squared difference of Gram matrices.

    Args:
        found, target: [N, N], each of `gram`, or a blend of such; the maps they are of may
            differ in size.
    """
    return float(UNIT / len(target) ** 2 * np.mean(np.square(found - target)))


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    """Returns the cosine of two arrays taken as vectors, -1..1; of two zeros, 1.

    Args:
        one, other: of one shape.
    """
    one, other = (np.asarray(x, np.float64).ravel() for x in (one, other))
    lengths = np.sqrt((one @ one) * (other @ other))
    if lengths == 0:
        return float(not one.any() and not other.any())
    return float(one @ other / lengths)


def local_pattern(features: np.ndarray, style: np.ndarray) -> float:
    """Returns how well, and with how much of the style, the picture is patched together, 0..1.

    W21's LP at one layer: half the mean cosine of each 3x3 patch with the patch of the
    style it is likest to, and half the number of style patches so chosen over the number
    that the style chooses of itself (all, but for patches that repeat).

    Args:
        features: [height, width, channels], of the picture.
        style: [height, width, channels], of the style, of any size.
    """
    cosines, chosen = best_patches(features, style)
    _, own = best_patches(style, style)
    # Rounding may choose another of two equal patches than the style itself does.
    variety = min(len(np.unique(chosen)) / len(np.unique(own)), 1.0)
    return float(0.5 * cosines.mean() + 0.5 * variety)


def best_patches(features: np.ndarray, style: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the cosine with, and the index of, the style patch each patch is likest to.

    Patches are 3x3, stride 1, within the map; where a map is smaller, as large as it. A
    patch without any activation is like another such one, and unlike all others.

    Args:
        features: [height, width, channels].
        style: [height, width, channels].

    Returns:
        float64 [patches] and int [patches], both in the order of rows; of equally good
        ones the first.
    """
    features, style = np.asarray(features, np.float32), np.asarray(style, np.float32)
    rows, columns = (min(PATCH, features.shape[k], style.shape[k]) for k in (0, 1))
    lengths, style_lengths = (_squares(one, rows, columns) for one in (features, style))
    # Added to all products of patches: too little to show beside any but zeros.
    floor = _ROUNDING * (lengths.mean() + style_lengths.mean()) or 1.0
    lengths = np.sqrt(lengths + floor)
    inverse = (1 / np.sqrt(style_lengths + floor)).astype(np.float32)
    # Two copies of the products are held: of places, and summed over patches.
    side = max(int(np.sqrt(_CHUNK_BYTES / (8 * style[..., 0].size))) - PATCH + 1, 1)
    cosines, chosen = np.empty(lengths.shape), np.empty(lengths.shape, np.int64)
    for top in range(0, lengths.shape[0], side):
        for left in range(0, lengths.shape[1], side):
            here = np.s_[top : top + side, left : left + side]
            high, wide = lengths[here].shape
            part = features[top : top + high + rows - 1, left : left + wide + columns - 1]
            products = _products(part, style, rows, columns)
            products += np.float32(floor)
            products *= inverse
            products = products.reshape(high, wide, -1)
            chosen[here] = products.argmax(-1)
            best = np.take_along_axis(products, chosen[here][..., None], -1)[..., 0]
            cosines[here] = np.minimum(best / lengths[here], 1.0)
    return cosines.ravel(), chosen.ravel()


def _squares(features: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Returns the squared length of each patch, float64."""
    squares = np.square(features, dtype=np.float64).sum(-1)
    windows = np.lib.stride_tricks.sliding_window_view(squares, (rows, columns))
    return windows.sum((-2, -1))


def _products(features: np.ndarray, style: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Returns the product of each patch with each of the style's, [h, w, style h, style w].

    Products of places, each needed by nine pairs of patches, are worked out once.
    """
    places = np.tensordot(features, style, (-1, -1))
    height, width, high, wide = (
        size - side + 1 for size, side in zip(places.shape, (rows, columns) * 2, strict=True)
    )
    total = np.zeros((height, width, high, wide), np.float32)
    for i in range(rows):
        for j in range(columns):
            total += places[i : i + height, j : j + width, i : i + high, j : j + wide]
    return total


def border_over_center(features: np.ndarray, target: np.ndarray) -> float:
    """Returns the style distance of the map's border over that of its centre.

    Padding that shows makes it larger; so does what the picture has at its border, so
    compare it with that of another result for the same content. Always finite: to both
    distances is added what rounding alone may come to.

    Args:
        features: [height, width, channels]; the border is an eighth at each end.
        target: [channels, channels], the style's, of `gram`.

    Raises:
        InputError: a map less than 3 high or wide has no centre.
    """
    if min(features.shape[:2]) < 3:
        raise InputError(
            f"Expected a map of at least 3x3 to tell border from centre. Received: "
            f"{features.shape[0]}x{features.shape[1]}; use a shallower layer or a larger size."
        )
    inside = np.zeros(features.shape[:2], bool)
    top, left = (max(int(side * BORDER), 1) for side in inside.shape)
    inside[top:-top, left:-left] = True
    border, center = gram(features[~inside]), gram(features[inside])
    nothing = np.zeros_like(target)
    floor = _ROUNDING * sum(style_distance(one, nothing) for one in (border, center, target))
    if floor == 0:
        return 1.0
    return (style_distance(border, target) + floor) / (style_distance(center, target) + floor)
