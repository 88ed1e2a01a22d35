"""Alerts: what fired when, how soon people had it, and how much of it was noise."""

from typing import Final

from grafana import colours as c
from grafana import variables as v
from grafana.board import Board, Section, go, title_of
from grafana.panels import COUNT, MS, SHARE, Column, Panel, bars, lines, rows, states, tile
from grafana.queries import Query, numbers, series
from grafana.sql import ALIVE_ALERTS, FIRED_ALERTS, of_alert, only, picked, share
from grafana.text import Language, Say, speaker

_OF: Final = (*(one.name for one in v.DIMENSIONS), "queue", "priority")
_CHOSEN: Final = f"{only('severity', 'severity')} AND {only('rule', 'rule')}\n  AND {of_alert(_OF)}"
_ANY: Final = " OR ".join(picked(name) for name in ("severity", "rule", *_OF))
_FIRED: Final = f"{FIRED_ALERTS} AND $__timeFilter(fired_at) AND {_CHOSEN}"
SUMMARY: Final = f"""SELECT count() AS fired, countIf(status != 'resolved') AS open_now, avg(detect_ms) AS detect_ms,
  avg(acknowledge_ms) AS mtta_ms, avg(resolve_ms) AS mttr_ms
FROM alerts_v
WHERE {_FIRED}"""
FALSE_ALARMS: Final = f"""SELECT {share("countIf(called_false)", "count()")} AS false_alarm_share
FROM
(
  SELECT alert_id IN (SELECT alert_id FROM alert_actions_v WHERE action = 'false_alarm') AS called_false
  FROM alerts_v
  WHERE {_FIRED}
)"""
# Alerts of one kind that overlap in time are taken for one incident: more of them than incidents is noise.
NOISE: Final = f"""SELECT {share("count()", "countIf(opens)")} AS alerts_an_incident
FROM
(
  SELECT fired_at > max(until) OVER (PARTITION BY kind ORDER BY fired_at, alert_id
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS opens
  FROM
  (
    SELECT kind, alert_id, fired_at, ifNull(resolved_at, $__toTime_ms) AS until
    FROM alerts_v
    WHERE {_FIRED} AND kind NOT IN ('sla_warning', 'sla_breach')
  )
)"""
MESSAGES: Final = f"""SELECT countIf(outcome = 'sent') AS sent, countIf(outcome = 'failed') AS failed
FROM deliveries_v
WHERE $__timeFilter(at) AND (NOT ({_ANY}) OR alert_id IN (SELECT alert_id FROM alerts_v WHERE {_CHOSEN}))"""
TIMELINE: Final = f"""SELECT time, alert, state
FROM
(
  SELECT rule || ' ' || arrayStringConcat(mapValues(labels), ' ') AS alert,
    arrayJoin([(greatest(fired_at, $__fromTime_ms), severity),
      (least(ifNull(resolved_at, $__toTime_ms), $__toTime_ms), 'resolved')]) AS moment,
    moment.1 AS time, moment.2 AS state
  FROM alerts_v
  WHERE {ALIVE_ALERTS} AND {_CHOSEN}
    AND fired_at <= $__toTime_ms AND ifNull(resolved_at, $__toTime_ms) >= $__fromTime_ms
  ORDER BY fired_at DESC
  LIMIT 200
)
ORDER BY time, alert"""
OVER_TIME: Final = f"""SELECT $__timeInterval(fired_at) AS time, kind, count() AS fired
FROM alerts_v
WHERE {_FIRED}
GROUP BY time, kind
ORDER BY time, kind"""
BY_RULE: Final = f"""SELECT rule, count() AS fired
FROM alerts_v
WHERE {_FIRED}
GROUP BY rule
ORDER BY fired DESC
LIMIT 20"""
# What an SLA alert was told by is working time in ms, of the others a count, a share or a ratio.
_TOLD: Final = (
    "multiIf({0} IS NULL, '', kind IN ('sla_warning', 'sla_breach'), "
    "concat(toString(round({0} / 60000)), ' min'), toString(round({0}, 3)))"
)
ROWS: Final = f"""SELECT fired_at, severity, state, summary, rule, {_TOLD.format("value")} AS figure,
  {_TOLD.format("baseline")} AS usual, acknowledge_ms, resolve_ms,
  arrayStringConcat(JSONExtract(evidence, 'keywords', 'Array(String)'), ' ') AS keywords,
  arrayStringConcat(JSONExtract(evidence, 'emerging', 'Array(String)'), ' ') AS emerging, alert_id
FROM alerts_v
WHERE {_FIRED}
ORDER BY fired_at DESC
LIMIT 200"""
STORY: Final = """SELECT at, what, who, detail
FROM
(
  SELECT at, 'alert: ' || status AS what, '' AS who, summary AS detail
  FROM alert_transitions_v WHERE alert_id = ${alert:singlequote}
  UNION ALL
  SELECT at, 'action: ' || action, actor, comment
  FROM alert_actions_v WHERE alert_id = ${alert:singlequote}
  UNION ALL
  SELECT at, 'message: ' || outcome, channel, detail
  FROM deliveries_v WHERE alert_id = ${alert:singlequote}
)
ORDER BY at, what"""


