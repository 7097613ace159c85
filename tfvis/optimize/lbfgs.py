"""L-BFGS with bounds, one evaluation per step, each image of a batch on its own.

The recursion is that of Nocedal, "Updating Quasi-Newton Matrices with Limited Storage",
Math. Comp. 1980, in the product form of Byrd, Nocedal & Schnabel 1994. Bounds are kept by
projection (Bertsekas, "Projected Newton Methods", SIAM J. Control 1982). The history lives
as long as the run: restarting it every few evaluations gives most of the speed away.
"""

from typing import NamedTuple

import tensorflow as tf

from tfvis.optimize.optimizers import Update

# Sufficient decrease and curvature of the weak Wolfe conditions, for quasi-Newton
# directions (Nocedal & Wright, "Numerical Optimization", 2006, section 3.1).
_DECREASE = 1e-4
_CURVATURE = 0.9
# Near the minimum the decrease drowns in float32 (2^-23 of the value): a rise by eight
# such units passes where the slope agrees (Hager & Zhang 2005, approximate Wolfe).
_ROUNDING = 8 * 2.0**-23
# A pair is kept if step and change of gradient make less than a right angle, by more than
# the rounding of their product.
_ANGLE = 1e-6
# Trials of one line search. Ten reach from 1 to 1e-10.
_TRIALS = 10


class Memory(NamedTuple):
    """The slots: per image, the last accepted point, its line search and its history.

    Attributes:
        point, gradient: float32 [batch, elements], accepted last.
        direction: float32 [batch, elements], of the current line search.
        pairs: float32 [batch, 2 (history + 1), elements], a ring of steps and a ring of
            changes of the gradient; the row at `cursor` of either is scratch.
        products: float32 [batch, 2, history, history], newest first: steps times changes,
            and changes times changes.
        value, slope: float32 [batch], of the energy at the point, along the direction;
            an infinite value: nothing has been evaluated yet.
        length: float32 [batch], of the current trial, in directions.
        near, far: float32 [batch, 3], (length, value, slope) of the longest trial known to
            be too short and the shortest known to be too long (infinite if none).
        trials: float32 [batch], made in this search.
        count, cursor: float32 [batch], pairs in the history and where the next one goes.
        scale: float32 [batch], the largest change of an element in the last accepted step.
    """

    point: tf.Tensor
    gradient: tf.Tensor
    direction: tf.Tensor
    pairs: tf.Tensor
    products: tf.Tensor
    value: tf.Tensor
    slope: tf.Tensor
    length: tf.Tensor
    near: tf.Tensor
    far: tf.Tensor
    trials: tf.Tensor
    count: tf.Tensor
    cursor: tf.Tensor
    scale: tf.Tensor


