"""Activation maximisation: what a unit looks for."""

import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from tfvis import objectives, parameterizations, phase_parameterization
from tfvis.errors import InputError, arg
from tfvis.natural_prior import NO_PRIOR, NaturalPrior
from tfvis.networks.network import Network
from tfvis.networks.receptive_field import receptive_field
from tfvis.optimize import loop
from tfvis.preimages import descent
from tfvis.preimages.descent import Progress
from tfvis.preimages.settings import PARAMETERIZATIONS, Maximization
from tfvis.settings import given

# Compared by eye on VGG16: up to block3 pixels are the clearer; from block4 on (stride 8)
# they fill with rainbow grain, and the spectrum shows dogs and wheels in plain colours.
_DEEP_STRIDE = 8
# Adam's step: in the coordinates of the spectrum, lucid's; of phases, radians, by eye.
_RATES = {"fourier": 0.05, "phase": 0.1}


def canvas(network: Network, layer: str) -> tuple[int, int]:
    """Returns the (height, width) at which a layer's centre neuron sees all it can.

    MV16's code: the map is 1.1 receptive fields across, and odd, so that it has a
    centre. A network of fixed size keeps it; a layer that sees everything gets 224 px.

    Args:
        network: the network.
        layer: a path in it, or "logits".
    """
    if network.fixed_size:
        return network.fixed_size
    if len(network.graph.tensors[network.path(layer)].shape) != 4:
        return (224, 224)
    field = receptive_field.receptive_field(network, layer, 576, 576)
    rows = field.size[0]
    if rows >= 576:
        return (224, 224)
    stride = network.stride(layer)
    places = round(1.1 * rows / stride)
    places += 1 - places % 2
    side = places * stride
    # Without padding at the borders, a map is smaller than its share of the image.
    while given(network.shape(layer, side, side)[0]) < places:
        side += stride
    return (side, side)


