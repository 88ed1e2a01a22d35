"""The benchmark of what it costs to keep more runs, small, so that it cannot rot. A worker would take too long."""

from bench import scaling


def test_memory_is_measured_by_parts() -> None:
    found = scaling.memory(ids=2_000, keys=100, panes=5)
    assert 20 < found["id_bytes"] < 500
    assert found["key_bytes"] > found["key_and_pane_bytes"] > 8
