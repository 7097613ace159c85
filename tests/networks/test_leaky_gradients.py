"""Tests of networks whose units are silent, or pass no gradient at all."""

from unittest import mock

import keras
import numpy as np
import tensorflow as tf

from tests import nets
from tfvis import objectives, preimages
from tfvis.attention import saliency
from tfvis.errors import InputError, PartError
from tfvis.networks import network
from tfvis.networks.network import Network
from tfvis.preimages import activation_maximization, caricatures, inversion
from tfvis.preimages.zero_gradients import SilentError
from tfvis.style import transfer

# Each is 0, with a derivative of 0, where the convolution before it gives less than 0 (or -3).
_SPELLINGS = {
    "fused": lambda x: x,
    "layer": keras.layers.ReLU(),
    "ceiling": keras.layers.ReLU(max_value=6.0),
    "activation": keras.layers.Activation("relu6"),
    "op": keras.ops.relu,
    "maximum": lambda x: keras.ops.maximum(x, 0.0),
    "maximum the other way": lambda x: keras.ops.maximum(0.0, x),
    "clip": lambda x: keras.ops.clip(x, 0.0, 8.0),
    "leak of none": keras.layers.LeakyReLU(negative_slope=0.0),
    "prelu": keras.layers.PReLU(shared_axes=[1, 2]),
    "hard sigmoid": keras.layers.Activation("hard_sigmoid"),
    "hard silu": keras.ops.hard_silu,
    "lambda": keras.layers.Lambda(lambda x: tf.nn.relu(x)),
}


def _detector(rectify, fused=False, dead=False) -> keras.Model:
    """Redness above a threshold that grey and noise do not reach, smoothed; two units."""
    inputs = keras.Input((16, 16, 3))
    colour = keras.layers.Conv2D(2, 1, activation="relu" if fused else None, name="colour")
    x = rectify(colour(inputs))
    smooth = keras.layers.Conv2D(2, 3, padding="same", activation="relu", name="smooth")
    model = keras.Model(inputs, smooth(x))
    kernel = np.array([[1, 0], [-1, 1], [-1, 0]], np.float32) / 20
    colour.set_weights([kernel[None, None], np.array([-5.0, 0.0], np.float32)])
    kernel = np.zeros((3, 3, 2, 2), np.float32)
    kernel[:, :, 0, 0] = 0 if dead else 1 / 9
    kernel[:, :, 1, 1] = 1 / 9
    smooth.set_weights([kernel, np.array([-0.05, 0.0], np.float32)])
    return model


def _detectors() -> keras.Model:
    """A detector of each spelling, side by side: compiled together, they take half the time."""
    inputs = keras.Input((16, 16, 3))
    parts = [_detector(made, fused=name == "fused") for name, made in _SPELLINGS.items()]
    joined = keras.layers.Concatenate(name="side_by_side")([part(inputs) for part in parts])
    return keras.Model(inputs, joined)


def _raise(net: Network, channel: int, steps: int = 60) -> tuple[float, np.ndarray]:
    objective = 10 * objectives.neuron("smooth", [channel])
    settings = preimages.Maximization(steps=steps, parameterization="pixels")
    *_, progress = activation_maximization.iterate(net, objective, size=(16, 16), settings=settings)
    answers = preimages.features(net, "smooth", progress.kept).numpy()
    return float(answers[0, 8, 8, channel]), progress.kept


