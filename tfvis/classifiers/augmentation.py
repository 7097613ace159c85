"""Views of a picture: the same thing shown differently, so that a few pictures teach more.

View 0 is the picture as it is. Every other view is drawn once, from (seed, view, picture), by
Keras layers: since what lies below the cut is computed once, so are the pictures it sees.
"""

import keras
import numpy as np
from scipy.ndimage import gaussian_filter

from tfvis import images

# Carlucci et al. 2019 (JiGen, on PACS): crops of 80 to 100 %, half of them flipped, colours
# jittered by 0.4, one in ten grey.
_FLIP, _CROP, _JITTER, _GREY = 0.5, 0.2, 0.4, 0.1
# Of drawn views: from a fine pen to a felt tip, from all contours to the strongest; the ratio
# of the Gaussians that comes nearest to the Laplacian (Marr & Hildreth 1980: 1.6).
_PEN, _INK, _WIDER = (0.7, 1.6), (0.03, 0.1), 1.6
# A turn of up to 10 degrees: pictures hang straight, the camera does not always.
_TURN = 10 / 360


def layers() -> list[keras.Layer]:
    """Returns the layers of one random view, for images of 0..255."""
    common = {"fill_mode": "reflect", "interpolation": "bilinear"}
    return [
        keras.layers.RandomFlip("horizontal"),
        keras.layers.RandomRotation(_TURN, **common),
        keras.layers.RandomZoom((-_CROP, 0.0), (-_CROP, 0.0), **common),
        keras.layers.RandomTranslation(_CROP / 2, _CROP / 2, **common),
        keras.layers.RandomColorJitter(
            value_range=(0, 255),
            brightness_factor=_JITTER / 2,
            contrast_factor=_JITTER,
            saturation_factor=(0.5 - _JITTER / 2, 0.5 + _JITTER / 2),
            hue_factor=_JITTER / 8,
        ),
        keras.layers.RandomGrayscale(_GREY),
    ]


class Views:
    """Makes views of pictures.

    Args:
        seed: the same seed gives the same views.
    """

    def __init__(self, seed: int):
        self._seed, self._layers = seed, layers()

    def __call__(
        self, pictures: np.ndarray, view: int, first: int, drawn: bool = False
    ) -> np.ndarray:
        """Returns one view of a chunk of pictures.

        Args:
            pictures: float32 [batch, height, width, 3], 0..255.
            view: 0 gives the pictures as they are.
            first: number of the first picture of the chunk; chunks are always cut alike.
            drawn: whether only its lines are left, see `lines`.

        Returns:
            float32, as `pictures`.
        """
        if view == 0 and not drawn:
            return pictures
        x = pictures
        for k, layer in enumerate(self._layers if view else ()):
            # Stated anew for each chunk, so that work stopped halfway goes on alike.
            words = np.random.SeedSequence((self._seed, view, first, k)).generate_state(2)
            layer.generator.state.assign(words.astype(layer.generator.state.dtype))
            x = layer(x, training=True)
        x = np.clip(np.asarray(x, np.float32), 0, 255)
        if not drawn:
            return x
        generator = np.random.default_rng((self._seed, view, first))
        pens = zip(
            x, generator.uniform(*_PEN, len(x)), generator.uniform(*_INK, len(x)), strict=True
        )
        return np.stack([lines(picture, pen, ink) for picture, pen, ink in pens])


def lines(picture: np.ndarray, pen: float, ink: float) -> np.ndarray:
    """Returns a picture as a line drawing, float32 [height, width, 3]: dark lines on white.

    Lines are where the difference of two Gaussians of its brightness, which a cell of the
    retina answers to (Marr & Hildreth 1980; Winnemoeller et al. 2012), is below zero: at the
    dark side of edges.

    Args:
        picture: float32 [height, width, 3], 0..255.
        pen: deviation of the narrower Gaussian, pixels; lines are about twice as wide.
        ink: difference at which a line is black, as a share of the range of brightness.
    """
    brightness = picture @ np.asarray(images.LUMA, np.float32) / 255
    apart = gaussian_filter(brightness, pen) - gaussian_filter(brightness, _WIDER * pen)
    drawn = 255 * (1 - np.clip(-apart / ink, 0, 1))
    return np.repeat(drawn[..., None], picture.shape[-1], -1).astype(np.float32)
