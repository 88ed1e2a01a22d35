"""A ClickHouse filled by the demo's evening, through the engine's own parts, in this process: no broker, no worker.

For whoever needs a wall with something on it. What people and channels did to the alerts is made up; all else is what
a worker would write.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

import sentiment.judge
import sentiment.words
from alerts.actions import Acknowledge, FalseAlarm, row_of
from peakwatch.config import load_config
from peakwatch.demo.reviews import load_corpus
from peakwatch.demo.simulate import MINUTE, Evening, Story
from schemas.events import DIMENSIONS
from schemas.peak_rows import peak_rows
from schemas.results import PANE_MS, Alert, Delivery, PeakPhase
from schemas.topics import SOURCES
from sentiment.privacy import mask_text
from sentiment.validity import validity_batch
from storage.client import ClickHouse
from storage.rows import Row, table_of, to_block
from streams.decisions import PROVISIONAL_MS, Decisions
from streams.dimensions import Dimensions
from streams.facts import Facts
from streams.intake import Record
from streams.judging import Judging
from streams.rows import window_rows
from streams.source import Source, SourceConfig
from streams.tickets import ledger_line
from streams.windows import RollingWindows, RowBatch

SEED: Final = 20261111
ORIGIN_MS: Final = 1_794_315_600_000  # 2026-11-10T21:00+08:00
SHORT: Final = Story(
    midnight=40 * MINUTE, late_from=25 * MINUTE, late_to=50 * MINUTE, fraud_from=35 * MINUTE, fraud_to=60 * MINUTE
)
WALL_DIMENSIONS: Final = ("all", *DIMENSIONS, "category+region")
LONG_ONLY: Final = ("shop_id", "product_id", "category+region")  # of these the wall asks only for newest long windows
LONG_SECONDS: Final = 3600
LONG_EVERY_MS: Final = MINUTE
TABLE_ROWS: Final = 20_000  # an insert


@dataclass(slots=True)
class Filled:
    """What was written: the time that it covers, alerts in order, and rows by table."""

    from_ms: int
    to_ms: int
    alerts: list[Alert] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=lambda: defaultdict(int))


def fill(
    client: ClickHouse, *, database: str, minutes: int = 75, origin_ms: int = ORIGIN_MS, story: Story = SHORT,
    phases: Iterable[PeakPhase] = (),
) -> Filled:  # fmt: skip
    """Write an evening of so many minutes. `phases`: further promotions than those of the plan that ships.

    Raises what the client raises.
    """
    filled = Filled(origin_ms, origin_ms + minutes * MINUTE)
    into: dict[str, list[Row]] = defaultdict(list)
    plan = load_config().peaks
    for row in _evening(filled, origin_ms=origin_ms, story=story):
        waiting = into[table_of(row).name]
        waiting.append(row)
        if len(waiting) == TABLE_ROWS:
            _insert(client, database, waiting, filled)
    for row in (*peak_rows(plan), *phases, *_reactions(filled.alerts)):
        into[table_of(row).name].append(row)
    for waiting in into.values():
        _insert(client, database, waiting, filled)
    return filled


def _insert(client: ClickHouse, database: str, rows: list[Row], filled: Filled) -> None:
    if rows:
        block = to_block(rows)
        filled.rows[block.table] += client.insert(f"{database}.{block.table}", block.names, block.columns)
        rows.clear()


def _evening(filled: Filled, *, origin_ms: int, story: Story) -> Iterator[Row]:
    """Every row, in order of event time."""
    config = load_config()
    judging = Judging(sentiment.judge.load(), validity_batch, copies=True, words=True)
    how = SourceConfig(judging=judging, mask=mask_text, policies=config.policies, rows=True,
                       words=sentiment.words.load().content)  # fmt: skip
    sources = {topic: Source(how, topic) for topic in SOURCES}
    windows = RollingWindows(Dimensions(WALL_DIMENSIONS))
    decisions = Decisions(config.rules, config.peaks, words=sentiment.words.load())
    offsets = dict.fromkeys(SOURCES, 0)
    for end_ms, records in _panes(Evening(load_corpus(SEED), origin_ms=origin_ms, seed=SEED, story=story), filled):
        for topic, source in sources.items():
            facts = source.feed(
                [Record(offsets[topic] + at, at_ms, raw) for at, (at_ms, raw) in enumerate(records.get(topic, ()))]
            )
            offsets[topic] += len(records.get(topic, ()))
            if topic == "tickets":
                ticked = source.tick(end_ms)
                ticked.forecast = source.forecast(end_ms)
                yield from _taken(ticked, windows, offsets[topic])
                filled.alerts += (told := list(decisions.feed(ticked, newest_ms=end_ms, source=(topic, 0))))
                yield from told
            yield from _taken(facts, windows, offsets[topic])
            filled.alerts += (told := list(decisions.feed(facts, newest_ms=end_ms, source=(topic, 0))))
            yield from told
        for batch in windows.advance((end_ms - PROVISIONAL_MS) // PANE_MS):
            yield from window_rows(batch, version=end_ms, chosen=_chosen(batch))


def _chosen(batch: RowBatch) -> list[int]:
    """The places of the keys that the wall asks for at this length and end."""
    if batch.window_seconds >= LONG_SECONDS and batch.window_end % LONG_EVERY_MS == 0:
        return list(range(len(batch.keys)))
    return [place for place, (dimension, _) in enumerate(batch.keys) if dimension not in LONG_ONLY]


def _taken(facts: Facts, windows: RollingWindows, version: int) -> Iterator[Row]:
    windows.add(facts.deltas)
    rows: list[Row] = [*facts.reviews, *facts.complaints, *facts.tickets, *facts.orders]
    yield from [*rows, *facts.clocks, *facts.dead_letters]
    for transition in facts.transitions:
        yield ledger_line(transition, partition=0, version=version)


def _panes(evening: Evening, filled: Filled) -> Iterator[tuple[int, dict[str, list[tuple[int, bytes]]]]]:
    """The events of ten seconds each, by topic, as they would come from the broker."""
    end_ms = filled.from_ms + PANE_MS
    records: dict[str, list[tuple[int, bytes]]] = defaultdict(list)
    for at_ms, event in evening.events():
        while at_ms >= end_ms:
            yield end_ms, records
            records = defaultdict(list)
            end_ms += PANE_MS
            if end_ms > filled.to_ms:
                return
        fields: dict[str, Any] = event
        records[fields["topic"]].append((at_ms, msgspec.json.encode(event)))


def _reactions(alerts: list[Alert]) -> Iterator[Row]:
    """Somebody acknowledges every alert after three minutes, calls each fifth false, and each was told to a channel."""
    fired = [alert for alert in alerts if alert.status == "firing"]
    for number, alert in enumerate(fired):
        act = {"who": "li", "alert_id": alert.alert_id}
        yield row_of(Acknowledge(action_id=f"ack-{number}", at=alert.at + 3 * MINUTE, **act))
        if number % 5 == 0:
            yield row_of(FalseAlarm(action_id=f"false-{number}", at=alert.at + 9 * MINUTE, text="演练", **act))
        yield Delivery(alert.alert_id, alert.at, "firing", "dingtalk", 1, alert.at + 900, "sent", 120, "")
