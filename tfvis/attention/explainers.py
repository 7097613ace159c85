"""All explainers by their names, as flags and tables have them."""

import dataclasses
import functools
from collections.abc import Callable

from tfvis.attention import class_visual_backprop
from tfvis.attention.class_visual_backprop import ClassVisualBackProp
from tfvis.attention.deconvnet import Deconvnet, GuidedBackprop
from tfvis.attention.explainer import Explainer
from tfvis.attention.grad_cam import GradCam
from tfvis.attention.multiplied_maps import RECTIFIED
from tfvis.attention.product import Product
from tfvis.attention.saliency import Saliency
from tfvis.attention.smoothgrad import SmoothGrad
from tfvis.attention.visual_backprop import ROOT, VisualBackProp

# Sixt et al. 2020 ("When Explanations Lie"), of backward passes that keep positive parts only.
_LATER = (
    "ignores the parameters of later layers (Sixt et al. 2020): its map is nearly the same for "
    "every class and for a network whose scores are random (rank correlation 0.99 on pacs_vgg16)."
)
_CLASSLESS = "knows no class: its map is the same for every class, by its formula."


@dataclasses.dataclass(frozen=True)
class Kind:
    """A way to explain.

    Attributes:
        title: as the literature has it.
        make: of a network, the explainer; further arguments are its own.
        warning: what its maps cannot tell; "" where nothing is known.
        root: the power to which a map is taken where values matter and not their order alone:
            before boxes are cut from it, or it is shown.
    """

    title: str
    make: Callable[..., Explainer]
    warning: str = ""
    root: float = 1.0


KINDS = {
    "vbp": Kind("VisualBackProp", VisualBackProp, _CLASSLESS, ROOT),
    "vbp_per_layer": Kind(
        "VisualBackProp per layer",
        functools.partial(VisualBackProp, per_layer=True),
        _CLASSLESS,
        ROOT,
    ),
    "vbp_relu": Kind(
        "VisualBackProp of ReLUs",
        functools.partial(VisualBackProp, layers=(RECTIFIED,)),
        _CLASSLESS,
        ROOT,
    ),
    "class_vbp": Kind(
        "class-seeded VisualBackProp", ClassVisualBackProp, root=class_visual_backprop.ROOT
    ),
    "gradcam": Kind("Grad-CAM", GradCam),
    "product": Kind("product", Product, root=ROOT),
    "deconvnet": Kind("deconvnet", Deconvnet, _LATER),
    "guided": Kind("guided backpropagation", GuidedBackprop, _LATER),
    "saliency": Kind("saliency", Saliency),
    "smoothgrad": Kind("SmoothGrad", SmoothGrad),
}
