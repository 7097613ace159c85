"""Shows, in a few minutes, what VGG16 keeps of a photograph, what it looks for, what it sees.

    python -m apps.demo

Inverts five layers on the demo photograph (or --image), raises the unit of each that
answers the photograph most, exaggerates what the deep ones see in it, paints it in the
style of a painting of the project's own, names both and shows where that is seen, and writes
a page with all pictures to --workdir (index.html, one file, opens from disk) after each of them.
Sizes and steps are fitted to --minutes by the rate of this machine, measured at the start and
again in every section. Stopped at any moment, the same command goes on where it was.
"""

import os
import pathlib
import shlex
import sys
import time

from absl import flags

from tfvis.experiments import networks

from .flags import common, name_checks, paths, pictures
from .flags import networks as network_flags

_IMAGE, _SIZE, _CROP = pictures.define_image(None)
_NETWORK = network_flags.define_network()
_WORKDIR = common.define_workdir("out/demo")
_PRECISION = common.define_precision()
_SEED, _JIT = common.define_run()
_LAYERS = network_flags.define_layers("The rungs of the ladder")
# The side at which layers are looked for; the one that is shown is chosen later.
_CHECKED = 160
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


def main() -> None:
    """Reads the picture, makes all pictures, writes the page after each section."""
    began = time.perf_counter()
    from tfvis.errors import InputError

    words = network_flags.layer_words(_LAYERS)
    name_checks.check(_NETWORK(), words=words)
    picture = pictures.picture(_IMAGE.value)
    workdir = common.workdir(_WORKDIR.value)
    common.start_tensorflow()
    from tfvis.experiments import demo as demo_page
    from tfvis.experiments import demo_rows, devices, time_budget

    built = networks.networks(_NETWORK())
    if len(built) > 1:
        raise InputError("--network: the demo shows one network; invert compares several.")
    ((label, network),) = built.items()
    layers = networks.layers_of(built, words)[label]
    size = None if network.fixed_size else _SIZE.value or _CHECKED
    demo = demo_rows.Demo(
        label=label,
        network=network,
        target=networks.target(picture, network, size, _CROP.value),
        picture=picture,
        layers=layers,
        seed=_SEED.value,
        precision=_PRECISION.value,
        jit=_JIT.value,
        workdir=workdir,
        arguments=common.arguments(),
    )
    demo_rows.check(demo)
    page = workdir / "index.html"
    common.say("Measuring this machine ...")
    budget = time_budget.Budget(
        _MINUTES.value, began, demo_page.SHARES, network, devices.precision(_PRECISION.value),
        demo_page.NAMING if _CLASSIFIER.value else 0, workdir / "plan.json", common.arguments(),
    )  # fmt: skip
    asked = demo_page.Asked(_SIZE.value, _STEPS.value, _CROP.value, _CLASSIFIER.value)

    common.say(f"Planned: all in {demo_page.spelled(budget.left)}; the page grows at {page}.")
    demo_page.make(demo, budget, asked, page)
    taken = demo_page.spelled(time.perf_counter() - began)
    common.say(f"It took {taken} of {demo_page.spelled(60 * _MINUTES.value)}.")
    common.tell(f"Open {page.resolve()} in a browser.")
    tensorboard = os.path.relpath(pathlib.Path(sys.executable).with_name("tensorboard"))
    common.tell(
        f"The pictures as they grew: {shlex.quote(tensorboard)} "
        f"--samples_per_plugin=images=500 --logdir {shlex.quote(str(workdir))}"
    )


def run() -> None:
    """The app's entry point."""
    common.run(main, "demo")


if __name__ == "__main__":
    run()
