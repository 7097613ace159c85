"""Dominators: against the definition, a layer without which the output cannot be reached."""

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from tests import nets
from tfvis.errors import InputError
from tfvis.networks import network
from tfvis.networks.receptive_field import dominators

layers = keras.layers


def _wrap(build) -> network.Network:
    """A network of what `build` makes of an input of 2 channels."""
    inputs = keras.Input((None, None, 2))
    return network.wrap(keras.Model(inputs, build(inputs)))


def _by_definition(net: network.Network, output: str) -> set[str]:
    """Every path whose removal cuts the output off from the input, one search each."""
    end, start = net.graph.tensors[output], net.graph.inputs

    def cut_off(without) -> bool:
        seen, stack = set(), [end]
        while stack:
            tensor = stack.pop()
            if id(tensor) in seen or tensor is without:
                continue
            if tensor is start:
                return False
            seen.add(id(tensor))
            operation, index, _ = tensor._keras_history
            stack.extend(operation._inbound_nodes[index].input_tensors)
        return True

    return {path for path, tensor in net.graph.tensors.items() if cut_off(tensor)} - {
        path for path, tensor in net.graph.tensors.items() if tensor is start
    }


def _random_graph(seed: int) -> network.Network:
    """Layers that each take one or two of the last few outputs."""
    generator = np.random.default_rng(seed)

    def build(x):
        made = [x]
        for k in range(16):
            back = generator.integers(1, 4, size=generator.integers(1, 3))
            given = [made[max(len(made) - int(b), 0)] for b in back]
            if len(given) == 1 or given[0] is given[1]:
                made.append(layers.Activation("relu", name=f"layer{k}")(given[0]))
            else:
                made.append(layers.Add(name=f"layer{k}")(given))
        return made[-1]

    return _wrap(build)


class DominatorsTest(tf.test.TestCase, parameterized.TestCase):
    def test_a_chain_is_all_dominators(self):
        found = dominators.dominators(nets.wrapped())
        self.assertEqual(
            found,
            ("block1_conv1", "block1_pool", "block2_conv1", "block2_pool", "gap", "logits",
             "predictions"),
        )  # fmt: skip

    def test_up_to_an_output_that_is_not_the_last(self):
        net = nets.wrapped()
        self.assertEqual(
            dominators.dominators(net, "block2_conv1"),
            ("block1_conv1", "block1_pool", "block2_conv1"),
        )
        self.assertEqual(dominators.dominators(net, "logits")[-1], net.logits)

    def test_a_residual_block_counts_by_its_ends(self):
        def build(x):
            x = layers.ReLU(name="stem")(layers.Conv2D(3, 3, padding="same", name="conv")(x))
            y = layers.Conv2D(3, 3, padding="same", name="inner")(x)
            # An operation, not a layer: it has a path and counts all the same.
            return layers.ReLU(name="out")(keras.ops.add(x, y))

        net = _wrap(build)
        found = dominators.dominators(net)
        self.assertEqual((*found[:2], found[-1]), ("conv", "stem", "out"))
        self.assertLen(found, 4)
        self.assertNotIn("inner", found)

    def test_a_branch_that_ends_elsewhere_is_no_way_around(self):
        def build(x):
            x = layers.Conv2D(3, 3, name="conv")(x)
            return [layers.ReLU(name="one")(x), layers.MaxPooling2D(name="other")(x)]

        net = _wrap(build)
        self.assertEqual(dominators.dominators(net, "one"), ("conv", "one"))
        self.assertEqual(dominators.dominators(net, "other"), ("conv", "other"))

    def test_shared_layers_and_nested_models(self):
        shared = layers.Conv2D(2, 3, padding="same", name="shared")
        inputs = keras.Input((None, None, 2))
        inner = keras.Model(inputs, layers.ReLU(name="relu")(shared(inputs)), name="inner")

        def build(x):
            once = shared(inner(x))
            return layers.Concatenate(name="both")([once, shared(once)])

        net = _wrap(build)
        self.assertEqual(
            dominators.dominators(net), ("inner/shared", "inner/relu", "shared", "both")
        )

    def test_several_outputs_of_one_operation(self):
        net = _wrap(
            lambda x: layers.Add(name="sum")(
                keras.ops.split(layers.Conv2D(4, 1, name="conv")(x), 2, -1)
            )
        )
        self.assertEqual(dominators.dominators(net), ("conv", "sum"))

    @parameterized.parameters(*range(12))
    def test_random_graphs(self, seed):
        net = _random_graph(seed)
        for output in (net.graph.output, net.paths[len(net.paths) // 2]):
            found = dominators.dominators(net, output)
            self.assertEqual(set(found), _by_definition(net, output))
            self.assertEqual(list(found), sorted(found, key=net.paths.index))

    def test_a_residual_network(self):
        net = network.build("resnet50", "random")
        found = dominators.dominators(net)
        self.assertEqual(set(found), _by_definition(net, net.graph.output))
        counts = {"conv2": 3, "conv3": 4, "conv4": 6, "conv5": 3}
        blocks = [f"{stage}_block{k + 1}_out" for stage, n in counts.items() for k in range(n)]
        self.assertEqual([path for path in found if path.endswith("_out")], blocks)

    def test_an_unknown_output(self):
        with self.assertRaisesRegex(InputError, "no layer 'block1_conv9'"):
            dominators.dominators(nets.wrapped(), "block1_conv9")


if __name__ == "__main__":
    tf.test.main()
