"""The events of the last two hours as columns: where a cause is looked for, and what is learnt from later."""

from itertools import takewhile
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alerts.detectors.spikes.arrays import Bools, Floats, Ids

FIRST_ROWS = 4096
LONGEST_WAIT_MS = 3_600_000
FIELDS: dict[str, type[np.generic]] = {
    "at": np.int64, "got": np.float32, "due": np.float32, "trials": np.float32, "weight": np.float32,
    "bad": np.float32, "done": np.bool_,
}  # fmt: skip


class Rows(NamedTuple):
    """Some of the events, oldest arrival first."""

    at: Ids
    sids: Ids
    got: Floats  # negativity, or complaints; 0 for orders
    due: Floats  # the expectation
    trials: Floats  # reviews or orders
    weight: Floats  # below 1 for related negatives
    bad: Floats  # negative by label, or complaints

    def where(self, chosen: Bools) -> "Rows":
        """Some of the rows, or all of them in another order."""
        return Rows(*(values[chosen] for values in self))


class Recent:
    """A queue of rows with their samples; drops what is older than the horizon, or too much."""

    def __init__(self, columns: int, *, most: int) -> None:
        self._columns, self._most = columns, most
        self._from = self._to = 0
        self.learnt = 0  # all rows below were learnt from, some above (`done`); an index like _from
        self._arrays: dict[str, NDArray[Any]] = {name: np.zeros(FIRST_ROWS, kind) for name, kind in FIELDS.items()}
        self._sids = np.zeros((FIRST_ROWS, columns), np.int32)
        self._notes: dict[int, tuple[str, str]] = {}  # row number since the beginning -> sample, text
        self._dropped = 0  # rows dropped since the beginning, up to index 0

    def __len__(self) -> int:
        return self._to - self._from

    @property
    def waits(self) -> bool:
        """Whether there are rows not yet learnt from."""
        return max(self.learnt, self._from) < self._to

    def append(self, at: Ids, sids: Ids, values: dict[str, Floats],
               notes: list[tuple[int, str, str]]) -> None:  # fmt: skip
        """Add rows; `notes`: (row within these, event id, text)."""
        count = len(at)
        self._make_room(count)
        place = slice(self._to, self._to + count)
        self._arrays["at"][place] = at
        self._sids[place] = sids
        for name, array in values.items():
            self._arrays[name][place] = array
        self._arrays["done"][place] = False
        first = self._dropped + self._to
        for row, sample, text in notes:
            self._notes[first + row] = (sample, text)
        self._to += count

    def trim(self, before_ms: int) -> None:
        """Drop learnt rows from before."""
        at = self._arrays["at"][self._from : max(self.learnt, self._from)]
        keep = np.flatnonzero(at >= before_ms)
        self._drop(int(keep[0]) if len(keep) else len(at))

    def rows(self, since_ms: int) -> Rows:
        """All rows of event times from `since_ms` on, oldest arrival first."""
        at = self._arrays["at"][self._from : self._to]
        return self._take(np.flatnonzero(at >= since_ms))

    def of(self, column: int, one: int) -> Rows:
        """All rows of a slice, by event time."""
        mine = np.flatnonzero(self._sids[self._from : self._to, column] == one)
        at = self._arrays["at"][self._from : self._to][mine]
        return self._take(mine[np.argsort(at, kind="stable")])

    def complaints(self, before_ms: int) -> Ids:
        """The series of what came before an instant and is no order, a row each."""
        live = slice(self._from, self._to)
        chosen = (self._arrays["at"][live] < before_ms) & (self._arrays["got"][live] > 0.0)
        found: Ids = self._sids[live][chosen]
        return found

    def drop_trials(self) -> None:
        """What stood for trials did not: all rows wait for others to be learnt with."""
        self.learnt = self._from
        for name in ("trials", "due", "done"):
            self._arrays[name][self._from : self._to] = 0

    def unlearnt(self, before_ms: int) -> tuple[Ids, Ids, Floats, Floats]:
        """Time, series, negatives and trials of the rows up to `before_ms` not yet learnt from, now learnt.

        By event time, and up to the last trials: complaints whose orders have yet to come would be learnt as a rise.
        What waited for orders for too long is left out.
        """
        rows = slice(max(self.learnt, self._from), self._to)
        at, trials, done = (self._arrays[name][rows] for name in ("at", "trials", "done"))
        ready = ~done & (at < before_ms)
        counted = at[ready & (trials > 0.0)]
        chosen = ready & (at <= counted.max()) if len(counted) else np.zeros(len(at), bool)
        done |= chosen | (ready & (at < before_ms - LONGEST_WAIT_MS))
        open_rows = np.flatnonzero(~done)
        self.learnt = rows.start + (int(open_rows[0]) if len(open_rows) else len(at))
        got = self._arrays["got"][rows][chosen].astype(float)
        return at[chosen], self._sids[rows][chosen], got, trials[chosen].astype(float)

    def notes(self, column: int, one: int, *, since_ms: int, most: int) -> list[tuple[str, str]]:
        """Samples and texts of the slice's newest negatives (complaints), newest first."""
        at, sids = self._arrays["at"], self._sids
        found: list[tuple[str, str]] = []
        for number in reversed(self._notes):
            row = number - self._dropped
            if sids[row, column] == one and at[row] >= since_ms:
                found.append(self._notes[number])
                if len(found) == most:
                    break
        return found

    def dump(self) -> dict[str, Any]:
        """All of it as plain values."""
        live = slice(self._from, self._to)
        first = self._dropped + self._from
        return {
            "count": len(self), "learnt": max(0, self.learnt - self._from), "sids": self._sids[live].tobytes(),
            "arrays": {name: array[live].tobytes() for name, array in self._arrays.items()},
            "notes": [[number - first, *note] for number, note in self._notes.items()],
        }  # fmt: skip

    def load(self, state: dict[str, Any]) -> None:
        """Take up what `dump` gave."""
        count = int(state["count"])
        self._from, self._to, self._dropped, self.learnt = 0, count, 0, int(state["learnt"])
        size = max(FIRST_ROWS, count)
        self._sids = np.zeros((size, self._columns), np.int32)
        self._sids[:count] = np.frombuffer(state["sids"], np.int32).reshape(count, self._columns)
        for name, kind in FIELDS.items():
            self._arrays[name] = np.zeros(size, kind)
            self._arrays[name][:count] = np.frombuffer(state["arrays"][name], kind)
        self._notes = {int(row): (sample, text) for row, sample, text in state["notes"]}

    def _take(self, places: Ids) -> Rows:
        live = slice(self._from, self._to)
        names = ("got", "due", "trials", "weight", "bad")
        values = [self._arrays[name][live][places].astype(float) for name in names]
        return Rows(self._arrays["at"][live][places], self._sids[live][places], *values)

    def _make_room(self, count: int) -> None:
        if len(self) + count > self._most:
            self._drop(min(len(self), max(count, self._most // 4)))
        if self._to + count <= len(self._sids):
            return
        size = max(FIRST_ROWS, 2 * (len(self) + count))
        live = slice(self._from, self._to)
        for name, array in self._arrays.items():
            self._arrays[name] = _moved(array[live], np.zeros(size, array.dtype))
        self._sids = _moved(self._sids[live], np.zeros((size, self._columns), np.int32))
        self._dropped += self._from
        self.learnt = max(0, self.learnt - self._from)
        self._from, self._to = 0, self._to - self._from

    def _drop(self, count: int) -> None:
        self._from += count
        first = self._dropped + self._from
        for number in list(takewhile(lambda number: number < first, self._notes)):
            del self._notes[number]


def _moved(old: NDArray[Any], fresh: NDArray[Any]) -> NDArray[Any]:
    fresh[: len(old)] = old
    return fresh
