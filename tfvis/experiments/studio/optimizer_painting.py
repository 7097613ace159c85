"""Painting by the optimiser, as a generator of pictures; and how long it will take, beforehand."""

import dataclasses
import pathlib
import threading
import time
from collections.abc import Iterator, Sequence

import numpy as np

from tfvis import files, hardware, images
from tfvis.errors import InputError
from tfvis.experiments import devices, style_runs, style_transfer
from tfvis.experiments.studio.wishes import Wish
from tfvis.networks.network import Network
from tfvis.optimize import loop
from tfvis.report import manifest
from tfvis.settings import given
from tfvis.style import memory, metrics, transfer

# Of the machine's memory: a page has other things to do meanwhile.
_SHARE = 0.5
# Share of a painting after which its pace is a measurement.
_LEARNT_FROM = 0.5


@dataclasses.dataclass(frozen=True, eq=False)
class Task:
    """What is to be painted like what.

    Attributes:
        content: float32 [height, width, 3], 0..255.
        styles: likewise, one or more.
        weights: of each.
        mask: bool [height, width], where the first style goes; None is everywhere. The rest takes
            the second, and of one style stays a photograph.
        wish: how.

    Raises:
        InputError: a mask and more than two paintings.
    """

    content: np.ndarray
    styles: Sequence[np.ndarray]
    weights: tuple[float, ...]
    mask: np.ndarray | None
    wish: Wish

    def __post_init__(self):
        if self.mask is not None and len(self.styles) > 2:
            raise InputError("A mask is for one painting or two. Take the others away.")


@dataclasses.dataclass(frozen=True, eq=False)
class Step:
    """A picture on its way.

    Attributes:
        picture: float32 [height, width, 3], 0..255; None where there is none yet.
        share: of the work that is done, 0..1.
        seconds_left: as measured so far; None where nothing was.
        done: evaluations so far.
        total: of them in all.
        kept: what the optimiser has, of which the picture is made; see `whole`.
    """

    picture: np.ndarray | None
    share: float
    seconds_left: float | None
    done: int
    total: int
    kept: np.ndarray | None = None


class Pace:
    """How fast this machine is, measured once and corrected by what was painted since.

    Attributes:
        rate: multiplications a second, forwards and back; None before it was measured.
        first: seconds until the first pass of a scale, which is compiled.
    """

    def __init__(self):
        self.rate, self.first, self._lock = None, 0.0, threading.Lock()

    def measure(self, network: Network, precision: str) -> None:
        """Times a pass, unless that was done."""
        with self._lock:
            if self.rate is None:
                self.rate, self.first = style_runs.rate(network, precision)

    def learn(self, work: float, seconds: float) -> None:
        """Takes in that so many multiplications took so many seconds."""
        if seconds > 0 and work > 0:
            self.rate = work / seconds

    def seconds(self, plan: memory.Plan, levels: int) -> float:
        """Returns how long a plan of so many scales takes, each of which is compiled."""
        return plan.work / given(self.rate) + self.first * levels


def piece_of(task: Task, network: Network) -> tuple[style_runs.Piece, memory.Plan]:
    """Returns what `style_runs` makes of a task, and its plan.

    Args:
        task: which.
        network: with average poolings, as `stylize` has it.

    Raises:
        InputError: a size that memory does not hold.
    """
    styles, weights, mask = list(task.styles), task.weights, None
    if task.mask is not None:
        # Regions take styles from dark to light.
        mask = np.where(task.mask[..., None], 0.0, 255.0).astype(np.float32).repeat(3, -1)
        if len(styles) == 1:
            styles.append(task.content)
        weights = ()
    painting = style_transfer.Painting(
        task.content,
        styles,
        weights,
        style_scale=task.wish.strokes,
        color="luminance" if task.wish.keep_colors else "none",
        mask=mask,
    )
    settings = settings_of(task.wish, network)
    piece = style_transfer.piece_of(painting, network, settings, task.wish.size, 0)
    return style_runs.planned(piece, int(_SHARE * hardware.memory()))


