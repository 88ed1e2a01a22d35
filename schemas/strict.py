"""Plain values (of YAML or JSON) read strictly: each mistake is noted with its place, and reading goes on.

    rules[2].window_seconds: 7 is not one of 60, 300, 900, 3600, 86400

A reader that meets a mistake returns a harmless stand-in; `Mistakes.stop()` raises all at the end, so that
no stand-in ever leaves the parser.
"""

import difflib
import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final, TypeVar

from schemas.errors import ConfigError

T = TypeVar("T")

_DURATION = re.compile(r"(?:(\d{1,6})d)?(?:(\d{1,7})h)?(?:(\d{1,9})m(?!s))?(?:(\d{1,10})s)?(?:(\d{1,12})ms)?", re.ASCII)
_UNITS_MS: Final = (86_400_000, 3_600_000, 60_000, 1000, 1)


class Mistakes:
    """The mistakes of one file."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._found: list[str] = []

    def add(self, place: str, text: str) -> None:
        """Note one mistake."""
        self._found.append(f"{self._source}: {place}: {text}" if place else f"{self._source}: {text}")

    def stop(self) -> None:
        """Raise ConfigError if there was any mistake."""
        if self._found:
            raise ConfigError(self._found)


class Node:
    """A value and its place in the file."""

    def __init__(self, value: Any, place: str, mistakes: Mistakes) -> None:
        self.value = value
        self.place = place
        self.mistakes = mistakes

    def wrong(self, rule: str) -> None:
        """Note that the value breaks a rule: `7 is not one of …`."""
        self.mistakes.add(self.place, f"{show(self.value)} {rule}")

    def text(self, *, max_chars: int = 200, empty: bool = False) -> str:
        """A text; only with `empty` may it be one without characters."""
        if not isinstance(self.value, str):
            self.wrong("is not a text")
        elif not empty and not self.value.strip():
            self.wrong("is empty")
        elif len(self.value) > max_chars:
            self.wrong(f"is longer than {max_chars} characters")
        else:
            return self.value
        return ""

    def flag(self) -> bool:
        """true or false."""
        if isinstance(self.value, bool):
            return self.value
        self.wrong("is not true or false")
        return False

    def number(self, *, at_least: float = -math.inf, at_most: float = math.inf, above: float = -math.inf) -> float:
        """A finite number within bounds."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self.wrong("is not a number")
        elif value < at_least:
            self.wrong(f"is less than {at_least:g}")
        elif value <= above:
            self.wrong(f"is not above {above:g}")
        elif value > at_most:
            self.wrong(f"is more than {at_most:g}")
        else:
            return float(value)
        return 0.0

    def whole(self, *, at_least: int = 0, at_most: int = 10**9) -> int:
        """An integer within bounds."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int):
            self.wrong("is not a whole number")
        elif not at_least <= value <= at_most:
            self.wrong(f"is not within {at_least} to {at_most}")
        else:
            return value
        return at_least

    def one_of(self, allowed: Collection[T]) -> T:
        """One of a closed set; the first of it stands in for a mistake."""
        for candidate in allowed:
            if self.value == candidate and type(self.value) is type(candidate):
                return candidate
        self.wrong(f"is not one of {', '.join(str(one) for one in allowed)}")
        return next(iter(allowed))

    def duration_ms(self, *, at_least_ms: int = 0, at_most_ms: int = 366 * 86_400_000) -> int:
        """Milliseconds of `90s`, `5m`, `1h30m`, `2d`, `500ms`; a bare number says no unit and is a mistake."""
        match = _DURATION.fullmatch(self.value) if isinstance(self.value, str) else None
        if match is None or not self.value:
            self.wrong("is not a duration such as 90s, 5m, 1h30m")
            return at_least_ms
        total = sum(int(part) * unit for part, unit in zip(match.groups(), _UNITS_MS, strict=True) if part)
        if not at_least_ms <= total <= at_most_ms:
            self.wrong(f"is not within {show_ms(at_least_ms)} to {show_ms(at_most_ms)}")
            return at_least_ms
        return total

    def items(self, *, at_most: int = 10_000) -> "list[Node]":
        """The elements of a list."""
        if not isinstance(self.value, list):
            self.mistakes.add(self.place, f"{_sort_of(self.value)} is not a list")
            return []
        if len(self.value) > at_most:
            self.wrong(f"has more than {at_most} elements")
            return []
        return [Node(value, f"{self.place}[{i}]", self.mistakes) for i, value in enumerate(self.value)]

    def one_or_many(self) -> "list[Node]":
        """The elements of a list, or the value itself where no list stands."""
        return self.items() if isinstance(self.value, list) else [self]

    def entries(self) -> "Iterator[tuple[str, Node]]":
        """Keys and values of a mapping whose keys are the user's own."""
        if not isinstance(self.value, dict):
            self.mistakes.add(self.place, f"{_sort_of(self.value)} is not a mapping")
            return
        for key, value in self.value.items():
            yield key, Node(value, f"{self.place}.{key}" if self.place else key, self.mistakes)

    def fields(self, allowed: Collection[str]) -> "Fields":
        """A mapping with a closed set of keys."""
        found = dict(self.entries())
        for key in found.keys() - set(allowed):
            node = found.pop(key)
            node.mistakes.add(node.place, f"unknown key; {_hint(key, allowed)}")
        return Fields(found, self)


