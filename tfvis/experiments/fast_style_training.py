"""Training of a network that paints in one pass: photographs, styles, two stages, a checkpoint."""

import contextlib
import dataclasses
import pathlib
import time
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from tfvis import images, progress_bar
from tfvis.classifiers import learnt_pictures, splits
from tfvis.errors import InputError, arg
from tfvis.experiments import (
    devices,
    fast_style_reports,
    folders,
    messages,
    networks,
    outcome,
    runner,
    workdirs,
)
from tfvis.networks import registry
from tfvis.networks.network import Network
from tfvis.report import manifest, tensorboard
from tfvis.report.html_page import Page
from tfvis.style import arguments as checks
from tfvis.style import metrics
from tfvis.style.fast import (
    checkpoint_files,
    checkpoints,
    photographs,
    style_loss,
    training,
    transform_network,
)
from tfvis.style.fast import (
    settings as fast_settings,
)
from tfvis.style.fast.fast_style import FastStyle
from tfvis.style.fast.settings import LOSS, FastTraining
from tfvis.style.fast.transform_network import Architecture
from tfvis.style.settings import Transfer

# Photographs that are shown in all styles and never learnt from.
_HELD_OUT = 32
# Photographs a style's energy is measured on; a step that no training comes to.
_MEASURED, _APART = 4, 2**40
# Steps between pictures in TensorBoard.
_PICTURES_EVERY = 500


@workdirs.kept
def run(
    content: folders.Found | pathlib.Path | str,
    styles: dict[str, np.ndarray],
    wanted: Network | networks.Wanted = networks.Wanted(pooling="avg"),
    *,
    workdir: pathlib.Path | str,
    settings: FastTraining = FastTraining(),
    loss: Transfer = LOSS,
    content_layers: Sequence[str] | None = None,
    style_layers: Sequence[str] | None = None,
    init: str | None = None,
    fine_tune: bool = False,
    precision: str = "auto",
    arguments: dict | None = None,
    command: str = "",
) -> outcome.Outcome:
    """Trains a network that paints photographs in styles, or goes on training it.

    Args:
        content: a folder of photographs to learn from.
        styles: {name: float32 [height, width, 3], 0..255}.
        wanted: the one network whose features are compared.
        workdir: for all results; it becomes the checkpoint.
        settings: constants of the training, but for the precision.
        loss: of the loss: recipe, ratio, tv_weight and the weights of layers.
        content_layers, style_layers: in place of those in `loss`, which stand for layers of like
            depths where a network has no such layers.
        init: a checkpoint whose network stays as it is, and to whose styles these are added; None
            trains a network from the start.
        fine_tune: whether the network of `init` goes on learning instead, its own styles with those
            that are added, of which there may be none.
        precision: see `devices`.
        arguments: for the manifest.
        command: for the card: what was typed.

    Returns:
        What is said of the checkpoint, as one record.

    Raises:
        InputError: a style or photograph that is none, a name twice, too few photographs; a layer
            or setting is impossible; nothing to fine-tune, or a style of it has no picture.
    """
    began = time.perf_counter()
    before = checkpoints.load(init, "init") if init else None
    if fine_tune and not before:
        raise InputError(f"{arg('fine_tune')}: name the checkpoint to go on with by {arg('init')}.")
    names = _names(styles, before, fine_tune)
    if fine_tune:
        styles = _own_styles(init, before.styles) | styles
    settings = dataclasses.replace(settings, precision=devices.precision(precision))
    settings = fast_settings.complete(
        settings, len(styles), before is not None and not fine_tune, fine_tune
    )
    architecture = _architecture(settings, before)
    network = networks.only(wanted, "a style is taken from one")
    layers = {"content_layers": content_layers, "style_layers": style_layers}
    loss = dataclasses.replace(
        loss,
        precision=settings.precision,
        **{
            name: checks.maps(network, given or _layers(network, loss, name), name)
            for name, given in layers.items()
        },
    )
    if fine_tune:
        _note_other(before, settings, loss)
    found = folders.given(content, "content")
    learnt_from, held_out, digests = _photographs(found, settings, before)
    fitted = style_loss.fitted(list(styles.values()), settings.style_size, network.channels)
    shown = photographs.batch(learnt_from, settings.seed, _APART, _MEASURED, settings.size)
    keras.utils.set_random_seed(settings.seed)
    key = manifest.key(
        settings=settings, loss=loss, styles=fitted, content=list(learnt_from),
        network=network.record.fingerprint, architecture=network.architecture,
        variant=network.variant, versions=manifest.versions(),
        init=before and before.model.get_weights(), fine_tune=fine_tune,
    )  # fmt: skip
    history, model = _trained(
        workdir, network, fitted, shown, learnt_from, held_out, architecture, before, fine_tune,
        settings, loss, key, list(styles),
    )  # fmt: skip
    if before and not fine_tune:
        model = checkpoints.joined(before, model)
    about = {
        "network": registry.absolute(network.name),
        "pooling": dict(network.variant).get("pooling", "max"),
        "trained": manifest.plain(settings),
        "loss": manifest.plain(loss),
        "photographs": len(learnt_from),
        "init": before and before.name,
        "fine_tuned": fine_tune,
        "trained_styles": list(styles),
        "seconds": round(history[-1]["seconds"]),
        "energy": history[-1]["energy"],
    }
    # Whoever learns to name what it has painted is told if that is tested on these.
    about["learnt_from"] = sorted(set(digests))
    if before:
        earlier, complete = learnt_pictures.told(before.about)
        about["learnt_from"] = sorted({*digests, *earlier})
        about["learnt_from_complete"] = complete
        about["before"] = {k: v for k, v in before.about.items() if k != "learnt_from"}
    plain = transform_network.build(len(names), architecture)
    plain.set_weights(model.get_weights())
    checkpoints.save(workdir, plain, architecture, names, settings.size, about)
    style = FastStyle(workdir.resolve().name, plain, architecture, names, settings.size, about)
    fast_style_reports.write_styles(
        workdir, styles, settings.style_size, None if fine_tune else init
    )
    sheet = fast_style_reports.write_sheet(workdir, style, held_out)
    fast_style_reports.write_card(workdir, style, command)
    fast_style_reports.write_history(workdir, history)
    header = {"arguments": arguments or {}, "versions": manifest.versions()}
    header |= {"network": runner.described(network), "seconds": time.perf_counter() - began}
    manifest.write(workdir / "manifest.json", header | folders.told(found) | {"results": [about]})
    folders.report(found)
    lines = [
        f"Trained {len(styles)} style{'s' * (len(styles) > 1)} on {len(learnt_from)} photographs "
        f"in {_words(about['seconds'])}; energy {about['energy']:.3f} of an unpainted "
        "photograph's",
        f"Checkpoint: {workdir}  (stylize --fast={workdir})",
    ]
    said = ["Photographs that it has not seen, in all its styles; README.md is its card."]
    page = Page(f"A network that paints: {workdir.name}", [], said)
    return outcome.Outcome([about], lines, sheet, page)


