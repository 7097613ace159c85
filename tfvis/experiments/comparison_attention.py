"""Where both networks look in the same pictures, and whether that is the same place."""

import os
from collections.abc import Sequence

import numpy as np

from tfvis.attention import explainer, overlays
from tfvis.attention.grad_cam import GradCam
from tfvis.attention.metrics import similarity
from tfvis.attention.visual_backprop import ROOT, VisualBackProp
from tfvis.errors import InputError, arg, marked
from tfvis.experiments.comparison_sections import Section, number, sentences
from tfvis.experiments.comparison_study import Study
from tfvis.progress_bar import bar
from tfvis.report import html_page, sheets

# Pictures that are looked at, of all domains together, and their side on the sheet.
_PICTURES = 12


def attention(study: Study) -> Section:
    """Maps of both on twelve pictures: Grad-CAM of the class that the folder names, where both
    know it, else VisualBackProp, which knows no class.

    Raises:
        InputError: a network has no such maps.
    """
    classes = study.pictures.classes
    networks = {label: study.networks[label] for label in study.pair}
    known = bool(classes) and all(set(classes) <= set(n.classes) for n in networks.values())
    kind, root = (GradCam, 1.0) if known else (VisualBackProp, ROOT)
    try:
        explainers = {label: kind(network) for label, network in networks.items()}
    except InputError as error:
        if known or not classes or not all(network.classifier for network in networks.values()):
            raise
        more = f"Grad-CAM is had where both know the folders' classes: {arg('labels')} names them."
        raise InputError(f"{marked(error)} {more}") from error
    each = min(max(_PICTURES // len(study.domains), 1), study.pictures.count)
    rows, cells = [], []
    found: dict[str, list[float]] = {domain: [] for domain in study.domains}
    names = {domain: _within(paths) for domain, paths in study.pictures.paths.items()}
    with bar("Looking where they look", each * len(study.domains)) as progress:
        for domain in study.domains:
            for k in range(each):
                pixels = study.pictures.pixels[domain][k].astype(np.float32)
                target = classes[study.pictures.labels[k]] if known else None
                maps = [explain(pixels, target) for explain in explainers.values()]
                rho = _alike(*(np.asarray(one[0]) for one in maps))
                if not np.isnan(rho):
                    found[domain].append(rho)
                shown = [
                    np.asarray(explainer.shown(explain, one, pixels, target)[0])
                    for explain, one in zip(explainers.values(), maps, strict=True)
                ]
                rows.append((domain, names[domain][k], target or "", number(rho)))
                cells.append(sheets.Cell(pixels, domain, target or ""))
                cells += [
                    sheets.Cell(overlays.heat(pixels, one**root), label,
                                f"rank correlation {rho:.2f}" if not np.isnan(rho) else "no map")
                    for label, one in zip(explainers, shown, strict=True)
                ]  # fmt: skip
                progress.update(1)
    said = [
        f"on {domain}, both look at the same places to a rank correlation of "
        f"{np.mean(values):.2f} ({len(values)} pictures)"
        for domain, values in found.items()
        if len(values) > 1
    ]
    if not any(found.values()):
        said.append("of each picture one of the two maps is the same everywhere, so none compare")
    name = "Grad-CAM of the folder's class" if known else "VisualBackProp"
    figure = html_page.Figure(sheets.sheet(cells, 6), name, wide=True)
    columns = ("domain", "path", "class", "rank correlation")
    return Section("attention", "Where they look", sentences(said), columns, rows, (figure,))


def _within(paths: Sequence[str]) -> list[str]:
    """Returns paths from the folder that holds all of them: the report may be shown to others."""
    # A table may name some from the root on.
    folder = os.path.commonpath([os.path.dirname(os.path.abspath(path)) for path in paths])
    return [os.path.relpath(path, folder) for path in paths]


def _alike(one: np.ndarray, other: np.ndarray) -> float:
    """Returns the rank correlation of two maps; nan where one is the same everywhere."""
    try:
        return similarity.similarity(one, other).spearman
    except InputError:
        return float("nan")
