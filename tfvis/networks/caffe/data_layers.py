"""What a network of a training is shown: sizes and preprocessing, by its data layers.

A train_val.prototxt has no `input:`; its pictures come from a database. As far as the layer that
reads it says how large they are, it stands for an input.
"""

import dataclasses

# The message with a layer's own settings, by type.
_SETTINGS = {
    "Data": "data_param",
    "AnnotatedData": "data_param",
    "ImageData": "image_data_param",
    "WindowData": "window_data_param",
    "MemoryData": "memory_data_param",
    "DummyData": "dummy_data_param",
    "HDF5Data": "",
}


@dataclasses.dataclass(frozen=True)
class Shown:
    """What a data layer makes of a picture, (x - mean) * scale, in blue, green, red.

    Attributes:
        mean: in red, green, blue, or of grey; empty where nothing is subtracted.
        mean_file: of an image to subtract instead, as the file names it; "" for none.
        scale: multiplied afterwards.
    """

    mean: tuple[float, ...]
    mean_file: str
    scale: float


def is_data(layer) -> bool:
    """Tells whether a layer reads what a network is shown."""
    return layer.type in _SETTINGS


def sizes(layer) -> list[tuple[int, ...]]:
    """Returns what a data layer says of its tops' sizes, as an Input's; () where it does not."""
    own = _own(layer)
    if layer.type == "DummyData":
        return _dummies(own, len(layer.top))
    if layer.type == "MemoryData":
        side, channels = (own.height, own.width), own.channels
    else:
        side, channels = _side(layer, own), 3
        colored = getattr(own, "is_color", True) or layer.transform_param.force_color
        if not colored or layer.transform_param.force_gray:
            channels = 1
    known = channels and all(side)
    # The first is of pictures, the second of labels.
    return [(1, channels, *side) if known and k == 0 else () for k in range(len(layer.top))]


def shown(layer) -> Shown:
    """Returns the preprocessing of a data layer."""
    values, own = layer.transform_param, _own(layer)
    old = own if own is not None and hasattr(own, "mean_file") else values
    scale = values.scale if values.HasField("scale") or old is values else old.scale
    return Shown(tuple(values.mean_value)[::-1], values.mean_file or old.mean_file, float(scale))


def _own(layer):
    name = _SETTINGS[layer.type]
    return getattr(layer, name) if name else None


def _side(layer, own) -> tuple[int, int]:
    """Returns (height, width) of what a network gets; of two settings, that which comes last."""
    values = layer.transform_param
    found = (
        (values.crop_size, values.crop_size),
        (values.crop_h, values.crop_w),
        (getattr(own, "crop_size", 0),) * 2,
        (values.resize_param.height, values.resize_param.width),
        (getattr(own, "new_height", 0), getattr(own, "new_width", 0)),
    )
    return next((side for side in found if all(side)), (0, 0))


def _dummies(own, tops: int) -> list[tuple[int, ...]]:
    if own.shape:
        shapes = [tuple(shape.dim) for shape in own.shape]
    else:
        shapes = [(1, *sides) for sides in zip(own.channels, own.height, own.width, strict=False)]
    return [shapes[min(k, len(shapes) - 1)] if shapes else () for k in range(tops)]
