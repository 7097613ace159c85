"""Transfers: what they make small, how they go on, and what they do when they cannot."""

from unittest import mock

import numpy as np
import scipy.optimize
import tensorflow as tf
from absl.testing import parameterized

from tests import nets
from tests.transfers import LAYERS, settings_of, small_network, small_scene, stylized
from tfvis import images
from tfvis.errors import InputError
from tfvis.optimize import loop
from tfvis.style import losses, targets, transfer
from tfvis.style import settings as constants
from tfvis.style.settings import OPTIMIZERS, RECIPES


def _energies(progress) -> np.ndarray:
    return np.concatenate([p.snapshot.energies for p in progress])


class GatysTest(tf.test.TestCase):
    def _energy(self, net, scene, ratio):
        """The energy written from the paper's formulas, features apart: x -> (E, dE/dx)."""
        taps = net.taps(LAYERS)
        content = taps(tf.constant(scene.content[None]))[LAYERS[1]]
        grams = {
            layer: tf.einsum("bhwi,bhwj->ij", f, f) / f.shape[1] / f.shape[2]
            for layer, f in taps(tf.constant(scene.styles[0][None])).items()
        }

        @tf.function
        def energy(x):
            with tf.GradientTape() as tape:
                tape.watch(x)
                found = taps(x)
                total = tf.reduce_mean((found[LAYERS[1]] - content) ** 2)
                for layer, wanted in grams.items():
                    f = found[layer]
                    gram = tf.einsum("bhwi,bhwj->ij", f, f) / f.shape[1] / f.shape[2]
                    total += ratio / f.shape[-1] ** 2 * tf.reduce_mean((gram - wanted) ** 2)
            return total, tape.gradient(total, x)

        return energy

    def test_beside_scipy(self):
        # Average poolings, as in the paper: of the many basins of maximum poolings any two
        # methods find different ones.
        net, scene, count = nets.wrapped(variant=("avg", "post")), small_scene(), 60
        settings = settings_of("gatys", ratio=3e4, evaluations=count)
        progress = stylized(scene, settings, net, marks=(1,))
        energy, values = self._energy(net, scene, 3e4), []
        # The first trial goes down the gradient, by so many grey levels at most, inside 0..255.
        start = scene.content[None]
        gradient = energy(tf.constant(start))[1].numpy()
        rate = constants._LBFGS_RATES["gatys"]
        first = np.clip(start - rate * gradient / np.abs(gradient).max(), 0, 255)
        self.assertAllClose(progress[0].snapshot.state.canvas, first, atol=1e-3)

        def function(x):
            value, gradient = energy(tf.constant(x.reshape(start.shape), tf.float32))
            values.append(float(value))
            return values[-1], np.float64(gradient).ravel()

        scipy.optimize.minimize(
            function, np.float64(start).ravel(), jac=True, method="L-BFGS-B",
            bounds=[(0, 255)] * start.size,
            options={"maxcor": 20, "maxfun": count, "maxiter": count, "ftol": 0, "gtol": 0},
        )  # fmt: skip
        ours, theirs = _energies(progress)[:, 0], np.minimum.accumulate(values[:count])
        self.assertAllClose(ours[0], theirs[0], rtol=1e-4)
        self.assertLess(ours[-1], 0.3 * ours[0])
        self.assertBetween(ours[-1] / theirs[-1], 0.98, 1.02)

    def test_layers_weigh_as_told(self):
        scene = small_scene()

        def ended(recipe, **constants):
            settings = settings_of(recipe, evaluations=20, **constants)
            return stylized(scene, settings)[-1]

        for recipe in RECIPES:
            usual = ended(recipe, ratio=3e4)
            alike = ended(recipe, ratio=3e4, style_layer_weights=(1.0, 1.0))
            self.assertAllEqual(usual.kept, alike.kept)
            # All alike ten times as much is the ratio.
            tenfold = ended(recipe, ratio=3e4, style_layer_weights=(10.0, 10.0))
            self.assertAllClose(tenfold.kept, ended(recipe, ratio=3e5).kept, atol=1e-2)
            # A heavier layer comes nearer, the other less near.
            heavy = ended(recipe, ratio=3e4, style_layer_weights=(1.0, 100.0))
            deep = f"style {LAYERS[1]}"
            self.assertLess(heavy.snapshot.terms[deep][-1], usual.snapshot.terms[deep][-1])
        # A layer of weight 0 is as one that is not asked for, and only measured.
        none = ended("gatys", ratio=3e4, style_layer_weights=(1.0, 0.0))
        alone = ended("gatys", ratio=3e4, style_layers=LAYERS[:1])
        self.assertAllClose(none.kept, alone.kept, atol=1e-2)
        self.assertIn(f"style {LAYERS[1]}", none.snapshot.terms)
        # A content of weight w by a style of weight 1 is one of 1 by a style of 1 / w.
        light = ended("gatys", ratio=3e4, content_layer_weights=(0.1,), tv_weight=0.0)
        self.assertAllClose(light.kept, ended("gatys", ratio=3e5, tv_weight=0.0).kept, atol=1e-1)

    def test_weights_that_are_not_the_layers(self):
        for weights, words in (
            ({"style_layer_weights": (1.0,)}, "style_layer_weights=1: expected 2 numbers"),
            ({"style_layer_weights": (1.0, -1.0)}, "none below 0"),
            ({"style_layer_weights": (0.0, 0.0)}, "not all 0"),
            ({"content_layer_weights": (float("inf"),)}, "expected finite numbers"),
            ({"content_layer_weights": (1.0, 2.0)}, "expected 1 number, one for each"),
        ):
            with self.subTest(words), self.assertRaisesRegex(InputError, words):
                stylized(small_scene(), settings_of("gatys", evaluations=2, **weights))

    def test_the_energy_falls_and_never_rises(self):
        settings = settings_of("gatys", tv_weight=1e-6)
        progress = stylized(settings=settings, seeds=(0, 1))
        energies = _energies(progress)
        self.assertEqual(energies.shape, (30, 2))
        # Up to the rounding that L-BFGS allows itself.
        self.assertAllLessEqual(np.diff(energies, axis=0) / energies[:-1], 1e-6)
        self.assertAllLess(energies[-1] / energies[0], 0.6)
        terms = {k: v[0] for k, v in progress[0].snapshot.terms.items()}
        self.assertEqual(
            set(terms), {"content block2_conv1", *(f"style {k}" for k in LAYERS), "tv"}
        )
        tv = 1e-6 * terms.pop("tv")
        self.assertAllClose(energies[0], sum(terms.values()) + tv, rtol=1e-5)
        # From the content itself, and in 0..255 all the way.
        self.assertAllClose(terms["content block2_conv1"], [0, 0], atol=1e-10)
        for p in progress:
            self.assertAllInRange(p.images, 0, 255)
            self.assertAllInRange(p.kept, 0, 255)
        self.assertEqual(progress[-1].kept.shape, (2, 24, 30, 3))
        self.assertAllClose(progress[-1].kept[0], progress[-1].kept[1])
        self.assertEqual({p.total for p in progress}, {30})

    def test_adam_keeps_in_range_and_comes_near(self):
        scene = transfer.Scene(nets.oblong(24, 30) * 1.2 - 25, small_scene().styles)
        progress = stylized(scene, settings_of("gatys", "adam", evaluations=60))
        energies = _energies(progress)
        self.assertLess(energies[-10:].mean(), 0.7 * energies[0])
        for p in progress:
            self.assertAllInRange(p.snapshot.state.canvas, 0, 255)
            self.assertAllInRange(p.kept, 0, 255)

    def test_reconstructions_and_textures(self):
        for recipe, optimizer in (("gatys", "lbfgs"), ("quality", "adam")):
            content = nets.oblong(24, 30)
            settings = settings_of(recipe, optimizer, init="noise", evaluations=40)
            progress = stylized(transfer.Scene(content, ()), settings)
            self.assertEqual(set(progress[0].snapshot.terms), {"content block2_conv1"})
            energies = _energies(progress)
            self.assertLess(energies[-1], 0.2 * energies[0])
            texture = transfer.Scene(None, (content,), shape=(26, 22))
            progress = stylized(texture, settings_of(recipe, optimizer, evaluations=40))
            self.assertEqual(progress[-1].kept.shape, (1, 26, 22, 3))
            self.assertFalse([k for k in progress[0].snapshot.terms if k.startswith("content")])
            last = progress[-1].snapshot.terms
            first = next(p for p in progress if p.images.shape[1] == 26).snapshot.terms
            for layer in LAYERS:
                self.assertLess(last[f"style {layer}"][-1], first[f"style {layer}"][0])

    def test_regions_take_their_styles(self):
        left = np.tile(np.arange(30) < 15, (24, 1))
        # Dark and bright: where a region is tells what it took.
        dark, bright = (np.full((16, 16, 3), level, np.float32) for level in (30, 220))
        dark, bright = dark + nets.oblong(16, 16) / 20, bright - nets.oblong(16, 16) / 20
        regions = (targets.Region(left, 0, None), targets.Region(~left, 1, None))
        scene = transfer.Scene(np.full((24, 30, 3), 128, np.float32), (dark, bright), (), regions)
        settings = settings_of("gatys", ratio=1e5, content_layers=())
        kept = stylized(scene, settings)[-1].kept[0].mean(-1)
        self.assertLess(kept[:, :13].mean(), kept[:, 17:].mean() - 60)


