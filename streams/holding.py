"""Facts that came before those of slower sources: they wait, by pane, until event time has passed them. Pure.

Decides in which order facts are decided on while somebody lags: by panes, as a replay does.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

from schemas.results import PANE_MS
from streams.facts import Facts
from streams.panes import GRAIN_MS, Deltas, SketchEntry, WordEntry, merge_deltas, pane_of

MOST_HELD: Final = 200_000  # observations and rows of panes; beyond it the oldest wait no longer
_GRAIN_PANES: Final = GRAIN_MS // PANE_MS

SourceKey = tuple[str, int]


class Holding:
    """What waits. `passed`: the panes before this one have been handed on, and take no more."""

    def __init__(
        self, *, passed: int = 0, last: Mapping[SourceKey, int] | None = None, most: int = MOST_HELD
    ) -> None:  # fmt: skip
        """`last`: the pane of each source's last transition that waits."""
        self.passed = passed
        self.last: dict[SourceKey, int] = dict(last or {})
        self._most = most
        self._facts: dict[int, Facts] = {}
        self._deltas: dict[int, list[Deltas]] = {}
        self._size = 0

    def __bool__(self) -> bool:
        return bool(self._facts)

    def add(self, facts: Facts, source: SourceKey) -> None:
        """Keep facts, each by its pane; what comes late joins the first. Rows and forecasts are no such facts."""
        for observation in facts.observations:
            self._at(pane_of(observation.at)).observations.append(observation)
        for transition in facts.transitions:  # what takes one back must not come before it
            pane = self.last[source] = max(pane_of(transition.at_ms), self.last.get(source, 0))
            self._at(pane).transitions.append(transition)
        for feed, count in facts.feeds.items():
            self._at(feed[2]).feeds[feed] += count
        for pane, deltas in _by_pane(facts.deltas):
            self._at(pane)
            self._deltas.setdefault(max(pane, self.passed), []).append(deltas)
        self._size += len(facts.observations) + len(facts.deltas.panes)

    @property
    def passed_ms(self) -> int:
        """The last instant that was handed on; -1 if there is none."""
        return self.passed * PANE_MS - 1

    def release(self, before: int, *, whole: bool = False) -> Iterator[tuple[int, Facts]]:
        """The panes before this one, by time; `whole`: and all others. Without, as many more as are too many."""
        for pane in sorted(self._facts):
            if pane >= before and not whole and self._size <= self._most:
                break
            facts = self._facts.pop(pane)
            facts.observations.sort(key=lambda one: one.at)  # about as they came, whichever partition was faster
            facts.deltas = merge_deltas(self._deltas.pop(pane, []))
            self._size -= len(facts.observations) + len(facts.deltas.panes)
            if not whole:
                self.passed = pane + 1
            yield pane, facts
        self.passed = max(self.passed, before)
        self.last = {source: pane for source, pane in self.last.items() if pane >= self.passed and not whole}

    def held(self) -> Iterator[tuple[int, Facts]]:
        """What waits, as `restore` takes it."""
        for pane in sorted(self._facts):
            facts = self._facts[pane]
            facts.deltas = merge_deltas(self._deltas.get(pane, []))
            self._deltas[pane] = [facts.deltas]
            yield pane, facts

    def restore(self, pane: int, facts: Facts) -> None:
        """Take up what `held` gave."""
        self._facts[pane] = facts
        self._deltas[pane] = [facts.deltas]
        self._size += len(facts.observations) + len(facts.deltas.panes)

    def _at(self, pane: int) -> Facts:
        return self._facts.setdefault(max(pane, self.passed), Facts())


def _by_pane(deltas: Deltas) -> Iterator[tuple[int, Deltas]]:
    """Contributions, pane by pane; a grain's words go with its newest pane, or its first where there is none."""
    rows, sketches = defaultdict[int, list[int]](list), defaultdict[int, list[SketchEntry]](list)
    words = defaultdict[int, list[WordEntry]](list)
    newest: dict[tuple[int, str], int] = {}
    for row, (pane, cell) in enumerate(zip(deltas.panes, deltas.cells, strict=True)):
        rows[pane].append(row)
        grain = pane // _GRAIN_PANES, cell[0]
        newest[grain] = max(pane, newest.get(grain, 0))
    for entry in deltas.sketches:
        sketches[entry.pane].append(entry)
    for word in deltas.words:
        words[newest.get((word.grain, word.category), word.grain * _GRAIN_PANES)].append(word)
    for pane in sorted({*rows, *sketches, *words}):
        own = rows[pane]
        cells = [deltas.cells[row] for row in own]
        yield pane, Deltas([pane] * len(own), cells, deltas.figures[own], sketches[pane], words[pane])
