"""What people type at `peakwatch alerts`, and the actions that it stands for."""

import argparse
from typing import Any

import pytest

from alerts import actions as kinds
from peakwatch.cli import build_parser
from peakwatch.commands.alert_acts import actions_of
from schemas.errors import PermanentError
from schemas.instants import parse_instant

NOW = parse_instant("2026-11-11T00:30:00+08:00")
ID = "0123456789abcdef0123"


def parsed(*words: str) -> argparse.Namespace:
    return build_parser("alerts").parse_args(["alerts", *words])


def action(*words: str) -> Any:
    (found,) = actions_of(parsed(*words, "--by", "li"), now_ms=NOW)
    assert (found.who, found.at) == ("li", NOW)
    return found


@pytest.mark.parametrize(
    ("words", "kind", "text"),
    [
        (["ack", ID, "--note", "已联系"], kinds.Acknowledge, "已联系"),
        (["ack", ID], kinds.Acknowledge, ""),
        (["resolve", ID], kinds.Resolve, ""),
        (["false-alarm", ID, "--reason", "测试订单"], kinds.FalseAlarm, "测试订单"),
        (["note", ID, "仓库已恢复"], kinds.AddNote, "仓库已恢复"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_word_is_an_action_on_the_alert(words: list[str], kind: type, text: str) -> None:
    found = action(*words)
    assert (type(found), found.alert_id, found.text) == (kind, ID, text)


@pytest.mark.parametrize(
    ("end", "until"),
    [
        (["--for", "1h30m"], "2026-11-11T02:00:00+08:00"),
        (["--until", "08:00"], "2026-11-11T08:00:00+08:00"),
        (["--until", "00:30"], "2026-11-12T00:30:00+08:00"),
        (["--until", "2026-11-12"], "2026-11-12T00:00:00+08:00"),
        (["--until", "2026-11-11T01:00"], "2026-11-11T01:00:00+08:00"),
        (["--until", "2026-11-10T20:00:00Z"], "2026-11-11T04:00:00+08:00"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_time_s_end_is_typed_in_many_ways(end: list[str], until: str) -> None:
    assert action("snooze", ID, *end).until == parse_instant(until)


def test_a_silence_matches_any_of_the_values_of_each_label() -> None:
    found = action("silence", "kind=negative_spike", "value=手机,家电", "--for", "1h")
    assert found.matchers == {"kind": ("negative_spike",), "value": ("手机", "家电")}


def test_every_alert_named_gets_an_action_with_an_id_of_its_own() -> None:
    found = actions_of(parsed("ack", ID, "f" * 20, "--by", "li"), now_ms=NOW)
    assert [one.alert_id for one in found if isinstance(one, kinds.Acknowledge)] == [ID, "f" * 20]
    assert len({one.action_id for one in found}) == 2


@pytest.mark.parametrize(
    "words",
    [["silence", "value", "--for", "1h"], ["silence", "a=1", "a=2", "--for", "1h"], ["note", ID, "长" * 2001],
     ["silence", "kind=threshold,negativ_spike", "--for", "1h"], ["silence", "severity=high", "--for", "1h"]],
    ids=["no-value", "twice", "too-long", "no-kind", "no-severity"],
)  # fmt: skip
def test_what_no_worker_would_take_is_refused_at_once(words: list[str]) -> None:
    with pytest.raises(PermanentError):
        action(*words)


@pytest.mark.parametrize(
    "words",
    [["snooze", ID], ["snooze", ID, "--for", "soon"], ["snooze", ID, "--until", "25:00"], ["false-alarm", ID],
     ["ack"], ["silence", "--for", "1h"], ["dance"], ["list", "--kind", "spike"], ["list", "--severity", "high"], []],
    ids=lambda words: " ".join(words),
)  # fmt: skip
def test_wrong_usage_is_told_before_anything_is_sent(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parsed(*words)
    assert ended.value.code == 2
