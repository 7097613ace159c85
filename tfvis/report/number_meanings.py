"""What the numbers of pages mean, and who defined them: what a page tells where one stands."""

import dataclasses
import re
from collections.abc import Iterable


@dataclasses.dataclass(frozen=True)
class Meaning:
    """What a number means.

    Attributes:
        label: its name in words.
        meaning: what it is, its range, which end of it is which.
        source: the paper that defined it; "" where it is plain.
        of: the number that it is a count of, shown behind it; "" where it is none.
        many: whether it is that of many numbers, which are called by their own names.
    """

    label: str
    meaning: str
    source: str = ""
    of: str = ""
    many: bool = False

    @property
    def place(self) -> str:
        """Of its entry on a page."""
        return "-".join(re.findall(r"\w+", self.label.lower()))


_MV16 = "Mahendran & Vedaldi, IJCV 2016"
_GATYS = "Gatys et al., CVPR 2016"
_W21 = "Wang et al., CVIU 2021"
_RISE = "Petsiuk et al., RISE, BMVC 2018"
_ROAD = "Rong et al., ROAD, ICML 2022"
_CHOE = "Choe et al., CVPR 2020"
_ADEBAYO = "Adebayo et al., NeurIPS 2018"

MEANINGS: dict[str, Meaning] = {
    "relative_error": Meaning(
        "relative error",
        "How far the features of the picture are from the target's, as a share of their length: "
        "|phi(x) - phi(x0)| / |phi(x0)|, of the saved 8-bit file. 0 is the same to the layer; two "
        "pictures that have nothing in common lie near or above 1.",
        f"{_MV16}, section 5.1",
    ),
    "nearer_than": Meaning(
        "nearer than random pairs",
        "How many random pairs of photographs are less alike to the layer than the picture is to "
        "its target.",
        "Feather et al., Nature Neuroscience 2023",
        of="pairs",
    ),
    "score": Meaning("score", "What the network puts out for the class, in its own scale."),
    "exaggeration": Meaning(
        "exaggeration",
        "How many times as much the layer answers, in the direction of its answer to the "
        "photograph: <relu(phi0), phi(x)> / |relu(phi0)|^2. 1 is the photograph itself.",
        _MV16,
    ),
    "activation": Meaning(
        "activation", "What the unit answers to the picture, in the unit's own scale."
    ),
    "times_largest": Meaning(
        "beside photographs",
        "The unit's answer over the most that it answers to any spot of the photographs; above 1 "
        "it answers the picture more than any of them.",
    ),
    "content": Meaning(
        "content",
        "Mean squared difference of features between the picture and the content; 0 is the same.",
        f"{_GATYS}, their code's unit",
    ),
    "style": Meaning(
        "style",
        "Squared difference of Gram matrices between the picture and the style, summed over the "
        "layers; 0 has the same statistics.",
        f"{_GATYS}, their code's unit",
    ),
    "content_fidelity": Meaning(
        "content fidelity",
        "Mean cosine of the features of the picture and of the content, -1 to 1; more keeps more.",
        _W21,
    ),
    "global_effect": Meaning(
        "global effect",
        "How much of the style's colours and Gram matrices the picture has, 0 to 1; half of each.",
        _W21,
    ),
    "local_pattern": Meaning(
        "local pattern",
        "How like the style's patches the picture's are, and how many of them it uses, 0 to 1.",
        _W21,
    ),
    "border_over_center": Meaning(
        "border over centre",
        "Style distance of the border over that of the centre; larger where padding shows.",
    ),
    "high_frequency": Meaning(
        "high frequency",
        "Share of the spectral power of brightness above half the Nyquist frequency, 0 to 1: "
        "photographs have some hundredths, white noise 0.80.",
    ),
    "saturated": Meaning(
        "saturated", "Share of pixels of which a channel is at the end of its range, 0 to 1."
    ),
    "probability": Meaning(
        "probability", "How likely the classifier says that the class is, 0 to 1."
    ),
    "confidence": Meaning("confidence", "How sure the network is of the tag, 0 to 1."),
    "accuracy": Meaning("accuracy", "Share of the pictures that are named rightly, 0 to 1."),
    "macro_f1": Meaning(
        "macro F1",
        "The harmonic mean of precision and recall, of each class, averaged over the classes.",
    ),
    "calibration_error": Meaning(
        "calibration error",
        "How far the probabilities are from how often they are right, 0 to 1, in 15 bins.",
        "Guo et al., ICML 2017",
    ),
    "auroc": Meaning(
        "open-set AUROC",
        "How likely a picture of none is told from one of a class, both drawn by chance: 0.5 is "
        "chance, 1 always.",
    ),
    "recall": Meaning("recall", "Which share of the pictures of a class is found, 0 to 1."),
    "precision": Meaning(
        "precision", "Which share of the pictures given a class are of it, 0 to 1."
    ),
    "f1": Meaning("F1", "The harmonic mean of precision and recall, 0 to 1."),
    "deletion_color": Meaning(
        "deletion, plain colour",
        "Area under the class's probability as the pixels that the map marks most are painted "
        "over first, 0 to 1; less is better.",
        _RISE,
    ),
    "deletion_blur": Meaning(
        "deletion, blurred", "As deletion, the pixels blurred instead; less is better.", _RISE
    ),
    "insertion_color": Meaning(
        "insertion, plain colour",
        "Area under the class's probability as the pixels that the map marks most come back "
        "first on a plain colour, 0 to 1; more is better.",
        _RISE,
    ),
    "insertion_blur": Meaning(
        "insertion, blurred", "As insertion, on the blurred picture; more is better.", _RISE
    ),
    "road": Meaning(
        "ROAD",
        "Half of how much more the probability falls when the pixels marked most are filled in "
        "from around them than when those marked least are; 0 is chance, more is better.",
        _ROAD,
    ),
    "road_most_first": Meaning(
        "ROAD, most first",
        "The class's probability when the pixels marked most are filled in; less is better.",
        _ROAD,
    ),
    "road_least_first": Meaning(
        "ROAD, least first",
        "The class's probability when the pixels marked least are filled in; more is better.",
        _ROAD,
    ),
    "grid_pointing": Meaning(
        "grid pointing",
        "Of four pictures of four classes in one, the share of the map on the class's own, 0 to "
        "1; 0.25 is chance.",
        "Boehle et al., CVPR 2021",
    ),
    "grid_hit": Meaning(
        "grid hit",
        "How often the map's maximum lies on the class's own of four pictures; 0.25 is chance.",
        "Zhang et al., IJCV 2018",
    ),
    "pointing_game": Meaning(
        "pointing game",
        "How often the map's maximum lies in a true box, or within 15 px of one.",
        "Zhang et al., IJCV 2018",
    ),
    "measure.energy": Meaning(
        "energy",
        "Share of the map's sum that lies in true boxes, 0 to 1.",
        "Wang et al., Score-CAM, CVPR workshops 2020",
    ),
    "max_box_acc": Meaning(
        "MaxBoxAcc",
        "How often the box cut from the map overlaps the true one by half or more (IoU), at the "
        "best threshold of all.",
        _CHOE,
    ),
    "max_box_acc_v2": Meaning(
        "MaxBoxAccV2",
        "The mean of MaxBoxAcc at IoU 0.3, 0.5 and 0.7, any part of the map counting.",
        _CHOE,
    ),
    "best_threshold": Meaning(
        "best threshold", "The share of the map's maximum at which boxes fit best.", _CHOE
    ),
    "class_spearman": Meaning(
        "class, Spearman",
        "Correlation of ranks between the maps of the class and of the least likely one; at 1 "
        "the map does not depend on the class.",
        "Nie et al., ICML 2018",
    ),
    "class_ssim": Meaning(
        "class, SSIM",
        "Structural similarity of the maps of the class and of the least likely one.",
        "Nie et al., ICML 2018",
    ),
    "gt_known": Meaning(
        "GT-known",
        "Of pictures whose class is told, the share whose box overlaps a true one by half or more.",
    ),
    "corloc": Meaning(
        "CorLoc",
        "Share of the pictures of a class whose box overlaps a true one by half or more, averaged "
        "over the classes.",
        "Deselaers et al., IJCV 2012",
    ),
    "top_1_localization": Meaning(
        "top-1 localisation", "Share of the pictures whose class and box are both right."
    ),
    "iou": Meaning("IoU", "Overlap of two boxes: the area of both over that of either, 0 to 1."),
    "distance_to_medoid": Meaning(
        "distance to medoid",
        "Style distance to the most central picture of the cluster, of outliers to the nearest.",
        _GATYS,
    ),
    "mean distance to it": Meaning(
        "mean distance to it",
        "Mean style distance of the cluster's pictures to its medoid.",
        _GATYS,
    ),
    "ari": Meaning(
        "adjusted Rand index",
        "How far two partitions agree: 1 is the same, 0 what chance gives.",
        "Hubert & Arabie, 1985",
    ),
    "nmi": Meaning(
        "normalised mutual information",
        "What two partitions share, 0 to 1: the harmonic mean of homogeneity and completeness.",
        "Rosenberg & Hirschberg, EMNLP 2007",
    ),
    "homogeneity": Meaning(
        "homogeneity",
        "1 where every cluster holds pictures of one folder only.",
        "Rosenberg & Hirschberg, EMNLP 2007",
    ),
    "completeness": Meaning(
        "completeness",
        "1 where all pictures of a folder are in one cluster.",
        "Rosenberg & Hirschberg, EMNLP 2007",
    ),
    "nearest": Meaning(
        "nearest", "Share of the pictures whose nearest other picture is of the same folder."
    ),
    "cka": Meaning(
        "CKA",
        "How alike two layers represent the same pictures, up to rotation and scale: 1 is the "
        "same, 0 nothing in common.",
        "Kornblith et al., ICML 2019",
    ),
    # What is another thing elsewhere: a measure that a row of a table names, a column of a table.
    "boxes.score": Meaning(
        "score of a box",
        "The probability of its class times the mean of the map in its part of the box: boxes are "
        "ranked by it.",
    ),
    "summary.standard_error": Meaning(
        "standard error",
        "How far such a mean is from that of other pictures, of as many: s/sqrt(n).",
    ),
    "pairs.difference": Meaning(
        "difference", "Mean over the same pictures of the one less the other."
    ),
    "pairs.low": Meaning(
        "low end of a difference", "Lower end of the difference's 95 % interval (Student's t)."
    ),
    "pairs.high": Meaning(
        "high end of a difference", "Upper end of the difference's 95 % interval (Student's t)."
    ),
    "pairs.p": Meaning(
        "p",
        "How likely a difference so large is where there is none, of one comparison.",
        "Wilcoxon's signed ranks, 1945",
    ),
    "accuracy.low": Meaning(
        "low end of accuracy", "Lower end of the accuracy's 95 % interval.", "Wilson, 1927"
    ),
    "accuracy.high": Meaning(
        "high end of accuracy", "Upper end of the accuracy's 95 % interval.", "Wilson, 1927"
    ),
}
# Of names that begin so, the rest is a layer.
_OF_LAYERS = {
    "content ": Meaning(
        "content of a layer",
        "Mean squared difference of the layer's features between picture and content.",
        f"{_GATYS}, their code's unit",
        many=True,
    ),
    "style ": Meaning(
        "style of a layer",
        "Squared difference of the layer's Gram matrices between picture and style.",
        f"{_GATYS}, their code's unit",
        many=True,
    ),
    "max_box_acc_": Meaning(
        "MaxBoxAcc at an IoU",
        "How often the box cut from the map overlaps the true one by so much (IoU) or more, at the "
        "best threshold of all.",
        _CHOE,
        many=True,
    ),
    "random_to_": Meaning(
        "randomised layers",
        "How alike the map is once the layers from the scores down to this one are random; near 1 "
        "the map shows the picture, not what was learnt.",
        _ADEBAYO,
        many=True,
    ),
}


def named(kind: str, name: str) -> str:
    """Returns the name of a number in a table, which is its own there, or one that all share.

    Args:
        kind: the table's name, of a column; "measure", of what a row is of.
        name: as the table has it.
    """
    own = f"{kind}.{name}"
    return own if own in MEANINGS else name


def of(names: Iterable[str]) -> dict[str, Meaning]:
    """Returns {name: meaning} of those that are known, in their order."""
    found = {}
    for name in names:
        known = MEANINGS.get(name) or next(
            (one for start, one in _OF_LAYERS.items() if re.fullmatch(rf"{start}\S+", name)), None
        )
        if known:
            found[name] = known
    return found
