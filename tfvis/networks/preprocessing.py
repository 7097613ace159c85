"""The contract between the image one sees and the numbers a network was trained on."""

import dataclasses

import keras
import tensorflow as tf

from tfvis import images
from tfvis.errors import InputError, nearest

# Mean pixel of ImageNet (RGB) that the Oxford VGG and the first ResNet models
# subtract (Simonyan & Zisserman 2015; keras.applications mode "caffe").
IMAGENET_MEAN = (123.68, 116.779, 103.939)
# Mean and standard deviation of ImageNet on a 0..1 scale (mode "torch").
_TORCH_MEAN = (0.485, 0.456, 0.406)
_TORCH_STD = (0.229, 0.224, 0.225)


@dataclasses.dataclass(frozen=True)
class Preprocessing:
    """Maps display space (RGB, 0..255) to a network's input: (x - mean) * scale.

    Attributes:
        name: how a flag or a manifest calls it.
        mean: subtracted, in RGB order, in units of display space.
        scale: multiplied afterwards, in RGB order.
        bgr: whether the network wants its channels as blue, green, red.
    """

    name: str
    mean: tuple[float, ...] = (0.0,)
    scale: tuple[float, ...] = (1.0,)
    bgr: bool = False

    def __call__(self, display: tf.Tensor, channels: int) -> tf.Tensor:
        """Applies the contract inside a graph.

        Args:
            display: float32 [batch, height, width, c], display space; an RGB image
                given to a one-channel network is reduced to its luma.
            channels: what the network's input layer takes.

        Returns:
            float32 [batch, height, width, channels].

        Raises:
            InputError: c channels cannot be turned into `channels`.
        """
        given = display.shape[-1]
        if given == 3 and channels == 1:
            display = tf.tensordot(display, tf.constant(images.LUMA), 1)[..., None]
        elif given == 1 and channels == 3:
            display = tf.repeat(display, 3, axis=-1)
        elif given != channels:
            raise InputError(
                f"The network takes {channels} channels. Received an image of {given}."
            )
        if self.mean != (0.0,):
            display = display - _per_channel(self.mean, channels)
        if self.scale != (1.0,):
            display = display * _per_channel(self.scale, channels)
        if self.bgr and channels == 3:
            # Not display[..., ::-1], which a CPU walks backwards, ten times as slowly.
            return tf.stack(tf.unstack(display, axis=-1)[::-1], axis=-1)
        return display

    def center(self, channels: int) -> tf.Tensor:
        """Returns the mid colour of display space, float32 [channels].

        Natural-image priors measure brightness and colour from here. A network
        that subtracts nothing is given the mean pixel of ImageNet.
        """
        mean = self.mean if self.mean != (0.0,) else IMAGENET_MEAN
        return _per_channel(mean, channels)


def _per_channel(values: tuple[float, ...], channels: int) -> tf.Tensor:
    """Returns `values` for the network's channels; their average where counts differ."""
    if len(values) != channels:
        values = (sum(values) / len(values),) * channels
    return tf.constant(values, tf.float32)


CONTRACTS = {
    contract.name: contract
    for contract in (
        Preprocessing("caffe", mean=IMAGENET_MEAN, bgr=True),
        Preprocessing("tf", mean=(127.5,), scale=(1 / 127.5,)),
        Preprocessing(
            "torch",
            mean=tuple(255 * m for m in _TORCH_MEAN),
            scale=tuple(1 / (255 * s) for s in _TORCH_STD),
        ),
        Preprocessing("unit", scale=(1 / 255,)),
        # Networks that rescale in their own first layers.
        Preprocessing("none"),
    )
}

# keras.applications modules by the mode of their preprocess_input; those missing
# here (EfficientNet, ConvNeXt, MobileNetV3) preprocess inside the network.
_MODES = {
    "vgg16": "caffe",
    "vgg19": "caffe",
    "resnet": "caffe",
    "densenet": "torch",
    "resnet_v2": "tf",
    "inception_v3": "tf",
    "inception_resnet_v2": "tf",
    "xception": "tf",
    "mobilenet": "tf",
    "mobilenet_v2": "tf",
    "nasnet": "tf",
}


def application(name: str) -> Preprocessing:
    """Returns the contract of the keras.applications network `name` (lower case)."""
    constructor = applications()[name]
    module = constructor.__module__.rsplit(".", 1)[-1]
    return CONTRACTS[_MODES.get(module, "none")]


def applications() -> dict[str, object]:
    """Returns {lower-case name: constructor} of every keras.applications network."""
    return {
        name.lower(): value
        for name, value in vars(keras.applications).items()
        if callable(value) and name[0].isupper()
    }


def named(name: str) -> Preprocessing:
    """Returns the contract called `name`.

    Raises:
        InputError: there is none of that name.
    """
    if name not in CONTRACTS:
        raise InputError(f"--preprocessing={name}: unknown. {nearest(name, CONTRACTS)}")
    return CONTRACTS[name]
