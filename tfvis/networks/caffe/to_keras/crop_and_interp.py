"""Caffe's Crop, Interp and Upsample, in Keras: one small function per type of layer."""

import keras

from tfvis.networks.caffe.to_keras.layer_spec import (
    LARGEST,
    Misfit,
    NeedsSize,
    Spot,
    axis_of,
    map_of,
)
from tfvis.networks.caffe_layers import crop_and_interp, unpooling


def crop(spot: Spot) -> list:
    """The part of the first bottom that is as large as the second."""
    given = spot.layer.crop_param
    if len(spot.inputs) != 2 or len({len(x.shape) for x in spot.inputs}) > 1:
        raise Misfit("expects two bottoms with as many axes")
    x, rank = spot.inputs[0], len(spot.inputs[0].shape)
    first = given.axis + rank if given.axis < 0 else given.axis
    if not 1 <= first < rank:
        raise Misfit(f"crops from axis {given.axis} on, which is not supported")
    offsets = list(given.offset) or [0]
    if len(offsets) not in (1, rank - first) or max(offsets) > LARGEST:
        raise Misfit(f"has the offsets {offsets} for {rank - first} axes")
    offsets *= 1 if len(offsets) > 1 else rank - first
    places = [axis_of(x, axis) for axis in range(first, rank)]
    layer = crop_and_interp.CropLike(dict(zip(places, offsets, strict=True)), name=spot.name)
    return [layer(spot.inputs)]


def interp(spot: Spot) -> list:
    """Bilinear, corner on corner; the settings count in the order of interp_layer.cpp."""
    given = spot.layer.interp_param
    trim = (-given.pad_beg, -given.pad_end)
    if min(trim) < 0 or max(trim) > LARGEST:
        raise Misfit(f"has a pad of {given.pad_beg} and {given.pad_end}, which is not supported")
    shrink, zoom, size = given.shrink_factor, given.zoom_factor, (given.height, given.width)
    factors = [given.HasField(name) for name in ("shrink_factor", "zoom_factor")]
    sized = given.HasField("height") and given.HasField("width")
    if not 1 <= min(shrink, zoom) <= max(shrink, zoom) <= LARGEST:
        raise Misfit(f"has a shrink_factor of {shrink} and a zoom_factor of {zoom}")
    if any(factors) and not (all(factors) and sized):
        return [crop_and_interp.CaffeInterp(shrink, zoom, None, trim, name=spot.name)(map_of(spot))]
    if sized:
        if not 1 <= min(size) <= max(size) <= LARGEST:
            raise Misfit(f"resizes to {size}, at most {LARGEST} is supported")
        if None in map_of(spot).shape[1:]:
            raise NeedsSize  # The size is that of one size of picture.
        return [crop_and_interp.CaffeInterp(size=size, trim=trim, name=spot.name)(spot.input)]
    if len(spot.inputs) != 2 or any(len(x.shape) != 4 for x in spot.inputs):
        raise Misfit("says no size to resize to")
    return [crop_and_interp.InterpLike(trim, name=spot.name)(spot.inputs)]


def upsample(spot: Spot) -> list:
    """SegNet's, by the mask of a pooling; of one bottom, YOLO's, which repeats its pixels."""
    given = spot.layer.upsample_param
    both = given.HasField("scale_h") and given.HasField("scale_w")
    scale = (given.scale_h, given.scale_w) if both else (given.scale, given.scale)
    if not 1 <= min(scale) <= max(scale) <= LARGEST:
        raise Misfit(f"has a scale of {scale}")
    if len(spot.inputs) == 1:
        if given.HasField("upsample_h") or given.HasField("upsample_w"):
            raise Misfit("has a size, but no mask of a pooling as its second bottom")
        return [keras.layers.UpSampling2D(scale, name=spot.name)(map_of(spot))]
    if len(spot.inputs) != 2 or spot.inputs[1].dtype != "int32":
        raise Misfit("expects a map and the mask of a pooling")
    x, mask = spot.inputs
    if tuple(x.shape) != tuple(mask.shape):
        raise Misfit("has a map and a mask of different shapes")
    size = (given.upsample_h, given.upsample_w)
    if not given.HasField("upsample_h") or not given.HasField("upsample_w"):
        less = (int(given.pad_out_h), int(given.pad_out_w))
        return [unpooling.Unpooling(scale, less, name=spot.name)([x, mask])]
    if max(size) > LARGEST:
        raise Misfit(f"has a size of {size}, at most {LARGEST} is supported")
    if None in x.shape[1:]:
        raise NeedsSize
    return [unpooling.Unpooling(size=size, name=spot.name)([x, mask])]
