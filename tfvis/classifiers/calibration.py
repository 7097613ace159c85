"""Probabilities that are as high as they are right, and when to say that nothing is there.

Guo et al. 2017, "On Calibration of Modern Neural Networks": scores divided by one number,
chosen on pictures that were not learnt from. What a classifier answers stays, how sure it says
it is changes; one that learnt smoothed labels is too unsure as it is.

The negative class has a threshold: a picture is of none unless some class's score is above that of
`none` by so much. It is added to the score of `none`, so that whatever asks the classifier heeds
it.
"""

import keras
import numpy as np
import scipy.optimize
import scipy.special

from tfvis.classifiers.backbone import CLASSES

# Share of the pictures with an object, among those named right, that the threshold of the negative
# class may cost. What is unlike anything learnt lies nearer to the classes than the negative
# pictures of training do, so that the threshold goes as far as this price allows.
KEPT = 0.99
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
    scores = _scores(probabilities)

    def loss(logarithm):
        likely = scipy.special.log_softmax(scores / np.exp(logarithm), axis=-1)
        return -likely[np.arange(len(labels)), labels].mean()

    found = scipy.optimize.minimize_scalar(loss, bounds=np.log(_RANGE), method="bounded")
    return float(np.exp(found.x))


def negative_threshold(
    probabilities: np.ndarray, labels: np.ndarray, negative: int, kept: float = KEPT
) -> float:
    """Returns what to add to the score of the negative class; 0 where nothing tells.

    Args:
        probabilities: float [pictures, classes], of scores as they are.
        labels: int [pictures].
        negative: number of the negative class.
        kept: share of the pictures of other classes, named right among these, that must not
            become negative.
    """
    scores = _scores(probabilities)
    others = np.delete(scores, negative, 1)
    names = np.delete(np.arange(scores.shape[1]), negative)
    margins = (others.max(1) - scores[:, negative])[names[others.argmax(1)] == labels]
    if not len(margins) or not (np.asarray(labels) == negative).any():
        return 0.0
    # Rounded down to a picture: what is kept is at least the share.
    return float(np.quantile(margins, 1 - kept, method="lower"))


def shifted(probabilities: np.ndarray, negative: int, value: float) -> np.ndarray:
    """Returns what a learner that is `shift`ed says, from what it said before: float64, as given.

    Args:
        probabilities: float [pictures, classes].
        negative, value: as of `shift`.
    """
    scores = _scores(probabilities)
    scores[:, negative] += value
    return scipy.special.softmax(scores, axis=-1)


def shift(learner: keras.Model, negative: int, value: float) -> None:
    """Adds to a learner's score of the negative class, in its last layer."""
    layer = learner.get_layer(CLASSES)
    kernel, bias = layer.get_weights()
    bias[negative] += value
    layer.set_weights([kernel, bias])


def cool(learner: keras.Model, value: float) -> None:
    """Divides a learner's scores by a temperature, in its last layer."""
    layer = learner.get_layer(CLASSES)
    layer.set_weights([weights / np.float32(value) for weights in layer.get_weights()])


def _scores(probabilities: np.ndarray) -> np.ndarray:
    """Returns scores of these probabilities, float64, up to a constant of each picture."""
    return np.log(np.maximum(np.asarray(probabilities, np.float64), 1e-30))
