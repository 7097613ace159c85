"""tfvis: what a convolutional network keeps of an image.

    import tfvis
    network = tfvis.build("vgg16")
    photo = tfvis.load("photo.jpg", 224, crop="center")
    result = tfvis.invert(network, photo, "block4_conv3")
    result.save("preimage.png")

Names are imported when first used, so that `import tfvis` does not start TensorFlow.
"""

import os
import platform
import sys

from tfvis import lazy

__version__ = "0.1.0"

# Keras reads this at import and cannot change afterwards; the gradients are TensorFlow's.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
# TensorFlow leaves oneDNN off on CPUs without AVX-512 or VNNI, where it is 1.6 times as fast
# all the same. Read at import, too; where that has been, `hardware.onednn` asks what holds.
if "tensorflow" not in sys.modules and platform.machine().lower() in ("x86_64", "amd64"):
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

__getattr__, __dir__, __all__ = lazy.attach(
    __name__,
    {
        "Caricature": "preimages",
        "ClassVisualBackProp": "attention.class_visual_backprop",
        "Deconvnet": "attention.deconvnet",
        "GradCam": "attention.grad_cam",
        "GuidedBackprop": "attention.deconvnet",
        "InputError": "errors",
        "Inversion": "preimages",
        "Maximization": "preimages",
        "NaturalPrior": "natural_prior",
        "Product": "attention.product",
        "Saliency": "attention.saliency",
        "Scene": "style.transfer",
        "SmoothGrad": "attention.smoothgrad",
        "Transfer": "style.settings",
        "VisualBackProp": "attention.visual_backprop",
        "build": "networks.network",
        "caricature": "preimages",
        "channel": "objectives",
        "classifier": "classifiers.checkpoints:load",
        "direction": "objectives",
        "diversity": "objectives",
        "invert": "preimages",
        "load": "images",
        "logit": "objectives",
        "maximize": "preimages",
        "neuron": "objectives",
        "read": "images",
        "reconstruct": "style.stylization",
        "relative_error": "objectives",
        "save_png": "images",
        "stylize": "style.stylization",
        "texture": "style.stylization",
        "unit": "preimages",
        "wrap": "networks.network",
    },
)
