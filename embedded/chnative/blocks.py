"""Where a block of ClickHouse's Native format ends.

The format has no length: a block's end is found by walking its columns, type by type. Nothing is decoded; the walk
checks what the engine would otherwise trust (sizes, growing offsets, indices within their dictionary), so that a block
that passes holds all the bytes it speaks of.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from embedded.chnative.types import (
    Array,
    Fixed,
    LowCardinality,
    Nullable,
    String,
    Tuple,
    Type,
    UnknownTypeError,
    parse_type,
)
from embedded.chnative.wire import ProtocolError

MAX_COLUMNS = 10_000
MAX_ROWS = 1 << 25
MAX_NAME_BYTES = 1 << 16
_INDEX_DTYPES = ("<u1", "<u2", "<u4", "<u8")
_NEED_GLOBAL_DICTIONARY, _HAS_ADDITIONAL_KEYS = 1 << 8, 1 << 9


class Buffer(Protocol):
    """Bytes that grow at their end while a walk goes over them."""

    buf: bytearray

    def grow(self, size: int) -> None:
        """Makes `buf` at least `size` bytes long, or raises."""


@dataclass(frozen=True, slots=True)
class Block:
    start: int
    end: int
    columns: tuple[tuple[str, str], ...]
    rows: int


class Fixture:
    """A whole text of blocks: cannot grow."""

    def __init__(self, raw: bytes) -> None:
        self.buf = bytearray(raw)

    def grow(self, size: int) -> None:
        if size > len(self.buf):
            raise ProtocolError("block is cut short")


def find_block(source: Buffer, start: int = 0) -> Block:
    """The block that begins at `start`.

    Raises ProtocolError when it is no block or beyond the limits, UnknownTypeError when a column's end cannot be known.
    """
    walk = _Walk(source, start)
    n_columns, rows = walk.varint(), walk.varint()
    if n_columns > MAX_COLUMNS or rows > MAX_ROWS:
        raise ProtocolError(f"block of {n_columns} columns and {rows} rows")
    columns = []
    for _ in range(n_columns):
        name, type_name = walk.text(), walk.text()
        columns.append((name, type_name))
        if rows:
            kind = parse_type(type_name)
            walk.prefix(kind)
            walk.values(kind, rows)
    return Block(start, walk.pos, tuple(columns), rows)


def split_blocks(raw: bytes) -> list[bytes]:
    """The blocks of a `FORMAT Native` text."""
    source, start, out = Fixture(raw), 0, []
    while start < len(raw):
        block = find_block(source, start)
        out.append(raw[start : block.end])
        start = block.end
    return out


def rows_of(raw: bytes) -> int:
    """The number of rows that a block announces."""
    walk = _Walk(Fixture(raw), 0)
    walk.varint()
    return walk.varint()


class _Walk:
    def __init__(self, source: Buffer, pos: int) -> None:
        self.source = source
        self.pos = pos
        self._walkers: dict[type[Type], Callable[..., None]] = {
            Fixed: self._fixed, String: self._strings, Nullable: self._nullable,
            Array: self._array, Tuple: self._tuple, LowCardinality: self._low_cardinality,
        }  # fmt: skip

    def varint(self) -> int:
        value = shift = 0
        while shift < 70:
            if self.pos >= len(self.source.buf):
                self.source.grow(self.pos + 1)
            byte = self.source.buf[self.pos]
            self.pos += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
        raise ProtocolError("integer longer than 64 bits")

    def text(self) -> str:
        length = self.varint()
        if length > MAX_NAME_BYTES:
            raise ProtocolError(f"name of {length} bytes")
        start = self.pos
        self._skip(length)
        return self.source.buf[start : self.pos].decode("utf-8", "surrogateescape")

    def prefix(self, kind: Type) -> None:
        """Skips what stands before a column's values: the version of each LowCardinality in it."""
        if isinstance(kind, LowCardinality):
            self._skip(8)
        elif isinstance(kind, Array | Nullable):
            self.prefix(kind.inner)
        elif isinstance(kind, Tuple):
            for element in kind.elements:
                self.prefix(element)

    def values(self, kind: Type, rows: int) -> None:
        if rows > MAX_ROWS * 8:
            raise ProtocolError(f"{rows} values in one column of a block")
        self._walkers[type(kind)](kind, rows)

    def _skip(self, count: int) -> None:
        self.pos += count
        if self.pos > len(self.source.buf):
            self.source.grow(self.pos)

    def _fixed(self, kind: Fixed, rows: int) -> None:
        self._skip(kind.size * rows)

    def _nullable(self, kind: Nullable, rows: int) -> None:
        self._skip(rows)
        self.values(kind.inner, rows)

    def _tuple(self, kind: Tuple, rows: int) -> None:
        for element in kind.elements:
            self.values(element, rows)
        if not kind.elements:
            self._skip(rows)

    def _array(self, kind: Array, rows: int) -> None:
        if not rows:
            return
        offsets = self._numbers("<u8", rows)
        if (offsets[1:] < offsets[:-1]).any():
            raise ProtocolError("array offsets that go back")
        self.values(kind.inner, int(offsets[-1]))

    def _low_cardinality(self, kind: LowCardinality, rows: int) -> None:
        while rows > 0:
            flags = int(self._numbers("<u8", 1)[0])
            own_keys = flags & _HAS_ADDITIONAL_KEYS and not flags & _NEED_GLOBAL_DICTIONARY
            if flags & 0xFF >= len(_INDEX_DTYPES) or not own_keys:
                raise ProtocolError(f"LowCardinality with flags {flags:#x}")
            keys = int(self._numbers("<u8", 1)[0])
            self.values(kind.keys, keys)
            part = int(self._numbers("<u8", 1)[0])
            if not 0 < part <= rows:
                raise ProtocolError(f"LowCardinality of {part} values where {rows} are left")
            if int(self._numbers(_INDEX_DTYPES[flags & 0xFF], part).max()) >= keys:
                raise ProtocolError("LowCardinality index beyond its dictionary")
            rows -= part

    def _numbers(self, dtype: str, count: int) -> NDArray[np.unsignedinteger]:
        kind = np.dtype(dtype)
        start = self.pos
        self._skip(kind.itemsize * count)
        # A copy: a view would forbid the buffer to grow.
        return np.frombuffer(self.source.buf, kind, count, start).copy()

    def _strings(self, _kind: String, rows: int) -> None:
        done = self._equal_strings(rows)
        buf, pos = self.source.buf, self.pos
        while done < rows:
            try:
                while done < rows:
                    length = buf[pos]
                    if length < 128:
                        pos += length + 1
                    elif (high := buf[pos + 1]) < 128:  # the common two bytes without a call: this loop is the walk
                        pos += (length & 127 | high << 7) + 2
                    else:
                        self.pos = pos
                        length = self.varint()
                        pos = self.pos + length
                    done += 1
            except IndexError:
                # At `pos`, or between the two bytes of a length: at least one byte more than there is.
                self.source.grow(max(pos, len(buf)) + 1)
        self.pos = pos
        self._skip(0)

    def _equal_strings(self, rows: int) -> int:
        """Skips the strings at the front that are as long as the first one, all at once: ids, absent dimensions."""
        if not rows:
            return 0
        if self.pos >= len(self.source.buf):
            self.source.grow(self.pos + 1)
        length = self.source.buf[self.pos]
        count = min(rows, (len(self.source.buf) - self.pos) // (length + 1))
        if length >= 128 or count < 2:
            return 0
        stride = length + 1
        same = np.frombuffer(self.source.buf, np.uint8, count * stride, self.pos)[::stride] == length
        run = count if same.all() else int(same.argmin())
        self.pos += run * stride
        return run


__all__ = ["Block", "Buffer", "UnknownTypeError", "find_block", "rows_of", "split_blocks"]
