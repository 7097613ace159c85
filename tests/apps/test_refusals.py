"""A sample of the bad inputs of `apps.benchmark --table=refusals`."""

import pathlib

import tensorflow as tf

from apps.benchmarks import refusal_cases, refusals
from tests import nets
from tfvis import images

# One case takes some three seconds, nearly all of it TensorFlow's start.
_SAMPLE = 4


class RefusalsTest(tf.test.TestCase):
    def test_a_sample_is_refused_in_one_line_each(self):
        outcomes = refusals.table_refusals(pathlib.Path(self.create_tempdir().full_path), _SAMPLE)
        self.assertLen(outcomes, _SAMPLE)
        for outcome in outcomes:
            with self.subTest(str(outcome.case)):
                self.assertEqual(outcome.faults, (), outcome.line)

    def test_faults_are_seen(self):
        # A sound command is none that is refused, and so must be called faulty.
        folder = pathlib.Path(self.create_tempdir().full_path)
        picture, model = folder / "picture.png", folder / "small.keras"
        images.save_png(picture, nets.picture(32))
        nets.small().save(model)
        case = refusal_cases.Case(
            "invert", {"image": picture, "network": model, "steps": 1}, "image"
        )
        found = refusals.outcome(case, folder / "out")
        self.assertContainsSubset(("accepted",), found.faults)
        self.assertTrue(any(fault.startswith("left ") for fault in found.faults), found)
