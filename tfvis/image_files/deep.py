"""Pixels of more than 8 bits, which Pillow cuts down, takes for others or does not read.

TIFF by tifffile, PNG by imagecodecs. What their numbers mean is known or refused: a picture
that is a hundred times too dark looks like a picture, too.
"""

import contextlib
import dataclasses
import logging
import os
import pathlib
from collections.abc import Iterator

import imagecodecs
import numpy as np
import PIL.Image
import tifffile

from tfvis.image_files import formats, sizes
from tfvis.image_files.sizes import UnreadableError

# It tells of odd tags on stderr.
logging.getLogger("tifffile").setLevel(logging.CRITICAL)
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_ORIENTATION, _ICC = 274, 34675
# The largest number of a sample, of all samples or of each, by the file.
_MAXIMA = (281, 341)
# 16 bits of which no number reaches this are mostly 12 of a camera, in a larger container.
_TWELVE = 2**12
# As many bytes as the largest picture of four channels of 16 bits.
_MAX_BYTES = sizes.MAX_PIXELS * 8
# Floating-point pictures are 0..1 or 0..255. A brightest value between 1 and this one fits
# neither well: light beyond white, or a picture that is nearly black.
_DIM = 32
# What photometric interpretations are called, with the channels that are colours.
_COLOURS = {"MINISWHITE": 1, "MINISBLACK": 1, "RGB": 3, "SEPARATED": 4}


@dataclasses.dataclass(frozen=True, eq=False)
class Deep:
    """A picture's numbers as its file has them.

    Attributes:
        values: [height, width, channels], not yet upright: grey, RGB or CMYK, and alpha.
        white: the number that stands for full light, or full ink.
        alpha: "", "straight" or "premultiplied".
        orientation: EXIF's, 1 to 8.
        profile: ICC, or None.
    """

    values: np.ndarray
    white: float
    alpha: str = ""
    orientation: int = 1
    profile: bytes | None = None

    @property
    def dim(self) -> str:
        """Says that all numbers are far below white, as of 12 bits kept in 16; "" elsewhere."""
        if self.white != 65535:
            return ""
        channels = self.values.shape[2] - bool(self.alpha)
        high = int(self.values[..., :channels].max())
        if not 255 < high < _TWELVE:
            return ""
        return (
            "nearly black, as are 12 bits kept in 16; if it is so, multiply its numbers by 16 (the "
            f"largest is {high:,})"
        )


@contextlib.contextmanager
def tiff_page(path: pathlib.Path, label: str) -> Iterator[tifffile.TiffPage | None]:
    """Opens the first page of a TIFF of more than 8 bits, its size within the bounds.

    Args:
        path: of any file; one that is no TIFF, or has 8 bits or fewer, gives None.
        label: what messages begin with.

    Raises:
        UnreadableError: too large; and for all that is raised in the body.
    """
    with formats.told(label), contextlib.ExitStack() as stack:
        with open(path, "rb") as file:
            is_tiff = file.read(4) in _TIFF
        page = None
        # What cannot be opened Pillow may read, or say what is wrong.
        if is_tiff:
            with contextlib.suppress(
                tifffile.TiffFileError, ValueError, KeyError, IndexError, TypeError, OSError
            ):
                page = stack.enter_context(tifffile.TiffFile(path)).pages.first
        if page is not None and isinstance(page.bitspersample, int) and page.bitspersample > 8:
            sizes.check((page.imagewidth, page.imagelength), label)
            yield page
        else:
            yield None


def tiff(page: tifffile.TiffPage, label: str) -> Deep:
    """Returns what a page of `tiff_page` holds.

    Raises:
        UnreadableError: its numbers have no meaning that can be known.
    """
    colours, alpha = _channels(page, label)
    if page.nbytes > _MAX_BYTES:
        raise UnreadableError(f"{label}: takes {page.nbytes:,} bytes decoded.", "too large")
    values = page.asarray(maxworkers=1)
    if page.planarconfig == tifffile.PLANARCONFIG.SEPARATE and page.samplesperpixel > 1:
        values = np.moveaxis(values.reshape(page.samplesperpixel, *values.shape[-2:]), 0, -1)
    values = values.reshape(page.imagelength, page.imagewidth, page.samplesperpixel)
    white = _white(values[..., :colours], _bits(page, values[..., :colours]), label)
    if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE:
        grey = (white - values[..., :1]).astype(values.dtype)
        values = np.concatenate([grey, values[..., 1:]], axis=-1)
    profile = page.tags.get(_ICC)
    return Deep(
        values[..., : colours + bool(alpha)],
        white,
        alpha,
        tiff_orientation(page),
        bytes(profile.value) if profile else None,
    )


def tiff_orientation(page: tifffile.TiffPage) -> int:
    """Returns EXIF's orientation of a page, 1 to 8."""
    found = page.tags.get(_ORIENTATION)
    return found.value if found and isinstance(found.value, int) else 1


