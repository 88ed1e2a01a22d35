"""Alerts from their partition to the store and to the people."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from agents.alert_stage import AlertStage, decode_alert, restore
from agents.transport.chunks import Chunk
from alerts.notify.figures import NotifierSnapshot
from schemas.lines import alert_line
from schemas.results import Alert, Delivery
from storage.rows import Row

ALERT = Alert(
    alert_id="a1", rule="negative-spike", kind="negative_spike", status="firing", severity="critical", at=60_000,
    starts_at=30_000, ends_at=None, labels={"dimension": "category", "value": "手机"}, value=0.4, baseline=0.1,
    peak=None, summary="差评突增", evidence={"count": 3}, reason="",
)  # fmt: skip
DELIVERY = Delivery("a1", 60_000, "firing", "hook", 1, 61_000, "sent", 5, "")


class Record(NamedTuple):
    offset: int
    value: bytes | None
    timestamp: int = 0
    key: bytes | None = None
    headers: Sequence[tuple[str, bytes]] = ()


class People:
    """Remembers whom it told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.log: list[Delivery] = []
        self.ticks: list[int] = []
        self.tells = False

    async def notify(self, alert: Alert) -> None:
        self.told.append(alert.alert_id)

    async def tick(self, now_ms: int) -> bool:
        self.ticks.append(now_ms)
        return self.tells

    def figures(self) -> NotifierSnapshot:
        return NotifierSnapshot(channels={}, unrouted=0, unclaimed=0, escalated=0, unwritten=0)

    def dump(self) -> dict[str, Any]:
        return {"told": self.told}

    def load(self, dumped: Mapping[str, Any]) -> None:
        self.told = list(dumped["told"])

    def remember(self, rows: Iterable[Delivery]) -> None:
        self.log = list(rows)


class Store:
    """A writer and a page store at once; notes the order of what is asked of it."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.asked: list[str] = []
        self.saved: tuple[Mapping[str, bytes], Mapping[str, Any]] = ({}, {})

    async def write(self, rows: Sequence[Row]) -> int:
        self.rows += rows
        return len(self.rows)

    async def safe(self, ticket: int) -> None:
        self.asked.append(f"safe {ticket}")

    async def save(self, pages: Mapping[str, bytes], root: Mapping[str, Any]) -> None:
        self.asked.append("save")
        self.saved = (pages, root)


def chunk_of(*alerts: Alert, start: int = 0) -> Chunk:
    records = [Record(start + i, alert_line(alert)) for i, alert in enumerate(alerts)]
    return Chunk("alerts", 0, start, records)


def test_an_alert_comes_back_from_its_message_as_it_was() -> None:
    assert decode_alert(alert_line(ALERT)) == ALERT
    resolved = ALERT._replace(status="resolved", ends_at=90_000, reason="corrected")
    assert decode_alert(alert_line(resolved)) == resolved


async def test_a_transition_is_stored_and_told() -> None:
    people, store = People(), Store()
    stage = AlertStage(store, people, store)
    await stage.chunk(chunk_of(ALERT, ALERT._replace(alert_id="a2")), now_ms=0)
    assert people.told == ["a1", "a2"]
    assert [row.alert_id for row in store.rows if isinstance(row, Alert)] == ["a1", "a2"]


async def test_what_was_told_before_the_snapshot_is_not_told_again() -> None:
    people, store = People(), Store()
    stage = AlertStage(store, people, store, position=1)
    await stage.chunk(chunk_of(ALERT, ALERT._replace(alert_id="a2")), now_ms=0)
    assert people.told == ["a2"]


async def test_an_offset_may_be_committed_only_after_rows_and_state_are_safe() -> None:
    people, store = People(), Store()
    stage = AlertStage(store, people, store)
    await stage.chunk(chunk_of(ALERT), now_ms=0)
    assert await stage.snapshot(0) == 1
    assert store.asked == ["safe 1", "save"]
    again = People()
    restore(again, store.saved[0], lambda: [DELIVERY])
    assert again.told == ["a1"]
    assert again.log == [DELIVERY]


async def test_time_passes_for_whoever_tells() -> None:
    people, store = People(), Store()
    await AlertStage(store, people, store).tick(123)
    assert people.ticks == [123]


async def test_after_a_takeover_nothing_is_told_by_time_before_what_lies_ready_was_read() -> None:
    """Else the next step of an escalation goes out that somebody has ended while nobody read the log."""
    people, store = People(), Store()
    stage = AlertStage(store, people, store)
    await stage.tick(1_000, more=True)
    await stage.tick(1_500, more=True)
    assert people.ticks == []
    await stage.tick(2_000, more=False)
    await stage.tick(2_500, more=True)  # news on the way hold nobody up later on
    assert people.ticks == [2_000, 2_500]


async def test_people_wait_half_a_minute_at_most_for_what_cannot_be_read() -> None:
    people, store = People(), Store()
    stage = AlertStage(store, people, store)
    await stage.tick(1_000, more=True)
    await stage.tick(30_999, more=True)
    assert people.ticks == []
    await stage.tick(31_000, more=True)
    assert people.ticks == [31_000]


async def test_what_time_alone_told_waits_to_be_saved() -> None:
    people, store = People(), Store()
    stage = AlertStage(store, people, store)
    unsaved = []
    await stage.tick(1_000)
    unsaved.append(stage.unsaved)
    people.tells = True
    await stage.tick(2_000)
    unsaved.append(stage.unsaved)
    await stage.snapshot(2_000)
    unsaved.append(stage.unsaved)
    assert unsaved == [False, True, False]


async def test_without_channels_alerts_are_stored_all_the_same() -> None:
    store = Store()
    stage = AlertStage(store, None, store)
    await stage.chunk(chunk_of(ALERT), now_ms=0)
    await stage.tick(5)
    assert await stage.snapshot(0) == 1
    assert len(store.rows) == 1
