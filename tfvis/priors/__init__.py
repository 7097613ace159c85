"""Natural-image priors: what makes one pre-image likelier than another.

All of Mahendran & Vedaldi, "Visualizing Deep Convolutional Neural Networks Using
Natural Pre-Images", IJCV 2016 (below: MV16), section 3.2 and the authors' code, which
this follows where the two differ: the total variation is taken per channel, and both
sums are divided by the number of pixels of the canvas.

Images here are *centred*: display space minus the network's mid colour.
"""

from tfvis.natural_prior import NO_PRIOR, TYPICAL_COLOR, NaturalPrior
from tfvis.priors.alpha_norm import alpha_norm, project
from tfvis.priors.decorrelated_colors import COLORS, decorrelated
from tfvis.priors.jitter import jittered
from tfvis.priors.terms import terms
from tfvis.priors.total_variation import total_variation

__all__ = [
    "COLORS", "NO_PRIOR", "TYPICAL_COLOR", "NaturalPrior", "alpha_norm", "decorrelated",
    "jittered", "project", "terms", "total_variation",
]  # fmt: skip
