"""Grad-CAM: against differences of the score, and the closed form behind a mean."""

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from tests import nets
from tfvis.attention import grad_cam
from tfvis.errors import InputError
from tfvis.networks import network

layers = keras.layers


def _images(count: int, size: int = 24) -> np.ndarray:
    return np.stack([nets.picture(size, seed=seed) for seed in range(count)])


def _deep_head() -> network.Network:
    """A fixed size, and two layers of scores with a ReLU between."""
    keras.utils.set_random_seed(3)
    inputs = keras.Input((12, 12, 3))
    x = layers.Conv2D(5, 3, strides=2, activation="relu", name="conv")(inputs / 100.0)
    x = layers.Dense(16, activation="relu", name="hidden")(layers.Flatten()(x))
    return network.wrap(keras.Model(inputs, layers.Dense(4, activation="softmax", name="p")(x)))


# Pixels to redness, greenness and blueness.
_COLOURS = np.array([[1, -1, -1], [-1, 1, -1], [-1, -1, 1]], np.float32) * 2 - 1


def _detector(x, **kwargs):
    """A map of three colours, a quarter of the size; [.., red, green, blue] of 0..1."""
    conv = layers.Conv2D(3, 1, activation="relu", use_bias=False, **kwargs)
    x = conv(x)
    conv.set_weights([_COLOURS[None, None]])
    for name in ("halved", "last"):
        x = layers.AveragePooling2D(2, **kwargs)(x)
        smooth = layers.DepthwiseConv2D(3, padding="same", use_bias=False, name=name, **kwargs)
        x = smooth(x)
        smooth.set_weights([np.ones_like(smooth.get_weights()[0]) / 9])
    return x


def _over_the_mean(net, layer, images, classes) -> np.ndarray:
    """Class activation maps (Zhou et al. 2016) of a layer of scores over the mean of a map."""
    maps = net.taps([layer])(tf.constant(images))[layer].numpy()
    kernel = net.graph.layers["scores"].kernel.numpy()
    found = [one @ kernel[:, number] for one, number in zip(maps, classes, strict=True)]
    return np.maximum(found, 0) / np.prod(maps.shape[1:3])


class ClassToken(layers.Layer):
    """Puts an entry of zeros before the tokens."""

    def call(self, x):
        return keras.ops.pad(x, ((0, 0), (1, 0), (0, 0)))


def _even_attention(x, heads=1):
    """A block of a transformer: every token gets some of the mean of all."""
    attention = layers.MultiHeadAttention(heads, 3, use_bias=False)
    y = attention(x, x)
    query, key, *_ = attention.get_weights()
    eye = np.eye(3, dtype=np.float32)
    attention.set_weights([0 * query, 0 * key, eye[:, None], eye[None] / 50])
    return layers.Add()([x, y])


def _tokens(x, class_token: bool):
    x = layers.Reshape((64, 3), name="tokens")(_detector(x))
    x = ClassToken()(x) if class_token else x
    x = _even_attention(_even_attention(x))
    return x[:, 0] if class_token else layers.GlobalAveragePooling1D()(x)


def _scattered(x):
    """Space to depth and back, in between nothing is a map."""
    x = layers.Permute((1, 3, 2, 4, 5))(layers.Reshape((8, 4, 8, 4, 3))(x))
    x = layers.Reshape((8, 8, 4, 4, 3))(keras.ops.reshape(x, (-1, 64, 48)))
    return layers.Reshape((32, 32, 3))(layers.Permute((1, 3, 2, 4, 5))(x))


