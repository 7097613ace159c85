"""Pre-images and styles on Caffe networks: normalisation, groups, poolings that round up."""

import functools

import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from tests import caffe_trunks, nets
from tests.caffe_nets import layer, pool
from tfvis import objectives, preimages
from tfvis.errors import InputError
from tfvis.networks import pooling
from tfvis.preimages import activation_maximization, caricatures, inversion
from tfvis.style import losses, metrics, targets, tiling, transfer


class StrideTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters(
        # Products of the strides of the papers' tables.
        ("vgg_cnn_s", {"conv1": 2, "pool1": 6, "conv2": 6, "pool2": 12, "conv5": 12, "pool5": 36}),
        ("vgg_cnn_m", {"conv1": 2, "pool1": 4, "conv2": 8, "pool2": 16, "conv5": 16, "pool5": 32}),
        ("caffenet", {"conv1": 4, "pool1": 8, "norm1": 8, "conv2": 8, "conv5": 16, "pool5": 32}),
        ("illustration2vec", {"pool1": 2, "conv3_1": 4, "pool5": 32, "conv6_4": 32}),
    )
    def test_strides(self, name, strides):
        net = caffe_trunks.named(name)
        self.assertEqual({layer: net.stride(layer) for layer in strides}, strides)

    def test_a_fixed_size_has_the_same_strides(self):
        # 227 / 13 and 227 / 6 px would round to 17 and 38.
        free, whole = caffe_trunks.named("caffenet"), caffe_trunks.named("caffenet", True)
        for layer_ in free.paths:
            self.assertEqual(whole.stride(layer_), free.stride(layer_), layer_)
        self.assertEqual(whole.stride("fc6"), 1)

    def test_jitter_and_weights_follow(self):
        expected = {
            # Jitter, C of an inversion, W of a caricature.
            ("vgg_cnn_s", "pool1"): (2, 200.0, 30.0),
            ("vgg_cnn_s", "relu5"): (3, 100.0, 15.0),
            ("vgg_cnn_s", "pool5"): (9, 100.0, 3.0),
            ("caffenet", "conv1"): (1, 500.0, 30.0),
            ("caffenet", "norm1"): (2, 200.0, 15.0),
            ("caffenet", "conv5"): (4, 100.0, 3.0),
        }
        for (name, layer_), (jitter, strength, weight) in expected.items():
            net, size = caffe_trunks.named(name), (131, 131)
            found = inversion.published(net, layer_, size, preimages.Inversion(recipe="published"))
            self.assertEqual((found.jitter, found.strength), (jitter, strength), (name, layer_))
            found = caricatures.published(
                net, layer_, size, preimages.Caricature(recipe="published")
            )
            self.assertEqual((found.jitter, found.strength), (jitter, weight), (name, layer_))
        # A vector is as the last map before it.
        net = caffe_trunks.named("caffenet", True)
        for layer_ in ("fc6", "relu7", "fc8"):
            found = inversion.published(
                net, layer_, (227, 227), preimages.Inversion(recipe="published")
            )
            self.assertEqual((found.jitter, found.strength), (8, 100.0))


class RecipesTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters(*caffe_trunks.DEEP)
    def test_the_slope_is_that_of_the_energy(self, name):
        net, (deep, size) = caffe_trunks.named(name), caffe_trunks.DEEP[name]
        image = tf.constant(nets.picture(size)[None])
        taps = net.taps([deep])
        target = taps(tf.constant(nets.picture(size, seed=1)[None]))[deep]
        distance = objectives.feature_distance(deep, target)

        @tf.function
        def energy(x):
            with tf.GradientTape() as tape:
                tape.watch(x)
                value = distance(taps(x))[0]
            return value, tape.gradient(value, x)

        _, slope = energy(image)
        length = float(tf.norm(slope))
        ahead, behind = (energy(image + side * slope / length)[0] for side in (0.5, -0.5))
        # ReLUs and poolings have kinks, which a step of half a grey level crosses some of.
        self.assertAllClose(ahead - behind, length, rtol=0.05)

    @parameterized.parameters(*caffe_trunks.DEEP)
    def test_preimages(self, name):
        net, (deep, size) = caffe_trunks.named(name), caffe_trunks.DEEP[name]
        target = nets.picture(size)
        phi0 = preimages.features(net, deep, target[None]).numpy()

        def error(picture):
            features = preimages.features(net, deep, picture).numpy()
            return np.linalg.norm(features - phi0) / np.linalg.norm(phi0)

        settings = preimages.Inversion(steps=16, fine_steps=0)
        *_, last = inversion.iterate(net, target, deep, settings=settings)
        (start, *_) = inversion.iterate(net, target, deep, settings=settings, marks=(0,))
        self.assertLess(error(last.kept), 0.9 * error(start.kept))
        settings = preimages.Caricature(steps=16, strength=1e4)
        *_, last = caricatures.iterate(net, target, deep, settings=settings)
        more = (preimages.features(net, deep, last.kept).numpy() * phi0).sum()
        self.assertGreater(more, 1.05 * np.square(phi0).sum())

    @parameterized.parameters(*caffe_trunks.DEEP)
    def test_maximisation(self, name):
        net, (deep, size) = caffe_trunks.named(name), caffe_trunks.DEEP[name]
        objective = preimages.activation_maximization.unit(net, deep, [3], (size, size))
        run = functools.partial(
            activation_maximization.iterate, net, 100 * objective, size=(size, size),
            settings=preimages.Maximization(steps=16), marks=(0,),
        )  # fmt: skip
        first, *_, last = run()
        taps = net.taps([deep])
        before, after = (float(objective(taps(tf.constant(p.kept)))[0]) for p in (first, last))
        self.assertGreater(after, before + 0.1 * abs(before))

    @parameterized.parameters(*caffe_trunks.DEEP)
    def test_style_and_texture(self, name):
        net, (deep, size) = pooling.averaged(caffe_trunks.named(name)), caffe_trunks.DEEP[name]
        chosen = metrics.layers_for(net).style[:3]
        content, style = nets.picture(size), nets.picture(size, seed=2)
        for scene, layers_ in (
            (transfer.Scene(content, (style,)), (deep,)),
            (transfer.Scene(None, (style,), shape=(size, size)), ()),
        ):
            settings = transfer.Transfer(
                recipe="gatys", content_layers=layers_, style_layers=chosen, evaluations=8,
                init="content" if layers_ else "noise",
            )  # fmt: skip
            *_, last = transfer.iterate(net, scene, settings=settings)
            energies = last.snapshot.energies
            self.assertLess(float(np.min(energies)), 0.9 * float(energies[0, 0]))

    def test_vectors_made_of_a_map_are_inverted(self):
        tail = (
            layer("fc", "InnerProduct", "pool2", inner_product="num_output: 20"),
            layer("relu3", "ReLU", "fc"),
        )
        net = caffe_trunks.small(*tail)
        target = np.float32(tf.image.resize(nets.picture(29), net.fixed_size))
        settings = preimages.Inversion(steps=16, fine_steps=0, mask_channels=tuple(range(12)))
        for layer_ in ("fc", "relu3"):
            phi0 = preimages.features(net, layer_, target[None]).numpy()[:, :12]
            *_, last = inversion.iterate(net, target, layer_, settings=settings)
            phi = preimages.features(net, layer_, last.kept).numpy()[:, :12]
            self.assertLess(np.linalg.norm(phi - phi0), 0.5 * np.linalg.norm(phi0))
        window = preimages.Inversion(mask_window=(0, 0, 1, 1))
        with self.assertRaisesRegex(InputError, "mask_window: the layer is a vector"):
            inversion.published(net, "fc", net.fixed_size, window)
        pooled = caffe_trunks.small(
            pool("mean", "pool2", "pool: AVE global_pooling: true"),
            layer("fc", "InnerProduct", "mean", inner_product="num_output: 20"),
        )
        with self.assertRaisesRegex(InputError, "nothing spatial"):
            inversion.published(pooled, "fc", (29, 26), preimages.Inversion())

    def test_style_by_tiles_is_that_of_the_whole(self):
        net, (height, width), chosen = caffe_trunks.small(), (107, 93), ("relu1", "relu2")
        goal = targets.goal(net, None, [nets.picture(40)], [], chosen, shape=(height, width))
        taps = net.taps(goal.layers)
        image = tf.constant(nets.oblong(height, width, seed=4)[None])
        results = []
        for core in (None, 32):
            plan = tiling.plan(net, chosen, height, width, core)
            found = tiling.summed(lambda x, w: targets.sums(taps(x), goal, w), plan)
            with tf.GradientTape() as tape:
                tape.watch(image)
                terms = losses.unit(found(image), goal)
                total = tf.add_n(list(terms.values()))
            results.append((total, tape.gradient(total, image)))
        self.assertGreaterEqual(len(plan.starts), 9)
        (whole, slope), (tiles, tiled_slope) = results
        self.assertAllClose(tiles, whole, rtol=1e-4)
        largest = float(tf.reduce_max(tf.abs(slope)))
        self.assertAllClose(tiled_slope / largest, slope / largest, atol=1e-4)


if __name__ == "__main__":
    tf.test.main()
