"""Labelled pictures an experiment reads: the part that is wanted, and what was left out."""

from tfvis.errors import InputError, arg
from tfvis.experiments import folders, messages
from tfvis.networks import registry
from tfvis.networks.files import checkpoint_files
from tfvis.words import some


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
    _note_contradictions(found)
    _note_classes(found)
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
    found = datasets.read(sources, tuple(said["classes"]))
    _note_contradictions(found)
    return found


def _note_contradictions(dataset) -> None:
    """Says which pictures are labelled in two ways."""
    from tfvis.classifiers import copies

    if pairs := copies.contradictions(dataset):
        one, other = pairs[0]
        where = f"{one} twice" if one == other else f"{one} and {other}"
        messages.note(
            f"{len(pairs)} picture{'s are' if len(pairs) > 1 else ' is'} there under two classes, "
            f"the same byte for byte ({where}); one of the two is wrong. Take it away."
        )


def _note_classes(dataset) -> None:
    """Says what of the classes may be meant otherwise: names alike, folders that are the classes.

    Two classes of one thing are learnt apart all the same, and domains or years as if they were
    classes.
    """
    alike: dict[str, list[str]] = {}
    for name in dataset.classes:
        alike.setdefault(name.strip().casefold(), []).append(name)
    for names in alike.values():
        if names[1:]:
            messages.note(
                f"{' and '.join(names)} are classes of their own; where they are one, give them "
                "one name."
            )
    within = _within_classes(dataset)
    inner = set().union(*within.values())
    whole = set(within) == set(dataset.classes) and all(one == inner for one in within.values())
    if whole and len(inner) > 1:
        messages.note(
            f"the classes are {some(dataset.classes)}, and each of them has the folders "
            f"{some(sorted(inner))}; where these are the classes, name each of the folders above "
            "them as a source of its own."
        )


def _within_classes(dataset) -> dict[str, set[str]]:
    """Returns the folders in the folder of each class; none of a class with pictures beside them.

    Of tables the folders that their paths name, where these are those of the classes.
    """
    found: dict[str, set[str]] = {}
    for example in dataset.examples:
        first, *others = example.key.split("/")
        name = dataset.classes[example.label]
        found.setdefault(name, set()).add(others[0] if first == name and others[1:] else "")
    return {name: inner for name, inner in found.items() if "" not in inner}


def apart(parts):
    """Returns the parts of a data set, without pictures that an earlier part has a copy of.

    Args:
        parts: of `tfvis.classifiers.splits.split`; what is taken out is told.
    """
    from tfvis.classifiers import copies

    kept, out = copies.apart(parts)
    if out:
        messages.note(
            f"{len(out)} picture{'s are' if len(out) > 1 else ' is'} left out of validation and "
            f"test, as another part has the same byte for byte ({out[0][0]} is {out[0][1]})."
        )
    return kept


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
        parts = apart(splits.split(dataset, *splits.told(classifier.about)))
        found = parts[splits.PARTS.index(part)]
    except InputError as error:
        raise InputError(
            f"{arg('part')}={part}: {classifier.name} does not say how its data were split."
        ) from error
    if not found.examples:
        raise InputError(f"{arg('part')}={part}: no pictures fall into it.")
    return found
