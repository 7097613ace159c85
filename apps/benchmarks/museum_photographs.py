"""Photographs as museums take them, made up: an object on a backdrop, beside it charts and rulers.

Where the object and each instrument lie is known, so what `crop_borders` leaves can be measured.
"""

import dataclasses
import io

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFilter
import PIL.ImageFont

from tfvis import images

# A colour chart's patches, near ColorChecker's: dark skin to black, in its order.
_PATCHES = (
    (115, 82, 68), (194, 150, 130), (98, 122, 157), (87, 108, 67), (133, 128, 177),
    (103, 189, 170), (214, 126, 44), (80, 91, 166), (193, 90, 99), (94, 60, 108),
    (157, 188, 64), (224, 163, 46), (56, 61, 150), (70, 148, 73), (175, 54, 60),
    (231, 199, 31), (187, 86, 149), (8, 133, 161), (243, 243, 242), (200, 200, 200),
    (160, 160, 160), (122, 122, 121), (85, 85, 85), (52, 52, 52),
)  # fmt: skip
INSTRUMENTS = ("row of patches", "grid of patches", "grey scale", "ruler", "scale bar")
BACKDROPS = ("grey card", "black velvet", "white table", "mount")
_BACKDROP = {
    "grey card": (128, 128, 126), "black velvet": (16, 15, 18), "white table": (238, 237, 233),
    "mount": (222, 212, 190),
}  # fmt: skip


@dataclasses.dataclass(frozen=True, eq=False)
class Scene:
    """A photograph, and what is where in it.

    Attributes:
        pixels: float32 [height, width, 3].
        object: (x0, y0, x1, y1) of the object, ends exclusive.
        instruments: bool [n, height, width], where each lies.
        kinds: of the instruments.
        backdrop: its name.
        tilt: of the instruments, in degrees; 0 is along the edge.
        beside: whether nothing of the backdrop lies between instrument and edge of the picture.
    """

    pixels: np.ndarray
    object: tuple[int, int, int, int]
    instruments: np.ndarray
    kinds: tuple[str, ...]
    backdrop: str
    tilt: float
    beside: bool


def scene(picture: np.ndarray, seed: int) -> Scene:
    """Makes a photograph of a picture.

    Args:
        picture: float32 [h, w, 3], what the object looks like.
        seed: draws all the rest.
    """
    draw = np.random.default_rng(seed)
    backdrop = BACKDROPS[seed % len(BACKDROPS)]
    count = 1 + int(draw.random() < 0.3)
    kinds = tuple(str(k) for k in draw.choice(INSTRUMENTS, count, replace=False))
    tilt = 0.0 if seed % 3 else float(draw.uniform(0.7, 3) * draw.choice((-1, 1)))
    long = int(draw.integers(420, 900))
    scale = long / max(picture.shape[:2])
    thing = images.resize(picture, *(max(60, round(s * scale)) for s in picture.shape[:2]))
    cutout = draw.random() < 0.35
    shape = _outline(thing.shape[:2], draw) if cutout else np.ones(thing.shape[:2], bool)
    edges = [int(edge) for edge in draw.choice(4, count, replace=False)]
    beside = not tilt and draw.random() < 0.25
    margin = int(draw.uniform(0.02, 0.12) * long)
    strips = [_instrument(kind, thing.shape[1 - edge % 2], draw) for kind, edge in
              zip(kinds, edges, strict=True)]  # fmt: skip
    turned = [_turned(strip, edge, tilt) for strip, edge in zip(strips, edges, strict=True)]
    gaps = [margin] * 4
    for (pixels, _), edge in zip(turned, edges, strict=True):
        depth = pixels.shape[edge % 2]
        gaps[edge] = depth + int(draw.uniform(0.02, 0.08) * long) + (0 if beside else margin)
    top, left, bottom, right = gaps
    height, width = top + thing.shape[0] + bottom, left + thing.shape[1] + right
    page = _ground(backdrop, height, width, draw)
    inner = page[top : top + thing.shape[0], left : left + thing.shape[1]]
    inner[shape] = thing[shape]
    ys, xs = np.nonzero(shape)
    where = (left + xs.min(), top + ys.min(), left + xs.max() + 1, top + ys.max() + 1)
    masks = []
    for (pixels, mask), edge in zip(turned, edges, strict=True):
        away = 0 if beside else margin
        masks.append(_laid(page, pixels, mask, edge, away, (top, left), thing.shape, draw))
    page = _photographed(page, draw)
    return Scene(page, tuple(map(int, where)), np.stack(masks), kinds, backdrop, tilt, beside)


def _outline(size: tuple[int, int], draw: np.random.Generator) -> np.ndarray:
    """Returns bool [h, w]: a thing's silhouette, star-shaped around the middle."""
    height, width = size
    angles = np.linspace(0, 2 * np.pi, 256, endpoint=False)
    radius = np.full(256, 0.8)
    for k in range(2, 7):
        radius += draw.normal(0, 0.25 / k) * np.cos(k * angles + draw.uniform(0, 2 * np.pi))
    radius = np.clip(radius, 0.3, 1)
    points = [
        (width * (0.5 + 0.5 * r * np.cos(a)), height * (0.5 + 0.5 * r * np.sin(a)))
        for r, a in zip(radius, angles, strict=True)
    ]
    page = PIL.Image.new("L", (width, height))
    PIL.ImageDraw.Draw(page).polygon(points, 255)
    return np.asarray(page) > 0


