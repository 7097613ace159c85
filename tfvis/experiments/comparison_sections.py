"""What a comparison finds, section by section: tables, figures, and a sentence with the numbers."""

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np

from tfvis.comparison import cka, decisions, rsa, selectivity, unit_matching
from tfvis.experiments import comparison_answers
from tfvis.experiments.comparison_study import Study, evenly
from tfvis.report import html_page, plots

# A unit that correlates less with all of the other network is that network's own.
OWN = 0.3
# Orders of pictures that the zero of the scale is the mean of: one of 140 alone is off by 0.05.
_SHUFFLES = 32


@dataclasses.dataclass(frozen=True, eq=False)
class Section:
    """A part of the report.

    Attributes:
        name: of its table, NAME.csv.
        heading: on the page.
        text: what was found, with the numbers.
        columns, rows: of the table.
        figures: on the page.
        summary: (columns, rows) of the table on the page; None is the first rows of the table.
    """

    name: str
    heading: str
    text: str
    columns: Sequence[str]
    rows: Sequence[Sequence]
    figures: tuple[html_page.Figure, ...] = ()
    summary: tuple[Sequence[str], Sequence[Sequence]] | None = None


def accuracy(study: Study) -> Section | None:
    """How often each network names the pictures of each domain, and whether they err alike.

    Of those that know the folders' classes; None where there are none, or no network knows them.
    """
    pictures, rows, said = study.pictures, [], []
    known = {label: right(study, label) for label in study.networks}
    strangers = [label for label, hit in known.items() if hit is None]
    known = {label: hit for label, hit in known.items() if hit is not None}
    if not known:
        return None
    lines: dict[str, tuple[list, list]] = {}
    errors, told = [], {}
    for label, hits in known.items():
        shares = {d: decisions.share(int(hit.sum()), len(hit)) for d, hit in hits.items()}
        said.append(f"{label} names " + ", ".join(f"{d} {s}" for d, s in shares.items()))
        for domain, hit in hits.items():
            per_class = [
                decisions.share(
                    int(hit[pictures.labels == k].sum()), int((pictures.labels == k).sum())
                )
                for k in range(len(pictures.classes))
            ]
            named = list(zip(("all", *pictures.classes), (shares[domain], *per_class), strict=True))
            told[f"{label}: {domain}"] = [str(one) for _, one in named]
            rows += [
                (label, domain, name, number(s.value), number(s.low), number(s.high), s.of)
                for name, s in named
            ]
        values = [shares[d].value for d in study.domains]
        lines[label] = (list(study.domains), values)
        errors.append(bars(shares.values()))
    said += [f"of these classes {label} does not know all" for label in strangers]
    one, other = study.pair
    for domain in study.domains if {one, other} <= set(known) else ():
        kappa = decisions.error_consistency(known[one][domain], known[other][domain])
        if not np.isnan(kappa):
            said.append(f"on {domain} the two err alike by kappa {kappa:.2f}")
    figure = html_page.Figure(
        plots.lines(lines, "pictures", "accuracy", errors), "Accuracy", INTERVALS, wide=True
    )
    columns = ("network", "domain", "class", "accuracy", "low", "high", "pictures")
    shown = list(zip(("all", *pictures.classes), *told.values(), strict=True))
    return Section(
        "accuracy", "What they name", sentences(said), columns, rows, (figure,),
        (("class", *told), shown),
    )  # fmt: skip


INTERVALS = "bars: Wilson's 95 % intervals"


def bars(shares: Iterable[decisions.Share]) -> np.ndarray:
    """Returns how far intervals reach down and up from their values, [2, shares], for a plot."""
    found = np.array([(s.value - s.low, s.high - s.value) for s in shares]).T
    return np.maximum(found, 0)  # At 0 and 1, what is below 0 is rounding.


def right(study: Study, label: str) -> dict[str, np.ndarray] | None:
    """Returns {domain: bool [pictures], whether each is named rightly}, or None."""
    numbers = comparison_answers.places(study.networks[label], study.pictures.classes)
    if numbers is None:
        return None
    labels = numbers[study.pictures.labels]
    return {d: study.scores(label, d).argmax(-1) == labels for d in study.domains}


