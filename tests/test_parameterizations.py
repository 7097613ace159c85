"""Changes of a picture: none at first, and none that is fine."""

import numpy as np
import tensorflow as tf

from tests import nets
from tfvis import parameterizations


class ChangesTest(tf.test.TestCase):
    def test_they_begin_as_the_picture_and_stay_coarse(self):
        pictures = np.stack([nets.picture(16, seed=k).clip(1, 254) for k in range(2)])
        for channels in (3, 1):
            shown, center = pictures[..., :channels], np.float32([123, 116, 103][:channels])
            written = parameterizations.changes(shown, center, (0.25, 0.1, 0.1), 0.5)
            first = written.image(tf.constant(written.start)) + center
            # Float32, through a sigmoid and back.
            self.assertAllClose(first, shown, rtol=0, atol=0.01)
            # The same step in every coordinate.
            after = written.image(tf.constant(written.start + 0.05)) + center
            changed = parameterizations.decorrelated(after) - parameterizations.decorrelated(shown)
            waves = np.abs(np.fft.rfft2(changed))[0]
            natural = parameterizations.natural_scale(16, 16, 1.0)
            for plane, finest in zip(waves / natural, (0.25, 0.1, 0.1), strict=False):
                # Along the rows, where waves are their own; 1 / (1 + (f / finest)^8) of all.
                passed = 1 / (1 + (np.fft.rfftfreq(16)[1:8] / finest) ** 8)
                self.assertAllClose(
                    plane[0, 1:8] / plane[0, 1], passed / passed[0], rtol=0.02, atol=1e-4
                )
