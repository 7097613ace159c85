"""Networks: rewiring that shares weights, taps, and a fast plan that changes nothing."""

import pathlib

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from tests import nets
from tfvis import hardware
from tfvis.errors import InputError
from tfvis.experiments import networks as experiments
from tfvis.networks import fast_execution, network, rewiring, scores
from tfvis.networks.preprocessing import contracts


def _direct(model: keras.Model, layer: str, x: np.ndarray) -> np.ndarray:
    """A layer's output by Keras alone."""
    return keras.Model(model.inputs, model.get_layer(layer).output)(x).numpy()


def _nested() -> keras.Model:
    """A backbone inside a classifier, as transfer learning builds them."""
    inner = nets.small()
    backbone = keras.Model(inner.inputs, inner.get_layer("block2_pool").output, name="backbone")
    inputs = keras.Input((24, 24, 3))
    x = keras.layers.Rescaling(1 / 255, name="scale")(inputs)
    x = backbone(x)
    x = keras.layers.Conv2D(4, 1, name="head")(x)
    x = keras.layers.GlobalAveragePooling2D(name="gap")(x)
    outputs = keras.layers.Softmax(name="softmax")(keras.layers.Dense(3, name="scores")(x))
    return keras.Model(inputs, outputs, name="outer")


class LabelsTest(tf.test.TestCase):
    def test_networks_of_one_name_keep_a_label_each(self):
        folder, files = pathlib.Path(self.create_tempdir().full_path), []
        for name in "abc":
            (folder / name).mkdir()
            files.append(folder / name / "my net.keras")
            nets.small().save(files[-1])
        built = experiments.networks(experiments.Wanted(network=",".join(map(str, files))))
        self.assertEqual(list(built), ["my net", "my net 2", "my net 3"])


class SurgeryTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.x = nets.picture(24)[None] / 100

    def test_clones_compute_the_same_with_the_same_variables(self):
        model = nets.small()
        graph = rewiring.rewire(model)
        copy = graph.truncated([graph.output])
        self.assertAllEqual(copy(self.x)[graph.output], model(self.x))
        self.assertSameElements(map(id, copy.variables), map(id, model.variables))

    def test_the_given_model_is_not_touched(self):
        model = nets.small()
        before = model.to_json(), [len(la._inbound_nodes) for la in model.layers], model(self.x)
        for pooling, activation in (("max", "pre"), ("avg", "post")):
            graph, _ = scores.found(model, rewiring.calling(pooling, activation))
            fast_execution.plan(
                graph.truncated(["block2_conv1"]), {"a": "block2_conv1"}, "bfloat16", True
            )
        self.assertEqual(model.to_json(), before[0])
        self.assertEqual([len(la._inbound_nodes) for la in model.layers], before[1])
        self.assertAllEqual(model(self.x), before[2])
        self.assertEqual({la.dtype_policy.name for la in model.layers}, {"float32"})

    def test_average_pooling_takes_the_same_windows(self):
        model = nets.small()
        graph = rewiring.rewire(model, rewiring.calling(pooling="avg"))
        features = tf.constant(_direct(model, "block1_conv1", self.x))
        expected = tf.nn.avg_pool2d(features, 2, 2, "VALID")
        pooled = graph.truncated(["block1_pool"])(self.x)["block1_pool"]
        self.assertAllClose(pooled, expected, rtol=1e-6)

    def test_taps_before_and_after_the_nonlinearity(self):
        model = nets.small()
        graph = rewiring.rewire(model, rewiring.calling(activation="pre"))
        paths = ["block2_conv1", "block2_conv1_relu", "predictions_softmax"]
        taps = graph.truncated(paths)(self.x)
        self.assertAllEqual(taps["block2_conv1_relu"], _direct(model, "block2_conv1", self.x))
        self.assertAllEqual(tf.nn.relu(taps["block2_conv1"]), taps["block2_conv1_relu"])
        self.assertLess(float(tf.reduce_min(taps["block2_conv1"])), 0)
        self.assertAllEqual(taps["predictions_softmax"], model(self.x))

    def test_logits_of_a_fused_and_of_a_separate_softmax(self):
        for model in (nets.small(), _nested()):
            graph, head = scores.found(model, rewiring.calling())
            path = head.path
            logits = graph.truncated([path])(self.x)[path]
            self.assertAllClose(tf.nn.softmax(logits), model(self.x), rtol=1e-5)
            self.assertNotAllClose(tf.reduce_sum(logits, -1), [1.0])

    def test_nested_layers_by_path(self):
        model = _nested()
        graph = rewiring.rewire(model)
        self.assertIn("backbone/block2_conv1", graph.tensors)
        tapped = graph.truncated(["backbone/block2_conv1"])(self.x)["backbone/block2_conv1"]
        inner = model.get_layer("backbone")
        # The layer multiplies by 1/255 where NumPy divides: the last bits differ.
        expected = _direct(inner, "block2_conv1", self.x / np.float32(255))
        self.assertAllClose(tapped, expected, rtol=1e-3, atol=1e-7)
        self.assertAllClose(graph.truncated([graph.output])(self.x)[graph.output], model(self.x))

    def test_sequential_shared_and_residual_layers(self):
        shared = keras.layers.Conv2D(3, 3, padding="same", name="twice")
        inputs = keras.Input((None, None, 3))
        outputs = keras.layers.Add(name="sum")([shared(shared(inputs)), inputs])
        model = keras.Model(inputs, outputs)
        graph = rewiring.rewire(model)
        self.assertEqual(list(graph.tensors), ["twice", "twice:1", "sum"])
        self.assertAllClose(graph.truncated(["sum"])(self.x)["sum"], model(self.x))
        chain = keras.Sequential([keras.Input((24, 24, 3)), model, keras.layers.ReLU(name="relu")])
        graph = rewiring.rewire(chain)
        self.assertAllClose(graph.truncated(["relu"])(self.x)["relu"], chain(self.x))

    def test_a_classifier_called_logits_still_gives_its_scores(self):
        inputs = keras.Input((24, 24, 3))
        x = keras.layers.GlobalAveragePooling2D()(inputs)
        outputs = keras.layers.Dense(5, activation="softmax", name="logits")(x)
        model = keras.Model(inputs, outputs)
        taps = network.wrap(model).taps(["logits"])
        scores = taps(tf.constant(self.x))["logits"]
        self.assertAllClose(tf.nn.softmax(scores), model(self.x), rtol=1e-5)
        self.assertNotAllClose(tf.reduce_sum(scores, -1), [1.0])

    def test_operations_without_weights(self):
        """x / 255 and x + y are no layers, and have neither weights nor a policy."""
        inputs = keras.Input((24, 24, 3))
        scaled = inputs / 255.0
        x = keras.layers.Conv2D(3, 3, padding="same", name="conv")(scaled)
        leaky = keras.layers.Conv2D(3, 1, activation=keras.layers.LeakyReLU(), name="leaky")
        model = keras.Model(inputs, keras.ops.relu(leaky(x) + scaled))
        for variant in (("max", "post"), ("max", "pre")):
            net = network.wrap(model, variant=variant)
            last = net.paths[-1]
            self.assertGreater(net.cost(last, 24, 24), 1)
            for precision, share in (("float32", 1e-5), ("bfloat16", 0.03)):
                y = net.taps([last], precision)(tf.constant(self.x))[last]
                expected = model(self.x)
                self.assertLess(tf.norm(y - expected), share * tf.norm(expected))

    def test_nested_models_of_several_outputs_run_whole(self):
        inner_in = keras.Input((24, 24, 3))
        a = keras.layers.Conv2D(2, 3, name="a")(inner_in)
        b = keras.layers.Conv2D(4, 3, name="b")(inner_in)
        inner = keras.Model(inner_in, [a, b], name="two")
        inputs = keras.Input((24, 24, 3))
        model = keras.Model(inputs, keras.layers.ReLU(name="relu")(inner(inputs)[1]))
        net = network.wrap(model)
        self.assertAllClose(net.taps(["relu"])(tf.constant(self.x))["relu"], model(self.x))

    def test_what_is_no_graph_is_refused(self):
        class Subclassed(keras.Model):
            def call(self, x):
                return x

        with self.assertRaisesRegex(InputError, "functional"):
            rewiring.rewire(Subclassed())
        two = [keras.Input((4, 4, 3)), keras.Input((4, 4, 3))]
        with self.assertRaisesRegex(InputError, "2 inputs"):
            rewiring.rewire(keras.Model(two, keras.layers.Add()(two)))


