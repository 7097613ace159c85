"""The flags of style: pictures, layers, weights, recipes, the same in every app of it."""

import math
import pathlib
import re

from absl import flags

from tfvis import words
from tfvis.errors import InputError, arg
from tfvis.style.settings import Transfer

from . import fast_style, fields, paths
from . import pictures as pictures_flags
from .networks import layer_words

LAYER_WEIGHTS = ("content_layer_weights", "style_layer_weights")
_UNITS = {"": 1, "b": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}


def define_size(default: int | None, usual: int | None = None) -> flags.FlagHolder:
    """Defines --size.

    Args:
        default: its value where it is left out.
        usual: of an app whose size is that of the network, where the network takes but one.
    """
    left_out = f" Left out, {usual}, or what the network insists on." if usual else ""
    return flags.DEFINE_integer(
        "size",
        default,
        "Of the picture: as many pixels as a square of this side has; its aspect is kept."
        + left_out,
        lower_bound=32,
        upper_bound=4096,
    )


def define_style(several: bool = True) -> flags.FlagHolder:
    """Defines --style."""
    more = r"; several, separated by commas (one in a name is \,), are blended" if several else ""
    return paths.define(
        "style",
        None,
        fast_style.otherwise(paths.each(paths.file), fast_style.anything),
        f"Picture whose style is taken{more}; left out, a painting of our own.",
    )


def define_painting() -> dict[str, flags.FlagHolder]:
    """Defines --content, --style, and all that says how the one is painted like the other.

    Returns:
        {flag: holder}, as `painting` takes them.
    """
    text, word, number = flags.DEFINE_string, flags.DEFINE_enum, flags.DEFINE_float
    holders = (
        paths.define(
            "content",
            None,
            fast_style.otherwise(paths.file, paths.file_or_folder),
            "Picture to be painted; left out, a demo photograph.",
        ),
        define_style(),
        text("style_weights", None, "Of each style in a blend, such as 0.7,0.3; left out, equal."),
        fields.one(Transfer, "ratio"),
        fields.one(Transfer, "content_layers", content_layers=None),
        fields.one(Transfer, "style_layers", style_layers=None),
        fields.one(Transfer, "content_layer_weights", content_layer_weights=None),
        fields.one(Transfer, "style_layer_weights", style_layer_weights=None),
        fields.one(Transfer, "init"),
        number(
            "style_scale",
            1.0,
            "Size of the styles, relative to the picture's: more makes larger strokes.",
            lower_bound=0.1,
            upper_bound=4,
        ),
        paths.define(
            "fine_style",
            None,
            paths.file,
            "Picture whose fine texture (brush strokes) replaces that of --style, whose coarse "
            "structure is kept.",
        ),
        word(
            "color",
            "none",
            ["none", "match", "luminance"],
            "Colours of the content: styles are recoloured before (match), or only brightness is "
            "painted.",
        ),
        paths.define(
            "content_mask",
            None,
            paths.file,
            "Picture whose colours mark regions, each of which takes its own style.",
        ),
        paths.define(
            "style_mask",
            None,
            paths.each(paths.file),
            "A mask for each style; a region takes what has its colour there. Left out, the "
            "regions from dark to light take the styles in their order.",
        ),
        *fields.define(Transfer, {"guide": "guides"}).values(),
    )
    return {holder.name: holder for holder in holders}


def painting(holders: dict[str, flags.FlagHolder]) -> dict:
    """Reads the pictures the flags of `define_painting` name.

    Returns:
        {argument: value} of `style_transfer.run`, the layers included.

    Raises:
        InputError: one cannot be read, or they do not go together.
    """
    value = {name: holder.value for name, holder in holders.items()}
    photo = value["content"]
    photo = pictures_flags.picture(None) if photo is None else _picture(photo, "content")
    found = pictures(value["style"], "style")
    # Not a number passes every bound.
    if not math.isfinite(value["style_scale"]):
        raise InputError(f"--style_scale={value['style_scale']}: expected a number of 0.1 to 4.")
    if value["style_mask"] and not value["content_mask"]:
        raise InputError("--style_mask: needs a --content_mask whose colours it shares.")

    def given(flag, flat=True):
        return tuple(pictures(value[flag], flag, flat)) if value[flag] else ()

    return {
        "content_layers": layer_words(holders["content_layers"]),
        "style_layers": layer_words(holders["style_layers"]),
        "content": photo,
        "styles": tuple(found),
        "weights": weights(value["style_weights"], len(found)),
        "style_scale": value["style_scale"],
        "color": value["color"],
        "mask": next(iter(given("content_mask")), None),
        "style_masks": given("style_mask"),
        "fine": next(iter(given("fine_style", flat=False)), None),
    }


