"""Sixteen manners of painting and drawing, each with its own marks, paper and colours.

Pictures of known style: any photograph can be drawn in any of them, so that style and content are
told apart. Every constant is a matter of taste, settled by looking; sizes are in pixels of the
picture, which is best of 96 to 160 px a side.
"""

from collections.abc import Callable

import numpy as np
import scipy.ndimage
import scipy.spatial

from tfvis import images

Draw = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def _color(*levels: int) -> np.ndarray:
    return np.array(levels, np.float32)


def _luma(picture: np.ndarray) -> np.ndarray:
    """Returns [height, width], 0..1, stretched over its range."""
    grey = picture @ np.float32(images.LUMA) / 255
    low, high = np.percentile(grey, (2, 98))
    return ((grey - low) / max(high - low, 1e-3)).clip(0, 1)


def _blur(picture: np.ndarray, sigma: float) -> np.ndarray:
    axes = (sigma, sigma, 0)[: picture.ndim]
    return scipy.ndimage.gaussian_filter(picture, axes, mode="reflect")


def _edges(grey: np.ndarray, sigma: float = 1.0) -> np.ndarray:
    """Returns how steep it is, 0..1."""
    steep = scipy.ndimage.gaussian_gradient_magnitude(grey, sigma)
    return (steep / max(np.percentile(steep, 97), 1e-3)).clip(0, 1)


def _mixed(share: np.ndarray, of: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    """Returns `of` where the share [height, width] is 1, `otherwise` where it is 0."""
    return otherwise + share[..., None] * (of - otherwise)


def _grid(shape) -> tuple[np.ndarray, np.ndarray]:
    return np.mgrid[: shape[0], : shape[1]].astype(np.float32)


def _dabs(picture, generator, count, length, width, paper, turn=None, wander=12.0) -> np.ndarray:
    """Returns strokes of the picture's own colours, along its edges or all at one angle."""
    height, wide = picture.shape[:2]
    canvas = np.broadcast_to(paper, picture.shape).copy()
    grey = _blur(_luma(picture), 2.5)
    along = np.arctan2(*np.gradient(grey)) + np.pi / 2
    ys, xs = generator.integers(0, height, count), generator.integers(0, wide, count)
    reach = int(np.ceil(max(length, width)))
    dy, dx = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    for y, x in zip(ys, xs, strict=True):
        angle = (along[y, x] if turn is None else turn) + 0.15 * generator.standard_normal()
        u = (dx * np.cos(angle) + dy * np.sin(angle)) / length
        v = (dy * np.cos(angle) - dx * np.sin(angle)) / width
        inside = u**2 + v**2 <= 1
        rows, columns = y + dy[inside], x + dx[inside]
        good = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < wide)
        # Bristles: a stroke is lighter on one side.
        tone = picture[y, x] + wander * generator.standard_normal() + 18 * v[inside][good, None]
        canvas[rows[good], columns[good]] = tone
    return canvas


def oil(picture, generator):
    """Short strokes along what is painted, thick and saturated."""
    vivid = picture.mean(-1, keepdims=True) * -0.5 + picture * 1.5
    return _dabs(vivid, generator, 1800, 7, 2, _color(90, 60, 40))


def palette_knife(picture, generator):
    """Broad flat strokes, all in one direction, in warm colours."""
    warm = 0.5 * picture + 0.5 * _luma(picture)[..., None] * _color(255, 180, 90)
    return _dabs(warm, generator, 500, 16, 6, _color(120, 80, 50), 0.6, 20)


def pointillism(picture, generator):
    """Round dots of pure colours on primed canvas."""
    pure = np.where(picture > picture.mean(-1, keepdims=True), picture * 1.35 + 25, picture * 0.6)
    return _dabs(pure, generator, 1500, 1.8, 1.8, _color(245, 238, 220), 0.0, 25)


