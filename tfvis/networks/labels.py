"""Names of classes: ImageNet's, which come along, and those in files people keep.

The bundled list is in the form of Caffe's synset_words.txt, sorted by WordNet id, which is the
order of the outputs of Caffe's, Keras' and torchvision's ImageNet networks. Its words are those
of WordNet 3.0; the licence lies beside it.
"""

import collections
import dataclasses
import functools
import json
import os
import pathlib
import re
import zlib
from collections.abc import Sequence

from tfvis import bounds, files
from tfvis.errors import InputError, arg

# The longest name of ImageNet, with all its words, has 120 characters.
MAX_NAME = 300
_IMAGENET = pathlib.Path(__file__).with_name("imagenet_classes.txt")
_SYNSET = r"n\d{8}"


@dataclasses.dataclass(frozen=True)
class Label:
    """What a class is called.

    Attributes:
        words: its names, the usual one first; at least one.
        synset: its WordNet id, such as "n01443537", or "".
    """

    words: tuple[str, ...]
    synset: str = ""

    @property
    def name(self) -> str:
        """The usual name."""
        return self.words[0]


@functools.cache
def imagenet() -> tuple[Label, ...]:
    """Returns the 1000 classes of ImageNet (ILSVRC 2012), in the order of networks' outputs."""
    return _of_lines(_IMAGENET.read_text(encoding="utf-8").splitlines())


def of_count(count: int) -> tuple[Label, ...] | None:
    """Returns the labels a network of `count` classes has by itself: ImageNet's of 1000.

    Returns:
        The labels, or None where they are not known.
    """
    return imagenet() if count == len(imagenet()) else None


def names(count: int) -> tuple[str, ...]:
    """Returns what to call the classes of a network: ImageNet's, or "class 0" and so on."""
    known = of_count(count)
    return unique(known) if known else tuple(f"class {k}" for k in range(count))


def read(path: os.PathLike | str, count: int, argument: str = "labels") -> tuple[Label, ...]:
    """Reads the names of a network's classes from a file.

    The forms, told apart by what is in it: a name per line; `synset_words.txt`
    (n01443537 goldfish, Carassius auratus); numbered lines (1 goldfish, or 1,goldfish or
    1: goldfish, from 0); JSON: ["tench", "goldfish"], {"0": "tench"}, {"tench": 0}, or Keras'
    class index {"0": ["n01440764", "tench"]}.

    Args:
        path: UTF-8, at most `bounds.NAMES`.
        count: how many classes there are.
        argument: that named it, for messages.

    Returns:
        One label per class, in the order of the network's outputs.

    Raises:
        InputError: unreadable, of no such form, or of another number of names.
    """
    label = f"{arg(argument)}={path}"
    text = read_text(path, label)
    if text.lstrip()[:1] in ("[", "{"):
        found = _of_json(text, label)
    else:
        found = _of_lines([line.strip() for line in text.splitlines() if line.strip()])
    if len(found) != count:
        raise InputError(f"{label}: {len(found)} names for {count} classes.")
    for one in found:
        for word in one.words:
            check_name(word, label)
    return found


def read_text(path: os.PathLike | str, label: str) -> str:
    """Returns what is in a small text file, UTF-8 or UTF-16; it may be packed with gzip.

    Args:
        path: the file.
        label: what messages begin with, such as "--labels=names.txt".

    Raises:
        InputError: unreadable, larger than `bounds.NAMES`, a web page or its like, or no text.
    """
    try:
        content = files.read_bytes(files.located(path, label), label, bounds.NAMES)
        if content[:2] == b"\x1f\x8b":
            unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
            content = unpacking.decompress(content, bounds.NAMES + 1)
            if len(content) > bounds.NAMES:
                raise ValueError(f"it unpacks to more than {bounds.NAMES:,} bytes")
            if not unpacking.eof:
                raise ValueError("it ends early")
        if what := files.mistaken(content[:256]):
            raise InputError(f"{label}: is {what}.")
        return files.decoded(content)
    except InputError:
        raise
    except (ValueError, zlib.error) as error:
        raise InputError(f"{label}: cannot be read as text ({error}).") from error


