"""Reading .prototxt files: protobuf's text form of a network."""

import dataclasses
import os
import re

from google.protobuf import text_format

from tfvis import files
from tfvis.errors import InputError
from tfvis.networks import weight_files
from tfvis.networks.caffe import schema, upgrading

# Nets of a thousand layers take half of it. protobuf reads up to two megabytes a second; of a
# long line it looks at all the rest with every word.
_MAX_BYTES, _MAX_LINE = 2 << 20, 1 << 14
# The deepest of Caffe's messages is three levels down.
_MAX_DEPTH = 32
# Comments and strings may hold braces; an open string ends with its line, as in protobuf.
_TOKEN = re.compile(r"""#[^\n]*|"(?:[^"\n\\]|\\.)*"?|'(?:[^'\n\\]|\\.)*'?|[\w.+-]+|[{}<>\n]""")


@dataclasses.dataclass(frozen=True)
class Prototxt:
    """A network as text describes it.

    Attributes:
        net: in the phase TEST; its layers as V2 messages, those that a training alone has
            left out.
        lines: layer -> the line its `layer {` stands in; of a repeated name, the first.
    """

    net: schema.NetParameter
    lines: dict[str, int]


def read(path: os.PathLike | str) -> Prototxt:
    """Reads a .prototxt.

    Args:
        path: the file.

    Raises:
        InputError: missing, larger than any network, or not a network; names file and line.
    """
    path = files.located(path)
    data = files.read_bytes(path, str(path), _MAX_BYTES)
    # What is not UTF-8 is a comment in another encoding, as a rule.
    return parsed(data.decode("utf-8-sig", errors="replace"), path)


def parsed(text: str, path: os.PathLike | str) -> Prototxt:
    """Returns the network that `text` describes.

    Fields that are not known are passed over: those of trainings, data and initial values.

    Args:
        text: a NetParameter in protobuf's text form.
        path: where it comes from, for the messages.

    Raises:
        InputError: as `read`.
    """
    starts = _starts(text, path)
    net = schema.NetParameter()
    try:
        text_format.Parse(text, net, allow_unknown_field=True)
    except text_format.ParseError as error:
        raise InputError(f"{path}{_reason(error)}.") from error
    except Exception as error:
        # Its parser lets a few others through: numbers of too many digits, odd escapes.
        raise InputError(f"{path}: {weight_files.first_line(error)}.") from error
    if net.HasField("state"):
        net.state.ClearField("phase")  # Leaves its default, TEST.
    lines: dict[str, int] = {}
    try:
        for old, line in zip([*net.layer, *net.layers], starts, strict=False):
            if _included(old, net.state):
                lines.setdefault(old.name or getattr(old, "layer", old).name, line)
        if net.input and not (net.input_dim or net.input_shape):
            raise InputError(f"input {net.input[0]} has no size; give input_dim or input_shape")
        net = upgrading.upgraded(net)
        kept = [layer for layer in net.layer if _included(layer, net.state)]
    except InputError as error:
        raise InputError(f"{path}: {error}.") from error
    if not kept:
        raise InputError(f"{path}: describes no layer of a network in use; is it a .prototxt?")
    net.ClearField("layer")
    net.layer.extend(kept)
    return Prototxt(net, lines)


def _starts(text: str, path: os.PathLike | str) -> list[int]:
    """Returns the lines in which layers open, in the order protobuf puts them.

    Raises:
        InputError: nested so deeply, or in lines so long, that protobuf had to be spared.
    """
    found: dict[str, list[int]] = {"layer": [], "layers": []}
    line, begin, depth, word = 1, 0, 0, ""
    for match in _TOKEN.finditer(text + "\n"):
        token = match[0]
        if token == "\n":
            if match.start() - begin > _MAX_LINE:
                raise InputError(f"{path}:{line}: a line of more than {_MAX_LINE:,} characters.")
            line, begin = line + 1, match.end()
        elif token in "{<":
            if depth == 0 and word in found:
                found[word].append(line)
            depth += 1
            if depth > _MAX_DEPTH:
                raise InputError(f"{path}:{line}: more than {_MAX_DEPTH} braces deep.")
        elif token in "}>":
            depth -= 1
        elif depth == 0 and token[0] not in "#\"'":
            word = token
    return found["layer"] + found["layers"]


def _reason(error: text_format.ParseError) -> str:
    """Returns ":line: reason", in words that do not speak of our schema."""
    # The parser's own begin with line, column and the text of the line.
    text = re.sub(r"^\d+:\d+ : ('.*': )?", "", str(error), flags=re.DOTALL)
    text = re.sub(r'"tfvis\.caffe\.(\w+?)(_\.Value)?"', r"\1", text)
    reason = weight_files.first_line(ValueError(text))
    return f":{error.GetLine()}: {reason}" if error.GetLine() else f": {reason}"


def _included(layer, state) -> bool:
    """Returns whether a layer is in the net in `state`; Net::FilterNet of Caffe's net.cpp."""
    if layer.include and layer.exclude:
        raise InputError(f"layer {layer.name} has both include and exclude rules")
    if layer.include:
        return any(_meets(state, rule) for rule in layer.include)
    return not any(_meets(state, rule) for rule in layer.exclude)


def _meets(state, rule) -> bool:
    """Returns whether a state meets a rule; Net::StateMeetsRule of Caffe's net.cpp."""
    return (
        (not rule.HasField("phase") or rule.phase == state.phase)
        and (not rule.HasField("min_level") or state.level >= rule.min_level)
        and (not rule.HasField("max_level") or state.level <= rule.max_level)
        and set(rule.stage) <= set(state.stage)
        and not set(rule.not_stage) & set(state.stage)
    )
