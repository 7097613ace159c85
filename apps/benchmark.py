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
    style       where 150 evaluations of neural style end, beside SciPy's L-BFGS-B
    evaluation  one at 512 px, beside a matrix product, and the same in eager PyTorch
    memory      of a picture of 2048 px
    all         every one of the above

    truth       of either recipe of inversion: errors, colours of bright areas, borders
    descent     how near the default of inversion comes to what ten times the work reaches
    priors      each --prior of inversion on --count photographs of the --part of --data that
                --checkpoint names, at equal feature error too; goes on from the workdir
    recipes     what the recipes of neural style reach in the same time, with --evaluations
    vbp         VisualBackProp beside the forward pass; with --data, whether what it marks
                moves the output of --checkpoint, and whether class maps lie on their pictures
                in grids of four; with --images, a folder of drawings, boxes beside the ink
    boxes       writes boxes.csv of --count drawings on white, the --part of --data that
                --checkpoint names: their ink is the true box, for `evaluate --boxes`
    borders     what `crop_borders` keeps and takes off, on --count made-up photographs of museums
                of the pictures in --data, and whether it leaves those pictures whole
    domains     of the sources --data, each left out of a training and tested on
    caffe       reading a .caffemodel of 61 million weights beside reading its bytes, and the
                memory it takes
    oracle      the named Caffe networks, every layer beside OpenCV's (needs
                opencv-python-headless<5)
    fooling     planted circuits that show what their units do not look for (Geirhos et al. 2024):
                how many of --count path similarity finds, from --seed on, and how many honest
                units it takes for such
    style_clusters  whether styles are found: --count of --images, photographs, each drawn in 16
                manners; or with --data, that many pictures of each of these folders; by all
                scalings and methods, beside content and colours, and how far sketches are off
    fast_style  of the network of `train_style` that --fast names, on --count photographs of
                --images that it has not learnt from (its workdir has held_out/), shared out among
                its styles: after how many --evaluations of L-BFGS the energy is as low, seconds,
                Nyquist frequency, borders, flicker
    batch       a batch of generated items under --kills kill -9 of its processes, on --engine:
                what is lost, done twice or changed; of local, also what shards cost over the bare
                loop, what a second worker brings, and the memory of many
    atlas       whether `atlas --find` finds units that were planted in photographs: --count trials
                on the atlas in --workdir
    planted     whether it names first the units that were planted in photos_small, each for a
                pattern of its own: --count trials on photographs of --images, also with the
                pattern's cells shuffled and without it
    refusals    a thousand bad inputs to all apps: which are not refused in one line that
                names them, leave files, take long or much memory (half an hour)

and, over --count photographs of a folder, --images (they take hours, keep a CSV and go on
from it):

    layers      relative errors of every layer of VGG16
    shallow     HOG and dense SIFT: errors beside the published ones
    activation  what maximised units answer, beside the most that photographs get
