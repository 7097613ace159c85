"""Grad-CAM: where a network sees a class.

Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
Localization" (ICCV 2017), equations 1 and 2: the channels of a deep map, each weighted by how
much the class score grows with it on average over the map, summed, negative parts left out.
Behind a mean over the map and one layer of scores it is the class activation map of Zhou et
al. 2016, but for a factor.
"""

import functools

import keras
import numpy as np
import tensorflow as tf

from tfvis import image_arguments, settings
from tfvis.attention import explainer
from tfvis.errors import InputError, arg
from tfvis.networks import differentiable, keras_graph
from tfvis.networks.network import Network
from tfvis.networks.receptive_field import receptive_field, spatial_positions
from tfvis.networks.receptive_field.dominators import dominators
from tfvis.networks.receptive_field.spatial_maps import Map, Maps, features, maps, missing
from tfvis.networks.receptive_field.subgraph_probing import Lost

_POOLINGS = (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D)


class GradCam:
    """Makes maps of classes; compiled once per shape of images.

    Args:
        network: with a classifier.
        layer: whose map is looked at; all paths must pass it. Default: the deepest that has
            places and is no pooling, the paper's last convolutional layer (relu5_3 of VGG);
            of a transformer the last tokens that the scores are made of, as a map.
        precision: "float32" or "bfloat16", arithmetic of the network up to the layer.

    Raises:
        InputError: no classifier, no spatial layers, or a layer that not every path passes.
    """

    def __init__(self, network: Network, layer: str | None = None, precision: str = "float32"):
        if not network.logits:
            raise InputError(
                f"Grad-CAM is of a class, and {network.name} has no classifier. Use a checkpoint, "
                "or a network with its top."
            )
        self.network, found = network, maps(network, network.logits)
        one = _named(network, found, layer) if layer else _deepest(network, found)
        self.layer, self._layout = layer or one.path, one.layout
        # Why there are no places behind the last map; None where the scores are one.
        self.end: Lost | None = found.end
        # What follows all the same, in another order: maps of a decoder, of a spectrum.
        self.after = found.after
        start = network.graph.tensors[one.path]
        scores = network.graph.tensors[network.logits]
        self._precision = precision
        self._head = keras.Model(start, scores)
        # Not autograph: there is nothing to convert, and errors stay one line.
        self._run = tf.function(self._gradients, autograph=False)

    def __repr__(self) -> str:
        return f"<GradCam of {self.network.name}: {self.layer}>"

    @functools.cached_property
    def _taps(self):
        """Not before they are asked: they hold a copy of the weights that `of_map` needs not."""
        taps = self.network.taps((self.layer,), self._precision)
        return tf.function(taps, autograph=False)

    def __call__(self, images, target: explainer.Target = None) -> tf.Tensor:
        """Returns the maps of classes at the images' size, not normalised.

        Args:
            images: [height, width, 3] or a batch of them, 0..255.
            target: see `explainer.Explainer`.

        Returns:
            float32 [batch, height, width], at least 0; bilinear between the centres of what
            the map's places see, beyond the outermost as there.

        Raises:
            InputError: see `maps`.
        """
        images = image_arguments.batch(images, self.network.channels)
        self._checked(images)
        # Numbers, one each, are checked below.
        numbers = (
            target is not None and np.ndim(target) == 1 and np.asarray(target).dtype.kind in "iuf"
        )
        classes = target if numbers else explainer.classes(self.network, images, target)
        return self.upscaled(self.maps(images, classes), images.shape[1:3])

    def maps(self, images: tf.Tensor, classes) -> tf.Tensor:
        """Returns the maps at the layer's own size, float32 [batch, h, w], at least 0.

        Raises:
            InputError: not such images, too small for the network, a class it does not
                have, or not one for each image.
        """
        images = self._checked(images)
        classes = self._checked_classes(classes, len(images))
        return self._of_map(self._taps(images)[self.layer], classes, images.shape[1:3])

    def of_map(self, found: tf.Tensor, classes, size) -> tf.Tensor:
        """Returns the maps of classes from the layer's output, which a tap has at hand.

        Args:
            found: float32 [batch, h, w, channels], what the layer puts out.
            classes: int [batch].
            size: (height, width) of the images, and of the maps returned.

        Returns:
            float32 [batch, height, width], at least 0, as of the images themselves.

        Raises:
            InputError: a class the network does not have, or not one for each image.
        """
        classes = self._checked_classes(classes, len(found))
        return self.upscaled(self._of_map(found, classes, size), size)

    def upscaled(self, maps: tf.Tensor, size) -> tf.Tensor:
        """Returns maps of the layer, [batch, h, w], at the size of the image, (height, width)."""
        height, width = size
        field = self._field(size)
        for number, (axis, pixels) in enumerate(((field.rows, height), (field.columns, width)), 1):
            lower, share = _between(axis, maps.shape[number], pixels)
            share = tf.reshape(tf.constant(share, tf.float32), [-1] + [1] * (2 - number))
            upper = np.minimum(lower + 1, maps.shape[number] - 1)
            below, above = (tf.gather(maps, k, axis=number) for k in (lower, upper))
            # Not below + share * (above - below), which may round to less than 0.
            maps = (1 - share) * below + share * above
        return maps

    def _checked(self, images) -> tf.Tensor:
        images = tf.convert_to_tensor(images, tf.float32)
        if len(images.shape) != 4 or images.shape[-1] != self.network.channels:
            raise InputError(
                f"Grad-CAM: {self.network.name} takes images of [batch, height, width, "
                f"{self.network.channels}]. Received: {tuple(images.shape)}"
            )
        # It raises where nothing is left of such an image.
        self._field(images.shape[1:3])
        return images

    def _field(self, size) -> receptive_field.Field:
        field = receptive_field.receptive_field(self.network, self.layer, *size, places_only=True)
        if field.everything:
            raise InputError(f"Grad-CAM: {self.layer} keeps no places: {field.layout}.")
        return field

    def _as_map(self, found: tf.Tensor, size) -> tf.Tensor:
        """Returns the layer's output as [batch, h, w, channels]."""
        return spatial_positions.as_map(found, self._layout, self._field(size).places)

    def evidence(self, found: tf.Tensor, classes, size) -> tf.Tensor:
        """Returns the same before negative parts are left out, at the layer's own size.

        Args:
            found, classes, size: as for `of_map`.

        Returns:
            float32 [batch, h, w], signed.

        Raises:
            InputError: as `of_map`.
        """
        return self._signed(found, self._checked_classes(classes, len(found)), size)

    def _of_map(self, found: tf.Tensor, classes: tf.Tensor, size) -> tf.Tensor:
        return tf.nn.relu(self._signed(found, classes, size))

    def _signed(self, found: tf.Tensor, classes: tf.Tensor, size) -> tf.Tensor:
        gradient = self._run(found, classes)
        if gradient is None:
            raise InputError(
                f"Grad-CAM: no gradient passes from the scores of {self.network.name} to "
                f"{self.layer}: {differentiable.culprit(self.network, 'logits', size)} has none. "
                "Save the model without what follows its scores."
            )
        weights = self._as_map(gradient, size)
        weights = tf.reduce_mean(weights, [1, 2], keepdims=True)
        return tf.reduce_sum(weights * self._as_map(found, size), -1)

    def _checked_classes(self, given, images: int) -> tf.Tensor:
        classes, count = np.asarray(given), settings.given(self.network.channels_of("logits"))
        right = classes.shape == (images,) and classes.dtype.kind in "iu"
        if not right or (classes.size and not 0 <= classes.min() <= classes.max() < count):
            raise InputError(
                f"Grad-CAM: expected a class of 0 to {count - 1} for each of {images} images. "
                f"Received: {classes.tolist()}"
            )
        return tf.constant(classes, tf.int32)

    def _gradients(self, found, classes):
        with tf.GradientTape() as tape:
            tape.watch(found)
            scores = self._head(found, training=False)
            # A sum: the gradient of each image is as if it were alone.
            score = tf.reduce_sum(tf.gather(scores, classes, axis=1, batch_dims=1))
        return tape.gradient(score, found)


