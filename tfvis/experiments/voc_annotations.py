"""PASCAL VOC's annotations: an XML file per picture, and lists of which pictures count.

    Annotations/NAME.xml            its objects; IconArt's (Gonthier et al. 2018) are these
    Annotations/STYLE/NAME.jpg.xml  PeopleArt's (Westlake et al. 2016)
    JPEGImages/...                  the pictures, by the same names
    ImageSets/Main/*.txt            one name a line, or a name and 1, 0 or -1
    Annotations/person_*.txt        PeopleArt's; -1 is a picture without a person

Corners count pixels from 1 and belong to the box (VOC's development kit); here they count from 0
and the right and lower ones do not. Objects marked "difficult" need not be found.
"""

import math
import os
import pathlib
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator

from tfvis import bounds, files
from tfvis.attention.boxes import Box
from tfvis.errors import InputError, marked
from tfvis.experiments.annotated_pictures import Annotated, Object
from tfvis.image_files import formats

ANNOTATIONS, PICTURES = "Annotations", "JPEGImages"
_CORNERS = ("xmin", "ymin", "xmax", "ymax")


class _Builder(ElementTree.TreeBuilder):
    """Builds a tree of a document without a DOCTYPE, so without entities to unfold or fetch."""

    def doctype(self, name, pubid, system):
        """Refuses it before any of its declarations is read."""
        raise InputError("has a DOCTYPE, which annotations of PASCAL VOC have not")


def of_folder(folder: pathlib.Path, name: str) -> list[Annotated]:
    """Returns what all XML files in a folder and the folders in it say.

    Args:
        folder: such as Annotations.
        name: what messages begin with.

    Raises:
        InputError: there is none, or one cannot be read; the message names it.
    """
    found = [
        pathlib.Path(inner, one)
        for inner, subfolders, names in os.walk(folder)
        if subfolders.sort() is None
        for one in sorted(names)
        if one.lower().endswith(".xml") and not one.startswith(".")
    ]
    if not found:
        raise InputError(
            f"{name}: no .xml file in it. Name a folder of PASCAL VOC's annotations, or a table."
        )
    return [read(path, folder) for path in found]


def of_list(place: pathlib.Path, name: str) -> tuple[list[Annotated], pathlib.Path]:
    """Returns what is known of the pictures in a list of names, and the data set's folder.

    Raises:
        InputError: no folder Annotations beside or above it; a line that is no name, with or
            without 1, 0 or -1; a picture that has objects, and no XML file.
    """
    root = data_set(place, name)
    content = files.read_bytes(place, name, bounds.NAMES)
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"{name}: not UTF-8 ({error.reason} at byte {error.start}).") from error
    found = []
    for number, line in enumerate(lines, 1):
        words = line.rsplit(maxsplit=1)
        sign = words.pop() if len(words) == 2 and words[1] in ("1", "0", "-1") else None
        if not words:
            continue
        picture = " ".join(words)
        try:
            found.append(named(root, picture, empty=sign == "-1"))
        except InputError as error:
            raise InputError(f"{name}, line {number}: {marked(error)}") from error
    if not found:
        raise InputError(f"{name}: names no pictures.")
    return found, root


def named(root: pathlib.Path, picture: str, empty: bool = False) -> Annotated:
    """Returns what a data set says of a picture.

    Args:
        root: the folder of the data set.
        picture: its name in JPEGImages, with or without ending.
        empty: whether it may lack an XML file, and then has no objects.

    Raises:
        InputError: no such file, though it is not `empty`; or one that cannot be read.
    """
    folder = root / ANNOTATIONS
    stem, ending = os.path.splitext(picture)
    stems = [picture] + ([stem] if ending.lower() in formats.ENDINGS else [])
    for one in stems:
        path = files.located(folder / f"{one}.xml", f"{one}.xml")
        if path.is_file():
            return read(path, folder)
    if not empty:
        raise InputError(f"{picture}: no {ANNOTATIONS}/{picture}.xml.")
    return Annotated(_names(picture, ""), ())


def data_set(place: pathlib.Path, name: str) -> pathlib.Path:
    """Returns the nearest folder above a file that has a folder Annotations.

    Raises:
        InputError: there is none.
    """
    # A list may lie in Annotations itself, in ImageSets/Main, or beside them.
    for folder in list(place.resolve().parents)[:4]:
        if (folder / ANNOTATIONS).is_dir():
            return folder
    raise InputError(
        f"{name}: no folder {ANNOTATIONS} beside it or above. Expected the folders of PASCAL VOC: "
        f"{ANNOTATIONS}, {PICTURES}, ImageSets."
    )


def read(path: pathlib.Path, folder: pathlib.Path) -> Annotated:
    """Returns what an XML file says.

    Args:
        path: of the file.
        folder: that its picture's name counts from.

    Raises:
        InputError: too large, no XML, with a DOCTYPE, no annotation of VOC's, a box that is none.
    """
    content = files.read_bytes(path, str(path), bounds.ANNOTATION)
    parser = ElementTree.XMLParser(target=_Builder())
    try:
        parser.feed(content)
        tree = parser.close()
    except InputError as error:
        raise InputError(f"{path}: {marked(error)}.") from error
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise InputError(f"{path}: not XML ({error}).") from error
    if tree.tag != "annotation":
        raise InputError(
            f"{path}: expected <annotation>, as PASCAL VOC has it. Received: <{tree.tag[:40]}>"
        )
    objects = []
    for number, one in enumerate(tree.findall("object"), 1):
        try:
            objects.append(_object(one))
        except InputError as error:
            raise InputError(f"{path}, object {number}: {marked(error)}") from error
    inner = path.relative_to(folder).as_posix()[: -len(".xml")]
    # Its folders are those of who drew the boxes.
    told = pathlib.PurePosixPath(_text(tree, "filename").replace("\\", "/")).name
    return Annotated(_names(inner, told), tuple(objects))


def _names(inner: str, told: str) -> tuple[str, ...]:
    """Returns the names a picture may have: as its XML file has it, and as that says."""
    beside = pathlib.PurePosixPath(inner)
    endings = [""] if beside.suffix.lower() in formats.ENDINGS else []
    endings += [".jpg", ".jpeg", ".png", ".JPG"]
    names = [f"{inner}{ending}" for ending in endings]
    return tuple(names + ([beside.with_name(told).as_posix()] if told not in ("", "..") else []))


def _object(one: ElementTree.Element) -> Object:
    label = _text(one, "name")
    if not label:
        raise InputError("has no name.")
    corners = list(_corners(one))
    x0, y0, x1, y1 = corners[0] - 1, corners[1] - 1, corners[2], corners[3]
    # Some programs that write it count from 0.
    x0, y0 = max(x0, 0), max(y0, 0)
    if not (x0 < x1 and y0 < y1):
        raise InputError(
            "expected xmin <= xmax and ymin <= ymax. Received: "
            f"{', '.join(f'{corner:g}' for corner in corners)}"
        )
    return Object(label, Box(x0, y0, x1, y1), _text(one, "difficult") not in ("", "0"))


def _corners(one: ElementTree.Element) -> Iterator[float]:
    box = one.find("bndbox")
    if box is None:
        raise InputError("has no bndbox.")
    for corner in _CORNERS:
        text = _text(box, corner)
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        # Comparisons with nan are false.
        if not -1e6 < number < 1e6:
            raise InputError(f"expected a number of pixels as {corner}. Received: {text[:40]!r}")
        yield number


def _text(one: ElementTree.Element, tag: str) -> str:
    return (one.findtext(tag) or "").strip()
