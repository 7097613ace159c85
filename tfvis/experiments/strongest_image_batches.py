"""The images that excite units most, looked for in shards: each keeps the strongest of its own.

Those of all are among those of the shards, and the order is the same (activation, then the earlier
image), so that what is found is exactly what one process finds.
"""

import functools
import heapq
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from tfvis import images
from tfvis.attention import deconvnet
from tfvis.attention.deconvnet import Peak
from tfvis.errors import InputError, arg
from tfvis.experiments import networks, picture_batches, runner
from tfvis.experiments import units as naming
from tfvis.experiments.batch import batches
from tfvis.experiments.batch.engine import Engine
from tfvis.experiments.batch.jobs import Job
from tfvis.experiments.strongest_images import Images, Strongest
from tfvis.image_files.folders import LeftOut
from tfvis.networks.network import Network
from tfvis.objectives.parsing import Unit

MAKER = f"{__name__}:job"
# Of each entry: a unit by its place in the job, its answer, and where in the map.
_KINDS = {"unit": pa.int32(), "activation": pa.float32(), "row": pa.int32(), "column": pa.int32()}


def check(wanted: object, looked: Images) -> None:
    """Raises InputError where other processes could not do the same."""
    if looked.found is None:
        raise InputError(
            f"{arg('images')}: name the folder that {arg('workers')} are to look through."
        )
    if not isinstance(wanted, networks.Wanted):
        raise InputError(
            f"{arg('engine')}: other processes know a network by its words only, "
            "networks.Wanted(...)."
        )


def shared(
    wanted: networks.Wanted,
    named: str | None,
    label: str,
    network: Network,
    units: Sequence[Unit],
    looked: Images,
    top: int,
    engine: Engine,
    folder: pathlib.Path,
) -> Callable[[], dict[str, Strongest]]:
    """Returns what looks through images for all units of a network, once it is asked, and once.

    Args:
        wanted: the networks, in words.
        named: the units, in words; None are some.
        label: which of the networks.
        network: it.
        units: its channels.
        looked: the images, files; those that cannot be read are added to the broken ones.
        top: how many images a channel.
        engine: who does the work.
        folder: of the batch, which goes on where it was stopped.

    Returns:
        () -> by layer the strongest images. It raises InputError as `batches.run`, and where no
        image can be read.
    """
    layers: dict[str, list[int]] = {}
    for unit in units:
        layers.setdefault(unit.layer, []).append(unit.channel)
    given = {
        "network": networks.plain(wanted), "named": named, "label": label, "layers": layers,
        "top": top, "size": looked.size, "crop": looked.crop,
    }  # fmt: skip
    return functools.cache(lambda: _strongest(network, given, looked, engine, folder))


def _strongest(
    network: Network, given: dict, looked: Images, engine: Engine, folder: pathlib.Path
) -> dict[str, Strongest]:
    found = looked.found
    assert found is not None  # As `check` saw.
    plan, verified = batches.run(
        _job(network, given), MAKER, given, batches.items(found), engine,
        folder=folder, word="Looking",
    )  # fmt: skip
    if not verified.rows:
        batches.report(found, plan, verified)  # Which raises.
    done = picture_batches.Done(found, plan, verified)
    root = pathlib.Path(plan.root)
    for one in batches.left_out(plan):
        path = root / one.path
        found.broken[path] = LeftOut(str(path), one.reason, one.detail)
    return _merged(done, given["layers"], given["top"])


def job(settings: dict) -> Job:
    """Returns what is done to each picture, made of plain data.

    Args:
        settings: as `shared` writes them.
    """
    built = naming.built(networks.of_plain(settings["network"]), settings["named"])
    return _job(built[settings["label"]], settings)


def _job(network: Network, given: dict) -> Job:
    layers: Mapping[str, Sequence[int]] = given["layers"]
    count = sum(map(len, layers.values()))

    def target(path: str) -> np.ndarray:
        return networks.target(
            images.read(path, None).pixels, network, given["size"], given["crop"]
        )

    def look(shown: np.ndarray) -> dict[str, Any]:
        peaks = [
            found[channel][0]
            for layer, channels in layers.items()
            for found in (deconvnet.strongest(network, layer, list(channels), [shown], 1),)
            for channel in channels
        ]
        return {
            "unit": np.arange(count),
            **{name: np.array([getattr(peak, name) for peak in peaks])
               for name in ("activation", "row", "column")},
        }  # fmt: skip

    def finish(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if not rows:
            return rows
        answers = np.stack([row["activation"] for row in rows])
        # Of equals the earlier image.
        order = np.argsort(-answers, axis=0, kind="stable")[: given["top"]]
        kept = np.zeros(answers.shape, bool)
        np.put_along_axis(kept, order, True, axis=0)
        return [
            row | {name: row[name][own] for name in _KINDS}
            for row, own in zip(rows, kept, strict=True)
        ]

    fingerprint = {
        "job": "strongest images", **runner.decided_by(network),
        **{name: given[name] for name in ("layers", "top", "size", "crop")},
    }  # fmt: skip
    columns = pa.schema([(name, pa.list_(kind)) for name, kind in _KINDS.items()])
    return Job(fingerprint, columns, picture_batches.answers(target, look), finish=finish)


def _merged(
    done: picture_batches.Done, layers: Mapping[str, Sequence[int]], top: int
) -> dict[str, Strongest]:
    """Returns the strongest of all shards by layer, in the order of `deconvnet.strongest`."""
    units = [(layer, channel) for layer, channels in layers.items() for channel in channels]
    kept: list[list] = [[] for _ in units]
    for index, row in enumerate(done.rows()):
        entries = zip(*(row[name] for name in _KINDS), strict=True)
        for unit, activation, place, column in entries:
            entry = (activation, -index, place, column, row["path"])
            push = heapq.heappush if len(kept[unit]) < top else heapq.heappushpop
            push(kept[unit], entry)
    found = {layer: Strongest([], {}) for layer in layers}
    for (layer, channel), entries in zip(units, kept, strict=True):
        one = found[layer]
        one.peaks[channel] = []
        for activation, _, place, column, path in sorted(entries, reverse=True):
            one.peaks[channel].append(Peak(len(one.names), place, column, activation))
            one.names.append(path)
    return found
