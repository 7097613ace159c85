"""How good predictions are. Shares are 0..1; what is undefined is nan, never 0."""

import numpy as np
import scipy.stats


def confusion(true: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Counts (true, predicted) pairs: int64 [classes, classes], rows are the true ones.

    Args:
        true, predicted: [n] class indices; pairs whose true one is -1 are not counted.
        classes: how many there are.
    """
    true, predicted = np.asarray(true, np.int64), np.asarray(predicted, np.int64)
    known = true >= 0
    pairs = true[known] * classes + predicted[known]
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def accuracy(matrix: np.ndarray) -> float:
    """Returns the share of the counted examples that are on the diagonal."""
    return float(_ratio(np.trace(matrix), matrix.sum()))


def recall(matrix: np.ndarray) -> np.ndarray:
    """Returns, per class, which share of its examples is found; nan if it has none."""
    return _ratio(np.diag(matrix), matrix.sum(1))


def precision(matrix: np.ndarray) -> np.ndarray:
    """Returns, per class, which share of its predictions is right; nan if it has none."""
    return _ratio(np.diag(matrix), matrix.sum(0))


def f1(matrix: np.ndarray) -> np.ndarray:
    """Returns, per class, the harmonic mean of precision and recall.

    It is 2 hits / (examples + predictions): 0 for a class that is never predicted, nan
    only for one that has neither examples nor predictions.
    """
    return _ratio(2 * np.diag(matrix), matrix.sum(1) + matrix.sum(0))


def macro(values: np.ndarray) -> float:
    """Returns the mean over the classes where it is defined; nan if nowhere."""
    defined = np.asarray(values, float)
    defined = defined[~np.isnan(defined)]
    return float(defined.mean()) if defined.size else float("nan")


def by_domain(
    true: np.ndarray, predicted: np.ndarray, domain: np.ndarray, domains: int
) -> np.ndarray:
    """Returns the accuracy in each domain, float [domains]; nan where there is no example.

    Args:
        true, predicted: [n] class indices; a true one of -1 is not counted.
        domain: [n] indices of domains.
        domains: how many there are.
    """
    true, predicted, domain = map(np.asarray, (true, predicted, domain))
    known = true >= 0
    hits = np.bincount(domain[known & (true == predicted)], minlength=domains)
    return _ratio(hits, np.bincount(domain[known], minlength=domains))


def calibration_error(probabilities: np.ndarray, true: np.ndarray, bins: int = 15) -> float:
    """Returns the expected calibration error, 0..1: how far confidence is from accuracy.

    Examples are sorted into bins by the probability of the predicted class; the error is
    the mean, over examples, of |accuracy - mean confidence| in their bin.

    Args:
        probabilities: [n, classes], rows sum to 1.
        true: [n] class indices; -1 is not counted.
        bins: equally wide ones of (0, 1]; 15 as in Guo et al. 2017, section 5.
    """
    known = np.asarray(true) >= 0
    probabilities, true = np.asarray(probabilities, float)[known], np.asarray(true)[known]
    if not true.size:
        return float("nan")
    confidence = probabilities.max(1)
    surplus = (probabilities.argmax(1) == true) - confidence
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    return float(np.abs(np.bincount(place, surplus, bins)).sum() / true.size)


def auroc(scores: np.ndarray, positive: np.ndarray) -> float:
    """Returns the area under the receiver operating characteristic, 0..1; nan without both kinds.

    The chance that a positive example has a higher score than another; of equal ones half (Hanley
    & McNeil 1982).

    Args:
        scores: float [n].
        positive: bool [n].
    """
    positive = np.asarray(positive, bool)
    count, rest = positive.sum(), (~positive).sum()
    if not count or not rest:
        return float("nan")
    ranks = scipy.stats.rankdata(scores)
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * rest))


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    part, whole = np.asarray(part, float), np.asarray(whole, float)
    return np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)
