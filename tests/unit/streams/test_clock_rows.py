"""Where a clock stands, and what will come of it if nobody acts."""

from schemas.results import SlaClockRow
from sla.policy import parse_policies
from sla.step import Step
from sla.watch import SlaWatch
from sla.working_time import ALWAYS
from streams.clock_rows import clock_rows

MINUTE = 60_000
T0 = 1_794_315_600_000
POLICIES = [
    {"name": "answer", "clock": "first_response", "target": "1h", "warn_at": 0.8},
    {"name": "solve", "clock": "resolution", "target": "4h"},
]


def rows(*steps: tuple[int, str], now: int) -> dict[str, SlaClockRow]:
    """The rows after steps at minutes, by clock."""
    watch = SlaWatch(parse_policies(POLICIES, {ALWAYS.name: ALWAYS}, source=""))
    for number, (minute, action) in enumerate(steps):
        fields = {"queue": "refund", "category": "手机", "priority": "high"} if action == "created" else None
        watch.add_step("t1", Step(T0 + minute * MINUTE, action, number, None, False), fields)
    found = clock_rows(watch, "t1", now_ms=T0 + now * MINUTE, partition=3, version=7)
    return {row.clock: row for row in found}


def test_a_running_clock_tells_when_it_will_warn_and_breach() -> None:
    row = rows((0, "created"), now=10)["first_response"]
    assert (row.state, row.paused, row.elapsed_ms) == ("running", False, 10 * MINUTE)
    assert (row.warn_due_at, row.due_at) == (T0 + 48 * MINUTE, T0 + 60 * MINUTE)
    assert (row.queue, row.priority, row.category, row.topic_partition, row.version) == ("refund", "high", "手机", 3, 7)


def test_an_answered_clock_has_nothing_ahead() -> None:
    row = rows((0, "created"), (5, "first_response"), now=5)["first_response"]
    assert (row.state, row.due_at, row.warn_due_at, row.stopped_at) == ("met", None, None, T0 + 5 * MINUTE)


def test_a_clock_that_rests_is_not_due() -> None:
    found = rows((0, "created"), (5, "first_response"), (6, "pending"), now=10)
    assert (found["resolution"].state, found["resolution"].paused, found["resolution"].due_at) == (
        "running",
        True,
        None,
    )


def test_a_clock_that_went_on_is_due_later_by_its_rest() -> None:
    found = rows((0, "created"), (5, "first_response"), (6, "pending"), (36, "resumed"), now=40)
    assert found["resolution"].due_at == T0 + (240 + 30) * MINUTE


def test_a_breached_clock_tells_when_it_was() -> None:
    row = rows((0, "created"), now=90)["first_response"]
    assert (row.state, row.breached_at, row.due_at) == ("breached", T0 + 60 * MINUTE, None)


def test_a_ticket_without_its_created_has_no_clocks() -> None:
    assert rows((5, "first_response"), now=10) == {}
