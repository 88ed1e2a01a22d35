import json
from pathlib import Path

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


def test_texts_of_another_domain_get_a_table_of_their_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    meals = tmp_path / "meals.csv"
    lines = "label,text\n1,送得很快，很好吃\n0,等了两个小时，菜都凉了\n0,太难吃了，再也不点了\n"
    meals.write_text(lines, encoding="utf-8")
    assert main(["--quick", "--unseen", str(meals)]) == 0
    printed = capsys.readouterr().out
    result = json.loads(printed.strip().splitlines()[-1])
    ours = result["unseen"][0]
    assert (ours["judge"], ours["texts"], ours["accuracy"]) == ("PeakWatch", 3, 1.0)
    assert "Another domain (meals.csv)" in printed
