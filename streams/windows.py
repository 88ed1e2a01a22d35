"""Rolling windows of 1 min to 24 h, moved on by panes of 10 s, for every key at once.

Decides which windows changed and what is in them; the figures' names and shares are `rows.py`'s business. Per pane,
what enters is added to running sums and what leaves is taken away, so the cost follows the keys that change.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from schemas.events import Dims
from schemas.results import PANE_MS, WINDOW_SECONDS
from streams import sketch as sketches
from streams.dimensions import Dimensions, Key
from streams.figures import COLUMNS, OPEN_CHANGE, SKETCHES
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


_EMPTY: Final = Block(np.zeros(0, np.int64), np.zeros((0, COLUMNS), np.int64))
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
        self._dimensions = dimensions
        self._owns = owns
        self._ids: dict[Key, int] = {}
        self._keys: list[Key] = []
        self._cells: dict[Dims, KeyIds] = {}
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
        return self._dimensions.names

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
        """How many keys have a window, or had one: their numbers are not given again."""
        return len(self._keys)

    def add(self, deltas: Deltas) -> None:
        """Take contributions to any pane; those before the front mend the rows already given at the next advance."""
        if deltas.panes:
            ids = [self._ids_of(cell) for cell in deltas.cells]
            lengths = np.fromiter(map(len, ids), np.int64, len(ids))
            flat = np.concatenate(ids)
            panes = np.repeat(np.asarray(deltas.panes, np.int64), lengths)
            source = np.repeat(np.arange(len(ids)), lengths)
            order = np.argsort(panes, kind="stable")
            panes, flat, source = panes[order], flat[order], source[order]
            starts = _starts(panes).tolist()
            for start, end in zip(starts, [*starts[1:], len(panes)], strict=True):
                block = Block(flat[start:end], deltas.figures[source[start:end]])
                self.pending.setdefault(int(panes[start]), []).append(block)
        for entry in deltas.sketches:
            self._add_sketch(entry)
        if self.words is not None and deltas.words:
            self.words.add(word for word in deltas.words if self._watched((DRIFT_DIMENSION, word.category)))

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
        return self._keys[number]

    def open_levels(self) -> list[int]:
        """Open tickets by key number."""
        levels: list[int] = self._open[: len(self._keys)].tolist()
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
            for index, length in enumerate(self._lengths):
                if pane >= front - length:
                    block = self.log[pane]
                    self._sums[block.keys, index] += block.figures
                    self._roll_sketches(self.sketch_log.get(pane, {}), (index,), sign=1)
                if pane + length >= front:
                    self._wake(pane + length)

    # --- one pane

    def _enter(self, pane: int) -> Iterator[RowBatch]:
        block, entering = self._take(pane), self._take_sketches(pane)
        block = _changing(block, entering)
        if len(block.keys):
            self.log[pane] = block
            self._sums[block.keys] += block.figures[:, None, :]
            self._open[block.keys] += block.figures[:, OPEN_CHANGE]
            for length in self._lengths:
                self._wake(pane + length)
        self._roll_sketches(entering, range(len(self.windows)), sign=1)
        for index, length in enumerate(self._lengths):
            left = self.log.get(pane - length, _EMPTY)
            if len(left.keys):
                self._sums[left.keys, index] -= left.figures
                self._roll_sketches(self.sketch_log.get(pane - length, {}), (index,), sign=-1)
            changed = _union(block.keys, left.keys)
            if len(changed):
                yield self._batch(index, pane, changed)
        self._sweep(pane)

    def _batch(self, index: int, pane: int, ids: KeyIds) -> RowBatch:
        keys = [self._keys[i] for i in ids.tolist()]
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
            return _EMPTY
        self.touched.add(pane)
        return _consolidate(blocks)

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
            self.log[pane] = block if held is None else _consolidate([held, block])
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
            block = self.log.get(pane, _EMPTY)
            inside, rows = _positions(ids, block)
            for index, length in reversed(list(enumerate(self._lengths))):
                left = self.log.get(pane - length, _EMPTY)
                gone, gone_rows = _positions(ids, left)
                changed = np.zeros(len(ids), bool)
                changed[inside] = changed[gone] = True
                changed &= since <= pane
                if changed.any():
                    at = np.flatnonzero(changed)
                    pairs = [
                        (_copied(totals.get((i, index, 0))), _copied(totals.get((i, index, 1))))
                        for i in ids[at].tolist()
                    ]
                    keys = [self._keys[i] for i in ids[at].tolist()]
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

    def _ids_of(self, cell: Dims) -> KeyIds:
        found = self._cells.get(cell)
        if found is None:
            keys = self._dimensions.keys(cell)
            owned = [key for key in keys if self._watched(key)]
            found = np.array([self.id_of(key) for key in owned], np.int64)
            if len(self._cells) > 500_000:
                self._cells.clear()
            self._cells[cell] = found
        return found

    def _watched(self, key: Key) -> bool:
        return self._owns is None or self._owns(key)

    def id_of(self, key: Key) -> int:
        """The number of a key, new or known."""
        found = self._ids.get(key)
        if found is None:
            found = self._ids[key] = len(self._keys)
            self._keys.append(key)
            if found >= len(self._open):
                self._sums = np.concatenate([self._sums, np.zeros_like(self._sums)])
                self._open = np.concatenate([self._open, np.zeros_like(self._open)])
        return found

    def _add_sketch(self, entry: SketchEntry) -> None:
        pending = self.pending_sketches.setdefault(entry.pane, [])
        for key in self._ids_of(entry.cell).tolist():
            pending.append((key, entry.which, entry.bucket, entry.count))
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
            self.sketch_log.pop(old, None)
            self.touched.add(old)
        self.log.pack_before(pane - PACKED_PANES)
        self.sketch_log.pack_before(pane - PACKED_PANES)
        if self.words is not None:
            self.words.forget((pane - MARGIN_PANES) * PANE_MS)


_NO_PAIR: Final = (_NO_SKETCH, _NO_SKETCH)
assert len(_NO_PAIR) == SKETCHES


def _consolidate(blocks: list[Block]) -> Block:
    if not blocks:
        return _EMPTY
    keys = np.concatenate([block.keys for block in blocks])
    figures = np.concatenate([block.figures for block in blocks])
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    starts = _starts(keys)
    if not len(starts):
        return _EMPTY
    return Block(keys[starts], np.add.reduceat(figures[order], starts, axis=0))


def _changing(block: Block, sketched: SketchPane) -> Block:
    """Without the keys for which all came to nothing, as when a breach was told and taken back: they changed nothing.

    Only for a pane of which no row was given yet.
    """
    kept = block.figures.any(axis=1)
    if kept.all():
        return block
    kept |= np.isin(block.keys, [key for (key, _), sketch in sketched.items() if sketch])
    return Block(block.keys[kept], block.figures[kept])


def _starts(ordered: KeyIds) -> KeyIds:
    """Where a new value begins."""
    fresh = np.ones(len(ordered), bool)
    np.not_equal(ordered[1:], ordered[:-1], out=fresh[1:])
    return np.flatnonzero(fresh)


def _union(a: KeyIds, b: KeyIds) -> KeyIds:
    if not len(b):
        return a
    if not len(a):
        return b
    return np.union1d(a, b)


def _positions(ids: KeyIds, block: Block) -> tuple[KeyIds, KeyIds]:
    """Where the ids that stand in a block are, in the ids and in the block; both ascend."""
    if not len(block.keys):
        return block.keys, block.keys
    at = np.searchsorted(block.keys, ids)
    at[at == len(block.keys)] = 0
    inside = np.flatnonzero(block.keys[at] == ids)
    return inside, at[inside]


def _unroll(
    totals: dict[tuple[int, int, int], Total], pane: SketchPane, *, index: int, sign: int, keys: dict[int, int]
) -> None:
    for (key, which), sketch in pane.items():
        if key in keys:
            totals.setdefault((key, index, which), Total()).add(sketch, sign)


def _copied(total: Total | None) -> Total:
    return _NO_SKETCH if total is None else Total(total.counts)
