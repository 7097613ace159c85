"""The steps from a picture as it comes from a file to the input of a classifier.

To 0..255, the shortest side to 256, the central 224 pixels, minus the mean, to blue,
green, red: how the networks trained in Caffe were shown pictures (Chatfield et al. 2014,
section 2; Krizhevsky et al. 2012, section 2). Pure functions of float32 pictures [batch,
height, width, channels], inside a graph or out of it, of sizes known or unknown to it.

Bilinear, since Caffe's own tools are (`caffe.io.resize_image`: order 1). Antialiased unless
asked otherwise, as the tools the training sets were resized with were (MATLAB's imresize,
ImageMagick), and as Pillow's BILINEAR is, with which it agrees.
"""

import tensorflow as tf

from tfvis.errors import InputError

# A side in pixels, or (height, width).
Size = int | tuple[int, int]


def to_255(pictures: tf.Tensor) -> tf.Tensor:
    """Returns pictures of 0..1 in 0..255."""
    return _float32(pictures) * 255.0


def resized(
    pictures: tf.Tensor,
    size: Size,
    *,
    aspect: bool = True,
    antialias: bool = True,
    keep: Size | None = None,
) -> tf.Tensor:
    """Resizes pictures bilinearly; small ones are enlarged.

    Args:
        pictures: [batch, height, width, channels], of any type and size.
        size: with `aspect`, the smallest size of the same shape that covers this one, for
            one number: that many pixels along the shortest side (the other rounded down,
            as Caffe's users and torchvision do). Else just this size, squeezed.
        aspect: whether to keep the shape.
        antialias: whether all pixels count where a picture is made smaller; else only the
            two nearest along each side, as in OpenCV and early scikit-image.
        keep: of a longer result only the middle is computed, this many pixels at most; a
            strip of 2 x 9000 px would otherwise take 300 million.

    Returns:
        float32 [batch, height, width, channels].

    Raises:
        InputError: not a batch of pictures, or empty ones.
    """
    pictures = _float32(pictures)
    sides = _sides(pictures)
    grown = covering(*sides, size) if aspect else pair(size)
    kept = within(grown, keep)
    start = [(a - b) // 2 for a, b in zip(grown, kept, strict=True)]
    # What tf.image.resize runs, which has no word for a part of the result.
    return tf.raw_ops.ScaleAndTranslate(
        images=pictures,
        size=tf.stack(kept),
        scale=tf.cast(tf.stack(grown), tf.float32) / tf.cast(tf.stack(sides), tf.float32),
        translation=-tf.cast(tf.stack(start), tf.float32),
        kernel_type="triangle",
        antialias=antialias,
    )


def cropped(pictures: tf.Tensor, size: Size) -> tf.Tensor:
    """Cuts out the centre; of an odd margin the smaller half is above and to the left.

    As Caffe's `data_transformer.cpp` does when it tests.

    Args:
        pictures: [batch, height, width, channels].
        size: a side in pixels, or (height, width).

    Raises:
        InputError: pictures known to be smaller.
    """
    pictures = _float32(pictures)
    rows, columns = pair(size)
    height, width = _sides(pictures)
    if _known(height, width) and (height < rows or width < columns):
        raise InputError(f"A picture of {width}x{height} px has no centre of {columns}x{rows} px.")
    start = tf.stack([0, (height - rows) // 2, (width - columns) // 2, 0])
    centre = tf.slice(pictures, start, [-1, rows, columns, -1])
    return tf.ensure_shape(centre, (pictures.shape[0], rows, columns, pictures.shape[-1]))


def minus_mean(pictures: tf.Tensor, mean: tf.Tensor) -> tf.Tensor:
    """Subtracts a mean pixel, or a mean image.

    Args:
        pictures: [batch, height, width, channels].
        mean: [channels], or [height, width, channels]: taken from pictures of just its
            size; of others, its mean pixel is.
    """
    pictures, mean = _float32(pictures), _float32(mean)
    if len(mean.shape) == 1:
        return pictures - mean
    pixel = tf.reduce_mean(mean, axis=(0, 1))
    sides = _sides(pictures)
    if _known(*sides):
        return pictures - (mean if tuple(sides) == tuple(mean.shape[:2]) else pixel)
    same = tf.reduce_all(tf.shape(pictures)[1:3] == tf.shape(mean)[:2])
    return tf.cond(same, lambda: pictures - mean, lambda: pictures - pixel)


def to_bgr(pictures: tf.Tensor) -> tf.Tensor:
    """Turns red, green, blue into blue, green, red."""
    # Not [..., ::-1], which a CPU walks backwards, ten times as slowly.
    return tf.stack(tf.unstack(pictures, axis=-1)[::-1], axis=-1)


def pair(size: Size) -> tuple[int, int]:
    """Returns (height, width) of a size."""
    return (size, size) if isinstance(size, int) else (size[0], size[1])


def covering(height, width, size: Size) -> tuple:
    """Returns the (height, width) to which `resized` brings pictures, keeping the aspect.

    Args:
        height: of the pictures; a number or a tensor, as `width` is.
        width: of the pictures.
        size: to cover.
    """
    rows, columns = pair(size)
    # In whole numbers: 0.1 + 0.2 is a pixel off where it should be none.
    wide = width * rows >= height * columns
    if isinstance(wide, bool):
        return (rows, width * rows // height) if wide else (height * columns // width, columns)
    return (
        tf.where(wide, rows, height * columns // width),
        tf.where(wide, width * rows // height, columns),
    )


def within(sides: tuple, keep: Size | None) -> tuple:
    """Returns `sides`, (height, width), at most `keep`."""
    if keep is None:
        return tuple(sides)
    smaller = min if _known(*sides) else tf.minimum
    return tuple(smaller(side, most) for side, most in zip(sides, pair(keep), strict=True))


def _float32(pictures) -> tf.Tensor:
    return tf.cast(tf.convert_to_tensor(pictures), tf.float32)


def _sides(pictures: tf.Tensor) -> tuple:
    """Returns (height, width), as numbers if both are known, else as tensors."""
    if len(pictures.shape) != 4:
        raise InputError(
            f"Expected pictures [batch, height, width, channels]. Received: {tuple(pictures.shape)}"
        )
    height, width = pictures.shape[1:3]
    if 0 in (height, width):
        raise InputError(f"Expected pictures of some pixels. Received: {width}x{height} px.")
    if None in (height, width):
        shape = tf.shape(pictures)
        return shape[1], shape[2]
    return height, width


def _known(*sides) -> bool:
    return all(isinstance(side, int) for side in sides)
