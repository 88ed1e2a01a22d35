"""The ops wall: what the people on call look at from five metres. No heads, no menus, no scrolling.

28 units of height fill 1920 × 1080 in kiosk mode; the 4K build has twice the height and letters twice as large.
"""

from typing import Final, TypedDict

from grafana import colours as c
from grafana import variables as v
from grafana.board import ALL_CHOSEN, Board, Section, go, title_of
from grafana.panels import COUNT, COUNTDOWN, MS, SHARE, Column, Panel, lines, named, rows, tile
from grafana.queries import Query, numbers, series
from grafana.sql import DUE_SOON, LAST_OF_ALERT, OPEN_ALERTS, filters, latest, lines_of, newest, of_alert
from grafana.text import Language, Say, speaker

FONT: Final = 80  # px of a tile's figure at 1080 lines; its name has nine twentieths of it
LAMP: Final = 54
SMALL: Final = 44  # of texts that are long
OF_TICKETS: Final = ("queue", "priority")  # no window knows them
NAMES: Final = (*(one.name for one in v.DIMENSIONS), *OF_TICKETS)

AT_RISK: Final = f"""SELECT countIf(due_at <= $__toTime_ms + INTERVAL 15 MINUTE) AS in_15,
  countIf(due_at <= $__toTime_ms + INTERVAL 30 MINUTE) AS in_30, count() AS in_60
FROM
(
  {DUE_SOON}
)
WHERE {filters(NAMES)}"""
_OPEN: Final = f"""FROM
(
  SELECT {LAST_OF_ALERT.format("severity")} AS severity, any(kind) AS kind
  FROM alerts
  WHERE {of_alert(NAMES)}
  GROUP BY alert_id
  HAVING {LAST_OF_ALERT.format("status")} != 'resolved'
)"""
OPEN: Final = f"""SELECT countIf(severity = 'critical') AS critical, countIf(severity = 'warning') AS warning
{_OPEN}
WHERE kind != 'feed_silent'"""
PHASE: Final = """SELECT if(starts_at <= $__toTime_ms, '', '{next}') || title
  || if(phase = '', '', ' · ' || phase) AS phase
FROM peaks_v
WHERE ends_at > $__toTime_ms
ORDER BY starts_at
LIMIT 1"""
COUNTDOWN_SQL: Final = """SELECT dateDiff('second', $__toTime_ms,
  if(starts_at <= $__toTime_ms, ends_at, starts_at)) AS seconds
FROM peaks_v
WHERE ends_at > $__toTime_ms
ORDER BY starts_at
LIMIT 1"""
EVENT_AGE: Final = """SELECT greatest(0, dateDiff('second', max(window_end), $__toTime_ms)) AS age
FROM windows_latest
WHERE window_seconds = 60 AND dimension = 'all'"""
STORE_AGE: Final = """SELECT greatest(0, dateDiff('second', max(written_at), now())) AS age
FROM windows_latest
WHERE window_seconds = 60 AND dimension = 'all'"""
# Channels that told something within the last hour, of those that did within the last day.
COVERAGE: Final = """SELECT if(count() = 0, NULL, countIf(lately > 0) / count()) AS coverage
FROM
(
  SELECT value, sumIf(reviews + complaints + tickets_created + orders, window_seconds = 3600) AS lately
  FROM windows_latest
  WHERE dimension = 'channel' AND window_seconds IN (3600, 86400)
  GROUP BY value
  HAVING sumIf(reviews + complaints + tickets_created + orders, window_seconds = 86400) > 0
)"""
SILENT: Final = f"""SELECT count() AS silent
{_OPEN}
WHERE kind = 'feed_silent'"""
OPEN_ROWS: Final = Query(
    f"""SELECT severity, summary, fired_at, state, rule, alert_id
FROM alerts_v
WHERE {OPEN_ALERTS}
  AND {of_alert(NAMES)}
ORDER BY severity = 'critical' DESC, severity = 'warning' DESC, fired_at DESC
LIMIT 5""",
    {"severity": "text", "summary": "text", "fired_at": "time", "state": "text", "rule": "text", "alert_id": "text"},
    at_least=0,
)


DEAD_LETTERS: Final = """SELECT count() AS letters
FROM dead_letters_v
WHERE received_at > $__toTime_ms - INTERVAL 1 HOUR AND received_at <= $__toTime_ms"""


class Size(TypedDict):
    """Of a tile: units of the grid, px of its figure."""

    height: int
    font: int


def board(language: Language) -> Board:
    """For 1920 × 1080."""
    return _board("wall", language, scale=1)


def board_4k(language: Language) -> Board:
    """For 3840 × 2160."""
    return _board("wall-4k", language, scale=2)


def _board(name: str, language: Language, *, scale: int) -> Board:
    say = speaker(language)
    panels = [*_figures(say, language, scale), *_outlook(say, language, scale), *_trends(say, language, scale)]
    return Board(
        name,
        title_of(name, language),
        say("值班大屏：地址后加 ?kiosk 全屏显示。", "For a screen on the wall: add ?kiosk to the address."),
        language,
        [Section("", panels)],
        choices=tuple(one.unseen() for one in (*v.DIMENSIONS, v.QUEUE, v.PRIORITY)),
        since="now-3h",
        refresh="10s",
        wall=True,
    )


