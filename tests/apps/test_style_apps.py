"""The apps of style as a person runs them, and how they plan with memory."""

import csv
import signal

import numpy as np
import tensorflow as tf

from tests import nets
from tests.style_processes import LAYER, StyleTest, features, gram, read, stripes
from tfvis import images
from tfvis.experiments import style_runs, style_transfer
from tfvis.style import metrics, transfer


class StylizeTest(StyleTest):
    def test_two_styles_and_all_that_is_written(self):
        flags = self._small(
            f"--content={self.image}",
            f"--style={self.warm},{self.cold}",
            "--style_weights=3,1",
            "--seed=2",
        )
        done = self._run("stylize", *flags)
        stylized = read(self.out / "stylized.png")
        content = metrics.resized(read(self.image), 48)
        self.assertEqual(stylized.shape, content.shape)
        # As many pixels as --size squared, and the aspect of the content.
        self.assertAllClose(np.prod(stylized.shape[:2]), 48**2, rtol=0.03)
        self.assertAllClose(stylized.shape[0] / stylized.shape[1], 40 / 60, rtol=0.03)
        self.assertGreater(np.abs(stylized - content).mean(), 2)
        for picture in (content, read(self.warm), read(self.cold), stylized):
            self._shows(picture)

        manifest = self._manifest()
        self.assertEqual(manifest["arguments"]["style_weights"], "3,1")
        (network,) = manifest["networks"].values()
        self.assertIn("fingerprint", network["weights"])
        (result,) = manifest["results"]
        self.assertEqual(
            {k: result[k] for k in ("file", "seed", "steps", "size")},
            {"file": "stylized.png", "seed": 2, "steps": 12, "size": list(content.shape[:2])},
        )
        self.assertEqual(result["settings"]["recipe"], "quality")
        self.assertIsNone(result["settings"]["tile"])
        # Every term over the steps, the same in the CSV.
        terms = result["terms"]
        both = [f"{kind} {layer}" for kind in ("style", "shape") for layer in (
            LAYER, "block2_conv1")]  # fmt: skip
        self.assertEqual(set(terms[-1]), {"step", "energy", "tv", f"content {LAYER}", *both})
        self.assertEqual(terms[-1]["step"], 12)
        self.assertLess(terms[-1]["energy"], terms[0]["energy"])
        with open(self.out / "stylized.csv", newline="") as file:
            rows = [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]
        self.assertEqual(rows, terms)
        steps = sorted(path.name for path in (self.out / "steps").iterdir())
        self.assertNotEmpty(steps)
        for name in steps:
            self.assertRegex(name, r"^000\d\d\.png$")
            self.assertIn(int(name[:5]), [row["step"] for row in terms])
            self.assertEqual(read(self.out / "steps" / name).shape, stylized.shape)

        # The content term of the saved picture, but for its rounding; quality repeats the
        # border.
        squared = np.square(features(stylized, "edge") - features(content, "edge"))
        self.assertAllClose(terms[-1][f"content {LAYER}"], squared.mean(), rtol=0.02)

        # Measures of the file on disk at one size, by loops that share no code.
        large = metrics.resized(content)
        result_large = images.resize(stylized, *large.shape[:2])
        squared = np.square(features(result_large) - features(large))
        self.assertAllClose(result["measures"][f"content {LAYER}"], squared.mean(), rtol=0.02)
        grams = [gram(metrics.resized(read(path))) for path in (self.warm, self.cold)]
        blend = 0.75 * grams[0] + 0.25 * grams[1]
        away = 1e3 / 8**2 * np.square(gram(result_large) - blend).mean()
        self.assertAllClose(result["measures"][f"style {LAYER}"], away, rtol=0.02)
        # Had the weights been taken the other way round, it would be this.
        other = 1e3 / 8**2 * np.square(gram(result_large) - grams[::-1][0]).mean()
        self.assertNotAllClose(other, away, rtol=0.1)
        for name in ("content_fidelity", "global_effect", "high_frequency", "saturated"):
            self.assertBetween(result["measures"][name], -1, 1)
        self.assertIn(str(self.out / "stylized.png"), done.stdout)
        self.assertIn("fidelity", done.stdout)
        self.assertTrue(list((self.out / "tensorboard").glob("events*")))
        self.assertFalse(list(self.out.rglob("*.part")) + list(self.out.rglob(".*state*")))

        # The same command again computes nothing and changes no bit.
        kept = [p for p in self.out.rglob("*") if p.suffix in (".png", ".csv", ".json")]
        before = {path: path.read_bytes() for path in kept}
        made = [self.out / "stylized.png", self.out / "stylized.csv"]
        times = [path.stat().st_mtime_ns for path in made]
        again = self._run("stylize", *flags)
        self.assertEqual({path: path.read_bytes() for path in kept}, before)
        self.assertEqual([path.stat().st_mtime_ns for path in made], times)
        self.assertEqual(again.stdout, done.stdout)

    def test_regions_take_their_styles_and_a_fine_texture(self):
        halves = np.zeros((40, 60, 3))
        halves[:, 30:] = 255
        # Each style is one region as a whole: black takes the warm one.
        masks = [self._saved(f"mask{k}", np.full((48, 48, 3), 255.0 * k)) for k in (0, 1)]
        plain = self._saved("plain", np.clip(nets.oblong(40, 60) * 0.2 + 100, 0, 255))
        fine = self._saved("fine", stripes(0, [(255, 255, 255), (0, 0, 0)], 1))
        done = self._run(
            "stylize",
            *self._small(
                f"--content={plain}",
                f"--style={self.warm},{self.cold}",
                f"--content_mask={self._saved('halves', halves)}",
                f"--style_mask={masks[0]},{masks[1]}",
                f"--fine_style={fine}",
                "--evaluations=40",
                "--tv_weight=0",
                "--ratio=1e5",
            ),
        )
        self.assertIn("Mixing the scales", done.stderr)
        content = metrics.resized(read(plain), 48)
        change = read(self.out / "stylized.png") - content
        warmer = (change[..., 0] - change[..., 2]).mean(0)
        middle = len(warmer) // 2
        # By tens of levels: the styles are 190 apart.
        self.assertGreater(warmer[: middle - 3].mean(), warmer[middle + 3 :].mean() + 20)

    def test_a_fine_texture_on_coarse_shapes(self):
        from tfvis.networks import network

        built = network.build(str(self.model), preprocessing="tf", pooling="avg")
        coarse = nets.picture(48, seed=1)
        # Dark and light lines, a pixel each: as rough as can be.
        fine = stripes(0, [(255, 255, 255), (0, 0, 0)], 1)
        settings = transfer.resolved(
            transfer.Transfer(
                content_layers=(LAYER,),
                style_layers=(LAYER, "block2_conv1"),
                evaluations=40,
                # It would smooth all that the small network hardly asks for.
                tv_weight=0,
            )
        )

        def styled(**painted):
            painting = style_transfer.Painting(read(self.image), (coarse,), **painted)
            return style_transfer.piece_of(painting, built, settings, 48, 0).scene.styles

        (plain,), (mixed,) = styled(), styled(fine=fine)
        self.assertAllClose(plain, coarse, atol=1e-3)
        rough = lambda x: np.abs(np.diff(x, axis=0)).mean()  # noqa: E731
        self.assertGreater(rough(mixed), 3 * rough(plain))

        # Blocks of 12 px still have much of the coarse picture's brightness; the fine one's
        # have none.
        def blocks(x):
            return x.mean(-1).reshape(4, 12, 4, 12).mean((1, 3)).ravel()

        self.assertGreater(np.corrcoef(blocks(mixed), blocks(plain))[0, 1], 0.4)

    def test_interrupted_and_run_again_ends_with_the_same_bits(self):
        flags = self._small(
            f"--content={self.image}",
            f"--style={self.warm}",
            "--recipe=gatys",
            "--color=luminance",
            "--evaluations=500",
            "--ratio=1e6",
        )
        whole = self.folder / "whole"
        self._run("stylize", *flags, f"--workdir={whole}")
        state = self.out / ".stylized.state.npz"
        # The first still; the log-spaced steps below 5 are left out.
        first = self.out / "steps" / f"{min(style_runs.stills(500)):05d}.png"
        for stop in (signal.SIGINT, signal.SIGKILL):
            before = state.stat().st_mtime_ns if state.exists() else None

            def saved(before=before) -> bool:
                now = state.stat().st_mtime_ns if state.exists() and first.exists() else None
                return now not in (None, before) and now > first.stat().st_mtime_ns

            process = self._stopped(stop, saved, "stylize", *flags)
            self.assertNotEqual(process.returncode, 0, "It ended before it was stopped.")
            self.assertTrue(state.exists())
            self.assertFalse((self.out / "stylized.png").exists())
            if stop == signal.SIGINT:
                self.assertEqual(process.returncode, 130)
                self.assertIn("goes on", process.stderr)
                made = first.stat().st_mtime_ns
        self._run("stylize", *flags)
        # It did go on: what was there was not made again.
        self.assertEqual(first.stat().st_mtime_ns, made)
        names = ["stylized.png", "sheet.png"]
        names += [f"steps/{path.name}" for path in (whole / "steps").iterdir()]
        self.assertGreater(len(names), 3)
        for name in names:
            self.assertEqual((self.out / name).read_bytes(), (whole / name).read_bytes(), name)
        ours, theirs = (self._manifest(folder)["results"][0] for folder in (self.out, whole))
        self.assertEqual(ours["measures"], theirs["measures"])
        steps = [row["step"] for row in ours["terms"]]
        self.assertEqual(steps, sorted(set(steps)))

        # Only brightness was painted: channels moved alike, but for rounding (half a level
        # each) and for the inverse of rounded coefficients.
        content = metrics.resized(read(self.image), 48)
        result = read(whole / "stylized.png")
        inside = ((result > 0) & (result < 255)).all(-1)
        self.assertGreater(inside.mean(), 0.6)
        for k in (0, 2):
            moved = (result - content)[..., k] - (result - content)[..., 1]
            self.assertLess(np.abs(moved[inside]).max(), 1.5)
        grey = [np.repeat(x @ np.float32([[0.299], [0.587], [0.114]]), 3, -1) for x in (
            result, content)]  # fmt: skip
        self.assertGreater(np.abs(grey[0] - grey[1]).mean(), 2)
        self.assertEqual(theirs["settings"]["recipe"], "gatys")
        self.assertEqual(theirs["color"], "luminance")


