"""What a notebook shows of an object: one line."""

import pathlib

import numpy as np
import tensorflow as tf

import tfvis
from tests import nets
from tfvis.attention.visual_backprop import Attention
from tfvis.optimize import loop
from tfvis.preimages import inversion

_LAYER = "block2_conv1"
# A notebook's or terminal's line.
_LINE = 100


class ReprTest(tf.test.TestCase):
    def _objects(self):
        """Yields one of everything that `dir(tfvis)` leads to, with the name it has there."""
        network, picture = nets.wrapped(), nets.picture(16)
        folder = pathlib.Path(self.create_tempdir().full_path)
        yield "wrap", network
        yield from (("", part) for part in (network.graph, network.record, network.classifier))
        yield "", network.taps([_LAYER])
        yield "", network.preprocessing
        yield "classifier", tfvis.classifier(str(nets.checkpoint(folder / "checkpoint")))
        numbers = np.zeros(100)
        state = loop.State(numbers, (numbers,), 0, 3, numbers, numbers, numbers, numbers)
        snapshot = loop.Snapshot(state, numbers, 3, {"objective": numbers}, numbers)
        yield from (("", one) for one in (state, snapshot))
        # As derived for a layer, no constant is left out.
        yield "Inversion", inversion.published(network, _LAYER, (16, 16), tfvis.Inversion())
        for name in ("Caricature", "Maximization", "NaturalPrior", "Transfer"):
            yield name, getattr(tfvis, name)()
        yield "Scene", tfvis.Scene(picture, (picture, picture))
        yield "channel", tfvis.channel(_LAYER, 3) - 0.5 * tfvis.neuron(_LAYER, 4)
        for name in ("ClassVisualBackProp", "GradCam", "Product", "SmoothGrad", "VisualBackProp"):
            yield name, getattr(tfvis, name)(network)
        found, mask = {_LAYER: tf.constant(picture)}, tf.constant(picture[None])
        yield "", Attention(mask, found, found, {}, mask, found)

    def test_everything_fits_on_a_line(self):
        shown = [(name, repr(getattr(tfvis, name))) for name in dir(tfvis)]
        shown += [(name, repr(found)) for name, found in self._objects()]
        for name, text in shown:
            self.assertLessEqual(len(text), _LINE, (name, text))
            self.assertNotIn("\n", text)

    def test_settings_show_what_was_changed(self):
        self.assertEqual(repr(tfvis.Inversion()), "Inversion()")
        changed = tfvis.Inversion(steps=20, prior=tfvis.NaturalPrior(beta=1.0))
        self.assertEqual(repr(changed), "Inversion(prior=NaturalPrior(beta=1.0), steps=20)")
        names = {name: getattr(tfvis, name) for name in ("Inversion", "NaturalPrior")}
        self.assertEqual(eval(repr(changed), names), changed)


if __name__ == "__main__":
    tf.test.main()
