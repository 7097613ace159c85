"""Comparison: what two networks have in common, and what each has alone."""

import dataclasses
import functools
import pathlib
from collections.abc import Mapping, Sequence

from tfvis.classifiers import learnt_pictures
from tfvis.errors import InputError, arg, marked
from tfvis.experiments import (
    comparison_answers,
    comparison_attention,
    comparison_extent,
    comparison_invariance,
    comparison_line_drawings,
    comparison_maximization,
    comparison_pictures,
    comparison_preimages,
    comparison_report,
    comparison_sections,
    comparison_shape_bias,
    comparison_study,
    comparison_style,
    comparison_unit_pictures,
    devices,
    messages,
    networks,
    outcome,
    runner,
    workdirs,
)
from tfvis.networks import behind
from tfvis.report import manifest, tensorboard
from tfvis.words import some

# What the networks answered is read from files; the rest makes pictures, which takes longer.
READ = {
    "accuracy": comparison_sections.accuracy,
    "alignment": comparison_sections.alignment,
    "depiction": comparison_sections.depiction,
    "line_drawings": comparison_line_drawings.line_drawings,
    "units": comparison_sections.units,
    "preferences": comparison_sections.preferences,
    "attention": comparison_attention.attention,
}
MADE = {
    "unit_pictures": comparison_unit_pictures.unit_pictures,
    "inversion": comparison_preimages.inversions,
    "caricature": comparison_preimages.caricatures,
    "maximization": comparison_maximization.maximization,
    "style": comparison_style.style,
    "shape_bias": comparison_shape_bias.shape_bias,
    "invariance": comparison_invariance.invariance,
}
SECTIONS = (*READ, *MADE)
# What those need that return none; of accuracy see `_strangers`.
_NEEDS = {
    "depiction": "two domains of the same classes",
    "preferences": "two domains, or classes",
    "unit_pictures": "a layer that is a map in both, with units that answer and can be matched",
}


