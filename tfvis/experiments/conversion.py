"""Conversion: a .keras file of a Caffe network, and lines about it."""

import dataclasses
from collections.abc import Sequence

import keras

from tfvis import files
from tfvis.errors import InputError, Text, arg, marked
from tfvis.experiments import converted_file, messages, networks, outcome
from tfvis.networks import network, opening, registry
from tfvis.networks.caffe import mean_files
from tfvis.networks.preprocessing import (
    contract_files,
    contracts,
    layers,
    published_recipes,
    steps_from_file,
)


def run(
    name: str,
    output: str | None = None,
    *,
    workdir: str | None = None,
    weights: str | None = None,
    mean: str | None = None,
    preprocessing: str = "auto",
    trunk: bool = False,
    end_to_end: bool = False,
    stage: Sequence[str] = (),
    until: str | None = None,
) -> outcome.Outcome:
    """Makes one .keras file of a Caffe network, or of another that is known by name.

    Args:
        name: a .prototxt file, or a name.
        output: the file to write, NAME.keras; or
        workdir: its folder, where it has the network's name.
        weights: a file, "random", or None to find them.
        mean: file of a mean, or None for the network's own.
        preprocessing: name of a contract, or "auto".
        trunk: whether to leave out the classifier.
        end_to_end: whether the preprocessing becomes layers.
        stage, until: see `network.build`.

    Raises:
        InputError: a file cannot be read, does not fit, or cannot be written.
    """
    if end_to_end and trunk:
        raise InputError(f"{arg('end_to_end')}: is of a whole network; leave out {arg('trunk')}.")
    whole = "a checkpoint" if registry.checkpoint(name) else ""
    whole = "a model of Keras" if name.endswith((".keras", ".h5")) else whole
    if trunk and whole:
        raise InputError(f"{arg('trunk')}: {name} is {whole}, and stays whole. Leave it out.")
    written = converted_file.path(name, output, workdir)
    if output is None:
        messages.note(f"convert writes one file, {written}; {arg('output')} names another.")
    # Before the minute that a large network takes.
    files.make_folder(written.parent, "output")
    image = None if mean is None else mean_files.read(mean)
    found = opening.opened(name, weights, top=not trunk, stage=tuple(stage), until=until)
    if preprocessing != "auto":
        found = opening.overridden(found, preprocessing)
    # Refuses weights of NaN, and what is no network of one image.
    built = network.of_opened(found)
    if end_to_end:
        _check_whole(built)
    contract, why = found.contract, found.why
    if image is not None:
        contract, why = (
            mean_files.contract(contract, image),
            Text(f"with the mean of {arg('mean')}, else {marked(why)}"),
        )
    networks.say_notes(dataclasses.replace(built, preprocessing=contract, preprocessing_reason=why))
    recipe = published_recipes.fitting(found.name, contract, built.fixed_size, built.side)
    # Of a mean image larger than the network's pictures, the centre, as Caffe has it.
    contract = recipe.contract
    model, lines = found.model, _said(contract, built.channels)
    if end_to_end:
        model = layers.end_to_end(dataclasses.replace(built, preprocessing=contract), recipe)
        lines = [_steps(recipe), *lines]
        # What was put in is not to be guessed again; the contract is for sure.
        contract, why = contracts.named("none"), "the file prepares pictures itself"
    # With its preparation in it, the file squeezes pictures itself.
    side = None if end_to_end else built.side
    # Those that a checkpoint or a file says; yes and no of one score are nobody's.
    said = found.checkpoint or found.classes.names
    names = built.classes if not trunk and said else ()
    contract_files.save(model, contract, written, contract_files.Classes(names, side), str(why))
    return outcome.Outcome([], [*_layers(model), *lines, f"Written: {written}"])


def _check_whole(built: network.Network) -> None:
    """Refuses what does not become one function from pictures of files to one answer."""
    if layers.prepares(built):
        raise InputError(
            f"{arg('end_to_end')}: {built.name} prepares pictures itself already. Leave it out."
        )
    if built.channels not in (1, 3):
        raise InputError(
            f"{arg('end_to_end')}: {built.name} takes {built.channels} channels, and a picture "
            "file has 3. Leave it out."
        )
    outputs = built.graph.outputs
    if len(outputs) > 1 and not built.classifier:
        raise InputError(
            f"{arg('end_to_end')}: {built.name} has several outputs ({', '.join(outputs)}), and "
            "none alone is probabilities of classes. Leave it out, and all are kept."
        )
    if len(outputs) > 1:
        left = [key for key, path in outputs.items() if path != built.graph.output]
        messages.note(
            f"of several outputs, the file has the one of classes, not {', '.join(left)}."
        )


def _layers(model: keras.Model) -> list[str]:
    """Returns a table of layers: name, kind, what one picture becomes there, weights."""
    rows = [
        (layer.name, type(layer).__name__, _shape(layer), f"{layer.count_params():,}")
        for layer in model.layers
    ]
    widths = [max(len(row[k]) for row in rows) for k in range(4)]
    lines = [
        f"{name:<{widths[0]}}  {kind:<{widths[1]}}  {shape:<{widths[2]}}  {count:>{widths[3]}}"
        for name, kind, shape, count in rows
    ]
    return [*lines, f"{len(rows)} layers, {model.count_params():,} weights."]


def _shape(layer: keras.Layer) -> str:
    """Returns a layer's output for one picture, "?" where it depends on the picture's size."""
    # Of several, the first: a model among the layers may have a dictionary of them.
    output = keras.tree.flatten(layer.output)[0]
    return " x ".join("?" if side is None else str(side) for side in output.shape[1:])


def _said(contract: contracts.Preprocessing, channels: int) -> list[str]:
    """Says what a contract does with pictures in 0..255 for a network of so many channels."""
    shown = {3: "RGB", 1: "grey"}.get(channels, f"{channels} channels")

    def listed(values: tuple[float, ...], digits: str) -> str:
        # Of other channels than colours, what colours have on average.
        values = values if channels == 3 else (sum(values) / len(values),)
        return ", ".join(f"{value:{digits}}" for value in values)

    mean = listed(contract.mean, ".2f")
    if isinstance(contract, contracts.MeanImage):
        height, width = contract.image.shape[:2]
        mean = f"a mean image of {width}x{height} px (of other sizes, its mean pixel: {mean})"
    words = [f"{shown} in 0..255"]
    if contract.mean != (0.0,):
        words.append(f"minus {mean}")
    if contract.scale != (1.0,):
        words.append(f"times {listed(contract.scale, '.5g')}")
    if contract.bgr and channels == 3:
        words.append("to BGR")
    return [f"Preprocessing ({contract.name}): {'; '.join(words)}."]


def _steps(recipe: published_recipes.Recipe) -> str:
    """Says what happens to a picture of any size."""
    (rows, columns), (height, width) = (
        steps_from_file.pair(recipe.resize),
        steps_from_file.pair(recipe.crop),
    )
    how = "resized to cover" if recipe.aspect else "squeezed into"
    return f"In the model: {how} {columns}x{rows} px, the centre of {width}x{height} px cut out."
