"""The app of features as a person runs it."""

import pyarrow.parquet as pq

from tests.processes import AppTest
from tfvis import images


class FeaturesTest(AppTest):
    def test_workers_write_what_one_process_writes(self):
        for k in range(10):
            images.save_png(self.folder / f"photos/{k}.png", images.read(self.image).pixels - k)
        (self.folder / "photos/bad.png").write_bytes(b"no picture")
        flags = (
            f"--network={self.model}", "--preprocessing=tf", "--layer=block2_conv1", "--size=32",
            f"--images={self.folder / 'photos'}",
        )  # fmt: skip
        out = self.folder / "out"
        done = self._run("features", *flags, f"--workdir={out}", "--workers=1")
        self.assertIn("10 of 11 items in 2 shards, verified", done.stdout)
        self.assertIn("1 that cannot be used, and why", done.stdout)
        self.assertIn("left out 1 of 11 files", done.stderr)
        alone = self.folder / "alone"
        self._run("features", *flags, f"--workdir={alone}")
        self.assertLen(pq.read_table(out / "parts")["vector"][0].as_py(), 12)
        for path in (out / "parts").iterdir():
            self.assertEqual(path.read_bytes(), (alone / "parts" / path.name).read_bytes())
        self._refused("layer was block2_conv1, is block1_conv1", *flags, "--layer=block1_conv1",
                      f"--workdir={out}", app="features")  # fmt: skip

    def test_refusals(self):
        flags = (f"--network={self.model}", f"--images={self.image}")
        for words, more, code in (
            ("--images: must be given", (), 2),
            ("--images=: names nothing", (flags[0], "--images="), 1),
            ("--engine=ray: needs --workers of at least 1", (*flags, "--engine=ray"), 1),
            ("--layer: .*small.keras has no layer", (*flags, "--layer=conv9"), 1),
            ("--images=/nowhere: no such file or folder", (flags[0], "--images=/nowhere"), 1),
        ):
            with self.subTest(words):
                self._refused(words, *more, app="features", code=code)


if __name__ == "__main__":
    import tensorflow as tf

    tf.test.main()
