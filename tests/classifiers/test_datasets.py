"""Data sets in folders and tables."""

import os
import pathlib
import shutil

import PIL.Image
import tensorflow as tf
from absl.testing import parameterized

from tfvis import tables
from tfvis.classifiers import datasets
from tfvis.errors import InputError


def picture(path: pathlib.Path, size=(9, 7), **options) -> pathlib.Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.new("RGB", size, "teal").save(path, **options)
    return path


class DatasetsTest(tf.test.TestCase, parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def _classes(self, name="set", classes=("lute", "harp", "none", "zither"), count=2):
        for label in classes:
            for k in range(count):
                picture(self.folder / name / label / f"{k}.png")
        return self.folder / name

    def _table(self, text: str | bytes, name: str = "set/table.csv") -> pathlib.Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def test_a_folder_per_class(self):
        root = self._classes()
        picture(root / "harp" / "deeper" / "still" / "9.JPG")
        picture(root / "harp" / ".hidden.png")
        picture(root / ".cache" / "1.png")
        (root / "harp" / "notes.txt").write_text("no picture")
        (root / "harp" / "Thumbs.db").write_bytes(b"x")
        found = datasets.read([root])
        self.assertEqual(found.classes, ("harp", "lute", "zither", "none"))
        self.assertEqual(found.domains, ("set",))
        said = {(e.key, found.classes[e.label]) for e in found.examples}
        expected = {(f"{c}/{k}.png", c) for c in found.classes for k in (0, 1)}
        self.assertEqual(said, expected | {("harp/deeper/still/9.JPG", "harp")})
        self.assertLen(found.examples, len(said))
        left = {pathlib.Path(one.path).name: one.reason for one in found.broken}
        hidden = dict.fromkeys((".hidden.png", ".cache", "Thumbs.db"), "hidden or a system's own")
        self.assertEqual(left, hidden | {"notes.txt": "no picture by its ending (.txt)"})
        for example in found.examples:
            self.assertEqual(pathlib.Path(example.path), root / example.key)
            self.assertIsNone(example.box)

    def test_a_table_from_another_system(self):
        root = self._classes()
        plain = datasets.read([self._table("path,label\nharp/0.png,harp\nlute/0.png,lute\n")])
        for text in (
            "path,label\rharp/0.png,harp\rlute/0.png,lute\r",
            "path,label\nharp\\0.png,harp\n.\\lute\\0.png,lute\n",
        ):
            self.assertEqual(datasets.read([self._table(text)]), plain, text)
        picture(root / "harp" / "a\\b.png")
        named = self._table("path,label\nharp/a\\b.png,harp\nlute/0.png,lute\n")
        self.assertEqual(datasets.read([named]).examples[0].key, "harp/a\\b.png")

    def test_boxes_in_shares_of_a_picture_are_refused(self):
        # Rounded they would be single pixels.
        self._classes()
        rows = "path,label,x0,y0,x1,y1\nharp/0.png,harp,0,0,1,1\nlute/0.png,lute,{}\n"
        with self.assertRaisesRegex(InputError, "line 3: the box 0.1,0.0,0.6,1.0 .* expected px"):
            datasets.read([self._table(rows.format("0.1,0,0.6,1"))])
        found = datasets.read([self._table(rows.format("0.4,0.2,3.5,4"))])
        self.assertEqual([e.box for e in found.examples], [(0, 0, 1, 1), (0, 0, 4, 4)])

    def test_each_source_is_a_domain(self):
        first, second = self._classes("a/photo"), self._classes("a/sketch", ("drum", "harp"))
        found = datasets.read([first, str(second)])
        self.assertEqual(found.domains, ("photo", "sketch"))
        self.assertEqual(found.classes, ("drum", "harp", "lute", "zither", "none"))
        for example in found.examples:
            self.assertIn(f"/{found.domains[example.domain]}/", example.path)
        third = self._classes("b/photo")
        self.assertEqual(datasets.read([first, third]).domains, ("a/photo", "b/photo"))
        with self.assertRaisesRegex(InputError, "each once"):
            datasets.read([first, first])
        with self.assertRaisesRegex(InputError, "none"):
            datasets.read([])

    def test_so_many_of_each_class(self):
        first = self._classes("a/photo", ("drum", "harp"), count=5)
        second = self._classes("a/sketch", ("drum", "harp"), count=2)
        whole = datasets.read([first, second])
        found = datasets.at_most(whole, 6)
        count = {(label, domain): 0 for label in (0, 1) for domain in (0, 1)}
        for one in found.examples:
            count[one.label, one.domain] += 1
        self.assertEqual(set(count.values()), {4, 2})
        self.assertEqual((count[0, 1], count[1, 1]), (2, 2))
        self.assertEqual(datasets.at_most(whole, 6), found)
        self.assertNotEqual(datasets.at_most(whole, 6, seed=1), found)
        self.assertEqual(datasets.at_most(whole, 99), whole)

    def test_broken_files_are_named_and_left_out(self):
        root = self._classes()
        (root / "harp" / "empty.png").write_bytes(b"")
        (root / "harp" / "text.jpg").write_text("no picture")
        PIL.Image.new("1", (20_000, 3)).save(root / "harp" / "wide.png")
        picture(root / "loose.png")
        os.mkfifo(root / "harp" / "pipe.png")  # Opening it would wait for ever.
        found = datasets.read([root])
        self.assertLen(found.examples, 8)
        reasons = {pathlib.Path(one.path).name: one.detail for one in found.broken}
        for name, words in {
            "empty.png": "empty",
            "text.jpg": "not an image",
            "wide.png": "too large",
            "loose.png": "no class folder",
            "pipe.png": "no regular file",
        }.items():
            self.assertIn(words, reasons.pop(name))
        self.assertEmpty(reasons)

    def test_vast_pixels_are_not_decoded(self):
        root = self._classes()
        # A header that promises 10 gigapixels, and nothing behind it.
        whole = picture(self.folder / "a.bmp").read_bytes()
        size = (100_000).to_bytes(4, "little")
        (root / "harp" / "bomb.bmp").write_bytes(whole[:18] + size + size + whole[26:])
        self.assertLen(datasets.read([root]).broken, 1)

    def test_links_are_followed_and_circles_end(self):
        root = self._classes(count=1)
        other = self._classes("other", ("viola",), count=3)
        (root / "viola").symlink_to(other / "viola")
        (root / "harp" / "round").symlink_to(root / "harp")
        (root / "harp" / "nowhere.png").symlink_to(root / "missing.png")
        found = datasets.read([root])
        labels = [found.classes[e.label] for e in found.examples]
        self.assertEqual(labels.count("viola"), 3)
        self.assertEqual(labels.count("harp"), 1)

    def test_a_link_to_what_is_around_it_brings_nothing(self):
        root = self._classes(classes=("harp", "lute"))
        (root / "harp" / "up").symlink_to("..")
        (root / "viola").symlink_to(".")
        found = datasets.read([root])
        self.assertEqual(found.classes, ("harp", "lute"))
        labels = {e.key: found.classes[e.label] for e in found.examples}
        self.assertEqual(labels, {f"{c}/{k}.png": c for c in found.classes for k in (0, 1)})
        self.assertEqual([one.reason for one in found.broken], ["a link to a folder around it"])

    def test_parts_of_a_data_set_are_no_classes(self):
        self._classes("set/train")
        root = self._classes("set/Val").parent
        with self.assertRaisesRegex(InputError, "Val, train: parts .* such as .*/set/Val"):
            datasets.read([root])
        self._classes(classes=("harp",))
        self.assertEqual(datasets.read([root]).classes, ("Val", "harp", "train"))

    def test_names_of_classes_in_letters_taken_apart(self):
        root = self._classes(classes=("Gera\u0308t", "lute"))
        self.assertEqual(datasets.read([root]).classes, ("Ger\xe4t", "lute"))
        for name in ("Ger\xe4t", "Gera\u0308t"):
            found = datasets.read([root], ("lute", name))
            self.assertEqual({e.label for e in found.examples}, {0, 1})

    def test_names_of_classes_that_no_line_holds(self):
        root = self._classes(classes=("ha\nrp", "lute"))
        with self.assertRaisesRegex(InputError, r"'ha\\nrp' has no name that .*Rename") as raised:
            datasets.read([root])
        self.assertNotIn("\n", str(raised.exception))
        table = self._table('path,label\nlute/0.png,"ha\nrp"\nlute/1.png,lute\n')
        with self.assertRaisesRegex(InputError, r"line 3: the class 'ha\\nrp' has no name"):
            datasets.read([table])

    def test_refusals_of_folders(self):
        root = self._classes()
        for name, words in {
            "missing": "no such folder",
            "set/harp/0.png": "neither a folder nor",
            "set/harp": "at least two",
        }.items():
            with self.subTest(name), self.assertRaisesRegex(InputError, words):
                datasets.read([self.folder / name])
        (root / "viola").mkdir()
        with self.assertRaisesRegex(InputError, "class viola .*no pictures"):
            datasets.read([root])
        (root / "viola" / "a.png").write_text("no picture")
        with self.assertRaisesRegex(InputError, "class viola .*not an image"):
            datasets.read([root])
        shutil.rmtree(root / "viola")
        for name in ("lute", "none", "zither"):
            shutil.rmtree(root / name)
        with self.assertRaisesRegex(InputError, r"1 class \(harp\); at least two"):
            datasets.read([root])

    def test_classes_of_a_checkpoint(self):
        root = self._classes(classes=("harp", "none"))
        classes = ("none", "viola", "harp")
        found = datasets.read([root], classes)
        self.assertEqual(found.classes, classes)
        self.assertEqual({e.label for e in found.examples}, {0, 2})
        picture(root / "gong" / "a.png")
        with self.assertRaisesRegex(InputError, "unknown to the checkpoint: gong"):
            datasets.read([root], classes)

    def test_unlabelled_pictures(self):
        root = self._classes()
        picture(root / "loose.png")
        (root / "bad.png").write_text("no picture")
        found = datasets.read([root], labelled=False)
        self.assertEqual({e.label for e in found.examples}, {-1})
        self.assertLen(found.examples, 9)
        self.assertLen(found.broken, 1)
        self.assertEqual(datasets.read([root], ("a", "b"), labelled=False).classes, ("a", "b"))
        single = datasets.read([root / "loose.png"], labelled=False)
        self.assertEqual([e.path for e in single.examples], [str(root / "loose.png")])
        (self.folder / "void").mkdir()
        with self.assertRaisesRegex(InputError, "no readable pictures"):
            datasets.read([self.folder / "void"], labelled=False)

    @parameterized.parameters(b"", b"\xef\xbb\xbf")
    def test_a_table_of_boxes(self, mark):
        root = self._classes(classes=("harp", "lute"))
        text = (
            "Path, label,x0,y0,x1,y1,note\r\n"
            "harp/0.png,harp,1,2,9,7,whole\r\n"
            '"./harp/0.png",lute,0,0,3.0,2.6,"a ""quoted"", note"\r\n'
            "\r\n"
            f"{root / 'lute' / '1.png'},lute,,,,,\r\n"
        )
        found = datasets.read([self._table(mark + text.encode())])
        self.assertEqual(found.domains, ("table",))
        self.assertEqual(found.classes, ("harp", "lute"))
        self.assertEqual(
            [(e.key, e.label, e.box) for e in found.examples],
            [
                ("harp/0.png", 0, (1, 2, 9, 7)),
                ("harp/0.png", 1, (0, 0, 3, 3)),
                ("lute/1.png", 1, None),
            ],
        )
        unlabelled = datasets.read([self._table("path\nharp/0.png\n")], labelled=False)
        self.assertEqual([e.label for e in unlabelled.examples], [-1])

    @parameterized.parameters("a.jpg", "a.tif", "a.png")
    def test_boxes_lie_in_the_upright_picture(self, name):
        exif = PIL.Image.Exif()
        exif[0x0112] = 6
        picture(self.folder / "set" / name, (30, 10), exif=exif)
        picture(self.folder / "set" / "b.png")
        head = "path,label,x0,y0,x1,y1\nb.png,y,0,0,1,1\n"
        found = datasets.read([self._table(f"{head}{name},x,0,0,10,30\n")])
        self.assertEqual(found.examples[1].box, (0, 0, 10, 30))
        with self.assertRaisesRegex(InputError, "line 3: the box .* not within 10x30"):
            datasets.read([self._table(f"{head}{name},x,0,0,30,10\n")])

    def test_tables_as_spreadsheets_save_them(self):
        root = self._classes(classes=("harp", "lute"))
        picture(root / "a; b, c.png")
        rows = [("path", "label", "x0", "y0", "x1", "y1"), ("harp/0.png", "harp", "", "", "", "")]
        rows += [("a; b, c.png", "lute", "0,6", "0,2", "8,9", "6")]
        expected = [("harp/0.png", 0, None), ("a; b, c.png", 1, (1, 0, 9, 6))]
        for delimiter in ";\t":
            quoted = [[f'"{x}"' if delimiter in x else x for x in row] for row in rows]
            text = "".join(delimiter.join(row) + "\r\n" for row in quoted)
            for content in (
                text.encode(), text.encode("utf-8-sig"), text.encode("utf-16"),
                text.encode("utf-16-be"), b"\xfe\xff" + text.encode("utf-16-be"),
                f"sep={delimiter}\r\n\r\n{text}".encode(),
            ):  # fmt: skip
                found = datasets.read([self._table(content)])
                self.assertEqual([(e.key, e.label, e.box) for e in found.examples], expected)

    @parameterized.parameters(
        "path,label,\n{0},harp\n{1},lute\n",
        "path,label\n{0},harp,\n{1},lute,,\n",
        'path, label\n"{0}", "harp"\n"{1}", "lute"\n',
        "path,label\n{0},harp\n{0},harp\n{1},lute\n",
    )
    def test_tables_as_they_are_typed(self, text):
        self._classes(classes=("harp", "lute"))
        found = datasets.read([self._table(text.format("harp/0.png", "lute/1.png"))])
        self.assertEqual(found.classes, ("harp", "lute"))
        said = [(e.key, e.label) for e in found.examples]
        self.assertEqual(said, [("harp/0.png", 0), ("lute/1.png", 1)])

    def test_tables_end_in_tsv_too(self):
        self._classes(classes=("harp", "lute"))
        text = "path\tlabel\nharp/0.png\tharp\nlute/0.png\tlute\n"
        self.assertLen(datasets.read([self._table(text, "set/table.tsv")]).examples, 2)

    @parameterized.parameters(
        (b"PK\3\4" + 26 * b"\0" + b"xl/worksheets/sheet1.xml", "a workbook of Excel; save its"),
        (b"PK\3\4" + 26 * b"\0" + b"docProps/app.xml", "a workbook of Excel; save its"),
        (b"\xd0\xcf\x11\xe0" + 99 * b"\0", "an old workbook of Excel; save its"),
        (b"PK\3\4" + 26 * b"\0" + b"mimetypeapplication/vnd.oasis.opendocument", "LibreOffice"),
        (b"PK\3\4" + 26 * b"\0" + b"harp/0.png", "a zip archive; unpack it"),
        (b"\x1f\x8b" + 99 * b"\0", "gzip; unpack it"),
        (b"<!DOCTYPE html>", "a web page"),
    )
    def test_what_is_taken_for_a_table_is_called_by_its_name(self, start, said):
        for name, words in (("a.csv", "no CSV but "), ("a.xlsx", "neither a folder nor a table: ")):
            with self.assertRaisesRegex(InputError, f"{name}: {words}.*{said}"):
                datasets.read([self._table(start, name)])

    def test_refusals_of_tables(self):
        self._classes(classes=("harp", "lute"))
        boxed = "path,label,x0,y0,x1,y1\nharp/0.png,harp,0,0,1,1\n"
        for text, words in {
            "": "an empty file",
            "harp/0.png,harp\n": "Expected a first line",
            "path,label,x0\n": "no column y0, x1, y1",
            "path,label,xmin,ymin,xmax,ymax\n": "columns x0,y0,x1,y1, .*Received: xmin,ymin",
            "path,label,x,y,w,h\n": "columns x0,y0,x1,y1, .*Received: x,y,w,h",
            "path,label,label\n": "label is there twice",
            "path:label\n": "Expected a first line",
            "path,label\nharp/7.png,harp\n": "line 2: no such file as harp/7.png",
            "path,label\nharp/0.png,\n": "line 2: no label",
            "path,label\n,harp\n": "line 2: no path",
            "path,label\nharp/0.png\n": "line 2: expected 2 fields",
            "path,label\nharp/0.png,harp,lute\n": "line 2: expected 2 fields.*in quotes",
            "path,label\nharp/0\0.png,harp\n": "line 2|CSV",
            boxed + "harp/0.png,harp,0,0,10,7\n": "line 3: the box .* not within 9x7",
            boxed + "harp/0.png,harp,-1,0,3,3\n": "line 3: the box",
            boxed + "harp/0.png,harp,3,3,3,5\n": "line 3: the box .* empty",
            boxed + "harp/0.png,harp,a,0,3,5\n": "line 3: expected a number in column x0",
            boxed + "harp/0.png,harp,nan,0,3,5\n": "line 3: not four numbers",
            boxed + "harp/0.png,harp,0,0,inf,5\n": "line 3: not four numbers",
            boxed + "harp/0.png,harp,0,0,,5\n": "line 3: expected a number in column x1",
            boxed + "harp/8.png,harp,0,0,1,1\n" * 9: "line 3: .*line 7: .*9 such lines",
            boxed + f"{'x' * 200_000},harp,0,0,1,1\n": "field",
            "path,label\nharp/0.png,harp\n": "at least two",
        }.items():
            with self.subTest(text[:80]), self.assertRaisesRegex(InputError, words) as raised:
                datasets.read([self._table(text)])
            self.assertIn("table.csv", str(raised.exception))
            self.assertNotIn("\n", str(raised.exception))
        with self.assertRaisesRegex(InputError, "UTF-8"):
            datasets.read([self._table("path,label\nhärp,x\n".encode("latin-1"))])
        huge = self._table("")
        os.truncate(huge, tables.MAX_BYTES + 1)
        with self.assertRaisesRegex(InputError, "more than"):
            datasets.read([huge])
