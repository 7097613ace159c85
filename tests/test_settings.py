"""What is within the bounds and choices of a field, and what is expected of it otherwise."""

import dataclasses

import tensorflow as tf
from absl.testing import parameterized

from tfvis import settings


@dataclasses.dataclass(frozen=True)
class _Some:
    both: float = settings.field(2.0, "Of both bounds.", least=1, most=4)
    least: float | None = settings.field(None, "Of one.", least=1e-3)
    word: str = settings.field("one", "Of few.", choices=("one", "two"))
    any: tuple = settings.field((), "Of none.")


class OutsideTest(parameterized.TestCase, tf.test.TestCase):
    @parameterized.parameters(
        ("both", 0.5, "1 to 4"), ("both", 4.5, "1 to 4"), ("both", float("nan"), "1 to 4"),
        ("both", 1, ""), ("both", 4, ""), ("least", 0, "0.001 or more"), ("least", 1e9, ""),
        ("least", None, ""), ("word", "three", "one, two"), ("word", "two", ""), ("any", (1,), ""),
    )  # fmt: skip
    def test_what_is_expected(self, name, value, expected):
        (one,) = (one for one in dataclasses.fields(_Some) if one.name == name)
        self.assertEqual(settings.outside(one, value), expected)


if __name__ == "__main__":
    tf.test.main()
