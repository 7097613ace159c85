"""The network that comes along paints in eight styles that are free to ship."""

import numpy as np
import tensorflow as tf

from tfvis import images
from tfvis.networks import registry
from tfvis.style.fast import checkpoint_files, checkpoints

_NAME = "eight_styles"
# Of the folder, card and styles and all.
_MOST_BYTES = 8 * 2**20


class ShippedTest(tf.test.TestCase):
    def test_it_is_whole_small_and_described(self):
        self.assertIn(_NAME, registry.checkpoints(checkpoint_files.DESCRIPTION))
        folder, said = checkpoint_files.named(_NAME)
        self.assertLen(said["styles"], 8)
        self.assertLess(sum(one.stat().st_size for one in folder.iterdir()), _MOST_BYTES)
        card = (folder / "README.md").read_text()
        for word in (*said["styles"], "## Licence", "## Failures"):
            self.assertIn(word, card)
        # The pictures it learnt from are known by their digests, to warn whoever tests on them.
        self.assertLen(said["about"]["learnt_from"], said["about"]["photographs"])

    def test_what_it_paints_has_the_colours_of_its_style(self):
        """A painting is nearer in its mean colours to its own style than to most others."""
        style = checkpoints.load(_NAME)
        folder = checkpoint_files.found(_NAME)
        photograph = images.resize(images.demo(), 128, 128)
        means = np.stack(
            [
                images.read(checkpoint_files.picture(folder, name)).pixels.mean((0, 1))
                for name in style.styles
            ]
        )
        ranks = []
        for k, name in enumerate(style.styles):
            painted = style.paint(photograph, style.mix([name]))
            self.assertAllInRange(painted, 0.0, 255.0)
            self.assertGreater(np.abs(painted - photograph).mean(), 10)
            off = np.linalg.norm(painted.mean((0, 1)) - means, axis=1)
            ranks.append(int((off < off[k]).sum()))
        # By chance the mean rank is 3.5.
        self.assertLess(np.mean(ranks), 1.5)


if __name__ == "__main__":
    tf.test.main()
