"""Distances from a goal, named and in one unit, and what a recipe makes small.

The unit is that of the code of Gatys et al. (PytorchNeuralStyleTransfer): content, the mean
squared difference of features; style, 1e3 / N^2 times the mean squared difference of Gram
matrices over the places of the map, N being the channels. Other codes' weights for the same
thing differ by factors of 5 to 1000; in this unit the published ratio of style to content,
1000, is `ratio=1000`.
"""

import functools

import numpy as np
import tensorflow as tf

from tfvis import images
from tfvis.settings import given
from tfvis.style.gram import Moments, covariance
from tfvis.style.settings import UNIT, Transfer
from tfvis.style.targets import Goal, Sums

# Quality, tuned on the Oxford weights of VGG16 by measuring and by looking (Tuebingen, a
# temple; Starry Night, The Scream, a painting of our own; 256 to 512 px). Coarse scales let
# go of more of the content, so the style weighs a twenty-fifth: roofs stay readable, and the
# sky has the swirls.
_QUALITY = 0.04
# `shape` beside the Gram matrices, as a multiple of the unit, and its shares by depth: the
# Gram distances of deep layers, whose activations are small, hardly count by themselves (1
# in 4000 at block5), and they are what large swirls are made of.
_SHAPE, _SHARES = 30.0, (0.0, 1.0, 4.0, 8.0, 8.0)
# What these two pictures measure: mean square of conv4_2's features, and distances of `unit`
# and `shape` from nothing at all.
_CONTENT_STRENGTH, _STYLE_STRENGTH, _SHAPE_STRENGTH = 2.93e3, 7.3e7, 190.0

Terms = dict[str, tf.Tensor]


def unit(found: Sums, goal: Goal) -> Terms:
    """Returns {"content <layer>", "style <layer>": float32 [batch]}, in the unit.

    With regions, a layer's style is the mean over them (Gatys et al. 2017's code).
    """
    terms = {f"content {layer}": value for layer, value in found.content.items()}
    for layer, moments in found.style.items():
        channels = moments.first.shape[-1]
        difference = moments.second - goal.style[layer].moments.second
        squared = tf.reduce_mean(tf.square(difference), [1, 2, 3])
        terms[f"style {layer}"] = UNIT / channels**2 * squared
    return terms


def unit_weights(goal: Goal, ratio: float) -> dict[str, float]:
    """Returns {term of `unit`: weight}: 1 for contents, ratio / 1000 for styles."""
    weights = {f"content {layer}": 1.0 for layer in goal.content}
    return weights | {f"style {layer}": ratio / UNIT for layer in goal.style}


def scales_of(network, goal: Goal, settings: Transfer) -> dict[str, float]:
    """Returns the scales that `weighed` and `terms` take: of a network, whatever the styles."""
    return activations(network, tuple(goal.style)) if settings.recipe == "quality" else {}


def weighed(goal: Goal, settings: Transfer, scales: dict[str, float]) -> dict[str, float]:
    """Returns {term: weight} of a recipe.

    Args:
        goal: what the picture is asked to match.
        settings: they hold no None; all but the weight of the total variation count.
        scales: of `scales_of`.
    """
    weights = unit_weights(goal, settings.ratio)
    if settings.recipe == "quality":
        weights |= quality_weights(goal, settings.ratio, scales)
    return by_layer(weights, _layer_weights(settings))


def smoothness(goal: Goal, settings: Transfer) -> float:
    """Returns the weight of the total variation, in the unit of the network.

    A recipe whose weights go by how strong answers are has its own go by that, too: of a network
    whose answers are small, it would else be all that counts, and the picture flat.

    Args:
        goal: what the picture is asked to match.
        settings: they hold no None.
    """
    weight = given(settings.tv_weight)
    if settings.recipe != "quality":
        return weight
    # Where no layer answers to the content, there is no unit to go by.
    silent = bool(goal.content) and not any(_bright(goal))
    return 0.0 if silent else weight * strength(goal)


def strength(goal: Goal) -> float:
    """Returns how strong the content is, 1 for what `quality` was tuned on; 1 of none."""
    bright = _bright(goal)
    return float(np.mean(bright) / _CONTENT_STRENGTH) if any(bright) else 1.0


def _bright(goal: Goal) -> list[float]:
    return [float(tf.reduce_mean(tf.square(target))) for target in goal.content.values()]


