"""A comparison's pictures: the same photograph and drawing inverted and caricatured by both."""

import dataclasses

import numpy as np

from tfvis import images, preimages
from tfvis.comparison import decisions
from tfvis.errors import InputError
from tfvis.experiments import (
    caricature,
    classifier_answers,
    inversion,
    networks,
    runner,
    second_network,
)
from tfvis.experiments.comparison_sections import Section, number, sentences
from tfvis.experiments.comparison_study import Study, evenly
from tfvis.preimages import inversion as recipe
from tfvis.report import html_page, plots


def inversions(study: Study, steps: int | None, seed: int) -> Section:
    """What each keeps of a picture of each domain, and how much of it the other finds there.

    The cross error is that of the other network's features on this one's pre-image: low where
    what the other knows is kept. A pre-image that the other names as it names the picture is no
    metamer of its own network alone (Feather et al. 2023).

    Args:
        study: of which the first picture of each domain is taken.
        steps: of each pre-image; None is the extent's.
        seed: of the noise.
    """
    rows, figures, said = [], [], []
    kept = {label: [] for label in study.pair}
    for domain in study.domains:
        records, picture, sheet = _made(study, inversion, "inversion", domain, steps, seed)
        asked: dict[str, dict | None] = {}
        for record in records:
            label, layer = record["network"], record["layer"]
            (stranger,) = set(study.pair) - {label}
            across = study.layers[stranger][study.layers[label].index(layer)]
            file = study.workdir / "inversion" / _folder(domain) / record["file"]
            found = runner.stored(file, study.networks[label])
            # A network of fixed size inverts the picture at that size.
            target = images.resize(picture, *found.shape[:2])
            (cross,) = recipe.relative_errors(
                study.networks[stranger], [found], target, across, preimages.Inversion()
            )
            if stranger not in asked:
                asked[stranger] = _says(study.networks[stranger], picture)
            same, called = None, ""
            if said_of := asked[stranger]:
                of_found = _says(study.networks[stranger], found)
                same = said_of["class"] == of_found["class"]
                called = second_network.compared(said_of, of_found)
            if same is not None:
                kept[label].append(same)
            pairs = record.get("random_pairs") or {}
            rows.append((
                domain, label, layer, number(record["relative_error"]), number(cross),
                pairs.get("nearer_than", ""), pairs.get("pairs", ""), called,
            ))  # fmt: skip
        figures.append(html_page.Figure(
            sheet, f"The same picture ({domain}), inverted by both", wide=True
        ))  # fmt: skip
        figures.append(_off(study, [row for row in rows if row[0] == domain], domain))
        for label in study.pair:
            # Of a layer that does not answer the picture there is none.
            own = [row[3] and f"{float(row[3]):.3f}" for row in rows if row[:2] == (domain, label)]
            cross = [row[4] for row in rows if row[:2] == (domain, label)]
            if own and own[0] and own[-1]:
                off = cross[-1] and f", where the other network is off by {float(cross[-1]):.3f}"
                said.append(
                    f"on {domain}, {label} is matched to {own[0]} at its first layer shown and "
                    f"{own[-1]} at its last{off}"
                )
    for label, same in kept.items():
        if same:
            share = decisions.share(sum(same), len(same))
            said.append(
                f"of {label}'s pre-images the other network calls {share} what it calls the picture"
            )
    columns = (
        "domain", "network", "layer", "relative error", "error in the other", "nearer than",
        "of random pairs", "the other says",
    )  # fmt: skip
    # All of it is on the page: a row for each layer, network and domain.
    shown = [(*row[:5], _percentile(*row[5:7]), row[7]) for row in rows]
    heads = (*columns[:3], "error", "error in the other", "nearer than random pairs", columns[-1])
    return Section(
        "inversion", "What each keeps", sentences(said), columns, rows, tuple(figures),
        (heads, shown),
    )  # fmt: skip


def _percentile(nearer, pairs) -> str:
    """Returns in words how many random pairs a pre-image is nearer than."""
    return f"{nearer} of {pairs} ({nearer / pairs:.0%})" if pairs else ""


