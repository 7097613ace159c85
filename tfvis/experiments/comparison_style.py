"""The same picture in the same style through both networks, and how each sees the results."""

import dataclasses

import numpy as np

from tfvis import images
from tfvis.experiments import style_transfer
from tfvis.experiments.comparison_sections import Section, number, sentences
from tfvis.experiments.comparison_study import Study
from tfvis.networks.network import Network
from tfvis.report import html_page, sheets
from tfvis.style import metrics, painting
from tfvis.style.transfer import Transfer

# Other pictures that are as far from the content as content distances are measured by.
_OTHERS = 6


def style(study: Study, steps: int | None, seed: int) -> Section:
    """How near each network's result is to style and content, to itself and to the other.

    Distances of style are told in shares of the untouched picture's, those of content in shares
    of what other pictures of its domain are from it: as they are, networks' differ in scale.

    Args:
        study: whose first picture is the content; styles are the painting that comes along, and
            the first picture of the second domain, if there is one.
        steps: evaluations of each picture's energy; None is the extent's.
        seed: of the run.

    Raises:
        InputError: a network that cannot stylise.
    """
    domain, *others = study.domains
    content = study.pictures.pixels[domain][0].astype(np.float32)
    styles = [("the painting", painting.shipped())]
    styles += [
        (f"a picture of {one}", study.pictures.pixels[one][0].astype(np.float32))
        for one in others[:1]
    ]
    if any(study.networks[label].fixed_size for label in study.pair):
        # It sees all in the shape of the content: of a style the middle, rather than squeezed.
        shape = content.shape[:2]
        styles = [(name, images.crop(wanted, shape=shape)) for name, wanted in styles]
    apart = {label: _apart(study.networks[label], study, domain) for label in study.pair}
    rows, cells, said = [], [], []
    for k, (name, wanted) in enumerate(styles):
        made = {label: _made(study, label, k, wanted, steps, seed) for label in study.pair}
        notes: dict[str, list[str]] = {label: [] for label in study.pair}
        for judge in study.pair:
            seen = {
                label: _seen(study.networks[judge], picture, content, wanted)
                for label, picture in made.items()
            }
            (from_style, _) = _seen(study.networks[judge], content, content, wanted)
            told = {}
            for label, (of_style, of_content) in seen.items():
                shares = _share(of_style, from_style), _share(of_content, apart[judge])
                rows.append((name, label, judge, number(of_style), number(shares[0]),
                             number(of_content), number(shares[1])))  # fmt: skip
                if np.isfinite(shares).all():
                    told[label] = shares
                    notes[label].append(
                        f"to {judge}:\nstyle {shares[0]:.3f}, content {shares[1]:.2f}"
                    )
            if len(told) == len(made):
                (other,) = set(study.pair) - {judge}
                own, its = told[judge][0], told[other][0]
                said.append(
                    f"to {judge}, its own picture is at {own:.3f} of the untouched distance from "
                    f"the style of {name}, and that of {other} at {its:.3f}"
                )
        cells += [
            sheets.Cell(content, f"content ({domain})"),
            sheets.Cell(_as_high(wanted, len(content)), "style", name),
            *(sheets.Cell(made[one], f"by {one}", "\n".join(notes[one])) for one in study.pair),
        ]
    figure = html_page.Figure(
        sheets.sheet(cells, 4), "The same picture and style through both",
        "style: share of the untouched picture's distance; content: share of what other "
        f"pictures are from it ({domain})", wide=True,
    )  # fmt: skip
    columns = (
        "style", "made by", "seen by", "style distance", "of the untouched", "content distance",
        "of other pictures",
    )  # fmt: skip
    return Section("style", "What style is to each", sentences(said), columns, rows, (figure,))


def _made(study: Study, label: str, which: int, wanted, steps, seed: int) -> np.ndarray:
    """Returns a network's result as its file has it, float32 [height, width, 3]."""
    content = study.pictures.pixels[study.domains[0]][0].astype(np.float32)
    workdir = study.workdir / "style" / f"{which}-{study.pair.index(label)}"
    settings = dataclasses.replace(Transfer(), evaluations=steps or study.extent.style_steps)
    size = max(round(np.sqrt(content[..., 0].size)), 32)
    # At what a network of one size takes, it sees each pixel that it paints.
    if study.extent.side and not any(study.networks[one].fixed_size for one in study.pair):
        size = max(min(study.extent.side, size), 32)
    done = style_transfer.run(
        study.networks[label], content, [wanted], workdir=workdir, settings=settings,
        size=size, seed=seed, precision=study.precision,
    )  # fmt: skip
    return images.read(workdir / done.records[0]["file"]).pixels


def _as_high(picture: np.ndarray, height: int) -> np.ndarray:
    """Returns a picture of this height, for the sheet."""
    width = max(round(picture.shape[1] * height / picture.shape[0]), 1)
    return images.resize(picture, height, width)


def _seen(network: Network, picture, content, wanted) -> tuple[float, float]:
    """Returns a picture's distances of style and content, in the unit of Gatys et al."""
    found = metrics.measure(network, picture, content, wanted)
    return found["style"], _content(found)


def _apart(network: Network, study: Study, domain: str) -> float:
    """Returns the mean content distance of other pictures of a domain from the first."""
    first, *others = study.pictures.pixels[domain][: _OTHERS + 1].astype(np.float32)
    return float(np.mean([_content(metrics.measure(network, o, first, None)) for o in others]))


def _content(found: dict[str, float]) -> float:
    return sum(value for name, value in found.items() if name.startswith("content "))


def _share(value: float, of: float) -> float:
    return value / of if of > 0 else float("nan")
