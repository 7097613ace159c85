"""Units that two networks share, and units that one has alone: what each looks for, and finds.

Of one late layer. Beside the picture that raises a unit are the patches of each domain that excite
it most, cut as it sees them: these tell more of it (Borowski et al. 2021).
"""

import dataclasses

import numpy as np
import tensorflow as tf

from tfvis import images, preimages
from tfvis.comparison import unit_matching
from tfvis.experiments import activation_maximization
from tfvis.experiments.comparison_sections import Section, number, samples, sentences
from tfvis.experiments.comparison_study import Study
from tfvis.preimages import activation_maximization as recipe
from tfvis.preimages import natural_patches
from tfvis.report import html_page, patches, sheets

# Pictures of units are no larger: a unit of VGG16's last block sees 196 px, most of it at the
# middle.
_SIDE = 144
# Patches of each domain, and the side of each on the sheet.
_PATCHES, _PATCH = 9, 62


@dataclasses.dataclass(frozen=True)
class _Pair:
    """A unit of each network.

    Attributes:
        kind: what they are to each other.
        units: of the first network, and of the second.
        r: their correlation.
    """

    kind: str
    units: tuple[int, int]
    r: float


def unit_pictures(study: Study, steps: int | None, seed: int) -> Section | None:
    """The units most alike in a late layer, and those of each network that the other has least.

    Args:
        study: of which the last layer is taken that is a map in both networks.
        steps: of each picture; None is the extent's.
        seed: of their noise.

    Returns:
        None where no layer is a map, or no unit of it can be matched.

    Raises:
        InputError: nothing raises a unit at all.
    """
    layer = _last_map(study)
    pairs = [] if layer is None else _pairs(study, layer)
    if layer is None or not pairs:
        return None
    steps = study.extent.unit_steps if steps is None else steps
    made = [
        _maximized(study, which, layer, [pair.units[which] for pair in pairs], steps, seed)
        for which in (0, 1)
    ]
    crossed = [_crossed(study, which, layer, pairs, made) for which in (0, 1)]
    rows, found, one, other = [], {}, *study.pair
    for place, pair in enumerate(pairs):
        records = [made[which][pair.units[which]] for which in (0, 1)]
        answers = [crossed[which][place] for which in (0, 1)]
        found.setdefault(pair.kind, []).append((pair.r, *answers))
        rows.append((
            pair.kind, *pair.units, number(pair.r),
            *(number(r["times_largest"] or float("nan")) for r in records),
            *map(number, answers), *(r["file"] for r in records),
        ))  # fmt: skip
    columns = (
        "which", f"unit of {one}", f"unit of {other}", "r", f"{one}: own picture, x photographs",
        f"{other}: own picture, x photographs", f"{one}: partner's picture, x own",
        f"{other}: partner's picture, x own", f"file of {one}", f"file of {other}",
    )  # fmt: skip
    note = "each: its picture, and what excites it most in " + " and ".join(study.domains)
    note += "; white where nothing does"
    figures = tuple(
        html_page.Figure(
            _sheet(study, layer, [pair for pair in pairs if pair.kind == kind], made),
            kind[:1].upper() + kind[1:], note, wide=True,
        )
        for kind in found
    )  # fmt: skip
    return Section(
        "unit_pictures", f"What units of {study.names[layer]} look for", _said(found), columns,
        rows, figures, (columns[:8], [row[:8] for row in rows]),
    )  # fmt: skip


def _said(found: dict[str, list[tuple[float, ...]]]) -> str:
    said = []
    for kind, values in found.items():
        r = [value[0] for value in values]
        known = [x for value in values for x in value[1:] if not np.isnan(x)]
        crossed = (
            ", and to its partner's picture a unit answers "
            f"{np.median(known):.2f} times as much as to its own (median)"
        )
        said.append(f"{kind}, {len(r)}: r {_range(r)}{crossed if known else ''}")
    return sentences(said)


def _range(values: list[float]) -> str:
    high, low = (f"{value:.2f}" for value in (max(values), min(values)))
    return high if high == low else f"{high} to {low}"


def _last_map(study: Study) -> int | None:
    """Returns the place of the last layer that is a map in both networks."""
    one, other = study.pair
    for place in reversed(range(len(study.names))):
        shapes = [
            study.networks[label].graph.tensors[
                study.networks[label].path(study.layers[label][place])
            ].shape
            for label in (one, other)
        ]  # fmt: skip
        if all(len(shape) == 4 for shape in shapes):
            return place
    return None


