"""A time budget: sizes and steps that this machine computes in the time that is left."""

import dataclasses
import json
import pathlib
import time
from collections.abc import Callable, Sequence

import numpy as np

from tfvis import files
from tfvis.experiments import style_runs
from tfvis.networks.network import Network
from tfvis.report import manifest

# Fewer steps show nothing; more than published ones add little.
_LEAST, _MOST = 10, 400
# Set-up that counts; what a download takes beyond it does not.
_SET_UP_S = 20.0
# Share of the time that is not given away.
_RESERVED = 0.03
# One section tells no more than this of the next.
_CORRECTED = 3.0


@dataclasses.dataclass(frozen=True)
class Choice:
    """What was chosen for a section.

    Attributes:
        size: pixels, of what the section makes.
        steps: of each picture.
        seconds: it is to take.
    """

    size: int
    steps: int
    seconds: float


class Budget:
    """Shares the time among sections, and what is left of it again after each.

    Args:
        minutes: in all, from `began` on.
        began: `time.perf_counter()` at the start.
        shares: {section: weight}, in order.
        network: whose rate is measured now, in a few seconds.
        precision: of its arithmetic.
        compiled: networks that are compiled at the end, outside the shares.
        path: file that keeps the choices, so that a run that was stopped goes on with them.
        flags: what they were made for; others begin anew.
    """

    def __init__(
        self,
        minutes: float,
        began: float,
        shares: dict[str, float],
        network: Network,
        precision: str,
        compiled: int,
        path: pathlib.Path,
        flags: dict,
    ):
        now = time.perf_counter()
        self._deadline = max(began, now - _SET_UP_S) + 60 * minutes
        self._shares = dict(shares)
        self._path = path
        self._flags = json.loads(json.dumps(flags | {"precision": precision}, default=str))
        self._kept = _kept(path, self._flags)
        self.rate, self._compiling = style_runs.rate(network, precision)
        # Something always comes between.
        self._reserved = _RESERVED * 60 * minutes + compiled * self._compiling

    @property
    def left(self) -> float:
        """Seconds until all is to be done."""
        return self._deadline - time.perf_counter()

    def choose(
        self,
        section: str,
        cost: Callable[[int], float],
        pictures: int,
        sizes: Sequence[int],
        wanted: int,
        steps: int | None = None,
        fixed: int = 0,
        once: float = 0.0,
    ) -> Choice:
        """Returns the largest size that leaves time for `wanted` steps, and the steps.

        Args:
            section: which.
            cost: size -> multiplications of a step, of all its pictures together.
            pictures: compiled one by one.
            sizes: to choose from, rising.
            wanted: steps; fewer only at the smallest size.
            steps: asked for by the person; None chooses.
            fixed: steps that come on top.
            once: multiplications that come on top, whatever the size.
        """
        total = sum(self._shares.values())
        seconds = max(self.left - self._reserved, 1.0) * self._shares[section] / total
        compiling = self._compiling * pictures + once / self.rate
        for size in reversed(sizes):
            second = cost(size) / self.rate
            count = int((seconds - compiling) / second) - fixed
            if count >= wanted or size == sizes[0]:
                break
        count = steps or int(np.clip(count, _LEAST, _MOST))
        return Choice(size, count, compiling + (count + fixed) * second)

    def settle(self, section: str, choice: Choice) -> Choice:
        """Returns the choice, or that of an earlier run with the same flags, and keeps it."""
        kept = self._kept.get(section)
        if kept:
            return kept
        self._kept[section] = choice
        kept = {name: dataclasses.asdict(one) for name, one in self._kept.items()}
        content = {"flags": self._flags, "choices": kept}
        files.write_text(self._path, json.dumps(content, indent=2))
        return choice

    def spent(self, section: str, choice: Choice, seconds: float, fresh: bool) -> None:
        """Takes a section off, and learns from it how fast this machine is now."""
        del self._shares[section]
        if fresh and choice.seconds > 0:
            factor = float(np.clip(seconds / choice.seconds, 1 / _CORRECTED, _CORRECTED))
            self.rate /= factor
            self._compiling *= factor

    def fresh(self, section: str) -> bool:
        """Tells whether no earlier run chose for this section."""
        return section not in self._kept


def _kept(path: pathlib.Path, flags: dict) -> dict[str, Choice]:
    """Returns the choices of an earlier run with the same flags; damage means there was none."""
    found = manifest.read(path)
    try:
        same = found["flags"] == flags
        return {
            name: Choice(int(one["size"]), int(one["steps"]), float(one["seconds"]))
            for name, one in found["choices"].items()
            if same
        }
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}
