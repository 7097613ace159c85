"""The rows of the demo's page."""

import dataclasses
import pathlib

import numpy as np

from tfvis import files, images, preimages
from tfvis.errors import InputError, marked
from tfvis.experiments import (
    activation_maximization,
    attention_models,
    devices,
    folders,
    messages,
    networks,
    picture_runner,
    runner,
    style_runs,
    style_transfer,
)
from tfvis.experiments import attention as attentions
from tfvis.experiments import caricature as caricatures
from tfvis.experiments import inversion as inversions
from tfvis.networks import pooling
from tfvis.networks.network import Network
from tfvis.objectives.parsing import Unit
from tfvis.preimages import descent
from tfvis.report import html_page, plots
from tfvis.style import metrics, painting, transfer

# A picture of the demo's size takes a fraction of this.
_MEMORY = 4 * 2**30


@dataclasses.dataclass(frozen=True)
class Demo:
    """What the page is about.

    Attributes:
        label, network: the network.
        target: float32 [height, width, channels], display space.
        picture: float32 [height, width, 3], the photograph as read.
        layers: paths, the rungs of the ladder.
        seed: of the noise.
        precision, jit: words of the flags.
        workdir: each row has a folder in it.
        arguments: of the command, for the manifests.
    """

    label: str
    network: Network
    target: np.ndarray
    picture: np.ndarray
    layers: list[str]
    seed: int
    precision: str
    jit: str
    workdir: pathlib.Path
    arguments: dict

    def parts(self, name: str, kind: type, steps: int) -> dict:
        """Returns what the jobs of all rows have in common; `kind` is a recipe's settings."""
        folder = files.make_folder(self.workdir / name.lower(), "workdir")
        settings = kind(
            steps=steps,
            precision=devices.precision(self.precision),
            jit=devices.jit(self.jit, folder, self.network, self.target, self.layers[-1]),
        )
        return {
            "networks": {self.label: self.network},
            "settings": {self.label: settings},
            "workdir": folder,
            "arguments": self.arguments,
        }

    @property
    def target_figure(self) -> html_page.Figure:
        """The photograph."""
        height, width = self.target.shape[:2]
        return html_page.Figure(self.target, "the photograph", f"{width} x {height} px")


def check(demo: Demo) -> None:
    """Raises InputError if one of the layers cannot be shown."""
    for layer in demo.layers:
        descent.check_layer(demo.network, layer, demo.target.shape[:2])


def inversion(demo: Demo, plotted: str, steps: int, count: int) -> tuple[html_page.Figure, ...]:
    """Returns the first `count` rungs of the ladder of pre-images.

    And, once there are all, how far their pixels are from the target's.
    """
    job = inversions.Job(
        **demo.parts("Inversion", preimages.Inversion, steps),
        targets={demo.label: demo.target},
        layers={demo.label: demo.layers[:count]},
        seeds=(demo.seed,),
    )
    figures = [
        html_page.Figure(
            runner.stored(job.workdir / result["file"], demo.network),
            result["layer"],
            f"relative error {result['relative_error']:.3f}",
        )
        for result in inversions.make(job)
    ]
    if count < len(demo.layers):
        return (demo.target_figure, *figures)
    # How far the pixels are, though the features agree: what the layer has let go of.
    distances = [float(np.sqrt(np.square(f.pixels - demo.target).mean())) for f in figures]
    curve = plots.lines({"": (demo.layers, distances)}, "layer", "pixels differ by, grey levels")
    plot = html_page.Figure(curve, "What each layer let go of", plotted, wide=True)
    return (demo.target_figure, *figures, plot)


def maximization(demo: Demo, steps: int, largest: int) -> tuple[html_page.Figure, ...]:
    """Returns, per layer, the unit that the photograph excites most, raised.

    Args:
        demo: what the page is about.
        steps: of each.
        largest: side of the pictures at most.
    """
    network = demo.network
    units = []
    for layer in demo.layers:
        answers = preimages.features(network, layer, demo.target[None]).numpy()[0]
        channel = int(answers.max((0, 1)).argmax())
        units.append(Unit(layer, channel, name=str(channel)))
    job = activation_maximization.Job(
        **demo.parts("Maximization", preimages.Maximization, steps),
        units={demo.label: units},
        size=None,
        largest=largest,
        everywhere=False,
        seed=demo.seed,
        references=None,
        growth=False,
    )
    return tuple(
        html_page.Figure(
            images.read(job.workdir / result["file"]).pixels,
            f"{result['layer']}:{result['unit']}",
            activation_maximization.answer(result),
        )
        for result in activation_maximization.make(job)
    )