"""

from absl import flags

from tfvis import words
from tfvis.classifiers.settings import Training
from tfvis.errors import InputError
from tfvis.experiments import networks

from .flags import classifier as classifier_flags
from .flags import common, fields, name_checks, paths, pictures
from .flags import networks as network_flags
from .flags import style as style_flags

_IMAGE, _SIZE, _CROP = pictures.define_image(224)
_NETWORK = network_flags.define_network()
_WORKDIR = common.define_workdir("out/benchmark")
_PRECISION = common.define_precision()
_TABLES = ["inversion", "precision", "steps", "machine", "torch", "peers", "app"]
_STYLES = ["style", "evaluation", "memory"]
_LONG = ["truth", "descent", "priors", "recipes", "vbp", "boxes", "borders", "domains", "caffe"]
_LONG += ["oracle", "fooling", "style_clusters", "fast_style", "batch", "atlas"]
_LONG += ["planted", "refusals"]
_SURVEYS = ["layers", "shallow", "activation"]
_TABLE = flags.DEFINE_enum(
    "table", "all", ["all", *_TABLES, *_STYLES, *_LONG, *_SURVEYS], "Which table to print."
)
_IMAGES = paths.define(
    "images", None, paths.file_or_folder, "Folder of photographs for the last three tables."
)
_STYLE = style_flags.define_style(several=False)
_EVALUATIONS = flags.DEFINE_integer(
    "evaluations", 200, "Of the tables priors, recipes and fast_style.", lower_bound=10
)
_COUNT = flags.DEFINE_integer("count", 20, "How many of them are taken.", lower_bound=2)
_SEED = flags.DEFINE_integer(
    "seed",
    0,
    "Of the first circuit in the table fooling, the first training in domains, chance in atlas and "
    "planted.",
    0,
)
_KILLS = flags.DEFINE_integer(
    "kills", 100, "Of processes, in the table batch; 0 leaves them out, and measures its costs.", 0
)
_ENGINE = flags.DEFINE_enum(
    "engine", "local", ["local", "ray"], "Whose processes are killed in the table batch."
)
# Generated items of the table batch, when its memory is measured.
_MANY = 100_000
_SEEDS = flags.DEFINE_integer("seeds", 1, "Trainings per source in the table domains.", 1)
_FAST = flags.DEFINE_string("fast", None, "The network of the table fast_style.")
_CHECKPOINT = classifier_flags.define_checkpoint("pacs_vgg16")
_DATA = classifier_flags.define_data(
    "Labelled sources, for the tables vbp, boxes, borders, domains and priors.", required=False
)
_PART = classifier_flags.define_part()
_CACHE = classifier_flags.define_cache()
_VIEWS, _DRAWN, _EPOCHS, _CUT, _MIX = classifier_flags.define_effort()
_TRAINING = fields.define(Training, ("rate", "batch", "averaging"))
_STYLES, _STYLISED, _STYLE_LAYER = classifier_flags.define_styles()
_ADAPT = flags.DEFINE_integer(
    "adapt", 0, "Epochs of a second training in the table domains, adapting from the first on.", 0
)
_LAYERS = flags.DEFINE_string(
    "layers",
    "block1_conv2,block2_conv2,block3_conv3,block4_conv3,block5_conv3",
    "Layers of the tables of speed and precision.",
)
_ROUNDS = flags.DEFINE_integer("rounds", 5, "Rounds behind each median.", lower_bound=1)


def main() -> None:
    """Prints the tables asked for."""
    from tfvis import images
    from tfvis.experiments import workdirs

    if _TABLE.value == "refusals":
        # Of apps as processes; nothing of it needs a network here.
        workdir = workdirs.claimed(_WORKDIR.value)
        common.start_tensorflow()
        from .benchmarks import refusals

        refusals.table_refusals(workdir)
        return
    if _TABLE.value == "batch":
        from .benchmarks import batch_costs, batch_kills

        workdir = workdirs.claimed(_WORKDIR.value)
        if _KILLS.value:
            batch_kills.table_kills(workdir, _KILLS.value, _ENGINE.value)
        if _ENGINE.value == "local":
            batch_costs.table_costs(workdir, _MANY)
        return
    if _TABLE.value == "atlas":
        # Of its own networks.
        workdir = workdirs.claimed(_WORKDIR.value)
        common.start_tensorflow()
        from .benchmarks import atlas

        atlas.table_atlas(workdir, _COUNT.value, _SEED.value)
        return
    if _TABLE.value == "planted":
        _planted()
        return
    if _TABLE.value == "borders":
        # Nor this one, nor TensorFlow.
        _borders(workdirs.claimed(_WORKDIR.value))
        return
    if _TABLE.value == "fast_style":
        # Of the network that it was trained with.
        _fast_style()
        return
    layers = words.split(_LAYERS.value, "layers")
    name_checks.check(_NETWORK(), words=layers)
    whole = pictures.picture(_IMAGE.value)
    picture = images.crop(whole, _CROP.value)
    style = style_flags.pictures(_STYLE.value, "style")[0]
    workdir = workdirs.claimed(_WORKDIR.value)
    common.start_tensorflow()
    from tfvis.experiments import devices, folders
    from tfvis.report import manifest

    from .benchmarks import (
        caffe_oracle,
        caffe_reading,
        fooling,
        inversion_recipes,
        peers,
        quality,
        steps,
        surveys,
    )
    from .benchmarks import styles as style_tables

    network = networks.only(networks.networks(_NETWORK()), "the tables are of one")
    target = networks.target(picture, network, _SIZE.value, "none")
    network.check(layers)
    print(", ".join(f"{k} {v}" for k, v in manifest.versions().items()))
    found = folders.find(_IMAGES.value, "images") if _IMAGES.value else None
    size, count = _SIZE.value, _COUNT.value
    tables = {
        "layers": lambda: surveys.table_layers(network, found, count, size, workdir),
        "shallow": lambda: surveys.table_shallow(found, count, size, workdir),
        "activation": lambda: surveys.table_activation(network, found, count, workdir),
        "peers": lambda: peers.table_peers(network, _ROUNDS.value),
        "inversion": lambda: quality.table_inversion(
            network, target, devices.precision(_PRECISION.value), workdir
        ),
        "truth": lambda: inversion_recipes.table_truth(
            network, target, layers, devices.precision(_PRECISION.value), workdir
        ),
        "descent": lambda: inversion_recipes.table_descent(
            network, target, layers, devices.precision(_PRECISION.value)
        ),
        "precision": lambda: quality.table_precision(network, target, layers),
        "steps": lambda: steps.table_steps(network, target, layers, _ROUNDS.value),
        "machine": lambda: steps.table_machine(
            network, images.resize(picture, 512, 512), layers, _ROUNDS.value
        ),
        "torch": lambda: steps.table_torch(network, target, layers, _ROUNDS.value),
        "app": quality.table_app,
        "style": lambda: style_tables.table_style(network, whole, style, size, workdir),
        "evaluation": lambda: style_tables.table_evaluation(network, whole, style, _ROUNDS.value),
        "priors": lambda: _priors(network, layers, workdir),
        "recipes": lambda: style_tables.table_recipes(
            network, whole, style, size, _EVALUATIONS.value, workdir
        ),
        "vbp": lambda: _attention(network),
        "boxes": lambda: _boxes(workdir),
        "domains": lambda: _domains(workdir),
        "caffe": lambda: caffe_reading.table_caffe(_ROUNDS.value),
        "oracle": caffe_oracle.table_oracle,
        "fooling": lambda: fooling.table_fooling(count, _SEED.value),
        "style_clusters": lambda: _style_clusters(network, found, workdir),
        "memory": lambda: style_tables.table_memory(_IMAGE.value, _STYLE.value),
    }
    for name in [*_TABLES, *_STYLES] if _TABLE.value == "all" else [_TABLE.value]:
        print(f"\n[{name}]", flush=True)
        tables[name]()


def _attention(network) -> None:
    """Prints the tables of maps, as far as there are pictures for them."""
    from tfvis.experiments import devices

    from .benchmarks import attention

    precision = devices.precision(_PRECISION.value)
    attention.table_cost(network, "float32", _ROUNDS.value)
    if _IMAGES.value:
        drawings = attention.drawings(_IMAGES.value)
        attention.table_ink(network, drawings, _COUNT.value, precision)
    if _DATA.value:
        classifier = networks.classifier(_CHECKPOINT.value)
        sources = words.split(_DATA.value, "data")
        examples = attention.labelled(sources, classifier, _PART.value)
        attention.table_shift(classifier, examples, _COUNT.value, precision)
        attention.table_pointing(classifier, examples, _COUNT.value, precision)


def _sources(kind: str) -> list[str]:
    """Returns --data, which a table needs: of what kind is said where it is missing."""
    if not _DATA.value:
        raise InputError(f"--data: this table needs {kind}.")
    return words.split(_DATA.value, "data")


def _boxes(workdir) -> None:
    """Writes the table of drawings."""
    from .benchmarks import attention

    sources = _sources("labelled drawings")
    classifier = networks.classifier(_CHECKPOINT.value)
    examples = attention.labelled(sources, classifier, _PART.value)
    attention.table_boxes(examples, classifier.classes, _COUNT.value, workdir / "boxes.csv")


def _style_clusters(network, found, workdir) -> None:
    """Prints the table of clusters of styles."""
    from .benchmarks import style_clusters

    if _DATA.value:
        pictures = style_clusters.of_folders(words.split(_DATA.value, "data"), _COUNT.value)
    else:
        pictures = style_clusters.drawings(found, _COUNT.value, _SIZE.value, workdir)
    style_clusters.table_style_clusters(network, pictures, _SIZE.value, workdir)


def _fast_style() -> None:
    """Prints the table of a network that paints."""
    import itertools

    from tfvis.experiments import folders, workdirs
    from tfvis.style.fast import checkpoint_files

    for flag, value in (("fast", _FAST.value), ("images", _IMAGES.value)):
        if not value:
            raise InputError(f"--{flag}: this table needs it; see --help.")
    checkpoint_files.named(_FAST.value)
    workdir = workdirs.claimed(_WORKDIR.value)
    found = folders.find(_IMAGES.value, "images")
    common.start_tensorflow()
    from .benchmarks import fast_style

    chosen = itertools.islice(folders.pictures(found), _COUNT.value)
    fast_style.table_fast_style(
        _FAST.value, [pixels for _, pixels in chosen], _EVALUATIONS.value, 256, workdir
    )


def _planted() -> None:
    """Prints the table of planted units."""
    from tfvis.experiments import workdirs

    if not _IMAGES.value:
        raise InputError("--images: this table needs photographs.")
    workdir = workdirs.claimed(_WORKDIR.value)
    common.start_tensorflow()
    from .benchmarks import planted_units

    planted_units.table_planted(_IMAGES.value, workdir, _COUNT.value, _SEED.value)


def _borders(workdir) -> None:
    """Prints the table of charts, rulers and backdrops."""
    from tfvis.classifiers import datasets

    from .benchmarks import borders

    sources = _sources("pictures")
    found = datasets.read(sources, labelled=False)
    paths = [example.path for example in found.examples]
    borders.table_borders(paths, _COUNT.value, workdir / "borders.csv")


def _priors(network, layers: list[str], workdir) -> None:
    """Prints the table of priors."""
    from tfvis.experiments import devices

    from .benchmarks import priors

    sources = _sources("labelled photographs")
    photographs = priors.examples(
        sources, _CHECKPOINT.value, _PART.value, _COUNT.value, _SIZE.value,
        network.channels,
    )  # fmt: skip
    priors.table_priors(
        network, photographs, layers, _EVALUATIONS.value, devices.precision(_PRECISION.value),
        _CHECKPOINT.value, workdir,
    )  # fmt: skip


def _domains(workdir) -> None:
    """Prints the table of sources left out."""
    from tfvis.experiments import devices

    from .benchmarks import domains

    settings = fields.values(
        Training, _TRAINING, seed=_SEED.value, epochs=_EPOCHS.value, mixing=_MIX.value,
        precision=devices.precision(_PRECISION.value),
    )  # fmt: skip
    recipe = domains.Recipe(
        _NETWORK(), settings, (_VIEWS.value, _DRAWN.value), _CUT.value, _CACHE.value, _SIZE.value,
        _ADAPT.value, (_STYLES.value, _STYLISED.value, _STYLE_LAYER.value),
    )  # fmt: skip
    sources = _sources("labelled sources")
    domains.table_domains(sources, recipe, _SEEDS.value, workdir)


if __name__ == "__main__":
    common.run(main, "benchmark")
