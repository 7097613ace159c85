import os
import pathlib
import resource
import signal
import socket
import urllib.error

import numpy as np
import tensorflow as tf

from tfvis import files
from tfvis.errors import InputError, nearest


class FilesTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def test_a_failure_leaves_the_old_file_and_nothing_else(self):
        path = self.folder / "a.txt"
        files.write_text(path, "old")
        with self.assertRaises(RuntimeError), files.replacing(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError
        self.assertEqual(path.read_text(), "old")
        self.assertEqual(os.listdir(self.folder), ["a.txt"])

    def test_a_file_in_the_way_of_a_folder(self):
        (self.folder / "a").write_text("")
        with self.assertRaisesRegex(InputError, "workdir"):
            files.make_folder(self.folder / "a", "workdir")
        with self.assertRaisesRegex(InputError, "Cannot write"):
            files.write_text(self.folder / "a" / "b.txt", "")

    def test_a_full_disk_is_named(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full")
        with self.assertRaisesRegex(InputError, "No space left"):
            with (
                files.replacing(self.folder / "a.txt") as temporary,
                open("/dev/full", "w") as full,
            ):
                temporary.write_text("half")
                full.write("x")
        self.assertEqual(os.listdir(self.folder), [])

    def test_what_goes_wrong_elsewhere_is_not_called_writing(self):
        path = self.folder / "a.txt"
        for error in (
            FileNotFoundError(2, "No such file or directory", "/elsewhere/b.txt"),
            ConnectionResetError(104, "Connection reset by peer"),
            urllib.error.URLError("no route"),
            TimeoutError("timed out"),
        ):
            with self.assertRaises(type(error)), files.replacing(path):
                raise error
        for error in (OSError("encoder error -2"), OSError(28, "No space left on device")):
            with self.assertRaisesRegex(InputError, "^Cannot write"), files.replacing(path):
                raise error
        self.assertEqual(os.listdir(self.folder), [])

    def test_sha256(self):
        (self.folder / "a").write_bytes(b"abc")
        # FIPS 180-2, appendix B.1.
        known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        self.assertEqual(files.sha256_of(self.folder / "a"), known)

    def test_nearest_names(self):
        self.assertIn("block3_conv3", nearest("block3_cnv3", ["block1_conv1", "block3_conv3"]))
        self.assertIn("Known", nearest("zzz", ["block1_conv1"]))


class OpenedTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def test_files_and_links_to_them(self):
        (self.folder / "a").write_bytes(b"abc")
        (self.folder / "b").symlink_to(self.folder / "a")
        for name in "ab":
            self.assertEqual(files.read_bytes(self.folder / name, "--x", 3), b"abc")
            with self.assertRaisesRegex(InputError, "^--x: more than 2 bytes"):
                files.read_bytes(self.folder / name, "--x", 2)

    def test_all_else_is_refused_at_once(self):
        os.mkfifo(self.folder / "pipe")
        listening = socket.socket(socket.AF_UNIX)
        self.addCleanup(listening.close)
        listening.bind(str(self.folder / "socket"))
        (self.folder / "loop").symlink_to(self.folder / "loop")
        for path, words in (
            (self.folder / "pipe", "is a pipe"),
            (self.folder / "socket", "is a pipe, socket"),
            ("/dev/zero", "is a pipe, socket or device"),
            (self.folder, "is a folder"),
            (self.folder / "absent", "no such file"),
            (self.folder / "loop", "cannot be read"),
            (self.folder / "pipe" / "x", "cannot be read"),
        ):
            with self.subTest(str(path)), self.assertRaisesRegex(InputError, f"^--x: .*{words}"):
                files.check(path, "--x", 10)

    def test_appended_whole_or_not_at_all(self):
        path = self.folder / "a" / "rows"
        files.append(path, b"one\n")
        limit = resource.getrlimit(resource.RLIMIT_FSIZE)
        before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, limit[1]))
        try:
            with self.assertRaisesRegex(InputError, "Cannot write .*rows: File too large"):
                files.append(path, b"a row of more\n")
            with self.assertRaisesRegex(InputError, "Cannot write .*b.npz"):
                files.write_npz(self.folder / "b.npz", {"a": np.zeros(100)})
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limit)
            signal.signal(signal.SIGXFSZ, before)
        self.assertEqual(path.read_bytes(), b"one\n")
        self.assertEqual(os.listdir(self.folder), ["a"])