def tiff_has_more(page: tifffile.TiffPage) -> bool:
    """Tells whether the file of a page has a second one."""
    try:
        page.parent.pages[1]
    except (IndexError, tifffile.TiffFileError):
        return False
    return True


def png(path: os.PathLike, image: PIL.Image.Image) -> Deep | None:
    """Returns a PNG of 16 bits, None if it has fewer or is grey alone (Pillow keeps that).

    Args:
        path: the file.
        image: the same as Pillow opened it, within the bounds.
    """
    if image.format != "PNG" or "16" not in str(image.tile[0].args if image.tile else ""):
        return None
    if image.mode.startswith("I"):
        return None
    values = imagecodecs.png_decode(pathlib.Path(path).read_bytes())
    values = values.reshape(*values.shape[:2], -1)
    clear = image.info.get("transparency")
    if values.shape[2] == 3 and clear is not None:
        opaque = (values != np.asarray(clear, values.dtype)).any(axis=2, keepdims=True)
        values = np.concatenate([values, opaque.astype(values.dtype) * 65535], axis=2)
    alpha = "straight" if values.shape[2] in (2, 4) else ""
    orientation = image.getexif().get(_ORIENTATION, 1)
    profile = image.info.get("icc_profile")
    return Deep(values, 65535, alpha, orientation, profile)


def _channels(page: tifffile.TiffPage, label: str) -> tuple[int, str]:
    """Returns how many channels of a page are colours, and what its alpha is."""
    name = getattr(page.photometric, "name", str(page.photometric))
    colours = _COLOURS.get(name)
    if colours is None or page.samplesperpixel < colours or page.imagedepth > 1:
        raise UnreadableError(
            f"{label}: a TIFF of {page.bitspersample} bits in {name}, which is not read. "
            "Save it as RGB or grey.",
            "deep pixels of a kind that is not read",
        )
    if page.subfiletype and page.subfiletype & 4:
        raise UnreadableError(f"{label}: its first page is a mask.", "not a picture")
    extra = page.extrasamples[:1]
    kinds = {tifffile.EXTRASAMPLE.ASSOCALPHA: "premultiplied"}
    kinds[tifffile.EXTRASAMPLE.UNASSALPHA] = "straight"
    return colours, kinds.get(extra[0], "") if extra else ""


def _bits(page: tifffile.TiffPage, colours: np.ndarray) -> int:
    """Returns of how many bits numbers are: fewer than they are kept in, where the file says so.

    TIFF calls its maxima statistics. One of all bits set, as 4095 is, and which no number
    exceeds, is the white of a camera or scanner; any other may be how bright the picture is.
    """
    for code in _MAXIMA:
        tag = page.tags.get(code)
        found = np.unique(tag.value) if tag is not None else ()
        if colours.dtype.kind == "u" and page.bitspersample == 16 and len(found) == 1:
            most = int(found[0])
            if 255 < most < 65535 and not most & (most + 1) and colours.max(initial=0) <= most:
                return most.bit_length()
    return page.bitspersample


def _white(colours: np.ndarray, bits: int, label: str) -> float:
    """Returns the number that stands for white.

    Raises:
        UnreadableError: it cannot be known.
    """
    low, high = float(colours.min()), float(colours.max())
    said = f"numbers from {low:g} to {high:g}"
    if colours.dtype.kind == "u":
        white = 2**bits - 1
        # 32 bits are mostly a container for fewer; how many is not written down.
        if bits <= 16 or high > white / 256:
            return white
    elif colours.dtype.kind == "f":
        if not (np.isfinite(low) and np.isfinite(high)):
            said = "numbers that are infinite or none"
        elif low >= 0 and high <= 1:
            return 1
        elif low >= 0 and _DIM <= high <= 255:
            return 255
    raise UnreadableError(
        f"{label}: {said} in {bits} bits ({colours.dtype.name}); where white is cannot be known. "
        "Save it with 8 or 16 bits, or as floating point from 0 to 1.",
        "deep pixels of unknown range",
    )


def grey(image: PIL.Image.Image, label: str) -> Deep | None:
    """Returns grey pixels of more than 8 bits that Pillow keeps: its modes I;16, I and F."""
    if not image.mode.startswith(("I", "F")):
        return None
    values = np.asarray(image)[..., None]
    # Netpbm's and PNG's are brought to 16 bits by Pillow, whatever the file's maximum.
    white = 65535 if image.mode != "F" else _white(values, 32, label)
    clear = image.info.get("transparency")
    if isinstance(clear, int):
        values = np.concatenate([values, (values != clear) * white], axis=2)
    orientation = image.getexif().get(_ORIENTATION, 1)
    alpha = "straight" if isinstance(clear, int) else ""
    return Deep(values, white, alpha, orientation, image.info.get("icc_profile"))
