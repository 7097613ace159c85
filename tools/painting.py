"""A painting that is free to ship: the style image of the demo.

Nobody's work is copied: the picture is made here, of random numbers. Strokes of four
brushes, from broad to fine, follow the streamlines of a smooth flow of waves and
vortices; each takes two neighbouring colours of a small palette onto its bristles, and
leaves paint that later stands up in the light. The file in the package is made by

    python -m tools.painting

and is under the licence of this project. Every constant below is a matter of taste,
settled by looking at the result, unless it says otherwise.
"""

import dataclasses
from typing import Protocol

import numpy as np
import PIL.Image
import scipy.ndimage

from tfvis import images
from tfvis.errors import InputError
from tfvis.style.painting import SHIPPED
from tools.painted_flow import scene

SHIPPED_SEED = 6
SHIPPED_SIZE = 512
# With colour at full resolution, a file of about 210 kB.
SHIPPED_QUALITY = 90
# Below this the finest brush has no room for a stroke.
MIN_SIZE = 16

# From the depth of the night to the light in it: a stroke's tone picks its place here.
PALETTE = np.array(
    [
        (14, 20, 52),  # indigo
        (22, 42, 104),  # Prussian blue
        (32, 76, 156),  # ultramarine
        (38, 128, 180),  # cerulean
        (72, 178, 186),  # turquoise
        (176, 214, 190),  # pale jade
        (240, 226, 168),  # cream
        (244, 196, 70),  # yellow
        (214, 140, 38),  # ochre
    ],
    np.float32,
)
CRIMSON = np.array((168, 34, 52), np.float32)
# What the canvas is primed with; the broad strokes hide all of it.
GROUND = np.array((60, 50, 60), np.float32)

# The picture is painted this much larger and then averaged, which smooths every edge.
_OVERSAMPLING = 2
# Distance between samples of a stroke in painted pixels: below 1 / sqrt(2), so that
# however a stroke lies, it misses no pixel within it.
_SPACING = 0.68
# Side of the tile of bristles, in painted pixels.
_TILE = 1024


@dataclasses.dataclass(frozen=True)
class Brush:
    """One size of brush. Lengths are fractions of the picture's side.

    Attributes:
        width: of a stroke.
        length: of a stroke, on average.
        coverage: summed area of the strokes, as a multiple of the picture's.
        wander: standard deviation of a stroke's tone about the tone of its place.
        dryness: how much of a stroke breaks up into single bristles towards its end.
        relief: how thick the paint lies.
    """

    width: float
    length: float
    coverage: float
    wander: float
    dryness: float
    relief: float


BRUSHES = (
    Brush(0.070, 0.26, 4.5, 0.04, 0.0, 0.7),
    Brush(0.034, 0.17, 2.2, 0.07, 0.4, 0.9),
    Brush(0.020, 0.115, 1.6, 0.10, 0.6, 1.0),
    Brush(0.011, 0.070, 0.55, 0.14, 0.7, 1.2),
)


class Subject(Protocol):
    """What can be painted; positions are (y, x), float [..., 2] in 0..1."""

    def direction(self, points: np.ndarray) -> np.ndarray:
        """Returns unit vectors (y, x) that strokes follow."""

    def tone(self, points: np.ndarray) -> np.ndarray:
        """Returns the tone, 0 (dark) to 1 (light)."""


@dataclasses.dataclass(frozen=True)
class _Canvas:
    side: int
    color: np.ndarray  # float32 [side * side, 3]
    height: np.ndarray  # float32 [side * side], of the paint

    @property
    def scale(self) -> float:
        """How much coarser bristles are than at the size they were tuned for."""
        return max(1.0, self.side / (_OVERSAMPLING * SHIPPED_SIZE))


