"""Tables of the recipes of an inversion: what they keep of a picture, how far down they come."""

import collections
import pathlib

import numpy as np

from tfvis import images, preimages
from tfvis.networks.network import Network
from tfvis.preimages import inversion

# The brightest share of the target: skies and clouds, which a grey prior darkens.
_BRIGHT = 0.1
# Of the picture's height: what counts as its border.
_BORDER = 1 / 28
# Times the work, of the run that tells where the minimum is.
_LONG = 10


def table_truth(
    network: Network, target: np.ndarray, layers: list[str], precision: str, workdir: pathlib.Path
) -> None:
    """Prints what either recipe keeps of a picture, and saves the pictures.

    Errors are of the saved 8-bit files. "Bright" is the mean colour where the target is brightest,
    and how far its farthest channel is from the target's; "border" the gradient energy along
    the border over that inside, and that over the target's own.
    """
    where = _bright(target)
    print(f"Inversion at {target.shape[0]} px, {precision}; bright areas of the target: "
          f"{_words(target[where].mean(0))}, its border {border(target):.2f}")  # fmt: skip
    print(f"{'layer':<14} {'recipe':<13} {'error':>7} {'bright':>12} {'off':>4} {'border':>7} "
          f"{'of target':>9}")  # fmt: skip
    for layer in layers:
        for recipe in ("published", "decorrelated"):
            settings = preimages.Inversion(recipe=recipe, precision=precision)
            settings = inversion.published(network, layer, target.shape[:2], settings)
            found = _last(inversion.iterate(network, target, layer, settings=settings)).kept[0]
            path = workdir / f"{layer}_{recipe}.png"
            images.save_png(path, found)
            stored = images.read(path).pixels.astype(np.float32)
            (error,) = inversion.relative_errors(network, [stored], target, layer, settings)
            color, edge = stored[where].mean(0), border(stored)
            off = np.abs(color - target[where].mean(0)).max()
            print(
                f"{layer:<14} {recipe:<13} {error:7.4f} {_words(color):>12} {off:4.0f} "
                f"{edge:7.2f} {edge / border(target):9.2f}",
                flush=True,
            )


def table_descent(network: Network, target: np.ndarray, layers: list[str], precision: str) -> None:
    """Prints where the default's energy ends: by AdaGrad in as many steps, and after ten times."""
    print(f"Energy of the default at {target.shape[0]} px, {precision}, means of ten steps")
    print(f"{'layer':<14} {'adagrad':>9} {'default':>9} {f'{_LONG}x':>9} {'above it':>9}")
    for layer in layers:
        settings = preimages.Inversion(precision=precision)
        settings = inversion.published(network, layer, target.shape[:2], settings)
        other = preimages.Inversion(precision=precision, optimizer="adagrad", prior=settings.prior)
        total = settings.total
        long = preimages.Inversion(
            precision=precision, steps=_LONG * total, fine_steps=0, prior=settings.prior
        )
        plain = _energy(_last(inversion.iterate(network, target, layer, settings=other)))
        # L-BFGS has one stage, so that the long run begins with the short one.
        runs = [
            (one.snapshot.done, _energy(one))
            for one in inversion.iterate(network, target, layer, settings=long, marks=(total,))
        ]
        ours, least = dict(runs)[total], runs[-1][1]
        print(f"{layer:<14} {plain:9.4f} {ours:9.4f} {least:9.4f} {ours / least - 1:+9.1%}",
              flush=True)  # fmt: skip


def border(picture: np.ndarray) -> float:
    """Returns the mean squared gradient along the border over that inside it."""
    pixels = picture.astype(np.float64)
    power = np.square(np.diff(pixels, axis=0)[:, :-1]).sum(-1)
    power += np.square(np.diff(pixels, axis=1)[:-1]).sum(-1)
    width = max(round(_BORDER * len(pixels)), 2)
    inside = np.zeros(power.shape, bool)
    inside[width:-width, width:-width] = True
    return float(power[~inside].mean() / power[inside].mean())


def _bright(target: np.ndarray) -> np.ndarray:
    lightness = target.mean(-1)
    return lightness >= np.quantile(lightness, 1 - _BRIGHT)


def _words(color: np.ndarray) -> str:
    return ",".join(f"{value:.0f}" for value in color)


def _energy(progress: preimages.Progress) -> float:
    return float(progress.snapshot.state.kept_energy[0])


def _last(runs) -> preimages.Progress:
    return collections.deque(runs, maxlen=1).pop()
