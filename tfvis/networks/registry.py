"""What the name of a network stands for, found without TensorFlow: `opening` opens it."""

import functools
import pathlib

from tfvis import files
from tfvis.errors import InputError, arg, nearest
from tfvis.networks import layer_tables, vgg_small
from tfvis.networks.caffe.zoo import named
from tfvis.networks.files import checkpoint_files, other_formats

# Kinds of file that hold a network.
FILES = (".keras", ".h5", ".prototxt")
# Networks whose weights are computed (`hog_sift.BUILDERS`).
COMPUTED = ("hog", "hogb", "dsift")
# Networks whose weights are in checkpoints alone.
UNPUBLISHED = (vgg_small.NAME,)
# What describes a checkpoint of a network that paints (`tfvis.style.fast`).
PAINTING = "fast_style.json"
_KINDS = {
    checkpoint_files.DESCRIPTION: "a classifier, which paints nothing",
    PAINTING: "a network that paints; stylize takes it",
}
# Within the package where it was installed, beside it in a checkout.
_PACKAGE = pathlib.Path(__file__).resolve().parents[1]
_INSTALLED = (_PACKAGE / "checkpoints").is_dir()
_SHIPPED = (_PACKAGE if _INSTALLED else _PACKAGE.parent) / "checkpoints"


@functools.cache
def fixed() -> tuple[str, ...]:
    """Returns every name that stands for one network wherever it is said, in lower case."""
    return (*layer_tables.applications(), *named.BUILDERS, *COMPUTED, *UNPUBLISHED)


def is_file(name: str) -> bool:
    """Tells whether a name is that of a file of a network, there or not."""
    return name.endswith(FILES)


def roots() -> tuple[pathlib.Path, ...]:
    """Returns the folders whose checkpoints have names: the cache's, and what comes along."""
    return (files.home() / "checkpoints", _SHIPPED)


def checkpoints(description: str = checkpoint_files.DESCRIPTION) -> list[str]:
    """Returns the checkpoints that can be opened by name; `description` is the file they have."""
    return sorted(
        path.parent.name
        for root in roots()
        if root.is_dir()
        for path in root.glob(f"*/{description}")
    )


def find_checkpoint(
    name: str, argument: str = "network", description: str = checkpoint_files.DESCRIPTION
) -> pathlib.Path | None:
    """Returns the folder of a checkpoint named by path or by name, None if there is none."""
    if not name.strip():
        return None
    for folder in (
        files.located(name, f"{arg(argument)}={name}"),
        *(root / name for root in roots()),
    ):
        if (folder / description).is_file():
            return folder
    return None


def found_checkpoint(
    name: str, argument: str, description: str = checkpoint_files.DESCRIPTION
) -> pathlib.Path:
    """Returns the folder of a checkpoint.

    Args:
        name: its path, or the name of one in `roots`.
        argument: that named it, for messages.
        description: the file that checkpoints of its kind have.

    Raises:
        InputError: there is none.
    """
    folder = find_checkpoint(name, argument, description)
    if folder is None:
        _check_kind(name, argument, description)
        known = checkpoints(description)
        raise InputError(
            f"{arg(argument)}={name}: no folder with a {description}, nor a checkpoint of that "
            f"name.{f' {nearest(name, known)}' if known else ''}"
        )
    return folder


def _check_kind(name: str, argument: str, description: str) -> None:
    """Raises InputError where a name is that of a checkpoint of another kind than is wanted."""
    for other, what in _KINDS.items():
        if other != description and find_checkpoint(name, argument, other):
            raise InputError(
                f"{arg(argument)}={name}: is a checkpoint of {what}. "
                f"{nearest('', checkpoints(description))}"
            )


def checkpoint(name: str) -> pathlib.Path | None:
    """Returns the folder of the checkpoint that the name of a network stands for, if it does.

    What Keras and Caffe call a network is that network, whatever folder is called so too.
    """
    known = name.lower() in fixed() or is_file(name)
    return None if known else find_checkpoint(name)


def absolute(name: str) -> str:
    """Returns a network's name so that it is found from any folder: absolute if it is a path."""
    folder = checkpoint(name)
    by_path = is_file(name) or (folder and folder == files.located(name))
    return str(files.located(name).absolute()) if by_path else name


def known() -> tuple[str, ...]:
    """Returns every name that stands for a network, in lower case but for checkpoints."""
    return (*fixed(), *checkpoints())


def label(name: str) -> str:
    """Returns a short name for a network: of a file or folder, its own without the way there."""
    if is_file(name):
        return pathlib.PurePath(name).stem
    folder = checkpoint(name)
    return folder.resolve().name if folder else name


def check(name: str, argument: str = "network") -> None:
    """Raises InputError, with what is near or to be done, where a name stands for no network.

    Args:
        name: of a network.
        argument: that named it, for messages.
    """
    if name.lower() in fixed() or checkpoint(name):
        return
    path = files.located(name, f"{arg(argument)}={name}")
    if not is_file(name):
        _check_kind(name, argument, checkpoint_files.DESCRIPTION)
    advice = other_formats.advice(path)
    if path.exists() and advice:
        raise InputError(f"{arg(argument)}={name}: {advice}.")
    if is_file(name) or advice:
        if not path.is_file():
            raise InputError(f"{arg(argument)}={name}: no such file.")
        return
    raise InputError(
        f"{arg(argument)}={name}: neither a .keras, .h5 or .prototxt file nor a known network. "
        f"{nearest(name, known())}"
    )
