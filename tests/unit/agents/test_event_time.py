"""How far event time has come: held back by whoever lags, moved on by the clock when all are silent."""

from typing import Final

from agents.batches import Told
from agents.window_stage import MOST_AHEAD_MS, EventTime, event_time_of

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


def test_a_worker_with_more_lying_ready_holds_event_time_back_to_what_it_has_told() -> None:
    time = EventTime(IDLE_MS)
    time.observe(A, 90_000, now_ms=0, told=Told("w", 20_000))
    assert time.lags(1)
    assert time.reached(1) == 20_000
    time.observe(B, 80_000, now_ms=2, told=Told("w", None))
    assert not time.lags(3)
    assert time.reached(3) == 90_000


def test_one_worker_that_has_caught_up_does_not_speak_for_another() -> None:
    time = EventTime(IDLE_MS)
    time.observe(A, 90_000, now_ms=0, told=Told("one", 20_000))
    time.observe(B, 80_000, now_ms=0, told=Told("two", None))
    assert time.reached(1) == 20_000


def test_a_worker_that_lagged_and_fell_silent_holds_nothing_back() -> None:
    time = EventTime(IDLE_MS)
    time.observe(A, 90_000, now_ms=0, told=Told("one", 20_000))
    time.observe(B, 80_000, now_ms=IDLE_MS, told=Told("two", None))
    assert not time.lags(IDLE_MS)
    assert time.reached(IDLE_MS) == 90_000


def test_silence_is_none_while_events_are_known_to_lie_ready() -> None:
    time = EventTime(IDLE_MS)
    time.observe(A, 1_000, now_ms=0)
    assert time.reached(10 * IDLE_MS, more=True) == 1_000
    assert time.reached(10 * IDLE_MS) == 1_000 + 10 * IDLE_MS


def test_who_lags_is_known_after_a_restart() -> None:
    time = EventTime(IDLE_MS)
    time.observe(A, 90_000, now_ms=0, told=Told("one", 20_000))
    assert event_time_of(time.dump(), IDLE_MS).reached(1) == 20_000


def test_a_state_saved_by_an_older_release_is_taken_over() -> None:
    root = {"newest": [["reviews", 0, 1_000]], "heard": [["reviews", 0, 5]], "silent_since": 5}
    assert event_time_of(root, IDLE_MS).reached(6) == 1_000
