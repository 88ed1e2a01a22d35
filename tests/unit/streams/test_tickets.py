"""Ticket figures against those counted by hand from the sorted steps, whatever the order of arrival."""

import json
from collections import Counter
from typing import Any

import pytest

from sla.policy import Policy, make_policy
from sla.step import Step
from sla.watch import SlaWatch
from sla.working_time import ALWAYS
from streams import figures as f
from streams.facts import Facts
from streams.intake import Record
from streams.judging import Judging
from streams.panes import Deltas, PaneDeltas, merge_deltas
from streams.sketch import bucket
from streams.source import Source, SourceConfig
from streams.tickets import DAY_MS, TicketDesk
from tests.unit.streams.event_streams import START_MS, record, shuffled, ticket_events

LATENESS_MS = 300_000
HOLD_MS = 60_000
TARGET_MS = 20 * 60_000
Figure = tuple[int, str, int]  # pane, category, column; ~which * 10_000 - bucket for sketches


def policies() -> tuple[Policy, ...]:
    return tuple(
        make_policy(clock, clock=clock, target_ms=TARGET_MS, calendar=ALWAYS)
        for clock in ("first_response", "resolution")
    )


def by_hand(events: list[dict[str, Any]], end_ms: int) -> Counter[Figure]:
    """Created, open, answered, resolved, reopened, rated, breached and met, by the rules of SLA.md."""
    n: Counter[Figure] = Counter()
    tickets: dict[str, list[dict[str, Any]]] = {}
    for event in sorted(events, key=lambda event: event["event_time"]):
        tickets.setdefault(event["ticket_id"], []).append(event)
    for steps in tickets.values():
        count_ticket(steps, n, end_ms)
    return Counter({key: amount for key, amount in n.items() if amount})


