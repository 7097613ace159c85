"""Tables of true boxes: our own, and those of data sets of art as they are published.

Each is known by its first line, or by being a folder or a list:

    path,label,x0,y0,x1,y1                       our own; label `none`, or none, and no corners:
                                                 a picture without objects
    image_filename,...,bounding_box_coordinates,instrument_name,...
                                                 MINERVA's splits (Sabatelli et al. 2021)
    Image Filename,coordinates,Term              its whole list of boxes
    item,CLASS,...,set,Anno                      IconArt's (Gonthier et al. 2018); boxes in XML
    a folder of .xml, or a .txt list             PASCAL VOC's, IconArt's, PeopleArt's

Nothing here needs TensorFlow.
"""

import math
import os
import pathlib
import re

from tfvis import bounds, files, tables
from tfvis.attention.boxes import Box
from tfvis.classifiers.datasets import NEGATIVE
from tfvis.errors import InputError, arg, marked
from tfvis.experiments import box_files, voc_annotations
from tfvis.experiments.annotated_pictures import Annotated, AnnotatedPictures, Object

_OWN = ("path", "label", "x0", "y0", "x1", "y1")
# (file, corners, label): of MINERVA's splits, and of its whole list.
_MINERVA = (
    ("image_filename", "bounding_box_coordinates", "instrument_name"),
    ("image filename", "coordinates", "term"),
)
_ICONART = ("item", "set", "anno")
_EXPECTED = (
    f"Expected the columns {','.join(_OWN)}, or {','.join(_MINERVA[0])} (MINERVA), or "
    f"{','.join(_MINERVA[1])} (MINERVA), or item,CLASS,...,set,Anno (IconArt); a folder of PASCAL "
    "VOC's .xml files, or a .txt list of them."
)


def read(
    place: os.PathLike | str, argument: str = "boxes", pictures: os.PathLike | str | None = None
) -> AnnotatedPictures:
    """Reads true boxes, in any of the formats.

    Args:
        place: a table, a list, or a folder of annotations.
        argument: that named it, for messages.
        pictures: folder of the pictures; left out, where their kind has them.

    Raises:
        InputError: none of the formats; a row, line or file of it is wrong (the message names
            it); nothing is in it.
    """
    name = f"{arg(argument)}={place}"
    path = files.located(place, name)
    own = () if pictures is None else (files.located(pictures),)
    if path.is_dir():
        read_all = voc_annotations.of_folder(path, name)
        folders = (path.resolve().parent / voc_annotations.PICTURES, path.resolve())
        # The folder of one style of PeopleArt, say.
        above = [p for p in path.resolve().parents if p.name == voc_annotations.ANNOTATIONS]
        if above:
            inner = path.resolve().relative_to(above[0])
            folders = (above[0].parent / voc_annotations.PICTURES / inner, *folders)
        return AnnotatedPictures("PASCAL VOC", tuple(read_all), own + folders, False)
    if path.suffix.lower() == ".txt" and not _is_table(path, name):
        listed, root = voc_annotations.of_list(path, name)
        folders = (root / voc_annotations.PICTURES, root / voc_annotations.ANNOTATIONS)
        return AnnotatedPictures("PASCAL VOC", tuple(listed), own + folders, False)
    columns = tables.columns(path, name)
    beside = (*own, path.parent)
    if set(_OWN) <= set(columns):
        return _own(path, name, (*own, path.parent, pathlib.Path()))
    for wanted in _MINERVA:
        if set(wanted) <= set(columns):
            return _minerva(path, name, wanted, beside)
    if set(_ICONART) <= set(columns):
        return _iconart(path, name, own)
    received = ",".join(columns)[:80] or "an empty file"
    raise InputError(f"{name}: no table of boxes that is known. {_EXPECTED} Received: {received}")


def _is_table(path: pathlib.Path, name: str) -> bool:
    """Tells a table from a list of names: MINERVA's splits end in .txt, too."""
    content = files.read_bytes(path, name, bounds.TABLE)
    first = content.removeprefix(b"\xef\xbb\xbf").lstrip().split(b"\n", 1)[0]
    cells = {cell.strip() for cell in first.decode("utf-8", "replace").lower().split(",")}
    return any(set(known) <= cells for known in (_OWN, *_MINERVA, _ICONART))


