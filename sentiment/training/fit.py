"""The fit: NB-SVM over hashed n-grams (Wang and Manning, "Baselines and Bigrams", 2012), with logistic loss.

Decides the weights from texts, labels and importances; knows nothing of files or splits.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from sentiment.features import LONGEST, NOWHERE, TABLE_SIZE, ngram_places
from sentiment.normalize import Normalizer

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Settings:
    """Chosen on out-of-fold predictions of the training part; docs/sentiment.md has the table."""

    longest: int = LONGEST
    at_least: int = 2  # n-grams in fewer texts than this are left out
    strength: float = 8.0  # the inverse of the L2 penalty
    smoothing: float = 1.0  # added to the counts of the log-count ratios
    floor: float = 5.0  # keeps very short and unknown texts near 1/2
    folds: int = 3
    seed: int = 20261122


@dataclass(frozen=True, slots=True)
class Fitted:
    """`places[i]` has evidence `weights[i]` and mass `masses[i]`; see sentiment.model.Linear for the formula."""

    places: npt.NDArray[np.int64]
    weights: Floats
    masses: Floats


def counts(normalizer: Normalizer, texts: Sequence[str], settings: Settings) -> scipy.sparse.csr_matrix:
    """How often each place of the table occurs in each text."""
    blocks = [_counts(normalizer, texts[first : first + 5000], settings) for first in range(0, len(texts), 5000)]
    return scipy.sparse.vstack(blocks, format="csr")


def fit(occurrences: scipy.sparse.csr_matrix, labels: npt.NDArray[np.int64], importance: Floats,
        settings: Settings) -> Fitted:  # fmt: skip
    """Weights for the n-grams that stand in at least `settings.at_least` texts."""
    in_texts = np.bincount(occurrences.indices, minlength=TABLE_SIZE)
    places = np.flatnonzero(in_texts >= settings.at_least)
    known = occurrences[:, places]
    ratios = _log_count_ratios(known, labels, importance, settings.smoothing)
    masses = ratios**2
    model = LogisticRegression(C=settings.strength, solver="liblinear", fit_intercept=False, random_state=settings.seed)
    model.fit(_scaled(known, ratios, masses, settings.floor), labels, sample_weight=importance)
    return Fitted(places=places, weights=model.coef_[0] * ratios, masses=masses)


def evidence(fitted: Fitted, occurrences: scipy.sparse.csr_matrix, settings: Settings) -> Floats:
    """Uncalibrated log-odds of each row."""
    known = occurrences[:, fitted.places]
    result: Floats = (known @ fitted.weights) / np.sqrt(known @ fitted.masses + settings.floor)
    return result


def out_of_fold(occurrences: scipy.sparse.csr_matrix, labels: npt.NDArray[np.int64], importance: Floats,
                settings: Settings) -> Floats:  # fmt: skip
    """Each row's evidence from a fit that did not see it."""
    found = np.zeros(len(labels))
    folds = StratifiedKFold(settings.folds, shuffle=True, random_state=settings.seed)
    for seen, unseen in folds.split(np.zeros(len(labels)), labels):
        fitted = fit(occurrences[seen], labels[seen], importance[seen], settings)
        found[unseen] = evidence(fitted, occurrences[unseen], settings)
    return found


def platt(found: Floats, labels: npt.NDArray[np.int64]) -> tuple[float, float]:
    """Slope and bias that turn evidence into calibrated log-odds (Platt scaling, 1999)."""
    model = LogisticRegression(C=1e6).fit(found[:, None], labels)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def _counts(normalizer: Normalizer, texts: Sequence[str], settings: Settings) -> scipy.sparse.csr_matrix:
    batch = normalizer.batch(texts)
    begin, end = int(batch.starts[0]), int(batch.starts[-1])
    rows = np.repeat(np.arange(len(texts)), np.diff(batch.starts))
    columns = [place[begin:end] for place in ngram_places(batch, longest=settings.longest)]
    column = np.concatenate(columns).astype(np.int64)
    row = np.tile(rows, len(columns))
    real = column != NOWHERE
    ones = np.ones(int(real.sum()))
    return scipy.sparse.csr_matrix((ones, (row[real], column[real])), shape=(len(texts), TABLE_SIZE))


def _log_count_ratios(
    known: scipy.sparse.csr_matrix, labels: npt.NDArray[np.int64], importance: Floats, smoothing: float
) -> Floats:
    present = known.sign()
    positive = present.T @ (importance * labels) + smoothing
    negative = present.T @ (importance * (1 - labels)) + smoothing
    ratios: Floats = np.log(positive / positive.sum()) - np.log(negative / negative.sum())
    return ratios


def _scaled(known: scipy.sparse.csr_matrix, ratios: Floats, masses: Floats, floor: float) -> scipy.sparse.csr_matrix:
    lengths = np.sqrt(known @ masses + floor)
    return (scipy.sparse.diags(1 / lengths) @ known @ scipy.sparse.diags(ratios)).tocsr()
