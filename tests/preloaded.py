"""What every app imports; nothing here may run TensorFlow, whose threads do not survive a fork."""

import gc  # noqa: I001
import importlib
import pkgutil

# In an app's order: it settles what TensorFlow reads as it is imported.
import apps.flags.common  # noqa: F401
import tensorflow  # noqa: F401
import keras  # noqa: F401
import h5py  # noqa: F401
import matplotlib.pyplot  # noqa: F401
import onnx  # noqa: F401
import PIL.Image  # noqa: F401
import scipy.optimize  # noqa: F401
import tensorboard.plugins.hparams.api  # noqa: F401
import tqdm  # noqa: F401

import tfvis.experiments

# An app imports its own once its flags are sound: half of what is left of a short run.
for module in pkgutil.iter_modules(tfvis.experiments.__path__, "tfvis.experiments."):
    importlib.import_module(module.name)

# As in conftest.py; and pages nobody marks are shared with every child.
gc.collect()
gc.freeze()
gc.set_threshold(50_000, 20, 50)
