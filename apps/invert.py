"""Shows what a layer still knows of a picture, by inverting it.

    python -m apps.invert --image=photo.jpg --layers=block1_conv2,block5_conv3

For each layer a new image is sought, from noise, whose features are those of the
picture; what the layer has forgotten, a natural-image prior fills in (Mahendran &
Vedaldi, IJCV 2016). Writes to --workdir:

    sheet.png                    the picture, then each layer and its relative error
    <layer>/preimage_<k>.png     one per layer and restart
    manifest.json                arguments, versions, weights, errors, energies
    tensorboard/                 images and energy terms over the steps

Stopped at any moment, the same command goes on where it was. A layer of VGG16 at
224 px takes half a minute to three minutes on two cores.
"""

from absl import flags

from apps import common

_IMAGE, _SIZE, _CROP = common.define_image()
_NETWORK = common.define_network()
_WORKDIR = common.define_workdir("out/invert")
_PRECISION = common.define_precision()
_SEED, _JIT = common.define_run()
_LAYERS = flags.DEFINE_string(
    "layers",
    "block1_conv2,block2_conv2,block3_conv3,block4_conv3,block5_conv3",
    "Layers to invert; all takes every convolution and pooling.",
)
_RESTARTS = flags.DEFINE_integer(
    "restarts",
    1,
    "Pre-images per layer, from noise of seed, seed + 1, ...",
    lower_bound=1,
    upper_bound=256,
)
_STEPS = flags.DEFINE_integer("steps", 300, "Steps with jitter at full rate.", lower_bound=1)
_FINE_STEPS = flags.DEFINE_integer(
    "fine_steps", 50, "Steps after them, without jitter, at a lower rate.", lower_bound=0
)
_FINE_RATE = flags.DEFINE_float(
    "fine_rate", 0.1, "Their rate, as a share of --rate.", lower_bound=1e-6
)
_LEAK = flags.DEFINE_float(
    "leak", 0.9, "Share of the squared gradients adagrad keeps.", lower_bound=0, upper_bound=1
)
_MOMENTUM = flags.DEFINE_float(
    "momentum", 0.9, "Share of the last change adagrad keeps.", lower_bound=0, upper_bound=1
)
_STRENGTH = flags.DEFINE_float(
    "strength",
    None,
    "C, the features against the prior; left out, by the layer's depth.",
    lower_bound=0,
)
_JITTER = flags.DEFINE_integer(
    "jitter",
    None,
    "J, shifts of 0 to J - 1 px; left out, a quarter of the layer's stride.",
    lower_bound=1,
    upper_bound=256,
)
_UPDATE = flags.DEFINE_enum(
    "update", "adagrad", ["adagrad", "adam"], "Step rule: the published one, or Adam."
)
_RATE = flags.DEFINE_float(
    "rate",
    None,
    "Step rate; left out, the published one (adam: 4 grey levels).",
    lower_bound=0,
)
_PRIOR = flags.DEFINE_bool("prior", True, "The natural-image prior; --no-prior for the ablation.")
_ALPHA = flags.DEFINE_float("alpha", 6, "Exponent of the colour norm.", lower_bound=0.5)
_ALPHA_WEIGHT = flags.DEFINE_float(
    "alpha_weight", None, "Its weight; left out, 1 / B^alpha.", lower_bound=0
)
_TV_BETA = flags.DEFINE_float("tv_beta", 2, "Exponent of the total variation.", lower_bound=0.1)
_TV_WEIGHT = flags.DEFINE_float(
    "tv_weight", None, "Its weight; left out, 1 / V^beta.", lower_bound=0
)
_COLOR = flags.DEFINE_float(
    "color", 80, "B, the typical length of a colour vector, in grey levels.", lower_bound=1
)
_GRADIENT_RATIO = flags.DEFINE_float(
    "gradient_ratio", 6.5, "B / V, V being the typical length of a gradient.", lower_bound=0.1
)
_BOUND = flags.DEFINE_float(
    "bound", None, "Longest colour vector allowed; left out, 2 B.", lower_bound=1
)
_MASK_CHANNELS = flags.DEFINE_string(
    "mask_channels", None, "Match these channels only, such as 0-31,40."
)
_MASK_WINDOW = flags.DEFINE_string(
    "mask_window", None, "Match this part of the map only: top,left,height,width."
)


def main() -> None:
    """Reads the flags and the picture, then TensorFlow, then inverts."""
    from tfvis import files
    from tfvis.errors import InputError

    layers = common.split(_LAYERS.value, "layers")
    window = common.numbers(_MASK_WINDOW.value, "mask_window", exactly=4)
    channels = common.numbers(_MASK_CHANNELS.value, "mask_channels")
    if _SEED.value + _RESTARTS.value > 2**31 - 1:
        raise InputError("--seed: too large for that many --restarts.")
    picture = common.picture(_IMAGE.value)
    workdir = files.make_folder(_WORKDIR.value, "--workdir")

    common.start_tensorflow()
    from apps import inversions
    from tfvis import preimages, priors

    network = common.network(_NETWORK)
    target = common.target(picture, network, _SIZE.value, _CROP.value)
    if layers == ["all"]:
        layers = list(network.convolutions_and_poolings())
        if not layers:
            raise InputError(f"--layers=all: {network.name} has no convolution or pooling.")
    prior = priors.NO_PRIOR
    if _PRIOR.value:
        prior = priors.NaturalPrior(
            alpha=_ALPHA.value,
            beta=_TV_BETA.value,
            color=_COLOR.value,
            gradient_ratio=_GRADIENT_RATIO.value,
            alpha_weight=_ALPHA_WEIGHT.value,
            tv_weight=_TV_WEIGHT.value,
            bound=_BOUND.value or 2 * _COLOR.value,
        )
    settings = preimages.Inversion(
        strength=_STRENGTH.value,
        jitter=_JITTER.value,
        prior=prior,
        steps=_STEPS.value,
        fine_steps=_FINE_STEPS.value,
        fine_rate=_FINE_RATE.value,
        leak=_LEAK.value,
        momentum=_MOMENTUM.value,
        update=_UPDATE.value,
        rate=_RATE.value,
        precision=inversions.precision(_PRECISION.value),
        jit=inversions.jit(_JIT.value, workdir, network, target, layers[-1]),
        mask_channels=channels,
        mask_window=window,
    )
    job = inversions.Job(
        network=network,
        target=target,
        layers=layers,
        seeds=tuple(range(_SEED.value, _SEED.value + _RESTARTS.value)),
        settings=settings,
        workdir=workdir,
        arguments=common.arguments(),
    )
    for result in inversions.run(job):
        print(
            f"{result['layer']:<24} relative error {result['relative_error']:.3f}  "
            f"{result['seconds']:6.1f} s  {result['file']}"
        )
    print(f"All in one picture: {workdir / 'sheet.png'}")


def run() -> None:
    """The app's entry point."""
    common.run(main, "apps.invert")


if __name__ == "__main__":
    run()
