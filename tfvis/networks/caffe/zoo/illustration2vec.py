"""The two networks of Saito & Matsui, "Illustration2Vec: A Semantic Vector Representation of
Illustrations", SIGGRAPH Asia 2015 Technical Briefs, as released (version 2.0.0).

One trunk, configuration A of Simonyan & Zisserman 2015 with three convolutions more, and two
ends: 1539 tags (512 general, 512 characters, 512 copyrights, 3 ratings), and a vector of 4096.
Input: 224 px, BGR 0..255 minus one mean pixel of drawings. Names of convolutions, poolings and
ends are those of the released weights; those of the ReLUs, which hold none, follow Oxford's VGG.
"""

from tfvis.networks.caffe import schema
from tfvis.networks.caffe.zoo.layer_tables import chain, conv, dense, dropout, pool, relu, sigmoid

_SIZE, _CHANNELS, _TAGS = 224, 3, 1539
# Channels of each block's convolutions; a pooling follows all but the sixth.
_BLOCKS = ((64,), (128,), (256, 256), (512, 512), (512, 512), (1024, 1024, 1024))


def _trunk() -> list[schema.LayerParameter]:
    """Convolutions of 3 x 3; maps of 224, 112, 56, 28, 14 and 7 px."""
    layers = []
    for block, widths in enumerate(_BLOCKS, 1):
        for index, width in enumerate(widths, 1):
            layers += [conv(f"conv{block}_{index}", width, 3, pad=1), relu(f"relu{block}_{index}")]
        if block < len(_BLOCKS):
            layers.append(pool(f"pool{block}", 2, 2))
    return [*layers, dropout("drop6_3")]


def illustration2vec() -> schema.NetParameter:
    """Returns the network that tags: probabilities of 1539 tags, each for itself."""
    return chain(
        "illustration2vec", _SIZE, _CHANNELS,
        *_trunk(),
        conv("conv6_4", _TAGS, 3, pad=1), pool("pool6", 7, 1, average=True), sigmoid("prob"),
    )  # fmt: skip


def illustration2vec_features() -> schema.NetParameter:
    """Returns the network that describes: "encode1" is the vector, above 0 its bits."""
    return chain(
        "illustration2vec_features", _SIZE, _CHANNELS,
        *_trunk(),
        dense("encode1", 4096), sigmoid("encode1neuron"), dense("encode2", _TAGS),
    )  # fmt: skip
