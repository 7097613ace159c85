"""Two networks compared, called as from a notebook, where they or the pictures fit badly."""

import pathlib

import keras
import numpy as np
import tensorflow as tf

from tests import nets
from tfvis import images, tables
from tfvis.errors import InputError
from tfvis.experiments import comparison
from tfvis.networks import network
from tfvis.networks.preprocessing import contracts


def fixed(height: int, width: int) -> network.Network:
    """Takes pictures of one size, which is no square."""
    keras.utils.set_random_seed(3)
    inputs = keras.Input((height, width, 3))
    conv = keras.layers.Conv2D(8, 3, padding="same", activation="relu", name="block1_conv1")
    return network.wrap(keras.Model(inputs, conv(inputs)), "fixed", contracts.named("tf"))


class ComparisonTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def places(self, domains=("photo",), classes=("",), each=5) -> dict[str, str]:
        """Writes pictures; returns {domain: folder}."""
        seed = 0
        for domain in domains:
            for name in classes:
                for k in range(each):
                    seed += 1
                    images.save_png(
                        self.folder / domain / name / f"{k}.png", nets.picture(12, seed=seed)
                    )
        return {domain: str(self.folder / domain) for domain in domains}

    def run_of(self, other, places, layer, *sections, **more) -> dict[str, str]:
        """Returns {section: what was found}."""
        done = comparison.run(
            {"one": nets.wrapped(), "other": other}, places, [layer],
            workdir=self.folder / "out", sections=sections, steps=1, **more,
        )  # fmt: skip
        return {record["section"]: record["found"] for record in done.records}

    def column(self, section: str, name: str) -> list[str]:
        _, rows = tables.read(self.folder / "out" / f"{section}.csv", section, (name,))
        return [row[name] for row in rows]

    def test_a_network_of_one_size_beside_one_of_any(self):
        self.run_of(fixed(16, 20), self.places(), "block1_conv1", "inversion")
        errors = [float(error) for error in self.column("inversion", "error in the other")]
        self.assertLen(errors, 2)
        self.assertTrue(np.isfinite(errors).all())

    def test_what_means_nothing_is_not_said(self):
        found = self.run_of(
            nets.wrapped(), self.places(), "gap", "alignment", "units", "inversion", size=12
        )
        # A vector has nothing to invert, which keeps nothing else from being told.
        self.assertEqual(list(found), ["alignment", "units"])
        # One layer is most like the only one there is.
        self.assertNotIn("%", found["alignment"])
        # Of five pictures, the most alike of twelve units is alike by chance.
        self.assertIn("has not (r < 0.3) is undefined", found["units"])
        with self.assertRaisesRegex(InputError, "allow none"):
            self.run_of(nets.wrapped(), self.places(), "gap", "inversion", size=12)

    def test_batches_of_other_classes_are_no_ceiling(self):
        classes = tuple(f"class {k}" for k in range(30))
        places = self.places(("photo", "drawn"), classes, each=2)
        self.run_of(nets.wrapped(), places, "block1_conv1", "depiction", size=12)
        self.assertEqual(self.column("depiction", "photo and other photo"), ["", ""])


if __name__ == "__main__":
    tf.test.main()
