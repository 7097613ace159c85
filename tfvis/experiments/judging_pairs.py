"""What `judge` says of explainers beside each other: which differ, on the same pictures."""

import itertools
import pathlib
from collections.abc import Mapping, Sequence

from tfvis import tables
from tfvis.attention.metrics.paired import LEVEL, Paired, paired

# Measures of which one end is the better one, and whether more is; how alike maps are is no
# contest, as a map by chance is like no other.
_MORE = {
    "deletion_color": False,
    "deletion_blur": False,
    "insertion_color": True,
    "insertion_blur": True,
    "road": True,
    "road_most_first": False,
    "road_least_first": True,
    "grid_pointing": True,
    "grid_hit": True,
    "pointing_game": True,
    "energy": True,
}
_COLUMNS = ("measure", "one", "other", "difference", "low", "high", "p", "pictures", "differ")
# {explainer: {path of a picture: number}} of a measure.
Values = Mapping[str, Mapping[str, float]]


def write(records: Sequence[dict], names: Sequence[str], path: pathlib.Path) -> list[str]:
    """Writes the difference of every two explainers in every measure; returns lines to print.

    Args:
        records: of the pictures, as `judging` makes them.
        names: of the explainers.
        path: of the table.

    Returns:
        For each measure whether its best and its second explainer differ.
    """
    measured = {measure: _values(records, names, measure) for measure in _MORE}
    pairs = {
        (measure, *two): found
        for measure, values in measured.items()
        for two in itertools.combinations(values, 2)
        if (found := _paired(values, *two))
    }
    tables.write(path, _COLUMNS, (
        (*key, *(f"{v:.6f}" for v in (one.mean, one.low, one.high, one.p)), one.count, one.differ)
        for key, one in pairs.items()
    ))  # fmt: skip
    return [line for m, values in measured.items() if (line := _best(m, values))]


def _values(records, names, measure: str) -> dict[str, dict[str, float]]:
    found = {
        name: {
            record["path"]: record["measures"][name][measure]
            for record in records
            if measure in record["measures"].get(name, ())
        }
        for name in names
    }
    return {name: values for name, values in found.items() if values}


def _paired(values: Values, one: str, other: str) -> Paired | None:
    """Returns the difference of two explainers; None of fewer than two common pictures."""
    both = [path for path in values[one] if path in values[other]]
    if len(both) < 2:
        return None
    return paired([values[one][path] for path in both], [values[other][path] for path in both])


def _best(measure: str, values: Values) -> str:
    """Returns whether the best two of a measure differ; "" where there are no two."""
    sign = 1 if _MORE[measure] else -1
    means = {name: sum(rows.values()) / len(rows) for name, rows in values.items()}
    first, second, *_ = *sorted(means, key=lambda name: -sign * means[name]), "", ""
    found = _paired(values, first, second) if second else None
    if found is None:
        return ""
    # Means may be of other pictures, where one explainer had no map: these are of the common ones.
    if sign * found.mean < 0:
        first, second, sign = second, first, -sign
    said = "they differ" if found.differ else "no difference that so many pictures show"
    return (
        f"{measure}: {first} before {second} by {sign * found.mean:.3f} "
        f"({LEVEL:.0%}: {min(sign * found.low, sign * found.high):.3f} to "
        f"{max(sign * found.low, sign * found.high):.3f}; p {found.p:.3f}, {found.count} "
        f"pictures): {said}"
    )
