"""Pictures as a page shows them: plots without loss, photographs as small as they look the same."""

import io

import numpy as np
import PIL.Image

from tfvis import images

# Of sheets of photographs with words on them, what differs from the original cannot be seen.
_QUALITY = 88
# A plot is half as large as PNG; a photograph several times as large.
_LARGER = 1.25


def encoded(pixels: np.ndarray) -> tuple[bytes, str]:
    """Returns a file's bytes and suffix, "png" or "jpg": JPEG of what PNG makes clearly larger.

    Args:
        pixels: [height, width, 1 | 3], 0..255.
    """
    picture = PIL.Image.fromarray(images.with_channels(images.quantize(pixels), 3))
    exact = _file(picture, format="PNG", optimize=True)
    # Colours as fine as brightness: words on a sheet stay sharp.
    small = _file(picture, format="JPEG", quality=_QUALITY, subsampling=0, optimize=True)
    return (small, "jpg") if len(exact) > _LARGER * len(small) else (exact, "png")


def _file(picture: PIL.Image.Image, **how) -> bytes:
    file = io.BytesIO()
    picture.save(file, **how)
    return file.getvalue()
