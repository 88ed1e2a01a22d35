import random
from collections.abc import Sequence
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.transport.chunks import Chunk
from agents.transport.ledger import Delivery, Ledger


class Rec(NamedTuple):
    offset: int
    timestamp: int = 0
    key: bytes | None = None
    value: bytes | None = None
    headers: Sequence[tuple[str, bytes]] = ()


def recs(*offsets: int) -> list[Rec]:
    return [Rec(offset) for offset in offsets]


def ledger_at(at: int | None) -> Ledger:
    return Ledger("reviews", 0, at=at)


def chunks_of(verdict: list[Chunk] | int) -> list[Chunk]:
    assert isinstance(verdict, list)
    return verdict


def hand_over(ledger: Ledger, *offsets: int, max_records: int = 2) -> list[Delivery]:
    deliveries = []
    for chunk in chunks_of(ledger.fetched(recs(*offsets), max_records=max_records)):
        delivery = Delivery(chunk.end)
        assert ledger.deliver(chunk, delivery)
        deliveries.append(delivery)
    return deliveries


def test_chunks_follow_each_other_without_a_gap() -> None:
    chunks = chunks_of(ledger_at(0).fetched(recs(0, 1, 2, 3, 4), max_records=2))
    assert [(chunk.start, chunk.first, chunk.offset, chunk.end) for chunk in chunks] == [
        (0, 0, 1, 2),
        (2, 2, 3, 4),
        (4, 4, 4, 5),
    ]


def test_ledger_without_a_position_begins_where_the_first_fetch_does() -> None:
    ledger = ledger_at(None)
    assert (ledger.fetched([], max_records=2), ledger.delivered) == ([], None)
    hand_over(ledger, 7, 8)
    assert ledger.delivered == 9


def test_what_was_fetched_and_lost_is_fetched_again() -> None:
    ledger = ledger_at(0)
    ledger.fetched(recs(0, 1), max_records=2)  # and never delivered
    assert ledger.fetched(recs(2, 3), max_records=2) == 0
    hand_over(ledger, 0, 1, 2, 3)
    assert ledger.delivered == 4


def test_chunk_from_before_a_seek_is_dropped() -> None:
    ledger = ledger_at(0)
    first, second = chunks_of(ledger.fetched(recs(0, 1, 2, 3), max_records=2))
    assert ledger.deliver(first, Delivery(2))
    ledger.rewind(0)
    assert not ledger.deliver(second, Delivery(4))
    assert ledger.delivered == 0


def test_chunk_tells_whether_the_partition_was_rewound_since() -> None:
    ledger = ledger_at(0)
    (before,) = chunks_of(ledger.fetched(recs(0, 1), max_records=2))
    assert before.round == ledger.round
    ledger.rewind(0)
    (after,) = chunks_of(ledger.fetched(recs(0, 1), max_records=2))
    assert (before.round == ledger.round, after.round == ledger.round) == (False, True)


def test_records_below_the_position_are_left_out() -> None:
    ledger = ledger_at(3)
    assert ledger.fetched(recs(1, 2), max_records=9) == []
    (chunk,) = chunks_of(ledger.fetched(recs(2, 3, 4), max_records=9))
    assert (chunk.start, chunk.first) == (3, 3)


def test_hole_is_believed_when_it_is_seen_twice() -> None:
    ledger = ledger_at(0)
    hand_over(ledger, 0, 1)
    assert ledger.fetched(recs(5, 6), max_records=2) == 2
    (chunk,) = chunks_of(ledger.fetched(recs(5, 6), max_records=2))
    assert (chunk.start, chunk.first) == (2, 5)


def test_after_a_fetch_that_was_cut_short_the_position_is_sought_again() -> None:
    ledger = ledger_at(0)
    hand_over(ledger, 0, 1)
    ledger.lost()
    assert ledger.fetched([], max_records=2) == 2
    hand_over(ledger, 2, 3)


def test_what_was_not_delivered_is_sought_though_no_more_records_come() -> None:
    ledger = ledger_at(0)
    assert ledger.behind() is None
    hand_over(ledger, 0, 1)
    ledger.fetched(recs(2, 3), max_records=2)
    assert (ledger.behind(), ledger.behind()) == (2, None)
    ledger.lost()
    assert (ledger.behind(), ledger.behind()) == (2, None)


