"""Which units of which layers an atlas has."""

from collections.abc import Mapping, Sequence

from tfvis.errors import InputError, arg
from tfvis.experiments import networks
from tfvis.networks.activation import activated
from tfvis.networks.network import Network
from tfvis.objectives import parsing

# Layers of one network, and the channels of each.
Units = dict[str, tuple[int, ...]]


def chosen(
    built: Mapping[str, Network],
    words: Sequence[str] | None = None,
    units: str | None = None,
    deepest: bool = False,
) -> dict[str, Units]:
    """Returns the units of each network, {label: {layer: channels}}.

    Where all networks have as many layers, those at the same place correspond.

    Args:
        built: networks by label.
        words: layers as `networks.layers_of` takes them; None is every convolution, after its
            nonlinearity, or the last of each stride where networks do not have the same.
        units: "block4_conv2:0-63" and the like, of which layers and channels are taken; None is
            every channel.
        deepest: of all that only the last layer but one of `networks.depths` is wanted.

    Raises:
        InputError: a network has no such layer or unit; a layer is not a map; both are given.
    """
    if words and units:
        raise InputError(f"{arg('layers')}: leave it out where {arg('units')} names them.")
    if units:
        found = {label: _named(network, units) for label, network in built.items()}
    else:
        found = {
            label: {layer: tuple(range(built[label].channels_of(layer))) for layer in layers}
            for label, layers in _layers(built, words, deepest).items()
        }
    for label, own in found.items():
        for layer in own:
            network = built[label]
            if len(network.graph.tensors[network.path(layer)].shape) != 4:
                raise InputError(
                    f"{arg('units' if units else 'layers')}: {layer} of {label} is no map, which "
                    "an atlas is made of."
                )
    return found


def _layers(built, words, deepest: bool) -> dict[str, list[str]]:
    if words is not None:
        return networks.layers_of(built, list(words))
    if deepest:
        return {label: networks.depths(network)[-2:][:1] for label, network in built.items()}
    every = {label: _convolutions(network) for label, network in built.items()}
    same = len({tuple(layers) for layers in every.values()}) == 1 and all(every.values())
    return every if same else networks.layers_of(built, None)


def _convolutions(network: Network) -> list[str]:
    return list(dict.fromkeys(activated(network, one) for one in network.convolutions()))


def _named(network: Network, units: str) -> Units:
    found: dict[str, list[int]] = {}
    for unit in parsing.parse(units, network):
        if unit.kind == "layer":
            found[unit.layer] = list(range(network.channels_of(unit.layer)))
        elif unit.kind == "channel" and unit.position is None:
            found.setdefault(unit.layer, []).append(unit.channel)
        else:
            raise InputError(f"{arg('units')}={unit.layer}:{unit.name}: an atlas has channels.")
    return {layer: tuple(sorted(set(channels))) for layer, channels in found.items()}
