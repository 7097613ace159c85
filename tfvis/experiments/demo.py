"""The demo's page: what its sections are, how large, and in which order they are made."""

import dataclasses
import functools
import os
import pathlib
import shlex
import sys
import time

import numpy as np

from tfvis.experiments import demo_rows, devices, messages, networks, outcome, workdirs
from tfvis.experiments.demo_rows import Demo
from tfvis.experiments.time_budget import Budget, Choice
from tfvis.networks import registry
from tfvis.preimages import activation_maximization
from tfvis.report import html_page, run_page

# Weights of the time of each section.
SHARES = {"Inversion": 34, "Maximization": 26, "Caricature": 10, "Style": 22}
# Networks that naming both pictures and looking at them compiles.
NAMING = 4
# Sides to choose from, and the steps that are worth more than a larger side. apps.invert has 224
# and 300; at 160 and 200 the pictures lose little.
_SIZES, _WANTED = (64, 80, 96, 112, 128, 160, 192, 224, 288), 150
_UNIT_SIZES, _UNIT_WANTED = (64, 96, 128, 160, 224, 288), 100
# The side at which layers are looked for; the one that is shown is chosen later.
_CHECKED = 160
# Strokes need room.
_PAINTED_SIZES, _PAINTED_WANTED = (128, 160, 224, 288, 384, 512, 640), 100
# Shallow units answer edges and colours, which a caricature shows least well.
_CARICATURES = 2

_ABOUT = (
    "Every picture here was made on this machine, in minutes: pull the lines, click to enlarge, "
    "point at a number to read what it means."
)
_KEEPS = (
    "Each picture was found from noise: it is an image whose features, at the layer "
    "named below it, are those of the photograph. Shallow layers keep nearly every "
    "pixel. Deeper ones keep shapes and let go of exact places and colours; what they "
    "forgot, a natural-image prior filled in. The relative error is the distance of "
    "the features left over, as a share of their length."
)
_LOOKS_FOR = (
    "One unit of each layer, the one that the photograph excites most: each picture was "
    "found from noise, as one that excites the unit as much as an image can that stays "
    "natural. It is as large as what the unit can see. The number says how many times as "
    "much it answers as to the strongest spot of photographs."
)
_SEES = (
    "The photograph, changed so that what a layer answers to in it grows: a caricature of "
    "what the layer sees."
)
_STYLE = (
    "The photograph, painted: it keeps what the network sees in it, and takes the statistics "
    "of its features, which hold strokes, colours and swirls, from the painting."
)
_LOOKS = (
    "A classifier that learnt photographs, paintings, cartoons and sketches of seven things "
    "names the photograph and its painting. VisualBackProp reddens what its layers agree on; "
    "Grad-CAM is bright where it sees the class."
)
_PLOT = "root mean square difference between the pre-image's pixels and the photograph's"

_TEXTS = {
    "Inversion": ("What each layer keeps", _KEEPS),
    "Maximization": ("What its units look for", _LOOKS_FOR),
    "Caricature": ("What it sees", _SEES),
    "Style": ("In another style", _STYLE),
    "Attention": ("What it shows, and where that is seen", _LOOKS),
}
# Steps of an inversion after those with jitter; see `preimages.Inversion`.
_FINE = 50
# Passes over `activation_statistics.demo_pictures`.
_REFERENCES = 12


@workdirs.kept
def run(
    wanted,
    image: np.ndarray,
    layers: list[str] | None = None,
    *,
    workdir: pathlib.Path | str,
    minutes: float = 5.0,
    steps: int | None = None,
    classifier: str = "pacs_vgg16",
    seed: int = 0,
    size: int | None = None,
    crop: str = "center",
    precision: str = "auto",
    jit: str = "auto",
    arguments: dict | None = None,
    began: float | None = None,
) -> outcome.Outcome:
    """Shows what a network keeps of a photograph, looks for and sees, on a page that grows.

    Args:
        wanted: the one network, or `networks.Wanted`.
        image: float32 [height, width, 3], RGB, 0..255.
        layers: the rungs of the ladder, see `networks.layers_of`; None is five depths.
        workdir: for all results; the page is index.html.
        minutes: how long it is to take.
        steps: of each picture; None is what the minutes allow.
        classifier: a checkpoint that names the photograph and its painting, or "".
        seed: of the noise.
        size: side of the square that is looked at; None is what the minutes allow.
        crop: see `images.crop`.
        precision, jit: see `devices`.
        arguments: for the manifests.
        began: `time.perf_counter()` at the start; None is now.

    Raises:
        InputError: no such network or layer; as the experiments that it is made of.
    """
    began = time.perf_counter() if began is None else began
    network = networks.only(wanted, "invert compares several")
    ((label, layers),) = networks.layers_of({registry.label(network.name): network}, layers).items()
    demo = Demo(
        label=label,
        network=network,
        picture=image,
        size=None if network.fixed_size else size or _CHECKED,
        crop=crop,
        layers=layers,
        seed=seed,
        precision=precision,
        jit=jit,
        workdir=workdir,
        arguments=arguments or {},
    )
    demo_rows.check(demo)
    page = workdir / "index.html"
    messages.say("Measuring this machine ...")
    budget = Budget(
        minutes, began, SHARES, network, devices.precision(precision),
        NAMING if classifier else 0, workdir / "plan.json", demo.arguments,
    )  # fmt: skip
    messages.say(f"Planned: all in {spelled(budget.left)}; the page grows at {page}.")
    shown = make(demo, budget, size, steps, classifier, page)
    taken = spelled(time.perf_counter() - began)
    messages.say(f"It took {taken} of {spelled(60 * minutes)}.")
    tensorboard = os.path.relpath(pathlib.Path(sys.executable).with_name("tensorboard"))
    lines = [
        f"The pictures as they grew: {shlex.quote(tensorboard)} "
        f"--samples_per_plugin=images=500 --logdir {shlex.quote(str(workdir))}",
    ]
    return outcome.Outcome([], lines, page=shown)


