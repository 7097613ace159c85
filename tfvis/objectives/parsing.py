"""Units as people name them, "block4_conv2:24": channels, neurons, classes, directions, layers."""

import dataclasses
import os
import re

import numpy as np

from tfvis import bounds, files
from tfvis.errors import InputError, arg, marked, nearest
from tfvis.words import words as split_words

# A class name may match several classes; more than these is a mistake.
_MOST_CLASSES = 8
_MOST_UNITS = 4096


@dataclasses.dataclass(frozen=True)
class Unit:
    """What is looked at in a layer.

    Attributes:
        layer: a path, or "logits".
        channel: its number; None for a direction or the whole layer.
        position: (row, column) of a single neuron, or None.
        vector: float32 [channels], a direction, or None.
        name: for files and sheets.
    """

    layer: str
    channel: int | None
    position: tuple[int, int] | None = None
    vector: np.ndarray | None = None
    name: str = ""

    @property
    def kind(self) -> str:
        """ "channel", "direction" or "layer"."""
        if self.channel is not None:
            return "channel"
        return "layer" if self.vector is None else "direction"


def wants_logits(text: str | None) -> bool:
    """Tells whether a class score is asked for, so that a classifier is needed."""
    text = text or ""
    return any(re.match(r"logits?(:|$)", word.strip()) for word in split_words(text))


def parse(text: str, network, labels: str | None = None, argument: str = "units") -> list[Unit]:
    """Returns the units that words name in `network`, without doubles.

    Args:
        text: "block4_conv2:24,logit:guitar"; a number alone belongs to the layer before it.
        network: whose layers they are.
        labels: a file with the names of its classes.
        argument: that named them, for messages.

    Raises:
        InputError: not of that form, an unknown layer or class, a channel that is not
            there, a layer without channels or behind a softmax.
    """
    units: list[Unit] = []
    layer = None
    for word in filter(None, split_words(text)):
        given, colon, item = word.rpartition(":")
        if re.fullmatch(r"[\d-]+(@\d+x\d+)?", word) and layer:
            item = word
        elif colon and word not in network.paths:
            layer = _layer(given, network, argument)
        else:
            layer, item = _layer(word, network, argument), ""
        units += _items(layer, item, network, labels, argument)
    if not units:
        raise InputError(f"{arg(argument)}: expected at least one, such as block5_conv3:110.")
    if len(units) > _MOST_UNITS:
        raise InputError(
            f"{arg(argument)}: {len(units)} are too many for one run (at most {_MOST_UNITS})."
        )
    found: dict[tuple[str, str], Unit] = {}
    for unit in units:
        other = found.setdefault((unit.layer, unit.name), unit)
        if unit.vector is None:
            continue
        if other.vector is None or not np.array_equal(other.vector, unit.vector):
            raise InputError(
                f"{arg(argument)}={unit.layer}: two different vectors have the name {unit.name!r}, "
                "and their pictures would, too. Rename one of the files."
            )
    return list(found.values())


def classes(word: str, network, argument: str) -> list[Unit]:
    """Returns the classes that a word names, as `logit:word` among units does.

    Args:
        word: a name, a part of one, or a number.
        network: whose classes they are.
        argument: that named them, for messages.

    Raises:
        InputError: there is none.
    """
    try:
        return parse(f"logit:{word}", network, None, argument)
    except InputError as error:
        # Of a network without classes no word was looked at.
        said = re.sub("=logit: ", f"={word}: ", marked(error), count=1)
        said = re.sub(f"{arg(argument)}=logits?:", f"{arg(argument)}=", said)
        raise InputError(said) from error


def one_class(word: str, network, argument: str) -> Unit:
    """Returns the one class that a word names; see `classes`.

    Raises:
        InputError: there is none, or several are meant.
    """
    found = classes(word, network, argument)
    if len(found) > 1 or found[0].channel is None:
        names = ", ".join(unit.name for unit in found[:8])
        raise InputError(f"{arg(argument)}={word}: stands for several classes ({names}). Name one.")
    return found[0]


