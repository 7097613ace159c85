"""What an image file says of itself before its pixels are read."""

import contextlib
import dataclasses
import os
from collections.abc import Iterator

import PIL.Image
import tifffile

from tfvis import files
from tfvis.image_files import deep, formats, sizes

_ORIENTATION = 0x0112
_QUARTERS = (5, 6, 7, 8)


@dataclasses.dataclass(frozen=True)
class Header:
    """A picture's size and what a person should know of it.

    Attributes:
        width: in px, once it is upright.
        height: the same.
        notes: such as "first of several frames", without the file's name; what is of this
            picture alone stands in brackets.
    """

    width: int
    height: int
    notes: tuple[str, ...]


def read(path: os.PathLike | str, label: str = "", shrinking: bool = True) -> Header:
    """Returns what a file says of itself.

    Args:
        path: the file.
        label: what messages begin with; left out, the path.
        shrinking: see `tfvis.images.read`.

    Raises:
        UnreadableError: as `tfvis.images.read`, as far as the header tells.
    """
    with opened(path, label or str(path), shrinking) as (header, _, _):
        return header


@contextlib.contextmanager
def opened(
    path: os.PathLike | str, label: str, shrinking: bool, least: int | None = None
) -> Iterator[tuple[Header, tifffile.TiffPage | None, PIL.Image.Image | None]]:
    """Opens a file: its header, and the page of a deep TIFF or else the image.

    Args:
        path, label, shrinking: as of `read`.
        least: see `tfvis.images.read`.

    Raises:
        As `read`; and for all that is raised in the body.
    """
    path = files.located(path, label)
    with contextlib.ExitStack() as stack:
        if path.is_file():
            page = stack.enter_context(deep.tiff_page(path, label))
            if page is not None:
                yield _of_page(page), page, None
                return
        image = stack.enter_context(formats.opened(path, label))
        header = _of_image(image, label, shrinking)
        if least is not None:
            formats.reduce(image, least)
        yield header, None, image


def _of_page(page: tifffile.TiffPage) -> Header:
    size = page.imagewidth, page.imagelength
    width, height = size[::-1] if deep.tiff_orientation(page) in _QUARTERS else size
    notes = ("first of several pages",) if deep.tiff_has_more(page) else ()
    return Header(width, height, notes)


def _of_image(image: PIL.Image.Image, label: str, shrinking: bool) -> Header:
    notes = []
    # An MPO's further frames are previews and depth maps, not pictures.
    if image.format != "MPO" and getattr(image, "is_animated", False):
        notes.append("first of several frames")
    width, height = image.size
    if shrinking and formats.shrink(image):
        notes.append(f"shrunk while decoded ({width}x{height} to {image.width}x{image.height} px)")
        width, height = image.size
    sizes.check((width, height), label)
    # A PNG without EXIF before its pixels would be decoded in search of it, and Pillow gives
    # the size of a TIFF as it is after the turn.
    quick = image.format != "TIFF" and (image.format != "PNG" or "exif" in image.info)
    if quick and image.getexif().get(_ORIENTATION, 1) in _QUARTERS:
        width, height = height, width
    return Header(width, height, tuple(notes))
