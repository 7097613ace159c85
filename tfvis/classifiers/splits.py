"""Parts of a data set: for training, validation and testing, of each class its share.

Each file has a place between 0 and 1, by the SHA-256 of the seed and its path relative to the
source, so it keeps its part wherever the data set is moved. Each class has thresholds on these
places, such that each part has its share of it. They are kept with what was trained: by them, a
picture stays in its part whatever is added beside it, or taken away.
"""

import collections
import dataclasses
import functools
import hashlib
import os
from collections.abc import Mapping

from tfvis import files
from tfvis.classifiers.datasets import Dataset, Example
from tfvis.errors import InputError

PARTS = ("train", "validation", "test")
# {class: (place up to which files are for training, place up to which for validation)}, the
# rarest class first: a file with boxes of several classes goes by the first.
Thresholds = Mapping[str, tuple[float, float]]


def thresholds(
    dataset: Dataset, seed: int = 0, shares: tuple[float, float, float] = (0.8, 0.1, 0.1)
) -> Thresholds:
    """Returns the places that part each class of a data set.

    Of few files, training has the first, the test the second, validation the third.

    Args:
        dataset: to be parted; each file counts once, whatever boxes it has.
        seed: another one, another split.
        shares: of the files of each class, in all 1; 80/10/10 as Sabatelli et al. 2018,
            section 3.

    Raises:
        InputError: shares that are negative or are not 1 in all.
    """
    _check(shares)
    labels = _labels(dataset)
    count = collections.Counter(label for names in labels.values() for label in names)
    order = dict.fromkeys(sorted(count, key=lambda name: (count[name], name)), ())
    places = collections.defaultdict(list)
    for (_, key), names in labels.items():
        # A file of a rarer class as well goes by that one.
        places[_first(order, names)].append(_place(seed, key))
    found = {}
    for name in order:
        first, validation, _ = _counts(len(places[name]), shares)
        own = sorted(places[name])
        found[name] = (_between(own, first), _between(own, first + validation))
    return found


def split(
    dataset: Dataset,
    seed: int = 0,
    shares: tuple[float, float, float] = (0.8, 0.1, 0.1),
    at: Thresholds | None = None,
) -> tuple[Dataset, Dataset, Dataset]:
    """Parts a data set into three, for training, validation and testing.

    All boxes of a picture stay together.

    Args:
        dataset: to be parted; each part keeps its classes, domains and broken files.
        seed, shares: see `thresholds`.
        at: left out, `thresholds` of this data set. A class that is not in it is parted at
            the shares themselves.

    Raises:
        InputError: as `thresholds`.
    """
    _check(shares)
    at = thresholds(dataset, seed, shares) if at is None else at
    labels = _labels(dataset)
    plain = (shares[0], shares[0] + shares[1])
    parts: tuple[list[Example], ...] = ([], [], [])
    for example in dataset.examples:
        file = _file(example)
        place = _place(seed, file[1])
        first, second = at.get(_first(at, labels[file]), plain)
        part = 0 if place < first else 1 if place < second else 2
        # A share of nothing gets nothing, whatever the sum of the others rounds to.
        parts[part if shares[part] else shares.index(max(shares))].append(example)
    return tuple(dataclasses.replace(dataset, examples=tuple(part)) for part in parts)


def told(about: Mapping) -> tuple[int, tuple[float, ...], Thresholds]:
    """Returns the seed, shares and thresholds of a training, as its checkpoint tells them.

    Args:
        about: what it says of its data. Those trained before classes were parted each for itself
            have no thresholds.

    Raises:
        InputError: it does not say how its data were split.
    """
    try:
        rows = about.get("thresholds", [])
        places = {str(name): (float(first), float(second)) for name, first, second in rows}
        return int(about["seed"]), tuple(float(share) for share in about["shares"]), places
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError("Its description does not say how its data were split.") from error


def digests(*parts: Dataset) -> list[str]:
    """Returns the `digest` of each file of some parts that can be read, in order."""
    paths = dict.fromkeys(one.path for part in parts for one in part.examples)
    return sorted({found for path in paths if (found := digest(path))})


def digest(path: str) -> str:
    """Returns twelve hexadecimal digits that know a picture by its bytes, wherever it lies.

    By them is told whether a classifier has learnt from it: its SHA-256, as far as it takes to
    tell millions apart. "" where the file cannot be read.
    """
    try:
        about = os.stat(path)
        return _digest(path, about.st_size, about.st_mtime_ns)
    except (InputError, OSError):
        return ""


@functools.lru_cache(maxsize=2**16)
def _digest(path: str, size: int, changed: int) -> str:
    """As `digest`; one training asks for it of the same files four times."""
    del size, changed  # Of another file under the same name these are others.
    return files.sha256_of(path)[:12]


def _check(shares: tuple[float, ...]) -> None:
    if len(shares) != 3 or not all(s >= 0 for s in shares) or abs(sum(shares) - 1) > 1e-6:
        raise InputError(f"Expected three shares, 1 in all. Received: {tuple(shares)}")


def _file(example: Example) -> tuple[int, str]:
    return example.domain, example.key or example.path


def _labels(dataset: Dataset) -> dict[tuple[int, str], set[str]]:
    """Returns the classes of each file."""
    found: dict[tuple[int, str], set[str]] = collections.defaultdict(set)
    for example in dataset.examples:
        name = dataset.classes[example.label] if example.label >= 0 else ""
        found[_file(example)].add(name)
    return found


def _first(order: Mapping[str, tuple], names: set[str]) -> str:
    """Returns the first of a file's classes, in the order of the rarest."""
    return (
        next(iter(names))
        if len(names) == 1
        else next((name for name in order if name in names), "")
    )


def _place(seed: int, key: str) -> float:
    name = f"{seed}/{key}".encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.sha256(name).digest()[:8]) / 2**64


def _counts(total: int, shares: tuple[float, ...]) -> list[int]:
    """Returns how many of so many files are in each part."""
    counts = [int(total * share) for share in shares]
    for part in [part for part in (0, 2, 1) if shares[part] > 0][:total]:
        counts[part] = max(counts[part], 1)
    while sum(counts) != total:
        missing = [total * share - count for share, count in zip(shares, counts, strict=True)]
        if sum(counts) < total:
            counts[missing.index(max(missing))] += 1
        else:
            # None that has one alone gives it away.
            large = [m if count > 1 else 1.0 for m, count in zip(missing, counts, strict=True)]
            counts[large.index(min(large))] -= 1
    return counts


def _between(places: list[float], count: int) -> float:
    """Returns a place that so many of the sorted ones are below: in the middle of the gap."""
    below = places[count - 1] if count else 0.0
    above = places[count] if count < len(places) else 1.0
    return (below + above) / 2 if 0 < count < len(places) else above if count else 0.0
