"""What units answer at most on photographs, and on how many: what a picture is measured by.

The M that an objective is divided by (`normalization`) decides a picture; this one only says how
much more it gets from the unit than photographs do, and comes from as many as there are.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from tfvis import photograph_statistics
from tfvis.activation_statistics import Statistics
from tfvis.networks.network import Network
from tfvis.objectives.parsing import Unit
from tfvis.preimages import normalization
from tfvis.settings import given


@dataclasses.dataclass(frozen=True, eq=False)
class Natural:
    """What photographs get from units of one layer.

    Attributes:
        photographs: how many.
        largest: float32 [units], the most; 0 or less where none of them excites the unit.
    """

    photographs: int
    largest: np.ndarray


def natural(
    network: Network,
    units: Sequence[Unit],
    references: normalization.References,
    found: dict[str, Statistics],
    most: np.ndarray,
    everywhere: bool = False,
) -> Natural:
    """Returns the most that photographs get from units of one layer and kind.

    From the photographs a person gave, else those the shipped statistics were measured on, else
    the two that come with scikit-learn.

    Args:
        network: the network.
        units: see `normalization.activation`.
        references: what M is taken from.
        found: what `normalization.statistics` returned.
        most: float [units], M, which directions and whole layers are measured by.
        everywhere: of means over maps.
    """
    layer = units[0].layer
    if units[0].kind != "channel":
        return Natural(references.count(), np.asarray(most, np.float32))
    channels = [given(unit.channel) for unit in units]
    means = normalization.of_means(layer, units, everywhere)
    if not references.given and (shipped := photograph_statistics.find(network)):
        # A classifier's scores are kept by the word for them.
        name = "logits" if network.path(layer) == network.logits else network.path(layer)
        if known := shipped.layers.get(name):
            largest = known["largest_mean" if means else "largest"]
            return Natural(shipped.photographs, largest[channels])
    one = found[layer]
    count = one.photographs if references.given else references.count()
    return Natural(count, (one.largest_mean if means else one.largest)[channels])


def photographs(count: int) -> str:
    """Returns how many photographs, in words."""
    return f"{count:,} photograph{'s' * (count != 1)}"


def ratios(answers: np.ndarray, raised: np.ndarray, largest: np.ndarray) -> np.ndarray:
    """Returns how many times the most of photographs units answer, float64 [units].

    NaN where nothing raised a unit, or no photograph excites it.

    Args:
        answers: float [units], to their pictures.
        raised: bool [units], see `normalization.raised`.
        largest: of `Natural`.
    """
    largest = np.asarray(largest, np.float64)
    known = np.asarray(raised) & (largest > 0)
    return np.where(known, answers / np.where(known, largest, 1), np.nan)
