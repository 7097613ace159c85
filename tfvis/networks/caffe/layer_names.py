"""Caffe's names of layers as names that Keras, TensorFlow and tfvis' paths can bear."""

import re


def legal(name: str) -> str:
    """Returns the name of the Keras layer for a Caffe layer's.

    Letters, digits, "_", "-" and "." stay. "/" is what parts the names of nested models in a
    path: it becomes "--" ("inception_3a/1x1" is inception_3a--1x1). Anything else becomes "-".
    A name that would begin with "_" or "-", or be empty, gets "layer" in front.
    """
    name = re.sub(r"[^A-Za-z0-9_.-]", "-", name.replace("/", "--"))
    return name if re.match(r"[A-Za-z0-9.]", name) else "layer" + name


def free(name: str, taken) -> str:
    """Returns `name`, with "_" appended until it is not in `taken`."""
    while name in taken:
        name += "_"
    return name
