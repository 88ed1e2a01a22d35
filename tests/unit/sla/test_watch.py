"""The watch: what fires and when (A1, A2), pages, forecast, forgetting, and that order of arrival changes nothing."""

import random
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from sla.clock import Milestones
from sla.policy import Policy, make_policy
from sla.step import Step
from sla.transition import Transition
from sla.watch import NOTHING, SlaWatch

MIN = 60_000
T0 = 1_772_416_800_000
FIRST = make_policy("first", clock="first_response", target_ms=60 * MIN)
SOLVED = make_policy("solved", clock="resolution", target_ms=100 * MIN)
FIELDS = {"queue": "refund", "region": "华东"}


def watch_with(*rows: tuple[float, str], policies: Iterable[Policy] = (FIRST, SOLVED), until: float = -1) -> SlaWatch:
    watch = SlaWatch(policies, buckets=8)
    for arrival, (at, action) in enumerate(rows):
        watch.add_step("t", step(at, action, arrival), FIELDS)
    watch.advance(ms(until))
    return watch


def step(at: float, action: str, arrival: int = 100, **more: Any) -> Step:
    return Step(ms(at), action, arrival, **more)


def ms(minutes: float) -> int:
    return T0 + round(minutes * MIN)


def told(transitions: Iterable[Transition]) -> list[tuple[str, str, float]]:
    return [(one.clock, f"{one.kind} {one.corrects}" if one.corrects else one.kind, (one.at_ms - T0) / MIN)
            for one in transitions]  # fmt: skip


def test_a1_a_moment_is_given_out_when_the_watermark_reaches_it_with_its_own_instant() -> None:
    watch = watch_with((0, "created"))
    assert told(watch.advance(ms(48) - 1)) == []
    assert told(watch.advance(ms(48))) == [("first_response", "warning", 48)]
    assert told(watch.advance(ms(500))) == [
        ("first_response", "breach", 60), ("resolution", "warning", 80), ("resolution", "breach", 100)]  # fmt: skip
    assert watch.advance(ms(9000)) == []


def test_a_watermark_that_stands_or_goes_back_gives_nothing_out() -> None:
    watch = watch_with((0, "created"), until=50)
    assert watch.advance(ms(50)) == watch.advance(ms(10)) == []
    assert watch.watermark_ms == ms(50)


def test_b4_a_warning_precedes_its_breach_also_when_both_are_due_at_once() -> None:
    tight = make_policy("tight", clock="resolution", target_ms=1000, warn_at=Decimal("0.9999"))
    watch = watch_with((0, "created"), policies=[tight])
    fallen = watch.advance(ms(1))
    assert [(one.kind, one.at_ms - T0) for one in fallen] == [("warning", 1000), ("breach", 1000)]


def test_a_stop_in_time_is_met_and_one_after_the_breach_is_stopped() -> None:
    assert told(watch_with((0, "created"), (10, "agent_reply"), (120, "resolved")).advance(ms(200))) == [
        ("first_response", "met", 10), ("resolution", "warning", 80), ("resolution", "breach", 100),
        ("resolution", "stopped", 120)]  # fmt: skip


def test_a_stop_at_the_very_instant_of_the_breach_comes_after_it() -> None:
    watch = watch_with((0, "created"), (60, "agent_reply"), (100, "resolved"), until=59)
    assert told(watch.advance(ms(200))) == [
        ("first_response", "breach", 60), ("first_response", "stopped", 60), ("resolution", "warning", 80),
        ("resolution", "breach", 100), ("resolution", "stopped", 100)]  # fmt: skip


def test_a_step_dated_at_the_watermark_is_told_at_once() -> None:
    watch = watch_with((0, "created"), until=10)
    assert told(watch.add_step("t", step(10, "agent_reply")).transitions) == [("first_response", "met", 10)]


