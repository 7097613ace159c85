"""Probabilities that are as high as they are right: one temperature for all scores.

Guo et al. 2017, "On Calibration of Modern Neural Networks": scores divided by one number,
chosen on pictures that were not learnt from. What a classifier answers stays, how sure it says
it is changes; one that learnt smoothed labels is too unsure as it is.
"""

import keras
import numpy as np
import scipy.optimize
import scipy.special

from tfvis.classifiers.backbone import CLASSES

# Beyond these, pictures are too few or all right, and the best temperature is 0 or infinite.
_RANGE = 0.2, 5.0


def temperature(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Returns what to divide scores by so that the labels are likeliest; 1 without labels.

    Args:
        probabilities: float [pictures, classes], of scores as they are.
        labels: int [pictures].
    """
    if not len(labels):
        return 1.0
    scores = np.log(np.maximum(np.asarray(probabilities, np.float64), 1e-30))

    def loss(logarithm):
        likely = scipy.special.log_softmax(scores / np.exp(logarithm), axis=-1)
        return -likely[np.arange(len(labels)), labels].mean()

    found = scipy.optimize.minimize_scalar(loss, bounds=np.log(_RANGE), method="bounded")
    return float(np.exp(found.x))


def cool(learner: keras.Model, value: float) -> None:
    """Divides a learner's scores by a temperature, in its last layer."""
    layer = learner.get_layer(CLASSES)
    layer.set_weights([weights / np.float32(value) for weights in layer.get_weights()])
