"""Which image files are read, and how large they may be: asked of the header, no pixel decoded."""

import contextlib
import functools
import os
import struct
import warnings
from collections.abc import Iterator

import PIL.Image

from tfvis import files
from tfvis.errors import InputError, marked
from tfvis.image_files import bounded, sizes
from tfvis.image_files.sizes import UnreadableError

# A JPEG can be decoded at 1/2, 1/4 or 1/8 of its size at no cost in memory, unless it is
# progressive: then all of its coefficients, 2 bytes each, are held at once.
MAX_SHRUNK_PIXELS, MAX_PROGRESSIVE_PIXELS = 1_000_000_000, 250_000_000
# Formats whose Pillow decoders only decode: EPS, for one, would run Ghostscript.
FORMATS = (
    "JPEG", "MPO", "PNG", "WEBP", "TIFF", "BMP", "DIB", "GIF", "PPM", "JPEG2000", "AVIF", "HEIF",
)  # fmt: skip
# Of files that a folder is searched for; a file that is named may be called anything.
_FORMAT_ENDINGS = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".mpo"),
    "PNG": (".png", ".apng"),
    "WebP": (".webp",),
    "TIFF": (".tif", ".tiff"),
    "BMP": (".bmp", ".dib"),
    "GIF": (".gif",),
    "Netpbm": (".ppm", ".pgm", ".pbm", ".pnm", ".pfm"),
    "JPEG 2000": (".jp2", ".j2k", ".jpf", ".jpx", ".jpc", ".j2c"),
    "AVIF": (".avif", ".avifs"),
    "HEIC": (".heic", ".heif", ".hif"),
}
ENDINGS = frozenset(ending for endings in _FORMAT_ENDINGS.values() for ending in endings)
# Brands of the same container as AVIF's, with pictures coded as in HEVC (ISO 23008-12).
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
# Pillow tells the program, not the person, of odd metadata, and of pictures below our own
# bound. Threads read pictures, so it is told once for all rather than around each reading.
warnings.filterwarnings("ignore", module=r"PIL\.")


@contextlib.contextmanager
def opened(path: os.PathLike | str, label: str = "") -> Iterator[PIL.Image.Image]:
    """Opens an image file, its header read and within the bounds of `sizes.check`.

    Args:
        path: the file.
        label: what messages begin with, such as "--image=a.png"; left out, the path.

    Raises:
        UnreadableError: missing, empty, a folder, no image of `FORMATS`, too small or too
            large; and for all that its decoder raises in the body.
    """
    label = label or str(path)
    path = files.located(path, label)
    with told(label):
        if path.is_dir():
            raise UnreadableError(f"{label}: is a folder. Name one image file.", "a folder")
        if path.exists() and not path.is_file():
            raise UnreadableError(f"{label}: is no regular file.", "no regular file")
        with bounded.opened(path, label) as file:
            image = _identified(file, label)
            with image:
                yield image


# What libjpeg divides the sides of a picture by as it decodes.
_DIVISORS = (1, 2, 4, 8)


def shrink(image: PIL.Image.Image) -> bool:
    """Has a JPEG that is too large decoded at a fraction of its size; tells whether it is so."""
    width, height = image.size
    most = MAX_PROGRESSIVE_PIXELS if image.info.get("progressive") else MAX_SHRUNK_PIXELS
    if image.format not in ("JPEG", "MPO") or width * height > most:
        return False
    for divisor in _DIVISORS:
        smaller = (-(-width // divisor), -(-height // divisor))
        if max(smaller) <= sizes.MAX_SIDE and smaller[0] * smaller[1] <= sizes.MAX_PIXELS:
            break
    if divisor > 1:
        image.draft(None, (width // divisor, height // divisor))
    return divisor > 1


def reduce(image: PIL.Image.Image, least: int) -> None:
    """Has a JPEG decoded at the least fraction of its size whose sides have so many px.

    Each block of 8 x 8 is made of its lowest frequencies (libjpeg's scaled IDCT): its means, up
    to rounding, where resizing would look across the edges of blocks.
    """
    width, height = image.size
    divisor = max(one for one in _DIVISORS if one == 1 or min(width, height) >= one * least)
    if divisor > 1 and image.format in ("JPEG", "MPO"):
        image.draft(None, (width // divisor, height // divisor))


@functools.cache
def _formats() -> tuple[str, ...]:
    """Returns those of `FORMATS` that can be read here, their plugins registered."""
    PIL.Image.init()
    with contextlib.suppress(ImportError):
        import pillow_heif

        pillow_heif.register_heif_opener()
    return tuple(name for name in FORMATS if name in PIL.Image.OPEN)


def _identified(file, label: str) -> PIL.Image.Image:
    """Returns the image that a file begins, as `PIL.Image.open` without its bound on pixels."""
    prefix = file.read(16)
    if not prefix:
        raise UnreadableError(f"{label}: the file is empty.", "empty")
    for name in _formats():
        factory, accept = PIL.Image.OPEN[name]
        if accept and accept(prefix) is not True and not accept(prefix):
            continue
        file.seek(0)
        try:
            return factory(file, file.name)
        except (SyntaxError, IndexError, TypeError, KeyError, struct.error):
            continue  # What it begins like it is not.
    if prefix[4:8] == b"ftyp" and prefix[8:12] in _HEIF_BRANDS and "HEIF" not in _formats():
        raise UnreadableError(
            f"{label}: HEIC is read with the extra heif (pip install pillow-heif). Or save it as "
            "JPEG.",
            "HEIC, which needs pillow-heif",
        )
    file.seek(0)
    what = files.mistaken(file.read(256))
    why = f" but {what}" if what else f" this program reads ({', '.join(_formats())}), or damaged"
    raise UnreadableError(f"{label}: not an image{why}.", "not an image")


@contextlib.contextmanager
def told(label: str) -> Iterator[None]:
    """Turns whatever reading raises into an `UnreadableError`."""
    try:
        yield
    except UnreadableError:
        raise
    except InputError as error:
        raise UnreadableError(marked(error), "more in it than one picture needs") from error
    except FileNotFoundError as error:
        raise UnreadableError(f"{label}: no such file.", "no such file") from error
    except PermissionError as error:
        raise UnreadableError(f"{label}: no permission to read it.", "no permission") from error
    except MemoryError as error:
        message = f"{label}: does not fit into memory; make it smaller."
        raise UnreadableError(message, "too large") from error
    except Exception as error:
        # Decoders raise a dozen kinds on data that ends early or contradicts itself.
        # Some say it in several lines.
        message = f"{label}: truncated or damaged ({' '.join(str(error).split())})."
        raise UnreadableError(message, "truncated or damaged") from error
