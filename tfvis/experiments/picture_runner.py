"""Pictures that an app works through one by one, each with a folder for what it makes of it."""

import dataclasses
import pathlib
import time
from collections.abc import Callable

import numpy as np

from tfvis import files, images
from tfvis.errors import InputError, arg, marked
from tfvis.experiments import example_pictures, folders, runner
from tfvis.experiments.attention_models import AttentionModel
from tfvis.experiments.progress import bar
from tfvis.report import manifest

# Names that are the run's own at its top.
_OWN = ("tensorboard", "manifest.json", "sheet.png", "boxes.csv", "pictures")
# A kill costs at most the records of so many seconds.
_SAVE_EVERY_S = 5.0


class UnfitError(InputError):
    """One picture cannot be worked on; the others can."""


@dataclasses.dataclass(frozen=True)
class InputPictures:
    """Pictures and the folders for what is made of them.

    Attributes:
        found: the pictures.
        root: the folder that was looked through, or that of the one picture.
        names: of each picture its folder, relative to the workdir.
    """

    found: folders.Found
    root: pathlib.Path
    names: dict[pathlib.Path, pathlib.PurePosixPath]


def input_pictures(
    found: folders.Found | None, root: str | None, workdir: pathlib.Path
) -> InputPictures:
    """Returns the pictures that --image names, or the two that come along.

    A picture's folder is named as the picture is, below the folder that was looked through;
    where that name is taken, its ending is added, and a number.

    Args:
        found: what `folders.find` found in it, or None.
        root: --image.
        workdir: where those that come along are put.
    """
    if found is None:
        found = folders.Found(example_pictures.own_pictures(workdir), "image")
        top = found.paths[0].parent
    else:
        top = files.located(root)
        top = top if top.is_dir() else top.parent
    taken = {name.casefold() for name in _OWN}
    names = {}
    for path in found.paths:
        if not str(path).isprintable():  # Not Unicode, or of two lines: no table holds that.
            found.leave_out(path, UnfitError(f"{path}: cannot be written down. Rename the file"))
        inner = path.relative_to(top)
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
    return InputPictures(found, top, names)


def each(
    inputs: InputPictures,
    model: AttentionModel,
    workdir: pathlib.Path,
    arguments: dict,
    asked: Callable[[pathlib.Path], dict],
    one: Callable[[pathlib.Path, np.ndarray], dict],
) -> list[dict]:
    """Works through the pictures, or takes over what was finished before; keeps manifest.json.

    Args:
        inputs: the pictures; those that cannot be read are left out and named.
        model: of the network that looks.
        workdir: exists and is writable.
        arguments: for the manifest.
        asked: path -> what besides picture and model decides the files.
        one: (path, pixels) -> a record of JSON's types; "written" names the files it has
            written into the picture's folder.

    Returns:
        The records, one per picture.

    Raises:
        InputError: none can be read.
    """
    found, records = inputs.found, []
    done = _earlier(workdir)
    header = {
        "arguments": arguments,
        "versions": manifest.versions(),
        "network": runner.described(model.network),
        "attention": model.settings,
        "classes": model.classes,
    }

    def save() -> None:
        if records:  # Nothing is written where nothing can be read.
            reached = {record["path"] for record in records}
            # What an earlier run had finished stays until its turn comes.
            kept = [
                record
                for record in done.values()
                if record["path"] not in reached and pathlib.Path(record["path"]) in inputs.names
            ]
            content = header | folders.told(found) | {"results": records + kept}
            manifest.write(workdir / "manifest.json", content)

    saved = time.perf_counter()
    try:
        with bar("Looking", len(found.paths)) as progress:
            for path in found.paths:
                if path not in found.broken:
                    records += _record(inputs, path, model, workdir, done, asked, one)
                progress.update(1)
                if time.perf_counter() - saved > _SAVE_EVERY_S:
                    save()
                    saved = time.perf_counter()
    finally:
        save()
    if not records:
        first = marked(next(iter(found.broken.values())).detail)
        raise InputError(
            f"{arg(found.argument)}: none of {len(found.paths)} files can be used; the first: "
            f"{first}"
        )
    folders.report(found)
    return records


def short(text: str, length: int) -> str:
    """Returns a text of at most so many characters; of a longer one its end."""
    return text if len(text) <= length else "..." + text[3 - length :]


def _record(inputs, path, model, workdir, done, asked, one) -> list[dict]:
    """Returns the record of a picture; none if it cannot be read."""
    folder = inputs.names[path]
    try:
        parts = {"picture": files.sha256_of(path), "folder": folder.as_posix()}
        key = runner.key(model.network, attention=model.settings, **parts, **asked(path))
        record = done.get(key)
        if record is not None and _whole(workdir / folder, record):
            return [record | {"path": str(path)}]
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
    names = made.pop("written")
    digests = {name: files.sha256_of(workdir / folder / name) for name in names}
    return [
        {"path": str(path), "sha256": parts["picture"], "folder": folder.as_posix()}
        | made
        | {"files": digests, "key": key}
    ]


def _earlier(workdir: pathlib.Path) -> dict[str, dict]:
    """Returns {key: record} of an earlier manifest, leaving out what is malformed."""
    records = manifest.read(workdir / "manifest.json").get("results")
    return {
        record["key"]: record
        for record in (records if isinstance(records, list) else [])
        if isinstance(record, dict)
        and all(isinstance(record.get(name), str) for name in ("key", "path", "folder"))
        and isinstance(record.get("files"), dict)
    }


def _whole(folder: pathlib.Path, record: dict) -> bool:
    """Tells whether the files of a record are as they were written."""
    return all(
        (folder / name).is_file() and files.sha256_of(folder / name) == digest
        for name, digest in record["files"].items()
    )
