import asyncio

from faust.types import TP

from agents.stages import Stages

HERE, THERE = TP("reviews", 1), TP("reviews", 2)


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


class _SlowStage(_Stage):
    """Saves when it is let; `at_work` once it has begun."""

    def __init__(self) -> None:
        super().__init__()
        self.position = 5
        self.at_work, self.may_end = asyncio.Event(), asyncio.Event()

    async def snapshot(self, now_ms: int) -> int | None:
        self.at_work.set()
        await self.may_end.wait()
        return await super().snapshot(now_ms)


async def _two() -> tuple[Stages[_SlowStage], dict[TP, _SlowStage]]:
    """Two stages, of which nothing is safe yet."""
    made = {HERE: _SlowStage(), THERE: _SlowStage()}

    async def build(tp: TP, generation: int) -> _SlowStage:
        return made[tp]

    stages = Stages(build, settle=lambda tp, offset: None)
    stages.assign([HERE, THERE], generation=1)
    for tp, stage in made.items():
        await stages.get(tp)
        stage.position = 7
    return stages, {tp: made[tp] for tp, _ in stages.ready()}  # in the order in which they are gone through


async def test_a_timer_that_waited_for_a_revocation_saves_nothing_of_what_was_let_go() -> None:
    """It did, and the save of a state that is no longer ours ended the worker."""
    stages, made = await _two()
    first, second = made.values()
    letting_go = asyncio.create_task(stages.release(1, made))
    await first.at_work.wait()
    timer = asyncio.create_task(stages.snapshot(2))
    await asyncio.sleep(0)
    first.may_end.set()
    second.may_end.set()
    await asyncio.gather(letting_go, timer)
    assert (first.saved_at, second.saved_at) == ([1], [1])
    assert [stages.owns(tp, stage) for tp, stage in made.items()] == [False, False]


async def test_a_revocation_waits_for_the_save_that_a_timer_began() -> None:
    stages, made = await _two()
    first, second = made.values()
    timer = asyncio.create_task(stages.snapshot(1))
    await first.at_work.wait()
    letting_go = asyncio.create_task(stages.release(2, made))
    await asyncio.sleep(0)
    second.may_end.set()
    await asyncio.sleep(0)
    assert not letting_go.done()
    first.may_end.set()
    await asyncio.gather(letting_go, timer)
    assert (first.saved_at, second.saved_at) == ([1], [1])


async def test_from_its_save_on_a_stage_takes_nothing_more_but_all_stand_until_the_last_is_safe() -> None:
    stages, made = await _two()
    (here, first), (there, second) = made.items()
    first.may_end.set()
    letting_go = asyncio.create_task(stages.release(1, made))
    await second.at_work.wait()
    assert not stages.owns(here, first)
    assert stages.owns(there, second)  # whoever asks has its lock, and so comes before the save or after it
    assert [tp for tp, _ in stages.standing()] == [here, there]
    second.may_end.set()
    await letting_go
    assert list(stages.standing()) == []


async def test_what_is_taken_over_while_others_are_let_go_begins_nothing() -> None:
    stage, late, may_build = _SlowStage(), _SlowStage(), asyncio.Event()

    async def build(tp: TP, generation: int) -> _SlowStage:
        if tp == THERE:
            await may_build.wait()
            return late
        return stage

    stages = Stages(build, settle=lambda tp, offset: None)
    stages.assign([HERE, THERE], generation=1)
    await stages.get(HERE)
    stage.position = 7
    letting_go = asyncio.create_task(stages.release(1, [HERE, THERE]))
    await stage.at_work.wait()
    assert stages.awaited() == [THERE]  # nobody says yet how far the sources have told
    may_build.set()
    assert await stages.get(THERE) is late
    assert not stages.owns(THERE, late)
    late.position = 7
    timer = asyncio.create_task(stages.snapshot(2))
    stage.may_end.set()
    await asyncio.gather(letting_go, timer)
    assert late.saved_at == []
    assert list(stages.standing()) == []


