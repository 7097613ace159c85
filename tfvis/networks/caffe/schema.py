"""Caffe's messages, as far as a network to be looked into needs them.

The numbers, names and defaults of BVLC/caffe's caffe.proto, without what only training and
data layers use; what is not here is passed over in a binary file and in a text file alike.
Three generations of layers: `layer` (V2), `layers` (V1) and, within a V1 layer, `layer` (V0).
"""

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_PACKAGE = "tfvis.caffe"

# fmt: off
_ENUMS = {
    "Phase": "TRAIN TEST",
    "PoolMethod": "MAX AVE STOCHASTIC",
    "RoundMode": "CEIL FLOOR",
    "NormRegion": "ACROSS_CHANNELS WITHIN_CHANNEL",
    "EltwiseOp": "PROD SUM MAX",
    "V1Type": (
        "NONE ACCURACY BNLL CONCAT CONVOLUTION DATA DROPOUT EUCLIDEAN_LOSS FLATTEN HDF5_DATA "
        "HDF5_OUTPUT IM2COL IMAGE_DATA INFOGAIN_LOSS INNER_PRODUCT LRN "
        "MULTINOMIAL_LOGISTIC_LOSS POOLING RELU SIGMOID SOFTMAX SOFTMAX_LOSS SPLIT TANH "
        "WINDOW_DATA ELTWISE POWER SIGMOID_CROSS_ENTROPY_LOSS HINGE_LOSS MEMORY_DATA ARGMAX "
        "THRESHOLD DUMMY_DATA SLICE MVN ABSVAL SILENCE CONTRASTIVE_LOSS EXP DECONVOLUTION"
    ),
}
# fmt: on

