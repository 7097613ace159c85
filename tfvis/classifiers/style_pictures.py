"""Pictures whose styles training pictures are shown in, and that none of them is tested on.

They come from a folder, from what `apps.styles` wrote (a picture per cluster, its medoid), from a
transform network, which paints in the styles it has learnt (`painted_views`), or from the training
pictures themselves, each lent to those of other sources (Somavarapu et al. 2020, who
generalise to unseen domains by that alone).
"""

import dataclasses
import os
import pathlib
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from tfvis import files, tables
from tfvis.classifiers import example_images, near_duplicates, splits
from tfvis.classifiers.datasets import Dataset, Example
from tfvis.errors import InputError, arg
from tfvis.image_files import folders
from tfvis.networks import registry
from tfvis.style.fast import checkpoint_files

# The word for styles of the training pictures themselves.
SOURCES = "sources"
# Of each source at most, so that looking at styles stays a small part of the work; with four
# copies of a thousand pictures, a style is drawn about sixteen times.
_MOST = 256
_TABLE, _MEDOIDS = "styles.csv", "medoids"


@dataclasses.dataclass(frozen=True)
class Styles:
    """Pictures to take styles from.

    Attributes:
        name: what asked for them.
        examples: the pictures; the domain of one that no source lends is -1.
        origins: files that the pictures were made of.
        among: files that were compared to find them.
        painter: the checkpoint of a transform network that paints in them, "" for none; they are
            all of its styles, then, in its order.
    """

    name: str
    examples: tuple[Example, ...]
    origins: tuple[str, ...] = ()
    among: tuple[str, ...] = ()
    painter: str = ""

    def digests(self) -> list[str]:
        """Returns the `splits.digest` of each picture and of what it was made of."""
        paths = (*(one.path for one in self.examples), *self.origins)
        return sorted({found for path in paths if (found := splits.digest(path))})


def read(name: str) -> Styles:
    """Lists the pictures of a folder, the medoids in a workdir of `apps.styles`, or what a
    transform network paints in.

    Args:
        name: of the folder, or of one picture; a checkpoint of `apps.train_style`, by its folder or
            its name.

    Raises:
        InputError: there is no such place, no picture in it, or a bad table.
    """
    label = f"{arg('style_augment')}={name}"
    painter = registry.find_checkpoint(name, "style_augment", checkpoint_files.DESCRIPTION)
    if painter:
        return _of_painter(painter, name, label)
    place = files.located(name, label)
    table = place / _TABLE
    if not table.is_file():
        return Styles(name, _examples(place, label))
    _, rows = tables.read(table, str(table), ("path", "cluster", "medoid"))
    origins, among = [], []
    for row in rows:
        row.check()
        path = _found(row["path"], place)
        among.append(path)
        if row["medoid"].strip().lower() in ("1", "true"):
            origins.append(path)
    if not origins or not (place / _MEDOIDS).is_dir():
        raise InputError(f"{label}: no style was found there: it has no medoid.")
    return Styles(name, _examples(place / _MEDOIDS, label), tuple(origins), tuple(among))


def _of_painter(folder: pathlib.Path, name: str, label: str) -> Styles:
    names = checkpoint_files.description(folder, label)["styles"]
    paths = [checkpoint_files.picture(folder, style) for style in names]
    for path in paths:
        # Without it nobody can tell what the style was taken from.
        if not path.is_file():
            raise InputError(f"{label}: {path.name} is missing, which shows one of its styles.")
    examples = (Example(str(path), -1, None, -1, path.name) for path in paths)
    return Styles(name, tuple(examples), painter=str(folder))


def of_sources(train: Dataset, barred: Sequence[str], seed: int) -> Styles:
    """Draws styles from the pictures to learn from, of each source alike.

    Args:
        train: the pictures to learn from, and no others.
        barred: the `splits.digest` of pictures that no style may be a copy of.
        seed: of the draw.

    Raises:
        InputError: pictures of one source only.
    """
    chosen: list[Example] = []
    unfit = set(barred)
    for domain in range(len(train.domains)):
        own = [one for one in train.examples if one.domain == domain]
        order = np.random.default_rng((seed, domain)).permutation(len(own))
        fit = (own[k] for k in order if splits.digest(own[k].path) not in unfit)
        chosen += [one for _, one in zip(range(_MOST), fit, strict=False)]
    found = dataclasses.replace(train, examples=tuple(chosen))
    check_several(found)
    return Styles(SOURCES, found.examples)


def check_several(train: Dataset) -> None:
    """Raises InputError where the pictures to learn from are of one source."""
    if len({one.domain for one in train.examples}) < 2:
        raise InputError(
            f"{arg('style_augment')}={SOURCES}: styles are lent from one source to another; name "
            f"two or more in {arg('data')}."
        )


def check_apart(
    styles: Styles,
    barred: Mapping[str, Dataset],
    progress: Callable[[int], None] = lambda done: None,
) -> Styles:
    """Returns the styles that can be read, none of which shows a picture to be tested on.

    Args:
        styles: of a folder.
        barred: {what they are, for the message: pictures that no style may show}.
        progress: called with how many of them have been compared.

    Raises:
        InputError: one does, by its bytes or as a near duplicate; none can be read.
    """
    parts = {one.path: what for what, part in barred.items() for one in part.examples}
    known = {mark: path for path in parts for mark in _marks(path)}

    def refuse(path: str, how: str, other: str):
        raise InputError(
            f"{arg('style_augment')}: {path} {how} {other}, which is {parts[other]}: no style may "
            "come from it. Take it away."
        )

    for path in (*(one.path for one in styles.examples), *styles.origins):
        for mark in _marks(path):
            if mark in known:
                refuse(path, "is the same picture as", known[mark])
    kept, ours = _fingerprints(styles.examples)
    if not kept:
        raise InputError(
            f"{arg('style_augment')}={styles.name}: none of its {len(styles.examples)} pictures "
            "can be read."
        )
    others, theirs = _fingerprints([Example(path, -1, None, -1) for path in parts], progress)
    for k, other in near_duplicates.pairs(ours, theirs):
        refuse(kept[k].path, "is a near duplicate of", others[other].path)
    return dataclasses.replace(styles, examples=tuple(kept))


def _marks(path: str) -> set[str]:
    """Returns what tells a file: where it really lies, and its bytes if they can be read."""
    return {os.path.realpath(path), splits.digest(path)} - {""}


def _fingerprints(
    examples: Sequence[Example], progress: Callable[[int], None] = lambda done: None
) -> tuple[list[Example], np.ndarray]:
    """Returns the examples that can be read, and their `near_duplicates.fingerprints`."""
    kept, found = [], []
    for k, pixels in example_images.load_all(examples, near_duplicates.SIDE):
        if not isinstance(pixels, InputError):
            kept.append(examples[k])
            found.append(near_duplicates.fingerprints([pixels])[0])
        progress(k + 1)
    return kept, np.stack(found) if found else np.zeros((0, near_duplicates.SIDE**2), np.float32)


def _examples(place: pathlib.Path, label: str) -> tuple[Example, ...]:
    paths, _ = folders.found(place, label)
    return tuple(Example(str(path), -1, None, -1, path.name) for path in paths)


def _found(path: str, place: pathlib.Path) -> str:
    """Returns a path of a table: as it is, or relative to the table's folder."""
    return path if os.path.isabs(path) or os.path.exists(path) else str(place / path)
