"""How far a network comes, in evaluations of L-BFGS."""

import dataclasses

import numpy as np
import tensorflow as tf

from tests import nets
from tests.style.fast.test_training import LOSS, loss_of
from tfvis.style import transfer
from tfvis.style.fast.equivalent_evaluations import Descent, equivalent


class EquivalentEvaluationsTest(tf.test.TestCase):
    def test_the_curve_is_that_of_gatys(self):
        wanted = dataclasses.replace(LOSS, tv_weight=0.0, evaluations=7)
        loss, content = loss_of(wanted), nets.picture(32, seed=8)
        descent = Descent(loss, 1, content.shape)
        curve = descent.curve(content, 6)
        self.assertLen(curve, 7)
        scene = transfer.Scene(content, (nets.oblong(24, 30, seed=2),))
        (progress,) = transfer.iterate(nets.wrapped(), scene, settings=wanted)
        theirs = progress.snapshot.energies[:, 0]
        whole = loss.weights(1)["content block2_conv1"]
        # Float32 of another order, and a line search that follows it.
        self.assertAllClose(curve, theirs * whole, rtol=1e-2)
        self.assertLess(curve[-1], curve[0])
        # Another photograph needs no other trace.
        descent.curve(nets.picture(32, seed=9), 6)
        self.assertEqual(descent._loop.traces, 1)

    def test_where_a_curve_meets_an_energy(self):
        curve = [10.0, 8.0, 8.0, 4.0]
        for reached, wanted in ((11, 0), (10, 0), (9, 0.5), (8, 1), (6, 2.5), (4, 3), (3, np.inf)):
            self.assertEqual(equivalent(curve, reached), wanted)


if __name__ == "__main__":
    tf.test.main()