# A field a line: name, number, type; "*" repeated, "+" repeated and packed; "=" a default.
_MESSAGES = {
    "BlobShape": "dim 1 +int64",
    "BlobProto": """
        num 1 int32
        channels 2 int32
        height 3 int32
        width 4 int32
        data 5 +float
        diff 6 +float
        shape 7 BlobShape
        double_data 8 +double
        double_diff 9 +double
    """,
    "NetState": "phase 1 Phase =TEST\nlevel 2 int32 =0\nstage 3 *string",
    "NetStateRule": """
        phase 1 Phase
        min_level 2 int32
        max_level 3 int32
        stage 4 *string
        not_stage 5 *string
    """,
    "NetParameter": """
        name 1 string
        layers 2 *V1LayerParameter
        input 3 *string
        input_dim 4 *int32
        force_backward 5 bool
        state 6 NetState
        input_shape 8 *BlobShape
        layer 100 *LayerParameter
    """,
    "LayerParameter": """
        name 1 string
        type 2 string
        bottom 3 *string
        top 4 *string
        blobs 7 *BlobProto
        include 8 *NetStateRule
        exclude 9 *NetStateRule
        phase 10 Phase
        concat_param 104 ConcatParameter
        convolution_param 106 ConvolutionParameter
        dropout_param 108 DropoutParameter
        eltwise_param 110 EltwiseParameter
        inner_product_param 117 InnerProductParameter
        lrn_param 118 LRNParameter
        pooling_param 121 PoolingParameter
        power_param 122 PowerParameter
        relu_param 123 ReLUParameter
        softmax_param 125 SoftmaxParameter
        slice_param 126 SliceParameter
        prelu_param 131 PReLUParameter
        reshape_param 133 ReshapeParameter
        flatten_param 135 FlattenParameter
        batch_norm_param 139 BatchNormParameter
        scale_param 142 ScaleParameter
        input_param 143 InputParameter
    """,
    "V1LayerParameter": """
        layer 1 V0LayerParameter
        bottom 2 *string
        top 3 *string
        name 4 string
        type 5 V1Type
        blobs 6 *BlobProto
        concat_param 9 ConcatParameter
        convolution_param 10 ConvolutionParameter
        dropout_param 12 DropoutParameter
        inner_product_param 17 InnerProductParameter
        lrn_param 18 LRNParameter
        pooling_param 19 PoolingParameter
        power_param 21 PowerParameter
        eltwise_param 24 EltwiseParameter
        relu_param 30 ReLUParameter
        slice_param 31 SliceParameter
        include 32 *NetStateRule
        exclude 33 *NetStateRule
        softmax_param 39 SoftmaxParameter
    """,
    "V0LayerParameter": """
        name 1 string
        type 2 string
        num_output 3 uint32
        biasterm 4 bool =true
        pad 7 uint32 =0
        kernelsize 8 uint32
        group 9 uint32 =1
        stride 10 uint32 =1
        pool 11 PoolMethod =MAX
        dropout_ratio 12 float =0.5
        local_size 13 uint32 =5
        alpha 14 float =1
        beta 15 float =0.75
        k 22 float =1
        blobs 50 *BlobProto
        concat_dim 65 uint32 =1
    """,
    "ConcatParameter": "concat_dim 1 uint32 =1\naxis 2 int32 =1",
    "ConvolutionParameter": """
        num_output 1 uint32
        bias_term 2 bool =true
        pad 3 *uint32
        kernel_size 4 *uint32
        group 5 uint32 =1
        stride 6 *uint32
        pad_h 9 uint32 =0
        pad_w 10 uint32 =0
        kernel_h 11 uint32
        kernel_w 12 uint32
        stride_h 13 uint32
        stride_w 14 uint32
        axis 16 int32 =1
        dilation 18 *uint32
    """,
    "DropoutParameter": "dropout_ratio 1 float =0.5",
    "EltwiseParameter": "operation 1 EltwiseOp =SUM\ncoeff 2 *float",
    "InnerProductParameter": """
        num_output 1 uint32
        bias_term 2 bool =true
        axis 5 int32 =1
        transpose 6 bool =false
    """,
    "LRNParameter": """
        local_size 1 uint32 =5
        alpha 2 float =1
        beta 3 float =0.75
        norm_region 4 NormRegion =ACROSS_CHANNELS
        k 5 float =1
    """,
    "PoolingParameter": """
        pool 1 PoolMethod =MAX
        kernel_size 2 uint32
        stride 3 uint32 =1
        pad 4 uint32 =0
        kernel_h 5 uint32
        kernel_w 6 uint32
        stride_h 7 uint32
        stride_w 8 uint32
        pad_h 9 uint32 =0
        pad_w 10 uint32 =0
        global_pooling 12 bool =false
        round_mode 13 RoundMode =CEIL
    """,
    "PowerParameter": "power 1 float =1\nscale 2 float =1\nshift 3 float =0",
    "ReLUParameter": "negative_slope 1 float =0",
    "SoftmaxParameter": "axis 2 int32 =1",
    "SliceParameter": "slice_dim 1 uint32 =1\nslice_point 2 *uint32\naxis 3 int32 =1",
    "PReLUParameter": "channel_shared 2 bool =false",
    "ReshapeParameter": "shape 1 BlobShape\naxis 2 int32 =0\nnum_axes 3 int32 =-1",
    "FlattenParameter": "axis 1 int32 =1\nend_axis 2 int32 =-1",
    "BatchNormParameter": """
        use_global_stats 1 bool
        moving_average_fraction 2 float =0.999
        eps 3 float =0.00001
    """,
    "ScaleParameter": "axis 1 int32 =1\nnum_axes 2 int32 =1\nbias_term 4 bool =false",
    "InputParameter": "shape 1 *BlobShape",
}


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(
        name="tfvis/caffe.proto", package=_PACKAGE, syntax="proto2"
    )
    for name, values in _ENUMS.items():
        # Values of an enumeration share a room with its neighbours; in a message, they do not.
        holder = file.message_type.add(name=f"{name}_")
        enum = holder.enum_type.add(name="Value")
        for number, value in enumerate(values.split()):
            enum.value.add(name=value, number=number)
    for name, lines in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for line in filter(str.strip, lines.split("\n")):
            _field(message.field.add(), *line.split())
    return file


def _field(field, name: str, number: str, kind: str, default: str = "") -> None:
    field.name, field.number = name, int(number)
    repeated = kind[0] in "*+"
    field.label = field.LABEL_REPEATED if repeated else field.LABEL_OPTIONAL
    if kind[0] == "+":
        field.options.packed = True
    kind = kind.lstrip("*+")
    if kind in _MESSAGES:
        field.type, field.type_name = field.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
    elif kind in _ENUMS:
        field.type, field.type_name = field.TYPE_ENUM, f".{_PACKAGE}.{kind}_.Value"
    else:
        field.type = getattr(field, f"TYPE_{kind.upper()}")
    if default:
        field.default_value = default[1:]


# A pool of its own: another library may have brought its own caffe.proto.
_pool = descriptor_pool.DescriptorPool()
_pool.Add(_file())


def _message(name: str) -> type:
    return message_factory.GetMessageClass(_pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


BlobProto = _message("BlobProto")
LayerParameter = _message("LayerParameter")
NetParameter = _message("NetParameter")
V0LayerParameter = _message("V0LayerParameter")
V1LayerParameter = _message("V1LayerParameter")


def word(message, field: str) -> str:
    """Returns the name of an enumerated field's value, such as "MAX" of `pool`."""
    kind = message.DESCRIPTOR.fields_by_name[field].enum_type
    return kind.values_by_number[getattr(message, field)].name