def board(language: Language) -> Board:
    """The dashboard."""
    say = speaker(language)
    return Board(
        "alerts",
        title_of("alerts", language),
        say("告警：时间线、响应与恢复时长、噪声。", "Alerts: timeline, MTTA, MTTR, noise."),
        language,
        [
            Section(say("所选时段", "The time shown"), _tiles(say)),
            Section(say("时间线", "Timeline"), _timeline(say)),
            Section(say("明细", "One by one"), _rows(say, language)),
        ],
        choices=(v.SEVERITY, v.RULE, *v.DIMENSIONS, v.QUEUE, v.PRIORITY, v.ALERT),
        since="now-24h",
        links=("wall", "sentiment", "complaints", "service", "promo"),
    )


def _tiles(say: Say) -> list[Panel]:
    def one(figure: str, title: str, unit: str, steps: c.Steps) -> Panel:
        return tile(
            title, numbers(f"SELECT {figure} FROM\n(\n{SUMMARY}\n)", figure), unit=unit, steps=steps, width=3, height=4
        )

    return [
        one("fired", say("触发", "Fired"), COUNT, c.PLAIN),
        one("open_now", say("未关", "Open"), COUNT, c.OPEN_ALERTS),
        one("detect_ms", say("发现（均值）", "Detection, mean"), MS, c.rising(15 * 60_000, 30 * 60_000)),
        one("mtta_ms", "MTTA", MS, c.rising(5 * 60_000, 15 * 60_000)),
        one("mttr_ms", "MTTR", MS, c.rising(60 * 60_000, 4 * 3_600_000)),
        tile(
            say("每事件告警数", "Alerts an incident"),
            numbers(NOISE, "alerts_an_incident"),
            unit=COUNT,
            steps=c.rising(1.2, 2.0),
            width=3,
            height=4,
            decimals=2,
        ),
        tile(
            say("误报率", "False alarms"),
            numbers(FALSE_ALARMS, "false_alarm_share"),
            unit=SHARE,
            steps=c.rising(0.1, 0.3),
            width=3,
            height=4,
            decimals=1,
        ),
        tile(
            say("消息：成功 / 失败", "Messages sent / failed"),
            numbers(MESSAGES, "sent", "failed"),
            fields={
                "sent": (say("成功", "sent"), c.PLAIN),
                "failed": (say("失败", "failed"), c.CRITICAL_ALERTS),
            },
            unit=COUNT,
            steps=c.PLAIN,
            width=3,
            height=4,
        ),
    ]


def _timeline(say: Say) -> list[Panel]:
    return [
        states(
            say("何时在告警", "What fired when"),
            Query(TIMELINE, {"time": "time", "alert": "text", "state": "text"}),
            by="alert",
        ),
        lines(
            say("触发数", "Fired"),
            series(OVER_TIME, "fired", by="kind"),
            by="kind",
            unit=COUNT,
            width=16,
            stacked=True,
            bars=True,
        ),
        bars(
            say("按规则", "By rule"),
            Query(BY_RULE, {"rule": "text", "fired": "number"}),
            unit=COUNT,
            steps=c.PLAIN,
            width=8,
        ),
    ]


def _rows(say: Say, language: Language) -> list[Panel]:
    return [
        rows(
            say("告警", "Alerts"),
            Query(
                ROWS,
                {
                    "fired_at": "time",
                    "severity": "text",
                    "state": "text",
                    "summary": "text",
                    "rule": "text",
                    "figure": "text",
                    "usual": "text",
                    "acknowledge_ms": "number",
                    "resolve_ms": "number",
                    "keywords": "text",
                    "emerging": "text",
                    "alert_id": "text",
                },
            ),
            {
                "fired_at": Column(say("触发", "Fired"), width=160),
                "severity": Column(say("级别", "Severity"), mapping=c.SEVERITIES, width=90),
                "state": Column(say("状态", "State"), width=110),
                "summary": Column(say("内容", "What")),
                "rule": Column(say("规则", "Rule"), width=150),
                "figure": Column(say("值", "Value"), width=80),
                "usual": Column(say("基线", "Baseline"), width=80),
                "acknowledge_ms": Column("TTA", unit=MS, width=80),
                "resolve_ms": Column("TTR", unit=MS, width=80),
                "keywords": Column(say("关键词", "Keywords"), width=160),
                "emerging": Column(say("新词", "Emerging"), width=140),
                "alert_id": Column(
                    say("告警号", "Alert"), link=go("alerts", language, "alert=${__value.raw}"), width=130
                ),
            },
            height=11,
        ),
        rows(
            say("经过（点告警号，或在上方填写）", "The story of one (click its id, or enter it above)"),
            Query(STORY, {"at": "time", "what": "text", "who": "text", "detail": "text"}),
            {
                "at": Column(say("时间", "Time"), width=170),
                "what": Column(say("事", "What"), width=180),
                "who": Column(say("谁", "Who"), width=120),
                "detail": Column(say("内容", "Detail")),
            },
        ),
    ]