def mosaic(picture, generator):
    """Square stones in their own tones, dark joints."""
    side = 8
    y, x = _grid(picture.shape)
    cells = (y // side * 1000 + x // side).astype(int)
    stones = _cellwise(picture, cells) + _tones(cells, generator, 22)
    joint = (y % side < 1.5) | (x % side < 1.5)
    return np.where(joint[..., None], _color(70, 66, 60), stones)


def stained_glass(picture, generator):
    """Irregular panes of strong colours, lead between them."""
    height, width = picture.shape[:2]
    count = height * width // 160
    points = generator.uniform(0, 1, (count, 2)) * (height, width)
    places = np.stack(_grid(picture.shape), -1).reshape(-1, 2)
    near, panes = scipy.spatial.cKDTree(points).query(places, 2)
    panes = panes[:, 0].reshape(height, width)
    mean = _cellwise(picture, panes)
    strong = (mean.mean(-1, keepdims=True) * -1.4 + mean * 2.4) * 0.9
    lead = ((near[:, 1] - near[:, 0]) < 1.6).reshape(height, width)
    return np.where(lead[..., None], _color(8, 8, 10), strong + _tones(panes, generator, 15))


def _cellwise(picture: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Returns each cell in its mean colour."""
    names, where = np.unique(cells, return_inverse=True)
    where = where.reshape(cells.shape)
    means = [scipy.ndimage.mean(picture[..., k], where, range(len(names))) for k in range(3)]
    return np.stack(means, -1)[where].astype(np.float32)


def _tones(cells: np.ndarray, generator: np.random.Generator, spread: float) -> np.ndarray:
    """Returns a shift of tone for each cell, [height, width, 1]."""
    names, where = np.unique(cells, return_inverse=True)
    shifts = spread * generator.standard_normal(len(names))
    return shifts[where].reshape(*cells.shape, 1).astype(np.float32)


def engraving(picture, generator):
    """Level lines that swell where it is dark, black on white."""
    y, x = _grid(picture.shape)
    wave = 0.5 + 0.5 * np.sin(2 * np.pi * (y + 1.5 * np.sin(x / 9)) / 4.5)
    ink = wave > 0.12 + 0.88 * _blur(_luma(picture), 0.8)
    return _mixed(_blur(ink.astype(np.float32), 0.4), _color(15, 15, 15), _color(252, 252, 250))


def cross_hatching(picture, generator):
    """Pen lines in two directions, one for the half tones, both in the shade; cream paper."""
    y, x = _grid(picture.shape)
    grey = _blur(_luma(picture), 1)
    down, up = np.sin(2 * np.pi * (x + y) / 6), np.sin(2 * np.pi * (x - y) / 6)
    ink = ((down > 0.45) & (grey < 0.7)) | ((up > 0.45) & (grey < 0.4)) | (_edges(grey) > 0.85)
    return _mixed(_blur(ink.astype(np.float32), 0.4), _color(60, 36, 20), _color(244, 228, 190))


def stipple(picture, generator):
    """Single black points, the more the darker."""
    grey = _blur(_luma(picture), 1)
    points = generator.uniform(size=grey.shape) < 0.16 * (1 - grey) ** 1.6
    ink = scipy.ndimage.binary_dilation(points).astype(np.float32)
    return _mixed(_blur(ink, 0.35), _color(20, 20, 30), _color(255, 255, 255))


def watercolour(picture, generator):
    """Washes that ran, darker at their edges, on rough paper."""
    washes = np.round(_blur(picture, 2.5) / 48) * 48
    washes = _blur(washes, 0.8) * 0.55 + 0.45 * _color(250, 247, 240)
    rim = _edges(_blur(washes, 0.6) @ np.float32(images.LUMA) / 255, 0.9)
    grain = _blur(generator.standard_normal(picture.shape[:2]).astype(np.float32), 1.1)
    return washes - 38 * rim[..., None] + 26 * grain[..., None]


def pencil(picture, generator):
    """Grey outlines and shading by one slanted stroke, on the grain of the paper."""
    grey = _luma(picture)
    noise = generator.standard_normal(grey.shape)
    slanted = scipy.ndimage.rotate(noise, 35, reshape=False, mode="wrap", order=1)
    slanted = scipy.ndimage.gaussian_filter(slanted, (3, 0.5))
    slanted = scipy.ndimage.rotate(slanted, -35, reshape=False, mode="wrap", order=1)
    shade = (0.75 * _edges(grey, 0.8) + (1 - grey) * (0.35 + 1.1 * slanted)).clip(0, 0.9)
    return _mixed(shade.astype(np.float32), _color(70, 70, 76), _color(236, 236, 234))


def charcoal(picture, generator):
    """Broad, smudged and black, with the tooth of the paper in it."""
    grey = _blur(_luma(picture), 2)
    tooth = _blur(generator.standard_normal(grey.shape).astype(np.float32), 0.7)
    dark = ((1 - grey) * 1.25 + 0.7 * _edges(grey, 2) - 0.35 + 0.28 * tooth).clip(0, 1)
    return _mixed(dark, _color(28, 24, 22), _color(205, 192, 172))


def poster(picture, generator):
    """Four flat inks, from night blue to cream, hard edges."""
    inks = np.stack([_color(24, 32, 74), _color(206, 52, 48), _color(112, 152, 166)])
    inks = np.concatenate([inks, _color(250, 228, 172)[None]])
    levels = (_blur(_luma(picture), 1.6) * 4).astype(int).clip(0, 3)
    return inks[levels]


def halftone(picture, generator):
    """Screens of dots in cyan, magenta and yellow, as comics were printed."""
    y, x = _grid(picture.shape)
    soft, page = _blur(picture, 0.8), np.full(picture.shape, 255, np.float32)
    for channel, turn in enumerate((0.26, 1.3, 0.0)):
        u = np.cos(turn) * x + np.sin(turn) * y
        v = np.cos(turn) * y - np.sin(turn) * x
        screen = 0.5 + 0.25 * (np.cos(2 * np.pi * u / 5) + np.cos(2 * np.pi * v / 5))
        page[..., channel] -= 235 * (screen < 1 - soft[..., channel] / 255)
    return page


def blueprint(picture, generator):
    """White outlines on blue, over a grid."""
    y, x = _grid(picture.shape)
    line = (_edges(_blur(_luma(picture), 0.6), 0.7) > 0.55).astype(np.float32)
    grid = 0.22 * ((y % 12 < 1) | (x % 12 < 1))
    return _mixed(np.maximum(line, grid), _color(225, 238, 255), _color(24, 66, 150))


def cross_stitch(picture, generator):
    """Crosses of thread on linen, in muted colours."""
    side = 6
    y, x = _grid(picture.shape)
    cells = (y // side * 1000 + x // side).astype(int)
    u, v = y % side - (side - 1) / 2, x % side - (side - 1) / 2
    thread = np.minimum(abs(u - v), abs(u + v)) < 1.4
    mean = _cellwise(picture, cells)
    muted = 0.6 * mean + 0.4 * mean.mean(-1, keepdims=True)
    linen = _color(214, 200, 172) - 24 * ((y % 2 < 1) ^ (x % 2 < 1))[..., None]
    return np.where(thread[..., None], muted * (1 - 0.06 * abs(u - v))[..., None], linen)


def scratchboard(picture, generator):
    """White scratches out of black, slanted, the denser the lighter."""
    y, x = _grid(picture.shape)
    grey = _blur(_luma(picture), 1)
    shaken = 0.8 * _blur(generator.standard_normal(grey.shape).astype(np.float32), 2)
    wave = 0.5 + 0.5 * np.sin(2 * np.pi * (0.9 * x + 0.45 * y + 6 * shaken) / 5)
    scratch = (wave < 0.75 * grey**1.3) | (_edges(grey, 0.8) > 0.9)
    return _mixed(_blur(scratch.astype(np.float32), 0.35), _color(238, 240, 235), _color(8, 8, 8))


MANNERS: tuple[Draw, ...] = (
    oil, palette_knife, pointillism, mosaic, stained_glass, engraving, cross_hatching, stipple,
    watercolour, pencil, charcoal, poster, halftone, blueprint, cross_stitch, scratchboard,
)  # fmt: skip


def drawn(picture: np.ndarray, manner: Draw, seed: int) -> np.ndarray:
    """Returns the picture drawn in a manner, float32 [height, width, 3], 0..255.

    Args:
        picture: float32 [height, width, 3], 0..255.
        manner: one of `MANNERS`.
        seed: of its strokes.
    """
    made = manner(picture, np.random.default_rng(seed))
    return np.clip(made, 0, 255).astype(np.float32)
