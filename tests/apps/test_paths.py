"""Flags that name files, looked at before anything long begins."""

import os
import pathlib
from unittest import mock

import tensorflow as tf
from absl import flags

from apps.flags import paths
from tests.processes import AppTest
from tfvis.errors import InputError


class PathsTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        (self.folder / "a, b.jpg").write_bytes(b"x")
        (self.folder / "a.prototxt").write_bytes(b"x")
        (self.folder / "inner").mkdir()
        os.mkfifo(self.folder / "pipe")

    def test_words(self):
        self.assertEqual(paths.words(r"a\, b.jpg, c\d,,e"), ["a, b.jpg", "c\\d", "", "e"])

    def test_what_may_be_named(self):
        here = str(self.folder)
        comma = here + r"/a\, b.jpg"
        for look, word in (
            (paths.file, f"{here}/a, b.jpg"), (paths.file_or_folder, here),
            (paths.each(paths.file), f"{comma},{comma}"), (paths.weights, "random"),
            (paths.network, "vgg16"), (paths.network, f"{here}/a.prototxt"),
            (paths.unit, "block1_conv1:3"), (paths.checkpoint, "pacs_vgg16"),
            (paths.made, f"{here}/new/deep"), (paths.written, f"{here}/new/x.keras"),
        ):  # fmt: skip
            look(word, "--flag")

    def test_what_may_not(self):
        here = str(self.folder)
        for look, word, said in (
            (paths.file, f"{here}/none", "no such file"),
            (paths.file, here, "is a folder"),
            (paths.file, f"{here}/pipe", "is a pipe"),
            (paths.file, "~nosuchuser/x", "no home"),
            (paths.file_or_folder, f"{here}/none", "no such file or folder"),
            (paths.each(paths.file), f"{here}/a, b.jpg", r"no such file.*A comma in a name"),
            (paths.weights, f"{here}/none.npz", "no such file"),
            (paths.network, f"{here}/none.keras", "no such file"),
            (paths.unit, f"block1_conv1:{here}/none.npy", "no such file"),
            (paths.checkpoint, f"{here}/inner", "no folder with a classifier"),
            (paths.checkpoint, "~nosuchuser/x", "no home"),
            (paths.made, f"{here}/a, b.jpg/new", "is no folder"),
            (paths.written, f"{here}/inner", "is a folder"),
        ):
            # The library looks for checkpoints: it names an argument, the app spells it as a flag.
            flag = "flag" if look is paths.checkpoint else "--flag"
            with (
                self.subTest(word),
                self.assertRaisesRegex(InputError, f"^{flag}=.*{said}") as caught,
            ):
                look(word, "--flag")
            # What the flag names is not named twice.
            self.assertLessEqual(str(caught.exception).count(f"{word}"), 1)
        with mock.patch.object(os, "access", lambda path, mode: False):
            for look, word in ((paths.file, "a.prototxt"), (paths.made, "inner")):
                with self.assertRaisesRegex(InputError, "permission|may not be written"):
                    look(f"{here}/{word}", "--flag")

    def test_all_that_are_given_are_looked_at(self):
        values = flags.FlagValues()
        with mock.patch.dict(paths._CHECKS, {"adapt_to": paths.file, "init": paths.file}):
            flags.DEFINE_string("adapt_to", None, "", flag_values=values)
            flags.DEFINE_string("init", "/none/by/default", "", flag_values=values)
            every = [values["adapt_to"], values["init"]]
            values(["app"])
            paths.check(every)
            values(["app", "--adapt_to=/none/at/all"])
            with self.assertRaisesRegex(InputError, "--adapt_to=/none/at/all: no such file"):
                paths.check(every)


class TrainTest(AppTest):
    def test_before_any_data_is_read(self):
        # The data are looked at first where flags are not: they would be refused.
        (self.folder / "data").mkdir()
        done = self._run(
            "train", f"--data={self.folder / 'data'}", f"--adapt_to={self.folder / 'none'}",
            f"--workdir={self.folder / 'out'}", code=1,
        )  # fmt: skip
        self.assertRegex(
            done.stderr, r"^python -m apps.train: --adapt_to=.*: no such file or folder"
        )
        self.assertNotIn("Starting", done.stderr)
        self.assertFalse((self.folder / "out").exists())
