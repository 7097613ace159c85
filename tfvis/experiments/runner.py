"""Runs that go on where they were stopped: what is finished, its records, the manifest, a bar."""

import collections
import dataclasses
import pathlib
import time
import urllib.parse
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from tfvis import files, images, progress_bar
from tfvis.networks.network import Network
from tfvis.report import manifest


@dataclasses.dataclass(frozen=True)
class Part:
    """A part of a run, which is whole or made again.

    Attributes:
        names: of its records: what each has in the field that tells records apart.
        cost: in any unit common to the parts of a run.
        records: (what an earlier run left under each name, or None; the bar) -> the records, of
            JSON's types; none of what cannot be done. Moves the bar by the cost.
    """

    names: tuple[str, ...]
    cost: float
    records: Callable[[list[dict | None], object], list[dict]]


def run(
    parts: Sequence[Part],
    workdir: pathlib.Path,
    header: Callable[[], dict],
    by: str,
    needed: Mapping[str, type],
    *,
    word: str = "",
    every: float = 0.0,
    finished: Callable[[list[dict]], None] = lambda records: None,
    **bar,
) -> list[dict]:
    """Does every part, or has it take over what was finished before; keeps manifest.json.

    Args:
        parts: in the order of the results.
        workdir: exists and is writable.
        header: () -> what the manifest says besides its results.
        by: the field that tells records apart.
        needed: see `earlier`.
        word: in the bar.
        every: seconds between two writings of the manifest; a kill costs no more.
        finished: is told after each writing of all records that are finished so far.
        **bar: of `progress_bar.bar`.

    Returns:
        The records.
    """
    before, records, left = earlier(workdir, by, needed), [], collections.deque(parts)

    def save() -> None:
        reached = {record[by] for record in records}
        names = dict.fromkeys(name for part in left for name in part.names)
        # What an earlier run had finished stays until its turn comes.
        kept = [before[name] for name in names if name in before and name not in reached]
        manifest.write(workdir / "manifest.json", header() | {"results": records + kept})
        finished(records + kept)

    unsaved, saved = False, time.perf_counter()
    with progress_bar.bar(word, sum(part.cost for part in parts), **bar) as shown:
        try:
            while left:
                records += left[0].records([before.get(name) for name in left[0].names], shown)
                left.popleft()
                unsaved = True
                if records and time.perf_counter() - saved >= every:
                    unsaved = False
                    save()
                    saved = time.perf_counter()
        finally:
            if unsaved and records:  # Nothing is written where nothing can be done.
                save()
    return records


def earlier(workdir: pathlib.Path, by: str, needed: Mapping[str, type]) -> dict[str, dict]:
    """Returns {what `by` says: record} of an earlier manifest, without what is malformed.

    Args:
        workdir: where it lies.
        by: a field.
        needed: {field: type} of a record; one that lacks it counts as unfinished.
    """
    records = manifest.read(workdir / "manifest.json").get("results")
    return {
        record[by]: record
        for record in (records if isinstance(records, list) else [])
        if isinstance(record, dict)
        and all(isinstance(record.get(name), kind) for name, kind in needed.items())
    }


def whole(folder: pathlib.Path, record: dict) -> bool:
    """Tells whether the files of a record, {name in `folder`: digest}, are as they were written."""
    return all(unchanged(folder / name, digest) for name, digest in record["files"].items())


def unchanged(path: pathlib.Path, digest: str | None) -> bool:
    """Tells whether a file is there, with the bytes of a digest."""
    return path.is_file() and files.sha256_of(path) == digest


def told_more(workdir: pathlib.Path, records: list[dict], more: list[dict]) -> list[dict]:
    """Returns the records of a finished run with what was added; keeps them in its manifest.

    Args:
        workdir: of the run.
        records: as the manifest has them.
        more: the same, or with more in them.
    """
    if more != records:
        content = manifest.read(workdir / "manifest.json")
        manifest.write(workdir / "manifest.json", content | {"results": more})
    return more


def safe_name(name: str) -> pathlib.PurePosixPath:
    """Returns the path a layer's or network's name stands for, relative, never outside.

    It comes out of a model file and may be anything: "..", or the name of one of the
    run's own files.
    """
    parts = [urllib.parse.quote(part, safe="+, @") for part in name.split("/")]
    parts = [part.replace(".", "%2E") if not part.strip(".") else part for part in parts]
    if parts[0] in ("tensorboard", "manifest.json", "sheet.png", "index.html", "page"):
        parts[0] = "layer-" + parts[0]
    return pathlib.PurePosixPath(*parts)


def folder(label: str, layer: str, several: bool) -> pathlib.PurePosixPath:
    """Returns the folder of a layer's pictures, relative to the workdir.

    Below the network's own where there are several.
    """
    inside = safe_name(layer)
    return safe_name(label) / inside if several else inside


def stored(path: pathlib.Path, network: Network) -> np.ndarray:
    """Returns a picture of a run as its file has it, with the network's channels."""
    return images.with_channels(images.read(path).pixels, network.channels)


def header(networks: dict[str, Network], arguments: dict | None) -> dict:
    """Returns what the manifest of a run says besides its results; networks by label."""
    return {
        "arguments": arguments or {},
        "versions": manifest.versions(),
        "networks": {label: described(net) for label, net in networks.items()},
    }


def described(network: Network) -> dict:
    """Returns what a manifest says of a network."""
    return {
        "name": network.name,
        "preprocessing": network.preprocessing.name,
        "preprocessing_reason": network.preprocessing_reason,
        **dict(network.variant),
        "classifier": network.classifier and dataclasses.asdict(network.classifier),
        "weights": dataclasses.asdict(network.record),
        **({"notes": list(network.notes)} if network.notes else {}),
    }


def key(network: Network, **parts) -> str:
    """Returns the digest of a picture: of `parts`, the network and all versions."""
    return manifest.key(**decided_by(network), **parts)


def decided_by(network: Network) -> dict:
    """Returns what of a network, and of what runs it, decides the bits of a result."""
    return {
        "weights": network.record.fingerprint,
        "architecture": network.architecture,
        "preprocessing": network.preprocessing,
        "variant": network.variant,
        "versions": manifest.versions(),
    }
