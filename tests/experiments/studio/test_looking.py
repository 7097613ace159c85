"""The page of looking without a page: names, places, layers, units."""

import pathlib
from unittest import mock

import tensorflow as tf

from tests import nets
from tfvis import images
from tfvis.errors import InputError
from tfvis.experiments.studio import excited_units, jobs, looking
from tfvis.experiments.studio.sessions import token
from tfvis.experiments.studio.studio import Studio


class LookingTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        folder = pathlib.Path(self.create_tempdir().full_path)
        nets.small().save(folder / "small.keras")
        eyes = nets.checkpoint(folder / "eyes")
        self.studio = Studio(
            folder / "sessions", folder / "uploads", None, str(folder / "small.keras"), str(eyes)
        )
        self.looking, self.token = self.studio.looking, token()
        images.save_png(folder / "photo.png", nets.oblong(90, 120))
        self.photo = folder / "photo.png"
        self.enterContext(mock.patch.object(looking, "_STEPS", 10))
        self.enterContext(mock.patch.object(excited_units, "_STEPS", 10))

    def _finished(self, job: jobs.Job) -> jobs.Job:
        self.studio.line.wait(job, 10**9, 600)
        self.assertEqual((job.state, job.said), (jobs.DONE, ""))
        return job

    def test_names_and_where_they_are_seen(self):
        with self.assertRaisesRegex(InputError, "Bring a picture first"):
            self.looking.see(self.token)
        self.looking.picture(self.token, self.photo)
        session = self.studio.sessions.of(self.token)
        seen = self.looking.see(self.token, "circle")["seen"]
        self.assertCountEqual([name for name, _ in seen["top"]], ["circle", "square", "none"])
        self.assertAllClose(sum(share for _, share in seen["top"]), 1, atol=1e-4)
        for name in (seen["mask"], seen["class_map"]):
            self.assertEqual(images.read(session.file(name)).pixels.shape, (90, 120, 3))
        # None of them is nowhere.
        self.assertIsNone(self.looking.see(self.token, "none")["seen"]["class_map"])
        self.assertEqual(self.looking.classes(), ["circle", "square"])
        with self.assertRaisesRegex(InputError, "no class"):
            self.looking.see(self.token, "triangle")
        # What is left of looking is what is shown.
        self.assertEmpty([path for path in session.folder.iterdir() if path.is_dir()])

    def test_layers_and_units(self):
        self.looking.picture(self.token, self.photo)
        session = self.studio.sessions.of(self.token)
        job = self._finished(self.looking.start_layers(self.token))
        kept = self.looking.remembered(self.token)["kept"]
        self.assertEqual([layer for layer, _, _ in kept], self.looking.layers)
        self.assertEqual(job.latest.share, 1)
        for _, name, error in kept:
            self.assertIsNotNone(session.file(name))
            self.assertBetween(error, 1e-6, 1)
        layer = self.looking.layers[-1]
        for named, count in (("", excited_units.COUNT), ("0, 3-4", 3)):
            self._finished(self.looking.start_units(self.token, layer, named))
            units = self.looking.remembered(self.token)["units"]["found"]
            self.assertLen(units, count)
            for one in units:
                self.assertIsNotNone(session.file(one["part"]))
                if one["unit"]:
                    self.assertIsNotNone(self.looking.unit_file(one["unit"]))
            self.assertTrue(any(one["unit"] for one in units))
        self.assertEqual([one["channel"] for one in units], [0, 3, 4])
        for named in ("99", "x"):
            with self.assertRaises(InputError):
                self.looking.start_units(self.token, layer, named)
        with self.assertRaises(InputError):
            self.looking.start_units(self.token, "nowhere")
        # Another picture begins anew.
        said = self.looking.demo(self.token)
        self.assertEqual((said["kept"], said["units"], said["seen"]), ([], None, None))


if __name__ == "__main__":
    tf.test.main()
