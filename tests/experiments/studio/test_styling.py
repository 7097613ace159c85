"""The page of styles without a page: from files to paintings."""

import hashlib
import io
import json
import pathlib
from unittest import mock

import numpy as np
import PIL.Image
import tensorflow as tf

from tests import nets
from tfvis import images
from tfvis.errors import InputError
from tfvis.experiments.studio import jobs, pictures, wishes
from tfvis.experiments.studio.sessions import token
from tfvis.experiments.studio.studio import Studio
from tfvis.style import sketches
from tfvis.style.fast import checkpoints, transform_network
from tfvis.style.fast.transform_network import Architecture


def fast_checkpoint(folder: pathlib.Path) -> pathlib.Path:
    """Writes a network by chance, of two styles that differ."""
    tf.keras.utils.set_random_seed(0)
    architecture = Architecture(width=4, blocks=1)
    model = transform_network.build(2, architecture)
    # Of normalisation each style has scales and shifts of its own.
    generator = np.random.default_rng(0)
    for layer in model.layers:
        if layer.name.endswith("_norm"):
            layer.set_weights([w + generator.normal(0, 0.5, w.shape) for w in layer.get_weights()])
    checkpoints.save(folder, model, architecture, ("warm", "cold"), 64, {})
    for k, name in enumerate(("warm", "cold")):
        images.save_png(folder / f"style_{name}.png", nets.oblong(48, 48, seed=20 + k))
    return folder


class StylingTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        fast = fast_checkpoint(self.folder / "two")
        nets.small().save(self.folder / "small.keras")
        self.studio = Studio(
            self.folder / "sessions", self.folder / "uploads", str(fast),
            str(self.folder / "small.keras"),
        )  # fmt: skip
        self.styling, self.token = self.studio.styling, token()
        self.photo = self.folder / "photo.png"
        images.save_png(self.photo, nets.oblong(90, 120))
        few = {"quick": 3, "good": 6, "best": 9}
        self.enterContext(mock.patch.object(wishes, "_EVALUATIONS", few))
        self.enterContext(mock.patch.object(sketches, "SCALES", ((32, 2), (64, 2))))

    def _shown(self, said: dict) -> np.ndarray:
        path = self.studio.sessions.of(self.token).file(said["shown"])
        return images.read(path).pixels

    def _alike(self, one: np.ndarray, other: np.ndarray) -> None:
        # What a page shows is a JPEG, and noise as a network by chance makes it is hard on those.
        self.assertLess(np.abs(one - other).mean(), 6)
        self.assertGreater(np.corrcoef(one.ravel(), other.ravel())[0, 1], 0.97)

    def _drawing(self, share: float = 0.5) -> bytes:
        page = np.full((60, 80, 3), 255, np.uint8)
        page[:, : round(80 * share)] = 0
        return self._written(PIL.Image.fromarray(page))

    def _written(self, image: PIL.Image.Image, kind: str = "PNG") -> bytes:
        buffer = io.BytesIO()
        image.save(buffer, kind)
        return buffer.getvalue()

    def _finished(self, job: jobs.Job) -> jobs.Job:
        self.studio.line.wait(job, 10**9, 600)
        return job

    def test_previews_follow_styles_strength_colours_and_mask(self):
        self.assertIsNone(self.styling.preview(self.token))
        self.styling.photograph(self.token, self.photo)
        first = self._shown(self.styling.preview(self.token)["preview"])
        photo = images.of_area(images.read(self.photo).pixels, 512)
        self.assertEqual(first.shape, photo.shape)
        self.assertGreater(np.abs(first - photo).mean(), 5)
        self.styling.choose(self.token, {"two/cold": 1})
        cold = self._shown(self.styling.preview(self.token)["preview"])
        self.assertGreater(np.abs(first - cold).mean(), 1)
        self.styling.wish(self.token, strength=1)
        weak = self._shown(self.styling.preview(self.token)["preview"])
        # A third of the way.
        self._alike(weak, photo + (cold - photo) / 3)
        self.styling.wish(self.token, keep_colors=True)
        kept = self._shown(self.styling.preview(self.token)["preview"])
        chroma = [(p[..., 0] - p[..., 2]).mean() for p in (kept, photo)]
        self.assertAllClose(*chroma, atol=6)
        self.styling.wish(self.token)
        self.styling.mask(self.token, self._drawing())
        masked = self._shown(self.styling.preview(self.token)["preview"])
        half = masked.shape[1] // 2
        self._alike(masked[:, half + 9 :], photo[:, half + 9 :])
        self._alike(masked[:, : half - 9], cold[:, : half - 9])
        # Where two are chosen, the rest takes the second.
        self.styling.choose(self.token, {"two/warm": 1, "two/cold": 1})
        both = self._shown(self.styling.preview(self.token)["preview"])
        self._alike(both[:, half + 9 :], cold[:, half + 9 :])
        self._alike(both[:, : half - 9], first[:, : half - 9])

    def test_a_painting_its_time_its_manifest(self):
        self.assertIsNone(self.styling.seconds(self.token))
        with self.assertRaisesRegex(InputError, "photograph first"):
            self.styling.start(self.token)
        self.styling.photograph(self.token, self.photo)
        self.styling.wish(self.token, size=256, effort="quick")
        quick = self.styling.seconds(self.token)
        # Colours are put back at every scale, whose pictures grow.
        self.styling.wish(self.token, size=256, effort="good", keep_colors=True)
        self.assertGreater(self.styling.seconds(self.token), quick)
        job = self._finished(self.styling.start(self.token))
        self.assertEqual((job.state, job.said), (jobs.DONE, ""))
        (result,) = self.styling.remembered(self.token)["results"]
        session = self.studio.sessions.of(self.token)
        path = session.file(result["file"])
        size = images.read(path).pixels.shape[:2]
        self.assertEqual(size, images.sides_of_area(90, 120, 256))
        manifest = json.loads(session.file(result["manifest"]).read_text())
        (made,) = manifest["results"]
        self.assertEqual(made["sha256"], hashlib.sha256(path.read_bytes()).hexdigest())
        self.assertEqual((made["evaluations"], made["of"]), (result["of"],) * 2)
        self.assertEqual(made["paintings"], ["warm"])
        self.assertIn("tensorflow", manifest["versions"])

    def test_stopped_it_has_the_size_that_was_asked_for(self):
        self.styling.photograph(self.token, self.photo)
        wishes._EVALUATIONS["best"] = 10**5
        self.styling.wish(self.token, size=256, effort="best")
        job = self.styling.start(self.token)
        while not (job.latest and job.latest.shown) and not job.ended:
            self.studio.line.wait(job, job.number, 60)
        self.assertGreater(job.latest.seconds_left, 0)
        self.styling.stop(self.token)
        self.assertEqual(self._finished(job).state, jobs.STOPPED)
        (result,) = self.styling.remembered(self.token)["results"]
        self.assertLess(result["evaluations"], result["of"])
        session = self.studio.sessions.of(self.token)
        picture = images.read(session.file(result["file"])).pixels
        asked = images.sides_of_area(90, 120, 256)
        self.assertEqual((picture.shape[:2], (result["height"], result["width"])), (asked,) * 2)
        self.assertLess(tuple(result["painted_at"]), asked)
        # Enlarged with the photograph's detail, and not the photograph.
        photo = images.resize(images.read(self.photo).pixels, *asked)
        self.assertGreater(np.corrcoef(picture.ravel(), photo.ravel())[0, 1], 0.5)
        self.assertGreater(np.abs(picture - photo).mean(), 2)
        manifest = json.loads(session.file(result["manifest"]).read_text())
        (made,) = manifest["results"]
        self.assertEqual((tuple(made["size"]), made["painted_at"]), (asked, result["painted_at"]))

    def test_a_painting_of_ones_own_is_sketched_and_masks_are_kept_to(self):
        self.styling.photograph(self.token, self.photo)
        own = self.folder / "own.png"
        images.save_png(own, nets.oblong(60, 60, seed=5))
        (key,) = self.styling.bring_painting(self.token, own)["chosen"]
        self.assertIsNone(self.styling.preview(self.token))
        self.styling.mask(self.token, self._drawing())
        job = self._finished(self.styling.start(self.token, sketch=True))
        self.assertEqual((job.state, job.said), (jobs.DONE, ""))
        preview = self.styling.remembered(self.token)["preview"]
        self.assertEqual(preview["kind"], "sketch")
        shown = self._shown(preview)
        photo = images.of_area(images.read(self.photo).pixels, 512)
        half = shown.shape[1] // 2
        self._alike(shown[:, half + 9 :], photo[:, half + 9 :])
        self.assertGreater(np.abs(shown - photo)[:, : half - 9].mean(), 5)
        self.styling.choose(self.token, {key: 1, "two/warm": 1, "two/cold": 2})
        for sketch in (True, False):
            with self.assertRaisesRegex(InputError, "one painting or two"):
                self.styling.start(self.token, sketch=sketch)

    def test_what_is_no_picture_is_one_sentence(self):
        for name, content, words in (
            ("note.txt", b"hello", "not an image"),
            ("empty.jpg", b"", "empty"),
            ("cut.png", self.photo.read_bytes()[:300], "damaged"),
            ("phone.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEI[CF]"),
            ("printed.jpg", b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", "not an image"),
            ("thread.png", self._written(PIL.Image.new("RGB", (700, 1))), "too small"),
        ):
            path = self.folder / "uploaded"
            path.write_bytes(content)
            with self.assertRaisesRegex(InputError, f"^{name}.*{words}") as caught:
                self.styling.photograph(self.token, path, name)
            self.assertNotIn("\n", str(caught.exception))
            self.assertNotIn(str(self.folder), str(caught.exception))
        with mock.patch.object(pictures, "MOST_PIXELS", 5000):
            with self.assertRaisesRegex(InputError, "big.png has 120 x 90 pixels"):
                self.styling.photograph(self.token, self.photo, "big.png")
        self.assertIsNone(self.styling.remembered(self.token)["photograph"])
        image = PIL.Image.new("CMYK", (80, 60), (0, 255, 255, 0))
        image.save(self.folder / "print.jpg")
        kept = self.styling.photograph(self.token, self.folder / "print.jpg")["photograph"]
        self.assertGreater(self._shown(kept)[..., 0].mean(), 200)

    def test_what_cannot_be_warmed_keeps_nothing_else_cold(self):
        with mock.patch.object(self.styling, "warm", side_effect=InputError("no such weights")):
            with mock.patch.object(self.studio.looking, "warm") as other:
                self.studio.warm()
        other.assert_called_once()

    def test_warm_a_sketch_traces_nothing(self):
        self.styling.warm()
        self.styling.photograph(self.token, self.photo)
        images.save_png(self.folder / "own.png", nets.oblong(60, 60, seed=5))
        self.styling.bring_painting(self.token, self.folder / "own.png")
        with mock.patch.object(
            sketches.Sketcher, "_differentiated", side_effect=AssertionError("traced")
        ):
            job = self._finished(self.styling.start(self.token, sketch=True))
        self.assertEqual((job.state, job.said), (jobs.DONE, ""))

    def test_what_a_page_sends_is_looked_at(self):
        self.styling.photograph(self.token, self.photo)
        for call in (
            lambda: self.styling.choose(self.token, {"../x": 1}),
            lambda: self.styling.choose(self.token, {"two/warm": -1}),
            lambda: self.styling.wish(self.token, size=10**9),
            lambda: self.styling.wish(self.token, effort="rm"),
            lambda: self.styling.mask(self.token, b"no picture"),
            lambda: self.styling.mask(self.token, self._drawing(0)),
            lambda: self.styling.mask(self.token, self._drawing(1)),
            lambda: self.studio.brought("/etc/passwd"),
            lambda: self.studio.brought(str(self.folder / "uploads/../photo.png")),
        ):
            self.assertRaises(InputError, call)


if __name__ == "__main__":
    tf.test.main()
