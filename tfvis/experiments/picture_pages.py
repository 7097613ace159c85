"""Pages of runs that look at pictures one by one: each picture, what was made of it, numbers."""

import pathlib
from collections.abc import Sequence

from tfvis import images
from tfvis.experiments import (
    attention_models,
    localization_pictures,
    picture_tasks,
    predictions,
)
from tfvis.report import run_page
from tfvis.report.html_page import Linked, Number, Page, Pair, Section

# The longer side of a picture on a page: some fill a screen's height.
_SIDE = 720
_WIDE = 60
# Rows of the table of means: of ten explainers twenty measures.
_MEASURES = 200


def attention(records: Sequence[dict], workdir: pathlib.Path, name: str, columns: dict) -> Page:
    """Returns the page of `attention.run`: each picture under its overlay, and its class maps.

    Args:
        records: of the pictures.
        workdir: of the run.
        name: of the network.
        columns: {map: its title}; of the files in a picture's folder those that are shown.
    """

    def figures(record: dict) -> list[Linked | Pair]:
        named, note = _named(record), ", ".join(picture_tasks.answers(record))
        found = {
            word: run_page.linked(workdir, f"{record['folder']}/{word}.png", title=title)
            for word, title in columns.items()
            if f"{word}.png" in record["files"] and word != "mask"
        }
        shown: list[Linked | Pair] = []
        if over := found.pop("overlay", None):
            shown.append(Pair(_before(record, workdir), over, named, note))
        elif found:
            shown.append(_before(record, workdir, note=note))
        return shown + list(found.values())

    about = (
        "VisualBackProp (Bojarski 2018) reddens what the network reacts to, Grad-CAM (Selvaraju "
        "2017) is bright where it sees the class, and their product where it reacts to that."
    )
    text = "Pull the line for the picture itself; a click enlarges."
    section = run_page.section("Pictures and maps", text, records, figures, large=False)
    return Page(f"Where {name} looks", [section], [about])


def localization(
    records: Sequence[dict], workdir: pathlib.Path, name: str, kind: str, measures: dict
) -> Page:
    """Returns the page of `localization.run`: each picture with its boxes, and their map.

    Args:
        records: of the pictures.
        workdir: of the run.
        name: of the classifier.
        kind: of the maps.
        measures: of the boxes, or {}.
    """

    def figures(record: dict) -> list[Linked | Pair]:
        boxes = f"{record['folder']}/boxes.png"
        found = run_page.linked(
            workdir, boxes, title=_named(record), note=record["label"],
            numbers=run_page.numbers({"probability": record["probability"]}),
        )  # fmt: skip
        seen = f"{record['folder']}/{localization_pictures.map_shown(record)}"
        values = run_page.linked(workdir, seen, title=kind)
        return [found, values]

    about = (
        "The classifier was told what is in pictures, never where. A map of what it looks at, cut "
        "at a share of its maximum, leaves connected parts; the boxes are those around the "
        "largest, true ones green."
    )
    section = run_page.section("Pictures, boxes, maps", "", records, figures, large=False)
    return Page(f"Where {name} finds things", [section], [about], run_page.numbers(measures))


def judging(records: Sequence[dict], workdir: pathlib.Path, name: str) -> Page:
    """Returns the page of `judging.run`: each picture's maps beside each other."""

    def figures(record: dict) -> list[Linked | Pair]:
        note = "" if record["right"] else "the network names another class"
        file = f"{record['folder']}/maps.png"
        title = f"{_named(record)}: {record['class']}"
        return [run_page.linked(workdir, file, title=title, note=note, wide=True)]

    about = (
        "Does the class's probability fall when what a map marks is deleted, does the map lie on "
        "the thing, is it another one for another class and for a network that forgot what it "
        "learnt? Point at a measure to read what it is; the tables have means over pictures."
    )
    curves = tuple(
        run_page.linked(workdir, path.name, title=path.stem.replace("_", " "))
        for path in sorted([*workdir.glob("deletion_*.png"), *workdir.glob("insertion_*.png")])
    )
    summary = run_page.table(workdir, "summary.csv", _MEASURES)
    pairs = run_page.table(workdir, "pairs.csv")
    text = "Maps of each picture's own class, each to the power that boxes are cut from."
    sections = [
        Section("Means over pictures", "", curves, summary, large=True),
        Section("Every two explainers, on the same pictures", "", (), pairs),
        run_page.section("Maps", text, records, figures, large=False),
    ]
    if not pairs.rows:  # Of one picture.
        del sections[1]
    return Page(f"How right maps of {name} are", sections, [about])


def answers(
    records: Sequence[dict], workdir: pathlib.Path, title: str, about: str, key: str, probable: bool
) -> Page:
    """Returns a page of pictures and what is said of each, the surest first.

    Args:
        records: of the pictures: "path", and under `key` {answer: how sure}.
        workdir: of the run.
        title, about: at its top.
        key: of the answers.
        probable: whether these are probabilities.
    """

    def figures(record: dict) -> list[Linked | Pair]:
        (best, sure), *others = [*record[key].items()] or [("", "")]
        note = ", ".join(f"{word} {predictions.words(value, probable)}" for word, value in others)
        numbers = (
            Number("probability" if probable else "score", predictions.words(sure, probable)),
        )
        return [_before(record, workdir, best, note, numbers if best else ())]

    return Page(title, [run_page.section("Pictures", "", records, figures, large=False)], [about])


def tags(records: Sequence[dict], workdir: pathlib.Path) -> Page:
    """Returns the page of `tagging.tag`: each picture and its tags.

    Args:
        records: of the pictures: "path", and {kind of tags: {tag: how sure}}.
        workdir: of the run.
    """

    def figures(record: dict) -> list[Linked | Pair]:
        kinds = {kind: found for kind, found in record.items() if kind != "path" and found}
        note = "; ".join(
            f"{kind}: {', '.join(f'{tag} {sure:.0%}' for tag, sure in found.items())}"
            for kind, found in kinds.items()
        )
        return [_before(record, workdir, _named(record), note)]

    about = (
        "Illustration2Vec (Saito & Matsui 2015) names what is drawn; of each kind the surest tags "
        "come first, with how sure it is."
    )
    section = run_page.section("Pictures", "", records, figures, large=False)
    return Page("Tags of pictures", [section], [about])


def _named(record: dict) -> str:
    return picture_tasks.short(record.get("folder") or record["path"], _WIDE)


def _before(
    record: dict, workdir: pathlib.Path, title: str = "the picture", note: str = "", numbers=()
) -> Linked:
    """Returns a picture that lies elsewhere, made as small as a page needs it."""
    small = attention_models.thumbnail(images.read(record["path"]).pixels, _SIDE)
    name = run_page.name_of(record["path"])
    return run_page.shown(workdir, name, small, title=title, note=note, numbers=tuple(numbers))
