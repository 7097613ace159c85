import os
import pathlib
import signal
import subprocess
import sys
from unittest import mock

import tensorflow as tf

from tfvis import files, locks
from tfvis.errors import InputError

_ROOT = pathlib.Path(__file__).resolve().parents[2]


class LocksTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def _python(self, text: str) -> subprocess.Popen:
        """Starts Python, which says a line when it has come to its end."""
        text = f"from tfvis import files, locks\n{text}\nprint(flush=True)\ninput()"
        process = subprocess.Popen(
            [sys.executable, "-c", text, str(self.folder)],
            cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self.addCleanup(process.stdin.close)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        process.stdout.readline()
        return process

    def test_a_folder_is_one_runs_until_it_ends_however_it_does(self):
        other = self._python("import sys; locks.hold(sys.argv[1], 'workdir')")
        with self.assertRaisesRegex(InputError, f"workdir={self.folder}: another run"):
            locks.hold(self.folder, "workdir")
        other.kill()
        other.wait()
        locks.hold(self.folder, "workdir")
        # The same run may ask again.
        locks.hold(self.folder, "workdir")
        self.assertEqual(os.listdir(self.folder), [])

    def test_folders_that_cannot_be_locked_are_used_without(self):
        def refuse(handle, how):
            raise OSError(95, "Operation not supported")

        with mock.patch.object(locks.fcntl, "flock", refuse):
            locks.hold(self.folder, "workdir")
            files.write_text(self.folder / "a.txt", "a")
            (self.folder / ".b.txt.abcd1234.part").touch()
            locks.clear_stale(self.folder)
        # Whether someone writes it cannot be told.
        self.assertCountEqual(os.listdir(self.folder), [".b.txt.abcd1234.part", "a.txt"])

    def test_what_killed_processes_left_is_removed_and_what_others_write_is_not(self):
        writing = (
            "import sys, pathlib\nplace = pathlib.Path(sys.argv[1])\n"
            "writer = files.replacing(place / 'NAME.npz', '.keras')\n"
            "writer.__enter__().write_text('half')"
        )
        living = self._python(writing.replace("NAME", "living"))
        killed = self._python(writing.replace("NAME", "killed"))
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        for name in (".probe.ab_12xyz", ".best.weights.h5.abcdefgh.part.weights.h5"):
            (self.folder / name).write_text("from an earlier version")
        own = [".hidden", "a.part", ".a.part", ".a.b.toolong12.part", ".probe.x", "b.abcd1234.part"]
        for name in own:
            (self.folder / name).touch()
        (self.folder / ".c.abcd1234.part").mkdir()
        os.mkfifo(self.folder / ".d.abcd1234.part")
        self.assertLen([p for p in self.folder.iterdir() if "killed" in p.name], 1)
        files.make_folder(self.folder, "workdir")
        left = {path.name for path in self.folder.iterdir()}
        (half,) = [name for name in left if "living" in name]
        self.assertEqual(left - {half}, {*own, ".c.abcd1234.part", ".d.abcd1234.part"})
        self.assertIsNone(living.poll())
