"""Batches for training: which picture, in which view, with what weight."""

import functools

import numpy as np
import tensorflow as tf

from tfvis.classifiers.datasets import Dataset
from tfvis.classifiers.feature_cache import Features


def class_weights(labels: np.ndarray, classes: int) -> np.ndarray:
    """Returns float32 [classes]: the inverse of how often each occurs, 1 on average.

    Args:
        labels: of the training pictures.
        classes: how many there are; one that does not occur weighs 0.
    """
    counts = np.bincount(labels, minlength=classes).astype(np.float64)
    weights = np.divide(1.0, counts, out=np.zeros(classes), where=counts > 0)
    return (weights * len(labels) / max((counts > 0).sum(), 1)).astype(np.float32)


def numbers(dataset: Dataset, features: Features, part: Dataset) -> np.ndarray:
    """Returns which examples of `dataset` are readable ones of `part`."""
    wanted = {(example.path, example.box) for example in part.examples}
    return np.array(
        [
            k
            for k, example in enumerate(dataset.examples)
            if (example.path, example.box) in wanted and k not in features.broken
        ],
        np.int64,
    )


def order(count: int, views: int, epoch: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns (places, views) of an epoch: every picture once, in a view drawn for it."""
    generator = np.random.default_rng((seed, epoch))
    return generator.permutation(count), generator.integers(views, size=count)


def training(
    features: Features,
    chosen: np.ndarray,
    labels: np.ndarray,
    classes: int,
    batch: int,
    seed: int,
    first_epoch: int = 0,
) -> tuple[tf.data.Dataset, int]:
    """Returns endless batches (maps, one-hot labels, weights), and how many make an epoch.

    The order depends on (seed, epoch) alone, so that a training resumed sees what it would
    have seen. What does not fill a batch is left out of the epoch, other pictures each time;
    fewer pictures than a batch are repeated.

    Args:
        features: maps of the trunk.
        chosen: numbers of the training examples.
        labels: of these.
        classes: how many.
        batch: pictures per step.
        seed: of the order.
        first_epoch: where to begin.
    """
    steps = max(len(chosen) // batch, 1)
    first = first_epoch * steps
    return _endless(features, chosen, labels, classes, batch, seed, first), steps


def _endless(features, chosen, labels, classes, batch, seed, first_step) -> tf.data.Dataset:
    weights = class_weights(labels, classes)
    steps = max(len(chosen) // batch, 1)
    shuffled = functools.lru_cache(4)(lambda epoch: order(len(chosen), features.views, epoch, seed))

    def gather(step):
        epoch, k = divmod(int(step), steps)
        places, views = shuffled(epoch)
        part = np.arange(k * batch, (k + 1) * batch) % len(chosen)
        at = places[part]
        onehot = np.eye(classes, dtype=np.float32)[labels[at]]
        return features.gather(chosen[at], views[part]), onehot, weights[labels[at]]

    return _dataset(gather, first_step, features, classes, batch)


def adapting(
    features: Features,
    chosen: np.ndarray,
    labels: np.ndarray,
    target: Features,
    target_chosen: np.ndarray,
    classes: int,
    batch: int,
    seed: int,
    first_epoch: int = 0,
) -> tuple[tf.data.Dataset, int]:
    """Returns batches whose second half is of the target domain, without labels.

    Args:
        features, chosen, labels, classes, batch, seed, first_epoch: see `training`.
        target: maps of the target domain.
        target_chosen: numbers of its examples.

    Returns:
        (maps, {"class", "domain"}, weights of the same keys), and the steps of an epoch.
    """
    half = max(batch // 2, 1)
    source, steps = training(features, chosen, labels, classes, half, seed, first_epoch)
    # Epochs of the target are of other lengths; it goes on where the source is.
    unlabelled = _endless(
        target, target_chosen, np.zeros(len(target_chosen), np.int64), classes, half, seed + 1,
        first_epoch * steps,
    )  # fmt: skip

    def join(ours, theirs):
        maps = tf.concat([ours[0], theirs[0]], 0)
        domain = tf.repeat(tf.constant([[0.0], [1.0]]), half, 0)
        goals = {"class": tf.concat([ours[1], theirs[1]], 0), "domain": domain}
        # The class loss is a mean over the batch; twice, it is one over the source's half.
        weights = tf.concat([2 * ours[2], tf.zeros(half)], 0)
        return maps, goals, {"class": weights, "domain": tf.ones(2 * half)}

    return tf.data.Dataset.zip((source, unlabelled)).map(join), steps


def plain(features: Features, chosen: np.ndarray, batch: int) -> tf.data.Dataset:
    """Returns the maps of the pictures as they are, in order, once."""

    def gather(start):
        part = chosen[int(start) : int(start) + batch]
        return features.gather(part, np.zeros(len(part), np.int64))

    shape = (None, *features.arrays[0][0].shape[1:])

    def get(start):
        maps = tf.numpy_function(gather, [start], tf.float16)
        return tf.ensure_shape(maps, shape)

    return tf.data.Dataset.range(0, len(chosen), batch).map(get).prefetch(2)


def _dataset(gather, first: int, features: Features, classes: int, batch: int):
    shape = (batch, *features.arrays[0][0].shape[1:])

    def get(step):
        kinds = (tf.float16, tf.float32, tf.float32)
        maps, onehot, weights = tf.numpy_function(gather, [step], kinds)
        return (
            tf.ensure_shape(maps, shape),
            tf.ensure_shape(onehot, (batch, classes)),
            tf.ensure_shape(weights, (batch,)),
        )

    steps = tf.data.Dataset.range(first, 2**62)
    return steps.map(get, num_parallel_calls=2).prefetch(2)
