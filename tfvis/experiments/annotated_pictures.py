"""Pictures and the boxes drawn in them, however they were written down."""

import dataclasses
import pathlib
import re

from tfvis import files
from tfvis.attention.boxes import Box
from tfvis.errors import InputError, arg
from tfvis.image_files.folders import LeftOut


@dataclasses.dataclass(frozen=True, slots=True)
class Object:
    """A thing in a picture.

    Attributes:
        label: what it is, in the table's words.
        box: where, in pixels of the picture; may reach over its edge.
        difficult: whether it need not be found, as PASCAL VOC marks some.
    """

    label: str
    box: Box
    difficult: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Annotated:
    """What a table says of one picture.

    Attributes:
        names: that its file may have, relative to the folders it may be in.
        objects: in it; none is a picture without objects.
    """

    names: tuple[str, ...]
    objects: tuple[Object, ...]


@dataclasses.dataclass(frozen=True)
class AnnotatedPictures:
    """What a table of boxes says.

    Attributes:
        source: name of the format.
        pictures: in the order of the table.
        folders: where their files may be, in this order.
        strict: whether its labels are meant for the classifier that is asked; published data
            sets have others, too.
        notes: of what was left out.
    """

    source: str
    pictures: tuple[Annotated, ...]
    folders: tuple[pathlib.Path, ...]
    strict: bool
    notes: tuple[str, ...] = ()


def located(
    table: AnnotatedPictures, name: str
) -> tuple[dict[pathlib.Path, Annotated], list[LeftOut]]:
    """Returns each picture's file, whole and without links undone, and those not found.

    Args:
        table: as read.
        name: what messages begin with.

    Raises:
        InputError: none is there.
    """
    found: dict[pathlib.Path, Annotated] = {}
    lost = []
    for one in table.pictures:
        path = _file(table.folders, one.names)
        if path is None:
            lost.append(LeftOut(one.names[0], "no such file", f"{one.names[0]}: no such file"))
        else:
            earlier = found[path].objects if path in found else ()
            found[path] = Annotated(one.names, (*earlier, *one.objects))
    if not found:
        where = ", ".join(map(str, table.folders))
        raise InputError(
            f"{name}: none of its {len(table.pictures)} pictures is in {where}; the first is "
            f"{table.pictures[0].names[0]}. Name the folder they are in with "
            f"{arg('pictures')}."
        )
    return found, lost


def same(label: str) -> str:
    """Returns a label as it is compared: small letters, one _ between words."""
    return re.sub(r"[\W_]+", "_", label.casefold()).strip("_")


def _file(folders: tuple[pathlib.Path, ...], names: tuple[str, ...]) -> pathlib.Path | None:
    for folder in folders:
        for name in names:
            path = files.located(folder / name, name)
            if path.is_file():
                return path.absolute()
    return None
