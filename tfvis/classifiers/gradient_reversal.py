"""The gradient reversal layer (Ganin & Lempitsky 2015), and how its strength grows."""

import keras
import numpy as np
import tensorflow as tf

from tfvis.classifiers.backbone import DOMAINS

REVERSAL = f"{DOMAINS}_reversal"
# Steepness of the schedule: Ganin et al. 2016, section 5.2.2 and their published code.
_GAMMA = 10.0


def schedule(progress: float) -> float:
    """Returns the strength at a share of the training: 2 / (1 + exp(-10 p)) - 1.

    Args:
        progress: 0..1.
    """
    return float(2 / (1 + np.exp(-_GAMMA * progress)) - 1)


@keras.saving.register_keras_serializable("tfvis")
class GradientReversal(keras.layers.Layer):
    """Passes its input on, and its gradient back times minus `strength`."""

    def build(self, shape):
        """Makes the strength, a variable, so that changing it needs no new trace."""
        del shape
        self.strength = self.add_weight(
            shape=(), initializer="zeros", trainable=False, name="strength"
        )

    def call(self, x):
        """Returns x."""
        # Read here: within the gradient it would count as one of its variables.
        strength = tf.cast(tf.convert_to_tensor(self.strength), x.dtype)

        @tf.custom_gradient
        def reversed_(inputs, factor):
            return tf.identity(inputs), lambda upstream: (-factor * upstream, None)

        return reversed_(x, strength)


class Schedule(keras.callbacks.Callback):
    """Raises the strength of the reversal as the training goes on.

    Args:
        steps: of the whole training.
        done: of them, in an earlier process.
    """

    def __init__(self, steps: int, done: int = 0):
        super().__init__()
        self._steps, self._done = steps, done

    def on_train_batch_begin(self, batch, logs=None):
        """Sets the strength for the step."""
        layer = self.model.get_layer(REVERSAL)
        layer.strength.assign(schedule(self._done / self._steps))
        self._done += 1
