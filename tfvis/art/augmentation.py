"""Views of a picture: the same thing shown differently, so that a few pictures teach more.

View 0 is the picture as it is. Every other view is drawn once, from (seed, view, picture), by
Keras layers: since what lies below the cut is computed once, so are the pictures it sees.
"""

import keras
import numpy as np
import tensorflow as tf

# Carlucci et al. 2019 (JiGen, on PACS): crops of 80 to 100 %, half of them flipped, colours
# jittered by 0.4, one in ten grey.
_FLIP, _CROP, _JITTER, _GREY = 0.5, 0.2, 0.4, 0.1
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

    def __call__(self, pictures: np.ndarray, view: int, first: int) -> np.ndarray:
        """Returns one view of a chunk of pictures.

        Args:
            pictures: float32 [batch, height, width, 3], 0..255.
            view: 0 gives the pictures as they are.
            first: number of the first picture of the chunk; chunks are always cut alike.

        Returns:
            float32, as `pictures`.
        """
        if view == 0:
            return pictures
        x = tf.constant(pictures)
        for k, layer in enumerate(self._layers):
            # Stated anew for each chunk, so that work stopped halfway goes on alike.
            words = np.random.SeedSequence((self._seed, view, first, k)).generate_state(2)
            layer.generator.state.assign(words.astype(layer.generator.state.dtype))
            x = layer(x, training=True)
        return np.clip(np.asarray(x, np.float32), 0, 255)
