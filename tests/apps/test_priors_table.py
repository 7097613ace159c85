"""The table of priors: what it compares at which step, and that it goes on where it was."""

import contextlib
import io
import pathlib
import types
from unittest import mock

import numpy as np
import tensorflow as tf

from apps.benchmarks import priors
from tests import nets
from tfvis import images
from tfvis.errors import InputError
from tfvis.experiments import second_network
from tfvis.preimages import inversion
from tfvis.preimages.settings import IMAGE_PRIORS

_LAYER = "block2_conv1"


class _Bright:
    """Calls what is bright a lamp, all else a coal."""

    name, network = "eye", types.SimpleNamespace(name="eye")

    def says(self, picture):
        return {"class": "lamp" if picture.mean() > 128 else "coal", "probability": 1.0}


class PriorsTableTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.out = pathlib.Path(self.create_tempdir().full_path)
        pictures = [nets.picture(16, seed=k) for k in range(3)]
        self.shown = [
            (p + move, "lamp" if move > 0 else "coal")
            for p, move in zip(pictures, (40, -40, 40), strict=True)
        ]

    def _printed(self, net):
        eye = mock.patch.object(second_network, "opened", lambda name: _Bright())
        with eye, contextlib.redirect_stdout(io.StringIO()) as out:
            priors.table_priors(net, self.shown, [_LAYER], 40, "float32", "eye", self.out)
        return out.getvalue()

    def test_of_few_photographs_each_is_taken_once(self):
        places = self.out / "places"
        for k in range(3):
            images.save_png(places / "circle" / f"{k}.png", nets.picture(16, seed=k))
        trained = str(nets.checkpoint(self.out / "trained"))
        for count, taken in ((2, [0, 1]), (20, [0, 1, 2])):
            found = priors.examples([str(places)], trained, "all", count, 16, 3)
            self.assertEqual([name for _, name in found], ["circle"] * len(taken))
            for (one, _), k in zip(found, taken, strict=True):
                self.assertAllClose(one, images.quantize(nets.picture(16, seed=k)))

    def test_all_priors_at_the_end_and_at_equal_error(self):
        net = nets.wrapped()
        table = self._printed(net)
        self.assertIn("names the class of 100.0%", table)
        rows = [line.split() for line in table.splitlines()]
        tables = [[row for row in rows if row and row[0] == prior] for prior in IMAGE_PRIORS]
        for prior, (end, equal) in zip(IMAGE_PRIORS, tables, strict=True):
            self.assertEqual(end[1], "40")
            self.assertLessEqual(float(equal[1]), 40)
            # What was kept is as it was written, and its errors are those of the files.
            (path,) = self.out.glob(f"{_LAYER}_{prior}_*.npz")
            with np.load(path) as stored:
                found, errors = stored["pictures"], stored["errors"]
            self.assertEqual(found.shape, (4, 3, 16, 16, 3))
            ours = [
                inversion.relative_errors(
                    net, [found[-1, k].astype(np.float32)], self.shown[k][0], _LAYER,
                    inversion.Inversion(),
                )[0]
                for k in range(3)
            ]  # fmt: skip
            self.assertAllClose(errors[-1], ours, rtol=1e-4)
            self.assertAllClose(float(end[2]), np.mean(ours), atol=6e-4)
        self.assertEqual(images.read(self.out / f"{_LAYER}.png").pixels.ndim, 3)
        with mock.patch.object(inversion, "descending", side_effect=AssertionError):
            self.assertEqual(self._printed(net), table)

    def test_the_inverted_network_is_not_asked(self):
        with self.assertRaisesRegex(InputError, "--checkpoint=eye: it is inverted"):
            net = types.SimpleNamespace(name="eye")
            self._printed(net)

    def test_shallow_distance_is_of_unit_vectors(self):
        net = nets.wrapped()
        one, other = (nets.picture(16, seed=k) for k in range(2))
        total = []
        for layer in net.paths[:2]:
            taps = [net.taps([layer])(x[None])[layer].numpy()[0] for x in (one, other)]
            parts = [x / np.linalg.norm(x, axis=-1, keepdims=True).clip(1e-12) for x in taps]
            total.append(np.square(parts[0] - parts[1]).sum() / (parts[0].shape[0] ** 2))
        ours = priors._apart(priors._shallow(net, one), priors._shallow(net, other))
        # What no channel answers to is 0, whatever it is divided by.
        self.assertAllClose(ours, np.mean(total), rtol=1e-4)


if __name__ == "__main__":
    tf.test.main()
