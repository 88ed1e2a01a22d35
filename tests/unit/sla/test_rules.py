"""Every rule of SLA.md that speaks of steps, breaches and arrival, as a case. Times are minutes after `created`."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from sla.policy import ClockName, Policy, make_policy
from sla.step import Step
from sla.verdict import ClockState
from sla.watch import SlaWatch

MIN = 60_000
T0 = 1_772_416_800_000
FIRST = make_policy("first", clock="first_response", target_ms=60 * MIN)
SOLVED = make_policy("solved", clock="resolution", target_ms=100 * MIN)
NEXT = make_policy("next", clock="next_response", target_ms=30 * MIN)

Row = tuple[float, str] | tuple[float, str, dict[str, Any]]


def life(rows: Sequence[Row], end: float, *policies: Policy) -> list[ClockState]:
    watch = SlaWatch(policies or (FIRST, SOLVED))
    for arrival, row in enumerate(rows):
        at, action, more = row if len(row) == 3 else (*row, {})
        fields = more.get("fields", {})
        step = Step(T0 + round(at * MIN), action, arrival, more.get("seq"), more.get("bot", False))
        watch.add_step("t", step, fields)
    return watch.clocks("t", T0 + round(end * MIN))


def shown(state: ClockState) -> tuple[float, str, float | None, float | None]:
    """Elapsed, state, breached and warned at, in minutes."""
    instants = (state.breached_at, state.warned_at)
    breached, warned = (None if at is None else (at - T0) / MIN for at in instants)
    return state.elapsed_ms / MIN, state.state, breached, warned


def one(clock: ClockName, rows: Sequence[Row], end: float) -> tuple[float, str, float | None, float | None]:
    return next(shown(state) for state in life(rows, end) if state.clock == clock)


RESOLUTION: list[tuple[str, list[Row], float, tuple[float, str, float | None, float | None]]] = [
    ("R1-a-second-stop-does-nothing",
     [(0, "created"), (10, "resolved"), (50, "closed"), (60, "resolved")], 500, (10, "met", None, None)),
    ("R1-after-reopened-the-next-stop-counts",
     [(0, "created"), (10, "resolved"), (20, "reopened"), (50, "closed")], 500, (40, "met", None, None)),
    ("R2-reopened-after-closed-counts",
     [(0, "created"), (10, "closed"), (20, "reopened")], 30, (20, "running", None, None)),
    ("R3-resumed-ends-a-pending",
     [(0, "created"), (10, "pending"), (40, "resumed")], 50, (20, "running", None, None)),
    ("R3-customer-reply-ends-a-pending",
     [(0, "created"), (10, "pending"), (40, "customer_reply")], 50, (20, "running", None, None)),
    ("R3-agent-reply-does-not-end-a-pending",
     [(0, "created"), (10, "pending"), (40, "agent_reply")], 50, (10, "running", None, None)),
    ("R3-first-response-does-not-end-a-pending",
     [(0, "created"), (10, "pending"), (40, "first_response")], 50, (10, "running", None, None)),
    ("R3-assigned-does-not-end-a-pending",
     [(0, "created"), (10, "pending"), (40, "assigned")], 50, (10, "running", None, None)),
    ("R3-escalated-does-not-end-a-pending",
     [(0, "created"), (10, "pending"), (40, "escalated")], 50, (10, "running", None, None)),
    ("R3-pendings-do-not-nest",
     [(0, "created"), (10, "pending"), (20, "pending"), (40, "resumed")], 50, (20, "running", None, None)),
    ("R4-pending-on-a-stopped-clock-does-nothing",
     [(0, "created"), (10, "resolved"), (20, "pending"), (30, "reopened")], 50, (30, "running", None, None)),
    ("R5-a-stop-ends-a-pending",
     [(0, "created"), (10, "pending"), (20, "resolved"), (30, "reopened")], 50, (30, "running", None, None)),
    ("R6-reopened-on-an-open-ticket-does-nothing",
     [(0, "created"), (10, "reopened")], 50, (50, "running", None, None)),
    ("R6-reopened-does-not-end-a-pending",
     [(0, "created"), (10, "pending"), (20, "reopened")], 50, (10, "running", None, None)),
    ("R7-customer-reply-does-not-reopen",
     [(0, "created"), (10, "resolved"), (20, "customer_reply")], 50, (10, "met", None, None)),
    ("F2-closed-by-a-bot-stops",
     [(0, "created"), (10, "closed", {"bot": True})], 50, (10, "met", None, None)),
    ("B1-resting-at-the-target-is-breached",
     [(0, "created"), (100, "pending")], 500, (100, "breached", 100, 80)),
    ("B1-stopping-at-the-target-is-breached",
     [(0, "created"), (100, "resolved")], 500, (100, "breached", 100, 80)),
    ("B1-stopping-a-millisecond-before-is-met",
     [(0, "created"), (100 - 1 / MIN, "resolved")], 500, (100 - 1 / MIN, "met", None, 80)),
    ("B2-a-met-clock-runs-on-after-reopened-and-may-breach",
     [(0, "created"), (70, "resolved"), (200, "reopened")], 300, (170, "breached", 230, 210)),
    ("B2-a-breached-clock-stays-breached",
     [(0, "created"), (150, "resolved"), (200, "reopened"), (210, "resolved")], 300, (160, "breached", 100, 80)),
    ("B3-running-while-pending",
     [(0, "created"), (90, "pending")], 300, (90, "running", None, 80)),
    ("B5-elapsed-runs-on-after-the-breach",
     [(0, "created")], 300, (300, "breached", 100, 80)),
    ("E1-what-is-due-at-the-end-has-happened",
     [(0, "created")], 100, (100, "breached", 100, 80)),
    ("E1-what-is-due-after-the-end-has-not",
     [(0, "created")], 100 - 1 / MIN, (100 - 1 / MIN, "running", None, 80)),
    ("O1-order-is-by-time-not-by-arrival",
     [(40, "resumed"), (10, "pending"), (0, "created")], 50, (20, "running", None, None)),
    ("O1-ties-by-seq",
     [(0, "created"), (10, "pending", {"seq": 2}), (10, "resumed", {"seq": 1})], 50, (10, "running", None, None)),
    ("O1-ties-without-seq-by-arrival",
     [(0, "created"), (10, "resumed"), (10, "pending")], 50, (10, "running", None, None)),
    ("O1-an-absent-seq-orders-as-0",
     [(0, "created"), (10, "pending", {"seq": 1}), (10, "resumed")], 50, (10, "running", None, None)),
    ("O4-steps-before-created-arrives-are-kept",
     [(10, "resolved"), (20, "reopened"), (0, "created")], 50, (40, "running", None, None)),
    ("O5-a-step-dated-before-created-counts-at-created",
     [(-30, "pending"), (0, "created"), (20, "resumed")], 50, (30, "running", None, None)),
    ("O5-several-such-steps-keep-their-order",
     [(-30, "resolved"), (-20, "reopened"), (0, "created")], 50, (50, "running", None, None)),
    ("O6-a-later-created-does-nothing",
     [(0, "created"), (20, "created")], 50, (50, "running", None, None)),
    ("O6-an-earlier-created-counts-though-it-arrives-later",
     [(20, "created"), (0, "created")], 50, (50, "running", None, None)),
    ("B4-a-warning-at-the-end-of-a-stretch-counts",
     [(0, "created"), (80, "pending")], 300, (80, "running", None, 80)),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "end", "wanted"), [row[1:] for row in RESOLUTION], ids=[row[0] for row in RESOLUTION])
def test_resolution_clock(rows: list[Row], end: float, wanted: tuple[float, str, float | None, float | None]) -> None:
    assert one("resolution", rows, end) == pytest.approx(wanted)


FIRST_RESPONSE: list[tuple[str, list[Row], float, tuple[float, str, float | None, float | None]]] = [
    ("F1-first-response-by-a-person-counts",
     [(0, "created"), (10, "first_response")], 500, (10, "met", None, None)),
    ("F1-agent-reply-by-a-person-counts",
     [(0, "created"), (10, "agent_reply")], 500, (10, "met", None, None)),
    ("F1-a-bots-reply-does-not-count",
     [(0, "created"), (10, "first_response", {"bot": True}), (20, "agent_reply", {"bot": True})], 30,
     (30, "running", None, None)),
    ("F2-resolved-stops-whoever-took-it",
     [(0, "created"), (10, "resolved", {"bot": True})], 500, (10, "met", None, None)),
    ("F2-closed-stops-whoever-took-it",
     [(0, "created"), (10, "closed", {"bot": True})], 500, (10, "met", None, None)),
    ("F3-it-runs-on-while-pending-and-pending-is-no-answer",
     [(0, "created"), (10, "pending")], 500, (500, "breached", 60, 48)),
    ("F4-it-never-runs-again",
     [(0, "created"), (10, "resolved"), (20, "reopened")], 500, (10, "met", None, None)),
    ("O5-an-answer-dated-before-created-counts-at-created",
     [(-5, "agent_reply"), (0, "created")], 500, (0, "met", None, None)),
    ("B1-an-answer-at-the-target-is-too-late",
     [(0, "created"), (60, "agent_reply")], 500, (60, "breached", 60, 48)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "end", "wanted"), [row[1:] for row in FIRST_RESPONSE], ids=[row[0] for row in FIRST_RESPONSE]
)
def test_first_response_clock(
    rows: list[Row], end: float, wanted: tuple[float, str, float | None, float | None]
) -> None:
    assert one("first_response", rows, end) == pytest.approx(wanted)


NEXT_RESPONSE: list[tuple[str, list[Row], float, list[tuple[float, str, float | None, float | None]]]] = [
    ("no-message-no-cycle", [(0, "created"), (10, "agent_reply")], 500, []),
    ("from-the-first-unanswered-message-to-a-persons-reply",
     [(0, "created"), (10, "customer_reply"), (15, "customer_reply"), (20, "agent_reply", {"bot": True}),
      (25, "agent_reply")], 500, [(15, "met", None, None)]),
    ("one-cycle-a-run-of-messages",
     [(0, "created"), (10, "customer_reply"), (20, "agent_reply"), (30, "customer_reply")], 500,
     [(10, "met", None, None), (470, "breached", 60, 54)]),
    ("a-stop-ends-it",
     [(0, "created"), (10, "customer_reply"), (30, "closed", {"bot": True})], 500, [(20, "met", None, None)]),
    ("a-message-on-a-resolved-ticket-starts-none",
     [(0, "created"), (10, "resolved"), (20, "customer_reply")], 500, []),
    ("pending-does-not-hold-it",
     [(0, "created"), (10, "customer_reply"), (12, "pending")], 500, [(490, "breached", 40, 34)]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "end", "wanted"), [row[1:] for row in NEXT_RESPONSE], ids=[row[0] for row in NEXT_RESPONSE]
)
def test_next_response_clock(
    rows: list[Row], end: float, wanted: list[tuple[float, str, float | None, float | None]]
) -> None:
    states = life(rows, end, NEXT)
    assert [state.cycle for state in states] == list(range(1, len(wanted) + 1))
    assert [shown(state) for state in states] == wanted


def test_o4_without_created_there_are_no_clocks() -> None:
    assert life([(0, "pending"), (10, "resolved")], 50) == []


def test_o6_the_fields_of_the_earliest_created_choose_the_policies() -> None:
    vip = make_policy("vip", clock="resolution", target_ms=MIN, match=(("customer_tier", frozenset({"vip"})),))
    rows: list[Row] = [
        (20, "created", {"fields": {"customer_tier": "vip"}}),
        (0, "created", {"fields": {"customer_tier": "plain"}}),
    ]
    assert [state.policy for state in life(rows, 50, vip, SOLVED)] == [SOLVED]


def test_o6_two_created_of_one_time_count_by_seq_then_arrival() -> None:
    a = make_policy("a", clock="resolution", target_ms=MIN, match=(("queue", frozenset({"a"})),))
    b = make_policy("b", clock="resolution", target_ms=MIN, match=(("queue", frozenset({"b"})),))
    in_a, in_b = {"fields": {"queue": "a"}}, {"fields": {"queue": "b"}}
    by_seq = life([(0, "created", {**in_a, "seq": 2}), (0, "created", {**in_b, "seq": 1})], 1, a, b)
    by_arrival = life([(0, "created", in_a), (0, "created", in_b)], 1, a, b)
    assert [state.policy.name for state in by_seq + by_arrival] == ["b", "a"]


@pytest.mark.parametrize(
    ("target_ms", "warn_at", "wanted"),
    [(1000, "0.8", 800), (1001, "0.8", 801), (3_600_000, "0.333", 1_198_800), (1000, "0.9999", 1000),
     (1000, "0.0001", 1), (90_000, "0.07", 6300), (100_000, "0.29", 29_000), (7_000, "0.1", 700)],
)  # fmt: skip
def test_b4_the_warning_is_at_the_ceiling_in_decimals(target_ms: int, warn_at: str, wanted: int) -> None:
    assert make_policy("p", clock="resolution", target_ms=target_ms, warn_at=Decimal(warn_at)).warn_ms == wanted


def test_b4_without_warn_at_there_is_no_warning() -> None:
    silent = make_policy("p", clock="resolution", target_ms=MIN, warn_at=None)
    assert life([(0, "created")], 50, silent)[0].warned_at is None
