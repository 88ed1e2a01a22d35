import json

import pytest

from bench.sentiment import main


def test_the_bench_prints_its_table_and_one_json_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--quick"]) == 0
    *table, line = capsys.readouterr().out.strip().splitlines()
    result = json.loads(line)
    assert len(table) == 2 + len(result["judges"])
    assert {row["judge"] for row in result["judges"]} >= {"PeakWatch", "SnowNLP"}
    assert result["score_texts_per_s"] > 0
    assert set(result["cost_ms_by_length"]) >= {"10", "20000"}
