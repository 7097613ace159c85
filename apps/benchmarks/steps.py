"""Tables of speed: a step beside the bare network, the machine, and PyTorch."""

import importlib.util

import numpy as np
import tensorflow as tf

from tfvis import parameterizations, preimages
from tfvis.networks.network import Network
from tfvis.optimize import loop, optimizers
from tfvis.preimages import inversion as recipe

from .timing import medians, precisions

_STEPS = loop.CHUNK


def bare(network: Network, layer: str, precision: str, images: tf.Tensor):
    """Returns a run of `_STEPS` compiled forward and backward passes, nothing else."""
    taps = network.taps([layer], precision)
    return _passes(lambda x: taps(x)[layer], images)


def keras_own(network: Network, layer: str, images: tf.Tensor):
    """Returns the same run, float32, of the truncated model as Keras would execute it."""
    model = network.graph.truncated([layer])
    channels = network.channels
    return _passes(
        lambda x: model(network.preprocessing(x, channels), training=False)[layer], images
    )


def _passes(function, images: tf.Tensor):
    @tf.function
    def passes(x):
        for _ in tf.range(_STEPS):
            with tf.GradientTape() as tape:
                tape.watch(x)
                features = function(x)
            # The features as their own upstream gradient: no pass over them is added.
            # Too small to change x, too large for the compiler to drop the work.
            x += 1e-20 * tape.gradient(features, x, output_gradients=features)
        return x

    return lambda: passes(images).numpy()


def inversion(network: Network, layer: str, precision: str, target: np.ndarray):
    """Returns a run of one chunk of `_STEPS` inversion steps, as `invert` does them."""
    settings = preimages.Inversion(recipe="published", precision=precision)
    settings = recipe.published(network, layer, target.shape[:2], settings)
    way = recipe.descending(network, target, layer, (0,), settings)
    slots = tuple(map(tf.constant, optimizers.leaky_adagrad().init(tf.constant(way.start))))
    zero, steps = tf.constant(0), tf.constant(_STEPS)
    rate, canvas = tf.constant(settings.rate, tf.float32), tf.constant(way.start)
    return lambda: way.compiled.chunk(canvas, slots, zero, zero, steps, rate)[0].numpy()


def table_steps(network: Network, target: np.ndarray, layers: list[str], rounds: int) -> None:
    """Prints the cost of a step against the bare network's, per layer and precision."""
    print(f"Steps at {target.shape[0]} px, batch 1; medians of {rounds} rounds in turns")
    print(f"{'layer':<14} {'precision':<9} {'bare ms':>8} {'step ms':>8} {'ratio':>6}")
    images = tf.constant(target[None])
    both = precisions()
    for layer in layers:
        runs = {"keras": keras_own(network, layer, images)}
        for precision in both:
            runs["bare", precision] = bare(network, layer, precision, images)
            runs["step", precision] = inversion(network, layer, precision, target)
        taken = {name: s / _STEPS for name, s in medians(runs, rounds).items()}
        for precision in both:
            a, b = taken["bare", precision], taken["step", precision]
            print(f"{layer:<14} {precision:<9} {1e3 * a:8.1f} {1e3 * b:8.1f} {b / a:6.3f}")
        plain, planned = taken["keras"], taken["bare", "float32"]
        print(
            f"{layer:<14} Keras' own pass takes {1e3 * plain:.1f} ms in float32, "
            f"{plain / planned:.2f}x the bare one"
        )
        if "bfloat16" in both:
            gain = taken["step", "float32"] / taken["step", "bfloat16"]
            print(f"{layer:<14} bfloat16 is {gain:.2f}x as fast as float32", flush=True)


def table_machine(network: Network, target: np.ndarray, layers: list[str], rounds: int) -> None:
    """Prints the bare network's arithmetic rate beside a 4096^2 float32 product's."""
    matrix = tf.random.stateless_normal([4096, 4096], [0, 0])
    product = tf.function(lambda a: tf.matmul(a, a))
    size = target.shape[0]
    print(f"Forward and backward at {size} px, float32, against a 4096 x 4096 matrix product")
    print(f"{'layer':<14} {'pass ms':>8} {'GFLOP/s':>8} {'product':>8} {'share':>6}")
    images = tf.constant(target[None])
    for layer in layers:
        taken = medians(
            {
                "pass": bare(network, layer, "float32", images),
                "product": lambda: product(matrix).numpy(),
            },
            rounds,
        )
        # A multiplication and an addition each way; weights need no gradient.
        rate = 4 * network.cost(layer, size, size) * _STEPS / taken["pass"] / 1e9
        peak = 2 * 4096**3 / taken["product"] / 1e9
        milliseconds = 1e3 * taken["pass"] / _STEPS
        print(
            f"{layer:<14} {milliseconds:8.1f} {rate:8.0f} {peak:8.0f} {rate / peak:6.2f}",
            flush=True,
        )


