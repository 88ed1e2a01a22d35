"""Teaching what a statement looks like (sentiment/stance.py): a logistic regression over hashed n-grams.

Decides the lessons and the threshold. Statements are the clauses of facts.py, alone and joined, and the lexicon's
facts; what takes a stance are short reviews, sure clauses of reviews, the lexicon's other lines, clauses of told.py,
and statements with a clause of either kind beside them. The threshold comes from reviews that the fit did not see.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse
from sklearn.linear_model import LogisticRegression

from sentiment.normalize import Normalizer
from sentiment.stance import LONGEST_STATEMENT, SHIFT, STANCE_BITS, Stance
from sentiment.training.fit import Settings, counts
from sentiment.training.pieces import clauses_of

Floats = npt.NDArray[np.float64]
FirstLook = Callable[[Sequence[str]], Floats]  # the n-grams' calibrated log-odds
_JOINTS = ("，", "，", ",", "。", " ", "")
_ENDS = ("", "", "。", "！", "，", "了", "啦", "的", "哦", "呢", "～", "...")
_MARKS = "，。！？；,.!?;~～ "
_STEPS = 127


@dataclass(frozen=True, slots=True)
class StanceSettings:
    """Chosen by what is found of groups of facts that were left out; docs/sentiment.md has the table."""

    called: float = 0.005  # so many of the short reviews, unseen, may be taken for statements
    longest: int = 3  # n-grams
    strength: float = 1.0  # the inverse of the L2 penalty
    sure: float = 2.0  # log-odds beyond which a clause of a review takes a stance
    clauses: int = 15_000  # of those, alone
    beside: int = 20_000  # statements with such a clause
    beside_told: int = 8_000  # and with one that takes a stance without a word of praise or blame
    folds: int = 5
    seed: int = 20261122


@dataclass(frozen=True, slots=True)
class Lessons:
    """`reviews` are short ones with a label, `log_odds` their n-grams' from fits that did not see them."""

    reviews: Sequence[str]
    log_odds: Floats
    statements: Sequence[str]
    more_statements: Sequence[str]  # never left out
    stances: Sequence[str]
    clauses: Sequence[str]
    told: Sequence[str] = ()


def is_short(normalizer: Normalizer, texts: Sequence[str]) -> npt.NDArray[np.bool_]:
    return np.diff(normalizer.batch(texts).starts) <= LONGEST_STATEMENT + 1


def sure_clauses(folded: Sequence[str], first: FirstLook, settings: StanceSettings) -> list[str]:
    """Clauses of 2 to 16 symbols that the n-grams are sure of, each once, in an order drawn by chance."""
    found = sorted({clause.strip(_MARKS) for text in folded for clause in clauses_of(text)})
    found = [clause for clause in found if 2 <= len(clause) <= 16]
    sure = np.flatnonzero(np.abs(first(found)) > settings.sure) if found else np.zeros(0, np.int64)
    return [found[k] for k in np.random.default_rng(settings.seed).permutation(sure).tolist()]


def teach_stance(normalizer: Normalizer, lessons: Lessons, first: FirstLook,
                 settings: StanceSettings) -> tuple[Stance | None, dict[str, float]]:  # fmt: skip
    """The table with its threshold, and what it says of texts that a fit did not see.

    None where there are fewer reviews, statements or clauses than folds.
    """
    if min(len(lessons.reviews), len(lessons.statements), len(lessons.clauses)) < settings.folds:
        return None, {}
    unseen, told = _unseen(normalizer, lessons, first, settings)
    threshold = float(np.quantile(unseen, 1 - settings.called))
    weights, bias = _fit(normalizer, lessons, settings)
    unit = max(float(np.abs(weights).max()), 1e-9) / _STEPS
    table = np.rint(weights / unit).astype(np.int8)
    figures = {
        "short_reviews": len(lessons.reviews),
        "called_statements": round(float((unseen > threshold).mean()), 5),
        "threshold": round(threshold, 4),
        **{name: round(float((found > threshold).mean()), 4) for name, found in told.items()},
    }
    return Stance(table, settings.longest, unit, bias - threshold), figures


