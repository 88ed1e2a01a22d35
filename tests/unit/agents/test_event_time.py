"""How far event time has come: held back by whoever lags, moved on by the clock when all are silent."""

from typing import Final

from agents.window_stage import MOST_AHEAD_MS, EventTime

IDLE_MS: Final = 30_000
A: Final = ("reviews", 0)
B: Final = ("tickets", 0)


def test_event_time_goes_on_with_the_clock_once_all_are_silent() -> None:
    time = EventTime(IDLE_MS)
    time.observe(A, 1_000, now_ms=50_000)
    assert time.reached(50_000 + IDLE_MS - 1) == 1_000
    assert time.reached(50_000 + IDLE_MS) == 1_000 + IDLE_MS


def test_a_source_of_which_only_the_clock_speaks_is_silent() -> None:
    time = EventTime(IDLE_MS)
    time.observe(A, 1_000, now_ms=50_000)
    time.observe(B, 500, now_ms=50_000)
    for now_ms in range(50_000, 200_000, 10_000):
        time.observe(B, 500, now_ms=now_ms, records=False)
    assert time.reached(200_000) == 1_000 + 150_000


def test_a_source_that_lags_by_hours_holds_event_time_back() -> None:
    time = EventTime(IDLE_MS)
    time.observe(A, 10 * MOST_AHEAD_MS, now_ms=0)
    time.observe(B, 0, now_ms=0)
    assert time.reached(1) == MOST_AHEAD_MS
