"""Looking at a picture in windows, and one map of a class from all of them."""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from tfvis.attention import boxes
from tfvis.attention.boxes import Box
from tfvis.attention.explainers import KINDS
from tfvis.classifiers.datasets import NEGATIVE
from tfvis.errors import InputError, arg
from tfvis.experiments import attention_models
from tfvis.experiments.attention_models import AttentionModel, Explanation
from tfvis.experiments.picture_tasks import UnfitError

# A square picture has 361 windows at a scale of 0.1.
_MOST = 400
# Longest side of the map of several windows: nine of 224 px, each a half of it, show no more.
_CANVAS = 1024


@dataclasses.dataclass(frozen=True, eq=False)
class SlidingWindows:
    """A picture as it is seen in several windows.

    Attributes:
        model: of the network that looks.
        size: (height, width) of the picture.
        canvas: (height, width) of its maps.
        windows: in pixels of the canvas.
        explanations: of each, without steps.
        answers: float32 [windows, classes], probabilities.
        whole: whether the first window is the whole picture.
    """

    model: AttentionModel
    size: tuple[int, int]
    canvas: tuple[int, int]
    windows: tuple[Box, ...]
    explanations: tuple[Explanation, ...]
    answers: np.ndarray
    whole: bool

    def together(self) -> np.ndarray:
        """Returns the probabilities of the picture, float32 [classes].

        What the whole picture shows is better told from the whole; parts of one thing look
        like others. Only where that was not looked at, or shows the negative class, do the
        windows count: a class is there if one shows it, nothing is if none does.
        """
        number = self._negative()
        if self.whole and self.answers[0].argmax() != number:
            return self.answers[0]
        found = self.answers.max(0)
        if number is not None:
            found[number] = self.answers[:, number].min()
        return found

    def probability(self, number: int) -> float:
        """Returns the largest probability of a class in any window."""
        return float(self.answers[:, number].max())

    def _negative(self) -> int | None:
        classes = self.model.classes
        return classes.index(NEGATIVE) if NEGATIVE in classes else None

    def dotted(self, kind: str) -> bool:
        """Returns whether maps of a kind have a grid of dots; see `visual_backprop.Attention`."""
        if kind == "gradcam":
            return False
        return any(self.model.backprop.dotted(one.size) for one in self.explanations)

    def map(self, kind: str, number: int, shown: bool = False) -> np.ndarray:
        """Returns a map of a class, float32 of the canvas' size, 0..1.

        Of several windows those count whose likeliest class it is, or else the one where it
        is likeliest, each by its probability: cut at a small share of the maximum, the map
        would hold every window where it is merely possible.

        Args:
            kind: "vbp": the fourth root of VisualBackProp's mask; "class_vbp": the
                square root of the class-seeded one; "gradcam": the class's Grad-CAM; "product":
                the fourth root of the product of the first and the last.
            number: of the class.
            shown: for the eye, without a grid of dots; boxes are cut from the map with it.
        """
        found = self._maps(kind, number, shown)
        if len(self.windows) == 1:
            values = attention_models.resized(next(found), *self.canvas)
        else:
            values = boxes.merged(found, self.windows, *self.canvas)
        return values / values.max() if values.any() else values

    def _maps(self, kind: str, number: int, shown: bool) -> Iterator[np.ndarray]:
        shares = self.answers[:, number]
        first = self.answers.argmax(1) == number
        if not first.any():
            first = np.arange(len(shares)) == shares.argmax()
        # One window is what its maximum is measured by; its probability would only round.
        shares = first * shares if len(shares) > 1 else np.ones(1)
        for explanation, share in zip(self.explanations, shares, strict=True):
            mask = values = explanation.shown if shown else explanation.mask
            if not share:
                yield np.zeros_like(mask)
                continue
            if kind == "class_vbp":
                values = self.model.class_backprop(explanation, number, shown)
            elif kind != "vbp":
                cam = self.model.class_map(explanation, number)
                values = cam if kind == "gradcam" else mask * cam
            yield share * values ** KINDS[kind].root


def slide(model: AttentionModel, pixels: np.ndarray, scales: Sequence[float]) -> SlidingWindows:
    """Looks at a picture in windows.

    Args:
        model: of a classifier.
        pixels: float32 [height, width, 3].
        scales: 1 is the whole picture, squeezed; less are square windows of that share of
            its shorter side.

    Raises:
        UnfitError: too many windows, or windows without a pixel.
    """
    height, width = pixels.shape[:2]
    smaller = [scale for scale in scales if scale < 1]
    canvas = model.shape(height, width)
    if smaller:
        canvas = attention_models.fitted(height, width, _CANVAS)
    found = [Box(0, 0, canvas[1], canvas[0])] if len(smaller) < len(scales) else []
    try:
        found += boxes.windows(*canvas, smaller)
    except InputError as error:
        raise UnfitError(f"{width}x{height} px is too narrow for {arg('scales')}") from error
    if len(found) > _MOST:
        raise UnfitError(
            f"{width}x{height} px would take {len(found)} windows, more than {_MOST}; "
            f"choose larger {arg('scales')}"
        )
    seen = [
        dataclasses.replace(
            model.explain(
                model.prepared(attention_models.cut(pixels, _source(window, canvas, pixels)))
            ),
            steps={},
        )
        for window in found
    ]
    return SlidingWindows(
        model=model,
        size=(height, width),
        canvas=canvas,
        windows=tuple(found),
        explanations=tuple(seen),
        answers=np.stack([explanation.answers for explanation in seen]),
        whole=len(smaller) < len(scales),
    )


def _source(window: Box, canvas: tuple[int, int], pixels: np.ndarray) -> Box:
    """Returns what a window of the canvas shows, in the picture's own pixels."""
    return attention_models.at_size(window, canvas, pixels.shape[:2])
