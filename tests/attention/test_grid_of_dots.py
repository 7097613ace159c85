"""What strides that do not divide their kernels leave in a mask, and what is shown of it."""

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from tests import nets
from tests.chains import wrap
from tfvis.attention import (
    class_visual_backprop,
    explainer,
    explainers,
    grad_cam,
    visual_backprop,
)
from tfvis.networks import network

layers = keras.layers
_SIZE = 47


def _stretched(values: np.ndarray) -> np.ndarray:
    return (values - values.min()) / np.ptp(values)


def _up(units: np.ndarray, kernel: int, stride: int, side: int, mean: bool) -> np.ndarray:
    """By hand: what the units that see a place have, in sum or in the mean."""
    total, seen = np.zeros((2, side, side))
    for (row, column), value in np.ndenumerate(units):
        window = np.s_[
            row * stride : row * stride + kernel, column * stride : column * stride + kernel
        ]
        total[window] += value
        seen[window] += 1
    return total / np.maximum(seen, 1) if mean else total


class GridOfDotsTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters((11, 4), (7, 2), (5, 3))
    def test_sums_and_means_by_hand(self, kernel, stride):
        def build(x):
            x = layers.Conv2D(4, kernel, stride, activation="relu", name="first")(x)
            return layers.Conv2D(3, 2, activation="relu", name="second")(x)

        net, picture = wrap(build, size=_SIZE), nets.picture(_SIZE)[None]
        for layer in net.graph.layers.values():
            if layer.weights:  # So that all places answer.
                layer.set_weights([np.abs(one) for one in layer.get_weights()])
        found = visual_backprop.VisualBackProp(net).attend(picture)
        first, second = (found.averages[name][0].numpy() for name in ("first", "second"))
        # Of the second, of stride 1, units are summed for the eye too.
        product = first * _up(second, 2, 1, len(first), mean=False)
        for mask, mean in ((found.mask, False), (found.shown, True)):
            by_hand = _up(product, kernel, stride, _SIZE, mean)
            self.assertAllClose(mask[0], _stretched(by_hand), atol=1e-5)
        self.assertNotAllClose(found.mask, found.shown, atol=0.01)
        self.assertAllEqual(visual_backprop.VisualBackProp(net)(picture), found.mask)

    @parameterized.parameters((3, 1), (2, 2), (6, 3))
    def test_where_there_are_no_dots_nothing_changes(self, kernel, stride):
        def build(x):
            x = layers.Conv2D(4, kernel, stride, padding="same", activation="relu")(x)
            return layers.MaxPooling2D(2)(layers.Conv2D(3, 3, activation="relu")(x))

        attend = visual_backprop.VisualBackProp(wrap(build, size=48))
        found = attend.attend(nets.picture(48)[None])
        self.assertGreater(tf.reduce_max(found.mask), 0)
        self.assertAllEqual(found.mask, found.shown)

    def test_of_a_class(self):
        net = self._even()
        cam = grad_cam.GradCam(net)
        backprop = visual_backprop.VisualBackProp(net, extra=(net.logits, cam.layer))
        seen = backprop.attend(nets.picture(_SIZE)[None])
        plain, shown = (
            class_visual_backprop.of_pass(backprop, cam, seen, np.array([0]), (_SIZE, _SIZE), eye)[
                0
            ].numpy()[3:-3, 3:-3]
            for eye in (False, True)
        )
        # One or two units an axis see a place.
        self.assertAllClose(plain.max() / plain.min(), 4, rtol=1e-4)
        self.assertAllClose(shown.max() / shown.min(), 1, rtol=1e-4)

    @parameterized.parameters("vbp", "class_vbp", "product", "gradcam", "saliency")
    def test_any_explainer_is_shown_without(self, name):
        net = self._even(0.01)
        # Brighter towards the right, so that the even map is not constant, which marks nothing.
        picture = np.broadcast_to(np.linspace(0, 255, _SIZE)[:, None], (_SIZE, _SIZE, 3))
        explain = explainers.KINDS[name].make(net)
        maps = explain(picture, 0)
        shown = explainer.shown(explain, maps, picture, 0)
        self.assertEqual(shown.shape, maps.shape)
        if name in ("gradcam", "saliency"):
            self.assertIs(shown, maps)
            return
        # One or two units an axis see a place, each third pixel fewer than those between.
        grids = [_grid(one[0].numpy()) for one in (maps, shown)]
        self.assertLess(grids[1], 0.02 * grids[0])

    def _even(self, weight=0.0):
        """A network whose map of class 0 is even: its places share alike, the overlap is left."""
        inputs = keras.Input((_SIZE, _SIZE, 3))
        x = layers.Conv2D(2, 5, 3, activation="relu", name="first")(inputs)
        outputs = layers.Dense(2, name="scores")(layers.GlobalAveragePooling2D()(x))
        model = keras.Model(inputs, outputs)
        model.get_layer("first").set_weights([np.full((5, 5, 3, 2), weight), np.ones(2)])
        model.get_layer("scores").set_weights([np.float32([[1, -1], [1, -1]]), np.zeros(2)])
        return network.wrap(model)


def _grid(values: np.ndarray) -> float:
    """The power of a map at a period of three pixels, as a share of its mean's."""
    inner = values[3:-2, 3:-2]
    power = np.abs(np.fft.fft2(inner)) ** 2
    third = len(inner) // 3
    return (power[third, 0] + power[0, third]) / power[0, 0]


if __name__ == "__main__":
    tf.test.main()
