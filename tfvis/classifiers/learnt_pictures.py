"""Which pictures a classifier has learnt from, so that it is not tried on them."""

import dataclasses
from collections.abc import Mapping

from tfvis.networks import registry
from tfvis.networks.files import checkpoint_files
from tfvis.networks.network import Network


@dataclasses.dataclass(frozen=True)
class Learnt:
    """What is known of the pictures that a network has seen.

    Attributes:
        digests: the `splits.digest` of each it is known to have learnt, or to be chosen, by.
        complete: whether there are no others, but for those of a network that ships with Keras.
    """

    digests: frozenset[str]
    complete: bool


def learnt_from(network: Network) -> Learnt:
    """Returns what a network, and the checkpoints it stands on, say they have learnt from.

    A file of a network or of weights says nothing of it, unless these are the published ones.

    Raises:
        InputError: a checkpoint that is damaged.
    """
    name, found, complete = network.name, set(), True
    # It was opened: no checkpoint stands on itself.
    while folder := registry.checkpoint(name):
        said = checkpoint_files.description(folder, name)
        own, whole = told(said["about"])
        found.update(own)
        complete &= whole and said["about"].get("weights") in (None, "random")
        name = said["network"]
    # A checkpoint that was opened by another name than it has now is not found.
    lost = name == network.name and network.record.source.startswith("checkpoint ")
    given = network.record.source.startswith("file ") and not network.record.published
    unknown = lost or given or registry.is_file(name)
    return Learnt(frozenset(found), complete and not unknown)


def told(about: Mapping) -> tuple[list[str], bool]:
    """Returns the digests that a checkpoint's description tells, and whether these are all.

    Args:
        about: of `checkpoint_files.description`.
    """
    digests = about.get("learnt_from")
    if not isinstance(digests, list) or not all(isinstance(one, str) for one in digests):
        return [], False
    return digests, about.get("learnt_from_complete", True) is True
