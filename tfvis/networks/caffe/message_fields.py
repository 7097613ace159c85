"""The fields of Caffe's messages: their numbers, names and defaults.

Those of BVLC/caffe's caffe.proto that say what a network computes, and those of the forks whose
networks people hold; then the names of those that say nothing of it.
"""

# fmt: off
ENUMS = {
    "Phase": "TRAIN TEST",
    "PoolMethod": "MAX AVE STOCHASTIC",
    "RoundMode": "CEIL FLOOR",
    "NormRegion": "ACROSS_CHANNELS WITHIN_CHANNEL",
    "EltwiseOp": "PROD SUM MAX",
    "BNMode": "LEARN INFERENCE",
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
MESSAGES = {
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
        param 6 *ParamSpec
        blobs 7 *BlobProto
        include 8 *NetStateRule
        exclude 9 *NetStateRule
        phase 10 Phase
        transform_param 100 TransformationParameter
        concat_param 104 ConcatParameter
        convolution_param 106 ConvolutionParameter
        data_param 107 DataParameter
        dropout_param 108 DropoutParameter
        dummy_data_param 109 DummyDataParameter
        eltwise_param 110 EltwiseParameter
        image_data_param 115 ImageDataParameter
        inner_product_param 117 InnerProductParameter
        lrn_param 118 LRNParameter
        memory_data_param 119 MemoryDataParameter
        mvn_param 120 MVNParameter
        pooling_param 121 PoolingParameter
        power_param 122 PowerParameter
        relu_param 123 ReLUParameter
        sigmoid_param 124 EngineOnly
        softmax_param 125 SoftmaxParameter
        slice_param 126 SliceParameter
        tanh_param 127 EngineOnly
        window_data_param 129 WindowDataParameter
        prelu_param 131 PReLUParameter
        reshape_param 133 ReshapeParameter
        flatten_param 135 FlattenParameter
        batch_norm_param 139 BatchNormParameter
        elu_param 140 ELUParameter
        bias_param 141 BiasParameter
        scale_param 142 ScaleParameter
        input_param 143 InputParameter
        crop_param 144 CropParameter
        swish_param 147 SwishParameter
        permute_param 202 PermuteParameter
        norm_param 206 NormalizeParameter
        bn_param 9001 BNParameter
        upsample_param 9002 UpsampleParameter
        interp_param 9003 InterpParameter
        shuffle_channel_param 9004 ShuffleChannelParameter
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
        data_param 11 DataParameter
        dropout_param 12 DropoutParameter
        image_data_param 15 ImageDataParameter
        inner_product_param 17 InnerProductParameter
        lrn_param 18 LRNParameter
        window_data_param 20 WindowDataParameter
        memory_data_param 22 MemoryDataParameter
        dummy_data_param 26 DummyDataParameter
        pooling_param 19 PoolingParameter
        power_param 21 PowerParameter
        eltwise_param 24 EltwiseParameter
        relu_param 30 ReLUParameter
        slice_param 31 SliceParameter
        include 32 *NetStateRule
        exclude 33 *NetStateRule
        mvn_param 34 MVNParameter
        transform_param 36 TransformationParameter
        tanh_param 37 EngineOnly
        sigmoid_param 38 EngineOnly
        softmax_param 39 SoftmaxParameter
        param 1001 *string
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
        scale 17 float =1
        meanfile 18 string
        cropsize 20 uint32 =0
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
        weight_filler 7 FillerParameter
    """,
    "DropoutParameter": "dropout_ratio 1 float =0.5\nscale_train 2 bool =true",
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
        ceil_mode 9001 bool =true
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
        scale_bias 9001 bool =false
    """,
    "ScaleParameter": "axis 1 int32 =1\nnum_axes 2 int32 =1\nbias_term 4 bool =false",
    "InputParameter": "shape 1 *BlobShape",
    "ELUParameter": "alpha 1 float =1",
    "BiasParameter": "axis 1 int32 =1\nnum_axes 2 int32 =1",
    "CropParameter": "axis 1 int32 =2\noffset 2 *uint32",
    "SwishParameter": "beta 1 float =1",
    "MVNParameter": """
        normalize_variance 1 bool =true
        across_channels 2 bool =false
        eps 3 float =1e-9
    """,
    "ParamSpec": "name 1 string",
    "FillerParameter": "type 1 string =constant\nvalue 2 float =0",
    "EngineOnly": "",
    # What a network is shown while it is trained.
    "TransformationParameter": """
        scale 1 float =1
        crop_size 3 uint32 =0
        mean_file 4 string
        mean_value 5 *float
        force_color 6 bool =false
        force_gray 7 bool =false
        crop_h 11 uint32 =0
        crop_w 12 uint32 =0
        resize_param 8 ResizeParameter
    """,
    "ResizeParameter": "height 3 uint32 =0\nwidth 4 uint32 =0",
    "DataParameter": "scale 2 float =1\nmean_file 3 string\ncrop_size 5 uint32 =0",
    "WindowDataParameter": "scale 2 float =1\nmean_file 3 string\ncrop_size 5 uint32 =0",
    "ImageDataParameter": """
        scale 2 float =1
        mean_file 3 string
        crop_size 5 uint32 =0
        new_height 9 uint32 =0
        new_width 10 uint32 =0
        is_color 11 bool =true
    """,
    "MemoryDataParameter": """
        channels 2 uint32
        height 3 uint32
        width 4 uint32
    """,
    "DummyDataParameter": """
        channels 3 *uint32
        height 4 *uint32
        width 5 *uint32
        shape 6 *BlobShape
    """,
    # Of forks: SSD's, SegNet's and PSPNet's, DeepLab's. Numbers from 9001 on are ours, since
    # theirs are not agreed on; a text file has names.
    "PermuteParameter": "order 1 *uint32",
    "NormalizeParameter": """
        across_spatial 1 bool =true
        scale_filler 2 FillerParameter
        channel_shared 3 bool =true
        eps 4 float =1e-10
    """,
    "BNParameter": """
        bn_mode 1 BNMode =LEARN
        scale_filler 2 FillerParameter
        shift_filler 3 FillerParameter
        slope_filler 4 FillerParameter
        bias_filler 5 FillerParameter
        momentum 6 float =0.9
        eps 7 float =0.00001
        frozen 8 bool =false
    """,
    "UpsampleParameter": """
        scale 1 uint32 =2
        scale_h 2 uint32
        scale_w 3 uint32
        pad_out_h 4 bool =false
        pad_out_w 5 bool =false
        upsample_h 6 uint32
        upsample_w 7 uint32
    """,
    "InterpParameter": """
        height 1 int32 =0
        width 2 int32 =0
        zoom_factor 3 int32 =1
        shrink_factor 4 int32 =1
        pad_beg 5 int32 =0
        pad_end 6 int32 =0
    """,
    "ShuffleChannelParameter": "group 1 uint32 =1",
}

# Fields that change nothing of what a trained network computes: of trainings, of first values,
# of how it is run. Any other field that is not above is one of a fork, and may.
# fmt: off
_LEARNING = "lr_mult decay_mult share_mode"
_FILLERS = "weight_filler bias_filler filler scale_filler"
_RUNNING = (
    "engine force_nd_im2col conv_algos_override cudnn_convolution_algo_seeker debug "
    "cudnn_math_override"
)
_SOURCE = (
    "source batch_size backend rand_skip mirror prefetch force_encoded_color shuffle cache "
    "root_folder threads parser_threads data_filler num label_map_file fg_threshold "
    "bg_threshold fg_fraction context_pad crop_mode cache_images image_database_cache"
)
HARMLESS: dict[str, frozenset[str]] = {
    message: frozenset(" ".join(names).split())
    for message, *names in (
        ("NetParameter", "debug_info force_backward default_forward_type default_backward_type",
         "default_forward_math default_backward_math default_conv_algos_override",
         "global_grad_scale reduce_buckets train_state"),
        ("LayerParameter", "loss_weight propagate_down loss_param accuracy_param device buffer",
         "forward_type backward_type forward_math backward_math", _RUNNING),
        ("V1LayerParameter", "blobs_lr weight_decay loss_weight blob_share_mode loss_param",
         "accuracy_param"),
        ("V0LayerParameter", "weight_filler bias_filler blobs_lr weight_decay source batchsize",
         "mirror rand_skip shuffle_images"),
        ("ParamSpec", _LEARNING),
        ("FillerParameter", "min max mean std sparse variance_norm diag_val"),
        ("ConvolutionParameter", _FILLERS, _RUNNING),
        ("InnerProductParameter", _FILLERS, _RUNNING),
        ("BatchNormParameter", "moving_average_fraction", _FILLERS, _RUNNING),
        ("BNParameter", _RUNNING),
        ("ScaleParameter", _FILLERS, _RUNNING),
        ("BiasParameter", _FILLERS),
        ("PReLUParameter", _FILLERS),
        ("EltwiseParameter", "stable_prod_grad"),
        *((f"{layer}Parameter", _RUNNING) for layer in ("Pooling", "ReLU", "Softmax", "LRN",
                                                        "Dropout", "ELU", "Swish")),
        ("EngineOnly", _RUNNING),
        ("TransformationParameter", "mirror noise_param distort_param expand_param",
         "emit_constraint random_resize_param random_aspect_ratio_param use_gpu_transform",
         "display"),
        ("ResizeParameter", "prob resize_mode interp_mode pad_mode pad_value"),
        *((f"{kind}Parameter", _SOURCE) for kind in ("Data", "ImageData", "WindowData",
                                                     "MemoryData", "DummyData")),
    )
}
# fmt: on
