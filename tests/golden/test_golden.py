"""A replay gives what it gave, to the byte. `python -m tests.golden.make` writes anew what should change."""

import json

import pytest

from tests.golden.make import CASES, HERE, outcome


@pytest.mark.parametrize("case", CASES)
def test_a_replay_gives_what_it_gave(case: str) -> None:
    found = outcome(case)
    kept = {name: (HERE / case / name).read_bytes() for name in found}
    different = [name for name in found if found[name] != kept[name]]
    assert different == [], "if that is meant: python -m tests.golden.make, and look at the difference"


def test_the_evening_has_a_spike_that_ends_and_breaches() -> None:
    alerts = [json.loads(line) for line in (HERE / "evening" / "alerts.jsonl").read_bytes().splitlines()]
    spikes = [one for one in alerts if one["kind"] == "negative_spike"]
    assert spikes[0]["status"] == "firing"
    assert spikes[-1]["status"] == "resolved"
    assert "手机" in {one["labels"]["value"] for one in spikes}
    assert any(one["kind"] == "sla_breach" and one["status"] == "firing" for one in alerts)
