"""Styles that come along: those of networks that paint in one pass, and the painting shipped."""

import dataclasses
import functools
import pathlib

from tfvis import errors
from tfvis.experiments import messages
from tfvis.networks import registry
from tfvis.style import painting
from tfvis.style.fast import checkpoint_files

# Of the painting that comes along.
OWN = "shipped"


@dataclasses.dataclass(frozen=True)
class Style:
    """A style that comes along.

    Attributes:
        key: stands for it.
        title: a person reads.
        picture: of it, a file.
        checkpoint: whose network paints it in one pass, or None.
        name: of it there.
    """

    key: str
    title: str
    picture: pathlib.Path
    checkpoint: str | None = None
    name: str = ""


def styles(fast: str | None = None) -> dict[str, Style]:
    """Returns all styles by their keys, those of the first checkpoint first.

    Args:
        fast: a checkpoint of `train_style`, by path or name; None takes what comes along.

    Raises:
        InputError: there is no such checkpoint.
    """
    found: dict[str, Style] = {}
    names = [fast] if fast else registry.checkpoints(checkpoint_files.DESCRIPTION)
    for checkpoint in names:
        try:
            folder, said = checkpoint_files.named(checkpoint)
        except errors.InputError as error:
            if fast:
                raise
            # One that is damaged or half copied does not take the page away.
            messages.note(errors.marked(error))
            continue
        for name in said["styles"]:
            picture = checkpoint_files.picture(folder, name)
            if picture.is_file():
                key = f"{folder.resolve().name}/{name}"
                title = name.replace("_", " ")
                found[key] = Style(key, title, picture, checkpoint, name)
    # Those networks have one of this manner, too.
    return found or {OWN: Style(OWN, "night", painting.SHIPPED)}


@functools.lru_cache(maxsize=4)
def painter(checkpoint: str):
    """Returns the network of a checkpoint, opened once."""
    from tfvis.style.fast import checkpoints

    return checkpoints.load(checkpoint)
