"""A network: a Keras functional model, its preprocessing contract, and named taps."""

import dataclasses
import functools
import hashlib

import keras
import tensorflow as tf

from tfvis import hardware
from tfvis.errors import InputError, arg, marked, nearest
from tfvis.networks import (
    channels_first,
    fast_execution,
    integer_inputs,
    keras_settings,
    leaky_gradients,
    model_inputs,
    needed_places,
    opening,
    rewiring,
    scores,
    shapes,
    taps,
)
from tfvis.networks import weights as sources
from tfvis.networks.caffe import layer_names
from tfvis.networks.preprocessing import contract_files, contracts, published_recipes
from tfvis.networks.preprocessing import layers as embedded

_CONVOLUTIONS = (
    keras.layers.Conv2D,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv2D,
    keras.layers.Conv2DTranspose,
)
_POOLINGS = (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D)


@dataclasses.dataclass(frozen=True, eq=False)
class Network:
    """A network ready to be looked into; `build` and `wrap` make one.

    Attributes:
        name: as it was asked for.
        graph: the rewired, flat model; `graph.tensors` lists every path.
        preprocessing: the map from display space to the network's input.
        preprocessing_reason: a clause, what it is known by.
        record: where the weights came from, and their fingerprint.
        classifier: what its output says of which classes, None where it names none.
        no_classifier: why not, in words.
        variant: {"pooling", "activation"} as built.
        classes: names of the classes where the network brings them, as a checkpoint does.
        side: of the square that it learnt to be shown whole pictures in, where that is said.
        base: name of the network that a checkpoint stands on, whose layers it shares.
        notes: what should be known of it, a line each, such as layers that are left out.
        constants: see `fast_execution.plan`; shared with what is made of this network.
    """

    name: str
    graph: rewiring.Graph
    preprocessing: contracts.Preprocessing
    record: sources.Record
    classifier: scores.Classifier | None = None
    no_classifier: str = ""
    variant: tuple[tuple[str, str], ...] = ()
    classes: tuple[str, ...] = ()
    side: int | None = None
    base: str = ""
    preprocessing_reason: str = "as given"
    notes: tuple[str, ...] = ()
    constants: dict = dataclasses.field(default_factory=dict, repr=False)

    def __repr__(self) -> str:
        classes = f", {self.classifier.classes} classes" if self.classifier else ""
        return f"<Network {self.name}: {len(self.paths)} layers{classes}>"

    @property
    def logits(self) -> str:
        """Path of the scores of classes before a last softmax, "" without a classifier."""
        return self.classifier.path if self.classifier else ""

    def probabilities(self, found: tf.Tensor) -> tf.Tensor:
        """See `scores.probabilities`."""
        return scores.probabilities(self, found)

    @property
    def channels(self) -> int:
        """Channels of the network's input, and so of its display-space images."""
        return self.graph.inputs.shape[-1]

    @property
    def fixed_size(self) -> tuple[int, int] | None:
        """The (height, width) the model insists on, or None if any will do."""
        height, width = self.graph.inputs.shape[1:3]
        return None if None in (height, width) else (height, width)

    @functools.cached_property
    def architecture(self) -> str:
        """Digest of what is computed: layers, their settings, the input; no weights."""
        parts = [tuple(self.graph.inputs.shape)]
        for path, layer in self.graph.layers.items():
            config = dict(layer.get_config()) if isinstance(layer, keras.Layer) else {}
            parts.append((path, type(layer).__name__, sorted(config.items(), key=str)))
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    @property
    def paths(self) -> tuple[str, ...]:
        """Every layer that can be tapped, in order of computation."""
        return tuple(self.graph.tensors)

    def check(self, layers: list[str] | tuple[str, ...]) -> None:
        """Raises InputError, naming the nearest layers, if one does not exist."""
        for layer in layers:
            if self.path(layer) not in self.graph.tensors:
                raise InputError(
                    f"{self.name} has no layer {layer!r}. {nearest(layer, self.paths)}"
                )

    def check_scores(self, layer: str) -> None:
        """Raises InputError if `layer` is a softmax over the logits.

        A probability is raised as well by lowering all other scores (Simonyan et al.
        2014, section 2), so units are those before it.
        """
        if self.is_softmax(layer):
            raise InputError(
                f"{layer} is a softmax: it rises as well where all other classes fall. Use the "
                "scores before it, as logit:CLASS."
            )

    def is_softmax(self, layer: str) -> bool:
        """Tells whether a softmax, or its logarithm, puts out what `layer` does."""
        return scores.is_softmax(self, layer)

    def channels_of(self, layer: str) -> int | None:
        """Returns the channels of a map or entries of a vector, None for other outputs."""
        shape = self.graph.tensors[self.path(layer)].shape
        return shape[-1] if len(shape) in (2, 4) else None

    def convolutions(self) -> tuple[str, ...]:
        """Returns the paths of all spatial convolutions, in order."""
        return self._of_kind(_CONVOLUTIONS)

    def convolutions_and_poolings(self) -> tuple[str, ...]:
        """Returns the paths of all spatial convolutions and poolings, in order."""
        return self._of_kind(_CONVOLUTIONS + _POOLINGS)

    def _of_kind(self, kinds: tuple[type[keras.Layer], ...]) -> tuple[str, ...]:
        return tuple(
            path
            for path, layer in self.graph.layers.items()
            if isinstance(layer, kinds)
            # A nonlinearity split off a layer is recorded under the same layer.
            and path.rsplit("/", 1)[-1].split(":")[0] == layer.name
        )

    def taps(
        self, layers: list[str] | tuple[str, ...], precision: str = "float32", packed=None
    ) -> taps.Taps:
        """Returns the function from images to the outputs of `layers`.

        Args:
            layers: paths, or "logits".
            precision: "float32" or "bfloat16", the network's arithmetic.
            packed: see `fast_execution.plan`; None decides by device.

        Raises:
            InputError: an unknown layer or precision.
        """
        self.check(layers)
        if precision not in fast_execution.PRECISIONS:
            raise InputError(
                f"Expected a precision of {', '.join(fast_execution.PRECISIONS)}. "
                f"Received: {precision}"
            )
        if reason := hardware.refused(precision):
            raise InputError(f"{arg('precision')}={precision}: {reason}; leave it out.")
        if packed is None:
            packed = not tf.config.list_physical_devices("GPU")
        return taps.of(self, tuple(layers), precision, bool(packed))

    def end_to_end(self, recipe: published_recipes.Recipe | None = None) -> keras.Model:
        """Returns a model that takes pictures of any size as they come from files.

        See `layers.end_to_end`, also for what is raised.
        """
        return embedded.end_to_end(self, recipe)

    def waking(self, layers: list[str] | tuple[str, ...], everywhere: bool = False) -> "Network":
        """Returns this network, with gradients for silent units; the values are the same.

        Args:
            layers: whose own ReLU is woken, see `leaky_gradients.tapped`.
            everywhere: also what is silent on the way, see `leaky_gradients.everywhere`.
        """
        self.check(layers)
        return _waking(self, tuple(self.path(layer) for layer in layers), everywhere)

    def restricted(self, layer: str, size: tuple[int, int], box: needed_places.Box) -> "Network":
        """Returns this network up to a layer, of which it computes some places only.

        Args:
            layer: a path of a map.
            size: (height, width) of the image, the only one it takes.
            box: (first, last) row and column of the map; what lies beside it is 0.

        Returns:
            The network itself where nothing is known to be left out; see `needed_places`.
        """
        self.check([layer])
        return _restricted(self, self.path(layer), size, box)

    def shape(self, layer: str, height: int, width: int) -> tuple[int | None, ...]:
        """Returns the shape of one image's output, see `shapes.shape`."""
        return shapes.shape(self, layer, height, width)

    def trace(self, layer: str, height: int, width: int) -> tuple[int, ...]:
        """Returns the same as TensorFlow itself works it out, see `shapes.trace`."""
        return shapes.trace(self, self.path(layer), height, width)

    def stride(self, layer: str) -> int:
        """Returns how many pixels apart neighbouring outputs look, see `shapes.stride`."""
        return shapes.stride(self, layer)

    def cost(self, layer: str, height: int, width: int) -> float:
        """Returns how many multiplications lead to a layer, see `shapes.cost`."""
        return shapes.cost(self, layer, height, width)

    def path(self, layer: str) -> str:
        """Returns the path of a layer.

        "logits" is a name for `self.logits`; a Caffe network's layers may be called as its
        file calls them ("inception_3a/1x1").
        """
        if layer == "logits" and self.logits:
            return self.logits
        legal = layer_names.legal(layer)
        known = self.graph.tensors
        return legal if layer not in known and legal in known else layer


