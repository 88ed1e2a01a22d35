import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.claims import (
    HEADER,
    NOBODY,
    NOTHING,
    Fence,
    Held,
    Lease,
    Mark,
    Stamp,
    decode_stamp,
    encode_stamp,
    new_owner,
)
from schemas.errors import BadEvent, TransientError

SOURCE = ("reviews", 2)
A, B = b"AAAAAAAA", b"BBBBBBBB"


def claim(owner: bytes, generation: int = 1) -> Stamp:
    return Stamp("claim", SOURCE, owner, generation, 0, NOTHING)


def batch(owner: bytes, number: int, to: int, tick_ms: int = 0) -> Stamp:
    return Stamp("batch", SOURCE, owner, number, 0, Mark(to, tick_ms))


CASES = [
    ("nobody claimed", [batch(A, 1, 10)], [False]),
    ("a claim is no batch", [claim(A)], [False]),
    ("the owner's next", [claim(A), batch(A, 1, 10), batch(A, 2, 20)], [False, True, True]),
    ("the same twice", [claim(A), batch(A, 1, 10), batch(A, 1, 10)], [False, True, False]),
    ("one was lost", [claim(A), batch(A, 1, 10), batch(A, 3, 30)], [False, True, False]),
    ("none counts behind a lost one", [claim(A), batch(A, 2, 20), batch(A, 3, 30)], [False, False, False]),
    ("a former owner", [claim(A), batch(A, 1, 10), claim(B), batch(A, 2, 20)], [False, True, False, False]),
    ("its marks go on counting", [claim(A), batch(A, 1, 10), claim(B), batch(B, 1, 10)], [False, True, False, False]),
    ("beyond them", [claim(A), batch(A, 1, 10), claim(B), batch(B, 1, 11)], [False, True, False, True]),
    ("a claim sent twice", [claim(A), batch(A, 1, 10), claim(A), batch(A, 2, 20)], [False, True, False, True]),
    ("a claim that arrives late", [claim(B, 5), claim(A, 4), batch(A, 1, 10), batch(B, 1, 10)],
     [False, False, False, True]),
    ("a tick moves the mark", [claim(A), batch(A, 1, 10, 5), batch(A, 2, 10, 6)], [False, True, True]),
    ("an older tick does not", [claim(A), batch(A, 1, 10, 5), batch(A, 2, 10, 4)], [False, True, False]),
    ("a number within the marks is used up", [claim(A), batch(A, 1, 10), claim(B), batch(B, 1, 5), batch(B, 2, 15)],
     [False, True, False, False, True]),
]  # fmt: skip


@pytest.mark.parametrize(("stamps", "counts"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_counts(stamps: list[Stamp], counts: list[bool]) -> None:
    fence = Fence()
    assert [fence.accepts(stamp) for stamp in stamps] == counts


def test_sources_do_not_know_of_each_other() -> None:
    fence = Fence()
    fence.accepts(claim(A))
    other = Stamp("batch", ("reviews", 3), A, 1, 0, Mark(5, 0))
    assert not fence.accepts(other)
    assert fence.accepts(batch(A, 1, 5))


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 5), st.integers(1, 12))
def test_every_record_counts_once_however_often_owners_change_and_repeat(seed: int, owners: int, end: int) -> None:
    """Each owner starts at or below the fence that it found, some of its batches are sent twice or arrive late."""
    chance = random.Random(seed)
    fence = Fence()
    counted: list[tuple[int, int]] = []
    late: list[Stamp] = []
    for number in range(owners):
        owner = bytes([number]) * 8
        fence.accepts(claim(owner))
        begin, sent = fence.held(SOURCE).mark.to, 0
        last = number == owners - 1
        while begin < end and (last or chance.random() < 0.8):
            sent += 1
            to = chance.randint(begin + 1, end)
            stamp = Stamp("batch", SOURCE, owner, sent, begin, Mark(to, 0))
            for arrival in [stamp, *chance.sample(late, min(len(late), 2))]:
                if fence.accepts(arrival):
                    counted.append((arrival.start, arrival.mark.to))
            late.append(stamp)
            begin = to
        late += [Stamp("batch", SOURCE, owner, sent + 1, begin, Mark(begin + 3, 0))]
    assert [start for start, _ in counted] == [0, *[to for _, to in counted[:-1]]]
    assert counted[-1][1] == end


@given(st.lists(st.sampled_from([claim(A), claim(B), batch(A, 1, 1), batch(A, 2, 2), batch(B, 1, 3)])), st.data())
def test_fence_goes_on_where_it_was_dumped(stamps: Sequence[Stamp], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(stamps)))
    whole, first = Fence(), Fence()
    expected = [whole.accepts(stamp) for stamp in stamps]
    got = [first.accepts(stamp) for stamp in stamps[:at]]
    second = Fence.load(first.dump())
    assert got + [second.accepts(stamp) for stamp in stamps[at:]] == expected


def test_adopting_fence_believes_the_first_owner_it_sees() -> None:
    fence = Fence({SOURCE: Held(b"", 3, 0, Mark(10, 0))}, adopting=True)
    assert not fence.accepts(batch(A, 7, 10))
    assert fence.accepts(batch(A, 8, 20))
    assert not fence.accepts(batch(B, 1, 30))
    assert fence.held(SOURCE) == Held(A, 3, 8, Mark(20, 0))


def test_unknown_source_is_held_by_nobody() -> None:
    assert Fence().held(SOURCE) == NOBODY


@given(
    st.sampled_from(["claim", "batch"]), st.text(min_size=1, max_size=249), st.integers(0, 2**32 - 1),
    st.lists(st.integers(0, 2**63 - 1), min_size=4, max_size=4),
)  # fmt: skip
def test_stamp_reads_back(kind: str, topic: str, partition: int, numbers: list[int]) -> None:
    number, start, to, tick_ms = numbers
    stamp = Stamp("claim" if kind == "claim" else "batch", (topic, partition), A, number, start, Mark(to, tick_ms))
    assert decode_stamp([("other", b""), encode_stamp(stamp)]) == stamp


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ([], "no_stamp"),
        ([("other", b"x")], "no_stamp"),
        ([(HEADER, b"")], "bad_stamp"),
        ([(HEADER, b"\x02" + encode_stamp(claim(A))[1][1:])], "bad_stamp"),
        ([(HEADER, b"\x01\x09" + encode_stamp(claim(A))[1][2:])], "bad_stamp"),
        ([(HEADER, encode_stamp(claim(A))[1] + b"\xff")], "bad_stamp"),
        ([(HEADER, encode_stamp(claim(A))[1][:-7])], "bad_stamp"),
    ],
    ids=["none", "another", "empty", "version", "kind", "no UTF-8", "cut"],
)
def test_header_that_cannot_be_read_is_a_bad_event(headers: list[tuple[str, bytes]], reason: str) -> None:
    with pytest.raises(BadEvent) as caught:
        decode_stamp(headers)
    assert caught.value.reason == reason


def test_owners_are_never_the_same() -> None:
    assert len({new_owner() for _ in range(1000)}) == 1000


def test_lease_runs_from_the_last_heartbeat_sent() -> None:
    lease = Lease(session_timeout_ms=6_000)
    with pytest.raises(TransientError, match="no heartbeat was acknowledged yet"):
        lease.check(0)
    lease.renew(1_000)
    lease.renew(500)  # an older answer that came later
    lease.check(6_999)
    with pytest.raises(TransientError, match="no heartbeat acknowledged for 6000 ms, session timeout 6000 ms"):
        lease.check(7_000)
