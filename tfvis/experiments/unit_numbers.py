"""Beside a maximised picture: the photographs that excite its unit most, and their way to it.

Measured on finished pictures, kept in their records, and measured again only where the pictures or
the photographs are others.
"""

import dataclasses
import functools
import math
import pathlib
from collections.abc import Iterable, Sequence

import numpy as np
import tensorflow as tf

from tfvis import activation_statistics, images
from tfvis.activation_statistics import TOP, Statistics
from tfvis.errors import InputError, arg
from tfvis.experiments import folders, messages, runner
from tfvis.networks.network import Network
from tfvis.networks.receptive_field import receptive_field
from tfvis.objectives.parsing import Unit
from tfvis.preimages import crop_answers, natural_patches, path_similarity
from tfvis.progress_bar import bar
from tfvis.report import patches

# A photograph, cut, counts as exciting if the unit answers with this share of what it did.
_SHARE, _FEWEST = 0.5, 3
# Of fewer photographs there is none that excites a unit more than another.
_RANKED = 2


@dataclasses.dataclass(frozen=True, eq=False)
class Raised:
    """A unit that was raised, and where photographs of it are.

    Attributes:
        label, network: the network.
        unit: which.
        statistics: of its layer on the photographs.
    """

    label: str
    network: Network
    unit: Unit
    statistics: Statistics


def raised(
    label: str, network: Network, units: list[Unit], seen: dict[str, Statistics]
) -> list[Raised]:
    """Returns those of units that are channels, with what photographs do to their layers."""
    return [
        Raised(label, network, unit, seen[unit.layer]) for unit in units if unit.kind == "channel"
    ]


def added(
    records: list[dict],
    raised: list[Raised],
    references: folders.Found | None,
    workdir: pathlib.Path,
) -> list[dict]:
    """Returns the records, those of channels with natural patches and path similarity.

    Writes <unit>_natural.png beside each picture, and the records into the manifest.

    Args:
        records: of all units.
        raised: channels among them; of others nothing is added.
        references: the photographs of the statistics, of which those stand beside a picture that
            excite its unit, `TOP` at most; of one alone nothing does, and a note is made.
        workdir: of the run.
    """
    known = {(one.label, one.unit.layer, one.unit.name): one for one in raised}
    if references is None:
        return records
    if len(references.paths) - len(references.broken) < _RANKED:
        messages.note(
            f"{arg('references')}: one photograph is no ranking, and does not stand beside the "
            "pictures. Give more."
        )
        return records
    digest, complete = folders.digest(references), []
    for record in bar("Photographs beside units", len(records), records):
        one = known.get((record["network"], record["layer"], record["unit"]))
        kept = record.get("natural")
        if one is not None and _exciting(one).any():
            key = runner.key(
                one.network, photographs=digest, file=record["sha256"],
                looked=one.statistics.photographs,
            )  # fmt: skip
            kept = kept if isinstance(kept, dict) else {}
            if kept.get("key") != key or not (workdir / kept.get("file", "")).is_file():
                kept = _measured(one, record, references, workdir, key)
            record = record | {"natural": kept}
        complete.append(record)
    return runner.told_more(workdir, records, complete)


def _measured(one: Raised, record: dict, references, workdir: pathlib.Path, key: str) -> dict:
    """Draws the photographs that excite a unit, and tells where they and its picture go."""
    network, unit, seen = one.network, one.unit, one.statistics
    kept = _exciting(one)
    numbers, rows, columns, values = (
        values[unit.channel][kept].tolist()
        for values in (seen.images, seen.rows, seen.columns, seen.values)
    )
    squares = [_square(references, number, network) for number in numbers]
    places = list(zip(rows, columns, strict=True))
    within = activation_statistics.inside(network, unit.layer, *squares[0].shape[:2])
    field = receptive_field.receptive_field(network, unit.layer, *squares[0].shape[:2])
    side = [min(int(s), n) for s, n in zip(field.size, squares[0].shape[:2], strict=True)]
    cuts = [
        patches.cut(square, field.box(row, column), side)
        for square, (row, column) in zip(squares, places, strict=True)
    ]  # fmt: skip
    file = pathlib.PurePosixPath(record["file"])
    file = file.with_name(f"{file.stem}_natural.png")
    images.save_png(workdir / file, patches.grid(cuts, labels=[f"{v:.4g}" for v in values]))
    top = [
        {"image": str(references.paths[number]), "row": row, "column": column,
         "activation": value}
        for number, row, column, value in zip(numbers, rows, columns, values, strict=True)
    ]  # fmt: skip
    picture = runner.stored(workdir / record["file"], network)
    picture = crop_answers.best(network, unit, picture, tuple(record["shown"]))
    return {
        "key": key, "file": file.as_posix(), "top": top, "photographs": seen.photographs,
        "away_from_borders": within is not None,
        "path_similarity": path(
            network, unit, picture, squares, places, values, _others(one, references)
        ),
    }  # fmt: skip


def _exciting(one: Raised) -> np.ndarray:
    """Returns which of the strongest photographs excite a unit at all, bool [`TOP`]."""
    if one.statistics.photographs < _RANKED:
        return np.zeros(TOP, bool)
    return one.statistics.values[one.unit.channel] > 0


def _square(references: folders.Found, number: int, network: Network) -> np.ndarray:
    """Returns a photograph as it was shown for the statistics."""
    pixels = images.read(references.paths[number], None).pixels
    return images.fitted(pixels, *(network.fixed_size or (224, 224)), network.channels)


