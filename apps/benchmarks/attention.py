"""Maps of attention, measured: what they cost, whether they matter, whether they lie right."""

import pathlib

import numpy as np
import scipy.ndimage
import tensorflow as tf

from tfvis import images
from tfvis.attention import boxes
from tfvis.attention.class_visual_backprop import ClassVisualBackProp
from tfvis.attention.grad_cam import GradCam
from tfvis.attention.metrics import grid_pointing as pointing
from tfvis.attention.metrics import localization
from tfvis.attention.visual_backprop import VisualBackProp
from tfvis.classifiers import datasets, example_images
from tfvis.classifiers.checkpoints import Classifier
from tfvis.errors import InputError
from tfvis.experiments import box_files, labelled_pictures
from tfvis.networks.network import Network
from tfvis.progress_bar import bar

from . import timing

_SIDE, _BATCH = 224, 8
# Bojarski et al. 2018, section IV: what is marked is widened by 30 px, then moved sideways.
_DILATION, _SHIFTS = 30, (-60, -30, 30, 60)
# Of a mask's maximum: what counts as marked. The paper names no value.
_MARKED = 0.2
# A product of 18 averages spans orders of magnitude; its fourth root spreads them over 0..1,
# where thresholds a hundredth apart tell them apart (as `localize` has it).
_ROOT = 0.25
# Ink is darker than this; paper of drawings is nearly white.
_INK = 128.0


def table_cost(network: Network, precision: str, rounds: int) -> None:
    """Prints the time of VisualBackProp beside that of the network's forward pass alone."""
    generator = np.random.default_rng(0)
    batch = tf.constant(
        generator.uniform(0, 255, (_BATCH, _SIDE, _SIDE, network.channels)), tf.float32
    )
    attention = VisualBackProp(network, precision=precision)
    deepest = attention.layers[-1]
    taps = network.taps([deepest], precision)
    forward = tf.function(lambda x: taps(x)[deepest])
    runs = {
        "forward": lambda: forward(batch).numpy(),
        "VisualBackProp": lambda: attention(batch).numpy(),
    }
    if network.logits:
        seeded = ClassVisualBackProp(network, precision)
        runs["class-seeded VisualBackProp"] = lambda: seeded(batch, 0).numpy()
    seconds = timing.medians(runs, rounds)
    print(f"{network.name}, {_BATCH} images of {_SIDE} px, {precision}: forward to {deepest} ")
    for name, found in seconds.items():
        print(f"  {name:<28} {found * 1e3:8.1f} ms, ratio {found / seconds['forward']:.3f}")


def table_shift(classifier: Classifier, examples, count: int, precision: str) -> None:
    """Prints how far the output moves when what is marked is moved, and when the rest is.

    Class 1 is what the mask marks, widened; class 2 the rest (Bojarski et al. 2018, section
    IV). The output is all probabilities; how far it moves is half the sum of absolute changes.

    Args:
        classifier: which.
        examples: pictures.
        count: how many are taken, evenly.
        precision: of the arithmetic.
    """
    size = classifier.size
    attention = VisualBackProp(classifier.network, precision=precision)
    moved = {"marked": [], "rest": [], "whole": []}
    shares = []
    for picture in _read(examples, size, count, "Moving"):
        mask = attention(tf.constant(picture[None]))[0].numpy()
        marked = _widened(mask > _MARKED)
        shares.append(marked.mean())
        variants = [picture]
        for shift in _SHIFTS:
            variants += [_moved(picture, marked, shift, what) for what in moved]
        found = classifier.probabilities(tf.constant(np.stack(variants)), precision).numpy()
        apart = 0.5 * np.abs(found[1:] - found[0]).sum(-1).reshape(len(_SHIFTS), 3).mean(0)
        for name, value in zip(moved, apart, strict=True):
            moved[name].append(value)
    print(
        f"{classifier.name}, {len(shares)} pictures, moved by {_SHIFTS} px; marked are "
        f"{np.mean(shares):.0%} of the pixels"
    )
    for name, values in moved.items():
        values = np.array(values)
        error = values.std() / max(len(values), 1) ** 0.5
        print(f"  {name:<8} output moves by {values.mean():.3f} +- {error:.3f}")


def table_ink(network: Network, examples, count: int, precision: str) -> None:
    """Prints how well boxes of VisualBackProp fit drawings, whose ink is the true box."""
    attention, masks, truths = VisualBackProp(network, precision=precision), [], []
    for picture in _read(examples, _SIDE, count, "Looking at drawings"):
        box = _ink(picture)
        if box:
            masks.append(attention(tf.constant(picture[None]))[0].numpy() ** _ROOT)
            truths.append([box])
    if not masks:
        raise InputError("--images: no drawings on white among them.")
    found = localization.max_box_accuracy(masks, truths)
    print(f"{network.name}, {len(masks)} drawings, boxes of VisualBackProp")
    for at in found.at:
        best = found.best_threshold(at)
        print(
            f"  IoU {at:.1f}: MaxBoxAcc {found.max_box_acc(at):6.1%} at a threshold of {best:.2f}"
        )


