"""Settings: dataclasses whose fields say what they are, within which bounds, and why by default so.

A field's metadata is the one place of all that; an app's flags are made from it
(`apps.flags.fields`), and so is what `help` shows of the class. Nothing here needs TensorFlow,
which flags must not wait for.
"""

import dataclasses
from collections.abc import Sequence
from typing import TypeVar

Value = TypeVar("Value")

# The longest repr: one line.
_LINE = 100


def field(
    default,
    help: str,
    *,
    source: str = "",
    least: float | None = None,
    most: float | None = None,
    choices: Sequence[str] | None = None,
):
    """Returns a field of a dataclass.

    Args:
        default: an immutable value.
        help: one or two sentences, as a flag's help; `names` of other fields in backticks.
        source: what the default is taken from, or was chosen by.
        least, most: of a number that a person may ask for, both included.
        choices: of a word.
    """
    about = {"help": help, "source": source, "least": least, "most": most, "choices": choices}
    return dataclasses.field(default=default, metadata=about)


def changed(kind: type, name: str, default, source: str = ""):
    """Returns a field of a base class with another default.

    Args:
        kind: the base class.
        name: of its field.
        default: in its place.
        source: of this default.
    """
    (found,) = (one for one in dataclasses.fields(kind) if one.name == name)
    return dataclasses.field(default=default, metadata={**found.metadata, "source": source})


def documented(kind: type) -> type:
    """Returns a dataclass whose docstring lists what its fields say of themselves.

    Its repr shows what is not the default.
    """
    lines = [kind.__doc__ or "", "", "    Attributes:"]
    for one in dataclasses.fields(kind):
        if one.metadata:
            text = " ".join(filter(None, (one.metadata["help"], one.metadata["source"])))
            lines.append(f"        {one.name}: {text}")
    kind.__doc__ = "\n".join(lines)
    kind.__repr__ = _changes
    return kind


def _changes(self) -> str:
    values = [(one, getattr(self, one.name)) for one in dataclasses.fields(self)]
    shown = [f"{one.name}={value!r}" for one, value in values if value != _default(one)]
    text = f"{type(self).__name__}({', '.join(shown)})"
    # Settings as derived for a layer hold all constants; `dataclasses.asdict` has them.
    return text if len(text) <= _LINE else f"{text[: _LINE - 5]} ...)"


def outside(one: dataclasses.Field, value) -> str:
    """Returns what is expected of a field, in words; "" of a value within its choices and bounds.

    Args:
        one: made by `field`.
        value: None is within: it is the recipe's.
    """
    least, most, choices = (one.metadata[name] for name in ("least", "most", "choices"))
    if value is None or (choices and value in choices):
        return ""
    if choices:
        return ", ".join(choices)
    if least is None or (least <= value and (most is None or value <= most)):
        return ""
    return f"{least:g} or more" if most is None else f"{least:g} to {most:g}"


def _default(one: dataclasses.Field):
    made = one.default_factory
    return one.default if made is dataclasses.MISSING else made()


def given(value: Value | None) -> Value:
    """Returns a setting, which its recipe has put in the place of None."""
    assert value is not None
    return value