def table_torch(network: Network, target: np.ndarray, layers: list[str], rounds: int) -> None:
    """Prints a step's cost beside the same energy in eager PyTorch, where installed."""
    if importlib.util.find_spec("torch") is None:
        print("PyTorch is not installed; nothing to compare with.")
        return
    print(f"Inversion steps at {target.shape[0]} px, float32, beside eager PyTorch")
    print(f"{'layer':<14} {'tfvis ms':>9} {'torch ms':>9} {'ratio':>6}")
    for layer in layers:
        taken = medians(
            {
                "tfvis": inversion(network, layer, "float32", target),
                "torch": _torch_steps(network, layer, target),
            },
            rounds,
        )
        ours, theirs = taken["tfvis"] / _STEPS, taken["torch"] / _STEPS
        print(f"{layer:<14} {1e3 * ours:9.1f} {1e3 * theirs:9.1f} {theirs / ours:6.2f}", flush=True)


def _torch_steps(network: Network, layer: str, target: np.ndarray):
    """Returns `_STEPS` steps of the same inversion of a VGG in eager PyTorch."""
    import torch
    import torch.nn.functional as functional

    def weights(name):
        kernel, bias = network.graph.layers[name].get_weights()
        kernel = torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy())
        return kernel.to(memory_format=torch.channels_last), torch.from_numpy(bias)

    names = list(network.paths[: network.paths.index(layer) + 1])
    parts = [(name, None if "pool" in name else weights(name)) for name in names]
    settings = preimages.Inversion(recipe="published")
    settings = recipe.published(network, layer, target.shape[:2], settings)
    prior, margin = settings.prior, settings.jitter - 1
    alpha_weight, tv_weight = prior.weights
    height, width = target.shape[:2]
    center = torch.from_numpy(network.preprocessing.center(3).numpy()).view(1, 3, 1, 1)

    def phi(x):
        x = x.flip(1)
        for _, part in parts:
            x = (
                functional.max_pool2d(x, 2)
                if part is None
                else torch.relu(functional.conv2d(x, *part, padding=1))
            )
        return x

    image = torch.from_numpy(target.transpose(2, 0, 1)[None].copy()) - center
    with torch.no_grad():
        phi0 = phi(image.to(memory_format=torch.channels_last))
    weight = settings.strength / phi0.square().sum()
    noise = parameterizations.natural_noise((0,), height + margin, width + margin, 3, 80.0)
    start = torch.from_numpy(noise.transpose(0, 3, 1, 2).copy())
    generator = np.random.default_rng(0)

    def run():
        x = start.clone().to(memory_format=torch.channels_last).requires_grad_()
        squares, change = torch.zeros_like(x), torch.zeros_like(x)
        for _ in range(_STEPS):
            top, left = generator.integers(0, margin + 1, 2)
            window = x[:, :, top : top + height, left : left + width]
            energy = weight * (phi(window) - phi0).square().sum()
            energy = energy + alpha_weight * x.square().sum(1).pow(prior.alpha / 2).mean()
            rows, columns = x[:, :, 1:] - x[:, :, :-1], x[..., 1:] - x[..., :-1]
            variation = rows.square().sum() + columns.square().sum()
            energy = energy + tv_weight * variation / (x.shape[2] * x.shape[3])
            (gradient,) = torch.autograd.grad(energy, x)
            with torch.no_grad():
                squares.mul_(0.9).add_(gradient.square())
                change.mul_(0.9).sub_(gradient / (1 / settings.rate + squares.sqrt()))
                x.add_(change)
                length = x.square().sum(1, keepdim=True).sqrt()
                x.mul_((prior.longest / length.clamp(min=1e-12)).clamp(max=1))
        return x.detach().numpy()

    return run