class FastTest(tf.test.TestCase, parameterized.TestCase):
    def _deep(self):
        """Enough channels for the packed convolution, odd sizes, a leftover row."""
        keras.utils.set_random_seed(0)
        layers = keras.layers
        return keras.Sequential(
            [
                keras.Input((None, None, 3)),
                layers.Conv2D(
                    fast_execution.PACKED_MIN_CHANNELS, 3, padding="same", activation="relu"
                ),
                layers.MaxPooling2D((2, 3), name="pool"),
                layers.Conv2D(16, (3, 5), padding="same", activation="tanh", name="packed"),
                layers.MaxPooling2D(3, strides=2, padding="same", name="overlapping"),
                layers.DepthwiseConv2D(3, dilation_rate=2, padding="same"),
                layers.BatchNormalization(),
                layers.Conv2D(8, 3, strides=2, groups=2, use_bias=False, name="last"),
            ]
        )

    @parameterized.product(packed=[True, False], precision=["float32", "bfloat16"])
    def test_outputs_and_gradients_are_the_model_s(self, packed, precision):
        model = self._deep()
        x = tf.constant(nets.picture(23)[None] / 255 - 0.5)
        plan = fast_execution.plan(
            rewiring.rewire(model).truncated(["last"]), {"y": "last"}, precision, packed
        )
        results = []
        for run in (model, lambda x: tf.cast(plan(x, training=False)["y"], tf.float32)):
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = run(x)
                total = tf.reduce_sum(tf.sin(y))
            results += [(y, tape.gradient(total, x))]
        (y, dx), (fast_y, fast_dx) = results
        # bfloat16 keeps 8 bits. Through a handful of layers its rounding adds up, and in
        # a gradient now and then another pixel of a pooling window is the largest.
        shares = (1e-5, 1e-5) if precision == "float32" else (0.03, 0.2)
        for a, b, share in zip((y, dx), (fast_y, fast_dx), shares, strict=True):
            a, b = np.asarray(a), np.asarray(b)
            self.assertLess(np.linalg.norm(a - b), share * np.linalg.norm(a))

    def test_the_plan_uses_what_it_promises(self):
        graph = rewiring.rewire(self._deep())
        plan = fast_execution.plan(graph.truncated(["last"]), {"y": "last"}, "float32", True)
        kinds = [type(layer).__name__ for layer in plan.layers]
        own = int(not hardware.onednn())
        self.assertEqual(kinds.count("EvenMaxPooling"), own)
        self.assertEqual(kinds.count("MaxPooling2D"), 2 - own)
        self.assertEqual(kinds.count("FrozenConv"), int(hardware.onednn()))

    def test_all_taps_of_a_network_share_their_kernels(self):
        net = network.wrap(self._deep())
        woken = net.waking(["last"])
        for precision in ("float32", "bfloat16"):
            models = [
                net.taps(["last"], precision).model,
                net.taps([net.paths[-1], net.paths[0]], precision).model,
                woken.taps(["last"], precision).model,
            ]
            kernels = [
                [la._kernel for la in model.layers if type(la).__name__ == "FrozenConv"]
                for model in models
            ]
            for others in kernels[1:]:
                self.assertEqual(list(map(id, others)), list(map(id, kernels[0])))
        self.assertNotEmpty(kernels[0])

    def test_pooling_gradient_is_tensorflow_s_without_ties(self):
        x = tf.random.stateless_normal([2, 7, 9, 3], [0, 0])
        layer = fast_execution.EvenMaxPooling(keras.layers.MaxPooling2D(2), "float32", name="pool")
        gradients = []
        for pool in (layer, keras.layers.MaxPooling2D(2)):
            with tf.GradientTape() as tape:
                tape.watch(x)
                total = tf.reduce_sum(tf.sin(pool(x)))
            gradients.append(tape.gradient(total, x))
        self.assertAllClose(*gradients, rtol=1e-6)

    def test_ties_share_the_gradient(self):
        x = tf.ones([1, 2, 2, 1])
        layer = fast_execution.EvenMaxPooling(keras.layers.MaxPooling2D(2), "float32", name="pool")
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
        self.assertAllEqual(tape.gradient(y, x)[0, ..., 0], np.full((2, 2), 0.25))


class NetworkTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters(
        ("vgg16", "vgg16"),
        ("resnet50", "resnet"),
        ("densenet121", "densenet"),
        ("mobilenetv2", "mobilenet_v2"),
        ("resnet50v2", "resnet_v2"),
        ("efficientnetb0", "efficientnet"),
        ("convnexttiny", "convnext"),
    )
    def test_contracts_are_keras_own(self, name, module):
        x = np.random.default_rng(0).uniform(0, 255, (1, 4, 5, 3)).astype(np.float32)
        expected = getattr(keras.applications, module).preprocess_input(x.copy())
        contract = contracts.application(name)
        # Keras scales before it subtracts: the last bits differ.
        self.assertAllClose(contract(tf.constant(x), 3), expected, rtol=1e-5, atol=1e-5)

    def test_taps_are_keras_outputs_of_preprocessed_images(self):
        model = nets.small()
        net = network.wrap(model, preprocessing=contracts.named("caffe"))
        x = np.stack([nets.picture(20, seed=s) for s in range(2)])
        taps = net.taps(["block1_pool", "block2_conv1"])(tf.constant(x))
        ready = keras.applications.vgg16.preprocess_input(x.copy())
        for layer, y in taps.items():
            self.assertAllClose(y, _direct(model, layer, ready), rtol=1e-4, atol=1e-4)
        names = {layer.name for layer in net.taps(["block1_pool"]).model.layers}
        self.assertNotIn("block2_conv1", names)

    def test_grey_networks_see_luma_and_grey_images(self):
        net = nets.wrapped(channels=1)
        colour = nets.picture(20)[None]
        grey = colour @ np.float32([[0.299], [0.587], [0.114]])
        self.assertAllClose(
            net.taps(["block1_conv1"])(tf.constant(colour))["block1_conv1"],
            net.taps(["block1_conv1"])(tf.constant(grey))["block1_conv1"],
            rtol=1e-4,
            atol=1e-5,
        )

    @parameterized.parameters(2, 5)
    def test_any_number_of_channels(self, channels):
        net = nets.wrapped(channels=channels)
        x = tf.constant(nets.picture(12, channels)[None])
        self.assertEqual(net.taps(["block2_conv1"])(x)["block2_conv1"].shape, (1, 6, 6, 12))
        with self.assertRaisesRegex(InputError, f"takes {channels} channels"):
            net.taps(["block2_conv1"])(tf.zeros([1, 12, 12, 3]))

    def test_fixed_size_models_see_a_resized_image(self):
        net = nets.wrapped(size=16)
        x = tf.constant(nets.picture(24)[None])
        resized = tf.image.resize(x, (16, 16), antialias=True)
        self.assertEqual(net.fixed_size, (16, 16))
        self.assertAllClose(
            net.taps(["block2_conv1"])(x)["block2_conv1"],
            net.taps(["block2_conv1"])(resized)["block2_conv1"],
            rtol=1e-4,
            atol=1e-4,
        )
        self.assertEqual(net.stride("block2_conv1"), 2)

    def test_strides_shapes_costs(self):
        net = nets.wrapped()
        strides = [net.stride(layer) for layer in net.convolutions_and_poolings()]
        self.assertEqual(strides, [1, 2, 2, 4])
        self.assertEqual(net.shape("block2_pool", 16, 20), (4, 5, 12))
        self.assertIn(0, net.shape("block2_pool", 2, 2))
        self.assertEqual(net.shape("gap", 16, 16), (12,))
        # 3*8 and 8*12 kernels of 9, on maps of 16^2 and 8^2.
        self.assertEqual(net.cost("block2_conv1", 16, 16), 1 + 9 * (24 * 256 + 96 * 64))

    def test_unknown_layers_get_the_nearest_names(self):
        with self.assertRaisesRegex(InputError, "block2_conv1"):
            nets.wrapped().taps(["block2_conv"])
        with self.assertRaisesRegex(InputError, "vgg16"):
            network.build("vgg15")

    def test_sizes_a_model_cannot_take(self):
        inputs = keras.Input((None, None, 3))
        down = keras.layers.MaxPooling2D(2)(inputs)
        up = keras.layers.UpSampling2D(2)(down)
        both = keras.layers.Concatenate(name="both")([up, inputs])
        net = network.wrap(keras.Model(inputs, both))
        self.assertEqual(net.trace("both", 32, 32), (32, 32, 6))
        with self.assertRaisesRegex(InputError, "33 x .*both"):
            net.trace("both", 33, 33)
        with self.assertRaisesRegex(InputError, "fixed in height and width"):
            network.wrap(keras.Sequential([keras.Input((64, None, 3)), keras.layers.ReLU()]))

    def test_layer_names_do_not_depend_on_what_was_built_before(self):
        first = network.build("inceptionv3", "random").paths
        self.assertEqual(network.build("inceptionv3", "random").paths, first)
        self.assertEqual(first[0], "conv2d")

    def test_pre_activation_networks_list_each_layer_once(self):
        net = nets.wrapped(call_function=rewiring.calling(activation="pre"))
        layers = net.convolutions_and_poolings()
        self.assertEqual(layers, ("block1_conv1", "block1_pool", "block2_conv1", "block2_pool"))
        self.assertIn("block1_conv1_relu", net.paths)

    def test_named_networks_with_random_weights(self):
        net = network.build("mobilenetv2", "random")
        self.assertEqual(net.record.source, "random")
        self.assertIn("random", net.record.notice)
        self.assertEqual(net.shape("block_3_expand_relu", 64, 64), (16, 16, 144))
        again = network.build("mobilenetv2", "random")
        self.assertEqual(net.record.fingerprint, again.record.fingerprint)
