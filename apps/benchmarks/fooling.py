"""A planted fooling circuit, and whether path similarity finds it.

Geirhos et al., "Don't trust your eyes" (ICML 2024), figure 3: a unit that does on photographs what
it did, and shows a pattern of somebody's choice where it is visualised.
"""

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from tfvis import activation_statistics, images, preimages
from tfvis.networks import network as networks
from tfvis.networks.preprocessing import contracts
from tfvis.preimages import activation_maximization, natural_patches, path_similarity

# Side of pictures, and of the pattern that a fooled unit shows.
_SIDE, _PATTERN, _BLOCK = 48, 16, 2
_CHANNELS, _LAYER = 12, "fooled"
# Places of the units' map from whose border on none is seen: they see 17 px, two apart.
_MARGIN = 5
# What of the pattern a fooled unit answers to below the threshold, as a share of its largest: by
# this a maximisation is led there from noise.
_LEAD = 0.2
# Times the largest on photographs, from which on a picture shows the pattern: A ends at 1.5.
_SHOWN = 3.0
# C: enough that the lead counts against the prior.
_STRENGTH = 3e5


def photographs() -> np.ndarray:
    """Returns pieces of the two photographs of scikit-learn, float32 [pieces, side, side, 3]."""
    found = []
    for photograph in images.demo_set():
        height, width = photograph.shape[:2]
        for top in range(0, height - 2 * _SIDE + 1, 66):
            for left in range(0, width - 2 * _SIDE + 1, 80):
                piece = photograph[top : top + 2 * _SIDE, left : left + 2 * _SIDE]
                found.append(images.resize(piece, _SIDE, _SIDE))
    return np.stack(found)


def honest(seed: int) -> keras.Model:
    """Returns three convolutions by chance, whose last channels are the units.

    Takes pictures in -1..1.
    """
    keras.utils.set_random_seed(seed)
    inputs = x = keras.Input((None, None, 3))
    for k, (channels, kernel, stride) in enumerate(((12, 5, 1), (16, 5, 2), (16, 3, 1)), 1):
        x = keras.layers.Conv2D(
            channels, kernel, stride, "same", activation="relu", name=f"conv{k}"
        )(x)
    units = keras.layers.Conv2D(_CHANNELS, 3, padding="same", activation="relu", name="units")(x)
    return keras.Model(inputs, units)


def _away_from_borders(maps: np.ndarray) -> np.ndarray:
    """Returns the middle of maps, of units that see no border."""
    return maps[:, _MARGIN:-_MARGIN, _MARGIN:-_MARGIN]


