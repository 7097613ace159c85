"""Layers and the picture they are shown: what inversions and caricatures begin with."""

import dataclasses
import pathlib
from collections.abc import Callable

import numpy as np

from tfvis.experiments import devices, networks, runner
from tfvis.networks.network import Network
from tfvis.report import manifest, run_page, sheets
from tfvis.report.html_page import Linked, Pair


@dataclasses.dataclass(frozen=True)
class LayerTarget:
    """A layer of a network, and the picture it is shown.

    Attributes:
        label, network: the network.
        layer: its path.
        image: float32 [height, width, channels], display space.
        settings: of the recipe, none of them None.
        several: whether there are layers of other networks.
    """

    label: str
    network: Network
    layer: str
    image: np.ndarray
    settings: object
    several: bool

    @property
    def name(self) -> str:
        """Of the layer, and of its network where there are several."""
        return f"{self.label}/{self.layer}" if self.several else self.layer

    @property
    def title(self) -> str:
        """The same for a sheet."""
        apart = self.several and self.label != self.layer
        return f"{self.label} {self.layer}" if apart else self.layer

    @property
    def folder(self) -> pathlib.PurePosixPath:
        """Of its pictures, relative to the workdir."""
        return runner.folder(self.label, self.layer, self.several)

    def of(self, records: list[dict]) -> list[dict]:
        """Returns those records that are of this layer."""
        return [r for r in records if (r["network"], r["layer"]) == (self.label, self.layer)]

    def stored(self, records: list[dict], workdir: pathlib.Path) -> list[np.ndarray]:
        """Returns the pictures of this layer as their files have them."""
        return [runner.stored(workdir / r["file"], self.network) for r in self.of(records)]


def chosen(
    wanted,
    image: np.ndarray,
    layers: list[str] | dict[str, list[str]] | None,
    settings,
    published: Callable,
    *,
    workdir: pathlib.Path,
    size: int | tuple[int, int] | None,
    crop: str,
    precision: str,
    jit: str,
) -> list[LayerTarget]:
    """Returns the layers of each network, one network after the other.

    Args:
        wanted: a network, {label: network}, or `networks.Wanted`.
        image: float32 [height, width, 3], RGB, 0..255.
        layers: see `networks.layers_of`; None is five depths; by label of networks by label.
        settings: of the recipe.
        published: (network, layer, size, settings) -> settings, none of them None.
        workdir: exists; see `devices`, as for `precision` and `jit`.
        size, crop: see `networks.target`.

    Raises:
        InputError: no such network or layer; the layer cannot be done at this size.
    """
    built = networks.given(wanted, layers)
    named = networks.layers_of(built, layers)
    shown = {label: networks.target(image, net, size, crop) for label, net in built.items()}
    last = {label: names[-1] for label, names in named.items()}
    own = devices.settled(settings, (precision, jit), workdir, built, last, shown)
    return [
        LayerTarget(
            label, net, layer, shown[label],
            published(net, layer, shown[label].shape[:2], own[label]), len(built) > 1,
        )
        for label, net in built.items()
        for layer in named[label]
    ]  # fmt: skip


def rows(targets: list[LayerTarget]) -> list[tuple[LayerTarget, ...]]:
    """Returns the layers of like depth beside each other, networks across."""
    columns: dict[str, list[LayerTarget]] = {}
    for target in targets:
        columns.setdefault(target.label, []).append(target)
    return list(zip(*columns.values(), strict=True))


def made(targets: list[LayerTarget], records: list[dict]) -> list[LayerTarget]:
    """Returns those of which there are pictures; others were left out."""
    return [one for one in targets if one.of(records)]


def cells(
    targets: list[LayerTarget],
    records: list[dict],
    first: Callable[[], list[sheets.Cell]],
    of: Callable[[LayerTarget], list[sheets.Cell]],
) -> list[list[sheets.Cell]]:
    """Returns the rows of a sheet, layers of like depth beside each other.

    Args:
        targets: of the run.
        records: of all; a row without any is left out, a layer in another stays empty.
        first: () -> the cells that a row begins with.
        of: layer -> its cells, as many of each.
    """
    there = {one.name: of(one) for one in made(targets, records)}
    width = max(map(len, there.values()))
    blank = np.full((1, 1, 3), 255.0)
    found = []
    for row in rows(targets):
        if any(one.name in there for one in row):
            found.append(first())
            for one in row:
                gap = [sheets.Cell(blank, one.title, "left out")]
                gap += [sheets.Cell(blank)] * (width - 1)
                found[-1] += there.get(one.name, gap)
    return found


def told_left_out(workdir: pathlib.Path) -> list[str]:
    """Returns what a page says of what a run has left out."""
    left = manifest.read(workdir / "manifest.json").get("left_out")
    return [f"Left out: {why}" for why in left.values()] if left else []


def shown(targets: list[LayerTarget], workdir: pathlib.Path, title: str) -> dict[str, Linked]:
    """Saves what each network is shown, for a page; returns it by the network's label."""
    first = {target.label: target.image for target in reversed(targets)}
    return {
        label: run_page.shown(workdir, f"target_{k}", image, title=title)
        for k, (label, image) in enumerate(reversed(first.items()))
    }


def pair(
    targets: list[LayerTarget],
    record: dict,
    shown: dict[str, Linked],
    after: Linked,
    note: str = "",
) -> Pair:
    """Returns a picture of a layer over what its network was shown, with its numbers.

    Args:
        targets: of the run.
        record: of the picture.
        shown: of `shown`.
        after: the picture.
        note: below its title.
    """
    title = f"{record['network']} {record['layer']}" if targets[0].several else record["layer"]
    title += f", {record['restart'] + 1}" if record.get("restart") else ""
    return Pair(shown[record["network"]], after, title, note, run_page.numbers(record))


def header(targets: list[LayerTarget], arguments: dict | None) -> dict:
    """Returns what the manifest says besides its results."""
    built = {target.label: target.network for target in targets}
    jit = {target.label: target.settings.jit for target in targets}
    return runner.header(built, arguments) | {"jit": devices.decided(built, jit)}
