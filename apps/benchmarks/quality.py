"""Tables of what inversion reaches: errors, precision, memory, answering times."""

import collections
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

import numpy as np

from tfvis import images, objectives, preimages, priors
from tfvis.networks.network import Network
from tfvis.preimages import inversion

from ..flags import program
from .timing import precisions

# What a layer of VGG16 may lose at most, at 224 px with default settings: a little
# above what a plain transcription of the published recipe was measured to lose.
_LIMITS = {
    "block2_conv2": 0.12,
    "block3_conv3": 0.13,
    "block4_conv3": 0.17,
    "block5_conv3": 0.20,
}


def table_inversion(
    network: Network, target: np.ndarray, precision: str, workdir: pathlib.Path
) -> None:
    """Prints the relative error of the saved 8-bit pre-images, and saves them."""
    print(f"Inversion at {target.shape[0]} px, default settings, {precision}")
    print(f"{'layer':<14} {'error':>7} {'limit':>6} {'seconds':>8}")
    for layer, limit in _LIMITS.items():
        settings = preimages.Inversion(precision=precision)
        progress = _last(network, target, layer, settings)
        path = workdir / f"{layer}.png"
        images.save_png(path, progress.kept[0])
        error = _error(network, layer, target, images.read(path).pixels)
        verdict = "" if error <= limit else "  ABOVE"
        print(f"{layer:<14} {error:7.4f} {limit:6.2f} {progress.seconds:8.1f}{verdict}", flush=True)


def table_precision(network: Network, target: np.ndarray, layers: list[str]) -> None:
    """Prints where float32 and bfloat16 end: energies measured in float32."""
    if len(precisions()) < 2:
        return
    print(f"Final energy at {target.shape[0]} px, default settings, measured in float32")
    print(f"{'layer':<14} {'float32':>9} {'bfloat16':>9} {'differ':>8}")
    for layer in layers:
        energies = []
        for precision in ("float32", "bfloat16"):
            settings = preimages.Inversion(precision=precision)
            settings = inversion.published(network, layer, target.shape[:2], settings)
            progress = _last(network, target, layer, settings)
            energies.append(energy(network, layer, target, progress.kept, settings))
        a, b = energies
        print(f"{layer:<14} {a:9.4f} {b:9.4f} {(b - a) / a:+8.2%}", flush=True)


def energy(network, layer, target, pictures, settings) -> float:
    """Returns the whole energy of the first picture, in float32."""
    error = _error(network, layer, target, pictures[0])
    center = network.preprocessing.center(network.channels).numpy()
    prior = priors.terms(settings.prior, pictures[:1] - center)
    return float(settings.strength * error**2 + sum(float(t[0]) for t in prior.values()))


def table_app() -> None:
    """Prints how soon --help answers, and the memory of a 224 px inversion."""
    app = [sys.executable, "-m", program.module("invert")]
    began = time.perf_counter()
    subprocess.run([*app, "--help"], check=True, capture_output=True)
    print(f"apps.invert --help answers in {time.perf_counter() - began:.2f} s")
    for precision in precisions():
        with tempfile.TemporaryDirectory() as folder:
            command = [*app, "--layers=block5_conv3", "--steps=20"]
            command += ["--fine_steps=5", f"--workdir={folder}", f"--precision={precision}"]
            subprocess.run(command, check=True, capture_output=True)
        # The largest child so far; float32 is run first, and takes the more.
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
        print(f"apps.invert at 224 px, up to {precision}: at most {peak:.2f} GiB resident")


def _last(network, target, layer, settings) -> preimages.Progress:
    runs = inversion.iterate(network, target, layer, settings=settings)
    return collections.deque(runs, maxlen=1).pop()


def _error(network, layer, target, pixels) -> float:
    phi0 = preimages.features(network, layer, target[None])
    return float(
        objectives.relative_error(preimages.features(network, layer, pixels[None]), phi0)[0]
    )
