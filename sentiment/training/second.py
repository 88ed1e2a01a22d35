"""The second look as a whole: which texts the net learns from, towards what, and how its word is weighed.

Decides the targets and the weighing. The net never sees the tuning part, on which it is weighed against the n-grams.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from sentiment.calibration import probability
from sentiment.features import ngram_places
from sentiment.model import SecondLook
from sentiment.normalize import Normalizer
from sentiment.training.corpora import Example
from sentiment.training.hints import Hints, fold, pieces
from sentiment.training.netfit import NetSettings, code, learn_vocabulary, teach

Floats = npt.NDArray[np.float64]
# Random words in letters that the reviews hardly know (Latin, Cyrillic, kana, hangul, Thai, Arabic): nobody can tell.
_STRANGERS = 400
_LETTERS = ((0x61, 0x7A), (0x430, 0x44F), (0x3041, 0x3093), (0xAC00, 0xD7A3), (0xE01, 0xE2E), (0x627, 0x64A))
# Fewer doubtful texts than this cannot weigh a net: there is no second look then.
_FEWEST = 100


@dataclass(frozen=True, slots=True)
class SecondSettings:
    """Chosen on the tuning part; docs/sentiment.md has the table."""

    below: float = 2.0  # log-odds of the n-grams within which a text is doubtful
    learn_below: float = 4.0  # the net learns from these, most of which it will never be asked
    first_share: float = 0.5  # of the n-grams' log-odds in a target, beside the hint
    label_share: float = 0.25  # of the label in a target where there is a hint
    piece_importance: float = 0.5
    line_importance: float = 1.5
    stranger_importance: float = 1.0
    most_pieces: int = 60_000


def second_look(normalizer: Normalizer, seen: Sequence[Example], unseen_log_odds: Floats,
                by_hand: Sequence[tuple[str, bool]], hints: Hints, settings: SecondSettings, net_settings: NetSettings,
                told: Callable[[str], None] = lambda line: None) -> SecondLook | None:  # fmt: skip
    """`unseen_log_odds` are those of fits that did not see the text, calibrated. None where texts are too few."""
    tuning = np.array([example.tuning for example in seen], dtype=np.bool_)
    labels = np.array([example.positive for example in seen], dtype=np.int64)
    weighed = np.flatnonzero(tuning & (np.abs(unseen_log_odds) < settings.below))
    if len(weighed) < _FEWEST or len(set(labels[weighed].tolist())) < 2:
        return None
    learn = np.flatnonzero(~tuning & (np.abs(unseen_log_odds) < settings.learn_below))
    folded = fold(normalizer, [example.text for example, apart in zip(seen, tuning, strict=True) if not apart])
    hint = np.full(len(seen), np.nan)
    hint[~tuning] = hints.of(folded)
    cut = pieces(folded)
    piece_hint = hints.of(cut)
    known = np.flatnonzero(np.isfinite(piece_hint))[: settings.most_pieces]
    unknown = list(_strangers())
    texts = [seen[k].text for k in learn.tolist()] + [cut[k] for k in known.tolist()] + [text for text, _ in by_hand]
    texts += unknown
    targets = np.concatenate([
        _targets(unseen_log_odds[learn], hint[learn], labels[learn], settings),
        probability(piece_hint[known]),
        [0.95 if positive else 0.05 for _, positive in by_hand],
        np.full(len(unknown), 0.5),
    ])  # fmt: skip
    shares = [1.0, settings.piece_importance, settings.line_importance, settings.stranger_importance]
    importance = np.repeat(shares, [len(learn), len(known), len(by_hand), len(unknown)])
    vocabulary = learn_vocabulary(normalizer, texts, net_settings)
    coded = code(vocabulary, normalizer, texts)
    told(f"second look: {len(learn)} texts, {len(known)} pieces, {len(by_hand)} lines")
    net = teach(coded, np.clip(targets, 0.01, 0.99).astype(np.float32), importance.astype(np.float32), vocabulary,
                net_settings, told)  # fmt: skip
    batch = normalizer.batch([seen[k].text for k in weighed.tolist()])
    found = net.log_odds(batch, ngram_places(batch, longest=2)[1], np.arange(len(weighed)))
    model = LogisticRegression(C=10.0).fit(np.column_stack([unseen_log_odds[weighed], found]), labels[weighed])
    of_linear, of_net = (float(weight) for weight in model.coef_[0])
    return SecondLook(net, settings.below, of_linear, of_net, float(model.intercept_[0]))


def _strangers() -> Iterator[str]:
    chance = np.random.default_rng(7)
    for _ in range(_STRANGERS):
        first, last = _LETTERS[chance.integers(len(_LETTERS))]
        words = (chance.integers(first, last + 1, chance.integers(1, 9)) for _ in range(chance.integers(1, 7)))
        yield " ".join("".join(map(chr, word.tolist())) for word in words)


def _targets(first: Floats, hint: Floats, labels: npt.NDArray[np.int64], settings: SecondSettings) -> Floats:
    softened = probability(settings.first_share * first + np.nan_to_num(hint))
    share = np.where(np.isnan(hint), 1.0, settings.label_share)
    targets: Floats = share * labels + (1 - share) * softened
    return targets
