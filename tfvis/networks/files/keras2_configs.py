"""Configs of Keras 2 in the words of Keras 3, which reads only some of the older ones itself.

Changes nothing that is computed; what would be computed otherwise is refused by name.
"""

import operator

from tfvis.errors import InputError
from tfvis.networks import keras_graph

# Settings that Keras 3 has no more, of no consequence for what is put out.
_GONE = {
    "batch_input_shape", "input_dtype", "ragged", "rng_type", "fused", "renorm_clipping",
    "virtual_batch_size", "query_shape", "key_shape", "value_shape",
    "softmax_robust_masking",
}  # fmt: skip
# Settings that were in the config of every convolution, and are none of these.
_NOT_OF = {
    "DepthwiseConv2D": {"filters", "groups"},
    "SeparableConv2D": {"groups"},
    "Conv2DTranspose": {"groups"},
}
# Of no consequence once the weights are there.
_STARTS = ("_initializer", "_regularizer", "_constraint")
# Keras 2's is clip(x / 5 + 1 / 2, 0, 1), Keras 3's clip(x / 6 + 1 / 2, 0, 1).
_OTHER_FUNCTIONS = ("hard_sigmoid",)
_MODELS = ("Functional", "Model", "Sequential")
# Arithmetic with a number, which Keras 2 wrote as a call of TensorFlow: (scale, offset).
_ARITHMETIC = {
    "math.truediv": lambda y: (operator.truediv(1.0, y), 0.0),
    "math.divide": lambda y: (operator.truediv(1.0, y), 0.0),
    "math.multiply": lambda y: (y, 0.0),
    "math.subtract": lambda y: (1.0, -y),
    "math.add": lambda y: (1.0, y),
    "__operators__.add": lambda y: (1.0, y),
}
# The same of two maps.
_OF_TWO = {
    "math.multiply": "Multiply",
    "math.subtract": "Subtract",
    "math.add": "Add",
    "__operators__.add": "Add",
}


def is_keras2(config: dict) -> bool:
    """Tells whether a config was written by Keras 2: inputs are described in its words."""
    stack = [config]
    while stack:
        part = stack.pop()
        if isinstance(part, dict):
            inner = part.get("config")
            if part.get("class_name") == "InputLayer" and isinstance(inner, dict):
                return "batch_input_shape" in inner
            if isinstance(inner, dict) and "batch_input_shape" in inner:
                return True
            stack += part.values()
        elif isinstance(part, list):
            stack += part
    return False


def translated(config: dict, label: str) -> dict:
    """Returns the config of a model in Keras 3's words.

    Args:
        config: {"class_name", "config", ...} of a functional or sequential model.
        label: what messages begin with, such as "--network=net.h5".

    Raises:
        InputError: what a layer computes is not the same in Keras 3, or not known.
    """
    return _layer(config, label)


def _layer(part: dict, label: str) -> dict:
    kind, config = part["class_name"], part["config"]
    if kind in _MODELS:
        return part | _model(kind, config, label)
    if kind == "InputLayer":
        config = config | {
            "batch_shape": config.get("batch_input_shape", config.get("batch_shape"))
        }
    elif kind in ("TFOpLambda", "SlicingOpLambda"):
        return _operation(part, label)
    config = {
        key: value
        for key, value in config.items()
        if key not in _GONE | _NOT_OF.get(kind, set()) and not key.endswith(_STARTS)
    }
    if kind == "BatchNormalization":
        if config.pop("renorm", False):
            raise _refusal(label, config, "renorm of BatchNormalization")
        axis = config.get("axis")
        config["axis"] = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    for key, value in config.items():
        if key.endswith("activation") or key == "function":
            config[key] = _activation(value, config, label)
    if "name" in config:
        config["name"] = _legal(config["name"])
    if "dtype" in config:
        config["dtype"] = _dtype(config["dtype"])
    if isinstance(config.get("layer"), dict):  # A layer around another: TimeDistributed.
        config["layer"] = _layer(config["layer"], label)
    module = part.get("module") or "keras.layers"
    # The classes of Keras 2's own modules are in keras.layers of both.
    own = part.get("registered_name") in (None, kind)
    module = "keras.layers" if own and module.split(".")[0] in ("keras", "tf_keras") else module
    kept = {key: part[key] for key in ("name", "inbound_nodes") if key in part}
    registered = part.get("registered_name") if not own else None
    return kept | {
        "module": module, "class_name": kind, "config": config, "registered_name": registered,
    }  # fmt: skip


