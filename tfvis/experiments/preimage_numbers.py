"""Numbers under pre-images: how near photographs are by chance, what a second network sees.

They are measured on the files that are finished, kept in their records, and measured again only
where what they are measured by is another.
"""

import math
import pathlib

import numpy as np

from tfvis import tables
from tfvis.errors import InputError, arg
from tfvis.experiments import folders, messages, natural_pictures, runner
from tfvis.experiments.layer_targets import LayerTarget
from tfvis.experiments.second_network import SecondNetwork, compared, said
from tfvis.preimages import null_distribution
from tfvis.progress_bar import bar

_COLUMNS = (
    "network", "layer", "restart", "relative_error", "random_pairs", "of", "nearer_than",
    "second_network", "class_of_picture", "probability_of_picture", "class_of_preimage",
    "probability_of_preimage",
)  # fmt: skip


def enough(references: folders.Found | None) -> folders.Found | None:
    """Returns the pictures.

    Raises:
        InputError: too few for random pairs, whether they can be read or not.
    """
    if references is not None and len(references.paths) < null_distribution.FEWEST:
        raise InputError(
            f"{arg('references')}: expected {null_distribution.FEWEST} pictures or more, for "
            f"{null_distribution.PAIRS} random pairs. Received: {len(references.paths)}. Leave it "
            "out to have pieces of two photographs in their place."
        )
    return references


def added(
    found: list[LayerTarget],
    records: list[dict],
    workdir: pathlib.Path,
    references: folders.Found | None,
    second: SecondNetwork | None,
) -> list[dict]:
    """Returns the records with their numbers; writes them as numbers.csv and into the manifest.

    Args:
        found: the layers.
        records: of all of them.
        workdir: of the run, whose manifest has the records.
        references: natural pictures, see `natural_pictures.sampled`.
        second: a classifier that is asked about picture and pre-images, or None.
    """
    most, by_layer = 2 * null_distribution.PAIRS, {}
    natural = {
        one.label: natural_pictures.sampled(references, one.network, one.image.shape[:2], most)
        for one in {one.label: one for one in found}.values()
    }
    with bar("Random pairs of photographs", len(found)) as progress:
        for one in found:
            by_layer[one.name] = _null(one, one.of(records), natural[one.label])
            progress.update(1)
    complete, asked = [], {}
    for one in found:
        for record in one.of(records):
            numbers = {"random_pairs": _placed(by_layer[one.name], record["relative_error"])}
            numbers["second_network"] = _asked(one, record, second, asked, workdir)
            complete.append(record | numbers)
    silent = [name for name, null in by_layer.items() if null is None]
    if references is None and silent:
        messages.note(f"random pairs of the two photographs say nothing of {', '.join(silent)}.")
    if references is not None and silent:
        messages.note(
            f"{arg('references')}: too few pictures could be read for {null_distribution.PAIRS} "
            "random pairs; none are told of."
        )
    runner.told_more(workdir, records, complete)
    tables.write(workdir / "numbers.csv", _COLUMNS, map(_row, complete))
    return complete


def _null(one: LayerTarget, records: list[dict], natural) -> dict | None:
    """Returns the null distribution of a layer as a record has it, None where there is none."""
    masked = (one.settings.mask_channels, one.settings.mask_window)
    key = runner.key(one.network, pictures=natural.name, size=one.image.shape[:2], mask=masked)
    for record in records:
        kept = record.get("random_pairs")
        if isinstance(kept, dict) and kept.get("key") == key:
            return kept
    null = null_distribution.null_distribution(
        one.network, one.layer, natural.count, natural.picture, one.settings
    )
    if null is None:
        return None
    errors = [round(error, 6) for error in null.errors.tolist()]
    return {"key": key, "of": natural.said, "pictures": null.pictures, "relative_errors": errors}


def _placed(null: dict | None, error: float) -> dict | None:
    """Returns a null distribution, and where an error lies in it."""
    if null is None or not math.isfinite(error):
        return None
    whole = null_distribution.NullDistribution(np.array(null["relative_errors"]), null["pictures"])
    return null | {
        "pairs": len(whole.errors),
        "nearer_than": whole.nearer(error),
        "p": round(whole.p_value(error), 6),
    }


def _asked(one: LayerTarget, record, second: SecondNetwork | None, asked: dict, workdir):
    """Returns what the second network says of a picture and its pre-image."""
    if second is None:
        return None
    key = runner.key(second.network, classes=second.classes, image=one.image, file=record["sha256"])
    kept = record.get("second_network")
    if isinstance(kept, dict) and kept.get("key") == key:
        return kept
    if one.label not in asked:
        asked[one.label] = second.says(one.image)
    (stored,) = one.stored([record], workdir)
    of_preimage = second.says(stored)
    return {
        "key": key,
        "network": second.name,
        "picture": asked[one.label],
        "preimage": of_preimage,
        "same": of_preimage["class"] == asked[one.label]["class"],
    }


def notes(record: dict) -> list[str]:
    """Returns the numbers of a record in words, a line of a sheet each."""
    lines = []
    if pairs := record["random_pairs"]:
        nearer, count = pairs["nearer_than"], pairs["pairs"]
        of_all = f"all {count}" if nearer == count else f"{nearer} of {count}"
        lines.append(f"nearer than {of_all} random pairs")
    if answer := record["second_network"]:
        lines.append(f"{answer['network']}: {compared(answer['picture'], answer['preimage'])}")
    return lines


def of_picture(records: list[dict]) -> str:
    """Returns in words what a second network calls the picture itself, "" without one."""
    answer = records[0]["second_network"]
    return f"{answer['network']}: {said(answer['picture'])}" if answer else ""


def heading(records: list[dict]) -> str:
    """Returns what the random pairs of a sheet are of, "" where there are none."""
    found = [record["random_pairs"] for record in records if record["random_pairs"]]
    return f"Random pairs: {found[0]['pairs']} of {found[0]['of']}" if found else ""


def words(record: dict) -> str:
    """Returns the numbers of a record for a line, with how sure the first is."""
    parts = notes(record)
    if record["random_pairs"]:
        parts[0] += f" (p = {record['random_pairs']['p']:.2g})"
    return "; ".join(parts)


def _row(record: dict) -> tuple:
    pairs, answer = record["random_pairs"] or {}, record["second_network"] or {}
    classes = [answer.get(which, {}) for which in ("picture", "preimage")]
    return (
        record["network"], record["layer"], record["restart"], f"{record['relative_error']:.6f}",
        pairs.get("pairs", ""), pairs.get("of", ""), pairs.get("nearer_than", ""),
        answer.get("network", ""),
        *(one.get(name, "") for one in classes for name in ("class", "probability")),
    )  # fmt: skip
