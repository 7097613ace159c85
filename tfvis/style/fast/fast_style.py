"""A transform network that has been trained, and the names of its styles."""

import dataclasses
import functools
import math
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from tfvis import hardware, images
from tfvis.errors import InputError, arg
from tfvis.style.fast import checkpoint_files, transform_network
from tfvis.style.fast.settings import MARGIN
from tfvis.style.fast.transform_network import LEAST_SIDE, STRIDE, Architecture

# Bytes a pixel takes for each channel of the first convolution. The largest step holds a map of
# twice as many, the same padded, and what becomes of it: 20 in float32. 16 channels took 295 bytes
# at 1536 px, 18 each.
_BYTES = 24
# Share of the machine's memory that a picture may take.
_SHARE = 0.6


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class FastStyle:
    """A network that paints in one of several styles, or in a mix of them.

    Attributes:
        name: of its checkpoint.
        model: see `transform_network.build`.
        architecture: of it.
        styles: names, in the order of a mix.
        size: side of the pictures it was trained on last; strokes are as large as there.
        about: the rest of its description: what it was trained on, its loss.
    """

    name: str
    model: keras.Model
    architecture: Architecture
    styles: tuple[str, ...]
    size: int
    about: dict

    def __repr__(self) -> str:
        return f"<FastStyle {self.name}: {len(self.styles)} styles>"

    def mix(self, names: Sequence[str] = (), weights: Sequence[float] = ()) -> tuple[float, ...]:
        """Returns the share of each style; see `checkpoint_files.mix`."""
        return checkpoint_files.mix(self.styles, tuple(names), tuple(weights), self.name)

    def paint(
        self,
        picture: np.ndarray,
        mix: Sequence[float] | None = None,
        memory: int | None = None,
        precision: str = "float32",
        margin: int = MARGIN,
    ) -> np.ndarray:
        """Paints a picture, at its own size.

        Args:
            picture: float32 [height, width, 3], RGB, 0..255, at least `LEAST_SIDE` px a side.
            mix: share of each style, whose gammas and betas are added in these shares (Dumoulin et
                al. 2017, section 3.3); None is the first style.
            memory: bytes it may take; None is more than half of what the machine has.
            precision: of the arithmetic, "float32" or "bfloat16".
            margin: pixels by which it is continued first, at most what there is to reflect; 0 is
                the bare network, as an exported one paints.

        Returns:
            float32 [height, width, 3], 0..255.

        Raises:
            InputError: too small, or so large that memory would not do: the statistics of a
                picture are of all of it, so it is not made in parts.
        """
        height, width = picture.shape[:2]
        if min(height, width) < LEAST_SIDE:
            raise InputError(
                f"{arg('size')}: {width} x {height} px are too few; expected {LEAST_SIDE} a side."
            )
        # Multiples of the strides, so that the picture lies on the grid as it would without.
        beside = [min(margin, side - 1) // STRIDE * STRIDE for side in (height, width)]
        area = math.prod(
            side + 2 * more for side, more in zip((height, width), beside, strict=True)
        )
        limit = memory or int(_SHARE * hardware.memory())
        needed = area * _BYTES * self.architecture.width
        if needed > limit:
            side = int((limit / needed * height * width) ** 0.5)
            raise InputError(
                f"{arg('size')}: {width} x {height} px take {needed / 2**30:.1f} GiB, and "
                f"{limit / 2**30:.1f} may be taken ({arg('memory')}). As many pixels as a square "
                f"of {side} px has fit."
            )
        mix = self.mix() if mix is None else mix
        shares = tf.constant([mix], tf.float32)
        whole = images.with_channels(picture, 3)
        whole = np.pad(whole, [*((more, more) for more in beside), (0, 0)], "reflect")
        painted = self._compiled(precision)(tf.constant(whole[None], tf.float32), shares)[0]
        top, left = beside
        return painted[top : top + height, left : left + width].numpy()

    def _compiled(self, precision: str):
        """Returns the one trace that serves pictures of every size."""
        return _compiled(self, precision)


@functools.lru_cache(maxsize=8)
def _compiled(style: FastStyle, precision: str):
    model = style.model
    if precision != "float32":
        model = transform_network.build(len(style.styles), style.architecture, precision)
        model.set_weights(style.model.get_weights())
    signature = (
        tf.TensorSpec((1, None, None, 3), tf.float32),
        tf.TensorSpec((1, len(style.styles)), tf.float32),
    )
    return tf.function(
        lambda picture, mix: model([picture, mix], training=False), signature, autograph=False
    )
