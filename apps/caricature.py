"""Exaggerates in a picture what a layer of a network answers to.

    python -m apps.caricature --image=photo.jpg --layers=block3_conv3,block5_conv3

The picture is changed so that what each layer sees in it grows, while it stays a natural
image (Mahendran & Vedaldi, IJCV 2016). Writes to --workdir:

    sheet.png                    per layer the picture, its caricature, and the difference
    <layer>/caricature.png       one per layer
    manifest.json                arguments, versions, weights, exaggerations
    tensorboard/                 images and energy terms over the steps

Stopped at any moment, the same command goes on where it was. A layer of VGG16 at
224 px takes half a minute to two minutes on two cores.
"""

from absl import flags

from apps import common, descents, early, subjects

_IMAGE, _SIZE, _CROP = subjects.define_image()
_NETWORK = subjects.define_network()
_WORKDIR = common.define_workdir("out/caricature")
_PRECISION = common.define_precision()
_SEED, _JIT = common.define_run()
_LAYERS = subjects.define_layers("Layers to exaggerate")
_STRENGTH = flags.DEFINE_float(
    "strength",
    None,
    "Weight of what the layer sees against the prior; left out, by the layer's depth.",
    lower_bound=0,
)
_DESCENT = descents.define_descent(300, 0)


def main() -> None:
    """Reads the flags and the picture, then TensorFlow, then exaggerates."""

    words = subjects.layer_words(_LAYERS)
    early.check(_NETWORK, words=words)
    picture = subjects.picture(_IMAGE.value)
    workdir = common.workdir(_WORKDIR.value)
    common.start_tensorflow()
    from apps import caricatures
    from tfvis import preimages

    built = subjects.networks(_NETWORK, words=words)
    layers = subjects.layers_of(built, words)
    targets = {
        label: subjects.target(picture, network, _SIZE.value, _CROP.value)
        for label, network in built.items()
    }
    settings = {
        label: descents.settings(
            preimages.Caricature, _DESCENT, network, targets[label], layers[label][-1], workdir,
            _PRECISION.value, _JIT.value, strength=_STRENGTH.value,
        )
        for label, network in built.items()
    }  # fmt: skip
    job = caricatures.Job(
        built, targets, layers, settings, _SEED.value, workdir, common.arguments()
    )
    for line in caricatures.lines(job, caricatures.run(job)):
        common.tell(line)
    common.tell(f"All in one picture: {workdir / 'sheet.png'}")


def run() -> None:
    """The app's entry point."""
    common.run(main, "apps.caricature")


if __name__ == "__main__":
    run()
