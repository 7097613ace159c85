"""What a model itself does to pixels before its first layer with weights, told by numbers.

Colours go in and are looked for in front of the first kernels: whatever spells a rescaling or an
exchange of channels, it is what it does. Layers that draw, pad, crop or resize leave a picture of
one colour as it is.
"""

import dataclasses

import keras
import numpy as np

from tfvis.networks import keras_graph, rewiring
from tfvis.networks.keras_graph import ordered, sources
from tfvis.networks.preprocessing import layers as embedded

# Side of the pictures that are tried where a model takes any, and the largest that is tried.
_SIDE, _LARGEST = 256, 2048
# Levels (of 255) that what passes unchanged may be off: half precision is, by an eighth.
_SAME = 1.0
# Colours, RGB, no three channels alike; black and white give the range.
_COLOURS = ((0, 0, 0), (255, 255, 255), (40, 120, 230), (210, 20, 90), (5, 180, 60))
# A picture of two levels, left and right: what stretches contrast does not leave it.
_LEVELS, _OVERSHOOT = (100.0, 120.0), 8.0
# Layers that keep state of their own and are preparation all the same.
_PREPARING = (keras.layers.Normalization,)


@dataclasses.dataclass(frozen=True)
class Front:
    """What is in front of the first layer with weights.

    Attributes:
        changes: whether pixels of 0..255, RGB, do not reach it as they are.
        said: a clause about it, such as "brings pixels to 0..1 itself (to_unit)"; "" if nothing
            changes.
        layers: {path: layer} without those in front.
    """

    changes: bool
    said: str
    layers: dict[str, keras.Layer]


def of(model: keras.Model) -> Front:
    """Returns what a model does to pixels first.

    Args:
        model: built.

    Raises:
        InputError: as `rewiring.rewire`.
    """
    graph = rewiring.rewire(model)
    return of_graph(graph)


def of_graph(graph: rewiring.Graph) -> Front:
    """Returns the same of a model that is rewired already."""
    front, ends, inner = _split(graph)
    behind = {
        path: graph.layers[path]
        for path, tensor in graph.tensors.items()
        if id(tensor) not in {id(one) for one in front}
    }
    if any(isinstance(layer, embedded.Resize) for layer in graph.layers.values()):
        return Front(True, "takes pictures as they come from files", behind)
    said = _said(graph.inputs, front, ends)
    if said:
        return Front(True, said, behind)
    for nested in inner:
        # A model of several outputs stands as one layer; what is in front in it counts as well.
        found = of(nested)
        if found.changes:
            return dataclasses.replace(found, layers=behind)
        behind = found.layers | behind
    return Front(False, "", behind)


def _split(graph: rewiring.Graph) -> tuple[list, list, list[keras.Model]]:
    """Returns the tensors made without weights, those that weights take, and nested models."""
    free, done = {id(graph.inputs)}, {id(graph.inputs)}
    front, ends, inner = [], [], []
    for tensor in graph.tensors.values():
        for one in ordered(tensor, stop=done)[0]:
            if id(one) in done:
                continue
            done.add(id(one))
            operation, parents = keras_graph.operation(one), sources(one)
            if not _has_weights(operation):
                if parents and all(id(parent) in free for parent in parents):
                    free.add(id(one))
                    front.append(one)
                continue
            taken = [parent for parent in parents if id(parent) in free]
            ends += [parent for parent in taken if not any(parent is end for end in ends)]
            if taken and isinstance(operation, keras.Model) and len(operation.inputs) == 1:
                inner.append(operation)
    if not ends and front:  # No weights at all: what comes out.
        ends = [front[-1]]
    return front, ends, inner


def _has_weights(operation) -> bool:
    return bool(getattr(operation, "weights", ())) and not isinstance(operation, _PREPARING)


