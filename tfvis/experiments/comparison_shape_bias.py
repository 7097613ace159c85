"""Whether shape or texture decides, where they are of different classes."""

from collections.abc import Mapping

from tfvis import images
from tfvis.comparison import decisions
from tfvis.errors import InputError, arg
from tfvis.experiments import comparison_answers, cue_conflicts
from tfvis.experiments.comparison_sections import INTERVALS, Section, bars, sentences
from tfvis.experiments.comparison_study import Study, evenly
from tfvis.report import html_page, plots, sheets

# Pictures on the sheet.
_SHOWN = 12


def shape_bias(study: Study, steps: int | None, seed: int) -> Section:
    """What each network that knows the classes calls cue conflicts, by the rule of Geirhos 2019.

    Args:
        study: of the first domain's pictures.
        steps: of each cue conflict, see `cue_conflicts.made`.
        seed: of the run.

    Raises:
        InputError: no classes; no network of the two knows them.
    """
    known = comparison_answers.knowing(study, study.networks)
    if not set(known) & set(study.pair):
        raise InputError(f"{arg('networks')}: neither knows all classes of the folders")
    made = cue_conflicts.made(study, steps, seed)
    classes, labels = study.pictures.classes, study.pictures.labels
    shapes, textures = labels[made.contents], labels[made.styles]
    height, width = study.pictures.pixels[study.domains[0]].shape[1:3]
    shown = [images.resize(one, height, width) for one in made.pixels]
    said = [
        f"{len(shapes)} pictures of {study.domains[0]} were given the texture of another class by "
        f"{made.maker}"
    ]
    answers, shares = {}, {}
    for label in known:
        answers[label] = comparison_answers.decided(study, label, shown)
        found = decisions.shape_bias(answers[label], shapes, textures)
        said.append(
            f"{label} calls {found.either} by one of the two classes"
            + (f", and of these {found.bias} by that of the shape" if found.bias.of else "")
        )
        shares[label] = found
    rows = [
        (label, classes[shapes[k]], classes[textures[k]], classes[said_of[k]],
         _kind(said_of[k], shapes[k], textures[k]))
        for label, said_of in answers.items() for k in range(len(shapes))
    ]  # fmt: skip
    cells = [
        sheets.Cell(
            made.pixels[k],
            f"{classes[shapes[k]]}, texture {classes[textures[k]]}",
            "\n".join(
                f"{label}: {classes[of[k]]}{_mark(of[k], shapes[k], textures[k])}"
                for label, of in answers.items()
            ),
        )
        for k in evenly(len(shapes), _SHOWN)
    ]
    figures = (
        _plot(shares),
        html_page.Figure(
            sheets.sheet(cells, 4), "Cue conflicts", f"{len(cells)} of {len(shapes)}", wide=True
        ),
    )  # fmt: skip
    columns = ("network", "shape", "texture", "answer", "which")
    return Section("shape_bias", "Shape or texture?", sentences(said), columns, rows, figures)


def _plot(shares: Mapping[str, decisions.ShapeBias]) -> html_page.Figure:
    """Returns the plot of shape biases, and of how many pictures they are of."""
    kinds = {
        "named by shape or texture, of all": {k: found.either for k, found in shares.items()},
        "named by shape, of these": {k: one.bias for k, one in shares.items() if one.bias.of},
    }
    series, errors = {}, []
    for name, told in kinds.items():
        if told:
            series[name] = (list(told), [share.value for share in told.values()])
            errors.append(bars(told.values()))
    return html_page.Figure(
        plots.lines(series, "network", "share", errors), "Shape or texture?",
        INTERVALS, wide=True,
    )  # fmt: skip


def _kind(answer: int, shape: int, texture: int) -> str:
    """Returns "shape", "texture" or "" of neither."""
    return "shape" if answer == shape else "texture" if answer == texture else ""


def _mark(answer: int, shape: int, texture: int) -> str:
    kind = _kind(answer, shape, texture)
    return f" ({kind})" if kind else ""
