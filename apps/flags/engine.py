"""The flags of who does the work, of apps that can share it out in shards."""

from collections.abc import Mapping

from absl import flags

from tfvis.experiments.batch.engine import Engine

from . import fields

# A flag belongs to the module that defines it by this one.
flags.disclaim_key_flags()


def define() -> dict[str, flags.FlagHolder]:
    """Defines --engine and --workers; left out, nothing is done in shards."""
    return fields.define(Engine, ("engine", "workers"), workers=None)


def chosen(holders: Mapping[str, flags.FlagHolder]) -> Engine | None:
    """Returns who does the work in shards, None where that is not asked for.

    Raises:
        InputError: Ray, by nobody.
    """
    workers = holders["workers"].value
    if workers is None and holders["engine"].value == "local":
        return None
    engine = fields.values(Engine, holders, workers=workers or 0)
    engine.check()
    return engine
