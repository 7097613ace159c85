"""Which contract a model of one's own wants, and why: by what it does, is made of, and learnt."""

import dataclasses

import keras

from tfvis.errors import InputError, Text, arg
from tfvis.networks import rewiring
from tfvis.networks.caffe.zoo import named
from tfvis.networks.preprocessing import architecture, batch_statistics, contracts, model_front

# Networks that prepare pixels themselves as Keras builds them; without that they want what their
# own layers would have done: https://keras.io/api/applications, `include_preprocessing`.
_WITHOUT_FRONT = {
    "efficientnetv2s": "tf", "efficientnetv2m": "tf", "efficientnetv2l": "tf",
    "mobilenetv3small": "tf", "mobilenetv3large": "tf",
}  # fmt: skip
_OTHERS_WITHOUT_FRONT = {"efficientnet": "torch", "convnext": "torch"}


@dataclasses.dataclass(frozen=True)
class Choice:
    """A contract, and why.

    Attributes:
        contract: what a model is to be shown.
        why: a clause.
    """

    contract: contracts.Preprocessing
    why: str


def choice(model: keras.Model) -> Choice:
    """Returns what a model of a file wants to be shown.

    In this order: what it does to pixels itself, the network of Keras or Caffe that it is made of,
    what its batch normalisations keep. A name alone says nothing.

    Args:
        model: built, with its weights.
    """
    none = contracts.named("none")
    try:
        graph = rewiring.rewire(model)
        front = model_front.of_graph(graph)
    except InputError:  # No network of one picture; whoever looks into it says so.
        return Choice(none, "the model cannot be looked into")
    if front.changes:
        return Choice(none, f"the model {front.said}")
    known = architecture.recognised(architecture.of(front.layers))
    by_layers = {without_front(name) for name in known}
    caffe = _caffe(model.name, front.layers)
    if caffe:
        known, by_layers = (model.name,), {caffe}
    right, unlike = batch_statistics.measured(graph)
    if len(by_layers) == 1:
        (usual,) = by_layers
        whose = f"its layers are those of {_some(known)}"
        if not right or right == usual or unlike.get(usual, 0) <= batch_statistics.LIKE:
            return Choice(contracts.named(usual), f"{whose}, and nothing in it prepares pixels")
        return Choice(
            contracts.named(right),
            f"{whose}, but the batch normalisations keep what fits {right}, not {usual}",
        )
    if right:
        return Choice(
            contracts.named(right),
            "measured: it alone fits what the batch normalisations keep of training, which does "
            "not tell RGB from BGR",
        )
    nearest = min(unlike, key=unlike.get).split(",")[0] if unlike else "none"
    if nearest != "none" and unlike[nearest] < unlike["none"] / 2:
        return Choice(
            none,
            Text(
                "nothing tells for certain what the model learnt to be shown; its batch "
                f"normalisations fit {nearest} better, in RGB or BGR; name it with "
                f"{arg('preprocessing')}"
            ),
        )
    return Choice(
        none,
        Text(
            "nothing tells what the model learnt to be shown; if that was not RGB in 0..255, name "
            f"it with {arg('preprocessing')}"
        ),
    )


def without_front(name: str) -> str:
    """Returns the contract of a keras.applications network that prepares nothing itself."""
    usual = contracts.application(name).name
    if usual != "none":
        return usual
    if name in _WITHOUT_FRONT:
        return _WITHOUT_FRONT[name]
    return next(
        (word for start, word in _OTHERS_WITHOUT_FRONT.items() if name.startswith(start)), "none"
    )


def _some(names: tuple[str, ...]) -> str:
    return "Keras' or Caffe's " + names[0] + (" and its like" if len(names) > 1 else "")


def _caffe(name: str, layers: dict[str, keras.Layer]) -> str:
    """Returns the contract of the Caffe network of that name, "" where the layers are others."""
    name = name.lower()
    build = named.BUILDERS.get(name)
    if name.startswith("illust2vec"):
        build = named.BUILDERS["illustration2vec"]
    if build is None:
        return ""
    wanted = [
        (layer.convolution_param.num_output, layer.convolution_param.kernel_size[0])
        for layer in build().layer
        if layer.type == "Convolution"
    ]
    found = [
        (layer.filters, layer.kernel_size[0])
        for layer in layers.values()
        if isinstance(layer, keras.layers.Conv2D)
    ]
    same = bool(found) and found[: len(wanted)] == wanted[: len(found)]
    return named.contract(name, "") if same else ""
