"""Update rules against independent code, and the loop on energies with a known end."""

import keras
import numpy as np
import tensorflow as tf

from tfvis.optimize import lbfgs, loop, optimizers


def _bowl(target):
    def energy(x, step):
        del step
        return {"bowl": tf.reduce_sum(tf.square(x - target), [1, 2, 3])}

    return energy


def _bowl_plus_one(target):
    return lambda x, step: {"bowl": 1 + _bowl(target)(x, step)["bowl"]}


def _last(snapshots):
    for snapshot in snapshots:
        last = snapshot
    return last


def _steps(rule, x, gradients, slots=None, first=0, rate=0.1):
    """Returns (x, slots) after one step of the rule per gradient."""
    x = tf.convert_to_tensor(x)
    slots = rule.init(x) if slots is None else slots
    for step, gradient in enumerate(gradients, first):
        x, slots = rule.apply(x, None, gradient, slots, tf.constant(rate), tf.constant(step))
    return x, slots


class UpdatesTest(tf.test.TestCase):
    def test_leaky_adagrad_is_the_published_rule(self):
        generator = np.random.default_rng(0)
        x = np.float64(1.0)
        squares = change = np.float64(0)
        rule = optimizers.leaky_adagrad()
        image = tf.constant([1.0])
        slots = rule.init(image)
        for step in range(20):
            g = generator.normal()
            squares = 0.9 * squares + g**2
            change = 0.9 * change - g / (1 / 5.0 + np.sqrt(squares))
            x += change
            image, slots = rule.apply(
                image,
                None,
                tf.constant([g], tf.float32),
                slots,
                tf.constant(5.0),
                tf.constant(step),
            )
        self.assertAllClose(image, [x], rtol=1e-5)

    def test_adam_is_keras_adam(self):
        gradients = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
        variable = keras.Variable(np.zeros(4, np.float32))
        theirs = keras.optimizers.Adam(0.1, epsilon=1e-12)
        rule = optimizers.adam()
        ours = tf.zeros(4)
        slots = rule.init(ours)
        for step, gradient in enumerate(gradients):
            theirs.apply_gradients([(tf.constant(gradient), variable)])
            ours, slots = rule.apply(
                ours, None, gradient, slots, tf.constant(0.1), tf.constant(step)
            )
        self.assertAllClose(ours, variable.numpy(), rtol=1e-4)

    def test_adam_goes_on_from_moments_handed_over(self):
        gradients = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
        rule = optimizers.adam(0.9, 0.99)
        x, _ = _steps(rule, np.zeros(4, np.float32), gradients)
        middle, moments = _steps(rule, np.zeros(4, np.float32), gradients[:12])
        for done, same in ((12, True), (0, False)):
            rest, _ = _steps(optimizers.adam(0.9, 0.99, done=done), middle, gradients[12:], moments)
            # Forgotten, the correction of 12 steps is made twice.
            self.assertEqual(np.allclose(rest, x, rtol=1e-5), same)

    def test_averaged_shows_the_mean_of_what_was_evaluated(self):
        gradients = np.random.default_rng(0).normal(size=(30, 2, 4)).astype(np.float32)
        start = np.random.default_rng(1).normal(size=(2, 4)).astype(np.float32)
        rule = optimizers.averaged(optimizers.adam(), 0.9)
        x, slots = tf.constant(start), rule.init(tf.constant(start))
        self.assertAllEqual(rule.result(x, slots), start)
        points, plain, moments = [], start, None
        for gradient in gradients:
            points.append(np.float64(x))
            x, slots = _steps(rule, x, gradient[None], slots, first=len(points) - 1)
            plain, moments = _steps(
                optimizers.adam(), plain, gradient[None], moments, first=len(points) - 1
            )
            # The rule itself goes its way.
            self.assertAllEqual(x, plain)
            weights = 0.9 ** np.arange(len(points))[::-1]
            mean = np.average(points, 0, weights)
            self.assertAllClose(rule.result(x, slots), mean, rtol=1e-4, atol=1e-5)

    def test_annealed_rates_fall_along_a_cosine_in_the_second_half(self):
        rates = []

        def apply(x, value, gradient, slots, rate, step):
            rates.append(float(rate))
            return x, slots

        rule = optimizers.annealed(optimizers.Update(lambda x: (), apply), 40, last=0.1)
        _steps(rule, np.zeros(1, np.float32), np.zeros((45, 1), np.float32), rate=3.0)
        self.assertAllClose(rates[:21], np.full(21, 3.0))
        fallen = 0.1 + 0.9 * np.cos(np.arange(1, 20) / 20 * np.pi / 2) ** 2
        self.assertAllClose(rates[21:40], 3.0 * fallen, rtol=1e-5)
        # Past the end it stays.
        self.assertAllClose(rates[40:], np.full(5, 0.3))

    def test_annealed_leaves_the_rest_of_a_rule(self):
        inner = lbfgs.lbfgs()
        rule = optimizers.annealed(inner, 10)
        self.assertEqual(rule._replace(apply=inner.apply), inner)