def _named(network: Network, found: Maps, layer: str) -> Map:
    """Returns the map of a layer that was asked for."""
    network.check([layer])
    path = network.path(layer)
    for one in found.found:
        if one.path == path:
            return one
    if path in dominators(network, network.logits):
        why = f" ({found.end})" if found.end else ""
        raise InputError(
            f"Grad-CAM: {layer} of {network.name} is not a map{why}; {_nearest(found)}"
        )
    raise InputError(
        f"Grad-CAM: {layer} of {network.name} is not a map that every path passes; "
        f"{_nearest(found)}"
    )


def _nearest(found: Maps) -> str:
    """Returns what to choose instead."""
    if not found.found:
        return "there is none."
    return f"the last one that is: {found.found[-1].path}."


def _deepest(network: Network, found: Maps) -> Map:
    """Returns the deepest layer with places, a pooling only where there is nothing else."""
    tensors, scores = network.graph.tensors, network.graph.tensors[network.logits]
    found.check_end("Grad-CAM", network.name)
    ends = features(network, found)
    finer = [
        one for one in ends if not isinstance(keras_graph.operation(tensors[one.path]), _POOLINGS)
    ]
    for one in reversed(finer or ends):
        if _answers(tensors[one.path], scores, one):
            return one
    raise InputError(
        f"{arg('network')}={network.name}: Grad-CAM needs a map on the way to the scores, and "
        f"{missing(network, found)}"
    )


def _answers(start, scores, one: Map) -> bool:
    """Tells whether scores are made of the places, and not of a class token beside them."""
    if not one.layout.before and not one.layout.after:
        return True
    shape = [1, *start.shape[1:]]
    shape[one.layout.rows] = one.layout.before + one.layout.after + int(np.prod(one.sizes))
    found = tf.random.stateless_normal(shape, (0, 0))
    with tf.GradientTape() as tape:
        tape.watch(found)
        total = tf.reduce_sum(keras.Model(start, scores)(found, training=False)[:, 0])
    gradient = tape.gradient(total, found)
    if gradient is None:
        return False
    return bool(tf.reduce_any(spatial_positions.as_map(gradient, one.layout, one.sizes) != 0))


def _between(axis: receptive_field.Axis, count: int, pixels: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns, per pixel, the place of the map before it and the way to the next, 0..1."""
    first, last = settings.given(axis.first), settings.given(axis.last)
    step, centre = float(axis.jump), float(axis.low + axis.high) / 2
    middles = (first + last)[first <= last] / 2
    if min((np.diff(middles) < 0).any(), (np.diff(middles) > 0).any()):
        # Parts in another order, as of a map that was rolled: whatever its number, the place
        # all of which is nearest.
        apart = np.abs(2 * np.arange(pixels)[:, None] - first - last)
        return (apart + np.abs(last - first)).argmin(1).astype(np.int32), np.zeros(pixels)
    if not step:
        # Branches of different strides: nothing better is known than even parts.
        step, centre = pixels / count, (pixels / count - 1) / 2
    position = np.clip((np.arange(pixels) - centre) / step, 0, count - 1)
    lower = np.minimum(position.astype(np.int32), count - 1)
    return lower, position - lower