def settings_of(wish: Wish, network: Network) -> transfer.Transfer:
    """Returns constants of which nothing is left to the recipe, the network or the machine."""
    layers = metrics.layers_for(network)
    settings = dataclasses.replace(
        wish.transfer(),
        precision=precision(),
        content_layers=layers.content,
        style_layers=layers.style,
    )
    return transfer.resolved(settings)


def precision() -> str:
    """Returns the arithmetic that suits this machine."""
    return devices.precision("auto")


def seconds(shape: tuple[int, int], wish: Wish, network: Network, pace: Pace) -> float:
    """Returns how long a painting will take here, as far as that is known.

    Args:
        shape: (height, width) of the photograph.
        wish: how.
        network: see `piece_of`.
        pace: as measured.

    Raises:
        InputError: memory does not hold a picture of that size.
    """
    size = images.sides_of_area(*shape, wish.size)
    settings = settings_of(wish, network)
    levels = transfer.schedule(size, settings)
    plan = memory.plan(network, size, settings, int(_SHARE * hardware.memory()), levels)
    return pace.seconds(plan, len(levels))


def paint(task: Task, network: Network, pace: Pace) -> Iterator[tuple[Step, style_runs.Piece]]:
    """Paints, coarse to fine; what it has yielded last is the best so far.

    Args:
        task: what like what.
        network: see `piece_of`.
        pace: what is said of the time goes by it, and it learns.

    Raises:
        InputError: as `piece_of`; the energy diverges.
    """
    piece, plan = piece_of(task, network)
    levels, total = piece.levels, piece.total
    pace.measure(network, piece.settings.precision)
    yield Step(None, 0.0, pace.seconds(plan, len(levels)), 0, total), piece
    costs = [_cost(level) for level in levels]
    began, share = time.perf_counter(), 0.0
    runs = transfer.iterate(network, piece.scene, seeds=(0,), settings=piece.settings)
    try:
        for progress in runs:
            done = progress.snapshot.done
            share = _share(levels, costs, done)
            spent = time.perf_counter() - began
            left = spent * (1 - share) / share if share else None
            (kept,) = progress.kept
            yield Step(_finished(piece, kept), share, left, done, total, kept), piece
    except loop.DivergedError as error:
        raise InputError("The optimiser lost its way. Choose less strength.") from error
    finally:
        # Of one that was stopped early, compiling is most of the time.
        if share > _LEARNT_FROM:
            compiled = pace.first * len(levels)
            pace.learn(share * plan.work, time.perf_counter() - began - compiled)


def whole(step: Step, piece: style_runs.Piece) -> np.ndarray:
    """Returns the picture of a step at the size asked for, as its next scale would begin."""
    scene = piece.scene
    return _finished(piece, transfer.enlarged(given(step.kept), scene.content, scene.size))


def _finished(piece: style_runs.Piece, kept: np.ndarray) -> np.ndarray:
    return images.with_channels(piece.finish(kept[None])[0], 3)


def _cost(level: transfer.Level) -> float:
    return level.size[0] * level.size[1] * level.evaluations


def _share(levels: list[transfer.Level], costs: list[float], done: int) -> float:
    """Returns the share of the work, not of the evaluations: coarse ones are cheap."""
    spent = 0.0
    for level, cost in zip(levels, costs, strict=True):
        spent += cost * min(max(done, 0), level.evaluations) / level.evaluations
        done -= level.evaluations
    return spent / sum(costs)


def write_manifest(
    path: pathlib.Path, picture: pathlib.Path, piece: style_runs.Piece, step: Step, about: dict
) -> None:
    """Writes what made a picture: versions, weights, constants, and how far it came.

    Args:
        path: of the manifest.
        picture: the file it is of.
        piece: what was made.
        step: the last.
        about: what else to say of it, of JSON's types.
    """
    result = style_runs.described(piece) | piece.about | about
    result |= {
        "evaluations": step.done,
        "of": step.total,
        "file": picture.name,
        "sha256": files.sha256_of(picture),
    }
    header = style_runs.header([piece], {"app": "studio"})
    manifest.write(path, header | {"results": [result]})
