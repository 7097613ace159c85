"""When an image has come far enough."""

import dataclasses

from tfvis import settings
from tfvis.settings import field


@settings.documented
@dataclasses.dataclass(frozen=True)
class Stop:
    """When an image of a batch has come far enough in a stage.

    Its mean energy over the last `window` steps differs from that over the `window`
    before by less than `change` times the latter. Means, since jitter makes single
    steps jump. With several images, each stops on its own."""

    change: float = field(
        0.0,
        "End a stage once the energy changes by less than this share over `window` steps, "
        "such as 0.01; 0 never.",
        source="MV16 run all steps.",
        least=0,
    )
    window: int = field(
        50,
        "Steps the energy is averaged over for `change`.",
        source="About a sixth of a published run.",
        least=1,
    )