def _model(kind: str, config, label: str) -> dict:
    if isinstance(config, list):  # Sequential, before Keras 2.2.3.
        config = {"layers": config}
    layers = [_layer(layer, label) for layer in config["layers"]]
    sequential = kind == "Sequential"
    if sequential and layers and layers[0]["class_name"] != "InputLayer":
        first = config["layers"][0]["config"]
        shape = first.get("batch_input_shape") if isinstance(first, dict) else None
        shape = shape or config.get("build_input_shape")
        if shape:
            name = f"{layers[0]['config'].get('name', 'first')}_input"
            layers.insert(0, _input(shape, name))
    if not sequential:
        config = config | _connected(layers, config)
    config = {k: v for k, v in config.items() if k not in ("build_input_shape", "trainable")}
    return {
        "module": "keras.models" if sequential else keras_graph.FUNCTIONAL,
        "class_name": "Sequential" if sequential else "Functional",
        "config": config | {"layers": layers},
        "registered_name": None if sequential else "Functional",
    }


def _connected(layers: list[dict], config: dict) -> dict:
    """Puts the connections of layers in Keras 3's words, in place; returns the model's own."""
    inputs, outputs = config.get("input_layers"), config.get("output_layers")
    if any(isinstance(node, dict) for layer in layers for node in layer.get("inbound_nodes", [])):
        return {}  # They are.
    offsets = _offsets(layers, outputs)
    for layer in layers:
        nodes = _reindexed(layer.get("inbound_nodes", []), offsets)
        layer |= {"name": _legal(layer["name"]), "inbound_nodes": [_node(node) for node in nodes]}
    # Keras 3 itself counts so where a nested functional model comes last.
    ends = {k: v for k, v in offsets.items() if v and _kind(layers, k) == "Sequential"}
    return {"input_layers": _reindexed(inputs, {}), "output_layers": _reindexed(outputs, ends)}


def _kind(layers: list[dict], name: str) -> str:
    return next(layer["class_name"] for layer in layers if layer.get("name") == _legal(name))


def _offsets(layers: list[dict], outputs) -> dict[str, int]:
    """Returns by how much the calls of nested models are numbered too high.

    In Keras 2 the first call was that which made the model itself.
    """
    offsets = {}
    for layer in layers:
        if layer["class_name"] in _MODELS:
            name, calls = layer["name"], len(layer.get("inbound_nodes", []))
            everything = [outputs, *(other.get("inbound_nodes") for other in layers)]
            highest = max(_references(everything, name), default=0)
            offsets[name] = max(0, highest - calls + 1)
    return offsets


def _references(nodes, name: str) -> list[int]:
    """Returns the numbers of the calls of a layer that nodes refer to."""
    if isinstance(nodes, dict):
        return _references(list(nodes.values()), name)
    if not isinstance(nodes, list):
        return []
    if _is_reference(nodes):
        own = [nodes[1]] if nodes[0] == name else []
        return own + _references(nodes[3:], name)
    return [number for part in nodes for number in _references(part, name)]


def _reindexed(nodes, offsets: dict[str, int]):
    """Returns nodes whose references count calls from 0, of layers with legal names."""
    if isinstance(nodes, dict):
        return {key: _reindexed(value, offsets) for key, value in nodes.items()}
    if not isinstance(nodes, list):
        return nodes
    if _is_reference(nodes):
        rest = _reindexed(nodes[3:], offsets)
        return [_legal(nodes[0]), nodes[1] - offsets.get(nodes[0], 0), nodes[2], *rest]
    return [_reindexed(part, offsets) for part in nodes]


