"""Pages of units: what raises them, and which images do."""

import pathlib
from collections.abc import Sequence

from tfvis.experiments import unit_answers, unit_numbers
from tfvis.report import run_page
from tfvis.report.html_page import Linked, Number, Page

_LOOKS_FOR = (
    "Each picture was found from noise, as one on which its unit answers as much as it can while "
    "the image stays a natural one. It is as large as what the unit can see; the numbers say how "
    "the unit answers photographs."
)
_STRONGEST = (
    "The patches are those of all images that excite the unit most, the strongest first; beside "
    "them, its activation taken back to the pixels: what in them the unit answers to."
)


def numbers(record: dict) -> tuple[Number, ...]:
    """Returns how a unit answers its picture, alone and beside photographs."""
    known = run_page.numbers({"activation": record["activation"]})
    return (*known, Number("times_largest", unit_answers.answer(record)))


def maximization(records: Sequence[dict], workdir: pathlib.Path) -> Page:
    """Returns the page of `activation_maximization.run`: each unit, and photographs beside it.

    Args:
        records: of the units.
        workdir: of the run.
    """
    several = unit_answers.several(records)

    def figures(record: dict) -> list[Linked]:
        title = unit_answers.title(record)
        title = f"{record['network']} {title}" if several else title
        note = "; ".join(unit_numbers.notes(record))
        found = [
            run_page.linked(
                workdir, record["file"], title=title, note=note, numbers=numbers(record)
            )
        ]
        if natural := record.get("natural"):
            words = {"title": f"{title}: photographs", "note": unit_numbers.best(natural)}
            found.append(run_page.linked(workdir, natural["file"], **words))
        return found

    section = run_page.section("Units", "", records, figures)
    return Page("What units look for", [section], [_LOOKS_FOR])


def strongest(records: Sequence[dict], workdir: pathlib.Path, method: str, names: dict) -> Page:
    """Returns the page of `deconvnet.run`: the projections of each unit beside their patches.

    Args:
        records: of the units' images, the strongest of each first.
        workdir: of the run.
        method: of the projections.
        names: {figure of a unit, relative to the workdir: its name}.
    """
    first: dict[str, dict] = {}
    for record in records:
        for file in names.keys() & record["files"].keys():
            first.setdefault(file, record)

    def figures(record: dict) -> list[Linked]:
        (file,) = names.keys() & record["files"].keys()
        note = f"{method}, up to {record['activation']:.4g} in {record['image']}"
        words = {"title": names[file], "note": note, "wide": True}
        return [run_page.linked(workdir, file, numbers=run_page.numbers(record), **words)]

    text = "On the left the projections, on the right the patches."
    section = run_page.section("Units", text, list(first.values()), figures)
    return Page("Which images excite units, and what in them does", [section], [_STRONGEST])
