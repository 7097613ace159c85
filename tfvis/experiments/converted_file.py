"""The file that a conversion writes."""

import pathlib

from tfvis import files
from tfvis.errors import InputError, arg
from tfvis.networks import registry


def path(name: str, output: str | None, workdir: str | None) -> pathlib.Path:
    """Returns the file to write: that named, or in a folder that of the network's name.

    Args:
        name: of the network, or its file.
        output: a name that ends in .keras; or
        workdir: a folder.

    Raises:
        InputError: neither or both; another ending; no such path.
    """
    if (output is None) == (workdir is None):
        raise InputError(
            f"{arg('output')}: name the file to write, NAME.keras, or its folder with "
            f"{arg('workdir')}; not both."
        )
    if output is None:
        folder = files.located(workdir, f"{arg('workdir')}={workdir}")
        return folder / f"{registry.label(name)}.keras"
    if not output.endswith(".keras"):
        raise InputError(f"{arg('output')}={output}: expected a name that ends in .keras.")
    return files.located(output, f"{arg('output')}={output}")
