"""Pre-images: the thin recipes that turn an energy into a picture.

Inversion asks what a layer still knows of an image; activation maximisation what a unit
looks for; a caricature, what of an image a layer answers to. All three go down the same
energy, an objective and a natural-image prior (Mahendran & Vedaldi, IJCV 2016: MV16).

Names are imported when first used, so that flags can be made of the settings before TensorFlow
is started.
"""

from tfvis import lazy

__getattr__, __dir__, __all__ = lazy.attach(
    __name__,
    {
        "Caricature": "settings",
        "CaricatureResult": "caricatures",
        "Descent": "settings",
        "Inversion": "settings",
        "InversionResult": "inversion",
        "Maximization": "settings",
        "MaximizationResult": "feature_visualization",
        "Progress": "descent",
        "caricature": "caricatures",
        "features": "descent",
        "invert": "inversion",
        "maximize": "feature_visualization",
        "unit": "normalization",
    },
)
