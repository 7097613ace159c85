"""The flags of pictures an app is asked to look at, and reading them."""

from absl import flags

from tfvis.errors import InputError
from tfvis.experiments import messages
from tfvis.words import split

from . import paths


def define_image(size: int | None = None) -> tuple[flags.FlagHolder, ...]:
    """Defines --image, --size, --crop, in this order; see `define_square`."""
    what = "The picture to look at; left out, a demo photograph."
    return (paths.define("image", None, paths.file, what), *define_square(size))


def define_square(size: int | None = None) -> tuple[flags.FlagHolder, ...]:
    """Defines --size and --crop.

    Args:
        size: the default; None is the network's own, or 224.
    """
    otherwise = "." if size else "; left out, what the network insists on, or 224."
    return (
        flags.DEFINE_integer(
            "size", size, f"Side of the square image, in pixels{otherwise}", 1, 4096
        ),
        flags.DEFINE_enum(
            "crop",
            "center",
            ["center", "left", "right", "top", "bottom", "none"],
            "Which square of the picture; none squeezes the whole of it into the square.",
        ),
    )


def picture(path: str | None):
    """Reads --image, or the demo photograph; says what there is to say of the file.

    Returns:
        float32 [height, width, 3], RGB, 0..255.

    Raises:
        InputError: it cannot be read.
    """
    from tfvis import images

    return images.demo() if path is None else read(path, "image")


def read(path: str, flag: str):
    """Reads the picture a flag names; says what there is to say of the file.

    Raises:
        InputError: it cannot be read.
    """
    from tfvis import images

    found = images.read(path, flag)
    for note in found.notes:
        messages.note(f"{note}.")
    return found.pixels


def define_images() -> flags.FlagHolder:
    """Defines --image of the apps that look at many."""
    return paths.define(
        "image",
        None,
        paths.file_or_folder,
        "A picture, or a folder of them; left out, two that come along.",
    )


def define_references(what: str) -> flags.FlagHolder:
    """Defines --reference_images.

    Args:
        what: is measured by them, and by what where it is left out.
    """
    return paths.define(
        "reference_images", None, paths.file_or_folder, f"Folder of photographs {what}."
    )


def found(place: str | None, flag: str = "image"):
    """Returns the pictures in the folder a flag names, or the one; None where it was left out.

    Raises:
        InputError: there are none.
    """
    from tfvis.experiments import folders

    return folders.given(place, flag)


def domains(value: str) -> dict[str, str]:
    """Returns {domain: place} of --images=DOMAIN=PLACE,DOMAIN=PLACE.

    Raises:
        InputError: not of this form, a domain twice, or no such place.
    """
    places = {}
    for word in split(value, "images"):
        domain, equals, place = word.partition("=")
        if not (domain and equals and place) or domain in places:
            raise InputError(f"--images={word}: expected DOMAIN=FOLDER, each domain once.")
        paths.file_or_folder(place, f"--images={domain}")
        places[domain] = place
    return places
