import asyncio

from faust.types import TP

from agents.stages import Stages

HERE = TP("reviews", 1)


class _Stage:
    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.position = 0
        self.unsaved = False
        self.saved_at: list[int] = []

    async def snapshot(self, now_ms: int) -> int | None:
        self.saved_at.append(now_ms)
        self.unsaved = False
        return self.position


async def _built() -> tuple[Stages[_Stage], _Stage]:
    stage = _Stage()

    async def build(tp: TP, generation: int) -> _Stage:
        return stage

    stages = Stages(build, settle=lambda tp, offset: None, unsaved=lambda stage: stage.unsaved)
    stages.assign([HERE], generation=1)
    await stages.get(HERE)
    return stages, stage


def _looks(stages: Stages[_Stage], *, end: int | None, times: int) -> list[int]:
    """At which of so many looks the partition is named."""
    return [look for look in range(times) if list(stages.overlooked(lambda tp: end)) == [(HERE, 0)]]


async def test_a_delivery_that_never_came_is_asked_for_again_soon_and_then_ever_more_rarely() -> None:
    stages, _ = await _built()
    assert _looks(stages, end=120, times=18) == [1, 2, 4, 8, 16]


async def test_one_that_has_taken_all_is_left_alone() -> None:
    stages, _ = await _built()
    assert _looks(stages, end=0, times=10) == []
    assert _looks(stages, end=None, times=10) == []


async def test_one_that_goes_on_is_left_alone() -> None:
    stages, stage = await _built()
    for _ in range(10):
        stage.position += 5
        assert list(stages.overlooked(lambda tp: 1_000)) == []


async def test_one_that_is_at_work_is_left_alone() -> None:
    stages, stage = await _built()
    async with stage.lock:
        assert _looks(stages, end=120, times=10) == []


async def test_a_partition_given_away_and_back_begins_anew() -> None:
    stages, _ = await _built()
    assert _looks(stages, end=120, times=1) == []
    stages.drop(HERE)
    assert _looks(stages, end=120, times=1) == []
    stages.assign([HERE], generation=2)
    await stages.get(HERE)
    assert _looks(stages, end=120, times=2) == [1]


async def test_a_stage_is_saved_when_its_log_went_on_or_it_did_something_by_itself() -> None:
    """What an escalation told by the clock alone was lost with a worker that ended, and told again by the next."""
    stages, stage = await _built()
    await stages.snapshot(1)
    stage.position = 5
    await stages.snapshot(2)
    await stages.snapshot(3)
    stage.unsaved = True
    await stages.snapshot(4)
    await stages.snapshot(5)
    assert stage.saved_at == [2, 4]
