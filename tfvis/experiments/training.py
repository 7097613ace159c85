"""Training: maps of the trunk, two steps of learning, a checkpoint and its card."""

import contextlib
import dataclasses
import os
import pathlib
import time
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
import tqdm

from tfvis import files, progress_bar
from tfvis.classifiers import (
    averaged_weights,
    backbone,
    batches,
    calibration,
    checkpoints,
    datasets,
    feature_cache,
    learnt_pictures,
    splits,
    training,
    training_state,
)
from tfvis.classifiers.settings import complete
from tfvis.errors import InputError, arg
from tfvis.experiments import (
    classifier_reports,
    devices,
    folders,
    labelled_pictures,
    messages,
    networks,
    outcome,
    style_augmentation,
    workdirs,
)
from tfvis.image_files.folders import counts
from tfvis.networks import behind, weights
from tfvis.report import manifest, run_page, tensorboard
from tfvis.report.html_page import Page


@workdirs.kept
def run(
    data: datasets.Dataset | Sequence[str],
    wanted: networks.Wanted = networks.Wanted(),
    *,
    workdir: pathlib.Path | str,
    settings: training.Training = training.Training(),
    init: str | Sequence[str] | None = None,
    adapt_to: str | None = None,
    size: int | None = None,
    cut: str | None = None,
    views: int = 4,
    drawn: int = 0,
    style_augment: str | None = None,
    stylised: int | None = None,
    style_layer: str | None = None,
    held_out: Sequence[str] = (),
    crop_borders: bool = False,
    shares: tuple[float, float, float] = (0.8, 0.1, 0.1),
    cache: str | None = None,
    precision: str = "auto",
    per_class: int | None = None,
    differences: bool = False,
    split_seed: int | None = None,
    arguments: dict | None = None,
    command: str = "",
) -> outcome.Outcome:
    """Trains a classifier of labelled pictures, tests it, writes it and its card.

    Args:
        data: folders with a folder per class, CSV files, or what was read of them.
        wanted: the network.
        workdir: for all results.
        settings: constants of the training, but for the precision.
        init: a checkpoint to begin with, several (the means of their weights), or None.
        adapt_to: folder of unlabelled pictures of another domain, or None.
        size: side of the pictures; None is that of `init` or of the network, or 224.
        cut: last frozen layer; None leaves at most half of the weights to learn, or, of random
            ones, all that can.
        views: of each picture.
        drawn: further ones, as line drawings.
        style_augment: a folder of pictures, a workdir of `apps.styles` or a checkpoint of
            `apps.train_style`, in whose styles pictures to learn from are shown too; "sources"
            lends each those of other sources.
        stylised: such copies of each picture; None is as many as there are other views.
        style_layer: whose statistics make the style; None is an early one, see `stylised_views`.
        held_out: folders or CSV files it will be tried on, none of whose pictures may be a style.
        crop_borders: whether to take off charts and rulers.
        shares: of training, validation and test.
        cache: folder of the trunk's maps; None is in the weights cache.
        precision: see `devices`.
        per_class: pictures of each class at most, of all sources alike; None is all.
        differences: keep kernels as differences from the network's, in 8 bits, and test those.
        split_seed: of the draw, split and views of the pictures; None is the settings' own. With
            one for all, trainings of several seeds differ by chance alone, not by pictures.
        arguments: for the manifest.
        command: for the card: what was typed.

    Returns:
        What is said of the classifier, as one record.

    Raises:
        InputError: too few pictures for a split, or nothing can be read; a style of a picture that
            is to be tested on.
    """
    settings = dataclasses.replace(settings, precision=devices.precision(precision))
    dataset = data if isinstance(data, datasets.Dataset) else labelled_pictures.read(data)
    seed = settings.seed if split_seed is None else split_seed
    if per_class:
        dataset = datasets.at_most(dataset, per_class, seed)
    if differences and init:
        raise InputError(
            f"{arg('differences')}: of a network that {arg('init')} names, the kernels have learnt "
            "before; leave one of the two out."
        )
    began = time.perf_counter()
    before = _before([init] if isinstance(init, str) else init or [])
    if before:
        parts, side = before.parts, size or before.size
        if cut and cut != parts.cut:
            raise InputError(f"{arg('cut')}={cut}: {before.name} was cut at {parts.cut}.")
        for field in dataclasses.fields(wanted):
            if getattr(wanted, field.name) != field.default:
                raise InputError(
                    f"{arg(field.name)}: {arg('init')} brings its own network; leave it out."
                )
    else:
        network = networks.only(networks.networks(wanted), "a classifier stands on one")
        parts, side = backbone.split(network, cut), size or network.side or 224
        _note_left_out(parts)
    settings = complete(settings, parts.random and not before)
    recipe = feature_cache.Recipe(side, views, seed, crop_borders, settings.precision, drawn)
    found_in = (
        files.located(cache, f"{arg('cache')}={cache}") if cache else weights.home() / "features"
    )
    thresholds = _thresholds(dataset, seed, shares, before)
    parted = labelled_pictures.apart(splits.split(dataset, seed, shares, thresholds))
    _note_learnt(parted[2], before)
    styles = style_augmentation.asked(
        style_augment, parts, parted, copies=stylised, views=views + drawn, layer=style_layer,
        held_out=held_out,
    )  # fmt: skip
    found = _features(parts, dataset, recipe, found_in, "Looking")
    undecoded = labelled_pictures.undecoded(dataset, found.broken)
    if undecoded:
        folders.say_left_out(undecoded, dataset.files)
    train, validation, test = (_part(dataset, found, part) for part in parted)
    _check_parts(dataset, train, validation, test)
    shown = styles and style_augmentation.stylised(styles, parts, dataset, train, recipe, found_in)
    if shown:
        train = shown.train
        style_augmentation.write_sheet(shown, workdir)
    else:
        (workdir / "styles.png").unlink(missing_ok=True)
    unlabelled = datasets.read([adapt_to], dataset.classes, labelled=False) if adapt_to else None
    target = None if unlabelled is None else _target(unlabelled, parts, recipe, found_in)
    learner, history = _train(
        settings, dataset.classes, workdir, parts, before, train, validation, target
    )
    if differences:
        for layer, found in checkpoints.rounded(parts, backbone.learnt(learner)).items():
            learner.get_layer(layer).set_weights(found)
    answers = training_state.answering(learner)
    validated = answers(batches.plain(validation.features, validation.chosen, 64))
    threshold = None
    if datasets.NEGATIVE in dataset.classes:
        negative = dataset.classes.index(datasets.NEGATIVE)
        threshold = calibration.negative_threshold(validated, validation.labels, negative)
        calibration.shift(learner, negative, threshold)
        validated = calibration.shifted(validated, negative, threshold)
    temperature = calibration.temperature(validated, validation.labels)
    calibration.cool(learner, temperature)
    tested = answers(batches.plain(test.features, test.chosen, 64))
    report = classifier_reports.Report(workdir, dataset, test.chosen, tested, side, crop_borders)
    measures = report.measures()
    pictures = [len(part.chosen) for part in (train, validation, test)]
    seconds = time.perf_counter() - began
    about = {
        "domains": list(dataset.domains), "pictures": pictures, "seed": seed,
        "shares": list(shares),
        "thresholds": [[name, *places] for name, places in thresholds.items()],
        "crop_borders": crop_borders,
        "precision": settings.precision, "weights": _weights(wanted.weights, before),
        "temperature": round(temperature, 4), "test": measures,
        **({} if threshold is None else {"negative_threshold": round(threshold, 4)}),
        **({"style_augment": shown.about} if shown else {}),
        **_learnt_from(
            [one for one in (*parted[:2], unlabelled) if one is not None], before,
            shown.digests if shown else (),
        ),
    }  # fmt: skip
    learnt = backbone.learnt(learner)
    # What is undefined is not-a-number, which JSON lacks.
    checkpoints.save(
        workdir, parts, learnt, dataset.classes, side, manifest.plain(about), differences
    )
    classifier_reports.write_card(workdir, parts, dataset, about, command, seconds)
    with tensorboard.Writer(workdir / "tensorboard") as writer:
        report.pictures(writer, len(history))
    manifest.write(
        workdir / "manifest.json",
        {
            "arguments": arguments or {}, "versions": manifest.versions(),
            "network": {"name": parts.network.name, "cut": parts.cut, "last": parts.last},
            "classes": dataset.classes, "history": history, "seconds": seconds,
            "left_out": counts([*dataset.broken, *undecoded]),
            **{name: value for name, value in about.items() if name != "learnt_from"},
        },
    )  # fmt: skip
    lines = [
        f"Trained on {pictures[0]} pictures, best of {len(history) - 1} epochs, {seconds:.0f} s",
        *report.lines(),
        f"Classifier: {workdir}  (--checkpoint={workdir})",
    ]
    said = ["Measured on test pictures, which it has not learnt from; README.md is its card."]
    page = Page(f"A classifier: {workdir.name}", [], said, run_page.numbers(measures))
    return outcome.Outcome([about], lines, page=page)


