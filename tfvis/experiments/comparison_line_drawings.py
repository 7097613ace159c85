"""Photographs beside line drawings of themselves: up to which layer are the two alike?"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from tfvis import files
from tfvis.classifiers import augmentation
from tfvis.comparison import decisions, rsa
from tfvis.experiments.comparison_sections import Section, course, number, right, sentences
from tfvis.experiments.comparison_study import Study
from tfvis.report import html_page, plots, sheets

# The middle of what `train --drawn` draws with.
# A finer pen, or less ink, leaves little at 160 px.
_PEN, _INK = 1.0, 0.06
# Permutations of pictures, for the probability that such an agreement is chance.
_PERMUTED = 200
_SHOWN = 6
_DRAWN = "line drawings"


def line_drawings(study: Study) -> Section:
    """Representational similarity of the pictures of the first domain and their own outlines.

    Singer et al. 2022 (Journal of Vision 22(2):4) show the same things as photograph, drawing and
    sketch: to a network of photographs they are alike in early and middle layers, and part in late
    ones. Folders have no drawing of each photograph; lines of the photograph itself are one
    (`augmentation.lines`).

    Args:
        study: whose first domain is drawn. The answers are kept in `line_drawings/`.
    """
    first = study.domains[0]
    drawn = _drawn(study, first)
    files.make_folder(drawn.workdir, "workdir")
    drawn.answer(lambda: {"drawn": first, "pen": _PEN, "ink": _INK})
    rows, lines, said = [], {}, []
    for label in study.pair:
        found = []
        for k, layer in enumerate(study.layers[label]):
            pair = (study.of(label, first, "dissimilarities", k),
                    drawn.of(label, _DRAWN, "dissimilarities", k))  # fmt: skip
            found.append(rsa.agreement(*pair))
            chance = rsa.p_value(*pair, _PERMUTED)
            rows.append((label, layer, number(found[-1]), number(chance)))
        lines[label] = (list(study.names), found)
        said.append(course(study, f"to {label}, {first} and its own line drawings agree by", found))
    for label in study.networks:
        before, after = (right(one, label) for one in (study, drawn))
        if before is not None and after is not None:
            shares = [_share(before[first]), _share(after[_DRAWN])]
            said.append(f"{label} names {first} {shares[0]}, its line drawings {shares[1]}")
    figures = (
        html_page.Figure(
            plots.lines(lines, "layer", "Spearman's correlation", bottom=None),
            f"{first} and line drawings of the same pictures",
            "of the dissimilarities of all pairs of pictures (RSA)", wide=True,
        ),
        html_page.Figure(_sheet(study, drawn, first), "What they are shown", wide=True),
    )  # fmt: skip
    columns = ("network", "layer", f"{first} and its line drawings", "p")
    heading = f"Is {first} like its own outlines to them?"
    return Section("line_drawings", heading, sentences(said), columns, rows, figures)


def _drawn(study: Study, domain: str) -> Study:
    """Returns the study of the same networks and layers, on outlines of a domain's pictures."""
    pictures = study.pictures
    pixels = np.stack(
        [augmentation.lines(one.astype(np.float32), _PEN, _INK) for one in pictures.pixels[domain]]
    )
    return dataclasses.replace(
        study,
        pictures=dataclasses.replace(
            pictures,
            pixels={_DRAWN: pixels.round().astype(np.uint8)},
            paths={_DRAWN: pictures.paths[domain]},
        ),
        workdir=study.workdir / "line_drawings",
    )


def _share(hit: Sequence[bool]) -> decisions.Share:
    return decisions.share(int(np.sum(hit)), len(hit))


def _sheet(study: Study, drawn: Study, domain: str) -> np.ndarray:
    pixels = study.pictures.pixels[domain][:_SHOWN]
    cells = [sheets.Cell(one.astype(np.float32), domain) for one in pixels]
    outlines = drawn.pictures.pixels[_DRAWN][:_SHOWN]
    cells += [sheets.Cell(one.astype(np.float32), "its lines") for one in outlines]
    return sheets.sheet(cells, len(pixels))
