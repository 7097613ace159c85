"""The app of the page, before it serves one."""

import importlib.util
import unittest

from tests.processes import AppTest


class StudioTest(AppTest):
    @unittest.skipIf(importlib.util.find_spec("gradio"), "Gradio is installed")
    def test_without_gradio_it_says_what_to_type(self):
        self._refused("not installed. Type: sh run.sh studio", app="studio")

    def test_its_help_tells_its_flags(self):
        done = self._run("studio", "--help")
        for flag in ("port", "fast", "network", "checkpoint", "workdir"):
            self.assertIn(f"--{flag}", done.stdout)


if __name__ == "__main__":
    import tensorflow as tf

    tf.test.main()
