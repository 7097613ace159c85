"""AlexNet and CaffeNet, as Caffe's model zoo has them (bvlc_alexnet, bvlc_reference_caffenet).

Krizhevsky, Sutskever & Hinton, "ImageNet Classification with Deep Convolutional Neural
Networks", NIPS 2012, section 3.5, without the second GPU: conv2, conv4 and conv5 keep its two
groups of channels. CaffeNet pools before it normalises, AlexNet after. Input: 227 px, BGR 0..255
minus the mean of ILSVRC 2012.
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

_SIZE, _CHANNELS = 227, 3


def _norm(name: str) -> schema.LayerParameter:
    """The zoo's normalisation; the paper's adds to 2 and does not divide alpha by 5."""
    return lrn(name, size=5, alpha=1e-4, beta=0.75, k=1.0)


def _rest() -> tuple[schema.LayerParameter, ...]:
    """What the two have in common: all after the second block; maps of 13 and 6 px."""
    return (
        conv("conv3", 384, 3, pad=1), relu("relu3"),
        conv("conv4", 384, 3, pad=1, group=2), relu("relu4"),
        conv("conv5", 256, 3, pad=1, group=2), relu("relu5"), pool("pool5", 3, 2),
        dense("fc6", 4096), relu("relu6"), dropout("drop6"),
        dense("fc7", 4096), relu("relu7"), dropout("drop7"),
        dense("fc8", 1000), softmax("prob"),
    )  # fmt: skip


def caffenet() -> schema.NetParameter:
    """Returns CaffeNet; maps of 55, 27, 13 and 6 px."""
    return chain(
        "CaffeNet", _SIZE, _CHANNELS,
        conv("conv1", 96, 11, stride=4), relu("relu1"), pool("pool1", 3, 2), _norm("norm1"),
        conv("conv2", 256, 5, pad=2, group=2), relu("relu2"), pool("pool2", 3, 2), _norm("norm2"),
        *_rest(),
    )  # fmt: skip


def alexnet() -> schema.NetParameter:
    """Returns AlexNet; maps of 55, 27, 13 and 6 px."""
    return chain(
        "AlexNet", _SIZE, _CHANNELS,
        conv("conv1", 96, 11, stride=4), relu("relu1"), _norm("norm1"), pool("pool1", 3, 2),
        conv("conv2", 256, 5, pad=2, group=2), relu("relu2"), _norm("norm2"), pool("pool2", 3, 2),
        *_rest(),
    )  # fmt: skip
