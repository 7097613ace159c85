"""Python that makes a run again, from the experiment's function and the arguments it was given."""

import dataclasses
import inspect
import math
import os
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from tfvis import images, words
from tfvis.classifiers import datasets
from tfvis.errors import InputError
from tfvis.experiments import folders
from tfvis.style import painting

# What decides nothing that is made: what a manifest and a card say, when a clock began.
_LEFT_OUT = ("workdir", "arguments", "command", "began")
# The flag that pictures of an argument come from, where it has another name.
_FLAGS = {
    "fine": "fine_style", "mask": "content_mask", "style_masks": "style_mask", "styles": "style",
}  # fmt: skip
# Files are read again to see that they are what was given; not those that take long.
_BYTES, _EXAMPLES = 2**28, 2000


class _UnwrittenError(Exception):
    """A value of which nothing says how to make it, such as an array of a notebook's."""


@dataclasses.dataclass(frozen=True)
class _Writer:
    """Values as Python writes them.

    Attributes:
        flags: {flag: value} of the app, whose files pictures may have come from.
        imports: lines that are needed; filled while writing.
    """

    flags: Mapping
    imports: set[str]

    def written(self, value, name: str) -> str:
        """Returns an expression that is equal to a value.

        Args:
            value: any.
            name: of the argument.

        Raises:
            _UnwrittenError: there is none.
        """
        if isinstance(value, np.ndarray):
            return self._picture(value, self._named(name))
        if isinstance(value, folders.Found):
            return self._folder(value)
        if isinstance(value, datasets.Dataset):
            return self._dataset(value, name)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return self._made(value)
        if isinstance(value, (list, tuple)):
            return self._sequence(value, name)
        if isinstance(value, Mapping):
            pairs = (f"{self.written(k, '')}: {self.written(v, name)}" for k, v in value.items())
            return f"{{{', '.join(pairs)}}}"
        if isinstance(value, os.PathLike):
            return repr(os.fspath(value))
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, float) and not math.isfinite(value):
            return f'float("{value}")'
        if value is None or type(value) in (bool, int, float, str):
            return repr(value)
        raise _UnwrittenError

    def _sequence(self, value: Sequence, name: str) -> str:
        if value and all(isinstance(one, np.ndarray) for one in value):
            paths = self._named(name)
            # One of each file, in their order.
            paths = [[path] for path in paths] if len(paths) == len(value) else [[]] * len(value)
            parts = [self._picture(one, named) for one, named in zip(value, paths, strict=True)]
        else:
            parts = [self.written(one, name) for one in value]
        inner = ", ".join(parts)
        if isinstance(value, tuple):
            return f"({inner},)" if len(parts) == 1 else f"({inner})"
        return f"[{inner}]"

    def _named(self, name: str) -> list[str]:
        """Returns the files that the flag of an argument names."""
        said = self.flags.get(_FLAGS.get(name, name))
        return [word for word in words.words(said) if word] if isinstance(said, str) else []

    def _picture(self, value: np.ndarray, paths: Sequence[str]) -> str:
        """Returns how a picture is read, once that has been seen to give the same."""
        if value.nbytes > _BYTES:
            raise _UnwrittenError
        for path in paths:
            if _same(lambda path=path: images.load(path), value):
                self.imports.add("from tfvis import images")
                return f"images.load({path!r})"
        for line, code, read in (
            ("from tfvis import images", "images.demo()", images.demo),
            ("from tfvis.style import painting", "painting.shipped()", painting.shipped),
        ):
            if _same(read, value):
                self.imports.add(line)
                return code
        raise _UnwrittenError

    def _folder(self, value: folders.Found) -> str:
        for place in filter(None, (value.root, *value.paths[:1])):
            if _same(lambda place=place: folders.find(place, value.argument).paths, value.paths):
                return repr(os.fspath(place))
        raise _UnwrittenError

    def _dataset(self, value: datasets.Dataset, name: str) -> str:
        sources = self._named(name) or self._named("data")
        if not sources or len(value.examples) > _EXAMPLES:
            raise _UnwrittenError
        for more in ((), (value.classes,)):
            if _same(lambda more=more: datasets.read(sources, *more), value):
                self.imports.add("from tfvis.classifiers import datasets")
                return f"datasets.read({', '.join(map(repr, (sources, *more)))})"
        raise _UnwrittenError

    def _made(self, value) -> str:
        kind = type(value)
        if not kind.__module__.startswith("tfvis.") or kind.__qualname__ != kind.__name__:
            raise _UnwrittenError
        given = [
            f"{one.name}={self.written(getattr(value, one.name), one.name)}"
            for one in dataclasses.fields(value)
            if one.init and not _default(getattr(value, one.name), one.default)
        ]
        self.imports.add(f"from {kind.__module__} import {kind.__name__}")
        return f"{kind.__name__}({', '.join(given)})"


def snippet(run: Callable, given: Mapping, workdir: pathlib.Path, flags: Mapping) -> str:
    """Returns Python that makes the same again, in a folder beside that of the run.

    Args:
        run: a function of an experiment's module.
        given: its arguments, by name.
        workdir: of the run.
        flags: {flag: value} of the app that called it, or {}; files that it names are read again,
            and are the source of a picture only where they give the same pixels.

    Returns:
        Lines that run in the folder in which the run was started; "" where an argument is
        nothing that they can name.
    """
    writer = _Writer(flags, set())
    package, _, module = run.__module__.rpartition(".")
    writer.imports.add(f"from {package} import {module}")
    try:
        parts = list(_arguments(run, given, writer))
    except _UnwrittenError:
        return ""
    parts.append(f"workdir={f'{workdir.as_posix()}_again'!r}")
    lines = [*sorted(writer.imports), "", f"{module}.{run.__name__}("]
    return "\n".join([*lines, *(f"    {part}," for part in parts), ")"])


def _arguments(run: Callable, given: Mapping, writer: _Writer) -> Iterator[str]:
    """Yields what is written between the parentheses, but for the workdir."""
    for name, parameter in inspect.signature(run).parameters.items():
        if name in _LEFT_OUT or name not in given:
            continue
        if parameter.kind is parameter.VAR_KEYWORD:
            for inner, value in given[name].items():
                # Of a further dataclass, whose defaults are empty.
                if isinstance(value, np.ndarray) or value not in (None, ()):
                    yield f"{inner}={writer.written(value, inner)}"
        elif parameter.default is parameter.empty:
            yield writer.written(given[name], name)
        elif not _default(given[name], parameter.default):
            yield f"{name}={writer.written(given[name], name)}"


def _default(value, default) -> bool:
    if isinstance(value, np.ndarray) or isinstance(default, np.ndarray):
        return False
    return value is default or (type(value) is type(default) and bool(value == default))


def _same(read: Callable, value) -> bool:
    """Tells whether what is read is what was given."""
    try:
        found = read()
    except (InputError, OSError):
        return False
    if isinstance(value, np.ndarray):
        return found.dtype == value.dtype and np.array_equal(found, value)
    return found == value
