"""Strongest images and projections for an app: finding, drawing, writing."""

import dataclasses
import itertools
import pathlib
from collections.abc import Callable, Iterator

import numpy as np

from tfvis import images
from tfvis.attention import boxes, deconvnet, saliency, smoothgrad
from tfvis.attention.explainers import KINDS
from tfvis.errors import InputError, arg
from tfvis.experiments import folders, runner
from tfvis.experiments.progress import bar
from tfvis.networks import relu_gradients
from tfvis.networks.network import Network
from tfvis.networks.receptive_field import receptive_field
from tfvis.objectives.parsing import Unit
from tfvis.report import gradient_images, manifest, sheets

# The side of a patch in a unit's figure, and the gap between two.
_SIDE, _GAP = 144, 2


@dataclasses.dataclass(frozen=True)
class Job:
    """What to look for, in which images, and where to put it.

    Attributes:
        networks: by label.
        units: of each network, channels all.
        found: image files, or None for the demo's photographs.
        target: (picture, network) -> what the network is to look at.
        size: --size.
        crop: --crop, by which `target` cuts.
        top: images per unit.
        method: a policy of `rectifiers`, "saliency" or "smoothgrad".
        seed: of smoothgrad.
        workdir: exists and is writable.
        arguments: of the command, for the manifest.
    """

    networks: dict[str, Network]
    units: dict[str, list[Unit]]
    found: folders.Found | None
    target: Callable[[np.ndarray, Network], np.ndarray]
    size: int | None
    crop: str
    top: int
    method: str
    seed: int
    workdir: pathlib.Path
    arguments: dict


@dataclasses.dataclass(frozen=True)
class _Seen:
    """A unit's strongest images: their names and activations, and its figure."""

    label: str
    unit: Unit
    records: list[dict]
    figure: np.ndarray

    @property
    def said(self) -> str:
        """What is to be said of projections in which nothing is."""
        empty = sum(record["empty"] for record in self.records)
        if not empty:
            return ""
        return "empty" if empty == len(self.records) else f"{empty} of {len(self.records)} empty"


def run(job: Job) -> Iterator[str]:
    """Finds and projects; yields a line per unit.

    Raises:
        InputError: a unit that cannot be projected; no image that can be read; at the end, if
            all projections are empty.
    """
    for label, network in job.networks.items():
        layers = list(dict.fromkeys(unit.layer for unit in job.units[label]))
        side = network.fixed_size or (job.size or network.side or 224,) * 2
        for layer in layers:
            if 0 in network.trace(layer, *side):
                raise InputError(
                    f"{arg('size')}={side[0]}: too small for {layer}, whose map would have no "
                    "pixel."
                )
            if job.method in relu_gradients.POLICIES:
                relu_gradients.with_policy(network, job.method, [layer])
    seen: list[_Seen] = []
    total = sum(len(units) for units in job.units.values())
    for label, units in job.units.items():
        for layer in dict.fromkeys(unit.layer for unit in units):
            group = [unit for unit in units if unit.layer == layer]
            names: list[str] = []
            count, targets = len(job.found.paths) if job.found else 2, _targets(job, label, names)
            with bar(f"{layer}: looking", count, targets, delay=0) as pictures:
                channels = [unit.channel for unit in group]
                peaks = deconvnet.strongest(job.networks[label], layer, channels, pictures, job.top)
            for unit in bar(f"{layer}: projecting", None, group, delay=0):
                seen.append(_one(job, label, unit, peaks[unit.channel], names))
                # Written as they are made: what is finished is not lost.
                _write(job, seen, whole=len(seen) == total)
    for one in seen:
        best = one.records[0]
        name = f"{one.unit.layer}:{one.unit.name}"
        name = name if len(job.networks) == 1 else f"{one.label}/{name}"
        place = runner.folder(job, one.label, one.unit.layer)
        yield (
            f"{name:<28} strongest {best['activation']:9.2f} in {best['image']:<20} "
            f"{place / runner.safe_name(one.unit.name)}.png{'  ' + one.said if one.said else ''}"
        )
    if all(record["empty"] for one in seen for record in one.records):
        raise InputError(
            f"{job.method}: nothing of any unit gets back to the pixels, so that all projections "
            f"in {job.workdir} are empty. Choose other {arg('units')} or {arg('images')}."
        )


def _targets(job: Job, label: str, names: list[str]) -> Iterator[np.ndarray]:
    """Yields what the network looks at, image by image; their names go into `names`."""
    for name, picture in _pictures(job):
        names.append(name)
        yield job.target(picture, job.networks[label])


def _pictures(job: Job) -> Iterator[tuple[str, np.ndarray]]:
    if job.found is None:
        yield from zip(("china.jpg", "flower.jpg"), images.demo_set(), strict=True)
        return
    for path, picture in folders.pictures(job.found):
        yield str(path), picture


def _again(job: Job, label: str, name: str) -> tuple[np.ndarray, tuple[int, int]]:
    """Returns an image that was looked through before, and its (height, width) in its file."""
    picture = images.read(name).pixels if job.found else dict(_pictures(job))[name]
    return job.target(picture, job.networks[label]), picture.shape[:2]


def _in_picture(box, seen: tuple[int, int], size: tuple[int, int], crop: str) -> list[float]:
    """Returns a field's (top, left, bottom, right) as x0, y0, x1, y1 in pixels of the picture.

    Args:
        box: in pixels of what the network was shown, of (height, width) `seen`.
        size: of the picture that was cut by `crop`, and resized to that.
    """
    top, left, bottom, right = map(int, box)
    x0, y0, x1, y1 = images.cropped(*size, crop)
    there = boxes.scaled(boxes.Box(left, top, right, bottom), seen, (y1 - y0, x1 - x0))
    there = boxes.shifted(there, x0, y0)
    return [round(edge, 2) for edge in (there.x0, there.y0, there.x1, there.y1)]


