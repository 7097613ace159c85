"""Flags made from the fields of settings: default, help and bounds stand there, once."""

import dataclasses
import re
import types
import typing
from collections.abc import Iterable, Mapping

from absl import flags

from . import paths

# A flag belongs to the module that defines it by this one.
flags.disclaim_key_flags()


def define(
    kind: type,
    names: Iterable[str] | Mapping[str, str],
    checks: Mapping[str, paths.Check] | None = None,
    **defaults,
) -> dict[str, flags.FlagHolder]:
    """Defines flags of fields of a settings dataclass, in the order of the names.

    Args:
        kind: whose fields carry `tfvis.settings.field`'s metadata.
        names: of fields, or {field: flag} where a flag is named differently.
        checks: {field: what looks at its value}, of fields that name files.
        **defaults: of the app, in place of the fields' own.

    Returns:
        {field: holder}.
    """
    names = names if isinstance(names, Mapping) else {name: name for name in names}
    found = {field.name: field for field in dataclasses.fields(kind)}
    return {
        name: _define(
            flag, found[name], defaults.get(name, found[name].default), names, (checks or {})
        )
        for name, flag in names.items()
    }


def values(kind: type, holders: Mapping[str, flags.FlagHolder], **more):
    """Returns the settings that flags describe.

    Args:
        kind: the dataclass.
        holders: {field: holder}; what `kind` has no field for is passed over.
        **more: fields in place of the flags' and the defaults.
    """
    known = {field.name for field in dataclasses.fields(kind)}
    return kind(**{name: h.value for name, h in holders.items() if name in known} | more)


def one(kind: type, name: str, **defaults) -> flags.FlagHolder:
    """Defines the flag of one field; see `define`."""
    return define(kind, (name,), **defaults)[name]


def _define(flag: str, field: dataclasses.Field, default, names, checks) -> flags.FlagHolder:
    about = field.metadata
    what = re.sub(r"`(\w+)`", lambda match: f"--{names.get(match[1], match[1])}", about["help"])
    union = isinstance(field.type, types.UnionType)
    (kind,) = (set(typing.get_args(field.type)) - {type(None)}) if union else (field.type,)
    bounds = {"lower_bound": about["least"], "upper_bound": about["most"]}
    if field.name in checks:
        return paths.define(flag, default, checks[field.name], what)
    if about["choices"]:
        return flags.DEFINE_enum(flag, default, list(about["choices"]), what)
    if kind is bool:
        return flags.DEFINE_bool(flag, default, what)
    if kind is int:
        return flags.DEFINE_integer(flag, default, what, **bounds)
    if kind is float:
        return flags.DEFINE_float(flag, default, what, **bounds)
    if isinstance(default, tuple):
        return flags.DEFINE_list(flag, list(default), what)
    # Lists of numbers and of layers are read by the app, once the network is known.
    return flags.DEFINE_string(flag, default, what)
