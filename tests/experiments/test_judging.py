"""What `judge` asks of a network, in short."""

import pathlib

import keras
import tensorflow as tf

from tests import nets
from tfvis import tables
from tfvis.attention import explainers
from tfvis.attention.boxes import Box
from tfvis.errors import InputError
from tfvis.experiments import judging, judging_pairs
from tfvis.networks import network

layers = keras.layers


class FitTest(tf.test.TestCase):
    def test_a_network_without_relus_has_all_but_what_is_of_relus(self):
        inputs = keras.Input((16, 16, 3))
        x = layers.Conv2D(4, 3, activation="gelu", name="first")(inputs)
        x = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, activation="gelu")(x))
        smooth = network.wrap(keras.Model(inputs, layers.Dense(3, name="scores")(x)))
        with self.assertLogs("tfvis", "WARNING") as said:
            found = judging._fit(smooth)
        self.assertIn("VisualBackProp of ReLUs is left out: ", "\n".join(said.output))
        self.assertIn("deconvnet is left out: ", "\n".join(said.output))
        self.assertIn("ReLUs only, and it has gelu at first", "\n".join(said.output))
        of_relus = ("vbp_relu", "deconvnet", "guided")
        self.assertEqual(found, tuple(name for name in explainers.KINDS if name not in of_relus))
        self.assertEqual(judging._fit(nets.wrapped()), tuple(explainers.KINDS))


class PossibleTest(tf.test.TestCase):
    def test_what_the_pictures_do_not_allow_is_left_out_and_alone_refused(self):
        bare = judging.LabelledPicture(0, (), 1, True)
        four = judging.LabelledPicture(0, (Box(0, 0, 1, 1),), 1, True, ("a", "b", "c", "d"))
        asked = ("road", "grid", "boxes")
        self.assertEqual(judging._possible(asked, [bare, four]), asked)
        with self.assertLogs("tfvis", "WARNING") as said:
            self.assertEqual(judging._possible(asked, [bare]), ("road",))
        self.assertIn("the metric grid is left out", "\n".join(said.output))
        self.assertIn("the metric boxes is left out", "\n".join(said.output))
        with self.assertRaisesRegex(InputError, "metrics=grid: .* fewer than four classes right"):
            judging._possible(("grid",), [bare])


class PairsTest(tf.test.TestCase):
    def test_the_better_on_the_same_pictures_is_named_first(self):
        # "high" has a map of the two pictures that all do well on, and is the worse on both.
        values = {"high": {"a": 0.8, "b": 0.7}, "low": {"a": 0.9, "b": 0.9, "c": 0.0, "d": 0.1}}
        records = [
            {
                "path": path,
                "measures": {n: {"road": v[path]} for n, v in values.items() if path in v},
            }
            for path in "abcd"
        ]
        path = pathlib.Path(self.create_tempdir().full_path) / "pairs.csv"
        (line,) = judging_pairs.write(records, ("high", "low"), path)
        self.assertRegex(
            line, r"^road: low before high by 0\.150 .*: -0\.485 to 0\.785; .* 2 pictures"
        )
        (row,) = tables.read(path, "table", ("one",))[1]
        self.assertEqual(
            (row["one"], row["other"], row["difference"]), ("high", "low", "-0.150000")
        )


if __name__ == "__main__":
    tf.test.main()
