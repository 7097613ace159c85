"""The page of studio as people use it, in a Chromium; `sh run.sh test-studio` runs this.

Whatever a page of these tests asks for is asked of 127.0.0.1: `tearDown` looks at every request.
"""

import importlib.util
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.request

import numpy as np
import tensorflow as tf

from tests import nets
from tests.experiments.studio.test_styling import fast_checkpoint
from tests.processes import ROOT
from tfvis import images

_ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
# A machine may have other things to do; nothing here takes so long by itself.
_PATIENCE_S = 300


def _missing() -> str:
    """Returns why there is no browser to test with, or ""."""
    if not os.environ.get("TFVIS_TEST_STUDIO"):
        return "the page is tested by: sh run.sh test-studio"
    for name in ("gradio", "playwright"):
        if importlib.util.find_spec(name) is None:
            return f"{name} is not installed: sh run.sh test-studio"
    return "" if _chromium() else "no Chromium: install one, or name it (CHROMIUM=/path)"


def _chromium() -> str | None:
    names = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if name and (found := shutil.which(name))), None)


@unittest.skipIf(_missing(), _missing())
class PageTest(tf.test.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        import tempfile

        from playwright.sync_api import sync_playwright

        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        fast_checkpoint(cls.folder / "two")
        nets.small().save(cls.folder / "small.keras")
        nets.checkpoint(cls.folder / "eyes")
        for name, seed in (("photo", 1), ("other", 2), ("own", 3)):
            images.save_png(cls.folder / f"{name}.png", nets.oblong(150, 200, seed))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            cls.port = probe.getsockname()[1]
        cls.log = open(cls.folder / "log", "w")  # noqa: SIM115
        cls.addClassCleanup(cls.log.close)
        cls.server = subprocess.Popen(
            [sys.executable, "-m", "apps.studio", f"--port={cls.port}", "--network=small.keras",
             "--checkpoint=eyes", "--fast=two", "--workdir=out"],
            cwd=cls.folder, stdout=cls.log, stderr=subprocess.STDOUT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        cls.addClassCleanup(cls.server.wait, _PATIENCE_S)
        cls.addClassCleanup(cls.server.terminate)
        cls._await_server()
        playwright = cls.enterClassContext(sync_playwright())
        cls.browser = playwright.chromium.launch(executable_path=_chromium(), args=_ARGUMENTS)
        cls.addClassCleanup(cls.browser.close)

    @classmethod
    def _await_server(cls):
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline and cls.server.poll() is None:
            try:
                return urllib.request.urlopen(cls._address()).close()
            except OSError:
                time.sleep(0.2)
        raise AssertionError((cls.folder / "log").read_text())

    @classmethod
    def _address(cls, path: str = "/") -> str:
        return f"http://127.0.0.1:{cls.port}{path}"

    def setUp(self):
        super().setUp()
        self.requests, self.errors = [], []
        self.context, self.page = self._person()

    def tearDown(self):
        elsewhere = [
            url for url in self.requests if not url.startswith((self._address(), "data:", "blob:"))
        ]
        self.assertEqual((elsewhere, self.errors), ([], []))
        super().tearDown()

    def _person(self, width: int = 1280):
        context = self.browser.new_context(viewport={"width": width, "height": 800})
        self.addCleanup(context.close)
        context.on("request", lambda request: self.requests.append(request.url))
        page = context.new_page()
        page.set_default_timeout(_PATIENCE_S * 1000)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.goto(self._address())
        page.wait_for_selector(".tile")
        return context, page

    def _bring(self, page, name: str = "photo.png", where: str = "#photograph"):
        page.set_input_files(f"{where} input[type=file]", self.folder / name)

    def _words(self, page, words: str | re.Pattern, where: str = "#stage .words"):
        page.locator(where, has_text=words).wait_for()

    def _painted(self, page) -> str:
        """Returns the address of the picture on the stage."""
        return page.locator("#stage .after").get_attribute("src")

    def test_a_preview_of_each_style_and_of_a_mix(self):
        self._bring(self.page)
        self._words(self.page, "A preview")
        self.page.wait_for_selector("#stage .after[src]")
        seen = [self._painted(self.page)]
        for button in ('.tile:has-text("cold") .pick', '.tile:has-text("warm") .more'):
            self.page.hover(button)
            self.page.click(button)
            self.page.wait_for_function(
                "before => document.querySelector('#stage .after').getAttribute('src') !== before",
                arg=seen[-1],
            )
            seen.append(self._painted(self.page))
        self.assertEqual(self.page.locator(".weight").count(), 2)
        self.assertLen(set(seen), 3)
        self._words(self.page, "An estimate:", "#time")
        self.assertEqual(self.page.locator("#paint").inner_text(), "Paint it")

    def test_painting_stopping_saving_coming_back(self):
        self._bring(self.page)
        self._words(self.page, "A preview")
        self.page.click("#paint")
        self._words(self.page, "left.")
        # Who comes back finds it where it is.
        self.page.reload()
        self._words(self.page, "left.")
        self.page.click("#stop")
        # The size asked for, and what it is.
        self._words(self.page, re.compile(r"591 × 443 px.*stopped early"))
        source = self._painted(self.page)
        with self.page.expect_download() as picture:
            self.page.click("text=Save the picture")
        with self.page.expect_download() as manifest:
            self.page.click("text=how it was made")
        saved = self.folder / "saved.png"
        picture.value.save_as(saved)
        made = json.loads(pathlib.Path(manifest.value.path()).read_text())["results"][0]
        self.assertEqual(images.read(saved).pixels.shape[:2], tuple(made["size"]))
        self.assertLess(made["evaluations"], made["of"])
        self.page.reload()
        self.page.wait_for_selector("#stage .after[src]")
        self.assertEqual(self._painted(self.page), source)
        self.assertTrue(self.page.locator("#photograph .full").is_visible())

    def test_before_and_after_are_pulled(self):
        self._bring(self.page)
        self.page.wait_for_selector("#stage .after[src]")
        box = self.page.locator("#stage .frame").bounding_box()
        before = self.page.locator("#stage .frame").evaluate(
            "e => e.style.getPropertyValue('--cut')"
        )
        self.page.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + 40)
        after = self.page.locator("#stage .frame").evaluate(
            "e => e.style.getPropertyValue('--cut')"
        )
        self.assertNotEqual(before, after)
        self.assertAlmostEqual(float(after.rstrip("%")), 75, delta=3)

    def test_where_to_paint_is_drawn(self):
        self._bring(self.page)
        self._words(self.page, "A preview")
        whole = self._picture()
        self.page.click("text=Only a part")
        canvas = self.page.locator("#mask canvas")
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        source = self._painted(self.page)
        self.page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.1 * box["height"])
        self.page.mouse.down()
        for down in np.linspace(0.1, 0.9, 9):
            self.page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + down * box["height"])
        self.page.mouse.up()
        self.page.wait_for_function(
            "before => document.querySelector('#stage .after').getAttribute('src') !== before",
            arg=source,
        )
        part, photo = (
            self._picture(),
            images.of_area(images.read(self.folder / "photo.png").pixels, 512),
        )
        right, left = np.s_[:, part.shape[1] // 2 :], np.s_[200:300, 100:140]
        self.assertLess(np.abs(part - photo)[right].mean(), 4)
        self.assertGreater(np.abs(whole - photo)[right].mean(), 8)
        self.assertLess(np.abs(part - whole)[left].mean(), 4)

    def _picture(self) -> np.ndarray:
        """Returns the pixels of the picture on the stage, as the browser gets it."""
        answer = self.context.request.get(self._address(self._painted(self.page)))
        path = self.folder / "stage"
        path.write_bytes(answer.body())
        return images.read(path).pixels

    def test_a_painting_of_ones_own(self):
        self._bring(self.page)
        self._words(self.page, "A preview")
        self._bring(self.page, "own.png", "#palette .own")
        self._words(self.page, "A sketch")
        self.assertTrue(self.page.locator('.tile.on:has-text("yours 1")').is_visible())

    def test_bad_files_are_one_sentence(self):
        (self.folder / "note.jpg").write_text("no picture")
        (self.folder / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
        for name, words in (("note.jpg", "not an image"), ("phone.heic", "HEI")):
            self._bring(self.page, name)
            self._words(self.page, words, "#photograph .said")
            self.assertTrue(self.page.locator("#photograph .said").inner_text().startswith(name))
        self._bring(self.page)
        self._words(self.page, "A preview")
        self.assertEqual(self.page.locator("#photograph .said").inner_text(), "")

    def test_two_people_stand_in_a_line_and_see_nothing_of_one_another(self):
        other_context, other = self._person()
        self._bring(self.page)
        self._words(self.page, "A preview")
        self.page.click("#paint")
        self._words(self.page, "left.")
        self._bring(other, "other.png")
        self._words(other, "A preview")
        other.click("#paint")
        self._words(other, "Waiting: another picture is being made first.")
        source = self._address(self._painted(self.page))
        self.assertEqual(self.context.request.get(source).status, 200)
        for context in (other_context, self.browser.new_context()):
            self.assertEqual(context.request.get(source).status, 404)
        other.click("#stop")
        self.page.click("#stop")
        self._words(self.page, "stopped early")
        self._words(other, "Stopped.")

    def test_looking_names_layers_units(self):
        self.page.get_by_role("tab", name="Look").click()
        self._bring(self.page, "photo.png", "#looked")
        self.page.wait_for_selector("#seen .cell img")
        self.assertEqual(self.page.locator("#seen .answer").count(), 3)
        self.page.click("#keep")
        self._words(self.page, "apart from yours", "#kept .cell:last-child .note")
        # Other work of the same person would end this where it is.
        self.page.wait_for_function("() => !document.querySelector('#kept .live')")
        self.page.click("#draw")
        self.page.wait_for_function(
            "() => { const all = document.querySelectorAll('#units .cell');"
            "return all.length === 6 && document.querySelectorAll('#units .cell img').length >= 6"
            "&& !document.querySelector('#units .live'); }"
        )
        self.page.reload()
        self.page.get_by_role("tab", name="Look").click()
        self.page.wait_for_selector("#units .cell img")
        self.assertGreater(self.page.locator("#kept .cell").count(), 1)

    def test_it_fits_a_telephone(self):
        for width in (1280, 390):
            context, page = self._person(width)
            self._bring(page)
            page.wait_for_selector("#stage .after[src]")
            for tab in ("Style", "Look"):
                page.get_by_role("tab", name=tab).click()
                page.wait_for_timeout(300)
                wide = page.evaluate("document.scrollingElement.scrollWidth")
                self.assertLessEqual(wide, width, tab)
            context.close()

    def test_nothing_else_is_open(self):
        for path in ("/gradio_api/file=/etc/passwd", "/gradio_api/proxy=https://example.org"):
            with self.assertRaises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(self._address(path))
            self.assertEqual(caught.exception.code, 404)
        for name, value in (("Host", "example.org"), ("Origin", "https://example.org")):
            request = urllib.request.Request(self._address(), headers={name: value})
            with self.assertRaises(urllib.error.HTTPError):
                urllib.request.urlopen(request)


if __name__ == "__main__":
    tf.test.main()
