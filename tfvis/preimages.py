"""Pre-images: the thin recipes that turn an energy into a picture.

Inversion asks what a layer still knows of an image: it looks for another image with
the same features, and a natural-image prior fills in whatever the layer has lost.
"""

import dataclasses
import time
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from tfvis import objectives, parameterizations, priors
from tfvis.errors import InputError
from tfvis.networks.network import Network
from tfvis.optimize import loop, updates

# C of MV16's energy, by the depth of the layer. The authors ran 1, 20, 100 and 300 and
# showed, per layer, the best by eye. So were these chosen, on photographs at 224 px: up
# to block3, 500 comes nearer than 300 (0.077 for 0.099 at block2_conv2) and looks the
# same; beyond these values skies turn grainy (block4) and colours shrill (block5).
_VGG_STRENGTH = {
    "block1": 500.0,
    "block2": 500.0,
    "block3": 500.0,
    "block4": 200.0,
    "block5": 100.0,
}


@dataclasses.dataclass(frozen=True)
class Inversion:
    """Every constant of an inversion; None means "as published for this layer".

    Attributes:
        strength: C, weight of the features against the prior.
        jitter: J, the canvas exceeds the image by J - 1 px; MV16: stride / 4.
        prior: the regulariser and its bound.
        steps: with jitter, at full rate; MV16: 300.
        fine_steps: afterwards, without jitter, at a lower rate; MV16: 50.
        update: "adagrad" (MV16's rule) or "adam".
        fine_rate: their rate, as a share of the first; MV16: 0.1.
        leak: share of the squared gradients adagrad keeps from step to step; MV16: 0.9.
        momentum: share of the last change it keeps; MV16: 0.9.
        rate: step rate; None derives 0.05 B^2 / alpha times the image's pixels for
            adagrad (MV16), and 4 grey levels for adam.
        precision: "float32" or "bfloat16", the network's arithmetic; image, energy
            and rule are float32 in both.
        jit: compile with XLA.
        mask_channels: channels to match, or None for all.
        mask_window: (top, left, height, width) of the map to match, or None for all.
    """

    strength: float | None = None
    jitter: int | None = None
    prior: priors.NaturalPrior = priors.NaturalPrior()
    steps: int = 300
    fine_steps: int = 50
    fine_rate: float = 0.1
    leak: float = 0.9
    momentum: float = 0.9
    update: str = "adagrad"
    rate: float | None = None
    precision: str = "float32"
    jit: bool = False
    mask_channels: tuple[int, ...] | None = None
    mask_window: tuple[int, int, int, int] | None = None


@dataclasses.dataclass(frozen=True)
class Progress:
    """An inversion between two chunks of steps.

    Attributes:
        layer: which one.
        images: float32 [restarts, height, width, channels], display space, unclipped.
        snapshot: the loop's.
        seconds: of computation so far, in this process.
        total: steps in all.
    """

    layer: str
    images: np.ndarray
    snapshot: loop.Snapshot
    seconds: float
    total: int


def published(
    network: Network, layer: str, size: tuple[int, int], settings: Inversion
) -> Inversion:
    """Returns `settings` with every None replaced by the published choice.

    Args:
        network: the network.
        layer: a path in it.
        size: (height, width) of the image.
        settings: as asked for.

    Raises:
        InputError: the layer has no map of at least 1 px at this size; a setting is
            out of range, or a mask outside the map.
    """
    check_layer(network, layer, size)
    if settings.steps < 1 or settings.fine_steps < 0:
        raise InputError(
            f"--steps={settings.steps} --fine_steps={settings.fine_steps}: expected at "
            "least 1 and at least 0."
        )
    strength, jitter, rate = settings.strength, settings.jitter, settings.rate
    if settings.update not in ("adagrad", "adam"):
        raise InputError(f"--update={settings.update}: expected adagrad or adam.")
    for name, value in (("strength", strength), ("rate", rate), ("jitter", jitter)):
        if value is not None and value <= 0:
            raise InputError(f"--{name}={value}: expected a number above 0.")
    mask(network.trace(layer, *size), settings)
    stride = network.stride(layer)
    if strength is None:
        strength = default_strength(network.name, layer, stride)
    if jitter is None:
        jitter = max(round(stride / 4), 1)
    if rate is None:
        pixels = size[0] * size[1]
        rate = pixels * 0.05 * settings.prior.color**2 / settings.prior.alpha
        rate = rate if settings.update == "adagrad" else 4.0
    return dataclasses.replace(settings, strength=strength, jitter=jitter, rate=rate)


def default_strength(name: str, layer: str, stride: int) -> float:
    """Returns C for a layer: for VGG16 and VGG19 from the table, else from the stride.

    Deep layers know less of the image, so more is left to the prior.

    Args:
        name: of the network.
        layer: a path in it.
        stride: of the layer.
    """
    block = layer.rsplit("/", 1)[-1].split("_")[0]
    if name in ("vgg16", "vgg19") and block in _VGG_STRENGTH:
        return _VGG_STRENGTH[block]
    return 500.0 if stride <= 4 else 200.0 if stride <= 8 else 100.0


