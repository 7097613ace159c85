"""Pictures: what a file may be, and what it is once read.

Everything above this module speaks of *display space*: float32, 0..255, RGB (or
grey, where a network takes one channel), as one sees it on a screen.
"""

import dataclasses
import io
import os
import pathlib

import numpy as np
import PIL.Image

from tfvis import files
from tfvis.errors import InputError, arg
from tfvis.image_files import pixels as image_pixels
from tfvis.image_files.formats import ENDINGS, FORMATS  # noqa: F401 (known by these names)
from tfvis.image_files.sizes import (  # noqa: F401 (the same)
    MAX_PIXELS,
    MAX_SIDE,
    MIN_SIDE,
    UnreadableError,
)

# ITU-R BT.601 luma, the weights Pillow's own conversion to grey uses.
LUMA = (0.299, 0.587, 0.114)
# Pixels that are resized at a time.
_STRIP = 2**22
# The stride of VGG's deepest blocks and twice that: something is left of any map.
_SMALLEST_SIDE = 32
# How many px a reduced JPEG keeps for each that a network sees: resizing by a half or less hides
# most of what decoding it so does to edges (docs/batches.md).
REDUCED = 2
CROPS = ("center", "left", "right", "top", "bottom", "none")


@dataclasses.dataclass(frozen=True)
class Picture:
    """An image file as read.

    Attributes:
        pixels: float32 [height, width, 3], RGB, 0..255.
        notes: what a person should know of the reading ("a.gif: first of several frames").
        bare_notes: the same without the file's name.
    """

    pixels: np.ndarray
    notes: tuple[str, ...] = ()
    bare_notes: tuple[str, ...] = ()


def read(
    path: os.PathLike | str,
    argument: str | None = "path",
    shrink: bool = True,
    least: int | None = None,
) -> Picture:
    """Reads an image file as people see it.

    EXIF turns are applied; colour profiles are followed to sRGB, and palettes, CMYK and grey
    become RGB; transparency is composited on white; of an animation the first frame is taken.
    What has more than 8 bits keeps its depth as fractions of a level, unless a profile or inks
    bring it to 8.

    Args:
        path: the file.
        argument: that named it, for messages; None where none did.
        shrink: whether a JPEG beyond the bounds may be decoded at a fraction of its size,
            which a note says. Not where pixels are counted, as those of boxes are.
        least: px that both sides of a JPEG have to keep, which may then be decoded at 1/2, 1/4 or
            1/8 of its size; None decodes all of it.

    Raises:
        UnreadableError: an InputError: missing, empty, truncated, not an image of `FORMATS`,
            a folder, of numbers that have no known meaning, or outside `MIN_SIDE`,
            `MAX_SIDE`, `MAX_PIXELS`.
    """
    label = str(path) if argument is None else f"{arg(argument)}={path}"
    found = image_pixels.read(path, label, shrink, least)
    name = pathlib.Path(path).name
    return Picture(found.pixels, tuple(f"{name}: {note}" for note in found.notes), found.notes)


def crop(pixels: np.ndarray, where: str = "center", shape: tuple[int, int] = (1, 1)) -> np.ndarray:
    """Cuts the largest square, or other rectangle, out of an image.

    Args:
        pixels: [height, width, channels].
        where: "center", or the side the square touches ("left", "right" of a wide
            image, "top", "bottom" of a tall one; on the other axis it is centred).
            "none" keeps the whole image.
        shape: (height, width) of anything that the part is to be similar to.

    Raises:
        InputError: `where` is not one of `CROPS`.
    """
    if where not in CROPS:
        raise InputError(f"Expected a crop of {', '.join(CROPS)}. Received: {where}")
    height, width = pixels.shape[:2]
    x0, y0, x1, y1 = cropped(height, width, where, shape)
    return pixels[y0:y1, x0:x1]


