"""What the apps of attention share: who looks, at which size, and what it sees."""

import contextlib
import dataclasses
from collections.abc import Callable

import numpy as np
import PIL.Image
import tensorflow as tf

from tfvis import images
from tfvis.attention import boxes, class_visual_backprop
from tfvis.attention.boxes import Box
from tfvis.attention.grad_cam import GradCam
from tfvis.attention.visual_backprop import Attention, VisualBackProp
from tfvis.classifiers import borders, checkpoints
from tfvis.errors import InputError, Text, arg, marked, nearest
from tfvis.experiments import (
    classifier_answers,
    labelled_pictures,
    messages,
    networks,
    predictions,
)
from tfvis.networks import registry
from tfvis.networks.network import Network
from tfvis.objectives import parsing

# The shorter side a network without a size of its own is shown; ImageNet's networks learnt so.
_SIDE = 224
# A picture longer than this many times its shorter side is squeezed: a strip of 16,000 px
# would fill the memory.
_LONGEST = 4
# Longer sides go by the first of these steps that squeezes a picture by no more than this share:
# every shape is compiled once, and a folder has hundreds. 3:2 and 16:9 go by 16, 4:3 by 8.
_STEPS, _SQUEEZED = (32, 16, 8), 0.01
# Longest side of the pictures that are made for looking at. A screen shows no more, and a
# PNG of 12 megapixels takes seconds to write.
LARGEST = 2048


@dataclasses.dataclass(frozen=True, eq=False)
class AttentionModel:
    """A network and the ways it is asked where it looks.

    Attributes:
        network: with or without a classifier.
        name: of the checkpoint or network.
        classes: names of the classes; () where there is no classifier.
        side: of the square that pictures are squeezed into; of a network that keeps the
            picture's shape, its shorter side.
        keeps_shape: whether it does.
        crop_borders: whether charts and rulers are cut off first.
        backprop: VisualBackProp, or None where the network's places are no maps but tokens.
        cam: Grad-CAM, or None without a classifier.
        taps: where there is no `backprop`, what gives the outputs that `cam` needs.
        notes: what to say of both.
        settings: of both, for keys.
    """

    network: Network
    name: str
    classes: tuple[str, ...]
    side: int
    keeps_shape: bool
    crop_borders: bool
    backprop: VisualBackProp | None
    cam: GradCam | None
    taps: Callable | None
    notes: tuple[str, ...]
    settings: dict

    def frame(self, pixels: np.ndarray) -> Box:
        """Returns the part of a picture that is looked at, in its pixels."""
        if self.crop_borders:
            return Box(*borders.crop_borders(pixels))
        return Box(0, 0, pixels.shape[1], pixels.shape[0])

    def shape(self, height: float, width: float) -> tuple[int, int]:
        """Returns the (height, width) at which a picture is looked at."""
        if self.network.fixed_size or not self.keeps_shape:
            return self.network.fixed_size or (self.side, self.side)
        exact = min(max(height, width) / min(height, width), _LONGEST) * self.side
        for step in _STEPS:
            long = max(self.side, round(exact / step) * step)
            if abs(long - exact) <= _SQUEEZED * exact:
                break
        return (self.side, long) if height < width else (long, self.side)

    def prepared(self, pixels: np.ndarray) -> tf.Tensor:
        """Returns a picture as the network takes it, [1, height, width, channels]."""
        resized = images.resize(pixels, *self.shape(*pixels.shape[:2]))
        return tf.constant(images.with_channels(resized, self.network.channels)[None])

    def explain(self, prepared: tf.Tensor) -> "Explanation":
        """Returns what is seen in one picture that is `prepared`."""
        seen = mask = shown = None
        steps = {}
        if self.backprop:
            seen = self.backprop.attend(prepared)
            mask, shown, taps = seen.mask[0].numpy(), seen.shown[0].numpy(), seen.taps
            steps = {layer: step[0].numpy() for layer, step in seen.shown_steps.items()}
        else:
            taps = self.taps(prepared)
        answers = self._answers(taps[self.network.logits]) if self.classes else None
        return Explanation(
            size=tuple(prepared.shape[1:3]),
            mask=mask,
            shown=shown,
            steps=steps,
            answers=answers,
            deep=taps[self.cam.layer] if self.cam else None,
            seen=seen,
        )

    @property
    def probable(self) -> bool:
        """Whether what the network says of classes are probabilities."""
        return bool(self.classes) and classifier_answers.percentages(self.network)

    def _answers(self, scores: tf.Tensor) -> np.ndarray:
        found = self.network.probabilities(scores) if self.probable else scores
        return found[0].numpy()

    @property
    def seeds(self) -> bool:
        """Whether there is `class_backprop`: the map that Grad-CAM weights is one of its layers."""
        if not (self.backprop and self.cam):
            return False
        return self.network.path(self.cam.layer) in self.backprop.layers

    def class_backprop(
        self, explanation: "Explanation", index: int, shown: bool = False
    ) -> np.ndarray:
        """Returns class-seeded VisualBackProp, float32 [height, width], 0 or more.

        Shown, it is for the eye, without a grid of dots.
        """
        seen, size = explanation.seen, explanation.size
        found = class_visual_backprop.of_pass(self.backprop, self.cam, seen, [index], size, shown)
        return found[0].numpy()

    def class_map(self, explanation: "Explanation", index: int) -> np.ndarray:
        """Returns Grad-CAM of a class, float32 [height, width], 0 or more."""
        return self.cam.of_map(explanation.deep, [index], explanation.size)[0].numpy()


