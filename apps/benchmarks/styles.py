"""Tables of neural style: where the energy ends, what an evaluation costs, memory."""

import collections
import dataclasses
import functools
import importlib.util
import pathlib
import resource
import subprocess
import sys
import time

import numpy as np
import scipy.optimize
import tensorflow as tf

from tfvis import images
from tfvis.networks.network import Network
from tfvis.style import losses, metrics, targets, transfer
from tfvis.style.transfer import Scene, Transfer

from ..flags import program
from .timing import medians, precisions

_EVALUATIONS = 150
_BOUNDS = (0.0, 255.0)
# Of gatys in the table of recipes: as published, and around what keeps the content of quality.
_RATIOS = (1000.0, 90.0, 40.0)


def scene(content: np.ndarray, style: np.ndarray, size: int) -> Scene:
    """Returns both pictures at about `size`^2 pixels."""
    return Scene(metrics.resized(content, size), (metrics.resized(style, size),))


def energy(network: Network, found: Scene, settings: Transfer):
    """Returns the compiled energy of gatys and its gradient, float32, by the goal's formulas."""
    goal = targets.goal(
        network, found.content, found.styles, settings.content_layers, settings.style_layers,
        precision=settings.precision,
    )  # fmt: skip
    taps = network.taps(goal.layers, settings.precision)
    weights = losses.unit_weights(goal, settings.ratio)

    @tf.function
    def run(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            terms = losses.unit(targets.sums(taps(x), goal), goal)
            total = tf.add_n([weights[name] * term for name, term in terms.items()])
        return total[0], tape.gradient(total, x)

    return run


def table_style(network: Network, content, style, size: int, workdir: pathlib.Path) -> None:
    """Prints where 150 evaluations end, beside SciPy's L-BFGS-B on the same energy."""
    found = scene(content, style, size)
    height, width = found.size
    settings = Transfer(recipe="gatys", evaluations=_EVALUATIONS)
    judge = energy(network, found, settings)

    def judged(picture):
        return float(judge(tf.constant(picture[None], tf.float32))[0])

    def scipys():
        def function(x):
            value, gradient = judge(tf.constant(x.reshape(1, height, width, 3), tf.float32))
            return float(value), np.asarray(gradient, np.float64).ravel()

        start = found.content.astype(np.float64).ravel()
        options = {"maxcor": 20, "maxfun": _EVALUATIONS, "maxiter": 10**6, "ftol": 0, "gtol": 0}
        result = scipy.optimize.minimize(
            function, start, jac=True, method="L-BFGS-B", options=options,
            bounds=[_BOUNDS] * start.size,
        )  # fmt: skip
        return result.x.reshape(height, width, 3).astype(np.float32)

    def ours(precision):
        runs = transfer.iterate(
            network, found, settings=dataclasses.replace(settings, precision=precision)
        )
        return collections.deque(runs, maxlen=1).pop().kept[0]

    print(f"Neural style, gatys, {width} x {height} px, {_EVALUATIONS} evaluations")
    print(f"{'':<20} {'energy in float32':>18} {'seconds':>8}")
    judged(found.content)
    rows = {}
    for name, run in {
        "SciPy L-BFGS-B": scipys,
        **{name: functools.partial(ours, name) for name in precisions()},
    }.items():
        began = time.perf_counter()
        picture = run()
        rows[name] = (judged(picture), time.perf_counter() - began)
        images.save_png(workdir / f"style_{name.split()[0].lower()}.png", picture)
        print(f"{name:<20} {rows[name][0]:18.1f} {rows[name][1]:8.1f}", flush=True)
    for name, other in (("float32", "SciPy L-BFGS-B"), ("bfloat16", "float32")):
        if name not in rows:
            continue
        by, seconds = (a / b for a, b in zip(rows[name], rows[other], strict=True))
        print(f"{name} ends at {by:.4f} of {other}'s, in {seconds:.2f} of its time")


def table_evaluation(network: Network, content, style, rounds: int) -> None:
    """Prints the cost of an evaluation at 512 px beside a matrix product's, and PyTorch's."""
    found = scene(content, style, 512)
    settings = Transfer(recipe="gatys")
    image = tf.constant(found.content[None])
    runs, count = {}, 3
    for precision in precisions():
        run = energy(network, found, dataclasses.replace(settings, precision=precision))
        runs[precision] = _repeated(run, image, count)
    matrix = tf.random.stateless_normal([4096, 4096], [0, 0])
    product = tf.function(lambda a: tf.matmul(a, a))
    runs["product"] = lambda: product(matrix).numpy()
    if importlib.util.find_spec("torch"):
        runs["torch"] = _torch(network, found, settings, count)
    taken = medians(runs, rounds)
    deepest = settings.style_layers[-1]
    work = 4 * network.cost(deepest, *found.size) * count
    peak = 2 * 4096**3 / taken["product"]
    print(f"An evaluation at {found.size[1]} x {found.size[0]} px; medians of {rounds}")
    for name in ("float32", "bfloat16", "torch"):
        if name in taken:
            rate = work / taken[name]
            print(
                f"{name:<9} {taken[name] / count:7.3f} s  {rate / 1e9:6.0f} GFLOP/s, "
                f"{rate / peak:.2f} of a float32 matrix product, "
                f"{taken['float32'] / taken[name]:.2f}x as fast as float32"
            )
    if "torch" not in taken:
        print("PyTorch is not installed; nothing to compare with.")
    else:
        for name in [name for name in ("float32", "bfloat16") if name in taken]:
            print(f"{name}: {taken['torch'] / taken[name]:.2f}x as fast as eager PyTorch")


def _repeated(run, image, count: int):
    def repeated():
        for _ in range(count):
            run(image)[1].numpy()

    return repeated


def _torch(network: Network, found: Scene, settings: Transfer, count: int):
    """Returns `count` evaluations of the same energy of a VGG in eager PyTorch."""
    import torch
    import torch.nn.functional as functional

    deepest = max(network.paths.index(layer) for layer in settings.style_layers)
    average = dict(network.variant)["pooling"] == "avg"
    parts = []
    for name in network.paths[: deepest + 1]:
        if "conv" in name:
            kernel, bias = network.graph.layers[name].get_weights()
            kernel = torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy())
            parts.append(
                (name, kernel.to(memory_format=torch.channels_last), torch.from_numpy(bias))
            )
        elif "pool" in name:
            parts.append((name, None, None))
    center = torch.from_numpy(network.preprocessing.center(3).numpy()).view(1, 3, 1, 1)

    def features(x):
        x, kept = (x - center).flip(1), {}
        for name, kernel, bias in parts:
            if kernel is not None:
                x = torch.relu(functional.conv2d(x, kernel, bias, padding=1))
            else:
                x = functional.avg_pool2d(x, 2) if average else functional.max_pool2d(x, 2)
            if name in settings.style_layers + settings.content_layers:
                kept[name] = x
        return kept

    def gram(x):
        flat = x.flatten(2)[0]
        return flat @ flat.T / flat.shape[1]

    def tensor(image):
        image = torch.from_numpy(image.transpose(2, 0, 1)[None].copy())
        return image.to(memory_format=torch.channels_last)

    with torch.no_grad():
        wanted = features(tensor(found.content))
        styles = {k: gram(v) for k, v in features(tensor(found.styles[0])).items()}
    weight = settings.ratio / losses.UNIT

    def run():
        for _ in range(count):
            x = tensor(found.content).requires_grad_()
            taps = features(x)
            total = sum((taps[k] - wanted[k]).square().mean() for k in settings.content_layers)
            for layer in settings.style_layers:
                difference = (gram(taps[layer]) - styles[layer]).square().mean()
                total = total + weight * losses.UNIT / taps[layer].shape[1] ** 2 * difference
            torch.autograd.grad(total, x)

    return run


