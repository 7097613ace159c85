"""Apps as processes: what the tests of all apps share."""

import pathlib
import subprocess
import sys

import tensorflow as tf

from tests import forked, nets
from tfvis import images

ROOT = pathlib.Path(__file__).resolve().parent.parent


class AppTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.model = self.folder / "small.keras"
        nets.small().save(self.model)
        self.image = self.folder / "picture.png"
        images.save_png(self.image, nets.picture(40))

    def _command(self, app: str, *flags: str) -> list[str]:
        return [sys.executable, "-m", f"apps.{app}", *flags]

    def _run(self, app: str, *flags: str, code: int = 0) -> subprocess.CompletedProcess:
        done = forked.run(app, flags, ROOT, timeout=300)
        self.assertEqual(done.returncode, code, done.stderr)
        return done

    def _refused(self, words: str, *flags: str, app: str = "invert", code: int = 1) -> None:
        """One line on stderr with `words` in it, and no picture or manifest anywhere."""
        out = self.folder / "refused"
        done = self._run(app, f"--workdir={out}", *flags, code=code)
        # What a network is shown may be said before what is wrong with the rest is found.
        usual = ("Starting TensorFlow ...", "Preprocessing: ")
        lines = [line for line in done.stderr.splitlines() if not line.startswith(usual)]
        self.assertLen(lines, 1, done.stderr)
        self.assertRegex(lines[0], words)
        self.assertEqual(done.stdout, "")
        left = [path for path in out.rglob("*") if path.is_file()] if out.exists() else []
        self.assertEqual(left, [])