@functools.lru_cache(maxsize=16)
def _waking(network: Network, paths: tuple[str, ...], everywhere: bool) -> Network:
    """See `Network.waking`; kept so that its taps are kept, too."""
    graph = network.graph
    new = leaky_gradients.everywhere(graph) if everywhere else leaky_gradients.tapped(graph, paths)
    return dataclasses.replace(network, graph=new)


@functools.lru_cache(maxsize=16)
def _restricted(network: Network, path: str, size, box) -> Network:
    """See `Network.restricted`; kept so that its taps are kept, too."""
    new = needed_places.graph(network.graph, path, network.fixed_size or size, box)
    return dataclasses.replace(network, graph=new) if new else network


def build(
    network: str,
    weights: str | None = None,
    *,
    pooling: str = "max",
    activation: str = "post",
    top: bool | None = None,
    preprocessing: str = "auto",
    stage: tuple[str, ...] = (),
    until: str | None = None,
    output: str | None = None,
) -> Network:
    """Builds a named network, or opens a file or a checkpoint, with its weights in place.

    Args:
        network: a keras.applications network in lower case ("vgg16"), one of the papers'
            Caffe networks (`caffe.named.BUILDERS`: "vgg_cnn_s"), one that is computed
            (`hog_sift.BUILDERS`: "hog", "hogb", "dsift"), a checkpoint by its name
            ("pacs_vgg16") or folder, or a path to a .keras file (opened with `safe_mode`: no
            code of the file's is run) or to Caffe's .prototxt.
        weights: a weights file, "random", or None to find them: `sources.find`; for a
            Caffe network, in the cache only; beside a .prototxt, a .caffemodel of its
            name; none for a computed network.
        pooling: "max", or "avg" to replace max poolings by average ones.
        activation: "post", or "pre" to tap layers before their nonlinearity too.
        top: whether to include the classifier: of a Caffe network, its inner products and
            what follows; without it, it takes images of any size. None leaves it out of a
            named network, and takes a .prototxt as it is. A .keras file and a checkpoint stay
            as they are.
        preprocessing: "auto", or a name of `contracts.CONTRACTS`. Auto knows the named
            networks, checkpoints, a .keras file that says it (`contract_files`), other .keras
            and .h5 files by what the model does and is made of (`choosing`), a .prototxt by its
            own name, else as "caffe". A train_val.prototxt says it in its data layer.
        stage: the stages of a .prototxt that its layers' rules are asked about.
        until: the layer that a Caffe network is to end with. None opens all of it; of a
            .prototxt, what is known here and does not depend on layers that are not
            (`Network.notes` says which).
        output: which of several outputs names classes; None finds the one that is probabilities
            of classes.

    Raises:
        InputError: unknown name, no weights to be had, weights that do not fit or
            hold NaN, a file that is not a model.
    """
    keras_settings.check()
    rewiring.calling(pooling, activation)  # Refuses other words, before anything long begins.
    try:
        found = opening.opened(network, weights, pooling, activation, top, tuple(stage), until)
        if preprocessing != "auto":
            found = opening.overridden(found, preprocessing)
        return of_opened(found, pooling, activation, output)
    except RecursionError as error:
        # Keras goes from each layer into the one before it.
        raise InputError(
            f"{arg('network')}={network}: has more layers one after another than Keras can follow."
        ) from error


