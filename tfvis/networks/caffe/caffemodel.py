"""Reading .caffemodel and .binaryproto files: what Caffe wrote, in Caffe's own layout."""

import dataclasses
import math
import os
import pathlib

import numpy as np
from google.protobuf.message import DecodeError

from tfvis import files
from tfvis.errors import InputError
from tfvis.networks.caffe import protobuf_wire, schema, upgrade_proto

# protobuf's own limit for a message, and Caffe's for a file.
_MAX_BYTES = 2**31 - 1
# Blob's kMaxBlobAxes in Caffe's blob.hpp.
_MAX_AXES = 32
_LEGACY = ("num", "channels", "height", "width")
_HDF5 = b"\x89HDF\r\n\x1a\n"


@dataclasses.dataclass(frozen=True)
class Model:
    """A .caffemodel.

    Attributes:
        net: its layers as V2 messages, without blobs.
        blobs: layer -> its arrays, float32, read-only, in Caffe's layout and shape (those of
            old files have four axes: num, channels, height, width). They are views of the
            file's bytes, in memory once. Where several layers have the same name, the last
            that has blobs counts, as in Caffe, which copies one over the other.
    """

    net: schema.NetParameter
    blobs: dict[str, list[np.ndarray]]


def read_model(path: os.PathLike | str) -> Model:
    """Reads a .caffemodel, of V2, V1 or V0 layers.

    Args:
        path: the file.

    Returns:
        The model. Values kept for a training (`diff`) are left out.

    Raises:
        InputError: missing, cut off, damaged, without weights, or with a blob whose shape is
            not that of its numbers (layer, shape and count are named).
    """
    path = files.located(path)
    data = _bytes(path, "snapshot_format: BINARYPROTO")
    try:
        message = protobuf_wire.cut(data, "net")
        net = upgrade_proto.upgraded(_parsed(schema.NetParameter, message))
        blobs = {
            layer.name: [
                _array(blob, message, f"layer {layer.name}, blob {i}")
                for i, blob in enumerate(layer.blobs)
            ]
            for layer in net.layer
            if layer.blobs
        }
    except InputError as error:
        raise InputError(f"{path}: not a readable .caffemodel: {error}.") from error
    if not blobs:
        raise InputError(f"{path}: holds no layer with weights; is it a .caffemodel?")
    for layer in net.layer:
        layer.ClearField("blobs")
    return Model(net, blobs)


def read_mean(path: os.PathLike | str) -> np.ndarray:
    """Reads the mean image or mean pixel in a .binaryproto.

    Args:
        path: the file, one BlobProto, [1, channels, height, width] or without the 1, its
            channels in the order BGR, as Caffe's compute_image_mean writes them.

    Returns:
        float32 [height, width, channels], RGB; 0..255 where the net takes that.

    Raises:
        InputError: missing, cut off, damaged, not of one or three channels, or not finite.
    """
    path = files.located(path)
    data = _bytes(path, "caffe.io.array_to_blobproto")
    try:
        message = protobuf_wire.cut(data, "blob")
        array = _array(_parsed(schema.BlobProto, message), message, "the mean")
        if array.ndim not in (3, 4) or array.shape[-3] not in (1, 3) or array.shape[:-3] > (1,):
            raise InputError(f"of shape {array.shape}, not that of one image of 1 or 3 channels")
        if not np.isfinite(array).all():
            raise InputError("not all of its values are finite")
    except InputError as error:
        raise InputError(f"{path}: not a readable mean (.binaryproto): {error}.") from error
    planes = array.reshape(array.shape[-3:])[::-1]
    return np.ascontiguousarray(planes.transpose(1, 2, 0))


def _bytes(path: pathlib.Path, instead: str) -> np.ndarray:
    """Returns a file's bytes, read-only.

    Read, not mapped: a mapped file that someone cuts short ends the process.
    """
    files.check(path, str(path), _MAX_BYTES)
    try:
        data = np.fromfile(path, np.uint8)
    except (OSError, MemoryError) as error:
        reason = getattr(error, "strerror", None) or "larger than the memory"
        raise InputError(f"{path}: cannot be read ({reason}).") from error
    if data[: len(_HDF5)].tobytes() == _HDF5:
        raise InputError(f"{path}: HDF5, which is not read here; save it with {instead}.")
    data.flags.writeable = False
    return data


def _parsed(kind: type, message: protobuf_wire.Message):
    try:
        return kind.FromString(message.skeleton)
    except DecodeError as error:
        raise InputError("a message in it is damaged") from error


def _array(blob: schema.BlobProto, message: protobuf_wire.Message, where: str) -> np.ndarray:
    """Returns a blob's numbers in its shape; Blob::FromProto of Caffe's blob.cpp."""
    flat = message.numbers[int(blob.double_diff[0])]
    shape = tuple(blob.shape.dim)
    if any(blob.HasField(side) for side in _LEGACY):
        shape = tuple(getattr(blob, side) for side in _LEGACY)
    if len(shape) > _MAX_AXES:
        raise InputError(f"{where} has {len(shape):,} axes, Caffe at most {_MAX_AXES}")
    if min(shape, default=1) < 1 or math.prod(shape) != flat.size:
        raise InputError(f"{where} has the shape {shape}, but {flat.size:,} numbers")
    array = flat.reshape(shape)
    array.flags.writeable = False
    return array
