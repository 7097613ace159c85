"""The grid of dots that a stride of 3 px and a kernel of 7 leave: in files, not in pictures."""

import pathlib
import types
from unittest import mock

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from tests import nets
from tfvis import images
from tfvis.attention import overlays
from tfvis.classifiers import backbone, checkpoints, datasets
from tfvis.experiments import (
    attention_models,
    comparison_attention,
    judging,
    localization,
    localization_pictures,
)
from tfvis.networks import network

_SIZE, _STRIDE = 61, 3


def strided(folder: pathlib.Path) -> str:
    """Writes a classifier whose second layer has a kernel of 7 px and a stride of 3."""
    inputs = keras.Input((None, None, 3))
    # Of 1 px: a kernel of 3 would smooth the grid away again.
    x = keras.layers.Conv2D(4, 1, activation="relu", name="block1_conv1")(inputs)
    x = keras.layers.Conv2D(4, 7, _STRIDE, activation="relu", name="block2_conv1")(x)
    model = keras.Model(inputs, x, name="strided")
    for layer in model.layers[1:]:  # All places answer.
        layer.set_weights([np.abs(one) + 0.01 for one in layer.get_weights()])
    folder.mkdir(parents=True)
    model.save(folder / "trunk.keras")
    parts = backbone.split(network.build(str(folder / "trunk.keras"), preprocessing="unit"))
    learnt = backbone.learnt(backbone.learner(parts, 2))
    learnt[backbone.CLASSES] = [np.float32([[1, -1]] * 4), np.zeros(2, np.float32)]
    checkpoints.save(folder, parts, learnt, ("much", "little"), _SIZE, {})
    return str(folder)


def grid(values) -> float:
    """The power of a map at the period of the stride, as a share of that of its mean."""
    # A multiple of the period, away from the border, which fewer units see.
    inner = np.float64(values)[9:51, 9:51]
    power = np.abs(np.fft.fft2(inner)) ** 2
    third = len(inner) // _STRIDE
    return (power[third, 0] + power[0, third]) / power[0, 0]


class DotsTest(tf.test.TestCase, parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.checkpoint = strided(self.folder / "strided")
        # Smooth, and no finer than the stride: what repeats each 3 px is the network's.
        self.picture = nets.picture(_SIZE)
        for name in ("much", "little"):
            images.save_png(self.folder / f"data/{name}/a.png", self.picture)

    @parameterized.parameters("vbp", "class_vbp", "product", "gradcam")
    def test_localize(self, kind):
        search = localization_pictures.opened({
            "checkpoint": self.checkpoint, "of_class": "much", "kind": kind, "threshold": None,
            "most": 1, "scales": [1.0], "crop_borders": False, "precision": "float32",
        })  # fmt: skip
        written = localization_pictures.look(search, "a.png", self.picture, {})["written"]
        found = {}
        for name in ("map.png", "map_shown.png"):
            if name in written:
                path = self.folder / name
                path.write_bytes(written[name])
                found[name] = grid(overlays.read_mask16(path))
        if kind == "gradcam":
            self.assertEqual(list(found), ["map.png"])
            return
        self.assertLess(found["map_shown.png"], 0.02 * found["map.png"])

    def test_localize_shows_it_on_sheet_and_page(self):
        out = self.folder / "out"
        data = str(self.folder / "data/much")
        with mock.patch.object(localization.sheets, "Cell", wraps=localization.sheets.Cell) as cell:
            done = localization.run(
                self.checkpoint, data, workdir=out, precision="float32", crop_borders=False
            )
        self.assertLess(grid(cell.call_args.args[0][..., 0]), 1e-4)
        (record,) = done.records
        self.assertGreater(grid(overlays.read_mask16(out / record["folder"] / "map.png")), 1e-4)
        self.assertIn(f"{record['folder']}/map_shown.png", (out / "index.html").read_text())

    def test_attend_layer_by_layer(self):
        with mock.patch.object(attention_models.messages, "note"):
            model = attention_models.of_classifier(
                judging.networks.classifier(self.checkpoint), "float32", crop_borders=False
            )
        seen = model.explain(model.prepared(self.picture))
        exact = seen.seen.steps["block1_conv1"][0]
        self.assertGreater(grid(exact), 50 * grid(seen.steps["block1_conv1"]))

    def test_judge_and_compare(self):
        drawn = mock.patch.object(overlays, "heat", wraps=overlays.heat)
        names = ("vbp", "vbp_per_layer", "class_vbp", "product")
        dataset = datasets.read([self.folder / "data"], ("much", "little"))
        with drawn as heat:
            judging.run(
                self.checkpoint, dataset, workdir=self.folder / "judged", count=1,
                explainers=names, metrics=("classes",), precision="float32",
            )  # fmt: skip
        self.assertLen(heat.call_args_list, len(names))
        for name, call in zip(names, heat.call_args_list, strict=True):
            self.assertLess(grid(call.args[1]), 1e-4, name)
        net = checkpoints.load(self.checkpoint).network
        pictures = types.SimpleNamespace(
            classes=(), count=1, pixels={"data": self.picture[None]}, paths={"data": ["a.png"]}
        )
        study = types.SimpleNamespace(
            networks={"one": net, "other": net}, pair=("one", "other"), domains=("data",),
            pictures=pictures,
        )  # fmt: skip
        with drawn as heat:
            comparison_attention.attention(study)
        self.assertLen(heat.call_args_list, 2)
        for call in heat.call_args_list:
            self.assertLess(grid(call.args[1]), 1e-4)


if __name__ == "__main__":
    tf.test.main()
