"""How a classifier is made of a network: a frozen trunk, a tail that learns, a head on top.

    picture -> trunk (as it was) -> cut -> tail (trained) -> last map -> mean -> classes

The mean over the last map keeps the classifier readable: its class activation maps are one
matrix product away (Zhou et al. 2016), and pictures of any shape fit.
"""

import dataclasses

import keras
import numpy as np

from tfvis.classifiers.mixstyle import MixStyle
from tfvis.classifiers.settings import DROPOUT
from tfvis.errors import InputError, arg, nearest
from tfvis.networks import convolutions, keras_graph
from tfvis.networks import weights as sources
from tfvis.networks.files import checkpoint_files
from tfvis.networks.network import Network
from tfvis.networks.receptive_field import dominators

# Layers of the head, named so that no network has them.
MEAN, CLASSES, DOMAINS = checkpoint_files.MEAN, checkpoint_files.CLASSES, "domain_score"
MIXING = "style_mixing"
# Share of the weights that may learn by default: of VGG16 the last block. It halves what is
# stored, and what comes before can be computed once for all epochs.
_LEARNING = 0.5


@dataclasses.dataclass(frozen=True, eq=False)
class Backbone:
    """Where a network is cut.

    Attributes:
        network: without a classifier of its own.
        cut: path of the last frozen output; everything passes through it.
        last: path of the map that is averaged.
        answer: path of a map behind it that is left out, or "".
    """

    network: Network
    cut: str
    last: str
    answer: str = ""

    def tail(self) -> keras.Model:
        """Returns the layers between cut and last as they are, weights shared."""
        tensors = self.network.graph.tensors
        return keras.Model(tensors[self.cut], tensors[self.last], name="tail")

    @property
    def random(self) -> bool:
        """Whether the network knows nothing yet."""
        return self.network.record.source == "random"

    @property
    def whole(self) -> bool:
        """Whether no layer with weights is frozen."""
        return not self.network.graph.truncated([self.cut]).count_params()

    def trunk_fingerprint(self, tail: bool = False) -> str:
        """Returns the SHA-256 of all weights up to the cut, as `weights.fingerprint` counts.

        Args:
            tail: count those from there to the last map too.
        """
        return sources.fingerprint(self.network.graph.truncated([self.last if tail else self.cut]))


def split(network: Network, cut: str | None = None, last: str | None = None) -> Backbone:
    """Returns where to cut a network.

    The last map is the deepest that everything passes through; a max pooling at the very end
    (VGG) is left out, so that maps of attention are twice as fine, as Zhou et al. 2016 do. So is a
    map that a last convolution narrows to fewer than half of the channels it is made of, as the
    mask of a U-Net: it answers a question of its own, and holds next to no features.

    Args:
        network: convolutional, without classifier.
        cut: path of the last frozen output; default, the first after which at most half of
            the weights lie; of random weights, which are no use frozen, the first of all: of VGG16
            its first convolution, behind which all learn.
        last: path of the map that is averaged, where an earlier cut is made again.

    Raises:
        InputError: no spatial layers, no such place to cut, or a layer behind it that is
            used twice.
    """
    tensors, layers = network.graph.tensors, network.graph.layers
    # A map that is one pixel whatever the picture is a mean already.
    places = [
        p
        for p in dominators.dominators(network)
        if len(tensors[p].shape) == 4 and tuple(tensors[p].shape[1:3]) != (1, 1)
    ]
    answer = ""
    if last in places:
        del places[places.index(last) + 1 :]
    elif last is not None:
        raise InputError(f"{network.name} has no map {last!r} that everything passes through.")
    else:
        features = _features(network, places)
        answer = places[-1] if len(features) < len(places) else ""
        places = features
        while places and isinstance(layers[places[-1]], keras.layers.MaxPooling2D):
            places.pop()
    if len(places) < 2:
        raise InputError(
            f"{arg('network')}={network.name}: has no spatial layers that everything passes "
            "through; a convolutional network is needed."
        )
    last, counts = places[-1], []
    for place in places[:-1]:
        between = keras.Model(tensors[place], tensors[last])
        counts.append(between.count_params())
    total = keras.Model(network.graph.inputs, tensors[last]).count_params()
    possible = [p for p, count in zip(places, counts, strict=False) if count]
    if not possible:
        raise InputError(f"{arg('network')}={network.name}: has no layers that could learn.")
    if cut is None and network.record.source == "random":
        cut = possible[0]
    elif cut is None:
        fits = [n for n in counts if 0 < n <= _LEARNING * total]
        most = max(fits) if fits else min(n for n in counts if n)
        # The last place of all before the same weights: behind a pooling, maps are smaller.
        cut = [p for p, n in zip(places, counts, strict=False) if n == most][-1]
    elif cut not in possible:
        raise InputError(
            f"{arg('cut')}={cut}: not a layer of {network.name} that everything passes through, "
            f"with weights behind it. {nearest(cut, possible)}"
        )
    parts = Backbone(network, cut, last, answer)
    variables = [id(v) for layer in parts.tail().layers for v in layer.weights]
    if len(set(variables)) < len(variables):
        raise InputError(
            f"{arg('cut')}={cut}: {network.name} uses a layer twice behind it, which cannot be "
            "trained here; cut later."
        )
    # Learnt behind the cut, it would be another before it as well, where maps are computed once.
    if set(variables) & {id(v) for v in network.graph.truncated([cut]).weights}:
        raise InputError(
            f"{arg('cut')}={cut}: {network.name} uses a layer on both sides of it, which cannot be "
            "trained here; cut elsewhere."
        )
    return parts