def _layer(word: str, network, argument: str) -> str:
    if word in ("logit", "logits") and word not in network.paths:
        if not network.logits:
            why = f" ({marked(network.no_classifier)})" if network.no_classifier else ""
            raise InputError(
                f"{arg(argument)}={word}: {network.name} has no classifier here{why}. Name "
                f"{arg('weights')} that include it, or a layer."
            )
        return "logits"
    try:
        network.check([word])
        network.check_scores(word)
    except InputError as error:
        raise InputError(f"{arg(argument)}: {marked(error)}") from error
    if network.channels_of(word) is None:
        raise InputError(
            f"{arg(argument)}={word}: its output has no channels. Choose a layer whose output is a "
            "map or a vector."
        )
    return word if word == "logits" else network.path(word)


def _items(layer: str, item: str, network, labels: str | None, argument: str) -> list[Unit]:
    channels = network.channels_of(layer)
    if not item:
        return [Unit(layer, None, name="layer")]
    match = re.fullmatch(r"(\d{1,7})(?:-(\d{1,7}))?(?:@(\d{1,5})x(\d{1,5}))?", item)
    if match:
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise InputError(f"{arg(argument)}={layer}:{item}: not a range.")
        if last >= channels:
            raise InputError(
                f"{arg(argument)}={layer}:{item}: the layer has {channels} channels (0 to "
                f"{channels - 1})."
            )
        position = (int(match[3]), int(match[4])) if match[3] else None
        at = f"@{match[3]}x{match[4]}" if match[3] else ""
        return [Unit(layer, c, position, name=f"{c}{at}") for c in range(first, last + 1)]
    if item.endswith(".npy"):
        stem = os.path.splitext(os.path.basename(item))[0]
        name = f"direction {stem}"  # A file may be called like a channel, or "sheet".
        return [Unit(layer, None, vector=_direction(item, layer, channels, argument), name=name)]
    if network.path(layer) == network.logits:
        found = _classes(item, channels, labels, network.classes, argument)
        return [Unit(layer, c, name=f"{c} {name}") for c, name in found]
    raise InputError(
        f"{arg(argument)}={layer}:{item}: expected a channel such as 7, a range 0-24, a neuron "
        "7@3x5, or a direction in a .npy file."
    )


def _direction(path: str, layer: str, channels: int, argument: str) -> np.ndarray:
    """Returns the vector in a .npy file; nothing in it is executed."""
    label = f"{arg(argument)}={layer}:{path}"
    file = files.check(files.located(path, label), label, bounds.ARRAY)
    try:
        stored = np.load(file, mmap_mode="r", allow_pickle=False)
        if not isinstance(stored, np.ndarray):
            raise ValueError("it is an archive")
        numeric = np.issubdtype(stored.dtype, np.number) and stored.dtype.kind != "c"
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{label}: cannot be read as an array ({error}).") from error
    if stored.shape != (channels,) or not numeric:
        raise InputError(
            f"{label}: expected {channels} numbers, one per channel. "
            f"Received: {stored.dtype} {stored.shape}."
        )
    with np.errstate(over="ignore"):
        vector = np.asarray(stored, np.float32)
    if not np.isfinite(vector).all() or not vector.any():
        raise InputError(f"{label}: expected finite numbers, not all of them 0.")
    return vector


def _classes(
    word: str, count: int, file: str | None, own: tuple[str, ...], argument: str
) -> list[tuple[int, str]]:
    """Returns the classes a word stands for: that of this name, or all that contain it."""
    # Only now: it takes TensorFlow along.
    from tfvis.networks import labels as naming

    known: tuple[naming.Label, ...] | None
    if file is not None:
        known = naming.read(file, count)
    elif own:
        known = tuple(naming.Label((name,)) for name in own)
    else:
        known = naming.of_count(count)
    if known is None:
        raise InputError(
            f"{arg(argument)}=logit:{word}: the names of the classes are not known. Give the "
            f"number of the class (logit:3), or {arg('labels')}=FILE with one name per line."
        )
    names = [label.name for label in known]
    found = naming.matching(word, known)
    if not found:
        raise InputError(
            f"{arg(argument)}=logit:{word}: no class of this name. {nearest(word, names)}"
        )
    if len(found) > _MOST_CLASSES:
        shown = ", ".join(names[i] for i in found[:_MOST_CLASSES])
        raise InputError(
            f"{arg(argument)}=logit:{word}: stands for {len(found)} classes ({shown}, ...)."
        )
    return [(i, names[i]) for i in found]
