"""Colour profiles: what the numbers of a file mean, turned into sRGB, the space of screens."""

import functools
import io
import struct

import numpy as np
import PIL.Image
import PIL.ImageCms

# Of each ICC colour space, the mode of pictures in it.
_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}
# A profile that moves no colour by more than so many levels is sRGB under another name (there
# are dozens), and its numbers stay as they are.
_SAME = 2
# Profiles in use are below 3 MB; CMYK tables are the largest.
_MAX_BYTES = 2**24


class Unusable(Exception):
    """A profile that does not say how to read the picture's numbers."""


@functools.lru_cache(maxsize=8)
def to_srgb(profile: bytes, mode: str) -> tuple[str, PIL.ImageCms.ImageCmsTransform | None]:
    """Returns what turns a picture's colours into sRGB.

    Relative colorimetric with black-point compensation, the usual choice for photographs.

    Args:
        profile: ICC, as a file has it.
        mode: Pillow's, of the picture, without alpha.

    Returns:
        (mode that the picture is to be brought to first, the transform to RGB); no
        transform where the numbers are sRGB's already.

    Raises:
        Unusable: damaged, or of another colour space than the picture.
    """
    try:
        if len(profile) > _MAX_BYTES:
            raise ValueError("larger than any in use")
        opened = PIL.ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = opened.profile.xcolor_space.strip()
        given = _MODES.get(space)
        if given is None:
            raise ValueError(f"of the space {space}")
        wanted = "CMYK" if mode == "CMYK" else "L" if mode == "L" else "RGB"
        # A grey picture in an RGB space has three equal numbers there.
        if given != wanted and (given, wanted) != ("RGB", "L"):
            raise ValueError(f"of the space {space}, the picture is {mode}")
        transform = PIL.ImageCms.buildTransform(
            opened,
            PIL.ImageCms.createProfile("sRGB"),
            given,
            "RGB",
            PIL.ImageCms.Intent.RELATIVE_COLORIMETRIC,
            PIL.ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        same = given != "CMYK" and _moved(transform, given) <= _SAME
    except (PIL.ImageCms.PyCMSError, OSError, ValueError, TypeError, struct.error) as error:
        raise Unusable(" ".join(str(error).split())) from error
    return given, None if same else transform


def _moved(transform: PIL.ImageCms.ImageCmsTransform, mode: str) -> int:
    """Returns by how many levels a transform moves colours, at most."""
    levels = np.arange(0, 256, 17, dtype=np.uint8)
    if mode == "L":
        before = levels[None]
        expected = np.repeat(levels[None, :, None], 3, axis=2)
    else:
        before = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(16, 256, 3)
        expected = before
    after = np.asarray(transform.apply(PIL.Image.fromarray(before)))
    return int(np.abs(after.astype(int) - expected).max())
