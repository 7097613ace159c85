"""Two networks compared, called as from a notebook, where they or the pictures fit badly."""

import dataclasses
import hashlib
import json
import pathlib
import re
from unittest import mock

import keras
import numpy as np
import scipy.stats
import tensorflow as tf

from tests import nets
from tfvis import images, tables
from tfvis.classifiers import augmentation, learnt_pictures
from tfvis.comparison import unit_matching
from tfvis.errors import InputError
from tfvis.experiments import comparison, comparison_extent, comparison_pictures
from tfvis.networks import network
from tfvis.networks.preprocessing import contracts


def fixed(height: int, width: int) -> network.Network:
    """Takes pictures of one size, which is no square."""
    keras.utils.set_random_seed(3)
    inputs = keras.Input((height, width, 3))
    conv = keras.layers.Conv2D(8, 3, padding="same", activation="relu", name="block1_conv1")
    return network.wrap(keras.Model(inputs, conv(inputs)), "fixed", contracts.named("tf"))


def chain(depth: int) -> keras.Model:
    """Convolutions one after another, conv0 the first."""
    keras.utils.set_random_seed(depth)
    inputs = x = keras.Input((None, None, 3))
    for k in range(depth):
        x = keras.layers.Conv2D(4, 3, padding="same", activation="relu", name=f"conv{k}")(x)
    return keras.Model(inputs, x)


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
        self.run_of(fixed(16, 16), self.places(), "block1_conv1", "inversion", "alignment")
        errors = [float(error) for error in self.column("inversion", "error in the other")]
        self.assertLen(errors, 2)
        self.assertTrue(np.isfinite(errors).all())
        # Both at that size: the picture is the same to both.
        found = sorted((self.folder / "out" / "inversion").rglob("preimage_0.png"))
        self.assertEqual([images.read(path).pixels.shape for path in found], [(16, 16, 3)] * 2)

    def test_a_network_of_a_shape_that_is_no_square(self):
        places = self.places()
        found = comparison_pictures.chosen(places, (16, 20), 5, 0)
        for path, shown in zip(found.paths["photo"], found.pixels["photo"], strict=True):
            expected = images.fitted(images.read(path).pixels, 16, 20, 3)
            self.assertAllEqual(shown, images.quantize(expected))
        done = self.run_of(fixed(16, 20), places, "block1_conv1", "inversion", "alignment")
        self.assertEqual(list(done), ["alignment", "inversion"])
        # Both are shown the same middle, at that size.
        made = sorted((self.folder / "out" / "inversion").rglob("preimage_0.png"))
        self.assertEqual([images.read(path).pixels.shape for path in made], [(16, 20, 3)] * 2)
        page = (self.folder / "out" / "index.html").read_text()
        self.assertIn("of each picture the middle, 16 x 20 px", page)
        # Of pictures at their own sizes, as those of units are.
        self.assertIn("unit_pictures", self.run_of(fixed(16, 20), places, "block1_conv1",
                                                   "unit_pictures"))  # fmt: skip
        with self.assertRaisesRegex(InputError, "unlike shapes .one 16 x 16 px, other 16 x 20 px"):
            comparison.run({"one": fixed(16, 16), "other": fixed(16, 20)}, places,
                           workdir=self.folder / "unlike")  # fmt: skip

    def test_layers_of_other_depths_that_are_called_alike(self):
        other = network.wrap(chain(4), "other", contracts.named("tf"))
        one = network.wrap(chain(2), "one", contracts.named("tf"))
        comparison.run(
            {"one": one, "other": other}, self.places(), workdir=self.folder / "out",
            sections=["inversion", "caricature", "alignment"], steps=1, size=16,
        )  # fmt: skip
        # The last of the one stands beside the last of the other, not beside its namesake.
        expected = [("one", "conv0"), ("one", "conv1"), ("other", "conv2"), ("other", "conv3")]
        for section in ("inversion", "caricature"):
            rows = zip(self.column(section, "network"), self.column(section, "layer"), strict=True)
            self.assertEqual(list(rows), expected)

    def test_pictures_and_their_line_drawings_as_scipy_says(self):
        other = network.wrap(nets.small(seed=1), "other", contracts.named("tf"))
        asked = (other, self.places(each=8), "block1_conv1", "line_drawings")
        more = {"size": 12, "precision": "float32"}
        said = self.run_of(*asked, **more)["line_drawings"]
        self.assertIn("one, photo and its own line drawings agree by", said)
        pictures = [images.read(path).pixels for path in sorted((self.folder / "photo").glob("*"))]
        outlines = [augmentation.lines(one, 1.0, 0.06).round() for one in pictures]
        taps = nets.wrapped().taps(["block1_conv1"], "float32")

        def unlike(shown):
            answers = taps(tf.constant(np.stack(shown), tf.float32))["block1_conv1"]
            return 1 - np.corrcoef(np.reshape(answers, (8, -1)))[np.triu_indices(8, 1)]

        expected = scipy.stats.spearmanr(unlike(pictures), unlike(outlines))[0]
        values = [float(one) for one in self.column("line_drawings", "photo and its line drawings")]
        # Six digits are in the table; ranks of 28 pairs do not turn by rounding.
        self.assertAllClose(values[0], expected, atol=1e-5)
        # Going on, nothing is looked at again.
        kept = {p: p.stat().st_mtime_ns for p in (self.folder / "out").rglob("line_drawings/*/*/*")}
        self.assertNotEmpty(kept)
        self.run_of(*asked, **more)
        self.assertEqual({path: path.stat().st_mtime_ns for path in kept}, kept)

    def test_sections_of_other_steps_do_not_stay_beside_each_other(self):
        asked = ({"one": nets.wrapped(), "other": nets.wrapped()}, self.places(), ["block1_conv1"])

        def kept(section, steps):
            comparison.run(*asked, workdir=self.folder / "out", sections=[section], steps=steps,
                           size=12)  # fmt: skip
            return {path.stem for path in (self.folder / "out").glob("*.csv")}

        self.assertEqual(kept("alignment", 1), {"alignment"})
        self.assertEqual(kept("caricature", 1), {"alignment", "caricature"})
        self.assertEqual(kept("alignment", 2), {"alignment"})

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

    def test_what_a_network_has_learnt_from_is_left_out(self):
        places = self.places(("photo", "drawn"), ("circle", "square"), each=8)
        photos = sorted((self.folder / "photo").rglob("*.png"))
        # Of one class a half, of the other one picture; wherever they lay when they were learnt.
        learnt = [photos[k] for k in (0, 2, 4, 6, 9)]
        digests = [hashlib.sha256(path.read_bytes()).hexdigest()[:12] for path in learnt]
        trained = nets.checkpoint(self.folder / "trained")
        description = trained / "classifier.json"
        said = json.loads(description.read_text())
        said["about"]["learnt_from"] = [*digests, "0123456789ab"]
        description.write_text(json.dumps(said))
        built = {
            "trained": network.build(str(trained)),
            "other": network.build("vgg16", weights="random"),
        }
        found = {label: learnt_pictures.learnt_from(one) for label, one in built.items()}
        self.assertEqual(found["trained"].digests, {*digests, "0123456789ab"})
        # What its trunk, a file, has learnt from is not told.
        self.assertFalse(found["trained"].complete)
        self.assertEqual(found["other"], learnt_pictures.Learnt(frozenset(), True))
        # Nor does a file of weights tell it, but for the published ones.
        for published in (None, False, True):
            record = dataclasses.replace(
                built["other"].record, source="file own.h5", published=published
            )
            own = dataclasses.replace(built["other"], record=record)
            self.assertEqual(learnt_pictures.learnt_from(own).complete, bool(published))
        pictures = comparison_pictures.chosen(places, 12, 16, 0, found)
        self.assertEqual(pictures.count, 8)  # The rarest class decides: four are left of it.
        self.assertEmpty(set(pictures.paths["photo"]) & set(map(str, learnt)))
        self.assertLen(set(pictures.paths["photo"]), 8)
        self.assertEqual(
            pictures.told,
            (
                "Of photo, 5 of 16 pictures are left out: trained learnt from them.",
                "None of the 16 pictures of drawn was learnt from by trained.",
                "What trained learnt from is not known: it may be among these pictures, and "
                "numbers on those are no test.",
            ),
        )
        everything = {hashlib.sha256(path.read_bytes()).hexdigest()[:12] for path in photos[:8]}
        all_of_one = {"one": learnt_pictures.Learnt(frozenset(everything), True)}
        with self.assertRaisesRegex(InputError, "0 pictures .*rarest class.* 8 of 16 pictures"):
            comparison_pictures.chosen(places, 12, 16, 0, all_of_one)

    def test_what_is_said_of_learnt_pictures(self):
        for about, expected in (
            ({}, ([], False)), ({"learnt_from": "ab"}, ([], False)),
            ({"learnt_from": ["ab"]}, (["ab"], True)),
            ({"learnt_from": ["ab"], "learnt_from_complete": False}, (["ab"], False)),
        ):  # fmt: skip
            self.assertEqual(learnt_pictures.told(about), expected)

    def test_classes_that_one_domain_lacks(self):
        places = self.places(("photo",), ("dog", "house")) | self.places(("drawn",))
        with mock.patch("tfvis.experiments.messages.note") as note:
            found = comparison_pictures.chosen(places, 12, 5, 0)
        self.assertEqual(found.classes, ())
        self.assertIn("drawn has no folders of classes", note.call_args_list[0].args[0])

    def test_fewer_pictures_than_classes(self):
        classes = ("a", "b", "c", "d", "e")
        built = {
            name: dataclasses.replace(
                network.wrap(nets.small(seed=k), name, contracts.named("tf")), classes=classes
            )
            for k, name in enumerate(("one", "other"))
        }
        out = self.folder / "out"
        comparison.run(
            built, self.places(("photo", "drawn"), classes, each=1), ["block1_conv1"],
            workdir=out, sections=("accuracy", "preferences"), count=4, size=16,
        )  # fmt: skip
        # Of the fifth nothing is known, and what is known of the others stays so.
        rows = tables.read(out / "accuracy.csv", "table", ("class",))[1]
        found = {row["pictures"]: row["accuracy"] for row in rows if row["class"] == "e"}
        self.assertEqual(found, {"0": ""})
        self.assertNotIn("", self.column("preferences", "class selectivity"))

    def test_sections_stay_on_the_page_until_what_is_compared_is_another(self):
        out, places = self.folder / "out", self.places()

        def headings():
            return re.findall("<h2>(.*)</h2>", (out / "index.html").read_text())

        self.run_of(nets.wrapped(), places, "block1_conv1", "units", size=12)
        self.run_of(nets.wrapped(), places, "block1_conv1", "alignment", size=12)
        self.assertEqual(headings(), ["Do they represent alike?", "Unit by unit"])
        found = json.loads((out / "manifest.json").read_text())["found"]
        self.assertEqual(list(found), ["alignment", "units"])
        # Every file that the page shows is there, and no other figure.
        shown = set(re.findall('src="(.*?)"', (out / "index.html").read_text()))
        self.assertEqual(shown, {f"figures/{one.name}" for one in (out / "figures").iterdir()})
        # Other pictures: what is of those before goes.
        self.run_of(nets.wrapped(), places, "block1_conv1", "alignment", size=16)
        self.assertEqual(headings(), ["Do they represent alike?"])
        self.assertFalse((out / "units.csv").exists())
        self.assertEmpty(list((out / "figures").glob("units*")))
        # A section whose table was taken away is none.
        (out / "alignment.csv").unlink()
        self.run_of(nets.wrapped(), places, "block1_conv1", "units", size=16)
        self.assertEqual(headings(), ["Unit by unit"])

    def test_units_that_both_have_and_units_of_one_alone(self):
        keras.utils.set_random_seed(5)
        one = keras.Sequential([
            keras.Input((None, None, 3)),
            keras.layers.Conv2D(6, 3, padding="same", activation="relu", name="block1_conv1"),
        ])  # fmt: skip
        other = keras.models.clone_model(one)
        kernel, bias = one.layers[0].get_weights()
        # Units 0, 1, 2 are the other's 2, 0, 1; its 3 is silent, and 4 and 5 are its own.
        bias[:3] = 0.5
        turned, shifts = kernel.copy(), bias.copy()
        turned[..., [2, 0, 1]], shifts[[2, 0, 1]] = kernel[..., :3], bias[:3]
        turned[..., 3], shifts[3] = 0, -1
        turned[..., 4], turned[..., 5] = -kernel[..., 0], -kernel[..., 1]
        shifts[4:] = 5
        one.layers[0].set_weights([kernel, bias])
        other.layers[0].set_weights([turned, shifts])
        built = {
            name: network.wrap(model, name, contracts.named("tf"))
            for name, model in (("one", one), ("other", other))
        }
        quick = dataclasses.replace(comparison_extent.QUICK, units=3)
        with mock.patch.object(comparison_extent, "QUICK", quick):
            comparison.run(
                built, self.places(("photo", "drawn"), each=6), ["block1_conv1"], quick=True,
                workdir=self.folder / "out", sections=("unit_pictures",), steps=4, size=16,
            )  # fmt: skip
        _, rows = tables.read(self.folder / "out" / "unit_pictures.csv", "table", ("which",))
        rows = [(r["which"], r["unit of one"], r["unit of other"], r["r"]) for r in rows]
        alike = [row for row in rows if row[0] == "most alike units"]
        self.assertEqual({row[1:3] for row in alike}, {("0", "2"), ("1", "0"), ("2", "1")})
        self.assertAllClose([float(row[3]) for row in alike], [1.0] * 3, atol=1e-6)
        # Of those that one has not, none is silent.
        least = [row for row in rows if row[0] == "units of other that the other has least"]
        self.assertLen(least, 2)
        self.assertEqual({row[2] for row in least}, {"4", "5"})
        # A unit and its copy answer each other's picture as their own.
        crossed = self.column("unit_pictures", "one: partner's picture, x own")[:3]
        self.assertAllClose([float(value) for value in crossed], [1.0] * 3, atol=1e-3)
        figures = sorted((self.folder / "out" / "figures").iterdir())
        self.assertLen(figures, 3)
        # Three rows of both networks: a picture, and patches of two domains.
        self.assertGreater(images.read(figures[0]).pixels.shape[1], 6 * 3 * 62)

    def test_units_that_hardly_ever_answer_are_not_matched(self):
        answers = np.zeros((2000, 4))
        answers[0, 0] = answers[:12, 1] = answers[:20, 2] = 1
        answers[:, 3] = np.linspace(-1, 1, 2000)
        # One in a hundred is twenty of these.
        found = unit_matching.seldom(answers)
        self.assertAllEqual(found, [True, True, False, False])
        self.assertAllEqual(unit_matching.seldom(answers[:500])[:2], [True, False])

    def test_batches_of_other_classes_are_no_ceiling(self):
        classes = tuple(f"class {k}" for k in range(30))
        places = self.places(("photo", "drawn"), classes, each=2)
        self.run_of(nets.wrapped(), places, "block1_conv1", "depiction", size=12)
        self.assertEqual(self.column("depiction", "photo and other photo"), ["", ""])


if __name__ == "__main__":
    tf.test.main()
