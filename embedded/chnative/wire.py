"""Primitives of the native protocol: variable-length integers and strings, read from a socket within limits.

Nothing here knows packets. Whoever sends less than it announced meets a deadline, whoever announces too much a limit.
"""

import socket
import struct
import time

RECV_BYTES = 1 << 18
MAX_VARINT_BYTES = 10


class ProtocolError(Exception):
    """The client does not speak the protocol, or beyond its limits: the connection is beyond repair."""


class ClientGoneError(Exception):
    """The client closed the connection, or kept us waiting beyond the time limit."""


class Source:
    """The bytes that a client sends, buffered. `buf[pos:]` is what was received and not yet read."""

    def __init__(self, sock: socket.socket, *, idle_s: float | None, stall_s: float) -> None:
        self.sock = sock
        self.buf = bytearray()
        self.pos = 0
        self._idle_s = idle_s
        self._stall_s = stall_s
        self.deadline: float | None = None

    def wait_for_packet(self) -> bool:
        """Blocks until the next packet begins; False when the client has closed the connection between packets."""
        if self.pos < len(self.buf):
            return True
        self.compact()
        try:
            return self._receive(self._idle_s)
        except ClientGoneError:
            return False

    def pending(self) -> bool:
        """Whether a byte, or the end of the connection, is there to be read without waiting."""
        if self.pos < len(self.buf):
            return True
        try:
            self.sock.setblocking(False)
            self.sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        finally:
            self.sock.setblocking(True)
        return True

    def ensure(self, count: int) -> None:
        """Receives until `count` unread bytes are in the buffer."""
        while len(self.buf) - self.pos < count:
            if not self._receive(self._stall_s):
                raise ClientGoneError("connection closed in the middle of a packet")

    def compact(self) -> None:
        """Forgets what was read."""
        del self.buf[: self.pos]
        self.pos = 0

    def byte(self) -> int:
        self.ensure(1)
        value = self.buf[self.pos]
        self.pos += 1
        return value

    def varint(self) -> int:
        value = shift = 0
        for _ in range(MAX_VARINT_BYTES):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
        raise ProtocolError("integer longer than 64 bits")

    def exactly(self, count: int) -> bytes:
        self.ensure(count)
        self.pos += count
        return bytes(self.buf[self.pos - count : self.pos])

    def string(self, limit: int) -> bytes:
        length = self.varint()
        if length > limit:
            raise ProtocolError(f"string of {length} bytes where at most {limit} are allowed")
        return self.exactly(length)

    def _receive(self, timeout_s: float | None) -> bool:
        if self.deadline is not None:
            timeout_s = self.deadline - time.monotonic()
            if timeout_s <= 0:
                raise ClientGoneError("time limit")
        try:
            self.sock.settimeout(timeout_s)
            got = self.sock.recv(RECV_BYTES)
        except OSError as error:
            raise ClientGoneError(str(error)) from error
        finally:
            self.sock.settimeout(None)
        self.buf += got
        return bool(got)


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def string(value: str | bytes) -> bytes:
    raw = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
    return varint(len(raw)) + raw


def int32(value: int) -> bytes:
    return struct.pack("<i", value)
