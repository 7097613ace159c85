"""Caffe's nonlinearities that Keras has no layer for."""

import keras
import tensorflow as tf

_registered = keras.saving.register_keras_serializable("tfvis")


@_registered
class SlopedReLU(keras.layers.Layer):
    """x where it is positive, slope * x elsewhere; of any slope, also below 0 (|x| has -1).

    Args:
        slope: Caffe's `negative_slope`.
    """

    def __init__(self, slope: float, **kwargs):
        super().__init__(**kwargs)
        self.slope = slope

    def call(self, inputs):
        """[...] to the same."""
        return tf.nn.relu(inputs) - self.slope * tf.nn.relu(-inputs)

    def compute_output_shape(self, input_shape):
        """The input's."""
        return input_shape

    def get_config(self):
        """As __init__ takes it."""
        return super().get_config() | {"slope": self.slope}


@_registered
class Swish(keras.layers.Layer):
    """x / (1 + exp(-beta * x)).

    Args:
        beta: Caffe's.
    """

    def __init__(self, beta: float = 1.0, **kwargs):
        super().__init__(**kwargs)
        self.beta = beta

    def call(self, inputs):
        """[...] to the same."""
        return inputs * tf.sigmoid(self.beta * inputs)

    def compute_output_shape(self, input_shape):
        """The input's."""
        return input_shape

    def get_config(self):
        """As __init__ takes it."""
        return super().get_config() | {"beta": self.beta}