async def test_who_waits_for_a_stage_that_is_let_go_goes_on_without_it() -> None:
    """Its agent would be cancelled with it otherwise, and started anew."""

    async def build(tp: TP, generation: int) -> _Stage:
        return await asyncio.Future()

    stages = Stages(build, settle=lambda tp, offset: None)
    stages.assign([HERE], generation=1)
    waiting = asyncio.create_task(stages.get(HERE))
    await asyncio.sleep(0)
    await stages.release(1, [HERE])
    assert await waiting is None


async def test_the_end_of_the_worker_waits_for_a_revocation_under_way_and_saves_nothing_twice() -> None:
    stages, made = await _two()
    first, second = made.values()
    letting_go = asyncio.create_task(stages.release(1, made))
    await first.at_work.wait()
    ending = asyncio.create_task(stages.release(2))
    second.may_end.set()
    await asyncio.sleep(0)
    assert not ending.done()
    first.may_end.set()
    await asyncio.gather(letting_go, ending)
    assert (first.saved_at, second.saved_at) == ([1], [1])
    assert list(stages.standing()) == []


async def test_a_partition_that_came_back_is_not_the_stage_that_was_let_go() -> None:
    made: list[_Stage] = []

    async def build(tp: TP, generation: int) -> _Stage:
        made.append(_Stage())
        return made[-1]

    stages = Stages(build, settle=lambda tp, offset: None)
    for generation in (1, 2):
        stages.assign([HERE], generation=generation)
        await stages.get(HERE)
        if generation == 1:
            await stages.release(1, [HERE])
    assert [stages.owns(HERE, stage) for stage in made] == [False, True]


class _Stubborn:
    """Take-overs that go on when cancelled, as aiokafka's did, until `may_end`; then they fail or make a stage."""

    def __init__(self, error: Exception | None = None) -> None:
        self.begun: list[int] = []
        self.cancelled = 0
        self.may_end = asyncio.Event()
        self._error = error

    async def build(self, tp: TP, generation: int) -> _Stage:
        self.begun.append(generation)
        while not self.may_end.is_set():
            try:
                await self.may_end.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
        if self._error is not None:
            raise self._error
        stage = _Stage()
        stage.position = 100 * generation
        return stage


async def test_letting_go_waits_for_a_take_over_that_does_not_end_and_cancels_it_again() -> None:
    """It went on with clients that were closed by then, and who waited for it ended the worker with its error."""
    stubborn = _Stubborn(RuntimeError("closed"))
    stages = Stages(stubborn.build, settle=lambda tp, offset: None)
    stages.assign([HERE], generation=1)
    agent = asyncio.create_task(stages.get(HERE))
    await asyncio.sleep(0)
    letting_go = asyncio.create_task(stages.release(1))
    while stubborn.cancelled < 2:
        await asyncio.sleep(0.01)
    assert not letting_go.done()
    stubborn.may_end.set()
    await letting_go
    assert await agent is None


async def test_a_partition_that_comes_back_is_taken_over_once_its_last_take_over_has_ended() -> None:
    stubborn = _Stubborn()
    stages = Stages(stubborn.build, settle=lambda tp, offset: None)
    stages.assign([HERE], generation=1)
    await asyncio.sleep(0)
    stages.assign([], generation=2)
    stages.assign([HERE], generation=3)
    while not stubborn.cancelled:
        await asyncio.sleep(0.01)
    assert stubborn.begun == [1]
    stubborn.may_end.set()
    stage = await stages.get(HERE)
    assert stubborn.begun == [1, 3]
    assert stage is not None
    assert stage.position == stages.saved(HERE) == 300


async def test_a_take_over_that_was_let_go_leaves_nothing_behind() -> None:
    stubborn = _Stubborn()
    stages = Stages(stubborn.build, settle=lambda tp, offset: None)
    stages.assign([HERE], generation=1)
    await asyncio.sleep(0)
    stages.drop(HERE)
    stubborn.may_end.set()
    await stages.release(1)
    assert (list(stages.standing()), stages.saved(HERE)) == ([], 0)
