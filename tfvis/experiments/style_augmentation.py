"""Training pictures in other styles: which, that none of them is tested on, and a sheet of some."""

import dataclasses
import pathlib
from collections.abc import Sequence

import numpy as np

from tfvis import images, progress_bar
from tfvis.classifiers import (
    backbone,
    datasets,
    example_images,
    feature_cache,
    learnt_pictures,
    painted_views,
    splits,
    style_pictures,
    stylised_views,
    training,
)
from tfvis.errors import InputError, arg
from tfvis.experiments import messages
from tfvis.report import sheets, tensorboard
from tfvis.style.fast import checkpoint_files
from tfvis.style.fast import checkpoints as fast_checkpoints

# Pictures of the sheet, each beside its style, and how large.
_SHOWN, _THUMBNAIL = 6, 128
# Pairs of so many pictures tell how far styles move maps.
_COMPARED = 64


@dataclasses.dataclass(frozen=True)
class Asked:
    """What is asked for, looked at before anything long begins.

    Attributes:
        name: folder of styles, a transform network, or `style_pictures.SOURCES`.
        copies: stylised views of each picture.
        layer: whose statistics are changed; None where a transform network paints.
        styles: of a folder; None where the training pictures lend theirs.
        barred: {what they are: pictures that no style may show}.
    """

    name: str
    copies: int
    layer: str | None
    styles: style_pictures.Styles | None
    barred: dict[str, datasets.Dataset]


@dataclasses.dataclass(frozen=True, eq=False)
class Stylised:
    """Pictures to learn from that have stylised views.

    Attributes:
        train: them, with these views behind the others.
        about: what is said of it.
        digests: `splits.digest` of the pictures that styles are of.
        sheet: some of them beside their styles, uint8 [height, width, 3].
    """

    train: training.Part
    about: dict
    digests: list[str]
    sheet: np.ndarray


def asked(
    name: str | None,
    parts: backbone.Backbone,
    parted: Sequence[datasets.Dataset],
    *,
    copies: int | None,
    views: int,
    layer: str | None = None,
    held_out: Sequence[str] = (),
) -> Asked | None:
    """Returns what is asked for; None for nothing.

    Args:
        name: folder of styles, workdir of `apps.styles`, checkpoint of `apps.train_style`, or
            "sources"; None for nothing.
        parts: where the network is cut.
        parted: for training, validation and testing.
        copies: stylised views of each picture; None is as many as there are others.
        views: others.
        layer: see `stylised_views.layer_for`.
        held_out: folders or CSV files it will be tried on.

    Raises:
        InputError: as `style_pictures.read`, `style_pictures.check_apart`,
            `stylised_views.layer_for`; a flag of styles without any.
    """
    if not name:
        for flag, value in (("stylised", copies), ("style_layer", layer), ("held_out", held_out)):
            if value:
                raise InputError(
                    f"{arg(flag)}: is about styles; name them by {arg('style_augment')}."
                )
        return None
    if copies is not None and copies < 1:
        raise InputError(f"{arg('stylised')}={copies}: expected at least 1.")
    place = stylised_views.layer_for(parts, layer)
    barred = {"to choose the epoch by": parted[1], "to be tested on": parted[2]}
    if held_out:
        barred["held out"] = datasets.read(held_out, labelled=False)
    copies = copies or views
    if name == style_pictures.SOURCES:
        style_pictures.check_several(parted[0])
        return Asked(name, copies, place, None, barred)
    styles = style_pictures.read(name)
    if styles.painter:
        if layer:
            raise InputError(
                f"{arg('style_layer')}: {name} paints pictures before any layer sees them; leave "
                "it out."
            )
        place = None
    count = sum(len(part.examples) for part in barred.values())
    with progress_bar.bar("Comparing styles", count, logged=False) as bar:
        fit = style_pictures.check_apart(styles, barred, progress_bar.follower(bar))
    left = len(styles.examples) - len(fit.examples)
    if left and styles.painter:
        raise InputError(f"{arg('style_augment')}={name}: {left} of its style pictures are broken.")
    if left:
        messages.note(f"{left} of {len(styles.examples)} style pictures cannot be read.")
    shown = {one.path for part in barred.values() for one in part.examples}
    among = len(shown.intersection(fit.among))
    if among:
        messages.note(
            f"{among} of the {len(fit.among)} pictures that the styles in {name} were found among "
            "are to be tested or chosen by; none of them is a style."
        )
    if styles.painter:
        _note_seen(styles, barred)
    return Asked(name, copies, place, fit, barred)


