"""The grid of a sweep: which flags vary, over which values, and what a cell is called."""

import collections
import dataclasses
import hashlib
import itertools
import math
import re
from collections.abc import Callable, Sequence

from tfvis import words
from tfvis.errors import InputError, arg, nearest
from tfvis.networks import registry

LAYERS = ("style_layers", "content_layers")
WEIGHTS = ("style_layer_weights", "content_layer_weights")
# Of one layer beside 1 of each other: enough to see what it is for.
_HEAVY = 10.0
# What can vary, and over what where nothing is said; layers depend on the network.
DEFAULTS = {
    "style_layers": None,
    "content_layers": None,
    "style_layer_weights": None,
    "content_layer_weights": None,
    # 500 are the published number; what comes before shows how soon it is enough.
    "evaluations": (50, 100, 200, 500),
    # About the published 1000, from hardly a style to hardly a content.
    "ratio": (10.0, 100.0, 1000.0, 10000.0),
    "pooling": ("max", "avg"),
    "network": ("vgg16", "vgg19"),
    "init": ("content", "noise", "style"),
    # A photograph's total variation is as large as conv4_2's mean square: 1 is strong.
    "tv_weight": (0.0, 0.01, 0.1, 1.0),
    "style_scale": (0.5, 1.0, 2.0),
}
# More could neither be looked at nor waited for.
MOST = 400
# A folder's name has at most 255 bytes; a state beside it has a longer one.
_LONGEST = 120
_TITLES = {
    "style_layers": "style {}",
    "content_layers": "content {}",
    "style_layer_weights": "style by {}",
    "content_layer_weights": "content by {}",
    "evaluations": "{} evaluations",
    "ratio": "ratio {}",
    "pooling": "{} pooling",
    "network": "{}",
    "init": "from {}",
    "tv_weight": "TV {}",
    "style_scale": "style x {}",
}


@dataclasses.dataclass(frozen=True)
class Grid:
    """Every combination of the values of some flags.

    Attributes:
        axes: {flag: its values}, the last one the fastest to change. A value is a number, a
            word, or a tuple of layers.
    """

    axes: dict[str, tuple]

    @property
    def cells(self) -> list[dict]:
        """{flag: value} of each cell, in order."""
        return [
            dict(zip(self.axes, values, strict=True))
            for values in itertools.product(*self.axes.values())
        ]


def parse(
    vary: str, values: str | None, parsers: dict[str, Callable[[str], object]]
) -> dict[str, tuple | None]:
    """Returns {flag: its values} of --vary and --values; None where the network decides.

    Args:
        vary: flags, separated by commas.
        values: a list for each, separated by ";", its values by "|"; lists that are empty
            take the usual values, as all do where this is None or empty.
        parsers: {flag: word -> value}, which raises ValueError where it is none; for flags
            of numbers and of given words.

    Raises:
        InputError: an unknown flag, lists that are not as many as flags, a value that cannot
            be, more than `MOST` cells.
    """
    names = [word.strip() for word in vary.split(",")]
    for name in names:
        if name not in DEFAULTS:
            hint = nearest(name, DEFAULTS) if name else f"Known: {', '.join(DEFAULTS)}."
            raise InputError(f"{arg('vary')}={vary}: {name or 'an empty word'} cannot vary. {hint}")
        if names.count(name) > 1:
            raise InputError(f"{arg('vary')}={vary}: {name} is named twice.")
    lists = values.split(";") if values and values.strip() else [""] * len(names)
    if len(lists) != len(names):
        raise InputError(
            f"{arg('values')}: expected lists separated by ';', {len(names)} for the flags of "
            f"{arg('vary')}={vary}, their values separated by '|'. Received: {len(lists)}."
        )
    axes = {
        name: _values(name, text, parsers.get(name))
        for name, text in zip(names, lists, strict=True)
    }
    _count({name: found for name, found in axes.items() if found})
    return axes