def of_opened(
    found: opening.Opened, pooling: str = "max", activation: str = "post", output: str | None = None
) -> Network:
    """Makes a Network of what `opening.opened` returns; see `build`.

    Raises:
        InputError: as `wrap`.
    """
    variant, trained = (pooling, activation), found.checkpoint
    call_function = rewiring.calling(*variant)
    if trained:  # What it was trained with stays in its layers.
        pooling, activation = (
            own if own != usual else asked
            for own, usual, asked in zip(trained.variant, ("max", "post"), variant, strict=True)
        )
        variant = (pooling, activation)
    try:
        network = wrap(
            found.model, found.name, found.contract, found.record, call_function, variant, output
        )
    except InputError as error:
        raise InputError(f"{arg('network')}={found.name}: {marked(error)}") from error
    network = dataclasses.replace(network, notes=found.notes, preprocessing_reason=found.why)
    if not trained:
        return _with_classes(network, found.classes)
    return dataclasses.replace(
        network, classes=trained.classes, side=trained.size, base=trained.root
    )


def _with_classes(network: Network, said: contract_files.Classes) -> Network:
    """Returns a network with what its file says of its classes."""
    count = network.classifier.classes if network.classifier else 0
    if not said.names:
        return dataclasses.replace(network, side=said.side)
    if len(said.names) != count:
        raise InputError(
            f"{arg('network')}={network.name}: names {len(said.names)} classes and answers with "
            f"{count}."
        )
    return dataclasses.replace(network, classes=said.names, side=said.side)


def wrap(
    model: keras.Model,
    name: str = "",
    preprocessing: contracts.Preprocessing | None = None,
    record: sources.Record | None = None,
    call_function: rewiring.CallFunction | None = None,
    variant: tuple[str, str] = ("max", "post"),
    output: str | None = None,
) -> Network:
    """Makes a Network of any Keras model of one image input; the model stays as it is.

    Args:
        model: functional or sequential, [batch, height, width, channels] input.
        name: for messages and manifests; default the model's.
        preprocessing: its contract; default none (the model takes display space itself).
        record: where its weights came from; default they are fingerprinted here.
        call_function: how to run its layers, see `rewiring.calling`.
        variant: the words that made `call_function`, for the manifest.
        output: see `build`.

    Raises:
        InputError: not a graph of one image input; NaN in the weights.
    """
    keras_settings.check()
    if channels_first.is_first(model):
        model = channels_first.converted(model)
    model_inputs.check(model)
    sources.check_finite(model)
    record = record or sources.Record("given", sources.fingerprint(model), None)
    graph, head = scores.found(model, call_function or rewiring.calling(*variant), output)
    integer_inputs.check(model, graph)
    classifier = head if isinstance(head, scores.Classifier) else None
    return Network(
        name=name or model.name,
        graph=graph,
        preprocessing=preprocessing or contracts.named("none"),
        record=record,
        classifier=classifier,
        no_classifier=head if isinstance(head, str) else "",
        variant=(("pooling", variant[0]), ("activation", variant[1])),
        classes=("no", "yes") if classifier and classifier.kind == "binary" else (),
    )