def _before(names: Sequence[str]) -> checkpoints.Classifier | None:
    """Opens what is begun with, and says what should be known of it."""
    found = [networks.classifier(name, "init") for name in names[:1]]
    found += [checkpoints.load(name, "init") for name in names[1:]]
    return averaged_weights.averaged(found) if found else None


def _note_left_out(parts: backbone.Backbone) -> None:
    """Says where a map, or most of what a network learnt to see, lies behind the last map."""
    if parts.answer:
        messages.note(
            f"of {parts.network.name}, {parts.answer} is left out: so few channels are an answer "
            f"and no features; the classifier stands on the mean of {parts.last}."
        )
    if names := behind.behind(parts.network, parts.last):
        others = f" and {len(names) - 1} more" if names[1:] else ""
        messages.note(
            f"of {parts.network.name}, the layers behind {parts.last} are left out ({names[0]}"
            f"{others}): a classifier stands on the mean of the last map that everything passes "
            "through."
        )


def _thresholds(dataset, seed, shares, before) -> splits.Thresholds:
    """Returns where the data are parted: as they were for the classifier that is begun with.

    Or, with pictures added or taken away, some that it learnt from would be tested on.
    """
    found = splits.thresholds(dataset, seed, shares)
    if not before:
        return found
    try:
        earlier, their_shares, places = splits.told(before.about)
    except InputError:
        return found
    if earlier != seed or their_shares != tuple(shares):
        return found
    return {name: at for name, at in places.items() if name in found} | {
        name: at for name, at in found.items() if name not in places
    }


