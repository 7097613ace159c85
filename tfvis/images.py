"""Pictures: what a file may be, and what it is once read.

Everything above this module speaks of *display space*: float32, 0..255, RGB (or
grey, where a network takes one channel), as one sees it on a screen.
"""

import dataclasses
import os
import pathlib
import warnings

import numpy as np
import PIL.Image
import PIL.ImageOps

from tfvis import files
from tfvis.errors import InputError

# Bounds checked on the header, before a single pixel is decoded. The largest
# photographs in use are near 100 megapixels; one such float32 image is 1.2 GB.
MIN_SIDE = 2
MAX_SIDE = 16_384
MAX_PIXELS = 100_000_000
# Formats whose Pillow decoders only decode: EPS, for one, would run Ghostscript.
FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "TIFF", "BMP", "DIB", "GIF", "PPM", "AVIF")
# Of files that a folder is searched for.
ENDINGS = frozenset((".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"))
# ITU-R BT.601 luma, the weights Pillow's own conversion to grey uses.
LUMA = (0.299, 0.587, 0.114)
CROPS = ("center", "left", "right", "top", "bottom", "none")


@dataclasses.dataclass(frozen=True)
class Picture:
    """An image file as read.

    Attributes:
        pixels: float32 [height, width, 3], RGB, 0..255.
        notes: what a person should know of the reading ("first of 12 frames").
    """

    pixels: np.ndarray
    notes: tuple[str, ...] = ()


def read(path: os.PathLike | str, flag: str = "image") -> Picture:
    """Reads an image file as people see it.

    EXIF turns are applied, CMYK and palettes become RGB, transparency is composited on
    white, and of an animation the first frame is taken (a note says so). 16-bit grey
    keeps its depth as fractions of a level; 16-bit colour is read in 8, as Pillow does.

    Args:
        path: the file.
        flag: the name used for it in messages.

    Raises:
        InputError: missing, empty, truncated, not an image of `FORMATS`, a folder,
            or outside `MIN_SIDE`, `MAX_SIDE`, `MAX_PIXELS`.
    """
    label = f"--{flag}={path}"
    path = files.located(path, label)
    try:
        if path.is_dir():
            raise InputError(f"{label}: is a folder. Name one image file.")
        if path.stat().st_size == 0:
            raise InputError(f"{label}: the file is empty.")
        PIL.Image.init()  # Registers the plugins that `formats` is looked up in.
        formats = [name for name in FORMATS if name in PIL.Image.OPEN]
        with warnings.catch_warnings(), PIL.Image.open(path, formats=formats) as image:
            # Pillow warns below our own bound, and of metadata nobody asked for.
            warnings.simplefilter("ignore")
            _check_size(image.size, label)
            frames = getattr(image, "n_frames", 1)
            # An MPO's further frames are previews and depth maps, not pictures.
            notes = (
                (f"{path.name}: first of {frames} frames",)
                if frames > 1 and image.format != "MPO"
                else ()
            )
            image.seek(0)
            image.load()
            return Picture(_to_rgb(PIL.ImageOps.exif_transpose(image)), notes)
    except InputError:
        raise
    except PIL.UnidentifiedImageError as error:
        raise InputError(
            f"{label}: not an image this program reads ({', '.join(FORMATS)})."
        ) from error
    except PIL.Image.DecompressionBombError as error:
        raise InputError(f"{label}: too many pixels, at most {MAX_PIXELS:,}.") from error
    except FileNotFoundError as error:
        raise InputError(f"{label}: no such file.") from error
    except PermissionError as error:
        raise InputError(f"{label}: no permission to read it.") from error
    except MemoryError as error:
        raise InputError(f"{label}: does not fit into memory; make it smaller.") from error
    except Exception as error:
        # Decoders raise a dozen kinds on data that ends early or contradicts itself.
        raise InputError(f"{label}: truncated or damaged ({error}).") from error


