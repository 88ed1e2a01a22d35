from collections import deque
from typing import Any

from aiokafka.errors import RequestTimedOutError

from agents.transport.membership import Membership, follow_group


def test_the_group_that_was_dealt_to_is_left_alone() -> None:
    membership = Membership()
    membership.dealt(3, ["a", "b"])
    assert not any(membership.seen(3, ["b", "a"]) for _ in range(5))


def test_a_dealt_member_that_is_missing_twice_in_a_row_means_to_join_anew() -> None:
    membership = Membership()
    membership.dealt(3, ["a", "b", "dead"])
    assert not membership.seen(3, ["a", "b"])
    assert membership.seen(3, ["a", "b"])
    assert not membership.seen(3, ["a", "b"]), "and then not again at once"


def test_missing_once_is_a_rebalance_that_begins() -> None:
    membership = Membership()
    membership.dealt(3, ["a", "b"])
    assert [membership.seen(3, who) for who in (["a"], ["a", "b"], ["a"], ["a", "b"])] == [False] * 4


def test_a_follower_takes_the_first_look_as_what_was_dealt() -> None:
    membership = Membership()
    assert [membership.seen(4, who) for who in (["a", "b"], ["a"], ["a"])] == [False, False, True]


def test_a_new_generation_begins_anew() -> None:
    membership = Membership()
    membership.dealt(3, ["a", "b"])
    assert [membership.seen(number, ["a"]) for number in (3, 4, 4, 5)] == [False] * 4


class _Future:
    def __init__(self) -> None:
        self.set = False

    def done(self) -> bool:
        return self.set


class _Answer:
    def __init__(self, state: str, *members: str) -> None:
        self.groups = [(0, "g", state, "consumer", "faust", [(member, "", "", b"", b"") for member in members])]


class _Coordinator:
    """What of aiokafka's coordinator is used, with a script of answers."""

    group_id = "g"

    def __init__(self, *answers: _Answer | Exception, alive: bool = True) -> None:
        self.generation = 7
        self.left = 0
        self._alive = alive
        self._answers = deque(answers)
        self._rejoin_needed_fut = _Future()

    async def _do_heartbeat(self) -> bool:
        return self._alive

    async def _perform_assignment(self, response: Any) -> str:
        return "dealt"

    async def _send_req(self, request: Any) -> _Answer:
        answer = self._answers.popleft()
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def _maybe_leave_group(self) -> None:
        self.left += 1


class _Response:
    members = (("a", None, b""), ("dead", None, b""))


async def _hear(coordinator: _Coordinator, *, beats: int) -> list[int]:
    """Heartbeats a second apart, a look every second."""
    sent: list[int] = []
    now = iter(range(0, 1_000_000, 1_000))
    follow_group(coordinator, sent=sent.append, now_ms=lambda: next(now), every_ms=1_000)
    assert await coordinator._perform_assignment(_Response()) == "dealt"
    for _ in range(beats):
        await coordinator._do_heartbeat()
    return sent


async def test_a_leader_leaves_when_one_that_it_dealt_to_has_gone() -> None:
    coordinator = _Coordinator(_Answer("Stable", "a"), _Answer("Stable", "a"))
    assert await _hear(coordinator, beats=2) == [1_000, 2_000]
    assert coordinator.left == 1


async def test_a_rebalance_under_way_is_left_to_itself() -> None:
    coordinator = _Coordinator(*[_Answer("PreparingRebalance", "a")] * 3)
    await _hear(coordinator, beats=3)
    assert coordinator.left == 0
    coordinator = _Coordinator(*[_Answer("Stable", "a")] * 3)
    coordinator._rejoin_needed_fut.set = True
    await _hear(coordinator, beats=3)
    assert coordinator.left == 0


async def test_a_look_that_fails_is_none() -> None:
    coordinator = _Coordinator(RequestTimedOutError(), _Answer("Stable", "a"), RequestTimedOutError())
    assert len(await _hear(coordinator, beats=3)) == 3
    assert coordinator.left == 0


async def test_a_heartbeat_that_failed_is_no_sign_of_life() -> None:
    assert await _hear(_Coordinator(alive=False), beats=3) == []
