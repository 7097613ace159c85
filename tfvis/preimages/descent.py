"""What the recipes share: settings, and the way down an energy."""

import dataclasses
import time
import typing
from collections.abc import Callable, Iterable, Iterator

import keras
import numpy as np
import tensorflow as tf

from tfvis import parameterizations, plug_in_views, priors, transforms
from tfvis.errors import InputError, arg
from tfvis.networks import keras_graph
from tfvis.networks.network import Network
from tfvis.optimize import lbfgs, loop, optimizers
from tfvis.optimize.progress import Progress
from tfvis.preimages import awake_starts, transparency, zero_gradients
from tfvis.preimages.settings import OPTIMIZERS, Descent
from tfvis.settings import given

# Steps of pixels, grey levels: Adam's is its largest change per step, L-BFGS' the
# largest of its very first trial; from there on it finds its own.
_ADAM_RATE, _LBFGS_RATE = 4.0, 4.0
# Those that come in go out.
_Settings = typing.TypeVar("_Settings", bound=Descent)


@dataclasses.dataclass(frozen=True)
class Descending:
    """An energy on its way down: what `descend` runs, ready to be run or timed.

    Attributes:
        compiled: the loop.
        stages: what it runs.
        start: float32, its first canvas.
        picture: what is optimised -> display images, both NumPy.
        importance: state -> [batch, height, width], see `transparency`; None without it.
    """

    compiled: loop.Loop
    stages: list[loop.Stage]
    start: np.ndarray
    picture: Callable[[np.ndarray], np.ndarray]
    importance: Callable[[loop.State], np.ndarray] | None = None


def derived(network: Network, layer: str, size: tuple[int, int], settings: _Settings) -> _Settings:
    """Returns `settings` with jitter and rate filled in.

    Args:
        network: the network.
        layer: a path in it; its stride decides the jitter.
        size: (height, width) of the image.
        settings: as asked for.

    Raises:
        InputError: a setting is out of range.
    """
    if settings.steps < 1 or settings.fine_steps < 0:
        raise InputError(
            f"{arg('steps')}={settings.steps} {arg('fine_steps')}={settings.fine_steps}: expected "
            "at least 1 and at least 0."
        )
    jitter, rate, optimizer = settings.jitter, settings.rate, settings.optimizer
    if optimizer not in OPTIMIZERS:
        raise InputError(f"{arg('optimizer')}={optimizer}: expected {', '.join(OPTIMIZERS)}.")
    for name, value in (("rate", rate), ("jitter", jitter)):
        if value is not None and value <= 0:
            raise InputError(f"{arg(name)}={value}: expected a number above 0.")
    if settings.stop.change < 0 or settings.stop.window < 1:
        raise InputError(
            f"{arg('stop.change')}={settings.stop.change} "
            f"{arg('stop.window')}={settings.stop.window}: expected at least 0 and at least 1."
        )
    if optimizer == "lbfgs" and (jitter or 1) > 1:
        raise InputError(
            f"{arg('jitter')}={jitter}: lbfgs needs an energy that stands still; leave "
            f"{arg('jitter')} out, or choose {arg('optimizer')}=adagrad."
        )
    if jitter is None:
        jitter = 1 if optimizer == "lbfgs" else max(round(stride(network, layer) / 4), 1)
    if rate is None:
        pixels = size[0] * size[1]
        rate = {
            "adagrad": pixels * 0.05 * settings.prior.color**2 / settings.prior.alpha,
            "adam": _ADAM_RATE,
            "lbfgs": _LBFGS_RATE,
        }[optimizer]
    return dataclasses.replace(settings, jitter=jitter, rate=rate)


def stride(network: Network, layer: str) -> int:
    """Returns the stride of a layer; of a vector, that of the last map before it."""
    return network.stride(_last_map(network, layer) or layer)


def last_map(network: Network, layer: str) -> str:
    """Returns a layer that is a map; of a vector, the last map before it.

    Raises:
        InputError: there is none.
    """
    found = _last_map(network, layer)
    if found is None:
        raise InputError(f"{arg('layer')}={layer}: there is no map before it, which is needed.")
    return found


