"""The demo's screen: red only where an alert names a slice, customers' own words, calm again after."""

import datetime as dt
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from peakwatch.commands.demo import Screen
from peakwatch.demo import screen
from peakwatch.demo.wall import Alert, Slice, Wall

NOW = 1_762_790_400_000  # 2025-11-11 00:00 in Shanghai
END = dt.datetime(2025, 11, 10, 15, 58, tzinfo=dt.UTC)
SPIKE = Alert(
    alert_id="a1", status="firing", severity="warning", kind="negative_spike",
    summary="差评突增：类目「手机」负面率 41%",
    evidence={
        "aspects": [{"name": "logistics", "share": 0.62}, {"name": "service", "share": 0.2}],
        "keywords": ["物流", "客服"], "texts": ["太慢了，\n再也不买", "等了三个星期", "第三条"],
    },
    labels={"dimension": "category", "value": "手机"}, fired_at=NOW - 600_000, changed_at=NOW - 60_000,
)  # fmt: skip


def _wall(*alerts: Alert) -> Wall:
    return Wall(
        NOW, 12_094, reviews=8_748, windows=490, alerts=list(alerts), tally={"sla_breach firing": 3},
        categories=[Slice("图书", 64, 0.16), Slice("手机", 154, 0.41)], trends={"手机": [0.1, 0.1, 0.6, 2.0]},
        worst=[Slice("手机|华东", 33, 0.88), Slice("酒店|华北", 20, 0.25)],
        figures={
            "window_end": END, "first_response_p50_ms": 45_000, "first_response_p90_ms": 36 * 60_000,
            "tickets_open": 1234,
        },
    )  # fmt: skip


def _drawn(wall: Wall, *, width: int = 118) -> Console:
    console = Console(record=True, width=width, file=StringIO(), force_terminal=True)
    console.print(screen.draw(wall, speed=60, rate=267.4, phase="双11 · 高潮", hints=["look inside"], width=width))
    return console


def _red(console: Console) -> str:
    """All that is shown in red."""
    segments = console._record_buffer
    return "".join(part.text for part in segments if part.style and part.style.color and part.style.color.name == "red")


def test_an_open_spike_is_shown_with_what_is_blamed_its_keywords_and_two_quotes() -> None:
    text = _drawn(_wall(SPIKE)).export_text()
    for wanted in (
        "▲ 1 firing",
        SPIKE.summary,
        "不满在  物流 62%、服务 20%",
        "物流、客服",
        "“太慢了， 再也不买”",
        "“等了三个星期”",
        "双11 · 高潮",
        "267 events/s",
        "up to 23:58",
    ):
        assert wanted in text
    assert "第三条" not in text


def test_red_is_what_an_open_alert_names_and_nothing_else() -> None:
    red = _red(_drawn(_wall(SPIKE)))
    assert "手机|华东" in red
    assert "41%" in red
    assert "图书" not in red
    assert "酒店" not in red


def test_it_is_calm_again_when_all_alerts_are_resolved() -> None:
    console = _drawn(_wall(replace(SPIKE, status="resolved")))
    text = console.export_text(clear=False)
    assert "● calm again" in text
    assert "✓ 23:59 差评突增" in text
    assert "等了三个星期" not in text
    assert "手机" not in _red(console)


@pytest.mark.parametrize("width", [60, 80, 103, 104, 118, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    console = _drawn(_wall(SPIKE), width=width)
    assert "手机" in console.export_text(clear=False)
    assert max(len(line) for line in console.export_text().splitlines()) <= width


def test_a_store_that_is_still_empty_is_drawn() -> None:
    assert "none yet" in _drawn(Wall(NOW, 0)).export_text()
    assert screen.line(Wall(NOW, 0)).startswith("00:00:00 sent=0 reviews=0")


def test_a_plain_line_has_no_space_within_a_figure() -> None:
    figures = dict(part.split("=") for part in screen.line(_wall(SPIKE)).split()[1:])
    assert figures["first_response_p90"] == "36min"
    assert figures["alerts_open"] == "1"


@pytest.mark.parametrize(
    ("ms", "shown"), [(None, "-"), (0, "0 s"), (59_499, "59 s"), (60_000, "1 min"), (2_160_000, "36 min")]
)
def test_durations_are_for_people(ms: int | None, shown: str) -> None:
    assert screen.duration(ms) == shown


def test_a_trend_is_a_block_a_share_and_never_higher_than_the_highest() -> None:
    assert screen.spark([0.0, 0.3, 0.6, 2.0]) == "▁▅██"


def test_off_a_terminal_each_transition_is_told_once_also_those_of_one_look(
    capsys: pytest.CaptureFixture[str],
) -> None:
    fired, escalated = SPIKE, replace(SPIKE, status="updated", changed_at=NOW)
    other = replace(SPIKE, alert_id="a2", changed_at=NOW)  # of the same rule and instant, of another slice
    with Screen(60, []) as shown:
        for transitions in ([], [fired, escalated, other], [escalated, other], [replace(other, status="resolved")]):
            shown(replace(_wall(), transitions=transitions), "")
    told = [line.split("ALERT ")[1] for line in capsys.readouterr().out.splitlines() if "ALERT" in line]
    assert [line.split("]")[0] for line in told] == ["[firing", "[updated", "[firing", "[resolved"]
