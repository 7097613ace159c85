"""Features that do not tell the domains apart, by gradient reversal (Ganin & Lempitsky 2015).

A second head learns to tell from which domain a picture comes; on the way back its gradient
is turned around, so that the tail learns to leave it nothing to tell by.
"""

import keras
import numpy as np
import tensorflow as tf

from tfvis.classifiers.backbone import DOMAINS, MEAN
from tfvis.classifiers.gradient_reversal import REVERSAL, GradientReversal

# Units of the hidden layer: Ganin et al. 2016, section 5.2.2 and their published code.
_HIDDEN = 100
# Ganin & Lempitsky 2015, section 4: new layers learn ten times as fast as fine-tuned ones. A
# head that lags is fooled by features beyond where domains are alike, ever further.
_LEAD = 10.0
# Under the root of a variance.
_EPSILON = 1e-3


@keras.saving.register_keras_serializable("tfvis")
class DomainClassifier(keras.layers.Layer):
    """Tells the target domain from the sources; two layers that learn fast.

    Takes features to learn from and features whose maker it is to teach, [batch, n] each, and
    returns the probability of the target domain for both, [batch, 2]. What comes of the second
    leaves its own weights alone.
    """

    def build(self, shapes):
        """Makes the weights, `_LEAD` times as small as they count.

        A step of Adam is of the same length for all weights, whatever their size.
        """
        small = keras.initializers.VarianceScaling(1 / _LEAD**2, "fan_avg", "uniform")
        for name, shape in (("hidden", (shapes[0][-1], _HIDDEN)), ("score", (_HIDDEN, 1))):
            kernel = self.add_weight(shape=shape, initializer=small, name=f"{name}_kernel")
            bias = self.add_weight(shape=shape[1:], initializer="zeros", name=f"{name}_bias")
            setattr(self, name, (kernel, bias))

    def call(self, inputs):
        """See the class."""
        hidden, score = self.hidden, self.score
        frozen = [tuple(map(tf.stop_gradient, pair)) for pair in (hidden, score)]
        found = [
            self._told(x, *weights)
            for x, weights in zip(inputs, ((hidden, score), frozen), strict=True)
        ]
        return tf.concat(found, -1)

    def _told(self, x, hidden, score):
        # Averaged maps of other networks are of other sizes; it sees them alike.
        mean, variance = tf.nn.moments(x, [-1], keepdims=True)
        x = (x - mean) * tf.math.rsqrt(variance + _EPSILON)
        x = tf.nn.relu(_LEAD * (x @ hidden[0] + hidden[1]))
        return tf.sigmoid(_LEAD * (x @ score[0] + score[1]))


@keras.saving.register_keras_serializable("tfvis")
class DomainLoss(keras.losses.Loss):
    """Has the domain classifier learn, and its teaching end where it cannot tell.

    A reversed loss has no end: features that are taken for the other domain's are driven on
    and on, and the classes go with them (VGG16, sketches of PACS: the domain loss rose to
    twice and five times that of chance, the accuracy fell from 56 to 20 and 24 %). So a picture
    teaches only until the domain classifier is as wrong about it as a coin. The value is the
    latter's own.
    """

    def call(self, y_true, y_pred):
        """[batch, 1] and [batch, 2], see `DomainClassifier`, to [batch]."""
        learning, teaching = (
            keras.losses.binary_crossentropy(y_true, y_pred[:, k : k + 1]) for k in (0, 1)
        )
        teaching = tf.minimum(teaching, np.float32(np.log(2)))
        return learning + teaching - tf.stop_gradient(teaching)


def adversarial(learner: keras.Model) -> keras.Model:
    """Returns a learner of two outputs, {"class", "domain"}, that shares its layers.

    Args:
        learner: as `backbone.learner` makes it.

    Returns:
        A model to train; `domain` is as `DomainClassifier` returns it and `DomainLoss` takes it.
    """
    mean = learner.get_layer(MEAN).output
    turned = GradientReversal(name=REVERSAL, dtype="float32")(mean)
    domain = DomainClassifier(name=DOMAINS, dtype="float32")(
        [keras.ops.stop_gradient(mean), turned]
    )
    return keras.Model(learner.input, {"class": learner.output, "domain": domain})