def _check_size(size: tuple[int, int], label: str) -> None:
    width, height = size
    if min(size) < MIN_SIDE:
        raise InputError(
            f"{label}: {width}x{height} px. Both sides must be at least {MIN_SIDE} px."
        )
    if max(size) > MAX_SIDE or width * height > MAX_PIXELS:
        raise InputError(
            f"{label}: {width}x{height} px. At most {MAX_SIDE:,} px a side and "
            f"{MAX_PIXELS:,} pixels in all; make it smaller first."
        )


def _to_rgb(image: PIL.Image.Image) -> np.ndarray:
    """Returns float32 [height, width, 3], 0..255, of any Pillow mode."""
    if image.mode.startswith("I") or image.mode == "F":
        # Grey deeper than 8 bits: 16-bit integers open as I;16, or as I, which 8- and
        # 32-bit data may be too; floating-point files are 0..1 or 0..255. The range tells.
        grey = np.nan_to_num(np.asarray(image, dtype=np.float64))
        largest = grey.max()
        top = 1 if largest <= 1 and image.mode == "F" else 255 if largest <= 255 else 65535
        top = 65535 if image.mode.startswith("I;16") else max(top, largest if top == 65535 else 0)
        opaque = grey != image.info.get("transparency", -1)
        grey = np.where(opaque, grey * (255 / top), 255).clip(0, 255).astype(np.float32)
        return np.repeat(grey[..., None], 3, axis=-1)
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = PIL.Image.new("RGBA", image.size, "white")
        image = PIL.Image.alpha_composite(white, image)
    return np.asarray(image.convert("RGB"), dtype=np.float32)


def crop(pixels: np.ndarray, where: str = "center") -> np.ndarray:
    """Cuts the largest square out of an image.

    Args:
        pixels: [height, width, channels].
        where: "center", or the side the square touches ("left", "right" of a wide
            image, "top", "bottom" of a tall one; on the other axis it is centred).
            "none" keeps the whole image.

    Raises:
        InputError: `where` is not one of `CROPS`.
    """
    if where not in CROPS:
        raise InputError(f"Expected a crop of {', '.join(CROPS)}. Received: {where}")
    if where == "none":
        return pixels
    height, width = pixels.shape[:2]
    side = min(height, width)
    top = {"top": 0, "bottom": height - side}.get(where, (height - side) // 2)
    left = {"left": 0, "right": width - side}.get(where, (width - side) // 2)
    return pixels[top : top + side, left : left + side]


def resize(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resizes float32 [h, w, channels] with Lanczos and antialiasing, kept in 0..255.

    Channels are resized as 32-bit floats, so 16-bit sources keep their depth.
    """
    if pixels.shape[:2] == (height, width):
        return np.asarray(pixels, np.float32)
    planes = [
        PIL.Image.fromarray(np.ascontiguousarray(plane, dtype=np.float32)).resize(
            (width, height), PIL.Image.Resampling.LANCZOS
        )
        for plane in np.moveaxis(pixels, -1, 0)
    ]
    # Lanczos overshoots at edges; light outside 0..255 does not exist.
    return np.stack([np.asarray(p) for p in planes], axis=-1).clip(0, 255)


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


def quantize(pixels: np.ndarray) -> np.ndarray:
    """Returns uint8 pixels: clipped to 0..255 and rounded to the nearest level."""
    return np.rint(np.clip(pixels, 0, 255)).astype(np.uint8)


def save_png(path: os.PathLike | str, pixels: np.ndarray) -> None:
    """Writes [height, width, 1 | 3 | 4], 0..255, as an 8-bit PNG, whole or not at all.

    Raises:
        InputError: the folder cannot be written to.
    """
    levels = quantize(pixels)
    image = PIL.Image.fromarray(levels[..., 0] if levels.shape[-1] == 1 else levels)
    with files.replacing(path) as temporary:
        image.save(temporary, format="PNG", optimize=False)


def load(path: os.PathLike | str, size: int, where: str = "center") -> np.ndarray:
    """Reads, crops and resizes an image: float32 [size, size, 3], RGB, 0..255.

    Raises:
        InputError: as `read` and `crop`.
    """
    return resize(crop(read(path).pixels, where), size, size)


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
