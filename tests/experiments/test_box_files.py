import csv
import os
import pathlib
from unittest import mock

import tensorflow as tf

from tfvis import tables
from tfvis.attention.boxes import Box
from tfvis.errors import InputError
from tfvis.experiments import box_files
from tfvis.experiments.box_files import Row

HEADER = "path,label,x0,y0,x1,y1\n"


class GroundTruthsTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.path = self.folder / "boxes.csv"

    def test_a_file_of_true_boxes(self):
        self.path.write_text(
            "\ufeff"
            + HEADER
            + "a/1.png,dog,0,1,20.5,30\n\nb.png,cat,1,2,3,4\na/1.png,cat,5,5,6,6\n",
            encoding="utf-8",
        )
        rows = box_files.read(self.path)
        first = Row("a/1.png", "dog", Box(0, 1, 20.5, 30))
        second, third = Row("b.png", "cat", Box(1, 2, 3, 4)), Row("a/1.png", "cat", Box(5, 5, 6, 6))
        self.assertEqual(rows, [first, second, third])

    def test_columns_in_any_order_and_others_beside_them(self):
        self.path.write_text("x1, Y1,note,X0,y0,label,path\r\n3,4,hm,1,2,dog,a.png\r\n")
        self.assertEqual(box_files.read(self.path), [Row("a.png", "dog", Box(1, 2, 3, 4))])

    def test_round_trip(self):
        rows = [
            Row('a, "b"/ünï 漢字 🎻.png', 'the "dog", big', Box(0, 1, 16384, 7, 0.123456)),
            Row(" =1+1.png", "", Box(1.25, 2.5, 3.75, 4.125, -3)),
            Row("c'.png", ";", Box(1, 2, 3, 4, 1e-9)),
        ]
        box_files.write(self.path, iter(rows))
        self.assertEqual(box_files.read(self.path), rows)
        with open(self.path, newline="", encoding="utf-8") as file:
            table = list(csv.reader(file))
        self.assertEqual(table[0], ["path", "label", "score", "x0", "y0", "x1", "y1"])
        self.assertEqual(table[1][1:], ['the "dog", big', "0.123456", "0", "1", "16384", "7"])
        self.assertEqual(os.listdir(self.folder), ["boxes.csv"])

    def test_no_boxes_found_is_a_file_too(self):
        box_files.write(self.path, [])
        self.assertEqual(self.path.read_text().strip(), "path,label,score,x0,y0,x1,y1")
        with self.assertRaisesRegex(InputError, "no boxes"):
            box_files.read(self.path)

    def test_what_would_break_the_rows_is_not_written(self):
        box_files.write(self.path, [Row("old.png", "a", Box(0, 0, 1, 1))])
        old = self.path.read_bytes()
        for path, label in (
            ("a\nb", "c"),
            ("a", "b\r"),
            ("a\u2028", "c"),
            ("\x00", "c"),
            ("\udcff", "c"),
        ):
            good = Row("good.png", "a", Box(0, 0, 1, 1))
            with self.assertRaisesRegex(InputError, "boxes.csv"):
                box_files.write(self.path, [good, Row(path, label, Box(0, 0, 1, 1))])
        self.assertEqual(self.path.read_bytes(), old)
        self.assertEqual(os.listdir(self.folder), ["boxes.csv"])

    def test_a_bad_row_is_named_by_its_line(self):
        for row, word in (
            ("b.png,dog,1,2,3", "5 *$|Received: 5"),
            ("b.png,dog,1,2,3,4,5", "6 fields"),
            ("b.png,dog,1,2,x,4", "column x1.*'x'"),
            ("b.png,dog,1,2,,4", "column x1"),
            ("b.png,dog,3,2,1,4", "x0 < x1"),
            ("b.png,dog,1,2,3,nan", "y0 < y1"),
            ("b.png,dog,1,2,inf,4", "x0 < x1"),
            ("b.png,dog,-1,2,3,4", "0 <= x0"),
            ("b.png,dog,1,2,3,1e9", "16,384"),
            (",dog,1,2,3,4", "no path"),
            ("b\t.png,dog,1,2,3,4", "control"),
            ('b.png,"do"g,1,2,3,4', "not CSV"),
        ):
            self.path.write_text(f"{HEADER}a.png,dog,0,0,1,1\n{row}\n")
            with self.assertRaisesRegex(InputError, f"truths=.*boxes.csv, line 3.*({word})"):
                box_files.read(self.path, "truths")

    def test_a_line_break_in_a_path(self):
        self.path.write_text(f'{HEADER}"a\nb.png",dog,0,0,1,1\n')
        with self.assertRaisesRegex(InputError, "line 3.*line break"):
            box_files.read(self.path)

    def test_a_quote_that_is_never_closed(self):
        self.path.write_text(f'{HEADER}"a.png,dog,0,0,1,1\n' + "b.png,dog,0,0,1,1\n" * 20000)
        with self.assertRaisesRegex(InputError, "not CSV"):
            box_files.read(self.path)

    def test_files_that_are_none(self):
        for content, word in (
            (b"", "empty"),
            (b"\n\n", "empty"),
            (HEADER.encode(), "no boxes"),
            (b"path,x0,y0,x1\na,1,2,3\n", "label, y1"),
            (b"path,label,x0,y0,x1,y1,x0\n", "twice"),
            (HEADER.encode() + b"\xff\xfe,dog,0,0,1,1\n", "UTF-8"),
            (b"\x89PNG\r\n\x1a\n\x00\x00", "UTF-8"),
        ):
            self.path.write_bytes(content)
            with self.assertRaisesRegex(InputError, word):
                box_files.read(self.path)
        for place in (self.folder, self.folder / "absent.csv"):
            with self.assertRaisesRegex(InputError, "no such file|is a folder"):
                box_files.read(place)

    def test_its_size_is_bounded(self):
        self.path.write_text(HEADER + "a.png,dog,0,0,1,1\n" * 5)
        self.assertLen(box_files.read(self.path), 5)
        with mock.patch.object(tables, "MAX_ROWS", 4):
            with self.assertRaisesRegex(InputError, "line 6.*more than 4"):
                box_files.read(self.path)
        with mock.patch.object(tables, "MAX_BYTES", 50):
            with self.assertRaisesRegex(InputError, "more than 50"):
                box_files.read(self.path)
