"""The images that excite the units of a layer most, looked for through any number of them."""

import dataclasses
import itertools
import pathlib
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from tfvis import images
from tfvis.attention import deconvnet
from tfvis.attention.deconvnet import Peak
from tfvis.errors import InputError
from tfvis.experiments import folders, networks, runner
from tfvis.networks.network import Network
from tfvis.report import manifest

# A kill costs at most the images of so many seconds, or the few that are looked at together.
_SAVE_EVERY_S, _TOGETHER = 5.0, 4


@dataclasses.dataclass(frozen=True)
class Images:
    """The images that are looked through, and how networks are shown them.

    Attributes:
        found: files, or None for the demo's photographs.
        size, crop: see `networks.target`.
    """

    found: folders.Found | None
    size: int | None
    crop: str

    def __len__(self) -> int:
        return len(self.found.paths) if self.found else 2

    def digest(self) -> str:
        """Returns a name for this very set, shown in this way."""
        files = folders.digest(self.found) if self.found else "demo"
        return manifest.key(files=files, size=self.size, crop=self.crop)

    def again(self, network: Network, name: str) -> tuple[np.ndarray, tuple[int, int]]:
        """Returns an image that was looked through, and its (height, width) in its file."""
        picture = images.read(name).pixels if self.found else dict(self._pictures())[name]
        return networks.target(picture, network, self.size, self.crop), picture.shape[:2]

    def shown(self, network: Network, seen: Sequence[str]) -> Iterator[tuple[str, np.ndarray]]:
        """Yields the names of images and what the network looks at, but of those already seen."""
        for name, picture in self._pictures(seen):
            yield name, networks.target(picture, network, self.size, self.crop)

    def _pictures(self, seen: Sequence[str] = ()) -> Iterator[tuple[str, np.ndarray]]:
        if self.found is None:
            demo = zip(("china.jpg", "flower.jpg"), images.demo_set(), strict=True)
            yield from (one for one in demo if one[0] not in seen)
            return
        # Those before it that are not among the seen cannot be read.
        first = self.found.paths.index(pathlib.Path(seen[-1])) + 1 if seen else 0
        for path, picture in folders.pictures(self.found, first):
            yield str(path), picture


@dataclasses.dataclass
class Strongest:
    """The strongest images so far.

    Attributes:
        names: of the images that were looked at, in their order.
        peaks: {channel: the strongest, by the place of their image in `names`}.
    """

    names: list[str]
    peaks: dict[int, list[Peak]]


def strongest(
    network: Network,
    layer: str,
    channels: list[int],
    looked: Images,
    top: int,
    path: pathlib.Path,
    moved: Callable[[int], object],
) -> Strongest:
    """Looks through images, or goes on where that was stopped; see `deconvnet.strongest`.

    Args:
        network, layer, channels, top: see there.
        looked: the images.
        path: of a file that is kept meanwhile.
        moved: is told how many more images were looked at.

    Raises:
        InputError: as `deconvnet.strongest`; no image that can be read.
    """
    key = runner.key(network, layer=layer, channels=channels, top=top, images=looked.digest())
    found = _read(path, key, looked)
    moved(len(found.names))
    saved, shown = time.perf_counter(), looked.shown(network, found.names)
    while some := list(itertools.islice(shown, _TOGETHER)):
        names, pictures = zip(*some, strict=True)
        found.peaks = deconvnet.strongest(
            network, layer, channels, pictures, top, found.peaks, len(found.names)
        )
        found.names += names
        moved(len(names))
        if time.perf_counter() - saved >= _SAVE_EVERY_S:
            _write(path, key, found, looked)
            saved = time.perf_counter()
    _write(path, key, found, looked)
    return found


def _write(path: pathlib.Path, key: str, found: Strongest, looked: Images) -> None:
    peaks = {
        channel: [dataclasses.astuple(peak) for peak in peaks]
        for channel, peaks in found.peaks.items()
    }
    notes = looked.found.notes if looked.found else {}
    broken = list(looked.found.broken) if looked.found else []
    manifest.write(
        path,
        {"key": key, "names": found.names, "peaks": peaks, "notes": notes, "broken": broken},
    )


def _read(path: pathlib.Path, key: str, looked: Images) -> Strongest:
    """Returns what an earlier run had found, nothing where it looked at others."""
    said = manifest.read(path)
    if said.get("key") != key:
        return Strongest([], {})
    if looked.found:
        for name, notes in said["notes"].items():
            looked.found.notes[pathlib.Path(name)] = tuple(notes)
        for name in said["broken"]:
            try:
                images.read(name)
            except InputError as error:
                looked.found.leave_out(pathlib.Path(name), error)
    peaks = {
        int(channel): [Peak(*numbers) for numbers in rows]
        for channel, rows in said["peaks"].items()
    }
    return Strongest(said["names"], peaks)
