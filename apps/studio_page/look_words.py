"""What the page of looking shows of what is remembered, as values of its parts."""

from tfvis.experiments.studio.jobs import FAILED, WAITING
from tfvis.experiments.studio.looking import NONE, LayersLive

from .parts import picture_url

# What layers of five depths are about (Zeiler & Fergus 2014; Olah et al. 2017).
_DEPTHS = ("edges and colours", "textures", "patterns", "parts", "objects")


def depth(layers: list[str], layer: str) -> str:
    """Returns in plain words what a layer is about, where there are five."""
    return _DEPTHS[layers.index(layer)] if len(layers) == len(_DEPTHS) else layer


def picture(said: dict, wrong: str = "") -> dict:
    """Returns the value of the place of the picture."""
    found = said["picture"]
    shown = picture_url(found and found["shown"])
    return {"shown": shown, "said": wrong, "hint": "drop it here, or choose it"}


def seen(said: dict, wrong: str = "") -> dict:
    """Returns what the picture is called and where that is seen."""
    found = said["seen"]
    if wrong or not found:
        return {"words": wrong}
    bars = [{"name": name, "share": share, "words": f"{share:.0%}"} for name, share in found["top"]]
    cells = [
        {"src": picture_url(found["mask"]), "title": "What it reacts to",
         "note": "red where all layers answer (VisualBackProp)"},
    ]  # fmt: skip
    words = ""
    if found["class_map"]:
        cells.append({
            "src": picture_url(found["class_map"]), "title": f"Where it sees: {found['class']}",
            "note": "the same, seeded by the class",
        })  # fmt: skip
    if found["top"][0][0] == NONE:
        words = "It sees none of the things it knows in this picture."
    return {"bars": bars, "cells": cells, "words": words}


def kept(said: dict, layers: list[str]) -> dict:
    """Returns what layers keep of the picture, as it is remembered."""
    return {"cells": _rows(said["kept"], layers)} if said["kept"] else {}


def _rows(rows, layers: list[str]) -> list[dict]:
    return [
        {
            "src": picture_url(name),
            "title": depth(layers, layer),
            "note": layer if error is None else f"{layer}, {error:.0%} apart from yours to it",
        }
        for layer, name, error in rows
    ]


def units(found: dict | None) -> dict:
    """Returns units that the picture excites, and what they look for."""
    return {"cells": _units(found["found"])} if found else {}


def _units(found: list[dict]) -> list[dict]:
    return [
        {
            "src": picture_url(one["part"]),
            "second": f"/studio/unit/{one['unit']}" if one["unit"] else None,
            "title": f"unit {one['channel']}",
            "note": ""
            if one["times"] is None
            else f"{one['times']:.0%} of its most on 2,049 photographs",
        }
        for one in found
    ]


def live(job, before: int, layers: list[str]) -> dict:
    """Returns the value of a wall while it is being made."""
    if job.state == WAITING:
        others = "another picture is" if before == 1 else f"{before} other pictures are"
        return {"words": f"Waiting: {others} being made first.", "share": 0}
    now = job.latest
    if now is None:
        return {"words": "Getting ready ...", "share": 0}
    if isinstance(now, LayersLive):
        words = "From noise, pictures are sought that are the same to a layer as yours ..."
        return {"cells": _rows(now.rows, layers), "share": now.share, "words": words}
    drawn = sum(one["unit"] is not None for one in now)
    words = "Left, what the unit sees of your picture; right, what it looks for, being drawn ..."
    return {"cells": _units(now), "share": drawn / len(now), "words": words}


def ended(value: dict, job) -> dict:
    """Returns the value of a wall once its job has ended."""
    return value | {"words": job.said} if job.state == FAILED else value
