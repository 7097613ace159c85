"""Apps as processes: what the tests of all apps share."""

import functools
import pathlib
import subprocess
import tempfile
import time
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tests import forked, nets
from tfvis import images

ROOT = pathlib.Path(__file__).resolve().parent.parent


@functools.cache
def _files() -> tuple[bytes, bytes]:
    """Returns a network and a picture, as files."""
    with tempfile.TemporaryDirectory() as folder:
        model, image = pathlib.Path(folder, "small.keras"), pathlib.Path(folder, "picture.png")
        nets.small().save(model)
        images.save_png(image, nets.picture(40))
        return model.read_bytes(), image.read_bytes()


def places(sheet: np.ndarray, picture: np.ndarray) -> int:
    """Returns at how many places a sheet shows a picture, to a grey level."""
    sheet, picture = np.float32(sheet), np.float32(picture)
    views = np.lib.stride_tricks.sliding_window_view(sheet, picture.shape)[:, :, 0]
    # Nearly all windows differ at one pixel of a few already.
    near = np.abs(views[:, :, ::9, ::9] - picture[::9, ::9]).max((2, 3, 4)) <= 1
    return int((np.abs(views[near] - picture).max((1, 2, 3)) <= 1).sum())


def save_often() -> None:
    """Has a run save its state as soon as it may be stopped, not every five seconds."""
    from tfvis.experiments import optimization_tasks

    optimization_tasks.SAVE_EVERY_S = 0.1


class AppTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.model = self.folder / "small.keras"
        model, image = _files()
        self.model.write_bytes(model)
        self.image = self.folder / "picture.png"
        self.image.write_bytes(image)

    def _stopped(
        self, signal: int, when: Callable[[], bool], app: str, *flags: str
    ) -> subprocess.CompletedProcess:
        """Starts an app that saves its state often, and sends it a signal as soon as `when`."""
        process = forked.started(app, flags, ROOT, save_often)
        deadline = time.monotonic() + 120
        while not when() and not process.ended() and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal)
        return process.wait(60)

    def _run(self, app: str, *flags: str, code: int = 0) -> subprocess.CompletedProcess:
        done = forked.started(app, flags, ROOT).wait(timeout=300)
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
