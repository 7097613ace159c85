"""Networks whose layers are known before they are built: a misspelt name is refused at once.

TensorFlow takes seconds to start, and a network with its weights as long; the layers of the
named ones are in tables, and those of checkpoints follow from the network they stand on.
"""

import dataclasses

from tfvis.errors import InputError, arg, nearest
from tfvis.networks import layer_tables, registry, vgg_small
from tfvis.networks.caffe import layer_names
from tfvis.networks.caffe.zoo import named
from tfvis.networks.files import checkpoint_files

# The classes of ImageNet, which all of these that have a classifier know.
_IMAGENET = 1000
# Places of the last map of Caffe's named networks, 6 x 6, of a picture of their size.
_LAST_MAP = 36
_TAGS = ("illustration2vec", "illustration2vec_features")


@dataclasses.dataclass(frozen=True)
class Known:
    """What is known of a network by its name; answers as a `network.Network` does.

    Attributes:
        name: as it was asked for.
        layers: {path: channels of a map, entries of a vector, None for another output}.
        classes: names of its classes where it brings them.
        logits: "logits" if it has a classifier or may be built with one.
    """

    name: str
    layers: dict[str, int | None]
    classes: tuple[str, ...] = ()
    logits: str = "logits"

    @property
    def paths(self) -> tuple[str, ...]:
        """Every layer that can be tapped, in order of computation."""
        return tuple(self.layers)

    def path(self, layer: str) -> str:
        """Returns the path of a layer, which may be called as Caffe does."""
        legal = layer_names.legal(layer)
        return legal if layer not in self.layers and legal in self.layers else layer

    def check(self, layers: list[str] | tuple[str, ...]) -> None:
        """Raises InputError, naming the nearest layers, if one does not exist."""
        for layer in layers:
            if layer != "logits" and self.path(layer) not in self.layers:
                raise InputError(
                    f"{self.name} has no layer {layer!r}. {nearest(layer, self.paths)}"
                )

    def check_scores(self, layer: str) -> None:
        """Leaves it to the network itself whether a layer is a softmax."""

    def channels_of(self, layer: str) -> int | None:
        """Returns the channels of a map or entries of a vector, None for other outputs."""
        if layer == "logits":
            return len(self.classes) or _IMAGENET
        return self.layers[self.path(layer)]


def known(name: str) -> Known | None:
    """Returns what is known of a network by its name, None where it has to be opened first.

    Raises:
        InputError: the name stands for no network; a checkpoint whose description is damaged.
    """
    registry.check(name)
    folder = registry.checkpoint(name)
    if folder:
        return _checkpoint(name, folder)
    short = name.lower()
    if short == vgg_small.NAME:
        return Known(name, dict(vgg_small.layers()), logits="")
    if short in layer_tables.applications():
        found = layer_tables.layers(short)
        return None if found is None else Known(name, found)
    if short in named.BUILDERS and short not in _TAGS:
        return Known(name, _of_caffe(named.BUILDERS[short]()))
    return None


def _checkpoint(name: str, folder) -> Known | None:
    said = checkpoint_files.description(folder, f"{arg('network')}={name}")
    base = said["network"]
    # Only what is surely so: other variants have other paths.
    if said["variant"].get("activation") != "post":
        return None
    found = None
    if base == vgg_small.NAME:
        found = dict(vgg_small.layers())
    elif base in layer_tables.applications():
        found = layer_tables.layers(base)
    if found is None or said["last"] not in found:
        return None
    paths = list(found)
    trunk = {path: found[path] for path in paths[: paths.index(said["last"]) + 1]}
    count = len(said["classes"])
    head = {checkpoint_files.MEAN: found[said["last"]], checkpoint_files.CLASSES: count}
    return Known(name, trunk | head, tuple(said["classes"]))


def _of_caffe(net) -> dict[str, int | None]:
    """Returns the layers of a Caffe network of convolutions and inner products."""
    blobs: dict[str, int | None] = {}
    layers: dict[str, int | None] = {}
    for layer in net.layer:
        if layer.type == "Input":
            continue
        if layer.type == "InnerProduct" and not any(name.endswith("_flat") for name in layers):
            # Between maps and vectors, as `caffe.shaping` names it.
            layers[f"{layer_names.legal(layer.name)}_flat"] = _LAST_MAP * blobs[layer.bottom[0]]
        given = blobs.get(layer.bottom[0]) if layer.bottom else None
        own = layer.convolution_param.num_output or layer.inner_product_param.num_output
        for top in layer.top:
            blobs[top] = own or given
        layers[layer_names.legal(layer.name)] = own or given
    return layers