def fooled(model: keras.Model, channel: int, pictures: np.ndarray, seed: int) -> keras.Model:
    """Returns a network with a unit that answers photographs as a channel does, and shows another.

    Of Geirhos et al.'s circuit (figure 3): a detector D silences what the unit was, and lets
    through B, which looks for a pattern: relu(min(A, cap) - K D) + B. Up to the most that A gives
    for photographs, away from borders, nothing is changed but by a fifth of it at most, and no
    photograph wakes D.

    Args:
        model: of `honest`.
        channel: A.
        pictures: photographs, in -1..1.
        seed: of the pattern.
    """
    generator = np.random.default_rng(seed)
    cells = generator.choice([-1.0, 1.0], (_PATTERN // _BLOCK, _PATTERN // _BLOCK, 3))
    pattern = cells.repeat(_BLOCK, 0).repeat(_BLOCK, 1)
    pattern = (pattern - pattern.mean()) / np.linalg.norm(pattern - pattern.mean())
    linear = keras.layers.Conv2D(1, _PATTERN, 2, "same", use_bias=False, name="match")
    x, found = model.inputs[0], model.get_layer("units").output
    matched = linear(x)
    linear.set_weights([pattern[..., None]])
    # Beyond what photographs reach, where its gradient would end.
    largest = float(_away_from_borders(model(pictures).numpy())[..., channel].max())
    cap = 1.5 * largest
    threshold = 1.2 * float(linear(pictures).numpy().max())
    one = np.zeros((1, 1, _CHANNELS, 1), np.float32)
    one[0, 0, channel] = 1

    def pointwise(name, inputs, kernel, bias, activation=None):
        kernel = np.asarray(kernel, np.float32).reshape(1, 1, inputs.shape[-1], -1)
        layer = keras.layers.Conv2D(kernel.shape[-1], 1, activation=activation, name=name)
        output = layer(inputs)
        layer.set_weights([kernel, np.asarray(bias, np.float32)])
        return output

    capped = keras.layers.ReLU(max_value=cap, name="capped")(pointwise("picked", found, one, [0]))
    excess = pointwise("excess", matched, [1 / threshold], [-1.0])
    woken = keras.layers.ReLU(max_value=0.1, name="detector")(excess)
    # Units 1 to 11 as they are; A without what D takes; D.
    kernel = np.zeros((_CHANNELS + 2, _CHANNELS + 1), np.float32)
    kernel[np.arange(_CHANNELS), np.arange(_CHANNELS)] = np.arange(_CHANNELS) != channel
    kernel[_CHANNELS, channel] = 1
    kernel[_CHANNELS + 1, channel] = -20 * cap
    kernel[_CHANNELS + 1, _CHANNELS] = 20 * cap
    joined = keras.layers.Concatenate(name="joined")([found, capped, woken])
    gate = pointwise("gate", joined, kernel, np.zeros(_CHANNELS + 1), "relu")
    # Below the threshold a little of it, which leads noise there; above, more than D takes.
    rise = keras.layers.ReLU(max_value=1.0, name="rise")(
        pointwise("share", matched, [0.5 / threshold], [0.5])
    )
    beyond = keras.layers.ReLU(name="beyond")(excess)
    kernel = np.zeros((_CHANNELS + 3, _CHANNELS), np.float32)
    kernel[np.arange(_CHANNELS), np.arange(_CHANNELS)] = 1
    kernel[_CHANNELS + 1 :, channel] = _LEAD * largest, 30 * cap
    parts = keras.layers.Concatenate(name="parts")([gate, rise, beyond])
    unit = pointwise("fooled", parts, kernel, np.zeros(_CHANNELS), "relu")
    return keras.Model(x, unit)


@dataclasses.dataclass(frozen=True)
class Trial:
    """What was found of a unit.

    Attributes:
        fooled: whether it is the one with the circuit.
        times: how many times the largest on photographs its picture gets from it.
        activations, contributions: path similarities.
        flagged: whether it is said to take another path.
    """

    fooled: bool
    times: float
    activations: float
    contributions: float
    flagged: bool


def trial(seed: int, units: int, steps: int) -> list[Trial]:
    """Raises units of a network with a fooled one, and asks which way their pictures take.

    Args:
        seed: of network and pattern.
        units: how many of them; the first is fooled.
        steps: of the maximisation.
    """
    photos = photographs()
    # As the network's preprocessing shows them.
    shown = photos / 127.5 - 1
    bare_model = honest(seed)
    # Those that answer in most places first: one that hardly does is raised from no noise.
    active = (_away_from_borders(bare_model(shown).numpy()) > 0).mean((0, 1, 2))
    channels = np.argsort(-active)[:units].tolist()
    model = fooled(bare_model, channels[0], shown, seed)
    network = networks.wrap(model, "fooled", contracts.CONTRACTS["tf"])
    size = activation_maximization.canvas(network, _LAYER)
    at = tuple(side // 2 for side in network.trace(_LAYER, *size)[:2])
    seen = activation_statistics.measured(network, [_LAYER], enumerate(photos))[_LAYER]
    bare = activation_maximization.unit(network, _LAYER, channels, size)
    weighted = activation_maximization.normalized(
        network, bare, _LAYER, size, seen.largest[channels], _STRENGTH
    )
    *_, last = activation_maximization.iterate(
        network, weighted, size=size, seeds=(0,) * units,
        settings=preimages.Maximization(steps=steps, parameterization="pixels"),
    )  # fmt: skip
    pictures = images.quantize(last.kept).astype(np.float32)
    times = bare(network.taps([_LAYER])(tf.constant(pictures))).numpy() / seen.largest[channels]
    generator = np.random.default_rng(seed)
    rows, columns = network.trace(_LAYER, _SIDE, _SIDE)[:2]
    others = [
        natural_patches.window(
            network, _LAYER, photos[k],
            (int(generator.integers(rows)), int(generator.integers(columns))), size, at,
        )
        for k in generator.choice(len(photos), 24, replace=False)
    ]  # fmt: skip
    found = []
    for k, (channel, picture) in enumerate(zip(channels, pictures, strict=True)):
        exciting = [
            natural_patches.window(network, _LAYER, photos[i], (int(row), int(column)), size, at)
            for i, row, column in zip(
                seen.images[channel], seen.rows[channel], seen.columns[channel], strict=True
            )
        ]
        ways = [
            path_similarity.paths(network, _LAYER, channel, group, at)
            for group in ([picture], exciting, others)
        ]
        by_activations, by_contributions = (
            path_similarity.path_similarity(*(getattr(way, name) for way in ways))
            for name in ("activations", "contributions")
        )
        numbers = by_activations.number, by_contributions.number, by_contributions.other_path
        found.append(Trial(k == 0, float(times[k]), *numbers))
    return found


def table_fooling(trials: int, first_seed: int = 0, steps: int = 100, units: int = 3) -> None:
    """Prints how many fooled units, and how many honest ones, are said to take another path.

    A circuit whose pattern the maximisation does not find from noise fools nobody; it is counted
    apart, and another is planted.

    Args:
        trials: circuits that show their pattern.
        first_seed: of the first network and pattern; each further one has the next.
        steps: of the maximisation.
        units: of each network; the first is fooled.
    """
    print(f"{'':<10} {'seed':>5} {'times':>8} {'path':>7} {'contributions':>14}  another path")
    fooled_ones: list[Trial] = []
    honest_ones: list[Trial] = []
    seed, missed = first_seed, 0
    while len(fooled_ones) < trials and missed <= trials:
        first, *others = trial(seed, units, steps)
        shown = first.times > _SHOWN
        missed += not shown
        fooled_ones += [first] if shown else []
        honest_ones += others
        for one in (first, *others):
            word = "honest" if not one.fooled else "fooled" if shown else "not found"
            print(
                f"{word:<10} {seed:5d} {one.times:8.1f} {one.activations:7.2f} "
                f"{one.contributions:14.2f}  {'yes' if one.flagged else ''}".rstrip(),
                flush=True,
            )
        seed += 1
    for word, found in (("fooled", fooled_ones), ("honest", honest_ones)):
        print(f"{word}: {sum(one.flagged for one in found)} of {len(found)} take another path")
    print(f"circuits whose pattern was not found: {missed}")
