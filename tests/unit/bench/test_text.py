import json

import pytest

from bench import text


def test_every_step_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert text.main(["--texts", "60", "--runs", "1"]) == 0
    line = json.loads(capsys.readouterr().out)
    assert line["texts"] == 60
    assert all(us > 0 for us in line["us_per_text"].values())
