"""Caffe networks that take the mean off themselves, which is not taken off twice."""

import pathlib

import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from google.protobuf import text_format

from apps.benchmarks import caffe_oracle
from tests.caffe_nets import conv, deploy, layer
from tfvis.networks import network
from tfvis.networks.preprocessing import contracts

_BGR = np.array(contracts.IMAGENET_MEAN[::-1], np.float32)
_CONV = conv("conv1", "front", "num_output: 2 kernel_size: 1")
_ONE = np.ones(1, np.float32)
# Layers in front, their numbers, and whether they take the mean off.
_FRONTS = {
    "power": (layer("front", "Power", "data", power="scale: 0.0078431 shift: -1"), (), True),
    "a mere factor": (layer("front", "Power", "data", power="scale: 0.017"), (), False),
    "scale": (
        layer("front", "Scale", "data", scale="bias_term: true"),
        (np.full(3, 1 / 58, np.float32), -_BGR / 58),
        True,
    ),
    "bias": (layer("front", "Bias", "data"), (-_BGR,), True),
    "statistics of pixels": (
        layer("front", "BatchNorm", "data"),
        (_BGR + 5, np.full(3, 3500, np.float32), _ONE),
        True,
    ),
    "statistics of what is centred": (
        layer("front", "BatchNorm", "data"),
        (np.array([1, -2, 0.5], np.float32), np.full(3, 3500, np.float32), _ONE),
        False,
    ),
    "none": (layer("front", "ReLU", "data"), (), False),
}


class OwnMeanTest(tf.test.TestCase, parameterized.TestCase):
    def _built(self, front: str, blobs, **more):
        folder = pathlib.Path(self.create_tempdir().full_path)
        net = deploy(front, _CONV)
        kernel = [np.ones((2, 3, 1, 1), np.float32), np.zeros(2, np.float32)]
        found = {"front": list(blobs), "conv1": kernel}
        (folder / "net.prototxt").write_text(text_format.MessageToString(net))
        (folder / "net.caffemodel").write_bytes(caffe_oracle.caffemodel(net, found))
        return network.build(str(folder / "net.prototxt"), **more)

    @parameterized.parameters(*_FRONTS)
    def test_who_takes_the_mean_off(self, name):
        front, blobs, takes = _FRONTS[name]
        net = self._built(front, blobs)
        contract = net.preprocessing
        self.assertTrue(contract.bgr)
        self.assertEqual(contract.mean == (0.0,), takes)
        if takes:
            self.assertIn("front of it takes the mean off", net.preprocessing_reason)
            # The average colour is near 0 in front of the first kernel, and once only.
            average = np.broadcast_to(np.float32(contracts.IMAGENET_MEAN), (1, 13, 11, 3))
            arrived = net.taps(["front"])(tf.constant(average.copy()))["front"].numpy()
            white = net.taps(["front"])(tf.fill((1, 13, 11, 3), 255.0))["front"].numpy()
            self.assertLess(np.abs(arrived).mean(), 0.2 * np.abs(white).mean())
        else:
            self.assertEqual(contract.name, "caffe")

    def test_a_contract_that_is_named_counts(self):
        front, blobs, _ = _FRONTS["power"]
        self.assertEqual(
            self._built(front, blobs, preprocessing="caffe").preprocessing.name, "caffe"
        )


if __name__ == "__main__":
    tf.test.main()
