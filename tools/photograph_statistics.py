"""Measures what channels do on photographs, for `tfvis/photograph_statistics`.

    python -m tools.photograph_statistics vgg16 FOLDER [FOLDER ...]

writes tfvis/photograph_statistics/vgg16.npz: of each convolution, and of the scores of classes
where there are any, the measures that `photograph_statistics.MEASURES` names. Four minutes per
thousand photographs on two cores.
"""

import pathlib
import sys

import numpy as np

from tfvis import activation_statistics, files, photograph_statistics
from tfvis.experiments import folders
from tfvis.networks import network as networks
from tfvis.progress_bar import bar

_SIDE = 224


def measure(name: str, places: list[str]) -> pathlib.Path:
    """Measures a network by name on all photographs in folders; returns the file."""
    network = networks.build(name)
    layers = [*network.convolutions(), *(["logits"] if network.logits else [])]
    paths = [path for place in places for path in folders.find(place, "images").paths]
    squares = folders.squares(folders.Found(paths, "images"), _SIDE, _SIDE, network.channels)
    largest: dict[str, list] = {layer: [] for layer in layers}
    means: dict[str, list] = {layer: [] for layer in layers}
    pictures = enumerate(bar(name, len(paths), squares, delay=0))
    for _, found in activation_statistics.answers(network, layers, pictures):
        for layer, one in found.items():
            largest[layer].append(one.largest)
            means[layer].append(one.mean)
    arrays = {
        "fingerprint": np.array(network.record.fingerprint),
        "preprocessing": np.array(network.preprocessing.name),
        "photographs": np.array(len(largest[layers[0]])),
        "layers": np.array(layers),
    }
    for i, layer in enumerate(layers):
        most, mean = np.stack(largest[layer]), np.stack(means[layer])
        quantiles = np.quantile(most, (0.5, 0.99), axis=0)
        of_all = mean.mean(0, dtype=np.float64)
        arrays[f"m{i}"] = np.stack([most.max(0), mean.max(0), of_all, *quantiles]).astype(
            np.float32
        )
    path = pathlib.Path(photograph_statistics.__file__).with_name(f"{name}.npz")
    files.write_npz(path, arrays)
    return path


if __name__ == "__main__":
    print(measure(sys.argv[1], sys.argv[2:]))
