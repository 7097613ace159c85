"""What the library returns to a notebook: results, at once, of whatever is right."""

import io

import numpy as np
import PIL.Image
import tensorflow as tf
from absl.testing import parameterized

import tfvis
from tests import nets
from tfvis import activation_statistics, images, objectives, preimages
from tfvis.errors import InputError
from tfvis.preimages import activation_maximization, inversion

_LAYER = "block2_conv1"


class ResultTest(tf.test.TestCase, parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.net = nets.wrapped()
        self.image = nets.picture(16)
        self.folder = self.create_tempdir().full_path

    def test_an_inversion_is_what_its_steps_come_to(self):
        seen = []
        found = tfvis.invert(
            self.net, self.image, _LAYER, seeds=(3, 4), recipe="published", steps=22, fine_steps=5,
            callback=seen.append,
        )  # fmt: skip
        *_, last = inversion.iterate(
            self.net, self.image, _LAYER, seeds=(3, 4), settings=found.settings
        )
        self.assertAllEqual(found.images, last.kept.clip(0, 255))
        self.assertAllEqual(found.image, found.images[0])
        self.assertRegex(repr(seen[-1]), r"^<Progress: block2_conv1, 27 of 27 steps, energy .* s>$")
        self.assertEqual([progress.snapshot.done for progress in seen], [10, 20, 22, 27])
        self.assertEqual(found.history["objective"].shape, (27, 2))
        self.assertAllClose(
            found.history["energy"], sum(found.history[n] for n in ("objective", "alpha", "tv"))
        )
        # The paper's number is that of the file.
        found.save(f"{self.folder}/a.png")
        for k in range(2):
            stored = images.read(f"{self.folder}/a_{k}.png").pixels
            phi, phi0 = (
                preimages.features(self.net, _LAYER, x[None]) for x in (stored, self.image)
            )
            self.assertAllClose(found.relative_errors[k], objectives.relative_error(phi, phi0)[0])
        self.assertEqual(found.relative_error, found.relative_errors[0])
        self.assertRegex(
            repr(found), r"^<InversionResult: small block2_conv1, 2 x 16 x 16 px, .*>$"
        )
        self.assertEqual(PIL.Image.open(io.BytesIO(found._repr_png_())).size, (36, 16))
        with self.assertRaises((AttributeError, ValueError)):
            found.image[0] = 0
        with self.assertRaisesRegex(InputError, "PNG"):
            found.save(f"{self.folder}/a.jpg")

    def test_a_caricature_answers_more(self):
        found = tfvis.caricature(self.net, self.image.astype(np.uint8), _LAYER, steps=20)
        self.assertGreater(found.exaggeration, 1.1)
        self.assertIn("x as much", repr(found))

    @parameterized.parameters(
        ("^image: .*height, width, 3", {"image": np.zeros((2, 16, 16, 3), np.float32)}),
        ("^image: .*multiply by 255", {"image": nets.picture(16) / 255}),
        ("^image: .*0 to 255", {"image": nets.picture(16) * 2}),
        ("^image: .*nan", {"image": np.full((16, 16, 3), np.nan)}),
        ("^image=photo.jpg: .*tfvis.load", {"image": "photo.jpg"}),
        ("no layer 'blok2'", {"layer": "blok2"}),
        ("^step: no constant of Inversion. Nearest: steps", {"step": 3}),
        ("^seeds=0.5", {"seeds": 0.5}),
        ("nothing spatial", {"layer": "gap"}),
    )
    def test_wrong_arguments_are_refused_before_it_begins(self, words, given):
        called = []
        given = {"image": self.image, "layer": _LAYER} | given
        with self.assertRaisesRegex(InputError, words):
            tfvis.invert(self.net, callback=called.append, **given)
        self.assertEmpty(called)

    def test_a_picture_is_whole_or_cut(self):
        path = f"{self.folder}/wide.png"
        images.save_png(path, nets.oblong(60, 120))
        for (size, crop), shape in {
            (None, None): (60, 120),
            (64, None): (45, 91),
            ((20, 30), None): (20, 30),
            (24, "center"): (24, 24),
            (None, "left"): (60, 60),
            (24, "none"): (24, 24),
        }.items():
            self.assertEqual(tfvis.load(path, size, crop).shape, (*shape, 3))
        # Nothing is squeezed: what has the shape that is asked for is cut and no more.
        whole = tfvis.load(path)
        self.assertAllEqual(tfvis.load(path, (20, 40), "left"), images.resize(whole, 20, 40))
        tall = images.resize(whole[:, 45:75], 40, 20)
        self.assertAllEqual(tfvis.load(path, (40, 20), "center"), tall)
        with self.assertRaisesRegex(InputError, "size=0"):
            tfvis.load(path, 0)

    def test_public_names_are_there(self):
        for name in dir(tfvis):
            self.assertIsNotNone(getattr(tfvis, name))


class MaximizeTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.net = nets.wrapped()

    def test_a_name_is_weighed_as_the_app_weighs_it(self):
        settings = preimages.Maximization(steps=12)
        found = tfvis.maximize(self.net, f"{_LAYER}:2-3", size=24, seeds=(5, 6), settings=settings)
        self.assertEqual(found.images.shape, (4, 24, 24, 3))
        pictures = enumerate(activation_statistics.demo_pictures(self.net))
        largest = activation_statistics.measured(self.net, [_LAYER], pictures)[_LAYER].largest
        most = activation_statistics.floored(largest, _LAYER)[[2, 2, 3, 3]]
        bare = activation_maximization.unit(self.net, _LAYER, (2, 2, 3, 3), (24, 24))
        weighted = activation_maximization.normalized(self.net, bare, _LAYER, (24, 24), most)
        *_, last = activation_maximization.iterate(
            self.net, weighted, size=(24, 24), seeds=(5, 6, 5, 6), settings=found.settings
        )
        self.assertAllEqual(found.images, last.kept.clip(0, 255))
        answers = bare(self.net.taps([_LAYER])(tf.constant(np.rint(found.images)))).numpy()
        self.assertAllClose(found.activations, answers)
        self.assertAllClose(found.activation_ratios, answers / largest[[2, 2, 3, 3]])
        self.assertIn("x the largest of 2 photographs", repr(found))
        # The same through the objective of one unit.
        one = tfvis.unit(self.net, f"{_LAYER}:2", size=(24, 24))
        alone = tfvis.maximize(self.net, one, size=24, seeds=5, settings=settings)
        self.assertIsNone(alone.activation_ratio)
        # A batch of small images rounds in another order.
        self.assertAllClose(alone.image, found.image, atol=0.5)

    def test_more_strength_raises_more(self):
        ratios = [
            tfvis.maximize(
                self.net, f"{_LAYER}:4", size=16, steps=40, parameterization="pixels", strength=c
            ).activation_ratio
            for c in (10.0, 1e4)
        ]
        self.assertGreater(ratios[1], 2 * ratios[0])

    def test_classes_and_references_of_ones_own(self):
        references = [nets.picture(16, seed=k) for k in range(3)]
        found = tfvis.maximize(self.net, "logit:3", size=16, references=references, steps=3)
        scores = self.net.taps(["logits"])(tf.constant(np.stack(references)))["logits"]
        most = scores.numpy().max(0)[3]
        self.assertEqual(found.photographs, 3)
        self.assertAllClose(found.activation_ratio, found.activation / most, rtol=1e-4)

    def test_what_cannot_be_asked(self):
        unit = objectives.neuron(_LAYER, 2)
        for words, attempt in {
            "channels": lambda: tfvis.maximize(self.net, f"{_LAYER}:99"),
            "one layer": lambda: tfvis.maximize(self.net, f"{_LAYER}:1,block1_conv1:1"),
            "outside the map": lambda: tfvis.maximize(self.net, f"{_LAYER}:1@9x9", size=16),
            "^strength: ": lambda: tfvis.maximize(self.net, unit, strength=1.0),
            "^references: ": lambda: tfvis.maximize(self.net, unit, references=[]),
            "^size=": lambda: tfvis.maximize(self.net, unit, size=0),
            "^objective=3": lambda: tfvis.maximize(self.net, 3),
            "too many": lambda: tfvis.maximize(self.net, f"{_LAYER}:1", seeds=range(65), size=16),
        }.items():
            with self.subTest(words), self.assertRaisesRegex(InputError, words):
                attempt()


class StyleTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.net = nets.wrapped()
        self.content, self.style = nets.oblong(32, 40), nets.oblong(36, 32, seed=1)
        self.layers = {"content_layers": ("block2_conv1",), "style_layers": ("block1_conv1",)}

    def test_arrays_are_a_scene(self):
        options = {"ratio": 50.0, "evaluations": 12, **self.layers}
        found = tfvis.stylize(self.net, self.content, self.style, **options)
        self.assertEqual(found.image.shape, (32, 40, 3))
        self.assertEqual(found.settings.ratio, 50.0)
        scene = tfvis.Scene(self.content, (self.style,))
        self.assertAllEqual(tfvis.stylize(self.net, scene, **options).image, found.image)
        self.assertGreater(found.measures["style"], 0)
        two = tfvis.stylize(
            self.net, self.content, [self.style, self.content], style_weights=(0.7, 0.3), **options
        )
        self.assertNotAllClose(two.image, found.image, atol=0.1)

    def test_other_networks_have_layers_of_like_depths(self):
        found = tfvis.stylize(self.net, self.content, self.style, evaluations=1)
        self.assertEqual(found.settings.style_layers, ("block1_conv1", "block2_conv1"))
        with self.assertRaisesRegex(InputError, "no layer 'block4_conv2'"):
            tfvis.stylize(self.net, self.content, self.style, content_layers=("block4_conv2",))

    def test_texture_and_reconstruction(self):
        found = tfvis.texture(self.net, self.style, size=64, tileable=True, evaluations=2)
        self.assertEqual(found.image.shape, (64, 64, 3))
        found = tfvis.reconstruct(
            self.net, self.content, content_layers="block2_conv1", evaluations=2
        )
        self.assertEqual((found.image.shape, found.settings.recipe), ((32, 40, 3), "gatys"))

    def test_what_cannot_be_asked(self):
        flat = np.full((32, 32, 3), 90, np.uint8)
        for words, attempt in {
            "^style: .*None": lambda: tfvis.stylize(self.net, self.content),
            "^style: .*one colour": lambda: tfvis.stylize(self.net, self.content, flat),
            "^style_weights": lambda: tfvis.stylize(
                self.net, self.content, self.style, style_weights=(1, 2)
            ),
            "^size=.*multiples": lambda: tfvis.texture(self.net, self.style, tileable=True),
            "of one of the two": lambda: tfvis.reconstruct(self.net, self.content),
            "ratio=0": lambda: tfvis.stylize(self.net, self.content, self.style, ratio=0),
        }.items():
            with self.subTest(words), self.assertRaisesRegex(InputError, words):
                attempt()


if __name__ == "__main__":
    tf.test.main()