def paint(
    size: int = 512, seed: int = 0, subject: Subject | None = None, palette: np.ndarray = PALETTE
) -> np.ndarray:
    """Paints a picture of brush strokes: float32 [size, size, 3], RGB, 0..255.

    The same size and seed give the same picture, in a few seconds at 512; another size
    shows the same scene in other strokes.

    Args:
        size: height and width, at least `MIN_SIZE`.
        seed: >= 0; chooses the scene and every stroke.
        subject: what is painted in place of the scene.
        palette: float32 [colours, 3], from the darkest tone to the lightest.

    Raises:
        InputError: `size` or `seed` is too small.
    """
    if size < MIN_SIZE:
        raise InputError(f"Expected a painting of at least {MIN_SIZE} px. Received: {size}")
    if seed < 0:
        raise InputError(f"Expected a seed of 0 or more. Received: {seed}")
    generator = np.random.default_rng([seed, 1])
    subject = subject or scene(seed)
    side = size * _OVERSAMPLING
    canvas = _Canvas(side, np.tile(GROUND, (side * side, 1)), np.zeros(side * side, np.float32))
    bristles = _bristles(canvas.scale, generator)
    for brush in BRUSHES:
        _cover(canvas, brush, subject, palette, bristles, generator)
    blocks = _lit(canvas).reshape(size, _OVERSAMPLING, size, _OVERSAMPLING, 3)
    return blocks.mean((1, 3)).clip(0, 255).astype(np.float32)


def _bristles(scale: float, generator: np.random.Generator) -> np.ndarray:
    """Returns streaks, float32 [along, across], of mean 0 and deviation 1."""
    noise = generator.standard_normal((_TILE, _TILE))
    fine = scipy.ndimage.gaussian_filter(noise, (60 * scale, 0.7 * scale), mode="wrap")
    broad = scipy.ndimage.gaussian_filter(noise[::-1], (90 * scale, 3 * scale), mode="wrap")
    streaks = fine / fine.std() + 0.9 * broad / broad.std()
    return (streaks / streaks.std()).astype(np.float32)


