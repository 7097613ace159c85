"""A page to look at: one HTML file that opens from disk, pictures inside."""

import base64
import dataclasses
import html
import io
import os
import string

import numpy as np
import PIL.Image

from tfvis import files, images

_PAGE = string.Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto;
       padding: 0 1rem; color: #191919; background: #fafaf8; }
h1, h2 { font-weight: 600; line-height: 1.2; }
.row { display: flex; flex-wrap: wrap; gap: 1rem; }
figure { margin: 0; width: 180px; max-width: 100%; }
figure.wide { width: 100%; max-width: 56rem; }
img { width: 100%; display: block; }
figcaption { font-size: 0.85rem; } figcaption span { color: #6e6e6e; display: block; }
</style>
<h1>$title</h1>
$body
</html>
""")


@dataclasses.dataclass(frozen=True)
class Figure:
    """A picture on a page.

    Attributes:
        pixels: [height, width, 1 | 3], 0..255.
        title: its caption.
        note: a second, fainter line.
        wide: a plot rather than one of a row.
    """

    pixels: np.ndarray
    title: str = ""
    note: str = ""
    wide: bool = False


@dataclasses.dataclass(frozen=True)
class Section:
    """A heading, a paragraph, and a row of figures."""

    heading: str
    text: str
    figures: tuple[Figure, ...]


def write(path: os.PathLike | str, title: str, sections: list[Section]) -> None:
    """Writes the page to `path`, whole or not at all.

    Raises:
        InputError: the folder cannot be written to.
    """
    body = "\n".join(_section(section) for section in sections)
    files.write_text(path, _PAGE.substitute(title=html.escape(title), body=body))


def _section(section: Section) -> str:
    figures = "\n".join(_figure(figure) for figure in section.figures)
    heading, text = html.escape(section.heading), html.escape(section.text)
    return f'<h2>{heading}</h2>\n<p>{text}</p>\n<div class="row">\n{figures}\n</div>'


def _figure(figure: Figure) -> str:
    file = io.BytesIO()
    levels = images.with_channels(images.quantize(figure.pixels), 3)
    PIL.Image.fromarray(levels).save(file, format="PNG")
    data = base64.b64encode(file.getvalue()).decode("ascii")
    title, note = html.escape(figure.title), html.escape(figure.note)
    return (
        f"<figure{' class=wide' if figure.wide else ''}>"
        f'<img alt="{title}" src="data:image/png;base64,{data}">'
        f"<figcaption>{title}<span>{note}</span></figcaption></figure>"
    )
