"""Reading .prototxt files: protobuf's text form of a network."""

import dataclasses
import os
import re

from google.protobuf import text_format

from tfvis import files
from tfvis.errors import InputError, Text, arg, marked
from tfvis.networks.caffe import (
    data_layers,
    net_state_rules,
    prototxt_fields,
    schema,
    upgrade_proto,
)
from tfvis.networks.files import weight_files

# Nets of a thousand layers take half of it.
_MAX_BYTES = 2 << 20


@dataclasses.dataclass(frozen=True)
class Prototxt:
    """A network as text describes it.

    Attributes:
        net: in the phase TEST; its layers as V2 messages, those that a training alone has
            left out; what reads its pictures as a layer of type Input.
        lines: layer -> the line its `layer {` stands in.
        unknown: layer -> its fields that are not known here.
        shown: what its data layer makes of pictures; None where it has none.
        notes: what should be known of it, a line each.
    """

    net: schema.NetParameter
    lines: dict[str, int]
    unknown: dict[str, list[prototxt_fields.Field]]
    shown: data_layers.Shown | None
    notes: tuple[str, ...]


def read(path: os.PathLike | str, stages: tuple[str, ...] = ()) -> Prototxt:
    """Reads a .prototxt.

    Args:
        path: the file.
        stages: the stages that its include and exclude rules are asked about.

    Raises:
        InputError: missing, larger than any network, or not a network; names file and line.
    """
    path = files.located(path)
    data = files.read_bytes(path, str(path), _MAX_BYTES)
    if what := files.mistaken(data[:256]):
        raise InputError(f"{path}: not a .prototxt but {what}.")
    # What is not UTF-8 is a comment in another encoding, as a rule.
    return parsed(files.decoded(data, "replace"), path, stages)


def parsed(text: str, path: os.PathLike | str, stages: tuple[str, ...] = ()) -> Prototxt:
    """Returns the network that `text` describes.

    Args:
        text: a NetParameter in protobuf's text form.
        path: where it comes from, for the messages.
        stages: see `read`.

    Raises:
        InputError: as `read`.
    """
    scan = prototxt_fields.scanned(text, path)
    net = schema.NetParameter()
    try:
        text_format.Parse(text, net, allow_unknown_field=True)
    except text_format.ParseError as error:
        raise InputError(f"{path}{_reason(error, scan.unclosed)}.") from error
    except Exception as error:
        # Its parser lets a few others through: numbers of too many digits, odd escapes.
        raise InputError(f"{path}: {weight_files.first_line(error)}.") from error
    _check_generations(scan, path)
    state = net_state_rules.state(net, stages)
    notes = _stages(net, state, path)
    net.state.CopyFrom(state)
    if net.input and not (net.input_dim or net.input_shape):
        raise InputError(
            f"{path}: input {net.input[0]} has no size; give input_dim or input_shape."
        )
    try:
        used = [net_state_rules.included(layer, net.state) for layer in (*net.layer, *net.layers)]
        texts = _by_name(net, scan, used, path)
        net = upgrade_proto.upgraded(net)
        kept = [layer for layer in net.layer if net_state_rules.included(layer, net.state)]
    except InputError as error:
        reason = marked(error)
        raise InputError(
            f"{reason if reason.startswith(str(path)) else f'{path}: {reason}'}."
        ) from error
    if not kept:
        raise InputError(f"{path}: describes no layer of a network in use; is it a .prototxt?")
    for field in scan.unknown:
        raise InputError(
            f"{path}:{field.line}: has {field.name}, which is not known here and may change what "
            "the network computes; take it out if it does not."
        )
    net.ClearField("layer")
    net.layer.extend(_as_input(la) if data_layers.is_data(la) else la for la in kept)
    shown = next((data_layers.shown(la) for la in kept if data_layers.is_data(la)), None)
    lines = {name: text.line for name, text in texts.items()}
    unknown = {name: text.unknown for name, text in texts.items() if text.unknown}
    return Prototxt(net, lines, unknown, shown, notes)


def _check_generations(scan: prototxt_fields.Scan, path) -> None:
    new, old = scan.layers["layer"], scan.layers["layers"]
    if new and old:
        raise InputError(
            f"{path}:{max(new[0].line, old[0].line)}: has both `layer` and `layers`, of which "
            "Caffe reads only one; write all of them in the same way."
        )


def _stages(net, state, path) -> tuple[str, ...]:
    """Says which stages there are, where none was asked for."""
    found = net_state_rules.stages_of(net)
    if not found or state.stage:
        return ()
    said = f"{path}: has layers of the stages {', '.join(found)}; none is chosen ({arg('stage')}=)"
    return (Text(said),)


def _by_name(
    net, scan: prototxt_fields.Scan, used: list[bool], path
) -> dict[str, prototxt_fields.LayerText]:
    """Returns where the layers in use stand; all have names of their own."""
    texts: dict[str, prototxt_fields.LayerText] = {}
    layers = (*net.layer, *net.layers)
    found = (*scan.layers["layer"], *scan.layers["layers"])
    for layer, text, is_used in zip(layers, found, used, strict=False):
        name = layer.name or getattr(layer, "layer", layer).name
        if is_used and name in texts:
            raise InputError(
                f"{path}:{text.line}: a second layer named {name!r} (the first is in line "
                f"{texts[name].line}); give each a name of its own"
            )
        if is_used:
            texts[name] = text
    return texts


def _as_input(layer) -> schema.LayerParameter:
    """Returns the Input that stands for a data layer."""
    result = schema.LayerParameter(name=layer.name, type="Input", top=layer.top)
    for dims in data_layers.sizes(layer):
        result.input_param.shape.add().dim.extend(dims)
    return result


def _reason(error: text_format.ParseError, unclosed: int) -> str:
    """Returns ":line: reason", in words that do not speak of our schema."""
    # The parser's own begin with line, column and the text of the line.
    text = re.sub(r"^\d+:\d+ : ('.*': )?", "", str(error), flags=re.DOTALL)
    text = re.sub(r'"tfvis\.caffe\.(\w+?)(_\.Value)?"', r"\1", text)
    reason = weight_files.first_line(ValueError(text))
    if reason == 'Expected "}"' and unclosed:
        # The parser passes over all that stands in it, and finds fault with the file's end.
        return (
            f":{unclosed}: the brace that is opened here is never closed; add a }}, or get the "
            "file anew if it is cut off"
        )
    reason = reason.replace("Expected identifier or number, got }", "a } that closes nothing")
    return f":{error.GetLine()}: {reason}" if error.GetLine() else f": {reason}"
