"""Tables and cards that hold names of others."""

import csv
import pathlib

import tensorflow as tf

from tfvis import tables
from tfvis.report import markdown


class TablesTest(tf.test.TestCase):
    def test_no_cell_is_a_formula_and_all_come_back(self):
        path = pathlib.Path(self.create_tempdir().full_path) / "t.csv"
        names = [
            "=cmd|' /C calc'!A0",
            "+x",
            "@SUM(A1)",
            "-dash.jpg",
            "a,b",
            'c"d',
            "plain",
            "'=kept",
        ]
        tables.write(path, ("name", "value"), [(name, -0.5) for name in names])
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))[1:]
        self.assertEqual({row[1] for row in rows}, {"-0.5"})
        for name, row in zip(names, rows, strict=True):
            self.assertNotIn(row[0][0], "=+-@")
            if not name.startswith("'"):
                self.assertEqual(tables.text(row[0]), name)

    def test_numbers_as_text_stay_numbers(self):
        self.assertEqual(
            [tables.cell(v) for v in ("-1.5", "+2", -3, None)], ["-1.5", "+2", -3, None]
        )

    def test_bytes_that_are_no_text_are_written(self):
        path = pathlib.Path(self.create_tempdir().full_path) / "t.csv"
        tables.write(path, ("path",), [("caf\udce9\x1b[2J.jpg",)])
        self.assertEqual(path.read_text("utf-8"), "path\ncaf\\udce9\\x1b[2J.jpg\n")


class MarkdownTest(tf.test.TestCase):
    def test_a_name_is_text(self):
        self.assertEqual(
            markdown.text("<script>a|b</script> [x](y)\n# z `c`"),
            "&lt;script&gt;a\\|b&lt;/script&gt; \\[x\\](y) # z \\`c\\`",
        )
        self.assertEqual(markdown.text("electric_guitar"), "electric_guitar")
