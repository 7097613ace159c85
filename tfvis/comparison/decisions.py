"""What two networks decide: how often rightly, and whether they err on the same pictures."""

import dataclasses

import numpy as np
import scipy.stats

from tfvis.errors import InputError


@dataclasses.dataclass(frozen=True)
class Share:
    """A share of cases, and how far it is known.

    Attributes:
        hits, of: counts.
        low, high: Wilson's 95 % interval, 0..1; nan without cases.
    """

    hits: int
    of: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """0..1; nan without cases."""
        return self.hits / self.of if self.of else float("nan")

    def __str__(self) -> str:
        if not self.of:
            return "-"
        return f"{self.value:.1%} ({self.low:.1%} to {self.high:.1%}, {self.of})"


def share(hits: int, of: int) -> Share:
    """Returns a share with its interval (Wilson 1927).

    Raises:
        InputError: not 0 <= hits <= of.
    """
    if not 0 <= hits <= of:
        raise InputError(f"Expected 0 <= hits <= cases. Received: {hits} of {of}")
    if not of:
        return Share(0, 0, float("nan"), float("nan"))
    found = scipy.stats.binomtest(int(hits), int(of)).proportion_ci(0.95, "wilson")
    return Share(int(hits), int(of), float(found.low), float(found.high))


def error_consistency(one: np.ndarray, other: np.ndarray) -> float:
    """Returns Cohen's kappa of being right, -1 to 1 (Geirhos, Meding & Wichmann 2020).

    1: two networks err on the same pictures; 0: as often as chance would have it. nan where
    chance alone makes them agree always (both always right, or both always wrong).

    Args:
        one, other: bool [n], whether each picture is named rightly.

    Raises:
        InputError: not the same pictures, or none.
    """
    one, other = np.asarray(one, bool), np.asarray(other, bool)
    if one.shape != other.shape or one.ndim != 1 or not len(one):
        raise InputError(f"Expected the same pictures: {one.shape}, {other.shape}")
    expected = one.mean() * other.mean() + (1 - one.mean()) * (1 - other.mean())
    if expected == 1:
        return float("nan")
    return float(((one == other).mean() - expected) / (1 - expected))


@dataclasses.dataclass(frozen=True)
class ShapeBias:
    """Whether shape or texture decides, where they say different things.

    Attributes:
        bias: decisions for the shape's class among those for either (Geirhos et al. 2019).
        either: those among all pictures of a conflict; few make the bias say little.
    """

    bias: Share
    either: Share


def shape_bias(decisions: np.ndarray, shapes: np.ndarray, textures: np.ndarray) -> ShapeBias:
    """Returns the shape bias of decisions on pictures with one class's shape, another's texture.

    Pictures whose two classes are the same are left out, and of the rest those count that are
    named one or the other: the rule of Geirhos et al. 2019.

    Args:
        decisions, shapes, textures: int [n], classes.

    Raises:
        InputError: not the same pictures.
    """
    decisions, shapes, textures = map(np.asarray, (decisions, shapes, textures))
    if not decisions.shape == shapes.shape == textures.shape or decisions.ndim != 1:
        raise InputError("Expected a decision and two classes of each picture.")
    conflict = shapes != textures
    shape = int(((decisions == shapes) & conflict).sum())
    texture = int(((decisions == textures) & conflict).sum())
    return ShapeBias(share(shape, shape + texture), share(shape + texture, int(conflict.sum())))
