"""Pictures in other styles: AdaIN, which styles there may be, and whose maps they change."""

import pathlib
import shutil
from unittest import mock

import numpy as np
import PIL.Image
import tensorflow as tf

from tests import nets, stripes
from tfvis import images, tables
from tfvis.classifiers import (
    adain,
    backbone,
    batches,
    datasets,
    example_images,
    feature_cache,
    near_duplicates,
    splits,
    style_pictures,
    stylised_views,
)
from tfvis.errors import InputError
from tfvis.networks import network


class AdainTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        generator = np.random.default_rng(0)
        self.maps = generator.gamma(1, 2, (3, 6, 5, 4)).astype(np.float32)
        self.mean = generator.uniform(0, 3, (3, 4)).astype(np.float32)
        self.deviation = generator.uniform(0.5, 3, (3, 4)).astype(np.float32)

    def _changed(self, strength):
        return adain.adain(self.maps, self.mean, self.deviation, np.float32(strength))

    def test_statistics_become_those_of_the_style(self):
        mean, deviation = adain.statistics(self._changed([1, 1, 1]))
        # The epsilon under the root is 1e-5, deviations are about 1.
        self.assertAllClose(mean, self.mean, atol=1e-4)
        self.assertAllClose(deviation, self.deviation, rtol=1e-4)

    def test_strength_is_a_way_between(self):
        none, half, whole = (self._changed([s] * 3).numpy() for s in (0, 0.5, 1))
        self.assertAllClose(none, self.maps)
        self.assertAllClose(half, (none + whole) / 2, atol=1e-5)
        mixed = self._changed([0, 0.5, 1])
        self.assertAllClose(mixed, [none[0], half[1], whole[2]])

    def test_a_channel_that_is_silent_stays_finite(self):
        self.maps[..., 1] = 0
        self.assertAllClose(self._changed([1, 1, 1])[..., 1], np.broadcast_to(
            self.mean[:, None, None, 1], (3, 6, 5)
        ))  # fmt: skip


class NearDuplicatesTest(tf.test.TestCase):
    def test_copies_are_found_and_others_are_not(self):
        pictures = [nets.picture(64, seed=k) for k in range(30)]
        smaller = [images.resize(picture, 40, 30) for picture in pictures]
        darker = [0.8 * picture for picture in pictures]
        ours = near_duplicates.fingerprints(pictures)
        for copies in (smaller, darker):
            found = near_duplicates.pairs(near_duplicates.fingerprints(copies), ours)
            self.assertEqual(found, [(k, k) for k in range(30)])

    def test_plain_pictures_are_like_none(self):
        plain = near_duplicates.fingerprints([np.full((20, 20, 3), v, np.float32) for v in (9, 99)])
        self.assertEqual(near_duplicates.pairs(plain, plain), [])


class StylePicturesTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.data = [stripes.folder(self.folder / name, 12, seed=k) for k, name in enumerate("ab")]
        self.parted = splits.split(datasets.read(self.data))
        self.barred = {"to be tested on": self.parted[2]}
        self.styles = self.folder / "styles"
        for k in range(3):
            images.save_png(self.styles / f"{k}.png", nets.picture(48, seed=k))

    def _checked(self):
        return style_pictures.check_apart(style_pictures.read(str(self.styles)), self.barred)

    def test_a_folder(self):
        found = self._checked()
        self.assertEqual([one.domain for one in found.examples], [-1] * 3)
        self.assertLen(found.digests(), 3)
        (self.styles / "1.png").write_bytes((self.styles / "1.png").read_bytes()[:99])
        self.assertLen(self._checked().examples, 2)
        # A training picture may well be a style.
        shutil.copy(self.parted[0].examples[0].path, self.styles / "own.png")
        self.assertLen(self._checked().examples, 3)
        for path in self.styles.iterdir():
            path.write_bytes(b"no picture")
        with self.assertRaisesRegex(InputError, "none of its 4 pictures can be read"):
            self._checked()

    def test_a_picture_of_the_test_is_refused(self):
        tested = self.parted[2].examples[0].path
        shutil.copy(tested, self.styles / "copy.png")
        said = f"copy.png is the same picture as {tested}, which is to be tested on"
        with self.assertRaisesRegex(InputError, said):
            self._checked()

    def test_a_link_to_one_is_refused_even_if_it_cannot_be_read(self):
        tested = pathlib.Path(self.parted[2].examples[0].path)
        (self.styles / "link.png").symlink_to(tested)
        tested.write_bytes(b"")
        with self.assertRaisesRegex(InputError, "link.png is the same picture as"):
            self._checked()

    def test_a_near_duplicate_is_refused(self):
        path = self.parted[2].examples[1].path
        images.save_png(path, nets.picture(32, seed=9))
        copy = self.styles / "copy.jpg"
        PIL.Image.open(path).resize((100, 90)).save(copy, quality=60)
        with self.assertRaisesRegex(InputError, f"{copy} is a near duplicate of {path}, which"):
            self._checked()

    def _clusters(self, medoid: str) -> pathlib.Path:
        """Writes what apps.styles does, with the original of its second style elsewhere."""
        out = self.folder / "clusters"
        shutil.copytree(self.styles, out / "medoids", dirs_exist_ok=True)
        train = [one.path for one in self.parted[0].examples]
        tables.write(
            out / "styles.csv",
            ("path", "cluster", "distance_to_medoid", "medoid"),
            [(train[0], 0, "0", 1), (train[1], 0, "0.5", 0), (medoid, 1, "0", 1),
             (self.parted[2].examples[0].path, -1, None, 0)],
        )  # fmt: skip
        return out

    def test_the_medoids_of_clusters(self):
        train = [one.path for one in self.parted[0].examples]
        self.styles = self._clusters(train[5])
        found = self._checked()
        self.assertLen(found.examples, 3)
        self.assertEqual(found.origins, (train[0], train[5]))
        self.assertLen(found.among, 4)
        # Both the medoids' files and what they were made of have been seen.
        self.assertContainsSubset([splits.digest(path) for path in found.origins], found.digests())
        self.assertLen(found.digests(), 5)
        shutil.rmtree(self.styles / "medoids")
        with self.assertRaisesRegex(InputError, "no style was found there"):
            self._checked()

    def test_a_medoid_of_the_test_is_refused(self):
        tested = self.parted[2].examples[1].path
        self.styles = self._clusters(tested)
        with self.assertRaisesRegex(InputError, f"{tested} is the same picture as {tested}"):
            self._checked()

    def test_sources_lend_training_pictures_alone(self):
        train = self.parted[0]
        found = style_pictures.of_sources(train, (), 0)
        self.assertContainsSubset(found.examples, train.examples)
        self.assertEqual({one.domain for one in found.examples}, {0, 1})
        with mock.patch.object(style_pictures, "_MOST", 3):
            some = style_pictures.of_sources(train, (), 0)
            self.assertEqual([one.domain for one in some.examples], [0] * 3 + [1] * 3)
            self.assertNotEqual(some, style_pictures.of_sources(train, (), 1))
        # A copy of a picture of the test lends nothing, though it is learnt from.
        twin = splits.digest(train.examples[0].path)
        fewer = style_pictures.of_sources(train, [twin], 0)
        self.assertNotIn(twin, fewer.digests())
        self.assertLen(fewer.examples, len(found.examples) - 1)
        one = splits.split(datasets.read(self.data[:1]))[0]
        with self.assertRaisesRegex(InputError, "sources: styles are lent .* two or more in data"):
            style_pictures.of_sources(one, (), 0)


class StylisedViewsTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.cache = self.folder / "cache"
        self.data = [stripes.folder(self.folder / name, 6, seed=k) for k, name in enumerate("ab")]
        self.dataset = datasets.read(self.data)
        self.train = splits.split(self.dataset, shares=(0.5, 0.25, 0.25))[0]
        self.parts = backbone.split(network.wrap(stripes.residual()), "block1")
        self.recipe = feature_cache.Recipe(32, 2)
        self.styles = style_pictures.of_sources(self.train, (), 0)
        self.layer = "stem"
        self.enter_context(mock.patch.object(feature_cache, "_CHUNK", 2))

    def _styling(self, **changes):
        given = {"styles": self.styles, "layer": self.layer, "recipe": self.recipe, "copies": 2}
        given |= changes
        return stylised_views.Styling(self.parts, folder=self.cache, **given)

    def _features(self, styling):
        return feature_cache.features(
            self.parts, self.train, self.recipe, self.cache, styling=styling
        )

    def test_where_styles_are_changed(self):
        vgg = backbone.split(nets.like_vgg16(), "block3_pool")
        self.assertEqual(stylised_views.layer_for(vgg), "block2_pool")
        self.assertEqual(stylised_views.layer_for(vgg, "block1_conv2"), "block1_conv2")
        for wrong in ("block4_conv1", "gap", "x"):
            with self.assertRaisesRegex(InputError, f"style_layer={wrong}: no layer of vgg16"):
                stylised_views.layer_for(vgg, wrong)
        # Where no map is so coarse, the last.
        self.assertEqual(stylised_views.layer_for(self.parts), "block1")
        # `inner1` is on one of two ways.
        with self.assertRaisesRegex(InputError, "style_layer=inner1: no layer"):
            stylised_views.layer_for(self.parts, "inner1")
        first = next(p for p in self.parts.network.paths if p.startswith("rescaling"))
        whole = backbone.split(self.parts.network, first)
        with self.assertRaisesRegex(InputError, "no layer of residual with weights is frozen"):
            stylised_views.layer_for(whole)

    def test_maps_are_those_of_the_trunk_with_other_statistics(self):
        """Against the network with AdaIN in its graph, by hand."""
        styling = self._styling()
        pictures = np.stack([nets.picture(32, seed=k) for k in (20, 21)])
        found = styling.maps(pictures, 1, 4, 0)
        numbers, strengths = styling.draw(1, 4, 2, 0)
        taps = self.parts.network.taps([self.layer])
        rest = stylised_views.keras.Model(
            self.parts.network.graph.tensors[self.layer],
            self.parts.network.graph.tensors[self.parts.cut],
        )
        for k in range(2):
            content, style = (
                taps(tf.constant(pixels[None]))[self.layer].numpy()[0]
                for pixels in (pictures[k], example_images.load(
                    self.styles.examples[numbers[k]], 32
                ))
            )  # fmt: skip
            over = {"axis": (0, 1)}
            whole = (content - content.mean(**over)) / np.sqrt(content.var(**over) + 1e-5)
            whole = whole * np.sqrt(style.var(**over) + 1e-5) + style.mean(**over)
            mixed = (1 - strengths[k]) * content + strengths[k] * whole
            expected = rest(np.float32(mixed[None]))[0]
            # Half precision: 11 bits.
            self.assertAllClose(found[k], expected, rtol=2e-3, atol=2e-3)
            self.assertEqual(found[k].dtype, np.float16)

    def test_no_source_lends_to_itself(self):
        styling = self._styling()
        domains = np.array([one.domain for one in self.styles.examples])
        for domain in (0, 1):
            numbers, strengths = styling.draw(0, 0, 200, domain)
            self.assertEqual(set(domains[numbers]), {1 - domain})
            self.assertAllInRange(strengths, 0.5, 1.0)
            self.assertGreater(np.ptp(strengths), 0.4)
            self.assertAllEqual(styling.draw(0, 0, 200, domain)[0], numbers)
            self.assertNotAllEqual(styling.draw(1, 0, 200, domain)[0], numbers)

    def test_training_pictures_alone_have_stylised_views(self):
        found = feature_cache.features(self.parts, self.dataset, self.recipe, self.cache)
        chosen = batches.numbers(self.dataset, found, self.train)
        styled = self._features(self._styling())
        whole = stylised_views.joined(found, chosen, styled)
        self.assertEqual((found.views, whole.views), (2, 4))
        self.assertNotEqual(whole.digest, found.digest)
        for view in range(2):
            views = np.full(len(chosen), view)
            self.assertAllEqual(whole.gather(chosen, views), found.gather(chosen, views))
            theirs = styled.gather(np.arange(len(chosen)), views)
            ours = whole.gather(chosen, views + 2)
            self.assertAllEqual(ours, theirs)
            self.assertNotAllClose(ours, found.gather(chosen, views), rtol=0.05)
        others = sorted(set(range(len(self.dataset.examples))) - set(chosen.tolist()))
        self.assertNotEmpty(others)
        for number in others:
            whole.gather(np.array([number]), np.array([1]))
            with self.assertRaisesRegex(IndexError, "no stylised view"):
                whole.gather(np.array([number]), np.array([2]))

    def test_stopped_anywhere_it_goes_on_alike_and_is_found_again(self):
        whole = [np.array(a) for s in self._features(self._styling()).arrays for a in s]
        shutil.rmtree(self.cache)
        plain, left = example_images.load, [0]

        def load(*given):
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt
            return plain(*given)

        with mock.patch.object(example_images, "load", load):
            for stop in (3, 13, 9, 5):
                left[0] = stop
                with self.assertRaises(KeyboardInterrupt):
                    self._features(self._styling())
        self._features(self._styling())
        with mock.patch.object(example_images, "load", side_effect=AssertionError):
            again = [np.array(a) for s in self._features(self._styling()).arrays for a in s]
        for ours, theirs in zip(whole, again, strict=True):
            self.assertAllEqual(ours, theirs)

    def test_other_styles_are_another_cache(self):
        seen = {self._styling().digest}
        fewer = style_pictures.Styles("x", self.styles.examples[1:])
        smaller = feature_cache.Recipe(16, 2)
        for change in ({"styles": fewer}, {"layer": "block1"}, {"recipe": smaller}):
            digest = self._styling(**change).digest
            self.assertNotIn(digest, seen)
            seen.add(digest)
        # Their names are no part of it, their bytes are.
        renamed = style_pictures.Styles("y", self.styles.examples)
        self.assertIn(self._styling(styles=renamed).digest, seen)
        images.save_png(self.styles.examples[0].path, nets.picture(32))
        self.assertNotIn(self._styling().digest, seen)

    def test_damaged_statistics_are_computed_again(self):
        first = self._styling()
        path = self.cache / f"styles{first.digest}.npz"
        for damage in (b"", b"x" * 99, path.read_bytes()[:200]):
            path.write_bytes(damage)
            self.assertAllEqual(self._styling()._mean, first._mean)


if __name__ == "__main__":
    tf.test.main()