def test_b2_a_met_clock_that_is_reopened_may_be_met_again_or_breach() -> None:
    watch = watch_with((0, "created"), (10, "resolved"), (20, "reopened"), (30, "resolved"), (40, "reopened"))
    resolution = [one for one in watch.advance(ms(200)) if one.clock == "resolution"]
    assert told(resolution) == [("resolution", "met", 10), ("resolution", "met", 30),
                                ("resolution", "warning", 100), ("resolution", "breach", 120)]  # fmt: skip
    assert [one.elapsed_ms // MIN for one in resolution] == [10, 20, 80, 100]


def test_a_transition_tells_policy_calendar_and_dimensions() -> None:
    fallen = watch_with((0, "created")).advance(ms(48))[0]
    assert (fallen.ticket_id, fallen.policy, fallen.policy_version) == ("t", "first", FIRST.version)
    assert (fallen.calendar, fallen.calendar_version) == ("always", "always")
    assert (fallen.target_ms, fallen.elapsed_ms, fallen.queue) == (60 * MIN, 48 * MIN, "refund")
    assert fallen.dims == ("", "", "华东", "", "", "", "normal", "refund")


def test_a2_a_late_step_that_takes_a_breach_back_corrects_it() -> None:
    watch = watch_with((0, "created"), until=70)
    assert told(watch.add_step("t", step(50, "agent_reply")).transitions) == [
        ("first_response", "corrected breach", 60), ("first_response", "met", 50)]  # fmt: skip


def test_a2_a_late_step_that_moves_a_breach_corrects_it_and_tells_the_new_one() -> None:
    watch = watch_with((0, "created"), (40, "resumed"), until=130)
    assert told(watch.add_step("t", step(20, "pending")).transitions) == [
        ("resolution", "corrected warning", 80), ("resolution", "corrected breach", 100),
        ("resolution", "warning", 100), ("resolution", "breach", 120)]  # fmt: skip


def test_a2_a_late_created_that_is_earlier_corrects_all_that_rested_on_the_other() -> None:
    watch = watch_with((30, "created"), (50, "agent_reply"), until=60)
    assert told(watch.add_step("t", step(0, "created"), {"queue": "x"}).transitions) == [
        ("first_response", "corrected met", 50), ("first_response", "warning", 48),
        ("first_response", "met", 50)]  # fmt: skip


def test_a_step_late_enough_tells_at_once_what_has_passed() -> None:
    watch = SlaWatch([FIRST, SOLVED])
    watch.advance(ms(90))
    assert told(watch.add_step("t", step(0, "created"), {}).transitions) == [
        ("first_response", "warning", 48), ("first_response", "breach", 60), ("resolution", "warning", 80)]  # fmt: skip
    assert told(watch.advance(ms(100))) == [("resolution", "breach", 100)]


def test_steps_that_can_do_nothing_leave_no_trace() -> None:
    watch = SlaWatch([FIRST, SOLVED])
    for quiet in (step(0, "assigned"), step(0, "escalated"), step(0, "agent_reply", bot=True)):
        assert watch.add_step("t", quiet, {}) is NOTHING
    assert (len(watch), watch.dirty) == (0, set())


def test_milestones_tell_what_changed_whatever_the_policies() -> None:
    watch = SlaWatch([])
    assert watch.add_step("t", step(10, "resolved", 1), {}) is NOTHING
    created = watch.add_step("t", step(0, "created", 2), {})
    assert (created.before, created.after) == (None, Milestones(ms(0), None, (ms(10),)))
    late = watch.add_step("t", step(5, "agent_reply", 3), {})
    assert (late.before, late.after) == (created.after, Milestones(ms(0), ms(5), (ms(10),)))
    reopened = watch.add_step("t", step(20, "reopened", 4), {}).after
    assert reopened is not None
    assert (reopened.resolved_at, reopened.reopened_at, reopened.is_open) == ((ms(10),), (ms(20),), True)
    assert watch.add_step("t", step(30, "reopened", 5), {}) is NOTHING
    assert watch.milestones("t") == reopened
    assert watch.milestones("unknown") is None


def test_an_earlier_created_of_the_same_time_changes_the_dimensions_alone() -> None:
    watch = SlaWatch([])
    watch.add_step("t", step(0, "created", 1, seq=2), {"region": "华东"})
    moved = watch.add_step("t", step(0, "created", 2, seq=1), {"region": "华南"})
    assert moved.before == moved.after is not None
    assert watch.dims_of("t") == ("", "", "华南", "", "", "", "normal", "")
    assert watch.dims_of("unknown") is None


def test_what_stands_does_not_depend_on_the_order_of_arrival_or_the_ticks() -> None:
    rng = random.Random(7)
    actions = ["agent_reply", "customer_reply", "pending", "resumed", "resolved", "reopened", "created"]
    for _ in range(300):
        steps = [step(0, "created", 0)]
        steps += [step(rng.randrange(200), rng.choice(actions), i, seq=i) for i in range(1, rng.randrange(2, 9))]
        results = []
        for _ in range(3):
            rng.shuffle(steps)
            watch = SlaWatch([FIRST, SOLVED, make_policy("n", clock="next_response", target_ms=20 * MIN)])
            stands: set[tuple[Any, ...]] = set()
            for one in steps:
                _take(stands, watch.add_step("t", one, {}).transitions)
                _take(stands, watch.advance(ms(rng.randrange(250))))
            _take(stands, watch.advance(ms(250)))
            results.append((stands, list(watch.final_lines(ms(250)))))
        assert results[0] == results[1] == results[2]


def _take(stands: set[tuple[Any, ...]], transitions: Iterable[Transition]) -> None:
    for one in transitions:
        key = (one.clock, one.cycle, one.corrects or one.kind, one.at_ms, one.elapsed_ms)
        if one.kind == "corrected":
            stands.remove(key)
        else:
            assert key not in stands
            stands.add(key)


def test_final_lines_are_sorted_by_ticket_clock_and_cycle() -> None:
    watch = SlaWatch([FIRST, SOLVED, make_policy("n", clock="next_response", target_ms=MIN)], buckets=4)
    for ticket_id in ("b", "a", "ä", "a10", "a2"):
        for arrival, action in enumerate(["created", "customer_reply", "agent_reply", "customer_reply"]):
            watch.add_step(ticket_id, step(arrival, action, arrival), {})
    keys = [(line.ticket_id, line.clock, line.cycle) for line in watch.final_lines(ms(50))]
    assert keys == sorted(keys)
    assert len(keys) == 20


def test_final_lines_leave_out_what_is_dated_after_the_end() -> None:
    watch = watch_with((0, "created"), (10, "agent_reply"), (20, "resolved"))
    assert [(line.state, line.elapsed_ms // MIN) for line in watch.final_lines(ms(15))] == [
        ("met", 10),
        ("running", 15),
    ]
    assert list(watch.final_lines(ms(-1))) == []


def test_pages_carry_a_bucket_over_a_restart_through_bytes() -> None:
    watch = watch_with((0, "created"), (10, "pending"), until=50)
    bucket = watch.bucket_of("t")
    assert watch.dirty == {bucket}
    page = msgspec.msgpack.decode(msgspec.msgpack.encode(watch.dump_page(bucket)))
    again = SlaWatch([FIRST, SOLVED], buckets=8)
    assert again.load_page(page) == []
    assert again.watermark_ms == ms(50)
    assert again.dump_page(bucket) == watch.dump_page(bucket)
    assert told(again.advance(ms(60))) == [("first_response", "breach", 60)]
    corrections = again.add_step("t", step(20, "agent_reply")).transitions
    assert told(corrections)[:2] == [("first_response", "corrected warning", 48),
                                     ("first_response", "corrected breach", 60)]  # fmt: skip


def test_a_page_of_an_earlier_watermark_gives_out_what_has_fallen_due_since() -> None:
    page = watch_with((0, "created"), until=10).dump_page(SlaWatch([], buckets=8).bucket_of("t"))
    ahead = SlaWatch([FIRST, SOLVED], buckets=8)
    ahead.advance(ms(70))
    assert told(ahead.load_page(page)) == [("first_response", "warning", 48), ("first_response", "breach", 60)]


def test_a_page_that_is_ahead_brings_the_watch_forward() -> None:
    behind = watch_with((0, "created"), until=10)
    other = SlaWatch([FIRST], buckets=8)
    other.advance(ms(55))
    assert told(behind.load_page(other.dump_page(0))) == [("first_response", "warning", 48)]


def test_p1_policies_stay_with_a_ticket_over_a_reload_and_a_restart() -> None:
    strict = make_policy("first", clock="first_response", target_ms=5 * MIN)
    watch = watch_with((0, "created"))
    watch.reload([strict])
    assert [state.policy for state in watch.clocks("t", ms(1))] == [FIRST, SOLVED]
    watch.add_step("u", step(0, "created"), {})
    assert [state.policy for state in watch.clocks("u", ms(1))] == [strict]
    page = watch.dump_page(watch.bucket_of("t"))
    restarted = SlaWatch([strict], buckets=8)
    restarted.load_page(page)
    assert [state.policy for state in restarted.clocks("t", ms(1))] == [FIRST, SOLVED]


def test_a_page_of_another_format_is_refused() -> None:
    with pytest.raises(ValueError, match="not format 1"):
        SlaWatch([]).load_page((2, 0, (), (), ()))


def test_forecast_counts_the_clocks_that_breach_within_each_horizon() -> None:
    watch = SlaWatch([FIRST, SOLVED])
    for number in range(6):
        watch.add_step(f"t{number}", step(number, "created"), {"queue": "a" if number % 2 else "b"})
    watch.add_step("t0", step(5, "agent_reply"))
    watch.add_step("t1", step(5, "pending"))
    watch.advance(ms(20))
    wanted = {("a", "first_response", 45 * MIN): 3, ("b", "first_response", 45 * MIN): 2,
              ("a", "first_response", 42 * MIN): 1, ("b", "first_response", 42 * MIN): 1}  # fmt: skip
    assert watch.forecast(ms(20), (42 * MIN, 45 * MIN)) == wanted
    hour_and_half = watch.forecast(ms(20), (85 * MIN,))
    assert hour_and_half["a", "resolution", 85 * MIN] == 2
    assert hour_and_half["b", "resolution", 85 * MIN] == 3


def test_forecast_counts_a_clock_once_though_its_timer_came_back_to_an_old_instant() -> None:
    silent = make_policy("silent", clock="resolution", target_ms=60 * MIN, warn_at=None)
    watch = SlaWatch([silent], buckets=1)
    watch.add_step("t", step(10, "created", 1), {})  # due at 70
    watch.add_step("t", step(0, "created", 2), {})  # due at 60, the entry at 70 is dead
    watch.add_step("t", step(20, "pending", 3))
    watch.add_step("t", step(30, "resumed", 4))  # due at 70 again
    watch.advance(ms(65))
    assert len(watch._timers._heap) == 2
    assert watch.forecast(ms(65), (30 * MIN,)) == {("", "resolution", 30 * MIN): 1}
    assert [one.kind for one in watch.advance(ms(80))] == ["breach"]


def test_forecast_equals_a_recount_after_any_history() -> None:
    rng = random.Random(3)
    actions = ["agent_reply", "pending", "resumed", "resolved", "reopened", "created"]
    watch = SlaWatch([FIRST, SOLVED], buckets=2)
    arrivals = [(f"t{rng.randrange(200)}", rng.randrange(300), rng.choice(actions)) for _ in range(2000)]
    newest = 0
    for arrival, (ticket_id, at, action) in enumerate(sorted(arrivals, key=lambda one: one[1] + rng.randrange(30))):
        watch.add_step(ticket_id, step(at, action, arrival), {"queue": ticket_id[-1]})
        newest = max(newest, at)
        watch.advance(ms(newest - 1))
    page = watch.dump_page(0)
    watch.drop_bucket(0)
    watch.load_page(page)
    now, horizons = ms(newest), (15 * MIN, 60 * MIN)
    wanted: dict[tuple[str, str, int], int] = {}
    final = {line[:2]: line for line in watch.final_lines(now)}
    for later in horizons:
        for line in watch.final_lines(now + later):
            if line.breached_at is not None and final[line[:2]].breached_at is None:
                key = (line.ticket_id[-1], line.clock, later)
                wanted[key] = wanted.get(key, 0) + 1
    assert watch.forecast(now, horizons) == wanted
    assert sum(wanted.values()) > 10


def test_o7_what_is_over_may_be_forgotten_after_its_time() -> None:
    watch = SlaWatch([FIRST, SOLVED], buckets=1)
    for ticket_id, last in (("solved", "resolved"), ("open", "agent_reply")):
        watch.add_step(ticket_id, step(0, "created"), {})
        watch.add_step(ticket_id, step(10, last))
    watch.add_step("never-created", step(10, "resolved"))
    watch.dirty.clear()
    assert watch.forget(0, ms(10)) == 0
    assert watch.dirty == set()
    assert watch.forget(0, ms(10) + 1) == 2
    assert (len(watch), watch.dirty) == (1, {0})
    assert [one.ticket_id for one in watch.advance(ms(500))] == ["open"] * 3


def test_a_bucket_given_away_fires_no_more() -> None:
    watch = watch_with((0, "created"))
    watch.drop_bucket(watch.bucket_of("t"))
    assert watch.advance(ms(500)) == []
    assert len(watch) == 0


def test_timers_stay_few_however_often_clocks_move() -> None:
    watch = SlaWatch([SOLVED], buckets=4)
    for number in range(2000):
        watch.add_step(f"t{number}", step(1000 - number / 4, "created", 10_000 - number), {})
        for later in range(3):  # each `created` is earlier than the one before: the due instants move forward
            watch.add_step(f"t{number}", step(10 - later, "created", later), {})
    assert len(watch._timers._heap) == 8000
    watch.advance(ms(0))
    assert len(watch._timers._heap) == len(watch._timers) == 2000
    assert sum(one.kind == "breach" for one in watch.advance(ms(2000))) == 2000


def test_a_ticket_with_very_many_steps_stays_quick_and_right() -> None:
    watch = SlaWatch([FIRST, SOLVED, make_policy("n", clock="next_response", target_ms=MIN)])
    watch.add_step("t", step(0, "created", 0), {})
    actions = ["resolved", "reopened", "customer_reply", "agent_reply", "pending", "resumed"]
    for number in range(1, 12_001):
        watch.add_step("t", step(number, actions[number % 6], number), {})
        watch.advance(ms(number - 1))
    lines = list(watch.final_lines(ms(12_001)))
    assert [line.clock for line in lines].count("next_response") == 2000
    # Four of every six minutes run, and one more: there is no stop before the first `reopened`.
    assert (lines[-1].clock, lines[-1].elapsed_ms) == ("resolution", 8001 * MIN)


def test_buckets_are_the_same_everywhere() -> None:
    watch = SlaWatch([], buckets=1024)
    buckets = [watch.bucket_of(ticket_id) for ticket_id in ("t", "工单-1", "\ud800")]
    assert buckets == [680, 920, 296]  # stored pages rest on it
