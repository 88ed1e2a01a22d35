"""What customers say in a spike: what they blame, the words that stand out against what is usual, and new terms.

The newest texts teach the background nothing, lest a spike become its own normal.
"""

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from typing import Any, Final

from schemas.results import Observation
from sentiment.blame import blamed
from sentiment.keywords import Background, emerging, over_represented
from sentiment.words import Words

LAG_MS: Final = 40 * 60_000
WAITING_TEXTS: Final = 64  # cut into words so many at a time
LEARNT_A_MINUTE: Final = 8  # texts: what is usually said needs no more, and cutting costs 70 µs a text
KEYWORDS: Final = 8
FIRST_WORDS: Final = 4
LEAST_COUNT: Final = 3
QUOTES: Final = 3
LEAST_BACKGROUND: Final = 200.0  # words; before that the most frequent ones must do
SAMPLE: Final = "sample_texts"  # the detector's key, which leaves here


class Evidence:
    """Words of negative reviews and complaints, now and usually."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._terms = Background()
        self._candidates = Background()
        self._waiting: deque[tuple[int, str]] = deque()
        self._minute = self._taken = 0  # of event time, and texts of it

    def observe(self, observations: Iterable[Observation]) -> None:
        """Take note of what is said."""
        for one in observations:
            if one.text:
                minute = one.at // 60_000
                if minute != self._minute:
                    self._minute, self._taken = minute, 0
                self._taken += 1
                if self._taken <= LEARNT_A_MINUTE:
                    self._waiting.append((one.at, one.text))

    def enrich(self, evidence: Mapping[str, Any], *, at: int) -> dict[str, Any]:
        """The evidence with `aspects`, `keywords` and `emerging` made of its sample of texts."""
        rest = {key: value for key, value in evidence.items() if key != SAMPLE}
        texts = evidence.get(SAMPLE)
        if not texts:
            return rest
        self._learn(at - LAG_MS)
        now = _counted(self._words.content(texts))
        if self._terms.total >= LEAST_BACKGROUND:
            keywords = [one.word for one in over_represented(now, self._terms, k=KEYWORDS)]
            keywords = keywords or self._more_than_usual(now)
            rest["emerging"] = [
                one.word for one in emerging(_counted(self._words.candidates(texts)), self._candidates, k=KEYWORDS)
            ]
        else:
            keywords = [word for word, count in now.most_common(KEYWORDS) if count > 1]
        rest["aspects"] = [{"name": one.name, "share": round(one.share, 2)} for one in blamed(texts)]
        rest["keywords"] = keywords
        if keywords:
            # The quotes that say what the many say: those with most of the words, the newest first.
            newest_first = texts[::-1]
            ranked = sorted(newest_first, key=lambda text: -sum(word in text for word in keywords))
            rest["texts"] = list(dict.fromkeys(ranked))[:QUOTES]
        return rest

    def _more_than_usual(self, now: Counter[str]) -> list[str]:
        """Where nothing stands out for certain yet, as at an incident's first minutes: what is said twice as often."""
        total, usual = sum(now.values()), self._terms.total
        return [
            word
            for word, count in now.most_common(3 * KEYWORDS)
            if count >= LEAST_COUNT and count / total >= 2 * self._terms[word] / usual
        ][:FIRST_WORDS]

    def dump(self) -> dict[str, Any]:
        """The state as plain values."""
        return {
            "terms": self._terms.dump(),
            "candidates": self._candidates.dump(),
            "waiting": [list(one) for one in self._waiting],
            "minute": [self._minute, self._taken],
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from what `dump` gave."""
        self._terms.load(state["terms"])
        self._candidates.load(state["candidates"])
        self._waiting = deque((at, text) for at, text in state["waiting"])
        self._minute, self._taken = state["minute"]

    def forget(self, now_ms: int) -> None:
        """Learn what is old enough; called now and then, so that little waits."""
        if len(self._waiting) >= WAITING_TEXTS and self._waiting[WAITING_TEXTS - 1][0] < now_ms - LAG_MS:
            self._learn(now_ms - LAG_MS)

    def _learn(self, until_ms: int) -> None:
        texts: list[str] = []
        at = 0
        while self._waiting and self._waiting[0][0] < until_ms:
            at, text = self._waiting.popleft()
            texts.append(text)
        if texts:
            self._terms.add(_counted(self._words.content(texts)), at_ms=at)
            self._candidates.add(_counted(self._words.candidates(texts)), at_ms=at)


def _counted(words: Iterable[Iterable[str]]) -> Counter[str]:
    return Counter(word for text in words for word in text)
