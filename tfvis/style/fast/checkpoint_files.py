"""Checkpoints of transform networks on disk: what they say; read without TensorFlow.

A checkpoint is a folder: `fast_style.json` says how the network is put together and names its
styles, `weights.npz` holds its weights, `style_NAME.png` shows a style, `README.md` is its card.
"""

import pathlib
import urllib.parse

from tfvis.errors import InputError, arg, nearest
from tfvis.networks import registry
from tfvis.networks.files import description_files
from tfvis.style import arguments

FORMAT = 1
DESCRIPTION, WEIGHTS = registry.PAINTING, "weights.npz"
# Far above any network or list in use: what has more is made to harm.
_WIDTH, _BLOCKS, _STYLES = 256, 64, 4096


def found(name: str, argument: str = "fast") -> pathlib.Path:
    """Returns the folder of a checkpoint: its path, or the name of one known by name.

    Raises:
        InputError: there is none.
    """
    return registry.found_checkpoint(name, argument, DESCRIPTION)


def named(name: str, argument: str = "fast") -> tuple[pathlib.Path, dict]:
    """Returns the folder of a checkpoint, and what it says of itself.

    Args:
        name: see `found`.
        argument: that named it, for messages.

    Raises:
        InputError: as `found` and `description`.
    """
    folder = found(name, argument)
    return folder, description(folder, f"{arg(argument)}={name}")


def description(folder: pathlib.Path, label: str) -> dict:
    """Reads fast_style.json, and checks that each entry is what it must be.

    Args:
        folder: of the checkpoint.
        label: what messages begin with, such as "--fast=eight_styles".

    Raises:
        InputError: unreadable, or an entry is missing or impossible.
    """
    kinds = {"width": int, "blocks": int, "size": int, "styles": list, "about": dict}
    return description_files.read(folder / DESCRIPTION, label, (FORMAT,), kinds, _check)


def _check(said: dict) -> None:
    names = said["styles"]
    if not (0 < len(names) <= _STYLES and all(isinstance(one, str) for one in names)):
        raise ValueError("styles are no names")
    if len(set(names)) != len(names) or not all(one.strip() == one != "" for one in names):
        raise ValueError("styles are empty, or not distinct")
    if not (4 <= said["width"] <= _WIDTH and 1 <= said["blocks"] <= _BLOCKS):
        raise ValueError("its network is impossible")


def picture(folder: pathlib.Path, style: str) -> pathlib.Path:
    """Returns the file in a checkpoint that shows one of its styles, as large as it was learnt."""
    return folder / f"style_{urllib.parse.quote(style, safe=' ')}.png"


def mix(
    known: list[str] | tuple[str, ...],
    names: list[str] | tuple[str, ...] = (),
    weights: list[float] | tuple[float, ...] = (),
    checkpoint: str = "this checkpoint",
) -> tuple[float, ...]:
    """Returns the share of each style of a checkpoint in a picture; their sum is 1.

    Args:
        known: the names of all its styles.
        names: of those that are mixed; none are all of them, or, without weights, the first.
        weights: of each of `names`; none are equal ones.
        checkpoint: its name, for messages.

    Raises:
        InputError: an unknown name, one twice; not as many weights as names.
    """
    for name in names:
        if name not in known:
            raise InputError(
                f"{arg('style')}={name}: no style of {checkpoint}. {nearest(name, known)}"
            )
    if len(set(names)) != len(names):
        raise InputError(f"{arg('style')}: names a style twice.")
    chosen = list(names) or (list(known) if weights else [known[0]])
    shares = arguments.weights(weights, len(chosen), "style_mix") or [1.0] * len(chosen)
    by_name = dict(zip(chosen, shares, strict=True))
    return tuple(by_name.get(name, 0.0) / sum(shares) for name in known)
