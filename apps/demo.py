"""Shows, in a few minutes, what VGG16 keeps of a photograph, what it looks for, what it sees.

    python -m apps.demo

Inverts five layers on the demo photograph (or --image), raises the unit of each that
answers the photograph most, exaggerates what the deep ones see in it, paints it in the
style of a painting of the project's own, names both and shows where that is seen, and writes
a page with all pictures to --workdir (index.html, one file, opens from disk) after each of them.
Sizes and steps are fitted to --minutes by the rate of this machine, measured at the start and
again in every section. Stopped at any moment, the same command goes on where it was.
"""

import time

from absl import flags

from .flags import common, name_checks, paths, pictures
from .flags import networks as network_flags

_IMAGE, _SIZE, _CROP = pictures.define_image(None)
_NETWORK = network_flags.define_network()
_WORKDIR, _PRECISION, _SEED, _JIT = common.define_run("out/demo")
_LAYERS = network_flags.define_layers("The rungs of the ladder")
_MINUTES = flags.DEFINE_float(
    "minutes", 5.0, "How long it is to take; --size and --steps are fitted to it.", lower_bound=0.5
)
_STEPS = flags.DEFINE_integer(
    "steps", None, "Steps of each picture; left out, what --minutes allow.", lower_bound=1
)
_CLASSIFIER = paths.define(
    "classifier",
    "pacs_vgg16",
    paths.checkpoint,
    "A checkpoint that names the photograph and its painting; empty leaves that out.",
)


def main():
    """Reads the picture, makes all pictures, writes the page after each section."""
    began = time.perf_counter()
    words = network_flags.layer_words(_LAYERS)
    name_checks.check(_NETWORK(), words=words)
    picture = pictures.picture(_IMAGE.value)
    shared = common.start(
        _WORKDIR, _MINUTES, _STEPS, _CLASSIFIER, _SEED, _SIZE, _CROP, _PRECISION, _JIT
    )
    from tfvis.experiments import demo

    return demo.run(_NETWORK(), picture, words, began=began, **shared)


if __name__ == "__main__":
    common.run(main, "demo")
