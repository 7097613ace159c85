"""The page of a run, made of what lies in its workdir."""

import pathlib
import urllib.parse

import numpy as np
import tensorflow as tf

from tests import nets, pages
from tfvis import images, tables
from tfvis.report import html_page, run_page

_NASTY = "<script>alert(1)</script>&\"'"


class RunPageTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.out = pathlib.Path(self.create_tempdir().full_path)

    def _saved(self, name: str) -> str:
        images.save_png(self.out / name, nets.picture(12))
        return name

    def _written(self, *sections: html_page.Section) -> pages.Parsed:
        run_page.write(self.out, html_page.Page("title", list(sections)))
        return pages.whole(self.out / "index.html")

    def test_what_lies_in_the_workdir_is_found(self):
        self._saved("sheet.png")
        self._saved("curve_of.png")
        self._saved("other.png")
        layer = urllib.parse.quote(_NASTY, safe="<>&\"' ").replace("/", "%2F")
        self._saved(f"{layer}/preimage.png")
        (self.out / "tensorboard").mkdir()
        (self.out / "tensorboard/events").touch()
        rows = [(_NASTY, 0.25, k / 3, "") for k in range(50)]
        columns = ("layer", "relative_error", "seconds", "nothing")
        tables.write(self.out / "numbers.csv", columns, rows)
        found = self._written()
        shown = [one["src"] for one in found.all("img") if "src" in one]
        # The sheet is told of, and not shown where its pictures are.
        self.assertEqual(shown, ["curve_of.png", "other.png"])
        self.assertNotIn("tensorboard/events", " ".join(found.addresses()))
        self.assertIn(urllib.parse.quote(f"{layer}/preimage.png"), found.addresses())
        # Times are no two runs' the same, and empty columns say nothing.
        self.assertLen(found.all("th"), 2)
        self.assertLen(found.all("td"), 2 * 20)
        self.assertIn("20 rows here, 50 in ", found.words)
        self.assertIn(_NASTY, found.words)

    def test_a_sheet_is_shown_where_nothing_else_is(self):
        self._saved("sheet.png")
        found = self._written()
        self.assertEqual([one["src"] for one in found.all("img") if "src" in one], ["sheet.png"])

    def test_what_cannot_be_read_is_left_out(self):
        (self.out / "latin.csv").write_bytes("größe\n1\n".encode("latin-1"))
        (self.out / "empty.csv").write_text("a,b\n")
        (self.out / "broken.png").write_bytes(b"no picture")
        self._saved("sheet.png")
        found = self._written()
        self.assertEqual([one["src"] for one in found.all("img") if "src" in one], ["sheet.png"])
        self.assertEmpty(found.all("table"))
        self.assertIn("latin.csv", found.addresses())

    def test_before_and_after_and_their_numbers(self):
        self._saved("a/after.png")
        before = run_page.shown(self.out, "target", nets.picture(12), title="target")
        record = {
            "file": "a/after.png", "relative_error": 0.123456, "seconds": 34567.25, "seed": 0,
            "random_pairs": {"pairs": 100, "nearer_than": 99},
        }  # fmt: skip

        def pair(record):
            after = run_page.linked(self.out, record["file"], title=_NASTY)
            return [html_page.Pair(before, after, _NASTY, numbers=run_page.numbers(record))]

        found = self._written(run_page.section("Pairs", "", [record], pair))
        (slider,) = found.all("input")
        self.assertIn(_NASTY, slider["aria-label"])
        shown = [one["src"] for one in found.all("img") if "src" in one]
        self.assertEqual(shown, [before.file, "a/after.png"])
        words = " ".join(" ".join(found.words).split())
        self.assertIn("relative error 0.123", words)
        self.assertIn("nearer than random pairs 99 of 100", words)
        self.assertNotIn("34567", words)

    def test_of_ten_thousand_pictures_some_hundred_are_shown(self):
        self._saved("one.png")
        asked = []

        def figure(record):
            asked.append(record)
            return [run_page.linked(self.out, "one.png", title=str(record))]

        section = run_page.section("Many", "", [{"k": k} for k in range(10_000)], figure)
        found = self._written(section)
        shown = len([one for one in found.all("img") if "src" in one])
        self.assertBetween(shown, 100, 999)
        self.assertLen(asked, shown)
        self.assertIn(f"and {10_000 - shown:,} more in the folder", found.words)
        self.assertTrue(all(one.get("loading") == "lazy" for one in found.all("img")[:shown]))
        # Linked, not held: some hundred bytes each.
        self.assertLess((self.out / "index.html").stat().st_size, 2**18)

    def test_what_is_somebody_elses_stays(self):
        (self.out / "page").mkdir()
        (self.out / "page/mine.png").write_text("mine")
        self._written()
        self._written()
        self.assertEqual((self.out / "page/mine.png").read_text(), "mine")
        for content in (b"<html>mine</html>", b"\xff"):
            (self.out / "index.html").write_bytes(content)
            self.assertFalse(run_page.write(self.out, html_page.Page("title", [])))
            self.assertEqual((self.out / "index.html").read_bytes(), content)

    def test_pictures_of_an_earlier_page_go(self):
        first = run_page.shown(self.out, "first", nets.picture(12))
        self._written(html_page.Section("h", "", (first,)))
        second = run_page.shown(self.out, "second", np.zeros((12, 12, 3), np.float32))
        self._written(html_page.Section("h", "", (second,)))
        names = [path.name for path in (self.out / run_page.FOLDER).iterdir()]
        self.assertEqual(names, [pathlib.PurePath(second.file).name])
        self.assertFalse(list(self.out.glob(".*")))


if __name__ == "__main__":
    tf.test.main()