class TextureTest(StyleTest):
    def test_tiles_without_a_seam(self):
        style = self._saved("style", nets.picture(48, seed=4))
        done = self._run(
            "texture",
            *self._small(f"--style={style}", "--tileable", "--shape=50,90"),
        )
        texture, tiled = (read(self.out / name) for name in ("texture.png", "tiled.png"))
        # The nearest multiples of the deepest stride.
        self.assertEqual(texture.shape, (64, 96, 3))
        self.assertAllEqual(tiled, np.tile(texture, (2, 2, 1)))
        self.assertGreater(texture.std(), 5)
        for axis, side in ((0, 64), (1, 96)):
            steps = np.abs(np.diff(tiled, axis=axis)).mean((1 - axis, 2))
            inside = np.delete(steps, side - 1).mean()
            self.assertLess(steps[side - 1], 1.5 * inside)
        for picture in (metrics.resized(read(style), 48), texture, tiled):
            self._shows(picture)
        (result,) = self._manifest()["results"]
        self.assertLess(result["terms"][-1]["energy"], result["terms"][0]["energy"])
        self.assertFalse([name for name in result["measures"] if name.startswith("content")])
        self.assertIn(str(self.out / "texture.png"), done.stdout)
        self.assertTrue((self.out / "texture.csv").exists())
        self.assertNotEmpty(list((self.out / "steps").iterdir()))


