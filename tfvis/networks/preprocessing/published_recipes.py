"""Recipes: how each family of networks is shown a picture that comes from a file."""

import dataclasses
import pathlib

import tensorflow as tf

from tfvis.errors import InputError, nearest
from tfvis.networks.preprocessing import contracts, steps_from_file

# The shortest side is 256 px for 224 of them cut out (Chatfield et al. 2014, section 2;
# He et al. 2016, section 3.4); other sizes keep the share, as torchvision's 342 for 299.
_SHARE = 256 / 224


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Maps pictures of any size to a network's input, by `steps` and a contract.

    Attributes:
        resize: the shortest side, or (height, width) to cover; in pixels.
        crop: side of the centre cut out of it, or (height, width).
        preprocessing: the contract, of mean, scale and order of channels.
        aspect: whether a picture keeps its shape; else it is squeezed into `resize`.
        antialias: see `steps_from_file.resized`.
        unit: whether pictures come in 0..1; else in 0..255, as files hold them.

    Raises:
        InputError: the centre is larger than what it is cut out of, or has no pixels.
    """

    resize: steps_from_file.Size = 256
    crop: steps_from_file.Size = 224
    preprocessing: contracts.Preprocessing = contracts.CONTRACTS["caffe"]
    aspect: bool = True
    antialias: bool = True
    unit: bool = False

    def __post_init__(self):
        for outer, inner in zip(
            steps_from_file.pair(self.resize), steps_from_file.pair(self.crop), strict=True
        ):
            if not 1 <= inner <= outer:
                raise InputError(
                    "Expected a crop of at least 1 px, and at most what the picture is resized "
                    f"to. Received: resize={self.resize}, crop={self.crop}"
                )

    @property
    def keep(self) -> tuple[int, int]:
        """The most that is computed of a resized picture, (height, width).

        The crop is what counts; the rest is for the eye, and bounded.
        """
        # An even margin: cut at once or in two steps, the centre is the same pixels.
        margins = (2 * side for side in steps_from_file.pair(self.resize))
        return tuple(a + b for a, b in zip(steps_from_file.pair(self.crop), margins, strict=True))

    @property
    def contract(self) -> contracts.Preprocessing:
        """The contract for pictures of the size of the crop.

        Of a larger mean image it has the centre, which Caffe subtracts from the centre.
        """
        mean = self.preprocessing
        if not isinstance(mean, contracts.MeanImage):
            return mean
        rows, columns = steps_from_file.pair(self.crop)
        top, left = mean.image.shape[0] - rows, mean.image.shape[1] - columns
        if min(top, left) < 0 or top == left == 0:
            return mean
        top, left = top // 2, left // 2
        centre = mean.image[top : top + rows, left : left + columns]
        return dataclasses.replace(mean, image=centre)

    def __call__(self, pictures: tf.Tensor, channels: int = 3) -> tf.Tensor:
        """Applies all steps, inside a graph or out of it.

        Args:
            pictures: [batch, height, width, 3], RGB; uint8 or float.
            channels: what the network takes, 3 or 1.

        Returns:
            float32 [batch, *crop, channels].

        Raises:
            InputError: not a batch of pictures, or the channels are others.
        """
        return self.contract(self.framed(pictures), channels)

    def framed(self, pictures: tf.Tensor) -> tf.Tensor:
        """Returns what the network sees of pictures, still to be looked at: resized and cut.

        Args:
            pictures: [batch, height, width, 3], RGB; uint8 or float.

        Returns:
            float32 [batch, *crop, 3], 0..255.

        Raises:
            InputError: not a batch of pictures.
        """
        if self.unit:
            pictures = steps_from_file.to_255(pictures)
        pictures = steps_from_file.resized(
            pictures, self.resize, aspect=self.aspect, antialias=self.antialias, keep=self.keep
        )
        return steps_from_file.cropped(pictures, self.crop)


# Caffe's reference models saw the training set squeezed into 256x256 (`convert -resize
# 256x256\!`, BVLC/caffe examples/imagenet/readme.md; `caffe.Classifier` does the same).
_REFERENCE = Recipe(256, 227, contracts.CONTRACTS["ilsvrc"], aspect=False)
_OXFORD = Recipe(256, 224, contracts.CONTRACTS["caffe"])
RECIPES = {
    # Chatfield et al. 2014 and Simonyan & Zisserman 2015; their gists of Caffe models.
    "vgg_cnn": _OXFORD,
    "vgg16": _OXFORD,
    "vgg19": _OXFORD,
    "caffenet": _REFERENCE,
    "alexnet": _REFERENCE,
    # rezoo/illustration2vec, i2v/chainer_i2v.py: the whole picture, by a scikit-image that
    # did not yet antialias; the tags it published are of pictures resized so.
    "illustration2vec": Recipe(
        224, 224, contracts.CONTRACTS["illustration2vec"], aspect=False, antialias=False
    ),
}
# A network of a name unknown here tells by its contract.
_BY_CONTRACT = {"ilsvrc": "caffenet", "illustration2vec": "illustration2vec"}


def named(name: str) -> Recipe:
    """Returns the recipe called `name`.

    Raises:
        InputError: there is none of that name.
    """
    if name not in RECIPES:
        raise InputError(f"No recipe {name!r} for pictures. {nearest(name, RECIPES)}")
    return RECIPES[name]


def fitting(
    name: str,
    preprocessing: contracts.Preprocessing,
    fixed_size: tuple[int, int] | None = None,
    side: int | None = None,
) -> Recipe:
    """Returns the recipe of a network, with the network's own contract.

    Args:
        name: the network's, or the path of its file ("vgg_cnn_s", "caffenet.keras").
        preprocessing: its contract.
        fixed_size: the (height, width) it insists on, if it does.
        side: of the square that whole pictures were squeezed into as it learnt, if they were.

    Returns:
        That, where there is a side; a recipe of `RECIPES` for networks of its name or of its
        contract, else 256 px resized and 224 cut out; where the network insists on another
        size, that is cut out, of a picture larger by the same share.
    """
    if side:
        size = fixed_size or (side, side)
        return Recipe(size, size, preprocessing, aspect=False)
    stem = pathlib.PurePath(name).stem.lower()
    family = next(
        (known for known in RECIPES if stem == known or stem.startswith(known + "_")),
        _BY_CONTRACT.get(preprocessing.name.split("+")[0], ""),
    )
    recipe = dataclasses.replace(RECIPES.get(family, Recipe()), preprocessing=preprocessing)
    if fixed_size in (None, steps_from_file.pair(recipe.crop)):
        return recipe
    share = steps_from_file.pair(recipe.resize)[0] / steps_from_file.pair(recipe.crop)[0]
    resize = tuple(round(side * share) for side in fixed_size)
    return dataclasses.replace(recipe, resize=resize, crop=fixed_size)
