"""Rolling windows of 1 min to 24 h, moved on by panes of 10 s, for every key at once.

Decides which windows changed and what is in them; the figures' names and shares are `rows.py`'s business. Per pane,
what enters is added to running sums and what leaves is taken away, so the cost follows the keys that change.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from schemas.results import PANE_MS, WINDOW_SECONDS
from streams import sketch as sketches
from streams.blocks import EMPTY, changing, consolidate, positions, starts, union
from streams.dimensions import Dimensions, Key
from streams.figures import COLUMNS, OPEN_CHANGE, SKETCHES
from streams.key_table import KeyTable
from streams.pane_log import Block, KeyIds, SketchPane, block_log, sketch_log
from streams.panes import Deltas, Ints, SketchEntry
from streams.sketch import Total
from streams.word_windows import DRIFT_DIMENSION, DRIFT_SECONDS, WordWindows

MARGIN_PANES: Final = 2160  # corrections reach back so far: 6 h, for partitions that lag while others run ahead
SWEEP_PANES: Final = 360
PACKED_PANES: Final = 400  # older ones are asked for when they leave the day, or by a late event

SketchChange = tuple[int, int, int, int]  # key id, which, bucket, count


class RowBatch(NamedTuple):
    """The windows of one length that changed at one end, by key."""

    window_seconds: int
    window_end: int  # ms
    keys: list[Key]
    figures: Ints  # (len(keys), COLUMNS): sums over the window
    tickets_open: Ints
    sketches: list[tuple[Total, Total]]  # first response, resolution; good until the next `advance`
    drift: Sequence[float | None] = ()  # of the words, see `word_windows.py`; () where windows of this length show none


_NO_SKETCH: Final = Total()


class RollingWindows:
    """All windows of the keys that `owns` accepts (None: all).

    `history`: whether late contributions give all the windows again that they changed, or only the newest ones.
    """

    def __init__(
        self,
        dimensions: Dimensions,
        *,
        windows: tuple[int, ...] = WINDOW_SECONDS,
        owns: Callable[[Key], bool] | None = None,
        history: bool = True,
    ) -> None:
        self.windows = windows
        self._history = history
        self._lengths = [seconds * 1000 // PANE_MS for seconds in windows]
        self._table = KeyTable(dimensions, owns=owns)
        self._sums = np.zeros((64, len(windows), COLUMNS), np.int64)
        self._open = np.zeros(64, np.int64)
        self.log = block_log()
        self.sketch_log = sketch_log()
        self._sketch_sums: dict[tuple[int, int, int], Total] = {}  # (key, window, which)
        self.pending: dict[int, list[Block]] = {}
        self.pending_sketches: dict[int, list[SketchChange]] = {}
        self._wakes: list[int] = []
        self._front: int | None = None  # panes before it are in the sums
        self._swept = 0
        self.touched: set[int] = set()  # panes whose block changed since a snapshot last looked
        drifts = DRIFT_SECONDS in windows and DRIFT_DIMENSION in dimensions.names
        self.words: WordWindows | None = WordWindows() if drifts else None

    @property
    def names(self) -> tuple[str, ...]:
        """The dimensions."""
        return self._table.names

    def touch(self) -> None:
        """Let the next snapshot have all that is held."""
        self.touched |= self.log.keys() | self.sketch_log.keys()
        if self.words is not None:
            self.words.touch()

    @property
    def front(self) -> int | None:
        """The first pane that is not yet in the windows; None before anything is."""
        return self._front

    @property
    def keys(self) -> int:
        """How many keys have a window, or had one until lately."""
        return self._table.held

    def add(self, deltas: Deltas) -> None:
        """Take contributions to any pane; those before the front mend the rows already given at the next advance."""
        if deltas.panes:
            ids = [self._table.ids_of(cell) for cell in deltas.cells]
            self._make_room()
            lengths = np.fromiter(map(len, ids), np.int64, len(ids))
            flat = np.concatenate(ids)
            panes = np.repeat(np.asarray(deltas.panes, np.int64), lengths)
            source = np.repeat(np.arange(len(ids)), lengths)
            order = np.argsort(panes, kind="stable")
            panes, flat, source = panes[order], flat[order], source[order]
            first = starts(panes).tolist()
            for start, end in zip(first, [*first[1:], len(panes)], strict=True):
                block = Block(flat[start:end], deltas.figures[source[start:end]])
                self.pending.setdefault(int(panes[start]), []).append(block)
        for entry in deltas.sketches:
            self._add_sketch(entry)
        if self.words is not None and deltas.words:
            self.words.add(word for word in deltas.words if self._table.owned((DRIFT_DIMENSION, word.category)))

    def advance(self, to_pane: int) -> Iterator[RowBatch]:
        """Put every pane before `to_pane` into the windows; gives what changed, by ascending window end.

        Rows given before are given again where late contributions changed them.
        """
        if self._front is None:
            if not self.pending:
                return
            self._front = min(self.pending)
        yield from self._mend()
        for pane in self.pending:
            self._wake(pane)
        while self._wakes and self._wakes[0] < to_pane:
            pane = self._wakes[0]
            while self._wakes and self._wakes[0] == pane:
                heapq.heappop(self._wakes)
            if pane >= self._front:
                self._front = pane + 1
                yield from self._enter(pane)
        self._front = max(self._front, to_pane)

    # --- for snapshots (`window_pages.py`)

    def key_of(self, number: int) -> Key:
        """The key with a number that `id_of` gave."""
        return self._table.key_of(number)

    def open_levels(self) -> list[int]:
        """Open tickets by key number."""
        levels: list[int] = self._open[: self._table.size].tolist()
        return levels

    def restore(
        self, front: int | None, *, levels: Mapping[Key, int], pending: dict[int, list[Block]],
        sketches: dict[int, list[SketchChange]],
    ) -> None:  # fmt: skip
        """Take over a snapshot, once `log` and `sketch_log` are filled: the sums follow from these."""
        self._front, self.pending, self.pending_sketches = front, pending, sketches
        for key, level in levels.items():
            self._open[self.id_of(key)] = level
        for pane in sorted(self.log):
            assert front is not None
            block = self.log[pane]
            self._table.saw(block.keys, pane)
            for index, length in enumerate(self._lengths):
                if pane >= front - length:
                    self._sums[block.keys, index] += block.figures
                    self._roll_sketches(self.sketch_log.get(pane, {}), (index,), sign=1)
                if pane + length >= front:
                    self._wake(pane + length)

    # --- one pane

    def _enter(self, pane: int) -> Iterator[RowBatch]:
        block, entering = self._take(pane), self._take_sketches(pane)
        block = changing(block, entering)
        if len(block.keys):
            self.log[pane] = block
            self._table.saw(block.keys, pane)
            self._sums[block.keys] += block.figures[:, None, :]
            self._open[block.keys] += block.figures[:, OPEN_CHANGE]
            for length in self._lengths:
                self._wake(pane + length)
        self._roll_sketches(entering, range(len(self.windows)), sign=1)
        for index, length in enumerate(self._lengths):
            left = self.log.get(pane - length, EMPTY)
            if len(left.keys):
                self._sums[left.keys, index] -= left.figures
                self._roll_sketches(self.sketch_log.get(pane - length, {}), (index,), sign=-1)
            changed = union(block.keys, left.keys)
            if len(changed):
                yield self._batch(index, pane, changed)
        self._sweep(pane)

    def _batch(self, index: int, pane: int, ids: KeyIds) -> RowBatch:
        keys = [self._table.key_of(i) for i in ids.tolist()]
        got = self._sketch_sums.get
        pairs = [
            (got((i, index, 0), _NO_SKETCH), got((i, index, 1), _NO_SKETCH)) if self._sketch_sums else _NO_PAIR
            for i in ids.tolist()
        ]
        return RowBatch(
            self.windows[index], (pane + 1) * PANE_MS, keys, self._sums[ids, index], self._open[ids], pairs,
            self._drift(index, pane, keys),
        )  # fmt: skip

    def _drift(self, index: int, pane: int, keys: list[Key]) -> Sequence[float | None]:
        if self.words is None or self.windows[index] != DRIFT_SECONDS:
            return ()
        end = (pane + 1) * PANE_MS
        return [self.words.drift(value, end) if dimension == DRIFT_DIMENSION else None for dimension, value in keys]

    def _take(self, pane: int) -> Block:
        blocks = self.pending.pop(pane, None)
        if blocks is None:
            return EMPTY
        self.touched.add(pane)
        return consolidate(blocks)

    def _take_sketches(self, pane: int) -> SketchPane:
        entries = self.pending_sketches.pop(pane, None)
        if entries is None:
            return {}
        held = self.sketch_log.setdefault(pane, {})
        fresh: SketchPane = {}
        for key, which, index, count in entries:
            sketches.add(fresh.setdefault((key, which), {}), index, count)
            sketches.add(held.setdefault((key, which), {}), index, count)
        return fresh

    def _roll_sketches(self, pane: SketchPane, windows: Iterable[int], *, sign: int) -> None:
        for index in windows:
            for (key, which), sketch in pane.items():
                total = self._sketch_sums.get((key, index, which))
                if total is None:
                    total = self._sketch_sums[key, index, which] = Total()
                total.add(sketch, sign)
                if not total.counts:
                    del self._sketch_sums[key, index, which]

    # --- contributions to panes that have entered already

    def _mend(self) -> Iterator[RowBatch]:
        front = self._front
        assert front is not None
        late = sorted(pane for pane in self.pending if pane < front)
        if not late:
            return
        end = front - 1
        first: dict[int, int] = {}  # key -> its earliest mended pane
        for pane in late:
            block, fresh = self._take(pane), self._take_sketches(pane)
            for key in block.keys.tolist():
                first.setdefault(key, pane)
            held = self.log.get(pane)
            self.log[pane] = block if held is None else consolidate([held, block])
            self._table.saw(block.keys, pane)
            self._open[block.keys] += block.figures[:, OPEN_CHANGE]
            for index, length in enumerate(self._lengths):
                if pane > end - length:
                    self._sums[block.keys, index] += block.figures
                    self._roll_sketches(fresh, (index,), sign=1)
                if pane + length >= front:
                    self._wake(pane + length)
        if self._history:
            yield from reversed(list(self._walk_back(first, end=end)))
            return
        for index, length in enumerate(self._lengths):
            changed = sorted(key for key, pane in first.items() if pane > end - length)
            if changed:
                yield self._batch(index, end, np.array(changed, np.int64))

    def _walk_back(self, first: dict[int, int], *, end: int) -> Iterator[RowBatch]:
        """The changed keys' windows from the last pane back to their first mended one."""
        ids = np.array(sorted(first), np.int64)
        since = np.array([first[i] for i in ids.tolist()], np.int64)
        sums, levels = self._sums[ids].copy(), self._open[ids].copy()
        totals = {key: Total(total.counts) for key, total in self._sketch_sums.items() if key[0] in first}
        for pane in range(end, max(int(since.min()), end - MARGIN_PANES) - 1, -1):
            block = self.log.get(pane, EMPTY)
            inside, rows = positions(ids, block)
            for index, length in reversed(list(enumerate(self._lengths))):
                left = self.log.get(pane - length, EMPTY)
                gone, gone_rows = positions(ids, left)
                changed = np.zeros(len(ids), bool)
                changed[inside] = changed[gone] = True
                changed &= since <= pane
                if changed.any():
                    at = np.flatnonzero(changed)
                    pairs = [
                        (_copied(totals.get((i, index, 0))), _copied(totals.get((i, index, 1))))
                        for i in ids[at].tolist()
                    ]
                    keys = [self._table.key_of(i) for i in ids[at].tolist()]
                    yield RowBatch(
                        self.windows[index], (pane + 1) * PANE_MS, keys, sums[at, index], levels[at].copy(), pairs,
                        self._drift(index, pane, keys),
                    )  # fmt: skip
                sums[inside, index] -= block.figures[rows]
                sums[gone, index] += left.figures[gone_rows]
                _unroll(totals, self.sketch_log.get(pane, {}), index=index, sign=-1, keys=first)
                _unroll(totals, self.sketch_log.get(pane - length, {}), index=index, sign=1, keys=first)
            levels[inside] -= block.figures[rows, OPEN_CHANGE]

    # --- keys and housekeeping

    def id_of(self, key: Key) -> int:
        """The number of a key, new or known."""
        found = self._table.id_of(key)
        self._make_room()
        return found

    def _make_room(self) -> None:
        while len(self._open) < self._table.size:
            self._sums = np.concatenate([self._sums, np.zeros_like(self._sums)])
            self._open = np.concatenate([self._open, np.zeros_like(self._open)])

    def _add_sketch(self, entry: SketchEntry) -> None:
        pending = self.pending_sketches.setdefault(entry.pane, [])
        for key in self._table.ids_of(entry.cell).tolist():
            pending.append((key, entry.which, entry.bucket, entry.count))
        self._make_room()
        self.pending.setdefault(entry.pane, [])

    def _wake(self, pane: int) -> None:
        heapq.heappush(self._wakes, pane)

    def _sweep(self, pane: int) -> None:
        if pane - self._swept < SWEEP_PANES:
            return
        self._swept = pane
        oldest = pane - max(self._lengths) - MARGIN_PANES
        for old in [p for p in self.log if p < oldest]:
            del self.log[old]
            self.touched.add(old)
        for old in [p for p in self.sketch_log if p < oldest]:
            del self.sketch_log[old]
        self._table.give_back(before=oldest, needed=self._needed())
        self.log.pack_before(pane - PACKED_PANES)
        self.sketch_log.pack_before(pane - PACKED_PANES)
        if self.words is not None:
            self.words.forget((pane - MARGIN_PANES) * PANE_MS)

    def _needed(self) -> KeyIds:
        """The keys that wait to enter a pane, or have tickets open from days ago."""
        waiting = [block.keys for blocks in self.pending.values() for block in blocks]
        sketched = [change[0] for changes in self.pending_sketches.values() for change in changes]
        return np.concatenate([*waiting, np.array(sketched, np.int64), np.flatnonzero(self._open)])


_NO_PAIR: Final = (_NO_SKETCH, _NO_SKETCH)
assert len(_NO_PAIR) == SKETCHES


def _unroll(
    totals: dict[tuple[int, int, int], Total], pane: SketchPane, *, index: int, sign: int, keys: dict[int, int]
) -> None:
    for (key, which), sketch in pane.items():
        if key in keys:
            totals.setdefault((key, index, which), Total()).add(sketch, sign)


def _copied(total: Total | None) -> Total:
    return _NO_SKETCH if total is None else Total(total.counts)