class ReconstructTest(StyleTest):
    def test_both_rows(self):
        done = self._run("reconstruct", *self._small(f"--image={self.image}"))
        files = [
            "content/block1_conv1.png",
            "content/block2_conv1.png",
            "style/1_block1_conv1.png",
            "style/2_block2_conv1.png",
        ]
        results = self._manifest()["results"]
        self.assertEqual([result["file"] for result in results], files)
        first, second = "block1_conv1", "block2_conv1"
        self.assertEqual(
            [(result["row"], result["layers"]) for result in results],
            [
                ("content", [first]),
                ("content", [second]),
                ("style", [first]),
                ("style", [first, second]),
            ],
        )
        target = metrics.resized(read(self.image), 48)
        away = {}
        for name in files:
            picture = read(self.out / name)
            self._shows(picture)
            self.assertIn(name, done.stdout)
            away[name] = np.abs(picture - target).mean()
        # What a shallow layer holds is nearly the picture; what statistics hold is not.
        self.assertLess(away[files[0]], 0.7 * away[files[1]])
        self.assertLess(away[files[0]], 0.5 * min(away[files[2]], away[files[3]]))
        self._shows(target)


class RefusalTest(StyleTest):
    def test_before_tensorflow(self):
        flat = self._saved("flat", np.full((40, 40, 3), 128.0))
        both = f"--style={self.warm},{self.cold}"
        for app, flags, words in (
            ("stylize", [f"--content={flat}"], "--content=.*one colour"),
            ("stylize", [f"--style={self.folder / 'absent.png'}"], "--style=.*no such file"),
            ("stylize", [both, "--style_weights=1"], "--style_weights=1: expected 2 numbers"),
            ("stylize", [both, "--style_weights=1,nan"], "1,nan: expected finite numbers"),
            ("stylize", [f"--style_mask={self.warm}"], "--style_mask: needs a --content_mask"),
            ("stylize", ["--memory=abc"], "--memory=abc.*2GiB"),
            ("stylize", ["--style_layer_weights=1,x"], "--style_layer_weights=1,x: expected num"),
            ("texture", ["--layer_weights=1,x"], "--layer_weights=1,x: expected numbers"),
            ("texture", [both], "--style: one picture"),
            ("texture", ["--shape=5,50"], "--shape=5,50"),
            ("reconstruct", [f"--image={self.warm},{self.cold}"], "--image: one picture"),
        ):
            with self.subTest(words):
                self._refused(words, *flags, app=app)

    def test_by_the_network_and_the_masks(self):
        halves = np.zeros((40, 60, 3))
        halves[:, 30:] = 255
        mask = f"--content_mask={self._saved('halves', halves)}"
        tall = f"--content_mask={self._saved('tall', halves.swapaxes(0, 1))}"
        square = self._saved("square", halves[:, 10:50])
        model = [f"--network={self.model}", "--preprocessing=tf", "--size=48"]
        model += [f"--content={self.image}", f"--style={self.warm}"]
        for flags, words in (
            ([mask, f"--style_mask={square},{square}"], "--style_mask: expected one for each.* 2$"),
            ([tall], "--content_mask: 40 x 60 px.*60 x 40"),
            (["--style_layers=block1_conv9"], "--style_layers: .*block1_conv9.*block1_conv1"),
            (["--memory=1MiB"], "--memory: .* at least .*GiB"),
        ):
            with self.subTest(words):
                self._refused(words, *model, *flags, app="stylize")


if __name__ == "__main__":
    tf.test.main()
