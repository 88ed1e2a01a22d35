"""Data packets that come in: each a block, compressed or not, taken from the socket as the bytes it is."""

from dataclasses import dataclass

from embedded.chnative.blocks import Buffer, find_block
from embedded.chnative.compression import read_frame
from embedded.chnative.packets import MAX_NAME_BYTES
from embedded.chnative.wire import ProtocolError, Source

MAX_BLOCK_BYTES = 512 << 20


@dataclass(frozen=True, slots=True)
class Arrived:
    """A block in Native format, without the protocol's block info, and the external table it is for."""

    table: str
    native: bytes
    columns: tuple[tuple[str, str], ...]
    rows: int


def read_data(source: Source, *, compressed: bool) -> Arrived:
    """A data packet after its number. Raises UnknownTypeError for columns whose end cannot be found."""
    table = source.string(MAX_NAME_BYTES).decode("utf-8", "surrogateescape")
    source.compact()
    buffer: Buffer = _Frames(source) if compressed else _Plain(source)
    block = find_block(buffer, _after_block_info(buffer))
    native = bytes(memoryview(buffer.buf)[block.start : block.end])
    if compressed and len(buffer.buf) != block.end:
        raise ProtocolError("compressed bytes after the end of a block")
    if not compressed:
        source.pos = block.end
        source.compact()
    return Arrived(table, native, block.columns, block.rows)


class _Plain:
    def __init__(self, source: Source) -> None:
        self.buf = source.buf
        self._source = source

    def grow(self, size: int) -> None:
        _check(size)
        self._source.ensure(size)


class _Frames:
    def __init__(self, source: Source) -> None:
        self.buf = bytearray()
        self._source = source

    def grow(self, size: int) -> None:
        _check(size)
        while len(self.buf) < size:
            self.buf += read_frame(self._source, MAX_BLOCK_BYTES - len(self.buf))
            self._source.compact()


def _check(size: int) -> None:
    if size > MAX_BLOCK_BYTES:
        raise ProtocolError(f"block of more than {MAX_BLOCK_BYTES} bytes")


def _after_block_info(buffer: Buffer) -> int:
    """Skips (1, overflows: byte), (2, bucket: int32) and the closing 0."""
    pos = 0
    for _ in range(3):
        buffer.grow(pos + 1)
        field = buffer.buf[pos]
        pos += 1
        if field == 0:
            return pos
        if field not in (1, 2):
            raise ProtocolError(f"block info has no field {field}")
        pos += 1 if field == 1 else 4
    raise ProtocolError("block info does not end")