_MEAN = layers.GlobalAveragePooling2D
# Of an image of 32 x 32 to what scores are made of, and the layer that is looked at.
_WAYS = {
    "as_it_is": (lambda x: _MEAN()(_detector(x)), "last"),
    "augmented": (
        lambda x: _MEAN()(_detector(layers.RandomFlip()(layers.RandomZoom(0.2)(x)))),
        "last",
    ),
    "normalised": (
        lambda x: _MEAN()(_detector(layers.Rescaling(0.2, 0.1)(layers.GroupNormalization(1)(x)))),
        "last",
    ),
    "flipped": (lambda x: _MEAN()(_detector(keras.ops.flip(x, axis=2))), "last"),
    "rolled": (lambda x: _MEAN()(_detector(keras.ops.roll(x, 16, axis=1))), "last"),
    "halves_swapped": (
        lambda x: _MEAN()(
            _detector(layers.Concatenate(axis=1)(keras.ops.split(x, 2, axis=1)[::-1]))
        ),
        "last",
    ),
    "in_training_only": (
        lambda x: _MEAN()(_detector(layers.Pipeline([layers.RandomZoom(0.2)])(x))),
        "last",
    ),
    "over_time": (
        lambda x: _MEAN()(
            _detector(layers.TimeDistributed(layers.Dense(3, kernel_initializer="identity"))(x))
        ),
        "last",
    ),
    "rows_and_back": (
        lambda x: _MEAN()(_detector(layers.Reshape((32, 32, 3))(layers.Reshape((32, 96))(x)))),
        "last",
    ),
    "transposed": (lambda x: _MEAN()(_detector(layers.Permute((2, 1, 3))(x))), "last"),
    "cropped": (lambda x: _MEAN()(_detector(x[:, :-4, :-4])), "last"),
    "reflected": (
        lambda x: _MEAN()(_detector(keras.ops.pad(x, ((0, 0), (0, 4), (4, 0), (0, 0)), "reflect"))),
        "last",
    ),
    "resized": (lambda x: _MEAN()(_detector(layers.Resizing(64, 48)(x))), "last"),
    "lambda": (lambda x: _MEAN()(_detector(layers.Lambda(lambda y: y * 0.9)(x))), "last"),
    "scattered": (lambda x: _MEAN()(_detector(_scattered(x))), "last"),
    "tokens": (lambda x: _tokens(x, False), "add"),
    "class_token": (lambda x: _tokens(x, True), "add"),
}  # fmt: skip


