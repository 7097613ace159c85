"""Names of networks, layers, units and classes that are refused before TensorFlow starts."""

from collections.abc import Iterable

from absl import flags

from tfvis.errors import InputError, marked, nearest
from tfvis.experiments import networks
from tfvis.experiments.networks import Wanted
from tfvis.networks import known_names, registry
from tfvis.networks.files import checkpoint_files
from tfvis.objectives import parsing
from tfvis.words import split


def check(
    wanted_networks: Wanted,
    *,
    words: list[str] | None = None,
    unit_holders: dict[str, flags.FlagHolder] | None = None,
    layers: dict[str, str | None] | None = None,
    wanted: str | None = None,
    names: Iterable[str] | None = None,
) -> None:
    """Looks at names as far as they can be known; what is left is looked at by the networks.

    Args:
        wanted_networks: as the flags name them.
        words: of --layers, as `network_flags.layer_words` returns them.
        unit_holders: what `units.define_units` returned.
        layers: {flag: its value}, of other flags that name layers, separated by commas.
        wanted: --class.
        names: of the networks; left out, --network.

    Raises:
        InputError: a network, a layer, a channel or a class is not there.
    """
    if unit_holders and unit_holders["units"].value is not None:
        split(unit_holders["units"].value, "units")
    if names is None:
        names = split(wanted_networks.network, "network")
    found = {name: known_names.known(name) for name in names}
    if wanted_networks.activation != "post":  # Layers have two paths each, then.
        return
    found = {name: network for name, network in found.items() if network}
    if found and words and words != ["all"]:
        networks.layers_of(found, words)
    for network in found.values():
        if unit_holders and unit_holders["units"].value:
            parsing.parse(unit_holders["units"].value, network, unit_holders["labels"].value)
        for flag, value in (layers or {}).items():
            _check_layers(network, flag, value)
        if wanted is not None:
            _check_class(network, wanted)


def one(name: str | None, flag: str) -> None:
    """Raises InputError where a flag names no network, or several; None is none."""
    if name is None:
        return
    if len(split(name, flag)) > 1:
        raise InputError(f"--{flag}={name}: expected one network.")
    registry.check(name, flag)


def checkpoint(name: str | None, flag: str = "checkpoint", wanted: str | None = None) -> None:
    """Raises InputError where a flag names no checkpoint, or --class none of its classes.

    Args:
        name: of a checkpoint, or None.
        flag: that names it.
        wanted: --class.
    """
    if not name:
        return
    folder = registry.found_checkpoint(name, flag)
    said = checkpoint_files.description(folder, f"--{flag}={name}")
    if wanted is not None and wanted not in said["classes"]:
        raise _no_class(wanted, folder.resolve().name, said["classes"])


def _check_layers(network: known_names.Known, flag: str, value: str | None) -> None:
    for layer in split(value, flag) if value else ():
        try:
            network.check([layer])
        except InputError as error:
            raise InputError(f"--{flag}: {marked(error)}") from error


def _check_class(network: known_names.Known, wanted: str) -> None:
    if wanted in network.classes:
        return
    if network.classes:
        raise _no_class(wanted, network.name, network.classes)
    parsing.classes(wanted, network, "class")


def _no_class(wanted: str, name: str, classes: Iterable[str]) -> InputError:
    return InputError(f"--class={wanted}: no class of {name}. {nearest(wanted, classes)}")
