import os
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peakwatch.lines_in import MOST_LINES, arrived


@given(st.binary(max_size=200) | st.lists(st.sampled_from([b"\n", b"\r", b"a", b"\x0b", b"\x85"])).map(b"".join))
def test_lines_are_those_of_the_stream_whatever_it_holds(content: bytes) -> None:
    found = [line for batch in arrived(BytesIO(content)) for line in batch]
    assert found == [line.removesuffix(b"\n") for line in BytesIO(content)]


def test_a_batch_is_no_larger_than_is_judged_at_once() -> None:
    sizes = [len(batch) for batch in arrived(BytesIO(b"a\n" * (2 * MOST_LINES + 5)))]
    assert sizes == [MOST_LINES, MOST_LINES, 5]


@pytest.mark.timeout(10)
def test_a_line_is_given_before_the_next_one_is_written() -> None:
    read_end, write_end = os.pipe()
    with open(read_end, "rb") as source, open(write_end, "wb", buffering=0) as sink:
        batches = arrived(source)
        for line in (b"one", b"two"):
            sink.write(line + b"\n")
            assert next(batches) == [line]
        sink.write(b"half")
        sink.close()
        assert next(batches) == [b"half"]
        assert list(batches) == []


def test_a_line_longer_than_any_read_is_one_line() -> None:
    content = b"a" * 3_000_000
    assert list(arrived(BytesIO(content + b"\nb"))) == [[content, b"b"]]
