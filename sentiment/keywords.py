"""Finds the words that are said more now than they used to be: an alert's evidence, and what is new in it.

Decides nothing about which texts are looked at (the caller counts words of negative texts and complaints,
say, see `sentiment.words`), and keeps no clock: time comes as an argument.

The measure is the log-odds ratio with an informative Dirichlet prior of Monroe, Colaresi and Quinn, "Fightin'
Words", Political Analysis 16 (2008), equations 15, 16, 19 and 20: frequent words get no credit for being
frequent, and rare ones none for chance.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

# What the prior weighs, in words: chosen on seeded spikes mixed into real reviews, see docs/text.md.
PRIOR_WORDS: Final = 500.0
_LEAST_Z: Final = 3.0
_LEAST_COUNT: Final = 3


@dataclass(frozen=True, slots=True)
class Keyword:
    """A word, how many standard errors it lies above its usual share, and its share of texts or words now and
    before."""

    word: str
    z: float
    now: int
    now_share: float
    baseline_share: float


class Background:
    """How often each word is usually said: counts that halve every `half_life_ms`, the rarest dropped beyond
    `max_words`.

    Holds no clock and no chance: the same counts in the same order give the same background.
    """

    def __init__(self, *, half_life_ms: int = 24 * 3_600_000, max_words: int = 20_000) -> None:
        if half_life_ms <= 0 or max_words <= 0:
            raise ValueError(f"half_life_ms {half_life_ms} and max_words {max_words} must be positive")
        self._half_life_ms = half_life_ms
        self._max_words = max_words
        self._at_ms = 0
        self._scale = 1.0  # what a word said at `_at_ms` counts; older ones count less against it
        self._counts: dict[str, float] = {}
        self._total = 0.0

    def add(self, words: Mapping[str, int], *, at_ms: int) -> None:
        """Counts words said at a time; late ones count as if said at the newest time."""
        self._move_to(at_ms)
        for word, count in words.items():
            self._counts[word] = self._counts.get(word, 0.0) + count * self._scale
            self._total += count * self._scale
        if len(self._counts) > self._max_words * 5 // 4:  # now and then, since ranking them all is dear
            self._drop_rarest()

    def __getitem__(self, word: str) -> float:
        """The decayed count of a word; 0 for one never said."""
        return self._counts.get(word, 0.0) / self._scale

    def __contains__(self, word: str) -> bool:
        return word in self._counts

    def __len__(self) -> int:
        return len(self._counts)

    @property
    def total(self) -> float:
        """The decayed count of all words."""
        return self._total / self._scale

    def dump(self) -> dict[str, object]:
        """All of it, as values that JSON holds; what is loaded from it goes on exactly as this one does."""
        return {"at_ms": self._at_ms, "scale": self._scale, "counts": dict(self._counts), "total": self._total}

    def load(self, dumped: Mapping[str, object]) -> None:
        """Takes over what `dump` gave. Raises KeyError or TypeError when it is something else."""
        at_ms, scale, counts, total = (dumped[name] for name in ("at_ms", "scale", "counts", "total"))
        if not (isinstance(at_ms, int) and isinstance(counts, dict)):
            raise TypeError("not the dump of a Background")
        if not (isinstance(scale, int | float) and isinstance(total, int | float)):
            raise TypeError("not the dump of a Background")
        self._at_ms, self._scale, self._total = at_ms, float(scale), float(total)
        self._counts = {str(word): float(count) for word, count in counts.items()}

    def _move_to(self, at_ms: int) -> None:
        if at_ms <= self._at_ms:
            return
        # The first counts set the time; instead of shrinking all old counts, new ones are made larger.
        if self._counts:
            self._scale *= 2.0 ** ((at_ms - self._at_ms) / self._half_life_ms)
        self._at_ms = at_ms
        if self._scale > _LARGEST_SCALE:
            self._counts = {w: c / self._scale for w, c in self._counts.items() if c / self._scale > _FORGOTTEN}
            self._total /= self._scale
            self._scale = 1.0

    def _drop_rarest(self) -> None:
        if len(self._counts) <= self._max_words:
            return
        ranked = sorted(self._counts.items(), key=lambda item: (-item[1], item[0]))
        self._counts = dict(ranked[: self._max_words])


_LARGEST_SCALE: Final = 1e12
_FORGOTTEN: Final = 1e-6
_MOST_OF: Final = 0.7  # of a part's mentions must be in the longer term that it is part of

Counts = Mapping[str, float] | Background


def over_represented(
    now: Mapping[str, int], background: Counts, *, k: int = 8, prior: float = PRIOR_WORDS
) -> list[Keyword]:
    """The `k` words that stand out most now against the background, the clearest first.

    `prior` is the weight, in words, of what both say together: the larger, the more a word must be said to
    count. Only words at least 3 standard errors above their usual share and said three times or more; ties by
    the word. Against an empty background nothing stands out.
    """
    now_total = sum(now.values())
    before, before_total = _reader(background)
    both_total = now_total + before_total
    if now_total <= 0:
        return []
    found = []
    for word, count in now.items():
        if count < _LEAST_COUNT:
            continue
        usual = before(word)
        weight = prior * (count + usual) / both_total
        z = _z(count, usual, weight, totals=(now_total, before_total), prior=prior)
        if z >= _LEAST_Z:
            share_before = usual / before_total if before_total else 0.0
            found.append(Keyword(word, round(z, 3), count, count / now_total, share_before))
    found.sort(key=lambda keyword: (-keyword.z, keyword.word))
    return found[:k]


def emerging(
    now: Mapping[str, int],
    background: Counts,
    *,
    k: int = 5,
    least_count: int = 5,
    least_ratio: float = 20.0,
) -> list[Keyword]:
    """The `k` terms that hardly existed before and are said now, the clearest first.

    Made for counts of `sentiment.words.Words.candidates`: strings of characters that no dictionary has. A
    term that is only part of a longer one said as often is left out. A term counts as new when it is said
    `least_count` times, and `least_ratio` times its usual share.
    """
    now_total = sum(now.values())
    before, before_total = _reader(background)
    fresh = set()
    for term, count in now.items():
        share = before(term) / before_total if before_total else 0.0
        if count >= least_count and count >= least_ratio * share * now_total:
            fresh.add(term)
    kept: list[Keyword] = []
    for term in sorted(fresh, key=lambda term: (-len(term), term)):
        if any(term in longer.word and longer.now >= _MOST_OF * now[term] for longer in kept):
            continue
        usual = before(term)
        z = _surprise(now[term], usual, totals=(now_total, before_total))
        share_before = usual / before_total if before_total else 0.0
        kept.append(Keyword(term, round(z, 3), now[term], now[term] / now_total, share_before))
    kept.sort(key=lambda keyword: (-keyword.z, keyword.word))
    return kept[:k]


def _z(now: float, before: float, weight: float, *, totals: tuple[float, float], prior: float) -> float:
    """The log-odds ratio of a word between two bodies of text, over its standard error."""
    now_for, before_for = now + weight, before + weight
    now_against = totals[0] + prior - now_for
    before_against = totals[1] + prior - before_for
    if now_against <= 0 or before_against <= 0:  # one word is all that anybody says
        return 0.0
    difference = math.log(now_for / now_against) - math.log(before_for / before_against)
    return difference / math.sqrt(1.0 / now_for + 1.0 / before_for)


def _surprise(now: float, before: float, *, totals: tuple[float, float]) -> float:
    """The root of Dunning's log-likelihood ratio G² (Computational Linguistics 19, 1993), for a share that
    rose.

    The log-odds' standard error explodes for what was never said before, which is just what is looked for
    here.
    """
    both = (now + before) / (totals[0] + totals[1])
    g = now * math.log(now / (totals[0] * both))
    if before > 0:
        g += before * math.log(before / (totals[1] * both))
    return math.sqrt(max(0.0, 2.0 * g))


def _reader(background: Counts) -> tuple[Callable[[str], float], float]:
    if isinstance(background, Background):
        return background.__getitem__, background.total
    counts = background
    return (lambda word: counts.get(word, 0.0)), float(sum(counts.values()))
