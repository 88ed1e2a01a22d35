"""The decisions are a function of one log: wherever their owner is killed, the next one tells the same alerts."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pytest

import sentiment.words
from agents.batches import Told, decode_held, encode_fact_batch
from agents.broker import Partition
from agents.claims import Fence, Mark, Stamp, encode_stamp
from agents.decision_stage import HELD, DecisionPorts, DecisionStage
from agents.transport.chunks import Chunk
from agents.window_stage import EventTime, event_time_of
from alerts.actions import Acknowledge, encode_action
from schemas.peaks import Peaks
from schemas.results import PANE_MS, Alert, AlertAction, SlaTransition
from schemas.rules import parse_rules
from schemas.topics import ACTIONS, CLOCK, OBSERVATIONS, TICKETS
from sla.transition import Transition, TransitionKind
from storage.rows import Row
from streams import figures as f
from streams.decisions import Decisions
from streams.facts import Facts
from streams.panes import PaneDeltas, merge_deltas
from tests.unit.agents.lines import Line

T0: Final = 1_793_980_800_000
IDLE_MS: Final = 30_000
WORDS: Final = sentiment.words.load()
RULES: Final = parse_rules(
    [{"name": "many", "kind": "threshold", "figure": "complaints", "above": 5, "dimensions": ["category"]}], source="r"
)

PLACE: Final[Partition] = (OBSERVATIONS, 0)


class Log:
    """The partition of observations, and a store for snapshots and rows. Owners come and go; this stays."""

    def __init__(self) -> None:
        self.records: list[Line] = []
        self.pages: dict[str, bytes] = {}
        self.root: dict[str, Any] | None = None
        self.rows: list[Row] = []
        self.owners = 0

    def append(self, stamp: Stamp, value: bytes, at_ms: int) -> None:
        self.records.append(Line(len(self.records), at_ms, value, headers=[encode_stamp(stamp)]))

    async def write(self, rows: Sequence[Row]) -> int:
        self.rows += rows
        return len(self.rows)

    async def safe(self, ticket: int) -> None:
        """All is."""

    async def save(self, pages: Mapping[str, bytes], root: Mapping[str, Any]) -> None:
        self.pages = {name: page for name, page in {**self.pages, **pages}.items() if page}
        self.root = dict(root)


class Writing:
    """What `takeover.Outputs` is to one source."""

    def __init__(self, log: Log, source: str, *, generation: int) -> None:
        self.log, self.source, self.number = log, (source, 0), 0
        self.owner = f"{source[-4:]}{generation:04d}".encode()
        self.now_ms = T0
        self.mark = Mark(0, 0)
        log.append(Stamp("claim", self.source, self.owner, generation, 0, Mark(0, 0)), b"", T0)

    async def send(self, output: Partition, value: bytes, *, start: int, mark: Mark) -> bool:
        assert output == PLACE
        if mark <= self.mark:
            return False
        self.number, self.mark = self.number + 1, mark
        self.log.append(Stamp("batch", self.source, self.owner, self.number, start, mark), value, self.now_ms)
        return True

    async def flush(self) -> None:
        """At once."""


class Topic:
    """The alerts' topic."""

    def __init__(self) -> None:
        self.count = 0

    async def add(self, key: bytes, value: bytes) -> None:
        self.count += 1

    async def flush(self) -> None:
        """At once."""


class Owner:
    """A worker that owns the decisions."""

    def __init__(self, log: Log, told: list[Alert]) -> None:
        log.owners += 1
        self.log = log
        self.clock = Writing(log, CLOCK, generation=log.owners)
        decisions = Decisions(RULES, Peaks(()), words=WORDS)
        event_time, fence, position, holding = EventTime(IDLE_MS), Fence(), 0, None
        if log.root is not None:
            assert decisions.load(log.pages) == []
            event_time, fence = event_time_of(log.root, IDLE_MS), Fence.load(log.root["fence"])
            position, holding = log.root["position"], decode_held(log.pages[HELD])
        ports = DecisionPorts(self.clock, PLACE, log, log, Topic(), told.extend)  # type: ignore[arg-type]  # a stand-in
        self.stage = DecisionStage(
            decisions, ports, event_time=event_time, fence=fence, position=position, holding=holding
        )  # fmt: skip

    async def read(self, now_ms: int, *, most: int = 1_000) -> None:
        records = self.log.records[self.stage.position : self.stage.position + most]
        if records:
            await self.stage.chunk(Chunk(OBSERVATIONS, 0, records[0].offset, records), now_ms=now_ms)

    async def turn(self, now_ms: int) -> None:
        self.clock.now_ms = now_ms
        await self.read(now_ms)
        await self.stage.tick(now_ms)


