"""An objective: a number per image, from the taps of a network."""

import dataclasses
import numbers
from collections.abc import Callable

import tensorflow as tf

Taps = dict[str, tf.Tensor]


@dataclasses.dataclass(frozen=True)
class Objective:
    """A number per image; recipes say whether it is raised or lowered.

    `a + b`, `a - b`, `-a`, `2 * a` and `a / 2` are new objectives.

    Attributes:
        layers: what it needs tapped.
        function: {layer: float32 [batch, ...]} -> float32 [batch].
        description: for file names, sheets and TensorBoard tags.
    """

    layers: tuple[str, ...]
    function: Callable[[Taps], tf.Tensor]
    description: str

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
        return Objective(self.layers, lambda taps: factor * function(taps), shown + inner)

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
        )


def resolve(
    objective: Objective | Callable[[Taps], tf.Tensor],
    shape: Callable[[str], tuple[int, ...]],
    batch: int = 1,
) -> Objective:
    """Returns an Objective; of a plain function of taps, the layers are found out.

    Args:
        objective: an Objective, or a function {layer: [batch, ...]} -> [batch] such as
            `lambda taps: taps["block4_conv2"][:, 3, 3, 7]`. It is called once on zeros.
        shape: layer -> shape of one image's output there; raises where there is none.
        batch: how many images it is to be called on.
    """
    if isinstance(objective, Objective):
        return objective
    asked = _Asked(shape, batch)
    objective(asked)
    name = getattr(objective, "__name__", "function")
    return Objective(tuple(asked), objective, "function" if name == "<lambda>" else name)


class _Asked(dict):
    """Taps that note which layers were asked for."""

    def __init__(self, shape, batch: int):
        super().__init__()
        self._shape, self._batch = shape, batch

    def __missing__(self, layer: str) -> tf.Tensor:
        self[layer] = tf.zeros((self._batch, *self._shape(layer)))
        return self[layer]