def _note_learnt(test: datasets.Dataset, before) -> None:
    """Says how many of the pictures to test on the classifier that is begun with has seen."""
    earlier = learnt_pictures.told(before.about)[0] if before else []
    if not earlier:
        return
    known = set(splits.digests(test)) & set(earlier)
    if known:
        messages.note(
            f"{len(known)} of {len(test.examples)} test pictures have taught {before.name} before, "
            f"so the accuracy is not of unseen ones; take its own seed and {arg('shares')}."
        )


def _weights(given: str | None, before: checkpoints.Classifier | None) -> str | None:
    """Returns where the trunk's weights come from, if not from where they are found."""
    if before:
        return before.about.get("weights")
    return given if given in (None, "random") else os.path.abspath(os.path.expanduser(given))


def _features(parts, dataset, recipe, cache, word) -> feature_cache.Features:
    """Computes or finds the trunk's maps, with a bar."""
    with progress_bar.bar(word, len(dataset.examples) * len(recipe.all_views)) as bar:
        return feature_cache.features(parts, dataset, recipe, cache, progress_bar.follower(bar))


def _part(dataset, found, part) -> training.Part:
    chosen = batches.numbers(dataset, found, part)
    labels = np.array([dataset.examples[k].label for k in chosen], np.int64)
    return training.Part(found, chosen, labels)


