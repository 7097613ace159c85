"""Layers of Caffe's forks beside OpenCV, which runs the same files."""

import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from tests.caffe_nets import conv, deviation, filled, image, layer, opencv, ours, outputs
from tfvis.networks import network

# Two orders of summation in float32; what is wrong is off by far more.
_ALIKE = 1e-4
_A = conv("a", "data", "num_output: 6 kernel_size: 3")


def _deconv(name: str, fields: str) -> str:
    return layer(name, "Deconvolution", "a", convolution=fields)


# Each: layers, and the shapes of their blobs; all of them OpenCV reads.
_NETS = {
    "deconvolutions": (
        [
            _A,
            _deconv("plain", "num_output: 4 kernel_size: 3"),
            _deconv("strided", "num_output: 4 kernel_size: 4 stride: 2 pad: 1"),
            _deconv("uneven", "num_output: 4 kernel_h: 3 kernel_w: 4 stride_h: 1 stride_w: 3"),
            _deconv("groups", "num_output: 4 kernel_size: 3 stride: 2 group: 2 pad: 1"),
            _deconv("each", "num_output: 6 kernel_size: 4 stride: 2 group: 6 bias_term: false"),
        ],
        {
            "plain": [(6, 4, 3, 3), (4,)],
            "strided": [(6, 4, 4, 4), (4,)],
            "uneven": [(6, 4, 3, 4), (4,)],
            "groups": [(6, 2, 3, 3), (4,)],
            "each": [(6, 1, 4, 4)],
        },
    ),
    "strides and dilations": (
        [
            _A,
            conv("shared", "a", "num_output: 4 kernel_size: 3 pad: 2 stride: 2 dilation: 2"),
            conv("apart", "a", "num_output: 4 kernel_size: 2 stride: 2 dilation: 3"),
            conv("groups", "a", "num_output: 4 kernel_size: 2 stride: 2 dilation: 2 group: 2"),
            conv("each", "a", "num_output: 6 kernel_size: 3 stride: 3 dilation: 2 group: 6"),
        ],
        {
            "shared": [(4, 6, 3, 3), (4,)],
            "apart": [(4, 6, 2, 2), (4,)],
            "groups": [(4, 3, 2, 2), (4,)],
            "each": [(6, 1, 3, 3), (6,)],
        },
    ),
    "pointwise": (
        [
            _A,
            layer("elu", "ELU", "a"),
            layer("elu2", "ELU", "a", elu="alpha: 0.3"),
            layer("relu6", "ReLU6", "a"),
            layer("abs", "AbsVal", "a"),
            layer("bnll", "BNLL", "a"),
        ],
        {},
    ),
    "axes": (
        [
            _A,
            layer("last", "Permute", "a", permute="order: 0 order: 2 order: 3 order: 1"),
            layer("flat", "Flatten", "last"),
            layer("turned", "Permute", "a", permute="order: 0 order: 1 order: 3 order: 2"),
            layer("shuffled", "ShuffleChannel", "a", shuffle_channel="group: 3"),
        ],
        {},
    ),
    "normalizations": (
        [
            _A,
            layer("batch", "BatchNorm", "a", batch_norm="use_global_stats: false"),
            layer("norm", "BatchNorm", "a", batch_norm="eps: 0.01"),
        ],
        {"batch": [(6,), (6,), (1,)], "norm": [(6,), (6,), (1,)]},
    ),
    "sizes": (
        [
            _A,
            layer("zoom", "Interp", "a", interp="zoom_factor: 3"),
            layer("size", "Interp", "a", interp="height: 17 width: 5"),
            layer("crop", "Crop", "data a", crop="axis: 2 offset: 1"),
            layer("sides", "Crop", "data a", crop="offset: 2 offset: 0"),
        ],
        {},
    ),
    "products": (
        [
            _A,
            layer("mean", "Pooling", "a", pooling="pool: AVE global_pooling: true"),
            layer("gate", "Sigmoid", "mean"),
            layer("flat", "Reshape", "gate", reshape="shape { dim: 0 dim: -1 }"),
            layer("scaled", "Scale", "a flat", scale="axis: 0"),
            layer("axpy", "Axpy", "gate a a"),
        ],
        {},
    ),
}


class OpenCVTest(parameterized.TestCase, tf.test.TestCase):
    @parameterized.named_parameters(*((name, name) for name in _NETS))
    def test_every_layer_computes_what_it_does_in_opencv(self, name):
        net, blobs, model = filled(*_NETS[name])
        mine, theirs = outputs(model, image()), opencv(net, blobs, image())
        for message in net.layer[1:]:
            (values,) = theirs[message.name]
            self.assertLess(deviation(mine[message.name], ours(values)), _ALIKE, message.name)

    def test_they_survive_being_saved_and_run_in_bfloat16(self):
        for name, (layers, shapes) in _NETS.items():
            _, _, model = filled(layers, shapes)
            path = self.create_tempdir().full_path + "/model.keras"
            model.save(path)
            opened = network.build(path)
            wrapped = network.wrap(model)
            for precision, most in (("float32", 1e-5), ("bfloat16", 0.1)):
                paths = list(wrapped.paths)
                mine = wrapped.taps(paths, precision)(tf.constant(image()))
                exact = outputs(model, image())
                again = opened.taps(paths, precision)(tf.constant(image()))
                for layer_, values in exact.items():
                    self.assertLess(deviation(mine[layer_], values), most, (name, layer_))
                    self.assertAllClose(again[layer_], mine[layer_])

    def test_gradients_are_those_of_small_steps(self):
        generator = np.random.default_rng(0)
        for name, (layers, shapes) in _NETS.items():
            if name == "pointwise":
                continue  # Of kinks; their gradients are Keras' and tf.nn.relu's.
            _, _, model = filled(layers, shapes)
            x = tf.constant(image())
            direction = tf.constant(generator.normal(size=x.shape).astype("f4"))
            weights = [tf.constant(generator.normal(size=y.shape).astype("f4")) for y in model(x)]

            def energy(x, model=model, weights=weights):
                pairs = zip(model(x), weights, strict=True)
                return tf.add_n([tf.reduce_sum(y * w) for y, w in pairs])

            with tf.GradientTape() as tape:
                tape.watch(x)
                value = energy(x)
            along = tf.reduce_sum(tape.gradient(value, x) * direction)
            # Smaller steps leave nothing of float32, larger ones go beyond kinks.
            step = 1e-3
            small = (energy(x + step * direction) - energy(x - step * direction)) / (2 * step)
            self.assertAllClose(along, small, rtol=2e-2, msg=name)


if __name__ == "__main__":
    tf.test.main()
