"""The contract between the image one sees and the numbers a network was trained on."""

import dataclasses
import hashlib

import keras
import numpy as np
import tensorflow as tf

from tfvis import images
from tfvis.errors import InputError, arg, nearest
from tfvis.networks.preprocessing import steps_from_file

# Mean pixel of ImageNet (RGB) that the Oxford VGG and the first ResNet models
# subtract (Simonyan & Zisserman 2015; keras.applications mode "caffe").
IMAGENET_MEAN = (123.68, 116.779, 103.939)
# Mean and standard deviation of ImageNet on a 0..1 scale (mode "torch").
_TORCH_MEAN = (0.485, 0.456, 0.406)
_TORCH_STD = (0.229, 0.224, 0.225)
# Mean pixel (RGB) of the ILSVRC 2012 training set squeezed into 256x256: of the mean image
# that comes with Caffe's reference models (ilsvrc_2012_mean.npy), by which
# pycaffe's examples classify.
_ILSVRC_MEAN = (122.679, 116.669, 104.007)
# Mean pixel (RGB) of the drawings of Illustration2Vec (Saito & Matsui 2015; the constant of
# rezoo/illustration2vec, i2v/chainer_i2v.py, there in blue, green, red).
_DRAWINGS_MEAN = (181.13838569, 167.47864617, 164.76139251)


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
        display = self._centered(display, channels)
        if self.scale != (1.0,):
            display = display * per_channel(self.scale, channels)
        return steps_from_file.to_bgr(display) if self.bgr and channels == 3 else display

    def _centered(self, display: tf.Tensor, channels: int) -> tf.Tensor:
        if self.mean == (0.0,):
            return display
        return steps_from_file.minus_mean(display, per_channel(self.mean, channels))

    @property
    def said(self) -> str:
        """Name and range, for people: "tf (RGB, -1 to 1)"."""
        mean, scale = np.array(self.mean), np.array(self.scale)
        ends = np.stack([(0 - mean) * scale, (255 - mean) * scale])
        order = "BGR" if self.bgr else "RGB"
        return f"{self.name} ({order}, {ends.min():.4g} to {ends.max():.4g})"

    def center(self, channels: int) -> tf.Tensor:
        """Returns the mid colour of display space, float32 [channels].

        Natural-image priors measure brightness and colour from here. A network
        that subtracts nothing is given the mean pixel of ImageNet.
        """
        mean = self.mean if self.mean != (0.0,) else IMAGENET_MEAN
        return per_channel(mean, channels)


@dataclasses.dataclass(frozen=True)
class MeanImage(Preprocessing):
    """A contract that subtracts a mean image from pictures of just its size.

    From others its mean pixel is subtracted, as `mean` of the contract. Two are equal if
    their images are; `digest` stands for the image where a contract is written down.

    Attributes:
        image: float32 [height, width, 3], RGB, in units of display space; never changed.
        digest: of the image.

    Raises:
        InputError: the image is none of three channels, or holds NaN or infinity.
    """

    image: np.ndarray = dataclasses.field(kw_only=True, repr=False, compare=False)
    digest: str = dataclasses.field(init=False, default="")

    def __post_init__(self):
        image = np.array(self.image, np.float32)
        if image.ndim != 3 or image.shape[-1] != 3 or not image.size:
            raise InputError(f"Expected a mean image [height, width, 3]. Received: {image.shape}")
        if not np.isfinite(image).all():
            raise InputError("Expected a mean image of finite numbers. Received: NaN or infinity")
        image.setflags(write=False)
        whole = repr(image.shape).encode() + image.tobytes()
        # The dataclass is frozen for everyone else.
        object.__setattr__(self, "image", image)
        object.__setattr__(self, "digest", hashlib.sha256(whole).hexdigest())
        pixel = image.mean((0, 1), dtype=np.float64)
        object.__setattr__(self, "mean", tuple(float(value) for value in pixel))

    def _centered(self, display: tf.Tensor, channels: int) -> tf.Tensor:
        return steps_from_file.minus_mean(display, self.plane(channels))

    def plane(self, channels: int) -> np.ndarray:
        """Returns the image for a network of `channels`, [height, width, channels]."""
        if channels == 3:
            return self.image
        return np.repeat(self.image.mean(-1, keepdims=True), channels, axis=-1)


def with_mean_image(contract: Preprocessing, image: np.ndarray) -> MeanImage:
    """Returns a contract whose mean is an image, such as a .binaryproto file holds.

    Args:
        contract: gives scale, order of the channels, and the first part of the name.
        image: float32 [height, width, 3], RGB, 0..255.

    Raises:
        InputError: it is no such image.
    """
    mean = MeanImage(contract.name, scale=contract.scale, bgr=contract.bgr, image=image)
    return dataclasses.replace(mean, name=f"{contract.name}+mean-{mean.digest[:8]}")


def per_channel(values: tuple[float, ...], channels: int) -> tf.Tensor:
    """Returns `values` for the network's channels; their average where counts differ."""
    if len(values) != channels:
        values = (sum(values) / len(values),) * channels
    return tf.constant(values, tf.float32)


CONTRACTS = {
    contract.name: contract
    for contract in (
        Preprocessing("caffe", mean=IMAGENET_MEAN, bgr=True),
        Preprocessing("ilsvrc", mean=_ILSVRC_MEAN, bgr=True),
        Preprocessing("illustration2vec", mean=_DRAWINGS_MEAN, bgr=True),
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
        raise InputError(f"{arg('preprocessing')}={name}: unknown. {nearest(name, CONTRACTS)}")
    return CONTRACTS[name]
