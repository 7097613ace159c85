"""The flags that the library's arguments come from, for what it says of them."""

from absl import flags

from tfvis.errors import Text, marked

# {argument: flags that may give it}, where they are not of one name: of those that the running app
# has, the first that was given, else the first.
_FLAGS: dict[str, tuple[str, ...]] = {
    "beta": ("tv_beta",),
    "guide": ("guides",),
    "image": ("images", "content"),
    "image_prior": ("prior",),
    "images": ("image",),
    "layer": ("layers", "units"),
    "limit": ("memory",),
    "mask": ("content_mask",),
    "most": ("boxes",),
    "name": ("prototxt", "network"),
    "network": ("prototxt", "checkpoint", "networks"),
    "objective": ("units",),
    "of_class": ("class",),
    "pictures": ("data",),
    "policy": ("method",),
    "references": ("reference_images",),
    "regions": ("content_mask",),
    "stop.change": ("stop",),
    "stop.window": ("stop_window",),
    "named": ("units",),
    "style_layer_weights": ("layer_weights",),
    "style_layers": ("layers",),
    "style_masks": ("style_mask",),
    "target": ("class",),
    "tile": ("memory",),
    "weights": ("caffemodel",),
}


def flagged(said: str | Exception) -> str:
    """Returns words of the library with each argument as the flag of the running app.

    Args:
        said: a `Text`, or an exception.
    """
    return Text(marked(said)).spelled(_spelled)


def _spelled(argument: str) -> str:
    own = [name for name in (argument, *_FLAGS.get(argument, ())) if name in flags.FLAGS]
    given = [name for name in own if flags.FLAGS[name].present]
    return f"--{(given or own)[0]}" if own else argument
