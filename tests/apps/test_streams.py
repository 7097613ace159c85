"""What apps write, where, and what becomes of it when nobody reads."""

import subprocess
import sys

import tensorflow as tf

from tests.processes import ROOT

_APP = """
import apps.flags.common as common
def main():
    for k in range(3):
        common.tell(f"result {{k}} of a\\x1b[31m\\nclass")
    common.say("note\\x07")
    {more}
common.run(main, "streams_test")
"""


# Flags without which an app does not begin.
_NEEDED = {"train": ("--data=x",)}


class StreamsTest(tf.test.TestCase):
    def _run(self, redirect: str, more: str = "", flags: str = ""):
        script = self.create_tempfile(content=_APP.format(more=more)).full_path
        command = f"{sys.executable} {script} {flags} {redirect}; echo code ${{PIPESTATUS[0]}} >&3"
        return subprocess.run(
            ["bash", "-c", f"exec 3>&1; {command}"], cwd=ROOT, env={"PYTHONPATH": str(ROOT)},
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip

    def test_names_stay_on_their_line_and_give_no_orders(self):
        done = self._run("")
        lines = [f"result {k} of a\\x1b[31m class" for k in range(3)]
        self.assertEqual(done.stdout.splitlines(), [*lines, "code 0"])
        self.assertEqual(done.stderr, "note\\x07\n")

    def test_a_stream_that_fails_is_no_traceback(self):
        for redirect, code, words in (
            ("| head -1", 0, "note"),
            (">&-", 0, "note"),
            ("2>&-", 0, ""),
            ("2>/dev/full", 0, ""),
            (">&- 2>&-", 0, ""),
            (">/dev/full", 1, "standard output"),
        ):
            with self.subTest(redirect):
                done = self._run(redirect)
                self.assertIn(f"code {code}", done.stdout)
                self.assertIn(words, done.stderr)
                self.assertNotIn("Traceback", done.stderr)
                self.assertLessEqual(len(done.stderr.splitlines()), 1, done.stderr)

    def test_help_too(self):
        done = self._run(">/dev/full", flags="--help")
        self.assertIn("code 1", done.stdout)
        self.assertLen(done.stderr.splitlines(), 1, done.stderr)

    def test_the_system_says_no(self):
        done = self._run("", more="open('/dev/null/x')")
        self.assertIn("code 1", done.stdout)
        self.assertEqual(
            done.stderr.splitlines()[1:],
            ["python -m apps.streams_test: /dev/null/x: Not a directory."],
        )


class NumbersTest(tf.test.TestCase):
    def test_numbers_without_a_value_are_refused_at_the_flag(self):
        for app, flag in (
            ("invert", "alpha=nan"), ("invert", "stop=inf"), ("train", "rate=nan"),
            ("stylize", "ratio=-inf"), ("invert", "steps=3000000000"),
        ):  # fmt: skip
            with self.subTest(flag):
                done = subprocess.run(
                    [sys.executable, "-m", f"apps.{app}", f"--{flag}", *_NEEDED.get(app, ())],
                    cwd=ROOT, capture_output=True, text=True, timeout=60,
                )  # fmt: skip
                self.assertEqual(done.returncode, 2)
                self.assertLen(done.stderr.splitlines(), 1, done.stderr)
                self.assertIn("--" + flag.split("=")[0], done.stderr)
