"""Unplanned peaks are recognised from volume and named so."""

import math

import msgspec

from alerts.peaks import Peak, PeakWatch
from schemas.peaks import Peaks, parse_peaks
from schemas.results import PANE_MS
from schemas.yaml import load_yaml

T0 = 1_793_980_800_000  # 2026-11-07T00:00:00+08:00
M = 60_000
DAY = 86_400_000
ZONE = "Asia/Shanghai"


def volume(at: int, *, rise_from: int = 0, rise_to: int = 0, times: float = 1.0) -> int:
    """Events in a pane: a daily curve between 10 and 90, times more while it rises."""
    level = 50.0 - 40.0 * math.cos(2 * math.pi * ((at - T0) % DAY) / DAY)
    return int(level * (times if rise_from <= at < rise_to else 1.0))


def run(watch: PeakWatch, begin: int, end: int, **rise: float) -> list[tuple[int, str]]:
    """Minutes since T0 at which the name of the peak changes, and to what."""
    changes: list[tuple[int, str]] = []
    name = ""
    for at in range(begin, end, PANE_MS):
        watch.feed(at // PANE_MS, volume(at, **rise))  # type: ignore[arg-type]
        phase = watch.phase_at(at)
        if (phase.peak if phase else "") != name:
            name = phase.peak if phase else ""
            changes.append(((at - T0) // M, name))
    return changes


def test_the_daily_curve_is_no_peak() -> None:
    assert run(PeakWatch(ZONE), T0, T0 + 3 * DAY) == []


def test_a_sale_that_nobody_planned_is_named_after_its_day_and_ends() -> None:
    watch = PeakWatch(ZONE)
    run(watch, T0, T0 + 2 * DAY)
    start = T0 + 2 * DAY + 600 * M
    changes = run(watch, T0 + 2 * DAY, T0 + 3 * DAY, rise_from=start, rise_to=start + 120 * M, times=6.0)
    minutes = [minute - 2880 for minute, _ in changes]
    assert [name for _, name in changes] == ["unplanned-2026-11-09", ""]
    assert 600 < minutes[0] <= 620
    assert 720 < minutes[1] <= 750


def test_three_times_nothing_is_nothing() -> None:
    watch = PeakWatch(ZONE)
    for pane in range(T0 // PANE_MS, (T0 + DAY) // PANE_MS):
        watch.feed(pane, 1 if pane % 6 == 0 else 0)
    for pane in range((T0 + DAY) // PANE_MS, (T0 + DAY + 60 * M) // PANE_MS):
        watch.feed(pane, 1)
    assert watch.phase_at(T0 + DAY + 60 * M) is None


def test_late_events_of_a_past_slot_are_left_out() -> None:
    watch = PeakWatch(ZONE)
    run(watch, T0, T0 + DAY)
    before = watch.dump()
    watch.feed(T0 // PANE_MS, 10_000_000)
    assert watch.dump() == before


def test_state_survives_a_restart() -> None:
    first = PeakWatch(ZONE)
    start = T0 + DAY + 600 * M
    rise = {"rise_from": start, "rise_to": start + 120 * M, "times": 6.0}
    run(first, T0, start + 40 * M, **rise)
    second = PeakWatch(ZONE)
    second.load(msgspec.msgpack.decode(msgspec.msgpack.encode(first.dump())))
    assert second.dump() == first.dump()
    assert run(second, start + 40 * M, start + 200 * M, **rise) == run(first, start + 40 * M, start + 200 * M, **rise)


PLAN = "peaks: [{name: sale, phases: [{from: 2026-11-09T10:00, to: 2026-11-09T12:00}]}]"


def test_the_plan_comes_first_and_its_peaks_teach_nothing() -> None:
    plan: Peaks = parse_peaks(load_yaml(PLAN, "p"), source="p")
    peak = Peak(plan)
    start = T0 + 2 * DAY + 600 * M
    for at in range(T0, T0 + 3 * DAY, PANE_MS):
        peak.feed({("orders", "app", at // PANE_MS): volume(at, rise_from=start, rise_to=start + 120 * M, times=6.0)})
    during = peak.phase_at(start + 60 * M)
    assert during is not None
    assert (during.peak, during.planned) == ("sale", True)
    restarted = Peak(plan)
    restarted.load(peak.dump())
    assert restarted.dump() == peak.dump()
    assert peak.watch.phase_at(start + 60 * M) is None
    # The next day at the same hour six times as much is a peak again: the sale has not become usual.
    start += DAY
    for at in range(T0 + 3 * DAY, start + 60 * M, PANE_MS):
        peak.feed({("orders", "app", at // PANE_MS): volume(at, rise_from=start, rise_to=start + 120 * M, times=6.0)})
    found = peak.phase_at(start + 40 * M)
    assert found is not None
    assert (found.peak, found.planned, found.label) == ("unplanned-2026-11-10", False, "计划外高峰")