def alignment(study: Study) -> Section:
    """Linear CKA, layer by layer, in each domain, beside its controls."""
    one, other = study.pair
    rows, lines, figures, said = [], {}, [], []
    count, shown = len(study.names), {"layer": study.names}

    def kernels(label, domain):
        return [study.of(label, domain, "kernel", k) for k in range(count)]

    for domain in study.domains:
        first, second = kernels(one, domain), kernels(other, domain)
        found = cka.cka_map(first, second)
        zero = [
            float(np.mean([cka.cka(a, cka.shuffled(b, seed)) for seed in range(_SHUFFLES)]))
            for a, b in zip(first, second, strict=True)
        ]
        lines[domain] = (list(study.names), list(np.diag(found)))
        control, seeds = [float("nan")] * count, ""
        if study.control:
            of_control = cka.cka_map(first, kernels(study.control, domain))
            control = list(np.diag(of_control))
            of_seeds = cka.identified(of_control)
            if study.layers[one] == study.layers[study.control] and not np.isnan(of_seeds):
                seeds = f", {of_seeds:.0%} of the control's"
            lines[f"{domain}, {one} and {study.control}"] = (list(study.names), control)
        shown |= {
            domain: [*map(number, np.diag(found))],
            f"{domain}, shuffled": [*map(number, zero)],
        }
        if study.control:
            shown[f"{domain}, control"] = [*map(number, control)]
        rows += [
            (domain, study.layers[one][i], study.layers[other][j], number(found[i, j]),
             number(zero[i]) if i == j else "", number(control[i]) if i == j else "")
            for i in range(count) for j in range(count)
        ]  # fmt: skip
        figures.append(html_page.Figure(
            plots.matrix(found, study.layers[one], study.layers[other], one, other),
            f"Linear CKA on {domain}", "unbiased, over batches; 1 is the same, 0 unrelated",
            wide=True,
        ))  # fmt: skip
        said.append(course(study, f"on {domain}, alignment is", np.diag(found), control))
        known = np.abs([value for value in zero if not np.isnan(value)])
        share = cka.identified(found)
        if known.size and study.layers[one] == study.layers[other] and not np.isnan(share):
            said.append(
                f"{share:.0%} of the layers are most like the same layer of the "
                f"other{seeds} (shuffled pictures: {known.max():.2f} at most)"
            )
    figure = html_page.Figure(
        plots.lines(lines, "layer", "CKA", bottom=None), "Layer by layer", wide=True
    )
    columns = ("domain", f"layer of {one}", f"layer of {other}", "cka", "shuffled", "control")
    return Section(
        "alignment", "Do they represent alike?", sentences(said), columns, rows,
        (figure, *figures), _columns(shown),
    )  # fmt: skip


def depiction(study: Study) -> Section | None:
    """Representational similarity of one domain and another of the same classes.

    Of pictures, which are pairs of one class and not of one thing; and of the average answers to
    each class, in which no picture is left. Beside both, one domain with other pictures of itself
    tells how much alike pictures of the same classes can be. None of fewer than two domains, or
    without classes.
    """
    if len(study.domains) < 2 or not study.pictures.classes:
        return None
    first, second = study.domains[:2]
    both, again = f"{first} and {second}", f"{first} and other {first}"
    # The last batch may have other classes than those before, and any of more classes than fit.
    classes = [study.pictures.labels[at].tolist() for at in study.pictures.batches]
    whole = [k for k, labels in enumerate(classes) if labels == classes[0]]
    rows, lines, said, shown = [], {}, [], {"layer": study.names}
    for label in study.pair:
        found: dict[str, list[float]] = {name: [] for name in _DEPICTIONS}
        for k, layer in enumerate(study.layers[label]):
            one, other = (study.of(label, d, "dissimilarities", k) for d in (first, second))
            alike = [one[b] for b in whole]
            ceiling = rsa.agreement(alike, alike[1:] + alike[:1]) if whole[1:] else float("nan")
            averages = [_class_averages(study, label, d, k, whole) for d in (first, second)]
            values = (rsa.agreement(one, other), ceiling, *rsa.halves(*averages))
            for name, value in zip(found, values, strict=True):
                found[name].append(value)
            rows.append((label, layer, *map(number, (*values, rsa.p_value(one, other, 200)))))
        pictures, ceilings, of_classes, most = found.values()
        names = list(study.names)
        lines[label] = (names, pictures)
        lines |= {f"{label}, classes": (names, of_classes)} if _defined(of_classes) else {}
        lines |= {f"{label}, {again}": (names, ceilings)} if _defined(ceilings) else {}
        shown |= {f"{label}: {name}": [*map(number, found[name])] for name in found}
        said.append(course(study, f"to {label}, {both} agree by", pictures, ceilings, again))
        if _defined(of_classes):
            words = f"in what {label} answers to each class on average, they agree by"
            said.append(course(study, words, of_classes, most, again))
    figure = html_page.Figure(
        plots.lines(lines, "layer", "Spearman's correlation", bottom=None),
        f"{both} of the same classes",
        "of the dissimilarities of all pairs of pictures, or of classes (RSA); what stands beside "
        "each other is of one class, and not of one thing", wide=True,
    )  # fmt: skip
    columns = ("network", "layer", both, again, f"classes: {both}", f"classes: {again}", "p")
    return Section(
        "depiction", f"Is {second} like {first} to them?", sentences(said), columns, rows,
        (figure,), _columns(shown),
    )  # fmt: skip


