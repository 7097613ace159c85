"""Sections of a comparison whose pictures both networks make, on small networks."""

import dataclasses
import pathlib
import re
import types
from unittest import mock

import numpy as np
import tensorflow as tf

from tests import nets
from tfvis import images, tables
from tfvis.errors import InputError
from tfvis.experiments import comparison, cue_conflicts
from tfvis.networks import network
from tfvis.networks.preprocessing import contracts

# As folders are sorted; a number is a name, too.
CLASSES = ("3", "dog", "house")


def classifier(seed: int, classes=("none", *CLASSES, "other")) -> network.Network:
    """By chance, of the folders' classes and others, in an order of its own."""
    found = network.wrap(nets.small(seed=seed), f"net{seed}", contracts.named("tf"))
    return dataclasses.replace(found, classes=classes)


class MadeTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.out = self.folder / "out"
        self.networks = {
            "one": classifier(1), "other": classifier(2, ("house", "dog", "3", "a", "b")),
        }  # fmt: skip
        seed = 0
        for domain in ("photo", "drawn"):
            for name in CLASSES:
                for k in range(2):
                    seed += 1
                    path = self.folder / domain / name / f"{k}.png"
                    images.save_png(path, nets.picture(32, seed=seed))

    def run_of(self, *sections, domains=("photo", "drawn"), **more) -> dict[str, str]:
        """Returns {section: what was found}."""
        done = comparison.run(
            more.pop("networks", self.networks), {d: str(self.folder / d) for d in domains},
            ["block1_conv1", "block2_conv1"], workdir=self.out, sections=sections, size=32,
            precision="float32", **more,
        )  # fmt: skip
        return {record["section"]: record["found"] for record in done.records}

    def table(self, section: str) -> list[dict[str, str]]:
        return list(tables.read(self.out / f"{section}.csv", section, ())[1])

    def test_shape_bias_is_that_of_its_table_and_invariance_takes_its_pictures(self):
        found = self.run_of("shape_bias", "invariance", domains=("photo",), steps=2)
        files = sorted((self.out / "cue_conflicts").glob("*.png"))
        self.assertLen(files, 6)
        before = [path.stat().st_mtime_ns for path in files]
        rows = self.table("shape_bias")
        self.assertEqual(len({(row["shape"], row["texture"]) for row in rows}), 6)
        for label, net in self.networks.items():
            own = [row for row in rows if row["network"] == label]
            pictures = np.stack([images.read(path).pixels for path in files])
            scores = net.taps([net.logits])(tf.constant(pictures))[net.logits].numpy()
            # Classes that the folders have not are no answer.
            among = scores[:, [net.classes.index(name) for name in CLASSES]]
            self.assertEqual([CLASSES[k] for k in among.argmax(1)], [r["answer"] for r in own])
            for row in own:
                right = {"shape": row["shape"], "texture": row["texture"]}.get(row["which"])
                self.assertIn(right, (None, row["answer"]))
                self.assertEqual(right is None, row["answer"] not in (row["shape"], row["texture"]))
            shape, texture = (sum(r["which"] == kind for r in own) for kind in ("shape", "texture"))
            said = f"{label.capitalize()} calls {(shape + texture) / 6:.1%} "
            self.assertIn(said, found["shape_bias"])
            if shape + texture:
                self.assertIn(f"and of these {shape / (shape + texture):.1%} ", found["shape_bias"])
        self.assertNotIn("nan", found["shape_bias"])
        self.assertLen(self.table("invariance"), 2 * 2)
        again = self.run_of("shape_bias", "invariance", domains=("photo",), steps=2)
        self.assertEqual(again, found)
        self.assertEqual([path.stat().st_mtime_ns for path in files], before)

    def test_style_is_seen_by_both(self):
        twice = {"one": classifier(1), "again": classifier(1)}
        found = self.run_of("style", networks=twice, steps=12)["style"]
        rows = self.table("style")
        self.assertLen(rows, 2 * 2 * 2)
        self.assertEqual({row["style"] for row in rows}, {"the painting", "a picture of drawn"})
        shares = [float(row["of the untouched"]) for row in rows]
        # That is what was made small.
        self.assertLess(max(shares), 1)
        self.assertIn(f"its own picture is at {shares[0]:.3f} of", found)
        # The same network makes and sees the same.
        for row in rows:
            first = next(r for r in rows if r["style"] == row["style"])
            self.assertAlmostEqual(
                float(row["style distance"]) / float(first["style distance"]), 1, places=3
            )

    def test_a_class_is_raised_in_each_and_shown_to_the_other(self):
        found = self.run_of("maximization", steps=20)["maximization"]
        rows = self.table("maximization")
        self.assertEqual([row["class"] for row in rows], [*CLASSES] * 2)
        for label, net in self.networks.items():
            own = [row for row in rows if row["network"] == label]
            for row in own:
                at = net.classes.index(row["class"])
                (file,) = (self.out / "maximization" / label).rglob(f"{at} {row['class']}.png")
                picture = images.read(file).pixels
                self.assertAlmostEqual(self.scores(net, picture)[at], float(row["activation"]), 4)
                files = [p for d in ("photo", "drawn") for p in (self.folder / d).rglob("*.png")]
                most = max(self.scores(net, images.read(p).pixels)[at] for p in files)
                if row["times the most of pictures"]:
                    times = float(row["activation"]) / most
                    self.assertAllClose(float(row["times the most of pictures"]), times, rtol=1e-2)
                else:
                    self.assertLessEqual(min(most, float(row["activation"])), 0)
            hits = sum(row["the other says"] == row["class"] for row in own)
            self.assertRegex(found, re.escape(f"{hits / 3:.1%} (") + f".*of {label}'s pictures")
            self.assertNotIn("nan", found)

    @staticmethod
    def scores(net, picture) -> np.ndarray:
        return net.taps([net.logits])(tf.constant(picture[None]))[net.logits].numpy()[0]

    def test_what_needs_classes_is_left_out_without(self):
        strangers = self.networks | {"other": nets.wrapped()}
        found = self.run_of("maximization", "shape_bias", networks=strangers, steps=1)
        self.assertEqual(list(found), ["shape_bias"])
        self.assertNotIn("Other calls", found["shape_bias"])
        flat = {"flat": str(self.folder / "photo" / "dog")}
        for k in range(4):
            images.save_png(self.folder / "photo" / "dog" / f"{k}.png", nets.picture(32, seed=k))
        with self.assertRaisesRegex(InputError, "allow none"):
            comparison.run(
                self.networks, flat, ["block1_conv1"], workdir=self.folder / "flat", size=32,
                sections=("maximization", "shape_bias", "invariance"),
            )  # fmt: skip

    def test_a_vgg16_of_other_weights_is_not_the_maker(self):
        published = nets.like_vgg16()
        record = dataclasses.replace(published.record, published=True)
        published = dataclasses.replace(published, record=record)
        built = {"own": nets.like_vgg16(), "stands on it": classifier(1), "third": published}
        built["stands on it"] = dataclasses.replace(built["stands on it"], base="vgg16")
        for pair, said in (
            (("own", "stands on it"), "neither"), (("own", "third"), "one"),
        ):  # fmt: skip
            study = types.SimpleNamespace(networks=built, pair=pair)
            with mock.patch.object(network, "build", return_value=published):
                maker, words = cue_conflicts._maker(study)
            self.assertIs(maker, published)
            self.assertEqual(words, f"vgg16, which is {said} of the two")
        study = types.SimpleNamespace(networks={"own": built["own"]}, pair=("own", "own"))
        self.assertEqual(cue_conflicts._maker(study)[1], "own, which is one of the two")

    def test_pairs_are_all_pairs_of_classes(self):
        for labels, count in (
            (np.tile(np.arange(7), 20), 42), (np.array([0, 1] * 5), 42),
            (np.array([4, 9, 4, 9, 9]), 3), (np.arange(20), 42),
        ):  # fmt: skip
            found = cue_conflicts.pairs(labels, count, np.zeros(len(labels)))
            self.assertLessEqual(len(found), count)
            of = [(labels[content], labels[style]) for content, style in found]
            self.assertTrue(all(one != other for one, other in of))
            contents = [content for content, _ in found]
            classes = len(set(labels))
            if labels.size >= classes * (classes - 1):
                self.assertEqual(len(set(contents)), len(contents))
            for side in np.transpose(of):
                self.assertLessEqual(np.ptp(np.unique(side, return_counts=True)[1]), 1)
        rank = np.repeat([0, 2, 1], [70, 28, 42])
        seven = cue_conflicts.pairs(np.tile(np.arange(7), 20), 42, rank)
        self.assertLen({(content % 7, style % 7) for content, style in seven}, 42)
        # Of each class there are four of the first rank, and six are needed.
        self.assertEqual({content for content, _ in seven}, set(range(70, 112)))


if __name__ == "__main__":
    tf.test.main()