def path(
    network: Network,
    unit: Unit,
    picture: np.ndarray,
    squares: Sequence[np.ndarray],
    places: Sequence[tuple[int, int]],
    values: Sequence[float],
    others: Iterable[tuple[np.ndarray, tuple[int, int]]],
) -> dict | None:
    """Returns the path similarity as a record has it; None where it would mean nothing.

    So it does with too few photographs that excite the unit, or besides those that do most.

    Args:
        network: the network.
        unit: a channel.
        picture: that raises it, float32 [height, width, channels], display space.
        squares: the photographs that excite it most, as they were shown.
        places: (row, column) in the map of each, where they do.
        values: what it answers there.
        others: photographs by chance, as they were shown, and places in their maps.
    """
    size = picture.shape[:2]
    shape = network.trace(unit.layer, *size)
    at = None if len(shape) == 1 else unit.position or (shape[0] // 2, shape[1] // 2)

    def cut(square, position):
        whole = natural_patches.window(network, unit.layer, square, position, size, at or (0, 0))
        return whole if whole.shape[:2] == size else images.resize(whole, *size)

    windows = [cut(square, place) for square, place in zip(squares, places, strict=True)]
    look = _answering(network, unit.layer)
    exciting = []
    for window, value in zip(windows, values, strict=True):
        answer = look(tf.constant(window[None], tf.float32)).numpy()[(0, *(at or ()), unit.channel)]
        # At the border of a photograph, or of another size, it may be none.
        if value > 0 and answer >= _SHARE * value:
            exciting.append(window)
    if len(exciting) < _FEWEST:
        return None
    chance = [cut(square, place) for square, place in others]
    if len(chance) < _FEWEST:
        return None
    ways = [
        path_similarity.paths(network, unit.layer, unit.channel, group, at)
        for group in ([picture], exciting, chance)
    ]
    found = {}
    for name in ("activations", "contributions"):
        one_way = path_similarity.path_similarity(*(getattr(way, name) for way in ways))
        if one_way is None:
            return None
        rows = zip(one_way.layers, one_way.picture, one_way.same, one_way.other, strict=True)
        found[name] = {
            # Those that excite the unit may have no more in common than any.
            "number": None if math.isnan(one_way.number) else round(one_way.number, 4),
            "layers": {
                layer: dict(zip(("picture", "same", "other"), map(_rounded, row), strict=True))
                for layer, *row in rows
            },
        }
    return found | {"photographs": len(exciting), "other_path": one_way.other_path}


@functools.lru_cache(maxsize=4)
def _answering(network: Network, layer: str):
    """Returns the compiled function from a picture to a layer's output, kept for its next unit."""
    taps = network.taps([layer])
    return tf.function(lambda picture: taps(picture)[layer], autograph=False)


def _rounded(value) -> float:
    return round(float(value), 4)


def _others(one: Raised, references: folders.Found):
    """Yields photographs by chance, none of those that excite the unit most, and places in them."""
    generator = np.random.default_rng(0)
    exciting, shape = set(one.statistics.images[one.unit.channel].tolist()), None
    count = 0
    for number in generator.permutation(len(references.paths)).tolist():
        if count == TOP:
            return
        if number in exciting or references.paths[number] in references.broken:
            continue
        try:
            square = _square(references, number, one.network)
        except InputError:  # Told of where it was looked through.
            continue
        shape = shape or one.network.trace(one.unit.layer, *square.shape[:2])
        place = (0, 0) if len(shape) == 1 else tuple(int(generator.integers(n)) for n in shape[:2])
        count += 1
        yield square, place


def notes(record: dict) -> list[str]:
    """Returns in words what stands below a picture, a line each."""
    natural = record.get("natural")
    if not natural:
        return []
    lines = [f"beside it: {best(natural)}"]
    if path := natural["path_similarity"]:
        words = {"activations": "path similarity", "contributions": "of contributions"}
        for name, word in words.items():
            number = path[name]["number"]
            lines.append(f"{word} unknown" if number is None else f"{word} {number:z.2f}")
        if path["other_path"]:
            lines.append("takes another path than photographs")
    return lines


def best(natural: dict) -> str:
    """Returns what the patches are, of how many photographs."""
    count, of = len(natural["top"]), natural["photographs"]
    said = f"the best {count} of {of:,} photographs"
    if count == of:
        said = f"all {of} photographs, the best first"
    elif count < TOP:
        alone = f"the {count} that excite it" if count > 1 else "the one that excites it"
        said = f"{alone} of {of:,} photographs"
    return f"{said}, away from borders" if natural["away_from_borders"] else said


def words(record: dict) -> str:
    """Returns the same for a line, "" where there is nothing to say."""
    return "".join(f"; {note}" for note in notes(record)[1:])


def beside(record: dict, pixels: np.ndarray, workdir: pathlib.Path) -> np.ndarray:
    """Returns a picture with the photographs that excite its unit to the right of it."""
    natural = record.get("natural")
    if not natural:
        return pixels
    grid = images.read(workdir / natural["file"]).pixels
    pixels = images.with_channels(np.asarray(pixels, np.float32), 3)
    scale = max(1, len(grid) // len(pixels))
    pixels = pixels.repeat(scale, 0).repeat(scale, 1)
    height = max(len(grid), len(pixels))
    page = np.full((height, pixels.shape[1] + 6 + grid.shape[1], 3), 250, np.float32)
    page[: len(pixels), : pixels.shape[1]] = pixels
    page[: len(grid), pixels.shape[1] + 6 :] = grid
    return page
