"""Blocks are cut out of a stream at the right byte, whatever arrives and in whatever pieces."""

import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from embedded.chnative import wire
from embedded.chnative.blocks import Fixture, find_block, split_blocks
from embedded.chnative.types import UnknownTypeError, parse_type
from embedded.chnative.wire import ProtocolError

LOW_CARDINALITY = (
    struct.pack("<QQQ", 1, 1 << 9, 2) + wire.string("a") + wire.string("b") + struct.pack("<Q", 3) + b"\0\1\1"
)
BEYOND = struct.pack("<QQQ", 1, 1 << 9, 1) + b"\0" + struct.pack("<Q", 1) + b"\5"


class Trickle:
    """Bytes that arrive one at a time."""

    def __init__(self, raw: bytes) -> None:
        self.buf = bytearray()
        self._raw = raw

    def grow(self, size: int) -> None:
        if size > len(self._raw):
            raise ProtocolError("block is cut short")
        assert size > len(self.buf), "asked for bytes that are there already"
        self.buf += self._raw[len(self.buf) : size]


def block(rows: int, *columns: tuple[str, bytes]) -> bytes:
    out = wire.varint(len(columns)) + wire.varint(rows)
    return out + b"".join(wire.string(f"c{i}") + wire.string(kind) + raw for i, (kind, raw) in enumerate(columns))


@pytest.mark.parametrize(
    ("kind", "rows", "raw"),
    [
        pytest.param("UInt8", 3, b"abc", id="fixed"),
        pytest.param("DateTime64(3, 'Asia/Shanghai')", 2, bytes(16), id="zone"),
        pytest.param("Decimal(18, 4)", 2, bytes(16), id="decimal"),
        pytest.param("FixedString(5)", 2, bytes(10), id="fixed string"),
        pytest.param("Enum8('a,(' = 1, 'b\\'' = 2)", 2, bytes(2), id="enum with brackets in quotes"),
        pytest.param("Nullable(UUID)", 2, bytes(34), id="nullable"),
        pytest.param("Array(UInt16)", 2, struct.pack("<QQ", 1, 3) + bytes(6), id="array"),
        pytest.param("Array(Array(String))", 1, struct.pack("<QQ", 1, 2) + b"\1a\0", id="array of arrays"),
        pytest.param("Array(String)", 1, struct.pack("<Q", 0), id="empty array"),
        pytest.param("Map(String, UInt8)", 1, struct.pack("<Q", 1) + b"\1k\7", id="map"),
        pytest.param("Tuple(a Int32, `b c` String)", 1, bytes(4) + b"\0", id="tuple with names"),
        pytest.param("LowCardinality(String)", 3, LOW_CARDINALITY, id="low cardinality"),
        pytest.param("LowCardinality(Nullable(String))", 3, LOW_CARDINALITY, id="low cardinality of nullable"),
        pytest.param("SimpleAggregateFunction(sum, UInt64)", 1, bytes(8), id="simple aggregate"),
        pytest.param("Point", 1, bytes(16), id="point"),
        pytest.param("IntervalDay", 1, bytes(8), id="interval"),
    ],
)
def test_a_block_ends_where_its_last_column_ends(kind: str, rows: int, raw: bytes) -> None:
    whole = block(rows, (kind, raw), ("UInt8", bytes(rows)))
    found = find_block(Fixture(whole + b"next packet"))
    assert (found.end, found.rows) == (len(whole), rows)
    assert found.columns == (("c0", kind), ("c1", "UInt8"))
    assert find_block(Trickle(whole)).end == len(whole)
    for cut in range(len(whole)):
        with pytest.raises(ProtocolError):
            find_block(Fixture(whole[:cut]))


@given(st.lists(st.integers(0, 40_000), min_size=1, max_size=40), st.integers(1, 5000))
@example([127, 128, 129], 1)
@example([16_383, 16_384], 1)
@example([3, 3, 3, 200], 2)
def test_strings_are_walked_whatever_their_lengths_and_however_they_arrive(lengths: list[int], piece: int) -> None:
    whole = block(len(lengths), ("String", b"".join(wire.string(b"\xff" * n) for n in lengths)))

    class Pieces(Trickle):
        def grow(self, size: int) -> None:
            super().grow(size)
            self.buf += whole[len(self.buf) : len(self.buf) + piece]

    assert find_block(Pieces(whole)).end == len(whole)
    assert find_block(Fixture(whole + b"\x05" * 300)).end == len(whole)


@given(st.binary(max_size=400))
def test_random_bytes_are_a_block_or_an_error(raw: bytes) -> None:
    try:
        found = find_block(Fixture(raw))
    except (ProtocolError, UnknownTypeError):
        return
    assert found.end <= len(raw)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(wire.varint(1 << 40) + wire.varint(1), id="columns"),
        pytest.param(wire.varint(1) + wire.varint(1 << 40), id="rows"),
        pytest.param(wire.varint(1) + wire.varint(1) + wire.varint(1 << 50), id="name"),
        pytest.param(block(1, ("String", wire.varint(1 << 60))), id="string"),
        pytest.param(block(1, ("Array(UInt8)", struct.pack("<Q", 1 << 63))), id="array"),
        pytest.param(block(2, ("Array(UInt8)", struct.pack("<QQ", 5, 2) + bytes(5))), id="offsets that go back"),
        pytest.param(block(1, ("LowCardinality(String)", BEYOND)), id="index beyond its dictionary"),
        pytest.param(block(1, ("LowCardinality(String)", struct.pack("<QQ", 1, 1 << 8))), id="global dictionary"),
        pytest.param(b"\xff" * 20, id="endless number"),
    ],
)  # fmt: skip
def test_a_block_that_lies_about_its_size_is_refused_without_waiting_for_it(raw: bytes) -> None:
    with pytest.raises(ProtocolError):
        find_block(Fixture(raw))


@pytest.mark.parametrize("kind", ["AggregateFunction(uniq, String)", "JSON", "Dynamic", "", "Array(", "FixedString(x)",
                                  "Array(" * 60 + "UInt8" + ")" * 60])  # fmt: skip
def test_a_type_of_unknown_length_is_named(kind: str) -> None:
    with pytest.raises(UnknownTypeError):
        parse_type(kind)


def test_blocks_in_a_row_are_split() -> None:
    blocks = [block(2, ("String", b"\1a\0")), block(1, ("UInt64", bytes(8))), block(0, ("String", b""))]
    assert split_blocks(b"".join(blocks)) == blocks