class Fields:
    """The known keys of a mapping."""

    def __init__(self, found: Mapping[str, Node], parent: Node) -> None:
        self._found = found
        self._parent = parent

    def __contains__(self, key: str) -> bool:
        return key in self._found

    def __getitem__(self, key: str) -> Node:
        return self._found[key]

    def need(self, key: str, read: Callable[[Node], T], *, stand_in: T) -> T:
        """What `read` makes of a required key."""
        node = self._found.get(key)
        if node is None:
            if isinstance(self._parent.value, dict):
                self._parent.mistakes.add(self.place(key), "is missing")
            return stand_in
        return read(node)

    def take(self, key: str, read: Callable[[Node], T], default: T) -> T:
        """What `read` makes of a key that may be left out."""
        node = self._found.get(key)
        return default if node is None else read(node)

    def place(self, key: str) -> str:
        """The place of a key, also of one left out; "" is the mapping itself."""
        return ".".join(part for part in (self._parent.place, key) if part)

    def wrong(self, key: str, text: str) -> None:
        """Note a mistake at a key."""
        self._parent.mistakes.add(self.place(key), text)


def show(value: Any) -> str:
    """A value as a message shows it: short, on one line; of a list or mapping never what is in it, maybe a secret."""
    if isinstance(value, list | dict) and value:
        return _sort_of(value)
    text = repr(value) if isinstance(value, str) else str(value)
    if value is None:
        text = "null"
    elif isinstance(value, bool):
        text = str(value).lower()
    return text if len(text) <= 60 else text[:57] + "..."


def _sort_of(value: Any) -> str:
    """What stands where something else should, without what may be a secret."""
    for sort, name in ((str, "a text"), (list, "a list"), (dict, "a mapping")):
        if value and isinstance(value, sort):
            return name
    return show(value)


def show_ms(ms: int) -> str:
    """A duration as a configuration would write it."""
    parts = []
    rest = ms
    for unit, letter in zip(_UNITS_MS, ("d", "h", "m", "s", "ms"), strict=True):
        count, rest = divmod(rest, unit)
        if count:
            parts.append(f"{count}{letter}")
    return "".join(parts) or "0s"


def _hint(key: str, allowed: Collection[str]) -> str:
    close = difflib.get_close_matches(key, sorted(allowed), n=1)
    return f"did you mean {close[0]}?" if close else f"known here: {', '.join(sorted(allowed))}"
