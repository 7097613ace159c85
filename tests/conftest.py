"""Settings for the whole suite: no TensorFlow chatter, a private cache, parsed flags."""

import gc
import os
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"
# Nothing the tests do may touch, or lean on, the caches of the person running them.
os.environ["TFVIS_HOME"] = tempfile.mkdtemp(prefix="tfvis-test-")

import pytest
from absl import flags

import tfvis  # noqa: F401  (sets the Keras backend before anything imports Keras)


def pytest_collection_finish():
    """What is imported stays: looking through it for garbage takes a tenth of tracing a graph."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@pytest.fixture(autouse=True, scope="session")
def _parsed_flags():
    """absl's flags count as parsed, or tf.test's helpers raise."""
    flags.FLAGS.mark_as_parsed()
