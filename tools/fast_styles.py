"""Eight styles that are free to ship, for a network that paints in all of them.

    python -m tools.fast_styles --output=FOLDER

Nobody's work is copied: the paintings of `tools.painting`, as they are or drawn anew in a manner
of `apps.benchmarks.painting_manners`. Writes a PNG of 512 px for each, under the licence of this
project, in half a minute:

    python -m apps.train_style --styles=FOLDER/night.png,FOLDER/fire.png,... --content=PHOTOGRAPHS
"""

import argparse
import pathlib
from collections.abc import Callable

import numpy as np

from apps.benchmarks import painting_manners as manners
from tfvis import images
from tfvis.style import painting as shipped
from tools import painting

# Side of a style, and of the picture a manner draws: marks are sized for pictures of that side.
_SIZE, _DRAWN = 512, 256
_FIRE = np.array(
    [
        (40, 10, 24),  # burgundy
        (96, 20, 30),  # crimson
        (160, 40, 34),  # vermilion
        (214, 80, 40),  # red lead
        (240, 140, 60),  # orange
        (250, 190, 90),  # amber
        (252, 226, 150),  # straw
        (250, 244, 214),  # cream
        (255, 250, 235),  # white
    ],
    np.float32,
)
_DUSK = np.array(
    [
        (20, 20, 60),  # indigo
        (40, 30, 120),  # blue violet
        (120, 30, 120),  # purple
        (200, 40, 90),  # rose
        (240, 90, 60),  # coral
        (250, 160, 50),  # orange
        (250, 220, 90),  # yellow
        (150, 210, 130),  # leaf
        (230, 245, 230),  # mint
    ],
    np.float32,
)


def _drawn(manner: manners.Draw, seed: int) -> np.ndarray:
    """Returns a painting of dusk drawn in a manner, its marks as large as the manner has them."""
    small = images.resize(painting.paint(_SIZE, seed, palette=_DUSK), _DRAWN, _DRAWN)
    return images.resize(manners.drawn(small, manner, seed), _SIZE, _SIZE)


# Seeds by looking.
STYLES: dict[str, Callable[[], np.ndarray]] = {
    "night": shipped.shipped,
    "fire": lambda: painting.paint(_SIZE, 14, palette=_FIRE),
    "knife": lambda: _drawn(manners.palette_knife, 21),
    "mosaic": lambda: _drawn(manners.mosaic, 21),
    "glass": lambda: _drawn(manners.stained_glass, 21),
    "watercolour": lambda: _drawn(manners.watercolour, 21),
    "pencil": lambda: _drawn(manners.pencil, 21),
    "scratchboard": lambda: _drawn(manners.scratchboard, 21),
}


def main() -> None:
    """Writes the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", required=True, type=pathlib.Path, help="Folder for them.")
    folder = parser.parse_args().output
    for name, make in STYLES.items():
        images.save_png(folder / f"{name}.png", make())


if __name__ == "__main__":
    main()
