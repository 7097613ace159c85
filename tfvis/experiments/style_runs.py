"""What transfers, textures and reconstructions share: making, measuring, the estimate."""

import dataclasses
import functools
import pathlib
import time
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import tensorflow as tf

from tfvis import hardware, images
from tfvis.errors import arg
from tfvis.experiments import (
    devices,
    energy_traces,
    growth,
    messages,
    networks,
    optimization_tasks,
    outcome,
    runner,
)
from tfvis.networks.network import Network
from tfvis.report import manifest
from tfvis.report.html_page import Page
from tfvis.style import arguments as checks
from tfvis.style import losses, memory, metrics, transfer
from tfvis.style.transfer import Scene, Transfer

FIELDS = {"name": str, "measures": dict}
# Of the machine's memory, what a run may plan with: the estimate is no promise.
_SHARE = 0.6
# Below this nobody needs to be told how long it takes.
_LONG_S = 20
# Noise in which a network sees next to nothing keeps its energy to some thousandths, where VGG's
# falls by orders of magnitude; from so many times the steps to what is kept first on.
_NOWHERE, _EVIDENCE = 0.97, 4


@dataclasses.dataclass(frozen=True)
class Piece:
    """One picture to make.

    Attributes:
        name: of it; also of its folder, unless `path` says otherwise.
        path: of the picture, relative to the workdir.
        network: the network.
        scene: what is transferred to what.
        settings: constants; `tile` and `history` as planned.
        stills: evaluations at which it is saved as well, to `steps/`.
        finish: what is done to pictures before they are saved.
        judged: (content, styles) it is measured against, as the person gave them; None
            leaves a part out.
        about: what its record says of it besides.
    """

    name: str
    path: pathlib.PurePosixPath
    network: Network
    scene: Scene
    settings: Transfer
    stills: tuple[int, ...] = ()
    finish: Callable[[np.ndarray], np.ndarray] = lambda pictures: pictures
    judged: tuple[np.ndarray | None, tuple[np.ndarray, ...]] = (None, ())
    about: dict = dataclasses.field(default_factory=dict)

    @property
    def total(self) -> int:
        """Evaluations at all scales."""
        return sum(level.evaluations for level in self.levels)

    @property
    def levels(self) -> list[transfer.Level]:
        """The scales."""
        return transfer.schedule(self.scene.size, self.settings)


def looked_at(pixels: np.ndarray, network: Network, size: int | None, usual: int) -> np.ndarray:
    """Returns a picture as a network looks at it, for one that is found from noise.

    What a network of a fixed size is shown has that size, see `transfer.iterate`.

    Args:
        pixels: float32 [height, width, 3], 0..255.
        network: whose channels, and size if it is fixed, the result has.
        size: side of a square of as many pixels; None is `usual`, or what the network takes.
        usual: see `size`.

    Raises:
        InputError: the network insists on another size.
    """
    if network.fixed_size:
        return networks.target(pixels, network, size, "center")
    resized = metrics.resized(pixels, usual if size is None else size)
    return images.with_channels(resized, network.channels)


def settled(
    settings: Transfer,
    network: Network,
    workdir: pathlib.Path,
    precision: str,
    jit: str,
    content_layers: Iterable[str] | None = None,
    style_layers: Iterable[str] | None = None,
) -> Transfer:
    """Returns settings of which nothing is left to the recipe, the network or the machine.

    Args:
        settings: constants; None among them are the recipe's.
        network: whose layers.
        workdir: exists; see `devices`, as for `precision` and `jit`.
        content_layers, style_layers: in place of those in `settings`; None is the published
            choice, or layers of like depths.

    Raises:
        InputError: a layer is no map, a setting out of range.
    """
    usual = metrics.layers_for(network)
    chosen = {
        name: checks.maps(network, published if given is None else given, name)
        for name, given, published in (
            ("content_layers", content_layers, usual.content),
            ("style_layers", style_layers, usual.style),
        )
    }
    precision = devices.precision(precision)
    found = transfer.resolved(dataclasses.replace(settings, precision=precision, **chosen))
    deepest = max([*found.style_layers, *found.content_layers], key=network.paths.index)
    return dataclasses.replace(found, jit=devices.jit(jit, workdir, network, None, deepest))