class StartTest(tf.test.TestCase):
    def _starts(self, scene, **kwargs):
        settings = settings_of("gatys", evaluations=1, **kwargs)
        return next(
            transfer.iterate(small_network(), scene, seeds=(3, 4), settings=settings, marks=(0,))
        )

    def test_starts(self):
        scene = small_scene()
        start = self._starts(scene)
        self.assertEqual((start.snapshot.done, start.snapshot.terms), (0, {}))
        self.assertAllClose(start.images, [scene.content] * 2)
        style = self._starts(scene, init="style").images
        self.assertAllClose(style, [images.resize(scene.styles[0], 24, 30)] * 2)
        noise = self._starts(scene, init="noise").images
        self.assertEqual(noise.shape, (2, 24, 30, 3))
        self.assertAllInRange(noise, 0, 255)
        self.assertGreater(noise[0].std(), 20)
        self.assertGreater(np.abs(noise[0] - noise[1]).mean(), 20)
        self.assertAllEqual(self._starts(scene, init="noise").images, noise)
        # Without a content there is none to start from.
        texture = transfer.Scene(None, scene.styles, shape=(24, 30))
        self.assertAllEqual(self._starts(texture).images, noise)


class QualityTest(tf.test.TestCase):
    def _begun(self, settings, **kwargs):
        """All progress, and (stages, state) that each scale began with."""
        begun = []
        run = loop.Loop.run

        def spy(self, stages, canvas, state=None, **kwargs):
            begun.append((stages, state))
            return run(self, stages, canvas, state, **kwargs)

        with mock.patch.object(loop.Loop, "run", spy):
            return stylized(small_scene(32, 40), settings, **kwargs), begun

    def test_hands_over_from_scale_to_scale(self):
        settings = settings_of("quality", "adam")
        progress, begun = self._begun(settings, seeds=(0, 1), marks=(19,))
        sizes = [level.size for level in self._schedule((32, 40), 30)]
        self.assertLen(sizes, 3)
        self.assertEqual([state.canvas.shape[1:3] for _, state in begun], sizes)
        self.assertEqual([stages[0].steps for stages, _ in begun], [18, 9, 21])
        # The first step of the second scale is Adam's nineteenth.
        after = progress.pop(2).snapshot.state
        (beta1, beta2), rate = (
            transfer._ADAM_BETAS,
            transfer.resolved(settings_of("quality", "adam")).rate,
        )
        scale = rate * np.sqrt(1 - beta2**19) / (1 - beta1**19)
        first, second = (slot.numpy() for slot in after.slots[:2])
        moved = np.clip(begun[1][1].canvas - scale * first / np.sqrt(second), 0, 255)
        self.assertAllClose(after.canvas, moved, atol=1e-3)
        self.assertEqual([p.snapshot.done for p in progress], [10, 18, 27, 37, 47, 48])
        self.assertEqual([p.snapshot.state.stage for p in progress], [0, 0, 1, 2, 2, 2])
        self.assertEqual({p.total for p in progress}, {48})
        self.assertEqual([progress[k].images.shape[1:3] for k in (1, 2, 5)], sizes)
        for k, end in ((1, 1), (2, 2)):
            old, new = progress[end].snapshot.state, begun[k][1]
            # With what the smaller picture could not hold of the content.
            content = small_scene(32, 40).at(sizes[k]).content
            fine = content - images.resize(images.resize(content, *sizes[k - 1]), *sizes[k])
            self.assertGreater(np.abs(fine).max(), 1)
            for mine, theirs in zip(new.canvas, old.kept, strict=True):
                moved = np.clip(images.resize(theirs, *sizes[k]) + fine, 0, 255)
                self.assertAllClose(mine, moved, atol=1e-3)
            first, second, average, weight = new.slots
            for slot, method in ((first, "bicubic"), (second, "bilinear")):
                i = int(slot is second)
                theirs = tf.image.resize(old.slots[i], sizes[k], method)
                self.assertAllClose(slot, tf.maximum(theirs, 0) if i else theirs)
                self.assertGreater(np.abs(slot).max(), 0)
            self.assertAllGreaterEqual(second, 0)
            self.assertAllEqual(average, np.zeros_like(average))
            self.assertAllEqual(weight, np.zeros_like(weight))

    def _schedule(self, size, evaluations):
        with mock.patch.object(transfer, "_SMALLEST", 16):
            return transfer.schedule(size, settings_of("quality", evaluations=evaluations))

    def test_other_starts_get_no_detail_of_the_content(self):
        for init in ("noise", "style"):
            settings = settings_of("quality", "adam", init=init, evaluations=10)
            progress, begun = self._begun(settings)
            old = [p for p in progress if p.snapshot.state.stage == 0][-1].snapshot.state
            start, (height, width) = begun[1][1].canvas, begun[1][1].canvas.shape[1:3]
            self.assertAllClose(start[0], images.resize(old.kept[0], height, width), atol=1e-3)

    def test_comes_nearer_to_the_style_and_keeps_in_range(self):
        for optimizer in OPTIMIZERS:
            progress = stylized(settings=settings_of("quality", optimizer, evaluations=40))
            shapes = [name for name in progress[0].snapshot.terms if name.startswith("shape")]
            self.assertLen(shapes, 2)
            last = [p for p in progress if p.snapshot.state.stage == 1]
            energies = _energies(last)
            plain = stylized(settings=settings_of("gatys", evaluations=1))[0].snapshot.terms
            for layer in LAYERS:
                # The style comes nearer, by Gram matrices as well.
                ours = last[-1].snapshot.terms[f"style {layer}"][-1]
                self.assertLess(ours, 0.5 * plain[f"style {layer}"][0])
            self.assertLessEqual(energies[-1], energies[0])
            for p in progress:
                self.assertAllInRange(p.kept, 0, 255)
                self.assertAllInRange(p.images, 0, 255)

    def test_answers_of_any_strength_make_the_same_picture(self):
        # ReLU and pooling are homogeneous: all energies of a network whose answers are a
        # hundredth are a ten thousandth, that of smoothness as well, or the picture ends flat.
        faint, settings = nets.wrapped(), settings_of("quality", tv_weight=0.1, evaluations=40)
        for number, layer in enumerate(
            layer for layer in faint.graph.layers.values() if layer.weights
        ):
            kernel, bias = layer.get_weights()
            layer.set_weights([kernel * (1 if number else 0.01), bias * 0.01])
        usual, weak = stylized(settings=settings), stylized(settings=settings, net=faint)
        self.assertAllClose(_energies(weak)[0], 1e-4 * _energies(usual)[0], rtol=1e-4)
        self.assertGreater(
            weak[-1].snapshot.terms["tv"][-1], 0.5 * usual[-1].snapshot.terms["tv"][-1]
        )


class ResumeTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.product(recipe=RECIPES, optimizer=OPTIMIZERS)
    def test_resumed_from_any_state_gives_the_same_bits(self, recipe, optimizer):
        settings = settings_of(recipe, optimizer, evaluations=16, init="noise")
        whole = stylized(settings=settings, seeds=(1, 2), marks=(0, 3, 13, 18))
        # The resumed ones have no marks, which change nothing but when it yields.
        done = [p.snapshot.done for p in whole]
        quality = recipe == "quality"
        self.assertEqual(done, [0, 3, 10, 13, 18, 20, 21] if quality else [0, 3, 10, 13, 16])
        # Within a scale, off a chunk; or at its end, and within the next one.
        for at in (10, 18) if quality else (3, 13):
            state = whole[done.index(at)].snapshot.state
            # As from a file.
            state = loop.State(
                **{k: v for k, v in vars(state).items() if k != "slots"},
                slots=tuple(np.array(slot) for slot in state.slots),
            )
            rest = stylized(settings=settings, seeds=(1, 2), state=state)
            self.assertAllEqual(rest[-1].kept, whole[-1].kept)
            self.assertAllEqual(rest[-1].images, whole[-1].images)
            self.assertEqual(rest[-1].snapshot.done, done[-1])
            self.assertGreater(rest[0].snapshot.done, at)
        self.assertEmpty(stylized(settings=settings, seeds=(1, 2), state=whole[-1].snapshot.state))


