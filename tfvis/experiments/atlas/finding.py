"""Which units of an atlas a photograph excites most, beside what its pictures do."""

import dataclasses
import pathlib
import re
from collections.abc import Iterator, Mapping

import numpy as np
import tensorflow as tf

from tfvis import images
from tfvis.errors import InputError, arg
from tfvis.experiments import networks, outcome, runner
from tfvis.experiments.atlas import answers
from tfvis.networks.network import Network
from tfvis.networks.receptive_field import receptive_field
from tfvis.report import atlas_page, manifest, sprites

# Units that are told of, of all and of each layer.
OF_ALL, OF_LAYER = 12, 9
# A unit that pictures hardly move is measured by this share of its layer's median deviation.
_LEAST = 0.5
# The photograph on its page, px.
_SHOWN = 448
_FOLDER = "found"


@dataclasses.dataclass(frozen=True)
class Excited:
    """A unit and what a photograph does to it.

    Attributes:
        label, layer, channel: which.
        activation: the most over the places of the photograph that see no border.
        score: how many standard deviations that is above the mean of the atlas' pictures.
        times: how many times the most of any of them; None where none excites it.
        box: (top, left, bottom, right) of what it saw, shares of the photograph's sides.
    """

    label: str
    layer: str
    channel: int
    activation: float
    score: float
    times: float | None
    box: tuple[float, float, float, float]


@dataclasses.dataclass(frozen=True, eq=False)
class Opened:
    """A network of an atlas, ready to look.

    Attributes:
        label: its short name.
        network: it.
        layers: what the site knows of each.
        folder: of its answers.
    """

    label: str
    network: Network
    layers: tuple[dict, ...]
    folder: pathlib.Path

    @property
    def paths(self) -> list[str]:
        """The layers, as they have answered."""
        return [layer["path"] for layer in self.layers]

    def answered(self, path: str) -> answers.Answered:
        """Returns what a layer answered to the atlas' pictures."""
        return answers.read(self.folder, self.paths, path)


def opened(workdir: pathlib.Path | str) -> list[Opened]:
    """Opens the networks of an atlas.

    Raises:
        InputError: there is none; a network is not what it was.
    """
    workdir = pathlib.Path(workdir)
    found = manifest.read(workdir / "manifest.json").get("atlas")
    if not isinstance(found, dict):
        raise InputError(f"{arg('workdir')}={workdir}: holds no atlas; make one first.")
    try:
        return [
            Opened(
                one["label"], networks.only(networks.of_plain(one["wanted"]), "alone"),
                tuple(one["layers"]), workdir / one["answers"],
            )
            for one in found["networks"]
        ]  # fmt: skip
    except (KeyError, TypeError) as error:
        raise InputError(f"{workdir / 'manifest.json'}: is damaged ({error}).") from error


class Finder:
    """Looks at photographs with one network of an atlas."""

    def __init__(self, part: Opened):
        self._part = part
        self._look = answers.looking(part.network, tuple(part.paths))
        self._known = {layer["path"]: self._statistics(layer) for layer in part.layers}

    def excited(self, pixels: np.ndarray) -> list[Excited]:
        """Returns all units of the atlas, those that are excited most first.

        Args:
            pixels: the centre square as `answers.shown` gives it.
        """
        part = self._part
        outputs = self._look(tf.constant(pixels), tf.zeros((answers.PLACES, 2)))
        found = []
        for path, (channels, mean, deviation, most) in self._known.items():
            own = {name: value.numpy()[channels] for name, value in outputs[path].items()
                   if name != "samples"}  # fmt: skip
            field = receptive_field.receptive_field(part.network, path, *pixels.shape[:2])
            scores = (own["inside"] - mean) / deviation
            for k, channel in enumerate(channels.tolist()):
                edges = field.box(int(own["rows"][k]), int(own["columns"][k]))
                box = tuple(
                    edge / side for edge, side in zip(edges, pixels.shape[:2] * 2, strict=True)
                )
                value, top = float(own["inside"][k]), float(most[k])
                times = value / top if top > 0 else None
                found.append(
                    Excited(part.label, path, channel, value, float(scores[k]), times, box)
                )
        return sorted(found, key=lambda one: -one.score)

    def _statistics(self, layer: dict) -> tuple[np.ndarray, ...]:
        looked = self._part.answered(layer["path"]).inside
        channels = np.array(layer["numbers"] or range(layer["units"]))
        deviation = looked.std(0)
        deviation = np.maximum(deviation, max(_LEAST * float(np.median(deviation)), 1e-12))
        return (
            channels, looked.mean(0)[channels], deviation[channels], looked.max(0)[channels],
        )  # fmt: skip


