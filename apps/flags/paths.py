"""Flags that name files and folders, all of them looked at before anything long begins.

A flag is defined with what it names. `check` then looks at every one that was given, so that no
app reads a data set for minutes before it finds that another flag's folder is not there.
"""

import os
import pathlib
from collections.abc import Callable

from absl import flags

from tfvis import files
from tfvis.errors import InputError, marked
from tfvis.words import words

# A flag belongs to the module that defines it by this one.
flags.disclaim_key_flags()
# (word, label) -> None; raises InputError.
Check = Callable[[str, str], None]
_CHECKS: dict[str, Check] = {}
_REQUIRED: set[str] = set()


def define(
    name: str, default: str | None, check: Check, what: str, required: bool = False
) -> flags.FlagHolder:
    """Defines a flag whose value is looked at when the app starts.

    Args:
        name: of the flag.
        default: its value where it is left out; not looked at, but for `made`.
        check: one of this module's, or `each` of one.
        what: help.
        required: whether the flag must be given.
    """
    _CHECKS[name] = check
    if required:
        _REQUIRED.add(name)
    return flags.DEFINE_string(name, default, what, required=required)


def check(given: list[flags.Flag]) -> None:
    """Looks at all that flags name.

    Args:
        given: flags of the running app; empty ones name nothing, which is for those that may be
            left out.

    Raises:
        InputError: a file or folder is not there, is something else, cannot be read or made.
    """
    for flag in given:
        look = _CHECKS.get(flag.name)
        if flag.name in _REQUIRED and flag.value == "":
            raise InputError(f"--{flag.name}=: names nothing. Name a file or folder.")
        if look is not None and flag.value and (flag.present or look is made):
            look(flag.value, f"--{flag.name}")


def each(look: Check) -> Check:
    """Returns the check of a flag whose words, separated by commas, each name something."""

    def all_of(value: str, label: str) -> None:
        for word in filter(None, words(value)):
            try:
                look(word, label)
            except InputError as error:
                hint = r" A comma in a name is written \,." if "," in value else ""
                raise InputError(f"{marked(error)}{hint}") from error

    return all_of


def file(word: str, label: str) -> None:
    """Checks that a word names a file that can be read."""
    label = f"{label}={word}"
    path = files.located(word, label)
    if path.is_dir():
        raise InputError(f"{label}: is a folder. Name one file.")
    _check_readable(path, label, "no such file")


def file_or_folder(word: str, label: str) -> None:
    """Checks that a word names a file or a folder that can be read."""
    _check_readable(
        files.located(word, f"{label}={word}"), f"{label}={word}", "no such file or folder"
    )


def styles_or(special: str) -> Check:
    """Returns the check of a word that is `special`, or names pictures or a fast style."""

    def look(word: str, label: str) -> None:
        from tfvis.networks import registry
        from tfvis.style.fast import checkpoint_files

        painter = registry.find_checkpoint(
            word, label.removeprefix("--"), checkpoint_files.DESCRIPTION
        )
        if word != special and not painter:
            file_or_folder(word, label)

    return look


def checkpoint(word: str, label: str) -> None:
    """Checks that a word names a checkpoint: its folder, or one that comes along."""
    from tfvis.networks import registry

    registry.found_checkpoint(word, label.removeprefix("--"))


def network(word: str, label: str) -> None:
    """Checks that a word which names a file of a network names one that is there."""
    from tfvis.networks import registry

    if registry.is_file(word):
        file(word, label)


def weights(word: str, label: str) -> None:
    """Checks that a word is "random" or names a file."""
    if word != "random":
        file(word, label)


def unit(word: str, label: str) -> None:
    """Checks that a unit which is a direction, layer:vector.npy, names a file that is there."""
    direction = word.partition(":")[2]
    if direction.endswith(".npy"):
        label = f"{label}={word}"
        _check_readable(files.located(direction, label), label, "no such file")


def made(word: str, label: str) -> None:
    """Checks that a word names a folder that is there and can be written to, or can be made."""
    label = f"{label}={word}"
    path = files.located(word, label).absolute()
    while not path.exists() and not path.is_symlink():
        path = path.parent
    # What is named already is not named again.
    same = path == files.located(word, label).absolute()
    said = label + ":" if same else f"{label}: {path}"
    if not path.is_dir():
        raise InputError(f"{said} is no folder. Choose a folder that is writable.")
    if not os.access(path, os.W_OK | os.X_OK):
        raise InputError(f"{said} may not be written to. Choose another folder.")


def written(word: str, label: str) -> None:
    """Checks that a word names a file that could be written: its folder can be, or be made."""
    path = files.located(word, f"{label}={word}")
    if path.is_dir():
        raise InputError(f"{label}={word}: is a folder. Name the file to write.")
    made(str(path.parent), label)


def _check_readable(path: pathlib.Path, label: str, missing: str) -> None:
    if not path.exists():
        raise InputError(f"{label}: {missing}.")
    if not path.is_file() and not path.is_dir():
        raise InputError(f"{label}: is a pipe, socket or device. Name a file.")
    if not os.access(path, os.R_OK):
        raise InputError(f"{label}: no permission to read it.")
