"""Files and folders that hold a network in a form that is not opened here: what to do instead."""

import pathlib

from tfvis.errors import arg

_SAVE = "in Python, open it and call model.save('NAME.keras')"
_WRAP = "or look at the model itself: tfvis.wrap(model)"
_HOLDS_WEIGHTS = (
    f"holds weights and no layers. Name the network: {arg('network')}=NAME {arg('weights')}={{}}"
)
# By the end of the name, the longer ones first.
_BY_SUFFIX = {
    ".weights.h5": _HOLDS_WEIGHTS,
    ".npz": _HOLDS_WEIGHTS,
    ".caffemodel": (
        f"holds weights and no layers. Name its .prototxt, or a network: {arg('network')}=NAME "
        f"{arg('weights')}={{}}"
    ),
    ".onnx": (
        "an ONNX graph; its weights can be read into the same network of Keras or Caffe: "
        f"{arg('network')}=NAME {arg('weights')}={{}}"
    ),
    ".pb": "a graph of TensorFlow, which has no layers of Keras; where it was made, save the "
    "Keras model: model.save('NAME.keras')",
    ".tflite": "made for running, its layers are gone; save the Keras model it was made of: "
    "model.save('NAME.keras')",
    ".json": f"describes layers and holds no weights; {_SAVE}, {_WRAP}",
}
_PICKLED = (
    "a file of PyTorch, which is code to whoever opens it; export its weights to ONNX and give "
    f"them to the same network of Keras: {arg('network')}=NAME {arg('weights')}=FILE.onnx"
)
_BY_SUFFIX |= dict.fromkeys((".pt", ".pth", ".ckpt", ".bin", ".safetensors", ".pkl"), _PICKLED)
_CHECKPOINT = (
    "weights of TensorFlow, without layers; build the model, load them, and call "
    "model.save('NAME.keras')"
)
_BY_SUFFIX |= dict.fromkeys((".index", ".data-00000-of-00001"), _CHECKPOINT)


def advice(path: pathlib.Path) -> str:
    """Returns what a file or folder is and what to do with it, "" where that is not known.

    Args:
        path: there or not; looked at by name, and a folder by what is in it.
    """
    if path.is_dir():
        return _of_folder(path)
    name = path.name.lower()
    said = next((said for suffix, said in _BY_SUFFIX.items() if name.endswith(suffix)), "")
    return said.format(path)


def _of_folder(path: pathlib.Path) -> str:
    if (path / "keras_metadata.pb").is_file():
        return (
            "a SavedModel of Keras 2, whose layers Keras 3 cannot open; with tf_keras, "
            f"tf_keras.models.load_model({str(path)!r}).save('NAME.h5')"
        )
    if (path / "saved_model.pb").is_file() or (path / "saved_model.pbtxt").is_file():
        return (
            "a SavedModel (as from model.export or TensorFlow Hub), made for running: its layers "
            "are gone; save the Keras model it was made of: model.save('NAME.keras')"
        )
    if (path / "config.json").is_file() and (path / "model.weights.h5").is_file():
        return "an unpacked .keras file; zip what is in it as NAME.keras"
    return "a folder without a classifier.json"
