"""Apps as processes: what the tests of all apps share."""

import pathlib
import subprocess
import time
from collections.abc import Callable

import tensorflow as tf

from tests import forked, nets
from tfvis import images

ROOT = pathlib.Path(__file__).resolve().parent.parent


def save_often() -> None:
    """Has a run save its state as soon as it may be stopped, not every five seconds."""
    from tfvis.experiments import optimization_tasks

    optimization_tasks.SAVE_EVERY_S = 0.1


class AppTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.model = self.folder / "small.keras"
        nets.small().save(self.model)
        self.image = self.folder / "picture.png"
        images.save_png(self.image, nets.picture(40))

    def _stopped(
        self, signal: int, when: Callable[[], bool], app: str, *flags: str
    ) -> subprocess.CompletedProcess:
        """Starts an app that saves its state often, and sends it a signal as soon as `when`."""
        process = forked.App(app, flags, ROOT, prepare=save_often)
        deadline = time.monotonic() + 120
        while not when() and not process.ended() and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal)
        return process.wait(60)

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
