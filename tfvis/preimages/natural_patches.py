"""The patches of photographs that excite a unit most, cut as the unit sees them.

Natural examples tell more of a unit than its maximised picture does (Borowski et al., "Exemplary
Natural Images Explain CNN Activations Better than State-of-the-Art Feature Visualization", ICLR
2021: people foresaw what excites a unit in 92 % of trials with nine of them, in 82 % with nine
pictures): they belong beside each other.
"""

import numpy as np

from tfvis.networks.network import Network
from tfvis.networks.receptive_field import receptive_field


def window(
    network: Network,
    layer: str,
    photograph: np.ndarray,
    position: tuple[int, int],
    size: tuple[int, int],
    at: tuple[int, int],
) -> np.ndarray:
    """Returns a photograph cut so that a unit sees in it at one place what it saw at another.

    Beyond its border a photograph goes on as its mirror image. Of a unit that sees everything it
    is the photograph as a whole.

    Args:
        network: the network.
        layer: of the unit.
        photograph: float32 [height, width, channels], display space.
        position: (row, column) in the map of the photograph.
        size: (height, width) to cut.
        at: (row, column) in the map of what is cut.
    """
    shown = photograph.shape[:2]
    there = receptive_field.receptive_field(network, layer, *shown)
    here = receptive_field.receptive_field(network, layer, *size)
    if there.everything or here.everything or there.rows.jump == 0:
        return photograph
    starts = [
        round(float(a.low + a.jump * p) - float(b.low + b.jump * q))
        for a, p, b, q in zip(
            (there.rows, there.columns), position, (here.rows, here.columns), at, strict=True
        )
    ]
    padding = [
        (max(0, -start), max(0, start + side - whole))
        for start, side, whole in zip(starts, size, shown, strict=True)
    ]
    page = np.pad(photograph, (*padding, (0, 0)), "symmetric")
    top, left = (start + before for start, (before, _) in zip(starts, padding, strict=True))
    return page[top : top + size[0], left : left + size[1]]
