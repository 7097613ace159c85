"""A small transfer: a scene, its settings, and all of its progress."""

import functools
from unittest import mock

from tests import nets
from tfvis.networks import network
from tfvis.style import transfer

LAYERS = ("block1_conv1", "block2_conv1")


@functools.cache
def small_network() -> network.Network:
    return nets.wrapped()


def small_scene(height: int = 24, width: int = 30, **kwargs) -> transfer.Scene:
    return transfer.Scene(nets.oblong(height, width), (nets.oblong(20, 28, seed=1),), **kwargs)


def settings_of(recipe: str, optimizer: str | None = None, **kwargs) -> transfer.Transfer:
    given = {"content_layers": LAYERS[1:], "style_layers": LAYERS, "evaluations": 30}
    given["tv_weight"] = 0.0
    return transfer.Transfer(recipe=recipe, optimizer=optimizer, **(given | kwargs))


def stylized(scene=None, settings=None, net=None, **kwargs):
    """All progress of a transfer; scales begin at 16 pixels, so that there are some."""
    with mock.patch.object(transfer, "_SMALLEST", 16):
        return list(
            transfer.iterate(
                net or small_network(),
                scene or small_scene(),
                settings=settings or settings_of("gatys"),
                **kwargs,
            )
        )