def _pairs(study: Study, layer: int) -> list[_Pair]:
    """Returns the units that are shown; of those that hardly ever answer there are none."""
    one, other = study.pair
    own, its = (samples(study, label, layer) for label in (one, other))
    found = unit_matching.correlations(own, its)
    found[unit_matching.seldom(own)] = np.nan
    found[:, unit_matching.seldom(its)] = np.nan
    matched, most = unit_matching.one_to_one(found), study.extent.units
    order = [int(unit) for unit in np.argsort(-matched.r) if matched.partner[unit] >= 0]
    pairs = [
        _Pair("most alike units", (unit, int(matched.partner[unit])), float(matched.r[unit]))
        for unit in order[:most]
    ]
    # Of the second one more, where the number is odd.
    for label, alone, count in ((other, found.T, -(-most // 2)), (one, found, most // 2)):
        best = unit_matching.best(alone)
        least = [int(unit) for unit in np.argsort(best.r) if best.partner[unit] >= 0][:count]
        for unit in least:
            units = (unit, int(best.partner[unit]))
            pairs.append(
                _Pair(
                    f"units of {label} that the other has least",
                    units if label == one else units[::-1],
                    float(best.r[unit]),
                )
            )
    return pairs


def _maximized(study: Study, which: int, layer: int, units, steps, seed) -> dict[int, dict]:
    """Returns {unit: record} of a network's units, each with its picture under "pixels"."""
    label = study.pair[which]
    network, path = study.networks[label], study.layers[label][layer]
    workdir = study.workdir / "unit_pictures" / str(which)
    named = ",".join(f"{path}:{unit}" for unit in sorted(set(units)))
    done = activation_maximization.run(
        {label: network}, named, workdir=workdir, most=_SIDE, growth=False, seed=seed,
        settings=preimages.Maximization(steps=steps), precision=study.precision,
    )  # fmt: skip
    return {
        int(record["unit"]): record
        | {
            "pixels": images.read(workdir / record["file"]).pixels,
            "file": f"unit_pictures/{which}/{record['file']}",
        }
        for record in done.records
    }


def _crossed(study: Study, which: int, layer: int, pairs: list[_Pair], made) -> list[float]:
    """Returns what a network's units answer to their partners' pictures, in parts of their own's.

    nan of a unit that its own picture does not raise.
    """
    label = study.pair[which]
    network, path = study.networks[label], study.layers[label][layer]
    taps, found = network.taps([path]), []
    for pair in pairs:
        own, its = made[which][pair.units[which]], made[1 - which][pair.units[1 - which]]
        size = network.fixed_size or its["pixels"].shape[:2]
        shown = images.fitted(its["pixels"], *size, network.channels)
        shown = tf.constant(shown[None], tf.float32)
        unit = recipe.unit(network, path, [pair.units[which]], size)
        raised = own["raised"] and own["activation"] > 0
        found.append(float(unit(taps(shown))[0]) / own["activation"] if raised else float("nan"))
    return found


def _sheet(study: Study, layer: int, pairs: list[_Pair], made) -> np.ndarray:
    """Returns a row for each pair: of each network the picture, and the patches of each domain."""
    cells = []
    for pair in pairs:
        for which, label in enumerate(study.pair):
            unit, record = pair.units[which], made[which][pair.units[which]]
            whole = record["pixels"]
            scale = 3 * _PATCH / max(whole.shape[:2])
            picture = images.resize(whole, *(round(scale * side) for side in whole.shape[:2]))
            note = f"r {pair.r:.2f}" if record["raised"] else f"r {pair.r:.2f}, not raised"
            cells.append(sheets.Cell(picture, f"{label}: unit {unit}", note))
            size = record["pixels"].shape[:2]
            for domain in study.domains:
                nine = _strongest(study, label, layer, unit, domain, size)
                cells.append(sheets.Cell(patches.grid(nine, _PATCH), "", domain))
    return sheets.sheet(cells, 2 * (1 + len(study.domains)))


def _strongest(study: Study, label: str, layer: int, unit: int, domain: str, size) -> list:
    """Returns the patches that excite a unit most, one of each picture, the strongest first.

    White in the place of those that a picture without any excitement would have.
    """
    network, path = study.networks[label], study.layers[label][layer]
    largest = np.concatenate([one[:, unit] for one in study.of(label, domain, "largest", layer)])
    where = np.concatenate([one[:, unit] for one in study.of(label, domain, "where", layer)])
    height, width = network.trace(path, *size)[:2]
    order = np.argsort(-largest, kind="stable")[:_PATCHES]
    found = []
    for k in order[largest[order] > 0]:
        shown = study.pictures.pixels[domain][k].astype(np.float32)
        # As a network of fixed size saw it.
        shown = images.resize(shown, *(network.fixed_size or shown.shape[:2]))
        place = tuple(where[k].tolist())
        at = (height // 2, width // 2)
        found.append(natural_patches.window(network, path, shown, place, size, at))
    return found + [np.full((*size, 3), 255, np.float32)] * (_PATCHES - len(found))
