"""Measures what the project claims: errors, speed, memory, beside this machine's own rates.

    python -m apps.benchmark --table=steps
    python -m apps.benchmark --table=inversion --image=tubingen.jpg --crop=right

Times are medians of rounds taken in turns, so that their ratios hold on a machine that
does other things too. Tables:

    inversion   relative errors of saved pre-images at four layers of VGG16
    precision   float32 and bfloat16: where the energy ends
    steps       an inversion step beside the bare network's forward and backward pass, and
                beside the same pass of the model as Keras runs it
    machine     forward and backward at 512 px beside a 4096^2 matrix product
    torch       an inversion step beside the same energy in eager PyTorch
    peers       maximising 16 units beside tf-keras-vis, where that is installed
    app         answering time of --help, memory of a 224 px inversion
    all         every one of the above

and, over --count photographs of a folder, --images (they take hours, keep a CSV and go on
from it):

    layers      relative errors of every layer of VGG16
    shallow     HOG and dense SIFT: errors beside the published ones
    activation  what maximised units answer, beside the most that photographs get
"""

from absl import flags

from apps import common, subjects

_IMAGE, _SIZE, _CROP = subjects.define_image(224)
_NETWORK = subjects.define_network()
_WORKDIR = common.define_workdir("out/benchmark")
_PRECISION = common.define_precision()
_TABLES = ["inversion", "precision", "steps", "machine", "torch", "peers", "app"]
_SURVEYS = ["layers", "shallow", "activation"]
_TABLE = flags.DEFINE_enum("table", "all", ["all", *_TABLES, *_SURVEYS], "Which table to print.")
_IMAGES = flags.DEFINE_string("images", None, "Folder of photographs for the last three tables.")
_COUNT = flags.DEFINE_integer("count", 20, "How many of them are taken.", lower_bound=2)
_LAYERS = flags.DEFINE_string(
    "layers",
    "block1_conv2,block2_conv2,block3_conv3,block4_conv3,block5_conv3",
    "Layers of the tables of speed and precision.",
)
_ROUNDS = flags.DEFINE_integer("rounds", 5, "Rounds behind each median.", lower_bound=1)


def main() -> None:
    """Prints the tables asked for."""
    from tfvis import files, images
    from tfvis.errors import InputError

    layers = common.split(_LAYERS.value, "layers")
    picture = images.crop(subjects.picture(_IMAGE.value), _CROP.value)
    workdir = files.make_folder(_WORKDIR.value, "--workdir")
    common.start_tensorflow()
    from apps import folders, machine
    from apps.benchmarks import peers, quality, steps, surveys
    from tfvis.report import manifest

    built = subjects.networks(_NETWORK)
    if len(built) > 1:
        raise InputError("--network: the tables are of one network.")
    (network,) = built.values()
    target = subjects.target(picture, network, _SIZE.value, "none")
    network.check(layers)
    print(", ".join(f"{k} {v}" for k, v in manifest.versions().items()))
    found = folders.find(_IMAGES.value, "--images") if _IMAGES.value else None
    size, count = _SIZE.value, _COUNT.value
    tables = {
        "layers": lambda: surveys.table_layers(network, found, count, size, workdir),
        "shallow": lambda: surveys.table_shallow(found, count, size, workdir),
        "activation": lambda: surveys.table_activation(network, found, count, workdir),
        "peers": lambda: peers.table_peers(network, _ROUNDS.value),
        "inversion": lambda: quality.table_inversion(
            network, target, machine.precision(_PRECISION.value), workdir
        ),
        "precision": lambda: quality.table_precision(network, target, layers),
        "steps": lambda: steps.table_steps(network, target, layers, _ROUNDS.value),
        "machine": lambda: steps.table_machine(
            network, images.resize(picture, 512, 512), layers, _ROUNDS.value
        ),
        "torch": lambda: steps.table_torch(network, target, layers, _ROUNDS.value),
        "app": quality.table_app,
    }
    for name in _TABLES if _TABLE.value == "all" else [_TABLE.value]:
        print(f"\n[{name}]", flush=True)
        tables[name]()


def run() -> None:
    """The app's entry point."""
    common.run(main, "apps.benchmark")


if __name__ == "__main__":
    run()