def terms(found: Sums, goal: Goal, scales: dict[str, float]) -> Terms:
    """Returns what `weighed` weighs; with scales, the terms of `shape` as well."""
    return unit(found, goal) | (shape(found, goal, scales) if scales else {})


def _layer_weights(settings: Transfer) -> dict[str, float]:
    """Returns {"content LAYER" or "style LAYER": weight} of those that have one."""
    pairs = (
        ("content", settings.content_layers, settings.content_layer_weights),
        ("style", settings.style_layers, settings.style_layer_weights),
    )
    return {
        f"{kind} {layer}": weight
        for kind, layers, weights in pairs
        for layer, weight in zip(layers, weights, strict=bool(weights))
    }


def by_layer(weights: dict[str, float], layers: dict[str, float]) -> dict[str, float]:
    """Returns the weights of terms, each times its layer's.

    Args:
        weights: {term of `unit` or `shape`: weight}.
        layers: {"content LAYER" or "style LAYER": w_l of G16, equation 5}; 1 of what it lacks.
            Both terms of a style layer count by it.
    """
    return {
        term: weight * layers.get(term.replace("shape ", "style ", 1), 1.0)
        for term, weight in weights.items()
    }


def shape(found: Sums, goal: Goal, scales: dict[str, float]) -> Terms:
    """Returns {"shape <layer>"}: how far mean and covariance are from the style's.

    Features are divided by the layer's mean activation, so that a layer weighs the same
    whatever numbers its network was trained to (the normalised VGG of Gatys et al. 2015;
    exact, as ReLU and pooling are homogeneous).

    Args:
        found: of the picture.
        goal: what it is to be like.
        scales: mean activation of each style layer, see `activations`.
    """
    terms = {}
    for layer, moments in found.style.items():
        target, scale = goal.style[layer].moments, scales[layer]
        first = (moments.first - target.first) / scale
        second = (covariance(moments) - covariance(Moments(*target))) / scale**2
        channels = first.shape[-1]
        apart = tf.reduce_mean(tf.square(first), [1, 2])
        apart += tf.reduce_mean(tf.square(second), [1, 2, 3]) * channels
        terms[f"shape {layer}"] = apart
    return terms


def quality_weights(goal: Goal, ratio: float, scales: dict[str, float]) -> dict[str, float]:
    """Returns {term of `unit` and `shape`: weight} of the quality recipe.

    Styles count by their distance as a share of their own strength, the content by its: one
    ratio then means the same for a pale drawing and for a loud painting, whose Gram matrices
    differ by a factor of ten.

    Args:
        goal: what the picture is asked to match.
        ratio: of style to content.
        scales: see `activations`.
    """
    # Layers beyond the fifth count as it does.
    shares = np.array([*_SHARES, *[_SHARES[-1]] * len(goal.style)][: len(goal.style)])
    shares = dict(zip(goal.style, shares / max(shares.sum(), 1.0), strict=True))
    nothing = {
        layer: Moments(*(tf.zeros_like(moment) for moment in target.moments))
        for layer, target in goal.style.items()
    }
    nothing = Sums({}, nothing)
    loud = sum(float(term[0]) for term in unit(nothing, goal).values())
    forms = shape(nothing, goal, scales)
    form = sum(shares[layer] * float(forms[f"shape {layer}"][0]) for layer in goal.style)
    factor = _QUALITY * ratio * strength(goal)
    weights = unit_weights(goal, factor * _STYLE_STRENGTH / max(loud, 1e-12))
    gain = _SHAPE * factor / UNIT * _SHAPE_STRENGTH / max(form, 1e-12)
    return weights | {f"shape {layer}": float(gain * shares[layer]) for layer in goal.style}


@functools.lru_cache(maxsize=16)
def activations(network, layers: tuple[str, ...]) -> dict[str, float]:
    """Returns the mean activation of layers over two photographs (`images.demo_set`)."""
    totals = dict.fromkeys(layers, 0.0)
    if not layers:
        return totals
    pictures = [images.resize(images.crop(p), 224, 224) for p in images.demo_set()]
    for picture in pictures:
        picture = images.with_channels(picture, network.channels)
        for layer, found in network.taps(layers)(tf.constant(picture[None])).items():
            totals[layer] += float(tf.reduce_mean(tf.abs(found))) / len(pictures)
    return {layer: max(total, 1e-6) for layer, total in totals.items()}
