"""The benchmark of silent feeds runs, small."""

from bench.feeds import run


def test_outages_are_found_and_little_else() -> None:
    found = run(days=2.0, seed=2, outages=(1,))
    assert found["outages"] == 9
    assert found["found"] >= 4
    assert found["false_alarms"] <= 1