def stylised(
    wanted: Asked,
    parts: backbone.Backbone,
    dataset: datasets.Dataset,
    train: training.Part,
    recipe: feature_cache.Recipe,
    cache: pathlib.Path,
) -> Stylised:
    """Shows pictures to learn from in other styles, computing the maps that are not yet on disk.

    Args:
        wanted: of `asked`.
        parts: where the network is cut.
        dataset: the whole.
        train: what is to be learnt from, of it.
        recipe: of the views.
        cache: folder of the trunk's maps.

    Raises:
        InputError: as `style_pictures.of_sources` and `feature_cache.features`.
    """
    own = dataclasses.replace(dataset, examples=tuple(dataset.examples[k] for k in train.chosen))
    barred = set(splits.digests(*wanted.barred.values()))
    styles = wanted.styles or style_pictures.of_sources(own, sorted(barred), recipe.seed)
    digests = styles.digests()
    # Whatever they come from: the guard of last resort.
    if barred.intersection(digests):
        raise AssertionError("A style of a picture that is tested on.")
    styling = _styling(wanted, parts, styles, recipe, cache)
    with progress_bar.bar("Looking in styles", len(own.examples) * wanted.copies) as bar:
        found = feature_cache.features(
            parts, own, recipe, cache, progress_bar.follower(bar), styling
        )
    joined = stylised_views.joined(train.features, train.chosen, found)
    part = dataclasses.replace(train, features=joined)
    moved = _moved(part, len(recipe.all_views))
    about = {
        "styles": wanted.name, "pictures": len(styles.examples), "digest": styling.digest,
        "copies": wanted.copies, "layer": wanted.layer, "strength": list(styling.strengths),
        "moved": round(moved, 3),
    }  # fmt: skip
    return Stylised(part, about, digests, _sheet(own, found, styling, recipe, moved))


def _note_seen(styles: style_pictures.Styles, barred: dict[str, datasets.Dataset]) -> None:
    """Says how many pictures that are tested on a transform network has learnt to paint from."""
    said = checkpoint_files.description(pathlib.Path(styles.painter), styles.name)
    digests, complete = learnt_pictures.told(said["about"])
    if not complete:
        messages.note(f"{styles.name} does not say which photographs it learnt to paint from.")
    for what, part in barred.items():
        seen = len(set(digests).intersection(splits.digests(part)))
        if seen:
            messages.note(
                f"{styles.name} learnt to paint from {seen} of the {len(part.examples)} pictures "
                f"{what}; of what they show it knows nothing."
            )


def _styling(wanted: Asked, parts, styles: style_pictures.Styles, recipe, cache: pathlib.Path):
    """Returns what shows pictures in the styles."""
    if wanted.layer is None:
        painter = fast_checkpoints.load(styles.painter, "style_augment")
        return painted_views.Painting(parts, styles, painter, wanted.copies, recipe)
    with progress_bar.bar("Looking at styles", len(styles.examples)) as bar:
        return stylised_views.Styling(
            parts, styles, wanted.layer, wanted.copies, recipe, cache,
            progress_bar.follower(bar),
        )  # fmt: skip


def write_sheet(made: Stylised, workdir: pathlib.Path) -> None:
    """Writes styles.png, and shows it in TensorBoard."""
    images.save_png(workdir / "styles.png", made.sheet)
    with tensorboard.Writer(workdir / "tensorboard") as writer:
        writer.images("styles", made.sheet[None], 0)


def _moved(part: training.Part, view: int) -> float:
    """Returns how far a style moves the maps at the cut, as a share of how far pictures are apart.

    The mean squared distance of a picture to itself in a style, over that of two pictures (as
    Mahendran & Vedaldi 2015 normalise).
    """
    some = part.chosen[np.linspace(0, len(part.chosen) - 1, _COMPARED).astype(int)]
    plain, styled = (
        part.features.gather(some, np.full(len(some), number)).astype(np.float32)
        for number in (0, view)
    )
    own = np.mean((styled - plain) ** 2)
    # Of a set of vectors, twice the variance is the mean squared distance of two, itself included.
    apart = 2 * np.mean(plain.var(0)) * len(some) / max(len(some) - 1, 1)
    return float(own / apart) if apart > 0 else float("nan")


def _sheet(own, found, styling, recipe, moved: float) -> np.ndarray:
    """Draws some pictures, each beside the style it is shown in first, and how strong that is."""
    cells = []
    for number in np.unique(np.linspace(0, len(own.examples) - 1, _SHOWN).astype(int)):
        content = own.examples[number]
        style, strength = styling.drawn(found, number, content.domain)
        pair = ((content, "a picture"), (style, f"in this style, by {strength:.2f}"))
        for example, title in pair:
            pixels = example_images.load(example, _THUMBNAIL, recipe.crop_borders)
            cells.append(sheets.Cell(pixels, title, pathlib.Path(example.path).name[-24:]))
    how = f"Statistics of {styling.layer} changed" if styling.layer else "Painted in mixed styles"
    heading = f"{how}; maps at the cut move by {moved:.2f} of what two pictures are apart"
    return sheets.sheet(cells, 4, heading)
