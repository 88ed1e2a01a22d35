"""Tells what a review or a complaint is about, and what it thinks of each: 东西不错但是客服太差 praises the quality and
blames the service.

Decides by a hand-written lexicon with weights (`assets/aspects.yaml`), clause by clause. Leaves the verdict on the
whole text to the judge, and traditional characters to whoever hands the text in (`sentiment.normalize`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Aspect:
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
    kind: Literal["aspect", "opinion", "negation", "contrast"]


@dataclass(slots=True)
class _Clause:
    text: str
    weights: dict[AspectName, float]
    lean: float
    opinions: int

    def polarity(self) -> float:
        return self.lean / self.opinions if self.opinions else 0.0


class Lexicon:
    """The words, ready to be found in texts."""

    def __init__(self, terms: Mapping[str, _Term]) -> None:
        self._terms: dict[str, _Term | None] = dict(terms) | dict.fromkeys(_ENDS)
        lengths: dict[str, set[int]] = {}
        for word in self._terms:
            lengths.setdefault(word[0], set()).add(len(word))
        self._lengths = {first: sorted(sizes, reverse=True) for first, sizes in lengths.items()}
        first = "".join(re.escape(character) for character in sorted(lengths))
        # A jump from sign to sign: most characters of a text begin no word of the lexicon and cost nothing.
        self._signs = re.compile(f"[{first}]")

    def aspects(self, text: str) -> list[Aspect]:
        """As `aspects`."""
        clauses = self._clauses(text)
        _lend(clauses)
        weights: dict[AspectName, float] = {}
        leans: dict[AspectName, list[float]] = {}
        best: dict[AspectName, tuple[float, str]] = {}
        for clause in clauses:
            polarity = clause.polarity()
            if clause.opinions and clause.weights and max(clause.weights.values()) < _LEAST_WEIGHT:
                # An opinion makes a hint a mention: 东西 is about anything, 东西不错 about the quality.
                clause.weights = {max(clause.weights, key=clause.weights.__getitem__): _TOPIC_WEIGHT}
            for name, weight in clause.weights.items():
                weights[name] = weights.get(name, 0.0) + weight
                if clause.opinions:
                    leans.setdefault(name, []).append(weight * polarity)
                    leans[name].append(weight)
                if weight > best.get(name, (0.0, ""))[0]:
                    best[name] = (weight, clause.text)
        found = [
            Aspect(name, _mean(leans.get(name, [])), round(weight, 3), best[name][1])
            for name, weight in weights.items()
            if weight >= _LEAST_WEIGHT
        ]
        if not found:
            return _other(text, clauses)
        found.sort(key=lambda aspect: (-aspect.weight, NAMES.index(aspect.name)))
        return found

    def _clauses(self, text: str) -> list[_Clause]:
        lowered = text.lower()
        if len(lowered) != len(text):  # a few letters grow in lower case, and places would no longer agree
            lowered = text
        clauses: list[_Clause] = []
        clause = _Clause("", {}, 0.0, 0)
        begin = 0
        negated_until = -1
        for place, end, term in self._found(lowered):
            if term is None or term.kind == "contrast":
                clause.text = text[begin:place]
                clauses.append(clause)
                clause, begin, negated_until = _Clause("", {}, 0.0, 0), (end if term is None else place), -1
            elif term.kind == "negation":
                # Two in a row are none: 不是不好.
                negated_until = -1 if place <= negated_until else end + _REACH
            else:
                if term.aspect is not None:
                    clause.weights[term.aspect] = clause.weights.get(term.aspect, 0.0) + term.weight
                if term.lean:
                    clause.lean += -term.lean if place <= negated_until else term.lean
                    clause.opinions += 1
                    negated_until = -1
        clause.text = text[begin:]
        clauses.append(clause)
        return clauses

    def _found(self, lowered: str) -> list[tuple[int, int, _Term | None]]:
        """The longest words that fit, from left to right; None is the end of a clause."""
        get, lengths = self._terms.get, self._lengths
        found: list[tuple[int, int, _Term | None]] = []
        done = 0
        for match in self._signs.finditer(lowered):
            place = match.start()
            if place < done:
                continue
            for length in lengths[lowered[place]]:
                end = place + length
                term = get(lowered[place:end], _NOT_A_TERM)
                if term is not _NOT_A_TERM:
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
_NOT_A_TERM: Final = _Term(None, 0.0, 0, "negation")
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


def _lend(clauses: list[_Clause]) -> None:
    """An opinion without a topic speaks of the topic just named (客服呢，太差), if that got none yet."""
    for before, after in pairwise(clauses):
        if before.weights and not before.opinions and after.opinions and not after.weights:
            before.lean, before.opinions = after.lean, after.opinions


def _mean(leans: list[float]) -> float:
    total = sum(leans[1::2])
    return round(max(-1.0, min(1.0, sum(leans[::2]) / total)), 3) if total else 0.0


def _other(text: str, clauses: list[_Clause]) -> list[Aspect]:
    if not any(character.isalnum() for character in text):
        return []
    opinions = sum(clause.opinions for clause in clauses)
    polarity = sum(clause.lean for clause in clauses) / opinions if opinions else 0.0
    longest = max((clause.text.strip() for clause in clauses), key=len, default="")
    return [Aspect("other", round(polarity, 3), 1.0, longest[:_LONGEST_CLAUSE])]