def _figures(say: Say, language: Language, scale: int) -> list[Panel]:
    size = Size(height=6 * scale, font=FONT * scale)
    return [
        tile(
            say("差评率", "Negative"),
            numbers(latest("negative_share", unkept=OF_TICKETS), "told"),
            unit=SHARE,
            decimals=1,
            steps=c.NEGATIVE_SHARE,
            width=5,
            url=go("sentiment", language, ALL_CHOSEN),
            **size,
        ),
        tile(
            say("千单投诉", "Complaints / 1k"),
            numbers(latest("complaints_per_1k_orders", unkept=OF_TICKETS), "told"),
            unit=COUNT,
            decimals=1,
            steps=c.COMPLAINTS_PER_1K,
            width=5,
            url=go("complaints", language, ALL_CHOSEN),
            **size,
        ),
        tile(
            say("首响 P90", "First response p90"),
            numbers(latest("first_response_p90_ms", unkept=OF_TICKETS), "told"),
            unit=MS,
            decimals=0,
            steps=c.FIRST_RESPONSE_MS,
            width=5,
            url=go("service", language, ALL_CHOSEN),
            **size,
        ),
        tile(
            say("未关告警", "Open alerts"),
            numbers(OPEN, "critical", "warning"),
            unit=COUNT,
            steps=c.OPEN_ALERTS,
            fields={
                "critical": (say("严重", "critical"), c.CRITICAL_ALERTS),
                "warning": (say("警告", "warning"), c.WARNING_ALERTS),
            },
            width=5,
            url=go("alerts", language, ALL_CHOSEN),
            **size,
        ),
        tile(
            say("新鲜度", "Data age"),
            numbers(EVENT_AGE, "age"),
            unit="s",
            steps=c.AGE_SECONDS,
            width=4,
            url=go("pipeline", language),
            **size,
        ),
    ]


def _outlook(say: Say, language: Language, scale: int) -> list[Panel]:
    size = Size(height=6 * scale, font=FONT * scale)
    lamp = Size(height=3 * scale, font=LAMP * scale)
    small = Size(height=3 * scale, font=SMALL * scale)
    none = say("无大促", "none planned")
    phase = Query(PHASE.format(next=say("下一：", "next: ")), {"phase": "text"})
    pipeline, promo = go("pipeline", language), go("promo", language, ALL_CHOSEN)
    return [
        tile(
            say("将超时", "SLA due"), numbers(AT_RISK, "in_15", "in_30", "in_60"), unit=COUNT, steps=c.AT_RISK,
            width=12, url=go("service", language, ALL_CHOSEN), **size,
            fields={
                f"in_{minutes}": (say(f"{minutes} 分钟内超时", f"SLA: {minutes} min"), c.AT_RISK)
                for minutes in (15, 30, 60)
            },
        ),
        tile(say("大促阶段", "Promotion"), phase, unit="string", steps=c.PLAIN, width=6, url=promo, nothing=none,
             **small),
        tile(say("覆盖率", "Coverage"), numbers(COVERAGE, "coverage"), unit=SHARE, decimals=0, steps=c.COVERAGE,
             width=3, url=pipeline, **lamp),
        tile(say("静默渠道", "Silent feeds"), numbers(SILENT, "silent"), unit=COUNT, steps=c.AT_RISK, width=3,
             url=go("alerts", language, ALL_CHOSEN), **lamp),
        tile(say("倒计时", "Countdown"), numbers(COUNTDOWN_SQL, "seconds"), unit=COUNTDOWN, steps=c.PLAIN, width=6,
             url=promo, nothing=none, **small),
        tile(say("入库延迟", "Store age"), numbers(STORE_AGE, "age"), unit="s", steps=c.AGE_SECONDS, width=3,
             url=pipeline, **lamp),
        tile(say("死信 / 时", "Dead letters, 1 h"), numbers(DEAD_LETTERS, "letters"), unit=COUNT,
             steps=c.rising(1, 100), width=3, url=pipeline, **lamp),
    ]  # fmt: skip


def _trends(say: Say, language: Language, scale: int) -> list[Panel]:
    def trend(figure: str) -> Query:
        sql = lines_of({figure: newest(figure)}, seconds="300", unkept=OF_TICKETS)
        return series(sql, figure, by="value")

    story = go("alerts", language, "rule=${__data.fields.rule}", "alert=${__data.fields.alert_id}")
    shown = (
        ("negative_share", say("差评率", "Negative share"), SHARE, c.NEGATIVE_SHARE),
        ("complaints_per_1k_orders", say("千单投诉", "Complaints per 1,000 orders"), COUNT, c.COMPLAINTS_PER_1K),
        ("first_response_p90_ms", say("首响 P90", "First response p90"), MS, c.FIRST_RESPONSE_MS),
    )
    return [
        *(
            lines(title, trend(figure), unit=unit, width=8, height=9 * scale, names=named({figure: title}), steps=steps)
            for figure, title, unit, steps in shown
        ),
        rows(
            say("未关告警", "Open alerts"),
            OPEN_ROWS,
            {
                "severity": Column(say("级别", "Severity"), mapping=c.SEVERITIES, width=110),
                "summary": Column(say("内容", "What"), link=story),
                "fired_at": Column(say("开始", "Since"), unit="dateTimeFromNow", width=180),
                "state": Column(say("状态", "State"), width=140),
                "rule": Column("rule", hidden=True),
                "alert_id": Column("alert_id", hidden=True),
            },
            height=7 * scale,
            large=True,
        ),
    ]
