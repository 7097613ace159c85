"""How much of an atlas is made."""

import dataclasses

from tfvis import settings
from tfvis.preimages.settings import Maximization
from tfvis.settings import changed, field


@settings.documented
@dataclasses.dataclass(frozen=True)
class Atlas:
    """What the length of an atlas depends on."""

    count: int = field(
        1000,
        "Pictures that are looked at, evenly out of all.",
        source="The nine that excite a unit most come from as many as the statistics that ship "
        "with VGG16 within a factor of two, and each takes a tenth of a second.",
        least=9,
    )
    size: int = field(
        96,
        "Largest side of a unit's picture, in px; one that sees less is as small as that.",
        source="Of a unit that sees more, it is the middle, to which it answers most (Luo et al. "
        "2016, effective receptive fields): see `unit_pictures.side`.",
        least=16,
        most=512,
    )
    steps: int = changed(
        Maximization, "steps", 300, source="That of a picture of `maximize`: the library's own."
    )
    cells: int = field(
        10,
        "Side of the grid of a layer's activation atlas, in cells; 0 makes none.",
        source="Carter et al. 2019 have 20 and more from a million activations; of some thousands "
        "a cell of a tenth has enough to be averaged.",
        least=0,
        most=40,
    )
    path_similarity: bool = field(
        True,
        "Tell of each unit whether its picture takes the path of photographs.",
        source="It costs as much as 25 to 200 steps of its picture.",
    )
    seed: int = field(0, "Of the noise that every picture begins with, and of the layout.", least=0)


# One layer of VGG16's block4 in some ten minutes on two cores: as few steps as a quick
# comparison of networks has, at which a unit can be told already, a coarser grid, and no paths.
QUICK = Atlas(count=150, steps=40, cells=5, path_similarity=False)
