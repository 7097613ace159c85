"""What a Keras model's config asks for, looked through before Keras opens it.

Keras refuses code in files as well (`safe_mode`), but says so in a page about everything it
was given; and a class that it does not know is looked for by importing what the file names.
"""

import keras

from tfvis.errors import InputError

# Where the parts of a model live; whatever else a file names in Keras is no part of one.
_HOMES = (
    "activations", "constraints", "dtype_policies", "initializers", "layers", "models", "ops",
    "quantizers", "random", "regularizers",
)  # fmt: skip
_WRAP = "In Python, open it with what it needs and look at it as tfvis.wrap(model)"
# Layers that run code, or a graph, which the file brings or names.
_CODE = {
    "Lambda": "Python code",
    "TFSMLayer": "a SavedModel",
    "TorchModuleWrapper": "a module of PyTorch",
    "JaxLayer": "a function of JAX",
    "FlaxLayer": "a module of Flax",
}


def check(config: dict, label: str) -> None:
    """Raises InputError where a config holds code, or names a class that is not Keras'.

    Args:
        config: of a model, as Keras 3 writes it.
        label: what messages begin with, such as "--network=net.keras".
    """
    # By hand, not by recursion: a file may be nested deeper than Python's stack.
    stack = [(config, "")]
    while stack:
        part, layer = stack.pop()
        if isinstance(part, dict):
            inner = part.get("config")
            if isinstance(part.get("class_name"), str) and "config" in part:
                if isinstance(inner, dict) and isinstance(inner.get("name"), str):
                    layer = inner["name"]
                _check_part(part, layer, label)
            stack += [(value, layer) for key, value in part.items() if key != "compile_config"]
        elif isinstance(part, list):
            stack += [(value, layer) for value in part]


def _check_part(part: dict, layer: str, label: str) -> None:
    kind, module, registered = (part.get(k) for k in ("class_name", "module", "registered_name"))
    where = f" (layer {layer})" if layer else ""
    if kind == "__lambda__" or (kind in _CODE and _runs_code(part)):
        what = _CODE.get(kind, "Python code")
        raise InputError(f"{label}: keeps {what}{where}, which is not run. {_WRAP}.")
    if isinstance(registered, str) and keras.saving.get_registered_object(registered):
        return
    own = isinstance(registered, str) and ">" in registered
    if not own and (module is None or _is_part(str(module))):
        return
    name = registered if own else f"{module}.{kind}"
    if kind == "function":
        name = f"{module}.{part.get('config')}"
    raise InputError(
        f"{label}: needs {name}{where}, which is not part of Keras, and nothing is imported for "
        f"a file. {_WRAP}."
    )


def _runs_code(part: dict) -> bool:
    """Tells whether a layer of `_CODE` does; a Lambda may also name a function of Keras."""
    if part["class_name"] != "Lambda":
        return True
    function = part["config"].get("function") if isinstance(part["config"], dict) else None
    return not (isinstance(function, dict) and function.get("class_name") == "function")


def _is_part(module: str) -> bool:
    """Tells whether a module is one of Keras' that hold parts of models, or of Python's types."""
    if module in ("builtins", "keras") or module.startswith("tfvis."):
        return True
    parts = module.split(".")
    if parts[0] != "keras":
        return False
    home = parts[2:3] if parts[1] == "src" else parts[1:2]
    return bool(home) and home[0] in _HOMES