def _features(network: Network, places: list[str]) -> list[str]:
    """Returns the maps without a last one that is an answer, see `split`."""
    channels = [network.graph.tensors[place].shape[-1] for place in places]
    # A nonlinearity or resizing behind the convolution has its channels.
    end = len(places)
    while end and channels[end - 1] == channels[-1]:
        end -= 1
    made = [place for place in places[end:] if place in network.convolutions()]
    narrows = made == places[end : end + 1] and end and 2 * channels[-1] < channels[end - 1]
    return places[:end] if narrows else places


def learner(
    parts: Backbone,
    classes: int,
    *,
    dropout: float = DROPOUT,
    precision: str = "float32",
    mixing: bool = False,
    scratch: bool = False,
) -> keras.Model:
    """Returns the model that is trained: maps at the cut -> probabilities of classes.

    Its layers are copies; the network stays as it was. Batch normalisations keep their
    statistics: batches of a few pictures would spoil them. Random weights have none to keep.

    Args:
        parts: where the network is cut.
        classes: how many.
        dropout: share of the averaged features left out at each step.
        precision: "float32" or "bfloat16", arithmetic of the tail; weights are float32.
        mixing: whether the maps at the cut lend each other their style in training.
        scratch: whether the tail knows nothing yet, so that batch normalisations learn, too.
    """
    source, policy = parts.tail(), "mixed_bfloat16" if precision == "bfloat16" else "float32"

    def fresh(layer):
        if not isinstance(layer, keras.Layer):  # An operation, such as a sum: no state.
            return layer
        made = type(layer).from_config(layer.get_config() | {"dtype": policy})
        for inside in keras_graph.inner_layers(made):  # Of a nested model; else the layer alone.
            convolutions.everywhere(inside)
        return made

    called = _mixing_first(MixStyle(name=MIXING, dtype="float32")) if mixing else None
    tail = keras.models.clone_model(source, clone_function=fresh, call_function=called)
    for layer in source.layers:
        if layer.weights:
            tail.get_layer(layer.name).set_weights(layer.get_weights())
    for layer in tail.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = scratch
    mean = keras.layers.GlobalAveragePooling2D(name=MEAN, dtype="float32")(tail.output)
    kept = keras.layers.Dropout(dropout, dtype="float32")(mean)
    scores = keras.layers.Dense(classes, activation="softmax", name=CLASSES, dtype="float32")
    return keras.Model(tail.input, scores(kept), name="learner")


def _mixing_first(mix: MixStyle):
    """Returns how to call the layers of a graph so that its input goes through `mix`."""
    seen = []

    def call(layer, *args, **kwargs):
        if not seen:
            given = keras.tree.flatten(args)[0]
            seen.extend([given, mix(given)])
        args = keras.tree.map_structure(lambda x: seen[1] if x is seen[0] else x, args)
        return layer(*args, **kwargs)

    return call


def learnt(model: keras.Model) -> dict[str, list[np.ndarray]]:
    """Returns {layer: weights} of all layers of a `learner`, without heads for domains."""
    return {
        layer.name: layer.get_weights()
        for layer in model.layers
        if layer.weights and not layer.name.startswith(DOMAINS)
    }
