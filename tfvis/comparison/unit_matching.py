"""Which unit of one network does what a unit of another does (Li et al. 2016).

"Convergent Learning": units are correlated over places of many pictures, and matched one to one,
or each with whichever is most like it.
"""

import dataclasses

import numpy as np
import scipy.optimize

from tfvis.errors import InputError

# Below this share of its mean square, what a unit's answers vary by is rounding.
_FLAT = 1e-10
# A unit that answers at fewer places than these, or this share of all, cannot be matched.
_PLACES, _SHARE = 10, 0.01


@dataclasses.dataclass(frozen=True, eq=False)
class Matches:
    """Partners of the units of one layer.

    Attributes:
        partner: int64 [units], in the other layer; -1 for a unit that is always the same, and of
            `one_to_one` for one that is left over.
        r: float64 [units], the correlation with it; nan without one.
    """

    partner: np.ndarray
    r: np.ndarray


def correlations(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Returns Pearson's correlation of units, float64 [units of one, units of other].

    nan in the rows and columns of units that answer the same everywhere.

    Args:
        one, other: [samples, units], at the same places of the same pictures.

    Raises:
        InputError: not as many samples, or fewer than three.
    """
    if len(one) != len(other) or len(one) < 3:
        raise InputError(
            f"Expected three or more samples of both layers. Received: {len(one)}, {len(other)}"
        )
    one, other = _standard(one), _standard(other)
    return np.clip(one.T @ other / len(one), -1, 1)


def seldom(samples: np.ndarray) -> np.ndarray:
    """Returns which units answer at hardly any place, bool [units].

    Two that answer at one and the same place only correlate by 1, whatever they look for.

    Args:
        samples: [samples, units].
    """
    places = (samples > samples.min(0)).sum(0)
    return places < max(_PLACES, _SHARE * len(samples))


def best(found: np.ndarray) -> Matches:
    """Returns, for each unit, the one that is most like it; several may share one.

    Args:
        found: [units, others], of `correlations`.
    """
    alive = ~np.isnan(found).all(1)
    partner = np.full(len(found), -1)
    partner[alive] = np.nanargmax(found[alive], 1)
    return _matches(found, partner)


def one_to_one(found: np.ndarray) -> Matches:
    """Returns the matching with the largest sum of correlations (the Hungarian method's).

    Signed: a unit that is silent where another answers does not do what that does. Li et al.
    take it so as well.

    Args:
        found: [units, others], of `correlations`.
    """
    rows, columns = (np.flatnonzero(~np.isnan(found).all(axis)) for axis in (1, 0))
    partner = np.full(len(found), -1)
    if rows.size and columns.size:
        chosen, by = scipy.optimize.linear_sum_assignment(
            found[np.ix_(rows, columns)], maximize=True
        )
        partner[rows[chosen]] = columns[by]
    return _matches(found, partner)


def _matches(found: np.ndarray, partner: np.ndarray) -> Matches:
    r = np.full(len(found), np.nan)
    known = partner >= 0
    r[known] = found[known, partner[known]]
    return Matches(partner, r)


def _standard(samples: np.ndarray) -> np.ndarray:
    """Returns samples of mean 0 and deviation 1; nan of units that are always the same."""
    samples = np.asarray(samples, np.float64)
    variance = samples.var(0)
    flat = variance <= _FLAT * np.square(samples).mean(0)
    return (samples - samples.mean(0)) / np.sqrt(np.where(flat, np.nan, variance))