def define_recipe(recipe: bool = True, **defaults) -> dict[str, flags.FlagHolder]:
    """Defines --evaluations to --memory, and --recipe.

    Args:
        recipe: whether there is a choice.
        **defaults: the app's, where they are not those of `Transfer`.

    Returns:
        {flag: holder}, as `settings` takes them.
    """
    names = ("evaluations", "optimizer", "tv_weight", "rate", "history")
    holders = fields.define(Transfer, names, **defaults)
    holders["memory"] = flags.DEFINE_string(
        "memory",
        None,
        "Memory to keep to, such as 2GiB: a larger picture is made in tiles, exactly; left "
        "out, more than half of what the machine, or the container, has.",
    )
    return holders | (fields.define(Transfer, ("recipe",), **defaults) if recipe else {})


def settings(holders: dict[str, flags.FlagHolder]) -> Transfer:
    """Returns the settings the flags describe, their layers aside.

    Args:
        holders: what `define_recipe` returned, and `define_painting`.
    """
    names = {"guides": "guide", "content_layers": "", "style_layers": ""}
    weighed = {
        flag: words.floats(holders[flag].value, flag) for flag in LAYER_WEIGHTS if flag in holders
    }
    own = {names.get(flag, flag): h for flag, h in holders.items()}
    return fields.values(Transfer, own, **weighed)


def limit(holder: flags.FlagHolder) -> int | None:
    """Returns the bytes --memory stands for; None where it was left out.

    Raises:
        InputError: no amount of memory.
    """
    if holder.value is None:
        return None
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?\s*", holder.value, re.IGNORECASE)
    if not match or not 0 < float(match[1]) < 2**40:
        raise InputError(f"--memory={holder.value}: expected an amount such as 2GiB or 800MiB.")
    return int(float(match[1]) * _UNITS[match[2].lower()])


def pictures(named: str | None, flag: str, flat: bool = False) -> list:
    """Reads the comma-separated pictures of a flag; without any, the painting of our own.

    Args:
        named: the files, or None.
        flag: its name.
        flat: whether they may be of one colour, as the mask of one region is.

    Returns:
        float32 [height, width, 3] each.

    Raises:
        InputError: one cannot be read, or is of one colour.
    """
    from tfvis.style import painting

    if named is None:
        return [painting.shipped()]
    found = [_picture(path, flag, flat) for path in words.words(named) if path]
    if not found:
        raise InputError(f"--{flag}: expected at least one picture.")
    return found


def named_pictures(named: str, flag: str) -> dict:
    """Reads the comma-separated pictures of a flag, each under the name of its file.

    Raises:
        InputError: as `pictures`; two are of one name.
    """
    places = [place for place in words.words(named) if place]
    stems = [pathlib.Path(place).stem for place in places]
    found = dict(zip(stems, pictures(named, flag), strict=True))
    if len(found) < len(places):
        raise InputError(f"--{flag}: two files are of one name. Rename one.")
    return found


def picture(named: str | None, flag: str, instead: str):
    """Reads the one picture of a flag; see `pictures`.

    Args:
        named, flag: as there.
        instead: what to do where there are several.
    """
    found = pictures(named, flag)
    if len(found) > 1:
        raise InputError(f"--{flag}: one picture{instead}.")
    return found[0]


def _picture(path: str, flag: str, flat: bool = False):
    """Reads one picture; see `pictures`."""
    from tfvis.style import arguments

    pixels = pictures_flags.read(path, flag)
    return pixels if flat else arguments.not_flat(pixels, f"{arg(flag)}={path}")


def weights(value: str | None, count: int) -> tuple[float, ...]:
    """Returns the numbers of --style_weights.

    Raises:
        InputError: not as many as styles, or none above 0.
    """
    from tfvis.style import arguments

    return arguments.weights(words.floats(value, "style_weights"), count)