class GradCamTest(tf.test.TestCase, parameterized.TestCase):
    def test_weights_are_those_of_raising_a_channel(self):
        net, images, classes = _deep_head(), _images(3, 12), np.array([2, 0, 3])
        found = grad_cam.GradCam(net).maps(images, classes).numpy()
        maps = net.taps(["conv"])(tf.constant(images))["conv"].numpy().astype(np.float64)
        hidden, scores = net.graph.layers["hidden"], net.graph.layers["p"]
        (w1, b1), (w2, b2) = (
            [v.numpy().astype(np.float64) for v in layer.weights] for layer in (hidden, scores)
        )

        def score(given):
            inner = np.maximum(given.reshape(len(given), -1) @ w1 + b1, 0)
            return (inner @ w2 + b2)[np.arange(len(given)), classes]

        step, expected = 1e-6, np.zeros(maps.shape[:3])
        for channel in range(5):
            raised = step * (np.arange(5) == channel)
            # The whole channel is raised, so this is the sum over its places.
            slope = (score(maps + raised) - score(maps - raised)) / (2 * step)
            expected += (slope / 25)[:, None, None] * maps[..., channel]
        expected = np.maximum(expected, 0)
        self.assertGreater(expected.max(), 0)
        # Float32 sums of 125 products.
        self.assertAllClose(found, expected, rtol=1e-4, atol=1e-5 * expected.max())

    def test_of_a_map_at_hand_it_is_the_same_and_runs_no_network(self):
        net, images = _deep_head(), tf.constant(_images(2))
        cam, other = (grad_cam.GradCam(net) for _ in range(2))
        expected = cam(images, [1, 0])
        self.assertGreater(tf.reduce_max(expected), 0)
        given = net.taps([cam.layer])(images)[cam.layer]
        self.assertAllClose(other.of_map(given, [1, 0], images.shape[1:3]), expected, rtol=1e-5)
        self.assertNotIn("_taps", vars(other))
        with self.assertRaisesRegex(InputError, "for each of 2 images"):
            other.of_map(given, [1], images.shape[1:3])

    def test_behind_a_mean_it_is_the_class_activation_map(self):
        net, images = nets.wrapped(), _images(2)
        cam = grad_cam.GradCam(net, "block2_pool")
        maps = net.taps(["block2_pool"])(tf.constant(images))["block2_pool"].numpy()
        kernel = net.graph.layers["logits"].kernel.numpy()
        expected = np.maximum(maps @ kernel, 0) / np.prod(maps.shape[1:3])
        self.assertGreater(expected.max(), 0)
        for number in range(5):
            self.assertAllClose(
                cam.maps(images, [number, number]), expected[..., number], rtol=1e-5
            )

    @parameterized.parameters(*_WAYS)
    def test_the_class_is_where_its_colour_is(self, name):
        make, layer = _WAYS[name]
        keras.backend.clear_session()
        inputs = keras.Input((32, 32, 3))
        scores = layers.Dense(3, use_bias=False, name="scores")
        model = keras.Model(inputs, scores(make(layers.Rescaling(1 / 255)(inputs))))
        scores.set_weights([np.eye(3, dtype=np.float32)])
        scene = np.full((1, 32, 32, 3), 30, np.float32)
        quadrants = [np.s_[:16, :16], np.s_[16:, 16:], np.s_[:16, 16:]]
        for channel, quadrant in enumerate(quadrants):
            inner = scene[0][quadrant][4:12, 4:12]
            inner[...] = 200 * (np.arange(3) == channel)
        cam = grad_cam.GradCam(network.wrap(model))
        self.assertStartsWith(cam.layer, layer)
        for number, quadrant in enumerate(quadrants):
            found = cam(scene, [number])[0].numpy()
            self.assertGreater(found.max(), 0)
            # Kernels of 3 of a map of 8 leave some of a square outside its quadrant.
            self.assertGreater(found[quadrant].sum() / found.sum(), 0.85)

    def test_dropout_is_off_and_no_obstacle(self):
        inputs = keras.Input((None, None, 3))
        x = layers.Conv2D(4, 3, activation="relu", name="conv")(inputs)
        x = layers.Dropout(0.5)(layers.GlobalAveragePooling2D()(x))
        net = network.wrap(keras.Model(inputs, layers.Dense(3, name="scores")(x)))
        cam, images = grad_cam.GradCam(net), _images(2)
        self.assertAllClose(cam.maps(images, [2, 1]), _over_the_mean(net, "conv", images, [2, 1]))

    def test_a_mean_that_keeps_its_axes_is_no_obstacle(self):
        inputs = keras.Input((None, None, 3))
        x = layers.Conv2D(4, 3, activation="relu", name="conv")(inputs)
        x = layers.Flatten()(layers.GlobalAveragePooling2D(keepdims=True)(x))
        net = network.wrap(keras.Model(inputs, layers.Dense(3, name="scores")(x)))
        cam, images = grad_cam.GradCam(net), _images(2)
        expected = _over_the_mean(net, "conv", images, [2, 1])
        self.assertGreater(expected.max(), 0)
        self.assertAllClose(cam.maps(images, [2, 1]), expected)

    def test_the_default_is_the_deepest_that_is_no_pooling(self):
        self.assertEqual(grad_cam.GradCam(nets.wrapped()).layer, "block2_conv1")

    @parameterized.parameters(
        ("valid", 3, 2, 31, 34),
        ("same", 3, 2, 32, 30),
        ("same", 5, 3, 29, 33),
        ("valid", 4, 4, 35, 32),
    )
    def test_a_ramp_stays_where_it_is(self, padding, kernel, stride, height, width):
        # A mean over a window is the ramp at the window's centre, and a line between such
        # centres the ramp itself: anything that is out of place by part of a pixel shows.
        inputs = keras.Input((None, None, 2))
        pool = layers.AveragePooling2D(kernel, stride, padding=padding, name="pool")(inputs)
        x = layers.GlobalAveragePooling2D()(pool)
        net = network.wrap(keras.Model(inputs, layers.Dense(2, name="scores")(x)))
        cam = grad_cam.GradCam(net, "pool")
        rows, columns = np.mgrid[:height, :width].astype(np.float32)
        ramps = np.stack([rows, columns], -1)
        maps = net.taps(["pool"])(tf.constant(ramps[None]))["pool"][0].numpy()
        found = cam.upscaled(tf.constant(np.moveaxis(maps, -1, 0)), (height, width)).numpy()
        # Beyond the outermost centres there is nothing to lie between; and windows that
        # reach over the border average what is inside it.
        margin = kernel + stride
        inside = (slice(None), slice(margin, height - margin), slice(margin, width - margin))
        self.assertAllClose(found[inside], np.moveaxis(ramps, -1, 0)[inside], atol=1e-4)

    def test_maps_at_the_images_size(self):
        net, images = nets.wrapped(), _images(2, 27)
        cam = grad_cam.GradCam(net)
        full, small = cam(images, [1, 4]).numpy(), cam.maps(images, [1, 4]).numpy()
        self.assertEqual((full.shape, small.shape), ((2, 27, 27), (2, 13, 13)))
        self.assertAllGreaterEqual(full, 0.0)
        self.assertAllLessEqual(full.max((1, 2)) / small.max((1, 2)), 1.0 + 1e-6)
        # An image is looked at as if alone.
        self.assertAllClose(cam(images[1:], [4])[0], full[1], rtol=1e-4, atol=1e-7)

    def test_a_network_of_fixed_size_takes_any(self):
        net = nets.wrapped(size=16)
        self.assertEqual(grad_cam.GradCam(net)(_images(1, 40), [0]).shape, (1, 40, 40))

    def test_wrong_input(self):
        net = nets.wrapped()
        headless = network.wrap(keras.Model(net.graph.inputs, net.graph.tensors["block2_pool"]))
        cam = grad_cam.GradCam(net)
        cases = {
            "has no classifier": lambda: grad_cam.GradCam(headless),
            r"not a map \(gap joins all places\); the last": lambda: grad_cam.GradCam(net, "gap"),
            "has no layer": lambda: grad_cam.GradCam(net, "block7_conv1"),
            "a class of 0 to 4": lambda: cam(_images(2), [0, 5]),
            "for each of 2": lambda: cam(_images(2), [0]),
            r"Received: \[0\.5\]": lambda: cam(_images(1), [0.5]),
            "images: expected an array": lambda: cam(_images(1)[0, 0], [0]),
            "cannot take an image": lambda: cam(_images(1)[:, :1, :1], [0]),
        }
        for words, call in cases.items():
            with self.subTest(words), self.assertRaisesRegex(InputError, words) as caught:
                call()
            self.assertNotIn("\n", str(caught.exception))

    def test_scores_that_pass_no_gradient(self):
        inputs = keras.Input((16, 16, 3))
        x = layers.Dense(3)(layers.GlobalAveragePooling2D()(_detector(inputs)))
        chosen = keras.ops.one_hot(keras.ops.argmax(x, -1), 3)
        cam = grad_cam.GradCam(network.wrap(keras.Model(inputs, chosen)))
        with self.assertRaisesRegex(InputError, r"no gradient passes .*: argmax\w* \(Argmax\)"):
            cam(_images(1, 16), [0])

    def test_behind_a_running_sum_that_is_taken_apart_again(self):
        def made(middle):
            inputs = keras.Input((24, 24, 3))
            x = layers.Conv2D(1, 1, use_bias=False, name="red")(inputs)
            x = middle(x)
            x = layers.Dense(2, name="scores")(layers.GlobalAveragePooling2D()(x))
            model = keras.Model(inputs, x)
            model.get_layer("red").set_weights([np.array([1, 0, 0], "f").reshape(1, 1, 3, 1)])
            model.get_layer("scores").set_weights([np.array([[1.0, -1]], "f"), np.zeros(2, "f")])
            return network.wrap(model)

        def difference(x):
            return x[:, :, 1:] - x[:, :, :-1]

        image = np.zeros((1, 24, 24, 3), np.float32)
        image[:, 4:8, 16:22, 0] = 200
        net = made(lambda x: difference(keras.ops.cumsum(x, axis=2)))
        cam = grad_cam.GradCam(net)
        self.assertIn("subtract", cam.layer)
        found = cam(image, [0])[0].numpy()
        self.assertGreater(found[4:8, 16:22].sum() / found.sum(), 0.9)
        # By itself it is no map, and what is before it may be asked for.
        net = made(lambda x: keras.ops.cumsum(x, axis=2))
        with self.assertRaisesRegex(InputError, r"cumsum\w* adds up .* up to red\.") as caught:
            grad_cam.GradCam(net)
        self.assertNotIn("\n", str(caught.exception))
        found = grad_cam.GradCam(net, "red")(image, [0])[0].numpy()
        self.assertGreater(found[4:8, 16:22].sum() / found.sum(), 0.99)

    def test_a_layer_that_crops_in_training_only(self):
        inputs = keras.Input((16, 16, 3))
        x = _detector(layers.RandomCrop(12, 12)(inputs))
        x = layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling2D()(x))
        cam = grad_cam.GradCam(network.wrap(keras.Model(inputs, x)))
        with self.assertRaisesRegex(InputError, "makes 4x4x3 .* where the model says 3x3x3"):
            cam(_images(1, 16), [0])


if __name__ == "__main__":
    tf.test.main()
