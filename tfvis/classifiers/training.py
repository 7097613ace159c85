"""Training a classifier in two steps: the head on a frozen network, then the tail with it.

Transfer as Sabatelli et al. 2018 found it to work for art: a network that knows photographs,
a new classifier on its averaged maps, then the last layers fine-tuned. Plain `model.fit`, so
that it runs on a GPU, or on several under a `tf.distribute` strategy, as it stands.
"""

import dataclasses
import pathlib
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from tfvis.classifiers import (
    backbone,
    batches,
    domain_adversarial,
    gradient_reversal,
    training_state,
)
from tfvis.classifiers.feature_cache import Features
from tfvis.classifiers.settings import Training, complete


@dataclasses.dataclass(frozen=True, eq=False)
class Part:
    """Pictures to learn from, or to be checked by.

    Attributes:
        features: maps of the trunk.
        chosen: numbers of its examples.
        labels: of these; of unlabelled ones, anything.
    """

    features: Features
    chosen: np.ndarray
    labels: np.ndarray


def fit(
    parts: backbone.Backbone,
    classes: int,
    train: Part,
    validation: Part,
    settings: Training,
    folder: pathlib.Path,
    *,
    key: str = "",
    init: dict[str, list[np.ndarray]] | None = None,
    target: Part | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> tuple[keras.Model, list[dict]]:
    """Trains a classifier.

    Args:
        parts: where the network is cut.
        classes: how many.
        train: to learn from.
        validation: decides which epoch is kept.
        settings: constants.
        folder: where the state is kept; stopped at any moment, the same call goes on at the
            last whole epoch, and ends with the same weights.
        key: digest of all else that decides the result; a state of another key is not used.
        init: {layer: weights} of an earlier training to begin with; a head among them stands
            in for the first step.
        target: pictures of another domain, unlabelled, to adapt to.
        callbacks: of `model.fit`.

    Returns:
        The learner of the best epoch, or, where there is a target, of the last; and {loss,
        accuracy, val_loss, val_accuracy} per epoch.
    """
    scratch = parts.random and not init
    settings = complete(settings, scratch)
    keras.utils.set_random_seed(settings.seed)
    learner = backbone.learner(
        parts,
        classes,
        dropout=settings.dropout,
        precision=settings.precision,
        mixing=settings.mixing,
        scratch=scratch,
    )
    for layer in learner.layers:
        if init and layer.name in init:
            layer.set_weights(init[layer.name])
    keeper = training_state.Keeper(
        folder, key, learner, batches.plain(validation.features, validation.chosen, 64),
        validation.labels, settings.patience, settings.seed, _loss(settings),
        last=target is not None,
    )  # fmt: skip
    if not keeper.begun:
        if settings.head_epochs and not (init and backbone.CLASSES in init):
            _head(learner, train, classes, settings)
        keeper.start()
    if keeper.epoch < settings.epochs and not keeper.stopped:
        _fine_tune(learner, classes, train, target, settings, keeper, callbacks)
    keeper.best()
    return learner, keeper.history


def _head(learner: keras.Model, train: Part, classes: int, settings: Training) -> None:
    """Trains the last layer on averaged maps, of all views, by themselves."""
    averaged = keras.Model(learner.input, learner.get_layer(backbone.MEAN).output)
    answers = training_state.answering(averaged)
    vectors = [answers(_view(train, view)) for view in range(train.features.views)]
    x, y = np.concatenate(vectors), np.tile(train.labels, len(vectors))
    scores = learner.get_layer(backbone.CLASSES)
    inputs = keras.Input(x.shape[1:])
    head = keras.Model(inputs, scores(keras.layers.Dropout(settings.dropout, seed=0)(inputs)))
    _compile(head, settings, keras.optimizers.Adam(settings.head_rate))
    goals = np.eye(classes, dtype=np.float32)[y]
    weights = batches.class_weights(train.labels, classes)[y]
    _build(head, goals[:1], weights[:1])
    head.fit(
        x,
        goals,
        sample_weight=weights,
        batch_size=settings.batch,
        epochs=settings.head_epochs,
        verbose=0,
        callbacks=[keras.callbacks.EarlyStopping("loss", min_delta=1e-3, patience=3)],
    )


def _view(part: Part, view: int) -> tf.data.Dataset:
    features = dataclasses.replace(
        part.features, arrays=tuple((source[view],) for source in part.features.arrays)
    )
    return batches.plain(features, part.chosen, 64)


def _fine_tune(learner, classes, train, target, settings, keeper, callbacks) -> None:
    """Trains tail and head together, from the epoch the keeper has come to."""
    arguments = (classes, settings.batch, settings.seed, keeper.epoch)
    own = (train.features, train.chosen, train.labels)
    if target is None:
        model = learner
        found, steps = batches.training(*own, *arguments)
        loss, weights = _loss(settings), None
    else:
        # The same new layers, whether or not the head was trained in this process.
        keras.utils.set_random_seed(settings.seed)
        model = domain_adversarial.adversarial(learner)
        found, steps = batches.adapting(*own, target.features, target.chosen, *arguments)
        loss = {"class": _loss(settings), "domain": domain_adversarial.DomainLoss()}
        weights = {"class": 1.0, "domain": settings.adapt_weight}
        schedule = gradient_reversal.Schedule(steps * settings.epochs, steps * keeper.epoch)
        callbacks = [schedule, *callbacks]
    rate = keras.optimizers.schedules.CosineDecay(
        settings.rate, steps * settings.epochs, settings.floor
    )
    optimizer = keras.optimizers.AdamW(
        rate,
        weight_decay=settings.decay,
        use_ema=bool(settings.averaging),
        ema_momentum=1 - 1 / max(settings.averaging * steps, 1),
    )
    _compile(model, settings, optimizer, loss, weights)
    _build(model, *keras.tree.map_structure(_zeros, found.element_spec[1:]))
    keeper.resume(model)
    model.fit(
        found,
        steps_per_epoch=steps,
        initial_epoch=keeper.epoch,
        epochs=settings.epochs,
        shuffle=False,
        verbose=0,
        callbacks=[keeper, *callbacks],
    )


def _build(model: keras.Model, goals, weights) -> None:
    """Makes what the first step of `fit` would make: else TensorFlow traces that step twice.

    Args:
        model: compiled.
        goals, weights: of one picture, as it will be fitted with.
    """
    model.optimizer.build(model.trainable_variables)
    if tf.distribute.has_strategy():
        return  # There Keras does so itself.
    told = keras.tree.map_structure(_zeros, model.output)
    model.compute_loss(None, goals, told, weights)
    model.compute_metrics(None, goals, told, weights)
    model.reset_metrics()


def _zeros(like) -> tf.Tensor:
    return tf.zeros((1, *like.shape[1:]), like.dtype)


def _loss(settings: Training) -> keras.losses.Loss:
    return keras.losses.CategoricalCrossentropy(label_smoothing=settings.smoothing)


def _compile(model, settings: Training, optimizer, loss=None, loss_weights=None) -> None:
    model.compile(
        optimizer,
        loss or _loss(settings),
        loss_weights=loss_weights,
        weighted_metrics={"class": ["accuracy"]} if isinstance(loss, dict) else ["accuracy"],
        # XLA's convolutions on a CPU take a naive path.
        jit_compile="auto" if tf.config.list_physical_devices("GPU") else False,
    )
