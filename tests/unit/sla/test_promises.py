"""In a promotion's phase a policy may promise something else to whoever comes then."""

import pytest

from schemas.peaks import Peaks, Phase
from sla.policy import make_policy
from sla.promises import Promises
from sla.step import Step
from sla.watch import SlaWatch

MINUTE = 60_000
T0 = 1_794_315_600_000
FIRST = make_policy("first", clock="first_response", target_ms=10 * MINUTE)
SOLVED = make_policy("solved", clock="resolution", target_ms=60 * MINUTE)
NIGHT = Phase(
    peak="sale", title="", name="night", start_ms=T0, end_ms=T0 + 30 * MINUTE, sla_targets={"first": 40 * MINUTE}
)
DAY = Phase(peak="sale", title="", name="day", start_ms=T0 + 30 * MINUTE, end_ms=T0 + 60 * MINUTE)
PROMISES = Promises((FIRST, SOLVED), Peaks((NIGHT, DAY)))


def created(at_ms: int, *, promises: Promises = PROMISES) -> SlaWatch:
    watch = SlaWatch(promises)
    watch.add_step("t", Step(at_ms, "created", 0, None, False), {})
    return watch


def targets(watch: SlaWatch) -> dict[str, int]:
    return {line.clock: line.target_ms // MINUTE for line in watch.final_lines(T0 + 10_000 * MINUTE)}


@pytest.mark.parametrize(
    ("minute", "target"), [(-1, 10), (0, 40), (29, 40), (30, 10), (60, 10)], ids=lambda value: str(value)
)
def test_the_target_is_that_of_the_phase_in_which_the_ticket_was_created(minute: int, target: int) -> None:
    assert targets(created(T0 + minute * MINUTE)) == {"first_response": target, "resolution": 60}


def test_a_ticket_keeps_its_promise_when_the_phase_is_over_and_when_the_plan_is_gone() -> None:
    watch = created(T0)
    again = SlaWatch([FIRST, SOLVED])
    again.load_page(watch.dump_page(watch.bucket_of("t")))
    assert targets(again) == {"first_response": 40, "resolution": 60}


def test_the_ledger_tells_the_two_promises_apart() -> None:
    told = [created(at).advance(at + 50 * MINUTE) for at in (T0, T0 + 31 * MINUTE)]
    night, day = (next(one for one in transitions if one.kind == "breach") for transitions in told)
    assert (night.policy, day.policy) == ("first", "first")
    assert night.policy_version != day.policy_version == FIRST.version


def test_without_a_plan_all_is_as_the_policies_say() -> None:
    assert list(Promises((FIRST,))) == [FIRST]
    assert targets(created(T0, promises=Promises((FIRST,)))) == {"first_response": 10}
