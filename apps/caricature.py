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

from tfvis import preimages
from tfvis.experiments import networks

from .flags import common, descent, fields, name_checks, pictures
from .flags import networks as network_flags

_IMAGE, _SIZE, _CROP = pictures.define_image()
_NETWORK = network_flags.define_network()
_WORKDIR = common.define_workdir("out/caricature")
_PRECISION = common.define_precision()
_SEED, _JIT = common.define_run()
_LAYERS = network_flags.define_layers("Layers to exaggerate")
_STRENGTH = fields.one(preimages.Caricature, "strength")
_DESCENT = descent.define_descent(preimages.Caricature)


def main() -> None:
    """Reads the flags and the picture, then TensorFlow, then exaggerates."""

    words = network_flags.layer_words(_LAYERS)
    name_checks.check(_NETWORK(), words=words)
    picture = pictures.picture(_IMAGE.value)
    workdir = common.workdir(_WORKDIR.value)
    common.start_tensorflow()
    from tfvis.experiments import caricature

    built = networks.networks(_NETWORK(), words=words)
    layers = networks.layers_of(built, words)
    targets = {
        label: networks.target(picture, network, _SIZE.value, _CROP.value)
        for label, network in built.items()
    }
    settings = {
        label: descent.settings(
            _DESCENT, network, targets[label], layers[label][-1], workdir,
            _PRECISION.value, _JIT.value, strength=_STRENGTH.value,
        )
        for label, network in built.items()
    }  # fmt: skip
    job = caricature.Job(built, targets, layers, settings, _SEED.value, workdir, common.arguments())
    for line in caricature.lines(job, caricature.run(job)):
        common.tell(line)
    common.tell(f"All in one picture: {workdir / 'sheet.png'}")


def run() -> None:
    """The app's entry point."""
    common.run(main, "caricature")


if __name__ == "__main__":
    run()
