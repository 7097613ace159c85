"""Scale control: the fine texture of one style on the coarse structure of another.

Gatys et al., "Controlling Perceptual Factors in Neural Style Transfer", CVPR 2017, section 6:
a texture transfer by the shallow layers alone, started at the coarse style, whose structure
it leaves; the result is then a style like any other.
"""

import collections
import dataclasses

import numpy as np

from tfvis import images
from tfvis.networks.network import Network
from tfvis.style import color, metrics, transfer
from tfvis.style.transfer import Scene, Transfer

# Layers up to relu2_1 in the authors' notebook: the first two of the published five.
_FINE = 2


def mixed(
    network: Network, fine: np.ndarray, coarse: np.ndarray, settings: Transfer, seed: int = 0
) -> np.ndarray:
    """Returns a style with the brush strokes of `fine` and the shapes of `coarse`.

    The fine style takes the coarse one's colours first, so that only its texture counts.

    Args:
        network: the network.
        fine, coarse: float32 [height, width, 3], display space, of the sizes wanted.
        settings: whose evaluations, precision and tiles are taken.
        seed: of the run.

    Returns:
        float32, as coarse.
    """
    layers = metrics.layers_for(network).style[:_FINE]
    recolored = images.with_channels(color.match(fine, coarse), network.channels)
    start = images.with_channels(coarse, network.channels)
    scene = Scene(start, (recolored,))
    own = dataclasses.replace(
        settings,
        recipe="gatys",
        content_layers=(),
        style_layers=layers,
        content_layer_weights=(),
        style_layer_weights=(),
        init="content",
        # Or it would smooth away what is to be transferred.
        tv_weight=0.0,
    )
    runs = transfer.iterate(network, scene, seeds=(seed,), settings=own)
    result = collections.deque(runs, maxlen=1).pop().kept[0].clip(0, 255)
    return images.with_channels(result, 3)
