"""A page to look at: one HTML file that opens from disk, whose figures enlarge by a click."""

import base64
import dataclasses
import html
import os
import re
import string
import urllib.parse
from collections.abc import Sequence

import numpy as np

from tfvis import files
from tfvis.report import page_pictures

_PAGE = string.Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto;
       padding: 0 1rem; color: #191919; background: #fafaf8; overflow-wrap: break-word; }
h1, h2 { font-weight: 600; line-height: 1.2; }
h2 { margin-top: 2.5rem; }
p { max-width: 48rem; }
nav ul { columns: 16rem; padding-left: 1.2rem; max-width: 60rem; }
.row { display: flex; flex-wrap: wrap; gap: 1rem; }
figure { margin: 0; width: 180px; max-width: 100%; }
figure.wide { width: auto; }
figure button { all: unset; display: block; cursor: zoom-in; max-width: 100%; }
figure button:focus-visible { outline: 3px solid #2060c0; outline-offset: 2px; }
img { width: 100%; height: auto; display: block; }
.wide img { width: auto; max-width: 100%; }
figcaption { font-size: 0.85rem; } figcaption span { color: #6e6e6e; display: block; }
.table { overflow-x: auto; max-width: 100%; margin: 1rem 0 0.3rem; }
table { border-collapse: collapse; font-size: 0.85rem; }
th, td { text-align: left; padding: 0.2rem 0.9rem 0.2rem 0; border-bottom: 1px solid #ddd;
         vertical-align: top; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
.file { font-size: 0.85rem; color: #6e6e6e; margin: 0 0 1rem; }
dialog { border: 0; padding: 0; margin: auto; max-width: 98vw; max-height: 98vh; overflow: auto;
         background: #fafaf8; cursor: zoom-out; }
dialog::backdrop { background: rgba(0, 0, 0, 0.75); }
dialog img { max-width: none; }
</style>
<h1>$title</h1>
$body
<dialog aria-label="enlarged figure"><img alt=""></dialog>
<script>
// At its own size or the window's, whichever is larger; Escape or a click closes it.
var dialog = document.querySelector("dialog"), large = dialog.querySelector("img");
document.querySelectorAll("figure button").forEach(function (button) {
  button.addEventListener("click", function () {
    var small = button.querySelector("img");
    var fit = Math.min(0.96 * innerWidth / small.naturalWidth,
                       0.96 * innerHeight / small.naturalHeight);
    large.src = small.src;
    large.alt = small.alt;
    large.style.width = Math.round(small.naturalWidth * Math.max(1, fit)) + "px";
    dialog.showModal();
  });
});
dialog.addEventListener("click", function () { dialog.close(); });
</script>
</html>
""")
# Words of a heading, as its place in the page is called.
_WORDS = re.compile(r"[a-z0-9]+")
# Digits behind the point on a page; the file has all.
_DIGITS = 3


@dataclasses.dataclass(frozen=True)
class Figure:
    """A picture on a page, which holds it.

    Attributes:
        pixels: [height, width, 1 | 3], 0..255.
        title: its caption.
        note: a second, fainter line.
        wide: a plot or sheet rather than one of a row.
    """

    pixels: np.ndarray
    title: str = ""
    note: str = ""
    wide: bool = False


@dataclasses.dataclass(frozen=True)
class Linked:
    """A picture that lies beside its page.

    Attributes:
        file: where, relative to the page, with /.
        height, width: px.
        title, note, wide: as of `Figure`.
    """

    file: str
    height: int
    width: int
    title: str = ""
    note: str = ""
    wide: bool = False


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


@dataclasses.dataclass(frozen=True)
class Section:
    """A heading, a paragraph, figures in a row, and a table."""

    heading: str
    text: str
    figures: tuple[Figure | Linked, ...]
    table: Table | None = None


def write(
    path: os.PathLike | str, title: str, sections: list[Section], about: Sequence[str] = ()
) -> None:
    """Writes the page to `path`, whole or not at all.

    Args:
        path: of the file.
        title: at its top.
        sections: in their order; of three and more there is a table of contents.
        about: paragraphs before them.

    Raises:
        InputError: the folder cannot be written to.
    """
    places = _places([section.heading for section in sections])
    parts = [f"<p>{html.escape(paragraph)}</p>" for paragraph in about]
    if len(sections) > 2:
        entries = "\n".join(
            f'<li><a href="#{place}">{html.escape(section.heading)}</a></li>'
            for place, section in zip(places, sections, strict=True)
        )
        parts.append(f"<nav><ul>\n{entries}\n</ul></nav>")
    parts += [_section(*one) for one in zip(places, sections, strict=True)]
    files.write_text(path, _PAGE.substitute(title=html.escape(title), body="\n".join(parts)))


def _places(headings: list[str]) -> list[str]:
    """Returns the name of each section's place in the page, each another."""
    found: list[str] = []
    for number, heading in enumerate(headings, 1):
        name = "-".join(_WORDS.findall(heading.lower())) or "section"
        found.append(f"{name}-{number}" if name in found else name)
    return found


def _section(place: str, section: Section) -> str:
    figures = "\n".join(_figure(figure) for figure in section.figures)
    heading, text = html.escape(section.heading), html.escape(section.text)
    table = _table(section.table) if section.table else ""
    return (
        f'<section id="{place}">\n<h2>{heading}</h2>\n<p>{text}</p>\n{table}'
        f'<div class="row">\n{figures}\n</div>\n</section>'
    )


def _figure(figure: Figure | Linked) -> str:
    if isinstance(figure, Linked):
        source, height, width = urllib.parse.quote(figure.file), figure.height, figure.width
    else:
        content, suffix = page_pictures.encoded(figure.pixels)
        kind = {"jpg": "jpeg"}.get(suffix, suffix)
        source = f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"
        height, width = figure.pixels.shape[:2]
    title, note = html.escape(figure.title), html.escape(figure.note)
    return (
        f"<figure{' class=wide' if figure.wide else ''}><button type=button>"
        f'<img alt="{title}" width="{width}" height="{height}" src="{source}"></button>'
        f"<figcaption>{title}<span>{note}</span></figcaption></figure>"
    )


def _table(table: Table) -> str:
    head = "".join(f"<th scope=col>{html.escape(name)}</th>" for name in table.columns)
    rows = "\n".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in table.rows)
    name, count = html.escape(table.file), len(table.rows)
    return (
        # What can be scrolled must be reached by keys as well.
        f'<div class="table" tabindex="0"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n'
        f'{rows}\n</tbody></table></div>\n<p class="file">{count} rows here, {table.of:,} in '
        f'<a href="{urllib.parse.quote(table.file)}">{name}</a></p>\n'
    )


def _cell(value) -> str:
    """Returns a cell; of a number with more digits behind the point only the first."""
    said = "" if value is None else str(value)
    try:
        number = float(said)
    except ValueError:
        return f"<td>{html.escape(said)}</td>"
    if len(said.partition(".")[2]) > _DIGITS:
        # What is not 0 is not shown as 0.
        tiny = 0 < abs(number) < 10**-_DIGITS
        said = f"{number:.1g}" if tiny else f"{number:.{_DIGITS}f}"
    return f"<td class=number>{html.escape(said)}</td>"
