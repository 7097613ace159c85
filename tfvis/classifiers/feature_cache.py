"""What the frozen trunk sees of each picture, computed once and kept on disk.

The trunk is most of the work and never changes; with its maps in a file, a training costs the
tail alone, and two cores are enough. One file per source and view: trainings on other
mixtures of the same sources, other splits or other tails find them again.
"""

import collections
import contextlib
import dataclasses
import functools
import hashlib
import json
import math
import os
import pathlib
import shutil
from collections.abc import Callable
from typing import Protocol

import filelock
import numpy as np
import tensorflow as tf

from tfvis import bounds, files, images, read_ahead
from tfvis.classifiers import example_images
from tfvis.classifiers.augmentation import Views
from tfvis.classifiers.backbone import Backbone
from tfvis.classifiers.datasets import Dataset
from tfvis.errors import InputError, arg

# Pictures between two saves; also what one random state serves.
_CHUNK = 64
_HALF_MAX = float(np.finfo(np.float16).max)


@dataclasses.dataclass(frozen=True, eq=False)
class Features:
    """Maps of the trunk, for every example of a data set.

    Attributes:
        arrays: per source, per view: float16 [pictures, height, width, channels], on disk.
        where: int [examples, 2]: source and row of each example.
        broken: {number of an example: why it could not be read}.
        digest: of everything that decides the arrays.
    """

    arrays: tuple[tuple[np.ndarray, ...], ...]
    where: np.ndarray
    broken: dict[int, str]
    digest: str = ""

    @property
    def views(self) -> int:
        """How many there are of each picture."""
        return min(len(source) for source in self.arrays)

    def gather(self, examples: np.ndarray, views: np.ndarray) -> np.ndarray:
        """Returns float16 [batch, height, width, channels].

        Args:
            examples: numbers in the data set.
            views: of each.
        """
        chosen = [
            self.arrays[self.where[e, 0]][v][self.where[e, 1]]
            for e, v in zip(examples, views, strict=True)
        ]
        return np.stack(chosen)


@dataclasses.dataclass(frozen=True)
class View:
    """One way to show every picture.

    Attributes:
        number: of the flip, turn, crop and colours; 0 is the picture itself.
        drawn: whether only its lines are left.
        styles: digest of the styles it is shown in, "" for its own.
    """

    number: int
    drawn: bool = False
    styles: str = ""

    @property
    def stem(self) -> str:
        """Name of its files."""
        kind = f"styled{self.styles}-" if self.styles else "drawn" if self.drawn else "view"
        return f"{kind}{self.number}"