def run(
    pieces: list[Piece], workdir: pathlib.Path, limit: int | None, seed: int, arguments
) -> list[dict]:
    """Makes pictures, or takes over those that were finished before; says first what it takes.

    Args:
        pieces: the pictures.
        workdir: exists and is writable.
        limit: see `planned`.
        seed: of the noise.
        arguments: for the manifest.

    Returns:
        A record of each.
    """
    fitted, plans = zip(*[planned(piece, limit) for piece in pieces], strict=True)
    tasks = [task(piece, workdir, seed) for piece in fitted]
    announce(ahead(tasks, plans, workdir, FIELDS), fitted[0].network)
    return optimization_tasks.run(tasks, workdir, header(fitted, arguments), FIELDS)


def planned(piece: Piece, limit: int | None) -> tuple[Piece, memory.Plan]:
    """Returns the piece made so that it keeps to `limit` bytes, and what it takes.

    None is more than half of what the machine, or the container, has.
    """
    limit = limit or int(_SHARE * hardware.memory())
    plan = memory.plan(piece.network, piece.scene.size, piece.settings, limit, piece.levels)
    return dataclasses.replace(piece, settings=plan.settings), plan


def ahead(tasks, plans, workdir: pathlib.Path, fields: dict[str, type]) -> list[memory.Plan]:
    """Returns the plans of tasks not finished yet; `fields` as of `optimization_tasks.run`."""
    left = {task.name for task in optimization_tasks.unfinished(tasks, workdir, fields)}
    return [plan for task, plan in zip(tasks, plans, strict=True) if task.name in left]


def announce(plans: list[memory.Plan], network: Network) -> None:
    """Says what a run will take, before it starts, where it is long; to know, a pass is timed.

    Args:
        plans: of what is to be made; of nothing, nothing is said or timed.
        network: the network.
    """
    if not plans:
        return
    seconds = sum(plan.work for plan in plans) / rate(network, plans[0].settings.precision)[0]
    tiles = any(plan.settings.tile for plan in plans)
    if seconds > _LONG_S:
        messages.say(
            f"Estimate: {_words(seconds)}, {max(p.bytes for p in plans) / 2**30:.1f} GiB of memory"
            f"{', in tiles' if tiles else ''}."
        )
    if any(plan.replaced for plan in plans):
        messages.note(f"too large for L-BFGS within {arg('memory')}; Adam is used.")


