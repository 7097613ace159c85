"""Caffe's layers that fit one map to another size: Crop, and DeepLab's Interp."""

import keras
import tensorflow as tf

_registered = keras.saving.register_keras_serializable("tfvis")


@_registered
class CropLike(keras.layers.Layer):
    """The part of a map that is as large as another one (crop_layer.cpp).

    Args:
        offsets: {axis, as it lies here: entries left out before the part}; other axes stay
            whole.
    """

    def __init__(self, offsets, **kwargs):
        super().__init__(**kwargs)
        # As text, since the keys of a file's settings are.
        self.offsets = {str(axis): int(offset) for axis, offset in dict(offsets).items()}

    def call(self, inputs):
        """[x, reference] to the part of x."""
        x, reference = inputs
        known, dynamic = reference.shape, tf.shape(reference)
        cut = []
        for axis in range(len(x.shape)):
            if str(axis) not in self.offsets:
                cut.append(slice(None))
                continue
            begin = self.offsets[str(axis)]
            side = dynamic[axis] if known[axis] is None else known[axis]
            cut.append(slice(begin, begin + side))
        result = x[tuple(cut)]
        return tf.ensure_shape(result, self.compute_output_shape([x.shape, reference.shape]))

    def compute_output_shape(self, input_shape):
        """That of x, with the reference's sides where it is cut."""
        found = list(input_shape[0])
        for axis, offset in self.offsets.items():
            side, wanted = found[int(axis)], input_shape[1][int(axis)]
            if None not in (side, wanted) and offset + wanted > side:
                raise ValueError(
                    f"Expected at least {offset + wanted} entries to cut {wanted} out behind "
                    f"{offset}. Received: {side}"
                )
            found[int(axis)] = wanted
        return tuple(found)

    def get_config(self):
        """As __init__ takes it."""
        return super().get_config() | {"offsets": self.offsets}


def _resized(x, size, trim):
    """Returns a map in another size, bilinearly, corner on corner."""
    before, after = trim
    shape = tf.shape(x)
    x = x[:, before : shape[1] - after, before : shape[2] - after]
    return tf.cast(tf.compat.v1.image.resize_bilinear(x, size, align_corners=True), x.dtype)


@_registered
class CaffeInterp(keras.layers.Layer):
    """Bilinear, corner on corner, as `interp_layer.cpp` of DeepLab has it.

    Args:
        shrink, zoom: by how much the distances between corners are divided and multiplied,
            one after the other.
        size: (height, width) of the result in their place.
        trim: (before, after), pixels left out at each end.
    """

    def __init__(self, shrink: int = 1, zoom: int = 1, size=None, trim=(0, 0), **kwargs):
        super().__init__(**kwargs)
        self.shrink, self.zoom, self.trim = shrink, zoom, tuple(trim)
        self.size = None if size is None else tuple(size)

    def call(self, inputs):
        """[batch, height, width, channels] to another size."""
        shape = tf.shape(inputs)
        size = tf.stack(self._sides([shape[1], shape[2]]))
        known = self.compute_output_shape(inputs.shape)
        return tf.ensure_shape(_resized(inputs, size, self.trim), [None, *known[1:]])

    def _sides(self, sides) -> list:
        if self.size is not None:
            return list(self.size)
        less = sum(self.trim) + 1
        return [
            None if side is None else (side - less) // self.shrink * self.zoom + 1 for side in sides
        ]

    def compute_output_shape(self, input_shape):
        """[batch, rows, columns, channels]."""
        batch, *sides, channels = input_shape
        if any(side is not None and side <= sum(self.trim) for side in sides):
            raise ValueError(f"{self.name}: leaves nothing of a map of {tuple(sides)}.")
        return (batch, *self._sides(sides), channels)

    def get_config(self):
        """As __init__ takes it."""
        mine = {"shrink": self.shrink, "zoom": self.zoom, "size": self.size, "trim": self.trim}
        return super().get_config() | mine


@_registered
class InterpLike(keras.layers.Layer):
    """The same, to the size of a second map.

    Args:
        trim: see `CaffeInterp`.
    """

    def __init__(self, trim=(0, 0), **kwargs):
        super().__init__(**kwargs)
        self.trim = tuple(trim)

    def call(self, inputs):
        """[map, reference] to the map in the reference's size."""
        x, reference = inputs
        known = self.compute_output_shape([x.shape, reference.shape])
        return tf.ensure_shape(_resized(x, tf.shape(reference)[1:3], self.trim), [None, *known[1:]])

    def compute_output_shape(self, input_shape):
        """The map's, with height and width of the reference."""
        (batch, _, _, channels), (_, height, width, _) = input_shape
        return (batch, height, width, channels)

    def get_config(self):
        """As __init__ takes it."""
        return super().get_config() | {"trim": self.trim}
