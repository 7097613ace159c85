"""Leave one domain out: means over seeds, and a table that goes on."""

import contextlib
import csv
import dataclasses
import io
import pathlib
from unittest import mock

import numpy as np
import tensorflow as tf

from apps.benchmarks import domains
from tests import stripes
from tests.processes import AppTest
from tfvis.classifiers.settings import Training
from tfvis.errors import InputError
from tfvis.experiments import networks, training


class DomainsTest(AppTest):
    def setUp(self):
        super().setUp()
        self.sources = [
            str(stripes.folder(self.folder / name, 12, seed=k)) for k, name in enumerate("ab")
        ]
        settings = Training(epochs=1, head_epochs=2, batch=8, rate=0.01)
        self.recipe = domains.Recipe(
            networks.Wanted(str(self.model), preprocessing="tf"), settings, (1, 0), None,
            str(self.folder / "cache"), 32,
        )  # fmt: skip
        self.out = self.folder / "out"
        self.out.mkdir()

    def _table(self, seeds: int) -> str:
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            domains.table_domains(self.sources, self.recipe, seeds, self.out)
        return said.getvalue()

    def test_each_source_is_tested_on_by_what_has_not_seen_it(self):
        seen = []
        run = training.run

        def spied(data, *given, **more):
            seen.append({pathlib.Path(one.path).parts[-3] for one in data.examples})
            return run(data, *given, **more)

        with mock.patch.object(domains.trainings, "run", spied):
            said = self._table(2)
        self.assertEqual(seen, [{"b"}, {"a"}] * 2)
        with open(self.out / "domains.csv", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(
            [(row["left_out"], row["seed"]) for row in rows],
            [("a", "0"), ("b", "0"), ("a", "1"), ("b", "1")],
        )
        found = np.reshape([float(row["accuracy"]) for row in rows], (2, 2))
        means = 100 * found.mean(1)
        error = means.std(ddof=1) / np.sqrt(2)
        self.assertIn(f"{means.mean():.1f} +- {error:.1f}", said.splitlines()[-1])
        # All of it is there: nothing is trained again, and the same is said.
        self.assertEqual(self._table(2), said)

    def test_no_style_is_of_the_source_left_out(self):
        recipe = dataclasses.replace(self.recipe, styles=(self.sources[0], 1, None))
        with self.assertRaisesRegex(InputError, "which is held out"):
            domains.table_domains(self.sources, recipe, 1, self.out)

    def test_one_source_is_refused(self):
        with self.assertRaisesRegex(InputError, "at least two sources"):
            domains.table_domains(self.sources[:1], self.recipe, 1, self.out)


if __name__ == "__main__":
    tf.test.main()