class Styling(Protocol):
    """Shows pictures in other styles on their way through the trunk."""

    views: tuple[View, ...]
    digest: str

    def maps(self, pictures: np.ndarray, view: int, first: int, domain: int) -> list[np.ndarray]:
        """Returns float16 maps at the cut.

        Args:
            pictures: float32 [batch, height, width, channels], 0..255.
            view: number of it.
            first: row of the first picture in its source.
            domain: of the pictures.
        """


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How features are made.

    Attributes:
        size: side of the square that pictures are squeezed into.
        views: of each picture; the first is the picture itself.
        drawn: further views, of which only lines are left.
        seed: of the views.
        crop_borders: whether to take off colour charts and rulers first.
        precision: of the trunk's arithmetic.
    """

    size: int = 224
    views: int = 1
    seed: int = 0
    crop_borders: bool = False
    precision: str = "float32"
    drawn: int = 0

    @property
    def all_views(self) -> tuple[View, ...]:
        """Plain views, then those of lines."""
        plain = [View(number) for number in range(self.views)]
        return (*plain, *(View(number, drawn=True) for number in range(self.drawn)))


def features(
    parts: Backbone,
    dataset: Dataset,
    recipe: Recipe,
    folder: pathlib.Path,
    progress: Callable[[int, int], None] = lambda done, total: None,
    styling: Styling | None = None,
) -> Features:
    """Returns the trunk's maps of all examples, computing those that are not yet on disk.

    Args:
        parts: where the network is cut.
        dataset: pictures; its domains are the sources.
        recipe: how to look at them.
        folder: where maps are kept; stopped at any moment, the same call goes on.
        progress: called with the pictures done and all there are to do, views counted.
        styling: how to show all of them in other styles; the views are its own, then.

    Raises:
        InputError: the disk has no room, pictures of this size are too small for the
            network, or none can be read.
    """
    sources = collections.defaultdict(list)
    for number, example in enumerate(dataset.examples):
        sources[example.domain].append(number)
    where = np.zeros((len(dataset.examples), 2), np.int64)
    taps = parts.network.taps([parts.cut], recipe.precision)

    @tf.function(autograph=False)
    def run(batch):
        return halves(taps(batch)[parts.cut])

    def plain(pictures, view, first, domain):
        return [run(one[None])[0].numpy() for one in pictures]

    views = styling.views if styling else recipe.all_views
    shape = parts.network.shape(parts.cut, recipe.size, recipe.size)
    if not math.prod(parts.network.shape(parts.last, recipe.size, recipe.size)):
        raise InputError(
            f"{arg('size')}={recipe.size}: nothing is left of such pictures at {parts.last} of "
            f"{parts.network.name}; take larger ones."
        )
    stores = []
    for k, numbers in enumerate(sources.values()):
        where[numbers, 0], where[numbers, 1] = k, np.arange(len(numbers))
        chosen = [dataset.examples[number] for number in numbers]
        stores.append(_Store(folder, chosen, shape, parts, recipe, views))
    _check_room(folder, sum(store.missing for store in stores) * 2 * math.prod(shape))
    total, before = len(dataset.examples) * len(views), 0
    for store in stores:
        for done in store.fill(styling.maps if styling else plain, recipe):
            progress(before + done, total)
        before += len(store.examples) * len(views)
    broken = {
        numbers[row]: reason
        for store, numbers in zip(stores, sources.values(), strict=True)
        for row, reason in store.broken.items()
    }
    if len(broken) == len(dataset.examples):
        first = next(iter(broken.values()))
        raise InputError(f"None of {len(broken)} pictures can be read; the first: {first}")
    digest = " ".join([store.digest for store in stores] + ([styling.digest] if styling else []))
    return Features(tuple(store.arrays() for store in stores), where, broken, digest)


def chunk_of(row: int, count: int) -> tuple[int, int]:
    """Returns the first row and the size of the chunk of a source that a row is in.

    Args:
        row: of a picture.
        count: of pictures in the source.
    """
    first = int(row) - int(row) % _CHUNK
    return first, min(_CHUNK, count - first)


def halves(maps: tf.Tensor) -> tf.Tensor:
    """Returns maps in half precision, what is beyond it clipped."""
    return tf.cast(tf.clip_by_value(maps, -_HALF_MAX, _HALF_MAX), tf.float16)


class _Store:
    """The maps of one source, a file per view and a note of how far each has come."""

    def __init__(self, folder, examples, shape, parts: Backbone, recipe: Recipe, views):
        self.examples, self._shape, self._views = examples, shape, views
        self.digest = _digest(examples, parts, recipe)
        self._folder = folder / self.digest
        self._read_notes()

    def _read_notes(self) -> None:
        self._notes = [self._note(view) for view in self._views]
        self.broken = {row: why for note in self._notes for row, why in note["broken"].items()}
        self.missing = sum(len(self.examples) - note["done"] for note in self._notes)

    def _path(self, view: View) -> pathlib.Path:
        return self._folder / f"{view.stem}.npy"

    def _note(self, view: View) -> dict:
        path = self._path(view)
        try:
            words = path.with_suffix(".json")
            note = json.loads(files.read_bytes(words, str(words), bounds.MANIFEST))
            array = np.load(path, mmap_mode="r", allow_pickle=False)
            good = array.shape == (len(self.examples), *self._shape)
            if good and 0 <= note["done"] <= len(self.examples):
                broken = {int(row): why for row, why in dict(note["broken"]).items()}
                return {"done": int(note["done"]), "broken": broken}
        except (OSError, EOFError, ValueError, KeyError, TypeError):
            pass
        return {"done": 0, "broken": {}}

    def fill(self, maps, recipe: Recipe):
        """Computes what is missing; yields how many are done, views counted."""
        if not self.missing:
            yield len(self.examples) * len(self._views)
            return
        # Another process may be at the same maps; what it has finished is found then.
        with self._locked():
            self._read_notes()
            yield from self._fill(maps, recipe)

    def _locked(self) -> filelock.AcquireReturnProxy:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            return filelock.FileLock(self._folder / "lock").acquire()
        except OSError as error:
            raise self._refusal(self._folder, error) from error

    def _fill(self, maps, recipe: Recipe):
        views = Views(recipe.seed)
        for k, (view, note) in enumerate(zip(self._views, self._notes, strict=True)):
            before = k * len(self.examples)
            done = note["done"]
            yield before + done
            if done == len(self.examples):
                continue
            array = self._open(view, done > 0)
            chunks = range(done, len(self.examples), _CHUNK)
            shown = functools.partial(self._shown, recipe, views, view)
            # The next chunk is read and varied while the trunk looks at this one.
            with contextlib.closing(read_ahead.ahead(shown, chunks)) as coming:
                for first, (batch, broken) in zip(chunks, coming, strict=True):
                    chunk = self.examples[first : first + _CHUNK]
                    self.broken |= broken
                    note["broken"] |= broken
                    found = maps(batch, view.number, first, chunk[0].domain)
                    array[first : first + len(chunk)] = found
                    array.flush()
                    note["done"] = first + len(chunk)
                    files.write_text(self._path(view).with_suffix(".json"), json.dumps(note))
                    yield before + note["done"]

    def _shown(self, recipe: Recipe, views: Views, view: View, first: int):
        """Returns a chunk of pictures in a view, and {row: why} of those that cannot be read."""
        chunk = self.examples[first : first + _CHUNK]
        batch = np.zeros((len(chunk), recipe.size, recipe.size, 3), np.float32)
        broken: dict[int, str] = {}
        for row, found in example_images.load_all(chunk, recipe.size, recipe.crop_borders):
            if isinstance(found, str | InputError):
                broken[first + row] = str(found)
            else:
                batch[row] = found
        return images.with_channels(views(batch, view.number, first, view.drawn), 3), broken

    def _open(self, view: View, exists: bool) -> np.ndarray:
        path = self._path(view)
        try:
            if exists:
                return np.lib.format.open_memmap(path, "r+")
            shape = (len(self.examples), *self._shape)
            array = np.lib.format.open_memmap(path, "w+", np.float16, shape)
            if hasattr(os, "posix_fallocate"):
                # Or a disk that runs full while a map of it is written ends the process.
                with open(path, "r+b") as file:
                    os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
            return array
        except OSError as error:
            if not exists:
                path.unlink(missing_ok=True)
            raise self._refusal(path, error) from error

    def _refusal(self, path: pathlib.Path, error: OSError) -> InputError:
        return InputError(
            f"Cannot write {path}: {error.strerror or error}. Name another {arg('cache')}."
        )

    def arrays(self) -> tuple[np.ndarray, ...]:
        """Returns the maps of each view, mapped into memory."""
        paths = [self._path(view) for view in self._views]
        return tuple(np.load(path, mmap_mode="r", allow_pickle=False) for path in paths)


def _digest(examples, parts: Backbone, recipe: Recipe) -> str:
    """Returns a name for everything that decides a source's maps, but the view's number."""
    whole = hashlib.sha256()
    settings = (recipe.size, recipe.seed, recipe.crop_borders, recipe.precision, _CHUNK)
    whole.update(repr((parts.trunk_fingerprint(), parts.cut, settings)).encode())
    whole.update(repr(parts.network.preprocessing).encode())
    for example in examples:
        about = os.stat(example.path)
        stamp = (os.path.abspath(example.path), about.st_size, about.st_mtime_ns, example.box)
        whole.update(repr(stamp).encode())
    return whole.hexdigest()[:24]


def _check_room(folder: pathlib.Path, needed: int) -> None:
    if not needed:
        return
    files.make_folder(folder, "cache")
    free = shutil.disk_usage(folder).free
    # Maps of a disk that runs full while they are written would end the process.
    if needed > 0.9 * free:
        raise InputError(
            f"The trunk's maps take {needed / 2**20:,.1f} MiB, and {folder} has "
            f"{free / 2**20:,.1f} MiB free. Name another {arg('cache')}, or ask for fewer "
            f"{arg('views')}."
        )
