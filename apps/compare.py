"""Compares two networks: what they represent alike, unit by unit, and what each answers alone.

    python -m apps.compare --images=photo=photos,drawn=drawings

Both are shown the same pictures, as many of each domain; where folders hold a folder per class, of
each class alike. Writes to --workdir:

    index.html            the report; opens from disk, with figures/ and the tables beside it
    accuracy.csv          how often each names each domain rightly, per class
    alignment.csv         unbiased linear CKA of all pairs of layers, beside shuffled pictures
    depiction.csv         are drawings like photographs of the same classes to them (RSA)?
    line_drawings.csv     are photographs like line drawings of themselves to them?
    units.csv             units matched one to one, and the most alike
    preferences.csv       units that answer one domain, or one class, far above the others
    unit_pictures.csv     units most and least alike: pictures that raise them, patches they answer
    attention.csv         where both look in twelve pictures
    inversion.csv         the same picture inverted through both; what the other finds in it
    caricature.csv        the same picture caricatured through both
    maximization.csv      the same classes raised in both; what the other calls the pictures
    style.csv             the same picture and style through both, as each sees the results
    shape_bias.csv        what they call pictures of one class's shape, another's texture
    invariance.csv        how much a layer minds the style of a picture
    figures/              the report's: photographs as JPEG, plots as PNG
    responses/            what the layers answered; the same command goes on with them
    sections.json, manifest.json, tensorboard/

Pictures that one of the networks says it has learnt from are left out. Sections made by an earlier
command stay on the page, unless what is compared is another. To keep a report, copy index.html, the
tables and figures/.

The same command goes on where it was stopped. The two classifiers that come along took half an hour
on two cores with bfloat16; --quick and --steps shorten it.
"""

from absl import flags

from tfvis import words
from tfvis.experiments.comparison_extent import FULL, QUICK

from .flags import common, fields, name_checks, paths, pictures
from .flags import networks as network_flags

_WANTED = fields.define(
    network_flags.Wanted,
    {"network": "networks", "weights": "weights", "preprocessing": "preprocessing"},
    network_flags.CHECKS,
    network="photos_vgg16,drawings_vgg16",
)
_IMAGES = flags.DEFINE_string(
    "images",
    None,
    "Pictures by domain, such as photo=FOLDER,drawn=FOLDER; each a folder with a folder per "
    "class, a folder of pictures, or a CSV file.",
    required=True,
)
_LAYERS = flags.DEFINE_string(
    "layers",
    None,
    "Layers that correspond, such as block3_conv3,block5_conv3; one|another, of the first network "
    "and of the second, where they name theirs differently; left out, all convolutions, or the "
    "last of each stride.",
)
_CONTROL = paths.define(
    "control",
    "",
    paths.network,
    "A network like the first from another seed: how far apart are two?",
)
_LABELS = paths.define(
    "labels",
    None,
    paths.each(paths.file),
    "File with the names of the classes of networks that bring none: one per line, Caffe's "
    "synset_words.txt, or JSON; two, separated by commas, where theirs are not the same.",
)
_SECTIONS = flags.DEFINE_list(
    "sections",
    None,
    "Which: accuracy, alignment, depiction, line_drawings, units, preferences, attention, "
    "unit_pictures, inversion, caricature, maximization, style, shape_bias, invariance; left out, "
    "all that the pictures and networks allow.",
)
_QUICK = flags.DEFINE_bool(
    "quick", False, "Fewer pictures and steps: minutes, for a first look at what there will be."
)
_STEPS = flags.DEFINE_integer(
    "steps",
    None,
    "Of each picture that is made, of whichever section; left out, what the quality of each needs.",
    1,
)
_COUNT = flags.DEFINE_integer(
    "count",
    None,
    f"Pictures of each domain; left out, {FULL.count}, or with --quick {QUICK.count}.",
    4,
)
_SIZE = flags.DEFINE_integer(
    "size",
    None,
    "Side pictures are squeezed to; left out, the networks' own, or 224; where a network takes but "
    "a shape that is no square, both are shown the middle of that shape.",
    16,
    1024,
)
_SEED = flags.DEFINE_integer("seed", 0, "Of the draw of pictures.", 0)
_PRECISION = common.define_precision()
_WORKDIR = common.define_workdir("out/compare")


def main():
    """Reads the flags and the folders, then TensorFlow, then compares."""
    places = pictures.domains(_IMAGES.value)
    wanted = fields.values(network_flags.Wanted, _WANTED)
    layers = network_flags.layer_words(_LAYERS)
    name_checks.check(wanted, words=layers)
    if _CONTROL.value:
        name_checks.one(_CONTROL.value, "control")
    shared = common.start(_WORKDIR, _CONTROL, _QUICK, _COUNT, _STEPS, _SIZE, _SEED, _PRECISION)
    from tfvis.experiments import comparison

    sections = tuple(_SECTIONS.value or comparison.SECTIONS)
    named = words.words(_LABELS.value) if _LABELS.value else ()
    return comparison.run(wanted, places, layers, sections=sections, labels=named, **shared)


if __name__ == "__main__":
    common.run(main, "compare")