def _node(node: list):
    """Returns a call in Keras 3's words where tensors are among its named arguments.

    Of the older words Keras 3 reads the others only.
    """
    named = [call[3] for call in node if len(call) == 4]
    if not any(_references_any(list(words.values())) for words in named):
        return node
    tensors = [_tensor(call) for call in node]
    words = {key: value for call in named for key, value in call.items()}
    kwargs = {
        key: _tensor(value) if isinstance(value, list) and _is_reference(value) else value
        for key, value in words.items()
    }
    return {"args": tensors if len(tensors) == 1 else [tensors], "kwargs": kwargs}


def _references_any(values: list) -> bool:
    return any(isinstance(value, list) and _is_reference(value) for value in values)


def _tensor(reference: list) -> dict:
    # Its shape is that of what it refers to, whatever is said here.
    return {
        "class_name": "__keras_tensor__",
        "config": {"shape": [None], "dtype": "float32", "keras_history": reference[:3]},
    }


def _is_reference(part: list) -> bool:
    """Tells [layer, call, tensor, maybe arguments] from a list of them."""
    return (
        len(part) in (3, 4) and isinstance(part[0], str) and type(part[1]) is type(part[2]) is int
    )


def _input(shape: list, name: str) -> dict:
    return {
        "module": "keras.layers", "class_name": "InputLayer", "registered_name": None,
        "config": {"batch_shape": shape, "name": name},
    }  # fmt: skip


def _legal(name: str) -> str:
    """Returns a layer's name for Keras 3, in which no name may hold a "/"."""
    return name.replace("/", "--")


def _activation(value, config: dict, label: str):
    """Returns an activation by name; an object of one is a name with its module around it."""
    if isinstance(value, dict) and isinstance(value.get("config"), str):
        value = value["config"]
    if not isinstance(value, str):
        return value
    value = value.removesuffix("_v2")
    if value in _OTHER_FUNCTIONS:
        raise _refusal(label, config, f"{value}, which is another function in Keras 3,")
    return value


def _dtype(value):
    """Returns a policy's name where it is described as an object."""
    if isinstance(value, dict) and isinstance(value.get("config"), dict):
        return value["config"].get("name", value)
    return value


def _operation(part: dict, label: str) -> dict:
    """Returns the layer for a call of TensorFlow between two layers of Keras 2."""
    config, nodes = part["config"], part["inbound_nodes"]
    function = config.get("function")
    call = nodes[0] if len(nodes) == 1 else None
    # ["layer", node, tensor, {arguments}], maybe in a list of its own.
    call = call[0] if call and isinstance(call[0], list) else call
    extra = call[3] if call and len(call) == 4 else None
    if isinstance(extra, dict) and not {*extra} - {"y", "name"}:
        other = extra.get("y")
        source = call[:3]
        if type(other) in (int, float) and function in _ARITHMETIC and other:
            scale, offset = _ARITHMETIC[function](float(other))
            return _placed("Rescaling", {"scale": scale, "offset": offset}, config, [[*source, {}]])
        # A tensor among the arguments is written as [layer, node, tensor].
        is_tensor = isinstance(other, list) and len(other) == 3 and isinstance(other[0], str)
        if is_tensor and function in _OF_TWO:
            return _placed(_OF_TWO[function], {}, config, [[*source, {}], [*other, {}]])
    raise _refusal(label, config, f"the operation tf.{function}, which has no layer here,")


def _placed(kind: str, settings: dict, config: dict, sources: list) -> dict:
    # "tf.math.truediv", "tf.__operators__.add": as a layer's name.
    name = config["name"]
    return {
        "module": "keras.layers", "class_name": kind, "registered_name": None, "name": name,
        "config": settings | {"name": name, "dtype": _dtype(config.get("dtype", "float32"))},
        "inbound_nodes": [sources],
    }  # fmt: skip


def _refusal(label: str, config: dict, what: str) -> InputError:
    return InputError(
        f"{label}: was saved by Keras 2 and has {what} in layer {config.get('name')}. Build the "
        "model in Keras 3, load its weights, and save it as .keras."
    )
