"""Random views of an image: shifted, scaled, turned, in one gather.

What a unit answers to only at one exact place and size is rarely what it looks for;
raising it over random views (Olah et al. 2017; MV16 use the shift alone,
`priors.jittered`) leaves what survives them.
"""

import dataclasses

import tensorflow as tf

from tfvis import plug_in_views
from tfvis.plug_in_views import PlugIn


@dataclasses.dataclass(frozen=True)
class Transforms:
    """How far views stray from the image; each is drawn anew at every step.

    Lucid's ranges (optvis/transform.py), its pixels as shares of its 128.

    Attributes:
        shift: in each direction, share of the side (jitter of 8, then of 4 px).
        scale: factor within 1 - scale .. 1 + scale.
        angle: degrees, within -angle .. angle.
        pad: mid colour around the image that a view may show, share of the side (12 px);
            beyond it the border is repeated. Without it, energy gathers where views
            seldom look.
    """

    shift: float = 6 / 128
    scale: float = 0.1
    angle: float = 10.0
    pad: float = 12 / 128


def seen(
    images: tf.Tensor,
    seeds: tf.Tensor,
    step: tf.Tensor,
    by: "Transforms | Crops | PlugIn",
    steps: int,
) -> tf.Tensor:
    """Returns a `view`, a `crop` or a `plug_in_views.view` of each image, by the kind of `by`."""
    if isinstance(by, PlugIn):
        return plug_in_views.view(images, seeds, step, by)
    if isinstance(by, Crops):
        return crop(images, seeds, step, by, steps)
    return view(images, seeds, step, by)


def view(images: tf.Tensor, seeds: tf.Tensor, step: tf.Tensor, by: Transforms) -> tf.Tensor:
    """Returns one random view of each image, bilinearly sampled, differentiable.

    Args:
        images: centred, float32 [batch, height, width, channels], static shape.
        seeds: int32 [batch]; image k's view depends on seeds[k] and `step` alone.
        step: int32 scalar.
        by: how far to stray.

    Returns:
        float32, shaped as `images`.
    """
    draws = [tf.random.stateless_uniform([4], [seed, step], -1, 1) for seed in tf.unstack(seeds)]
    draws = tf.stack(draws)
    side = max(images.shape[1:3])
    shifts = by.shift * side * draws[:, :2]
    scales = 1 / (1 + by.scale * draws[:, 2])
    angles = by.angle * 3.14159265 / 180 * draws[:, 3]
    cosines, sines = scales * tf.cos(angles), scales * tf.sin(angles)
    matrices = tf.stack([tf.stack([cosines, -sines], 1), tf.stack([sines, cosines], 1)], 1)
    return sample(images, matrices, shifts, round(by.pad * side))


@dataclasses.dataclass(frozen=True)
class Crops:
    """What crops a picture is seen in; each is drawn anew at every step.

    Those of MACO (Fel et al. 2023): in xplique's `maco` 32 a step, 50 % down to 5 % of the side of
    pictures of 512 px, which a network of 224 px sees, for 256 steps; in Horama, by its author, 6
    a step of 20 to 25 % of 1280 px, for 1000. Compared on VGG16 in docs/measurements.md.

    Attributes:
        largest, smallest: mean side at the first and the last step, share of the picture's. The
            first are shown as they are, later ones enlarged to as much. Alike, as Horama's are:
            with crops that shrink to half of it a unit answers a fifth less to the picture.
        spread: standard deviation of the side, xplique's; it stays within 0.05 to 1.
        wander: standard deviation of the centre, share of the picture's side. At the authors' 0.15
            the border is hardly seen and stays as it began; at 0.5 every place is seen alike.
        noise: standard deviation of the noise on a crop, and width of the uniform noise on top
            of it, share of half the grey levels; xplique's.
        count: crops of a picture at every step. One, as a mean over a map looks at all of its
            places anyway.
    """

    largest: float = 0.5
    smallest: float = 0.5
    spread: float = 0.05
    wander: float = 0.5
    noise: float = 0.08
    count: int = 1

    def picture(self, size: tuple[int, int]) -> tuple[int, int]:
        """Returns the (height, width) of a picture whose first crops have `size`."""
        return round(size[0] / self.largest), round(size[1] / self.largest)


