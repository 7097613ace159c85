"""The demo's page: what its sections are, how large, and in which order they are made."""

import dataclasses
import functools
import pathlib
import time

from tfvis.experiments import demo_rows, messages, networks
from tfvis.experiments.demo_rows import Demo
from tfvis.experiments.time_budget import Budget, Choice
from tfvis.preimages import activation_maximization
from tfvis.report import html_page

# Weights of the time of each section.
SHARES = {"Inversion": 34, "Maximization": 26, "Caricature": 10, "Style": 22}
# Networks that naming both pictures and looking at them compiles.
NAMING = 4
# Sides to choose from, and the steps that are worth more than a larger side. apps.invert has 224
# and 300; at 160 and 200 the pictures lose little.
_SIZES, _WANTED = (64, 80, 96, 112, 128, 160, 192, 224, 288), 150
_UNIT_SIZES, _UNIT_WANTED = (64, 96, 128, 160, 224, 288), 100
# Strokes need room.
_PAINTED_SIZES, _PAINTED_WANTED = (128, 160, 224, 288, 384, 512, 640), 100
# Shallow units answer edges and colours, which a caricature shows least well.
_CARICATURES = 2

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
    "natural. It is as large as what the unit can see. The number says how many times more "
    "it answers than to the strongest spot of two photographs."
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


@dataclasses.dataclass(frozen=True)
class Asked:
    """What the person decided; None among them is fitted to the budget.

    Attributes:
        size, steps: of the flags.
        crop: how the photograph is made square.
        classifier: a checkpoint, or "".
    """

    size: int | None
    steps: int | None
    crop: str
    classifier: str


def make(demo: Demo, budget: Budget, asked: Asked, page: pathlib.Path) -> None:
    """Makes all sections, each in its share of the time that is left when its turn comes.

    Args:
        demo: what the page is about; its target is made again at the size that is chosen.
        budget: of the time.
        asked: what is not to be chosen.
        page: written after every section, and after each layer of the first.
    """
    sections: dict[str, html_page.Section] = {}

    def publish(name: str, figures: tuple[html_page.Figure, ...]) -> None:
        heading, text = _TEXTS[name]
        sections[name] = html_page.Section(heading, text, figures)
        title = f"tfvis: {demo.network.name} and one photograph"
        html_page.write(page, title, list(sections.values()))

    def begin(name: str) -> tuple[Choice, bool, float]:
        fresh, started = budget.fresh(name), time.perf_counter()
        choice = budget.settle(name, _choice(demo, budget, asked, name))
        about = spelled(choice.seconds)
        messages.say(f"{name}: {choice.size} px, {choice.steps} steps, {about} ...")
        return choice, fresh, started

    def end(name: str, choice: Choice, fresh: bool, started: float) -> None:
        budget.spent(name, choice, time.perf_counter() - started, fresh)

    choice, *rest = begin("Inversion")
    size = None if demo.network.fixed_size else choice.size
    target = networks.target(demo.picture, demo.network, size, asked.crop)
    demo = dataclasses.replace(demo, target=target)
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
    publish("Style", demo_rows.stylization(demo, choice.size, choice.steps))
    end("Style", choice, *rest)
    if asked.classifier:
        messages.say("Attention ...")
        painted = sections["Style"].figures[-1].pixels
        looked = demo_rows.attention(demo, asked.classifier, painted)
        if looked:
            publish("Attention", looked)


def _choice(demo: Demo, budget: Budget, asked: Asked, name: str) -> Choice:
    """Returns what fits the section's share of the time that is left."""
    network, layers = demo.network, demo.layers
    choose = functools.partial(budget.choose, name, steps=asked.steps)
    if name == "Inversion":
        sizes = [side for side in _SIZES if all(_fits(network, layer, side) for layer in layers)]
        if network.fixed_size or asked.size:
            sizes = [asked.size or network.fixed_size[0]]
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
    sizes = [18 * asked.size // 10] if asked.size else _PAINTED_SIZES
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
