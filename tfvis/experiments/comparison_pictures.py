"""Pictures that two networks are compared on: of each domain as many, of each class alike."""

import dataclasses
import pathlib
from collections.abc import Mapping, Sequence

import numpy as np

from tfvis import files, images, tables
from tfvis.classifiers import datasets, example_images, learnt_pictures, splits
from tfvis.comparison import cka
from tfvis.errors import InputError, arg, marked
from tfvis.experiments import folders, messages
from tfvis.image_files.folders import LeftOut, is_system, left_out

# Pictures of a batch: their maps are held together, 54 MB each in VGG16 at 224 px.
_BATCH = 28
# Fewer in a domain say little; what can be computed is.
FEW = 20


@dataclasses.dataclass(frozen=True, eq=False)
class Pictures:
    """Pictures by domain, in batches that hold the same classes in the same order.

    Attributes:
        pixels: {domain: uint8 [n, height, width, 3]}.
        paths: {domain: n files}.
        labels: int64 [n], of every domain; -1 where no folders name classes.
        classes: names; () where there are none.
        batch: pictures of a batch; the last may have fewer, at least `cka.LEAST`.
        told: what is to be known of which they are, sentences.
    """

    pixels: Mapping[str, np.ndarray]
    paths: Mapping[str, tuple[str, ...]]
    labels: np.ndarray
    classes: tuple[str, ...]
    batch: int
    told: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """Pictures of each domain."""
        return len(self.labels)

    @property
    def batches(self) -> list[slice]:
        """Where each batch lies."""
        starts = range(0, self.count, self.batch)
        return [slice(k, min(k + self.batch, self.count)) for k in starts]


