"""Shows, in a few minutes, what each layer of VGG16 still knows of a photograph.

    python -m apps.demo

Inverts five layers on the demo photograph (or --image) and writes a page with all
pictures to --workdir (index.html, one file, opens from disk). Stopped at any
moment, the same command goes on where it was.
"""

import os
import pathlib
import shlex
import sys

from absl import flags

from apps import common

# 160 px and 200 + 50 steps keep the whole ladder near two minutes in bfloat16 and
# under five in float32 on two cores; the pictures lose little (apps.invert: 224, 300).
_IMAGE, _SIZE, _CROP = common.define_image(160)
_NETWORK = common.define_network()
_WORKDIR = common.define_workdir("out/demo")
_PRECISION = common.define_precision()
_SEED, _JIT = common.define_run()
_LAYERS = flags.DEFINE_string(
    "layers",
    "block1_conv2,block2_conv2,block3_conv3,block4_conv3,block5_conv3",
    "The rungs of the ladder.",
)
_STEPS = flags.DEFINE_integer("steps", 200, "Steps with jitter at full rate.", lower_bound=1)

_TEXT = (
    "Each picture was found from noise: it is an image whose features, at the layer "
    "named below it, are those of the photograph. Shallow layers keep nearly every "
    "pixel. Deeper ones keep shapes and let go of exact places and colours; what they "
    "forgot, a natural-image prior filled in. The relative error is the distance of "
    "the features left over, as a share of their length."
)


_PLOT = "root mean square difference between the pre-image's pixels and the photograph's"


def main() -> None:
    """Reads the picture, inverts, writes the page."""
    import numpy as np

    from tfvis import files, images

    layers = common.split(_LAYERS.value, "layers")
    picture = common.picture(_IMAGE.value)
    workdir = files.make_folder(_WORKDIR.value, "--workdir")
    common.start_tensorflow()
    from apps import inversions
    from tfvis import preimages
    from tfvis.report import pages, plots

    network = common.network(_NETWORK)
    size = None if network.fixed_size else _SIZE.value
    target = common.target(picture, network, size, _CROP.value)
    job = inversions.Job(
        network=network,
        target=target,
        layers=layers,
        seeds=(_SEED.value,),
        settings=preimages.Inversion(
            steps=_STEPS.value,
            precision=inversions.precision(_PRECISION.value),
            jit=inversions.jit(_JIT.value, workdir, network, target, layers[-1]),
        ),
        workdir=workdir,
        arguments=common.arguments(),
    )
    results = inversions.run(job)
    figures = [
        pages.Figure(job.target, "the photograph", f"{target.shape[1]} x {target.shape[0]} px")
    ]
    figures += [
        pages.Figure(
            images.with_channels(images.read(workdir / result["file"]).pixels, network.channels),
            result["layer"],
            f"relative error {result['relative_error']:.3f}",
        )
        for result in results
    ]
    # How far the pixels are, though the features agree: what the layer has let go of.
    distances = [float(np.sqrt(np.square(figure.pixels - target).mean())) for figure in figures[1:]]
    curve = plots.lines({"": (layers, distances)}, "layer", "pixels differ by, grey levels")
    figures.append(pages.Figure(curve, "What each layer let go of", _PLOT, wide=True))
    section = pages.Section("What each layer keeps", _TEXT, tuple(figures))
    page = workdir / "index.html"
    pages.write(page, f"tfvis: {network.name} and one photograph", [section])
    print(f"Open {page.resolve()} in a browser.")
    tensorboard = os.path.relpath(pathlib.Path(sys.executable).with_name("tensorboard"))
    print(
        f"The pictures as they grew: {shlex.quote(tensorboard)} "
        f"--samples_per_plugin=images=500 --logdir {shlex.quote(str(workdir))}"
    )


def run() -> None:
    """The app's entry point."""
    common.run(main, "apps.demo")


if __name__ == "__main__":
    run()
