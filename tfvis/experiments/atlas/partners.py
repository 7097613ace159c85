"""Which unit of another network does what a unit does."""

import numpy as np

from tfvis.comparison import unit_matching
from tfvis.comparison.unit_matching import Matches
from tfvis.experiments.atlas.answers import Answered


def best(own: Answered, other: Answered) -> Matches:
    """Returns, for each unit of a layer, the one of another network's layer most like it.

    By Pearson's correlation over the same places of the same pictures (Li et al. 2016); of
    units that answer at hardly any of them there is none.

    Args:
        own, other: what the layers answered.
    """
    known = {name: k for k, name in enumerate(other.names)}
    shared = [(k, known[name]) for k, name in enumerate(own.names) if name in known]
    units = own.samples.shape[-1]
    if not shared:
        return Matches(np.full(units, -1), np.full(units, np.nan))
    numbers = np.array(shared).T
    one, two = (
        answered.samples[chosen].reshape(-1, answered.samples.shape[-1])
        for answered, chosen in zip((own, other), numbers, strict=True)
    )
    found = unit_matching.correlations(one, two)
    found[unit_matching.seldom(one)] = np.nan
    found[:, unit_matching.seldom(two)] = np.nan
    return unit_matching.best(found)