def _last_map(network: Network, layer: str) -> str | None:
    if len(network.graph.tensors[network.path(layer)].shape) == 4:
        return layer
    before = network.paths[: network.paths.index(network.path(layer))]
    maps = [path for path in network.convolutions_and_poolings() if path in before]
    return maps[-1] if maps else None


def check_layer(network: Network, layer: str, size: tuple[int, int], vectors: bool = False) -> None:
    """Raises InputError unless `layer` exists and has a map of at least 1 px.

    Args:
        network: whose layer it is.
        layer: a path.
        size: (height, width) of the image.
        vectors: whether a vector will do as well that was made of all places of a map, as
            CaffeNet's fc6 is; not of their mean.
    """
    network.check([layer])
    tensor = network.graph.tensors[network.path(layer)]
    if len(tensor.shape) != 4 and not (vectors and _keeps_places(tensor)):
        raise InputError(
            f"{arg('layer')}={layer}: has nothing spatial left (its output is a vector). "
            "Choose a convolution or a pooling before it."
        )
    if 0 in network.shape(layer, *size) or 0 in network.trace(layer, *size):
        raise InputError(
            f"An image of {size[0]} x {size[1]} pixels is too small for {layer}, whose map would "
            f"have no pixel. Choose a larger {arg('size')} or an earlier layer."
        )


def _keeps_places(tensor) -> bool:
    """Tells whether a vector was made of the places of a map, one after another."""
    pools = (keras.layers.GlobalAveragePooling2D, keras.layers.GlobalMaxPooling2D)
    while len(tensor.shape) == 2 or tuple(tensor.shape[1:3]) == (1, 1):
        operation, before = keras_graph.operation(tensor), keras_graph.sources(tensor)
        # By name: keras.ops.mean and max over the places.
        if isinstance(operation, pools) or type(operation).__name__ in ("Mean", "Max"):
            return False
        if len(before) != 1:
            return False
        (tensor,) = before
    return True


def features(network: Network, layer: str, images: np.ndarray) -> tf.Tensor:
    """Returns the float32 features of display images [batch, height, width, channels]."""
    return network.taps([layer])(tf.constant(images, tf.float32))[layer]


def pixel_descent(
    network: Network,
    objective: Callable[[dict[str, tf.Tensor]], tf.Tensor],
    layers: Iterable[str],
    start: np.ndarray,
    seeds: tuple[int, ...],
    settings: Descent,
    watch: bool = False,
    views: plug_in_views.PlugIn | None = None,
    calm: np.ndarray | None = None,
) -> Descending:
    """Returns the way down `objective` + prior, over pixels, seen through jitter.

    Args:
        network: the network.
        objective: taps -> float32 [batch], to be made small.
        layers: what it needs tapped.
        start: centred, float32 [batch, height + J - 1, width + J - 1, channels].
        seeds: of the jitter, one per image.
        settings: see `derived`; they hold no None.
        watch: add up how much each pixel changes the objective (`transparency`); of one stage.
        views: None shows the picture through the jitter alone.
        calm: see `awake_starts.awake`; not with `watch`.
    """
    center = network.preprocessing.center(network.channels)
    # A box is what L-BFGS can keep to; the published bound is a ball of colours.
    if settings.optimizer == "lbfgs" or settings.prior.decorrelated:
        written = parameterizations.boxed(start, center.numpy())
    else:
        written = parameterizations.pixels(start, settings.prior.longest)
    update = rule(settings, center)
    return _written_descent(
        network, objective, layers, written, update, seeds, settings, views, watch, calm
    )


def spectrum_descent(
    network: Network,
    objective: Callable[[dict[str, tf.Tensor]], tf.Tensor],
    layers: Iterable[str],
    written: parameterizations.Parameterization,
    seeds: tuple[int, ...],
    settings: Descent,
    views: transforms.Transforms | transforms.Crops | None = None,
    watch: bool = False,
    update: optimizers.Update | None = None,
) -> Descending:
    """As `pixel_descent`, over a picture written as `written`, seen in random views.

    Args:
        network: the network.
        objective: taps -> float32 [batch], to be made small.
        layers: what it needs tapped.
        written: how the picture is written, such as `parameterizations.fourier`.
        seeds: of the views, one per image.
        settings: see `derived`; they hold no None.
        views: None shows the picture as it is, or through the jitter.
        watch: see `pixel_descent`.
        update: the rule; None is the settings'.
    """
    update = update or rule(settings)
    return _written_descent(
        network, objective, layers, written, update, seeds, settings, views, watch
    )


