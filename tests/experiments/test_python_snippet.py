"""The Python on the page of a run makes the same pictures, to the bit."""

import math
import os
import pathlib

import numpy as np
import tensorflow as tf

from tests import nets, pages
from tfvis import images, preimages
from tfvis.experiments import attention, folders, inversion, python_snippet
from tfvis.experiments.networks import Wanted
from tfvis.report import html_page


def _run(value, *, workdir, other=None, painted=(), **more):
    """A stand-in for an experiment, of which only the signature counts."""


class PythonSnippetTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        folder = pathlib.Path(self.create_tempdir().full_path)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(folder)
        nets.small().save("small.keras")
        self.wanted = Wanted(network="small.keras", preprocessing="tf")
        pathlib.Path("photos").mkdir()
        for k in range(2):
            images.save_png(f"photos/{k}.png", nets.oblong(30, 40, seed=k))

    def _again(self, out: str) -> pages.Parsed:
        """Runs what the page of a run says, and returns the page."""
        found = pages.whole(pathlib.Path(out, "index.html"))
        exec(compile(found.pre[-1], "snippet", "exec"), {})
        for path in pathlib.Path(out).rglob("*.png"):
            again = pathlib.Path(f"{out}_again", path.relative_to(out))
            self.assertEqual(path.read_bytes(), again.read_bytes(), path)
        return found

    def test_an_inversion_and_its_page(self):
        done = inversion.run(
            self.wanted, images.load("photos/0.png"), ["block1_conv1", "block2_pool"],
            workdir=pathlib.Path("out"), size=16, seed=3, precision="float32",
            settings=preimages.Inversion(steps=4, fine_steps=2, jitter=1),
            arguments={"image": "photos/0.png"},
        )  # fmt: skip
        self.assertEqual(done.index, pathlib.Path("out/index.html"))
        found = self._again("out")
        # A pair of each layer, and no command where no app was run.
        self.assertLen(found.all("input"), 2)
        self.assertLen(found.pre, 1)
        self.assertIn("relative error", found.words)

    def test_a_look_at_a_folder_and_its_page(self):
        where = folders.find("photos", "image")
        attention.run(self.wanted, where, workdir="looked", size=24, precision="float32")
        found = self._again("looked")
        self.assertLen(found.all("input"), 2)

    def test_values_as_python_writes_them(self):
        made = preimages.Inversion(steps=7)
        values = {
            "value": {"a": (1,), 'b"); raise SystemExit(': [np.float32(0.5), -math.inf]},
            "other": made, "painted": ("\u202e\n'\"",), "workdir": "x", "more": {"n": 3, "k": None},
        }  # fmt: skip
        text = python_snippet.snippet(_run, values, pathlib.Path("x"), {})
        *imports, call = text.replace("test_python_snippet._run", "run").split("\n\n")
        given = {}
        lines = [line for line in imports[0].split("\n") if "test_python_snippet" not in line]
        names = {"run": lambda *a, **k: given.update(k, value=a[0])}
        exec("\n".join([*lines, call]), names)
        self.assertEqual(given.pop("workdir"), "x_again")
        self.assertEqual(given.pop("n"), 3)
        self.assertEqual(given, {name: values[name] for name in ("value", "other", "painted")})

    def test_no_python_of_what_nothing_says_how_to_make(self):
        workdir = pathlib.Path("x")
        flags = {"value": "photos/0.png"}
        unknown = images.load("photos/0.png") + 1
        for value, of in ((unknown, flags), (images.load("photos/0.png"), {}), (object(), {})):
            self.assertEqual(python_snippet.snippet(_run, {"value": value}, workdir, of), "")
        known = python_snippet.snippet(_run, {"value": unknown - 1}, workdir, flags)
        self.assertIn("images.load('photos/0.png')", known)
        demo = python_snippet.snippet(_run, {"value": images.demo()}, workdir, {})
        self.assertIn("images.demo()", demo)

    def test_a_page_says_the_command_where_there_is_no_python(self):
        path = pathlib.Path("index.html")
        html_page.write(path, html_page.Page("t", [], command="python -m apps.invert"))
        self.assertEqual(pages.whole(path).pre, ["python -m apps.invert"])


if __name__ == "__main__":
    tf.test.main()
