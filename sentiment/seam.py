"""Where another judge plugs in: what it must answer, and what happens when it does not.

Decides when an answer is taken and when the built-in judge answers instead. Leaves the other judge's own business (a
network, a graphics card) to its implementation: `agents/remote_judge.py` is one. `tests/suites/judge_suite.py` is the
promise in tests; every implementation runs it.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Executor, Future
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from sentiment.judge import Verdicts

LABELS: Final = frozenset(("negative", "neutral", "positive"))
FallbackReason = Literal["timeout", "error", "bad_answer", "resting"]


class JudgeProtocol(Protocol):
    """A batch of texts in, columns of the same length out."""

    def judge_batch(self, texts: Sequence[str], ratings: Sequence[float | None] | None = None) -> Verdicts:
        """One verdict a text, in order; scores P(positive) in 0 … 1, labels of `LABELS`.

        `ratings` are normalised to 0 … 1, None where there is none. Raises ValueError when the lengths differ; may
        raise anything else when it cannot judge.
        """


@dataclass(frozen=True, slots=True)
class Limits:
    """How much patience the other judge gets. After `failures` failed batches in a row it rests for `rest_s`, so that
    a dead one costs nothing."""

    timeout_s: float = 2.0
    failures: int = 3
    rest_s: float = 30.0

    def __post_init__(self) -> None:
        if not (self.timeout_s > 0 and self.failures > 0 and self.rest_s >= 0):
            raise ValueError(f"{self}: timeout_s and failures must be positive, rest_s not negative")


class Guarded:
    """A judge with a time limit and another one to fall back to; a judge itself.

    `calls` counts the batches, `fallbacks` those that the fall-back judged, by reason. Not for several threads at once:
    a worker has one.
    """

    def __init__(
        self,
        judge: JudgeProtocol,
        fallback: JudgeProtocol,
        *,
        executor: Executor,
        now_s: Callable[[], float],
        limits: Limits | None = None,
    ) -> None:
        """`executor` runs the judge (it needs a thread, and this folder starts none), `now_s` is a monotonic clock."""
        self._judge = judge
        self._fallback = fallback
        self._executor = executor
        self._now_s = now_s
        self._limits = limits or Limits()
        self._failed = 0
        self._rests_until_s = float("-inf")
        self._running: Future[Verdicts] | None = None
        self.calls = 0
        self.fallbacks: Counter[FallbackReason] = Counter()

    def judge_batch(self, texts: Sequence[str], ratings: Sequence[float | None] | None = None) -> Verdicts:
        """As `JudgeProtocol.judge_batch`; raises only what the fall-back raises."""
        if ratings is not None and len(ratings) != len(texts):
            raise ValueError(f"{len(ratings)} ratings for {len(texts)} texts: there must be one for each")
        self.calls += 1
        answer = self._ask(texts, ratings)
        if isinstance(answer, Verdicts):
            self._failed = 0
            return answer
        self.fallbacks[answer] += 1
        if answer != "resting":
            self._failed += 1
            if self._failed >= self._limits.failures:
                self._rests_until_s = self._now_s() + self._limits.rest_s
                self._failed = self._limits.failures - 1  # after the rest one more failure is enough
        return self._fallback.judge_batch(texts, ratings)

    def _ask(self, texts: Sequence[str], ratings: Sequence[float | None] | None) -> Verdicts | FallbackReason:
        if self._now_s() < self._rests_until_s:
            return "resting"
        # A judge that hangs keeps its thread; giving it a second batch would only take the next thread.
        if self._running is not None and not self._running.done():
            return "resting"
        self._running = self._executor.submit(self._judge.judge_batch, texts, ratings)
        try:
            error = self._running.exception(self._limits.timeout_s)
        except TimeoutError:
            self._running.cancel()
            return "timeout"
        except CancelledError:
            return "error"
        if error is not None:
            if not isinstance(error, Exception):  # an interrupt is for the process, not for the judge
                raise error
            return "error"
        answer = self._running.result()
        return answer if is_answer(answer, len(texts)) else "bad_answer"


def is_answer(verdicts: Verdicts, count: int) -> bool:
    """Whether verdicts are columns of `count` scores in 0 … 1 and known labels."""
    columns: tuple[Sequence[object], ...] = (verdicts.text_score, verdicts.score, verdicts.label)
    return (
        all(len(column) == count for column in columns)
        and all(isinstance(score, float) and 0.0 <= score <= 1.0 for column in columns[:2] for score in column)
        and LABELS.issuperset(verdicts.label)
    )
