"""Folders of pictures as people keep them: what is taken, and what is told of the rest."""

import os
import pathlib
from unittest import mock

import PIL.Image
import tensorflow as tf

from tfvis.classifiers import datasets
from tfvis.errors import InputError
from tfvis.experiments import folders as app_folders
from tfvis.image_files import folders

SYSTEMS = (
    "__MACOSX/a/._0.jpg",
    ".DS_Store",
    "Thumbs.db",
    "desktop.ini",
    ".ipynb_checkpoints/0.png",
)


class FoldersTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def _put(self, name: str, content: bytes | None = None) -> pathlib.Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            kind = "JPEG" if path.suffix.lower() in (".jfif", ".jpe") else None
            PIL.Image.new("RGB", (9, 7), "teal").save(path, format=kind)
        else:
            path.write_bytes(content)
        return path

    def test_every_file_is_taken_or_counted(self):
        for name in ("a.JPG", "b.jfif", "c.jp2", "in/d.ppm", "e, f.png", "Früchte №3.png"):
            self._put(name)
        for name in (*SYSTEMS, "notes.txt", "more.txt", "README"):
            self._put(name, b"x")
        self._put("page.jpg", b"<html>")
        self._put("empty.png", b"")
        frames = [PIL.Image.new("RGB", (9, 9), color) for color in ("red", "blue")]
        frames[0].save(self.folder / "g.gif", save_all=True, append_images=frames[1:])
        (self.folder / "gone.png").symlink_to(self.folder / "nowhere.png")
        (self.folder / "in" / "round").symlink_to(self.folder)
        found = app_folders.find(str(self.folder), "image")
        taken = {path.name for path, _ in app_folders.pictures(found)}
        self.assertEqual(
            taken, {"a.JPG", "b.jfif", "c.jp2", "d.ppm", "e, f.png", "g.gif", "Früchte №3.png"}
        )
        said = app_folders.told(found)
        self.assertEqual(
            said["left_out"],
            {
                "hidden or a system's own": 5,
                "no picture by its ending (.txt)": 2,
                "no picture by its ending (none)": 1,
                "a link to nothing": 1,
                "not an image": 1,
                "empty": 1,
            },
        )
        self.assertEqual(said["notes"], {"first of several frames": 1})
        with mock.patch.object(app_folders.messages, "note") as note:
            app_folders.report(found)
        ((line,), _) = note.call_args
        self.assertStartsWith(line, "left out 11 of 18 files: 5 hidden")
        self.assertIn("page.jpg", line)
        self.assertIn("of those read 1 first of several frames", line)
        self.assertNotIn("\n", line)

    def test_the_same_of_a_data_set(self):
        for label in "ab":
            for k in range(2):
                self._put(f"{label}/{k}.jfif")
        for name in (*SYSTEMS, *(f"a/{name}" for name in SYSTEMS), "a/notes.txt"):
            self._put(name, b"x")
        found = datasets.read([self.folder])
        self.assertEqual(found.classes, ("a", "b"))
        self.assertLen(found.examples, 4)
        self.assertEqual(
            folders.counts(found.broken),
            {"hidden or a system's own": 10, "no picture by its ending (.txt)": 1},
        )

    def test_nothing_but_others_is_told(self):
        self._put("notes.txt", b"x")
        with self.assertRaisesRegex(InputError, r"no images in it .*1 no picture by its ending"):
            app_folders.find(str(self.folder), "image")

    def test_the_name_of_a_file_does_not_end_the_line(self):
        left = [folders.LeftOut(path, "empty", "") for path in ("a/x\ny.png", "a/z.png")]
        self.assertEqual(folders.told(left), "2 empty: a/x\\ny.png, a/z.png")
        one = folders.LeftOut("a/x\ny.png", "empty", "a/x\ny.png: the file is empty.")
        self.assertEqual(folders.told([one]), "a/x\\ny.png: the file is empty")

    def test_a_table_is_no_picture(self):
        table = pathlib.Path(self.create_tempdir().full_path) / "photos.CSV"
        table.write_text("path,label\n")
        with self.assertRaisesRegex(InputError, "photos.CSV: a table, and no picture. Name"):
            folders.found(table, f"--image={table}")

    def test_a_folder_that_may_not_be_entered_is_told_of(self):
        self._put("a.png")
        self._put("shut/b.png")

        def scandir(path):
            if pathlib.Path(path).name == "shut":
                raise PermissionError(13, "Permission denied", str(path))
            return real(path)

        real = os.scandir
        with mock.patch.object(os, "scandir", scandir):
            found = app_folders.find(str(self.folder), "image")
        self.assertEqual([one.reason for one in found.left_out], ["a folder that cannot be read"])

    def test_names_that_are_bytes(self):
        for label in ("a", "b"):
            self._put(f"{label}/0.png")
        folder = os.fsencode(self.folder)
        try:
            os.rename(folder + b"/a/0.png", folder + b"/a/caf\xe9.png")
        except OSError:
            self.skipTest("this disk takes Unicode only")
        # Of a file, the name is of no matter; that of a class is written into many.
        self.assertLen(datasets.read([self.folder]).examples, 2)
        os.rename(folder + b"/b", folder + b"/caf\xe9")
        with self.assertRaisesRegex(InputError, r"caf\\udce9. has no name that can be printed"):
            datasets.read([self.folder])
