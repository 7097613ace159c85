"""Feature visualisation: from the name of a unit, or an objective, to pictures of it."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from tfvis import image_arguments, images, objectives, results
from tfvis.errors import InputError, arg
from tfvis.networks.network import Network
from tfvis.objectives import parsing
from tfvis.preimages import (
    activation_maximization,
    crop_answers,
    natural_activations,
    normalization,
    transparency,
)
from tfvis.preimages.descent import Progress
from tfvis.preimages.settings import Maximization
from tfvis.preimages.zero_gradients import SilentError

# Pixels optimised in one batch, which bounds memory, and the pictures in it, which bounds
# the graph that is compiled.
_BATCH_PIXELS, _BATCH = 16 * 224 * 224, 64


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class MaximizationResult(results.Result):
    """Pictures of units; see `results.Result`.

    Attributes:
        activations: float32 [batch], of the pictures in 8 bits, as `save` writes them; of an
            objective, its value.
        activation_ratios: float64 [batch], how many times the largest activation on
            photographs; NaN where nothing raised the unit above 0, or no photograph excites it;
            None of an objective.
        photographs: how many those are, see `natural_activations`; None of an objective.
        importance: float32 [batch, height, width], how much each pixel changed the objective over
            all steps, see `transparency`; None where it was not asked for.
        means: whether activations are means over maps.
    """

    activations: np.ndarray
    activation_ratios: np.ndarray | None
    photographs: int | None
    importance: np.ndarray | None = None
    means: bool = False

    @property
    def transparent(self) -> np.ndarray:
        """The pictures with their opacity as a last channel, 0..255.

        Raises:
            InputError: it was not asked for.
        """
        if self.importance is None:
            raise InputError(
                f"{arg('transparency')}: was not asked for; give transparency=True to maximize."
            )
        return transparency.transparent(self.images, self.importance)

    @property
    def activation(self) -> float:
        """That of the first picture."""
        return float(self.activations[0])

    @property
    def activation_ratio(self) -> float | None:
        """That of the first picture."""
        return None if self.activation_ratios is None else float(self.activation_ratios[0])

    def numbers(self) -> str:
        """Returns the ratios in words, or the activations of an objective."""
        if self.activation_ratios is None or self.photographs is None:
            return f"objective {results.mean_words(self.activations, '.3g')}"
        ratios = results.mean_words(self.activation_ratios, ".1f")
        largest = "largest mean" if self.means else "largest"
        return f"{ratios} x the {largest} of {natural_activations.photographs(self.photographs)}"


def most_at_once(size: tuple[int, int]) -> int:
    """Returns how many pictures of (height, width) are optimised in one batch at most."""
    return int(np.clip(_BATCH_PIXELS // (size[0] * size[1]), 1, _BATCH))


def maximize(
    network: Network,
    objective: str | objectives.Objective | Callable,
    *,
    size: int | tuple[int, int] | None = None,
    seeds: int | tuple[int, ...] = (0,),
    references: Sequence[np.ndarray] | None = None,
    settings: Maximization = Maximization(),
    callback: Callable[[Progress], object] | None = None,
    **constants,
) -> MaximizationResult:
    """Finds images on which a unit answers most, or an objective is large.

    Args:
        network: the network.
        objective: a unit's name: "block4_conv2:24", "block4_conv2:0-3", a neuron
            "block4_conv2:7@3x5", a class "logit:guitar", a direction "block4_conv2:vector.npy",
            or a whole layer; it weighs C / (M rf^2), see `normalization`. Or an Objective, such as
            a sum of `unit`s, or a plain function {layer: [batch, ...]} -> [batch]; these weigh
            what they say.
        size: of the images, (height, width) or the side of a square; None is what the unit can
            see of an image. With parameterization="phase" the images are as much larger as crops
            of them are to be of this size (`transforms.Crops`).
        seeds: one start each, for every unit.
        references: photographs M is taken from, [height, width, 3] each, of one size; None is
            two that come with scikit-learn. Of a unit's name only, but with
            parameterization="phase", whose spectrum they have; None is then 1 / f.
        settings: constants; None among them are derived. `strength` is of a unit's name only.
        callback: is called with every `Progress`, each ten steps.
        **constants: of `Maximization`, in place of those of `settings`, such as steps=100.

    Returns:
        For each unit a picture per seed, and how many times M it answers.

    Raises:
        InputError: an argument is wrong; see `activation_maximization.iterate`.
        SilentError: an InputError; nothing raised any of the units.
        loop.DivergedError: the energy became NaN or infinite.
    """
    settings = results.with_constants(settings, constants)
    seeds = results.checked_seeds(seeds)
    if size is not None:
        size = _checked_size(network, size)
    if isinstance(objective, str):
        return _units(network, objective, size, seeds, references, settings, callback)
    if not callable(objective):
        raise InputError(
            f"{arg('objective')}={objective!r}: expected a unit's name such as 'block4_conv2:24', "
            "an objective, or a function of taps."
        )
    for name, given in (
        ("references", references is not None and settings.parameterization != "phase"),
        ("strength", settings.strength != Maximization.strength),
    ):
        if given:
            raise InputError(
                f"{arg(name)}: is of units by their names; an objective weighs what it says. "
                "Multiply it, or make it of tfvis.unit(network, ...)."
            )
    if settings.diversity > 1:
        raise InputError(
            f"{arg('diversity')}={settings.diversity}: is of units by their names; add "
            "tfvis.diversity(layer) to the objective, and give as many seeds."
        )
    resolved, layer, sides = activation_maximization.resolved(network, objective, size, len(seeds))
    magnitude = normalization.magnitude(network, references, sides, settings)
    return _found(network, resolved, resolved, layer, sides, seeds, settings, callback, magnitude)


def _units(network, word, size, seeds, references, settings, callback) -> MaximizationResult:
    units = parsing.parse(word, network, argument="objective")
    layers = list(dict.fromkeys(unit.layer for unit in units))
    if len(layers) > 1 or (len(units) > 1 and any(unit.kind != "channel" for unit in units)):
        raise InputError(
            f"{arg('objective')}={word}: expected one layer, and of directions and whole layers "
            "one at a time. Call maximize once for each."
        )
    (layer,) = layers
    size = size or activation_maximization.canvas(network, layer)
    for unit in units:
        normalization.check_position(network, unit, size, "objective")
    most, count = most_at_once(size), len(units) * len(seeds) * settings.diversity
    if count * settings.crops.count > most:
        raise InputError(
            f"{arg('objective')}={word}: {count} pictures of {size[0]} x {size[1]} px are too many "
            f"at once; ask for at most {most}."
        )
    settings = activation_maximization.published(network, layer, size, settings)
    seeds = tuple(seed + k for seed in seeds for k in range(settings.diversity))
    units = [unit for unit in units for _ in seeds]
    seeds *= len(units) // len(seeds)
    known = normalization.given_references(network, references)
    seen = normalization.statistics(network, units, known)
    means = activation_maximization.raises_means(settings)
    means = normalization.of_means(layer, units, means) and len(network.trace(layer, *size)) > 1
    largest = normalization.largest(seen, units, means)
    alike = units if units[0].kind == "channel" else units[:1]
    bare, chosen = normalization.activation(network, alike, size, largest, known, means)
    beside = natural_activations.natural(network, alike, known, seen, chosen, means)
    sought, scale = activation_maximization.filling(network, bare, layer, chosen, settings)
    weighted = activation_maximization.normalized(
        network, sought, layer, size, scale, settings.strength
    )
    weighted = activation_maximization.diverse(network, weighted, layer, size, settings)
    magnitude = normalization.magnitude(network, references, size, settings)
    return _found(
        network, weighted, bare, layer, size, seeds, settings, callback, magnitude, chosen, beside,
        (units, means), word,
    )  # fmt: skip


def _found(
    network, weighted, bare, layer, size, seeds, settings, callback, magnitude,
    largest=None, beside=None, asked=(), word=None,
) -> MaximizationResult:  # fmt: skip
    """Maximises `weighted` and measures `bare`.

    `largest` is M of each picture, `beside` what photographs get, `asked`
    the units and whether means of them; None and nothing of an objective.
    """
    settings = activation_maximization.published(network, layer, size, settings)
    runs = activation_maximization.iterate(
        network, weighted, size=size, seeds=seeds, settings=settings, magnitude=magnitude
    )
    last: list[Progress] = []

    def seen(progress):
        last[:] = [progress]
        return callback(progress) if callback is not None else None

    found = results.collected(runs, f"{network.name} {word or bare.description}", seen)

    def answers(pictures) -> np.ndarray:
        return crop_answers.answers(network, bare, pictures, size, *asked)

    activations = answers(images.quantize(found["images"]))
    ratios = None
    if largest is not None:
        began = answers(
            activation_maximization.beginning(network, size, seeds, settings, magnitude)
        )
        raised, rose = normalization.raised(activations, began, largest)
        if not (raised | rose).any():
            raise SilentError(
                f"Nothing raised {word}: the pictures show what noise and prior leave. Choose "
                "other units, or more steps.",
                found["images"],
            )
        ratios = natural_activations.ratios(activations, raised, beside.largest)
    return MaximizationResult(
        **found, settings=settings, activations=activations, activation_ratios=ratios,
        photographs=beside and beside.photographs, importance=last[-1].importance,
        means=bool(asked and asked[1]),
    )  # fmt: skip


def _checked_size(network: Network, size) -> tuple[int, int]:
    """Returns a size as (height, width)."""
    height, width = image_arguments.sides(size, 1, "a number of pixels, or (height, width)")
    if network.fixed_size and (height, width) != network.fixed_size:
        needed = " x ".join(map(str, network.fixed_size))
        raise InputError(
            f"{arg('size')}={size}: {network.name} takes {needed} px only; leave it out."
        )
    return height, width