def _said(inputs, front: list, ends: list) -> str:
    """Returns what is done to pixels, "" if nothing."""
    channels = inputs.shape[-1]
    changed = [end for end in ends if end is not inputs]
    if not changed:
        return ""
    sides = [_SIDE if side is None else side for side in inputs.shape[1:3]]
    if len(inputs.shape) != 4 or channels is None or max(sides) > _LARGEST:
        return f"has layers in front that cannot be tried ({_names(changed)})"
    model = keras.Model(inputs, [*front])
    colours = np.array(_COLOURS, np.float32)
    colours = colours if channels == 3 else np.repeat(colours[:, 2:], channels, axis=1)
    try:
        plain = [_run(model, np.broadcast_to(c, (1, *sides, channels))) for c in colours]
        two = np.full((1, *sides, channels), _LEVELS[0], np.float32)
        two[:, :, sides[1] // 2 :] = _LEVELS[1]
        uneven = _run(model, two)
    except Exception as error:  # Whatever is in front may refuse; then nothing is known of it.
        why = f"{_names(changed)}: {type(error).__name__}"
        return f"has layers in front that cannot be tried ({why})"
    seen = {id(inputs): colours}
    for k, tensor in enumerate(front):
        rows = [_colour(values[k], channels) for values in plain]
        kept = all(row is not None for row in rows) and len({len(row) for row in rows}) == 1
        seen[id(tensor)] = np.stack(rows) if kept else None
    steady = {id(tensor) for k, tensor in enumerate(front) if _steady(uneven[k])}
    for end in changed:
        after = seen[id(end)]
        if _same(after, colours) and id(end) in steady:
            continue
        names = _names(
            t for t in front
            if not any(_same(seen[id(t)], seen.get(id(p))) for p in sources(t))
        ) or _names([end])  # fmt: skip
        return f"{_what(after, colours)} ({names})"
    return ""


def _run(model: keras.Model, pixels) -> list:
    found = model(np.asarray(pixels, np.float32), training=False)
    return [np.asarray(keras.ops.convert_to_numpy(one)) for one in keras.tree.flatten(found)]


def _colour(values: np.ndarray, channels: int) -> np.ndarray | None:
    """Returns the colour in the middle of what became of a picture of one colour.

    Args:
        values: [1, ...], with channels along the last axis, or along another (channels first),
            or several pixels after one another along the last (patches, a flat picture).
        channels: of the picture.
    """
    if not values.size or values.ndim < 2:
        return None
    values = np.asarray(values[0], np.float32)
    if values.ndim == 1 and values.size % channels:
        return None
    last = values.shape[-1]
    axis = -1
    if last % channels:
        others = [k for k in range(values.ndim) if values.shape[k] == channels]
        if not others:
            return None
        axis = others[0]
    values = np.moveaxis(values, axis, -1)
    middle = values[tuple(side // 2 for side in values.shape[:-1])]
    if channels == 1 or len(middle) == channels:
        return middle[:channels] if np.ptp(middle) <= _SAME else middle
    pixels = middle.reshape(-1, channels)
    return pixels[len(pixels) // 2]


def _steady(values: np.ndarray) -> bool:
    """Tells whether a picture of two levels still has no others, but for a padding of zeros."""
    values = np.asarray(values, np.float32)
    values = values[values != 0]
    low, high = _LEVELS[0] - _OVERSHOOT, _LEVELS[1] + _OVERSHOOT
    return bool(values.size) and low <= values.min() and values.max() <= high


def _same(after, before) -> bool:
    if after is None or before is None or np.shape(after) != np.shape(before):
        return False
    return bool(np.abs(after - before).max() <= _SAME)


def _what(after, colours: np.ndarray) -> str:
    """Says in words what became of colours."""
    if after is None or not np.isfinite(after).all():
        return "prepares pixels itself, in a way of its own"
    low, high = float(after[0].mean()), float(after[1].mean())
    if after.shape != colours.shape:
        return "prepares pixels itself, in a way of its own"
    if _same(after, colours[:, ::-1]):
        return "exchanges red and blue itself"
    mixed = np.corrcoef(after[2:].T, colours[2:].T)[: after.shape[1], after.shape[1] :] if (
        after.shape[1] == 3 and np.ptp(after[2:], axis=0).min() > 0
    ) else np.eye(after.shape[1])  # fmt: skip
    swapped = " and exchanges red and blue" if np.argmax(mixed[0]) == 2 else ""
    return f"brings black and white to {low:.3g} and {high:.3g} itself{swapped}"


def _names(tensors) -> str:
    names = [keras_graph.operation(tensor).name.replace("--", "/") for tensor in tensors]
    names = list(dict.fromkeys(names))
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