def lbfgs(low=None, high=None, history: int = 20) -> Update:
    """L-BFGS: about the Newton step, from the last gradients; for energies without noise.

    The rate is the largest change of any element in the very first trial; afterwards the
    method finds its own lengths. An image in which nothing can be gained any more stays
    where it is. A start outside the bounds costs one evaluation; of one whose energy or
    gradient is not finite, the next image is not either.

    Args:
        low, high: bounds, broadcast against the image; None for none.
        history: pairs remembered; 20 in the code of Gatys et al. 2015.
    """

    def init(x):
        batch, elements = x.shape[0], x.shape[1:].num_elements()
        vector, number = tf.zeros([batch, elements]), tf.zeros([batch])
        blank = Memory(*[number] * len(Memory._fields))._replace(
            point=_Box(low, high, x.shape).clip(_flat(x)),
            gradient=vector,
            direction=vector,
            pairs=tf.zeros([batch, 2 * (history + 1), elements]),
            products=tf.zeros([batch, 2, history, history]),
            value=number + float("inf"),
            near=tf.zeros([batch, 3]),
            far=tf.zeros([batch, 3]),
        )
        return tuple(blank)

    def apply(x, value, gradient, slots, rate, step):
        del step
        shape, old, box = x.shape, Memory(*slots), _Box(low, high, x.shape)
        x, gradient = _flat(x), _flat(gradient)

        # The trial. What a bound has stopped no longer counts for the slope.
        fresh = tf.math.is_inf(old.value)
        finite = tf.math.is_finite(value + tf.reduce_sum(gradient, 1))
        moved = tf.reduce_any(x != old.point, 1)
        slope = _dot(gradient, old.direction * box.opened(x, old.direction))
        expected = tf.minimum(_dot(old.gradient, x - old.point), 0.0)
        fell = value <= old.value + _DECREASE * expected
        level = value <= old.value + _ROUNDING * tf.abs(old.value)
        fell = finite & (fell | (level & (slope <= (2 * _DECREASE - 1) * old.slope)))
        last = old.trials + 1 >= _TRIALS
        accepted = fell & moved & (last | (slope >= _CURVATURE * old.slope))
        inside = tf.reduce_all(box.clip(x) == x, 1)
        accepted = tf.where(fresh, finite & inside, accepted)
        failed = ~fresh & ~accepted & (last | ~moved)
        start = accepted | failed

        # The point and the history. A pair tells of the elements free at both its ends; so
        # the inverse Hessian is that of the free ones, once the bounds have been found.
        point = _choose(accepted, x, old.point)
        new_value = tf.where(accepted, value, old.value)
        new_gradient = _choose(accepted, gradient, old.gradient)
        free = box.opened(point, -new_gradient)
        downhill = -new_gradient * free
        moves = tf.stack([point - old.point, new_gradient - old.gradient], 1)
        moves *= (free * box.opened(old.point, -old.gradient))[:, None]
        pairs, products, count, cursor, heights = _remember(old, moves, downhill)

        # The direction: quasi-Newton; after a failed search steepest descent, as long as
        # the last good step; after a failure of that none: converged.
        newton = _newton(pairs, products, count, cursor, heights, downhill) * free
        newton *= box.opened(point, newton)
        count = tf.where(~failed & (_dot(new_gradient, newton) < 0), count, 0.0)
        length = tf.reduce_max(tf.abs(point - old.point), 1)
        scale = tf.where(accepted, tf.where(fresh, rate, length), old.scale)
        steepest = tf.math.divide_no_nan(scale, tf.reduce_max(tf.abs(downhill), 1))
        steepest = tf.where(failed & (old.count == 0), 0.0, steepest)[:, None] * downhill
        direction = _choose(count > 0, newton, steepest)
        direction = _choose(start, direction, old.direction)
        new_slope = _dot(new_gradient, direction)

        # The next trial: of a new search, or of this one, whose bracket has been narrowed.
        trial = tf.stack([old.length, tf.where(finite, value, float("inf")), slope], 1)
        begin = tf.stack([tf.zeros_like(value), new_value, new_slope], 1)
        near = _choose(start, begin, _choose(fell, trial, old.near))
        far = _choose(start, tf.fill(begin.shape, float("inf")), _choose(fell, old.far, trial))
        trials = tf.where(start, 0.0, old.trials + 1)
        # Better than a failed search: at last go back to the best that was too short.
        back = (trials + 1 >= _TRIALS) & (near[:, 0] > 0)
        length = tf.where(back, near[:, 0], _between(near, far, old.near))
        length = tf.where(start | fresh, 1.0, length)
        memory = Memory(
            point=point,
            gradient=new_gradient,
            direction=direction,
            pairs=pairs,
            products=products,
            value=new_value,
            slope=new_slope,
            length=length,
            near=near,
            far=far,
            trials=trials,
            count=tf.where(start, count, old.count),
            cursor=cursor,
            scale=scale,
        )
        x = box.clip(point + length[:, None] * direction)
        # A start without an energy: there is nothing to go back to, and the loop is to say so.
        x = _choose(fresh & inside & ~finite, tf.fill(x.shape, float("nan")), x)
        return tf.reshape(x, shape), tuple(memory)

    def result(x, slots):
        return tf.reshape(Memory(*slots).point, x.shape)

    def accepted_value(value, slots):
        kept = Memory(*slots).value
        return tf.where(tf.math.is_inf(kept), value, kept)

    return Update(init, apply, result, accepted_value, tries=True)


class _Box:
    """Bounds, as [batch, elements] like the points they hold; None for none."""

    def __init__(self, low, high, shape):
        def spread(bound):
            return _flat(tf.broadcast_to(tf.cast(bound, tf.float32), shape))

        self.low = None if low is None else spread(low)
        self.high = None if high is None else spread(high)

    def clip(self, x):
        x = x if self.low is None else tf.maximum(x, self.low)
        return x if self.high is None else tf.minimum(x, self.high)

    def opened(self, x, way):
        """Returns 1 where `x` can go `way`, 0 where it stands at the bound in that way."""
        if self.low is None and self.high is None:
            return tf.ones_like(x)
        low = -float("inf") if self.low is None else self.low
        high = float("inf") if self.high is None else self.high
        return tf.cast(tf.where(way > 0, high, low) != x, tf.float32)


