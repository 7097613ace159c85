"""What is said of a classifier on labelled pictures: accuracies, confusions, mistakes, a card."""

import dataclasses
import math
import pathlib

import numpy as np

from tfvis import files, images
from tfvis.classifiers import backbone, datasets, example_images, metrics, style_pictures
from tfvis.errors import InputError
from tfvis.report import confusion, markdown, tensorboard

# As many mistakes as fit on a page, the surest first: those are what one learns from.
_MISTAKES = 24
_THUMBNAIL = 128


@dataclasses.dataclass(frozen=True, eq=False)
class Report:
    """Predictions beside the truth.

    Attributes:
        workdir: where pictures go.
        dataset: that was looked at.
        chosen: numbers of its examples that have a prediction.
        probabilities: float [len(chosen), classes].
        size: side of the pictures.
        crop_borders: how they were read.
    """

    workdir: pathlib.Path
    dataset: datasets.Dataset
    chosen: np.ndarray
    probabilities: np.ndarray
    size: int
    crop_borders: bool

    @property
    def examples(self) -> list[datasets.Example]:
        """Those that have a prediction."""
        return [self.dataset.examples[k] for k in self.chosen]

    @property
    def true(self) -> np.ndarray:
        """Labels, int [examples]."""
        return np.array([example.label for example in self.examples], np.int64)

    @property
    def matrix(self) -> np.ndarray:
        """Confusions, int [true, predicted]."""
        predicted = self.probabilities.argmax(-1)
        return metrics.confusion(self.true, predicted, len(self.dataset.classes))

    def measures(self) -> dict:
        """Returns accuracies over all, per domain, per class, and how far to be trusted."""
        if not len(self.chosen):
            return {"pictures": 0}
        matrix, domains = self.matrix, np.array([example.domain for example in self.examples])
        shares = metrics.by_domain(
            self.true, self.probabilities.argmax(-1), domains, len(self.dataset.domains)
        )
        columns = (metrics.recall(matrix), metrics.precision(matrix), metrics.f1(matrix))
        return {
            "pictures": len(self.chosen),
            **self._negatives(),
            "accuracy": metrics.accuracy(matrix),
            "macro_f1": metrics.macro(columns[2]),
            "calibration_error": metrics.calibration_error(self.probabilities, self.true),
            "domains": dict(zip(self.dataset.domains, map(float, shares), strict=True)),
            "classes": {
                name: dict(zip(("recall", "precision", "f1"), map(float, values), strict=True))
                for name, *values in zip(self.dataset.classes, *columns, strict=True)
            },
        }

    def _negatives(self) -> dict:
        """Returns how well pictures of none are told from the others, where there are both."""
        if datasets.NEGATIVE not in self.dataset.classes:
            return {}
        number = self.dataset.classes.index(datasets.NEGATIVE)
        negative = self.true == number
        if not 0 < negative.sum() < len(negative):
            return {}
        alarms = self.probabilities[negative].argmax(-1) != number
        scores = self.probabilities[:, number]
        return {
            "negatives": {
                "pictures": int(negative.sum()),
                "false_alarms_per_100": float(100 * alarms.mean()),
                "missed_per_100": float(
                    100 * (self.probabilities[~negative].argmax(-1) == number).mean()
                ),
                "auroc": metrics.auroc(scores, negative),
            }
        }

    def lines(self) -> list[str]:
        """Returns the measures as lines to print."""
        found = self.measures()
        if not found["pictures"]:
            return ["No pictures to test on."]
        lines = [f"Test: {found['accuracy']:.1%} of {found['pictures']} pictures"]
        if negatives := found.get("negatives"):
            lines += [_negatives(negatives)]
        if len(found["domains"]) > 1:
            lines += [
                f"  {name:<24} {_number(share, '6.1%')}" for name, share in found["domains"].items()
            ]
        for name, each in found["classes"].items():
            numbers = f"{_number(each['recall'], '6.1%')}  F1 {_number(each['f1'], '.3f')}"
            nothing = "  (no pictures of it)" if math.isnan(each["recall"]) else ""
            lines.append(f"  {name:<24} {numbers}{nothing}")
        return lines

    def pictures(self, writer: tensorboard.Writer, step: int) -> None:
        """Saves the confusion matrix and the surest mistakes, and sends them to TensorBoard."""
        if not len(self.chosen):
            return
        drawn = confusion.matrix(self.matrix, self.dataset.classes, "true class by row")
        images.save_png(self.workdir / "confusion.png", drawn)
        writer.images("confusion", drawn[None], step)
        entries = self._mistakes()
        if entries:
            drawn = confusion.mistakes(entries)
            images.save_png(self.workdir / "mistakes.png", drawn)
            writer.images("mistakes", drawn[None], step)
        else:
            (self.workdir / "mistakes.png").unlink(missing_ok=True)

    def _mistakes(self) -> list[tuple[np.ndarray, str]]:
        predicted, surest = self.probabilities.argmax(-1), self.probabilities.max(-1)
        wrong = np.flatnonzero(predicted != self.true)
        entries = []
        for k in wrong[np.argsort(-surest[wrong], kind="stable")][:_MISTAKES]:
            try:
                pixels = example_images.load(self.examples[k], _THUMBNAIL, self.crop_borders)
            except InputError:
                continue
            names = self.dataset.classes
            words = f"{names[self.true[k]]} -> {names[predicted[k]]} {surest[k]:.2f}"
            entries.append((pixels, words))
        return entries


