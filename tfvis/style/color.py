"""Keeping colours: Gatys et al., "Controlling Perceptual Factors in Neural Style
Transfer", CVPR 2017 (below: G17), section 5.

Either the style is given the colours of the content before the transfer (`match`), or only
luminance is transferred (`luminance`, `match_luminance`) and put back afterwards into the
content's colours (`with_luminance_of`).
"""

import numpy as np

from tfvis import images

# What the authors' code adds to the variances of colours in 0..1: about (0.8 levels)^2, so
# that the noise of a nearly grey image is not made colour.
EPSILON = 1e-5
# Under any eigenvalue, where a caller's epsilon is 0 and rounding leaves it negative.
_FLOOR = 1e-12
# Grey levels. One pixel in a million that differs by one level already deviates by more;
# below there is rounding only, and no contrast to scale.
_FLAT = 1e-3
# RGB to YUV, the rounded ITU-R BT.601 numbers of the authors' code. Their inverse is rounded,
# too; here the matrix is inverted, so that luminance comes back exactly.
_YUV = np.array([images.LUMA, (-0.147, -0.288, 0.436), (0.615, -0.515, -0.1)])
_RGB = np.linalg.inv(_YUV)


def match(image: np.ndarray, reference: np.ndarray, eps: float = EPSILON) -> np.ndarray:
    """Returns the image with the mean and covariance of the reference's colours (G17 section 5).

    An affine map of RGB; exact but for `eps` and for colours that leave 0..255, which are
    clipped.

    Args:
        image, reference: float32 [height, width, 3], 0..255, of any sizes.
        eps: >= 0, added to the variances of colours in 0..1.
    """
    colors, mean, covariance = _statistics(image, eps)
    _, wanted_mean, wanted = _statistics(reference, eps)
    moved = (colors - mean) @ matrix(covariance, wanted).T + wanted_mean
    return (255 * moved.clip(0, 1)).astype(np.float32).reshape(image.shape)


def matrix(covariance: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Returns A with A covariance A^T = wanted, float64 [3, 3].

    Of all such A, which differ by a rotation, the symmetric positive one: the
    Monge-Kantorovich map, which moves colours least. The authors' notebooks take
    wanted^(1/2) covariance^(-1/2), with symmetric roots (image analogies).

    Args:
        covariance, wanted: float64 [3, 3], symmetric, positive.
    """
    root, inverse = _power(covariance, 0.5), _power(covariance, -0.5)
    return inverse @ _power(root @ wanted @ root, 0.5) @ inverse


def luminance(image: np.ndarray) -> np.ndarray:
    """Returns Y of an image in all three channels, float32 [height, width, 3].

    Args:
        image: float32 [height, width, 3], 0..255.
    """
    grey = np.asarray(image, np.float64) @ images.LUMA
    return np.repeat(grey[..., None], 3, axis=-1).astype(np.float32)


def match_luminance(style: np.ndarray, content: np.ndarray) -> np.ndarray:
    """Returns (sigma_c / sigma_s) (style - mu_s) + mu_c, float32, not clipped (G17 section 5).

    As the text has it; the authors' code shifts the mean and leaves the contrast. A style
    without contrast becomes a flat mu_c.

    Args:
        style, content: luminances, float32 [height, width, 3], of any sizes.
    """
    style, content = np.asarray(style, np.float64), np.asarray(content, np.float64)
    scale = content.std() / max(style.std(), _FLAT)
    return (scale * (style - style.mean()) + content.mean()).astype(np.float32)


def with_luminance_of(content: np.ndarray, result: np.ndarray) -> np.ndarray:
    """Returns the content's colours with the result's luminance (G17 section 5).

    U and V of YUV are the content's. Colours that leave 0..255 are clipped, and lose some
    of the luminance asked for.

    Args:
        content, result: float32 [height, width, 3], 0..255, of one size.
    """
    yuv = np.asarray(content, np.float64) @ _YUV.T
    yuv[..., 0] = np.asarray(result, np.float64) @ images.LUMA
    return (yuv @ _RGB.T).clip(0, 255).astype(np.float32)


def _statistics(image: np.ndarray, eps: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns colours in 0..1 [pixels, 3], their mean, and covariance + eps I, invertible."""
    colors = np.asarray(image, np.float64).reshape(-1, 3) / 255
    mean = colors.mean(0)
    centered = colors - mean
    covariance = centered.T @ centered / len(colors) + eps * np.eye(3)
    return colors, mean, _power(covariance, 1.0)


def _power(matrix: np.ndarray, exponent: float) -> np.ndarray:
    """Returns the power of a symmetric matrix, its eigenvalues kept above zero."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.maximum(values, _FLOOR) ** exponent) @ vectors.T
