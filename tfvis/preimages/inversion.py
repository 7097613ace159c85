"""Inversion: what a layer still knows of an image.

It looks for another image with the same features, and a natural-image prior fills in
whatever the layer has lost.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import tensorflow as tf

from tfvis import (
    deep_image_prior,
    image_arguments,
    images,
    objectives,
    parameterizations,
    phase_parameterization,
    plug_in_views,
    results,
)
from tfvis.errors import InputError, arg
from tfvis.networks import hog_sift
from tfvis.networks.network import Network
from tfvis.optimize import loop
from tfvis.preimages import descent, inversion_recipes
from tfvis.preimages.descent import Progress, features
from tfvis.preimages.settings import Inversion
from tfvis.settings import given

# C of MV16's energy, by the depth of the layer. The authors ran 1, 20, 100 and 300 and
# showed, per layer, the best by eye. So were these chosen, on photographs at 224 px: up
# to block3, 500 comes nearer than 300 (0.077 for 0.099 at block2_conv2) and looks the
# same; beyond these values skies turn grainy (block4) and colours shrill (block5).
_VGG_STRENGTH = {
    "block1": 500.0,
    "block2": 500.0,
    "block3": 500.0,
    "block4": 200.0,
    "block5": 100.0,
}
# What is left of the noise where L-BFGS begins over pixels. Grain that a layer does not see goes
# slowly, and holds its shapes apart: of two photographs, energies end 1.1 and 0.1 % lower than from
# all of it at block2_conv2 (means of five starts), 3.5 and 14 % at block5_conv3 (of three).
# From 0.1 or 0.03 of it they end higher again (docs/measurements.md).
_QUIET = np.float32(0.3)
# What is left of the noise where a layer is asleep (`awake_starts`): enough to tell restarts apart.
# Of a detector of strong colours, energies after 100 steps of L-BFGS were an eighth to two fifths.
_CALM = np.float32(0.1)


def published(
    network: Network, layer: str, size: tuple[int, int], settings: Inversion
) -> Inversion:
    """Returns `settings` with every None replaced by the choice of its recipe.

    Args:
        network: the network.
        layer: a path in it.
        size: (height, width) of the image.
        settings: as asked for.

    Raises:
        InputError: the layer has no map of at least 1 px at this size, nor is it a vector
            made of one; a setting is out of range, or a mask outside the map.
    """
    descent.check_layer(network, layer, size, vectors=True)
    if network.name in hog_sift.BUILDERS and settings.jitter is None:
        # As IJCV16 inverts them; their cells need no jitter to be smooth.
        settings = dataclasses.replace(settings, jitter=1)
    settings = inversion_recipes.resolved(network, layer, settings)
    settings = descent.derived(network, layer, size, settings)
    strength = settings.strength
    if strength is None:
        known = network.base or network.name
        strength = default_strength(known, layer, descent.stride(network, layer))
    if strength <= 0:
        raise InputError(f"{arg('strength')}={strength}: expected a number above 0.")
    mask(network.trace(layer, *size), settings)
    return dataclasses.replace(settings, strength=strength)


def default_strength(name: str, layer: str, stride: int) -> float:
    """Returns C for a layer: for VGG16 and VGG19 from the table, else from the stride.

    HOG and SIFT have 100, as in MV16's code (exp_inversion_hog).

    Deep layers know less of the image, so more is left to the prior. CaffeNet's fc6 to fc8 are
    as conv5, which they share their weight with in Mahendran & Vedaldi 2015.

    Args:
        name: of the network.
        layer: a path in it.
        stride: of the layer; of a vector, of the last map before it.
    """
    block = layer.rsplit("/", 1)[-1].split("_")[0]
    if name in ("vgg16", "vgg19") and block in _VGG_STRENGTH:
        return _VGG_STRENGTH[block]
    if name in hog_sift.BUILDERS:
        return 100.0
    return 500.0 if stride <= 4 else 200.0 if stride <= 8 else 100.0


def mask(shape: tuple[int, ...], settings: Inversion) -> np.ndarray | None:
    """Returns the 0/1 mask of the features to match, float32 `shape`, or None.

    Args:
        shape: (height, width, channels) of the map, or (channels,).
        settings: see `Inversion`.

    Raises:
        InputError: a channel or the window lies outside the map.
    """
    if settings.mask_channels is None and settings.mask_window is None:
        return None
    channels = shape[-1]
    result = np.ones(shape, np.float32)
    if settings.mask_channels is not None:
        wrong = [c for c in settings.mask_channels if not 0 <= c < channels]
        if wrong:
            raise InputError(
                f"{arg('mask_channels')}: {wrong[0]} is not a channel, the layer has {channels} "
                f"(0 to {channels - 1})."
            )
        result[..., [c for c in range(channels) if c not in settings.mask_channels]] = 0
    if settings.mask_window is not None and len(shape) == 1:
        raise InputError(
            f"{arg('mask_window')}: the layer is a vector and has no places; leave it out."
        )
    if settings.mask_window is not None:
        height, width = shape[:2]
        top, left, rows, columns = settings.mask_window
        if (
            min(top, left) < 0
            or min(rows, columns) < 1
            or (top + rows > height or left + columns > width)
        ):
            raise InputError(
                f"{arg('mask_window')}: {top},{left},{rows},{columns} does not fit the layer's "
                f"map of {height} x {width}."
            )
        window = np.zeros((height, width, 1), np.float32)
        window[top : top + rows, left : left + columns] = 1
        result *= window
    return result


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class InversionResult(results.Result):
    """Pre-images; see `results.Result`.

    Attributes:
        relative_errors: float64 [batch], |phi(x) - phi0| / |phi0| of the pictures in 8 bits,
            as `save` writes them (MV16 section 5.1), under the mask.
    """

    relative_errors: np.ndarray

    @property
    def relative_error(self) -> float:
        """That of the first picture."""
        return float(self.relative_errors[0])

    def numbers(self) -> str:
        """Returns the relative errors in words."""
        return f"relative error {results.mean_words(self.relative_errors)}"


def invert(
    network: Network,
    image: np.ndarray,
    layer: str,
    *,
    seeds: int | tuple[int, ...] = (0,),
    settings: Inversion = Inversion(),
    callback: Callable[[Progress], object] | None = None,
    **constants,
) -> InversionResult:
    """Finds images whose features at `layer` are those of `image`: what the layer keeps of it.

    Args:
        network: the network.
        image: [height, width, 3], 0..255, of any size the network takes.
        layer: a path in the network, of a map or a vector made of one.
        seeds: one start each.
        settings: constants; None among them are derived.
        callback: is called with every `Progress`, each ten steps.
        **constants: of `Inversion`, in place of those of `settings`, such as steps=100.

    Returns:
        One picture per seed, and its relative error.

    Raises:
        InputError: an argument is wrong; see `iterate`.
        loop.DivergedError: the energy became NaN or infinite.
    """
    target = image_arguments.picture(image, network.channels)
    settings = results.with_constants(settings, constants)
    settings = published(network, layer, target.shape[:2], settings)
    seeds = results.checked_seeds(seeds)
    runs = iterate(network, target, layer, seeds=seeds, settings=settings)
    found = results.collected(runs, f"{network.name} {layer}", callback)
    return InversionResult(
        **found,
        settings=settings,
        relative_errors=relative_errors(
            network, images.quantize(found["images"]).astype(np.float32), target, layer, settings
        ),
    )


def relative_errors(
    network: Network,
    pictures: Iterable[np.ndarray],
    target: np.ndarray,
    layer: str,
    settings: Inversion,
) -> np.ndarray:
    """Returns the relative error of each picture, under the mask, float64 [pictures]."""
    phi0 = features(network, layer, target[None])
    chosen = mask(tuple(phi0.shape[1:]), settings)
    chosen = np.ones((), np.float32) if chosen is None else chosen
    # One by one: a batch is not made for the memory of all their features.
    return np.concatenate(
        [
            objectives.relative_error(features(network, layer, one[None]) * chosen, phi0 * chosen)
            for one in pictures
        ]
    )


def iterate(
    network: Network,
    target: np.ndarray,
    layer: str,
    *,
    seeds: tuple[int, ...] = (0,),
    settings: Inversion = Inversion(),
    state: loop.State | None = None,
    marks: Iterable[int] = (),
) -> Iterator[Progress]:
    """Inverts step by step: what `invert` runs to the end (MV16, inversion).

    Minimises C |phi(x) - phi0|^2 / |phi0|^2 + total variation of decorrelated colours within
    display space, from noise, or the published energy; see `Inversion` for the constants.

    Args:
        network: the network.
        target: float32 [height, width, channels], display space.
        layer: a path in the network, of a map or a vector made of one.
        seeds: one start each; a batch, in which every image ends as it would alone, but
            for rounding (some thousandths of a grey level on a CPU).
        settings: constants; None among them are derived (`published`).
        state: of an earlier, interrupted run with the same arguments; the rest of it
            gives the same bits.
        marks: steps at which to yield as well; 0 is the start: the noise, for L-BFGS woken
            (`awake_starts`) where the layer sleeps.

    Yields:
        Progress after every chunk; the `kept` of the last one is the result.

    Raises:
        InputError: at once, see `published`, `mask`, `feature_distance`.
        loop.DivergedError: the energy became NaN or infinite; it carries the last
            good state.
    """
    settings = published(network, layer, target.shape[:2], settings)
    way = descending(network, target, layer, seeds, settings)
    return descent.run(layer, way, settings, state, marks)


def descending(
    network: Network,
    target: np.ndarray,
    layer: str,
    seeds: tuple[int, ...],
    settings: Inversion,
) -> descent.Descending:
    """Returns the way down of one layer's inversion; `settings` hold no None.

    `target` may also be [batch, height, width, channels], a picture for each seed.
    """
    targets = target if target.ndim == 4 else target[None]
    size = targets.shape[1:3]
    phi0 = features(network, layer, targets)
    chosen = mask(tuple(phi0.shape[1:]), settings)
    objective = objectives.feature_distance(layer, phi0, settings.strength, chosen)
    if settings.parameterization != "pixels":
        written = _written(network, size, seeds, settings)
        return descent.spectrum_descent(network, objective, [layer], written, seeds, settings)
    height, width = (side + given(settings.jitter) - 1 for side in size)
    noise = parameterizations.natural_noise(
        seeds, height, width, network.channels, settings.prior.color
    )
    if settings.image_prior == "plug_in":
        views = plug_in_views.PlugIn(settings.steps)
        noise = plug_in_views.coarse(tf.constant(noise), views.zoom).numpy()
        return descent.pixel_descent(
            network, objective, [layer], noise, seeds, settings, views=views
        )
    quiet = settings.recipe == "decorrelated" and settings.optimizer == "lbfgs"
    start, calm = _QUIET * noise if quiet else noise, _CALM * noise
    return descent.pixel_descent(network, objective, [layer], start, seeds, settings, calm=calm)


def _written(network: Network, size: tuple[int, int], seeds: tuple[int, ...], settings: Inversion):
    """Returns the image as anything but its pixels."""
    center = network.preprocessing.center(network.channels).numpy()
    if settings.parameterization == "fourier":
        return parameterizations.fourier(seeds, *size, center)
    if settings.parameterization == "network":
        return deep_image_prior.deep_image(seeds, *size, center)
    # The authors' spread, with which the priors were measured beside each other.
    magnitude = phase_parameterization.natural_magnitude(network.channels, *size, spread=1.0)
    return phase_parameterization.phase(seeds, center, magnitude, size[1])
