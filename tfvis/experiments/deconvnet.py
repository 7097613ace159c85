"""Deconvnets: the strongest images of units, their projections, the sheet."""

import dataclasses
import functools
import itertools
import pathlib
from collections.abc import Callable

import numpy as np

from tfvis import files, images
from tfvis.attention import boxes, deconvnet, saliency, smoothgrad
from tfvis.attention.explainers import KINDS
from tfvis.errors import InputError, arg
from tfvis.experiments import (
    folders,
    messages,
    outcome,
    runner,
    strongest_image_batches,
    strongest_images,
    unit_pages,
    workdirs,
)
from tfvis.experiments import units as naming
from tfvis.experiments.batch.engine import Engine
from tfvis.experiments.strongest_images import Images, Strongest
from tfvis.networks import relu_gradients
from tfvis.networks.network import Network
from tfvis.networks.receptive_field import receptive_field
from tfvis.objectives.parsing import Unit
from tfvis.report import gradient_images, manifest, sheets
from tfvis.report import patches as patches_of

# What any record has.
_NEEDED = {"key": str, "files": dict, "pictures": int, "file": str}
# A kill costs at most the records of so many seconds.
_SAVE_EVERY_S = 5.0
# The batch of images that are looked through in shards.
_STRONGEST = "strongest_images"
# Between the two halves of a unit's figure.
_GAP = 8


@dataclasses.dataclass(frozen=True)
class _Unit:
    """A unit, how it is taken back to pixels, and where that is put.

    Attributes:
        label, network: the network.
        unit: a channel.
        method: see `run`.
        seed: of smoothgrad.
        folder: of its pictures, relative to the workdir.
        several: whether there are other networks.
        top: see `run`.
        images: digest of those that are looked through.
    """

    label: str
    network: Network
    unit: Unit
    method: str
    seed: int
    folder: pathlib.PurePosixPath
    several: bool
    top: int
    images: str

    @functools.cached_property
    def key(self) -> str:
        """Digest of all that decides its pictures."""
        return runner.key(
            self.network, recipe="deconvnet", unit=self.unit, method=self.method, seed=self.seed,
            top=self.top, images=self.images,
        )  # fmt: skip

    def file(self, number: int, word: str = "projection") -> str:
        """Returns where one of its pictures is, relative to the workdir."""
        return (self.folder / f"{number}_{word}.png").as_posix()

    @property
    def figure(self) -> str:
        """Where all of them are together, relative to the workdir."""
        return self.folder.with_name(self.folder.name + ".png").as_posix()

    def finished(self, earlier: list[dict | None], workdir: pathlib.Path) -> list[dict]:
        """Returns the records of an earlier run if they are whole, else none."""
        count = earlier[0]["pictures"] if earlier[0] else 0
        found = [record for record in earlier[:count] if record and record["key"] == self.key]
        whole = len(found) == count and all(runner.whole(workdir, record) for record in found)
        return found if whole else []

    def name(self, between: str) -> str:
        """Returns the unit's name, after that of its network where there are several."""
        name = f"{self.unit.layer}:{self.unit.name}"
        return f"{self.label}{between}{name}" if self.several else name


@dataclasses.dataclass(frozen=True)
class _Seen:
    """A unit's strongest images: their names and activations, and its figure."""

    one: _Unit
    records: list[dict]
    figure: np.ndarray

    @property
    def said(self) -> str:
        """What is to be said of projections in which nothing is."""
        empty = sum(record["empty"] for record in self.records)
        if not empty:
            return ""
        return "empty" if empty == len(self.records) else f"{empty} of {len(self.records)} empty"


