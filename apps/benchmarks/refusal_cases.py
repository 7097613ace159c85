"""Commands that are to be refused: every app with what it cannot use."""

import dataclasses
import pathlib
import sys
import zlib

from ..flags import program
from . import refusal_inputs, refusal_values

_NETWORKED = (
    "attend", "caricature", "classify", "deconv", "invert", "maximize", "reconstruct", "stylize",
    "sweep", "texture", "train", "demo", "styles", "features",
)  # fmt: skip
# Apps that ask for maps.
_MAPS = ("attend", "deconv", "maximize", "reconstruct", "stylize", "sweep", "texture", "styles")
# The flag of each app that names a picture, and so on; an app without one is not named.
_FLAGS = {
    "picture": {
        "attend": "image", "caricature": "image", "classify": "image", "invert": "image",
        "localize": "image", "reconstruct": "image", "stylize": "content", "sweep": "style",
        "texture": "style", "demo": "image", "tag": "image",
    },
    "folder": {
        "attend": "image", "classify": "image", "deconv": "images", "maximize": "reference_images",
        "invert": "reference_images", "styles": "images", "features": "images",
    },
    "table": {
        "localize": "ground_truth", "evaluate": "data", "judge": "data", "train": "data",
    },
    "names": {"classify": "labels", "deconv": "labels", "maximize": "labels", "tag": "tags"},
    "data": {"train": "data", "evaluate": "data", "judge": "data"},
    "checkpoint": {
        "classify": "checkpoint", "localize": "checkpoint", "evaluate": "checkpoint",
        "judge": "checkpoint", "attend": "network", "train": "init",
    },
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Case:
    """A command that is to be refused.

    Attributes:
        app: its name.
        flags: {flag: value}; True is --flag.
        bad: the flag at fault.
    """

    app: str
    flags: dict
    bad: str

    def command(self, workdir: pathlib.Path) -> list[str]:
        """Returns what is run; results would go to `workdir`."""
        flags = {"output": f"{workdir}/x.keras"} if self.app == "convert" else {"workdir": workdir}
        given = [f"--{flag}={value}" for flag, value in (flags | self.flags).items()]
        return [sys.executable, "-m", program.module(self.app), *given]


def cases(files: dict[str, list[pathlib.Path]]) -> list[Case]:
    """Returns the cases, in an order that mixes apps and kinds.

    Args:
        files: of `refusal_inputs.make`.
    """
    picture, model, data, tags, known = files["good"]
    base = {
        app: {"network": model} for app in _NETWORKED
    } | {
        "convert": {"network": "vgg_cnn_s", "caffemodel": "random"}, "evaluate": {
            "checkpoint": "pacs_vgg16", "data": data}, "judge": {
            "checkpoint": "pacs_vgg16", "data": known}, "localize": {"image": picture},
        "compare": {"networks": f"{model},{model}", "images": f"all={data}"},
        "tag": {"image": picture, "weights": "random", "tags": tags},
        "atlas": {"networks": model, "images": data},
    }  # fmt: skip
    base["train"] |= {"data": data}
    base["deconv"] |= {"images": data, "units": "conv1:0"}
    for app in ("styles", "features"):
        base[app] |= {"images": data}
    base["maximize"] |= {"units": "conv1:0"}
    found = []

    def add(app: str, flag: str, value, **more) -> None:
        given = base[app] | more | {flag: value}
        if app == "classify" and flag == "checkpoint" and "network" not in more:
            given.pop("network")  # Which is in its place.
        found.append(Case(app, given, flag))

    for kind, apps in _FLAGS.items():
        for number, (app, flag) in enumerate(apps.items()):
            # Names of classes are read where a class is asked for by name.
            more = {"units": "logit:a"} if flag == "labels" and app != "classify" else {}
            # Every app gets every word that is no path, and its share of the bad files.
            for word in refusal_inputs.words():
                add(app, flag, word, **more)
            for path in files[kind][number % 2 :: 2] if len(apps) > 2 else files[kind]:
                add(app, flag, path, **more)
    for number, app in enumerate(_NETWORKED):
        for path in files["model"][number % 4 :: 4]:
            add(app, "network", path)
        for path in files["prototxt"][number % 6 :: 6]:
            add(app, "network", path, weights="random")
        for path in files["weights"][number % 6 :: 6]:
            add(app, "weights", path)
        for word in refusal_inputs.words(".keras")[number % 3 :: 3]:
            add(app, "network", word)
        add(app, "network", "no_such_network")
        add(app, "preprocessing", "nonsense")
    for path in files["prototxt"]:
        found.append(Case("convert", {"prototxt": path, "caffemodel": "random"}, "prototxt"))
    for path in files["caffemodel"]:
        add("convert", "caffemodel", path)
    for path in files["mean"]:
        add("convert", "mean", path)
    for app, flag, value in refusal_values.numbers() + refusal_values.words():
        base.setdefault(app, {})
        add(app, flag, value)
    for app, flag, value, more in refusal_values.against_another(picture, data):
        add(app, flag, value, **more)
    for path in files["direction"]:
        add("maximize", "units", f"conv1:{path}")
    for app in _NETWORKED:
        for path in files["foreign"] + (files["mapless"] if app in _MAPS else []):
            add(app, "network", path)
    for app, value in (("classify", "no_classifier"), ("train", "nothing")):
        add(app, "network", next(p for p in files["sound"] if p.stem == value))
    for app in (*_NETWORKED, "evaluate", "localize", "tag"):
        add(app, "workdir", "/dev/null/x")
        add(app, "workdir", "~nosuchuser/x")
        add(app, "no_such_flag", "1")
    # Neighbours differ, so that a sample from the front is one of everything.
    return sorted(found, key=_place)


def _place(case: Case) -> int:
    """Returns a number that is the same in every process and every folder."""
    names = [pathlib.Path(str(value)).name for value in case.flags.values()]
    return zlib.crc32(repr((case.app, case.bad, names)).encode())