def _ink(picture: np.ndarray) -> boxes.Box | None:
    """Returns the box around what is dark in a drawing on white, None where nothing is."""
    ys, xs = np.nonzero(picture.mean(-1) < _INK)
    if not len(ys):
        return None
    return boxes.Box(int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1)


def table_boxes(examples, classes, count: int, place: pathlib.Path) -> None:
    """Writes the true boxes of drawings, their ink, as a table for `evaluate --boxes`.

    Args:
        examples: labelled drawings on white.
        classes: names of their labels.
        count: how many are taken, evenly.
        place: of the table.
    """
    rows = []
    for k in np.linspace(0, len(examples) - 1, min(count, len(examples))).round().astype(int):
        path = pathlib.Path(examples[k].path).absolute()
        box = _ink(images.read(path, None, shrink=False).pixels)
        if box:
            rows.append(box_files.Row(str(path), classes[examples[k].label], box))
    box_files.write(place, rows)
    print(f"{len(rows)} drawings, their ink as boxes: {place}")


def table_pointing(classifier: Classifier, examples, count: int, precision: str) -> None:
    """Prints how much of each class's map lies on its picture, of four in a grid.

    Args:
        classifier: which.
        examples: labelled pictures.
        count: of grids.
        precision: of the arithmetic.
    """
    cam = GradCam(classifier.network, precision=precision)
    attention = VisualBackProp(classifier.network, precision=precision)
    seeded = ClassVisualBackProp(classifier.network, precision)
    found: dict[str, list] = {"Grad-CAM": [], "product": [], "class-seeded": []}
    hits: dict[str, list] = {name: [] for name in found}
    labels = [example.label for example in examples]
    cells = np.arange(pointing.CELLS)
    with bar("Pointing", count) as progress:
        for four in pointing.draw(labels, count):
            chosen = [examples[k] for k in four]
            grid = pointing.grid(
                [example_images.load(example, classifier.size) for example in chosen]
            )
            repeated = tf.constant(np.repeat(grid[None], pointing.CELLS, 0))
            asked = np.array([example.label for example in chosen])
            maps = cam(repeated, asked).numpy()
            mask = attention(tf.constant(grid[None])).numpy()
            of_class = seeded(repeated, asked).numpy()
            pairs = (("Grad-CAM", maps), ("product", maps * mask), ("class-seeded", of_class))
            for name, values in pairs:
                found[name] += list(pointing.shares(values, cells))
                hits[name] += list(pointing.hits(values, cells))
            progress.update(1)
    print(f"{classifier.name}, {count} grids of 2 x 2 pictures of four classes")
    for name, values in found.items():
        print(
            f"  {name:<12} mass in the right cell {np.mean(values):6.1%}, above a half in "
            f"{np.mean(np.array(values) > 0.5):6.1%}, maximum in it {np.mean(hits[name]):6.1%}"
        )


def _read(examples, size: int, count: int, word: str):
    """Yields `count` pictures, evenly taken."""
    chosen = [examples[k] for k in np.linspace(0, len(examples) - 1, min(count, len(examples)))
              .round().astype(int)]  # fmt: skip
    with bar(word, len(chosen)) as progress:
        for _, picture in example_images.load_all(chosen, size):
            if not isinstance(picture, InputError):
                yield picture
            progress.update(1)


def _widened(marked: np.ndarray) -> np.ndarray:
    """Returns what lies within `_DILATION` px of what is marked."""
    if not marked.any():
        return marked
    return scipy.ndimage.distance_transform_edt(~marked) <= _DILATION


def _moved(picture: np.ndarray, marked: np.ndarray, shift: int, what: str) -> np.ndarray:
    """Returns a picture of which a part has moved sideways.

    What is marked moves over the rest, which closes behind it with its nearest pixels; the
    rest moves behind what is marked; the whole picture moves as it is, its edge repeated.
    """
    width = picture.shape[1]
    whole = picture[:, np.clip(np.arange(width) - shift, 0, width - 1)]
    if what == "whole" or (what == "marked" and marked.all()):
        return whole
    if what == "rest":
        return np.where(marked[..., None], picture, whole)
    nearest = scipy.ndimage.distance_transform_edt(
        marked, return_distances=False, return_indices=True
    )
    behind = picture[tuple(nearest)]
    there = np.zeros_like(marked)
    source = np.arange(width) - shift
    inside = (source >= 0) & (source < width)
    there[:, inside] = marked[:, source[inside]]
    return np.where(there[..., None], whole, behind)


def drawings(place: str) -> list[datasets.Example]:
    """Returns the pictures of a folder, whatever they are called."""
    return list(datasets.read([place], labelled=False).examples)


def labelled(place: list[str], classifier: Classifier, part: str) -> list[datasets.Example]:
    """Returns labelled pictures, of the part that the classifier was not trained on.

    Args:
        place: sources.
        classifier: whose classes they have.
        part: --part.
    """
    found = labelled_pictures.part_of(datasets.read(place, classifier.classes), classifier, part)
    return list(found.examples)
