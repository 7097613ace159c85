"""Digests of files: the same for what is the same, whatever the time."""

import pathlib
import re
import zipfile

import numpy as np
import tensorflow as tf

from apps.benchmarks import digest_commands, digests
from tests.processes import ROOT


class DigestTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def _npz(self, name: str, **arrays) -> str:
        np.savez(self.folder / name, **arrays)
        return digests.digest(self.folder / name)

    def _csv(self, text: str) -> str:
        (self.folder / "a.csv").write_text(text)
        return digests.digest(self.folder / "a.csv")

    def test_arrays_whatever_the_archive_says_of_times(self):
        a, b = np.arange(6, dtype=np.float32), np.ones((2, 3), np.int64)
        first = self._npz("first.npz", a=a, b=b)
        with zipfile.ZipFile(self.folder / "first.npz") as source:
            members = {info.filename: source.read(info) for info in source.infolist()}
        with zipfile.ZipFile(self.folder / "later.npz", "w") as later:
            for name, content in reversed(members.items()):
                later.writestr(zipfile.ZipInfo(name, (2001, 2, 3, 4, 5, 6)), content)
        self.assertEqual(digests.digest(self.folder / "later.npz"), first)
        for change in (
            {"a": a + 1}, {"a": a.reshape(2, 3)}, {"a": a.astype(np.float64)}, {"c": a},
        ):  # fmt: skip
            self.assertNotEqual(self._npz("other.npz", **({"a": a, "b": b} | change)), first)

    def test_tables_but_for_how_long_it_took(self):
        first = self._csv("ratio,seconds,file\n10,1.5,a.png\n")
        self.assertEqual(self._csv("ratio,seconds,file\n10,2.5,a.png\n"), first)
        self.assertNotEqual(self._csv("ratio,seconds,file\n11,1.5,a.png\n"), first)
        self.assertNotEqual(self._csv("ratio,minutes,file\n10,1.5,a.png\n"), first)

    def test_what_differs_is_missing_is_new(self):
        found = digests.compare({"a": "1", "b": "2", "c": "3"}, {"b": "2", "c": "4", "d": "5"})
        self.assertEqual([line.split() for line in found], [
            ["missing", "a"], ["differs", "c"], ["new", "d"],
        ])  # fmt: skip
        # Twice the same failure is no agreement.
        failed = {"a": digests._FAILED}
        self.assertEqual(digests.compare(failed, failed), ["failed   a"])

    def test_every_app_is_run(self):
        apps = {
            path.stem for path in (ROOT / "apps").glob("*.py")
            if re.search(r"^    common\.run\(main", path.read_text(), re.MULTILINE)
        }  # fmt: skip
        run = {words.split()[0] for words in digest_commands.COMMANDS.values()}
        self.assertEqual(run | set(digest_commands.SERVING), apps)
        self.assertEmpty(run & set(digest_commands.SERVING))


if __name__ == "__main__":
    tf.test.main()