def _cover(
    canvas: _Canvas,
    brush: Brush,
    subject: Subject,
    palette: np.ndarray,
    bristles: np.ndarray,
    generator: np.random.Generator,
) -> None:
    """Lays all strokes of one brush onto the canvas."""
    side = canvas.side
    # A stroke thinner than a few painted pixels would show nothing of its bristles.
    width = max(brush.width * side, 5.0)
    length = brush.length * side * max(1.0, 0.6 * width / (brush.width * side))
    # One stroke in each cell of a grid that reaches beyond the picture on all sides, in
    # any order: evenly spread, and nowhere in rows.
    cells = int(np.ceil(1.3 * np.sqrt(brush.coverage * side * side / (width * length))))
    corners = np.stack(np.meshgrid(*[np.arange(cells)] * 2, indexing="ij"), -1).reshape(-1, 2)
    middles = (corners + generator.uniform(0, 1, corners.shape)) / cells * 1.3 - 0.15
    middles = generator.permutation(middles)
    count = len(middles)
    lengths = length * generator.uniform(0.6, 1.4, count)
    widths = width * generator.uniform(0.75, 1.25, count)
    paths = _by_hand(_streamlines(subject, middles, lengths / side), generator) * side
    tones = subject.tone(middles) + brush.wander * generator.standard_normal(count)
    loads = _loads(tones, palette, generator)
    offsets = generator.integers(0, _TILE, (count, 2))
    for k in range(count):
        # Every stroke finds its bristles somewhere else on the tile.
        rows = (offsets[k, 0] + np.arange(np.ceil(lengths[k] / _SPACING), dtype=int)) % _TILE
        columns = offsets[k, 1] + np.arange(np.ceil(widths[k] / _SPACING), dtype=int)
        streak = bristles[rows[:, None], columns % _TILE]
        # Colours mix in broader streaks than the bristles', elsewhere on the tile.
        mixing = bristles[rows[:, None], (columns // 2 + _TILE // 2) % _TILE]
        _stroke(canvas, brush, paths[k], widths[k] / lengths[k], loads[k], streak, mixing)


def _streamlines(subject: Subject, middles: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Returns the flow's paths through `middles`, [strokes, 25, 2], by midpoint steps."""
    steps = 12
    halves = []
    for sense in (-1, 1):
        points, path = middles, []
        step = (sense * lengths / (2 * steps))[:, None]
        for _ in range(steps):
            half = points + 0.5 * step * subject.direction(points)
            points = points + step * subject.direction(half)
            path.append(points)
        halves.append(path)
    return np.stack([*halves[0][::-1], middles, *halves[1]], 1)


def _by_hand(paths: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Turns each path about its middle by a few degrees: nobody's hand is exact."""
    angles = np.deg2rad(5.0) * generator.standard_normal(len(paths))
    turns = np.stack([np.cos(angles), -np.sin(angles), np.sin(angles), np.cos(angles)], -1)
    middles = paths[:, paths.shape[1] // 2, None]
    return middles + (paths - middles) @ turns.reshape(-1, 2, 2)


def _loads(tones: np.ndarray, palette: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Returns the two colours on each brush, float32 [strokes, 2, 3]."""
    top = len(palette) - 1
    first = np.rint(tones.clip(0, 1) * top).astype(int)
    second = (first + generator.choice([-1, 1], len(tones))).clip(0, top)
    loads = palette[np.stack([first, second], -1)]
    if palette is not PALETTE:
        return loads
    # Crimson in the dusk about the lights, and rarely in the night; with ochre, or it
    # would turn mauve where it meets the turquoise.
    chance = 0.02 + 0.10 * np.exp(-(((tones - 0.66) / 0.08) ** 2))
    red = generator.uniform(size=len(tones)) < chance
    return np.where(red[:, None, None], np.stack([CRIMSON, PALETTE[-1]]), loads)


def _stroke(
    canvas: _Canvas,
    brush: Brush,
    path: np.ndarray,
    aspect: float,
    load: np.ndarray,
    streak: np.ndarray,
    mixing: np.ndarray,
) -> None:
    """Lays one stroke, sample by sample of a ribbon along its path.

    Args:
        path: [knots, 2], painted pixels, y and x.
        aspect: width / length.
        load: [2, 3], the two colours on the brush.
        streak: [along, across], how much paint each sample's bristle holds.
        mixing: [along, across], which of the two colours.
    """
    along, across = streak.shape
    s = np.linspace(0, 1, along, dtype=np.float32)[:, None]
    t = np.linspace(-1, 1, across, dtype=np.float32)
    knots = np.linspace(0, 1, len(path))
    center = np.stack([np.interp(s[:, 0], knots, path[:, i]) for i in (0, 1)], -1)
    tangent = np.gradient(center, axis=0)
    tangent /= np.linalg.norm(tangent, axis=-1, keepdims=True) + 1e-9
    aside = t * (0.5 * _SPACING * across)
    y = np.rint(center[:, :1] + tangent[:, 1:] * aside).astype(np.int64)
    x = np.rint(center[:, 1:] - tangent[:, :1] * aside).astype(np.int64)

    # Round at both ends; at neither do all bristles touch or leave the canvas at once.
    rounding = 0.5 * (1 - np.sqrt(1 - t**2))
    start = aspect * (rounding + 0.16 * mixing[along // 4])
    end = 1 - aspect * rounding - 0.10 * np.abs(streak[along // 2])
    left = 1.6 - brush.dryness * (0.4 + 1.5 * s) + 0.55 * streak
    keep = (s >= start) & (s <= end) & (left > 0)
    keep &= (y >= 0) & (y < canvas.side) & (x >= 0) & (x < canvas.side)
    index = (y * canvas.side + x)[keep]
    streak = streak[keep][:, None]
    mix = (0.32 + 0.30 * mixing[keep]).clip(0, 1)[:, None]
    tint = (load[0] + (load[1] - load[0]) * mix) * (1 + 0.09 * streak)
    opacity = (1.4 * left[keep]).clip(0, 1)[:, None]
    # Where several samples fall on a pixel, NumPy keeps the last: nothing is laid twice.
    canvas.color[index] += opacity * (tint - canvas.color[index])
    # Paint is pushed to a stroke's sides and end, grooved by the bristles, and fills half
    # of the relief below.
    ridge = np.broadcast_to(0.5 * t**4 + 0.3 * s**6, keep.shape)[keep]
    laid = brush.relief * (0.6 + ridge + 0.28 * streak[:, 0])
    canvas.height[index] = 0.5 * canvas.height[index] + laid


def _lit(canvas: _Canvas) -> np.ndarray:
    """Returns the painting lit from the upper left, float32 [side, side, 3]."""
    square = (canvas.side, canvas.side)
    # Paint flows a little before it dries.
    relief = scipy.ndimage.gaussian_filter(canvas.height.reshape(square), 0.9 * canvas.scale)
    dy, dx = np.gradient(relief)
    slope = np.tanh(2.4 * canvas.scale * (dy + dx))[..., None]
    gloss = slope.clip(0, 1) ** 2
    return canvas.color.reshape(*square, 3) * (1 + 0.45 * slope) + 45 * gloss


def main() -> None:
    """Writes the file of the package."""
    picture = PIL.Image.fromarray(images.quantize(paint(SHIPPED_SIZE, SHIPPED_SEED)))
    picture.save(SHIPPED, quality=SHIPPED_QUALITY, subsampling=0, optimize=True)


if __name__ == "__main__":
    main()
