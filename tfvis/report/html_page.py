"""A page to look at: one HTML file that opens from disk, whose figures enlarge by a click.

Its one template is page.html; what is written into it is escaped. Nothing is asked of any other
place, which a Content-Security-Policy holds browsers to; the one script is page.js.
"""

import base64
import dataclasses
import functools
import hashlib
import math
import os
import pathlib
import re
import urllib.parse
from collections.abc import Sequence

import jinja2
import markupsafe
import numpy as np

from tfvis import files
from tfvis.errors import printable
from tfvis.report import number_meanings, page_pictures

_FOLDER = pathlib.Path(__file__).parent
# Words of a heading, as its place in the page is called.
_WORDS = re.compile(r"[a-z0-9]+")
# Digits behind the point on a page; the file has all.
_DIGITS = 3
# From here on digits behind the point say nothing.
_LARGE = 1000


@dataclasses.dataclass(frozen=True)
class Number:
    """A number below a picture.

    Attributes:
        name: of `number_meanings.MEANINGS`, or any other, which is shown without a meaning.
        value: as it is shown.
    """

    name: str
    value: str


@dataclasses.dataclass(frozen=True)
class Figure:
    """A picture on a page, which holds it.

    Attributes:
        pixels: [height, width, 1 | 3], 0..255.
        title: its caption.
        note: a second, fainter line.
        wide: a plot or sheet rather than one of a row.
        numbers: below these.
    """

    pixels: np.ndarray
    title: str = ""
    note: str = ""
    wide: bool = False
    numbers: tuple[Number, ...] = ()

    @property
    def height(self) -> int:
        """In px."""
        return self.pixels.shape[0]

    @property
    def width(self) -> int:
        """In px."""
        return self.pixels.shape[1]

    @functools.cached_property
    def source(self) -> str:
        """The file, as a URL that holds it."""
        content, suffix = page_pictures.encoded(self.pixels)
        kind = {"jpg": "jpeg"}.get(suffix, suffix)
        return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"


@dataclasses.dataclass(frozen=True)
class Linked:
    """A picture that lies beside its page.

    Attributes:
        file: where, relative to the page, with /.
        height, width: px.
        title, note, wide, numbers: as of `Figure`.
    """

    file: str
    height: int
    width: int
    title: str = ""
    note: str = ""
    wide: bool = False
    numbers: tuple[Number, ...] = ()

    @property
    def source(self) -> str:
        """The URL."""
        return _url(self.file)


@dataclasses.dataclass(frozen=True)
class Pair:
    """Two pictures of one shape, one over the other, with a slider between them.

    Attributes:
        before, after: on the left and on the right; their titles stand below.
        title, note, numbers: as of `Figure`.
    """

    before: Figure | Linked
    after: Figure | Linked
    title: str = ""
    note: str = ""
    numbers: tuple[Number, ...] = ()


@dataclasses.dataclass(frozen=True)
class Table:
    """A small table, and the file that has all of it.

    Attributes:
        columns: names.
        rows: cells each, text or numbers; None is empty.
        file: relative to the page.
        of: rows in the file.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence]
    file: str
    of: int

    @property
    def names(self) -> list[str]:
        """Of the numbers of each column, as `number_meanings` has them: by the table's own name."""
        kind = pathlib.PurePosixPath(self.file).stem.partition("-")[0]
        return [number_meanings.named(kind, column) for column in self.columns]

    @property
    def measures(self) -> list[str]:
        """The numbers that rows of a column "measure" are of."""
        at = [k for k, name in enumerate(self.columns) if name == "measure"]
        return [number_meanings.named("measure", str(row[k])) for row in self.rows for k in at]


@dataclasses.dataclass(frozen=True)
class Section:
    """A heading, a paragraph, figures in a row, and a table.

    Attributes:
        heading, text, figures, table: these.
        more: a line on what is not shown.
        large: whether the figures are few, and shown larger.
    """

    heading: str
    text: str
    figures: tuple[Figure | Linked | Pair, ...]
    table: Table | None = None
    more: str = ""
    large: bool = False


@dataclasses.dataclass(frozen=True)
class Page:
    """What a page says.

    Attributes:
        title: at its top.
        sections: in their order; of three and more there is a table of contents.
        about: paragraphs before them.
        numbers: of the whole, below these.
        first: what is shown before all sections, as wide as the page; or None.
        wall: whether words stand beside their pictures, as on the wall of a museum.
        command, snippet: what makes it again, in a shell and in Python; "" without.
        files: paths to link to, relative to the page, with /.
        more_files: a line on those that are not linked.
    """

    title: str
    sections: Sequence[Section]
    about: Sequence[str] = ()
    numbers: tuple[Number, ...] = ()
    first: Figure | Linked | Pair | None = None
    wall: bool = False
    command: str = ""
    snippet: str = ""
    files: Sequence[str] = ()
    more_files: str = ""


def write(path: os.PathLike | str, page: Page) -> None:
    """Writes the page to `path`, whole or not at all.

    Raises:
        InputError: the folder cannot be written to.
    """
    script = (_FOLDER / "page.js").read_text("utf-8")
    told = number_meanings.of(_names(page))
    headings = [one.heading for one in page.sections]
    text = _template().render(
        page=page,
        places=list(zip(_places(headings), page.sections, strict=True)),
        meanings=told,
        told=list({one.place: one for one in told.values()}.values()),
        script=markupsafe.Markup(script),
        digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii"),
    )
    files.write_text(path, text + "\n")


def _url(file: str) -> str:
    """Returns the URL of a file beside the page, whatever its name looks like."""
    found = urllib.parse.quote(file)
    return f".{found}" if found.startswith("/") else found


@functools.cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        # Names may hold letters that a browser obeys, such as those that turn the order of others.
        finalize=lambda value: printable(value) if type(value) is str else value,
    )
    measure = functools.partial(number_meanings.named, "measure")
    environment.filters |= {"link": _url, "cell": _cell, "measure": measure}
    return environment.get_template("page.html")


def _names(page: Page) -> list[str]:
    """Returns the names of all numbers on a page, in their order."""
    names = [one.name for one in (*page.numbers, *(page.first.numbers if page.first else ()))]
    for section in page.sections:
        names += [*section.table.names, *section.table.measures] if section.table else []
        names += [one.name for figure in section.figures for one in figure.numbers]
    return names


def _places(headings: list[str]) -> list[str]:
    """Returns the name of each section's place in the page, each another."""
    found: list[str] = []
    for number, heading in enumerate(headings, 1):
        name = "-".join(_WORDS.findall(heading.lower())) or "section"
        found.append(f"{name}-{number}" if name in found else name)
    return found


@dataclasses.dataclass(frozen=True)
class _Cell:
    """A cell of a table, and whether it is a number."""

    text: str
    number: bool


def _cell(value) -> _Cell:
    """Returns a cell; of a number with more digits behind the point only the first."""
    said = "" if value is None else str(value)
    try:
        number = float(said)
    except ValueError:
        return _Cell(said, False)
    # What is undefined, such as the error of one picture's mean, is no number to show.
    return _Cell("" if math.isnan(number) else shortened(said, number), True)


def shortened(said: str, number: float) -> str:
    """Returns a number as a page shows it.

    Args:
        said: with all its digits.
        number: the same.
    """
    if len(said.partition(".")[2]) <= _DIGITS:
        return said
    if abs(number) >= _LARGE:
        return f"{number:,.0f}"
    # What is not 0 is not shown as 0.
    tiny = 0 < abs(number) < 10**-_DIGITS
    return f"{number:.1g}" if tiny else f"{number:.{_DIGITS}f}"