def run(picture: pathlib.Path | str, *, workdir: pathlib.Path | str) -> outcome.Outcome:
    """Finds the units of an atlas that a photograph excites most, and writes a page of them.

    Args:
        picture: the photograph, of which the centre square is looked at.
        workdir: of the atlas.

    Raises:
        InputError: there is no atlas; the photograph cannot be read.
    """
    workdir, picture = pathlib.Path(workdir), pathlib.Path(picture)
    pixels = images.read(picture, "find").pixels
    parts, lines, told = opened(workdir), [], []
    for part in parts:
        own = answers.square(pixels, part.network)
        found = Finder(part).excited(own)
        lines += [f"{part.label}: " + words(one) for one in found[:OF_ALL]]
        told.append(_told(part, found))
    name = runner.safe_name(re.sub(r"[^\w.-]", "_", picture.stem)).as_posix()
    shown = images.resize(images.crop(pixels, "center"), _SHOWN, _SHOWN)
    sprites.write_webp(workdir / _FOLDER / f"{name}.webp", shown)
    page = workdir / _FOLDER / f"{name}.html"
    atlas_page.write_found(page, photograph=f"{name}.webp", title=picture.name, networks=told)
    return outcome.Outcome([], lines, index=page)


def words(one: Excited) -> str:
    """Returns a unit and what is said of it in a line."""
    return f"{one.layer} {one.channel:>4}  {_said(one)}  #{one.label}/{one.layer}/{one.channel}"


def _said(one: Excited) -> str:
    times = "" if one.times is None else f", {one.times:.2f} times the most of any picture"
    return f"{one.score:5.1f} deviations above the mean{times}"


def _told(part: Opened, found: list[Excited]) -> dict:
    """Returns what the page says of a network: its first units, and those of each layer."""
    of_layers: dict[str, list[Excited]] = {path: [] for path in reversed(part.paths)}
    for one in found:
        if len(of_layers[one.layer]) < OF_LAYER:
            of_layers[one.layer].append(one)
    by_path = {layer["path"]: layer for layer in part.layers}
    groups = {"of all": found[:OF_ALL]} if len(by_path) > 1 else {}
    return {
        "label": part.label,
        "groups": [
            {"name": name, "units": list(_units(some, by_path))}
            for name, some in (groups | of_layers).items()
        ],
    }


def _units(some: list[Excited], by_path: Mapping[str, dict]) -> Iterator[dict]:
    for one in some:
        layer = by_path[one.layer]
        numbers = layer["numbers"] or range(layer["units"])
        row, column = divmod(list(numbers).index(one.channel), layer["columns"])
        rows = -(-layer["units"] // layer["columns"])
        top, left, bottom, right = one.box
        yield {
            "address": [one.label, one.layer, str(one.channel)],
            "name": f"{one.layer} {one.channel}",
            "said": _said(one), "file": f"../pictures/{layer['place']}.webp",
            "shape": f"{layer['size'][1]} / {layer['size'][0]}",
            "size": f"{100 * layer['columns']}% {100 * rows}%",
            "at": f"{_along(column, layer['columns'])}% {_along(row, rows)}%",
            "frame": f"top:{top:.2%};left:{left:.2%};height:{bottom - top:.2%};"
            f"width:{right - left:.2%}",
        }  # fmt: skip


def _along(k: int, count: int) -> float:
    return round(100 * k / (count - 1), 4) if count > 1 else 0.0