def complaints(count: int, at_ms: int) -> Facts:
    panes = PaneDeltas()
    panes.row(at_ms // PANE_MS, ("手机", "app", "华东", "", "", ""))[f.COMPLAINTS] += count
    return Facts(deltas=panes.drain())


async def evening(log: Log, *, kills: Sequence[int] = (), snapshots: Sequence[int] = ()) -> list[Alert]:
    """Half an hour at a turn every five seconds, in which events come late behind an idle clock."""
    told: list[Alert] = []
    owner = Owner(log, told)
    source, actions = Writing(log, "complaints", generation=1), Writing(log, ACTIONS, generation=1)
    firing = ""
    for turn in range(360):
        now_ms = T0 + turn * 5_000
        source.now_ms = actions.now_ms = now_ms
        if turn in (3, 60, 61, 200):
            at_ms = now_ms - 40_000
            facts = encode_fact_batch(at_ms, complaints(9, at_ms))
            await source.send(PLACE, facts, start=turn, mark=Mark(turn + 1, 0))
        if turn == 66:
            firing = told[-1].alert_id
            action = Acknowledge(action_id="x", who="li", at=now_ms, alert_id=firing)
            await actions.send(PLACE, encode_action(action), start=0, mark=Mark(1, 0))
        if turn in kills:
            owner = Owner(log, told)
        await owner.turn(now_ms)
        if turn in snapshots:
            await owner.stage.snapshot(now_ms)
    await owner.read(T0 + 360 * 5_000)
    return told


@pytest.mark.parametrize(
    ("kills", "snapshots"),
    [
        pytest.param([62], [], id="from-the-start"),
        pytest.param([62, 63, 64], [20], id="thrice"),
        pytest.param([67], [65], id="after-an-action"),
        pytest.param([65, 90, 210], [5, 64, 80, 201], id="often"),
    ],
)
async def test_whoever_takes_over_tells_the_same_alerts(kills: list[int], snapshots: list[int]) -> None:
    expected = await evening(Log(), snapshots=[])
    log = Log()
    told = await evening(log, kills=kills, snapshots=snapshots)
    assert [one.status for one in expected].count("firing") >= 2
    assert ("updated", "acknowledged") in [(one.status, one.reason) for one in expected]
    assert list(dict.fromkeys(map(_key, told))) == list(map(_key, expected))
    assert next(row for row in log.rows if isinstance(row, AlertAction)).refused == ""


HOUR_MS: Final = 3_600_000


async def catching_up(log: Log, *, kills: Sequence[int] = (), snapshots: Sequence[int] = ()) -> list[Alert]:
    """Three hours of complaints lie ready in two sources, of which one is read hours ahead of the other."""
    told: list[Alert] = []
    owner = Owner(log, told)
    fast, slow = Writing(log, "complaints", generation=1), Writing(log, "reviews", generation=1)
    hours = [T0 + hour * HOUR_MS for hour in range(3)]
    steps = [
        (fast, hours, Told("w", -1)),
        *((slow, [at], Told("w", at if at < hours[-1] else None)) for at in hours),
    ]
    for turn, (source, instants, so_far) in enumerate(steps):
        parts = [complaints(4, at) for at in instants]
        facts = Facts(deltas=merge_deltas([part.deltas for part in parts]))
        source.now_ms = T0 + 3 * HOUR_MS + turn * 1_000
        batch = encode_fact_batch(instants[-1], facts, told=so_far)
        await source.send(PLACE, batch, start=turn, mark=Mark(turn + 1, 0))
        if turn in kills:
            owner = Owner(log, told)
        owner.clock.now_ms = source.now_ms
        await owner.read(source.now_ms)
        await owner.stage.tick(source.now_ms, more=so_far.to_ms is not None)
        if turn in snapshots:
            await owner.stage.snapshot(source.now_ms)
    await owner.turn(T0 + 4 * HOUR_MS)
    await owner.read(T0 + 4 * HOUR_MS)
    return told


async def test_what_was_read_ahead_is_decided_on_with_what_slower_sources_bring_of_its_time() -> None:
    told = [one for one in await catching_up(Log()) if one.status == "firing"]
    assert [(one.at - T0) // HOUR_MS for one in told] == [0, 1, 2]
    assert [one.value for one in told] == [8, 8, 8]  # four of each source


@pytest.mark.parametrize(("kills", "snapshots"), [((1,), (0,)), ((1, 2, 3), (0, 1, 2)), ((2,), (1,)), ((3,), ())])
async def test_whoever_takes_over_while_a_worker_lags_tells_the_same_alerts(
    kills: Sequence[int], snapshots: Sequence[int]
) -> None:
    expected = await catching_up(Log())
    told = await catching_up(Log(), kills=kills, snapshots=snapshots)
    assert list(dict.fromkeys(map(_key, told))) == list(map(_key, expected))


async def test_while_events_lie_ready_no_time_is_written_into_the_log() -> None:
    log, told = Log(), list[Alert]()
    owner, source = Owner(log, told), Writing(log, "complaints", generation=1)
    await source.send(PLACE, encode_fact_batch(T0, complaints(1, T0)), start=0, mark=Mark(1, 0))
    await owner.read(T0)
    count = len(log.records)
    await owner.stage.tick(T0 + 5 * HOUR_MS, more=True)
    assert len(log.records) == count
    await owner.stage.tick(T0 + 5 * HOUR_MS)
    assert len(log.records) == count + 1


async def test_time_is_written_into_the_log_only_where_nothing_else_moves_it() -> None:
    log = Log()
    await evening(log)
    ticks = [record for record in log.records if record.headers[0][1].endswith(CLOCK.encode()) and record.offset > 0]
    assert 100 < len(ticks) < 190  # of half an hour the panes in which no event came


async def test_a_claim_alone_changes_nothing() -> None:
    log, told = Log(), list[Alert]()
    owner = Owner(log, told)
    await owner.turn(T0)
    assert (owner.stage.position, owner.stage.reached(T0), told) == (1, -1, [])


def clock_facts(kind: TransitionKind, at_ms: int) -> Facts:
    dims = ("手机", "app", "华东", "金卡", "s1", "p1", "high", "refund")
    told = Transition("t1", "resolution", 0, kind, at_ms, 7, 8, "urgent", "v1", "always", "v2", dims)
    return Facts(transitions=[told])


async def test_the_ledger_has_what_counts_once_and_nothing_of_a_worker_that_lost_the_partition() -> None:
    """Such a one stored breaches that nobody after it told or took back: whoever read on had the answers by then."""
    log = Log()
    lost, told = Writing(log, TICKETS, generation=1), list[Alert]()
    await lost.send(PLACE, encode_fact_batch(T0, clock_facts("warning", T0)), start=0, mark=Mark(3, 0))
    owner = Writing(log, TICKETS, generation=2)
    await lost.send(PLACE, encode_fact_batch(T0, clock_facts("breach", T0 + 5)), start=3, mark=Mark(3, T0 + 5))
    await owner.send(PLACE, encode_fact_batch(T0, clock_facts("met", T0 + 4)), start=3, mark=Mark(4, 0))
    for _ in range(2):  # nothing was saved: the second reads all again
        await Owner(log, told).read(T0 + 10)
    lines = [row for row in log.rows if isinstance(row, SlaTransition)]
    assert [(line.kind, line.at, line.version, line.topic_partition) for line in lines[:2]] == [
        ("warning", T0, 3, 0),
        ("met", T0 + 4, 4, 0),
    ]
    assert lines[2:] == lines[:2]
    assert (lines[0].policy_version, lines[0].calendar_version, lines[0].queue) == ("v1", "v2", "refund")


def _key(alert: Alert) -> tuple[str, int, str, str, float | None]:
    return alert.alert_id, alert.at, alert.status, alert.reason, alert.value
