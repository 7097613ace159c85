"""Features that do not tell the domains apart, by gradient reversal (Ganin & Lempitsky 2015).

A second head learns to tell from which domain a picture comes; on the way back its gradient
is turned around, so that the tail learns to leave it nothing to tell by.
"""

import keras
import numpy as np
import tensorflow as tf

from tfvis.art.anatomy import DOMAINS, MEAN

# Ganin et al. 2016, section 5.2.2 and their published code: steepness of the schedule, and
# units of the hidden layer.
_GAMMA, _HIDDEN = 10.0, 100
# Ganin & Lempitsky 2015, section 4: new layers learn ten times as fast as fine-tuned ones. A
# head that lags is fooled by features beyond where domains are alike, ever further.
_LEAD = 10.0


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


def adversarial(learner: keras.Model) -> keras.Model:
    """Returns a learner of two outputs, {"class", "domain"}, that shares its layers.

    Args:
        learner: as `anatomy.learner` makes it.

    Returns:
        A model to train; `domain` is the probability of the target domain.
    """
    mean = learner.get_layer(MEAN).output
    x = GradientReversal(name=f"{DOMAINS}_reversal", dtype="float32")(mean)
    # Averaged maps of other networks are of other sizes; the head sees them alike.
    x = keras.layers.LayerNormalization(name=f"{DOMAINS}_scale", dtype="float32")(x)
    x = keras.layers.ReLU(name=f"{DOMAINS}_rectified")(_quick(x, _HIDDEN, f"{DOMAINS}_hidden"))
    scores = _quick(x, 1, f"{DOMAINS}_scores")
    domain = keras.layers.Activation("sigmoid", name=DOMAINS, dtype="float32")(scores)
    return keras.Model(learner.input, {"class": learner.output, "domain": domain})


def _quick(x, units: int, name: str):
    """Returns a dense layer of x whose weights learn `_LEAD` times as fast as others.

    They are kept `_LEAD` times as small as they count: a step of Adam is of the same length for
    all weights, whatever their size.
    """
    small = keras.initializers.VarianceScaling(1 / _LEAD**2, "fan_avg", "uniform")
    dense = keras.layers.Dense(units, kernel_initializer=small, name=name, dtype="float32")
    return keras.layers.Rescaling(_LEAD, name=f"{name}_scaled", dtype="float32")(dense(x))


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
        layer = self.model.get_layer(f"{DOMAINS}_reversal")
        layer.strength.assign(schedule(self._done / self._steps))
        self._done += 1
