"""Silences: nobody is told of alerts that match for so long. They fire and resolve all the same."""

from collections.abc import Iterator, Mapping

import msgspec


class Silence(msgspec.Struct, frozen=True):
    """Mutes every alert for which each matcher holds: one of its values equals the label exactly.

    Besides an alert's labels, `rule`, `kind` and `severity` may be matched. No matchers match nothing.
    """

    silence_id: str
    matchers: Mapping[str, tuple[str, ...]]
    starts_at: int
    ends_at: int
    who: str
    comment: str = ""

    def covers(self, fields: Mapping[str, str], at: int) -> bool:
        """Whether an alert with these fields is muted at an instant.

        One that began covers also what is decided for an instant before: event time trails the wall clock of whoever
        asked for silence.
        """
        if at >= self.ends_at or not self.matchers:
            return False
        return all(fields.get(key, "") in values for key, values in self.matchers.items())


class Silences:
    """The silences that are not over."""

    def __init__(self) -> None:
        self._silences: dict[str, Silence] = {}

    def __iter__(self) -> Iterator[Silence]:
        return iter(self._silences.values())

    def add(self, silence: Silence) -> None:
        """Begin one; one with the same id is replaced."""
        self._silences[silence.silence_id] = silence

    def end(self, silence_id: str) -> bool:
        """End one early; False if there is none."""
        return self._silences.pop(silence_id, None) is not None

    def covering(self, fields: Mapping[str, str], at: int) -> Silence | None:
        """Of the silences that mute an alert the one that lasts longest."""
        found = [one for one in self._silences.values() if one.covers(fields, at)]
        return max(found, key=lambda one: (one.ends_at, one.silence_id), default=None)

    def forget(self, now_ms: int) -> None:
        """Drop what is over."""
        for silence in [one for one in self._silences.values() if one.ends_at <= now_ms]:
            del self._silences[silence.silence_id]

    def dump(self) -> list[object]:
        """Plain values for `load`."""
        return [msgspec.to_builtins(one) for one in self._silences.values()]

    def load(self, state: list[object]) -> None:
        """Take over what `dump` gave."""
        self._silences = {one.silence_id: one for one in msgspec.convert(state, list[Silence])}
