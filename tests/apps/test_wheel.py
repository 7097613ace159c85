"""What `pip install .` brings: the library, the apps as one command, checkpoints, tables."""

import importlib.metadata
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile

import tensorflow as tf

ROOT = pathlib.Path(__file__).resolve().parents[2]
# What lies elsewhere in the wheel than in a checkout.
_MOVED = {"apps": "tfvis/apps", "checkpoints": "tfvis/checkpoints", "tfvis": "tfvis"}
# What `tfvis` runs, without the script that an installer writes for it.
_COMMAND = (
    "from importlib.metadata import entry_points;"
    "entry_points(group='console_scripts', name='tfvis')['tfvis'].load()()"
)
# The trunk is not in the wheel, and random here, so that its fingerprint is another.
_CLASSIFIER = """
from unittest import mock
import tfvis
from tfvis.networks import registry, weights
from tfvis.networks.files import checkpoint_files
trunk = checkpoint_files.description(registry.find_checkpoint("pacs_vgg16"), "")["trunk"]
def found(name, construct, path, top):
    return construct(weights=None, include_top=top), weights.Record("random", trunk, None)
with (
    mock.patch.object(weights, "fingerprint", return_value=trunk),
    mock.patch.object(weights, "find", found),
):
    print(*tfvis.classifier("pacs_vgg16").classes)
"""


def _setuptools() -> tuple[int, ...]:
    try:
        return tuple(map(int, importlib.metadata.version("setuptools").split(".")[:2]))
    except importlib.metadata.PackageNotFoundError:
        return (0,)


@unittest.skipIf(_setuptools() < (77,), "needs setuptools from 77 on, as tests/requirements.txt")
class WheelTest(tf.test.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        # From a copy, as building writes beside what it reads.
        source = folder / "source"
        for name in _MOVED:
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, source / name, ignore=ignored)
        for name in ("pyproject.toml", "setup.py", "requirements.txt", "README.md", "LICENSE"):
            shutil.copy(ROOT / name, source)
        build = "import sys, setuptools.build_meta as b; b.build_wheel(sys.argv[1])"
        done = subprocess.run(
            [sys.executable, "-c", build, str(folder)],
            cwd=source, capture_output=True, text=True,
        )  # fmt: skip
        if done.returncode:
            raise AssertionError(done.stderr)
        (wheel,) = folder.glob("*.whl")
        cls.installed, cls.elsewhere = folder / "installed", folder / "elsewhere"
        cls.elsewhere.mkdir()
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(cls.installed)

    def _run(self, code: str, *words: str, expected: int = 0) -> subprocess.CompletedProcess:
        done = subprocess.run(
            [sys.executable, "-c", code, *words], cwd=self.elsewhere, text=True,
            capture_output=True, env=os.environ | {"PYTHONPATH": str(self.installed)},
        )  # fmt: skip
        self.assertEqual(done.returncode, expected, done.stderr)
        return done

    def test_everything_is_in_it_under_one_name(self):
        top = {path.name for path in self.installed.iterdir() if path.suffix != ".dist-info"}
        self.assertEqual(top, {"tfvis"})
        for here, there in _MOVED.items():
            for path in (ROOT / here).rglob("*"):
                if path.is_file() and "__pycache__" not in path.parts:
                    inside = self.installed / there / path.relative_to(ROOT / here)
                    self.assertTrue(inside.is_file(), inside)

    def test_apps_import_each_other_by_relative_names(self):
        for path in (ROOT / "apps").rglob("*.py"):
            self.assertNotRegex(path.read_text(), r"(?m)^\s*(from|import) apps\b", path)

    def test_the_command(self):
        listed = self._run(_COMMAND).stdout
        for path in (ROOT / "apps").glob("[a-z]*.py"):
            self.assertRegex(listed, rf"(?m)^  {path.stem} +[A-Z]")
        shown = self._run(_COMMAND + "; import sys; assert 'tensorflow' not in sys.modules", "help")
        self.assertEqual(shown.stdout, listed)
        told = self._run(_COMMAND, "invert", "--help").stdout
        self.assertIn("    tfvis invert --image=photo.jpg", told)
        self.assertIn("--restarts=1", told)
        self.assertNotIn("python -m", told)
        refused = self._run(_COMMAND, "invert", "--image=none.jpg", expected=1)
        self.assertRegex(refused.stderr, r"^tfvis invert: --image=none.jpg: no such file.*\n$")
        refused = self._run(_COMMAND, "invart", expected=2)
        self.assertRegex(refused.stderr, r"^tfvis: there is no app 'invart'. Nearest: invert.*\n$")

    def test_the_classifiers_that_come_along(self):
        done = self._run(_CLASSIFIER)
        self.assertEqual(
            done.stdout.split(),
            ["dog", "elephant", "giraffe", "guitar", "horse", "house", "person"],
        )


if __name__ == "__main__":
    tf.test.main()