def crop(images: tf.Tensor, seeds: tf.Tensor, step: tf.Tensor, by: Crops, steps: int) -> tf.Tensor:
    """Returns random crops of each image, of one size, with noise; differentiable.

    Images are taken to go on beyond each border as they begin at the opposite one, as those made
    of waves do; the authors' crops end in mid grey there.

    Args:
        images, seeds, step: as of `view`.
        by: which crops.
        steps: of the run, over which the crops shrink.

    Returns:
        float32 [count * batch, height, width, channels], one crop of every image after another.
    """
    batch, height, width, channels = images.shape
    size = round(by.largest * height), round(by.largest * width)
    mean = by.largest + (by.smallest - by.largest) * tf.cast(step, tf.float32) / max(steps - 1, 1)
    rolled, matrices, noise = [], [], []
    for k in range(by.count * batch):
        seed, number = seeds[k % batch], by.count * step + k // batch
        draws = tf.random.stateless_normal([3], [seed, number])
        share = tf.clip_by_value(mean + by.spread * draws[2], 0.05, 1.0)
        shift = tf.round(by.wander * draws[:2] * tf.constant([height, width], tf.float32))
        rolled.append(tf.roll(images[k % batch], tf.cast(shift, tf.int32), [0, 1]))
        matrices.append(share / by.largest * tf.eye(2))
        # Other numbers than the crop's, of the same seed and step.
        shape, key = [*size, channels], [seed, -1 - number]
        grain = tf.random.stateless_normal(shape, key)
        grain += tf.random.stateless_uniform(shape, key, -0.5, 0.5)
        noise.append(127.5 * by.noise * grain)
    shifts = tf.zeros([by.count * batch, 2])
    seen = sample(tf.stack(rolled), tf.stack(matrices), shifts, 0, size)
    return seen + tf.stack(noise)


def sample(
    images: tf.Tensor,
    matrices: tf.Tensor,
    shifts: tf.Tensor,
    pad: int,
    size: tuple[int, int] | None = None,
) -> tf.Tensor:
    """Returns out[p] = image[M (p - c) + d + shift], c and d the centres, between pixels bilinear.

    Args:
        images: float32 [batch, height, width, channels], static shape.
        matrices: float32 [batch, 2, 2], for (row, column) vectors.
        shifts: float32 [batch, 2], pixels.
        pad: zeros around the image; beyond them the border of zeros, or with pad=0 of
            the image, is repeated.
        size: (height, width) of what is returned; None is the images'.
    """
    batch, height, width, channels = images.shape
    size = size or (height, width)
    rows, columns = tf.meshgrid(
        tf.range(size[0], dtype=tf.float32), tf.range(size[1], dtype=tf.float32), indexing="ij"
    )
    center = tf.constant([(height - 1) / 2, (width - 1) / 2])
    places = tf.stack([tf.reshape(rows, [-1]), tf.reshape(columns, [-1])], 1)
    places -= tf.constant([(size[0] - 1) / 2, (size[1] - 1) / 2])
    places = tf.matmul(places[None], matrices, transpose_b=True) + (center + shifts)[:, None]
    padded = tf.pad(images, [[0, 0], [pad, pad], [pad, pad], [0, 0]])
    height_in, width_in = height + 2 * pad, width + 2 * pad
    y = tf.clip_by_value(places[..., 0] + pad, 0, height_in - 1)
    x = tf.clip_by_value(places[..., 1] + pad, 0, width_in - 1)
    # The last row and column are reached from the one before, with weight 1.
    top = tf.maximum(tf.minimum(tf.floor(y), height_in - 2), 0)
    left = tf.maximum(tf.minimum(tf.floor(x), width_in - 2), 0)
    down, right = (y - top)[..., None], (x - left)[..., None]
    first = tf.cast(top, tf.int32) * width_in + tf.cast(left, tf.int32)
    first += tf.range(batch)[:, None] * (height_in * width_in)
    flat = tf.reshape(padded, [-1, channels])

    def corner(offset, weight):
        return weight * tf.gather(flat, first + offset)

    total = (
        corner(0, (1 - down) * (1 - right))
        + corner(1, (1 - down) * right)
        + corner(width_in, down * (1 - right))
        + corner(width_in + 1, down * right)
    )
    return tf.reshape(total, [batch, *size, channels])
