"""The README's Python, run as it stands: on a small network by chance, in a few steps."""

import os
import pathlib
import re
from unittest import mock

import tensorflow as tf

import tfvis
from tests import nets
from tfvis import images, results
from tfvis.networks.network import Network
from tfvis.preimages import normalization

_ROOT = pathlib.Path(__file__).resolve().parent.parent
_FEW = {"steps": 2, "fine_steps": 0, "evaluations": 2}


class ReadmeTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        for name, seed in (("photo.jpg", 0), ("painting.jpg", 1)):
            # A PNG by its content; readers go by that.
            images.save_png(self.folder / name, nets.oblong(48, 64, seed=seed))
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder)

    def _run(self, code: str) -> dict:
        """Runs code with everything small; returns its names."""
        original, load = results.with_constants, images.load

        def few(settings, constants):
            names = {name: _FEW[name] for name in _FEW if hasattr(settings, name)}
            return original(original(settings, constants), names)

        def build(name, pooling="max"):
            self.assertIn(name, ("vgg16", "pacs_vgg16"))
            return nets.like_vgg16(pooling)

        def small(path, size=None, crop=None):
            return load(path, size and min(size, 64), crop)

        found = {}
        with (
            mock.patch.object(results, "with_constants", few),
            # So few steps move no unit much.
            mock.patch.object(normalization, "_MOVED", -1.0),
            mock.patch.multiple(tfvis, build=build, load=small, create=True),
        ):
            exec(compile(code, "README.md", "exec"), found)
        return found

    def test_its_python_runs(self):
        blocks = re.findall(
            r"^```python\n(.*?)^```", (_ROOT / "README.md").read_text(), re.M | re.S
        )
        self.assertNotEmpty(blocks)
        found = {}
        for block in blocks:
            found = self._run(block)
        self.assertIsInstance(found["network"], Network)
        for name in ("preimage.png", "stylized.png"):
            self.assertEqual(images.read(self.folder / name).pixels.ndim, 3)

    def test_so_does_the_docstring_of_the_package(self):
        block = re.search(r"\n\n((?:    .*\n)+)", tfvis.__doc__)[1]
        self._run(re.sub("^    ", "", block, flags=re.M))
        self.assertTrue((self.folder / "preimage.png").exists())


if __name__ == "__main__":
    tf.test.main()
