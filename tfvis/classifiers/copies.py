"""Files of a data set that are the same, byte for byte: under two classes, or in two parts.

A picture that is learnt from and tested on makes an accuracy that says nothing, and one under two
classes is wrong in one of them. Both happen to data sets that were put together from several.
"""

import collections
import dataclasses
import os

from tfvis.classifiers import splits
from tfvis.classifiers.datasets import Dataset


def groups(dataset: Dataset) -> list[list[str]]:
    """Returns the paths of each set of files that are the same, in the order of the data set.

    Args:
        dataset: only files of a length that another has are read whole.
    """
    lengths = collections.defaultdict(list)
    for path in dict.fromkeys(example.path for example in dataset.examples):
        try:
            lengths[os.stat(path).st_size].append(path)
        except OSError:  # Gone since: whoever reads it says so.
            continue
    found = collections.defaultdict(list)
    for length, paths in lengths.items():
        for path in paths if len(paths) > 1 else ():
            if digest := splits.digest(path):
                found[length, digest].append(path)
    return [paths for paths in found.values() if len(paths) > 1]


def contradictions(dataset: Dataset) -> list[tuple[str, str]]:
    """Returns two paths of each picture that is there under two classes, as a whole.

    Args:
        dataset: labelled; boxes of one picture may well be of several classes.
    """
    labels = collections.defaultdict(set)
    for example in dataset.examples:
        if example.box is None:
            labels[example.path].add(example.label)
    pairs = []
    for path, names in labels.items():
        if len(names) > 1:  # Of a table that lists it twice.
            pairs.append((path, path))
    for paths in groups(dataset):
        # None where all are looked at by boxes.
        whole = [path for path in paths if path in labels]
        unlike = [path for path in whole if labels[path].isdisjoint(labels[whole[0]])]
        if unlike:
            pairs.append((whole[0], unlike[0]))
    return pairs


def apart(parts: tuple[Dataset, ...]) -> tuple[tuple[Dataset, ...], list[tuple[str, str]]]:
    """Returns parts of which no later one has a picture that an earlier one has.

    Args:
        parts: of one data set, see `splits.split`.

    Returns:
        The parts, and (path that was taken out, path of its copy in an earlier part) of each.
    """
    whole = dataclasses.replace(
        parts[0], examples=tuple(example for part in parts for example in part.examples)
    )
    of = {path: number for number, paths in enumerate(groups(whole)) for path in paths}
    kept, out, first = [], {}, {}
    for number, part in enumerate(parts):
        for example in part.examples:
            group = of.get(example.path)
            if group is None:
                continue
            where, path = first.setdefault(group, (number, example.path))
            if where < number:
                out[example.path] = path
        examples = tuple(one for one in part.examples if one.path not in out)
        kept.append(dataclasses.replace(part, examples=examples))
    return tuple(kept), list(out.items())
