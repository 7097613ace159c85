"""Pictures that an app works through one by one, each with a folder for what it makes of it."""

import dataclasses
import functools
import pathlib
from collections.abc import Callable

import numpy as np

from tfvis import files, images
from tfvis.errors import InputError, arg, marked
from tfvis.experiments import folders, runner
from tfvis.networks.network import Network
from tfvis.report import manifest

# Names that are the run's own at its top.
_OWN = ("tensorboard", "manifest.json", "sheet.png", "boxes.csv", "pictures", "page")
# A kill costs at most the records of so many seconds.
_SAVE_EVERY_S = 5.0
# What any record has.
_NEEDED = {"key": str, "path": str, "folder": str, "files": dict}


class UnfitError(InputError):
    """One picture cannot be worked on; the others can."""


@dataclasses.dataclass(frozen=True)
class InputPictures:
    """Pictures and the folders for what is made of them.

    Attributes:
        found: the pictures.
        names: of each picture its folder, relative to the workdir.
    """

    found: folders.Found
    names: dict[pathlib.Path, pathlib.PurePosixPath]


def input_pictures(found: folders.Found) -> InputPictures:
    """Returns pictures and a folder for each.

    A picture's folder is named as the picture is, below the folder that was looked through;
    where that name is taken, its ending is added, and a number.
    """
    taken = {name.casefold() for name in _OWN}
    names = {}
    for path in found.paths:
        inner = path.relative_to(found.root)
        ending = inner.suffix[1:].lower()
        tried = [inner.stem, f"{inner.stem}-{ending}"]
        tried += [f"{inner.stem}-{ending}-{k}" for k in range(2, len(found.paths) + 3)]
        for name in tried:
            whole = inner.with_name(name).as_posix()
            # Case is no difference on some disks; files end in .png, so no folder does.
            if whole.casefold() not in taken and not name.casefold().endswith(".png"):
                break
        taken.add(whole.casefold())
        names[path] = pathlib.PurePosixPath(whole)
    return InputPictures(found, names)


def run(
    inputs: InputPictures,
    network: Network,
    workdir: pathlib.Path,
    arguments: dict | None,
    asked: Callable[[pathlib.Path], dict],
    one: Callable[[pathlib.Path, np.ndarray], dict],
    **about,
) -> list[dict]:
    """Works through the pictures, or takes over what was finished before; keeps manifest.json.

    Args:
        inputs: the pictures; those that cannot be read are left out and named.
        network: that looks.
        workdir: exists and is writable.
        arguments: for the manifest.
        asked: path -> what besides picture and network decides the files.
        one: (path, pixels) -> a record of JSON's types; its "written" are the files of the
            picture's folder, {name: bytes}.
        **about: what else the manifest says.

    Returns:
        The records, one per picture.

    Raises:
        InputError: none can be read.
    """
    found = inputs.found
    header = {
        "arguments": arguments or {},
        "versions": manifest.versions(),
        "network": runner.described(network),
        **about,
    }

    def records(path, earlier, bar) -> list[dict]:
        made = _records(inputs, path, network, workdir, earlier[0], asked, one)
        bar.update(1)
        return made

    parts = [
        runner.Part((inputs.names[path].as_posix(),), 1, functools.partial(records, path))
        for path in found.paths
        if path not in found.broken
    ]
    done = runner.run(
        parts, workdir, lambda: header | folders.told(found), "folder", _NEEDED,
        word="Looking", every=_SAVE_EVERY_S,
    )  # fmt: skip
    if not done:
        first = marked(next(iter(found.broken.values())).detail)
        raise InputError(
            f"{arg(found.argument)}: none of {len(found.paths)} files can be used; the first: "
            f"{first}"
        )
    folders.report(found)
    return done


def short(text: str, length: int) -> str:
    """Returns a text of at most so many characters; of a longer one its end."""
    return text if len(text) <= length else "..." + text[3 - length :]


def answers(record: dict, count: int | None = None) -> list[str]:
    """Returns a picture's likeliest classes in words, the first `count` of its record's "top"."""
    shown = "{} {:.1%}" if record.get("probabilities", True) else "{} {:.3g}"
    return [shown.format(name, answer) for name, answer in record["top"][:count]]


def _records(inputs, path, network, workdir, earlier, asked, one) -> list[dict]:
    """Returns the record of a picture; none if it cannot be read."""
    folder = inputs.names[path]
    try:
        parts = {"picture": files.sha256_of(path), "folder": folder.as_posix()}
        key = runner.key(network, **parts, **asked(path))
        if earlier and earlier["key"] == key and runner.whole(workdir / folder, earlier):
            return [earlier | {"path": str(path)}]
        picture = images.read(path, None, shrink=False)
        inputs.found.notes[path] = picture.bare_notes
    except (InputError, OSError) as error:
        inputs.found.leave_out(path, error)
        return []
    try:
        made = one(path, picture.pixels)
    except UnfitError as error:
        inputs.found.leave_out(path, error)
        return []
    digests = {}
    for name, content in made.pop("written").items():
        files.write_bytes(workdir / folder / name, content)
        digests[name] = files.sha256_of(workdir / folder / name)
    return [
        {"path": str(path), "sha256": parts["picture"], "folder": folder.as_posix()}
        | made
        | {"files": digests, "key": key}
    ]
