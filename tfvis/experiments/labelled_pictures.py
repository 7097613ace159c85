"""Labelled pictures an experiment reads: the part that is wanted, and what was left out."""

from tfvis.errors import InputError, arg
from tfvis.experiments import folders
from tfvis.networks import registry
from tfvis.networks.files import checkpoint_files


def crop_borders(classifier, given: bool | None) -> bool:
    """Returns whether to take off borders: as asked for, else as the classifier learnt."""
    return bool(classifier.about.get("crop_borders")) if given is None else given


def read(sources):
    """Reads folders with a folder per class, and CSV files; says which files were left out.

    Raises:
        InputError: as `tfvis.classifiers.datasets.read`.
    """
    from tfvis.classifiers import datasets

    found = datasets.read(sources)
    report(found)
    return found


def of_checkpoint(checkpoint: str, sources):
    """Reads data labelled with the classes of a checkpoint, which need not be opened for that.

    Args:
        checkpoint: its folder or name.
        sources: folders with a folder per class, or CSV files.

    Raises:
        InputError: no such checkpoint, labels unknown to it, nothing can be read.
    """
    from tfvis.classifiers import datasets

    folder = registry.found_checkpoint(checkpoint, "checkpoint")
    said = checkpoint_files.description(folder, f"{arg('checkpoint')}={checkpoint}")
    return datasets.read(sources, tuple(said["classes"]))


def report(dataset, more=()) -> None:
    """Says in one line which files of a data set were left out, if any.

    Args:
        dataset: as read.
        more: `LeftOut` of examples that could not be decoded since.
    """
    left = [*dataset.broken, *more]
    folders.say_left_out(left, dataset.files + len(dataset.broken), dataset.notes)


def undecoded(dataset, broken) -> list:
    """Returns `LeftOut` for {number of an example: why it could not be decoded}."""
    from tfvis.image_files.folders import LeftOut

    return [
        LeftOut(dataset.examples[k].path, "truncated or damaged", why) for k, why in broken.items()
    ]


def part_of(dataset, classifier, part: str):
    """Returns a part of a data set, as it was split when the classifier was trained.

    Args:
        dataset: whole, as `of_checkpoint` reads it.
        classifier: whose seed and shares count.
        part: --part.

    Raises:
        InputError: its labels are numbers of other classes; the classifier does not say how, or
            nothing falls into the part.
    """
    from tfvis.classifiers import splits

    if tuple(dataset.classes) != tuple(classifier.classes):
        raise InputError(
            f"{arg('dataset')}: its labels count {', '.join(dataset.classes)}, and those of "
            f"{classifier.name} {', '.join(classifier.classes)}. Read it by "
            "labelled_pictures.of_checkpoint, which takes the classes of the checkpoint."
        )
    if part == "all":
        return dataset
    try:
        parts = splits.split(dataset, *splits.told(classifier.about))
        found = parts[splits.PARTS.index(part)]
    except InputError as error:
        raise InputError(
            f"{arg('part')}={part}: {classifier.name} does not say how its data were split."
        ) from error
    if not found.examples:
        raise InputError(f"{arg('part')}={part}: no pictures fall into it.")
    return found
