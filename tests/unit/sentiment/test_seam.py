from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import lru_cache
from threading import Event
from typing import Any

import pytest

from sentiment.judge import Judge, Verdicts, load
from sentiment.seam import Guarded, JudgeProtocol, Limits
from tests.suites.judge_suite import JudgeSuite

GOOD = Verdicts([0.9], [0.9], ["positive"])
FALLBACK = Verdicts([0.1], [0.1], ["negative"])


@lru_cache(maxsize=1)
def built_in() -> Judge:
    return load()


class Answers:
    """A judge that gives what it is told to: verdicts, or an error raised."""

    def __init__(self, *answers: Verdicts | BaseException) -> None:
        self.answers = list(answers)
        self.asked = 0

    def judge_batch(self, texts: Sequence[str], ratings: Sequence[float | None] | None = None) -> Verdicts:
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer


class AtOnce(Executor):
    """Runs in the caller's thread, so that a test needs neither threads nor waiting."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001  a future carries whatever was raised
            future.set_exception(error)
        return future


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def guarded(judge: JudgeProtocol, clock: Clock | None = None, **limits: Any) -> Guarded:
    return Guarded(judge, Answers(FALLBACK), executor=AtOnce(), now_s=clock or Clock(), limits=Limits(**limits))


class TestBuiltIn(JudgeSuite):
    @pytest.fixture
    def judge(self) -> JudgeProtocol:
        return built_in()


class TestGuarded(JudgeSuite):
    @pytest.fixture
    def judge(self) -> Iterator[JudgeProtocol]:
        with ThreadPoolExecutor(1) as executor:
            yield Guarded(built_in(), Answers(FALLBACK), executor=executor, now_s=Clock(), limits=Limits(30.0))


class TestFallenBack(JudgeSuite):
    @pytest.fixture
    def judge(self) -> JudgeProtocol:
        return Guarded(Answers(OSError("away")), built_in(), executor=AtOnce(), now_s=Clock())


def test_an_answer_is_taken_and_no_fallback_counted() -> None:
    judge = guarded(Answers(GOOD))
    assert judge.judge_batch(["好"]) == GOOD
    assert (judge.calls, judge.fallbacks.total()) == (1, 0)


@pytest.mark.parametrize(
    "answer",
    [
        Verdicts([], [], []),
        Verdicts([0.9, 0.9], [0.9, 0.9], ["positive", "positive"]),
        Verdicts([1.2], [0.9], ["positive"]),
        Verdicts([0.9], [float("nan")], ["positive"]),
        Verdicts([0.9], [0.9], ["great"]),
    ],
)
def test_an_answer_that_is_none_is_not_taken(answer: Verdicts) -> None:
    judge = guarded(Answers(answer))
    assert judge.judge_batch(["好"]) == FALLBACK
    assert judge.fallbacks == {"bad_answer": 1}


def test_an_error_falls_back() -> None:
    judge = guarded(Answers(RuntimeError("cuda"), GOOD))
    assert judge.judge_batch(["好"]) == FALLBACK
    assert judge.judge_batch(["好"]) == GOOD
    assert judge.fallbacks == {"error": 1}


def test_an_interrupt_is_not_swallowed() -> None:
    with pytest.raises(KeyboardInterrupt):
        guarded(Answers(KeyboardInterrupt())).judge_batch(["好"])


def test_the_time_limit_holds_and_a_judge_that_hangs_gets_no_second_batch() -> None:
    let_go = Event()

    class Hangs:
        asked = 0

        def judge_batch(self, texts: Sequence[str], ratings: Sequence[float | None] | None = None) -> Verdicts:
            self.asked += 1
            let_go.wait(30)
            return GOOD

    hangs = Hangs()
    with ThreadPoolExecutor(2) as executor:
        judge = Guarded(
            hangs, Answers(FALLBACK), executor=executor, now_s=Clock(), limits=Limits(timeout_s=0.01, failures=9)
        )
        assert judge.judge_batch(["好"]) == FALLBACK
        assert judge.judge_batch(["好"]) == FALLBACK
        let_go.set()
    assert hangs.asked == 1
    assert judge.fallbacks == {"timeout": 1, "resting": 1}


def test_after_failures_in_a_row_the_judge_rests_and_is_then_tried_once() -> None:
    clock, other = Clock(), Answers(OSError("away"))
    judge = guarded(other, clock, failures=2, rest_s=30.0)
    for _ in range(5):
        judge.judge_batch(["好"])
    assert other.asked == 2
    clock.now_s = 30.0
    for _ in range(5):
        judge.judge_batch(["好"])
    assert other.asked == 3
    assert judge.fallbacks == {"error": 3, "resting": 7}


def test_a_judge_that_answers_again_is_asked_again() -> None:
    clock, other = Clock(), Answers(OSError("away"), OSError("away"), GOOD)
    judge = guarded(other, clock, failures=2, rest_s=30.0)
    judge.judge_batch(["好"]), judge.judge_batch(["好"])
    clock.now_s = 31.0
    assert [judge.judge_batch(["好"]) for _ in range(3)] == [GOOD] * 3


@pytest.mark.parametrize("limits", [{"timeout_s": 0}, {"failures": 0}, {"rest_s": -1}])
def test_limits_without_patience_are_refused(limits: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        Limits(**limits)
