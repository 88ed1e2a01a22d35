"""What is late in one partition."""

from streams.watermark import Watermark


def test_an_event_is_late_only_beyond_the_allowed_lateness() -> None:
    mark = Watermark(1000)
    arrivals = [5000, 4000, 3999, 7000, 5999, 6000]
    assert [mark.observe(at) for at in arrivals] == [False, False, True, False, True, False]
    assert (mark.newest_ms, mark.closed_ms()) == (7000, 6000)


def test_the_first_event_is_never_late() -> None:
    assert not Watermark(0).observe(0)


def test_without_lateness_any_step_back_is_late() -> None:
    mark = Watermark(0)
    assert [mark.observe(at) for at in (10, 10, 9)] == [False, False, True]
