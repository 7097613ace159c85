"""Caricature: what of an image a layer answers to, exaggerated."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import tensorflow as tf

from tfvis import image_arguments, images, objectives, results
from tfvis.errors import InputError, arg
from tfvis.networks.network import Network
from tfvis.optimize import loop
from tfvis.preimages import descent
from tfvis.preimages.descent import Progress, features
from tfvis.preimages.settings import Caricature
from tfvis.settings import given


def published(
    network: Network, layer: str, size: tuple[int, int], settings: Caricature
) -> Caricature:
    """Returns `settings` with every None replaced; arguments and errors as inversion's."""
    descent.check_layer(network, layer, size, vectors=True)
    strength = settings.strength
    if strength is None:
        strength = default_strength(descent.stride(network, layer))
    if strength <= 0:
        raise InputError(f"{arg('strength')}={strength}: expected a number above 0.")
    settings = dataclasses.replace(settings, strength=strength)
    return descent.derived(network, layer, size, settings)


def default_strength(stride: int) -> float:
    """Returns W for a layer, by its stride.

    The published 1 leaves shallow layers answering less than they did: the prior smooths
    away the edges they answer to, and the inner product is 1 for the picture itself
    whatever its contrast. Chosen by eye on VGG16 so that they answer more.

    Args:
        stride: of the layer, input pixels; of a vector, of the last map before it.
    """
    for least, strength in ((16, 3.0), (8, 15.0), (4, 30.0), (2, 50.0)):
        if stride >= least:
            return strength
    return 100.0


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class CaricatureResult(results.Result):
    """Caricatures; see `results.Result`.

    Attributes:
        exaggerations: float32 [batch], <relu(phi0), phi(x)> / |relu(phi0)|^2 of the pictures in
            8 bits: how many times as much the layer answers, 1 for the picture itself.
    """

    exaggerations: np.ndarray

    @property
    def exaggeration(self) -> float:
        """That of the first picture."""
        return float(self.exaggerations[0])

    def numbers(self) -> str:
        """Returns the exaggeration in words."""
        return f"answers {results.mean_words(self.exaggerations, '.1f')} x as much"


def caricature(
    network: Network,
    image: np.ndarray,
    layer: str,
    *,
    seeds: int | tuple[int, ...] = (0,),
    settings: Caricature = Caricature(),
    callback: Callable[[Progress], object] | None = None,
    **constants,
) -> CaricatureResult:
    """Changes `image` so that `layer` answers more of what it answers.

    Args:
        network: the network.
        image: [height, width, 3], 0..255, of any size the network takes.
        layer: a path in the network, of a map or a vector made of one.
        seeds: of the jitter, one picture each.
        settings: constants; None among them are derived.
        callback: is called with every `Progress`, each ten steps.
        **constants: of `Caricature`, in place of those of `settings`, such as strength=1.0.

    Returns:
        One picture per seed, and how much more the layer answers.

    Raises:
        InputError: an argument is wrong; see `iterate`.
        loop.DivergedError: the energy became NaN or infinite.
    """
    target = image_arguments.picture(image, network.channels)
    settings = results.with_constants(settings, constants)
    settings = published(network, layer, target.shape[:2], settings)
    seeds = results.checked_seeds(seeds)
    runs = iterate(network, target, layer, seeds=seeds, settings=settings)
    found = results.collected(runs, f"caricature by {network.name} {layer}", callback)
    stored = images.quantize(found["images"]).astype(np.float32)
    answers = exaggerations(network, stored, target, layer)
    return CaricatureResult(**found, settings=settings, exaggerations=answers)


def exaggerations(
    network: Network, pictures: Iterable[np.ndarray], target: np.ndarray, layer: str
) -> np.ndarray:
    """Returns how many times as much a layer answers each picture as `target`, [pictures].

    <relu(phi0), phi(x)> / |relu(phi0)|^2, which is 1 for the target itself.
    """
    product = objectives.inner_product(layer, features(network, layer, target[None]))
    taps = network.taps([layer])
    return np.array([float(product(taps(tf.constant(one[None])))[0]) for one in pictures])


def iterate(
    network: Network,
    target: np.ndarray,
    layer: str,
    *,
    seeds: tuple[int, ...] = (0,),
    settings: Caricature = Caricature(),
    state: loop.State | None = None,
    marks: Iterable[int] = (),
) -> Iterator[Progress]:
    """Caricatures step by step: what `caricature` runs to the end (MV16, section 6).

    Minimises - W <relu(phi0), phi(x)> / |relu(phi0)|^2 + alpha norm + total variation,
    with the colour bound, from the image itself. The authors' code works phi0 out of an
    image from which no mean was subtracted, which reads as a slip; it is not followed.

    Args:
        network: the network.
        target: float32 [height, width, channels], display space.
        layer: a path in the network, of a map or a vector made of one.
        seeds: of the jitter, one image each.
        settings: constants; None among them are derived (`published`).
        state: of an earlier, interrupted run with the same arguments.
        marks: steps at which to yield as well; 0 is the image.

    Yields:
        Progress after every chunk; the `kept` of the last one is the result.

    Raises:
        InputError: at once, see `published`, `inner_product`.
        loop.DivergedError: see `inversion.iterate`.
    """
    settings = published(network, layer, target.shape[:2], settings)
    product = objectives.inner_product(layer, features(network, layer, target[None]))
    centered = target[None] - network.preprocessing.center(network.channels).numpy()
    start = descent.enlarged(np.repeat(centered, len(seeds), 0), given(settings.jitter) - 1)
    way = descent.pixel_descent(
        network, -given(settings.strength) * product, [layer], start, seeds, settings
    )
    return descent.run(layer, way, settings, state, marks)