def style_job(demo: Demo, size: int, evaluations: int) -> style_transfer.Job:
    """Returns the painting that `stylization` makes.

    Args:
        demo: what the page is about.
        size: of the picture, see `stylize`.
        evaluations: at its coarsest scale.
    """
    network = pooling.averaged(demo.network)
    layers = metrics.layers_for(network)
    return style_transfer.Job(
        network=network,
        content=demo.picture,
        styles=(painting.shipped(),),
        weights=(),
        size=size,
        style_scale=1.0,
        color="none",
        mask=None,
        style_masks=(),
        fine=None,
        settings=transfer.resolved(
            transfer.Transfer(
                content_layers=layers.content,
                style_layers=layers.style,
                evaluations=evaluations,
                precision=devices.precision(demo.precision),
            )
        ),
        limit=int(_MEMORY),
        seed=demo.seed,
        workdir=files.make_folder(demo.workdir / "style", "workdir"),
        arguments=demo.arguments,
    )


def style_cost(demo: Demo, size: int) -> float:
    """Returns the multiplications of the painting per evaluation at its coarsest scale."""
    evaluations = 100
    piece = style_transfer.piece_of(style_job(demo, size, evaluations))
    return style_runs.planned(piece, int(_MEMORY))[1].work / evaluations


def stylization(demo: Demo, size: int, evaluations: int) -> tuple[html_page.Figure, ...]:
    """Returns the photograph, our painting, and the photograph painted in its style."""
    job = style_job(demo, size, evaluations)
    result = style_transfer.run(job)
    made = images.read(job.workdir / result["file"]).pixels
    content = images.resize(demo.picture, *made.shape[:2])
    return (
        html_page.Figure(content, "the photograph"),
        html_page.Figure(metrics.resized(painting.shipped(), size), "a painting of our own"),
        html_page.Figure(made, "the photograph, painted", f"{made.shape[1]} x {made.shape[0]} px"),
    )


def caricature(demo: Demo, count: int, steps: int) -> tuple[html_page.Figure, ...]:
    """Returns the caricatures of the `count` deepest layers."""
    job = caricatures.Job(
        **demo.parts("Caricature", preimages.Caricature, steps),
        targets={demo.label: demo.target},
        layers={demo.label: demo.layers[-count:]},
        seed=demo.seed,
    )
    figures = [
        html_page.Figure(
            runner.stored(job.workdir / result["file"], demo.network),
            result["layer"],
            f"answers {result['exaggeration']:.1f} x as much",
        )
        for result in caricatures.make(job)
    ]
    return (demo.target_figure, *figures)


def attention(demo: Demo, checkpoint: str, painted: np.ndarray) -> tuple[html_page.Figure, ...]:
    """Returns what a classifier names the photograph and its painting, and where it looks.

    Nothing where the classifier cannot be had: the other rows do not need it.

    Args:
        demo: what the page is about.
        checkpoint: folder or name.
        painted: float32 [height, width, 3].
    """
    try:
        classifier = networks.classifier(checkpoint, "classifier")
    except InputError as error:
        messages.note(marked(error))
        return ()
    workdir = files.make_folder(demo.workdir / "attention", "workdir")
    pictures = workdir / "pictures"
    for name, pixels in (("photograph", demo.picture), ("painted", painted)):
        images.save_png(pictures / f"{name}.png", pixels)
    records = attentions.make(
        attention_models.of_classifier(classifier, devices.precision(demo.precision)),
        picture_runner.input_pictures(folders.find(str(pictures), "image"), str(pictures), workdir),
        workdir,
        demo.arguments,
    )
    figures, titles = [], {"photograph": "the photograph", "painted": "the photograph, painted"}
    for record in sorted(records, key=_photo_first):
        answers = ", ".join(f"{name} {share:.0%}" for name, share in record["top"])
        name, folder = record["folder"], workdir / record["folder"]
        figures += [
            html_page.Figure(images.read(record["path"]).pixels, titles[name], answers),
            html_page.Figure(images.read(folder / "overlay.png").pixels, "VisualBackProp"),
            html_page.Figure(
                images.read(folder / "gradcam.png").pixels, "Grad-CAM", f"of {record['class']}"
            ),
        ]
    return tuple(figures)


def _photo_first(record: dict) -> bool:
    return record["folder"] != "photograph"
