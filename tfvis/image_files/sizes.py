"""How small and how large a picture may be, and what is raised of a file that is not read."""

from tfvis.errors import InputError

# Bounds checked on the header, before a single pixel is decoded. The largest
# photographs in use are near 100 megapixels; one such float32 image is 1.2 GB.
MIN_SIDE = 2
MAX_SIDE = 16_384
MAX_PIXELS = 100_000_000


class UnreadableError(InputError):
    """An image file that cannot be read.

    Attributes:
        reason: the same few words for all files of a kind, so that they can be counted.
    """

    def __init__(self, message: str, reason: str):
        super().__init__(message)
        self.reason = reason


def check(size: tuple[int, int], label: str) -> None:
    """Checks width and height.

    Raises:
        UnreadableError: outside `MIN_SIDE`, `MAX_SIDE`, `MAX_PIXELS`.
    """
    width, height = size
    if min(size) < MIN_SIDE:
        raise UnreadableError(
            f"{label}: {width}x{height} px is too small. Both sides must be at least "
            f"{MIN_SIDE} px.",
            "too small",
        )
    if max(size) > MAX_SIDE or width * height > MAX_PIXELS:
        raise UnreadableError(
            f"{label}: {width}x{height} px is too large. At most {MAX_SIDE:,} px a side and "
            f"{MAX_PIXELS:,} pixels in all; make it smaller first.",
            "too large",
        )
