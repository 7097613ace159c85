"""What a run keeps between starts, and what it makes of it when it is damaged."""

import contextlib
import json
import pathlib
from unittest import mock

import numpy as np
import PIL.Image
import tensorflow as tf

from tests import nets
from tfvis import files, preimages
from tfvis.experiments import (
    activation_maximization,
    growth,
    inversion,
    optimization_tasks,
    runner,
)
from tfvis.optimize import loop


class ResumeTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def test_layers_stay_inside_the_workdir(self):
        names = ["..", "../..", "a/../../b", ".", "/etc", "manifest.json", "tensorboard", "a:1"]
        seen = set()
        for name in names:
            folder = (self.folder / runner.safe_name(name)).resolve()
            self.assertIn(self.folder.resolve(), folder.parents, name)
            self.assertNotIn(folder.name, ("manifest.json", "tensorboard"))
            seen.add(folder)
        self.assertLen(seen, len(names))
        self.assertEqual(str(runner.safe_name("inner/block1_conv1")), "inner/block1_conv1")

    def test_a_state_is_whole_or_none(self):
        path = self.folder / ".state.npz"
        canvas = np.random.default_rng(0).normal(size=(1, 4, 4, 3)).astype(np.float32)
        state = loop.State(
            canvas=canvas,
            # More than ten: their order is that of their numbers.
            slots=tuple(canvas + i for i in range(12)),
            stage=1,
            step=30,
            kept=canvas + 100,
            kept_energy=np.array([2.5]),
            stopped=np.array([True]),
            trail=np.ones((20, 1), np.float32),
            slowed=0.1,
        )
        optimization_tasks._save_state(path, ["k"], state, 330, 130, 2.5)
        read, *progress = optimization_tasks._load_state(path, ["k"])
        self.assertEqual((read.stage, read.step, *progress), (1, 30, 330, 130, 2.5))
        self.assertEqual(read.slowed, 0.1)
        for name in ("canvas", "slots", "kept", "kept_energy", "stopped", "trail"):
            self.assertAllEqual(getattr(read, name), getattr(state, name))
        self.assertEqual(read.stopped.dtype, bool)
        self.assertIsNone(optimization_tasks._load_state(path, ["other"])[0])
        whole = path.read_bytes()
        for place in range(0, len(whole), 37):
            damaged = bytearray(whole)
            damaged[place] ^= 1 << place % 8
            path.write_bytes(bytes(damaged))
            read, *_ = optimization_tasks._load_state(path, ["k"])
            if read is not None:
                # Bits of the archive that carry nothing, such as a time stamp.
                self.assertAllEqual(read.canvas, canvas)
                self.assertAllEqual(read.slots, state.slots)

    def _inverted(self, layers, settings=preimages.Inversion(steps=10, fine_steps=0)):
        run = inversion.run(
            {"small": nets.wrapped()}, nets.picture(16), layers,
            workdir=self.folder, settings=settings, size=16,
        )  # fmt: skip
        return run.records

    def test_a_damaged_manifest_is_made_again(self):
        path = self.folder / "manifest.json"
        done = self._inverted(["block1_conv1"])
        for text in (
            "",
            "[1]",
            "{half",
            '{"results": null}',
            '{"results": {"a": 1}}',
            "[" * 100_000,
            json.dumps({"results": [1, {"key": []}, {"key": done[0]["key"]}]}),
        ):
            path.write_text(text)
            self.assertEqual(self._inverted(["block1_conv1"])[0]["key"], done[0]["key"])
            self.assertLen(json.loads(path.read_text())["results"], 1)

    def test_steps_left_out_are_not_counted(self):
        settings = preimages.Inversion(
            recipe="published", steps=60, fine_steps=20, stop=loop.Stop(change=1e9, window=5)
        )
        # Each stage stops after its first chunk.
        self.assertEqual(self._inverted(["block1_conv1"], settings)[0]["steps"], 2 * loop.CHUNK)

    def test_a_finished_file_is_hashed_a_constant_number_of_times(self):
        layers = ["block1_conv1", "block1_pool", "block2_conv1"]
        self._inverted(layers)
        with mock.patch.object(files, "sha256_of", wraps=files.sha256_of) as hashed:
            self._inverted(layers)
        self.assertEqual(hashed.call_count, len(layers))

    def test_finished_layers_stay_in_the_manifest_while_others_are_made(self):
        self._inverted(["block1_pool", "block1_conv1"])
        seen = []

        def watching(path, content):
            seen.append([record["layer"] for record in content["results"]])

        with self.assertRaises(KeyboardInterrupt), self._interrupted_after(watching, 1):
            self._inverted(["block2_conv1", "block1_pool", "block1_conv1"])
        self.assertEqual(seen, [["block2_conv1", "block1_pool", "block1_conv1"]])

    @contextlib.contextmanager
    def _interrupted_after(self, watching, count):
        def write(path, content):
            watching(path, content)
            if len(calls) == count - 1:
                raise KeyboardInterrupt
            calls.append(path)

        calls = []
        with mock.patch.object(runner.manifest, "write", write):
            yield

    def test_growth_is_the_same_after_an_interruption(self):
        whole, cut = self.folder / "whole", self.folder / "cut"

        def raised(workdir):
            activation_maximization.run(
                {"small": nets.wrapped()}, "block2_conv1:0-1",
                workdir=workdir, settings=preimages.Maximization(steps=30), size=16,
            )  # fmt: skip

        raised(whole)
        kept = optimization_tasks._log

        def stopping(task, writer, progress, before):
            kept(task, writer, progress, before)
            if progress.snapshot.done == 20:
                raise KeyboardInterrupt

        with (
            mock.patch.object(optimization_tasks, "SAVE_EVERY_S", 0.0),
            mock.patch.object(optimization_tasks, "_log", stopping),
            self.assertRaises(KeyboardInterrupt),
        ):
            raised(cut)
        self.assertTrue(list(cut.rglob(".*.state.npz")))
        raised(cut)
        self.assertFalse(list(cut.rglob(".*")))
        for path in whole.rglob("*.*"):
            if path.suffix in (".png", ".gif"):
                other = cut / path.relative_to(whole)
                self.assertEqual(other.read_bytes(), path.read_bytes(), path.name)
        with PIL.Image.open(whole / "block2_conv1" / "1_growth.gif") as gif:
            stored = PIL.Image.open(whole / "block2_conv1" / "1.png")
            # The result prolongs the last step's frame where it is the same picture.
            self.assertIn(gif.n_frames - len(growth.log_spaced(30, 30)), (0, 1))
            self.assertEqual(gif.info["loop"], 0)
            gif.seek(gif.n_frames - 1)
            # 256 colours for the picture's few hundred.
            last = np.asarray(gif.convert("RGB"), float)
            self.assertLess(np.abs(last - np.asarray(stored, float)).mean(), 8)
