"""Pre-images: the thin recipes that turn an energy into a picture.

Inversion asks what a layer still knows of an image; activation maximisation what a unit
looks for; a caricature, what of an image a layer answers to. All three go down the same
energy, an objective and a natural-image prior (Mahendran & Vedaldi, IJCV 2016: MV16).
"""

from tfvis.preimages.activation_maximization import Maximization, maximize
from tfvis.preimages.caricatures import Caricature, caricature
from tfvis.preimages.descent import Descent, Progress, features
from tfvis.preimages.inversion import Inversion, invert

__all__ = [
    "Caricature",
    "Descent",
    "Inversion",
    "Maximization",
    "Progress",
    "caricature",
    "features",
    "invert",
    "maximize",
]
