"""The benchmark of the replay runs, small, so that it cannot rot."""

import json

import pytest

from bench import generate, replay


def test_the_replay_is_measured_in_a_process_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert replay.main(["--events", "1500", "--runs", "1", "--outputs"]) == 0
    line = json.loads(capsys.readouterr().out)
    assert line["events"] + line["dead_letters"] == 1500
    assert line["events_per_second"] > 0
    assert line["peak_mib"] > 20


def test_the_events_are_the_same_each_time_and_six_of_ten_are_reviews() -> None:
    lines = list(generate.events(3000, seed=5))
    assert lines == list(generate.events(3000, seed=5))
    topics = [json.loads(line)["topic"] for line in lines if line.endswith(b"}")]
    assert 0.55 < topics.count("reviews") / len(topics) < 0.65
    assert set(topics) == {"reviews", "tickets", "complaints", "orders"}
