"""Caffe's normalizations of activations, in Keras: one small function per type of layer."""

import keras

from tfvis.networks.caffe.schema import word
from tfvis.networks.caffe.to_keras import scale
from tfvis.networks.caffe.to_keras.layer_spec import (
    Misfit,
    Spot,
    axis_of,
    channels_of,
    map_of,
    refuse_training,
)
from tfvis.networks.caffe_layers.mvn_and_normalize import PictureNormalization, UnitNorm


def batch_norm(spot: Spot) -> list:
    """A BatchNormalization; of the picture at hand where the file does not use what was learnt."""
    given = spot.layer.batch_norm_param
    refuse_training(spot)
    if given.HasField("use_global_stats") and not given.use_global_stats:
        if given.scale_bias:
            raise Misfit("has both use_global_stats: false and scale_bias, not supported together")
        return [PictureNormalization(given.eps, name=spot.name)(map_of(spot))]
    return [_learnt(spot, given.eps, given.scale_bias)(spot.input)]


def _learnt(spot: Spot, epsilon: float, affine: bool) -> keras.layers.BatchNormalization:
    """Returns the normalization of each channel by what was learnt."""
    channels_of(spot.input)
    axis = axis_of(spot.input, 1)
    # -1, as Keras' own files have it.
    axis = -1 if axis == len(spot.input.shape) - 1 else axis
    return keras.layers.BatchNormalization(
        axis=axis, epsilon=epsilon, center=affine, scale=affine, name=spot.name
    )


def segnet(spot: Spot) -> list:
    """BN: SegNet's, a factor and a summand once it is folded, or PSPNet's, with statistics."""
    given = spot.layer.bn_param
    refuse_training(spot)
    if any(map(given.HasField, ("slope_filler", "bias_filler", "momentum", "eps", "frozen"))):
        layer = _learnt(spot, given.eps, True)
        # Its blobs are in the order of Keras: factor, summand, mean, variance.
        layer.caffe_plain = True
        return [layer(spot.input)]
    if word(given, "bn_mode") != "INFERENCE":
        raise Misfit(
            "normalizes by the batch at hand (bn_mode: LEARN); fold it, as SegNet's "
            "compute_bn_statistics.py does, to bn_mode: INFERENCE"
        )
    return [scale.affine(spot, scale.covered(spot, 1, 1), True)]


def mvn(spot: Spot) -> list:
    """Each picture less its mean, over its deviation."""
    given = spot.layer.mvn_param
    layer = PictureNormalization(
        given.eps, given.normalize_variance, given.across_channels, outside=True, name=spot.name
    )
    return [layer(map_of(spot))]


def unit_norm(spot: Spot) -> list:
    """SSD's Normalize."""
    given = spot.layer.norm_param
    filler = given.scale_filler
    if not given.channel_shared:
        channels_of(map_of(spot))
    constant = given.HasField("scale_filler") and filler.type == "constant"
    layer = UnitNorm(
        given.eps,
        given.across_spatial,
        given.channel_shared,
        filler.value if constant else 1.0,
        name=spot.name,
    )
    return [layer(map_of(spot))]
