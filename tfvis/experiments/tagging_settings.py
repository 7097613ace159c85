"""Which tags of a picture are shown."""

import dataclasses

from tfvis import settings
from tfvis.errors import InputError, arg
from tfvis.settings import field


@settings.documented
@dataclasses.dataclass(frozen=True)
class Tagging:
    """The tags, and which of them are shown."""

    tags: str | None = field(
        None, "tag_list.json, or tag_list.json.gz as released: the names of the tags."
    )
    threshold: float | None = field(
        None,
        "Show the tags more certain than this; left out, 0.25 as in the released code. Ratings "
        "are always shown.",
        least=0,
        most=1,
    )
    thresholds: str | None = field(
        None, "A .npz file with a threshold for each tag, in place of `threshold`."
    )
    rule: str | None = field(
        None,
        "Which of the thresholds in `thresholds`: f0.5 misses more, f2 claims more; left out, f1.",
        choices=("f0.5", "f1", "f2"),
    )
    top: int = field(10, "At most so many tags of each kind.", least=1, most=512)

    def check(self, features: bool) -> None:
        """Raises InputError where these contradict each other.

        Args:
            features: whether vectors are asked for in place of tags.
        """
        for name in ("tags", "threshold", "thresholds") if features else ():
            if getattr(self, name) is not None:
                raise InputError(f"{arg(name)}: {arg('features')} writes no tags; leave one out.")
        if not features and self.tags is None:
            raise InputError(
                f"{arg('tags')}: name the list of tags (tag_list.json of the release)."
            )
        if self.thresholds is None and self.rule is not None:
            raise InputError(
                f"{arg('rule')}={self.rule}: chooses among {arg('thresholds')}; name that file."
            )
        if self.thresholds is not None and self.threshold is not None:
            raise InputError(
                f"{arg('threshold')}: {arg('thresholds')} has one for each tag; leave it out."
            )