def _one(job: Job, label: str, unit: Unit, peaks, names: list[str]) -> _Seen:
    """Projects a unit back into its strongest images, draws and saves them."""
    network, layer = job.networks[label], unit.layer
    folder = job.workdir / runner.folder(job, label, layer) / runner.safe_name(unit.name)
    projections, patches, records = [], [], []
    for k, peak in enumerate(peaks):
        target, whole = _again(job, label, names[peak.image])
        back = _back(job, network, layer, unit, peak, target)
        empty = not back.any()
        back = gradient_images.shown(back, signed=job.method in relu_gradients.POLICIES)
        field = receptive_field.receptive_field(network, layer, *target.shape[:2])
        box = field.box(peak.row, peak.column)
        side = [min(int(s), n) for s, n in zip(field.size, target.shape[:2], strict=True)]
        for pictures, pixels, word in (
            (projections, back, "projection"),
            (patches, target, "patch"),
        ):
            patch = _patch(pixels, box, side)
            images.save_png(folder / f"{k}_{word}.png", patch)
            pictures.append(patch)
        records.append(
            {
                "network": label,
                "layer": layer,
                "unit": unit.name,
                "image": names[peak.image],
                "row": peak.row,
                "column": peak.column,
                "activation": peak.activation,
                "empty": empty,
                "box": _in_picture(box, target.shape[:2], whole, job.crop),
                "file": (folder / f"{k}_projection.png").relative_to(job.workdir).as_posix(),
            }
        )
    left, right = _grid(projections), _grid(patches)
    between = np.full((len(left), 4 * _GAP, 3), 250.0)
    figure = np.concatenate([left, between, right], axis=1)
    images.save_png(folder.with_name(folder.name + ".png"), figure)
    return _Seen(label, unit, records, figure)


def _back(job: Job, network, layer: str, unit: Unit, peak, target: np.ndarray) -> np.ndarray:
    """Returns the unit's activation in one image, taken back to its pixels."""
    vector = len(network.graph.tensors[network.path(layer)].shape) == 2
    where = unit.channel if vector else (unit.channel, peak.row, peak.column)
    if job.method == "saliency":
        return saliency.saliency(network, target[None], where, layer)[0]
    if job.method == "smoothgrad":
        return smoothgrad.smoothgrad(network, target[None], where, layer, seed=job.seed)[0]
    return deconvnet.project(network, layer, target[None], where, job.method)[0]


def _patch(pixels: np.ndarray, box, side: list[int]) -> np.ndarray:
    """Cuts a box out, on mid grey of the field's size where the box was clipped."""
    top, left, bottom, right = (int(edge) for edge in box)
    channels = pixels.shape[-1]
    page = np.full((side[0], side[1], channels), 127.5, np.float32)
    # A box clipped at the top or left lies at the bottom or right of its field.
    row = side[0] - (bottom - top) if top == 0 else 0
    column = side[1] - (right - left) if left == 0 else 0
    page[row : row + bottom - top, column : column + right - left] = pixels[top:bottom, left:right]
    return page


def _grid(patches: list[np.ndarray]) -> np.ndarray:
    """Returns patches as the figure of Zeiler & Fergus has them, nine as 3 x 3."""
    columns = int(np.ceil(np.sqrt(len(patches))))
    rows = -(-len(patches) // columns)
    step = _SIDE + _GAP
    page = np.full((rows * step - _GAP, columns * step - _GAP, 3), 250, np.float32)
    for k, patch in enumerate(patches):
        y, x = (k // columns) * step, (k % columns) * step
        page[y : y + _SIDE, x : x + _SIDE] = _sized(images.with_channels(patch, 3))
    return page


def _sized(patch: np.ndarray) -> np.ndarray:
    """Returns a patch at the figure's size; small ones keep their pixels visible."""
    height, width = patch.shape[:2]
    if max(height, width) < _SIDE:
        rows, columns = (np.arange(_SIDE) * n // _SIDE for n in (height, width))
        return patch[rows][:, columns]
    return images.resize(patch, _SIDE, _SIDE)


def _write(job: Job, seen: list[_Seen], whole: bool) -> None:
    """Writes the manifest, and at the end the sheet."""
    left_out = folders.told(job.found) if job.found else {}
    records = [record for one in seen for record in one.records]
    known = KINDS.get(job.method)
    warning = {"warning": f"{known.title} {known.warning}"} if known and known.warning else {}
    content = runner.header(job) | left_out | warning | {"results": records}
    manifest.write(job.workdir / "manifest.json", content)
    if not whole:
        return
    several = len(job.networks) > 1
    cells = {
        label: [
            sheets.Cell(
                one.figure,
                f"{label + ' ' if several else ''}{one.unit.layer}:{one.unit.name}",
                f"{job.method}, up to {one.records[0]['activation']:.4g}"
                if not one.said
                else f"{job.method}: {one.said}, no gradient",
            )
            for one in seen
            if one.label == label
        ]
        for label in job.networks
    }
    if several:
        rows = itertools.zip_longest(*cells.values(), fillvalue=sheets.Cell(np.zeros((1, 1, 3))))
        page = sheets.sheet([cell for row in rows for cell in row], len(cells))
    else:
        (row,) = cells.values()
        page = sheets.sheet(row, min(len(row), 3))
    images.save_png(job.workdir / "sheet.png", page)