class DivergedTest(tf.test.TestCase):
    def _run(self, *poisoned, optimizer="adam", **kwargs):
        """A transfer whose energy is no number at evaluations of these ranges."""
        unit, count = losses.unit, tf.Variable(0)

        def poisoning(found, goal):
            now = count.assign_add(1)
            bad = tf.reduce_any([(now >= low) & (now < high) for low, high in poisoned])
            poison = tf.where(bad, float("nan"), 0.0)
            return {name: term + poison for name, term in unit(found, goal).items()}

        with mock.patch.object(losses, "unit", poisoning):
            settings = settings_of("gatys", optimizer, evaluations=40)
            yield from transfer.iterate(small_network(), small_scene(), settings=settings, **kwargs)

    def test_goes_on_once_from_the_best_with_shorter_steps(self):
        # A mark ends the chunk at 17, and the poison with it.
        progress = list(self._run((15, 18), marks=(17,)))
        self.assertEqual([p.snapshot.done for p in progress], [10, 14, 17, 20, 30, 40])
        before, last, after = progress[:3]
        # Adam moves each pixel by about the rate: of 5.1, and then of a tenth.
        canvases = [p.snapshot.state.canvas for p in (before, last, after)]
        self.assertGreater(np.abs(canvases[0] - small_scene().content).max(), 3 * 0.55)
        self.assertGreater(np.abs(canvases[1] - canvases[0]).max(), 3 * 0.55)
        self.assertBetween(np.abs(canvases[2] - last.kept).max(), 0.2, 3 * 0.55)
        energies = _energies(progress)
        self.assertEqual(energies.shape, (40, 1))
        self.assertTrue(np.isfinite(energies).all())
        self.assertLess(energies[-1], energies[0])

    def test_goes_on_with_the_shorter_steps_after_an_interruption(self):
        whole = list(self._run((15, 18), marks=(17,)))
        self.assertEqual([p.snapshot.state.slowed for p in whole], [1.0] * 2 + [0.1] * 4)
        state = whole[3].snapshot.state
        rest = list(self._run((99, 99), state=state))
        self.assertEqual([p.snapshot.done for p in rest], [30, 40])
        self.assertAllEqual(rest[-1].kept, whole[-1].kept)
        # The second divergence counts as such.
        with self.assertRaises(loop.DivergedError):
            list(self._run((5, 99), state=state))

    def test_gives_up_the_second_time(self):
        progress = []
        with self.assertRaises(loop.DivergedError) as caught:
            for one in self._run((15, 21), (30, 99)):
                progress.append(one)
        # 14 before the first, 9 before the second.
        self.assertEqual([p.snapshot.done for p in progress], [10, 14, 20, 23])
        self.assertAllEqual(caught.exception.state.canvas, progress[-1].snapshot.state.canvas)
        self.assertAllEqual(caught.exception.state.kept, progress[-1].kept)
        self.assertTrue(np.isfinite(progress[-1].kept).all())

    def test_gives_up_where_nothing_is_finite(self):
        for optimizer in OPTIMIZERS:
            with self.assertRaises(loop.DivergedError) as caught:
                list(self._run((1, 99), optimizer=optimizer))
            self.assertEqual(caught.exception.step, 0)

    def test_lbfgs_steps_back_by_itself(self):
        unit, settings = losses.unit, settings_of("gatys", rate=200.0)
        terms = stylized(settings=settings)[0].snapshot.terms["content block2_conv1"]
        bound = terms[1, 0] / 2

        def poisoned(found, goal):
            terms = unit(found, goal)
            distance = terms["content block2_conv1"]
            return terms | {"content block2_conv1": tf.where(distance > bound, np.inf, distance)}

        with mock.patch.object(losses, "unit", poisoned):
            progress = stylized(settings=settings)
        terms = np.concatenate([p.snapshot.terms["content block2_conv1"] for p in progress])
        self.assertTrue(np.isinf(terms[1, 0]))
        energies = _energies(progress)
        self.assertTrue(np.isfinite(energies).all())
        self.assertLess(energies[-1], energies[0])
        self.assertEqual(progress[-1].snapshot.done, 30)
