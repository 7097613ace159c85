"""Whether the search by picture finds units that were planted, in an atlas that was made."""

import dataclasses
import pathlib

import numpy as np

from tfvis import images
from tfvis.errors import InputError, arg
from tfvis.experiments.atlas import answers, finding
from tfvis.experiments.batch import plans
from tfvis.networks.receptive_field import receptive_field
from tfvis.progress_bar import bar


@dataclasses.dataclass(frozen=True)
class Trial:
    """A unit that was planted in a photograph.

    Attributes:
        kind: "patch", the strongest spot of all photographs in another one, or "picture", its
            maximised picture.
        unit: "network layer channel".
        rank: among the units of its layer, from 1.
    """

    kind: str
    unit: str
    rank: int


def trials(workdir: pathlib.Path, count: int, seed: int) -> list[Trial]:
    """Plants units by turns in either way, evenly over all networks and layers, and looks.

    The photograph is one of the atlas' by chance. The spot is put where it was; the picture where
    chance has it, so that it lies on no unit's grid.

    Args:
        workdir: of the atlas.
        count: of the trials.
        seed: of chance.

    Raises:
        InputError: there is no atlas; it has no unit that photographs excite.
    """
    parts = finding.opened(workdir)
    finders = [finding.Finder(part) for part in parts]
    places = [(k, layer) for k, part in enumerate(parts) for layer in part.layers]
    generator, found = np.random.default_rng(seed), []
    for number in bar("Planting", count, range(count)):
        k, layer = places[number % len(places)]
        part, looked = parts[k], parts[k].answered(layer["path"])
        kind = ("patch", "picture")[number // len(places) % 2]
        alive = [c for c in layer["numbers"] or range(layer["units"])
                 if looked.inside[:, c].max() > 0]  # fmt: skip
        if not alive:
            raise InputError(f"{arg('workdir')}={workdir}: nothing excites {layer['path']}.")
        channel = int(generator.choice(alive))
        root = pathlib.Path(plans.read(part.folder).root)
        host = int(generator.integers(len(looked.names)))
        shown = answers.shown(root / looked.names[host], part.network)
        if kind == "patch":
            shown = _with_spot(part, layer, looked, channel, shown, root)
        else:
            shown = _with_picture(workdir, layer, channel, shown, generator)
        order = [one.channel for one in finders[k].excited(shown) if one.layer == layer["path"]]
        unit = f"{part.label} {layer['path']} {channel}"
        found.append(Trial(kind, unit, order.index(channel) + 1))
    return found


def _with_spot(part, layer: dict, looked, channel: int, shown: np.ndarray, root) -> np.ndarray:
    """Returns a photograph with the spot of another that excites a unit most."""
    top = looked.statistics
    source = answers.shown(root / looked.names[int(top.images[channel, 0])], part.network)
    field = receptive_field.receptive_field(part.network, layer["path"], *shown.shape[:2])
    box = field.box(int(top.rows[channel, 0]), int(top.columns[channel, 0]))
    above, left, below, right = box
    shown = shown.copy()
    shown[above:below, left:right] = source[above:below, left:right]
    return shown


def _with_picture(workdir, layer: dict, channel: int, shown: np.ndarray, generator) -> np.ndarray:
    """Returns a photograph with a unit's maximised picture, as the page has it, somewhere in it."""
    page = images.read(workdir / f"pictures/{layer['place']}.webp").pixels
    numbers = list(layer["numbers"] or range(layer["units"]))
    row, column = divmod(numbers.index(channel), layer["columns"])
    height, width = layer["size"]
    picture = page[row * height : (row + 1) * height, column * width : (column + 1) * width]
    above, left = (
        int(generator.integers(whole - side + 1))
        for whole, side in zip(shown.shape[:2], (height, width), strict=True)
    )
    shown = shown.copy()
    shown[above : above + height, left : left + width] = images.with_channels(
        picture, shown.shape[-1]
    )
    return shown


def table_atlas(workdir: pathlib.Path, count: int, seed: int) -> None:
    """Prints how often a planted unit is first, and among those that `--find` tells of."""
    found = trials(workdir, count, seed)
    print(f"{'planted':<10}{'trials':>8}{'first':>8}{f'first {finding.OF_LAYER}':>10}{'median':>8}")
    for kind in ("patch", "picture", ""):
        ranks = np.array([one.rank for one in found if kind in ("", one.kind)])
        if len(ranks):
            first, told = (ranks == 1).mean(), (ranks <= finding.OF_LAYER).mean()
            print(f"{kind or 'either':<10}{len(ranks):>8}{first:>8.0%}{told:>10.0%}"
                  f"{np.median(ranks):>8.0f}")  # fmt: skip
    for one in found:
        if one.rank > finding.OF_LAYER:
            print(f"missed: {one.unit} ({one.kind}), place {one.rank}")
