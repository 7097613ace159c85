"""What `convert` does: a .keras file of a Caffe network, and lines about it."""

import dataclasses

import keras

from tfvis import files
from tfvis.errors import Text, arg, marked
from tfvis.experiments import networks
from tfvis.networks import network, opening
from tfvis.networks.caffe import mean_files
from tfvis.networks.preprocessing import (
    contract_files,
    contracts,
    layers,
    published_recipes,
    steps_from_file,
)


@dataclasses.dataclass(frozen=True)
class Job:
    """A network to convert, as the flags of `convert` have it.

    Attributes:
        network: a .prototxt file, or a name.
        weights: a file, "random", or None to find them.
        mean: file of a mean, or None for the network's own.
        preprocessing: name of a contract, or "auto".
        top: whether to keep the classifier.
        end_to_end: whether the preprocessing becomes layers.
        output: the file to write.
        stage: of a .prototxt, see `network.build`, as `until` is.
        until: the layer to end with.
    """

    network: str
    weights: str | None
    mean: str | None
    preprocessing: str
    top: bool
    end_to_end: bool
    output: str
    stage: tuple[str, ...] = ()
    until: str | None = None


def run(job: Job) -> list[str]:
    """Converts and writes; returns lines to print.

    Raises:
        InputError: a file cannot be read, does not fit, or cannot be written.
    """
    output = files.located(job.output, f"{arg('output')}={job.output}")
    # Before the minute that a large network takes.
    files.make_folder(output.parent, "output")
    mean = None if job.mean is None else mean_files.read(job.mean)
    found = opening.opened(job.network, job.weights, top=job.top, stage=job.stage, until=job.until)
    if job.preprocessing != "auto":
        found = opening.overridden(found, job.preprocessing)
    # Refuses weights of NaN, and what is no network of one image.
    built = network.of_opened(found)
    contract, why = found.contract, found.why
    if mean is not None:
        contract, why = (
            mean_files.contract(contract, mean),
            Text(f"with the mean of {arg('mean')}, else {marked(why)}"),
        )
    networks.say_notes(dataclasses.replace(built, preprocessing=contract, preprocessing_reason=why))
    recipe = published_recipes.fitting(found.name, contract, built.fixed_size, built.side)
    # Of a mean image larger than the network's pictures, the centre, as Caffe has it.
    contract = recipe.contract
    model, lines = found.model, _said(contract)
    if job.end_to_end:
        model = layers.end_to_end(dataclasses.replace(built, preprocessing=contract), recipe)
        lines = [_steps(recipe), *lines]
        contract = contracts.named("none")
    # With its preparation in it, the file squeezes pictures itself.
    side = None if job.end_to_end else built.side
    names = built.classes if job.top and found.checkpoint else ()
    contract_files.save(model, contract, output, contract_files.Classes(names, side))
    return [*_layers(model), *lines, f"Written: {output}"]


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
    output = layer.output[0] if isinstance(layer.output, list) else layer.output
    return " x ".join("?" if side is None else str(side) for side in output.shape[1:])


def _said(contract: contracts.Preprocessing) -> list[str]:
    """Says what a contract does with RGB in 0..255."""
    mean = ", ".join(f"{value:.2f}" for value in contract.mean)
    if isinstance(contract, contracts.MeanImage):
        height, width = contract.image.shape[:2]
        mean = f"a mean image of {width}x{height} px (of other sizes, its mean pixel: {mean})"
    words = ["RGB in 0..255"]
    if contract.mean != (0.0,):
        words.append(f"minus {mean}")
    if contract.scale != (1.0,):
        words.append("times " + ", ".join(f"{value:.5g}" for value in contract.scale))
    if contract.bgr:
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