def unit(
    network: Network,
    layer: str,
    channels: Sequence[int],
    size: tuple[int, int],
    places: Sequence[tuple[int, int] | None] | None = None,
    everywhere: bool = False,
) -> objectives.Objective:
    """Returns the activation of one unit per image: what `normalized` weighs.

    Args:
        network: the network.
        layer: a path in it, or "logits".
        channels: one per image.
        size: (height, width) of the image.
        places: (row, column) in the map, one per image; None is its centre.
        everywhere: the mean over the map, not one neuron.
    """
    shape = network.trace(layer, *size)
    channels = [int(channel) for channel in channels]
    if len(shape) == 1:
        return objectives.logit(channels, layer)
    if everywhere:
        return objectives.channel_mean(layer, channels)
    center = (shape[0] // 2, shape[1] // 2)
    places = [place or center for place in places or [None] * len(channels)]
    rows, columns = zip(*places, strict=True)
    return objectives.neuron(layer, channels, rows, columns)


def raises_means(settings: Maximization, everywhere: bool | None = None) -> bool:
    """Returns whether means of channels over their maps are raised, not neurons in the middle.

    Of "phase" they are unless something else is asked for: every place of a picture counts alike
    then, and motifs fill it, where a neuron leaves noise around one (docs/measurements.md).
    """
    return settings.parameterization == "phase" if everywhere is None else everywhere


def filling(
    network: Network,
    objective: objectives.Objective,
    layer: str,
    largest: np.ndarray,
    settings: Maximization,
) -> tuple[objectives.Objective, np.ndarray]:
    """Returns what is raised in place of an objective, and its M: of classes in "phase" the log.

    Of a score, crops in which the class is there already decide, and places without it stay so.
    Of the logarithm a crop that shows little counts for more than one that shows
    much, so that the class comes up all over the picture (docs/measurements.md).

    Args:
        network: the network.
        objective: an activation per image.
        layer: of which it is one.
        largest: M, above 0.
        settings: `parameterization` decides.
    """
    if settings.parameterization != "phase" or network.path(layer) != network.logits:
        return objective, largest
    return objectives.logarithm(objective), np.log1p(largest)


def normalized(
    network: Network,
    objective: objectives.Objective,
    layer: str,
    size: tuple[int, int],
    largest: Sequence[float] | np.ndarray,
    strength: float = Maximization.strength,
) -> objectives.Objective:
    """Returns C / (M rf^2) times an objective (MV16 section 5.2).

    A picture in which a unit answers as much as it ever does to photographs so weighs as
    much for every unit of a layer.

    Args:
        network: the network.
        objective: an activation per image.
        layer: whose receptive field it has.
        size: (height, width) of the image; no field is larger.
        largest: M, one per image or one for all; above 0.
        strength: C.
    """
    area = _area_seen(network, layer, size)
    weights = tf.constant(strength / (np.asarray(largest) * area), tf.float32)
    return dataclasses.replace(objective, function=lambda taps: weights * objective(taps))


def _area_seen(network: Network, layer: str, size: tuple[int, int]) -> int:
    """Returns rf^2, the pixels of an image that a unit sees."""
    rows, columns = receptive_field.receptive_field(network, layer, *size).size
    return min(rows, size[0]) * min(columns, size[1])


def diverse(
    network: Network,
    objective: objectives.Objective,
    layer: str,
    size: tuple[int, int],
    settings: Maximization,
) -> objectives.Objective:
    """Returns a `normalized` objective + how unlike the pictures of each unit are.

    By their Gram matrices at the layer, of a vector at the last map before it
    (`objectives.diversity`). Lucid adds 100 times that to a channel's mean activation, of whatever
    size; here it weighs what so many times M weigh.

    Args:
        network: the network.
        objective: of a batch, the pictures of a unit one after another.
        layer: of the units.
        size: (height, width) of the images.
        settings: `diversity` pictures of each unit; with 1 the objective stays as it is.

    Raises:
        InputError: the network has no map before the layer.
    """
    if settings.diversity == 1:
        return objective
    area = _area_seen(network, layer, size)
    unlike = objectives.diversity(descent.last_map(network, layer), settings.diversity)
    return objective + settings.diversity_weight * settings.strength / area * unlike


def iterate(
    network: Network,
    objective: objectives.Objective | Callable,
    *,
    size: tuple[int, int] | None = None,
    seeds: tuple[int, ...] = (0,),
    settings: Maximization = Maximization(),
    magnitude: np.ndarray | None = None,
    state: loop.State | None = None,
    marks: Iterable[int] = (),
) -> Iterator[Progress]:
    """Maximises step by step: what `maximize` runs to the end (MV16 5.2; Olah et al. 2017).

    Minimises - objective + alpha norm + total variation from noise. A unit
    that its own ReLU keeps silent gets a gradient all the same (`Network.waking`), one that all
    ReLUs on the way keep silent too (`zero_gradients.energy`).

    Args:
        network: the network.
        objective: an Objective, or a plain function {layer: [batch, ...]} -> [batch].
        size: (height, width) of what the network is shown, and of pictures but those of "phase",
            of which it is shown crops (`Crops.picture`); None is `canvas` of the deepest layer
            it taps.
        seeds: one start each.
        settings: constants; None among them are derived.
        magnitude: of the waves of "phase", [channels, height, width // 2 + 1] of the picture; None
            is that of `phase_parameterization.natural_magnitude`.
        state: of an earlier, interrupted run with the same arguments.
        marks: steps at which to yield as well; 0 is the noise.

    Yields:
        Progress after every chunk; the `kept` of the last one is the result.

    Raises:
        InputError: at once: an unknown layer, a setting out of range, a size
            the network cannot take, a layer that passes no gradient.
        zero_gradients.SilentError: no pixel changes the objective of any image.
        loop.DivergedError: see `inversion.iterate`.
    """
    objective, deepest, size = resolved(network, objective, size, len(seeds))
    settings = published(network, deepest, size, settings)
    way = descending(network, objective, size, seeds, settings, magnitude)
    return descent.run(deepest, way, settings, state, marks)


def descending(
    network: Network,
    objective: objectives.Objective | Callable,
    size: tuple[int, int] | None,
    seeds: tuple[int, ...],
    settings: Maximization,
    magnitude: np.ndarray | None = None,
) -> descent.Descending:
    """Returns the way down of `iterate`, ready to be run or timed."""
    found, deepest, (height, width) = resolved(network, objective, size, len(seeds))
    settings = published(network, deepest, (height, width), settings)
    if settings.optimizer != "lbfgs":  # See `zero_gradients.energy`.
        network = network.waking(found.layers)
    watch = bool(settings.transparency)
    if settings.parameterization != "pixels":
        written = _waves(network, (height, width), seeds, settings, magnitude)
        crops = settings.crops if settings.parameterization == "phase" else None
        views = crops or settings.views
        if crops:
            found = objectives.mean_over_views(found, crops.count)
        return descent.spectrum_descent(
            network, -found, found.layers, written, seeds, settings, views, watch
        )
    noise = _noise(network, (height, width), seeds, settings)
    return descent.pixel_descent(network, -found, found.layers, noise, seeds, settings, watch)


def beginning(
    network: Network,
    size: tuple[int, int],
    seeds: tuple[int, ...],
    settings: Maximization,
    magnitude: np.ndarray | None = None,
) -> np.ndarray:
    """Returns the noise a maximisation begins with, display space; `settings` hold no None."""
    center = network.preprocessing.center(network.channels).numpy()
    if settings.parameterization != "pixels":
        written = _waves(network, size, seeds, settings, magnitude)
        return written.image(tf.constant(written.start)).numpy() + center
    noise = _noise(network, size, seeds, settings)
    return loop.cut(noise, noise.shape[1] - size[0]) + center


def _waves(network: Network, size, seeds, settings: Maximization, magnitude):
    """Returns the picture as a spectrum, or as the phases of one."""
    center = network.preprocessing.center(network.channels).numpy()
    if settings.parameterization == "fourier":
        return parameterizations.fourier(seeds, size[0], size[1], center)
    size = settings.crops.picture(size)
    if magnitude is None:
        magnitude = phase_parameterization.natural_magnitude(network.channels, *size)
    return phase_parameterization.phase(seeds, center, magnitude, size[1])


def _noise(network: Network, size, seeds, settings: Maximization) -> np.ndarray:
    """Returns the first canvas over pixels, centred, with room for the jitter."""
    height, width = (side + settings.jitter - 1 for side in size)
    return parameterizations.natural_noise(
        seeds, height, width, network.channels, settings.prior.color
    )


def resolved(network: Network, objective, size, batch: int):
    """Returns the objective, the deepest layer it taps, and the size of the images."""

    def deepest_of(layers):
        network.check(layers)
        return max(layers, key=lambda layer: network.paths.index(network.path(layer)))

    def shapes(size):
        return lambda layer: network.trace(layer, *size)

    if size is None:
        # A plain function is asked for its layers first, since they decide the size; then
        # whether it fits what they are at that size.
        plain = not isinstance(objective, objectives.Objective)
        any_size = network.fixed_size or (224, 224)
        layers = (
            objectives.layers_of(objective, shapes(any_size), batch) if plain else objective.layers
        )
        size = canvas(network, deepest_of(layers))
    objective = objectives.resolve(objective, shapes(size), batch)
    return objective, deepest_of(objective.layers), size


def published(
    network: Network, layer: str, size: tuple[int, int], settings: Maximization
) -> Maximization:
    """Returns `settings` with every None replaced.

    Raises:
        InputError: a setting is out of range.
    """
    if not 0 < settings.strength < math.inf:
        raise InputError(f"{arg('strength')}={settings.strength}: expected a number above 0.")
    if settings.parameterization not in (None, *PARAMETERIZATIONS):
        raise InputError(
            f"{arg('parameterization')}={settings.parameterization}: expected "
            f"{', '.join(PARAMETERIZATIONS)}."
        )
    count, weight = settings.diversity, settings.diversity_weight
    if not (isinstance(count, int | np.integer) and count >= 1):
        raise InputError(f"{arg('diversity')}={count}: expected a whole number, at least 1.")
    if not 0 <= weight < math.inf:
        raise InputError(f"{arg('diversity_weight')}={weight}: expected a number, at least 0.")
    crops = settings.crops
    if not (0.05 <= crops.smallest <= crops.largest <= 1 and crops.count >= 1):
        raise InputError(
            f"{arg('crops')}={crops}: expected sides of 0.05 to 1, the largest first, and at least "
            "one crop."
        )
    if settings.transparency not in (None, True, False):
        raise InputError(
            f"{arg('transparency')}={settings.transparency}: expected True, False or None."
        )
    chosen = settings.parameterization
    vector = len(network.graph.tensors[network.path(layer)].shape) != 4
    if chosen is None:
        deep = vector or network.stride(layer) >= _DEEP_STRIDE
        # Who asks for what only one of the two can do, gets that one.
        pixels = settings.optimizer in ("adagrad", "lbfgs") or settings.fine_steps
        pixels = pixels or settings.jitter is not None
        chosen = "fourier" if deep and not pixels else "pixels"
    optimizer = settings.optimizer or ("adagrad" if chosen == "pixels" else "adam")
    prior, transparent = settings.prior, settings.transparency
    if chosen == "phase" and prior == NaturalPrior():
        prior = NO_PRIOR  # The magnitudes are the prior, and nothing else is, in the paper.
    settings = dataclasses.replace(
        settings,
        prior=prior,
        parameterization=chosen,
        optimizer=optimizer,
        transparency=chosen == "phase" if transparent is None else transparent,
    )
    if chosen != "pixels":
        if optimizer != "adam":
            raise InputError(
                f"{arg('optimizer')}={optimizer}: a spectrum, seen in random views, is optimised "
                f"by adam; leave {arg('optimizer')} out, or choose "
                f"{arg('parameterization')}=pixels."
            )
        if settings.fine_steps:
            raise InputError(
                f"{arg('fine_steps')}={settings.fine_steps}: {chosen} has one stage; use "
                f"{arg('steps')}."
            )
        if settings.jitter not in (None, 1):
            raise InputError(
                f"{arg('jitter')}={settings.jitter}: {chosen} has random views in its place; leave "
                f"it out, or choose {arg('parameterization')}=pixels."
            )
        rate = _RATES[chosen] if settings.rate is None else settings.rate
        settings = dataclasses.replace(settings, jitter=1, rate=rate)
    if settings.transparency and settings.fine_steps:
        raise InputError(
            f"{arg('fine_steps')}={settings.fine_steps}: {arg('transparency')} is added up over "
            f"one stage; use {arg('steps')}."
        )
    return descent.derived(network, layer, size, settings)
