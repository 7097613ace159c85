"""Caffe's poolings: windows counted by rounding up, the last ones cut off.

After `pooling_layer.cpp` of BVLC/caffe. Keras' classes are the bases, so that whoever asks for
a pooling finds these; `padding` is "valid" there, and `margin` is Caffe's `pad`.
"""

import keras
import tensorflow as tf

_registered = keras.saving.register_keras_serializable("tfvis")


def outputs(size, kernel: int, stride: int, margin: int, ceil: bool):
    """Returns how many windows there are along one side.

    Args:
        size: of the map along that side, int or a scalar int32 tensor.
        kernel, stride: of the windows.
        margin: Caffe's `pad`, on both ends.
        ceil: rounds up, as Caffe does unless told otherwise; a window may then hang over.

    Returns:
        As `size`; 0 or less where the map is too small.
    """
    reach = size + 2 * margin - kernel
    count = (-(-reach // stride) if ceil else reach // stride) + 1
    # A last window that would see nothing but what is behind the map is left out. Caffe itself
    # does so only with a margin; without, it would put out the lowest number there is.
    return count - _number((count - 1) * stride >= size + margin)


def _number(condition):
    return tf.cast(condition, tf.int32) if tf.is_tensor(condition) else int(condition)


class _Pooling:
    """What both poolings share; the other base is Keras' pooling."""

    def __init__(self, pool_size, strides=None, margin=0, ceil: bool = True, **kwargs):
        kwargs = {key: kwargs[key] for key in kwargs if key not in ("padding", "data_format")}
        super().__init__(pool_size, strides, data_format="channels_last", **kwargs)
        self.margin = (margin, margin) if isinstance(margin, int) else tuple(margin)
        self.ceil = bool(ceil)
        if any(m >= k for m, k in zip(self.margin, self.pool_size, strict=True)):
            # Caffe refuses it, too: a window could lie outside the map.
            raise ValueError(
                f"Expected a pad below the kernel's size. Received: {self.margin}, {self.pool_size}"
            )

    def compute_output_shape(self, input_shape):
        """[batch, rows, columns, channels]; see `outputs`."""
        batch, *sides, channels = input_shape
        counts = self._counts(sides)
        if any(count is not None and count < 1 for count in counts):
            raise ValueError(f"{self.name}: a map of {tuple(sides)} is smaller than a window.")
        return (batch, *counts, channels)

    def _counts(self, sides) -> list:
        settings = zip(sides, self.pool_size, self.strides, self.margin, strict=True)
        return [None if n is None else outputs(n, k, s, m, self.ceil) for n, k, s, m in settings]

    def padded(self, inputs, value):
        """Returns the map with all that its windows reach to, and how many there are."""
        sides = _sides(inputs)
        counts = self._counts(sides)
        pads = [
            (m, _positive((count - 1) * s + k - m - n))
            for n, k, s, m, count in zip(
                sides, self.pool_size, self.strides, self.margin, counts, strict=True
            )
        ]
        if all(isinstance(after, int) and not before + after for before, after in pads):
            return inputs, counts
        pads = [(0, 0), *pads, (0, 0)]
        return tf.pad(inputs, pads, constant_values=tf.cast(value, inputs.dtype)), counts

    def get_config(self):
        """Keras', and `margin` and `ceil`."""
        return super().get_config() | {"margin": self.margin, "ceil": self.ceil}


def _sides(inputs) -> list:
    """Returns height and width, as int where they are known."""
    static, dynamic = inputs.shape[1:3], tf.shape(inputs)
    return [dynamic[k + 1] if side is None else side for k, side in enumerate(static)]


def _positive(number):
    return tf.maximum(number, 0) if tf.is_tensor(number) else max(number, 0)


@_registered
class CaffeMaxPooling2D(_Pooling, keras.layers.MaxPooling2D):
    """The largest of each window; what lies outside the map does not count.

    Args:
        pool_size, strides: as Keras.
        margin: Caffe's `pad`, one number or (rows, columns), below the windows' size.
        ceil: see `outputs`.
    """

    def call(self, inputs):
        """[batch, height, width, channels]; see `compute_output_shape`."""
        padded, _ = self.padded(inputs, inputs.dtype.min)
        return tf.nn.max_pool2d(padded, self.pool_size, self.strides, "VALID")


@_registered
class CaffeAveragePooling2D(_Pooling, keras.layers.AveragePooling2D):
    """The mean of each window; zeros of the margin count, what hangs over it does not.

    Args:
        pool_size, strides, margin, ceil: see `CaffeMaxPooling2D`.
    """

    def call(self, inputs):
        """[batch, height, width, channels]; see `compute_output_shape`."""
        padded, counts = self.padded(inputs, 0)
        means = tf.nn.avg_pool2d(padded, self.pool_size, self.strides, "VALID")
        for axis, (size, count) in enumerate(zip(_sides(inputs), counts, strict=True)):
            kernel, stride = self.pool_size[axis], self.strides[axis]
            end = size + 2 * self.margin[axis]
            if isinstance(end, int) and (count - 1) * stride + kernel <= end:
                continue
            starts = tf.range(count) * stride
            inside = tf.minimum(starts + kernel, end) - starts
            factors = tf.cast(kernel / inside, means.dtype)
            means *= tf.reshape(factors, [-1, 1, 1] if axis == 0 else [1, -1, 1])
        return means