def table_recipes(
    network: Network, content, style, size: int, evaluations: int, workdir: pathlib.Path
) -> None:
    """Prints what gatys and quality reach in the same time, and saves the pictures.

    At last, the style distance of gatys at the content distance of quality, between ratios.
    """
    found = scene(content, style, size)
    print(f"Recipes at {found.size[1]} x {found.size[0]} px, bfloat16; distances at both sizes")
    print(f"{'':<18} {'seconds':>7} {'work':>5} {'content':>8} {'style':>9} {'c. 256':>8} "
          f"{'s. 256':>9} {'fidelity':>8} {'effect':>6} {'pattern':>7}")  # fmt: skip
    spent, rows = None, []
    for name, recipe, ratio in (
        ("quality", "quality", 1000.0),
        *((f"gatys, ratio {ratio:g}", "gatys", ratio) for ratio in _RATIOS),
    ):
        # As many evaluations for gatys as fit into the time of quality.
        count = evaluations if spent is None else 10**5
        settings = Transfer(recipe=recipe, ratio=ratio, evaluations=count, precision="bfloat16")
        for progress in transfer.iterate(network, found, settings=settings):
            if spent is not None and progress.seconds >= spent:
                break
        spent = spent or progress.seconds
        path = workdir / f"recipe_{name.replace(', ', '_').replace(' ', '_')}.png"
        images.save_png(path, progress.kept[0])
        stored = images.read(path).pixels
        cells = []
        for at in (size, metrics.SIZE):
            measured = metrics.measure(network, stored, found.content, found.styles[0], at)
            cells += [measured["content block4_conv2"], measured["style"]]
        rows.append(cells)
        # In evaluations at full size, as time depends on what else the machine does.
        work = evaluations if recipe == "quality" else progress.snapshot.done
        print(
            f"{name:<18} {progress.seconds:7.0f} {work:5} {cells[0]:8.0f} {cells[1]:9.0f} "
            f"{cells[2]:8.0f} {cells[3]:9.0f} {measured['content_fidelity']:8.3f} "
            f"{measured['global_effect']:6.3f} {measured['local_pattern']:7.3f}",
            flush=True,
        )
    for k, where in ((0, "its own size"), (2, f"{metrics.SIZE} px")):
        lost, reached = rows[0][k : k + 2]
        ratio, equal = _at_content(lost, [row[k : k + 2] for row in rows[1:]])
        print(
            f"At {where}, gatys has this content at ratio {ratio:.0f}, and then a style of "
            f"{equal:.0f}; quality {reached / equal:.2f} of it"
        )


def _at_content(content: float, points) -> tuple[float, float]:
    """Returns (ratio, style) of gatys at a content distance, NaN beyond all of `points`.

    Args:
        content: distance asked for.
        points: (content, style) at each of `_RATIOS`; between them powers are taken.
    """
    contents, styles = np.log(points).T
    order = np.argsort(contents)
    found = [
        np.interp(np.log(content), contents[order], values[order], left=np.nan, right=np.nan)
        for values in (np.log(_RATIOS), styles)
    ]
    return float(np.exp(found[0])), float(np.exp(found[1]))


def table_memory(image: str | None, style: str | None) -> None:
    """Prints the peak of memory of a picture of 2048 px that is to keep to 3 GiB."""
    command = [sys.executable, "-m", program.module("stylize"), "--size=2048", "--memory=3GiB"]
    command += ["--recipe=gatys", "--evaluations=2", "--workdir=/tmp/tfvis-memory"]
    command += [f"--content={image}"] if image else []
    command += [f"--style={style}"] if style else []
    began = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    print("\n".join(line for line in done.stderr.splitlines() if line.startswith("Estimate")))
    seconds = time.perf_counter() - began
    print(f"2048 px, two evaluations: {peak:.2f} GiB at the peak, {seconds:.0f} s in all")