def check_name(name: str, label: str) -> None:
    """Raises InputError where a name is empty, far too long, or cannot be printed on a line."""
    if not name.strip() or len(name) > MAX_NAME or not name.isprintable():
        raise InputError(
            f"{label}: {name[:40]!r} is no name (1 to {MAX_NAME} characters on one line)."
        )


def parse_json(text: str, label: str):
    """Returns the value of a JSON text.

    Raises:
        InputError: it is no JSON, or nested past all use.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{label}: cannot be read as JSON ({error}).") from error


def unique(labels: Sequence[Label]) -> tuple[str, ...]:
    """Returns the usual names, each followed by what tells it apart where two are the same.

    ImageNet has two cranes, a bird and a machine, and two maillots.
    """
    counts = collections.Counter(label.name for label in labels)
    # A synset tells only if it is the class's own.
    synsets = collections.Counter(label.synset for label in labels)
    return tuple(
        label.name
        if counts[label.name] == 1
        else f"{label.name} ({label.synset if synsets[label.synset] == 1 else k})"
        for k, label in enumerate(labels)
    )


def matching(word: str, labels: Sequence[Label]) -> list[int]:
    """Returns the numbers of the classes a word stands for.

    Those that have the word among their names, else those with a name that contains it. Case,
    spaces, hyphens and underscores make no difference.
    """
    wanted = _plain(word)
    plain = [[_plain(name) for name in label.words] for label in labels]
    exact = [k for k, names in enumerate(plain) if wanted in names]
    return exact or [
        k for k, names in enumerate(plain) if wanted and any(wanted in name for name in names)
    ]


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", name).strip().lower()


def _of_lines(lines: list[str]) -> tuple[Label, ...]:
    synsets = [re.fullmatch(rf"({_SYNSET})[\s,]\s*(.+)", line) for line in lines]
    if lines and all(synsets):
        return tuple(_of_synset(match[1], match[2]) for match in synsets)
    numbers = [re.fullmatch(r"(\d{1,7})\s*[\s,:]\s*(.+)", line) for line in lines]
    if lines and all(numbers):
        found = {int(match[1]): match[2] for match in numbers}
        if sorted(found) == list(range(len(lines))):
            return tuple(_of_word(found[k]) for k in range(len(lines)))
    return tuple(Label((line,)) for line in lines)


def _of_word(word: str) -> Label:
    """Returns the label of what stands behind a number, which may begin with a synset."""
    match = re.fullmatch(rf"({_SYNSET})[\s,]\s*(.+)", word)
    return _of_synset(match[1], match[2]) if match else Label((word.strip("\"' "),))


def _of_synset(synset: str, words: str) -> Label:
    names = [name.strip().replace("_", " ") for name in words.split(",")]
    return Label(tuple(name for name in names if name) or (synset,), synset)


def _of_json(text: str, label: str) -> tuple[Label, ...]:
    value = parse_json(text, label)
    if isinstance(value, dict):
        if value and all(type(number) is int for number in value.values()):
            value = {str(number): name for name, number in value.items()}
        if sorted(value) != sorted(str(k) for k in range(len(value))):
            raise InputError(
                f"{label}: expected an entry for each class, numbered from 0 on, such as "
                '{"0": "tench"}.'
            )
        value = [value[str(k)] for k in range(len(value))]
    return tuple(_of_entry(entry, label) for entry in value)


def _of_entry(entry, label: str) -> Label:
    if isinstance(entry, str):
        return Label((entry.strip(),))
    pair = isinstance(entry, list) and len(entry) == 2 and all(isinstance(x, str) for x in entry)
    if pair and re.fullmatch(_SYNSET, entry[0]):
        return _of_synset(*entry)
    raise InputError(
        f"{label}: expected names, or pairs of a WordNet id and a name. "
        f"Received: {json.dumps(entry)[:60]}"
    )
