"""Compressed frames of the native protocol: checksum, method, sizes, payload. LZ4 and stored frames.

A frame is 16 bytes of CityHash128 over the rest, one byte for the method, and two 32-bit sizes: of the frame without
its checksum, and of the plain bytes. ZSTD frames are refused: Python 3.11 has no decoder.
"""

import struct

import lz4.block
from clickhouse_cityhash.cityhash import CityHash128

from embedded.chnative.wire import ProtocolError, Source

LZ4, STORED, ZSTD = 0x82, 0x02, 0x90
HEADER = struct.Struct("<BII")
CHECKSUM_BYTES = 16
FRAME_BYTES = 1 << 20
MAX_FRAME_BYTES = 1 << 30
_MASK = (1 << 64) - 1


def read_frame(source: Source, limit: int) -> bytes:
    """The next frame's plain bytes; raises ProtocolError when it is damaged or larger than `limit`."""
    checksum = source.exactly(CHECKSUM_BYTES)
    source.ensure(HEADER.size)
    method, packed, plain = HEADER.unpack_from(source.buf, source.pos)
    if method not in (LZ4, STORED):
        name = "ZSTD" if method == ZSTD else f"0x{method:02x}"
        raise ProtocolError(f"compression method {name}: only LZ4 and none are understood here")
    if packed < HEADER.size or packed > MAX_FRAME_BYTES or plain > limit or packed > 2 * limit + HEADER.size:
        raise ProtocolError(f"compressed frame of {packed} bytes for {plain} plain ones")
    frame = source.exactly(packed)
    if _checksum(frame) != checksum:
        raise ProtocolError("checksum of a compressed frame does not match")
    payload = memoryview(frame)[HEADER.size :]
    if method == STORED:
        if len(payload) != plain:
            raise ProtocolError("stored frame with two sizes")
        return bytes(payload)
    try:
        out: bytes = lz4.block.decompress(payload, uncompressed_size=plain)
    except (lz4.block.LZ4BlockError, ValueError, MemoryError) as error:
        raise ProtocolError(f"LZ4 frame: {error}") from error
    if len(out) != plain:
        raise ProtocolError("LZ4 frame with a wrong plain size")
    return out


def frames(plain: bytes) -> bytes:
    """`plain` as LZ4 frames of at most 1 MiB of plain bytes each."""
    out = bytearray()
    view = memoryview(plain)
    for start in range(0, len(plain), FRAME_BYTES):
        part = view[start : start + FRAME_BYTES]
        payload = lz4.block.compress(part, store_size=False)
        frame = HEADER.pack(LZ4, len(payload) + HEADER.size, len(part)) + payload
        out += _checksum(frame)
        out += frame
    return bytes(out)


def _checksum(frame: bytes) -> bytes:
    value = CityHash128(frame)
    return struct.pack("<QQ", value >> 64, value & _MASK)
