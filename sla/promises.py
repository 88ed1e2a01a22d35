"""Which policies count for a ticket by when it was created: in a promotion's phase some have another target.

A target says nothing of which tickets a policy is for, so the choice is the same in every phase.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from schemas.peaks import Peaks, Phase
from sla.policy import Policy, make_policy


@dataclass(frozen=True, slots=True)
class Offer:
    """The policies of one time: every `Promises.at` within a phase gives the same object."""

    number: int
    policies: tuple[Policy, ...]


class Promises:
    """Policies, and what the promotion plan changes of their targets."""

    def __init__(self, policies: Iterable[Policy], peaks: Peaks | None = None) -> None:
        self._usual = Offer(0, tuple(policies))
        self._peaks = peaks
        phases = () if peaks is None else peaks.phases
        self._offers = {
            phase.start_ms: Offer(number, tuple(_in_phase(policy, phase) for policy in self._usual.policies))
            for number, phase in enumerate(phases, start=1) if phase.sla_targets
        }  # fmt: skip

    def at(self, created_ms: int) -> Offer:
        """What a ticket is promised that is created at an instant."""
        phase = self._peaks.phase_at(created_ms) if self._offers and self._peaks is not None else None
        return self._usual if phase is None else self._offers.get(phase.start_ms, self._usual)

    def __iter__(self) -> Iterator[Policy]:
        """Every policy that may be chosen at some time."""
        for offer in (self._usual, *self._offers.values()):
            yield from offer.policies


def _in_phase(policy: Policy, phase: Phase) -> Policy:
    target_ms = phase.sla_targets.get(policy.name)
    if target_ms is None:
        return policy
    return make_policy(
        policy.name, clock=policy.clock, target_ms=target_ms, calendar=policy.calendar, match=policy.match,
        warn_at=policy.warn_at,
    )  # fmt: skip