def make(
    demo: Demo,
    budget: Budget,
    size: int | None,
    steps: int | None,
    classifier: str,
    page: pathlib.Path,
) -> html_page.Page:
    """Makes all sections, each in its share of the time that is left when its turn comes.

    Args:
        demo: what the page is about; its size is chosen here.
        budget: of the time.
        size, steps: what is not to be chosen, else None.
        classifier: a checkpoint, or "".
        page: written after every section, and after each layer of the first.

    Returns:
        What it says at last.
    """
    sections: dict[str, html_page.Section] = {}
    first: html_page.Pair | None = None

    def publish(name: str, figures: tuple[demo_rows.Shown, ...]) -> html_page.Page:
        heading, text = _TEXTS[name]
        large = len(figures) <= run_page.FEW
        sections[name] = html_page.Section(heading, text, figures, large=large)
        title = f"What {registry.label(demo.network.name)} makes of one photograph"
        shown = html_page.Page(title, list(sections.values()), [_ABOUT], first=first, wall=True)
        html_page.write(page, shown)
        return shown

    def begin(name: str) -> tuple[Choice, bool, float]:
        fresh, started = budget.fresh(name), time.perf_counter()
        choice = budget.settle(name, _choice(demo, budget, size, steps, name))
        about = spelled(choice.seconds)
        messages.say(f"{name}: {choice.size} px, {choice.steps} steps, {about} ...")
        return choice, fresh, started

    def end(name: str, choice: Choice, fresh: bool, started: float) -> None:
        budget.spent(name, choice, time.perf_counter() - started, fresh)

    choice, *rest = begin("Inversion")
    demo = dataclasses.replace(demo, size=None if demo.network.fixed_size else choice.size)
    for count in range(1, len(demo.layers) + 1):
        publish("Inversion", demo_rows.inversion(demo, _PLOT, choice.steps, count))
    end("Inversion", choice, *rest)
    choice, *rest = begin("Maximization")
    publish("Maximization", demo_rows.maximization(demo, choice.steps, choice.size))
    end("Maximization", choice, *rest)
    choice, *rest = begin("Caricature")
    publish("Caricature", demo_rows.caricature(demo, _CARICATURES, choice.steps))
    end("Caricature", choice, *rest)
    choice, *rest = begin("Style")
    style, first = demo_rows.stylization(demo, choice.size, choice.steps)
    # What was made of it hangs over the entrance.
    shown = publish("Style", (style, first.after))
    end("Style", choice, *rest)
    if classifier:
        messages.say("Attention ...")
        looked = demo_rows.attention(demo, classifier, first.after.pixels)
        if looked:
            return publish("Attention", looked)
    return shown


def _choice(demo: Demo, budget: Budget, size: int | None, steps: int | None, name: str) -> Choice:
    """Returns what fits the section's share of the time that is left."""
    network, layers = demo.network, demo.layers
    choose = functools.partial(budget.choose, name, steps=steps)
    if name == "Inversion":
        sizes = [side for side in _SIZES if all(_fits(network, layer, side) for layer in layers)]
        if network.fixed_size or size:
            sizes = [size or network.fixed_size[0]]
        cost = functools.partial(_cost, network, layers)
        return choose(cost, len(layers), sizes, _WANTED, fixed=_FINE)
    if name == "Maximization":
        cost = functools.partial(_cost_of_units, network, layers)
        # What photographs get from the units: twelve passes forward.
        once = _REFERENCES * _cost(network, layers[-1:], 224) / 3
        largest = max(activation_maximization.canvas(network, layer)[0] for layer in layers)
        sizes = sorted({min(size, largest) for size in _UNIT_SIZES})
        return choose(cost, len(layers), sizes, _UNIT_WANTED, once=once)
    if name == "Caricature":
        deep = layers[-_CARICATURES:]
        cost = functools.partial(_cost, network, deep)
        return choose(cost, len(deep), [demo.target.shape[0]], 1)
    sizes = [18 * size // 10] if size else _PAINTED_SIZES
    return choose(functools.partial(demo_rows.style_cost, demo), 1, sizes, _PAINTED_WANTED)


def _fits(network, layer: str, side: int) -> bool:
    return 0 not in network.shape(layer, side, side)


def _cost(network, layers, side: int) -> float:
    return sum(network.cost(layer, side, side) for layer in layers)


def _cost_of_units(network, layers, most: int) -> float:
    sides = {
        layer: min(activation_maximization.canvas(network, layer)[0], most) for layer in layers
    }
    return sum(network.cost(layer, side, side) for layer, side in sides.items())


def spelled(seconds: float) -> str:
    """Returns a time in words."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.1f} min"
