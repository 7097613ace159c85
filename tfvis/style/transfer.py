"""Neural style: a picture with the content of one image and the style of others.

Gatys, Ecker & Bethge, "Image Style Transfer Using Convolutional Neural Networks", CVPR 2016
(below: G16), by the weights and layers of their published code where it differs from the
text: layers after the ReLU, start at the content, one run of L-BFGS.
"""

import dataclasses
import time
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from tfvis import images, parameterizations, priors
from tfvis.errors import InputError, arg
from tfvis.networks import differentiable
from tfvis.networks.network import Network
from tfvis.networks.padding import padded
from tfvis.optimize import lbfgs, loop, optimizers
from tfvis.optimize.progress import Progress
from tfvis.settings import given
from tfvis.style import losses, targets, tiling
from tfvis.style.settings import Transfer, resolved

# Coarse to fine in steps of sqrt(2) from 128 px on, the first scale twice as long as each
# of the next, as Crowson has it. The scales before the last take this share of the work, not
# Crowson's half: at 512 px 0.4 ended 7 % farther from the style at that size, 0.2 a fifth
# farther from its large swirls, seen at 256 px.
_SMALLEST, _STEP, _COARSE = 128, 2**0.5, 0.3
# Crowson's Adam: moments that forget soon.
_ADAM_BETAS = (0.9, 0.99)
# Decay of the average of iterates, Crowson's; shorter runs forget sooner.
_AVERAGE = 0.99
# What a step that led to no finite number is shortened by, once.
_SHORTENED = 0.1


