"""Rolling windows as pages of a snapshot: an hour of panes a page, so that only the newest hours change.

Running sums are not kept: they follow from the panes.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
import numpy as np

from schemas.results import PANE_MS
from streams.dimensions import Key
from streams.figures import COLUMNS
from streams.pane_log import Block, KeyIds
from streams.panes import GRAIN_MS
from streams.windows import RollingWindows
from streams.word_windows import WordWindows

PANES_PER_PAGE: Final = 3_600_000 // PANE_MS
GRAINS_PER_PAGE: Final = 3_600_000 // GRAIN_MS

_encode: Final = msgspec.msgpack.encode


def dump_dirty(windows: RollingWindows) -> Iterator[tuple[str, bytes]]:
    """The pages that changed since the last call; an hour without panes has an empty page."""
    pages = sorted({pane // PANES_PER_PAGE for pane in windows.touched})
    windows.touched.clear()
    log, sketch_log = windows.log, windows.sketch_log
    for page in pages:
        panes = [
            (
                pane,
                _named(windows, log[pane].keys),
                log[pane].figures.tobytes(),
                _sketches(windows, sketch_log.get(pane)),
            )
            for pane in range(page * PANES_PER_PAGE, (page + 1) * PANES_PER_PAGE)
            if pane in log
        ]
        yield f"panes/{page}", _encode(panes) if panes else b""
    if windows.words is not None:
        yield from _dump_words(windows.words)
    yield "state", _encode((windows.front, _levels(windows), _pending(windows), _pending_sketches(windows)))


def dump_all(windows: RollingWindows) -> Iterator[tuple[str, bytes]]:
    """All pages, changed or not."""
    windows.touch()
    yield from dump_dirty(windows)


def load(windows: RollingWindows, pages: Mapping[str, bytes]) -> None:
    """Take over the pages of a snapshot; the windows must be new. What they do not watch is left out."""
    front, levels, pending, pending_sketches = _decode(pages["state"])
    for name, page in pages.items():
        if name.startswith("panes/") and page:
            for pane, keys, figures, sketched in _decode(page):
                windows.log[pane] = _block(windows, keys, figures)
                for key, which, held in sketched:
                    if key[0] not in windows.names:
                        continue
                    windows.sketch_log.setdefault(pane, {})[windows.id_of(tuple(key)), which] = held
        elif name.startswith("words/") and page and windows.words is not None:
            for grain, words in _decode(page):
                windows.words.load_grain(grain, words)
    waiting = {pane: [_block(windows, keys, figures) for keys, figures in blocks] for pane, blocks in pending}
    entries = {
        pane: [
            (windows.id_of(tuple(key)), which, slot, count)
            for key, which, slot, count in rows
            if key[0] in windows.names
        ]
        for pane, rows in pending_sketches
    }
    watched = {tuple(key): level for key, level in levels if key[0] in windows.names}
    windows.restore(front, levels=watched, pending=waiting, sketches=entries)


def _dump_words(words: WordWindows) -> Iterator[tuple[str, bytes]]:
    words.count_fresh()
    pages = sorted({grain // GRAINS_PER_PAGE for grain in words.touched})
    words.touched.clear()
    for page in pages:
        held = list(words.dump_grains(range(page * GRAINS_PER_PAGE, (page + 1) * GRAINS_PER_PAGE)))
        yield f"words/{page}", _encode(held) if held else b""


def _named(windows: RollingWindows, ids: KeyIds) -> list[Key]:
    return [windows.key_of(i) for i in ids.tolist()]


def _sketches(windows: RollingWindows, pane: Any) -> list[tuple[Key, int, dict[int, int]]]:
    return [(windows.key_of(key), which, held) for (key, which), held in (pane or {}).items()]


def _levels(windows: RollingWindows) -> list[tuple[Key, int]]:
    return [(windows.key_of(i), level) for i, level in enumerate(windows.open_levels()) if level]


def _pending(windows: RollingWindows) -> list[tuple[int, list[tuple[list[Key], bytes]]]]:
    return [
        (pane, [(_named(windows, block.keys), block.figures.tobytes()) for block in blocks])
        for pane, blocks in windows.pending.items()
    ]


def _pending_sketches(windows: RollingWindows) -> list[tuple[int, list[tuple[Key, int, int, int]]]]:
    return [
        (pane, [(windows.key_of(key), which, slot, count) for key, which, slot, count in rows])
        for pane, rows in windows.pending_sketches.items()
    ]


def _block(windows: RollingWindows, keys: list[list[str]], figures: bytes) -> Block:
    table = np.frombuffer(figures, np.int64).reshape(len(keys), COLUMNS)
    kept = [number for number, key in enumerate(keys) if key[0] in windows.names]
    if len(kept) < len(keys):
        keys, table = [keys[number] for number in kept], table[kept]
    ids = np.array([windows.id_of((dimension, value)) for dimension, value in keys], np.int64)
    order = np.argsort(ids, kind="stable")
    return Block(ids[order], table[order])


def _decode(page: bytes) -> Any:
    return msgspec.msgpack.decode(page, strict=False)