@workdirs.kept
def run(
    wanted,
    named: str | None = None,
    found: folders.Found | pathlib.Path | str | None = None,
    *,
    workdir: pathlib.Path | str,
    labels: str | None = None,
    size: int | None = None,
    crop: str = "center",
    top: int = 9,
    method: str = "deconvnet",
    seed: int = 0,
    engine: Engine | None = None,
    arguments: dict | None = None,
) -> outcome.Outcome:
    """Finds the images that excite units most, and projects the units back into them.

    Args:
        wanted: a network, {label: network}, or `networks.Wanted`.
        named: units, such as "block5_conv3:0-5"; None takes some channels at several depths.
        found: the images, see `folders.given`; None is the demo's photographs.
        workdir: for all results.
        labels: file with the names of classes, or None.
        size, crop: of what a network is shown, see `networks.target`.
        top: images per unit.
        method: a policy of `relu_gradients`, "saliency" or "smoothgrad".
        seed: of smoothgrad.
        engine: who shares the looking, in shards; None is this process alone.
        arguments: for the manifest.

    Returns:
        A record per unit and image.

    Raises:
        InputError: a unit that cannot be projected; no image that can be read; at the end, if
            all projections are empty.
    """
    looked = Images(folders.given(found, "images"), size, crop)
    if engine is not None:
        strongest_image_batches.check(wanted, looked)
    built = naming.built(wanted, named)
    chosen = naming.chosen(built, named, labels, each=3)
    if named is None:
        chosen = {label: _fit(built[label], units, method) for label, units in chosen.items()}
    for label, network in built.items():
        _check(network, chosen[label], size, method)
    known = KINDS.get(method)
    warning = {"warning": f"{known.title} {known.warning}"} if known and known.warning else {}
    header, several = runner.header(built, arguments) | warning, len(built) > 1
    before = manifest.read(workdir / "manifest.json")
    seen: list[_Seen] = []
    parts: list[runner.Part] = []
    states = []
    for label, network in built.items():
        shared = None
        if engine is not None:
            shared = strongest_image_batches.shared(
                wanted, named, label, network, chosen[label], looked, top, engine,
                workdir / runner.folder(label, _STRONGEST, several),
            )  # fmt: skip
        for layer in dict.fromkeys(unit.layer for unit in chosen[label]):
            folder = runner.folder(label, layer, several)
            group = [
                _Unit(
                    label, network, unit, method, seed, folder / runner.safe_name(unit.name),
                    several, top, looked.digest(),
                )
                for unit in chosen[label]
                if unit.layer == layer
            ]  # fmt: skip
            states.append(workdir / folder / ".strongest.json")
            look = functools.partial(_looked_through, group, looked, states[-1], shared)
            parts += _parts(group, looked, workdir, look, seen)
    records = runner.run(
        parts, workdir, lambda: header | _left_out(looked, before), "file", _NEEDED,
        word="Looking", every=_SAVE_EVERY_S,
    )  # fmt: skip
    for state in states:
        state.unlink(missing_ok=True)
    images.save_png(workdir / "sheet.png", _sheet(seen))
    if all(record["empty"] for record in records):
        raise InputError(
            f"{method}: nothing of any unit gets back to the pixels, so that all projections "
            f"in {workdir} are empty. Choose other {arg('units')} or {arg('images')}."
        )
    if looked.found:
        folders.report(looked.found)
    names = {one.one.figure: one.one.name(" ") for one in seen}
    page = unit_pages.strongest(records, workdir, method, names)
    return outcome.Outcome(records, [_line(one) for one in seen], workdir / "sheet.png", page)


def _looked_through(
    group: list[_Unit],
    looked: Images,
    state: pathlib.Path,
    shared: Callable[[], dict[str, Strongest]] | None,
    moved: Callable[[int], object],
) -> Strongest:
    """Returns the strongest images of a layer's units, looked for here or by others."""
    one = group[0]
    if shared:
        found = shared()[one.unit.layer]
        moved(len(looked))
        return found
    channels = [one.unit.channel for one in group]
    return strongest_images.strongest(
        one.network, one.unit.layer, channels, looked, one.top, state, moved
    )


def _parts(
    group: list[_Unit],
    looked: Images,
    workdir: pathlib.Path,
    look: Callable[[Callable[[int], object]], Strongest],
    seen: list,
) -> list[runner.Part]:
    """Returns the parts of a run, a unit each; the first that is left looks for all of a layer."""
    found: list[Strongest] = []

    def records(one: _Unit, cost: int, earlier: list[dict | None], bar) -> list[dict]:
        finished = one.finished(earlier, workdir)
        if finished:
            bar.update(cost)
            seen.append(_Seen(one, finished, images.read(workdir / one.figure).pixels))
            return finished
        if not found:
            moved = bar.update if one is group[0] else (lambda images: None)
            found.append(look(moved))
        seen.append(_project(one, looked, found[0], workdir))
        bar.update(one.top)
        return seen[-1].records

    looking = [len(looked)] + [0] * (len(group) - 1)
    return [
        runner.Part(
            tuple(map(one.file, range(one.top))),
            one.top + more,
            functools.partial(records, one, one.top + more),
        )
        for one, more in zip(group, looking, strict=True)
    ]


def _left_out(looked: Images, before: dict) -> dict:
    """Returns what a manifest says of files left out: of an earlier run, where none was read."""
    if looked.found is None:
        return {}
    told = folders.told(looked.found)
    read = looked.found.notes or looked.found.broken
    return told if read else told | {word: before[word] for word in told if word in before}


def _fit(network: Network, units: list[Unit], method: str) -> list[Unit]:
    """Returns the units that nobody named and a method can have; all, where there are none."""
    if method not in relu_gradients.POLICIES or method == "gradient":
        return units
    layers = dict.fromkeys(unit.layer for unit in units)
    others = {layer: relu_gradients.other_nonlinearity(network, layer) for layer in layers}
    left_out = [layer for layer in layers if others[layer]]
    if not left_out or len(left_out) == len(layers):
        return units
    messages.note(
        f"left out {', '.join(left_out)}: {arg('method')}={method} is defined for networks of "
        f"ReLUs only, and on the way there {network.name} has {others[left_out[0]]}."
    )
    return [unit for unit in units if not others[unit.layer]]


