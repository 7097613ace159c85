"""L-BFGS from starts that a layer does not see: they are woken first, others stay as they are."""

import keras
import numpy as np
import tensorflow as tf

from tests import nets
from tfvis import objectives, preimages
from tfvis.errors import PartError
from tfvis.networks import network
from tfvis.optimize import optimizers
from tfvis.preimages import awake_starts, inversion


def _detector(strides: int = 1, threshold: float = 60.0):
    """Red above all other colours by so many grey levels, which neither grey nor noise is."""
    inputs = keras.Input((32, 32, 3))
    colour = keras.layers.Conv2D(1, 1, activation="relu", name="colour")
    mean = keras.layers.AveragePooling2D(strides, name="mean")
    model = keras.Model(inputs, mean(colour(inputs)))
    colour.set_weights([np.array([1, -1, -1], "f4").reshape(1, 1, 3, 1), np.array([-threshold])])
    return network.wrap(model)


def _bright() -> keras.Model:
    """Answers to what is nearly white only, to all of it alike."""
    inputs = keras.Input((32, 32, 3))
    layer = keras.layers.Conv2D(2, 3, activation="relu", name="bright")
    model = keras.Model(inputs, layer(inputs))
    layer.set_weights([np.full((3, 3, 3, 2), 1.0), np.full(2, -6e3)])
    return model


def _scene() -> np.ndarray:
    picture = np.full((32, 32, 3), 128, np.float32)
    picture[8:24, 8:24] = (240, 20, 20)
    return picture


def _inverted(net, layer, picture=None):
    picture = _scene() if picture is None else picture
    settings = preimages.Inversion(steps=60, fine_steps=0)
    runs = list(inversion.iterate(net, picture, layer, seeds=(0, 3), settings=settings))
    return runs, inversion.relative_errors(net, runs[-1].kept, picture, layer, settings)


class InversionTest(tf.test.TestCase):
    def test_what_noise_does_not_excite_is_found(self):
        for strides, layer, way in ((1, "colour", "pixels"), (4, "mean", "fourier")):
            net = _detector(strides)
            found = inversion.published(net, layer, (32, 32), preimages.Inversion())
            self.assertEqual((found.optimizer, found.parameterization), ("lbfgs", way))
            runs, errors = _inverted(net, layer)
            with self.subTest(layer):
                # 1 is that of grey.
                self.assertAllLess(errors, 0.1)
                middle = runs[-1].kept[:, 10:22, 10:22].mean((1, 2))
                self.assertAllGreater(middle[:, 0] - middle[:, 1:].sum(-1), 60)
            with self.subTest("resumed"):
                settings = preimages.Inversion(steps=60, fine_steps=0)
                *_, again = inversion.iterate(
                    net, _scene(), layer, seeds=(0, 3), settings=settings,
                    state=runs[1].snapshot.state,
                )  # fmt: skip
                self.assertAllEqual(again.kept, runs[-1].kept)

    def test_a_few_pixels_that_noise_woke_are_not_enough(self):
        # Noise excites a hundredth of the pixels, and none of the dots.
        net, dots = _detector(threshold=0.0), np.full((32, 32, 3), 128, np.float32)
        dots[3::8, 3::8] = (240, 20, 20)
        runs, errors = _inverted(net, "colour", dots)
        self.assertAllLess(errors, 0.1)
        # Between them little of the noise is left, whose steps are of 34 grey levels.
        between = runs[-1].kept[:, 5:10, 5:10]
        self.assertLess(np.abs(np.diff(between, axis=2)).mean(), 4.5)

    def test_restarts_stay_apart(self):
        runs, _ = _inverted(_detector(), "colour")
        self.assertNotAllClose(*runs[-1].kept, atol=0.05)


class AwakeTest(tf.test.TestCase):
    def _awake(self, start, net=None, **more):
        net = net or _detector()
        phi = preimages.features(net, "colour", _scene()[None])

        def answer_of(network):
            taps, objective = network.taps(["colour"]), objectives.feature_distance("colour", phi)
            return lambda images: objective(taps(images))

        def look(canvas, step):
            return canvas, {}

        found = awake_starts.awake(
            net, answer_of, ["colour"], look, start, optimizers.adam(),
            lambda x: tf.clip_by_value(x, 0.0, 255.0), 4.0, **more,
        )  # fmt: skip
        return found, preimages.features(net, "colour", found).numpy()

    def test_those_that_are_awake_keep_their_start(self):
        grey = np.full((32, 32, 3), 127.5, np.float32)
        start = np.stack([grey, _scene() * np.float32(0.9)])
        found, answers = self._awake(start)
        self.assertAllEqual(found[1], start[1])
        self.assertGreater(answers[0].max(), 0)
        # As if alone.
        self.assertAllClose(found[0], self._awake(start[:1])[0][0], atol=1e-3)

    def test_nothing_is_made_of_it_where_all_are_awake(self):
        net = nets.wrapped()
        settings = preimages.Inversion(steps=1, fine_steps=0)
        way = inversion.descending(
            net, nets.picture(16), "block1_conv1", (0,),
            inversion.published(net, "block1_conv1", (16, 16), settings),
        )  # fmt: skip
        noise = inversion.parameterizations.natural_noise((0,), 16, 16, 3, settings.prior.color)
        self.assertAllEqual(way.start, inversion._QUIET * noise)
        # The published recipe begins with all of it.
        settings = preimages.Inversion(recipe="published", optimizer="lbfgs", jitter=1)
        way = inversion.descending(
            net, nets.picture(16), "block1_conv1", (0,),
            inversion.published(net, "block1_conv1", (16, 16), settings),
        )  # fmt: skip
        self.assertAllEqual(way.start, noise)

    def test_calm_is_where_the_others_begin(self):
        grey = np.full((1, 32, 32, 3), 127.5, np.float32)
        noise = grey + np.random.default_rng(0).uniform(-5, 5, grey.shape).astype("f4")
        found, _ = self._awake(noise, calm=grey)
        self.assertAllEqual(found[0, :8], grey[0, :8])

    def test_what_is_reached_within_these_steps_is_no_failure(self):
        white = np.full((1, 32, 32, 3), 255, np.float32)
        net = network.wrap(_bright())
        *_, last = inversion.iterate(
            net, white[0], "bright", settings=preimages.Inversion(steps=20, fine_steps=0)
        )
        self.assertAllGreater(last.kept, 250)

    def test_what_stays_silent_is_said(self):
        # 60 and more grey levels are further than 50 steps of a half.
        with self.assertRaisesRegex(PartError, "^colour: .* after 50 steps .* optimizer=adam"):
            settings = preimages.Inversion(steps=5, fine_steps=0, rate=0.5)
            list(inversion.iterate(_detector(), _scene(), "colour", settings=settings))


if __name__ == "__main__":
    tf.test.main()
