"""Asking a classifier: probabilities of pictures in files, and the table they go into."""

import pathlib
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import tensorflow as tf

from tfvis import tables
from tfvis.classifiers import datasets, example_images
from tfvis.classifiers.checkpoints import Classifier
from tfvis.errors import InputError, marked
from tfvis.image_files.folders import LeftOut, left_out
from tfvis.progress_bar import bar

COLUMNS = ("path", "rank", "label", "probability")


def probabilities(
    classifier: Classifier,
    examples: Sequence[datasets.Example],
    precision: str,
    crop_borders: bool = False,
) -> tuple[np.ndarray, np.ndarray, list[LeftOut]]:
    """Returns what a classifier says of pictures, with a bar where that takes time.

    Args:
        classifier: which.
        examples: files, and boxes if they have any.
        precision: of its arithmetic.
        crop_borders: whether to take off charts and rulers first.

    Returns:
        (numbers of the examples that could be read, float32 [these, classes], what is
        left out).

    Raises:
        InputError: none can be read.
    """
    return collected(
        example_images.load_all(examples, classifier.size, crop_borders),
        [example.path for example in examples],
        lambda batch: classifier.probabilities(batch, precision),
    )


def collected(
    reads: Iterable[tuple[int, np.ndarray | InputError]],
    paths: Sequence[str],
    answer: Callable[[tf.Tensor], tf.Tensor],
) -> tuple[np.ndarray, np.ndarray, list[LeftOut]]:
    """Returns what is answered to pictures as they are read, with a bar.

    Args:
        reads: (number, a picture as the network takes it, or why it cannot be read).
        paths: of the pictures.
        answer: from float32 [batch, height, width, channels] to float32 [batch, classes].

    Returns, Raises:
        As `probabilities`.
    """
    chosen, found, broken = [], [], []
    with bar("Looking", len(paths)) as progress:
        for number, read in reads:
            if isinstance(read, InputError):
                broken.append(left_out(paths[number], read))
            else:
                chosen.append(number)
                # One by one: on a CPU as fast, and rounded alike in any company.
                found.append(answer(tf.constant(read[None]))[0].numpy())
            progress.update(1)
    if not found:
        raise InputError(f"None of {len(paths)} pictures can be read; {marked(broken[0].detail)}")
    return np.array(chosen, np.int64), np.stack(found), broken


def ranked(row: np.ndarray, classes: Sequence[str], top: int) -> list[tuple[str, float]]:
    """Returns the likeliest classes, (label, probability) each, the surest first."""
    first = np.argsort(-row, kind="stable")[:top]
    return [(classes[k], float(row[k])) for k in first]


def words(value: float, probable: bool) -> str:
    """Returns how sure an answer is, in words: a share where it is a probability."""
    return f"{value:.1%}" if probable else f"{value:.4g}"


def columns(probable: bool) -> tuple[str, ...]:
    """Returns the columns of predictions.csv; the last is of scores where nothing is probable."""
    return COLUMNS if probable else (*COLUMNS[:-1], "score")


def write(
    path: pathlib.Path, paths: Sequence[str], rows, classes, top: int, probable: bool = True
) -> None:
    """Writes predictions.csv, whole or not at all: path, rank, label, probability or score.

    Args:
        path: of the table.
        paths: of the pictures.
        rows: float [pictures, classes].
        classes: their names.
        top: how many ranks of each picture.
        probable: whether rows are probabilities; else scores.
    """
    tables.write(
        path,
        columns(probable),
        (
            (picture, rank, label, f"{probability:.6f}")
            for picture, row in zip(paths, rows, strict=True)
            for rank, (label, probability) in enumerate(ranked(row, classes, top), 1)
        ),
    )
