"""At which sizes a picture is looked at, as people name them."""

from collections.abc import Sequence

from tfvis.errors import InputError, arg


def parsed(scales: Sequence[float | str]) -> tuple[float, ...]:
    """Returns the scales, the largest first.

    Raises:
        InputError: not one to four numbers of 0.1 to 1.
    """
    try:
        found = set(map(float, scales))
    except ValueError:
        found = set()
    # At 0.1 a square picture has 361 windows; comparisons with nan are false.
    if not 1 <= len(found) <= 4 or not all(0.1 <= scale <= 1 for scale in found):
        raise InputError(
            f"{arg('scales')}={','.join(map(str, scales))}: expected one to four numbers of "
            "0.1 to 1, such as 1,0.5."
        )
    return tuple(sorted(found, reverse=True))
