"""The apps of style as processes, and what their results are compared with."""

import json

import numpy as np
import PIL.Image

from tests import nets
from tests.processes import AppTest, places
from tfvis import images

LAYER = "block1_conv1"


def read(path) -> np.ndarray:
    return np.asarray(PIL.Image.open(path).convert("RGB"), np.float32)


def features(image: np.ndarray, border: str = "constant") -> np.ndarray:
    """The first layer's, [places, channels]: a sum over windows of the padded image."""
    kernel, bias = nets.small().get_layer(LAYER).get_weights()
    padded = np.pad(image / 127.5 - 1, ((1, 1), (1, 1), (0, 0)), border)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (0, 1))
    found = np.einsum("hwcij,ijco->hwo", windows, kernel.astype(np.float64)) + bias
    return np.maximum(found, 0).reshape(-1, kernel.shape[-1])


def gram(image: np.ndarray) -> np.ndarray:
    found = features(image)
    return found.T @ found / len(found)


def stripes(axis: int, colors, width: int, side: int = 48) -> np.ndarray:
    """Stripes across `axis`, `width` px each, of the colours in turn."""
    index = np.arange(side) // width % len(colors)
    lines = np.float32(colors)[index]
    return np.stack([lines] * side, 1 - axis)


class StyleTest(AppTest):
    def setUp(self):
        super().setUp()
        self.out = self.folder / "out"
        images.save_png(self.image, nets.oblong(40, 60))
        # Warm vertical, cold horizontal stripes.
        self.warm = self._saved("warm", stripes(1, [(230, 90, 40), (120, 30, 20)], 6))
        self.cold = self._saved("cold", stripes(0, [(40, 90, 230), (20, 30, 120)], 6))

    def _saved(self, name: str, pixels: np.ndarray):
        path = self.folder / f"{name}.png"
        images.save_png(path, np.float32(pixels))
        return path

    def _small(self, *more: str) -> list[str]:
        return [
            f"--network={self.model}",
            "--preprocessing=tf",
            "--size=48",
            "--evaluations=12",
            "--precision=float32",
            "--memory=2GiB",
            f"--workdir={self.out}",
            *more,
        ]

    def _manifest(self, folder=None) -> dict:
        return json.loads(((folder or self.out) / "manifest.json").read_text())

    def _shows(self, picture: np.ndarray) -> None:
        """The sheet has the picture in it."""
        sheet = read(self.out / "sheet.png")
        self.assertGreaterEqual(places(sheet, picture), 1)
