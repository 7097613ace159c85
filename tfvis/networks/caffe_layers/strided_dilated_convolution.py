"""A convolution with holes in its kernel that also leaves out places."""

import keras

from tfvis.networks.caffe_layers.convolution_and_shape import GroupedConv2D


@keras.saving.register_keras_serializable("tfvis")
class StridedDilatedConv2D(GroupedConv2D):
    """Strides and a dilation at once, which Keras refuses.

    Args:
        strides: (rows, columns).
        kwargs: as of Keras' Conv2D.
    """

    def __init__(self, *args, strides=(1, 1), **kwargs):
        super().__init__(*args, **kwargs)
        # Behind Keras' back; its own shapes are right for both, and so is `grouped`.
        self.strides = tuple(strides)
