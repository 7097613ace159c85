"""The rows of the demo's page."""

import dataclasses
import functools
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
    picture_tasks,
    runner,
    style_runs,
    style_transfer,
    unit_pages,
)
from tfvis.experiments import attention as attentions
from tfvis.experiments import caricature as caricatures
from tfvis.experiments import inversion as inversions
from tfvis.networks import pooling
from tfvis.networks.network import Network
from tfvis.preimages import descent
from tfvis.report import html_page, plots, run_page
from tfvis.style import metrics, painting, transfer

Shown = html_page.Figure | html_page.Pair
# A picture of the demo's size takes a fraction of this.
_MEMORY = 4 * 2**30


@dataclasses.dataclass(frozen=True)
class Demo:
    """What the page is about.

    Attributes:
        label, network: the network.
        picture: float32 [height, width, 3], the photograph as read.
        size, crop: of the square of it that is looked at, see `networks.target`.
        layers: paths, the rungs of the ladder.
        seed: of the noise.
        precision, jit: see `devices`.
        workdir: each row has a folder in it.
        arguments: for the manifests.
    """

    label: str
    network: Network
    picture: np.ndarray
    size: int | None
    crop: str
    layers: list[str]
    seed: int
    precision: str
    jit: str
    workdir: pathlib.Path
    arguments: dict

    def shared(self, name: str, settings) -> dict:
        """Returns what the runs of all rows have in common; `name` is of the row."""
        return {
            "workdir": self.workdir / name,
            "settings": settings,
            "seed": self.seed,
            "precision": self.precision,
            "jit": self.jit,
            "arguments": self.arguments,
        }

    @functools.cached_property
    def target(self) -> np.ndarray:
        """Float32 [height, width, channels], what the network looks at."""
        return networks.target(self.picture, self.network, self.size, self.crop)

    def pair(self, workdir: pathlib.Path, record: dict) -> html_page.Pair:
        """Returns a picture of a layer over the photograph.

        Args:
            workdir: of its run.
            record: of the picture.
        """
        before = html_page.Figure(self.target, "the photograph")
        made = runner.stored(workdir / record["file"], self.network)
        after, numbers = html_page.Figure(made, record["layer"]), run_page.numbers(record)
        return html_page.Pair(before, after, record["layer"], numbers=numbers)


def check(demo: Demo) -> None:
    """Raises InputError if one of the layers cannot be shown."""
    for layer in demo.layers:
        descent.check_layer(demo.network, layer, demo.target.shape[:2])


def inversion(demo: Demo, plotted: str, steps: int, count: int) -> tuple[Shown, ...]:
    """Returns the first `count` rungs of the ladder of pre-images, each over the photograph.

    And, once there are all, how far their pixels are from the target's.
    """
    shared = demo.shared("inversion", preimages.Inversion(steps=steps))
    done = inversions.run(
        {demo.label: demo.network}, demo.picture, demo.layers[:count],
        size=demo.size, crop=demo.crop, **shared,
    )  # fmt: skip
    figures = [demo.pair(shared["workdir"], result) for result in done.records]
    if count < len(demo.layers):
        return tuple(figures)
    # How far the pixels are, though the features agree: what the layer has let go of.
    apart = [np.square(pair.after.pixels - demo.target).mean() for pair in figures]
    distances = [float(np.sqrt(mean)) for mean in apart]
    layers = [result["layer"] for result in done.records]
    curve = plots.lines({"": (layers, distances)}, "layer", "pixels differ by, grey levels")
    plot = html_page.Figure(curve, "What each layer let go of", plotted, wide=True)
    return (*figures, plot)


def maximization(demo: Demo, steps: int, largest: int) -> tuple[Shown, ...]:
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
        units.append(f"{layer}:{answers.max((0, 1)).argmax()}")
    shared = demo.shared("maximization", preimages.Maximization(steps=steps))
    done = activation_maximization.run(
        {demo.label: network}, ",".join(units), most=largest, growth=False, **shared
    )
    return tuple(
        html_page.Figure(
            images.read(shared["workdir"] / result["file"]).pixels,
            f"{result['layer']}:{result['unit']}",
            numbers=unit_pages.numbers(result),
        )
        for result in done.records
    )


def style_cost(demo: Demo, size: int) -> float:
    """Returns the multiplications of the painting per evaluation at its coarsest scale."""
    network, settings = pooling.averaged(demo.network), transfer.Transfer(evaluations=100)
    settings = style_runs.settled(settings, network, demo.workdir, demo.precision, "off")
    painting_ = style_transfer.Painting(demo.picture, (painting.shipped(),))
    piece = style_transfer.piece_of(painting_, network, settings, size, demo.seed)
    return style_runs.planned(piece, _MEMORY)[1].work / settings.evaluations


def stylization(demo: Demo, size: int, evaluations: int) -> tuple[Shown, ...]:
    """Returns our painting, and the photograph under itself as painted in its style.

    Args:
        demo: what the page is about.
        size: of the picture, see `style_transfer.run`.
        evaluations: at its coarsest scale.
    """
    shared = demo.shared("style", transfer.Transfer(evaluations=evaluations))
    done = style_transfer.run(
        pooling.averaged(demo.network), demo.picture, (painting.shipped(),),
        size=size, memory=_MEMORY, **shared,
    )  # fmt: skip
    made = images.read(shared["workdir"] / done.records[0]["file"]).pixels
    content = images.resize(demo.picture, *made.shape[:2])
    return (
        html_page.Figure(metrics.resized(painting.shipped(), size), "a painting of our own"),
        html_page.Pair(
            html_page.Figure(content, "the photograph"),
            html_page.Figure(made, "the photograph, painted"),
            "the photograph, painted",
            f"{made.shape[1]} x {made.shape[0]} px",
            # Not of each layer alone.
            tuple(one for one in run_page.numbers(done.records[0]) if " " not in one.name),
        ),
    )


def caricature(demo: Demo, count: int, steps: int) -> tuple[Shown, ...]:
    """Returns the caricatures of the `count` deepest layers, each over the photograph."""
    shared = demo.shared("caricature", preimages.Caricature(steps=steps))
    done = caricatures.run(
        {demo.label: demo.network}, demo.picture, demo.layers[-count:],
        size=demo.size, crop=demo.crop, **shared,
    )  # fmt: skip
    return tuple(demo.pair(shared["workdir"], result) for result in done.records)


def attention(demo: Demo, checkpoint: str, painted: np.ndarray) -> tuple[Shown, ...]:
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
        picture_tasks.input_pictures(folders.find(pictures, "image")),
        workdir,
        demo.arguments,
    )
    figures, titles = [], {"photograph": "the photograph", "painted": "the photograph, painted"}
    for record in sorted(records, key=_photo_first):
        answers = ", ".join(f"{name} {share:.0%}" for name, share in record["top"])
        name, folder = record["folder"], workdir / record["folder"]
        figures += [
            html_page.Pair(
                html_page.Figure(images.read(record["path"]).pixels, titles[name]),
                html_page.Figure(images.read(folder / "overlay.png").pixels, "VisualBackProp"),
                titles[name],
                answers,
            ),
            html_page.Figure(
                images.read(folder / "gradcam.png").pixels, "Grad-CAM", f"of {record['class']}"
            ),
        ]
    return tuple(figures)


def _photo_first(record: dict) -> bool:
    return record["folder"] != "photograph"
