"""The Caffe networks known by name."""

from collections.abc import Callable

from tfvis.networks.caffe import schema
from tfvis.networks.caffe.zoo import caffenet, illustration2vec, vgg_cnn

BUILDERS: dict[str, Callable[[], schema.NetParameter]] = {
    "vgg_cnn_s": vgg_cnn.vgg_cnn_s,
    "vgg_cnn_m": vgg_cnn.vgg_cnn_m,
    "vgg_cnn_f": vgg_cnn.vgg_cnn_f,
    "caffenet": caffenet.caffenet,
    "alexnet": caffenet.alexnet,
    "illustration2vec": illustration2vec.illustration2vec,
    "illustration2vec_features": illustration2vec.illustration2vec_features,
}
# Names in `contracts.CONTRACTS`. VGG_mean is an image whose channels average to nearly
# the mean pixel of "caffe".
CONTRACTS = {
    "vgg_cnn_s": "caffe",
    "vgg_cnn_m": "caffe",
    "vgg_cnn_f": "caffe",
    "caffenet": "ilsvrc",
    "alexnet": "ilsvrc",
    "illustration2vec": "illustration2vec",
    "illustration2vec_features": "illustration2vec",
}
# What the weights are called by those who hand them out.
FILES = {
    "vgg_cnn_s": "VGG_CNN_S.caffemodel (Caffe's model zoo)",
    "vgg_cnn_m": "VGG_CNN_M.caffemodel (Caffe's model zoo)",
    "vgg_cnn_f": "VGG_CNN_F.caffemodel (Caffe's model zoo)",
    "caffenet": "bvlc_reference_caffenet.caffemodel (Caffe's model zoo)",
    "alexnet": "bvlc_alexnet.caffemodel (Caffe's model zoo)",
    "illustration2vec": "illust2vec_tag_ver200.caffemodel (Illustration2Vec, release 2.0.0)",
    "illustration2vec_features": "illust2vec_ver200.caffemodel (Illustration2Vec, release 2.0.0)",
}


def contract(name: str, otherwise: str) -> str:
    """Returns the name of the contract of a Caffe network, by what its file calls itself.

    Args:
        name: of a network, such as "VGG_CNN_S" in its prototxt.
        otherwise: of one that is not known.
    """
    name = name.lower()
    if name.startswith("illust2vec"):
        return CONTRACTS["illustration2vec"]
    return CONTRACTS.get(name, otherwise)
