"""A classifier cut out of a network: where, what is copied, and that it stays the same."""

import keras
import numpy as np
import tensorflow as tf

from tests import nets, stripes
from tfvis.classifiers import backbone
from tfvis.errors import InputError
from tfvis.networks import classifier_head
from tfvis.networks import network as networks


def _chain(*widths: int) -> networks.Network:
    """Convolutions of these widths, a pooling after each."""
    keras.utils.set_random_seed(0)
    inputs = x = keras.Input((None, None, 3))
    for k, width in enumerate(widths):
        x = keras.layers.Conv2D(width, 3, padding="same", activation="relu", name=f"conv{k}")(x)
        x = keras.layers.MaxPooling2D(name=f"pool{k}")(x)
    return networks.wrap(keras.Model(inputs, x, name="chain"))


def _classifier(parts: backbone.Backbone, weights) -> keras.Model:
    return classifier_head.classifier(parts.network.graph, parts.cut, parts.last, weights, "it")


class SplitTest(tf.test.TestCase):
    def test_default_cut_leaves_at_most_half_of_the_weights(self):
        for widths in ((4, 8, 8, 4), (16, 4, 4, 4), (4, 4, 4, 32), (4, 4)):
            net = _chain(*widths)
            # Weights of each convolution, from nothing but its widths.
            counts = [(9 * a + 1) * b for a, b in zip((3, *widths[:-1]), widths, strict=True)]
            after = [sum(counts[k + 1 :]) for k in range(len(widths))]
            fits = [k for k, n in enumerate(after) if 0 < n <= sum(counts) / 2]
            k = fits[0] if fits else len(widths) - 2
            parts = backbone.split(net)
            # Behind the pooling maps are smaller, and the weights after it the same.
            self.assertEqual((parts.cut, parts.last), (f"pool{k}", f"conv{len(widths) - 1}"))
            self.assertEqual(parts.tail().count_params(), after[k])

    def test_of_random_weights_all_learn(self):
        net = networks.build("vgg_small", "random")
        parts = backbone.split(net)
        self.assertEqual((parts.cut, parts.last), ("scaled", "block5_relu2"))
        self.assertTrue(parts.random and parts.whole)
        everything = net.graph.truncated(["block5_relu2"]).count_params()
        self.assertEqual(parts.tail().count_params(), everything)
        later = backbone.split(net, "block4_pool")  # Asked for, it stays so.
        self.assertEqual((later.cut, later.whole), ("block4_pool", False))
        self.assertFalse(backbone.split(_chain(4, 4)).random)

    def test_a_wrong_cut_names_the_nearest(self):
        with self.assertRaisesRegex(InputError, r"cut=conv_1: .*Nearest: conv1"):
            backbone.split(_chain(4, 4, 4), "conv_1")
        for cut in ("conv2", "pool2"):  # Nothing to learn behind them.
            with self.assertRaisesRegex(InputError, "with weights behind it"):
                backbone.split(_chain(4, 4, 4), cut)
        self.assertEqual(backbone.split(_chain(4, 4, 4), "conv0").cut, "conv0")

    def test_a_cut_within_a_branch_is_refused(self):
        net = networks.wrap(stripes.residual())
        with self.assertRaisesRegex(InputError, "cut=inner2"):
            backbone.split(net, "inner2")
        self.assertEqual(backbone.split(net).last, "block2")

    def test_poolings_are_left_out_at_the_end_only_also_as_averages(self):
        model = nets.small()
        for pooling in ("max", "avg"):
            call_function = networks.rewiring.calling(pooling)
            net = networks.wrap(model, call_function=call_function, variant=(pooling, "post"))
            parts = backbone.split(net)
            self.assertEqual((parts.cut, parts.last), ("block1_pool", "block2_conv1"))
        # An earlier cut, made again as it was described.
        self.assertEqual(backbone.split(net, last="block2_pool").last, "block2_pool")
        with self.assertRaisesRegex(InputError, "no map 'gap'"):
            backbone.split(net, last="gap")
        with self.assertRaisesRegex(InputError, "cut=conv2"):
            backbone.split(_chain(4, 4, 4, 4), "conv2", "conv1")

    def test_a_mean_kept_as_a_map_is_not_the_last(self):
        inputs = keras.Input((None, None, 3))
        x = keras.layers.Conv2D(4, 3, name="a")(inputs)
        x = keras.layers.Conv2D(4, 3, name="b")(x)
        x = keras.layers.GlobalAveragePooling2D(keepdims=True)(x)
        x = keras.layers.Conv2D(5, 1, name="scores")(x)
        self.assertEqual(backbone.split(networks.wrap(keras.Model(inputs, x))).last, "b")

    def test_a_mask_is_not_the_last(self):
        def parts(channels: int, *, linear: bool = False) -> backbone.Backbone:
            """Of a U of two levels that ends in a map of so many channels."""
            inputs = keras.Input((16, 16, 3))
            down = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(inputs)
            deep = keras.layers.Conv2D(8, 3, padding="same")(keras.layers.MaxPooling2D()(down))
            up = keras.layers.Conv2DTranspose(4, 2, strides=2)(deep)
            both = keras.layers.Concatenate(name="both")([up, down])
            x = keras.layers.Conv2D(channels, 1, name="mask")(both)
            x = x if linear else keras.layers.Activation("sigmoid", name="shares")(x)
            return backbone.split(networks.wrap(keras.Model(inputs, x)))

        for channels, linear, last, answer in (
            (1, False, "both", "shares"), (1, True, "both", "mask"), (3, False, "both", "shares"),
            (4, False, "shares", ""), (8, True, "mask", ""),
        ):  # fmt: skip
            found = parts(channels, linear=linear)
            self.assertEqual((found.last, found.answer), (last, answer))
        # Asked for, as by a classifier that stands on it, it stays.
        found = backbone.split(parts(1).network, last="shares")
        self.assertEqual((found.last, found.answer), ("shares", ""))

    def test_networks_without_maps_or_with_ties_are_refused(self):
        inputs = keras.Input((8, 8, 3))
        flat = keras.layers.Dense(2)(keras.layers.Flatten()(inputs))
        with self.assertRaisesRegex(InputError, "convolutional network is needed"):
            backbone.split(networks.wrap(keras.Model(inputs, flat), "flat"))
        inputs = keras.Input((None, None, 3))
        twice = keras.layers.Conv2D(3, 3, padding="same", name="twice")
        x = keras.layers.Conv2D(3, 3, padding="same", name="first")(inputs)
        net = networks.wrap(keras.Model(inputs, twice(twice(x))), "tied")
        with self.assertRaisesRegex(InputError, "uses a layer twice"):
            backbone.split(net, "first")

    def test_a_layer_on_both_sides_of_the_cut_is_refused(self):
        inputs = keras.Input((16, 16, 3))
        twice = keras.layers.Conv2D(4, 3, padding="same", name="twice")
        x = twice(keras.layers.Conv2D(4, 1, name="first")(inputs))
        net = networks.wrap(keras.Model(inputs, twice(x), name="it"))
        with self.assertRaisesRegex(InputError, "cut=twice: it uses a layer on both sides"):
            backbone.split(net)

    def test_tail_is_a_copy_that_computes_the_same(self):
        nets_ = [
            (nets.wrapped(), "block1_pool"),
            (networks.wrap(stripes.residual()), "block1"),
            (networks.build(*self._saved()), "inner--block1_pool"),
        ]
        for net, cut in nets_:
            cut = cut if cut in net.paths else None
            parts = backbone.split(net, cut)
            learner = backbone.learner(parts, 3)
            images = tf.constant(nets.picture(24)[None])
            found = net.taps([parts.cut, parts.last])(images)
            mean = keras.Model(learner.input, learner.get_layer(backbone.MEAN).output)
            self.assertAllClose(
                mean(found[parts.cut]), tf.reduce_mean(found[parts.last], (1, 2)), rtol=1e-5
            )
            before = net.taps([parts.last], packed=False)(images)[parts.last].numpy()
            for variable in learner.trainable_variables:
                variable.assign_add(tf.ones_like(variable))
            after = backbone.split(net, parts.cut).network.graph.truncated([parts.last])
            x = net.preprocessing(images, 3)
            self.assertAllEqual(after(x, training=False)[parts.last], before)

    def _saved(self):
        """A model file with another model inside it."""
        inputs = keras.Input((None, None, 3))
        inner = nets.small()
        features = keras.Model(inner.input, inner.get_layer("block2_pool").output, name="inner")
        path = self.create_tempdir().create_file("nested.keras").full_path
        keras.Model(inputs, features(inputs), name="outer").save(path)
        return (path,)

    def test_batch_normalisations_keep_their_statistics_unless_there_are_none(self):
        parts = backbone.split(networks.wrap(stripes.residual()), "block1")
        maps = np.random.default_rng(0).normal(3, 5, (8, 4, 4, 8))
        for scratch in (False, True):
            learner = backbone.learner(parts, 2, scratch=scratch)
            norm = learner.get_layer("norm2")
            before = norm.get_weights()
            learner.compile("sgd", "categorical_crossentropy")
            kernel = learner.get_layer("inner2").get_weights()[0]
            learner.fit(maps, np.eye(2)[[0, 1] * 4], verbose=0)
            self.assertNotAllClose(learner.get_layer("inner2").get_weights()[0], kernel)
            if not scratch:
                self.assertAllEqual(norm.get_weights(), before)
                continue
            for ours, theirs in zip(norm.get_weights(), before, strict=True):
                self.assertNotAllEqual(ours, theirs)
            # One step of Keras' own momentum of 0.99 towards the batch's mean.
            self.assertAllClose(norm.get_weights()[2], 0.01 * maps.mean((0, 1, 2)), rtol=1e-4)

    def test_assembled_equals_the_learner(self):
        for make in (nets.wrapped, lambda: networks.wrap(stripes.residual())):
            net = make()
            parts = backbone.split(net)
            learner = backbone.learner(parts, 4)
            generator = np.random.default_rng(0)
            for variable in learner.trainable_variables:  # As if it had learnt.
                variable.assign_add(0.1 * generator.normal(size=variable.shape))
            images = np.stack([nets.picture(24, seed=k) for k in range(3)])
            expected = learner(net.taps([parts.cut])(tf.constant(images))[parts.cut])
            again = backbone.split(make(), parts.cut)
            whole = networks.wrap(
                _classifier(again, backbone.learnt(learner)), preprocessing=net.preprocessing
            )
            output = whole.graph.output
            found = whole.taps([output])(tf.constant(images))[output]
            # float32, in another order of sums.
            self.assertAllClose(found, expected, rtol=1e-4)
            self.assertEqual(whole.logits, "logits")

    def test_assembled_refuses_what_does_not_fit(self):
        learner = backbone.learner(backbone.split(nets.wrapped()), 3)
        good = backbone.learnt(learner)
        kernel, bias = good[backbone.CLASSES]
        for bad in (
            {},
            {backbone.CLASSES: []},
            {backbone.CLASSES: [np.float32(1)]},
            {backbone.CLASSES: [kernel[:, :0], bias[:0]]},
            {backbone.CLASSES: [kernel, bias[:2]]},
            {"block2_conv1": good["block2_conv1"][:1]},
        ):
            wrong = good | bad if bad else {}
            with self.assertRaisesRegex(InputError, "takes weights"):
                _classifier(backbone.split(nets.wrapped()), wrong)

    def test_bfloat16_computes_in_it_and_keeps_float32_weights(self):
        parts = backbone.split(nets.wrapped())
        exact, half = (backbone.learner(parts, 3, precision=p) for p in ("float32", "bfloat16"))
        for layer in exact.layers:
            half.get_layer(layer.name).set_weights(layer.get_weights()) if layer.weights else None
        x = np.random.default_rng(0).uniform(0, 2, (2, 6, 6, 8)).astype(np.float16)
        ours, theirs = half(x).numpy(), exact(x).numpy()
        # 8 bits of mantissa, and not more.
        self.assertAllClose(ours, theirs, rtol=0.03)
        self.assertNotAllClose(ours, theirs, rtol=1e-6)
        self.assertEqual({v.dtype for v in half.variables if "seed" not in v.path}, {"float32"})

    def test_fingerprint_is_of_the_trunk_alone(self):
        def fingerprint(layer=None):
            model = nets.small()
            if layer:
                kernel, bias = model.get_layer(layer).get_weights()
                model.get_layer(layer).set_weights([kernel, bias + 1])
            return backbone.split(networks.wrap(model)).trunk_fingerprint()

        self.assertEqual(fingerprint(), fingerprint("block2_conv1"))
        self.assertNotEqual(fingerprint(), fingerprint("block1_conv1"))


if __name__ == "__main__":
    tf.test.main()