def count_ticket(steps: list[dict[str, Any]], n: Counter[Figure], end_ms: int) -> None:
    category = steps[0]["category"]

    def add(at_ms: int, column: int, amount: int = 1) -> None:
        n[at_ms // 10_000, category, column] += amount

    def sketch(at_ms: int, which: int, duration: int) -> None:
        n[at_ms // 10_000, category, ~which * 10_000 - bucket(duration)] += 1

    created = steps[0]["event_time"]
    add(created, f.CREATED)
    add(created, f.OPEN_CHANGE)
    answered = None
    phase, since, worked, breached = "running", created, 0, None
    for step in steps:
        at, action = step["event_time"], step["action"]
        stop = action in ("resolved", "closed")
        if answered is None and (stop or (action in ("first_response", "agent_reply") and not step.get("bot"))):
            answered = at
            sketch(at, f.FIRST_RESPONSE, at - created)
            verdict(add, n, created, at)
        if phase == "running" and (stop or action == "pending"):
            breached = breached or (since + TARGET_MS - worked if worked + at - since >= TARGET_MS else None)
            worked += at - since
        if stop:
            if phase != "stopped":
                sketch(at, f.RESOLUTION, at - created)
                add(at, f.OPEN_CHANGE, -1)
                if breached is None:
                    add(at, f.SLA_MET)
            phase = "stopped"
        elif action == "pending" and phase == "running":
            phase = "pending"
        elif (action in ("resumed", "customer_reply") and phase == "pending") or (
            action == "reopened" and phase == "stopped"
        ):
            if action == "reopened":
                add(at, f.REOPENED)
                add(at, f.OPEN_CHANGE)
            phase, since = "running", at
        csat = step.get("csat")
        if csat is not None and 1 <= csat <= 5:
            add(at, f.CSATS)
            add(at, f.CSAT_MICROS, round((csat - 1) / 4 * 1_000_000))
    if answered is None:
        verdict(add, n, created, None, end_ms)
    if phase == "running" and breached is None and worked + end_ms - since >= TARGET_MS:
        breached = since + TARGET_MS - worked
    if breached is not None:
        add(breached, f.SLA_BREACHES)


def verdict(add: Any, n: Counter[Figure], created: int, answered: int | None, end_ms: int = 0) -> None:
    until = end_ms if answered is None else answered
    if until - created >= TARGET_MS:
        add(created + TARGET_MS, f.SLA_BREACHES)
    elif answered is not None:
        add(answered, f.SLA_MET)


def counted(deltas: Deltas) -> Counter[Figure]:
    n: Counter[Figure] = Counter()
    for pane, cell, row in zip(deltas.panes, deltas.cells, deltas.figures.tolist(), strict=True):
        for column, amount in enumerate(row):
            n[pane, cell[0], column] += amount
    for entry in deltas.sketches:
        n[entry.pane, entry.cell[0], ~entry.which * 10_000 - entry.bucket] += entry.count
    return Counter({key: amount for key, amount in n.items() if amount})


def played(events: list[dict[str, Any]], judging: Judging) -> tuple[Source, list[Facts]]:
    """Every step in order of arrival, then all that is due by the newest."""
    config = SourceConfig(judging=judging, mask=str, policies=policies(), lateness_ms=LATENESS_MS, hold_ms=HOLD_MS)
    source = Source(config, "tickets")
    facts = [source.feed([record(number, event)]) for number, event in enumerate(events)]
    facts.append(source.tick(source.newest_ms + HOLD_MS))
    return source, facts


@pytest.mark.parametrize("seed", range(25))
def test_figures_are_those_of_the_sorted_steps_whatever_the_arrival(seed: int, judging: Judging) -> None:
    events = ticket_events(seed)
    at = {i: event["event_time"] for i, event in enumerate(events)}
    arrivals = shuffled(events, at, within_ms=LATENESS_MS if seed % 3 else 0, seed=seed)
    source, facts = played(arrivals, judging)
    assert source.intake.tally.late == 0
    assert counted(merge_deltas([one.deltas for one in facts])) == by_hand(events, source.newest_ms)


def test_a_breach_in_a_long_silence_counts_in_the_window_of_its_instant(judging: Judging) -> None:
    events = [step(0, "created"), step(5 * 3_600_000, "closed")]
    _, facts = played(events, judging)
    got = counted(merge_deltas([one.deltas for one in facts]))
    assert got[(START_MS + TARGET_MS) // 10_000, "", f.SLA_BREACHES] == 2


def test_a_score_out_of_range_is_dropped_and_counted_and_its_step_counts(judging: Judging) -> None:
    source, facts = played([step(0, "created"), {**step(1000, "closed"), "csat": 6}], judging)
    got = counted(merge_deltas([one.deltas for one in facts]))
    assert source.intake.tally.csat_dropped == 1
    assert got[START_MS // 10_000, "", f.CSATS] == 0
    assert got[START_MS // 10_000, "", f.OPEN_CHANGE] == 0  # opened and closed in one pane


def test_a_late_step_is_left_out_of_windows_but_moves_its_clock(judging: Judging) -> None:
    late_answer = step(60_000, "agent_reply")
    events = [step(0, "created"), {**step(3_600_000, "assigned"), "ticket_id": "other"}, late_answer]
    source, facts = played(events, judging)
    assert source.intake.tally.late == 1
    got = counted(merge_deltas([one.deltas for one in facts]))
    assert not any(column < 0 for _, _, column in got)
    first = next(line for line in source.desk.watch.final_lines(source.newest_ms) if line.clock == "first_response")
    assert (first.state, first.elapsed_ms, first.breached_at) == ("met", 60_000, None)


def test_the_number_of_open_tickets_stays_true_after_late_steps(judging: Judging) -> None:
    events = [step(0, "created"), {**step(3_600_000, "created"), "ticket_id": "other"}, step(60_000, "resolved")]
    _, facts = played(events, judging)
    got = counted(merge_deltas([one.deltas for one in facts]))
    assert sum(amount for (_, _, column), amount in got.items() if column == f.OPEN_CHANGE) == 1


def step(after_ms: int, action: str) -> dict[str, Any]:
    """A step of one ticket, so long after the start."""
    return {"event_id": f"{action}{after_ms}", "event_time": START_MS + after_ms, "ticket_id": "t", "action": action}


def test_the_row_of_a_step_is_masked(judging: Judging) -> None:
    config = SourceConfig(judging=judging, mask=lambda text: "*" * len(text), salt=b"s", rows=True)
    raw = json.dumps(
        {**step(0, "created"), "customer_id": "张三", "order_id": "o-1", "text": "电话", "csat": 9}
    ).encode()
    (row,) = Source(config, "tickets", 3).feed([Record(7, 5, raw)]).tickets
    assert (row.text, row.priority, row.csat, row.topic_partition, row.topic_offset) == ("**", "normal", None, 3, 7)
    assert "张三" not in repr(row)
    assert "o-1" not in repr(row)


def test_a_ticket_that_is_over_is_forgotten_after_its_time_and_an_open_one_is_not() -> None:
    keep = 90 * DAY_MS
    desk = TicketDesk(SlaWatch(policies()), hold_ms=0, lateness_ms=0, keep_ms=keep)
    panes = PaneDeltas()
    for number in range(200):
        steps = ("created", "resolved") if number % 2 else ("created",)
        for seq, action in enumerate(steps):
            desk.watch.add_step(f"t{number}", Step(START_MS + seq, action, seq, seq, False), {})
    at_ms = START_MS
    while at_ms < START_MS + keep:
        list(desk.advance(at_ms, panes=panes))
        at_ms += DAY_MS // 4
    assert len(desk.watch) == 200
    list(desk.advance(at_ms + 2 * DAY_MS, panes=panes))  # as when nothing came for so long
    assert len(desk.watch) == 100


def test_when_it_is_forgotten_depends_on_event_time_alone() -> None:
    def left(pause_ms: int) -> list[int]:
        desk = TicketDesk(SlaWatch(policies()), hold_ms=0, lateness_ms=0, keep_ms=DAY_MS)
        for number in range(100):
            for seq, action in enumerate(("created", "resolved")):
                desk.watch.add_step(f"t{number}", Step(START_MS + seq, action, seq, seq, False), {})
        counts = []
        for at_ms in range(START_MS, START_MS + 3 * DAY_MS, pause_ms):
            list(desk.advance(at_ms, panes=PaneDeltas()))
            if (at_ms - START_MS) % (DAY_MS // 2) == 0:
                counts.append(len(desk.watch))
        return counts

    assert left(DAY_MS // 48) == left(DAY_MS // 8)
    assert left(DAY_MS // 8)[-1] == 0
