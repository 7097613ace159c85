"""How much memory a picture takes, and how it is made to take less."""

import dataclasses
import functools
import math

from tfvis.errors import InputError, arg
from tfvis.networks.network import Network
from tfvis.style import tiling
from tfvis.style.transfer import Transfer, resolved

# Cores of tiles that are tried, largest first: the smaller, the more of the work is halo.
_CORES = (1536, 1024, 768, 512, 384, 256, 128, 64)
_HISTORIES = (20, 10, 5, 3)
# Python, TensorFlow, its threads, the weights, compiled and packed.
_BASE = 700 * 2**20
# Of the bytes of all maps up to the deepest layer, what is held at the peak: maps for the
# gradient, the gradient's own, packed copies. Measured, `apps.benchmark --table=memory`.
_HELD = 1.35
# Copies of the update rule's state: what goes into a chunk of steps, what comes out, and
# what a step makes of it.
_COPIES = 4
# Of the picture itself: canvas, the best so far, its gradient, trials.
_PICTURES = 16


@dataclasses.dataclass(frozen=True)
class Plan:
    """How a picture is made, and what that takes.

    Attributes:
        settings: with `tile`, `history` and `optimizer` chosen.
        bytes: of memory, at the peak, about.
        work: multiplications of the convolutions in all evaluations, halos included.
        replaced: whether the optimizer is another than was asked for.
    """

    settings: Transfer
    bytes: int
    work: float
    replaced: bool = False


def plan(network: Network, size: tuple[int, int], settings: Transfer, limit: int, levels) -> Plan:
    """Returns the way to make a picture within `limit` bytes that costs least time.

    Args:
        network: the network.
        size: (height, width) of the picture.
        settings: as asked for; `tile` is chosen, and where nothing else fits, a shorter
            `history`, at last Adam.
        limit: bytes.
        levels: what `transfer.schedule` says.

    Raises:
        InputError: no way takes so little.
    """
    layers = tuple(dict.fromkeys([*settings.content_layers, *settings.style_layers]))
    best = None
    shorter = [h for h in _HISTORIES if h < settings.history]
    tried = [dataclasses.replace(settings, history=h) for h in (settings.history, *shorter)]
    if settings.optimizer == "adam":
        tried = []
    # Adam's state is a tenth of L-BFGS'.
    tried.append(dataclasses.replace(settings, optimizer="adam", rate=None))
    # Whatever the history and the optimizer, tiles and maps are the same.
    cut_into = functools.cache(functools.partial(tiling.plan, network, layers, *size))
    maps_of = functools.cache(functools.partial(_maps, network, layers, settings))
    for one in tried:
        for core in (None, *_CORES):
            if core and core >= max(size):
                continue
            try:
                cut = cut_into(core)
            except InputError:
                break  # These layers cannot be made in tiles; less state may do.
            maps = maps_of(tuple(cut.crop) if cut else size)
            taken = _bytes(network, layers, size, maps, one)
            best = min(best or taken, taken)
            if taken <= limit:
                if one.optimizer == settings.optimizer:
                    one = dataclasses.replace(one, rate=settings.rate)
                kept = resolved(dataclasses.replace(one, tile=core if cut else None))
                replaced = one.optimizer != settings.optimizer
                return Plan(kept, taken, _work(network, layers, kept, levels), replaced)
    raise InputError(
        f"{arg('limit')}: a picture of {size[1]} x {size[0]} px takes at least {best / 2**30:.1f} "
        f"GiB, and {limit / 2**30:.1f} are to be used. Choose a smaller {arg('size')} or more "
        f"{arg('memory')}."
    )


def _maps(network, layers, settings, crop) -> int:
    """Returns the bytes of all maps of a crop of the picture, up to the deepest layer."""
    deepest = max(network.paths.index(network.path(layer)) for layer in layers)
    # Gatys ends in float32.
    half = settings.precision == "bfloat16" and settings.recipe != "gatys"
    width = 2 if half else 4
    maps = 0
    for path in network.paths[: deepest + 1]:
        shape = network.shape(path, *crop)
        if len(shape) == 3 and None not in shape:
            # What a goal looks at is held in float32 too.
            maps += math.prod(shape) * (width + (8 if path in layers else 0))
    return maps


def _bytes(network, layers, size, maps, settings) -> int:
    """Returns the bytes at the peak, with so many of maps."""
    picture = 4 * math.prod(size) * network.channels
    vectors = 3 if settings.optimizer == "adam" else 2 * (settings.history + 1) + 4
    state = vectors * picture * _COPIES
    wholes = sum(4 * math.prod(network.shape(layer, *size)) for layer in settings.content_layers)
    return int(_BASE + _HELD * maps + state + _PICTURES * picture + wholes)


def _work(network, layers, settings, levels) -> float:
    deepest = max(layers, key=lambda layer: network.cost(layer, 224, 224))
    total = 0.0
    for level in levels:
        cut = tiling.plan(network, layers, *level.size, settings.tile)
        # Tiles are gone through forwards twice: to add up, and to go back.
        passes = 1.5 * len(cut.starts) if cut else 1
        total += (
            passes * network.cost(deepest, *(cut.crop if cut else level.size)) * (level.evaluations)
        )
    return total