def _negatives(found: dict) -> str:
    """Returns in words how well pictures of none are told from the others."""
    return (
        f"Of 100 pictures without any of the classes {found['false_alarms_per_100']:.1f} are given "
        f"one ({found['pictures']} pictures); of 100 with one {found['missed_per_100']:.1f} are "
        f"called none; open-set AUROC {found['auroc']:.3f}"
    )


def _number(value: float, form: str) -> str:
    """Returns a measure as text; of one that nothing defines, a dash."""
    return (
        "-".rjust(int(form[0]) if form[0].isdigit() else 0)
        if math.isnan(value)
        else f"{value:{form}}"
    )


def _taught(parts: backbone.Backbone) -> str:
    """Returns which layers of a network have learnt, in words."""
    said = markdown.text
    if parts.whole:
        return f"all of its layers trained, up to {said(parts.last)}"
    return f"frozen up to {said(parts.cut)}, trained from there to {said(parts.last)}"


def _styles(about: dict) -> str:
    """Returns the line of a card about pictures in other styles."""
    count, said = about["copies"], markdown.text
    low, high = about["strength"]
    how = (
        f"statistics of {said(about['layer'])} changed by {low:g} to {high:g}"
        if about["layer"]
        else f"painted in mixes of two, one of which has {low:g} to {high:g}"
    )
    of = (
        f"{about['pictures']} training pictures of other sources"
        if about["styles"] == style_pictures.SOURCES
        else f"the {about['pictures']} pictures of {said(about['styles'])}"
    )
    return (
        f"- Styles: {count} {'copy' if count == 1 else 'copies'} of each picture to learn from in "
        f"the manner of {of}, none of which it was chosen by or tested on; {how}, which moves maps "
        f"at the cut by {about['moved']:.2f} of what two pictures are apart; key "
        f"{about['digest']}."
    )


def write_card(
    workdir: pathlib.Path,
    parts: backbone.Backbone,
    dataset: datasets.Dataset,
    about: dict,
    command: str,
    seconds: float,
) -> None:
    """Writes the card, README.md: how it was made and what it reaches.

    Args:
        workdir: of the checkpoint.
        parts: where the network was cut.
        dataset: that it learnt from.
        about: pictures, shares, seed, test measures.
        command: that made it.
        seconds: the whole training took.
    """
    counts, test, said = about["pictures"], about["test"], markdown.text
    classes, domains = (", ".join(map(said, names)) for names in (dataset.classes, dataset.domains))
    lines = [
        f"# {said(workdir.name)}",
        "",
        f"Names what a picture shows: {classes}.",
        "",
        f"- Network: {said(parts.network.name)}, {_taught(parts)}, then a mean over the map and "
        "one layer of scores.",
        f"- Data: {domains}; {counts[0]} pictures to learn from, {counts[1]} to "
        f"choose the epoch, {counts[2]} to test, of each class by a hash of their paths, seed "
        f"{about['seed']}.",
        *([_styles(about["style_augment"])] if "style_augment" in about else []),
        f"- Made in {seconds:.0f} s by",
        "",
        f"      {markdown.line(command)}",
        "",
    ]
    if test["pictures"]:
        lines += [
            f"Accuracy on the {test['pictures']} test pictures: {test['accuracy']:.1%}; expected "
            f"calibration error {test['calibration_error']:.3f}.",
            "",
            *([f"{_negatives(test['negatives'])}.", ""] if "negatives" in test else []),
            "| domain | accuracy |",
            "|---|---|",
            *(f"| {said(name)} | {_number(x, '.1%')} |" for name, x in test["domains"].items()),
            "",
            "| class | recall | precision | F1 |",
            "|---|---|---|---|",
        ]
        for name, each in test["classes"].items():
            cells = " | ".join(_number(each[key], ".3f") for key in ("recall", "precision", "f1"))
            lines.append(f"| {said(name)} | {cells} |")
    files.write_text(workdir / "README.md", "\n".join(lines) + "\n")
