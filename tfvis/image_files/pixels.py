"""Pixels as one sees them: upright, RGB of screens, on white; of large pictures strip by strip."""

import dataclasses
import os
import pathlib
from collections.abc import Callable

import numpy as np
import PIL.Image

from tfvis.image_files import deep, headers, png_colours, profiles

_ORIENTATION = 0x0112
# Pixels that are turned into floats at a time: what they take meanwhile is a few times 12
# bytes each, which of a whole picture would be gigabytes.
_STRIP = 2**22


@dataclasses.dataclass(frozen=True, eq=False)
class Read:
    """What was read of an image file.

    Attributes:
        pixels: float32 [height, width, 3], RGB, 0..255.
        notes: what a person should know, without the file's name.
    """

    pixels: np.ndarray
    notes: tuple[str, ...]


def read(path: os.PathLike | str, label: str, shrinking: bool, least: int | None = None) -> Read:
    """Reads a file; see `tfvis.images.read`."""
    with headers.opened(path, label, shrinking, least) as (header, page, image):
        notes = list(header.notes)
        if page is not None:
            return _of_deep(deep.tiff(page, label), notes)
        exponent = 1.0
        if image.format == "PNG":
            colours = png_colours.read(pathlib.Path(path), label)
            exponent, notes = colours.exponent, [*notes, *colours.notes]
        found = deep.png(path, image)
        if found is not None:
            return _of_deep(found, notes, exponent)
        image.seek(0)
        image.load()
        found = deep.grey(image, label)
        if found is not None:
            return _of_deep(found, notes, exponent)
        # Asked after loading: Pillow turns some TIFFs itself, and a PNG's comes at its end.
        orientation = image.getexif().get(_ORIENTATION, 1)
        profile = image.info.get("icc_profile")
        return _of_image(image, orientation, profile, notes, exponent)


def _of_image(
    image: PIL.Image.Image, orientation: int, profile: bytes | None, notes: list, exponent: float
) -> Read:
    """Returns the pixels of an image of 8 bits; `exponent` as of `png_colours.Colours`."""
    mode, transform = "RGB", None
    if profile:
        plain = "CMYK" if image.mode == "CMYK" else "L" if image.mode in ("L", "LA", "1") else "RGB"
        try:
            mode, transform = profiles.to_srgb(profile, plain)
        except profiles.Unusable as error:
            notes.append(f"its colour profile is passed over ({error})")
    clear = image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info

    def strip(top: int, bottom: int) -> np.ndarray:
        part = image.crop((0, top, image.width, bottom))
        alpha = None
        if clear:
            part = part.convert("RGBA")
            alpha = np.asarray(part.getchannel("A"), np.float32)[..., None] / 255
        if transform is not None:
            part = transform.apply(part.convert(mode))
        values = np.asarray(part.convert("RGB"), np.float32)
        return _on_white(_of_screens(values, exponent), alpha)

    return Read(_upright(image.height, image.width, orientation, strip), tuple(notes))


def _of_deep(found: deep.Deep, notes: list, exponent: float = 1.0) -> Read:
    """Returns the pixels of a picture of more bits; `exponent` as of `png_colours.Colours`.

    Inks, and colours of another space than sRGB, are taken in 8 bits, as profiles are.
    """
    height, width, channels = found.values.shape
    colours = channels - bool(found.alpha)
    scale = np.float32(255 / found.white)
    if found.dim:
        notes.append(found.dim)

    def floats(top: int, bottom: int) -> np.ndarray:
        return found.values[top:bottom].astype(np.float32) * scale

    mode, transform = "RGB", None
    plain = {1: "L", 3: "RGB", 4: "CMYK"}[colours]
    if found.profile:
        try:
            mode, transform = profiles.to_srgb(found.profile, plain)
        except profiles.Unusable as error:
            notes.append(f"its colour profile is passed over ({error})")

    def strip(top: int, bottom: int) -> np.ndarray:
        values = floats(top, bottom)
        alpha = values[..., colours:] / 255 if found.alpha else None
        values = values[..., :colours]
        if found.alpha == "premultiplied":
            values = np.divide(values, alpha, out=np.zeros_like(values), where=alpha > 0)
        if transform is not None or plain == "CMYK":
            levels = np.rint(values.clip(0, 255)).astype(np.uint8)
            part = PIL.Image.fromarray(levels[..., 0] if colours == 1 else levels, mode=plain)
            part = transform.apply(part.convert(mode)) if transform else part.convert("RGB")
            values = np.asarray(part, np.float32)
        return _on_white(_of_screens(values.clip(0, 255), exponent), alpha)

    return Read(_upright(height, width, found.orientation, strip), tuple(notes))


def _of_screens(values: np.ndarray, exponent: float) -> np.ndarray:
    """Returns numbers, 0..255, as those of screens."""
    return values if exponent == 1 else 255 * (values / 255) ** np.float32(exponent)


def _on_white(rgb: np.ndarray, alpha: np.ndarray | None) -> np.ndarray:
    """Returns colours seen on white; alpha is 0..1."""
    return rgb if alpha is None else 255 + (rgb - 255) * alpha


def _upright(
    height: int, width: int, orientation: int, strip: Callable[[int, int], np.ndarray]
) -> np.ndarray:
    """Returns float32 [height, width, 3] upright, filled strip by strip.

    Args:
        height, width: as stored.
        orientation: EXIF's, of how the stored picture is to be turned.
        strip: (first row, row after the last) -> float32 [rows, width, 1 or 3].
    """
    turned = orientation in (5, 6, 7, 8)
    pixels = np.empty((width, height, 3) if turned else (height, width, 3), np.float32)
    stored = {
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: np.rot90(a),
        7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
        8: lambda a: np.rot90(a, -1),
    }.get(orientation, lambda a: a)(pixels)
    rows = max(1, _STRIP // width)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        stored[top:bottom] = strip(top, bottom)
    return pixels
