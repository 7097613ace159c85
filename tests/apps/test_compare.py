"""The app compare as a person runs it, on small networks and pictures."""

import csv
import json

import numpy as np
import tensorflow as tf

from tests import nets
from tests.processes import AppTest
from tfvis import images


class CompareTest(AppTest):
    def setUp(self):
        super().setUp()
        self.out = self.folder / "out"
        self.networks = [self.folder / f"{name}.keras" for name in ("one", "other")]
        for seed, path in enumerate(self.networks):
            nets.small(seed=seed).save(path)
        for domain, offset in (("photo", 0), ("drawn", 100)):
            for k in range(24):
                name = ("dog", "house")[k % 2]
                picture = nets.picture(24, seed=k + offset)
                images.save_png(self.folder / domain / name / f"{k}.png", picture)

    def flags(self, *networks, domains=("photo", "drawn")) -> list[str]:
        places = ",".join(f"{domain}={self.folder / domain}" for domain in domains)
        return [
            f"--networks={','.join(map(str, networks or self.networks))}", f"--images={places}",
            f"--workdir={self.out}", "--size=24", "--preprocessing=unit",
            "--sections=accuracy,alignment,depiction,units,preferences",
        ]  # fmt: skip

    def table(self, name) -> list[dict]:
        with open(self.out / f"{name}.csv", encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def test_two_networks_and_the_same_command_again(self):
        flags = (*self.flags(), f"--control={self.networks[1]}")
        self._run("compare", *flags)
        alignment = self.table("alignment")
        self.assertLen(alignment, 2 * 2 * 2)
        # The control is the second network itself here, and shown pictures as that is.
        controls = [(r["control"], r["cka"]) for r in alignment if r["control"]]
        self.assertLen(controls, 2 * 2)
        self.assertTrue(all(control == found for control, found in controls))
        own = [float(r["cka"]) for r in alignment if r["layer of one"] == r["layer of other"]]
        self.assertTrue(all(0 < value < 0.999 for value in own))
        self.assertLen(self.table("depiction"), 2 * 2)
        self.assertLen(self.table("units"), 8 + 12)
        self.assertLen(self.table("preferences"), 2 * 2)
        page = (self.out / "index.html").read_text()
        self.assertIn("Do they represent alike?", page)
        manifest = json.loads((self.out / "manifest.json").read_text())
        self.assertLen(manifest["results"], 3 * 2)
        self.assertIn("alignment", manifest["found"])
        answers = sorted((self.out / "responses").rglob("*.npz"))
        before = [path.stat().st_mtime_ns for path in answers]
        self._run("compare", *flags)
        self.assertEqual([path.stat().st_mtime_ns for path in answers], before)
        self.assertEqual(self.table("alignment"), alignment)

    def test_a_network_beside_itself(self):
        self._run("compare", *self.flags(self.networks[0], self.networks[0]))
        rows = [r for r in self.table("alignment") if r["layer of one"] == r["layer of one 2"]]
        np.testing.assert_allclose([float(r["cka"]) for r in rows], 1, atol=1e-9)
        matched = [r for r in self.table("units") if r["r"]]
        np.testing.assert_allclose([float(r["r"]) for r in matched], 1, atol=1e-6)

    def test_a_classifier_of_the_folders_classes_is_judged(self):
        checkpoint = self.folder / "trained"
        nets.checkpoint(checkpoint, ("dog", "house"))
        flags = self.flags(checkpoint, checkpoint, domains=("photo",))[:3]
        sections = "--sections=accuracy,attention,inversion,caricature"
        self._run("compare", *flags, sections, "--steps=3", "--layers=block1_conv1")
        self.assertLen(self.table("attention"), 12)
        rows = self.table("inversion")
        self.assertEqual([row["network"] for row in rows], ["trained", "trained 2"])
        # The same network twice: what is found in one is as near in the other.
        for row in rows:
            self.assertAlmostEqual(
                float(row["relative error"]), float(row["error in the other"]), places=4
            )
        self.assertLen(self.table("caricature"), 2)
        rows = self.table("accuracy")
        self.assertLen(rows, 2 * 3)
        self.assertEqual({row["pictures"] for row in rows if row["class"] == "all"}, {"24"})
        # Beside one that knows other classes it is judged alone.
        flags = self.flags(checkpoint, self.networks[0], domains=("photo",))[:3]
        # Shown the same pictures, at the classifier's own size.
        alike = ("--sections=accuracy", "--layers=block1_conv1", "--size=32")
        told = self._run("compare", *flags, *alike)
        self.assertEqual(self.table("accuracy"), rows[:3])
        self.assertIn("of these classes one does not know all", told.stdout.lower())

    def test_pictures_without_classes(self):
        flat = self.folder / "flat"
        for k in range(6):
            images.save_png(flat / f"{k}.png", nets.picture(24, seed=k))
        (flat / "5.png").write_bytes(b"\x89PNG\r\n\x1a\n")
        told = self._run("compare", *self.flags(domains=("flat",)))
        self.assertIn("5 pictures of each domain", told.stderr)
        self.assertFalse((self.out / "depiction.csv").exists())
        self.assertLen(self.table("alignment"), 4)

    def test_refused(self):
        (self.folder / "few").mkdir()
        images.save_png(self.folder / "few" / "a.png", nets.picture(24))
        only = f"--images=photo={self.folder / 'photo'}"
        for given, message in (
            ((f"--networks={self.networks[0]}", only), "--networks: name two"),
            (("--images=photo",), "expected DOMAIN=FOLDER"),
            (("--images=a=/nowhere",), "--images=a=/nowhere: no such"),
            ((f"--images=a={self.folder / 'few'}",), "at least 4"),
            ((only, "--layers=block9"), "--layers"),
            ((only, "--sections=units,all"), "--sections=all"),
            ((only, "--size=24", "--control=nothing"), "--control=nothing: neither"),
        ):
            with self.subTest(given):
                self._refused(message, *self.flags(), *given, app="compare")


if __name__ == "__main__":
    tf.test.main()
