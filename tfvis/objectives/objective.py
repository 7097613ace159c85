"""An objective: a number per image, from the taps of a network."""

import dataclasses
import numbers
from collections.abc import Callable

import tensorflow as tf

from tfvis.errors import InputError
from tfvis.networks.needed_places import Box

Taps = dict[str, tf.Tensor]
# What TensorFlow raises for an index beyond the end, or shapes that do not go together.
_NO_PLACE = (ValueError, IndexError, tf.errors.InvalidArgumentError)


@dataclasses.dataclass(frozen=True, repr=False)
class Objective:
    """A number per image; recipes say whether it is raised or lowered.

    `a + b`, `a - b`, `-a`, `2 * a` and `a / 2` are new objectives.

    Attributes:
        layers: what it needs tapped.
        function: {layer: float32 [batch, ...]} -> float32 [batch].
        description: for file names, sheets and TensorBoard tags.
        box: (first, last) row and column of its one layer's map, if it looks at no other place
            of it; None where it may.
    """

    layers: tuple[str, ...]
    function: Callable[[Taps], tf.Tensor]
    description: str
    box: Box | None = None

    def __repr__(self) -> str:
        return f"<Objective: {self.description}>"

    def __call__(self, taps: Taps) -> tf.Tensor:
        """Returns the number, float32 [batch]."""
        return self.function(taps)

    def __add__(self, other: "Objective") -> "Objective":
        return self._joined(other, lambda a, b: a + b, "+")

    def __sub__(self, other: "Objective") -> "Objective":
        return self._joined(other, lambda a, b: a - b, "-")

    def __neg__(self) -> "Objective":
        return -1 * self

    def __mul__(self, factor: float) -> "Objective":
        if not isinstance(factor, numbers.Real):
            return NotImplemented
        function = self.function
        inner = f"({self.description})" if " " in self.description else self.description
        shown = "-" if factor == -1 else f"{factor:g} "
        return dataclasses.replace(
            self, function=lambda taps: factor * function(taps), description=shown + inner
        )

    __rmul__ = __mul__

    def __truediv__(self, divisor: float) -> "Objective":
        return self * (1 / divisor) if isinstance(divisor, numbers.Real) else NotImplemented

    def _joined(self, other, operation, sign: str) -> "Objective":
        if not isinstance(other, Objective):
            return NotImplemented
        first, second = self.function, other.function
        described = other.description
        if sign == "-" and " " in described:
            described = f"({described})"
        return Objective(
            tuple(dict.fromkeys(self.layers + other.layers)),
            lambda taps: operation(first(taps), second(taps)),
            f"{self.description} {sign} {described}",
            self.box if (self.layers, self.box) == (other.layers, other.box) else None,
        )


def logarithm(objective: Objective) -> Objective:
    """Returns log(1 + x) of an objective x above 0, and x itself below, float32 [batch].

    Of several views those that are small already count for most.

    Args:
        objective: of any sign.
    """

    def log(taps: Taps) -> tf.Tensor:
        value = objective(taps)
        return tf.math.log1p(tf.nn.relu(value)) + tf.minimum(value, 0.0)

    return dataclasses.replace(objective, function=log, description=f"log({objective.description})")


def mean_over_views(objective: Objective, views: int) -> Objective:
    """Returns the mean of an objective over views of each image, float32 [batch].

    Args:
        objective: of one view of every image.
        views: of an image; taps are [views * batch, ...], one view of every image after another.
    """
    if views == 1:
        return objective

    def mean(taps: Taps) -> tf.Tensor:
        split = {layer: tf.split(tap, views) for layer, tap in taps.items()}
        parts = [objective({layer: split[layer][k] for layer in split}) for k in range(views)]
        return tf.add_n(parts) / views

    return dataclasses.replace(objective, function=mean)


def resolve(
    objective: Objective | Callable[[Taps], tf.Tensor],
    shape: Callable[[str], tuple[int, ...]],
    batch: int = 1,
) -> Objective:
    """Returns an Objective; of a plain function of taps, the layers are found out.

    Args:
        objective: an Objective, or a function {layer: [batch, ...]} -> [batch] such as
            `lambda taps: taps["block4_conv2"][:, 3, 3, 7]`. It is called once on zeros;
            conditions over what the taps hold are `tf.where` or `tf.cond`.
        shape: layer -> shape of one image's output there; raises where there is none.
        batch: how many images it is to be called on.

    Raises:
        InputError: it asks for a place that the maps of this size do not have.
    """
    if isinstance(objective, Objective):
        return objective
    asked = _Asked(shape, batch)
    try:
        objective(asked)
    except InputError:
        raise
    except _NO_PLACE as error:
        if not asked:
            raise
        shapes = ", ".join(f"{layer} {tuple(y.shape[1:])}" for layer, y in asked.items())
        raise InputError(
            f"The objective does not fit its layers at this size ({shapes}): "
            f"{str(error).splitlines()[0]}. Index what is there, or choose another size."
        ) from error
    name = getattr(objective, "__name__", "function")
    return Objective(tuple(asked), objective, "function" if name == "<lambda>" else name)


def layers_of(
    objective: Callable[[Taps], tf.Tensor], shape: Callable[[str], tuple[int, ...]], batch: int = 1
) -> tuple[str, ...]:
    """Returns the layers a plain function asks for, as far as it comes; arguments as `resolve`.

    Where the shapes are not yet those it will see, it may ask for a place that is not there.
    """
    asked = _Asked(shape, batch)
    try:
        objective(asked)
    except InputError:
        raise
    except _NO_PLACE:
        if not asked:
            raise
    return tuple(asked)


class _Asked(dict):
    """Taps that note which layers were asked for."""

    def __init__(self, shape, batch: int):
        super().__init__()
        self._shape, self._batch = shape, batch

    def __missing__(self, layer: str) -> tf.Tensor:
        self[layer] = tf.zeros((self._batch, *self._shape(layer)))
        return self[layer]
