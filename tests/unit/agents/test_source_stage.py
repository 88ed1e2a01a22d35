"""Stage 1, driven: what lies ready after an outage goes on in messages that a broker takes."""

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import pytest

from agents.batches import COMPRESSED, PLAIN_BYTES, decode_delta_batch, decode_fact_batch, encode_fact_batch
from agents.claims import Mark
from agents.source_stage import SourcePorts, SourceStage
from agents.transport.chunks import Chunk
from peakwatch.config import load_config
from schemas.errors import BadEvent
from schemas.results import Observation
from streams.facts import Facts
from streams.judging import Judging
from streams.source import Source, SourceConfig
from tests.unit.agents.lines import Line

MESSAGE_BYTES: Final = 1_000_000  # a little under what brokers and producers take by default
WINDOWS: Final = ("windows", 0)
DECISIONS: Final = ("decisions", 0)
DAY_MS: Final = 86_400_000
BEGIN_MS: Final = 1_794_326_400_000


class Sent(NamedTuple):
    output: tuple[str, int]
    value: bytes
    start: int
    mark: Mark


class Outputs:
    """Keeps what is sent; nothing counted before."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.fences: Mapping[Any, Mark] = {}
        self.journals: Mapping[Any, Any] = {}

    async def send(self, output: tuple[str, int], value: bytes, *, start: int, mark: Mark) -> bool:
        self.sent.append(Sent(output, value, start, mark))
        return True

    async def flush(self) -> None:
        return None


class Store:
    """Takes everything."""

    async def write(self, rows: Sequence[object]) -> int:
        return 0

    async def safe(self, ticket: int) -> None:
        return None

    async def save(self, pages: Mapping[str, bytes], root: Mapping[str, Any]) -> None:
        return None


class NoJudge:
    """Tickets have no text."""

    def judge_batch(self, texts: object, ratings: object = None) -> None:
        raise AssertionError("nothing to judge")


async def send(topic: str, key: bytes, value: bytes) -> None:
    return None


def stage(topic: str, *, lags: Callable[[], bool] = lambda: False) -> tuple[SourceStage, Outputs]:
    judging = Judging(NoJudge(), lambda texts: [""] * len(texts))  # type: ignore[arg-type]  # never asked
    config = SourceConfig(judging=judging, mask=str, policies=load_config().policies, rows=True, live=True)
    outputs, store = Outputs(), Store()
    send_away: Callable[[str, bytes, bytes], Awaitable[None]] = send
    ports = SourcePorts(outputs, (WINDOWS,), DECISIONS, store, store, send_away, lags=lags)  # type: ignore[arg-type]
    return SourceStage(Source(config, topic), ports, position=0, tick_ms=0), outputs


def chunk(events: Sequence[dict[str, Any]]) -> Chunk:
    lines = [Line(offset, BEGIN_MS, msgspec.json.encode(event)) for offset, event in enumerate(events)]
    return Chunk("any", 0, 0, lines)


def complaints(count: int, chance: random.Random) -> list[dict[str, Any]]:
    """Long ones, of which no two are alike."""
    return [
        {
            "event_id": f"e{number}", "event_time": BEGIN_MS + number, "complaint_id": f"k{number}",
            "text": "".join(chr(chance.randrange(0x4E00, 0x9FA5)) for _ in range(200)),
            "product_id": f"p{chance.random()}", "shop_id": f"s{chance.random()}",
        }
        for number in range(count)
    ]  # fmt: skip


def tickets(count: int) -> list[dict[str, Any]]:
    return [
        {"event_id": f"e{n}", "event_time": BEGIN_MS, "ticket_id": f"t{n}", "action": "created", "priority": "high"}
        for n in range(count)
    ]


async def test_what_lies_ready_goes_on_in_messages_that_a_broker_takes() -> None:
    one, outputs = stage("complaints")
    await one.chunk(chunk(complaints(4_000, random.Random(1))))
    await one.flush(BEGIN_MS)
    assert max(len(sent.value) for sent in outputs.sent) < MESSAGE_BYTES
    decided = [decode_fact_batch(sent.value)[1] for sent in outputs.sent if sent.output == DECISIONS]
    assert len(decided) > 5
    assert sum(len(facts.observations) for facts in decided) == 4_000
    summed = [decode_delta_batch(sent.value)[1] for sent in outputs.sent if sent.output == WINDOWS]
    assert sum(len(deltas.panes) for deltas in summed) == 4_000


async def test_its_parts_follow_one_another_without_a_gap() -> None:
    one, outputs = stage("complaints")
    await one.chunk(chunk(complaints(2_000, random.Random(2))))
    await one.flush(BEGIN_MS)
    parts = [(sent.start, sent.mark.to) for sent in outputs.sent if sent.output == DECISIONS]
    assert [start for start, _ in parts] == [0, *(to for _, to in parts[:-1])]
    assert parts[-1][1] == 2_000


async def test_what_falls_due_while_nobody_ran_is_told_in_parts() -> None:
    one, outputs = stage("tickets")
    await one.chunk(chunk(tickets(12_000)))
    await one.flush(BEGIN_MS + 4 * DAY_MS)
    assert max(len(sent.value) for sent in outputs.sent) < MESSAGE_BYTES
    told = [
        transition
        for sent in outputs.sent
        if sent.output == DECISIONS
        for transition in decode_fact_batch(sent.value)[1].transitions
    ]
    breaches = [transition for transition in told if transition.kind == "breach"]
    assert len(breaches) == len({(one.ticket_id, one.clock) for one in breaches}) == 2 * 12_000
    ticks = [sent.mark.tick_ms for sent in outputs.sent]
    assert ticks == sorted(ticks)
    assert ticks[-1] == BEGIN_MS + 4 * DAY_MS


@pytest.mark.parametrize("count", [1, 2_000])
def test_a_batch_comes_back_as_it_was(count: int) -> None:
    dims = ("手机", "", "", "", "", "")
    seen = [Observation("review", at, dims, 1, 0.5, True, "c", f"e{at}", "太差了") for at in range(count)]
    raw = encode_fact_batch(7, Facts(observations=seen))
    assert raw.startswith(COMPRESSED) is (count > 1)
    assert len(raw) < max(PLAIN_BYTES, count * 30)
    newest_ms, facts, _ = decode_fact_batch(raw)
    assert (newest_ms, facts.observations) == (7, seen)


def test_a_damaged_batch_is_named() -> None:
    for raw in (COMPRESSED + b"\x01", COMPRESSED, b"\x93"):
        with pytest.raises(BadEvent):
            decode_fact_batch(raw)


def step(number: int, at_ms: int, action: str) -> dict[str, Any]:
    return {
        "event_id": f"s{number}", "event_time": at_ms, "ticket_id": "t0", "action": action, "actor": "agent",
        "priority": "high",
    }  # fmt: skip


async def test_no_breach_is_called_while_the_step_that_prevents_it_lies_ready() -> None:
    waits = True
    one, outputs = stage("tickets", lags=lambda: waits)
    await one.chunk(chunk([step(0, BEGIN_MS, "created")]))
    await one.flush(BEGIN_MS + 4 * DAY_MS)
    rest = [Line(1, BEGIN_MS, msgspec.json.encode(step(1, BEGIN_MS + 60_000, "resolved")))]
    await one.chunk(Chunk("tickets", 0, 1, rest))
    waits = False
    await one.flush(BEGIN_MS + 4 * DAY_MS)
    decided = [decode_fact_batch(sent.value)[1] for sent in outputs.sent if sent.output == DECISIONS]
    kinds = [transition.kind for facts in decided for transition in facts.transitions]
    assert "met" in kinds
    assert "breach" not in kinds


async def test_parked_records_are_not_taken_and_not_safe() -> None:
    one, outputs = stage("complaints")
    one.park(chunk(complaints(10, random.Random(3))))
    assert not await one.advance(BEGIN_MS - 1)
    assert (one.position, one.taken, await one.snapshot(BEGIN_MS)) == (0, 10, 0)
    assert await one.advance(BEGIN_MS)
    assert (one.position, one.taken, await one.snapshot(BEGIN_MS)) == (10, 10, 10)
    assert sum(len(decode_fact_batch(sent.value)[1].observations) for sent in outputs.sent if sent.output == DECISIONS)


async def test_what_is_parked_already_is_not_taken_twice() -> None:
    one, outputs = stage("complaints")
    whole = chunk(complaints(600, random.Random(4)))
    one.park(whole)
    await one.advance(BEGIN_MS)
    one.park(whole)
    await one.chunk(whole)
    await one.flush(BEGIN_MS)
    decided = [decode_fact_batch(sent.value)[1] for sent in outputs.sent if sent.output == DECISIONS]
    assert sum(len(facts.observations) for facts in decided) == 600
