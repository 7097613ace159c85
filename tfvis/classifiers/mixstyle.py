"""Pictures that lend each other their style while they are learnt from (MixStyle).

Zhou et al. 2021, "Domain generalization with MixStyle": mean and deviation of a channel over a
low or middle map say in what manner something is drawn rather than what. Mixed between the
pictures of a batch, they make manners that no picture has, for the tail to see through.
"""

import keras
from keras import ops

# Zhou et al. 2021, section 3: in half of the steps, Beta(0.1, 0.1), mostly near one or other.
_SHARE, _ALPHA = 0.5, 0.1
# Under the root; as there.
_EPSILON = 1e-6


@keras.saving.register_keras_serializable("tfvis")
class MixStyle(keras.layers.Layer):
    """Mixes mean and deviation of each channel with those of another picture of the batch.

    Takes and returns [batch, height, width, channels]; outside of training, passes it on. The
    statistics carry no gradient.

    Args:
        seed: of which pictures are paired, and how far they are mixed.
        **kwargs: of a layer.
    """

    def __init__(self, seed: int = 0, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, x, training=False):
        """Returns x, mixed while training."""
        if not training:
            return x
        mean = ops.stop_gradient(ops.mean(x, (1, 2), keepdims=True))
        deviation = ops.stop_gradient(ops.sqrt(ops.var(x, (1, 2), keepdims=True) + _EPSILON))
        draw, count = self.seed_generator, ops.shape(x)[0]
        order = keras.random.shuffle(ops.arange(count), seed=draw)
        share = keras.random.beta((count, 1, 1, 1), _ALPHA, _ALPHA, dtype="float32", seed=draw)
        # A share of 1 leaves everything as it is.
        on = keras.random.uniform((), dtype="float32", seed=draw) < _SHARE
        share = ops.cast(ops.where(on, share, 1.0), x.dtype)

        def mixed(statistic):
            return share * statistic + (1 - share) * ops.take(statistic, order, 0)

        return (x - mean) / deviation * mixed(deviation) + mixed(mean)

    def compute_output_shape(self, shape):
        """Returns the shape of the input."""
        return shape

    def get_config(self):
        """Returns what the layer is made of."""
        return {**super().get_config(), "seed": self.seed}
