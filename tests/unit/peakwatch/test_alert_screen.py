"""What a terminal is shown of alerts."""

import pytest

from peakwatch.alert_screen import show_alerts, show_story
from peakwatch.terminal import readable
from schemas.results import Alert, AlertAction
from storage.history import AlertState

NASTY = "好\x1b[31m\x1b]0;x\x07\n第二行\u202e\u2028"
STATE = AlertState(
    "a" * 20, "r", "threshold", "firing", "warning", 1, 1, 1, None, None,
    {"dimension": "category", "value": NASTY}, 1.0, 1.0, 1.0, None, NASTY,
)  # fmt: skip
ALERT = Alert(
    "a" * 20, "r", "threshold", "firing", "warning", 1, 1, None, {}, 1.0, 1.0, None, NASTY, {"texts": [NASTY]}, ""
)
ACTION = AlertAction("a" * 20, 2, "note", "li", None, NASTY, "x", {}, "")


def test_no_text_of_others_moves_the_terminal_or_breaks_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    show_alerts([STATE], now_ms=2)
    show_story(STATE, [ALERT], [ACTION], [])
    told = capsys.readouterr().out
    lines = told.splitlines()
    assert len(lines) == 9  # the list's; head, summary, a gap, what was said and done; a gap, a heading and the quote
    assert all(line.replace("\t", "").isprintable() for line in lines)


def test_a_spikes_story_tells_what_its_texts_blame_at_last(capsys: pytest.CaptureFixture[str]) -> None:
    first, last = ({"aspects": [{"name": name, "share": 0.5}]} for name in ("price", "logistics"))
    told = [ALERT._replace(evidence=evidence) for evidence in (first, last, {})]
    show_story(STATE, told, [], [])
    assert "blamed in its texts: logistics 50%\n" in capsys.readouterr().out


def test_what_is_for_people_stays_as_it_is() -> None:
    family = "👨\u200d👩\u200d👧 退款，ok?"
    assert readable(family) == family
