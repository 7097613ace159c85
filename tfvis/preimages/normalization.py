"""Units by their names, each weighed by what photographs get from it: C / (M rf^2).

Mahendran & Vedaldi, IJCV 2016, section 5.2 (MV16): M is the unit's largest activation on
photographs, rf its receptive field. A picture in which a unit answers as much as it ever does
to photographs so weighs as much for every unit of a layer.
"""

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from tfvis import activation_statistics, image_arguments, objectives, phase_parameterization
from tfvis.errors import InputError, arg
from tfvis.networks.network import Network
from tfvis.objectives import parsing
from tfvis.objectives.parsing import Unit
from tfvis.preimages import activation_maximization
from tfvis.preimages.settings import Maximization
from tfvis.settings import given

# What counts as a change of an activation, as a share of the largest on photographs.
_MOVED = 1e-4


@dataclasses.dataclass(frozen=True)
class References:
    """Photographs that M is taken from.

    Attributes:
        name: stands for them where M is kept for the next time; None keeps nothing.
        numbered: returns them from a number on, each with its number, float32 [height, width,
            channels], display space, of one size; not called where all is known.
        count: says how many photographs they are, once they were looked at.
        given: whether a person chose them.
    """

    name: str | None
    numbered: Callable[[int], Iterable[tuple[int, np.ndarray]]]
    count: Callable[[], int]
    given: bool = True

    def pictures(self) -> Iterator[np.ndarray]:
        """Yields all of them."""
        for _, picture in self.numbered(0):
            yield picture


def demo_references(network: Network) -> References:
    """Returns crops of the two photographs that come with scikit-learn."""

    def numbered(first: int):
        crops = activation_statistics.demo_pictures(network)
        return itertools.islice(enumerate(crops), first, None)

    return References("scikit-learn's photographs", numbered, lambda: 2, False)


def given_references(network: Network, pictures: Sequence[np.ndarray] | None) -> References:
    """Returns pictures as references; without any, those of the demo.

    Args:
        network: whose channels they get.
        pictures: [height, width, 3] each, 0..255.

    Raises:
        InputError: no pictures, or not of one size.
    """
    if pictures is None:
        return demo_references(network)
    found = [image_arguments.picture(one, network.channels, "references") for one in pictures]
    if len({one.shape for one in found}) != 1:
        raise InputError(f"{arg('references')}: expected pictures of one size, at least one.")
    return References(
        None, lambda first: itertools.islice(enumerate(found), first, None), lambda: len(found)
    )


def statistics(
    network: Network, units: Sequence[Unit], references: References
) -> dict[str, activation_statistics.Statistics]:
    """Returns what the layers of channels among units do on references, in one pass.

    Args:
        network: the network.
        units: those of channels count.
        references: what is looked at.
    """
    layers = list(dict.fromkeys(unit.layer for unit in units if unit.kind == "channel"))
    if not layers:
        return {}
    if references.name is None:
        return activation_statistics.measured(network, layers, references.numbered(0))
    return activation_statistics.kept(network, layers, references.name, references.numbered)


def largest(
    found: dict[str, activation_statistics.Statistics],
    units: Sequence[Unit],
    everywhere: bool = False,
) -> dict[str, np.ndarray]:
    """Returns {layer: M of every channel, float32 [channels], floored}.

    Args:
        found: what `statistics` returned of these units.
        units: those of channels count.
        everywhere: of means over maps, where no neuron of the layer is asked for.

    Raises:
        InputError: nothing in a layer answers the references.
    """
    return {
        layer: activation_statistics.floored(
            one.largest_mean if of_means(layer, units, everywhere) else one.largest, layer
        )
        for layer, one in found.items()
    }


def of_means(layer: str, units: Sequence[Unit], everywhere: bool) -> bool:
    """Tells whether units of a layer are raised as means: where no neuron of it is asked for."""
    return everywhere and not any(unit.position for unit in units if unit.layer == layer)


