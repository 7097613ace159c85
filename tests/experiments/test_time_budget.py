"""Tests of the demo's time budget: on a clock and a rate of the test's own."""

import pathlib
from unittest import mock

import tensorflow as tf

from tests import nets
from tfvis.experiments import time_budget

_SHARES = {"first": 2, "second": 1, "third": 1}


class BudgetTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.now = 100.0
        self.path = pathlib.Path(self.get_temp_dir()) / f"{self.id()}.json"
        clock = mock.Mock(perf_counter=lambda: self.now)
        self.enter_context(mock.patch.object(time_budget, "time", clock))

    def _budget(self, minutes=5.0, rate=1e6, compiling=1.0, flags=None) -> time_budget.Budget:
        with mock.patch.object(time_budget.style_runs, "rate", lambda *_: (rate, compiling)):
            return time_budget.Budget(
                minutes, self.now, _SHARES, nets.wrapped(), "float32", 0, self.path, flags or {}
            )

    def _run(self, budget: time_budget.Budget, slower: float) -> list[time_budget.Choice]:
        """Goes through all sections on a machine so much slower than it was measured."""
        made = []
        for name in _SHARES:
            fresh = budget.fresh(name)
            choice = budget.choose(name, lambda size: 100.0 * size**2, 2, (32, 64, 128), 100)
            choice = budget.settle(name, choice)
            made.append(choice)
            taken = slower * (2 * 1.0 + choice.steps * 100.0 * choice.size**2 / 1e6)
            self.now += taken
            budget.spent(name, choice, taken, fresh)
        return made

    def test_it_keeps_its_word_whatever_the_minutes_and_the_load(self):
        for minutes in (2.0, 5.0, 20.0):
            for slower in (1.0, 0.6, 1.5):
                with self.subTest(f"{minutes} min, {slower} times the time"):
                    self.path.unlink(missing_ok=True)
                    began = self.now
                    made = self._run(self._budget(minutes), slower)
                    self.assertAllClose(self.now - began, 60 * minutes, rtol=0.2)
                    self.assertGreaterEqual(min(choice.steps for choice in made), 10)

    def test_more_time_is_larger_pictures_and_then_more_steps(self):
        sizes = [
            self._budget(minutes).choose("first", lambda s: 100.0 * s**2, 1, (32, 64, 128), 100)
            for minutes in (0.5, 2, 8, 60)
        ]
        self.assertEqual([choice.size for choice in sizes], [32, 64, 128, 128])
        self.assertGreaterEqual(min(choice.steps for choice in sizes), 100)
        self.assertEqual(sizes[-1].steps, 400)

    def test_what_was_asked_for_stays(self):
        choice = self._budget().choose("first", lambda s: 1e6 * s**2, 1, (32,), 100, steps=7)
        self.assertEqual((choice.size, choice.steps), (32, 7))

    def test_a_run_that_was_stopped_goes_on_with_its_choices(self):
        made = self._run(self._budget(), 1.0)
        again = self._budget(rate=3e5)
        self.assertFalse(again.fresh("first"))
        self.assertEqual(self._run(again, 0.0), made)
        self.assertTrue(self._budget(flags={"size": 3}).fresh("first"))
        for damage in ("", "[]", '{"flags": {}, "choices": {"first": {"size": "x"}}}'):
            self.path.write_text(damage)
            self.assertTrue(self._budget().fresh("first"))