def _own_styles(init: str, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Returns {name: pixels} of the styles of a checkpoint, as large as they were learnt.

    Raises:
        InputError: one has no picture there.
    """
    folder = checkpoint_files.found(init, "init")
    return {name: images.read(checkpoint_files.picture(folder, name)).pixels for name in names}


def _note_other(before: FastStyle, settings: FastTraining, loss: Transfer) -> None:
    """Notes in what a training differs from the one that it goes on with, lest it be unwanted."""
    earlier, told = before.about.get("trained") or {}, before.about.get("loss") or {}
    now = {name: getattr(settings, name) for name in ("size", "style_size")}
    now |= {k: v for k, v in manifest.plain(loss).items() if k != "precision"}
    for name, value in now.items():
        was = {**earlier, **told}.get(name, value)
        if was != value:
            messages.note(
                f"{arg(name)}: {before.name} was trained with {was}, and goes on with {value}."
            )


def _names(styles: dict, before: FastStyle | None, fine_tune: bool) -> tuple[str, ...]:
    """Returns the names of all styles of the checkpoint to be.

    Raises:
        InputError: there is none; one twice; no name.
    """
    if not styles and not fine_tune:
        raise InputError(f"{arg('styles')}: expected at least one picture.")
    for name, pixels in styles.items():
        checks.not_flat(pixels, f"{arg('styles')}={name}")
        if not name.strip() or name != name.strip() or "," in name:
            raise InputError(
                f"{arg('styles')}={name}: a style is named as its file is, without commas or "
                "spaces around it. Rename the file."
            )
    twice = [name for name in styles if before and name in before.styles]
    if before and twice:
        raise InputError(
            f"{arg('styles')}: {before.name} has a style {twice[0]!r}. Rename the file."
        )
    return (*(before.styles if before else ()), *styles)


def _layers(network: Network, loss: Transfer, name: str) -> Sequence[str]:
    """Returns the layers of a loss; where the usual ones are not there, those of like depths."""
    wanted = getattr(loss, name)
    if wanted == getattr(LOSS, name) and not set(wanted) <= set(network.paths):
        alike = metrics.layers_for(network)
        return alike.content if name == "content_layers" else alike.style
    return wanted


def _architecture(settings: FastTraining, before: FastStyle | None) -> Architecture:
    """Returns the sizes of the network; of one that stays, its own."""
    if before is None:
        return Architecture(settings.width, settings.blocks)
    for name in ("width", "blocks"):
        usual = FastTraining.__dataclass_fields__[name].default
        own = getattr(before.architecture, name)
        if getattr(settings, name) not in (usual, own):
            raise InputError(f"{arg(name)}: {arg('init')} brings its own network; leave it out.")
    return before.architecture


def _photographs(
    found: folders.Found, settings: FastTraining, before: FastStyle | None
) -> tuple[list[np.ndarray], list[np.ndarray], list[str]]:
    """Reads photographs to learn from, uint8, and others to show, float32 [size, size, 3].

    Returns:
        Them, these, and the `splits.digest` of each to learn from.

    Raises:
        InputError: fewer than two can be read; an earlier training has learnt from all of them.
    """
    order = np.random.default_rng(settings.seed).permutation(len(found.paths))
    limit = settings.photographs + _HELD_OUT
    largest = max(stage.painted for stage in fast_settings.stages(settings))
    chosen = [found.paths[k] for k in order[:limit]]
    drawn = dataclasses.replace(found, paths=chosen)
    paths, kept = [], []
    for path, pixels in progress_bar.bar(
        "Reading photographs", len(chosen), folders.pictures(drawn)
    ):
        paths.append(str(path))
        kept.append(photographs.kept(pixels, largest))
    if len(kept) < 2:
        raise InputError(f"{arg(found.argument)}: expected two photographs at least. Add some.")
    digests = [splits.digest(path) for path in paths]
    known = set(learnt_pictures.told(before.about)[0]) if before else set()
    unseen = [k for k, digest in enumerate(digests) if digest not in known]
    if not unseen:
        raise InputError(
            f"{arg(found.argument)}: {before.name} has learnt from all of them, so that none shows "
            "how it paints others. Add a photograph."
        )
    # Of few photographs most are to learn from.
    held = unseen[: min(_HELD_OUT, max(len(kept) // 4, 1))]
    held_out = [images.crop(kept[k].astype(np.float32)) for k in held]
    held_out = [images.resize(one, settings.size, settings.size) for one in held_out]
    learnt = [k for k in range(len(kept)) if k not in held][: settings.photographs]
    return [kept[k] for k in learnt], held_out, [digests[k] for k in learnt]


def _trained(
    workdir, network, styles, measured, shown, held_out, architecture, before, fine_tune, settings,
    loss, key, names,
):  # fmt: skip
    """Trains with a bar, an estimate and TensorBoard; returns the history and the model."""
    energies = style_loss.StyleLoss(
        network, styles, [images.with_channels(p, network.channels) for p in measured], loss
    )
    gpus = tf.config.list_physical_devices("GPU")
    scope = tf.distribute.MirroredStrategy().scope if len(gpus) > 1 else contextlib.nullcontext
    steps = sum(stage.steps for stage in fast_settings.stages(settings))
    with tensorboard.Writer(workdir / "tensorboard") as writer, scope():
        if before is None:
            model = transform_network.build(len(styles), architecture, settings.precision)
        elif fine_tune:
            added = len(styles) - len(before.styles)
            model = checkpoints.continued(before, added, settings.precision)
        else:
            model = checkpoints.extended(before, len(styles), settings.precision)
        learning = training.learner(model, energies, settings)
        log = _Log(writer, model, held_out, names)
        keeper = training.Keeper(workdir / "state", key, log)
        if keeper.done < steps:
            _estimate(learning, shown, len(styles), settings, keeper.done)
        with progress_bar.bar("Learning", steps) as bar:
            bar.update(keeper.done)
            try:
                training.fit(learning, shown, len(styles), settings, keeper, [_Bar(bar, keeper)])
            except FloatingPointError as error:
                raise InputError(f"{error} Use a lower {arg('rate')} or {arg('ratio')}.") from error
    return keeper.history, model


def _estimate(learning, shown, styles: int, settings: FastTraining, done: int) -> None:
    """Says how long it will take, as measured."""
    messages.say("Measuring how fast it goes ...")
    paces = list(training.paces(learning, shown, styles, settings, done))
    seconds = sum(pace.steps * pace.seconds for pace in paces)
    parts = ", ".join(
        f"{pace.steps} steps of {pace.size} px at {1 / pace.seconds:.2f}/s" for pace in paces
    )
    messages.say(f"Estimate: {_words(seconds)} ({parts}).")


def _words(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


class _Log:
    """Tells TensorBoard of a training: its terms, and held-out pictures on their way."""

    def __init__(self, writer: tensorboard.Writer, model, held_out, names: list[str]):
        self._writer, self._model, self._names = writer, model, names
        self._pictures, self._next = tf.constant(np.stack(held_out[:2])), 0
        mixed = [tf.TensorSpec((None, None, None, 3)), tf.TensorSpec((None, len(names)))]
        self._paint = tf.function(lambda *given: model([*given]), mixed, autograph=False)

    def __call__(self, history: list[dict]) -> None:
        entry = history[-1]
        said = {k: v for k, v in entry.items() if k not in ("step", "size", "seconds")}
        self._writer.scalars(said, entry["step"])
        if entry["step"] >= self._next:
            self._next = entry["step"] + _PICTURES_EVERY
            for k, name in enumerate(self._names):
                mix = tf.one_hot([k] * len(self._pictures), len(self._names))
                self._writer.images(name, self._paint(self._pictures, mix).numpy(), entry["step"])
            self._writer.flush()


class _Bar(keras.callbacks.Callback):
    """Moves a bar by steps."""

    def __init__(self, bar, keeper: training.Keeper):
        super().__init__()
        self._bar, self._keeper = bar, keeper

    def on_train_batch_end(self, batch, logs=None):
        self._bar.update(1)

    def on_epoch_end(self, epoch, logs=None):
        energy = self._keeper.history[-1]["energy"]
        self._bar.set_postfix_str(f"energy {energy:.3f}", refresh=False)
