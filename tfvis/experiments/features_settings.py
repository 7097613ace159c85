"""Which vectors are made of pictures."""

import dataclasses

from tfvis import settings
from tfvis.settings import field


@settings.documented
@dataclasses.dataclass(frozen=True)
class Features:
    """The layer, what is made of its map, and what it sees of a picture."""

    layer: str | None = field(
        None, "The layer whose output is kept, such as block5_conv3; left out, the deepest of five."
    )
    pool: str = field(
        "mean",
        "What becomes of a map: its mean or max over all places, a number per channel; or none, "
        "all of it, row by row.",
        source="mean: where a thing stands is no part of what it is (SPoC, Babenko & Lempitsky "
        "2015).",
        choices=("mean", "max", "none"),
    )
    size: int | None = field(
        None,
        "Side of the square image, in pixels; left out, what the network insists on, or 224.",
        least=1,
        most=4096,
    )
    crop: str = field(
        "center",
        "Which square of the picture; none squeezes the whole of it into the square.",
        choices=("center", "left", "right", "top", "bottom", "none"),
    )
    reduced_jpegs: bool = field(
        False,
        "Decode a JPEG at 1/2, 1/4 or 1/8 of its size where its sides keep twice the px that the "
        "network sees: photographs of a camera are read in a fifteenth of the time, and give other "
        "numbers, as levels differ by 1 to 3 in the mean, by up to 70 at edges.",
        source="False: numbers are compared with those of other programs (docs/batches.md has the "
        "differences).",
    )
