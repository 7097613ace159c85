"""Caricature: what of an image a layer answers to, exaggerated."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import tensorflow as tf

from tfvis import image_arguments, images, objectives, parameterizations, results
from tfvis.errors import InputError, arg
from tfvis.networks.network import Network
from tfvis.optimize import loop, optimizers
from tfvis.preimages import descent
from tfvis.preimages.descent import Progress, features
from tfvis.preimages.settings import RECIPES, Caricature
from tfvis.settings import given

# The decorrelated recipe, chosen by eye on VGG16, on two photographs and three layers, for skies
# with few dots; finer or farther changes exaggerate more and bring them back.
# How far Adam may move each coordinate of a spectrum over a whole run, in the units of
# `parameterizations.fourier`: photographs have about 0.6.
_WAY = 10.0
# And in one step, of short runs.
_RATE = 0.1
# The finest changes, cycles per pixel: of brightness, of the two colours; and the colours' share of
# a step.
_FINEST, _COLOR = (0.15, 0.08, 0.08), 0.5
# Times the published recipe's weight, whose prior blurs the picture itself to hold down grain.
_HEAVIER = 10.0


def published(
    network: Network, layer: str, size: tuple[int, int], settings: Caricature
) -> Caricature:
    """Returns `settings` with every None replaced; arguments and errors as inversion's."""
    descent.check_layer(network, layer, size, vectors=True)
    if settings.recipe not in RECIPES:
        raise InputError(f"{arg('recipe')}={settings.recipe}: expected {', '.join(RECIPES)}.")
    waves = settings.recipe == "decorrelated"
    optimizer, strength, rate = settings.optimizer, settings.strength, settings.rate
    if strength is None:
        strength = default_strength(descent.stride(network, layer)) * (_HEAVIER if waves else 1)
    if strength <= 0:
        raise InputError(f"{arg('strength')}={strength}: expected a number above 0.")
    optimizer = optimizer or ("adam" if waves else "adagrad")
    if waves:
        for name, value, wrong in (
            ("optimizer", optimizer, optimizer != "adam"),
            ("fine_steps", settings.fine_steps, settings.fine_steps > 0),
        ):
            if wrong:
                raise InputError(
                    f"{arg(name)}={value}: {arg('recipe')}={settings.recipe} goes by adam, in one "
                    f"stage; leave it out, or choose {arg('recipe')}=published."
                )
        rate = min(_WAY / max(settings.steps, 1), _RATE) if rate is None else rate
    # A layer answers each place of its stride in another way, which prints its grid on the picture;
    # over a whole stride of shifts that averages out.
    jitter = settings.jitter
    if waves and jitter is None:
        jitter = descent.stride(network, layer)
    settings = dataclasses.replace(
        settings, optimizer=optimizer, strength=strength, rate=rate, jitter=jitter
    )
    return descent.derived(network, layer, size, settings)


def default_strength(stride: int) -> float:
    """Returns W of the published recipe for a layer, by its stride.

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
    from the image itself; as published over pixels, with the colour bound, else over what is
    added to its spectrum (`parameterizations.changes`), which keeps its colours and its detail.
    The authors' code works phi0 out of an image from which no mean was subtracted, which reads
    as a slip; it is not followed.

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
    objective = -given(settings.strength) * product
    center = network.preprocessing.center(network.channels)
    start = descent.enlarged(np.repeat(target[None], len(seeds), 0), given(settings.jitter) - 1)
    if settings.recipe == "published":
        way = descent.pixel_descent(
            network, objective, [layer], start - center.numpy(), seeds, settings
        )
    else:
        written = parameterizations.changes(start, center.numpy(), _FINEST, _COLOR)
        update = optimizers.annealed(optimizers.adam(), settings.steps)
        way = descent.spectrum_descent(
            network, objective, [layer], written, seeds, settings, update=update
        )
    return descent.run(layer, way, settings, state, marks)