def _values(name: str, text: str, parser: Callable[[str], object] | None) -> tuple | None:
    """Returns the values of one list, without doubles."""
    if not text.strip():
        return DEFAULTS[name]
    found = []
    for word in (word.strip() for word in text.split("|")):
        if not word:
            raise InputError(f"{arg('values')}={text}: an empty value of {name}.")
        if name in LAYERS:
            value = tuple(words.split(word, "values"))
        elif name in WEIGHTS:
            value = words.floats(word, "values")
        elif parser is None:
            value = word
        else:
            try:
                value = parser(word)
            except ValueError as error:
                raise InputError(f"{arg('values')}: {word} is no {name}: {error}.") from error
            # Not a number passes every bound.
            if isinstance(value, float) and not math.isfinite(value):
                raise InputError(f"{arg('values')}: {word} is no {name}: expected a finite number.")
        if name == "network" and "," in word:
            raise InputError(f"{arg('values')}: networks are separated by '|'. Received: {word}")
        found.append(value)
    return tuple(dict.fromkeys(found))


def grid(
    axes: dict[str, tuple | None], published: Sequence[str], layers: tuple[int, int] | None = None
) -> Grid:
    """Returns the grid, with layers and their weights where nothing was said of them.

    Args:
        axes: of `parse`.
        published: the first convolutions of several depths; styles are then taken of the
            first, the first two, and so on; contents of each one.
        layers: how many there are of styles and of contents, which are weighed: all alike, and
            each ten times the others; None is `published`, and one.

    Raises:
        InputError: more than `MOST` cells.
    """
    usual = {
        "style_layers": tuple(tuple(published[: k + 1]) for k in range(len(published))),
        "content_layers": tuple((layer,) for layer in published),
    } | dict(zip(WEIGHTS, map(_each_heavy, layers or (len(published), 1)), strict=True))
    axes = {name: usual[name] if found is None else found for name, found in axes.items()}
    _count(axes)
    return Grid(axes)


def _each_heavy(count: int) -> tuple[tuple[float, ...], ...]:
    """Returns weights of so many layers: all 1, and each heavy in turn; of one, light to heavy."""
    if count == 1:
        return ((1 / _HEAVY,), (1.0,), (_HEAVY,))
    alike = (1.0,) * count
    return (alike, *((*alike[:k], _HEAVY, *alike[k + 1 :]) for k in range(count)))


def _count(axes: dict[str, tuple]) -> None:
    count = math.prod(len(found) for found in axes.values())
    if count > MOST:
        sizes = " x ".join(f"{len(found)} {name}" for name, found in axes.items())
        raise InputError(f"{arg('values')}: {sizes} are {count} pictures; expected at most {MOST}.")


def word(value) -> str:
    """Returns a value as --values has it."""
    if isinstance(value, tuple):
        return ",".join(map(word, value))
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def title(flag: str, value) -> str:
    """Returns a few letters that say what a flag is in a cell: style 1_1-2_1."""
    text = word(value)
    if flag in LAYERS:
        short = [re.sub(r"^block(\d+)_(conv)?", r"\1_", layer.split("/")[-1]) for layer in value]
        # All five depths have room; of more, the ends.
        text = "-".join(short) if len(short) <= 5 else f"{short[0]}..{short[-1]} ({len(short)})"
    elif flag == "network":
        text = registry.label(value)
    return _TITLES[flag].format(text)


def titles(cell: dict) -> str:
    """Returns the titles of all of a cell's flags."""
    return ", ".join(title(flag, value) for flag, value in cell.items())


def names(cells: list[dict]) -> list[str]:
    """Returns a file name for each cell, which tells its values: from-noise_ratio-10.

    Args:
        cells: alike only where they are the same; one of no flag is "all".
    """
    found = ["_".join(title(*one) for one in cell.items()) or "all" for cell in cells]
    short = [re.sub(r"[^\w.=+-]", "-", name)[:_LONGEST] for name in found]
    same = collections.defaultdict(set)
    for name, cell in zip(short, cells, strict=True):
        same[name].add(tuple(cell.items()))
    # Layers of the same last name, or names that were cut, may have become alike.
    return [
        name if len(same[name]) == 1 else f"{name}+{_digest(cell)}"
        for name, cell in zip(short, cells, strict=True)
    ]


def _digest(cell: dict) -> str:
    return hashlib.sha256(repr(cell).encode()).hexdigest()[:8]
