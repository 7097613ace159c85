"""What `crop_borders` keeps and takes off, on made-up photographs of museums and on plain pictures.

Beside it a simpler rule, on the same pictures: what is joined to the edge and has the edge's colour
is backdrop, and the largest thing that is left is the object.
"""

import dataclasses
import pathlib
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import scipy.ndimage

from tfvis import images, tables
from tfvis.classifiers import borders
from tfvis.progress_bar import bar

from . import museum_photographs

Rule = Callable[[np.ndarray], tuple[int, int, int, int]]
# An object is kept if so much of its box is; an instrument is off if no more of it is left.
KEPT, LEFT = 0.98, 0.02
# Of the simpler rule: the side it looks at, how far backdrop's colour strays, and how much of the
# frame must have it.
_SIDE, _SAME, _FRAME = 256, 24, 0.6
# A prime: scenes in turn look like pictures far apart in the folder.
_STRIDE = 10_007


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a rule made of one scene.

    Attributes:
        seed: of the scene.
        kept: share of the object's box that is kept.
        left: share of each instrument that is left.
        kinds, backdrop, tilt, beside: see `museum_photographs.Scene`.
    """

    seed: int
    kept: float
    left: tuple[float, ...]
    kinds: tuple[str, ...]
    backdrop: str
    tilt: float
    beside: bool


def flooded(picture: np.ndarray) -> tuple[int, int, int, int]:
    """Returns the box of the largest thing on a backdrop of the edge's colour; see the module."""
    height, width = picture.shape[:2]
    factor = max(1, -(-max(height, width) // _SIDE))
    small = picture[: height // factor * factor, : width // factor * factor]
    rows, columns = small.shape[0] // factor, small.shape[1] // factor
    small = small.reshape(rows, factor, columns, factor, -1).mean((1, 3))
    frame = np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]])
    color = np.median(frame, axis=0)
    if (np.abs(frame - color).max(-1) <= _SAME).mean() < _FRAME:
        return 0, 0, width, height
    labels, _ = scipy.ndimage.label(np.abs(small - color).max(-1) <= _SAME)
    rim = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    things, count = scipy.ndimage.label(~np.isin(labels, rim[rim > 0]))
    if not count:
        return 0, 0, width, height
    y, x = scipy.ndimage.find_objects(things)[np.bincount(things.ravel())[1:].argmax()]
    return (x.start * factor, y.start * factor, min(x.stop * factor, width),
            min(y.stop * factor, height))  # fmt: skip


RULES: dict[str, Rule] = {"crop_borders": borders.crop_borders, "flood": flooded}


def outcomes(
    paths: Sequence[pathlib.Path | str], count: int, rules: dict[str, Rule] = RULES
) -> Iterator[tuple[str, Outcome]]:
    """Yields what each rule makes of each scene.

    Args:
        paths: pictures that the objects look like; taken from all over.
        count: of scenes; their number is their seed.
        rules: by name.
    """
    for seed in range(count):
        picture = images.read(paths[seed * _STRIDE % len(paths)]).pixels
        scene = museum_photographs.scene(picture, seed)
        for name, rule in rules.items():
            x0, y0, x1, y1 = rule(scene.pixels)
            a, b, c, d = scene.object
            shared = max(0, min(x1, c) - max(x0, a)) * max(0, min(y1, d) - max(y0, b))
            left = tuple(float(m[y0:y1, x0:x1].sum() / m.sum()) for m in scene.instruments)
            yield name, Outcome(
                seed, shared / ((c - a) * (d - b)), left, scene.kinds, scene.backdrop,
                scene.tilt, scene.beside,
            )  # fmt: skip


def whole(
    paths: Sequence[pathlib.Path | str], rules: dict[str, Rule] = RULES
) -> dict[str, list[bool]]:
    """Returns of each rule whether it leaves each plain picture whole.

    Blank around a thing may go: whole is a picture of which 99 % of what is unlike the colour of
    its frame is kept.
    """
    found: dict[str, list[bool]] = {name: [] for name in rules}
    for path in bar("Plain pictures", len(paths), paths):
        pixels = images.read(path).pixels
        frame = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
        seen = np.abs(pixels - np.median(frame, axis=0)).max(-1) > _SAME
        for name, rule in rules.items():
            x0, y0, x1, y1 = rule(pixels)
            found[name].append(bool(seen[y0:y1, x0:x1].sum() >= 0.99 * seen.sum()))
    return found


def table_borders(paths: Sequence[pathlib.Path | str], count: int, place: pathlib.Path) -> None:
    """Prints shares of objects kept, of instruments off and of plain pictures left whole.

    Args:
        paths: of pictures.
        count: of scenes, and of plain pictures at most.
        place: CSV file for all outcomes.
    """
    found: dict[str, list[Outcome]] = {name: [] for name in RULES}
    rows = []
    for name, one in bar("Photographs", count * len(RULES), outcomes(paths, count)):
        found[name].append(one)
        rows += [
            (name, one.seed, kind, one.backdrop, f"{one.tilt:.2f}", int(one.beside),
             f"{one.kept:.4f}", f"{left:.4f}")
            for kind, left in zip(one.kinds, one.left, strict=True)
        ]  # fmt: skip
    header = ("rule", "scene", "instrument", "backdrop", "tilt", "beside", "kept", "left")
    tables.write(place, header, rows)
    chosen = [paths[k * len(paths) // count] for k in range(min(count, len(paths)))]
    plain = whole(chosen)
    for name, some in found.items():
        print("\n".join(lines(name, some, plain[name])))


def lines(name: str, found: Sequence[Outcome], plain: Sequence[bool]) -> list[str]:
    """Returns what to print of a rule."""
    kept = np.mean([one.kept >= KEPT for one in found])
    said = [
        f"{name}: object kept in {kept:.1%} of {len(found)} photographs, "
        f"{np.mean(plain):.1%} of {len(plain)} plain pictures whole"
    ]
    for word, tilted in (("along the edge", False), ("tilted", True)):
        off: dict[str, list[bool]] = {}
        for one in found:
            if bool(one.tilt) == tilted:
                for kind, left in zip(one.kinds, one.left, strict=True):
                    for group in ("all", kind, one.backdrop):
                        off.setdefault(group, []).append(left <= LEFT)
        if off:
            shares = ", ".join(f"{group} {np.mean(some):.0%}" for group, some in off.items())
            said.append(f"  instruments {word}, off in: {shares} ({len(off['all'])})")
    return said
