"""Flags are made from the fields of settings, which say everything once."""

import dataclasses

import tensorflow as tf
from absl import flags

from apps.flags import fields
from tfvis import settings
from tfvis.preimages import Caricature, Inversion
from tfvis.settings import changed, field


@settings.documented
@dataclasses.dataclass(frozen=True)
class _Kind:
    """Some constants."""

    steps: int = field(3, "How many; see `window`.", source="A paper: 3.", least=1, most=9)
    share: float | None = field(None, "A share.", least=0)
    word: str = field("a", "A word.", choices=("a", "b"))
    names: tuple[str, ...] = field((), "Names.")
    window: int = field(5, "Of what.")


@dataclasses.dataclass(frozen=True)
class _Derived(_Kind):
    steps: int = changed(_Kind, "steps", 4, source="Another: 4.")


class SettingsTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        before = set(flags.FLAGS)
        self.addCleanup(lambda: [delattr(flags.FLAGS, name) for name in set(flags.FLAGS) - before])

    def test_flags_have_the_fields_defaults_bounds_and_words(self):
        names = {name: f"tried_{name}" for name in ("steps", "share", "word", "names", "window")}
        holders = fields.define(_Kind, names, window=7)
        flags.FLAGS.mark_as_parsed()
        self.assertEqual(fields.values(_Kind, holders, names=()), _Kind(window=7))
        self.assertEqual(flags.FLAGS["tried_steps"].help, "How many; see --tried_window.")
        for name, value in (("steps", "10"), ("share", "-1"), ("word", "c")):
            with self.assertRaises(flags.IllegalFlagValueError):
                flags.FLAGS[f"tried_{name}"].parse(value)

    def test_a_changed_default_keeps_bounds_and_help(self):
        (one,) = (f for f in dataclasses.fields(_Derived) if f.name == "steps")
        self.assertEqual((one.default, one.metadata["most"]), (4, 9))
        self.assertEqual(one.metadata["source"], "Another: 4.")

    def test_help_of_the_class_lists_its_fields(self):
        self.assertIn("steps: How many; see `window`. A paper: 3.", _Kind.__doc__)
        self.assertIn("fine_steps: ", Inversion.__doc__)

    def test_published_steps_are_the_defaults(self):
        # MV16: 300 steps with jitter, for inversions 50 after them.
        self.assertEqual((Inversion.steps, Inversion.fine_steps), (300, 50))
        self.assertEqual((Caricature.steps, Caricature.fine_steps), (300, 0))


if __name__ == "__main__":
    tf.test.main()
