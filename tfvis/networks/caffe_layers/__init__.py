"""Keras layers that compute what Caffe's do where Keras has none.

All are imported together: a .keras file may name any of them, and finds those that are registered.
"""

from tfvis.networks.caffe_layers import (
    activations,
    convolution_and_shape,
    crop_and_interp,
    deconvolution,
    lrn,
    mvn_and_normalize,
    pooling,
    scale,
    strided_dilated_convolution,
    unpooling,
)

__all__ = [
    "activations", "convolution_and_shape", "crop_and_interp", "deconvolution", "lrn",
    "mvn_and_normalize", "pooling", "scale", "strided_dilated_convolution", "unpooling",
]  # fmt: skip
