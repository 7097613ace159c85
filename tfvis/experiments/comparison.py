"""Comparison: what two networks have in common, and what each has alone."""

import dataclasses
import functools
import pathlib
from collections.abc import Mapping, Sequence

from tfvis import images, tables
from tfvis.errors import InputError, arg, marked
from tfvis.experiments import (
    comparison_attention,
    comparison_pictures,
    comparison_preimages,
    comparison_sections,
    comparison_study,
    devices,
    messages,
    networks,
    outcome,
    runner,
    workdirs,
)
from tfvis.report import html_page, manifest, tensorboard

# What the networks answered is read from files; the rest makes pictures, which takes longer.
READ = {
    "accuracy": comparison_sections.accuracy,
    "alignment": comparison_sections.alignment,
    "depiction": comparison_sections.depiction,
    "units": comparison_sections.units,
    "preferences": comparison_sections.preferences,
    "attention": comparison_attention.attention,
}
MADE = {
    "inversion": comparison_preimages.inversions,
    "caricature": comparison_preimages.caricatures,
}
SECTIONS = (*READ, *MADE)


@workdirs.kept
def run(
    wanted,
    places: Mapping[str, str],
    layers: Sequence[str] | None = None,
    *,
    workdir: pathlib.Path | str,
    control: str = "",
    sections: Sequence[str] = SECTIONS,
    count: int = 140,
    steps: int | None = None,
    size: int | None = None,
    seed: int = 0,
    precision: str = "auto",
    arguments: dict | None = None,
) -> outcome.Outcome:
    """Shows two networks the same pictures, and tells where their answers agree.

    Args:
        wanted: `networks.Wanted` of two, or {label: network}; one given twice is its own control.
        places: {domain: folder or CSV file}, such as photographs and drawings of the same classes.
        layers: see `comparison_study.corresponding`.
        workdir: for all results; the page is index.html.
        control: a third network, to be compared with the first as the second is: of the same
            kind, from another seed.
        sections: of `SECTIONS`; those that these pictures and networks do not allow are left out.
        count: pictures of each domain.
        steps: of pre-images and caricatures; None is as the apps of that name have them.
        size: side of the squares they are squeezed to; None is the networks' own, or 224.
        seed: of the draw of pictures, and of noise.
        precision: see `devices`.
        arguments: for the manifest.

    Returns:
        Its sections, as records.

    Raises:
        InputError: not two networks, or of different channels or fixed sizes; layers that do not
            correspond; as `comparison_pictures.chosen`.
    """
    if unknown := [name for name in sections if name not in SECTIONS]:
        raise InputError(f"{arg('sections')}={unknown[0]}: expected some of {', '.join(SECTIONS)}.")
    built = networks.given(wanted, list(layers) if layers else None, top=False)
    if len(built) != 2:
        raise InputError(
            f"{arg('networks')}: name two to compare, separated by a comma. Received: {len(built)}."
        )
    if control:
        # Shown what the two are; its weights are its own.
        same = wanted if isinstance(wanted, networks.Wanted) else networks.Wanted()
        same = dataclasses.replace(same, network=control, weights=None)
        found = networks.networks(same, words=list(layers) if layers else None)
        (third,) = found.values()
        label = f"{next(iter(found))} (control)"
        built, control = built | {label: third}, label
    pictures = comparison_pictures.chosen(places, _side(built, size), count, seed)
    study = comparison_study.Study(
        built,
        comparison_study.corresponding(built, layers),
        control,
        pictures,
        workdir,
        devices.precision(precision),
    )
    header = runner.header(built, arguments) | {
        "layers": study.layers, "classes": pictures.classes, "pictures": pictures.paths,
    }  # fmt: skip
    answers = study.answer(lambda: header)
    made = {name: functools.partial(make, steps=steps, seed=seed) for name, make in MADE.items()}
    done = {
        name: _unless_refused(name, make, study)
        for name, make in (READ | made).items()
        if name in sections
    }
    if pictures.classes and "accuracy" in done and not done["accuracy"]:
        messages.note("no network knows all classes of the folders: accuracy is left out.")
    if not any(done.values()):
        raise InputError(
            f"{arg('sections')}={','.join(done)}: these pictures and networks allow none of them."
        )
    sections = [one for one in done.values() if one]
    return outcome.Outcome(
        [{"section": one.name, "found": one.text} for one in sections],
        _written(study, sections, header | {"results": answers}),
    )


def _unless_refused(name: str, make, study) -> comparison_sections.Section | None:
    """Returns a section; None, and a note, where a network or layer is none for it."""
    try:
        return make(study)
    except InputError as error:
        messages.note(f"{name} is left out: {marked(error)}")
        return None


def _side(built, size: int | None) -> int:
    """Returns the side of the squares.

    Raises:
        InputError: networks that do not take the same pictures.
    """
    if len({network.channels for network in built.values()}) > 1:
        said = ", ".join(f"{label} {network.channels}" for label, network in built.items())
        raise InputError(f"{arg('networks')}: they take pictures of unlike channels ({said}).")
    for label, network in built.items():
        fixed = network.fixed_size
        if size and fixed and fixed != (size, size):
            raise InputError(
                f"{arg('size')}={size}: {label} takes {fixed[0]} x {fixed[1]} px only; leave it "
                "out."
            )
    # A network of fixed size has what it is shown resized; the larger loses nothing.
    sides = [max(n.fixed_size or (n.side or 224,)) for n in built.values()]
    return size or max(sides)


def _written(study, sections, content: dict) -> list[str]:
    """Writes tables, page, TensorBoard and manifest; returns lines to print."""
    workdir, lines = study.workdir, []
    for one in sections:
        tables.write(workdir / f"{one.name}.csv", one.columns, one.rows)
        heading = one.heading if one.heading.endswith("?") else f"{one.heading}:"
        lines.append(f"{heading} {one.text}  {workdir / f'{one.name}.csv'}")
        for number, figure in enumerate(one.figures):
            images.save_png(workdir / "figures" / f"{one.name}-{number}.png", figure.pixels)
    page = workdir / "index.html"
    html_page.write(
        page,
        " and ".join(study.pair),
        [html_page.Section(one.heading, one.text, one.figures) for one in sections],
    )
    with tensorboard.Writer(workdir / "tensorboard") as writer:
        for one in sections:
            for number, figure in enumerate(one.figures):
                writer.images(f"{one.name}/{number}", figure.pixels[None], 0)
    found = {one.name: one.text for one in sections}
    manifest.write(workdir / "manifest.json", content | {"found": found})
    return [*lines, f"Open {page.resolve()} in a browser."]