def _check(network: Network, units: list[Unit], size: int | None, method: str) -> None:
    """Raises InputError where a unit cannot be looked for in images, or projected."""
    for unit in units:
        if unit.kind != "channel" or unit.position:
            raise InputError(
                f"{arg('units')}={unit.layer}:{unit.name}: only channels and classes can be looked "
                "for in images, such as block5_conv3:110."
            )
    side = network.fixed_size or (size or network.side or 224,) * 2
    for layer in dict.fromkeys(unit.layer for unit in units):
        if 0 in network.trace(layer, *side):
            raise InputError(
                f"{arg('size')}={side[0]}: too small for {layer}, whose map would have no pixel."
            )
        if method in relu_gradients.POLICIES:
            relu_gradients.with_policy(network, method, [layer])


def _line(seen: _Seen) -> str:
    best, said = seen.records[0], seen.said
    return (
        f"{seen.one.name('/'):<28} strongest {best['activation']:9.2f} in {best['image']:<20} "
        f"{seen.one.figure}{'  ' + said if said else ''}"
    )


def _in_picture(box, seen: tuple[int, int], size: tuple[int, int], crop: str) -> list[float]:
    """Returns a field's (top, left, bottom, right) as x0, y0, x1, y1 in pixels of the picture.

    Args:
        box: in pixels of what the network was shown, of (height, width) `seen`.
        size: of the picture that was cut by `crop`, and resized to that.
    """
    top, left, bottom, right = map(int, box)
    x0, y0, x1, y1 = images.cropped(*size, crop, seen)
    there = boxes.scaled(boxes.Box(left, top, right, bottom), seen, (y1 - y0, x1 - x0))
    there = boxes.shifted(there, x0, y0)
    return [round(edge, 2) for edge in (there.x0, there.y0, there.x1, there.y1)]


def _project(one: _Unit, looked: Images, strongest: Strongest, workdir: pathlib.Path) -> _Seen:
    """Projects a unit back into its strongest images, draws and saves them."""
    network, layer, names = one.network, one.unit.layer, strongest.names
    peaks = strongest.peaks[one.unit.channel]
    projections, patches, records = [], [], []
    for k, peak in enumerate(peaks):
        target, whole = looked.again(network, names[peak.image])
        back = _back(one, peak, target)
        empty = not back.any()
        back = gradient_images.shown(back, signed=one.method in relu_gradients.POLICIES)
        field = receptive_field.receptive_field(network, layer, *target.shape[:2])
        box = field.box(peak.row, peak.column)
        side = [min(int(s), n) for s, n in zip(field.size, target.shape[:2], strict=True)]
        for pictures, pixels, word in (
            (projections, back, "projection"),
            (patches, target, "patch"),
        ):
            patch = patches_of.cut(pixels, box, side)
            images.save_png(workdir / one.file(k, word), patch)
            pictures.append(patch)
        records.append(
            {
                "network": one.label,
                "layer": layer,
                "unit": one.unit.name,
                "image": names[peak.image],
                "row": peak.row,
                "column": peak.column,
                "activation": peak.activation,
                "empty": empty,
                "box": _in_picture(box, target.shape[:2], whole, looked.crop),
                "file": one.file(k),
                "pictures": len(peaks),
                "key": one.key,
            }
        )
    left, right = patches_of.grid(projections), patches_of.grid(patches)
    between = np.full((len(left), _GAP, 3), 250.0)
    figure = np.concatenate([left, between, right], axis=1)
    images.save_png(workdir / one.figure, figure)
    for k, record in enumerate(records):
        written = (one.file(k), one.file(k, "patch"), one.figure)
        record["files"] = {name: files.sha256_of(workdir / name) for name in written}
    return _Seen(one, records, figure)


def _back(one: _Unit, peak, target: np.ndarray) -> np.ndarray:
    """Returns the unit's activation in one image, taken back to its pixels."""
    network, unit, layer = one.network, one.unit, one.unit.layer
    vector = len(network.graph.tensors[network.path(layer)].shape) == 2
    where = unit.channel if vector else (unit.channel, peak.row, peak.column)
    if one.method == "saliency":
        return saliency.saliency(network, target[None], where, layer)[0]
    if one.method == "smoothgrad":
        return smoothgrad.smoothgrad(network, target[None], where, layer, seed=one.seed)[0]
    return deconvnet.project(network, layer, target[None], where, one.method)[0]


def _sheet(seen: list[_Seen]) -> np.ndarray:
    """Returns the figures of all units; with several networks, networks across."""
    columns: dict[str, list[sheets.Cell]] = {}
    for found in seen:
        method, said = found.one.method, found.said
        note = f"{method}: {said}, no gradient"
        if not said:
            note = f"{method}, up to {found.records[0]['activation']:.4g}"
        cell = sheets.Cell(found.figure, found.one.name(" "), note)
        columns.setdefault(found.one.label, []).append(cell)
    if len(columns) == 1:
        (row,) = columns.values()
        return sheets.sheet(row, min(len(row), 3))
    rows = itertools.zip_longest(*columns.values(), fillvalue=sheets.Cell(np.zeros((1, 1, 3))))
    return sheets.sheet([cell for row in rows for cell in row], len(columns))
