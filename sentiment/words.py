"""Cuts Chinese texts into words, and picks those that can tell what a text is about.

Leaves to `sentiment.keywords` which of them matter now. Whoever hands texts in masks them first: a word may
end in an alert.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rjieba import Jieba

_ASSETS: Final = Path(__file__).parent / "assets"
# High enough that a listed word beats the cut that the segmenter's dictionary would prefer.
_LISTED_FREQUENCY: Final = 200_000
_LONGEST_WORD: Final = 12
_LONGEST_CANDIDATE: Final = 6
_MOST_PARTS: Final = 4


class Words:
    """A segmenter with this project's own words, and its stop words."""

    def __init__(self, segmenter: "Jieba", stop_words: frozenset[str]) -> None:
        self._cut = segmenter.cut
        self._has_word = segmenter.has_word
        self.stop_words = stop_words
        # Most words come again and again; asking the pattern costs ten times what remembering does.
        self._telling = lru_cache(maxsize=1 << 16)(self._is_telling)

    def segment(self, texts: Iterable[str]) -> list[list[str]]:
        """Every text's words in order, signs and spaces included; joined again they are the text."""
        return [self._cut(_plain(text)) for text in texts]

    def content(self, texts: Iterable[str]) -> list[list[str]]:
        """Every text's words that can be keywords, each once, in order of appearance: no stop words, signs,
        numbers and masks."""
        telling = self._telling
        return [
            list(dict.fromkeys(word for word in self._cut(_MASK.sub("，", _plain(text)).lower()) if telling(word)))
            for text in texts
        ]

    def candidates(self, texts: Iterable[str]) -> list[list[str]]:
        """Every text's strings of two to six characters that may be a new term, each once: words that the
        dictionary lacks, and neighbouring words of which one is a single character (what is left when a new
        term is cut apart)."""
        return [list(dict.fromkeys(self._candidates(text))) for text in texts]

    def _candidates(self, text: str) -> Iterator[str]:
        words = self._cut(_MASK.sub("，", _plain(text)).lower())
        joinable = [_JOINABLE.fullmatch(word) is not None for word in words]
        for first, word in enumerate(words):
            if not joinable[first] or word in self.stop_words:
                continue
            if len(word) > 1 and not self._has_word(word) and _WORD.fullmatch(word):
                yield word
            term, single = word, len(word) == 1
            for last in range(first + 1, min(first + _MOST_PARTS, len(words))):
                term += words[last]
                single = single or len(words[last]) == 1
                if not joinable[last] or words[last] in self.stop_words or len(term) > _LONGEST_CANDIDATE:
                    break
                if single and _WORD.fullmatch(term):
                    yield term

    def knows(self, word: str) -> bool:
        """Whether the dictionary has the word."""
        return bool(self._has_word(word))

    def _is_telling(self, word: str) -> bool:
        return (
            word not in self.stop_words and 2 <= len(word) <= _LONGEST_WORD and _WORD.fullmatch(word) is not None
        ) or (len(word) == 1 and word in _TELLING_CHARACTERS)


@lru_cache(maxsize=1)
def load() -> Words:
    """Reads dictionary and lists (tens of milliseconds and MiB, once a process)."""
    # Imported here because importing builds the dictionary, and a worker that never needs words should not
    # pay.
    from rjieba import Jieba

    # An instance of its own: words added to the shared one would change what others cut with it.
    segmenter = Jieba()
    for word in read_list(_ASSETS / "userdict.txt"):
        segmenter.add_word(word, _LISTED_FREQUENCY, None)
    return Words(segmenter, frozenset(read_list(_ASSETS / "stopwords.txt")))


def segment(texts: Sequence[str]) -> list[list[str]]:
    """As `Words.segment`; loads on the first call."""
    return load().segment(texts)


def content_words(texts: Sequence[str]) -> list[list[str]]:
    """As `Words.content`; loads on the first call."""
    return load().content(texts)


def read_list(path: Path) -> list[str]:
    """The words of a list: split by spaces, lines that start with # are comments. Raises OSError."""
    lines = path.read_text("utf-8").splitlines()
    return [word for line in lines if not line.startswith("#") for word in line.split()]


_MASK: Final = re.compile(r"\[[\u4e00-\u9fffQ]{2,4}\]")
# Letters and Chinese characters, with digits inside (5G, RTX4090), but never digits alone or a long run of
# them.
_WORD: Final = re.compile(r"(?!.*[0-9]{5})(?=.*[^\W\d_])[\w.\-]+")
_JOINABLE: Final = re.compile(r"[\u4e00-\u9fffA-Za-z0-9]+")
# Words of one character that tell more than most of two.
_TELLING_CHARACTERS: Final = frozenset("霉臭馊腥酸苦碎漏裂断假骗脏虫潮烂坏贵慢凉冷烫软硬薄厚重轻响吵卡")
_SURROGATES: Final = re.compile("[\ud800-\udfff]")


def _plain(text: str) -> str:
    # A lone surrogate cannot be handed to the segmenter, which speaks UTF-8.
    return text if text.isascii() or _SURROGATES.search(text) is None else _SURROGATES.sub("\ufffd", text)
