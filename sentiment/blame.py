"""What many angry texts are angry about: the share of them that blames each aspect."""

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple

from sentiment.aspects import NAMES, Aspect, AspectName, aspects
from sentiment.model import read_normalizer
from sentiment.normalize import Normalizer

LEAST_TEXTS: Final = 2
LEAST_SHARE: Final = 0.1


class Blamed(NamedTuple):
    """An aspect and the share of the texts that blame it, 0 to 1; a text may blame several."""

    name: AspectName
    share: float


def blamed(texts: Iterable[str], *, most: int = 3) -> list[Blamed]:
    """The aspects that negative texts blame, the most blamed first; texts as they were written.

    A text in which no opinion meets an aspect (退款呢, in a complaint) blames the weightiest it speaks of, if any. What
    fewer than two texts or a tenth of them blame is left out, and so is what nobody can name.
    """
    simplified = _normalizer().simplified
    texts = list(texts)
    counted = Counter(name for text in texts for name in _faults(aspects(simplified(text))))
    told = [
        Blamed(name, count / len(texts))
        for name, count in counted.items()
        if count >= LEAST_TEXTS and count >= LEAST_SHARE * len(texts)
    ]
    return sorted(told, key=lambda one: (-one.share, NAMES.index(one.name)))[:most]


def _faults(found: list[Aspect]) -> set[AspectName]:
    bad = {aspect.name for aspect in found if aspect.polarity < 0}
    plain = [aspect.name for aspect in found if aspect.polarity == 0]
    return (bad or set(plain[:1])) - {"other"}


@lru_cache(maxsize=1)
def _normalizer() -> Normalizer:
    return read_normalizer()
