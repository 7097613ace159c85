"""Two networks, their layers, and what they answered: what all sections of a comparison read."""

import dataclasses
import functools
import hashlib
import pathlib
from collections.abc import Sequence

import numpy as np

from tfvis import files, images
from tfvis.comparison import responses
from tfvis.errors import InputError, arg
from tfvis.experiments import networks, runner
from tfvis.experiments.comparison_extent import FULL, Extent
from tfvis.experiments.comparison_pictures import Pictures
from tfvis.networks.activation import activated
from tfvis.networks.network import Network
from tfvis.report import manifest

# Places looked at in each map, for matching units: as Li et al. 2016 sample convolutions.
POSITIONS = 8
# More layers than these make a map that nobody reads.
_LAYERS = 20


@dataclasses.dataclass(frozen=True, eq=False)
class Study:
    """What is compared.

    Attributes:
        networks: {label: network}: two, and with a control three.
        layers: {label: paths}, corresponding ones at the same place.
        control: label of the control, or "".
        pictures: what they are shown.
        workdir: where their answers lie.
        precision: of their arithmetic.
        extent: how much is made.
    """

    networks: dict[str, Network]
    layers: dict[str, tuple[str, ...]]
    control: str
    pictures: Pictures
    workdir: pathlib.Path
    precision: str
    extent: Extent = FULL

    @property
    def key(self) -> str:
        """A digest of what is compared."""
        pictures = {
            domain: hashlib.sha256(pixels.tobytes()).hexdigest()
            for domain, pixels in self.pictures.pixels.items()
        }
        return manifest.key(
            networks=[(label, runner.key(net)) for label, net in self.networks.items()],
            layers=self.layers, control=self.control, pictures=pictures,
            labels=self.pictures.labels, classes=self.pictures.classes, precision=self.precision,
        )  # fmt: skip

    @property
    def pair(self) -> tuple[str, str]:
        """The labels of the two."""
        first, second = (label for label in self.networks if label != self.control)
        return first, second

    @property
    def names(self) -> tuple[str, ...]:
        """Of the layers, as the first network has them, or both where they differ."""
        one, other = (self.layers[label] for label in self.pair)
        return tuple(a if a == b else f"{a} | {b}" for a, b in zip(one, other, strict=True))

    @property
    def domains(self) -> tuple[str, ...]:
        """Of the pictures."""
        return tuple(self.pictures.pixels)

    def of(self, label: str, domain: str, field: str, layer: int) -> list[np.ndarray]:
        """Returns one field of `responses.LayerResponses` of each batch."""
        return self._kept(label, domain, f"{layer}.{field}")

    def scores(self, label: str, domain: str) -> np.ndarray | None:
        """Returns the scores of classes, float32 [pictures, classes], or None without."""
        if not self.networks[label].logits:
            return None
        return np.concatenate(self._kept(label, domain, "scores"))

    def _kept(self, label: str, domain: str, name: str) -> list[np.ndarray]:
        number = list(self.networks).index(label)
        found = []
        for k in range(len(self.pictures.batches)):
            # Of an archive only the array that is asked for is read.
            with np.load(self.workdir / _file(number, domain, k), allow_pickle=False) as kept:
                found.append(kept[name])
        return found

    def answer(self, header) -> list[dict]:
        """Has the networks look at all pictures, or takes over what was finished before.

        Args:
            header: () -> what the manifest says besides its results.

        Returns:
            A record for each network, domain and batch.
        """
        parts = []
        for label in self.networks:
            for domain in self.domains:
                for k, where in enumerate(self.pictures.batches):
                    name = f"{label}/{domain}/{k}"
                    record = functools.partial(self._batch, label, domain, k, where, name)
                    parts.append(runner.Part((name,), where.stop - where.start, record))
        needed = {"name": str, "file": str, "digest": str, "key": str}
        return runner.run(parts, self.workdir, header, "name", needed, word="Looking")

    def _batch(self, label, domain, number, where, name, earlier, bar) -> list[dict]:
        network, layers = self.networks[label], self.layers[label]
        pixels = self.pictures.pixels[domain][where]
        key = runner.key(
            network, app="compare", layers=layers, precision=self.precision, batch=number,
            fields=[field.name for field in dataclasses.fields(responses.LayerResponses)],
            positions=POSITIONS, pictures=hashlib.sha256(pixels.tobytes()).hexdigest(),
            size=pixels.shape[1:3],
        )  # fmt: skip
        file = _file(list(self.networks).index(label), domain, number)
        path = self.workdir / file
        (before,) = earlier
        whole = before and before["key"] == key and path.is_file()
        if not whole or files.sha256_of(path) != before["digest"]:
            looked_at = responses.positions(len(pixels), POSITIONS, seed=number)
            shown = (
                images.with_channels(one.astype(np.float32), network.channels) for one in pixels
            )
            found, scores = responses.responses(network, layers, shown, looked_at, self.precision)
            files.make_folder(path.parent, "workdir")
            files.write_npz(path, responses.arrays(found, scores))
        bar.update(len(pixels))
        return [{"name": name, "file": file, "digest": files.sha256_of(path), "key": key}]


def corresponding(
    built: dict[str, Network], words: Sequence[str] | None, control: str = ""
) -> dict:
    """Returns the layers of networks that are set beside each other, {label: paths}.

    Args:
        built: networks by label.
        words: see `networks.layers_of`; None is every convolution, after its nonlinearity, of
            networks that have the same, else the last of each stride.
        control: label of the one among them whose words are those of the first, or "".

    Raises:
        InputError: a network has none of them.
    """
    if words is not None:
        pair = {label: network for label, network in built.items() if label != control}
        found = networks.layers_of(pair, list(words))
        if control:
            first = found[next(iter(pair))]
            same = ["|".join(each) for each in zip(first, words, strict=True)]
            found |= networks.layers_of({control: built[control]}, same)
    else:
        every = {label: _convolutions(network) for label, network in built.items()}
        same = len(set(every.values())) == 1 and all(every.values())
        found = every if same else networks.layers_of(built, None)
    for label, layers in found.items():
        for layer in layers:
            if len(built[label].graph.tensors[built[label].path(layer)].shape) not in (2, 4):
                raise InputError(f"{arg('layers')}: {layer} of {label} is neither map nor vector.")
    return {label: tuple(layers) for label, layers in found.items()}


def _convolutions(network: Network) -> tuple[str, ...]:
    """Returns all convolutions after their nonlinearities; of many, evenly some."""
    layers = list(dict.fromkeys(activated(network, one) for one in network.convolutions()))
    return tuple(layers[k] for k in evenly(len(layers), _LAYERS))


def evenly(count: int, most: int) -> list[int]:
    """Returns at most so many of the numbers below `count`, the first and the last among them."""
    return np.linspace(0, count - 1, min(most, count)).round().astype(int).tolist()


def _file(number: int, domain: str, batch: int) -> str:
    return f"responses/{number}/{runner.safe_name(domain)}-{batch}.npz"
