"""Files that are the same: under two classes, or in two parts."""

import pathlib
import shutil

import PIL.Image
import tensorflow as tf

from tfvis.classifiers import copies, datasets, splits
from tfvis.experiments import labelled_pictures


class CopiesTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.root = pathlib.Path(self.create_tempdir().full_path)
        for k in range(40):
            path = self.root / "set" / "ab"[k % 2] / f"{k:02}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            PIL.Image.new("RGB", (20, 30), (k, 3 * k, 200)).save(path)

    def _copy(self, source: str, target: str):
        shutil.copy(self.root / "set" / source, self.root / "set" / target)

    def test_none_of_pictures_that_differ(self):
        found = datasets.read([self.root / "set"])
        self.assertEmpty(copies.groups(found))
        self.assertEmpty(copies.contradictions(found))
        parts = splits.split(found)
        self.assertEqual(copies.apart(parts), (tuple(parts), []))

    def test_one_picture_under_two_classes_is_told(self):
        self._copy("a/00.png", "b/same.png")
        self._copy("a/02.png", "a/same.png")  # Of one class: nothing wrong.
        with self.assertLogs("tfvis", "WARNING") as said:
            found = labelled_pictures.read([self.root / "set"])
        self.assertLen(said.output, 1)
        self.assertIn("1 picture is there under two classes", said.output[0])
        self.assertIn("b/same.png", said.output[0])
        self.assertLen(copies.groups(found), 2)

    def test_a_table_may_not_list_a_picture_under_two_classes(self):
        rows = ["a/00.png,a,", "a/00.png,b,", "b/01.png,b,", "a/02.png,a,", "a/02.png,b,5"]
        boxed = [f"{row.rstrip('5')}{'0,0,5,5' if row.endswith('5') else ',,,'}" for row in rows]
        table = self.root / "set" / "table.csv"
        table.write_text("path,label,x0,y0,x1,y1\n" + "\n".join(boxed))
        pairs = copies.contradictions(datasets.read([table]))
        # A box in a picture may be of another class than the whole.
        self.assertEqual([pathlib.Path(one).name for one, _ in pairs], ["00.png"])

    def test_copies_that_are_looked_at_by_boxes_contradict_nothing(self):
        self._copy("a/00.png", "b/same.png")
        rows = ["a/00.png,a,0,0,9,9", "b/same.png,b,5,5,9,9", "b/01.png,b,,,,"]
        table = self.root / "set" / "table.csv"
        table.write_text("path,label,x0,y0,x1,y1\n" + "\n".join(rows))
        found = datasets.read([table])
        self.assertLen(copies.groups(found), 1)
        self.assertEmpty(copies.contradictions(found))

    def test_a_file_that_changes_has_another_digest(self):
        path = str(self.root / "set/a/00.png")
        before = splits.digest(path)
        self.assertEqual(splits.digest(path), before)
        self._copy("a/02.png", "a/00.png")
        self.assertEqual(splits.digest(path), splits.digest(str(self.root / "set/a/02.png")))
        self.assertNotEqual(splits.digest(path), before)
        self.assertEqual(splits.digest(str(self.root / "none.png")), "")

    def test_no_picture_is_learnt_from_and_tested_on(self):
        for k in range(0, 40, 2):
            self._copy(f"a/{k:02}.png", f"a/copy{k:02}.png")
        parts = splits.split(datasets.read([self.root / "set"]))
        bytes_of = [{pathlib.Path(e.path).read_bytes() for e in part.examples} for part in parts]
        self.assertNotEmpty(bytes_of[0] & (bytes_of[1] | bytes_of[2]))
        kept, out = copies.apart(parts)
        bytes_of = [{pathlib.Path(e.path).read_bytes() for e in part.examples} for part in kept]
        self.assertEmpty(bytes_of[0] & bytes_of[1])
        self.assertEmpty((bytes_of[0] | bytes_of[1]) & bytes_of[2])
        # Nothing else is lost, and nothing of what is learnt from.
        self.assertEqual(kept[0].examples, parts[0].examples)
        before, after = (sum(len(part.examples) for part in some) for some in (parts, kept))
        self.assertLen(out, before - after)
        for gone, left in out:
            self.assertEqual(pathlib.Path(gone).read_bytes(), pathlib.Path(left).read_bytes())


if __name__ == "__main__":
    tf.test.main()
