"""SegNet's way back up: where each maximum of a pooling lay, and maps put back there.

After `pooling_layer.cpp` (its mask) and `upsample_layer.cpp` of alexgkendall/caffe-segnet.
"""

import keras
import tensorflow as tf

from tfvis.networks.caffe_layers.pooling import CaffeMaxPooling2D

_registered = keras.saving.register_keras_serializable("tfvis")


@_registered
class PoolingMask(keras.layers.Layer):
    """The places of the maxima that a pooling of the same settings takes.

    Windows must not overlap, so that each place is taken once. It is no pooling of Keras' kind:
    whoever puts another pooling in place of those must not find it.

    Args:
        pool_size, strides, margin, ceil: of the `CaffeMaxPooling2D`.
    """

    def __init__(self, pool_size, strides, margin=0, ceil: bool = True, **kwargs):
        super().__init__(**kwargs)
        self.pooling = CaffeMaxPooling2D(pool_size, strides, margin, ceil)
        pairs = zip(self.pooling.strides, self.pooling.pool_size, strict=True)
        if any(stride < side for stride, side in pairs):
            raise ValueError(
                "The places of maxima are known of windows that do not overlap only. Received: "
                f"{self.pooling.pool_size} every {self.pooling.strides}"
            )

    def call(self, inputs):
        """[batch, height, width, channels] to int32 [batch, rows, columns, channels].

        A place is row * width + column of the input, as in Caffe.
        """
        pooling = self.pooling
        padded, _ = pooling.padded(inputs, inputs.dtype.min)
        _, places = tf.nn.max_pool_with_argmax(
            padded, pooling.pool_size, pooling.strides, "VALID", output_dtype=tf.int64
        )
        channels = tf.cast(tf.shape(inputs)[-1], tf.int64)
        across = tf.cast(tf.shape(padded)[2], tf.int64)
        width = tf.cast(tf.shape(inputs)[2], tf.int64)
        places = places // channels
        row = places // across - pooling.margin[0]
        column = places % across - pooling.margin[1]
        return tf.cast(row * width + column, tf.int32)

    def compute_output_spec(self, inputs):
        """Whole numbers, of the pooling's shape."""
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), "int32")

    def compute_output_shape(self, input_shape):
        """The pooling's."""
        return self.pooling.compute_output_shape(input_shape)

    def get_config(self):
        """As __init__ takes it."""
        names = ("pool_size", "strides", "margin", "ceil")
        return super().get_config() | {name: getattr(self.pooling, name) for name in names}


@_registered
class Unpooling(keras.layers.Layer):
    """A map whose every value lies where a mask says, and zeros elsewhere.

    Args:
        scale: (rows, columns), by how much the map grows.
        less: rows and columns that are taken off again.
        size: (height, width) of the result in place of those two.
    """

    def __init__(self, scale=(2, 2), less=(0, 0), size=None, **kwargs):
        super().__init__(**kwargs)
        self.scale, self.less = tuple(scale), tuple(less)
        self.size = None if size is None else tuple(size)

    def call(self, inputs):
        """[map, mask], both [batch, height, width, channels], to a larger map."""
        x, mask = inputs
        shape = tf.shape(x)
        batch, channels = shape[0], shape[3]
        rows, columns = self._sides([shape[1], shape[2]])
        flat = [batch, shape[1] * shape[2], channels]
        one, _, last = tf.meshgrid(*map(tf.range, flat), indexing="ij")
        indices = tf.stack([one, tf.reshape(mask, flat), last], -1)
        spread = tf.scatter_nd(indices, tf.reshape(x, flat), [batch, rows * columns, channels])
        result = tf.reshape(spread, [batch, rows, columns, channels])
        return tf.ensure_shape(result, [None, *self.compute_output_shape([x.shape])[1:]])

    def _sides(self, sides) -> list:
        if self.size is not None:
            return list(self.size)
        settings = zip(sides, self.scale, self.less, strict=True)
        return [None if side is None else side * k - less for side, k, less in settings]

    def compute_output_shape(self, input_shape):
        """The map's, larger."""
        batch, *sides, channels = input_shape[0]
        return (batch, *self._sides(sides), channels)

    def get_config(self):
        """As __init__ takes it."""
        mine = {"scale": self.scale, "less": self.less, "size": self.size}
        return super().get_config() | mine
