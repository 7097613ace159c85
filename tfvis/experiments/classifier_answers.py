"""How a network answers for classes, and what is to be said of it."""

from tfvis.errors import InputError, arg, marked
from tfvis.experiments import messages
from tfvis.networks import labels, registry


def check_output(network) -> None:
    """Raises InputError where a network has several outputs and none is known to name classes."""
    if not network.classifier and len(network.graph.outputs) > 1:
        raise InputError(f"{arg('network')}={network.name}: {marked(network.no_classifier)}.")


def percentages(network) -> bool:
    """Tells whether what a network puts out may be called probabilities of classes.

    Scores of classes that nothing names may as well be coordinates, ages or steering angles: any
    numbers have a softmax.
    """
    head = network.classifier
    if not head or head.form != "scores":
        return bool(head) and head.form != "numbers"
    return bool(network.classes or labels.of_count(head.classes))


def check_probabilities(network, probable: bool = True) -> None:
    """Says what is to be known of how a network names classes.

    Args:
        network: which.
        probable: whether its scores are made probabilities.

    Raises:
        InputError: it names none, or puts out no probabilities of them.
    """
    head = network.classifier
    if not head or head.form == "numbers":
        reason = head.note if head else network.no_classifier
        raise InputError(
            f"{arg('network')}={network.name}: is no classifier here: {marked(reason)}."
        )
    if note := classifier_note(network, probable):
        messages.note(f"{marked(note)}.")


def classifier_note(network, probable: bool = True) -> str:
    """Returns what is to be known of how a network answers, "" for nothing."""
    head = network.classifier
    if probable or not head or head.form != "scores":
        return head.note if head else ""
    return (
        f"{head.output} puts out {head.classes} numbers, and nothing says that they are scores of "
        "classes; they are shown as they are"
    )


def class_names(network) -> tuple[str, ...]:
    """Returns what to call the classes of a network.

    Its own names, ImageNet's of 1000 classes, or "class 0" and so on; says so where a file is taken
    for ImageNet's by their number alone.
    """
    if network.classes or not network.classifier:
        return network.classes
    count = network.classifier.classes
    if labels.of_count(count) and registry.is_file(network.name):
        messages.note(
            f"nothing in {network.name} names its {count} classes; they are called as ImageNet's, "
            "of which there are as many."
        )
    return labels.names(count)
