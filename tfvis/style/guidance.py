"""Spatial control: which part of a picture takes which part of which style.

Gatys et al., "Controlling Perceptual Factors in Neural Style Transfer", CVPR 2017 (below:
G17), section 4. Masks are pictures: a colour is a region, and the same colour in the mask of
a style is what the region takes.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf

from tfvis import images
from tfvis.errors import InputError, arg
from tfvis.networks.network import Network
from tfvis.networks.receptive_field.receptive_field import receptive_field

MODES = ("simple", "inside")
MAX_REGIONS = 16
# Two colours are the same if no channel differs by this many levels: well above what JPEG
# does to a flat colour, well below what one takes to tell regions apart.
SAME_COLOR = 32
# Share of the pixels below which a colour is noise, not a region.
SMALLEST = 0.005
# A region's pixels lie among their like, less than so many levels apart; those of the soft
# edge between two regions do not. Of a strip three pixels wide a third does, of an edge next
# to none. Both were chosen on painted masks: 16 levels lose noisy colours, 32 take the fringe
# of a JPEG of quality 50 for a colour.
_LIKE = 24
_FLAT_SHARE = 1 / 8
# The histogram has 32 bins a channel, of 8 levels: three of them, side by side, hold the
# noise of a JPEG, and never two colours that are not the same.
_BINS = 32
# Pixels gone through at once: some tens of megabytes.
_PIXELS = 1 << 20

Color = tuple[int, int, int]


def regions(mask: np.ndarray, argument: str = "content_mask") -> list[tuple[Color, np.ndarray]]:
    """Returns the regions of a colour-coded mask, (colour, bool [height, width]), dark to light.

    Main colours cover `SMALLEST` of the pixels or more and are `SAME_COLOR` apart in some
    channel. Colours that occur at soft edges only, and regions less than three pixels wide,
    do not count. Every pixel belongs to the nearest main colour.

    Args:
        mask: float32 [height, width, 3], 0..255.
        argument: that named it, for messages.

    Raises:
        InputError: no main colour, or more than `MAX_REGIONS`.
    """
    colors = _main_colors(mask)
    if not 0 < len(colors) <= MAX_REGIONS:
        raise InputError(
            f"{arg(argument)}: has {f'more than {MAX_REGIONS}' if len(colors) else 'no'} main "
            f"colours. Paint 1 to {MAX_REGIONS} regions, each in one flat colour, and save as PNG."
        )
    colors = sorted(colors, key=lambda color: (float(np.dot(color, images.LUMA)), tuple(color)))
    nearest = np.concatenate([_nearest(band[1:-1, 1:-1], colors) for band in _bands(mask)])
    return [(tuple(round(float(c)) for c in color), nearest == k) for k, color in enumerate(colors)]


def paired(
    content_mask: np.ndarray, style_masks: Sequence[np.ndarray], styles_count: int
) -> list[tuple[np.ndarray, int, np.ndarray | None]]:
    """Returns (bool content mask, style index, bool style mask or None) of each region.

    With a mask for each style, a region takes what has its colour there (the nearest, at most
    `SAME_COLOR` away; of equals, the first style's). Without, the styles are taken in the
    order of the regions from dark to light, each as a whole: None.

    Args:
        content_mask: float32 [height, width, 3], 0..255.
        style_masks: the same of each style, of any sizes; or none.
        styles_count: how many styles there are.

    Raises:
        InputError: masks that do not fit the styles or one another; as `regions`.
    """
    if len(style_masks) not in (0, styles_count):
        raise InputError(
            f"{arg('style_masks')}: expected one for each of the {styles_count} styles, or none. "
            f"Received: {len(style_masks)}"
        )
    wanted = regions(content_mask, "content_mask")
    if not style_masks:
        if len(wanted) != styles_count:
            raise InputError(
                f"{arg('content_mask')}: has {len(wanted)} colours, and there are {styles_count} "
                f"styles. Give as many styles as colours, or {arg('style_masks')}, one for each "
                "style."
            )
        return [(where, k, None) for k, (_, where) in enumerate(wanted)]
    offered = [
        (index, color, part)
        for index, mask in enumerate(style_masks)
        for color, part in regions(mask, "style_masks")
    ]
    pairs = []
    for color, where in wanted:
        index, found, part = min(offered, key=lambda one: _distance(one[1], color))
        if _distance(found, color) > SAME_COLOR:
            known = ", ".join(dict.fromkeys(_name(one) for _, one, _ in offered))
            raise InputError(
                f"{arg('style_masks')}: none has the colour {_name(color)} of "
                f"{arg('content_mask')}. Paint it there; the colours are {known}."
            )
        pairs.append((where, index, part))
    return pairs


def guides(
    mask: np.ndarray, network: Network, layer: str, mode: str = "simple"
) -> np.ndarray | None:
    """Returns the guide T of a layer, float32 [h, w] of its map, with mean(T^2) = 1.

    The normalisation makes the Gram matrix of T F over the places as large as that of F
    over the region alone (G17 section 4).

    Args:
        mask: bool [height, width], the region, at the size of the image.
        network: the network.
        layer: a path whose output is a map.
        mode: "simple" averages the mask over the area of each place of the map. "inside"
            takes the units whose receptive field, as far as it lies in the image, lies in the
            region: no other region changes what they say. (A dilated convolution's field is
            taken with its gaps.)

    Returns:
        None where nothing of the region is left at this layer.

    Raises:
        InputError: another mode, an unknown layer, or one without a map at this size.
    """
    if mode not in MODES:
        raise InputError(f"Expected guides of {', '.join(MODES)}. Received: {mode}")
    mask = np.asarray(mask, bool)
    network.check([layer])
    shape = network.shape(layer, *mask.shape)
    if len(shape) != 3 or 0 in shape:
        raise InputError(
            f"{arg('style_layers')}: {layer} of {network.name} has no map of an image of "
            f"{mask.shape[0]} x {mask.shape[1]} pixels. Choose a shallower layer or a larger image."
        )
    size = shape[:2]
    if mode == "simple":
        guide = tf.image.resize(np.float32(mask)[None, ..., None], size, method="area")
        guide = guide[0, ..., 0].numpy()
    else:
        guide = _inside(mask, network, layer, size)
    length = np.sqrt(np.mean(np.square(guide, dtype=np.float64)))
    return (guide / length).astype(np.float32) if length else None


def _inside(mask: np.ndarray, network: Network, layer: str, size) -> np.ndarray:
    """Returns 1 for the units whose receptive field lies in the mask, 0 for others."""
    field = receptive_field(network, layer, *mask.shape)
    if field.everything:
        return np.full(size, float(mask.all()))
    # Sums over boxes, from sums over all above and left of a corner.
    sums = np.pad(mask.cumsum(0, dtype=np.int64).cumsum(1), ((1, 0), (1, 0)))
    top, bottom = field.rows.first, field.rows.last + 1
    left, right = field.columns.first, field.columns.last + 1
    # A unit that sees padding only says nothing of any region: first > last.
    rows, columns = top < bottom, left < right
    top, left = np.where(rows, top, bottom), np.where(columns, left, right)
    area = (bottom - top)[:, None] * (right - left)
    upper, lower = sums[top], sums[bottom]
    filled = lower[:, right] - lower[:, left] - upper[:, right] + upper[:, left]
    return (filled == area) & (area > 0)


def _main_colors(mask: np.ndarray) -> list[np.ndarray]:
    """Returns the main colours, float64 [3] each, in no order; one too many if too many."""
    everything, calm, means = _histograms(mask, _among_like)
    if not calm.any():
        # A pattern of single pixels, or a very small mask.
        everything, calm, means = _histograms(mask, lambda band: np.ones(1, bool))
    pixels = everything.sum()
    colors = []
    while len(colors) <= MAX_REGIONS:
        density = _cubes(calm)
        peak = np.unravel_index(density.argmax(), density.shape)
        if density[peak] < _FLAT_SHARE * SMALLEST * pixels:
            break
        cube = tuple(slice(max(index - 1, 0), index + 2) for index in peak)
        color = np.average(means[cube].reshape(-1, 3), axis=0, weights=calm[cube].ravel())
        near = np.abs(means - color).max(-1) < SAME_COLOR
        coverage = everything[near].sum()
        apart = all(_distance(color, other) >= SAME_COLOR for other in colors)
        if apart and coverage >= SMALLEST * pixels and calm[near].sum() >= _FLAT_SHARE * coverage:
            colors.append(color)
            everything[near] = calm[near] = 0
        calm[cube] = 0
    return colors


def _histograms(mask: np.ndarray, judged) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns per bin of colour: how many pixels, how many of them `judged`, their mean."""
    bins = _BINS**3
    width = 256 // _BINS
    counts, calm, sums = np.zeros(bins), np.zeros(bins), np.zeros((bins, 3))
    for band in _bands(mask):
        levels = band[1:-1, 1:-1].reshape(-1, 3)
        red, green, blue = (levels // width).astype(np.int64).T
        index = (red * _BINS + green) * _BINS + blue
        weights = np.broadcast_to(judged(band).ravel(), index.shape).astype(np.float64)
        counts += np.bincount(index, minlength=bins)
        calm += np.bincount(index, weights, bins)
        for channel in range(3):
            sums[:, channel] += np.bincount(index, weights * levels[:, channel], bins)
    middles = width * np.indices((_BINS,) * 3).reshape(3, bins).T + (width - 1) / 2
    means = np.where(calm[:, None] > 0, sums / np.maximum(calm, 1)[:, None], middles)
    shape = (_BINS,) * 3
    return counts.reshape(shape), calm.reshape(shape), means.reshape(*shape, 3)


def _bands(mask: np.ndarray) -> Iterator[np.ndarray]:
    """Yields rows of the mask as uint8, with one more pixel on every side."""
    height, width = mask.shape[:2]
    rows = max(_PIXELS // width, 1)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        levels = images.quantize(mask[max(top - 1, 0) : bottom + 1])
        missing = (int(top == 0), int(bottom == height))
        yield np.pad(levels, (missing, (1, 1), (0, 0)), mode="edge")


def _among_like(band: np.ndarray) -> np.ndarray:
    """Tells pixels around which, 3 x 3, all have the same colour; bool, without the border."""
    high, low = band, band
    high = np.maximum(np.maximum(high[:-2], high[1:-1]), high[2:])
    low = np.minimum(np.minimum(low[:-2], low[1:-1]), low[2:])
    high = np.maximum(np.maximum(high[:, :-2], high[:, 1:-1]), high[:, 2:])
    low = np.minimum(np.minimum(low[:, :-2], low[:, 1:-1]), low[:, 2:])
    return (high - low).max(-1) < _LIKE


def _cubes(histogram: np.ndarray) -> np.ndarray:
    """Returns the sum over each bin and its neighbours, 3 x 3 x 3."""
    for axis in range(3):
        padded = np.pad(histogram, [(int(k == axis),) * 2 for k in range(3)])
        parts = [np.take(padded, range(k, k + _BINS), axis) for k in range(3)]
        histogram = parts[0] + parts[1] + parts[2]
    return histogram


def _nearest(levels: np.ndarray, colors: list[np.ndarray]) -> np.ndarray:
    """Returns the index of the nearest colour of each pixel, uint8 [height, width]."""
    levels = levels.astype(np.float32)
    distances = [np.square(levels - np.float32(color)).sum(-1) for color in colors]
    return np.argmin(distances, 0).astype(np.uint8)


def _distance(one, other) -> float:
    """The largest difference in a channel."""
    return float(np.abs(np.subtract(one, other)).max())


def _name(color: Color) -> str:
    return f"rgb({color[0]}, {color[1]}, {color[2]})"