class WakingTest(tf.test.TestCase):
    def test_a_unit_behind_silent_ones_is_raised_however_they_are_spelled(self):
        net = network.wrap(_detectors())
        grey = np.full((1, 16, 16, 3), 127.5, np.float32)
        before = preimages.features(net, "side_by_side", grey).numpy()[0, 8, 8]
        # Of the two units of each the first one. A picture for each, as if alone.
        channels = list(range(0, 2 * len(_SPELLINGS), 2))
        objective = 10 * objectives.neuron("side_by_side", channels)
        settings = preimages.Maximization(steps=60, parameterization="pixels")
        *_, progress = activation_maximization.iterate(
            net, objective, size=(16, 16), seeds=(0,) * len(channels), settings=settings
        )
        answers = preimages.features(net, "side_by_side", progress.kept).numpy()[:, 8, 8]
        for k, name in enumerate(_SPELLINGS):
            with self.subTest(name):
                self.assertLessEqual(before[2 * k], 0.0)
                self.assertGreater(answers[k, 2 * k], 0.1)
                # It is of the unit's colour.
                red, green, blue = progress.kept[k, 6:11, 6:11].mean((0, 1))
                self.assertGreater(red, max(green, blue) + 50)

    def test_waking_changes_no_values(self):
        for name, rectify in _SPELLINGS.items():
            with self.subTest(name):
                net = network.wrap(_detector(rectify, fused=name == "fused"))
                other = net.waking(["smooth"], everywhere=True)
                images = nets.picture(16)[None]
                own, woken = (n.taps(["smooth"])(images)["smooth"] for n in (net, other))
                self.assertAllClose(own, woken, rtol=1e-6)

    def test_a_unit_that_is_alive_is_raised_as_ever(self):
        net = network.wrap(_detector(keras.ops.relu))
        answer, picture = _raise(net, 1, 20)
        self.assertGreater(answer, 1.0)

        def plain(network, answer_of, layers, look, start):
            own = answer_of(network)

            def energy(canvas, step):
                images, others = look(canvas, step)
                return {"objective": own(images)} | others

            return energy

        with mock.patch("tfvis.preimages.zero_gradients.energy", plain):
            self.assertAllEqual(_raise(net, 1, 20)[1], picture)

    def test_lbfgs_is_woken_before_it_begins_or_says_that_it_cannot_be(self):
        settings = preimages.Maximization(
            steps=20, parameterization="pixels", optimizer="lbfgs", jitter=1
        )
        objective = 10 * objectives.neuron("smooth", [0, 1])
        options = {"size": (16, 16), "seeds": (0, 0), "settings": settings}
        net = network.wrap(_detector(keras.ops.relu, dead=True))
        with self.assertRaisesRegex(
            PartError, "^smooth: .* asked of it begins silent in 1 of 2 pictures: .* optimizer=adam"
        ):
            activation_maximization.iterate(net, objective, **options)
        net = network.wrap(_detector(keras.ops.relu))
        *_, last = activation_maximization.iterate(net, objective, **options)
        answers = preimages.features(net, "smooth", last.kept).numpy()[:, 8, 8]
        self.assertAllGreater(np.diag(answers), 0.1)
        # What is alive is raised by it as ever.
        objective = 10 * objectives.neuron("smooth", [1])
        first, *_, last = activation_maximization.iterate(
            net, objective, size=(16, 16), settings=settings, marks=(0,)
        )
        before, after = (
            preimages.features(net, "smooth", pictures).numpy()[0, 8, 8, 1]
            for pictures in (first.images, last.kept)
        )
        self.assertGreater(after, before + 0.1)

    def test_what_nothing_wakes_ends_the_run_alone_and_stays_beside_others(self):
        net = network.wrap(_detector(keras.ops.relu, dead=True))
        with self.assertRaisesRegex(SilentError, "no pixel changes"):
            _raise(net, 0)
        objective = 10 * objectives.neuron("smooth", [0, 1])
        settings = preimages.Maximization(steps=20, parameterization="pixels")
        run = activation_maximization.iterate(
            net, objective, size=(16, 16), seeds=(0, 0), settings=settings
        )
        *_, last = run
        self.assertAllClose(last.kept[1], _raise(net, 1, 20)[1][0], atol=0.5)