def check_layer(network: Network, layer: str, size: tuple[int, int]) -> None:
    """Raises InputError unless `layer` exists and has a map of at least 1 px."""
    network.check([layer])
    if len(network.graph.tensors[network._path(layer)].shape) != 4:
        raise InputError(
            f"--layers={layer}: has nothing spatial left (its output is a vector). "
            "Choose a convolution or a pooling before it."
        )
    if 0 in network.shape(layer, *size) or 0 in network.trace(layer, *size):
        raise InputError(
            f"--size={size[0]}: too small for {layer}, whose map would have no pixel. "
            "Choose a larger size or an earlier layer."
        )


def mask(shape: tuple[int, int, int], settings: Inversion) -> np.ndarray | None:
    """Returns the 0/1 mask of the features to match, float32 `shape`, or None.

    Args:
        shape: (height, width, channels) of the map.
        settings: see `Inversion`.

    Raises:
        InputError: a channel or the window lies outside the map.
    """
    if settings.mask_channels is None and settings.mask_window is None:
        return None
    height, width, channels = shape
    result = np.ones(shape, np.float32)
    if settings.mask_channels is not None:
        wrong = [c for c in settings.mask_channels if not 0 <= c < channels]
        if wrong:
            raise InputError(
                f"--mask_channels: {wrong[0]} is not a channel, the layer has {channels} "
                f"(0 to {channels - 1})."
            )
        result[..., [c for c in range(channels) if c not in settings.mask_channels]] = 0
    if settings.mask_window is not None:
        top, left, rows, columns = settings.mask_window
        if (
            min(top, left) < 0
            or min(rows, columns) < 1
            or (top + rows > height or left + columns > width)
        ):
            raise InputError(
                f"--mask_window: {top},{left},{rows},{columns} does not fit the layer's "
                f"map of {height} x {width}."
            )
        window = np.zeros((height, width, 1), np.float32)
        window[top : top + rows, left : left + columns] = 1
        result *= window
    return result


def features(network: Network, layer: str, images: np.ndarray) -> tf.Tensor:
    """Returns the float32 features of display images [batch, height, width, channels]."""
    return network.taps([layer])(tf.constant(images, tf.float32))[layer]


def invert(
    network: Network,
    target: np.ndarray,
    layer: str,
    *,
    seeds: tuple[int, ...] = (0,),
    settings: Inversion = Inversion(),
    state: loop.State | None = None,
) -> Iterator[Progress]:
    """Finds images whose features at `layer` are those of `target` (MV16, inversion).

    Minimises C |phi(x) - phi0|^2 / |phi0|^2 + alpha norm + total variation, with the
    colour bound, from noise; see `Inversion` for the constants.

    Args:
        network: the network.
        target: float32 [height, width, channels], display space.
        layer: a path in the network with a spatial map.
        seeds: one start each; a batch, in which every image ends as it would alone, but
            for rounding (some thousandths of a grey level on a CPU).
        settings: constants; None among them are derived (`published`).
        state: of an earlier, interrupted run with the same arguments; the rest of it
            gives the same bits.

    Yields:
        Progress after every chunk; the last one is the result.

    Raises:
        InputError: at the first step, see `published`, `mask`, `feature_distance`.
        loop.DivergedError: the energy became NaN or infinite; it carries the last
            good state (`images_of` turns it into pictures).
    """
    height, width = target.shape[:2]
    settings = published(network, layer, (height, width), settings)
    compiled = machine(network, target, layer, seeds, settings, settings.precision)
    stages = [loop.Stage(settings.steps, settings.rate, settings.jitter - 1)]
    if settings.fine_steps:
        stages.append(loop.Stage(settings.fine_steps, settings.rate * settings.fine_rate))
    margin = settings.jitter - 1
    noise = parameterizations.natural_noise(
        seeds, height + margin, width + margin, network.channels, settings.prior.color
    )
    began = time.perf_counter()
    total = sum(stage.steps for stage in stages)
    for snapshot in compiled.run(stages, noise, state):
        images = images_of(network, snapshot.state, (height, width))
        yield Progress(layer, images, snapshot, time.perf_counter() - began, total)


def machine(
    network: Network,
    target: np.ndarray,
    layer: str,
    seeds: tuple[int, ...],
    settings: Inversion,
    precision: str,
) -> loop.Loop:
    """Returns the compiled loop of one layer's inversion; `settings` hold no None."""
    height, width = target.shape[:2]
    phi0 = features(network, layer, target[None])
    chosen = mask(tuple(phi0.shape[1:]), settings)
    objective = objectives.feature_distance(layer, phi0, settings.strength, chosen)
    # The packed convolution is oneDNN's; XLA has none.
    taps = network.taps([layer], precision, packed=False if settings.jit else None)
    center = network.preprocessing.center(network.channels)
    prior, numbers = settings.prior, tf.constant(seeds, tf.int32)

    def energy(canvas, step):
        window = priors.jittered(canvas, height, width, numbers, step)
        return {"objective": objective(taps(window + center))} | prior.terms(canvas)

    rule = updates.leaky_adagrad(settings.leak, settings.momentum)
    if settings.update == "adam":
        rule = updates.adam()
    return loop.Loop(energy, rule, lambda x: priors.project(x, prior.bound), settings.jit)


def images_of(network: Network, state: loop.State, size: tuple[int, int]) -> np.ndarray:
    """Returns the display images in a loop's state, float32 [batch, *size, channels]."""
    center = network.preprocessing.center(network.channels).numpy()
    return loop.cut(state.canvas, state.canvas.shape[1] - size[0]) + center