def _written_descent(
    network, objective, layers, written, update, seeds, settings: Descent, views, watch, calm=None
) -> Descending:
    """See `spectrum_descent`; the image is written with room for the jitter."""
    watched = transparency.Watched(written) if watch else None
    if watched:
        written, update = watched, watched.rule(update)
    margin, first = given(settings.jitter) - 1, written.image(tf.constant(written.start))
    height, width = first.shape[1] - margin, first.shape[2] - margin
    center = network.preprocessing.center(network.channels)
    prior, numbers = settings.prior, tf.constant(seeds, tf.int32)

    def look(variable, step):
        image = written.image(variable)
        seen = image + watched.zeros(variable) if watched else image
        seen = priors.jittered(seen, height, width, numbers, step)
        if views is not None:
            seen = transforms.seen(seen, numbers, step, views, settings.total)
        return seen + center, priors.terms(prior, image)

    def picture(variable):
        image = written.image(tf.constant(variable)).numpy()
        return loop.cut(image, image.shape[1] - height) + center.numpy()

    start, layers, box = written.start, tuple(layers), getattr(objective, "box", None)

    def answer_of(network):
        if box:
            # No more is computed of a map than an objective sees that looks at a box of it.
            network = network.restricted(*layers, (height, width), box)
        taps = taps_of(network, layers, settings)
        return lambda images: objective(taps(images))

    if settings.optimizer == "lbfgs":
        waking = watched.rule(optimizers.adam()) if watched else optimizers.adam()
        start = awake_starts.awake(
            network, answer_of, layers, look, start,
            waking, written.project, given(settings.rate), settings.jit, calm,
        )  # fmt: skip
        energy = zero_gradients.plain(answer_of(network), look)
    else:
        energy = zero_gradients.energy(network, answer_of, layers, look, start)
    return Descending(
        loop.Loop(energy, update, written.project, settings.jit),
        stages(settings),
        start,
        picture,
        (lambda state: watched.importance(state, margin)) if watched else None,
    )


def enlarged(images: np.ndarray, margin: int) -> np.ndarray:
    """Returns images with their border repeated, `margin` px more in each direction."""
    before = margin // 2
    widths = [(0, 0), (before, margin - before), (before, margin - before), (0, 0)]
    return np.pad(images, widths, mode="edge")


def run(
    layer: str, descending: Descending, settings: Descent, state, marks: Iterable[int]
) -> Iterator[Progress]:
    """Runs all stages; see `loop.Loop.run` for `state` and `marks`."""
    began = time.perf_counter()
    picture, importance = descending.picture, descending.importance
    snapshots = descending.compiled.run(
        descending.stages, descending.start, state, settings.stop, marks
    )
    for snapshot in snapshots:
        yield Progress(
            layer,
            picture(snapshot.canvas),
            picture(snapshot.state.kept),
            snapshot,
            time.perf_counter() - began,
            settings.total,
            importance(snapshot.state) if importance else None,
        )


def taps_of(network: Network, layers: Iterable[str], settings: Descent):
    """Returns the network's taps in the settings' arithmetic."""
    # The packed convolution is oneDNN's; XLA has none.
    packed = False if settings.jit else None
    return network.taps(tuple(layers), settings.precision, packed=packed)


def stages(settings: Descent) -> list[loop.Stage]:
    """Returns the stages of a run; `settings` hold no None."""
    rate = given(settings.rate)
    if settings.optimizer == "lbfgs":
        return [loop.Stage(settings.total, rate)]
    result = [loop.Stage(settings.steps, rate, given(settings.jitter) - 1)]
    if settings.fine_steps:
        result.append(loop.Stage(settings.fine_steps, rate * settings.fine_rate))
    return result


def rule(settings: Descent, center: tf.Tensor | None = None) -> optimizers.Update:
    """Returns the update rule; `center` is the mid colour of what is optimised."""
    if settings.optimizer == "adam":
        return optimizers.adam()
    if settings.optimizer == "lbfgs":
        return lbfgs.lbfgs() if center is None else lbfgs.lbfgs(-center, 255 - center)
    return optimizers.leaky_adagrad(settings.leak, settings.momentum)