# Of pictures and of classes: two domains, and one with other pictures of itself.
_DEPICTIONS = ("pictures", "other pictures", "classes", "classes of other pictures")


def _class_averages(study: Study, label: str, domain: str, layer: int, batches) -> list[np.ndarray]:
    """Returns the dissimilarities of classes of each batch."""
    kernels, means, shapes = (
        study.of(label, domain, field, layer) for field in ("kernel", "means", "shape")
    )
    return [
        rsa.of_classes(
            kernels[b], means[b].mean(1, dtype=np.float64), int(shapes[b].prod()),
            study.pictures.labels[study.pictures.batches[b]],
        )
        for b in batches
    ]  # fmt: skip


def units(study: Study) -> Section:
    """Units of the two matched by how they answer the same places."""
    one, other = study.pair
    rows, series, said = [], {}, []
    alone = {one: [], other: []}
    for k, name in enumerate(study.names):
        own, its = (samples(study, label, k) for label in (one, other))
        found = unit_matching.correlations(own, its)
        chance = unit_matching.correlations(own, samples(study, other, k, turned=True))
        matched = unit_matching.one_to_one(found)
        best = {one: unit_matching.best(found), other: unit_matching.best(found.T)}
        series[name] = matched.r
        for label, by_chance in ((one, chance), (other, chance.T)):
            r = best[label].r[~np.isnan(best[label].r)]
            # Of few pictures the most alike of many units is much alike by chance.
            told = r.size and _median(unit_matching.best(by_chance).r) < OWN
            alone[label].append(float(np.mean(r < OWN)) if told else float("nan"))
        rows += [
            (name, unit, matched.partner[unit] if matched.partner[unit] >= 0 else "",
             number(matched.r[unit]), best[one].partner[unit] if best[one].partner[unit] >= 0
             else "", number(best[one].r[unit]))
            for unit in range(len(matched.r))
        ]  # fmt: skip
    medians = [_median(series[name]) for name in study.names]
    said.append(course(study, "matched one to one, units correlate by a median of", medians))
    for label in (one, other):
        said.append(
            course(study, f"of {label}, the share of units that the other has not "
                    f"(r < {OWN}) is", alone[label])
        )  # fmt: skip
    shown = {study.names[k]: series[study.names[k]] for k in evenly(len(study.names), 5)}
    summary = {"layer": study.names, "median r": [*map(number, medians)]}
    summary |= {f"only {label}": [*map(number, alone[label])] for label in (one, other)}
    figures = (
        html_page.Figure(plots.histograms(shown, "r", "share of units", -0.2, 1), "Matched units",
                         "correlation of partners, one to one", wide=True),
        html_page.Figure(
            plots.lines({label: (list(study.names), alone[label]) for label in (one, other)},
                        "layer", f"share with r < {OWN}"), "Units the other has not", wide=True),
    )  # fmt: skip
    columns = ("layer", f"unit of {one}", f"partner in {other}", "r", "best", "r of best")
    return Section(
        "units", "Unit by unit", sentences(said), columns, rows, figures, _columns(summary)
    )


