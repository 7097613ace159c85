"""The page of all reports: what names cannot do to it, and what it never asks of other places."""

import base64
import hashlib
import html
import pathlib
import re

import tensorflow as tf

from tests import nets, pages
from tfvis.report import html_page, number_meanings

_NASTY = "<script>alert(1)</script>&\"'"


class HtmlPageTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path) / "index.html"

    def _written(self, page: html_page.Page) -> tuple[str, pages.Parsed]:
        html_page.write(self.path, page)
        text = self.path.read_text("utf-8")
        return text, pages.Parsed(text)

    def _named(self, word: str) -> html_page.Page:
        """A page all of whose words that can come out of a file are this one."""
        number = html_page.Number(word, word)
        held = html_page.Figure(nets.picture(8), word, word, numbers=(number,))
        linked = html_page.Linked(word, 8, 8, word, word, True, (number,))
        pair = html_page.Pair(held, linked, word, word, (number,))
        table = html_page.Table((word, "measure"), [(word, word)], word, 1)
        section = html_page.Section(word, word, (held, linked, pair), table, word)
        return html_page.Page(
            word, [section] * 3, [word], (number,), pair, True, word, word, [word], word
        )

    def test_no_name_becomes_markup(self):
        text, found = self._written(self._named(_NASTY))
        self.assertLen(found.all("script"), 1)
        self.assertNotIn("<script>alert", text)
        self.assertIn(_NASTY, "".join(found.words))
        # The same elements with the same attributes as of a page of harmless names.
        _, plain = self._written(self._named("name"))
        shapes = [[(tag, sorted(attrs)) for tag, attrs in one.tags] for one in (found, plain)]
        self.assertEqual(*shapes)

    def test_nothing_is_asked_of_other_places(self):
        names = [_NASTY, "https://example.org/a.png", "//example.org/a.png", "javascript:alert(1)"]
        figures = tuple(html_page.Linked(name, 8, 8, name) for name in names)
        page = html_page.Page("t", [html_page.Section("h", "x", figures)], files=names)
        _, found = self._written(page)
        self.assertLen(found.addresses(), 2 * len(names))
        for address in found.addresses():
            # A name is a file beside the page, whatever it looks like.
            self.assertNotRegex(address, r"^([a-z]+:|//)")
        (policy,) = [a["content"] for a in found.all("meta") if "http-equiv" in a]
        self.assertIn("default-src 'none'", policy)
        script = re.search("<script>(.*)</script>", self.path.read_text("utf-8"), re.DOTALL)[1]
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        self.assertIn(f"script-src 'sha256-{digest}'", html.unescape(policy))

    def test_letters_that_turn_the_order_of_others_are_spelled_out(self):
        section = html_page.Section("a\u202eb", "x", ())
        text, _ = self._written(html_page.Page("t", [section]))
        self.assertNotIn("\u202e", text)
        self.assertIn(r"a\u202eb", text)

    def test_a_pair_has_a_slider_and_numbers_their_meanings(self):
        before = html_page.Figure(nets.picture(8), "target")
        after = html_page.Linked("b.png", 8, 8, "block1")
        numbers = (html_page.Number("relative_error", "0.12"), html_page.Number("unheard", "7"))
        pair = html_page.Pair(before, after, "block1", numbers=numbers)
        table = html_page.Table(("measure", "p", "value"), [("road", 0.5, 1)], "pairs.csv", 1)
        _, found = self._written(html_page.Page("t", [html_page.Section("h", "x", (pair,), table)]))
        (slider,) = found.all("input")
        self.assertEqual(slider["aria-label"], "target on the left, block1 on the right")
        linked = [a["href"] for a in found.all("a") if a.get("class") == "number"]
        known = ["relative_error", "pairs.p", "road"]
        places = [f"#number_{number_meanings.MEANINGS[name].place}" for name in known]
        self.assertCountEqual(linked, places)
        told = {f"#{attrs['id']}" for attrs in found.all("dt")}
        self.assertEqual(told, set(places))
        self.assertIn("unheard", found.words)
        # In another table the column is another number.
        self.assertNotIn("p", number_meanings.of(["p"]))

    def test_a_number_that_means_nothing_is_not_shown(self):
        rows = [("road", float("nan")), ("insertion_blur", 0.25)]
        table = html_page.Table(("measure", "standard_error"), rows, "summary.csv", 2)
        _, found = self._written(html_page.Page("t", [html_page.Section("h", "x", (), table)]))
        self.assertIn("0.25", found.words)
        self.assertNotIn("nan", found.words)

    def test_every_meaning_has_a_place_of_its_own(self):
        places = [one.place for one in number_meanings.MEANINGS.values()]
        self.assertLen(set(places), len(places))
        self.assertTrue(all(places))


if __name__ == "__main__":
    tf.test.main()
