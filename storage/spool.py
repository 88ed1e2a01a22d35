"""A queue of blocks on disk for the time that ClickHouse is down: what `append` has returned survives `kill
-9`.

A directory of segments, each a file of records (length, CRC-32s, payload) that is only appended to; a segment
whose records are all stored elsewhere is deleted. Where reading stands is not kept on disk: after a crash the
oldest segment is read again from its start, which is harmless since rows are idempotent by key.
One process at a time owns a directory. Calls come from one thread at a time; the figures may be read from
any.
"""

import errno
import fcntl
import os
import struct
import zlib
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import msgspec

from schemas.errors import PermanentError, TransientError
from storage.rows import Block

_MAGIC: Final = b"PWSPOOL1"
_LENGTH_CRC: Final = struct.Struct("<II")  # length of the payload, CRC-32 of it
_HEAD: Final = struct.Struct("<III")  # the same, and the CRC-32 of these eight bytes
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class SpoolFull(TransientError):
    """No room, by the limit or on the disk: nothing was kept; it may be once the spool has drained."""


class Spool(Protocol):
    """What the writer needs of a spool."""

    @property
    def records(self) -> int:
        """Records not yet dropped."""
        ...

    @property
    def size_bytes(self) -> int:
        """What they take on disk, with what is kept of the segments around them."""
        ...

    @property
    def damaged(self) -> int:
        """Records found broken, and set aside, since the start."""
        ...

    def append(self, blocks: list[Block]) -> None:
        """Keep the blocks, all or none; they are on disk on return. SpoolFull if there is no room."""
        ...

    def oldest(self) -> Block | None:
        """The oldest block, or None; the same again until `drop`."""
        ...

    def drop(self) -> None:
        """Forget the oldest block."""
        ...

    def close(self) -> None:
        """Let go of the directory; what is kept stays."""
        ...


@dataclass
class _Segment:
    path: Path
    size: int
    records: deque[tuple[int, int]]  # (offset of the payload, its length) of what is not dropped