def preferences(study: Study) -> Section | None:
    """How many units answer one domain, or one class, far above the others.

    None where there is nothing to choose between.
    """
    classes = study.pictures.classes
    if len(study.domains) < 2 and not classes:
        return None
    rows, lines, said = [], {}, []
    for label in study.pair:
        shares: dict[str, list[float]] = {domain: [] for domain in study.domains}
        medians = []
        for k, layer in enumerate(study.layers[label]):
            means = {d: np.concatenate(study.of(label, d, "means", k)) for d in study.domains}
            if min(one.min() for one in means.values()) < 0:
                # Of what is not rectified, the ratio means nothing.
                for found in (*shares.values(), medians):
                    found.append(float("nan"))
                rows.append((label, layer, *[""] * (len(study.domains) + 1)))
                continue
            of_domain = [float("nan")] * len(study.domains)
            if len(study.domains) > 1:
                of_domain = selectivity.of_one_group(np.stack([m.mean(0) for m in means.values()]))
            for domain, share in zip(study.domains, of_domain, strict=True):
                shares[domain].append(float(share))
            median = float("nan")
            if classes:
                every = np.concatenate(list(means.values()))
                labels = np.tile(study.pictures.labels, len(study.domains))
                # Of fewer pictures than classes, not every class has one.
                of_class = [every[labels == c].mean(0) for c in np.unique(labels)]
                median = _median(selectivity.selectivity(np.stack(of_class)))
            medians.append(median)
            rows.append((label, layer, *map(number, of_domain), number(median)))
        for domain, found in shares.items():
            if len(study.domains) > 1:
                lines[f"{label}: {domain} only"] = (list(study.names), found)
        if len(study.domains) > 1 and not np.isnan([found[-1] for found in shares.values()]).any():
            last = ", ".join(f"{d} {found[-1]:.0%}" for d, found in shares.items())
            said.append(f"in the last layer of {label}, of the units that answer, so many answer "
                        f"one domain three times the others: {last}")  # fmt: skip
        if classes:
            said.append(course(study, f"class selectivity of {label} has a median of", medians))
    figures = ()
    if lines:
        figures = (html_page.Figure(
            plots.lines(lines, "layer", "share of units"), "Units that answer one domain",
            "three times the others, or more", wide=True,
        ),)  # fmt: skip
    columns = ("network", "layer", *(f"{d} only" for d in study.domains), "class selectivity")
    return Section(
        "preferences", "What their units answer", sentences(said), columns, rows, figures,
        (columns, rows),
    )  # fmt: skip


def _columns(found: dict[str, Sequence]) -> tuple[Sequence[str], list[tuple]]:
    """Returns {column: cells} as (columns, rows)."""
    return tuple(found), list(zip(*found.values(), strict=True))


def _defined(values: Sequence[float]) -> bool:
    """Tells whether any of the numbers is defined."""
    return not np.isnan(values).all()


def samples(study: Study, label: str, layer: int, turned: bool = False) -> np.ndarray:
    """Returns [samples, units] of all domains; turned, each picture's in the place of the next."""
    found = [one for d in study.domains for one in study.of(label, d, "samples", layer)]
    return np.concatenate(
        [(np.roll(one, 1, 0) if turned else one).reshape(-1, one.shape[-1]) for one in found]
    )


def course(study: Study, words: str, values, beside=None, called: str = "control") -> str:
    """Returns a clause: the value at the first, a middle and the last layer, and the control's."""
    values = np.asarray(values, float)
    places = list(dict.fromkeys([0, len(values) // 2, len(values) - 1]))
    parts = [f"{_words(values[k])} at {study.names[k]}" for k in places]
    more = ""
    if beside is not None and not np.isnan(beside[-1]):
        more = f" ({called} {beside[-1]:.2f} there)"
    return f"{words} {', '.join(parts)}{more}"


def _words(value: float) -> str:
    return "undefined" if np.isnan(value) else f"{value:.2f}"


def number(value: float) -> str:
    """Returns a number for a table; what is undefined is empty."""
    return "" if np.isnan(value) else f"{value:.6f}"


def _median(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if known.size else float("nan")


def sentences(clauses: Sequence[str]) -> str:
    """Returns clauses as sentences of one paragraph; a network's name stays as it is written."""
    plain = [clause.split(" ", 1)[0].isalpha() for clause in clauses]
    return " ".join(
        f"{clause[:1].upper() if word else clause[:1]}{clause[1:]}."
        for clause, word in zip(clauses, plain, strict=True)
    )