def _words(seconds: float) -> str:
    if seconds < 100:
        return f"{max(round(seconds, -1), 10):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def rate(network: Network, precision: str) -> tuple[float, float]:
    """Returns multiplications a second of a forward and backward pass on this machine.

    And the seconds until the first pass begins: building, tracing, compiling.
    """
    began = time.perf_counter()
    layer = (network.convolutions() or network.convolutions_and_poolings())[-1]
    height, width = network.fixed_size or (224, 224)
    taps = network.taps([layer], precision)

    @tf.function(autograph=False)
    def run(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = taps(x)[layer]
        return tape.gradient(y, x, output_gradients=y)

    image = tf.fill([1, height, width, network.channels], 128.0)
    run(image).numpy()
    first, began = time.perf_counter() - began, time.perf_counter()
    run(image).numpy()
    taken = time.perf_counter() - began
    return network.cost(layer, height, width) / taken, max(first - taken, 0.0)


def task(piece: Piece, workdir: pathlib.Path, seed: int) -> optimization_tasks.Task:
    """Returns the piece as a task of `optimization_tasks.run`."""
    network, scene, settings = piece.network, piece.scene, piece.settings
    trace = energy_traces.Trace(workdir / piece.path.with_suffix(".csv"))
    folder = workdir / piece.path.parent / "steps"
    watchers = [trace]
    if piece.stills:
        watchers.append(energy_traces.Stills(folder, piece.stills, piece.finish))
    return optimization_tasks.Task(
        name=piece.name,
        labels=(piece.name,),
        keys=(
            runner.key(
                network,
                recipe="style",
                scene=scene,
                seed=seed,
                settings=settings,
                color=piece.about.get("color"),
                # Whose colours `finish` gives back; the scene holds its brightness only.
                colors_of=piece.judged[0] if piece.about.get("color") == "luminance" else None,
                stills=piece.stills,
            ),
        ),
        paths=(piece.path,),
        start=lambda state, marks: transfer.iterate(
            network, scene, seeds=(seed,), settings=settings, state=state, marks=marks
        ),
        measure=functools.partial(_measure, piece, trace),
        about=({"name": piece.name, "seed": seed} | piece.about,),
        steps=piece.total,
        cost=float(np.prod(scene.size)),
        finish=piece.finish,
        weight="ratio",
        watchers=tuple(watchers),
    )


def _measure(piece: Piece, trace: energy_traces.Trace, pictures, paths) -> list[dict]:
    """Returns the record: measures of the file as read back, terms over the steps."""
    content, styles = piece.judged
    # Pictures as people see them, whatever the network takes.
    found = metrics.measure(
        piece.network,
        images.read(paths[0]).pixels,
        None if content is None else images.with_channels(content, 3),
        [images.with_channels(style, 3) for style in styles] or None,
        style_weights=piece.scene.weights,
        layers=_judged_layers(piece),
    )
    return [
        {
            "measures": found,
            # Every term in the unit, unweighted; the energy is their weighted sum.
            "terms": trace.rows(),
        }
        | described(piece)
    ]


def described(piece: Piece) -> dict:
    """Returns what a record says of how its picture was made."""
    return {
        "unit": f"Gatys: content mean squared, style {losses.UNIT:g}/N^2 mean squared Gram/M",
        "settings": manifest.plain(piece.settings),
        "size": list(piece.scene.size),
    }


def _judged_layers(piece: Piece) -> metrics.Layers:
    usual = metrics.layers_for(piece.network)
    return dataclasses.replace(
        usual,
        content=piece.settings.content_layers or usual.content,
        style=piece.settings.style_layers or usual.style,
    )


def stills(total: int, count: int = 7) -> tuple[int, ...]:
    """Returns the evaluations at which a picture is saved on its way: log-spaced, not the last."""
    return tuple(step for step in growth.log_spaced(total, count)[1:-1] if step >= 5)


def header(pieces: Iterable[Piece], arguments: dict | None) -> dict:
    """Returns what the manifest says besides its results."""
    networks, jit = {}, {}
    for piece in pieces:
        network = piece.network
        label = f"{dict(network.variant)['pooling']} {pathlib.Path(network.name).stem}"
        networks[label], jit[label] = network, piece.settings.jit
    return runner.header(networks, arguments) | {"jit": devices.decided(networks, jit)}


def told(records: list[dict], workdir: pathlib.Path, page: Page) -> outcome.Outcome:
    """Returns what a run of one picture hands back."""
    (record,) = records
    lines = [f"{workdir / record['file']}  {record['seconds']:.0f} s", summary(record)]
    return outcome.Outcome(records, lines, workdir / "sheet.png", page)


def note_stuck(records: Sequence[dict], network: str, *layers: str) -> None:
    """Says which pictures stayed what they began as.

    Args:
        records: of pictures.
        network: its name.
        layers: arguments that name its layers.
    """
    names = [record["name"] for record in records if stuck(record["terms"])]
    if not names:
        return
    which = ", ".join(names) if len(names) < 4 else f"{len(names)} of {len(records)} pictures"
    messages.note(
        f"{which} stayed what {'it' if len(names) == 1 else 'they'} began as: {network} finds "
        f"hardly anything to follow in that. Name other layers by "
        f"{' or '.join(map(arg, layers))}."
    )


def stuck(terms: Sequence[dict]) -> bool:
    """Tells whether a descent came nowhere; the start of a short one is no evidence.

    Args:
        terms: {"step", "energy"} on the way, of scales one after another.
    """
    first, last = terms[0], terms[-1]
    return last["step"] >= _EVIDENCE * first["step"] and last["energy"] > _NOWHERE * first["energy"]


def summary(result: dict) -> str:
    """Returns a line on a result's measures."""
    found = result["measures"]
    content = sum(v for k, v in found.items() if k.startswith("content "))
    words = [f"content {_few(content)}"] if content else []
    if "style" in found:
        words.append(f"style {_few(found['style'])}")
    if "content_fidelity" in found:
        words.append(f"fidelity {found['content_fidelity']:.2f}")
    if "global_effect" in found:
        words.append(f"effect {found['global_effect']:.2f}")
    if "local_pattern" in found:
        words.append(f"pattern {found['local_pattern']:.2f}")
    return f"{', '.join(words)} (at {metrics.SIZE} px)"


def _few(value: float) -> str:
    """Returns a distance as read: of a network with small answers it is far below 1."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