def cropped(
    height: int, width: int, where: str = "center", shape: tuple[int, int] = (1, 1)
) -> tuple[int, int, int, int]:
    """Returns (x0, y0, x1, y1) of what `crop` keeps, pixels, ends exclusive; the rest as there."""
    if where == "none":
        return 0, 0, width, height
    scale = min(height / shape[0], width / shape[1])
    rows, columns = (max(1, round(side * scale)) for side in shape)
    top = {"top": 0, "bottom": height - rows}.get(where, (height - rows) // 2)
    left = {"left": 0, "right": width - columns}.get(where, (width - columns) // 2)
    return left, top, left + columns, top + rows


_crop = crop  # Where an argument has its name.


def resize(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resizes float32 [h, w, channels] with Lanczos and antialiasing, kept in 0..255.

    Channels are resized as 32-bit floats, so 16-bit sources keep their depth.
    """
    if pixels.shape[:2] == (height, width):
        return np.asarray(pixels, np.float32)
    planes = [_resized(plane, height, width) for plane in np.moveaxis(pixels, -1, 0)]
    # Lanczos overshoots at edges; light outside 0..255 does not exist.
    return np.stack(planes, axis=-1).clip(0, 255)


def _resized(plane: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resizes float32 [h, w].

    Pillow goes along the rows first and then along the columns; of a large plane the rows are
    brought to their width some at a time, which gives the same bits and needs no second plane.
    """
    lanczos = PIL.Image.Resampling.LANCZOS
    rows = max(1, _STRIP // plane.shape[1])
    narrow = [
        np.asarray(
            PIL.Image.fromarray(np.ascontiguousarray(part, dtype=np.float32)).resize(
                (width, len(part)), lanczos
            )
        )
        for part in (plane[top : top + rows] for top in range(0, len(plane), rows))
    ]
    whole = PIL.Image.fromarray(np.concatenate(narrow))
    return np.asarray(whole.resize((width, height), lanczos))


def with_channels(pixels: np.ndarray, channels: int) -> np.ndarray:
    """Turns an RGB or grey image into one of `channels` channels.

    Args:
        pixels: float32 [..., 3] or [..., 1], 0..255.
        channels: 1 (luma), 3, or 4 (opaque alpha added).

    Raises:
        InputError: a picture does not determine that many channels.
    """
    if pixels.shape[-1] == channels:
        return pixels
    if channels == 1 and pixels.shape[-1] == 3:
        return (pixels @ np.asarray(LUMA, np.float32))[..., None]
    if pixels.shape[-1] == 1 and channels in (3, 4):
        return with_channels(np.repeat(pixels, 3, axis=-1), channels)
    if pixels.shape[-1] == 3 and channels == 4:
        opaque = np.full((*pixels.shape[:-1], 1), 255, pixels.dtype)
        return np.concatenate([pixels, opaque], axis=-1)
    raise InputError(
        f"The network takes {channels} channels and a picture file has 3. "
        "Use the library with an array of that many channels."
    )


def fitted(
    pixels: np.ndarray, height: int, width: int, channels: int, where: str = "center"
) -> np.ndarray:
    """Returns the part of a picture that a network is shown, float32 [height, width, channels].

    It is the largest of that shape, so that nothing is squeezed.

    Args:
        pixels: float32 [h, w, 3] or [h, w, 1], 0..255.
        height, width, channels: of what the network takes.
        where: see `crop`; "none" squeezes the whole picture.

    Raises:
        InputError: as `crop` and `with_channels`.
    """
    part = crop(pixels, where, (height, width))
    return with_channels(resize(part, height, width), channels)


def quantize(pixels: np.ndarray) -> np.ndarray:
    """Returns uint8 pixels: clipped to 0..255 and rounded to the nearest level."""
    return np.rint(np.clip(pixels, 0, 255)).astype(np.uint8)


def pil(pixels: np.ndarray) -> PIL.Image.Image:
    """Returns [height, width, 1 | 3 | 4], 0..255, as an 8-bit image of Pillow's."""
    levels = quantize(pixels)
    return PIL.Image.fromarray(levels[..., 0] if levels.shape[-1] == 1 else levels)


def png(pixels: np.ndarray) -> bytes:
    """Returns [height, width, 1 | 3 | 4], 0..255, as the bytes of an 8-bit PNG."""
    written = io.BytesIO()
    pil(pixels).save(written, format="PNG", optimize=False)
    return written.getvalue()


def save_png(path: os.PathLike | str, pixels: np.ndarray, compress_level: int = 6) -> None:
    """Writes [height, width, 1 | 3 | 4], 0..255, as an 8-bit PNG, whole or not at all.

    Args:
        path: of the file.
        pixels: of the picture.
        compress_level: of zlib, 1 to 9; of a photograph 1 takes a fifth of the time of 6, and a
            tenth more bytes.

    Raises:
        InputError: the folder cannot be written to.
    """
    image = pil(pixels)
    with files.replacing(path) as temporary:
        image.save(temporary, format="PNG", optimize=False, compress_level=compress_level)


def load(
    path: os.PathLike | str, size: int | tuple[int, int] | None = None, crop: str | None = None
) -> np.ndarray:
    """Reads a picture, float32 [height, width, 3], RGB, 0..255: whole, unless it is to be cut.

    Args:
        path: the file.
        size: what it is resized to: (height, width); or a number, of a whole picture as many
            pixels as a square of this side has, at its own aspect, of one that is cut the side of
            the square. None leaves it as large as it is.
        crop: None keeps it whole; "center", "left", "right", "top" or "bottom" cut a square, as
            "center" is what `invert` is shown, or what has the shape of (height, width); "none"
            squeezes it into that instead.

    Raises:
        InputError: as `read` and `crop`; no such size.
    """
    pixels = read(path, "path").pixels
    if size is None:
        return pixels if crop is None else _crop(pixels, crop)
    sides = np.asarray(size)
    if sides.shape not in ((), (2,)) or sides.dtype.kind not in "iu" or sides.min() < 1:
        raise InputError(f"{arg('size')}={size}: expected a number of pixels, or (height, width).")
    height, width = map(int, np.broadcast_to(sides, 2))
    if crop is not None:
        return fitted(pixels, height, width, pixels.shape[-1], crop)
    return resize(pixels, height, width) if sides.ndim else of_area(pixels, height)


def of_area(pixels: np.ndarray, side: int) -> np.ndarray:
    """Returns an image of about side^2 pixels and the same aspect, each side at least 32.

    Args:
        pixels: [height, width, channels], 0..255.
        side: at least 32.

    Returns:
        float32 [height, width, channels]. Of an image so narrow that 32 are more than its
        share, the aspect is given up, not the area.

    Raises:
        InputError: a smaller side.
    """
    height, width = sides_of_area(pixels.shape[0], pixels.shape[1], side)
    return resize(pixels, height, width)


def sides_of_area(height: int, width: int, side: int) -> tuple[int, int]:
    """Returns (height, width) of what `of_area` makes of a picture of these sides.

    Raises:
        InputError: a smaller side than 32.
    """
    if side < _SMALLEST_SIDE:
        raise InputError(f"Expected a size of at least {_SMALLEST_SIDE}. Received: {side}")
    aspect = np.sqrt(height / width)
    longest = side * side // _SMALLEST_SIDE
    height, width = (
        int(np.clip(round(side * part), _SMALLEST_SIDE, longest)) for part in (aspect, 1 / aspect)
    )
    return height, width


def stretched(pixels: np.ndarray, cut: float = 0.5) -> np.ndarray:
    """Returns an image whose brightnesses fill 0..255, all channels by one rule.

    For pre-images of representations that ignore brightness and contrast, so that
    neither is found again; the code of Mahendran & Vedaldi stretches all it shows.

    Args:
        pixels: float32 [height, width, channels].
        cut: percentage of the values, at either end, that may be clipped: without it,
            one pixel would decide.
    """
    low, high = np.percentile(pixels, [cut, 100 - cut])
    return (255 * (pixels - low) / max(high - low, 1e-6)).astype(np.float32)


def demo() -> np.ndarray:
    """Returns the demo photograph, float32 [427, 640, 3]: a Chinese temple.

    `china.jpg` ships inside scikit-learn (photograph by danielbuechele, CC BY 2.0).
    """
    return demo_set()[0]


def demo_set() -> list[np.ndarray]:
    """Returns both photographs of scikit-learn: the temple, and a flower (CC BY 2.0)."""
    import sklearn.datasets

    folder = pathlib.Path(sklearn.datasets.__file__).parent / "images"
    return [read(folder / name).pixels for name in ("china.jpg", "flower.jpg")]
