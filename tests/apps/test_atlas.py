"""The atlas as a person makes it, opens it and asks it."""

import json
import os
import pathlib
import re
import signal
import sys
import time

from absl.testing import absltest

from apps.benchmarks import batch_kills
from tests import chromium, forked, nets
from tests.processes import ROOT, AppTest
from tfvis import files, images
from tfvis.experiments.batch import verification

# A class whose name would be markup, if it were let.
_NASTY = "<u>cat"


def _small_shards() -> None:
    """Has a run make few pictures at once, so that there are several shards of them."""
    from tfvis.experiments.atlas import descents

    descents._AT_ONCE = 2


class AtlasTest(AppTest):
    def setUp(self):
        super().setUp()
        for k in range(12):
            place = f"photos/{('drawn', 'photo')[k % 2]}/{(_NASTY, 'dog')[k % 3 == 0]}/{k}.png"
            images.save_png(self.folder / place, nets.picture(40, seed=k))
        (self.folder / "photos/bad.png").write_bytes(b"no picture")
        self.out = self.folder / "out"
        self.flags = (
            f"--networks={self.model},{self.model}", "--preprocessing=tf",
            f"--images={self.folder / 'photos'}", f"--workdir={self.out}", "--steps=3",
            "--cells=2", "--units=block2_conv1:2-5",
        )  # fmt: skip

    def _data(self, name: str):
        text = (self.out / f"data/{name}.js").read_text()
        return json.loads(re.fullmatch(r"atlas\(\"[\w-]+\",(.*)\);\n", text)[1])

    def test_made_opened_and_asked(self):
        done = self._run("atlas", *self.flags)
        self.assertIn("left out 1 of 13 files", done.stderr)
        index, units = self._data("index"), self._data("0-0")
        self.assertEqual([one["label"] for one in index["networks"]], ["small", "small 2"])
        layer = index["networks"][0]["layers"][0]
        self.assertEqual(
            (layer["numbers"], layer["classes"]["names"]), ([2, 3, 4, 5], [_NASTY, "dog"])
        )
        self.assertEqual(index["pictures"], 12)
        self.assertEqual(units["domains"], ["drawn", "photo"])
        for k in range(4):
            self.assertEqual([sum(row) for row in units["histogram"][k]], [6, 6])
            values = [spot[-1] for spot in units["top"][k]]
            self.assertEqual(values, sorted(values, reverse=True))
            # Of one network given twice each unit is its own partner, unless it hardly answers.
            self.assertIn(units["best"][k][0], (k + 2, -1))
        self.assertTrue(any(partner > 0 for partner, _ in units["best"]))
        # What is done is not done again, and what is another is refused.
        before = {path: path.stat().st_mtime_ns for path in self.out.rglob("part-*.parquet")}
        self._run("atlas", *self.flags)
        self.assertEqual(
            before, {path: path.stat().st_mtime_ns for path in self.out.rglob("part-*.parquet")}
        )
        done = self._run("atlas", *self.flags, "--steps=4", code=1)
        self.assertRegex(done.stderr, "--workdir=.*differs: ")
        self._find()
        if chromium.FOUND:
            self._browse()

    def _digests(self, out: pathlib.Path, *kinds: str) -> dict[str, str]:
        return {
            path.relative_to(out).as_posix(): files.sha256_of(path)
            for kind in kinds
            for path in out.rglob(kind)
        }

    @absltest.skipUnless(sys.platform == "linux", "looks for processes in /proc")
    def test_workers_and_who_started_them_are_killed(self):
        """Kills a worker, then, when more is done, who started it; then goes on alone."""
        flags = (*self.flags[1:4], f"--networks={self.model}", "--steps=40", "--cells=0",
                 "--path_similarity=False", "--units=block2_conv1:0-9")  # fmt: skip
        forked.started("atlas", flags, ROOT, _small_shards).wait(300)
        whole, self.out = self.out, self.folder / "killed"
        driver = forked.started(
            "atlas", (*flags, f"--workdir={self.out}", "--workers=2"), ROOT, _small_shards
        )
        # Workers import TensorFlow three times meanwhile: minutes where others take the cores.
        killed, seen, deadline = [], -1, time.monotonic() + 900
        while len(killed) < 2 and not driver.ended() and time.monotonic() < deadline:
            time.sleep(0.01)
            done = len(list(self.out.rglob("units-*/parts/part-*")))
            alive = batch_kills.children(driver.pid)
            if done <= seen or not alive or not list(self.out.rglob("units-*/leases/*")):
                continue
            killed.append(driver.pid if killed else alive[0])
            os.kill(killed[-1], signal.SIGKILL)
            seen = done
        self.assertLen(killed, 2)
        self.assertEqual(driver.wait(60).returncode, -signal.SIGKILL)
        self.assertFalse((self.out / "index.html").exists())
        (units,) = self.out.rglob("units-*")
        self.assertGreater(verification.verify(units).missing, 0)
        forked.started("atlas", (*flags, f"--workdir={self.out}"), ROOT).wait(300)
        found = verification.verify(units)
        self.assertTrue(found.whole)
        self.assertEqual((found.rows, found.errors), (10, 0))
        kinds = ("part-*.parquet", "*.webp", "*.js", "index.html")
        self.assertEqual(self._digests(self.out, *kinds), self._digests(whole, *kinds))
        # Paths were not asked for.
        self.assertEqual((self._data("index")["paths"], self._data("0-0")["path"]),
                         (False, [None] * 10))  # fmt: skip

    def _find(self):
        done = self._run("atlas", f"--find={self.folder / 'photos/photo' / _NASTY / '1.png'}",
                         f"--workdir={self.out}")  # fmt: skip
        self.assertRegex(done.stdout, r"small: block2_conv1 +\d+ .* #small/block2_conv1/\d+\n")
        page = (self.out / "found/1.html").read_text()
        self.assertIn('href="../index.html#small%202/block2_conv1/', page)
        self.assertNotIn("<script", page)

    def _browse(self):
        with chromium.page() as page:
            page.open(self.out / "index.html")
            self.assertEqual(page.value("document.querySelectorAll('.cover').length"), 2)
            # Any unit in two clicks.
            page.value("document.querySelector('.cover').click()")
            page.wait("document.querySelectorAll('.sheet li').length === 4")
            page.value("document.querySelectorAll('.sheet a')[1].click()")
            page.wait("document.querySelectorAll('.unit').length >= 1")
            self.assertEqual(page.value("location.hash"), "#small/block2_conv1/3")
            self.assertEqual(page.value("document.querySelectorAll('u').length"), 0)
            # By keys: the next unit, its layer, the start; a search.
            for key, address in (
                ("ArrowRight", "#small/block2_conv1/4"), ("Escape", "#small/block2_conv1"),
                ("Escape", ""),
            ):  # fmt: skip
                page.press(key)
                page.wait(f"location.hash === '{address}'")
            for key in "/dog":
                page.press(key)
            page.wait("location.hash === '#search/dog'")
            found = page.value("document.querySelectorAll('.sheet.told li').length")
            chosen = [self._data("index")["networks"][k]["layers"][0]["classes"] for k in (0, 1)]
            self.assertEqual(found, sum(one["of"].count(1) for one in chosen))
            page.press("Enter")
            page.wait("location.hash.startsWith('#small')")
            # A unit by its number, which the layer's name has as well.
            for key in "/block2_conv1 2":
                page.press(key)
            page.wait("document.querySelectorAll('.sheet.told li').length === 2")
            page.press("Enter")
            page.wait("location.hash === '#small/block2_conv1/2'")
            for way, what in (("map", ".map button"), ("pairs", ".sheet.pairs li")):
                page.open(self.out / "index.html", f"#small/block2_conv1/{way}")
                page.wait(f"document.querySelectorAll('{what}').length > 0")
                if way == "map":  # A cell tells its spots, and is marked in both maps.
                    page.wait("document.querySelectorAll('.map').length === 2")
                    page.value("document.querySelector('.map button').click()")
                    page.wait("document.querySelector('.chosen button').offsetWidth > 50")
                    marked = "document.querySelectorAll('.map [aria-pressed=true]').length"
                    self.assertEqual(page.value(marked), 2)
            page.open(self.out / "found/1.html")
            # Nothing went wrong, and nothing was asked of any other place.
            self.assertEqual(page.said, [])
            self.assertNotEmpty(page.asked)
            for asked in page.asked:
                self.assertRegex(asked, r"^(file:///|data:,)")

    def test_refusals(self):
        images_flag = f"--images={self.folder / 'photos'}"
        network = f"--networks={self.model}"
        for words, flags in (
            ("--images: must be given, or --find", (network,)),
            ("--workdir=.*holds no atlas", (f"--find={self.image}",)),
            ("--units=block2_conv1:99", (network, images_flag, "--units=block2_conv1:99")),
            ("--layers: gap of small is no map", (network, images_flag, "--layers=gap")),
            ("--layers: leave it out",
             (network, images_flag, "--layers=block2_conv1", "--units=block2_conv1:1")),
        ):  # fmt: skip
            with self.subTest(words):
                self._refused(words, *flags, app="atlas")


if __name__ == "__main__":
    import tensorflow as tf

    tf.test.main()
