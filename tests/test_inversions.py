"""What a run keeps between starts, and what it makes of it when it is damaged."""

import json
import pathlib

import numpy as np
import tensorflow as tf

from apps import inversions
from tests import nets
from tfvis import preimages
from tfvis.optimize import loop


class ResumeTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def test_layers_stay_inside_the_workdir(self):
        names = ["..", "../..", "a/../../b", ".", "/etc", "manifest.json", "tensorboard", "a:1"]
        seen = set()
        for name in names:
            folder = (self.folder / inversions.folder_of(name)).resolve()
            self.assertIn(self.folder.resolve(), folder.parents, name)
            self.assertNotIn(folder.name, ("manifest.json", "tensorboard"))
            seen.add(folder)
        self.assertLen(seen, len(names))
        self.assertEqual(str(inversions.folder_of("inner/block1_conv1")), "inner/block1_conv1")

    def test_a_state_is_whole_or_none(self):
        path = self.folder / ".state.npz"
        canvas = np.random.default_rng(0).normal(size=(1, 4, 4, 3)).astype(np.float32)
        state = loop.State(canvas, (canvas + 1, canvas + 2), 1, 30)
        inversions._save_state(path, ["k"], state, 2.5)
        read, seconds = inversions._load_state(path, ["k"])
        self.assertEqual((read.stage, read.step, seconds), (1, 30, 2.5))
        self.assertAllEqual(read.canvas, canvas)
        self.assertAllEqual(read.slots, state.slots)
        self.assertIsNone(inversions._load_state(path, ["other"])[0])
        whole = path.read_bytes()
        for place in range(0, len(whole), 37):
            damaged = bytearray(whole)
            damaged[place] ^= 1 << place % 8
            path.write_bytes(bytes(damaged))
            read, _ = inversions._load_state(path, ["k"])
            if read is not None:
                # Bits of the archive that carry nothing, such as a time stamp.
                self.assertAllEqual(read.canvas, canvas)
                self.assertAllEqual(read.slots, state.slots)

    def _job(self, layers):
        return inversions.Job(
            nets.wrapped(),
            nets.picture(16),
            layers,
            (0,),
            preimages.Inversion(steps=10, fine_steps=0),
            self.folder,
            {},
        )

    def test_a_damaged_manifest_is_made_again(self):
        path = self.folder / "manifest.json"
        done = inversions.run(self._job(["block1_conv1"]))
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
            self.assertEqual(inversions.run(self._job(["block1_conv1"]))[0]["key"], done[0]["key"])
            self.assertLen(json.loads(path.read_text())["results"], 1)

    def test_finished_layers_stay_in_the_manifest_while_others_are_made(self):
        inversions.run(self._job(["block1_pool", "block1_conv1"]))
        earlier = inversions._earlier(self.folder / "manifest.json")
        job = self._job(["block2_conv1", "block1_pool", "block1_conv1"])
        partial = inversions._manifest(job, [], earlier)["results"]
        self.assertEqual({r["layer"] for r in partial}, {"block1_pool", "block1_conv1"})
        results = inversions.run(job)
        self.assertEqual([r["layer"] for r in results], job.layers)
        self.assertEqual(inversions._manifest(job, results, earlier)["results"], results)
