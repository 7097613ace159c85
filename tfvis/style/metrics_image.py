"""Measures of pictures as pixels, no network asked: colours, and signs of artefacts."""

import numpy as np

from tfvis import images

# Wang et al. 2021 (their code, StyleEval): bins of a colour histogram. Over 0..256, each
# holds two of the levels a file can have.
BINS = 128
# In cycles per pixel; the finest grid there is, the Nyquist frequency, has 0.5.
_HALF_NYQUIST = 0.25
# Contrast, in grey levels, below which a picture is flat: no file, and no eye, tells it apart.
_FLAT = 1e-3
# The levels that a file's 0 and 255 are rounded from.
_DARKEST, _LIGHTEST = 0.5, 254.5


def color_cosine(image: np.ndarray, other: np.ndarray) -> float:
    """Returns the mean over R, G, B of the cosine of histograms, 0..1 (Wang et al. 2021).

    Their bins run from each image's own darkest to its lightest value, ours from 0 to 256,
    so that a colour falls into the same bin in both.

    Args:
        image, other: [height, width, 3], 0..255, of any sizes.
    """
    cosines = []
    for one, two in zip(np.moveaxis(image, -1, 0), np.moveaxis(other, -1, 0), strict=True):
        first, second = (
            np.histogram(np.clip(plane, 0, 255), BINS, (0, 256))[0].astype(np.float64)
            for plane in (one, two)
        )
        cosines.append(first @ second / np.sqrt((first @ first) * (second @ second)))
    return float(np.mean(cosines))


def high_frequency(image: np.ndarray) -> float:
    """Returns the share of the spectral power of luma above half the Nyquist frequency, 0..1.

    Checkerboards and noise of optimisation live there; photographs have some hundredths.
    White noise has 1 - pi / 16 = 0.80, a flat picture 0. The frequency is radial, and a
    Hann window keeps the edges of the picture from counting as detail.

    Args:
        image: [height, width, 3], 0..255.
    """
    luma = np.asarray(image, np.float64) @ images.LUMA
    if np.ptp(luma) < _FLAT:
        return 0.0
    height, width = luma.shape
    # Without the zeros at both ends: they would leave nothing of a side of two pixels.
    window = np.outer(np.hanning(height + 2)[1:-1], np.hanning(width + 2)[1:-1])
    # The mean under the window: with the plain one, the window's own shape would remain.
    luma = window * (luma - (window * luma).sum() / window.sum())
    power = np.square(np.abs(np.fft.rfft2(luma)))
    # Columns that stand for their mirror images, too: all but the first and the Nyquist one.
    power[:, 1 : (width + 1) // 2] *= 2
    radius = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    return float(power[radius > _HALF_NYQUIST].sum() / power.sum())


def saturated(image: np.ndarray) -> float:
    """Returns the share of pixels of which a channel is at the end of its range, 0..1.

    Args:
        image: [height, width, 3], 0..255; a level is at the end if a file will hold it so.
    """
    image = np.asarray(image)
    return float(np.mean(np.any((image <= _DARKEST) | (image >= _LIGHTEST), axis=-1)))
