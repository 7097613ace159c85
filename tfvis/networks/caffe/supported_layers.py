"""Which layers of a Caffe network are to be opened: all that is known here, or up to one layer.

A network is also looked into whose end is not known here: the trunk of a detector before its
boxes are made. What is left out is always said.
"""

import dataclasses

from tfvis.errors import InputError, arg, nearest
from tfvis.networks.caffe import schema
from tfvis.networks.caffe.layer_names import legal
from tfvis.networks.caffe.prototxt import Prototxt

# What only a training or a test of it needs; SoftmaxWithLoss and its like are a function of the
# scores first, and that is kept.
_LEFT_OUT = (
    "Accuracy", "ContrastiveLoss", "DetectionEvaluate", "EuclideanLoss", "HDF5Output", "HingeLoss",
    "InfogainLoss", "L1Loss", "MultiBoxLoss", "MultinomialLogisticLoss", "Silence", "SmoothL1Loss",
    "TripletLoss",
)  # fmt: skip
_ANSWERS = {"SoftmaxWithLoss": "Softmax", "SigmoidCrossEntropyLoss": "Sigmoid"}
# The largest networks have some two thousand; of these ResNet-152 has 560 one after another,
# of which Keras, which goes from each into the one before it, takes 900.
_MOST_LAYERS, _DEEPEST = 4000, 800
_SAY_SIZE = "Say it as a deploy.prototxt does, with input: and input_shape."


@dataclasses.dataclass(frozen=True)
class Plan:
    """Layers to be opened.

    Attributes:
        net: these layers and one Input; `layers_to_keras.translated` takes it.
        notes: what is left out and why, a line each.
    """

    net: schema.NetParameter
    notes: tuple[str, ...]


def planned(read: Prototxt, label: str, known, until: str | None = None) -> Plan:
    """Returns what is to be opened of a network.

    Args:
        read: the network.
        label: what messages begin with, such as the path of its file.
        known: the types of layers that can be translated.
        until: the last layer, by its name in the file; None for all that is known.

    Raises:
        InputError: no layer `until`, or one not known before it; not one input of pictures; a
            field that is not known in a layer that is; two layers that put out one blob.
    """
    return _Planner(read, label, frozenset(known), until).plan()


