"""Table of a network that paints: how far it comes, how fast, and what artefacts it leaves."""

import pathlib
import statistics
import time
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tfvis import hardware, images, tables
from tfvis.errors import InputError
from tfvis.experiments import networks
from tfvis.style import metrics_features
from tfvis.style.fast import checkpoint_files, checkpoints, style_loss
from tfvis.style.fast.equivalent_evaluations import Descent, equivalent
from tfvis.style.fast.fast_style import FastStyle
from tfvis.style.settings import Transfer

# Side of the picture that is timed.
_TIMED = 512
# Cycles per pixel: the finest grid there is has 0.5; beside it, what a peak would stand out of.
_NYQUIST, _BESIDE = (0.48, 0.5), (0.36, 0.46)
# Where a border is told from the centre: VGG's layer of middle depth, as in `style.metrics`.
_BORDER = "block3_conv1"


def table_fast_style(
    checkpoint: str,
    photographs: Sequence[np.ndarray],
    evaluations: int,
    size: int,
    workdir: pathlib.Path,
) -> None:
    """Prints a row for each style; writes fast_style.csv with one for each photograph.

    Photographs are shared out among the styles, so that each is painted once.

    Args:
        checkpoint: folder or name.
        photographs: float32 [height, width, 3], 0..255, that it has not learnt from; as many as it
            has styles, at least.
        evaluations: of L-BFGS, at most.
        size: side of the squares that are measured.
        workdir: for the CSV.
    """
    painter, folder = checkpoints.load(checkpoint), checkpoint_files.found(checkpoint)
    about = painter.about
    if not {"network", "pooling", "loss"} <= set(about):
        raise InputError(f"--fast={checkpoint}: does not say which loss it was trained on.")
    network = networks.only(
        networks.Wanted(about["network"], pooling=about["pooling"]), "it has one"
    )
    if len(photographs) < len(painter.styles):
        raise InputError(
            f"--count: {len(photographs)} photographs for {len(painter.styles)} styles; expected "
            "one for each at least."
        )
    squares = [images.resize(images.crop(one), size, size) for one in photographs]
    print(f"{painter.name}, {len(squares)} photographs of {size} px, shared out among the styles")
    print(f"{'':<16} {'energy':>7} {'evaluations':>11} {'quartiles':>13} {'Nyquist':>8} "
          f"{'photo':>6} {'border':>7} {'change':>7} {'flicker':>8}")  # fmt: skip
    rows, curves = [], []
    for k, name in enumerate(painter.styles):
        style = images.read(checkpoint_files.picture(folder, name)).pixels
        own = squares[k :: len(painter.styles)]
        found = _measured(network, painter, name, style, own, evaluations)
        curves += [row.pop("curve") for row in found]
        print(_row(name, found, curves[-len(found) :], evaluations), flush=True)
        rows += [{"style": name} | row for row in found]
        tables.write(workdir / "fast_style.csv", list(rows[0]), (row.values() for row in rows))
    print(_row("all", rows, curves, evaluations))
    print(
        "energy: 1 is the photograph itself. evaluations: of L-BFGS from the photograph, to the "
        "same energy. Nyquist: power at the finest grid over that beside it. border: Gram distance "
        "of the border over the centre's. change: between two frames of a pan of 1 px, over the "
        "photograph's. flicker: the same once the pan is taken out, over the photograph's with it."
    )
    _table_seconds(painter)


def _row(name: str, rows: list[dict], curves: list[np.ndarray], evaluations: int) -> str:
    """Returns the line of some photographs: of the mean energy, and of each for the quartiles."""
    means = {key: statistics.mean(row[key] for row in rows) for key in rows[0] if key != "style"}
    quartiles = np.percentile([row["evaluations"] for row in rows], [25, 75], method="nearest")
    least, most = (_words(value, evaluations) for value in quartiles)
    mean = equivalent(np.mean(curves, 0), means["energy"])
    return (
        f"{name:<16} {means['energy']:7.3f} {_words(mean, evaluations):>11} "
        f"{least + ' to ' + most:>13} {means['nyquist']:8.2f} "
        f"{means['photograph_nyquist']:6.2f} {means['border']:7.2f} {means['change']:7.2f} "
        f"{means['flicker']:8.2f}"
    )


