"""Stage 1: a function of the partition's log, however it is cut and wherever it restarts."""

import dataclasses
import random
from collections import Counter
from typing import Any

import pytest

from sla.policy import make_policy
from streams.facts import Facts
from streams.intake import Record
from streams.judging import Judging
from streams.panes import merge_deltas
from streams.source import Source, SourceConfig
from tests.unit.streams.event_streams import START_MS, mixed_events, record, shuffled

LATENESS_MS = 120_000
Told = dict[str, Any]


def config(judging: Judging) -> SourceConfig:
    policies = tuple(
        make_policy(clock, clock=clock, target_ms=15 * 60_000) for clock in ("first_response", "resolution")
    )
    return SourceConfig(
        judging=judging, mask=lambda text: text.replace("客服", "**"), policies=policies, lateness_ms=LATENESS_MS,
        salt=b"s", rows=True, words=lambda texts: [sorted(set(text)) for text in texts], live=True,
    )  # fmt: skip


def log_of(topic: str, seed: int) -> list[Record]:
    """A partition's log: out of order, some too late, some twice, some rubbish."""
    rnd = random.Random(seed)
    events = [event for name, event in mixed_events(seed) if name == topic]
    at = {i: event["event_time"] for i, event in enumerate(events)}
    events = shuffled(events, at, within_ms=3 * LATENESS_MS, seed=seed)
    for _ in range(10):
        events.insert(rnd.randrange(len(events)), rnd.choice(events))
    log = []
    for offset, event in enumerate(events):
        one = record(offset, event)._replace(received_at=max(0, event["event_time"]))
        log.append(one if rnd.random() > 0.03 else one._replace(raw=one.raw[:-3]))
    return log


def told(facts: list[Facts]) -> Told:
    """All that was said, deltas summed."""
    whole = Facts()
    for one in facts:
        whole.extend(one)
    merged = merge_deltas([one.deltas for one in facts])
    figures: Counter[tuple[Any, ...]] = Counter()
    for pane, cell, row in zip(merged.panes, merged.cells, merged.figures.tolist(), strict=True):
        for column, amount in enumerate(row):
            figures[pane, cell, column] += amount
    for entry in merged.sketches:
        figures["sketch", entry.pane, entry.cell, entry.which, entry.bucket] += entry.count
    fields = {field.name: getattr(whole, field.name) for field in dataclasses.fields(whole)}
    return {**fields, "deltas": {key: amount for key, amount in figures.items() if amount}}


def chunks(log: list[Record], rnd: random.Random) -> list[list[Record]]:
    found = []
    while log:
        count = rnd.choice([1, 2, 7, 50])
        found.append(log[:count])
        log = log[count:]
    return found


@pytest.mark.parametrize("topic", ["reviews", "complaints", "tickets", "orders"])
@pytest.mark.parametrize("seed", range(3))
def test_however_the_log_is_cut_the_facts_are_the_same(topic: str, seed: int, judging: Judging) -> None:
    log = log_of(topic, seed)
    whole = Source(config(judging), topic)
    want = told([whole.feed(log)])
    for cut in range(3):
        source = Source(config(judging), topic)
        got = told([source.feed(part) for part in chunks(log, random.Random(cut))])
        assert got == want
        assert [getattr(source.intake.tally, name) for name in source.intake.tally.__slots__] == [
            getattr(whole.intake.tally, name) for name in whole.intake.tally.__slots__
        ]
    assert want["dead_letters"]
    assert want[topic]


@pytest.mark.parametrize("topic", ["reviews", "complaints", "tickets", "orders"])
@pytest.mark.parametrize("seed", range(3))
def test_a_restart_from_pages_changes_nothing(topic: str, seed: int, judging: Judging) -> None:
    log = log_of(topic, seed)
    want = told([Source(config(judging), topic).feed(log)])
    rnd = random.Random(seed)
    source, pages = Source(config(judging), topic), dict[str, bytes]()
    facts = []
    for part in chunks(log, rnd):
        facts.append(source.feed(part))
        if rnd.random() < 0.3:
            pages.update(source.dump_dirty())
            if rnd.random() < 0.6:
                source = Source(config(judging), topic)
                source.load(pages)
    assert told(facts) == want