def _ground(backdrop: str, height: int, width: int, draw: np.random.Generator) -> np.ndarray:
    """Returns a backdrop with a fall of light and the grain of its stuff."""
    page = np.zeros((height, width, 3), np.float32) + np.float32(_BACKDROP[backdrop])
    y, x = np.linspace(-1, 1, height)[:, None, None], np.linspace(-1, 1, width)[None, :, None]
    a, b = draw.uniform(-0.04, 0.04, 2)
    page = page * np.float32(1 + a * x + b * y)
    grain = {"black velvet": 3.0, "mount": 2.0}.get(backdrop, 1.0)
    return page + grain * draw.standard_normal((height, width, 1), np.float32)


def _instrument(kind: str, length: int, draw: np.random.Generator) -> np.ndarray:
    """Returns a strip, float32 [depth, length, 3], as long as the object or shorter."""
    length = max(160, int(length * draw.uniform(0.5, 1)))
    depth = int(draw.integers(26, 60))
    if kind == "scale bar":
        blocks = int(draw.integers(5, 11))
        columns = np.arange(length) * blocks // length % 2
        return np.broadcast_to(columns[None, :, None] * 235.0 + 12, (depth // 2, length, 3))
    if kind == "grey scale":
        steps = int(draw.integers(10, 21))
        levels = np.linspace(250, 10, steps)[np.arange(length) * steps // length]
        return np.broadcast_to(levels[None, :, None], (depth, length, 3)).astype(np.float32)
    if kind == "ruler":
        return _ruler(length, depth, draw)
    rows, columns = (1, int(draw.integers(6, 19))) if kind == "row of patches" else (2, 12)
    if kind == "grid of patches" and draw.random() < 0.5:
        rows, columns = 4, 6
        length = min(length, 300)
        depth = round(length * 4 / 6)
    card = (24, 24, 24) if draw.random() < 0.5 else (248, 248, 246)
    line = int(draw.integers(2, 7))
    page = PIL.Image.new("RGB", (length, depth if rows != 2 else 2 * depth), card)
    pen = PIL.ImageDraw.Draw(page)
    first = int(draw.integers(0, 24))
    for k in range(rows * columns):
        column, row = k % columns, k // columns
        x0, x1 = ((column + j) * (page.width - line) / columns for j in (0, 1))
        y0, y1 = ((row + j) * (page.height - line) / rows for j in (0, 1))
        corners = (round(x0) + line, round(y0) + line, round(x1) - 1, round(y1) - 1)
        pen.rectangle(corners, _PATCHES[(k + first) % 24])
    return np.asarray(page, np.float32)


def _ruler(length: int, depth: int, draw: np.random.Generator) -> np.ndarray:
    paper = (244, 242, 232) if draw.random() < 0.7 else (235, 205, 60)
    page = PIL.Image.new("RGB", (length, depth), paper)
    pen = PIL.ImageDraw.Draw(page)
    pitch, font = float(draw.uniform(5, 10)), PIL.ImageFont.load_default(depth / 3)
    for k in range(int(length / pitch)):
        tall = 0.55 if k % 10 == 0 else 0.4 if k % 5 == 0 else 0.28
        x = round((k + 0.5) * pitch)
        pen.rectangle((x, round(depth * (1 - tall)), x + 1, depth), (15, 15, 15))
        if k % 10 == 0:
            pen.text((x - 3, 1), str(k // 10), (15, 15, 15), font)
    strip = np.asarray(page, np.float32)
    return strip[::-1] if draw.random() < 0.5 else strip


def _turned(strip: np.ndarray, edge: int, tilt: float) -> tuple[np.ndarray, np.ndarray]:
    """Returns a strip along an edge, 0 top, 1 left, 2 bottom, 3 right, tilted; where it is."""
    strip = strip.transpose(1, 0, 2) if edge % 2 else strip
    strip = strip[::-1, ::-1] if edge > 1 else strip
    picture = PIL.Image.fromarray(images.quantize(strip))
    mask = PIL.Image.new("L", picture.size, 255)
    if tilt:
        how = {"expand": True, "resample": PIL.Image.Resampling.BICUBIC}
        picture, mask = picture.rotate(tilt, **how), mask.rotate(tilt, **how)
    return np.asarray(picture, np.float32), np.asarray(mask, np.float32) / 255


def _laid(page, pixels, mask, edge, away, corner, size, draw) -> np.ndarray:
    """Lays a strip on the page beside the object; returns where it lies, bool [h, w]."""
    height, width = page.shape[:2]
    along = 1 - edge % 2
    room = size[along] - pixels.shape[along]
    # Over the corner where it is longer than the object.
    start = corner[along] + (int(draw.uniform(0, room)) if room > 0 else room // 2)
    start = int(np.clip(start, 0, (height, width)[along] - pixels.shape[along]))
    depth = pixels.shape[edge % 2]
    across = away if edge < 2 else (height, width)[edge % 2] - away - depth
    y, x = (across, start) if edge % 2 == 0 else (start, across)
    there = (slice(y, y + pixels.shape[0]), slice(x, x + pixels.shape[1]))
    page[there] = mask[..., None] * pixels + (1 - mask[..., None]) * page[there]
    where = np.zeros((height, width), bool)
    where[there] = mask > 0.5
    return where


def _photographed(page: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Returns what a camera makes of it: a little blur, noise, JPEG."""
    picture = PIL.Image.fromarray(images.quantize(page))
    picture = picture.filter(PIL.ImageFilter.GaussianBlur(float(draw.uniform(0, 0.8))))
    noise = draw.standard_normal(page.shape, np.float32)
    noisy = np.asarray(picture, np.float32) + np.float32(draw.uniform(0.3, 2)) * noise
    file = io.BytesIO()
    quality = int(draw.integers(75, 96))
    PIL.Image.fromarray(images.quantize(noisy)).save(file, "JPEG", quality=quality)
    return np.asarray(PIL.Image.open(file), np.float32)