def _off(study: Study, rows: list[tuple], domain: str) -> html_page.Figure:
    """Returns the plot of a domain's errors over the layers: each network's, and the other's."""
    lines = {}
    for label in study.pair:
        own = [row for row in rows if row[1] == label]
        names = [study.names[study.layers[label].index(row[2])] for row in own]
        (stranger,) = set(study.pair) - {label}
        for column, name in ((3, label), (4, f"{label}'s, to {stranger}")):
            lines[name] = (names, [float(row[column] or "nan") for row in own])
    return html_page.Figure(
        plots.lines(lines, "layer", "relative error"),
        f"What is left of the distance ({domain})",
        "to the network that was inverted, and to the other one", wide=True,
    )  # fmt: skip


def caricatures(study: Study, steps: int | None, seed: int) -> Section:
    """What each sees in a picture of each domain, exaggerated; arguments as `inversions`."""
    rows, figures, said = [], [], []
    for domain in study.domains:
        records, _, sheet = _made(study, caricature, "caricature", domain, steps, seed)
        rows += [(domain, r["network"], r["layer"], number(r["exaggeration"])) for r in records]
        figures.append(html_page.Figure(
            sheet, f"The same picture ({domain}), caricatured by both", wide=True
        ))  # fmt: skip
        last = {r["network"]: r["exaggeration"] for r in records}
        each = ", ".join(f"{label} {value:.1f}" for label, value in last.items())
        said.append(f"on {domain}, the last layers shown answer so many times as much: {each}")
    return Section(
        "caricature", "What each sees", sentences(said),
        ("domain", "network", "layer", "answers times as much"), rows, tuple(figures),
    )  # fmt: skip


def _made(study: Study, experiment, name: str, domain: str, steps: int | None, seed: int):
    """Returns (records, the picture, the sheet) of an experiment on a domain's first picture."""
    built = {label: study.networks[label] for label in study.pair}
    pixels = study.pictures.pixels[domain][0].astype(np.float32)
    settings, usual = {
        "inversion": (preimages.Inversion(), study.extent.inversion_steps),
        "caricature": (preimages.Caricature(), study.extent.caricature_steps),
    }[name]
    steps = steps or usual
    fine = min(settings.fine_steps, steps // 4)
    settings = dataclasses.replace(settings, steps=steps, fine_steps=fine)
    done = experiment.run(
        built, pixels, _shown(study), workdir=study.workdir / name / _folder(domain),
        settings=settings, seed=seed, size=_size(built, study.extent.side or pixels.shape[0]),
        precision=study.precision,
    )  # fmt: skip
    channels = built[study.pair[0]].channels
    return done.records, images.with_channels(pixels, channels), images.read(done.sheet).pixels


def _size(built, side: int) -> int | tuple[int, int]:
    """Returns the size at which both are looked into: that of one whose size is fixed.

    Args:
        built: the two.
        side: of the square where neither's is.

    Raises:
        InputError: each takes but a size of its own.
    """
    fixed = {network.fixed_size for network in built.values()} - {None}
    if not fixed:
        return side
    if len(fixed) > 1:
        said = ", ".join(
            f"{label} takes {' x '.join(map(str, network.fixed_size))} px"
            for label, network in built.items()
            if network.fixed_size
        )
        raise InputError(f"both need pictures of one size to be set beside each other ({said}).")
    (size,) = fixed
    return size


def _folder(domain: str) -> str:
    return str(runner.safe_name(domain))


def _shown(study: Study) -> dict[str, list[str]]:
    """Returns the layers of each that are shown: of each stride the last that there is."""
    one = study.layers[study.pair[0]]
    try:
        deepest = networks.depths(study.networks[study.pair[0]])
    except InputError:  # Of vectors only.
        deepest = []
    places = [k for k, layer in enumerate(one) if layer in deepest]
    places = places or evenly(len(one), study.extent.depths)
    places = [places[k] for k in evenly(len(places), study.extent.depths)]
    # Not as one word for both: one may have a layer that is called as the other's is.
    return {label: [study.layers[label][k] for k in places] for label in study.pair}


def _says(network, picture: np.ndarray) -> dict | None:
    """Returns what a network calls a picture, None of one that names no classes."""
    if not network.classes or not classifier_answers.percentages(network):
        return None
    return second_network.SecondNetwork(network, network.classes).says(picture)