def test_a_negative_review_brings_its_masked_words_and_of_the_others_one_in_eight(judging: Judging) -> None:
    def review(number: int, text: str) -> Record:
        event = {"event_id": f"e{number}", "event_time": START_MS, "review_id": f"r{number}", "text": text}
        return record(number, event)._replace(received_at=START_MS)

    good = [review(number, "好客服") for number in range(800)]
    others = Source(config(judging), "reviews").feed(good).reviews
    assert {row.words for row in others} == {(), ("*", "好")}
    assert sum(bool(row.words) for row in others) == pytest.approx(100, abs=30)
    bad = Source(config(judging), "reviews").feed([review(0, "差客服"), review(1, "")]).reviews
    assert [row.words for row in bad] == [("*", "差"), ()]
    # Which of the others it is, is a matter of its name: read again, the row is the same.
    assert Source(config(judging), "reviews").feed(good).reviews == others
    without = dataclasses.replace(config(judging), words=None)
    assert {row.words for row in Source(without, "reviews").feed(good).reviews} == {()}


def test_a_tick_brings_what_is_due_once_and_survives_a_restart(judging: Judging) -> None:
    created = record(0, {"event_id": "e", "event_time": START_MS, "ticket_id": "t", "action": "created"})
    source = Source(config(judging), "tickets")
    source.feed([created._replace(received_at=START_MS)])
    due = START_MS + 15 * 60_000
    assert source.tick(due + 59_999).transitions[-1].kind == "warning"
    breaches = source.tick(due + 60_000).transitions
    assert [(one.kind, one.at_ms) for one in breaches] == [("breach", due), ("breach", due)]
    again = Source(config(judging), "tickets")
    again.load(dict(source.dump_dirty()))
    assert again.tick(due + 60_000).transitions == source.tick(due + 10**9).transitions == []


def test_late_events_are_counted_and_stored_and_left_out_of_windows(judging: Judging) -> None:
    source = Source(config(judging), "reviews")
    texts = [("new", LATENESS_MS + 1), ("late", 0), ("in time", 1)]
    facts = source.feed(
        record(i, {"event_id": name, "event_time": START_MS + at, "review_id": name, "text": "差"})._replace(
            received_at=START_MS + LATENESS_MS
        )
        for i, (name, at) in enumerate(texts)
    )
    assert source.intake.tally.late == 1
    assert [(row.event_id, row.late) for row in facts.reviews] == [("new", False), ("late", True), ("in time", False)]
    assert {one.sample for one in facts.observations} == {"new", "in time"}
    assert int(facts.deltas.figures[:, 0].sum()) == 2


def test_what_cannot_be_read_is_kept_whole_with_its_place(judging: Judging) -> None:
    source = Source(config(judging), "reviews", 3)
    (letter,) = source.feed([Record(42, 7, b"\xff rubbish")]).dead_letters
    assert (letter.topic, letter.partition, letter.offset, letter.received_at) == ("reviews", 3, 42, 7)
    assert (letter.reason, letter.raw) == ("not_json", b"\xff rubbish")


def test_live_an_event_far_ahead_of_its_record_moves_no_watermark(judging: Judging) -> None:
    source = Source(config(judging), "orders")
    event = {"event_id": "e", "event_time": START_MS, "count": 1}
    (letter,) = source.feed([record(0, event)._replace(received_at=START_MS - 600_001)]).dead_letters
    assert letter.reason == "future_time"
    assert source.newest_ms == -1


def test_no_row_or_observation_shows_a_customer_or_an_order(judging: Judging) -> None:
    for topic in ("reviews", "complaints", "tickets", "orders"):
        event = {
            "event_id": "e", "event_time": START_MS, "review_id": "r", "complaint_id": "c", "ticket_id": "t",
            "action": "created", "count": 1, "customer_id": "张三13800138000", "order_id": "ORDER-77",
            "text": "差，客服",
        }  # fmt: skip
        facts = Source(config(judging), topic).feed([record(0, event)._replace(received_at=START_MS)])
        shown = repr([facts.reviews, facts.complaints, facts.tickets, facts.orders, facts.observations])
        for secret in ("张三", "13800138000", "ORDER-77", "客服"):
            assert secret not in shown
