"""How much of what layers answer is left when only the style of a picture changes."""

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from tfvis.errors import InputError


def changes(
    look: Callable[[np.ndarray], Mapping[str, np.ndarray]],
    pairs: Iterable[tuple[int, np.ndarray]],
    originals: Mapping[int, np.ndarray],
) -> dict[str, float]:
    """Returns of each layer the distance of a picture and itself in another style.

    d = E |f(x_s) - f(x)|^2 / E |f(x) - f(x')|^2, with x_s the picture x in another style and x'
    another picture: 0 where style changes nothing, 1 where it changes as much as another picture
    would; nan where all pictures are answered alike. The second mean is over all pairs of
    originals, without bias; pictures are looked at one by one.

    Args:
        look: picture -> {layer: what it answers}.
        pairs: (which original, it in another style); one or more.
        originals: pictures by number, two or more.

    Raises:
        InputError: fewer than two originals, or no pair.
    """
    pairs = list(pairs)
    if len(originals) < 2 or not pairs:
        raise InputError(
            f"Expected two pictures or more, and one in another style. Received: {len(originals)}, "
            f"{len(pairs)}"
        )
    count, moved, total, squares = len(originals), {}, {}, {}
    for number, picture in originals.items():
        own = {layer: np.asarray(f, np.float32) for layer, f in look(picture).items()}
        for layer, found in own.items():
            total[layer] = total.get(layer, 0) + found.astype(np.float64)
            squares[layer] = squares.get(layer, 0.0) + _square(found)
        for changed in [other for k, other in pairs if k == number]:
            for layer, found in look(changed).items():
                moved[layer] = moved.get(layer, 0.0) + _square(found - own[layer])
    found = {}
    for layer, whole in moved.items():
        # The mean over ordered pairs of different pictures.
        apart = 2 / (count - 1) * (squares[layer] - _square(total[layer]) / count)
        # Of equal answers, rounding leaves some share of their squares.
        known = apart > 1e-6 * squares[layer] / count
        found[layer] = whole / len(pairs) / apart if known else float("nan")
    return found


def _square(values: np.ndarray) -> float:
    return float(np.square(np.asarray(values, np.float64)).sum())
