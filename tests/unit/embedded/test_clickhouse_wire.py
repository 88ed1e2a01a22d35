"""Primitives, frames and accounts: what was written is read back, what was damaged is refused."""

import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedded.chnative import wire
from embedded.chnative.compression import STORED, ZSTD, frames, read_frame
from embedded.chnative.connection import Account
from embedded.chnative.packets import engine_error
from embedded.chnative.wire import ClientGoneError, ProtocolError, Source


def source_of(raw: bytes) -> Source:
    ours, theirs = socket.socketpair()
    with theirs:
        theirs.sendall(raw)
    return Source(ours, idle_s=1, stall_s=1)


@given(st.integers(0, 2**64 - 1))
def test_a_number_is_read_back(value: int) -> None:
    source = source_of(wire.varint(value))
    assert source.varint() == value
    source.sock.close()


def test_a_string_beyond_its_limit_is_refused_before_it_is_read() -> None:
    source = source_of(wire.varint(1 << 40))
    with source.sock, pytest.raises(ProtocolError, match="at most 10"):
        source.string(10)


def test_a_client_that_leaves_in_the_middle_is_gone() -> None:
    source = source_of(b"\x05ab")
    with source.sock, pytest.raises(ClientGoneError):
        source.string(10)


@given(st.binary(max_size=5000))
def test_frames_are_read_back(plain: bytes) -> None:
    source = source_of(frames(plain))
    with source.sock:
        out = b"".join(read_frame(source, 10_000) for _ in range(bool(plain)))
    assert out == plain


@given(st.integers(0, 60), st.integers(1, 255))
def test_a_damaged_frame_is_refused(at: int, flip: int) -> None:
    raw = bytearray(frames(bytes(range(256))))
    raw[at] ^= flip
    source = source_of(bytes(raw))
    with source.sock, pytest.raises((ProtocolError, ClientGoneError)):
        read_frame(source, 1 << 20)


@pytest.mark.parametrize("method", [ZSTD, 0x55, STORED])
def test_a_frame_that_cannot_be_is_refused(method: int) -> None:
    source = source_of(bytes(16) + struct.pack("<BII", method, 1 << 31, 1 << 31) + bytes(100))
    with source.sock, pytest.raises(ProtocolError):
        read_frame(source, 1 << 20)


@pytest.mark.parametrize(
    ("user", "password", "admitted"),
    [
        ("u", "geheim", True),
        ("u", "", False),
        ("u", "geheim ", False),
        ("v", "geheim", False),
        ("u", "密码\udcff", False),
    ],
)
def test_an_account_admits_its_own_only(user: str, password: str, admitted: bool) -> None:
    assert Account("u", "geheim").admits(user, password) is admitted


def test_an_account_does_not_show_its_password() -> None:
    assert "geheim" not in repr(Account("u", "geheim"))


def test_an_error_keeps_the_engines_code_and_text() -> None:
    error = engine_error(RuntimeError("Streaming query failed: Code: 60. DB::Exception: No table\nx. (UNKNOWN_TABLE)"))
    assert (error.code, error.text) == (60, "DB::Exception: No table\nx. (UNKNOWN_TABLE)")
