"""Names what pictures show.

    python -m apps.classify --checkpoint=pacs_vgg16 --image=PATH_OR_FOLDER --top=3

Prints the likeliest classes of each picture. Writes to --workdir:

    predictions.csv    path, rank, label, probability
    sheet.png          the pictures and their likeliest classes
    manifest.json      arguments, versions, weights, the probabilities

Without --image, the demo photograph and a painting that come along.
"""

from absl import flags

from apps import art, common

_IMAGE = flags.DEFINE_string(
    "image", None, "A picture, or a folder of them; left out, two that come along."
)
_CHECKPOINT = art.define_checkpoint("pacs_vgg16")
_TOP = flags.DEFINE_integer("top", 3, "How many classes of each picture.", 1, 1000)
_CROP_BORDERS = art.define_crop_borders()
_WORKDIR = common.define_workdir("out/classify")
_PRECISION = common.define_precision()


def main() -> None:
    """Reads the flags, then TensorFlow, then looks."""
    from apps import folders
    from tfvis import files

    found = folders.find(_IMAGE.value, "--image") if _IMAGE.value is not None else None
    workdir = files.make_folder(_WORKDIR.value, "--workdir")
    common.start_tensorflow()
    from apps import classifications, machine

    job = classifications.Job(
        checkpoint=_CHECKPOINT.value,
        paths=None if found is None else tuple(map(str, found.paths)),
        top=_TOP.value,
        crop_borders=_CROP_BORDERS.value,
        precision=machine.precision(_PRECISION.value),
        workdir=workdir,
        arguments=common.arguments(),
    )
    for line in classifications.run(job):
        print(line)
    print(f"All in one picture: {workdir / 'sheet.png'}")


def run() -> None:
    """The app's entry point."""
    common.run(main, "apps.classify")


if __name__ == "__main__":
    run()
