"""What a recipe shows of itself between two chunks of steps."""

import dataclasses

import numpy as np

from tfvis.optimize import loop


@dataclasses.dataclass(frozen=True, repr=False)
class Progress:
    """A run between two chunks of steps.

    Attributes:
        layer: which one it is about; of a style, its recipe.
        images: the images now, float32 [batch, height, width, channels], display space,
            unclipped.
        kept: the best so far; the result, once the run has ended.
        snapshot: the loop's.
        seconds: of computation so far, in this process.
        total: steps in all.
        importance: float32 [batch, height, width], how much each pixel has changed the objective
            so far, see `transparency`; None where it was not asked for.
    """

    layer: str
    images: np.ndarray
    kept: np.ndarray
    snapshot: loop.Snapshot
    seconds: float
    total: int
    importance: np.ndarray | None = None

    def __repr__(self) -> str:
        energies = self.snapshot.energies
        energy = f", energy {float(energies[-1].mean()):.3g}" if len(energies) else ""
        steps = f"{self.snapshot.done} of {self.total} steps"
        return f"<Progress: {self.layer}, {steps}{energy}, {self.seconds:.1f} s>"
