"""What a training that begins with a classifier is tested on."""

import dataclasses
import pathlib
import tempfile
import types

import tensorflow as tf

from tests import stripes
from tfvis.classifiers import backbone, datasets, splits
from tfvis.experiments import messages, training
from tfvis.networks import network


class BegunWithTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.shares = (0.5, 0.2, 0.3)
        self.more = datasets.read([str(stripes.folder(self.folder, 60, stripes.KINDS))])
        # Of fewer pictures and classes it learnt before.
        few = [e for e in self.more.examples if len(pathlib.Path(e.path).stem) < 2 and e.label < 2]
        earlier = dataclasses.replace(self.more, examples=tuple(few))
        at = splits.thresholds(earlier, 0, self.shares)
        self.learnt = splits.split(earlier, 0, self.shares, at)[:2]
        rows = [[name, *places] for name, places in at.items()]
        about = {"seed": 0, "shares": list(self.shares), "thresholds": rows}
        about["learnt_from"] = splits.digests(*self.learnt)
        self.before = types.SimpleNamespace(about=about, name="earlier")

    def parted(self, seed, before):
        at = training._thresholds(self.more, seed, self.shares, before)
        self.assertCountEqual(at, self.more.classes)
        return splits.split(self.more, seed, self.shares, at)[2]

    def seen(self, test):
        paths = {one.path for part in self.learnt for one in part.examples}
        return len(paths & {one.path for one in test.examples})

    def test_what_was_learnt_from_is_not_tested_on(self):
        """Parted anew, pictures would move from one part to another as others are added."""
        self.assertGreater(self.seen(self.parted(0, None)), 0)
        with self.assertNoLogs("tfvis"):
            found = self.parted(0, self.before)
            training._note_learnt(found, self.before)
        self.assertEqual(self.seen(found), 0)
        kinds = {one.label for one in found.examples}
        self.assertLen(kinds, 3)

    def test_of_another_seed_it_is_said_how_many_were(self):
        found = self.parted(3, self.before)
        count = self.seen(found)
        self.assertGreater(count, 0)
        with self.assertLogs("tfvis") as logs:
            training._note_learnt(found, self.before)
        self.assertIn(f"{count} of {len(found.examples)} test pictures", logs.output[0])
        # One that says nothing of its data is no reason to stop.
        self.parted(0, types.SimpleNamespace(about={}, name="silent"))


class LeftOutTest(tf.test.TestCase):
    def test_attention_that_is_left_out_is_said(self):
        layers = tf.keras.layers
        inputs = tf.keras.Input((16, 16, 3))
        x = layers.Conv2D(4, 2, name="first")(inputs)
        maps = layers.Conv2D(4, 5, strides=5, name="patches")(x)
        x = layers.Reshape((9, 4))(maps)
        for name in ("attention", "more"):
            x = layers.MultiHeadAttention(1, 4, name=name)(x, x)
        heads = {"pooled": layers.GlobalAveragePooling1D()(x), "flat": layers.Flatten()(maps)}
        for name, head in heads.items():
            model = tf.keras.Model(inputs, layers.Dense(3)(head), name=name)
            with self.assertLogs("tfvis") as said:
                messages.say("A log without any line fails.")
                training._note_left_out(backbone.split(network.wrap(model)))
            notes = [line for line in said.output if "left out" in line]
            self.assertLen(notes, int(name == "pooled"))
            for note in notes:
                self.assertIn("behind patches are left out (attention and 1 more)", note)


if __name__ == "__main__":
    tf.test.main()
