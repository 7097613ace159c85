"""The folder of a run: made, kept to it, and gone again where nothing came of it."""

import pathlib

import tensorflow as tf

from tfvis.errors import InputError
from tfvis.experiments import workdirs


@workdirs.kept
def _run(refuse: bool, *, workdir: pathlib.Path):
    if refuse:
        raise InputError("no")
    (workdir / "sheet.png").touch()


class WorkdirTest(tf.test.TestCase):
    def test_what_is_refused_leaves_no_folder_where_there_was_none(self):
        folder = pathlib.Path(self.create_tempdir().full_path) / "new"
        with self.assertRaises(InputError):
            _run(True, workdir=folder)
        self.assertFalse(folder.exists())
        _run(False, workdir=folder)
        self.assertTrue((folder / "sheet.png").exists())

    def test_nor_where_an_app_has_made_it_before(self):
        folder = workdirs.claimed(str(pathlib.Path(self.create_tempdir().full_path) / "new"))
        with self.assertRaises(InputError):
            _run(True, workdir=folder)
        self.assertFalse(folder.exists())

    def test_a_folder_that_was_there_stays(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        with self.assertRaises(InputError):
            _run(True, workdir=folder)
        self.assertTrue(folder.exists())


if __name__ == "__main__":
    tf.test.main()