class WeightsTest(tf.test.TestCase):
    """A loop whose terms have weights."""

    def setUp(self):
        super().setUp()
        self.target = np.random.default_rng(0).normal(size=(2, 3, 3, 1)).astype(np.float32)
        self.start = np.zeros_like(self.target)

    def _run(self, energy, weights=None, rule=None, rate=0.1):
        machine = loop.Loop(energy, rule or optimizers.adam(), lambda x: x, weights=weights)
        return list(machine.run([loop.Stage(25, rate)], self.start))

    def _energy(self, x, step):
        near, far = _bowl(self.target)(x, step)["bowl"], _bowl(-self.target)(x, step)["bowl"]
        return {"near": near, "far": far}

    def test_the_weighted_sum_is_made_small_and_terms_are_not_weighted(self):
        def by_hand(x, step):
            terms = self._energy(x, step)
            return {"sum": 3 * terms["near"] + terms["far"]}

        ours = self._run(self._energy, {"near": 3.0, "nobody's": 7.0})
        theirs = self._run(by_hand)
        for one, other in zip(ours, theirs, strict=True):
            self.assertAllClose(one.canvas, other.canvas, rtol=1e-5)
            self.assertAllClose(one.energies, other.terms["sum"], rtol=1e-5)
            self.assertAllClose(3 * one.terms["near"] + one.terms["far"], one.energies, rtol=1e-5)
        first = np.square(self.target).sum((1, 2, 3))
        self.assertAllClose(ours[0].terms["near"][0], first)
        self.assertAllClose(ours[0].energies[0], 4 * first)
        # The minimum of 3 (x - t)^2 + (x + t)^2.
        rule = lbfgs.lbfgs()
        end = self._run(self._energy, {"near": 3.0}, rule, rate=1.0)[-1]
        self.assertAllClose(end.state.kept, self.target / 2, atol=1e-3)

    def test_a_term_that_weighs_nothing_is_watched_and_not_differentiated(self):
        differentiated = []

        @tf.custom_gradient
        def watched(x):
            def gradient(upstream):
                differentiated.append(True)
                return float("nan") * x

            return tf.reduce_max(x, [1, 2, 3]) / 0, gradient

        def energy(x, step):
            return _bowl(self.target)(x, step) | {"watched": watched(x)}

        ours = self._run(energy, {"watched": 0.0})
        theirs = self._run(_bowl(self.target))
        self.assertEmpty(differentiated)
        self.assertAllEqual(ours[-1].state.kept, theirs[-1].state.kept)
        for one, other in zip(ours, theirs, strict=True):
            self.assertAllEqual(one.energies, other.energies)
            # 0 / 0 at the start, a number / 0 later.
            self.assertFalse(np.isfinite(one.terms["watched"]).any())
        with self.assertRaises(loop.DivergedError):
            self._run(energy, {"watched": 1e-9})
        self.assertNotEmpty(differentiated)

    def test_energies_are_those_the_rule_judges_by(self):
        # A first trial far too long: it is watched, and the energy stays that of the start.
        snapshots = self._run(self._energy, {"near": 3.0}, lbfgs.lbfgs(), rate=100.0)
        terms = np.concatenate([3 * s.terms["near"] + s.terms["far"] for s in snapshots])
        energies = np.concatenate([s.energies for s in snapshots])
        self.assertEqual(energies.shape, (25, 2))
        self.assertAllGreater(terms[1] / terms[0], 10)
        self.assertAllEqual(energies[1], energies[0])
        # Up to the rounding of a sum of two terms.
        self.assertAllClose(energies, np.minimum.accumulate(terms, 0), rtol=1e-5)


class LoopTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.target = np.random.default_rng(0).normal(size=(2, 4, 4, 1)).astype(np.float32)
        self.start = np.zeros_like(self.target)

    def _loop(self, energy=None, **kwargs):
        return loop.Loop(energy or _bowl(self.target), optimizers.adam(), lambda x: x, **kwargs)

    def test_reaches_the_bottom_and_counts_its_steps(self):
        machine = self._loop()
        snapshots = list(machine.run([loop.Stage(205, 0.1), loop.Stage(105, 0.01)], self.start))
        self.assertAllClose(snapshots[-1].state.canvas, self.target, atol=1e-3)
        self.assertEqual(snapshots[-1].done, 310)
        history = np.concatenate([s.terms["bowl"] for s in snapshots])
        self.assertEqual(history.shape, (310, 2))
        self.assertAllClose(history[0], np.square(self.target).sum((1, 2, 3)), rtol=1e-5)

    def test_one_trace_per_shape_of_canvas(self):
        def energy(x, step):
            del step
            return {"size": tf.reduce_sum(tf.square(x), [1, 2, 3])}

        machine = self._loop(energy)
        stages = [loop.Stage(25, 0.1, margin=2), loop.Stage(23, 0.01), loop.Stage(3, 0.001)]
        _last(machine.run(stages, np.ones((1, 6, 6, 1), np.float32)))
        self.assertEqual(machine.traces, 2)

    def test_resuming_at_any_chunk_gives_the_same_bits(self):
        machine = self._loop()
        stages = [loop.Stage(23, 0.1), loop.Stage(15, 0.02)]
        whole = list(machine.run(stages, self.start))
        for snapshot in whole[:-1]:
            rest = _last(machine.run(stages, self.start, snapshot.state))
            self.assertAllEqual(rest.state.canvas, whole[-1].state.canvas)
            self.assertEqual(rest.done, 38)

    def test_an_image_in_a_batch_moves_as_alone(self):
        both = _last(self._loop().run([loop.Stage(30, 0.1)], self.start))
        alone = _last(self._loop(_bowl(self.target[1:])).run([loop.Stage(30, 0.1)], self.start[1:]))
        self.assertAllEqual(both.state.canvas[1:], alone.state.canvas)

    def test_not_a_number_stops_with_the_last_good_state(self):
        def energy(x, step):
            poison = tf.where(step < 14, 0.0, float("nan"))
            return {"bowl": tf.reduce_sum(tf.square(x - self.target), [1, 2, 3]) + poison}

        states = []
        with self.assertRaises(loop.DivergedError) as caught:
            for snapshot in self._loop(energy).run([loop.Stage(40, 0.1)], self.start):
                states.append(snapshot)
        self.assertEqual(caught.exception.step, 14)
        self.assertEqual(states[-1].done, 14)
        self.assertAllEqual(np.isfinite(caught.exception.state.canvas), np.ones_like(self.start))
        self.assertAllEqual(caught.exception.state.canvas, states[-1].state.canvas)

    def test_marks_change_nothing_but_when_it_yields(self):
        machine = self._loop()
        stages = [loop.Stage(23, 0.1), loop.Stage(15, 0.02)]
        plain = list(machine.run(stages, self.start))
        marked = list(machine.run(stages, self.start, marks=(0, 1, 7, 25)))
        self.assertEqual([s.done for s in plain], [10, 20, 23, 33, 38])
        self.assertEqual([s.done for s in marked], [0, 1, 7, 10, 20, 23, 25, 33, 38])
        self.assertAllEqual(marked[0].canvas, self.start)
        self.assertAllEqual(marked[-1].state.kept, plain[-1].state.kept)
        self.assertAllEqual(marked[-1].state.kept_energy, plain[-1].state.kept_energy)
        rest = _last(machine.run(stages, self.start, marked[2].state))
        self.assertAllEqual(rest.state.kept, plain[-1].state.kept)

    def test_the_best_image_is_kept(self):
        # From step 20 on the bowl is elsewhere, and what was best is left behind.
        def energy(x, step):
            away = tf.where(step < 20, 0.0, 5.0)
            return {"bowl": tf.reduce_sum(tf.square(x - self.target - away), [1, 2, 3])}

        snapshots = list(self._loop(energy).run([loop.Stage(60, 0.3)], self.start))
        self.assertAllEqual(snapshots[-1].state.kept, snapshots[1].canvas)
        self.assertNotAllClose(snapshots[-1].canvas, snapshots[1].canvas, atol=0.5)

    def test_a_rule_that_tries_may_meet_what_is_not_finite(self):
        # Beyond 3 there is nothing, and the first trial goes there.
        def energy(x, step):
            bowl = _bowl(self.target)(x, step)["bowl"]
            return {"bowl": tf.where(tf.reduce_max(tf.abs(x), [1, 2, 3]) > 3, np.inf, bowl)}

        rule = lbfgs.lbfgs()
        machine = loop.Loop(energy, rule, lambda x: x)
        snapshots = list(machine.run([loop.Stage(40, 20.0)], self.start))
        self.assertTrue(np.isinf(snapshots[0].terms["bowl"]).any())
        last = snapshots[-1]
        self.assertAllClose(last.state.kept, self.target, atol=1e-3)

    def test_each_image_stops_on_its_own(self):
        # The first image has nowhere to go; the second goes on for longer.
        start = np.stack([self.target[0], self.target[1] + 3])
        stop = loop.Stop(0.01, 20)
        stages = [loop.Stage(400, 0.05), loop.Stage(10, 0.01)]

        def energy(x, step):
            del step
            return {"bowl": 1 + tf.reduce_sum(tf.square(x - self.target), [1, 2, 3])}

        snapshots = list(self._loop(energy).run(stages, start, stop=stop))
        first = next(s for s in snapshots if s.state.stopped[0])
        self.assertEqual(first.done, 40)
        self.assertFalse(first.state.stopped[1])
        end = next(i for i, s in enumerate(snapshots) if s.state.stopped.all())
        # The rest of the stage is left out, and counted as done.
        self.assertEqual(snapshots[end].done, 400)
        self.assertLess(sum(len(s.terms["bowl"]) for s in snapshots), 400)
        self.assertEqual(snapshots[-1].done, 410)
        self.assertAllClose(snapshots[-1].state.kept, self.target, atol=0.1)
        alone = list(self._loop(_bowl_plus_one(self.target[1:])).run(stages, start[1:], stop=stop))
        self.assertAllEqual(alone[-1].state.kept, snapshots[-1].state.kept[1:])

    def test_cut_keeps_the_centre(self):
        canvas = np.arange(49, dtype=np.float32).reshape(1, 7, 7, 1)
        self.assertAllEqual(loop.cut(canvas, 4)[0, ..., 0], canvas[0, 2:5, 2:5, 0])
        self.assertAllEqual(loop.cut(canvas, 0), canvas)
