"""Trains a network that paints pictures in given styles in one pass.

    python -m apps.train_style --styles=a.jpg,b.jpg --content=photographs

Neural style as a network (Johnson et al., ECCV 2016), one for all styles, of which each has a scale
and a shift per channel of its own (Dumoulin et al., ICLR 2017). It learns on the loss of `stylize`
from photographs of any kind, first of 128 px, then of 256. Writes to --workdir:

    fast_style.json, weights.npz   the network; stylize --fast=out/train_style uses it
    README.md                      its card: styles, loss, photographs, command
    style_NAME.png                 the styles, as they were learnt
    sheet.png                      photographs it has not seen, in all styles
    held_out/                      these photographs
    training.csv                   every term of the loss over the steps
    manifest.json                  arguments, versions, weights, settings
    tensorboard/                   the terms, and pictures on their way

--init=CHECKPOINT adds styles to a network that stays as it is, in a tenth of the time; with
--fine_tune the whole network goes on learning, in its own styles and in those that are added, if
any. How long it will take is measured and said before it starts: on two cores an hour or two.
Stopped at any moment, the same command goes on where it was.
"""

from absl import flags

from tfvis import words
from tfvis.errors import InputError
from tfvis.style.fast.settings import LOSS, FastTraining
from tfvis.style.settings import Transfer

from .flags import common, fields, name_checks, paths
from .flags import networks as network_flags
from .flags import style as style_flags

_STYLES = paths.define(
    "styles", None, paths.each(paths.file),
    r"Pictures whose styles are learnt, separated by commas (one in a name is \,); a style has the "
    "name of its file; with --fine_tune there may be none.",
)  # fmt: skip
_CONTENT = paths.define(
    "content", None, paths.file_or_folder, "Folder of photographs to learn from.", required=True
)
_WORKDIR = common.define_workdir("out/train_style")
_INIT = flags.DEFINE_string(
    "init", None, "A checkpoint to whose styles these are added; its network stays as it is."
)
_FINE_TUNE = flags.DEFINE_bool(
    "fine_tune", False, "With --init: all of its network goes on learning, rather than to stay."
)
_NETWORK = network_flags.define_network(pooling="avg")
_PRECISION = common.define_precision()
_TRAINING = fields.define(
    FastTraining,
    (
        "steps", "fine_steps", "size", "batch", "rate", "style_size", "width", "blocks",
        "photographs", "stability", "seed",
    ),
)  # fmt: skip
_LOSS = fields.define(
    Transfer,
    (
        "recipe", "ratio", "content_layer_weights", "style_layer_weights", "tv_weight",
    ),
    recipe=LOSS.recipe,
    ratio=LOSS.ratio,
    content_layer_weights=None,
    style_layer_weights=None,
    tv_weight=LOSS.tv_weight,
)  # fmt: skip
_LAYERS = {
    name: flags.DEFINE_string(
        name, None, f"{what}; left out, {', '.join(getattr(LOSS, name))} or those of like depths."
    )
    for name, what in (
        ("content_layers", "Layers whose features are kept"),
        ("style_layers", "Layers of the statistics"),
    )
}


def main():
    """Reads the flags and the styles, then TensorFlow, then trains."""
    from tfvis.style.fast import checkpoint_files

    if not _STYLES.value and not _FINE_TUNE.value:
        raise InputError("--styles: expected at least one picture.")
    if _INIT.value:
        checkpoint_files.named(_INIT.value, "init")
    layers = {name: holder.value for name, holder in _LAYERS.items()}
    name_checks.check(_NETWORK(), layers=layers)
    styles = style_flags.named_pictures(_STYLES.value, "styles") if _STYLES.value else {}
    weights = {name: words.floats(_LOSS[name].value, name) for name in style_flags.LAYER_WEIGHTS}
    shared = common.start(_WORKDIR, _INIT, _FINE_TUNE, _PRECISION)
    from tfvis.experiments import fast_style_training

    return fast_style_training.run(
        _CONTENT.value,
        styles,
        _NETWORK(),
        settings=fields.values(FastTraining, _TRAINING),
        loss=fields.values(
            Transfer,
            _LOSS,
            content_layers=LOSS.content_layers,
            style_layers=LOSS.style_layers,
            **weights,
        ),
        **{name: words.split(value, name) for name, value in layers.items() if value is not None},
        command=common.command(),
        **shared,
    )


if __name__ == "__main__":
    common.run(main, "train_style")
