"""What an experiment hands back."""

import dataclasses
import pathlib

from tfvis.report.html_page import Page


@dataclasses.dataclass(frozen=True)
class Outcome:
    """Results of a run.

    Attributes:
        records: the manifest's results, of JSON's types.
        lines: the same in words.
        sheet: one picture that shows them, or None.
        page: what their page says, or None.
        index: that page, once `workdirs.kept` has written it.
    """

    records: list[dict]
    lines: list[str]
    sheet: pathlib.Path | None = None
    page: Page | None = None
    index: pathlib.Path | None = None

    def __repr__(self) -> str:
        return f"Outcome({len(self.records)} results, {self.sheet})"