def _unseen(normalizer: Normalizer, lessons: Lessons, first: FirstLook,
            settings: StanceSettings) -> tuple[Floats, dict[str, Floats]]:  # fmt: skip
    """How much each review looks like a statement to a fit without it; the same of statements and of those beside a
    clause."""
    chance = np.random.default_rng(settings.seed)
    shared = (lessons.reviews, lessons.statements, lessons.told)
    parts = [chance.integers(settings.folds, size=len(of)) for of in shared]
    last_clause = len(lessons.clauses) * (settings.folds - 1) // settings.folds
    reviews = np.zeros(len(lessons.reviews))
    told: dict[str, list[Floats]] = {}
    for fold in range(settings.folds):
        unseen = [np.flatnonzero(part == fold).tolist() for part in parts]
        kept = [np.flatnonzero(part != fold).tolist() for part in parts]
        known = Lessons(
            [lessons.reviews[k] for k in kept[0]],
            lessons.log_odds[kept[0]],
            [lessons.statements[k] for k in kept[1]],
            lessons.more_statements,
            lessons.stances,
            lessons.clauses[:last_clause],
            [lessons.told[k] for k in kept[2]],
        )
        fitted = _fit(normalizer, known, settings)
        if unseen[0]:
            found = _scores(normalizer, [lessons.reviews[k] for k in unseen[0]], fitted, settings)
            reviews[unseen[0]] = found - np.abs(lessons.log_odds[unseen[0]])
        stated, harms = ([of[k] for k in ks] for of, ks in zip(shared[1:], unseen[1:], strict=True))
        for name, texts in (
            ("statements_found", stated),
            ("with_a_stance_taken", beside(chance, stated, lessons.clauses[last_clause:], len(stated))),
            ("told_taken", harms),
            ("with_told_taken", beside(chance, stated, harms, len(harms))),
        ):
            if texts:
                of_first = np.abs(first(texts))
                told.setdefault(name, []).append(_scores(normalizer, texts, fitted, settings) - of_first)
    return reviews, {name: np.concatenate(found) for name, found in told.items()}


def _fit(normalizer: Normalizer, lessons: Lessons, settings: StanceSettings) -> tuple[Floats, float]:
    chance = np.random.default_rng(settings.seed)
    stated = [*lessons.more_statements, *alone(chance, lessons.statements)]
    taken = [
        *lessons.reviews,
        *lessons.stances,
        *lessons.clauses[: settings.clauses],
        *beside(chance, lessons.statements, lessons.clauses, min(settings.beside, 2 * len(lessons.statements))),
        *lessons.told,
        *beside(chance, lessons.statements, lessons.told, min(settings.beside_told, 2 * len(lessons.told))),
    ]
    model = LogisticRegression(C=settings.strength, solver="liblinear", random_state=settings.seed)
    model.fit(_features(normalizer, [*stated, *taken], settings), [1] * len(stated) + [0] * len(taken))
    weights = model.coef_[0]
    weights[0] = 0.0  # n-grams across two texts are sent there (features.NOWHERE)
    return weights, float(model.intercept_[0])


def _scores(
    normalizer: Normalizer, texts: Sequence[str], fitted: tuple[Floats, float], settings: StanceSettings
) -> Floats:
    result: Floats = _features(normalizer, texts, settings) @ fitted[0] + fitted[1]
    return result


def _features(normalizer: Normalizer, texts: Sequence[str], settings: StanceSettings) -> scipy.sparse.csr_matrix:
    found = counts(normalizer, texts, Settings(longest=settings.longest))
    narrow = scipy.sparse.csr_matrix(
        (found.data, found.indices >> SHIFT, found.indptr), shape=(len(texts), 1 << STANCE_BITS)
    )
    narrow.sum_duplicates()
    return narrow


def alone(chance: np.random.Generator, statements: Sequence[str]) -> list[str]:
    """Each, half of them with an ending, then as many joins of two or three."""
    found = [text + _drawn(chance, _ENDS) if chance.random() < 0.5 else text for text in statements]
    for _ in statements:
        some = [_drawn(chance, statements) for _ in range(int(chance.integers(2, 4)))]
        found.append(_drawn(chance, _JOINTS).join(some) + _drawn(chance, ("", "。")))
    return [text for text in found if len(text) <= LONGEST_STATEMENT]


def beside(chance: np.random.Generator, statements: Sequence[str], clauses: Sequence[str], count: int) -> list[str]:
    """One or two statements with a clause that takes a stance, mostly at the end."""
    found = []
    for _ in range(count if statements and clauses else 0):
        some = [_drawn(chance, statements) for _ in range(int(chance.integers(1, 3)))]
        at = int(chance.integers(len(some) + 1)) if chance.random() < 0.3 else len(some)
        some.insert(at, _drawn(chance, clauses))
        found.append(_drawn(chance, _JOINTS).join(some))
    return found


def _drawn(chance: np.random.Generator, texts: Sequence[str]) -> str:
    return texts[int(chance.integers(len(texts)))]