@dataclasses.dataclass(frozen=True, eq=False)
class Explanation:
    """What is seen in one picture.

    Attributes:
        size: (height, width) at which it was looked at.
        mask: VisualBackProp's, float32 [height, width], 0..1, or None.
        shown: the same for the eye, without a grid of dots; see `visual_backprop.Attention`.
        steps: {layer: float32 [h, w]}, the masks in between for the eye, the deepest first.
        answers: float32 [classes], what the network says of each; scores where it puts out no
            probabilities; or None.
        deep: float32 [1, ...], the layer's output that Grad-CAM weights, from the same forward
            pass, or None.
        seen: by VisualBackProp, or None.
    """

    size: tuple[int, int]
    mask: np.ndarray | None
    shown: np.ndarray | None
    steps: dict[str, np.ndarray]
    answers: np.ndarray | None
    deep: tf.Tensor | None
    seen: Attention | None


def of_classifier(
    classifier: checkpoints.Classifier,
    precision: str,
    *,
    size: int | None = None,
    per_layer: bool = False,
    crop_borders: bool | None = None,
    layers: tuple[str, ...] | None = None,
    cam_layer: str | None = None,
) -> AttentionModel:
    """Returns the model of a checkpoint; pictures are squeezed, as it learnt them.

    Args:
        classifier: whose eyes.
        precision: of the arithmetic.
        size: --size; default the classifier's own.
        per_layer: whether each layer's mask is stretched to 0..1.
        crop_borders: whether charts and rulers are cut off first; None is as in training.
        layers: --layers, whose maps VisualBackProp multiplies; None is its default.
        cam_layer: --cam_layer, whose map Grad-CAM weights; None is its default.

    Raises:
        InputError: a size it cannot take; layers that are no maps.
    """
    cropped = labelled_pictures.crop_borders(classifier, crop_borders)
    return _attention_model(
        classifier.network, classifier.name, classifier.classes, size or classifier.size, precision,
        size=size, per_layer=per_layer, layers=layers, cam_layer=cam_layer,
        crop_borders=cropped, keeps_shape=False,
    )  # fmt: skip


def of_wanted(
    asked: networks.Wanted,
    precision: str,
    wanted: bool,
    *,
    size: int | None = None,
    per_layer: bool = False,
    crop_borders: bool | None = None,
    layers: tuple[str, ...] | None = None,
    cam_layer: str | None = None,
) -> AttentionModel:
    """Returns the model of a checkpoint or network by its name.

    Args:
        asked: the one network.
        precision: of the arithmetic.
        wanted: whether a class is asked for, so that a named network needs its classifier; a file
            is opened with its own unless a size is given.
        size, per_layer, layers, cam_layer: as for `of_classifier`.
        crop_borders: --crop_borders; None is as in training.

    Raises:
        InputError: no such checkpoint or network; one that cannot be looked through.
    """
    name = asked.network.strip()
    if registry.checkpoint(name):
        networks.as_trained(name, asked)
        return of_classifier(
            networks.classifier(name, "network"), precision,
            size=size, per_layer=per_layer, crop_borders=crop_borders, layers=layers,
            cam_layer=cam_layer,
        )  # fmt: skip
    if "," in name:
        raise InputError(f"{arg('network')}={name}: one at a time; name one of them.")
    # What lies in a file is at hand, its classifier too; without it any size will do.
    whole = wanted or (registry.is_file(name) and size is None)
    (network,) = networks.networks(asked, top=whole).values()
    classifier_answers.check_output(network)
    if note := classifier_answers.classifier_note(network, classifier_answers.percentages(network)):
        messages.note(f"{marked(note)}.")
    return _attention_model(
        network, network.name,
        classifier_answers.class_names(network),
        size or min(network.fixed_size or (_SIDE,)), precision,
        size=size, per_layer=per_layer, layers=layers, cam_layer=cam_layer,
        crop_borders=bool(crop_borders), keeps_shape=True,
    )  # fmt: skip


