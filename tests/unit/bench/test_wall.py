"""The benchmark of the wall runs, small, so that it cannot rot."""

import json

import pytest

from bench.wall.__main__ import asked, main

pytestmark = pytest.mark.embedded


def test_every_query_is_timed_at_each_size(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--windows", "0.02", "--repeat", "2"])
    (line,) = (json.loads(one) for one in capsys.readouterr().out.splitlines())
    assert set(line["queries"]) == {place for place, _, _ in asked()}
    assert line["window_rows"] > 20_000
    assert all(one["mb_read"] >= 0 and one["best_ms"] <= one["worst_ms"] for one in line["queries"].values())
    assert line["wall_p95_ms"] > 0