class _Planner:
    def __init__(self, read: Prototxt, label: str, known: frozenset[str], until: str | None):
        self._read, self._label, self._known, self._until = read, label, known, until
        self._inputs = [layer for layer in read.net.layer if layer.type == "Input"]
        self._layers = [
            _answer(la) for la in read.net.layer if la.type not in ("Input", *_LEFT_OUT)
        ]
        if len(self._layers) > _MOST_LAYERS:
            raise InputError(
                f"{label}: has {len(self._layers):,} layers; at most {_MOST_LAYERS:,} are "
                "supported."
            )

    def plan(self) -> Plan:
        if self._until is not None:
            self._layers = self._ancestors()
        inputs, withheld = self._pictures()
        kept, reasons, lost = self._known_ones(withheld)
        if not kept:
            raise InputError(f"{self._label}: {next(iter(reasons), 'has no layers to run')}.")
        self._check(kept)
        net = schema.NetParameter(name=self._read.net.name)
        net.layer.extend([*inputs, *kept])
        return Plan(net, tuple(self._notes(reasons, lost)))

    def _notes(self, reasons: list[str], lost: list[str]) -> list[str]:
        if not reasons:
            return []
        what = f"with {_listed(lost)}, which need it" if lost else "and nothing needs it"
        return [f"{self._label} is opened in part: {_listed(reasons)}; left out, {what}"]

    def _ancestors(self) -> list:
        """Returns the layers that `until` depends on, itself the last."""
        names = [layer.name for layer in self._layers]
        wanted = [i for i, name in enumerate(names) if self._until in (name, legal(name))]
        if not wanted:
            raise InputError(
                f"{arg('until')}={self._until}: {self._label} has no such layer. "
                f"{nearest(self._until, names)}"
            )
        makers: dict[str, int] = {}
        needs: list[set[int]] = []
        for i, layer in enumerate(self._layers):
            needs.append({makers[blob] for blob in layer.bottom if blob in makers})
            makers |= dict.fromkeys(layer.top, i)
        found, open_ = set(), {wanted[0]}
        while open_:
            one = open_.pop()
            found.add(one)
            open_ |= needs[one] - found
        return [self._layers[i] for i in sorted(found)]

    def _pictures(self) -> tuple[list, set[str]]:
        """Returns the Input of pictures, and the blobs of all other inputs.

        Where there is not one of pictures, all of them, for `translated` to refuse.
        """
        taken = {blob for layer in self._layers for blob in layer.bottom}
        found, sizeless = [], []
        for layer in self._inputs:
            shapes = layer.input_param.shape
            for k, blob in enumerate(layer.top):
                dims = list(shapes[min(k, len(shapes) - 1)].dim) if shapes else []
                if len(dims) == 4 and blob in taken:
                    found.append((layer, blob, dims))
                elif not dims and blob in taken:
                    sizeless.append(layer)
        if not found and sizeless:
            raise InputError(
                f"{self._label}: layer {sizeless[0].name}{self._line(sizeless[0])} does not say "
                f"how large its pictures are (crop_size). {_SAY_SIZE}"
            )
        if len(found) != 1:
            return self._inputs, set()
        ((layer, blob, dims),) = found
        picture = schema.LayerParameter(name=layer.name, type="Input", top=[blob])
        picture.input_param.shape.add().dim.extend(dims)
        return [picture], {top for other in self._inputs for top in other.top} - {blob}

    def _known_ones(self, withheld: set[str]) -> tuple[list, list[str], list[str]]:
        """Returns the layers to be kept, why some are not, and the names of who needs those."""
        kept, reasons, lost, gone = [], [], [], set()
        for layer in self._layers:
            if gone & set(layer.bottom):
                lost.append(layer.name)
            elif layer.type not in self._known:
                if self._until is not None:
                    raise InputError(
                        f"{arg('until')}={self._until}: {self._label}: needs layer "
                        f"{self._named(layer)}, which is not supported."
                    )
                source = "" if layer.bottom else f", and its size not known. {_SAY_SIZE[:-1]}"
                reasons.append(f"layer {self._named(layer)} is not supported{source}")
            elif withheld & set(layer.bottom):
                (blob, *_) = sorted(withheld & set(layer.bottom))
                raise InputError(
                    f"{self._label}: layer {self._named(layer)} takes {blob!r}, an input that is "
                    f"no picture. {arg('until')}=LAYER opens what lies before it."
                )
            else:
                kept.append(layer)
                # What was lost under this name is made anew.
                gone -= set(layer.top)
                continue
            gone |= set(layer.top)
        return kept, reasons, lost

    def _check(self, kept: list) -> None:
        makers: dict[str, object] = {}
        depths: dict[str, int] = {}
        for layer in kept:
            depth = 1 + max((depths.get(blob, 0) for blob in layer.bottom), default=0)
            depths |= dict.fromkeys(layer.top, depth)
            if depth > _DEEPEST:
                raise InputError(
                    f"{self._label}: layer {self._named(layer)} has more than {_DEEPEST} layers "
                    f"before it, one after another, which is not supported. {arg('until')}=LAYER "
                    "ends the network earlier."
                )
            for field in self._read.unknown.get(layer.name, ()):
                raise InputError(
                    f"{self._label}:{field.line}: layer {layer.name} of type {layer.type} has "
                    f"{field.name}, which is not known here and may change what it computes. Take "
                    f"it out if it does not, or open what lies before it with {arg('until')}=LAYER."
                )
            for k, blob in enumerate(layer.top):
                in_place = k < len(layer.bottom) and layer.bottom[k] == blob
                if blob in makers and not in_place:
                    raise InputError(
                        f"{self._label}: layers {self._named(makers[blob])} and "
                        f"{self._named(layer)} both put out {blob!r}; Caffe takes no such file."
                    )
                makers[blob] = layer

    def _named(self, layer) -> str:
        kind = f"of type {layer.type}" if layer.type else "without a type"
        return f"{layer.name} {kind}{self._line(layer)}"

    def _line(self, layer) -> str:
        line = self._read.lines.get(layer.name)
        return f" (line {line})" if line else ""


def _answer(layer):
    """Returns the layer that gives the answers where a loss was worked out of them."""
    if layer.type not in _ANSWERS:
        return layer
    answer = schema.LayerParameter(name=layer.name, type=_ANSWERS[layer.type])
    answer.bottom.extend(layer.bottom[:1])
    answer.top.append(layer.top[0] if layer.top else layer.name)
    answer.softmax_param.CopyFrom(layer.softmax_param)
    return answer


def _listed(names: list[str]) -> str:
    rest = len(names) - 3
    return ", ".join(names[:3]) + (f" and {rest} more" if rest > 0 else "")
