"""What a picture is asked to match: features of a content, statistics of styles."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tfvis.errors import InputError, arg
from tfvis.networks.network import Network
from tfvis.style import tiling
from tfvis.style.gram import Moments, moments
from tfvis.style.guidance import guides


class Target(NamedTuple):
    """The style asked for at a layer.

    Attributes:
        moments: of the style, [1, regions, ...].
        weights: float32 [regions, height, width] of the picture's map, or None.
    """

    moments: Moments
    weights: np.ndarray | None


class Region(NamedTuple):
    """A part of the picture and the style it takes (Gatys et al. 2017, section 4).

    Attributes:
        where: bool [height, width] of the picture.
        style: index of the style.
        part: bool [height, width] of the style, or None for all of it.
    """

    where: np.ndarray
    style: int
    part: np.ndarray | None


@dataclasses.dataclass(frozen=True, eq=False)
class Goal:
    """What the picture is asked to match.

    Attributes:
        content: {layer: float32 [1, height, width, channels]}.
        style: {layer: Target}.
    """

    content: dict[str, tf.Tensor]
    style: dict[str, Target]

    @property
    def layers(self) -> tuple[str, ...]:
        """What is to be tapped."""
        return tuple(dict.fromkeys([*self.content, *self.style]))


class Sums(NamedTuple):
    """What of a picture is compared with a goal; adds up over the tiles of the picture.

    Attributes:
        content: {layer: float32 [batch]}, mean squared difference.
        style: {layer: Moments}.
    """

    content: dict[str, tf.Tensor]
    style: dict[str, Moments]


def sums(taps: dict[str, tf.Tensor], goal: Goal, window: tiling.Window | None = None) -> Sums:
    """Returns what the picture, or the core of one tile of it, adds.

    Args:
        taps: {layer: float32 [batch, height, width, channels]}.
        goal: what it is asked to match.
        window: which tile, None for the whole picture.
    """
    content, style = {}, {}
    for layer, target in goal.content.items():
        difference = taps[layer] - (target if window is None else window.of(layer, target[0]))
        if window is not None:
            difference *= window.mask(layer)[..., None]
        squared = tf.reduce_sum(tf.square(difference), [1, 2, 3])
        content[layer] = squared / _places(target)
    for layer, target in goal.style.items():
        weights = target.weights
        if window is None:
            style[layer] = moments(taps[layer], weights)
        else:
            mask = window.mask(layer)[None]
            if weights is not None:
                part = window.of(layer, tf.transpose(weights, [1, 2, 0]))
                mask = mask * tf.transpose(part, [2, 0, 1])
            style[layer] = moments(taps[layer], mask, window.places(layer))
    return Sums(content, style)


def _places(target) -> float | tf.Tensor:
    """Returns how many numbers a target has; a tensor where a trace leaves that open."""
    sides = tuple(target.shape[1:])
    return tf.cast(tf.size(target), tf.float32) if None in sides else float(np.prod(sides))


def measured(
    network: Network, image: np.ndarray, goal_of: Callable, layers, tile: int | None, precision
):
    """Returns `goal_of(taps)` summed over the image, in tiles if `tile` is a number.

    Args:
        network: the network.
        image: float32 [height, width, channels], display space.
        goal_of: (taps, window) -> tensors that add up over tiles.
        layers: what it needs tapped.
        tile: core of a tile, pixels, or None for the image at once.
        precision: of the network.

    Raises:
        InputError: a layer has no map at this size.
    """
    taps = network.taps(tuple(layers), precision)
    height, width = image.shape[:2]
    for layer in layers:
        shape = network.shape(layer, height, width)
        if len(shape) != 3 or 0 in shape:
            raise InputError(
                f"{arg('style_layers')}, {arg('content_layers')}: {layer} of {network.name} has no "
                f"map of an image of {height} x {width} pixels. Choose a shallower layer or a "
                "larger image."
            )
    plan = tiling.plan(network, layers, height, width, tile)
    run = tiling.summed(lambda crop, window: goal_of(taps(crop), window), plan)
    # Once only: compiling pays where tiles are gone through in a loop.
    run = run if plan is None else tf.function(run)
    return run(tf.constant(image[None], tf.float32))


def goal(
    network: Network,
    content: np.ndarray | None,
    styles: Sequence[np.ndarray],
    content_layers: Sequence[str],
    style_layers: Sequence[str],
    *,
    style_weights: Sequence[float] = (),
    regions: Sequence[Region] = (),
    guide: str = "simple",
    shape: tuple[int, int] | None = None,
    tile: int | None = None,
    precision: str = "float32",
) -> Goal:
    """Returns the goal of a transfer, a texture or a reconstruction.

    Targets are worked out once, here; a step runs the network on the picture alone.

    Args:
        network: the network.
        content: float32 [height, width, channels], or None.
        styles: float32 [height, width, channels], of any sizes.
        content_layers, style_layers: paths in the network.
        style_weights: of each style in a blend; their sum is taken as 1. Without, equal.
        regions: which part takes which style; without, all takes the blend.
        guide: how masks go down the network, see `guidance.guides`.
        shape: (height, width) of the picture, where there is no content.
        tile: see `tiling.plan`.
        precision: of the network; the statistics are float32.

    Raises:
        InputError: an unknown layer, or one without a map at this size.
    """
    network.check([*content_layers, *style_layers])
    wanted = {}
    if content is not None and content_layers:
        wanted = _features(network, content, content_layers, tile, precision)
    shape = content.shape[:2] if shape is None else shape
    found = [_moments(network, style, style_layers, None, tile, precision) for style in styles]
    weights = np.asarray(style_weights if len(style_weights) else [1.0] * len(styles), np.float64)
    if len(weights) != len(styles) or (styles and not (weights.min() >= 0 < weights.sum())):
        raise InputError(
            f"{arg('style_weights')}: expected {len(styles)} numbers, none below 0 and not all 0. "
            f"Received: {', '.join(f'{w:g}' for w in weights)}"
        )
    weights = weights / max(weights.sum(), 1e-12)
    if not styles and content is None:
        raise InputError("Expected a content or a style. Received: neither")
    parts = {
        k: _moments(network, styles[r.style], style_layers, (r.part, guide), tile, precision)
        for k, r in enumerate(regions)
        if r.part is not None
    }
    targets = {}
    for layer in style_layers if styles else ():
        if not regions:
            blend = [
                sum(w * one[layer][i] for w, one in zip(weights, found, strict=True))
                for i in range(2)
            ]
            targets[layer] = Target(Moments(*blend), None)
            continue
        kept = []
        for k, region in enumerate(regions):
            own = guides(_fitted(region.where, shape), network, layer, guide)
            there = parts[k].get(layer) if k in parts else found[region.style][layer]
            # A region too small for a layer, in the picture or in the style, is skipped.
            if own is not None and there is not None:
                kept.append((np.square(own), there))
        if kept:
            both = (tf.concat([there[i] for _, there in kept], 1) for i in range(2))
            targets[layer] = Target(Moments(*both), np.stack([own for own, _ in kept]))
    if styles and not targets:
        raise InputError(
            f"{arg('regions')}: no region is large enough for any of the style layers. Use "
            f"larger regions, shallower {arg('style_layers')} or {arg('guide')}=simple."
        )
    return Goal(wanted, targets)


def _fitted(mask: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Returns a bool mask at another size, by nearest neighbours: its colours stay colours."""
    rows = (np.arange(shape[0]) + 0.5) * mask.shape[0] / shape[0]
    columns = (np.arange(shape[1]) + 0.5) * mask.shape[1] / shape[1]
    return mask[rows.astype(int)][:, columns.astype(int)]


def _features(network, image, layers, tile, precision) -> dict[str, tf.Tensor]:
    """Returns {layer: features}; tiles write theirs into a map of zeros."""

    def collect(taps, window):
        if window is None:
            return [taps[layer] for layer in layers]
        return [window.placed(layer, taps[layer]) for layer in layers]

    found = measured(network, image, collect, layers, tile, precision)
    return dict(zip(layers, found, strict=True))


def _moments(network, image, layers, part, tile, precision) -> dict[str, Moments]:
    """Returns {layer: moments} of an image or a part of it, without layers it is too small for.

    Args:
        part: (bool mask, guide mode), or None.
    """
    targets = {layer: Target(None, None) for layer in layers}
    if part is not None:
        mask, mode = part
        mask = _fitted(mask, image.shape[:2])
        own = {layer: guides(mask, network, layer, mode) for layer in layers}
        targets = {
            layer: Target(None, np.square(one)[None]) for layer, one in own.items()
            if one is not None
        }  # fmt: skip
    if not targets:
        return {}
    empty = Goal({}, targets)

    def collect(taps, window):
        return list(sums(taps, empty, window).style.values())

    found = measured(network, image, collect, list(targets), tile, precision)
    return dict(zip(targets, found, strict=True))
