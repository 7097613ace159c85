"""Who does the work of a batch."""

import dataclasses

from tfvis import settings
from tfvis.errors import InputError, arg
from tfvis.settings import field


@settings.documented
@dataclasses.dataclass(frozen=True)
class Engine:
    """Who does the work of a batch."""

    engine: str = field(
        "local",
        "local: this machine. ray: actors of the Ray cluster that RAY_ADDRESS names, or of a new "
        "one on this machine, all of which see the same folders (pip install -r "
        "requirements-ray.txt).",
        choices=("local", "ray"),
    )
    workers: int = field(
        0,
        "Processes that share the work, each with as many threads as it has cores to itself; 0 is "
        "this process alone.",
        source="0: one process fills all cores of a machine, in the memory of one.",
        least=0,
        most=4096,
    )

    def check(self) -> None:
        """Raises InputError where the fields do not go together."""
        if self.engine == "ray" and not self.workers:
            raise InputError(
                f"{arg('engine')}=ray: needs {arg('workers')} of at least 1; say how many."
            )