def magnitude(
    network: Network,
    references: References | Sequence[np.ndarray] | None,
    size: tuple[int, int],
    settings: Maximization,
) -> np.ndarray | None:
    """Returns the magnitude of the waves of "phase".

    Args:
        network: the network.
        references: photographs it is measured on; without any it is 1 / f.
        size: (height, width) of what the network is shown, a crop.
        settings: of another parameterization it is None.

    Raises:
        InputError: see `given_references`.
    """
    if settings.parameterization != "phase":
        return None
    if references is None:
        picture = settings.crops.picture(size)
        return phase_parameterization.natural_magnitude(network.channels, *picture)
    if not isinstance(references, References):
        references = given_references(network, references)
    size = settings.crops.picture(size)
    return phase_parameterization.mean_magnitude(references.pictures(), *size)


def activation(
    network: Network,
    units: Sequence[Unit],
    size: tuple[int, int],
    found: dict[str, np.ndarray],
    references: References,
    everywhere: bool = False,
) -> tuple[objectives.Objective, np.ndarray]:
    """Returns the activation of units of one layer and kind, one per image, and M of each.

    Args:
        network: the network.
        units: channels of one layer; or one direction, or one whole layer.
        size: (height, width) of the images.
        found: what `largest` returned.
        references: where M of a direction or a layer is taken from.
        everywhere: means over maps, not the neurons at their centres.

    Raises:
        InputError: nothing in the layer answers the references.
    """
    first = units[0]
    layer = first.layer
    if first.kind == "channel":
        places = [unit.position for unit in units]
        channels = [given(unit.channel) for unit in units]
        objective = activation_maximization.unit(
            network, layer, channels, size, places, everywhere and not any(places)
        )
        return objective, np.array([found[layer][channel] for channel in channels])
    if first.kind == "layer":
        objective = objectives.layer_norm(layer)
    else:
        shape = network.trace(layer, *size)
        center = None if everywhere or len(shape) == 1 else (shape[0] // 2, shape[1] // 2)
        objective = objectives.direction(layer, first.vector, center, first.name)
    most = activation_statistics.largest_along(network, layer, first.vector, references.pictures())
    return objective, activation_statistics.floored(np.array([most]), layer)


def raised(
    answers: np.ndarray, began: np.ndarray, most: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Tells which units were raised, and which rose, bool [batch] each.

    One was raised if it answers at all, and not just as to the noise of the start; one that
    answers more than that, and still not above 0, rose.

    Args:
        answers: float [batch], to the pictures.
        began: float [batch], to the noise of the start.
        most: float [batch], M.
    """
    moved = np.abs(answers - began) > _MOVED * most
    return moved & (answers > 0), moved & (answers > began)


def check_position(
    network: Network, unit: Unit, size: tuple[int, int], argument: str = "units"
) -> None:
    """Raises InputError unless a unit's place, by an argument, lies in the map of an image."""
    if unit.position is None:
        return
    shape = network.trace(unit.layer, *size)
    if len(shape) != 3:
        raise InputError(
            f"{arg(argument)}={unit.layer}:{unit.name}: the layer is a vector, without places."
        )
    if unit.position[0] >= shape[0] or unit.position[1] >= shape[1]:
        raise InputError(
            f"{arg(argument)}={unit.layer}:{unit.name}: outside the map, which has {shape[0]} rows "
            f"and {shape[1]} columns at {size[0]} px (see {arg('size')})."
        )


def unit(
    network: Network,
    word: str,
    *,
    size: tuple[int, int] | None = None,
    references: Sequence[np.ndarray] | None = None,
    strength: float = Maximization.strength,
) -> objectives.Objective:
    """Returns one unit's activation, weighed C / (M rf^2), for sums with others.

    Args:
        network: the network.
        word: "block4_conv2:24" and the like, as `maximize` takes it, of one unit.
        size: (height, width) of the image it is for; None is what the unit can see.
        references: photographs M is taken from, [height, width, 3] each, of one size; None is
            two that come with scikit-learn.
        strength: C.

    Raises:
        InputError: no such unit, or several; a size it has no place in.
    """
    found = parsing.parse(word, network, argument="word")
    if len(found) > 1:
        raise InputError(f"{arg('word')}={word}: stands for {len(found)} units; expected one.")
    layer = found[0].layer
    size = size or activation_maximization.canvas(network, layer)
    check_position(network, found[0], size, "word")
    known = given_references(network, references)
    of_channels = largest(statistics(network, found, known), found)
    objective, most = activation(network, found, size, of_channels, known)
    return activation_maximization.normalized(network, objective, layer, size, most, strength)