@workdirs.kept
def run(
    wanted,
    places: Mapping[str, str],
    layers: Sequence[str] | None = None,
    *,
    workdir: pathlib.Path | str,
    control: str = "",
    sections: Sequence[str] = SECTIONS,
    quick: bool = False,
    count: int | None = None,
    steps: int | None = None,
    size: int | None = None,
    seed: int = 0,
    precision: str = "auto",
    labels: Sequence[str] = (),
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
        quick: fewer pictures and steps, see `comparison_extent`.
        count: pictures of each domain; None is the extent's.
        steps: of each picture that is made, of whichever section; None is the extent's.
        size: side of the squares they are squeezed to; None is the networks' own, or 224. Where a
            network takes but another shape, all are shown the middle of that shape.
        seed: of the draw of pictures, and of noise.
        precision: see `devices`.
        labels: files with the names of classes, see `comparison_answers.named`.
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
    if labels:
        built = comparison_answers.named(built, labels)
    if control:
        # Shown what the two are; its weights are its own.
        same = wanted if isinstance(wanted, networks.Wanted) else networks.Wanted()
        same = dataclasses.replace(same, network=control, weights=None)
        found = networks.networks(same, words=list(layers) if layers else None)
        (third,) = found.values()
        if labels and labels[0] and third.classifier and not third.classes:
            (third,) = comparison_answers.named(found, labels[:1]).values()
        label = f"{next(iter(found))} (control)"
        built, control = built | {label: third}, label
    corresponding = comparison_study.corresponding(built, layers, control)
    if layers is None:
        _note_behind(built, corresponding)
    extent = comparison_extent.QUICK if quick else comparison_extent.FULL
    learnt = {label: learnt_pictures.learnt_from(network) for label, network in built.items()}
    pictures = comparison_pictures.chosen(
        places, _size(built, size), count or extent.count, seed, learnt
    )
    for line in pictures.told:
        messages.note(line)
    study = comparison_study.Study(
        built,
        corresponding,
        control,
        pictures,
        workdir,
        devices.precision(precision),
        extent,
    )
    # Sections of other steps would stand beside each other as if they were of one kind.
    named = {"named": [network.classes for network in built.values()]} if labels else {}
    key = manifest.key(study=study.key, extent=extent, steps=steps, seed=seed, **named)
    report = comparison_report.Report(
        workdir, key, " and ".join(study.pair), _about(study), SECTIONS
    )
    header = runner.header(built, arguments) | {
        "layers": study.layers, "classes": pictures.classes, "pictures": pictures.paths,
    }  # fmt: skip
    answers = study.answer(lambda: header)
    comparison_report.begin(report)
    made = {name: functools.partial(make, steps=steps, seed=seed) for name, make in MADE.items()}
    done, lines = {}, []
    for name, make in (READ | made).items():
        if name in sections:
            done[name] = one = _unless_refused(name, make, study)
            if one:
                comparison_report.add(report, one)
                heading = one.heading if one.heading.endswith("?") else f"{one.heading}:"
                lines.append(f"{heading} {one.text}  {workdir / f'{one.name}.csv'}")
    if pictures.classes and "accuracy" in done and not done["accuracy"]:
        messages.note(_strangers(study))
    if not any(done.values()):
        raise InputError(
            f"{arg('sections')}={','.join(done)}: these pictures and networks allow none of them."
        )
    sections = [one for one in done.values() if one]
    with tensorboard.Writer(workdir / "tensorboard") as writer:
        for one in sections:
            for number, figure in enumerate(one.figures):
                writer.images(f"{one.name}/{number}", figure.pixels[None], 0)
    found = comparison_report.found(report)
    manifest.write(workdir / "manifest.json", header | {"results": answers, "found": found})
    return outcome.Outcome(
        [{"section": one.name, "found": one.text} for one in sections],
        lines,
        page=comparison_report.page(report),
    )


def _about(study) -> tuple[str, ...]:
    """Returns what the page says before its sections."""
    pictures, (one, other) = study.pictures, study.pair
    of = f", of each of {len(pictures.classes)} classes alike" if pictures.classes else ""
    control = f" {study.control} is beside them, to tell how far apart two of a kind are."
    shown = " and ".join(study.domains)
    height, width = pictures.pixels[study.domains[0]].shape[1:3]
    of += f" (of each picture the middle, {height} x {width} px)" if height != width else ""
    return (
        f"{one} and {other} were shown the same pictures: {pictures.count} each of {shown}{of}."
        + (control if study.control else ""),
        *([" ".join(pictures.told)] if pictures.told else []),
    )


def _note_behind(built, corresponding) -> None:
    """Says which networks have learnt more behind the last convolution, as transformers do."""
    for label, paths in corresponding.items():
        if names := behind.behind(built[label], paths[-1]):
            messages.note(
                f"behind {paths[-1]}, the last convolution that is compared, {label} has learnt "
                f"more ({names[-1]} is its last). Name maps or vectors of it with {arg('layers')}."
            )


def _strangers(study) -> str:
    """Returns why no network can say how often it is right, and what to do."""
    lines = []
    for label in study.pair:
        network, classes = study.networks[label], study.pictures.classes
        if not network.logits:
            lines.append(f"{label} ends in no classifier")
        elif not network.classes:
            lines.append(f"nothing names the classes of {label}: {arg('labels')} can")
        else:
            missing = [name for name in classes if name not in network.classes]
            lines.append(f"{label} does not know {some(missing)}")
    return f"accuracy is left out, as no network knows all classes: {'; '.join(lines)}."


def _unless_refused(name: str, make, study) -> comparison_sections.Section | None:
    """Returns a section; None, and a note, where a network or layer is none for it."""
    try:
        section = make(study)
        if section is None and name in _NEEDS:
            messages.note(f"{name} is left out: it needs {_NEEDS[name]}.")
        return section
    except InputError as error:
        messages.note(f"{name} is left out: {marked(error)}")
        return None


def _size(built, size: int | None) -> int | tuple[int, int]:
    """Returns the side of the squares; (height, width) where a network takes but another shape.

    Raises:
        InputError: networks that do not take the same pictures.
    """
    if len({network.channels for network in built.values()}) > 1:
        said = ", ".join(f"{label} {network.channels}" for label, network in built.items())
        raise InputError(
            f"{arg('networks')}: they take pictures of unlike channels ({said}); name two of grey, "
            "or two of colour."
        )
    for label, network in built.items():
        fixed = network.fixed_size
        if size and fixed and fixed != (size, size):
            raise InputError(
                f"{arg('size')}={size}: {label} takes {fixed[0]} x {fixed[1]} px only; leave it "
                "out."
            )
    # A network of fixed size has what it is shown resized; the larger loses nothing.
    taken = {label: n.fixed_size for label, n in built.items() if n.fixed_size}
    largest = max(taken.values(), default=(1, 1))
    if any(h * largest[1] != w * largest[0] for h, w in taken.values()):
        said = ", ".join(f"{label} {h} x {w} px" for label, (h, w) in taken.items())
        raise InputError(
            f"{arg('networks')}: they take pictures of unlike shapes ({said}), and what fits one "
            "is squeezed to the other; name two of one shape, or one that takes any."
        )
    if largest[0] != largest[1]:
        return largest
    return size or max(max(n.fixed_size or (n.side or 224,)) for n in built.values())
