"""What windows are made of, held until the end of a replay: no later line can then change a window.

A topic may begin anywhere in the files, so no window is final before the last line. Held is what came, by cell and in
few bytes (an event touches some nine windows' keys in each of five lengths), beyond some size on disk; the windows are
made of it five minutes at a time.
"""

import tempfile
from collections.abc import Iterator
from typing import Final

import numpy as np

from schemas.errors import PermanentError
from schemas.results import PANE_MS
from streams.panes import GRAIN_MS, Deltas, decode_deltas, encode_deltas
from streams.windows import RollingWindows, RowBatch

PANES: Final = GRAIN_MS // PANE_MS  # a part is a grain of words, which has whole panes
IN_MEMORY: Final = 8 << 20


class HeldWindows:
    """Stands before rolling windows that have seen nothing. A context manager that takes its file away."""

    def __init__(self, windows: RollingWindows) -> None:
        self._windows = windows
        self._file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  # closed by `__exit__`
        self._parts: dict[int, list[tuple[int, int]]] = {}  # part -> where its pieces lie, and how long they are
        self._end = 0

    def __enter__(self) -> "HeldWindows":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, deltas: Deltas) -> None:
        """Take contributions to any pane."""
        try:
            for number, part in _parted(deltas):
                piece = encode_deltas(part)
                self._file.write(piece)
                self._parts.setdefault(number, []).append((self._end, len(piece)))
                self._end += len(piece)
        except OSError as error:
            raise PermanentError(
                f"{tempfile.gettempdir()}: {error.strerror or error}; TMPDIR names another folder"
            ) from None

    def advance(self, to_pane: int) -> Iterator[RowBatch]:
        """Every window that changed before a pane, by ascending end. To be called once."""
        for number in sorted(self._parts):
            for at, length in self._parts.pop(number):
                self._file.seek(at)
                self._windows.add(decode_deltas(self._file.read(length)))
            yield from self._windows.advance(min(to_pane, (number + 1) * PANES))
        yield from self._windows.advance(to_pane)


def _parted(deltas: Deltas) -> Iterator[tuple[int, Deltas]]:
    """Contributions by the part of their panes and grains; mostly all are of one."""
    parts = np.asarray(deltas.panes, np.int64) // PANES
    found = {*parts.tolist(), *(one.pane // PANES for one in deltas.sketches), *(one.grain for one in deltas.words)}
    if len(found) == 1:
        yield found.pop(), deltas
        return
    for number in sorted(found):
        rows = np.flatnonzero(parts == number)
        yield number, Deltas(
            [deltas.panes[i] for i in rows.tolist()], [deltas.cells[i] for i in rows.tolist()], deltas.figures[rows],
            [one for one in deltas.sketches if one.pane // PANES == number],
            [one for one in deltas.words if one.grain == number],
        )  # fmt: skip