class GradientlessTest(tf.test.TestCase):
    def test_whole_numbers_are_cast_in_front(self):
        for dtype in ("uint8", "int32", "int64"):
            inputs = keras.Input((16, 16, 3), dtype=dtype)
            x = keras.layers.Rescaling(1 / 255)(inputs)
            x = keras.layers.Conv2D(4, 3, activation="relu", name="conv")(x)
            net = network.wrap(keras.Model(inputs, x))
            start, end = _errors(net, "conv")
            self.assertLess(end, 0.5 * start)

    def test_arithmetic_of_whole_numbers_is_refused(self):
        inputs = keras.Input((16, 16, 3), dtype="uint8")
        wrapped = keras.ops.multiply(inputs, np.uint8(3))
        x = keras.layers.Conv2D(4, 3)(keras.layers.Rescaling(1 / 255)(wrapped))
        with self.assertRaisesRegex(InputError, "uint8 and computes in whole numbers"):
            network.wrap(keras.Model(inputs, x))

    def test_what_passes_no_gradient_is_refused_by_name(self):
        for name, cut in {
            "Round": keras.ops.round,
            "Floor": keras.ops.floor,
            "Cast": lambda x: keras.ops.cast(keras.ops.cast(x, "int32"), "float32"),
            # TensorFlow has no gradient of its ResizeArea.
            "Resizing": keras.layers.Resizing(8, 8, interpolation="area"),
        }.items():
            inputs = keras.Input((16, 16, 3))
            x = keras.layers.Conv2D(4, 3, name="conv")(inputs)
            x = keras.layers.Conv2D(4, 3, name="behind")(cut(x))
            net = network.wrap(keras.Model(inputs, x))
            target = nets.picture(16)
            with self.subTest(name):
                with self.assertRaisesRegex(InputError, f"none passes .*{name}"):
                    list(inversion.iterate(net, target, "behind"))
                with self.assertRaisesRegex(InputError, f"none passes .*{name}"):
                    list(caricatures.iterate(net, target, "behind"))
                _errors(net, "conv")

    def test_a_style_layer_that_passes_none_is_refused_beside_others(self):
        inputs = keras.Input((None, None, 3))
        x = keras.layers.Conv2D(4, 3, padding="same", name="conv")(inputs)
        x = keras.layers.Conv2D(4, 3, padding="same", name="behind")(keras.ops.round(x))
        net = network.wrap(keras.Model(inputs, x))
        scene = transfer.Scene(nets.picture(32), (nets.picture(32, seed=1),))
        settings = transfer.Transfer(
            recipe="gatys", content_layers=("conv",), style_layers=("conv", "behind"), evaluations=2
        )
        with self.assertRaisesRegex(InputError, "behind .*none passes .*Round"):
            list(transfer.iterate(net, scene, settings=settings))

    def test_a_style_layer_that_is_dead_is_refused_beside_others(self):
        inputs = keras.Input((None, None, 3))
        x = keras.layers.Conv2D(4, 3, padding="same", name="conv")(inputs)
        dead = keras.layers.Conv2D(4, 3, padding="same", activation="relu", name="dead")
        model = keras.Model(inputs, dead(x))
        dead.set_weights([np.zeros((3, 3, 4, 4)), np.full(4, -1.0)])
        net = network.wrap(model)
        scene = transfer.Scene(nets.picture(32), (nets.picture(32, seed=1),))
        for recipe in ("gatys", "quality"):
            settings = transfer.Transfer(
                recipe=recipe, content_layers=("conv",), style_layers=("conv", "dead"),
                evaluations=2,
            )  # fmt: skip
            with (
                self.subTest(recipe),
                self.assertRaisesRegex(
                    InputError, "^dead of .*: no pixel changes what it answers"
                ) as caught,
            ):
                list(transfer.iterate(net, scene, settings=settings))
            self.assertNotIn("\n", str(caught.exception))

    def test_gradients_of_a_layer_that_passes_none_are_refused(self):
        inputs = keras.Input((16, 16, 3))
        x = keras.ops.floor(keras.layers.Conv2D(4, 3, name="conv")(inputs))
        net = network.wrap(keras.Model(inputs, keras.layers.Conv2D(4, 3, name="behind")(x)))
        with self.assertRaisesRegex(InputError, "none passes .*Floor"):
            saliency.saliency(net, nets.picture(16)[None], (0, 3, 3), "behind")

    def test_a_derivative_of_zero_everywhere_is_refused(self):
        inputs = keras.Input((16, 16, 3))
        x = keras.ops.sign(keras.layers.Conv2D(4, 3, name="conv")(inputs))
        net = network.wrap(keras.Model(inputs, keras.layers.Conv2D(4, 3, name="behind")(x)))
        with self.assertRaisesRegex(SilentError, "no pixel changes"):
            list(inversion.iterate(net, nets.picture(16), "behind"))


def _errors(net: Network, layer: str) -> tuple[float, float]:
    """Returns the distance of the features before and after a short inversion."""
    settings = preimages.Inversion(steps=40, fine_steps=0, jitter=1)
    shown = list(inversion.iterate(net, nets.picture(16), layer, settings=settings, marks=(0,)))
    phi0 = preimages.features(net, layer, nets.picture(16)[None])
    first, last = (
        objectives.relative_error(preimages.features(net, layer, pictures), phi0)[0]
        for pictures in (shown[0].images, shown[-1].kept)
    )
    return first, last
