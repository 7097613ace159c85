"""The report of a comparison: tables, figures, and a page that grows section by section.

A section that was made stays on the page when others are made later, as long as they are of the
same networks, layers and pictures; of others it is removed with its files.
"""

import dataclasses
import pathlib
from collections.abc import Sequence

from tfvis import files, tables
from tfvis.experiments import messages
from tfvis.experiments.comparison_sections import Section
from tfvis.report import html_page, manifest, page_pictures

# What the sections on the page say.
_SECTIONS = "sections.json"
# Rows of a table on the page, of a section that has no summary.
_ROWS = 12


@dataclasses.dataclass(frozen=True)
class Report:
    """A page and what belongs to it.

    Attributes:
        workdir: where they lie.
        key: of what is compared.
        title: of the page.
        about: paragraphs before the sections.
        order: the names of all sections there can be.
    """

    workdir: pathlib.Path
    key: str
    title: str
    about: tuple[str, ...]
    order: Sequence[str]


def begin(report: Report) -> None:
    """Removes the sections of another comparison that was in the folder, and says so."""
    kept, gone = _kept(report), []
    for name in report.order:
        if name not in kept:
            old = [report.workdir / f"{name}.csv", *_figures(report, name)]
            gone += [name] if old[0].is_file() else []
            for path in old:
                path.unlink(missing_ok=True)
    if gone:
        messages.note(
            f"{', '.join(gone)}: of other networks, layers, pictures or steps, or of another "
            "version; removed from the report."
        )
    _write(report, kept)


def add(report: Report, section: Section) -> None:
    """Puts a section on the page, in the place of an earlier one of its name."""
    tables.write(report.workdir / f"{section.name}.csv", section.columns, section.rows)
    linked = []
    for number, figure in enumerate(section.figures):
        content, suffix = page_pictures.encoded(figure.pixels)
        file = f"figures/{section.name}-{number}.{suffix}"
        with files.replacing(report.workdir / file) as temporary:
            temporary.write_bytes(content)
        height, width = figure.pixels.shape[:2]
        linked.append(html_page.Linked(file, height, width, figure.title, figure.note, figure.wide))
    columns, rows = section.summary or (section.columns, section.rows[:_ROWS])
    table = html_page.Table(columns, rows, f"{section.name}.csv", len(section.rows))
    page = html_page.Section(section.heading, section.text, tuple(linked), table)
    current = {report.workdir / one.file for one in linked}
    _write(report, _kept(report) | {section.name: page})
    for path in set(_figures(report, section.name)) - current:
        path.unlink(missing_ok=True)


def found(report: Report) -> dict[str, str]:
    """Returns {section: what was found} of all on the page."""
    return {name: section.text for name, section in _kept(report).items()}


def page(report: Report) -> html_page.Page:
    """Returns what the page says of all its sections."""
    return _page(report, _kept(report))


def _figures(report: Report, name: str) -> list[pathlib.Path]:
    """Returns the files of a section's figures."""
    return [
        path
        for path in (report.workdir / "figures").glob(f"{name}-*.*")
        if path.stem.removeprefix(f"{name}-").isdecimal()
    ]


def _write(report: Report, sections: dict[str, html_page.Section]) -> None:
    ordered = {name: sections[name] for name in report.order if name in sections}
    manifest.write(report.workdir / _SECTIONS, {"key": report.key, "sections": ordered})
    page = report.workdir / "index.html"
    if ordered:
        html_page.write(page, _page(report, ordered))
    else:
        page.unlink(missing_ok=True)


def _page(report: Report, sections: dict[str, html_page.Section]) -> html_page.Page:
    ordered = [sections[name] for name in report.order if name in sections]
    return html_page.Page(report.title, ordered, report.about)


def _kept(report: Report) -> dict[str, html_page.Section]:
    """Returns the sections of this comparison that are whole."""
    said = manifest.read(report.workdir / _SECTIONS)
    if said.get("key") != report.key:
        return {}
    whole = {}
    try:
        for name, one in said["sections"].items():
            linked = tuple(html_page.Linked(**figure) for figure in one["figures"])
            table = html_page.Table(**one["table"])
            needed = [table.file, *(figure.file for figure in linked)]
            if all((report.workdir / file).is_file() for file in needed):
                whole[name] = html_page.Section(one["heading"], one["text"], linked, table)
    except (AttributeError, KeyError, TypeError):  # Not as it was written.
        return {}
    return whole
