"""A painting in one pass, as near to what is wished as a network without an optimiser comes."""

import numpy as np

from tfvis import images
from tfvis.experiments.studio.wishes import Wish
from tfvis.style import color
from tfvis.style.fast.fast_style import FastStyle

# Of the previews, whatever size is wished for: half a second on two cores.
SIZE = 512


def paint(
    painter: FastStyle,
    content: np.ndarray,
    mix: tuple[float, ...],
    wish: Wish,
    rest: tuple[float, ...] | None = None,
    mask: np.ndarray | None = None,
) -> np.ndarray:
    """Returns a preview, float32 [height, width, 3], 0..255, of the content's aspect.

    Strokes are as large as in the training, pixel for pixel: larger ones are painted on a smaller
    picture, which is then enlarged. A network has no ratio of style to content; less strength lets
    the photograph show through.

    Args:
        painter: of a checkpoint.
        content: float32 [height, width, 3], 0..255.
        mix: share of each of its styles; see `FastStyle.mix`.
        wish: how.
        rest: the mix outside the mask; None leaves the photograph there.
        mask: bool, of the content; None is everywhere.
    """
    shown = images.of_area(content, SIZE)
    at = images.of_area(content, max(round(SIZE / wish.strokes), 32))

    def painted(shares):
        made = images.resize(painter.paint(at, shares), *shown.shape[:2])
        if wish.keep_colors:
            made = color.with_luminance_of(shown, made)
        return shown + wish.share * (made - shown)

    outside = shown if mask is None or rest is None else painted(rest)
    return within(mask, painted(mix), outside)


def within(mask: np.ndarray | None, inside: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """Returns one picture inside of a mask and another outside, of one size; None is everywhere."""
    if mask is None:
        return inside
    where = images.resize(np.float32(255 * mask)[..., None], *inside.shape[:2]) / 255
    return outside + where * (inside - outside)
