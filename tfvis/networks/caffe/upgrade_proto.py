"""Older generations of Caffe's layers as today's, by the rules of Caffe's upgrade_proto.cpp."""

from google.protobuf.unknown_fields import UnknownFieldSet

from tfvis.errors import InputError
from tfvis.networks.caffe import schema

# fmt: off
_V1_TYPES = {
    "NONE": "", "ABSVAL": "AbsVal", "ACCURACY": "Accuracy", "ARGMAX": "ArgMax", "BNLL": "BNLL",
    "CONCAT": "Concat", "CONTRASTIVE_LOSS": "ContrastiveLoss", "CONVOLUTION": "Convolution",
    "DATA": "Data", "DECONVOLUTION": "Deconvolution", "DROPOUT": "Dropout",
    "DUMMY_DATA": "DummyData", "ELTWISE": "Eltwise", "EUCLIDEAN_LOSS": "EuclideanLoss",
    "EXP": "Exp", "FLATTEN": "Flatten", "HDF5_DATA": "HDF5Data", "HDF5_OUTPUT": "HDF5Output",
    "HINGE_LOSS": "HingeLoss", "IM2COL": "Im2col", "IMAGE_DATA": "ImageData",
    "INFOGAIN_LOSS": "InfogainLoss", "INNER_PRODUCT": "InnerProduct", "LRN": "LRN",
    "MEMORY_DATA": "MemoryData", "MULTINOMIAL_LOGISTIC_LOSS": "MultinomialLogisticLoss",
    "MVN": "MVN", "POOLING": "Pooling", "POWER": "Power", "RELU": "ReLU", "SIGMOID": "Sigmoid",
    "SIGMOID_CROSS_ENTROPY_LOSS": "SigmoidCrossEntropyLoss", "SILENCE": "Silence",
    "SLICE": "Slice", "SOFTMAX": "Softmax", "SOFTMAX_LOSS": "SoftmaxWithLoss",
    "SPLIT": "Split", "TANH": "TanH", "THRESHOLD": "Threshold", "WINDOW_DATA": "WindowData",
}
_V0_TYPES = {name.lower(): name for name in (
    "ACCURACY", "BNLL", "CONCAT", "DATA", "DROPOUT", "EUCLIDEAN_LOSS", "FLATTEN", "HDF5_DATA",
    "HDF5_OUTPUT", "IM2COL", "INFOGAIN_LOSS", "LRN", "MULTINOMIAL_LOGISTIC_LOSS", "RELU",
    "SIGMOID", "SOFTMAX", "SOFTMAX_LOSS", "SPLIT", "TANH", "WINDOW_DATA",
)} | {
    "conv": "CONVOLUTION", "images": "IMAGE_DATA", "innerproduct": "INNER_PRODUCT",
    "pool": "POOLING",
}
# V0 kept the settings of all layers side by side: type -> where its own went.
_V0_SETTINGS = {
    "concat": ("concat_param", {"concat_dim": "concat_dim"}),
    "conv": ("convolution_param", {
        "num_output": "num_output", "biasterm": "bias_term", "pad": "pad",
        "kernelsize": "kernel_size", "group": "group", "stride": "stride",
    }),
    "data": ("data_param", {"scale": "scale", "meanfile": "mean_file", "cropsize": "crop_size"}),
    "dropout": ("dropout_param", {"dropout_ratio": "dropout_ratio"}),
    "innerproduct": ("inner_product_param", {"num_output": "num_output", "biasterm": "bias_term"}),
    "lrn": ("lrn_param", {"local_size": "local_size", "alpha": "alpha", "beta": "beta", "k": "k"}),
    "pool": ("pooling_param", {
        "pool": "pool", "pad": "pad", "kernelsize": "kernel_size", "stride": "stride",
    }),
}
# fmt: on


