"""The three networks of Chatfield, Simonyan, Vedaldi & Zisserman, "Return of the Devil in the
Details", BMVC 2014, Table 1: VGG_CNN_S, M and F (slow, medium, fast).

As in the released Caffe files (deploy.prototxt of VGG_CNN_S, _M, _F), which differ from the
paper's table in one place: conv2 of S has no padding (the table prints 1; pool5 is 6 x 6 with
either). Poolings round up. Input: 224 px, BGR 0..255 minus the mean image VGG_mean, whose
channels average to nearly the mean pixel of ImageNet.
"""

from tfvis.networks.caffe import schema
from tfvis.networks.caffe.zoo.layer_tables import (
    chain,
    conv,
    dense,
    dropout,
    lrn,
    pool,
    relu,
    softmax,
)

_SIZE, _CHANNELS = 224, 3


def _norm(name: str) -> schema.LayerParameter:
    """The paper's normalisation: (2 + 1e-4 * sum over 5 channels)^0.75; alpha counts all 5."""
    return lrn(name, size=5, alpha=5e-4, beta=0.75, k=2.0)


def _classifier() -> tuple[schema.LayerParameter, ...]:
    return (
        dense("fc6", 4096), relu("relu6"), dropout("drop6"),
        dense("fc7", 4096), relu("relu7"), dropout("drop7"),
        dense("fc8", 1000), softmax("prob"),
    )  # fmt: skip


def vgg_cnn_s() -> schema.NetParameter:
    """Returns VGG_CNN_S, the slow one; maps of 109, 37, 33, 17 and 6 px."""
    return chain(
        "VGG_CNN_S", _SIZE, _CHANNELS,
        conv("conv1", 96, 7, stride=2), relu("relu1"), _norm("norm1"), pool("pool1", 3, 3),
        conv("conv2", 256, 5), relu("relu2"), pool("pool2", 2, 2),
        conv("conv3", 512, 3, pad=1), relu("relu3"),
        conv("conv4", 512, 3, pad=1), relu("relu4"),
        conv("conv5", 512, 3, pad=1), relu("relu5"), pool("pool5", 3, 3),
        *_classifier(),
    )  # fmt: skip


def vgg_cnn_m() -> schema.NetParameter:
    """Returns VGG_CNN_M, the medium one; maps of 109, 54, 26, 13 and 6 px."""
    return chain(
        "VGG_CNN_M", _SIZE, _CHANNELS,
        conv("conv1", 96, 7, stride=2), relu("relu1"), _norm("norm1"), pool("pool1", 3, 2),
        conv("conv2", 256, 5, stride=2, pad=1), relu("relu2"), _norm("norm2"), pool("pool2", 3, 2),
        conv("conv3", 512, 3, pad=1), relu("relu3"),
        conv("conv4", 512, 3, pad=1), relu("relu4"),
        conv("conv5", 512, 3, pad=1), relu("relu5"), pool("pool5", 3, 2),
        *_classifier(),
    )  # fmt: skip


def vgg_cnn_f() -> schema.NetParameter:
    """Returns VGG_CNN_F, the fast one; maps of 54, 27, 13 and 6 px."""
    return chain(
        "VGG_CNN_F", _SIZE, _CHANNELS,
        conv("conv1", 64, 11, stride=4), relu("relu1"), _norm("norm1"), pool("pool1", 3, 2),
        conv("conv2", 256, 5, pad=2), relu("relu2"), _norm("norm2"), pool("pool2", 3, 2),
        conv("conv3", 256, 3, pad=1), relu("relu3"),
        conv("conv4", 256, 3, pad=1), relu("relu4"),
        conv("conv5", 256, 3, pad=1), relu("relu5"), pool("pool5", 3, 2),
        *_classifier(),
    )  # fmt: skip
