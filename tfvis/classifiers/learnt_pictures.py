"""Which pictures a classifier has learnt from, so that it is not tried on them."""

import dataclasses

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

    A file of a network says nothing of it.

    Raises:
        InputError: a checkpoint that is damaged.
    """
    name, found, complete = network.name, set(), True
    # It was opened: no checkpoint stands on itself.
    while folder := registry.checkpoint(name):
        said = checkpoint_files.description(folder, name)
        digests = said["about"].get("learnt_from")
        if isinstance(digests, list) and all(isinstance(one, str) for one in digests):
            found.update(digests)
        else:
            complete = False
        name = said["network"]
    # A checkpoint that was opened by another name than it has now is not found.
    lost = name == network.name and network.record.source.startswith("checkpoint ")
    return Learnt(frozenset(found), complete and not lost and not registry.is_file(name))
