"""Caffe layers as lines of a table, and a table as a network.

A named network is a list of these; the numbers in it are read off the table of its paper.
"""

from tfvis.networks.caffe import schema

# Caffe's own nets overwrite the input of these layers.
_IN_PLACE = ("ReLU", "Dropout")


def conv(
    name: str, outputs: int, kernel: int, *, stride: int = 1, pad: int = 0, group: int = 1
) -> schema.LayerParameter:
    """Returns a convolution of `outputs` square kernels.

    Args:
        name: of the layer.
        outputs: channels it puts out.
        kernel: side of a kernel, in pixels of its input.
        stride: pixels between neighbouring windows.
        pad: zeros on each of the four sides.
        group: groups of channels that do not see each other.
    """
    layer = _layer(name, "Convolution")
    layer.convolution_param.num_output = outputs
    layer.convolution_param.kernel_size.append(kernel)
    layer.convolution_param.stride.append(stride)
    layer.convolution_param.pad.append(pad)
    layer.convolution_param.group = group
    return layer


def relu(name: str) -> schema.LayerParameter:
    """Returns max(x, 0), in place."""
    return _layer(name, "ReLU")


def lrn(name: str, *, size: int = 5, alpha: float, beta: float = 0.75, k: float = 1.0):
    """Returns x / (k + alpha / size * sum of squares of `size` neighbouring channels)^beta."""
    layer = _layer(name, "LRN")
    values = layer.lrn_param
    values.local_size, values.alpha, values.beta, values.k = size, alpha, beta, k
    return layer


def pool(name: str, kernel: int, stride: int, *, average: bool = False) -> schema.LayerParameter:
    """Returns a pooling of square windows; a last window may overhang the map, as in Caffe."""
    layer = _layer(name, "Pooling")
    values = layer.pooling_param
    values.kernel_size, values.stride = kernel, stride
    numbers = values.DESCRIPTOR.fields_by_name["pool"].enum_type.values_by_name
    values.pool = numbers["AVE" if average else "MAX"].number
    return layer


def dense(name: str, outputs: int) -> schema.LayerParameter:
    """Returns an inner product of all its input with `outputs` vectors."""
    layer = _layer(name, "InnerProduct")
    layer.inner_product_param.num_output = outputs
    return layer


def dropout(name: str, ratio: float = 0.5) -> schema.LayerParameter:
    """Returns a dropout, in place; it does nothing but in a training."""
    layer = _layer(name, "Dropout")
    layer.dropout_param.dropout_ratio = ratio
    return layer


def softmax(name: str) -> schema.LayerParameter:
    """Returns the softmax over channels."""
    return _layer(name, "Softmax")


def sigmoid(name: str) -> schema.LayerParameter:
    """Returns 1 / (1 + exp(-x))."""
    return _layer(name, "Sigmoid")


def chain(
    name: str, size: int, channels: int, *layers: schema.LayerParameter
) -> schema.NetParameter:
    """Returns the network that runs the layers one after the other.

    Args:
        name: of the network.
        size: side of its square input, in pixels.
        channels: of its input, called "data".
        layers: in order; each takes what the one before it puts out.
    """
    net = schema.NetParameter(name=name)
    data = _layer("data", "Input")
    data.top.append("data")
    data.input_param.shape.add().dim.extend((1, channels, size, size))
    net.layer.append(data)
    top = "data"
    for layer in layers:
        placed = net.layer.add()
        placed.CopyFrom(layer)
        placed.bottom.append(top)
        top = top if layer.type in _IN_PLACE else layer.name
        placed.top.append(top)
    return net


def _layer(name: str, kind: str) -> schema.LayerParameter:
    return schema.LayerParameter(name=name, type=kind)
