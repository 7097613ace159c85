"""Names of a package that are imported when first used, so that nothing starts TensorFlow early."""

import importlib
from collections.abc import Callable, Mapping
from typing import Any


def attach(
    package: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Returns a package's __getattr__, __dir__ and __all__ (PEP 562).

    Args:
        package: its __name__.
        homes: {public name: module below the package, or "module:name there"}.
    """
    names = sorted(homes)

    def getter(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module, _, there = homes[name].partition(":")
        return getattr(importlib.import_module(f"{package}.{module}"), there or name)

    return getter, lambda: names, names