def _own(path: pathlib.Path, name: str, folders: tuple[pathlib.Path, ...]) -> AnnotatedPictures:
    _, rows = tables.read(path, name, _OWN)
    grouped: dict[str, list[Object]] = {}
    for row in rows:
        where = f"{name}, line {row.line}"
        try:
            row.check()
        except InputError as error:
            raise InputError(f"{where}: {marked(error)}") from error
        label = row["label"].strip()
        if any(row[corner].strip() for corner in _OWN[2:]) or label not in ("", NEGATIVE):
            found = box_files.row_of(row, where)
            if not label or label == NEGATIVE:
                raise InputError(f"{where}: a box of {label or 'no label'}. Say what is in it.")
            grouped.setdefault(found.path.strip(), []).append(Object(label, found.box))
        elif not row["path"].strip():
            raise InputError(f"{where}: no path.")
        else:
            grouped.setdefault(row["path"].strip(), [])
    return _table("path,label,x0,y0,x1,y1", name, grouped, folders, strict=True)


def _minerva(
    path: pathlib.Path, name: str, wanted: tuple[str, ...], folders: tuple[pathlib.Path, ...]
) -> AnnotatedPictures:
    _, rows = tables.read(path, name, wanted)
    grouped: dict[str, list[Object]] = {}
    empty = 0
    for row in rows:
        where = f"{name}, line {row.line}"
        try:
            row.check()
            corners = _corners(row[wanted[1]])
        except InputError as error:
            raise InputError(f"{where}: {marked(error)}") from error
        # A term of MIMO's thesaurus has its number behind it: Harp (3285).
        label = re.sub(r"\s*\(\d+\)\s*$", "", row[wanted[2]]).strip()
        picture = row[wanted[0]].strip()
        if not picture or not label:
            raise InputError(f"{where}: no {wanted[0] if label else wanted[2]}.")
        objects = grouped.setdefault(picture, [])
        # Drawn from any corner to the opposite one, some over the picture's edge.
        x0, x1 = sorted(max(x, 0.0) for x in corners[::2])
        y0, y1 = sorted(max(y, 0.0) for y in corners[1::2])
        if x0 < x1 and y0 < y1:
            objects.append(Object(label, Box(x0, y0, x1, y1)))
        else:
            empty += 1
            # Something is there, and nobody knows where.
            if not objects:
                del grouped[picture]
    notes = (f"{empty} boxes are empty, and left out",) if empty else ()
    return _table("MINERVA", name, grouped, folders, strict=False, notes=notes)


def _corners(text: str) -> list[float]:
    words = [word.strip() for word in text.strip().strip(",").split(",")]
    try:
        found = [float(word) for word in words]
    except ValueError:
        found = []
    if len(found) != 4 or not all(map(math.isfinite, found)):
        raise InputError(f"expected four corners, x0,y0,x1,y1. Received: {text[:40]!r}")
    return found


def _iconart(path: pathlib.Path, name: str, own: tuple[pathlib.Path, ...]) -> AnnotatedPictures:
    """The test pictures that have boxes, and those without any of the classes."""
    columns, rows = tables.read(path, name, _ICONART)
    classes = [column for column in columns if column and column not in _ICONART]
    root = voc_annotations.data_set(path, name)
    found = []
    for row in rows:
        where = f"{name}, line {row.line}"
        try:
            row.check()
            item = row["item"].strip()
            if not item:
                raise InputError("no item.")
            if row["set"].strip().lower() != "test":
                continue
            if _is_set(row["anno"]):
                found.append(voc_annotations.named(root, item))
            elif not any(_is_set(row[one]) for one in classes):
                found.append(voc_annotations.named(root, item, empty=True))
        except InputError as error:
            raise InputError(f"{where}: {marked(error)}") from error
    if not found:
        raise InputError(f"{name}: no picture of the set `test` with boxes.")
    folders = (*own, root / voc_annotations.PICTURES)
    return AnnotatedPictures("IconArt", tuple(found), folders, False)


def _is_set(text: str) -> bool:
    return text.strip().lower() in ("1", "1.0", "true")


def _table(
    source: str,
    name: str,
    grouped: dict[str, list[Object]],
    folders: tuple[pathlib.Path, ...],
    strict: bool,
    notes: tuple[str, ...] = (),
) -> AnnotatedPictures:
    if not grouped:
        raise InputError(f"{name}: has no boxes.")
    found = tuple(Annotated((path,), tuple(objects)) for path, objects in grouped.items())
    return AnnotatedPictures(source, found, folders, strict, notes)