def chosen(
    places: Mapping[str, str],
    size: int | tuple[int, int],
    count: int,
    seed: int,
    learnt: Mapping[str, learnt_pictures.Learnt] | None = None,
) -> Pictures:
    """Reads pictures of each domain, squeezed to squares or cut to another shape.

    Args:
        places: {domain: a folder with a folder per class, a folder of pictures, or a CSV file}.
        size: see `example_images.load`.
        count: pictures of each domain at most.
        seed: which.
        learnt: {network: what it has learnt from}, which is left out; None is nothing.

    Raises:
        InputError: no domain; a domain without pictures, or with fewer than `cka.LEAST`.
    """
    if not places:
        raise InputError(f"{arg('images')}: name a domain at least, such as photo=FOLDER.")
    without = [domain for domain, place in places.items() if not _names_classes(place)]
    labelled = not without
    if without and len(without) < len(places):
        messages.note(
            f"{_and(without)} has no folders of classes, so that of the others they are not used."
        )
    sets = {domain: datasets.read([place], labelled=labelled) for domain, place in places.items()}
    classes = _common(sets) if labelled else ()
    sets, told = _held_out(sets, learnt or {})
    decks = {domain: _decks(found, classes, seed) for domain, found in sets.items()}
    rows = min(len(deck) for of_classes in decks.values() for deck in of_classes)
    if not rows:
        raise InputError(_too_few(0, classes, told))
    wanted = min(rows, -(-count // max(len(classes), 1)))
    read: dict[str, list] = {}
    for domain, of_classes in decks.items():
        broken: list[LeftOut] = []
        read[domain] = [_read(deck, wanted, size, broken) for deck in of_classes]
        found = sets[domain]
        files_of = found.files + len(found.broken)
        folders.say_left_out([*found.broken, *broken], files_of, found.notes)
    # What turned out damaged leaves the classes with fewer, all alike.
    rows = min(len(deck) for of_classes in read.values() for deck in of_classes)
    order = [(c, k) for k in range(rows) for c in range(max(len(classes), 1))][:count]
    each = _BATCH - _BATCH % len(classes) if 1 < len(classes) <= _BATCH else _BATCH
    over = len(order) % each
    if 0 < over < cka.LEAST and len(order) > each:
        order = order[: len(order) - over]
    if len(order) < cka.LEAST:
        raise InputError(_too_few(len(order), classes, told))
    if len(order) < FEW:
        messages.note(
            f"{len(order)} pictures of each domain: all numbers are rough, "
            f"{FEW} or more are better."
        )
    return Pictures(
        {d: np.stack([of[c][k][1] for c, k in order]) for d, of in read.items()},
        {d: tuple(of[c][k][0] for c, k in order) for d, of in read.items()},
        np.array([c if classes else -1 for c, _ in order], np.int64),
        classes,
        each,
        (*told, *_unknown(learnt or {})),
    )


def _too_few(count: int, classes: Sequence[str], told: Sequence[str]) -> str:
    return " ".join(
        [
            f"{arg('images')}: {count} pictures of each domain can be used, and comparing needs at "
            f"least {cka.LEAST}{' (the rarest class decides)' if classes else ''}.",
            *told,
        ]
    )


def _held_out(
    sets: Mapping[str, datasets.Dataset], learnt: Mapping[str, learnt_pictures.Learnt]
) -> tuple[dict[str, datasets.Dataset], list[str]]:
    """Returns the sets without what any network has learnt from, and sentences on that."""
    known = frozenset().union(*(one.digests for one in learnt.values()))
    left, told = dict(sets), []
    if known:
        for domain, found in sets.items():
            # A picture with several boxes is read once.
            digests = {path: splits.digest(path) for path in {e.path for e in found.examples}}
            out = {path for path, digest in digests.items() if digest in known}
            rest = tuple(one for one in found.examples if one.path not in out)
            left[domain] = dataclasses.replace(found, examples=rest)
            there = set(digests.values())
            whose = [label for label, one in learnt.items() if one.digests & there]
            told.append(
                f"Of {domain}, {len(out):,} of {len(digests):,} pictures are left out: "
                f"{_and(whose)} learnt from them."
                if out
                else f"None of the {len(digests):,} pictures of {domain} was learnt from by "
                f"{_and([label for label, one in learnt.items() if one.digests])}."
            )
    return left, told


def _unknown(learnt: Mapping[str, learnt_pictures.Learnt]) -> list[str]:
    """Returns a sentence on networks that do not say what they have learnt from, or none."""
    names = [label for label, one in learnt.items() if not one.complete]
    if not names:
        return []
    return [
        f"What {_and(names)} learnt from is not known: it may be among these pictures, and numbers "
        "on those are no test."
    ]


def _and(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def _names_classes(place: str) -> bool:
    """Tells whether a source names classes: a table, or a folder of folders."""
    found = files.located(place, f"{arg('images')}={place}")
    if not found.is_dir():
        return found.suffix.lower() in tables.ENDINGS
    return any(one.is_dir() and not is_system(one.name) for one in found.iterdir())


def _common(sets: Mapping[str, datasets.Dataset]) -> tuple[str, ...]:
    """Returns the classes that every domain has; says which are left out.

    Raises:
        InputError: fewer than two.
    """
    all_of = [found.classes for found in sets.values()]
    common = tuple(name for name in all_of[0] if all(name in other for other in all_of))
    if len(common) < 2:
        raise InputError(
            f"{arg('images')}: the domains have {len(common)} classes in common. They have: "
            + "; ".join(f"{d}: {datasets.listed(f.classes)}" for d, f in sets.items())
        )
    others = sorted({name for names in all_of for name in names} - set(common))
    if others:
        messages.note(f"not in every domain, and left out: {datasets.listed(others)}.")
    return common


def _decks(found: datasets.Dataset, classes: Sequence[str], seed: int) -> list[list]:
    """Returns the examples of each class, shuffled; one deck where there are none."""
    generator = np.random.default_rng(seed)
    examples = [found.examples[k] for k in generator.permutation(len(found.examples))]
    if not classes:
        return [examples]
    numbers = [found.classes.index(name) for name in classes]
    return [[one for one in examples if one.label == number] for number in numbers]


def _read(deck, wanted: int, size, broken: list[LeftOut]) -> list[tuple[str, np.ndarray]]:
    """Returns the first `wanted` that can be read, (path, uint8 [height, width, 3])."""
    found = []
    reads = example_images.load_all(deck, size)
    for number, read in reads:
        if isinstance(read, InputError):
            broken.append(left_out(pathlib.Path(deck[number].path), read))
        else:
            found.append((deck[number].path, images.quantize(read)))
        if len(found) == wanted:
            reads.close()
            return found
    if not found:
        raise InputError(f"None of {len(deck)} pictures can be read; {marked(broken[-1].detail)}")
    return found
