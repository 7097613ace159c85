"""What an experiment hands back."""

import dataclasses
import pathlib


@dataclasses.dataclass(frozen=True)
class Outcome:
    """Results of a run.

    Attributes:
        records: the manifest's results, of JSON's types.
        lines: the same in words.
        sheet: the page that shows them, or None.
    """

    records: list[dict]
    lines: list[str]
    sheet: pathlib.Path | None = None

    def __repr__(self) -> str:
        return f"Outcome({len(self.records)} results, {self.sheet})"
