"""How well a stylisation did, measured by the network it was made with.

All that a network says is measured at one size, whatever the sizes of the pictures, so
that results compare. It tells how much of a content and of a style is there, and whether
there are artefacts. It is not quality: people agree less with Gram distances than with
scores learnt from them (ArtScore, arXiv 2305.04923).
"""

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tfvis import images
from tfvis.errors import InputError, arg
from tfvis.networks.activation import activated
from tfvis.networks.network import Network
from tfvis.style import metrics_features as likeness
from tfvis.style.metrics_image import color_cosine, high_frequency, saturated

# Near the 224 that ImageNet networks were trained at: features mean what they learnt.
SIZE = 256
# Pairs of patches compared: four times what a layer of stride 4 has at 256 px.
_PAIRS = 4 * (SIZE // 4) ** 4


@dataclasses.dataclass(frozen=True)
class Layers:
    """Where to measure; the defaults are VGG's.

    Attributes:
        content: for distances of content; conv4_2 in Gatys et al. 2016.
        style: for distances of style; conv1_1 to conv5_1 in Gatys et al. 2016.
        fidelity: for content fidelity; conv4_1, conv5_1 in StyleEval (Wang et al. 2021).
        effect: for the global effect; conv2_1 to conv5_1 in StyleEval.
        pattern: for local patterns; conv3_1, conv4_1 in StyleEval.
        border: for border against centre; one of middle depth, whose padding has been
            felt, and whose map has room for a border.
    """

    content: tuple[str, ...] = ("block4_conv2",)
    style: tuple[str, ...] = tuple(f"block{k}_conv1" for k in (1, 2, 3, 4, 5))
    fidelity: tuple[str, ...] = ("block4_conv1", "block5_conv1")
    effect: tuple[str, ...] = tuple(f"block{k}_conv1" for k in (2, 3, 4, 5))
    pattern: tuple[str, ...] = ("block3_conv1", "block4_conv1")
    border: str = "block3_conv1"

    def all(self, content: bool = True, style: bool = True) -> tuple[str, ...]:
        """Returns each layer once: those for a content, those for a style."""
        layers = [*self.content, *self.fidelity] if content else []
        if style:
            layers += [*self.style, *self.effect, *self.pattern, self.border]
        return tuple(dict.fromkeys(layers))


@functools.lru_cache(maxsize=16)
def layers_for(network: Network) -> Layers:
    """Returns where to measure: VGG's layers, or those at like depths of another network.

    Of another network, the first convolutions of up to five strides, each after its
    nonlinearity, stand for VGG's conv1_1 to conv5_1; where there are fewer strides, the
    convolutions after these too (of CaffeNet, relu1 to relu5).

    Raises:
        InputError: it has no convolution or pooling.
    """
    published = Layers()
    if set(published.all()) <= set(network.paths):
        return published
    if network.name in network.paths:  # A representation that is one layer.
        layers = (network.name,)
    else:
        candidates = network.convolutions() or network.convolutions_and_poolings()
        first = {}
        for layer in candidates:
            first.setdefault(network.stride(layer), layer)
        chosen = list(first.values())[:5]
        after = candidates[candidates.index(chosen[-1]) + 1 :] if chosen else ()
        chosen += after[: 5 - len(chosen)]
        layers = tuple(dict.fromkeys(activated(network, layer) for layer in chosen))
    if not layers:
        raise InputError(f"{arg('network')}={network.name}: has no convolution or pooling.")
    return Layers(
        content=layers[-2:][:1],
        style=layers,
        fidelity=layers[-2:],
        effect=layers[1:] or layers,
        pattern=layers[-3:-1] or layers,
        border=layers[len(layers) // 2],
    )


def resized(image: np.ndarray, size: int = SIZE) -> np.ndarray:
    """Returns an image of about size^2 pixels and the same aspect, each side at least 32.

    Args:
        image: [height, width, channels], 0..255.
        size: at least 32.

    Returns:
        float32 [height, width, channels]. Of an image so narrow that 32 are more than its
        share, the aspect is given up, not the area.

    Raises:
        InputError: a smaller size.
    """
    return images.of_area(image, size)


def measure(
    network: Network,
    result: np.ndarray,
    content: np.ndarray | None,
    style: np.ndarray | Sequence[np.ndarray] | None,
    size: int = SIZE,
    *,
    style_weights: Sequence[float] = (),
    layers: Layers | None = None,
) -> dict[str, float]:
    """Returns what can be said of a stylisation in numbers.

    Args:
        network: the one to ask.
        result: float32 [height, width, 3], display space, as all pictures here; of any size.
        content: what it is to show; None for a texture.
        style: what it is to be like, several for a blend; None for a reconstruction.
        size: at which the network looks, see `resized`; the result at the content's shape.
        style_weights: of a blend; their sum is taken as 1. Without, equal.
        layers: None is `layers_for(network)`.

    Returns:
        With a content:
            "content LAYER": see `content_distance`.
            "content_fidelity": mean cosine of features, -1..1 (CF of Wang et al. 2021).
        With a style, a blend's target being the blend of the Gram matrices:
            "style LAYER": see `style_distance`; "style": their sum.
            "global_effect": 0..1, half cosine of Gram matrices, half of colour
                histograms (their GE); of a blend, the weighted mean.
            "local_pattern": 0..1, see `local_pattern` (their LP); likewise.
            "border_over_center": see `border_over_center`; not where the map has no centre.
        Always, of the result as it is, as resizing would remove what they look for:
            "high_frequency", "saturated": 0..1, see there.

    Raises:
        InputError: something that is no picture, or holds NaN; weights that do not fit; an
            unknown layer, or one without a map; a size below 32.
    """
    layers = layers or layers_for(network)
    styles = [] if style is None else [style] if isinstance(style, np.ndarray) else list(style)
    shares = _shares(styles, style_weights)
    for name, one in [("result", result), ("content", content), *(("style", s) for s in styles)]:
        if one is not None:
            _check(one, name)
    if content is None:
        small = resized(result, size)
    else:
        small_content = resized(content, size)
        small = images.resize(result, *small_content.shape[:2])
    found = _features(network, small, layers.all(content is not None, bool(styles)))
    numbers = {}
    if content is not None:
        target = _features(network, small_content, layers.all(style=False))
        for layer in layers.content:
            distance = likeness.content_distance(found[layer], target[layer])
            numbers[f"content {layer}"] = distance
        numbers["content_fidelity"] = _mean(
            likeness.cosine(found[layer], target[layer]) for layer in layers.fidelity
        )
    if styles:
        numbers |= _against_styles(
            network, small, found, [resized(one, size) for one in styles], shares, layers
        )
    return numbers | {"high_frequency": high_frequency(result), "saturated": saturated(result)}


def _against_styles(network, image, found, styles, shares, layers) -> dict[str, float]:
    """Returns the part of `measure` that is about styles.

    Args:
        image: of the result, and `found` its features; `styles`: all at the size measured.
        shares: of each style, of sum 1.
    """
    gram = functools.cache(lambda layer: likeness.gram(found[layer]))
    wanted = tuple(dict.fromkeys([*layers.style, *layers.effect, layers.border]))
    blend, effect, pattern = dict.fromkeys(wanted, 0.0), 0.0, 0.0
    for style, share in zip(styles, shares, strict=True):
        target = _features(network, style, layers.all(content=False))
        targets = {layer: likeness.gram(target[layer]) for layer in wanted}
        blend = {layer: blend[layer] + share * targets[layer] for layer in wanted}
        grams = _mean(likeness.cosine(gram(layer), targets[layer]) for layer in layers.effect)
        effect += share * (0.5 * grams + 0.5 * color_cosine(image, style))
        # Every place is compared with every other: a map as large as the image takes minutes.
        small = [k for k in layers.pattern if _places(found[k]) * _places(target[k]) <= _PAIRS]
        if small:
            each = (likeness.local_pattern(found[layer], target[layer]) for layer in small)
            pattern += share * _mean(each)
        else:
            pattern = float("nan")
    numbers = {
        f"style {layer}": likeness.style_distance(gram(layer), blend[layer])
        for layer in layers.style
    }
    numbers["style"] = sum(numbers.values())
    numbers["global_effect"] = effect
    if np.isfinite(pattern):
        numbers["local_pattern"] = pattern
    if min(found[layers.border].shape[:2]) >= 3:
        numbers["border_over_center"] = likeness.border_over_center(
            found[layers.border], blend[layers.border]
        )
    return numbers


def _places(features: np.ndarray) -> int:
    return features.shape[0] * features.shape[1]


def _features(network: Network, image: np.ndarray, layers: tuple[str, ...]) -> dict:
    """Returns {layer: float32 [height, width, channels]} of one image."""
    if not layers:
        return {}
    image = images.with_channels(np.asarray(image, np.float32), network.channels)
    found = {}
    for layer, features in network.taps(layers)(tf.constant(image[None])).items():
        if features.shape.rank != 4:
            raise InputError(f"Expected layers that put out a map. Received: {layer}")
        found[layer] = features.numpy()[0]
    return found


def _shares(styles: Sequence[np.ndarray], weights: Sequence[float]) -> list[float]:
    """Returns the weights of styles, divided by their sum."""
    shares = np.asarray(list(weights) or [1.0] * len(styles), np.float64)
    valid = np.all(np.isfinite(shares)) and np.all(shares >= 0)
    if len(shares) != len(styles) or not valid or (styles and not shares.sum() > 0):
        raise InputError(
            f"{arg('style_weights')}: expected one number, 0 or more and not all 0, for each of "
            f"{len(styles)} styles. Received: {list(weights)}"
        )
    return (shares / shares.sum()).tolist() if styles else []


def _check(image: np.ndarray, name: str) -> None:
    if np.ndim(image) != 3 or image.shape[-1] != 3 or not image.size:
        raise InputError(f"Expected a {name} of [height, width, 3]. Received: {np.shape(image)}")
    if not np.all(np.isfinite(image)):
        raise InputError(f"Expected a {name} of finite numbers. Received: NaN or infinity in it.")


def _mean(values) -> float:
    return float(np.mean(list(values)))