def _remember(old: Memory, moves, downhill):
    """Adds the pair `moves` [batch, 2, elements] to the history, where it is curved upwards.

    Returns:
        (pairs, products, count, cursor, heights); heights: float32 [batch, 2, history],
        newest first, steps times `downhill` and changes times `downhill`.
    """
    batch, history = old.products.shape[0], old.products.shape[-1]
    ring = history + 1
    step, change = tf.unstack(moves, axis=1)
    keep = _dot(step, change) > _ANGLE * tf.sqrt(_dot(step, step) * _dot(change, change))
    # Written in any case, into the scratch rows; only where kept does the cursor move on.
    here = tf.cast(old.cursor, tf.int32)
    rows = tf.stack([here, here + ring], 1)
    places = tf.stack([tf.broadcast_to(tf.range(batch)[:, None], rows.shape), rows], 2)
    pairs = tf.tensor_scatter_nd_update(old.pairs, places, moves)
    cursor = tf.where(keep, (here + 1) % ring, here)
    count = tf.minimum(old.count + tf.cast(keep, tf.float32), float(history))
    # All new products in one pass over the history. TensorFloat-32 is good enough here.
    news = tf.matmul(pairs, tf.concat([moves, downhill[:, None]], 1), transpose_b=True)
    newest = (cursor[:, None] - 1 - tf.range(history)) % ring
    steps = tf.gather(news[:, :ring], newest, batch_dims=1)
    changes = tf.gather(news[:, ring:], newest, batch_dims=1)
    first = _border(old.products[:, 0], changes[:, :, 0], steps[:, :, 1])
    second = _border(old.products[:, 1], changes[:, :, 1], changes[:, :, 1])
    products = _choose(keep, tf.stack([first, second], 1), old.products)
    heights = tf.stack([steps[:, :, 2], changes[:, :, 2]], 1)
    return pairs, products, count, tf.cast(cursor, tf.float32), heights


def _newton(pairs, products, count, cursor, heights, downhill):
    """Returns the inverse Hessian of the history times `downhill`.

    The two loops of the recursion are two triangular systems, of the size of the history.
    """
    history = products.shape[-1]
    valid = tf.cast(tf.range(history) < tf.cast(count, tf.int32)[:, None], tf.float32)
    products = products * (valid[:, :, None] * valid[:, None, :])[:, None]
    first, second = products[:, 0], products[:, 1]
    steps, changes = tf.unstack((heights * valid[:, None])[..., None], axis=1)
    diagonal = tf.linalg.diag_part(first)[..., None]
    scale = tf.math.divide_no_nan(first[:, :1, :1], second[:, :1, :1])
    triangle = tf.linalg.band_part(first, -1, 0) + tf.linalg.diag(1 - valid)
    alpha = tf.linalg.triangular_solve(triangle, steps)
    rest = diagonal * alpha - scale * (changes - tf.matmul(second, alpha))
    delta = tf.linalg.triangular_solve(triangle, rest, adjoint=True)
    # Back from the order of age to that of the ring, whose scratch row weighs nothing.
    age = (tf.cast(cursor, tf.int32)[:, None] - 1 - tf.range(history + 1)) % (history + 1)
    weights = tf.pad(tf.concat([delta, -scale * alpha], 2), [[0, 0], [0, 1], [0, 0]])
    weights = tf.transpose(tf.gather(weights, age, batch_dims=1), [0, 2, 1])
    weights = tf.reshape(weights, [-1, 1, 2 * (history + 1)])
    return tf.matmul(weights, pairs)[:, 0] + scale[:, 0] * downhill


def _between(near, far, before):
    """Returns the next length to try, [batch]: between `near` and `far`, or beyond `near`.

    Args:
        near, far: see `Memory`.
        before: the near end before this one.
    """
    a, value_a, slope_a = tf.unstack(near, axis=1)
    b, value_b, slope_b = tf.unstack(far, axis=1)
    # The minimum of the cubic through both ends, not too close to either.
    mean = slope_a + slope_b - 3 * (value_b - value_a) / (b - a)
    root = tf.sqrt(tf.maximum(tf.square(mean) - slope_a * slope_b, 0.0))
    share = 1 - (slope_b + root - mean) / (slope_b - slope_a + 2 * root)
    share = tf.where(tf.math.is_finite(share), tf.clip_by_value(share, 0.1, 0.9), 0.5)
    share = tf.where(tf.math.is_finite(value_b), share, 0.1)
    # Without a far end: to where the slope would vanish, not too far.
    growth = (a - before[:, 0]) / (slope_a - before[:, 2])
    beyond = tf.where(growth > 0, a - slope_a * growth, float("inf"))
    beyond = tf.clip_by_value(beyond, 2 * a, 10 * a)
    return tf.where(tf.math.is_inf(b), beyond, a + share * (b - a))


def _border(matrix, row, column):
    """Returns `matrix` [batch, n, n] moved down and right by one, with a new edge."""
    moved = tf.concat([column[:, 1:, None], matrix[:, :-1, :-1]], 2)
    return tf.concat([row[:, None], moved], 1)


def _choose(condition, yes, no):
    """tf.where image by image: condition is [batch], the others [batch, ...]."""
    return tf.where(tf.reshape(condition, [-1] + [1] * (yes.shape.rank - 1)), yes, no)


def _dot(a, b):
    return tf.reduce_sum(a * b, 1)


def _flat(x):
    return tf.reshape(x, [x.shape[0], -1])
