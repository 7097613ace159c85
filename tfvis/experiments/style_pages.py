"""Pages of neural style: a picture over what it was made of, the styles beside it."""

import pathlib
from collections.abc import Mapping, Sequence

import numpy as np

from tfvis import images
from tfvis.report import run_page
from tfvis.report.html_page import Linked, Page, Pair, Section

_PAINTED = (
    "The picture keeps what the network sees in the content, and takes the statistics of its "
    "features, which hold strokes, colours and swirls, from the style (Gatys et al., CVPR 2016)."
)
_IN_ONE_PASS = (
    "Painted by a network that was trained to, in one pass (Johnson et al., ECCV 2016), with a "
    "scale and a shift per channel for each style (Dumoulin et al., ICLR 2017)."
)
_TEXTURE = (
    "Found from noise: a picture whose features have the Gram matrices of the source at several "
    "depths of the network (Gatys et al., NIPS 2015)."
)
_HOLD = (
    "Found from noise: on one row, images whose features at a single layer are those of the "
    "picture; on the other, images that share its Gram matrices at the first layers (the first "
    "figure of Gatys et al. 2015)."
)
_VARIED = "Every combination of the values made a picture, with everything else the same."


def transfer(
    record: dict, workdir: pathlib.Path, content: np.ndarray, styles: Sequence[np.ndarray]
) -> Page:
    """Returns the page of `style_transfer.run`.

    Args:
        record: of the picture.
        workdir: of the run.
        content, styles: as they were taken.
    """
    made = run_page.linked(workdir, record["file"], title="painted")
    whole = images.resize(content, made.height, made.width)
    before = run_page.shown(workdir, "content", whole, title="the content")
    size = f"{made.width} x {made.height} px"
    pair = Pair(before, made, "painted", size, run_page.numbers(record))
    several = len(styles) > 1
    some = tuple(
        run_page.shown(workdir, f"style_{k}", style, title=f"style {k}" if several else "the style")
        for k, style in enumerate(styles, 1)
    )
    text = "On the left the content, on the right the picture: pull the line."
    section = Section("Content and picture", text, (pair, *some), large=True)
    return Page("A picture in another style", [section], [_PAINTED])


def painted(records: Sequence[dict], workdir: pathlib.Path, style: str) -> Page:
    """Returns the page of `fast_style.run`: each picture under what became of it.

    Args:
        records: of the pictures.
        workdir: of the run.
        style: in words.
    """

    def figures(record: dict) -> list[Pair]:
        name = pathlib.PurePath(record["path"]).name
        after = run_page.linked(workdir, record["file"], title=style)
        whole = images.resize(images.read(record["path"]).pixels, after.height, after.width)
        before = run_page.shown(workdir, run_page.name_of(record["path"]), whole, title=name)
        return [Pair(before, after, name, f"{after.width} x {after.height} px")]

    text = "On the left the picture, on the right as painted: pull the line."
    section = run_page.section("Pictures", text, records, figures)
    return Page("Pictures in another style, in one pass", [section], [_IN_ONE_PASS])


def texture(record: dict, workdir: pathlib.Path, source: np.ndarray) -> Page:
    """Returns the page of `texture.run`; arguments as `transfer`."""
    figures = [
        run_page.shown(workdir, "source", source, title="the source"),
        run_page.linked(
            workdir, record["file"], title="the texture", numbers=run_page.numbers(record)
        ),
    ]
    if (workdir / "tiled.png").is_file():
        figures.append(run_page.linked(workdir, "tiled.png", title="two by two"))
    section = Section("Source and texture", "", tuple(figures), large=True)
    return Page("More of a texture", [section], [_TEXTURE])


def reconstruction(
    records: Sequence[dict], rows: Sequence[str], workdir: pathlib.Path, target: np.ndarray
) -> Page:
    """Returns the page of `reconstruction.run`.

    Args:
        records: of the pictures.
        rows: "content", "style".
        workdir: of the run.
        target: the picture.
    """
    before = run_page.shown(workdir, "target", target, title="the picture")

    def figures(record: dict) -> list[Pair]:
        layers = record["layers"]
        title = layers[0] if len(layers) == 1 else f"{layers[0]} to {layers[-1]}"
        after = run_page.linked(workdir, record["file"], title=title)
        return [Pair(before, after, title, numbers=run_page.numbers(record))]

    sections = [
        run_page.section(
            row.capitalize(), f"What layers hold of the {row}: pull the line.",
            [record for record in records if record["row"] == row], figures, large=False,
        )
        for row in rows
    ]  # fmt: skip
    return Page("What content and what style layers hold", sections, [_HOLD])


def sweep(
    rows: Sequence[dict], titles: Sequence[str], workdir: pathlib.Path,
    shown: Mapping[str, np.ndarray],
) -> Page:  # fmt: skip
    """Returns the page of `sweep.run`.

    Args:
        rows: of results.csv.
        titles: what varies in each.
        workdir: of the run.
        shown: {title: picture} that all are made of.
    """
    given = tuple(
        run_page.shown(workdir, f"given_{k}", pixels, title=title)
        for k, (title, pixels) in enumerate(shown.items())
    )
    named = [row | {"title": title} for row, title in zip(rows, titles, strict=True)]

    def figures(row: dict) -> list[Linked]:
        words = {"title": row["title"], "numbers": run_page.numbers(row)}
        return [run_page.linked(workdir, row["file"], **words)]

    return Page(
        "Neural style, swept",
        [Section("Content and style", "", given),
         run_page.section("Pictures", "", named, figures, large=False)],
        [_VARIED],
    )  # fmt: skip