def _check_parts(dataset, *parts: training.Part) -> None:
    """Raises InputError where there is nothing to learn from; tells what cannot be measured.

    Args:
        dataset: the whole.
        parts: for training, validation and testing, of what can be read.
    """
    lacking = [
        [name for k, name in enumerate(dataset.classes) if k not in part.labels] for part in parts
    ]
    _, validation, test = parts
    if lacking[0]:
        raise InputError(
            f"{arg('data')}: nothing to learn {datasets.listed(lacking[0])} from. Add pictures, "
            f"take the class away, or give {arg('shares')} more to training."
        )
    if not len(validation.chosen):
        raise InputError(
            f"{arg('data')}: {len(dataset.examples)} pictures are too few to validate on any; add "
            f"some, or give {arg('shares')} more to validation."
        )
    for part, names, what in ((validation, lacking[1], "validate"), (test, lacking[2], "test")):
        if names and len(part.chosen):
            messages.note(f"no pictures to {what} {datasets.listed(names)} on.")


def _learnt_from(shown: Sequence[datasets.Dataset], before, styles: Sequence[str]) -> dict:
    """Returns what a checkpoint says of the pictures it has seen; see `learnt_pictures`.

    Args:
        shown: to learn from, to choose the epoch by, and to adapt to.
        before: the classifier that was begun with, which is not found by the network's name.
        styles: digests of the pictures that lent their styles.
    """
    earlier, complete = learnt_pictures.told(before.about) if before else ([], True)
    found = {"learnt_from": sorted({*splits.digests(*shown), *earlier, *styles})}
    return found if complete else found | {"learnt_from_complete": False}


def _target(unlabelled: datasets.Dataset, parts, recipe, cache) -> training.Part:
    """Looks at the pictures to adapt to."""
    found = _features(parts, unlabelled, recipe, cache, "Looking at what to adapt to")
    labelled_pictures.report(unlabelled, labelled_pictures.undecoded(unlabelled, found.broken))
    chosen = np.array([k for k in range(len(unlabelled.examples)) if k not in found.broken])
    return training.Part(found, chosen, np.zeros(len(chosen), np.int64))


def _train(settings, classes, workdir, parts, before, train, validation, target):
    """Trains with a bar and TensorBoard; on several GPUs, on all of them."""
    init = None
    if before:
        init = _carried(before, classes)
        head = "" if backbone.CLASSES in init else ", a new head"
        messages.say(f"Begins with {before.name}{head}.")
    key = manifest.key(
        settings=settings, versions=manifest.versions(), cut=parts.cut, last=parts.last,
        network=parts.network.record.fingerprint, architecture=parts.network.architecture,
        features=train.features.digest, views=train.features.views, classes=classes,
        train=(train.chosen, train.labels), validation=(validation.chosen, validation.labels),
        target=target and target.features.digest,
        init=[array for arrays in (init or {}).values() for array in arrays],
    )  # fmt: skip
    gpus = tf.config.list_physical_devices("GPU")
    scope = tf.distribute.MirroredStrategy().scope if len(gpus) > 1 else contextlib.nullcontext
    with progress_bar.bar("Learning", settings.epochs) as bar, scope():
        callbacks = [_Bar(bar), keras.callbacks.TensorBoard(workdir / "tensorboard")]
        return training.fit(
            parts, len(classes), train, validation, settings, workdir / "state",
            key=key, init=init, target=target, callbacks=callbacks,
        )  # fmt: skip


def _carried(before: checkpoints.Classifier, classes: tuple[str, ...]) -> dict:
    """Returns the weights to begin with; of the head only where the classes are the same."""
    tail = {layer.name: layer.get_weights() for layer in before.parts.tail().layers}
    init = {name: found for name, found in tail.items() if found}
    if before.classes == classes:
        head = before.network.graph.layers[backbone.CLASSES]
        init[backbone.CLASSES] = head.get_weights()
    return init


class _Bar(keras.callbacks.Callback):
    """Moves a bar by parts of an epoch."""

    def __init__(self, bar: tqdm.tqdm):
        super().__init__()
        self._bar, self._epoch = bar, 0

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch
        self._bar.update(epoch - self._bar.n)

    def on_train_batch_end(self, batch, logs=None):
        steps = self.params.get("steps") or 1
        self._bar.update(self._epoch + (batch + 1) / steps - self._bar.n)

    def on_epoch_end(self, epoch, logs=None):
        accuracy = (logs or {}).get("val_accuracy", 0)
        self._bar.set_postfix_str(f"validation {accuracy:.1%}", refresh=False)