def _attention_model(
    network, name, classes, side, precision, *, size, per_layer, layers, cam_layer, **kinds
) -> AttentionModel:
    spatial = network.convolutions_and_poolings()
    fixed = network.fixed_size
    if fixed and size and (size, size) != fixed:
        raise InputError(
            f"{arg('size')}={size}: {name} takes {fixed[0]} x {fixed[1]} px only; leave "
            f"{arg('size')} out."
        )
    if spatial and 0 in network.trace(spatial[-1], *(fixed or (side, side))):
        raise InputError(
            f"{arg('size')}={side}: too small for {spatial[-1]}, whose map has no pixel."
        )
    if cam_layer and not classes:
        raise InputError(
            f"{arg('cam_layer')}={cam_layer}: Grad-CAM is of a class, and {name} has no classifier."
        )
    notes, cam = [], None
    if classes:
        given = f"{arg('cam_layer')}={cam_layer}" if cam_layer else f"{arg('network')}={name}"
        with _blamed(given, "Grad-CAM"):
            cam = GradCam(network, cam_layer, precision)
        ends = f"; {cam.end}" if cam.end else ""
        ends += f", though {cam.after} follows" if cam.after else ""
        notes.append(f"class maps are of {cam.layer}{'' if cam_layer else ', the last map'}{ends}.")
    extra = (network.logits, cam.layer) if cam else ()
    options = {"per_layer": per_layer, "extra": extra, "precision": precision}
    backprop = taps = None
    try:
        with _blamed(
            f"{arg('layers')}={','.join(layers)}" if layers is not None else "", "VisualBackProp"
        ):
            backprop = VisualBackProp(network, layers, **options)
    except InputError as error:
        if layers is not None or not cam:
            raise
        taps = tf.function(network.taps(extra, precision), autograph=False)
        notes.append(Text(f"no masks. {marked(error)}"))
    return AttentionModel(
        network=network,
        name=name,
        classes=classes,
        side=side,
        backprop=backprop,
        cam=cam,
        taps=taps,
        notes=tuple(notes),
        settings={
            "side": side,
            "per_layer": per_layer,
            "precision": precision,
            "layers": backprop.layers if backprop else (),
            "cam_layer": cam.layer if cam else None,
        }
        | kinds,
        **kinds,
    )


@contextlib.contextmanager
def _blamed(given: str, method: str):
    """Names the argument, in place of a method, in what is raised within."""
    try:
        yield
    except InputError as error:
        said = marked(error)
        if not given or said.startswith(arg("network")):
            raise
        raise InputError(f"{given}: {said.removeprefix(f'{method}: ')}") from error


def class_index(model: AttentionModel, word: str) -> tuple[int, str]:
    """Returns the number and name of the class that --class names.

    Args:
        model: whose class.
        word: a name; of a network that is no checkpoint also a number.

    Raises:
        InputError: there is no classifier, or no one class of that name.
    """
    if not model.classes:
        raise InputError(
            f"{arg('of_class')}={word}: {model.name} has no classifier here"
            f"{_why(model.network)}. Use a checkpoint, or a network whose weights include one."
        )
    if word in model.classes:
        return model.classes.index(word), word
    if not model.keeps_shape:
        raise InputError(
            f"{arg('of_class')}={word}: no class of {model.name}. {nearest(word, model.classes)}"
        )
    found = parsing.one_class(word, model.network, "of_class")
    return found.channel, model.classes[found.channel] if word.isdigit() else found.name


def _why(network: Network) -> str:
    return f" ({marked(network.no_classifier)})" if network.no_classifier else ""


def top(model: AttentionModel, answers: np.ndarray | None, count: int = 3) -> list[list]:
    """Returns the first classes, [name, what the network answers] each, the surest first."""
    if answers is None:
        return []
    found = predictions.ranked(answers, model.classes, count)
    return [[name, round(answer, 6)] for name, answer in found]


def resized(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """Returns a map, float32 [height, width], of another size; bilinear, within its range."""
    image = PIL.Image.fromarray(np.ascontiguousarray(values, np.float32))
    return np.asarray(image.resize((width, height), PIL.Image.Resampling.BILINEAR))


def placed(values: np.ndarray, frame: Box, height: int, width: int) -> np.ndarray:
    """Returns the map of a part of a picture as one of the whole; 0 outside the part."""
    x0, y0, x1, y1 = (int(corner) for corner in (frame.x0, frame.y0, frame.x1, frame.y1))
    inner = resized(values, y1 - y0, x1 - x0)
    if inner.shape == (height, width):
        return inner
    whole = np.zeros((height, width), np.float32)
    whole[y0:y1, x0:x1] = inner
    return whole


def cut(pixels: np.ndarray, frame: Box) -> np.ndarray:
    """Returns the part of a picture in a box with whole corners."""
    return pixels[int(frame.y0) : int(frame.y1), int(frame.x0) : int(frame.x1)]


def at_size(frame: Box, of: tuple[int, int], to: tuple[int, int]) -> Box:
    """Returns a box of a picture resized, (height, width) each, with whole corners, 1 px least."""
    found = boxes.scaled(frame, of, to)
    x0, y0 = min(round(found.x0), to[1] - 1), min(round(found.y0), to[0] - 1)
    return Box(x0, y0, max(round(found.x1), x0 + 1), max(round(found.y1), y0 + 1))


def fitted(height: int, width: int, longest: int) -> tuple[int, int]:
    """Returns (height, width) shrunk so that the longer side has at most `longest` px."""
    scale = min(1, longest / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def thumbnail(pixels: np.ndarray, longest: int) -> np.ndarray:
    """Returns a picture shrunk to fit a square of `longest` px."""
    return images.resize(pixels, *fitted(*pixels.shape[:2], longest))
