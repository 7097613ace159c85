"""Where in a .prototxt its layers stand, and which of their fields are not known here.

protobuf's own parser passes over fields that it does not know without a word, and tells no
line of those it does.
"""

import dataclasses
import os
import re

from google.protobuf.descriptor import Descriptor

from tfvis.errors import InputError
from tfvis.networks.caffe import schema
from tfvis.networks.caffe.message_fields import HARMLESS

# protobuf reads up to two megabytes a second; of a long line it looks at all the rest with
# every word.
_MAX_LINE = 1 << 14
# The deepest of Caffe's messages is three levels down.
_MAX_DEPTH = 32
# Comments and strings may hold braces; an open string ends with its line, as in protobuf.
_TOKEN = re.compile(
    r"""#[^\n]*|"(?:[^"\n\\]|\\.)*"?|'(?:[^'\n\\]|\\.)*'?|[\w.+-]+|[{}<>\[\]:,;\n]"""
)


@dataclasses.dataclass(frozen=True)
class Field:
    """A field that is not known here.

    Attributes:
        name: as in "convolution_param.relu".
        line: of the file.
    """

    name: str
    line: int


@dataclasses.dataclass(frozen=True)
class LayerText:
    """A layer in a text.

    Attributes:
        line: where its `layer {` stands.
        unknown: its fields that neither `message_fields.MESSAGES` nor its `HARMLESS` has.
    """

    line: int
    unknown: list[Field]


@dataclasses.dataclass(frozen=True)
class Scan:
    """What a text holds.

    Attributes:
        layers: {"layer" or "layers": those of its kind, in order}.
        unknown: fields of the network itself that are not known.
        unclosed: the line of the first brace that is never closed, 0 where all are.
    """

    layers: dict[str, list[LayerText]]
    unknown: list[Field]
    unclosed: int = 0


@dataclasses.dataclass(frozen=True)
class _Open:
    """A message whose braces are open, the value of `field`; `kind` is None if not known."""

    field: str
    kind: Descriptor | None
    path: str
    line: int = 0


def scanned(text: str, path: os.PathLike | str) -> Scan:
    """Returns where all layers stand, and what is not known.

    Args:
        text: protobuf's text form of a NetParameter; what is wrong with it is for protobuf's
            parser to tell.
        path: where it comes from, for messages.

    Raises:
        InputError: nested so deeply, or in lines so long, that protobuf has to be spared.
    """
    scan = Scan({"layer": [], "layers": []}, [])
    opened = [_Open("", schema.NetParameter.DESCRIPTOR, "")]
    # The field whose value is awaited, and whether a word is a value rather than a name.
    word, valued, listed, line, begin = "", False, False, 1, 0
    for match in _TOKEN.finditer(text + "\n"):
        token = match[0]
        if token == "\n":
            if match.start() - begin > _MAX_LINE:
                raise InputError(f"{path}:{line}: a line of more than {_MAX_LINE:,} characters.")
            line, begin = line + 1, match.end()
        elif token in "{<":
            if len(opened) == 1 and word in scan.layers:
                scan.layers[word].append(LayerText(line, []))
            opened.append(_inside(opened[-1], word, line))
            if len(opened) - 1 > _MAX_DEPTH:
                raise InputError(f"{path}:{line}: more than {_MAX_DEPTH} braces deep.")
            valued = listed = False
        elif token in "}>" and len(opened) > 1:
            # Another one of the same field may follow, in a list.
            word, valued = opened.pop().field, False
        elif token == ":":
            valued = True
        elif token == "[":
            listed = valued
        elif token in "],;":
            listed = listed and token == ","
            valued = listed
        elif token[0] == "#":
            continue
        elif valued or token[0] in "\"'":
            valued = listed
        else:
            word = token
            _note_unknown(scan, opened, word, line)
    return dataclasses.replace(scan, unclosed=opened[1].line) if len(opened) > 1 else scan


def _inside(outer: _Open, field: str, line: int) -> _Open:
    known = outer.kind.fields_by_name.get(field) if outer.kind else None
    path = f"{outer.path}{field}." if outer.path or field not in ("layer", "layers") else ""
    return _Open(field, known.message_type if known else None, path, line)


def _note_unknown(scan: Scan, opened: list[_Open], word: str, line: int) -> None:
    """Notes a field that is not known."""
    kind = opened[-1].kind
    if kind is None or word in kind.fields_by_name or word in HARMLESS.get(kind.name, ()):
        return
    layers = [layer for layers in scan.layers.values() for layer in layers[-1:]]
    inside = len(opened) > 1 and layers
    holder = max(layers, key=lambda layer: layer.line).unknown if inside else scan.unknown
    holder.append(Field(opened[-1].path + word, line))