@dataclasses.dataclass(frozen=True, repr=False)
class Scene:
    """What is to be transferred to what.

    Attributes:
        content: float32 [height, width, channels], display space, or None for a texture.
        styles: float32 [height, width, channels] each, of any sizes; none to reconstruct.
        weights: of each style in a blend; empty for equal ones.
        regions: which part takes which style; empty for a blend everywhere.
        shape: (height, width) of the picture where there is no content.
    """

    content: np.ndarray | None
    styles: tuple[np.ndarray, ...]
    weights: tuple[float, ...] = ()
    regions: tuple[targets.Region, ...] = ()
    shape: tuple[int, int] | None = None

    def __repr__(self) -> str:
        height, width = self.size
        return f"<Scene: {height} x {width} px, {len(self.styles)} styles>"

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the picture."""
        return self.shape or given(self.content).shape[:2]

    def at(self, size: tuple[int, int]) -> "Scene":
        """Returns the scene with the picture at another size, its styles in proportion."""
        if size == self.size:
            return self
        factor = (size[0] * size[1] / np.prod(self.size)) ** 0.5
        styles = tuple(
            images.resize(style, *(max(round(side * factor), 1) for side in style.shape[:2]))
            for style in self.styles
        )
        content = None if self.content is None else images.resize(self.content, *size)
        return dataclasses.replace(self, content=content, styles=styles, shape=size)


@dataclasses.dataclass(frozen=True)
class Level:
    """One scale of a schedule, or a part of it.

    Attributes:
        size: (height, width) of the picture.
        evaluations: of the energy.
        precision: of the network.
    """

    size: tuple[int, int]
    evaluations: int
    precision: str = "float32"


def schedule(size: tuple[int, int], settings: Transfer) -> list[Level]:
    """Returns the scales, from coarse to fine; of gatys, the size itself.

    Args:
        size: (height, width) of the picture.
        settings: `recipe` and `evaluations` count.
    """
    precision = settings.precision
    if settings.recipe == "gatys":
        exact = round(settings.evaluations * settings.exact) if precision == "bfloat16" else 0
        levels = [Level(size, settings.evaluations - exact, precision)]
        return levels + ([Level(size, exact)] if exact else [])
    side = (size[0] * size[1]) ** 0.5
    # A hair more, so that rounding does not lose the scale of 128 px itself.
    count = int(np.log(max(side / _SMALLEST, 1)) / np.log(_STEP) + 1e-6)
    factors = [_STEP**-k for k in range(count + 1)]
    # An evaluation costs half as much a scale before: in all, as `evaluations` of full size.
    shares = [2 * _COARSE] * min(count, 1) + [_COARSE] * (count - 1)
    shares.append(1 - _COARSE if count else 1)
    return [
        Level(
            (max(round(size[0] * factor), 1), max(round(size[1] * factor), 1)),
            max(round(settings.evaluations * share), 1),
            precision,
        )
        for share, factor in zip(shares, reversed(factors), strict=True)
    ]


def iterate(
    network: Network,
    scene: Scene,
    *,
    seeds: Sequence[int] = (0,),
    settings: Transfer = Transfer(),
    state: loop.State | None = None,
    marks: Iterable[int] = (),
) -> Iterator[Progress]:
    """Transfers step by step: what `stylize` runs to the end.

    Makes small  sum content + ratio / 1000 sum style + tv_weight TV, in the unit of
    `losses`; of quality, with the distances of `losses.shape` beside.

    Args:
        network: the network; with average poolings as in G16, or as it comes.
        scene: what is to be transferred to what.
        seeds: of the noise, one per picture.
        settings: constants.
        state: of an earlier, interrupted run with the same arguments; the rest of it gives
            the same bits.
        marks: evaluations, counted over all scales, at which to yield as well.

    Yields:
        Progress after every chunk; the `kept` of the last one is the result. Its terms are
        in the unit, unweighted. Pictures grow from scale to scale.

    Raises:
        InputError: a layer, setting or size is impossible, such as noise of another size than a
            network insists on.
        loop.DivergedError: no finite energy, twice; it carries the last good state.
    """
    settings = resolved(settings)
    begun = {"content": scene.content is not None, "style": bool(scene.styles)}
    if not begun.get(settings.init):
        _check_seen(network, scene.size)
    return _levels(prepared(network, settings), scene, tuple(seeds), settings, state, tuple(marks))


def _check_seen(network: Network, size: tuple[int, int]) -> None:
    """Refuses to begin with noise where a network would see a resize, which hides fine noise."""
    fixed = network.fixed_size
    if fixed is not None and fixed != size:
        made, seen = (" x ".join(map(str, sides)) for sides in (size, fixed))
        raise InputError(
            f"{arg('size')}: a picture of {made} px begins with noise, and {network.name} sees it "
            f"at {seen} px only, where fine noise is hidden and stays. Make one of {seen} px."
        )


def prepared(network: Network, settings: Transfer) -> Network:
    """Returns the network with the padding of the recipe."""
    if settings.recipe == "quality" and "padding" not in dict(network.variant):
        return padded(network, "replicate")
    return network


def _levels(network, scene, seeds, settings, state, marks) -> Iterator[Progress]:
    """Runs all scales, one after another."""
    levels = schedule(scene.size, settings)
    total = sum(level.evaluations for level in levels)
    began = time.perf_counter()
    for k in range(state.stage if state else 0, len(levels)):
        before = sum(level.evaluations for level in levels[:k])
        own = dataclasses.replace(settings, precision=levels[k].precision)
        way = _Way(network, scene.at(levels[k].size), own, before, levels[k].evaluations)
        if state is not None and state.stage == k:
            inner = dataclasses.replace(state, stage=0)
        else:
            inner = way.handed_over(state, seeds)
        ahead = [mark - before for mark in marks if mark > before or mark == before == 0]
        for snapshot in _counted(way.run(levels[k].evaluations, inner, ahead), k, before):
            state = dataclasses.replace(snapshot.state, stage=k)
            snapshot = dataclasses.replace(snapshot, state=state, done=before + snapshot.done)
            seconds = time.perf_counter() - began
            yield Progress(settings.recipe, snapshot.canvas, state.kept, snapshot, seconds, total)


def _counted(snapshots: Iterator[loop.Snapshot], k: int, before: int):
    """Yields the snapshots; a divergence is told by its step over all scales."""
    try:
        yield from snapshots
    except loop.DivergedError as error:
        state = dataclasses.replace(error.state, stage=k)
        raise loop.DivergedError(before + error.step, state) from error


def enlarged(picture: np.ndarray, content: np.ndarray | None, size: tuple[int, int]) -> np.ndarray:
    """Returns a picture at a larger size, with the fine detail of what it was begun as.

    The picture could not hold that detail, and to find it again takes evaluations.

    Args:
        picture: float32 [height, width, channels], 0..255, begun as a smaller `content`.
        content: the same at `size`; None adds nothing.
        size: (height, width).
    """
    found = images.resize(picture, *size)
    if content is None:
        return found
    coarse = images.resize(content, *picture.shape[:2])
    return np.clip(found + content - images.resize(coarse, *size), 0, 255)


class _Way:
    """The way down at one scale.

    Args:
        network: padded as the recipe wants it.
        scene: at this scale.
        settings: they hold no None.
        before: evaluations at the scales before.
    """

    def __init__(
        self, network: Network, scene: Scene, settings: Transfer, before: int, evaluations: int
    ):
        self._scene, self._settings, self._network = scene, settings, network
        self._goal = targets.goal(
            network,
            scene.content,
            scene.styles,
            settings.content_layers,
            settings.style_layers,
            style_weights=scene.weights,
            regions=scene.regions,
            guide=settings.guide,
            shape=scene.size,
            tile=settings.tile,
            precision=settings.precision,
        )
        if not before:
            # One layer of several that passes none would be left out silently.
            differentiable.check(network, self._goal.layers, scene.size)
            seen = [scene.content] if scene.content is not None else []
            differentiable.check_alive(network, self._goal.layers, [*seen, *scene.styles])
        packed = False if settings.jit else None
        taps = network.taps(self._goal.layers, settings.precision, packed=packed)
        plan = tiling.plan(network, self._goal.layers, *scene.size, settings.tile)
        found = tiling.summed(lambda x, window: targets.sums(taps(x), self._goal, window), plan)
        self._scales = losses.scales_of(network, self._goal, settings)
        self._weights = losses.weighed(self._goal, settings, self._scales)
        if settings.tv_weight:
            self._weights["tv"] = losses.smoothness(self._goal, settings)

        def energy(canvas, step):
            del step
            terms = losses.terms(found(canvas), self._goal, self._scales)
            if settings.tv_weight:
                terms["tv"] = priors.total_variation(canvas, 2.0)
            return terms

        if settings.optimizer == "lbfgs":
            rule, project = lbfgs.lbfgs(0.0, 255.0, settings.history), lambda x: x
        else:
            rule = optimizers.annealed(optimizers.adam(*_ADAM_BETAS, done=before), evaluations)
            rule = optimizers.averaged(rule, min(_AVERAGE, 1 - 10 / max(evaluations, 20)))
            project = _in_range
        self._compiled = loop.Loop(energy, rule, project, settings.jit, self._weights)

    def handed_over(self, state: loop.State | None, seeds) -> loop.State:
        """Returns the first state here, from the last of the scale before, if there is one."""
        height, width = self._scene.size
        if state is None:
            return self._compiled.begin(self._start(seeds))
        if state.canvas.shape[1:3] == (height, width) and self._settings.optimizer == "lbfgs":
            # The same picture in another arithmetic: all that was learnt of it stays, but
            # its energy is to be found again.
            memory = lbfgs.Memory(*state.slots)
            memory = memory._replace(value=tf.fill(memory.value.shape, float("inf")))
            begun = self._compiled.begin(state.kept)
            return dataclasses.replace(
                begun, canvas=np.asarray(tf.reshape(memory.point, begun.canvas.shape)),
                slots=tuple(memory),
            )  # fmt: skip
        content = self._scene.content if self._settings.init == "content" else None
        picture = np.stack([enlarged(one, content, (height, width)) for one in state.kept])
        begun = self._compiled.begin(picture.astype(np.float32))
        if self._settings.optimizer != "adam":
            return begun
        # Moments, too, are pictures; the average starts afresh.
        first = tf.image.resize(state.slots[0], [height, width], "bicubic")
        second = tf.nn.relu(tf.image.resize(state.slots[1], [height, width], "bilinear"))
        return dataclasses.replace(begun, slots=(first, second, *begun.slots[2:]))

    def _start(self, seeds) -> np.ndarray:
        height, width = self._scene.size
        init, scene, network = self._settings.init, self._scene, self._network
        if init == "content" and scene.content is not None:
            start = scene.content[None]
        elif init == "style" and scene.styles:
            start = images.resize(scene.styles[0], height, width)[None]
        else:
            noise = parameterizations.natural_noise(
                tuple(seeds), height, width, network.channels, priors.TYPICAL_COLOR
            )
            start = noise + network.preprocessing.center(network.channels).numpy()
        start = np.clip(start, 0, 255).astype(np.float32)
        return np.repeat(start, len(seeds), 0) if len(start) == 1 else start

    def run(self, evaluations: int, state: loop.State, marks) -> Iterator[loop.Snapshot]:
        """Runs the scale; where the energy is not finite, goes on once from the last good
        image with shorter steps."""
        if 0 in marks and state.step == 0:
            yield loop.Snapshot(
                state, state.canvas, 0, {}, np.zeros((0, len(state.canvas)), np.float32)
            )
        stages = [loop.Stage(evaluations, given(self._settings.rate))]
        try:
            yield from self._compiled.run(stages, state.canvas, state, marks=marks)
            return
        except loop.DivergedError as error:
            if state.slowed != 1 or not error.state.step:
                raise  # A start without an energy has none after shorter steps.
            good = error.state
        # In the state, so that a run that is stopped goes on with it.
        again = dataclasses.replace(
            self._compiled.begin(good.kept), step=good.step, slowed=_SHORTENED
        )
        yield from self._compiled.run(stages, again.canvas, again, marks=marks)


def _in_range(x: tf.Tensor) -> tf.Tensor:
    return tf.clip_by_value(x, 0.0, 255.0)
