"""What a part of a graph does to places, by running it by itself (`probing`)."""

import dataclasses
import weakref

import numpy as np
import tensorflow as tf

from tfvis.networks import keras_graph
from tfvis.networks.keras_graph import ordered
from tfvis.networks.receptive_field import probing
from tfvis.networks.receptive_field.layer_rules import Layout, Support

# Operations that are asked as one, at most.
TOGETHER = 24
# Answers live as long as the operations that gave them.
_ANSWERS: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


@dataclasses.dataclass(frozen=True)
class Lost:
    """Why there are no places any more.

    Attributes:
        operation: the name of the operation behind which there are none.
        why: a clause of which it is the subject.
        hidden: whether they may come to light again further on.
    """

    operation: str
    why: str
    hidden: bool = False

    def __str__(self):
        return f"{self.operation.replace('--', '/')} {self.why}"


@dataclasses.dataclass(frozen=True)
class Question:
    """What is asked.

    Attributes:
        layout, sizes: of the places that come in.
        strict: whether all counts that is seen; else what an output is mostly made of.
    """

    layout: Layout
    sizes: tuple[int, int]
    strict: bool


def ask(
    start, end, shapes: dict[int, tuple], question: Question
) -> tuple[Layout, Support, Support] | Lost:
    """Returns the layout of `end` and what it sees of `start`.

    Args:
        start, end: symbolic tensors.
        shapes: {id: shape without the batch} of `start` and of what else `end` is made of,
            back to which the graph is run; None where it is not known.
        question: about what.
    """
    operation = keras_graph.operation(end)
    if len(end.shape) < 3:
        return Lost(operation.name, "makes a vector of the places", hidden=True)
    answers = _ANSWERS.setdefault(operation, {})
    # By name: numbers of objects are given anew.
    key = (start.name, end.name, tuple(shapes.values()), question)
    if key not in answers:
        answers[key] = _answer(start, end, shapes, question)
    return answers[key]


def _answer(start, end, shapes, question) -> tuple[Layout, Support, Support] | Lost:
    name = keras_graph.operation(end).name
    if any(shape is None or None in shape for shape in shapes.values()):
        return Lost(name, "takes inputs whose size is not known", hidden=True)
    try:
        run = _function(start, end, shapes)
        probe = probing.Probe(run, shapes[id(start)], start.dtype, question.layout, question.sizes)
        found = probe.support()
        running = found is not None and any(map(probing.running, found[1:]))
        if not question.strict and (running or found is None):
            found = probe.dominant()
    except probing.Unclear as error:
        return Lost(name, error.args[0], hidden=True)
    if found is None and running:
        # A difference further on may find them again.
        return Lost(name, "adds up all places before each", hidden=True)
    if found is None:
        return Lost(name, "joins all places")
    layout, rows, columns = found
    return layout, Support(rows), Support(columns)


def _function(start, end, shapes):
    """Returns the function from one tensor to another, all others standing still."""
    order, _ = ordered(end, stop=shapes)
    others = {id(tensor): tensor for tensor in order if id(tensor) in shapes}
    others.pop(id(start), None)
    random = np.random.default_rng(1)
    still = {key: random.normal(size=(1, *shapes[key])) for key in others}

    def run(x):
        values = {id(start): x}
        for key, value in still.items():
            value = np.broadcast_to(value, (len(x), *value.shape[1:]))
            values[key] = tf.cast(tf.constant(value, tf.float32), others[key].dtype)
        for tensor in order:
            if id(tensor) in values:
                continue
            values[id(tensor)] = keras_graph.computed(tensor, values)
        return values[id(end)]

    return run