def upgraded(net: schema.NetParameter) -> schema.NetParameter:
    """Returns a network with all its layers in `layer` (V2), and its inputs as a layer.

    Args:
        net: of V2, V1 or V0 layers; left as it is. Layers of types that are not known keep
            their names, for whoever has to say that they cannot be used.

    Raises:
        InputError: V2 beside older layers; a V0 "padding" that is followed by anything but a
            convolution or a pooling; inputs whose sizes are missing or too many; names that
            are not UTF-8.
    """
    if net.layer and net.layers:
        raise InputError("has both `layer` and `layers`, of which Caffe reads only one")
    result = schema.NetParameter()
    result.CopyFrom(net)
    try:
        for layer in _unpadded(result.layers):
            _upgrade(layer, result.layer.add())
        result.ClearField("layers")
        _upgrade_inputs(result)
    except UnicodeDecodeError as error:
        raise InputError("a name in it is not UTF-8") from error
    # What is not UTF-8 comes out of protobuf as bytes, and goes into it as an error.
    texts = [result.name]
    for layer in result.layer:
        texts += [layer.name, layer.type, *layer.bottom, *layer.top]
    if not all(isinstance(text, str) for text in texts):
        raise InputError("a name in it is not UTF-8")
    return result


def _unpadded(layers) -> list[schema.V1LayerParameter]:
    """Returns the layers without V0's "padding", whose pad goes to the layers after it."""
    kept, makers = [], {}
    for layer in layers:
        if layer.layer.type != "padding":
            kept.append(layer)
        for i, bottom in enumerate(layer.bottom):
            maker = makers.get(bottom)
            if maker is None or maker.layer.type != "padding":
                continue
            if layer.layer.type not in ("conv", "pool") or len(layer.bottom) > 1:
                raise InputError(
                    f"padding {maker.layer.name} is followed by {layer.layer.name or layer.name}, "
                    "which is neither a convolution nor a pooling of it alone"
                )
            if len(maker.bottom) != 1 or len(maker.top) != 1:
                raise InputError(f"padding {maker.layer.name} has not one input and one output")
            layer.layer.pad = maker.layer.pad
            layer.bottom[i] = maker.bottom[0]
        makers.update(dict.fromkeys(layer.top, layer))
    return kept


def _upgrade(old: schema.V1LayerParameter, new: schema.LayerParameter) -> None:
    """Writes a V1 layer, or the V0 layer within one, into a V2 layer."""
    for field, value in old.ListFields():
        if field.name == "name":
            new.name = value
        elif field.name == "param":
            for shared in value:
                new.param.add(name=shared)
        elif field.is_repeated:
            getattr(new, field.name).extend(value)
        elif field.name not in ("type", "layer"):
            getattr(new, field.name).CopyFrom(value)
    if old.HasField("type"):
        new.type = _V1_TYPES[schema.word(old, "type")]
    else:
        # protobuf sets a value aside that the enumeration lacks.
        new.type = "".join(f"V1 {u.data}" for u in UnknownFieldSet(old) if u.field_number == 5)
    if old.HasField("layer"):
        _upgrade_v0(old.layer, new)


def _upgrade_v0(old: schema.V0LayerParameter, new: schema.LayerParameter) -> None:
    new.type = _V1_TYPES[_V0_TYPES[old.type]] if old.type in _V0_TYPES else old.type
    if old.HasField("name"):
        new.name = old.name
    new.blobs.extend(old.blobs)
    message, settings = _V0_SETTINGS.get(old.type, ("", {}))
    for source, target in settings.items():
        if not old.HasField(source):
            continue
        values = getattr(new, message)
        if values.DESCRIPTOR.fields_by_name[target].is_repeated:
            getattr(values, target).append(getattr(old, source))
        else:
            setattr(values, target, getattr(old, source))


def _upgrade_inputs(net: schema.NetParameter) -> None:
    """Turns the inputs at a net's top into a layer of type Input, before all others.

    Inputs without any size, as in weights that old versions of Caffe saved, are dropped.
    """
    inputs, dims, shapes = list(net.input), list(net.input_dim), list(net.input_shape)
    for field in ("input", "input_dim", "input_shape"):
        net.ClearField(field)
    if not inputs or not (dims or shapes):
        return
    if dims and shapes:
        raise InputError("gives both input_dim and input_shape; one of them is enough")
    if shapes and len(shapes) != len(inputs):
        raise InputError(f"has {len(inputs)} inputs, but {len(shapes)} input_shape")
    if dims and len(dims) != 4 * len(inputs):
        raise InputError(f"has {len(dims)} input_dim, where 4 for each of {len(inputs)} belong")
    others = list(net.layer)
    layer = schema.LayerParameter(name="input", type="Input", top=inputs)
    for i in range(len(inputs)):
        shape = shapes[i].dim if shapes else dims[4 * i : 4 * i + 4]
        layer.input_param.shape.add().dim.extend(shape)
    net.ClearField("layer")
    net.layer.append(layer)
    net.layer.extend(others)
