"""What is kept of a network's answers to a batch."""

import io

import numpy as np
import tensorflow as tf

from tests import nets
from tfvis.comparison import cka, responses, rsa


class ResponsesTest(tf.test.TestCase):
    def test_as_the_maps_themselves_say(self):
        network, layers = nets.wrapped(), ("block1_conv1", "block2_pool", "gap")
        pictures = [nets.picture(16, seed=k) for k in range(5)]
        looked_at = responses.positions(5, 3, seed=0)
        found, scores = responses.responses(network, layers, pictures, looked_at)
        taps = network.taps((*layers, network.logits))(tf.constant(np.stack(pictures)))
        self.assertAllClose(scores, taps[network.logits], atol=1e-5)
        for layer in layers:
            maps, one = taps[layer].numpy(), found[layer]
            self.assertAllClose(one.kernel, cka.kernel(maps), rtol=1e-5)
            self.assertAllClose(one.dissimilarities, rsa.dissimilarities(maps), atol=1e-5)
            maps = maps.reshape(5, *(maps.shape[1:3] if maps.ndim == 4 else (1, 1)), -1)
            self.assertAllClose(one.means, maps.mean((1, 2)), atol=1e-5)
            down, right = (looked_at[3, 1] * maps.shape[1]).astype(int)
            self.assertAllClose(one.samples[3, 1], maps[3, down, right], atol=1e-5)
            self.assertAllEqual(one.shape, maps.shape[1:])
            self.assertAllClose(one.largest, maps.max((1, 2)), atol=1e-5)
            row, column = one.where[2, 4]
            self.assertAllClose(maps[2, row, column, 4], maps[2, ..., 4].max(), atol=1e-5)

    def test_kept_in_a_file(self):
        network = nets.wrapped()
        looked_at = responses.positions(4, 2, seed=0)
        pictures = [nets.picture(16, seed=k) for k in range(4)]
        found, scores = responses.responses(network, ("block1_conv1",), pictures, looked_at)
        file = io.BytesIO()
        np.savez(file, **responses.arrays(found, scores))
        file.seek(0)
        with np.load(file, allow_pickle=False) as kept:
            self.assertAllEqual(kept["scores"], scores)
            self.assertAllEqual(kept["0.samples"], found["block1_conv1"].samples)
            self.assertAllEqual(kept["0.kernel"], found["block1_conv1"].kernel)
