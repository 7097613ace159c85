"""The flags of a network that paints in one pass, where an app has an optimiser as well."""

from absl import flags

from tfvis import words
from tfvis.errors import InputError

from . import paths

# A flag belongs to the module that defines it by this one.
flags.disclaim_key_flags()
# What else counts with --fast.
_KNOWN = (
    "content", "style", "size", "memory", "workdir", "precision", "fast", "style_mix", "engine",
    "workers",
)  # fmt: skip


def define() -> tuple[flags.FlagHolder, flags.FlagHolder]:
    """Defines --fast and --style_mix."""
    return (
        flags.DEFINE_string(
            "fast",
            None,
            "A checkpoint of apps.train_style, which paints in one pass: --style is then the name "
            "of one of its styles or of several, --content a picture or a folder of them, such as "
            "the frames of a film, of which each keeps its name.",
        ),
        flags.DEFINE_string(
            "style_mix",
            None,
            "With --fast, how much of each style of --style, such as 0.7,0.3; of all of the "
            "checkpoint's, if that is left out.",
        ),
    )


def chosen() -> bool:
    """Tells whether the running app has --fast, and it was given."""
    return "fast" in flags.FLAGS and bool(flags.FLAGS.fast)


def otherwise(check: paths.Check, fast: paths.Check) -> paths.Check:
    """Returns the check of a flag that names something else with --fast."""

    def look(word: str, label: str) -> None:
        (fast if chosen() else check)(word, label)

    return look


def anything(word: str, label: str) -> None:
    """Checks nothing: a name is looked at once it is known what there is."""


def asked(given: list[flags.Flag]) -> dict:
    """Returns {argument: value} of `experiments.fast_style.run`: checkpoint, style, style_mix.

    Args:
        given: the running app's own flags.

    Raises:
        InputError: no such checkpoint or style; a flag that is of the optimiser.
    """
    from tfvis.style.fast import checkpoint_files

    own = {flag.name: flag for flag in given}
    for name, flag in own.items():
        if flag.present and name not in _KNOWN:
            raise InputError(
                f"--{name}: is of the optimiser, and --fast has none. Leave one of the two out."
            )
    name = own["fast"].value
    _, said = checkpoint_files.named(name)
    styles = words.split(own["style"].value, "style") if own["style"].value else []
    weights = words.floats(own["style_mix"].value, "style_mix")
    checkpoint_files.mix(said["styles"], styles, weights, name)
    return {"checkpoint": name, "style": styles, "style_mix": weights}
