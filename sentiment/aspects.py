"""Tells what a review or a complaint is about, and what it thinks of each: 东西不错但是客服太差 praises the quality and
blames the service.

Decides by a hand-written lexicon with weights (`assets/aspects.yaml`), clause by clause. Leaves the verdict on the
whole text to the judge, and traditional characters to whoever hands the text in (`sentiment.normalize`).
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Final, Literal, NamedTuple, cast

import yaml

AspectName = Literal["quality", "logistics", "service", "refund", "price", "packaging", "fraud", "other"]

NAMES: Final[tuple[AspectName, ...]] = (
    "quality",
    "logistics",
    "service",
    "refund",
    "price",
    "packaging",
    "fraud",
    "other",
)

_LEXICON: Final = Path(__file__).parent / "assets" / "aspects.yaml"
_TOPIC_WEIGHT: Final = 1.0
_LEANING_WEIGHT: Final = 1.5  # a fault is said on purpose, a topic may be mentioned in passing
_HINT_WEIGHT: Final = 0.3
_LEAST_WEIGHT: Final = 0.9  # hints alone make no aspect
# A negation turns an opinion that begins at most so many characters after it ends.
_REACH: Final = 3
_LONGEST_CLAUSE: Final = 60


class Aspect(NamedTuple):
    """What a text speaks of; polarity from -1 (blamed) to 1 (praised), 0 without an opinion; weight 1 is one plain
    mention; clause is where it is said most."""

    name: AspectName
    polarity: float
    weight: float
    clause: str


class _Term(NamedTuple):
    aspect: AspectName | None
    weight: float
    lean: int
    kind: Literal["aspect", "opinion", "negation", "contrast", "end"]


class _Clause(NamedTuple):
    """A part of a text that is of one mind; `text[begin:end]`."""

    begin: int
    end: int
    weights: dict[AspectName, float]
    lean: float
    opinions: int


class Lexicon:
    """The words, ready to be found in texts."""

    def __init__(self, terms: Mapping[str, _Term]) -> None:
        self._terms = dict(terms) | dict.fromkeys(_ENDS, _END)
        # By their first two characters, which tells most places where nothing begins by a single look.
        sizes: dict[str, set[int]] = {}
        for word in self._terms:
            sizes.setdefault(word[:2], set()).add(len(word))
        self._sizes = {pair: sorted(found | {1}, reverse=True) for pair, found in sizes.items() if len(pair) == 2}
        first = "".join(re.escape(character) for character in sorted({word[0] for word in self._terms}))
        # A jump from sign to sign: most characters of a text begin no word of the lexicon and cost nothing.
        self._signs = re.compile(f"[{first}]")

    def aspects(self, text: str) -> list[Aspect]:
        """As `aspects`."""
        clauses = _lent(self._clauses(text))
        weights: dict[AspectName, float] = {}
        leans: dict[AspectName, float] = {}
        judged: dict[AspectName, float] = {}
        best: dict[AspectName, tuple[float, _Clause]] = {}
        for clause in clauses:
            mentioned = clause.weights
            if not mentioned:
                continue
            if clause.opinions and max(mentioned.values()) < _LEAST_WEIGHT:
                # An opinion makes a hint a mention: 东西 is about anything, 东西不错 about the quality.
                mentioned = {max(mentioned, key=mentioned.__getitem__): _TOPIC_WEIGHT}
            for name, weight in mentioned.items():
                weights[name] = weights.get(name, 0.0) + weight
                if clause.opinions:
                    leans[name] = leans.get(name, 0.0) + weight * clause.lean / clause.opinions
                    judged[name] = judged.get(name, 0.0) + weight
                if name not in best or weight > best[name][0]:
                    best[name] = (weight, clause)
        found = [
            Aspect(
                name,
                _polarity(leans.get(name, 0.0), judged.get(name, 0.0)),
                round(weight, 3),
                _cut(text, best[name][1]),
            )
            for name, weight in weights.items()
            if weight >= _LEAST_WEIGHT
        ]
        if not found:
            return _other(text, clauses)
        if len(found) > 1:
            found.sort(key=lambda aspect: (-aspect.weight, NAMES.index(aspect.name)))
        return found

    def _clauses(self, text: str) -> list[_Clause]:
        lowered = text.lower()
        if len(lowered) != len(text):  # a few letters grow in lower case, and places would no longer agree
            lowered = text
        clauses: list[_Clause] = []
        weights: dict[AspectName, float] = {}
        lean, opinions, begin, negated_until = 0, 0, 0, -1
        for place, end, (aspect, weight, leaning, kind) in self._found(lowered):
            if kind == "end" or kind == "contrast":
                if weights or opinions:
                    clauses.append(_Clause(begin, place, weights, lean, opinions))
                    weights = {}
                lean, opinions, begin, negated_until = 0, 0, (end if kind == "end" else place), -1
            elif kind == "negation":
                # Two in a row are none: 不是不好.
                negated_until = -1 if place <= negated_until else end + _REACH
            else:
                if aspect is not None:
                    weights[aspect] = weights.get(aspect, 0.0) + weight
                if leaning:
                    lean += -leaning if place <= negated_until else leaning
                    opinions += 1
                    negated_until = -1
        clauses.append(_Clause(begin, len(text), weights, lean, opinions))
        return clauses

    def _found(self, lowered: str) -> list[tuple[int, int, _Term]]:
        """The longest words that fit, from left to right."""
        terms, sizes = self._terms, self._sizes
        found: list[tuple[int, int, _Term]] = []
        done = 0
        for match in self._signs.finditer(lowered):
            place = match.start()
            if place < done:
                continue
            for size in sizes.get(lowered[place : place + 2], _ONE):
                end = place + size
                term = terms.get(lowered[place:end])
                if term is not None:
                    done = end
                    found.append((place, end, term))
                    break
        return found


def aspects(text: str) -> list[Aspect]:
    """What the text is about, the weightiest first: one entry an aspect, ``other`` if nothing is recognised, nothing
    for a text without a word. Loads the lexicon on the first call; costs time linear in the text; never raises."""
    return load().aspects(text)


@lru_cache(maxsize=1)
def load() -> Lexicon:
    """Reads the lexicon that ships."""
    return read_lexicon(_LEXICON.read_text("utf-8"))


def read_lexicon(source: str) -> Lexicon:
    """A lexicon of YAML like the one that ships. Raises ValueError for an aspect or a section of another name."""
    sections = yaml.safe_load(source)
    terms: dict[str, _Term] = {}
    _check(sections, {"aspects", "opinions", "negations", "contrasts"}, "section")
    _check(sections.get("opinions") or {}, set(_LEANS), "opinion")
    for lean, words in (sections.get("opinions") or {}).items():
        _add(terms, words, _Term(None, 0.0, _LEANS[lean], "opinion"))
    _add(terms, sections.get("negations"), _Term(None, 0.0, 0, "negation"))
    _add(terms, sections.get("contrasts"), _Term(None, 0.0, 0, "contrast"))
    _check(sections.get("aspects") or {}, {str(name) for name in NAMES} - {"other"}, "aspect")
    for name, groups in (sections.get("aspects") or {}).items():
        _check(groups, set(_WEIGHTS), f"group of {name}")
        for group, words in groups.items():
            lean = _LEANS.get(group, 0)
            if group == "hint":
                words = " ".join(word for word in words.split() if word not in terms)
            _add(terms, words, _Term(cast("AspectName", name), _WEIGHTS[group], lean, "aspect"))
    return Lexicon(terms)


_LEANS: Final = {"good": 1, "bad": -1, "none": 0}
_WEIGHTS: Final = {"topic": _TOPIC_WEIGHT, "good": _LEANING_WEIGHT, "bad": _LEANING_WEIGHT, "hint": _HINT_WEIGHT}
_ONE: Final = [1]
_END: Final = _Term(None, 0.0, 0, "end")
_ENDS: Final = "，。！？；,!?;\n \u3000…~～、"


def _check(given: object, allowed: set[str], what: str) -> None:
    if not isinstance(given, dict):
        raise ValueError(f"lexicon: {what}: {type(given).__name__} is not a mapping")
    unknown = sorted(set(given) - allowed)
    if unknown:
        raise ValueError(f"lexicon: {what} {unknown[0]!r} is not one of {', '.join(sorted(allowed))}")


def _add(terms: dict[str, _Term], words: str | None, term: _Term) -> None:
    for word in str(words or "").split():
        terms.setdefault(word, term)


def _lent(clauses: list[_Clause]) -> list[_Clause]:
    """An opinion without a topic speaks of the topic just named (客服呢，太差), if that got none yet."""
    for number, (before, after) in enumerate(pairwise(clauses)):
        if before.weights and not before.opinions and after.opinions and not after.weights:
            clauses[number] = before._replace(lean=after.lean, opinions=after.opinions)
    return clauses


def _polarity(lean: float, weight: float) -> float:
    return round(max(-1.0, min(1.0, lean / weight)), 3) if weight else 0.0


def _cut(text: str, clause: _Clause) -> str:
    return text[clause.begin : clause.end].strip()[:_LONGEST_CLAUSE]


def _other(text: str, clauses: list[_Clause]) -> list[Aspect]:
    if not any(character.isalnum() for character in text):
        return []
    polarity = _polarity(sum(clause.lean for clause in clauses), sum(clause.opinions for clause in clauses))
    longest = max((_cut(text, clause) for clause in clauses), key=len)
    return [Aspect("other", polarity, _TOPIC_WEIGHT, longest)]