class DiskSpool:
    """The spool on disk. PermanentError if another process owns the directory."""

    def __init__(
        self, directory: Path, *, max_bytes: int = 1 << 30, segment_bytes: int = 16 << 20, fsync: bool = True
    ) -> None:
        """`fsync` False trades safety against loss of power (not of the process) for speed."""
        self._directory = directory
        self._max_bytes = max_bytes
        self._segment_bytes = segment_bytes
        self._fsync = fsync
        self._damaged = 0
        self._records = 0  # plain numbers: they are read from another thread
        self._bytes = 0
        directory.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise PermanentError(f"spool {directory}: in use by another process: give each worker its own") from None
        self._segments: deque[_Segment] = deque()
        self._file: int | None = None  # the newest segment, open for appending
        self._next = 1
        self._recover()

    @property
    def records(self) -> int:
        return self._records

    @property
    def size_bytes(self) -> int:
        return self._bytes

    @property
    def damaged(self) -> int:
        return self._damaged

    def append(self, blocks: list[Block]) -> None:
        payloads = [_encode(block) for block in blocks]
        room = sum(len(payload) + _HEAD.size for payload in payloads)
        if self.size_bytes + room + len(_MAGIC) > self._max_bytes:
            raise SpoolFull(f"spool {self._directory}: full: {self.size_bytes} of {self._max_bytes} bytes")
        segment = self._writable()
        places: list[tuple[int, int]] = []
        parts: list[bytes] = []
        at = segment.size
        for payload in payloads:
            parts += (_head(payload), payload)
            places.append((at + _HEAD.size, len(payload)))
            at += _HEAD.size + len(payload)
        self._write(segment, b"".join(parts))
        segment.records.extend(places)
        self._records += len(places)

    def oldest(self) -> Block | None:
        while self._segments:
            segment = self._segments[0]
            if segment.records:
                offset, length = segment.records[0]
                with segment.path.open("rb") as file:
                    file.seek(offset - _HEAD.size)
                    _, crc, _ = _HEAD.unpack(file.read(_HEAD.size))
                    payload = file.read(length)
                if zlib.crc32(payload) == crc:
                    return _decode(payload)
                self._set_aside(segment.path, payload)
                self.drop()
            else:
                self._remove_first()
        return None

    def drop(self) -> None:
        segment = self._segments[0]
        segment.records.popleft()
        self._records -= 1
        if not segment.records:
            self._remove_first()

    def close(self) -> None:
        self._end_segment()
        os.close(self._lock)

    # Writing

    def _writable(self) -> _Segment:
        if self._file is not None and self._segments and self._segments[-1].size < self._segment_bytes:
            return self._segments[-1]
        self._end_segment()
        path = self._directory / f"{self._next:010d}.spool"
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            self._next += 1
            segment = _Segment(path, 0, deque())
            self._segments.append(segment)
            self._write(segment, _MAGIC)
            if self._fsync:
                _sync_directory(self._directory)
        except OSError as error:
            raise self._failure(error) from error
        return segment

    def _write(self, segment: _Segment, content: bytes) -> None:
        """Append whole and durably, or leave the segment as it was."""
        assert self._file is not None
        try:
            view = memoryview(content)
            while view:
                view = view[os.write(self._file, view) :]
            if self._fsync:
                os.fsync(self._file)
        except OSError as error:
            # After a failed fsync nobody knows what is on disk: cut the rest off and go on in a new file.
            os.ftruncate(self._file, segment.size)
            self._end_segment()
            if not segment.records:
                self._bytes -= segment.size
                self._segments.remove(segment)
                segment.path.unlink(missing_ok=True)
            raise self._failure(error) from error
        segment.size += len(content)
        self._bytes += len(content)

    def _failure(self, error: OSError) -> TransientError:
        if error.errno in _FULL:
            return SpoolFull(f"spool {self._directory}: {error.strerror}")
        return TransientError(f"spool {self._directory}: {error.strerror or error}")

    def _end_segment(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _remove_first(self) -> None:
        segment = self._segments.popleft()
        self._bytes -= segment.size
        if not self._segments:
            self._end_segment()
        segment.path.unlink(missing_ok=True)

    # Recovery

    def _recover(self) -> None:
        for path in sorted(self._directory.glob("*.spool")):
            self._next = int(path.stem) + 1
            segment = self._scan(path)
            if segment.records:
                self._segments.append(segment)
                self._records += len(segment.records)
                self._bytes += segment.size
            else:
                path.unlink()

    def _scan(self, path: Path) -> _Segment:
        """The records of a segment. A cut-off end was promised to nobody; a wrong checksum is damage."""
        content = path.read_bytes()
        records: deque[tuple[int, int]] = deque()
        if not content.startswith(_MAGIC):
            if len(content) > len(_MAGIC):
                self._set_aside(path, content)
            return _Segment(path, 0, records)
        at = len(_MAGIC)
        while at + _HEAD.size <= len(content):
            length, crc, head_crc = _HEAD.unpack_from(content, at)
            if zlib.crc32(content[at : at + _LENGTH_CRC.size]) != head_crc:
                if any(content[at:]):  # zeros are blocks of the file that power was lost before
                    self._set_aside(path, content[at:])
                break
            end = at + _HEAD.size + length
            if end > len(content):
                break
            payload = content[at + _HEAD.size : end]
            if zlib.crc32(payload) == crc:
                records.append((at + _HEAD.size, length))
            else:
                self._set_aside(path, payload)
            at = end
        return _Segment(path, len(content), records)

    def _set_aside(self, path: Path, payload: bytes) -> None:
        """Keep what cannot be read for somebody who can; counted, since it is a loss."""
        self._damaged += 1
        with path.with_suffix(".damaged").open("ab") as file:
            file.write(payload)


def _head(payload: bytes) -> bytes:
    start = _LENGTH_CRC.pack(len(payload), zlib.crc32(payload))
    return start + zlib.crc32(start).to_bytes(4, "little")


def _encode(block: Block) -> bytes:
    return msgspec.msgpack.encode((block.table, block.names, block.columns))


def _decode(payload: bytes) -> Block:
    table, names, columns = msgspec.msgpack.decode(payload)
    return Block(table, tuple(names), columns)


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
