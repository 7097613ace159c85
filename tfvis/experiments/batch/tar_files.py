"""Tar files of pictures as WebDataset reads them: the files of one sample begin with its key.

A key ends at the first point of a file's name; what follows says which of the sample's files it
is (https://github.com/webdataset/webdataset#the-webdataset-format).
"""

import contextlib
import io
import pathlib
import tarfile
from collections.abc import Callable, Iterator

from tfvis.experiments.batch import durable_files


def key(name: str) -> str:
    """Returns the key of a picture: its path, without a point in the file's name.

    No two paths that end as pictures do have one key: the last point becomes a hyphen, and no
    ending has a hyphen; others are written %2E, and a % is %25.

    Args:
        name: relative, with slashes, such as "trip/a.jpg", whose key is "trip/a-jpg".
    """
    folder, slash, file = name.rpartition("/")
    stem, point, ending = file.rpartition(".")
    stem, ending = (stem, ending) if point else (file, "")
    whole = stem.replace("%", "%25").replace(".", "%2E") + ("-" if point else "") + ending
    return f"{folder}{slash}{whole}"


@contextlib.contextmanager
def writing(path: pathlib.Path) -> Iterator[Callable[[str, bytes], None]]:
    """Yields a function that adds (name, content); the file is whole or absent.

    The same content in the same order gives the same bytes: no file has a time or an owner.

    Raises:
        InputError: as `files.replacing`.
    """
    with durable_files.replacing(path) as temporary:
        with tarfile.open(temporary, "w", format=tarfile.PAX_FORMAT) as tar:

            def add(name: str, content: bytes) -> None:
                about = tarfile.TarInfo(name)
                about.size = len(content)
                tar.addfile(about, io.BytesIO(content))

            yield add


def keys(path: pathlib.Path) -> list[str]:
    """Returns the keys of a file's samples, in their order.

    Raises:
        tarfile.TarError, OSError: it is no tar file.
    """
    found: dict[str, None] = {}
    with tarfile.open(path, "r:") as tar:
        while member := tar.next():
            folder, slash, file = member.name.rpartition("/")
            found[f"{folder}{slash}{file.partition('.')[0]}"] = None
    return list(found)