def test_lost_fetch_that_looks_like_a_hole_is_made_good() -> None:
    ledger = ledger_at(0)
    assert ledger.fetched(recs(2, 3), max_records=2) == 0
    hand_over(ledger, 0, 1, 2, 3)
    assert ledger.delivered == 4


def test_nothing_is_committed_before_it_is_settled() -> None:
    ledger = ledger_at(0)
    hand_over(ledger, 0, 1, 2, 3)
    assert ledger.committable() is None


def test_settled_offset_within_a_chunk_is_committed_as_it_is() -> None:
    ledger = ledger_at(0)
    hand_over(ledger, 0, 1, 2, 3)
    ledger.settle(3)
    assert (ledger.committable(), ledger.unsettled) == (3, 1)
    ledger.settle(1)  # an older answer
    assert ledger.committable() == 3


def test_acknowledged_chunks_are_committed_up_to_the_first_that_is_not() -> None:
    ledger = ledger_at(0)
    first, second, third = hand_over(ledger, 0, 1, 2, 3, 4, 5)
    second.done = third.done = True
    assert ledger.committable() is None
    first.done = True
    assert (ledger.committable(), ledger.unsettled) == (6, 0)


def test_settling_further_than_was_delivered_commits_what_was_delivered() -> None:
    ledger = ledger_at(0)
    hand_over(ledger, 0, 1)
    ledger.settle(100)
    assert ledger.committable() == 2
    hand_over(ledger, 2, 3)
    assert ledger.committable() == 4


def test_acknowledgement_of_what_came_before_a_rewind_does_not_count() -> None:
    ledger = ledger_at(0)
    (before,) = hand_over(ledger, 0, 1)
    ledger.rewind(0)
    before.done = True
    assert ledger.committable() is None


def test_unsettled_chunks_cost_no_records() -> None:
    ledger = ledger_at(0)
    for at in range(0, 20_000, 2):
        hand_over(ledger, at, at + 1)
    assert ledger.unsettled == 10_000
    assert all(type(slot) is Delivery and type(slot.end) is int for slot in ledger._pending)
    ledger.settle(20_000)
    assert (ledger.committable(), ledger.unsettled) == (20_000, 0)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32))
def test_whatever_is_lost_or_sought_the_agent_gets_all_in_order(seed: int) -> None:
    """A log with holes; fetches are lost, chunks dropped, positions rewound to what was committed."""
    chance = random.Random(seed)
    log = [offset for offset in range(60) if chance.random() < 0.9]
    ledger, position, committed = ledger_at(0), 0, 0
    got: list[int] = []
    lost = False
    for _ in range(5_000):
        if got and got[-1] == log[-1]:
            break
        event = chance.random()
        if event < 0.05:
            ledger.rewind(committed)
            position = committed
            got = [offset for offset in got if offset < committed]
            continue
        batch = [offset for offset in log if offset >= position][: chance.randint(1, 7)]
        position = batch[-1] + 1 if batch else position
        if lost:
            ledger.lost()
        lost = event < 0.1
        if lost:
            continue  # cancelled: aiokafka has moved on, nobody saw the records
        verdict = ledger.fetched(recs(*batch), max_records=3)
        if isinstance(verdict, int):
            position = verdict
            continue
        for chunk in verdict[: chance.randint(0, 3) if event < 0.3 else None]:
            if ledger.deliver(chunk, Delivery(chunk.end)):
                got += [record.offset for record in chunk.records]
                if chance.random() < 0.5:
                    ledger.settle(chunk.end)
        at = ledger.committable()
        if at is not None:
            assert at >= committed
            assert at <= (got[-1] + 1 if got else 0)
            committed = at
    assert got == log


@pytest.mark.parametrize(
    ("at", "before", "after"),
    [
        (0, None, [4, 5, 9]),
        (4, None, [4, 5, 9]),
        (5, [4], [5, 9]),
        (6, [4, 5], [9]),
        (9, [4, 5], [9]),
        (10, [4, 5, 9], None),
    ],
)
def test_split_puts_each_record_on_its_side(at: int, before: list[int] | None, after: list[int] | None) -> None:
    parts = Chunk("reviews", 0, 3, recs(4, 5, 9)).split(at)
    assert [part and [record.offset for record in part.records] for part in parts] == [before, after]


def test_parts_of_a_split_follow_each_other() -> None:
    before, after = Chunk("reviews", 0, 3, recs(4, 5, 9)).split(7)
    assert before is not None
    assert after is not None
    assert (before.start, before.end, after.start, after.end) == (3, 6, 7, 10)
