"""The benchmark of the clocks runs, small, so that it cannot rot."""

from bench import sla


def test_the_benchmark_measures_whole_lives_and_open_tickets() -> None:
    assert sla.steps_per_second(50, "cn-office") > 0
    weight = sla.open_tickets(200, "always")
    assert weight["open_tickets"] == 200
    assert set(weight) >= {"bytes_per_open_ticket", "us_per_opening", "us_per_idle_tick", "forecast_ms"}
