"""Actions from their topic into the log of the decisions: each once, and what is none whole among the dead letters."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pytest

from agents.action_stage import ActionPorts, ActionStage, check
from agents.broker import Partition
from agents.claims import NOBODY, Mark
from agents.takeover import Journal, decode_journals
from agents.transport.chunks import Chunk
from alerts.actions import Acknowledge, encode_action
from schemas.errors import BadEvent
from schemas.events import MAX_AHEAD_MS
from schemas.results import DeadLetter
from schemas.topics import ACTIONS, DEAD_LETTERS, OBSERVATIONS
from storage.rows import Row
from tests.unit.agents.lines import Line

T0: Final = 1_793_980_800_000
PLACE: Final[Partition] = (OBSERVATIONS, 0)


class World:
    """The outputs, the store and the page store at once."""

    def __init__(self, *, fence: int = 0) -> None:
        self.fence = fence  # offsets below it count already
        self.sent: list[tuple[int, bytes]] = []
        self.letters: list[tuple[str, bytes]] = []
        self.rows: list[Row] = []
        self.asked: list[str] = []
        self.root: Mapping[str, Any] = {}
        self.journals = {PLACE: Journal(7, NOBODY)}

    async def send(self, output: Partition, value: bytes, *, start: int, mark: Mark) -> bool:
        assert (output, mark) == (PLACE, Mark(start + 1, 0))
        if mark.to <= self.fence:
            return False
        self.sent.append((start, value))
        return True

    async def flush(self) -> None:
        self.asked.append("flush")

    async def write(self, rows: Sequence[Row]) -> int:
        self.rows += rows
        return len(self.rows)

    async def safe(self, ticket: int) -> None:
        self.asked.append(f"safe {ticket}")

    async def save(self, pages: Mapping[str, bytes], root: Mapping[str, Any]) -> None:
        self.asked.append("save")
        self.root = root

    async def letter(self, topic: str, key: bytes, value: bytes) -> None:
        self.letters.append((topic, value))


def stage(world: World, *, position: int = 0) -> ActionStage:
    ports = ActionPorts(world, PLACE, world, world, world.letter)  # type: ignore[arg-type]  # a stand-in for `Outputs`
    return ActionStage(ports, position=position)


def action(number: int, *, at: int = T0) -> bytes:
    return encode_action(Acknowledge(action_id=str(number), who="li", at=at, alert_id="a"))


def chunk(*values: bytes, start: int = 0) -> Chunk:
    return Chunk(ACTIONS, 0, start, [Line(start + number, T0, value) for number, value in enumerate(values)])


async def test_each_action_is_a_batch_of_its_own_in_the_order_of_the_topic() -> None:
    world = World()
    one = stage(world)
    await one.chunk(chunk(action(0), action(1)), now_ms=0)
    assert world.sent == [(0, action(0)), (1, action(1))]
    assert (one.position, world.asked) == (2, ["flush"])


async def test_what_counts_already_and_what_lies_before_the_snapshot_is_not_sent_again() -> None:
    world = World(fence=2)
    await stage(world, position=1).chunk(chunk(action(0), action(1), action(2)), now_ms=0)
    assert world.sent == [(2, action(2))]


@pytest.mark.parametrize("value", [b"", b"{", b'{"action":"explode"}', action(1, at=T0 + MAX_AHEAD_MS + 1)])
async def test_what_is_no_action_is_a_dead_letter_and_holds_up_nothing(value: bytes) -> None:
    world = World()
    await stage(world).chunk(chunk(value, action(2)), now_ms=0)
    assert [start for start, _ in world.sent] == [1]
    (letter,) = world.rows
    assert isinstance(letter, DeadLetter)
    assert (letter.topic, letter.offset, letter.raw) == (ACTIONS, 0, value)
    ((topic, line),) = world.letters
    assert (topic, json.loads(line)["topic"]) == (DEAD_LETTERS, ACTIONS)


async def test_an_offset_may_be_committed_once_rows_and_the_place_in_the_log_are_safe() -> None:
    world = World()
    one = stage(world)
    await one.chunk(chunk(action(0)), now_ms=0)
    assert await one.snapshot(0) == 1
    assert world.asked == ["flush", "safe 0", "save"]
    assert world.root["position"] == 1
    assert decode_journals(world.root["journals"]) == world.journals


def test_a_clock_that_is_a_little_ahead_is_believed() -> None:
    check(action(0, at=T0 + MAX_AHEAD_MS), received_at=T0)
    with pytest.raises(BadEvent, match="ahead of the clock"):
        check(action(0, at=T0 + MAX_AHEAD_MS + 1), received_at=T0)
