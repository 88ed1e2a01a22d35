"""The pipeline itself, from Prometheus: is what the wall shows fresh, whole and safe?

What could not be read is listed from ClickHouse: where it lies and why, not what it says, which is not masked.
"""

from typing import Final

from grafana import colours as c
from grafana.board import Board, Section, title_of
from grafana.panels import COUNT, Column, Panel, gauge_of, lines, rows
from grafana.queries import Metric, Query
from grafana.text import Language, Say, speaker

RATE: Final = "$__rate_interval"
LETTERS: Final = """SELECT received_at, topic, `partition`, `offset`, reason
FROM dead_letters
WHERE $__timeFilter(received_at)
ORDER BY received_at DESC
LIMIT 1 BY topic, `partition`, `offset`
LIMIT 100"""


def board(language: Language) -> Board:
    """The dashboard."""
    say = speaker(language)
    return Board(
        "pipeline",
        title_of("pipeline", language),
        say(
            "数据管道：积压、吞吐、死信、迟到、入库、内存。",
            "Lag, throughput, dead letters, late events, store, memory.",
        ),
        language,
        [
            Section(say("现在", "Now"), _tiles(say)),
            Section(say("读入", "Intake"), [*_intake(say), _letters(say)]),
            Section("ClickHouse", _store(say)),
            Section(say("进程", "Workers"), _workers(say)),
        ],
        prometheus=True,
        links=("wall", "alerts"),
    )


def _tiles(say: Say) -> list[Panel]:
    def one(title: str, expr: str, unit: str, steps: c.Steps) -> Panel:
        return gauge_of(title, [Metric(expr)], unit=unit, steps=steps, width=4)

    return [
        one(say("积压", "Lag"), "sum(peakwatch_consumer_lag_records)", COUNT, c.LAG),
        one(say("事件时间落后", "Behind event time"), "max(peakwatch_watermark_delay_seconds)", "s", c.AGE_SECONDS),
        one(say("待入库", "Oldest not yet safe"), "max(peakwatch_store_oldest_pending_seconds)", "s", c.AGE_SECONDS),
        one(say("落盘缓冲", "Spool"), "sum(peakwatch_store_spool_bytes)", "bytes", c.rising(1, 1 << 30)),
        one(
            say("死信（1 小时）", "Dead letters, 1 h"),
            "sum(increase(peakwatch_dead_letters_total[1h]))",
            COUNT,
            c.rising(1, 100),
        ),
        one(say("在线进程", "Workers up"), "count(peakwatch_build_info)", COUNT, c.falling(2, 1)),
    ]


def _intake(say: Say) -> list[Panel]:
    return [
        lines(
            say("吞吐", "Events"),
            [Metric(f"sum by (topic) (rate(peakwatch_events_total[{RATE}]))", "{{topic}}")],
            unit="eps",
            width=8,
        ),
        lines(
            say("积压", "Consumer lag"),
            [Metric("sum by (topic) (peakwatch_consumer_lag_records)", "{{topic}}")],
            unit=COUNT,
            width=8,
        ),
        lines(
            say("死信", "Dead letters"),
            [Metric(f"sum by (topic, reason) (rate(peakwatch_dead_letters_total[{RATE}]))", "{{topic}} {{reason}}")],
            unit="eps",
            width=8,
        ),
        lines(
            say("迟到与重复", "Late and duplicate events"),
            [
                Metric(f"sum by (topic) (rate(peakwatch_late_total[{RATE}]))", "{{topic}} " + say("迟到", "late")),
                Metric(
                    f"sum by (topic) (rate(peakwatch_duplicates_total[{RATE}]))",
                    "{{topic}} " + say("重复", "duplicate"),
                ),
            ],
            unit="eps",
            width=12,
        ),
        lines(
            say("事件时间落后", "Behind event time"),
            [Metric("max by (topic) (peakwatch_watermark_delay_seconds)", "{{topic}}")],
            unit="s",
            width=12,
        ),
    ]


def _letters(say: Say) -> Panel:
    query = Query(
        LETTERS,
        {"received_at": "time", "topic": "text", "partition": "number", "offset": "number", "reason": "text"},
        at_least=0,
    )
    return rows(
        say("最新死信", "Latest dead letters"),
        query,
        {
            "received_at": Column(say("时间", "Time"), width=200),
            "topic": Column("Topic"),
            "partition": Column(say("分区", "Partition")),
            "offset": Column(say("位移", "Offset")),
            "reason": Column(say("原因", "Reason")),
        },
        height=7,
    )


def _store(say: Say) -> list[Panel]:
    return [
        lines(
            say("入库行数", "Rows stored"),
            [Metric(f"sum by (table) (rate(peakwatch_store_rows_total[{RATE}]))", "{{table}}")],
            unit="rowsps",
            width=8,
        ),
        lines(
            say("重试与拒绝", "Retries and refused rows"),
            [
                Metric(f"sum(rate(peakwatch_store_retries_total[{RATE}]))", say("重试", "retries")),
                Metric(
                    f"sum by (table) (rate(peakwatch_store_refused_rows_total[{RATE}]))",
                    "{{table}} " + say("拒绝", "refused"),
                ),
            ],
            unit="ops",
            width=8,
        ),
        lines(
            say("写入状态", "State of the writer"),
            [Metric("sum by (state) (peakwatch_store_state)", "{{state}}")],
            unit=COUNT,
            width=8,
            stacked=True,
            colour={"ok": c.GREEN, "retrying": c.AMBER, "spooling": c.AMBER, "blocked": c.RED, "failed": c.RED},
        ),
        lines(
            say("一次写入多久", "An insert takes"),
            [
                Metric(
                    f"histogram_quantile({share}, sum by (le) (rate(peakwatch_store_insert_seconds_bucket[{RATE}])))",
                    name,
                )
                for share, name in ((0.5, "p50"), (0.99, "p99"))
            ],
            unit="s",
            width=12,
        ),
        lines(
            say("从事件到入库", "From event to row"),
            [
                Metric(
                    "histogram_quantile(0.99, sum by (le, table) "
                    f"(rate(peakwatch_store_delay_seconds_bucket[{RATE}])))",
                    "{{table}} p99",
                )
            ],
            unit="s",
            width=12,
        ),
    ]


def _workers(say: Say) -> list[Panel]:
    return [
        lines(
            say("内存", "Resident memory"),
            [Metric('process_resident_memory_bytes{job=~"peakwatch.*"}', "{{instance}}")],
            unit="bytes",
            width=8,
        ),
        lines(
            "CPU",
            [Metric(f'rate(process_cpu_seconds_total{{job=~"peakwatch.*"}}[{RATE}])', "{{instance}}")],
            unit="percentunit",
            width=8,
        ),
        lines(
            say("状态大小", "State"),
            [Metric("sum by (topic) (peakwatch_state_bytes)", "{{topic}}")],
            unit="bytes",
            width=8,
        ),
        lines(
            say("消息", "Messages to people"),
            [Metric(f"sum by (channel, outcome) (rate(peakwatch_notices_total[{RATE}]))", "{{channel}} {{outcome}}")],
            unit="ops",
            width=12,
        ),
        lines(
            say("从告警事件到发布", "From an alert's event to its topic"),
            [
                Metric(
                    f"histogram_quantile(0.99, sum by (le) (rate(peakwatch_alert_delay_seconds_bucket[{RATE}])))", "p99"
                )
            ],
            unit="s",
            width=12,
        ),
    ]