def _measured(network, painter: FastStyle, name: str, style, squares, evaluations) -> list[dict]:
    """Returns the numbers of each photograph in one style."""
    said = dict(painter.about["loss"])
    lists = {key: tuple(value) for key, value in said.items() if isinstance(value, list)}
    wanted = Transfer(**(said | lists | {"precision": "float32"}))
    fitted = [images.with_channels(style, network.channels)]
    shown = [images.with_channels(square, network.channels) for square in squares]
    loss = style_loss.StyleLoss(network, fitted, shown[:4], wanted)
    descent = Descent(loss, 0, shown[0].shape)
    # Not of another network: it is the same layer in all of VGG's kind.
    taps = network.taps([_BORDER])
    style_map = taps(tf.constant(fitted[0][None]))[_BORDER][0].numpy()
    wanted_gram = metrics_features.gram(style_map)
    rows, mix = [], painter.mix([name])
    for square, content in zip(squares, shown, strict=True):
        painted = painter.paint(square, mix)
        looked = tf.constant(images.with_channels(painted, network.channels)[None])
        energy = float(loss(looked, tf.constant(content[None]), tf.constant([0]))[0][0])
        curve = descent.curve(content, evaluations)
        change, flickers = flicker(painter, square, mix)
        rows.append(
            {
                "energy": energy,
                "evaluations": equivalent(curve, energy),
                "nyquist": nyquist(painted),
                "photograph_nyquist": nyquist(square),
                "border": metrics_features.border_over_center(
                    taps(looked)[_BORDER][0].numpy(), wanted_gram
                ),
                "change": change,
                "flicker": flickers,
                "curve": curve,
            }
        )
    return rows


def nyquist(picture: np.ndarray) -> float:
    """Returns the mean power at the Nyquist frequency over that a little below it, of luma.

    A checkerboard, or stripes of a pixel, make it more than 1; spectra of photographs fall.

    Args:
        picture: [height, width, 3], 0..255.
    """
    luma = np.asarray(picture, np.float64) @ images.LUMA
    height, width = luma.shape
    window = np.outer(np.hanning(height), np.hanning(width))
    power = np.square(np.abs(np.fft.fft2(window * (luma - luma.mean()))))
    rows, columns = np.abs(np.fft.fftfreq(height))[:, None], np.abs(np.fft.fftfreq(width))[None]
    highest = np.maximum(rows, columns)
    at, beside = (
        power[(highest >= low) & (highest <= high)].mean() for low, high in (_NYQUIST, _BESIDE)
    )
    return float(at / max(beside, 1e-12))


def flicker(painter: FastStyle, picture: np.ndarray, mix) -> tuple[float, float]:
    """Returns the change between two frames of a pan of one pixel, over the photograph's own.

    As it is, and with the pan taken out of the paintings, which leaves what is painted anew: the
    warping error of Lai et al. (ECCV 2018), whose motion is known here.
    """
    frames = [picture[:, :-1], picture[:, 1:]]
    first, second = (painter.paint(frame, mix) for frame in frames)
    own = max(_distance(*frames), 1e-6)
    return _distance(first, second) / own, _distance(first[:, 1:], second[:, :-1]) / own


def _distance(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(second - first))))


def _table_seconds(painter: FastStyle) -> None:
    """Prints how long a picture takes."""
    picture = images.resize(images.demo(), _TIMED, _TIMED)
    for precision in ("float32", *(("bfloat16",) if hardware.native_bfloat16() else ())):
        painter.paint(picture, precision=precision)
        taken = []
        for _ in range(5):
            began = time.perf_counter()
            painter.paint(picture, precision=precision)
            taken.append(time.perf_counter() - began)
        print(f"{_TIMED} px in {precision}: {statistics.median(taken):.3f} s")


def _words(evaluations: float, most: int) -> str:
    return f"{evaluations:.0f}" if np.isfinite(evaluations) else f"> {most}"
