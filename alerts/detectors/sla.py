"""Alerts of single tickets' clocks, and of many that are about to breach at once.

The instants come from `sla/`; here a transition becomes a decision under the first rule of its kind that
matches. A warning goes on beside its breach: both resolve when the clock stops (rule A3), or are taken back
(rule A2).
"""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, Protocol

import msgspec

from alerts.decision import Decision
from alerts.rhythm import PhaseAt, Rhythm, no_phase
from schemas.results import AlertKind
from schemas.rules import BreachWaveRule, Rule, SlaTicketRule, matches
from schemas.rules.types import FORECAST

DIMS: Final = ("category", "channel", "region", "customer_tier", "shop_id", "product_id", "priority", "queue")
KIND_OF: Final[Mapping[str, AlertKind]] = {"warning": "sla_warning", "breach": "sla_breach"}
STOPS: Final = ("met", "stopped")

Clock = tuple[str, str, int]  # ticket, clock, cycle
Forecast = tuple[str, str, int]  # queue, clock, horizon in ms


class Moment(Protocol):
    """A transition of a clock as `sla.transition.Transition` has it; `dims` are in the order of `DIMS`."""

    @property
    def ticket_id(self) -> str: ...
    @property
    def clock(self) -> str: ...
    @property
    def cycle(self) -> int: ...
    @property
    def kind(self) -> Literal["warning", "breach", "met", "stopped", "corrected"]: ...
    @property
    def at_ms(self) -> int: ...
    @property
    def elapsed_ms(self) -> int: ...
    @property
    def target_ms(self) -> int: ...
    @property
    def policy(self) -> str: ...
    @property
    def dims(self) -> tuple[str, ...]: ...
    @property
    def corrects(self) -> str | None: ...


class Told(msgspec.Struct, gc=False):
    """What was told of a clock: by kind of alert the rule, the instant and the policy."""

    alerts: dict[str, tuple[str, int, str]] = {}
    stopped_at: int | None = None


class SlaDetector:
    """All rules of the kinds sla_breach and sla_warning, and the breach waves."""

    def __init__(self, rules: Iterable[Rule], *, phase_at: PhaseAt = no_phase) -> None:
        self._phase_at = phase_at
        self._told: dict[Clock, Told] = {}
        self._stopped: deque[tuple[int, Clock]] = deque()
        self._waves: dict[tuple[str, str, str], int] = {}  # rule, queue, clock -> tickets told
        self._memory_ms = Rhythm().ticket_memory_ms
        self.reconfigure(rules)

    def reconfigure(self, rules: Iterable[Rule]) -> None:
        """Go on with other rules; what was told resolves under the rule that told it."""
        listed = list(rules)
        self._rules = [rule for rule in listed if isinstance(rule, SlaTicketRule)]
        self._wave_rules = [rule for rule in listed if isinstance(rule, BreachWaveRule)]
        names = {rule.name for rule in self._wave_rules}
        self._waves = {key: count for key, count in self._waves.items() if key[0] in names}

    def on_transition(self, moment: Moment) -> list[Decision]:
        """What a clock's transition changes."""
        clock = (moment.ticket_id, moment.clock, moment.cycle)
        if moment.kind in KIND_OF:
            return self._raise(clock, moment, KIND_OF[moment.kind])
        told = self._told.get(clock)
        if told is None:
            return []
        if moment.kind in STOPS:
            told.stopped_at = moment.at_ms
            self._stopped.append((moment.at_ms, clock))
            return [self._decision(clock, moment, kind, told, "clear") for kind in told.alerts]
        if moment.corrects in STOPS:
            if told.stopped_at is None:
                return []
            told.stopped_at = None
            return [self._decision(clock, moment, kind, told, "update", "corrected") for kind in told.alerts]
        kind = KIND_OF.get(moment.corrects or "")
        if kind is None or kind not in told.alerts or told.alerts[kind][1] != moment.at_ms:
            return []
        taken_back = self._decision(clock, moment, kind, told, "clear", "corrected")
        del told.alerts[kind]
        if not told.alerts:
            del self._told[clock]
        return [taken_back]

    def on_forecast(self, at: int, counts: Mapping[Forecast, int]) -> list[Decision]:
        """How many running clocks will breach within each horizon, by queue: one alert a wave."""
        out: list[Decision] = []
        for base in self._wave_rules:
            rule = base.in_phase(self._phase_at(at))
            due = {
                (rule.name, queue, clock): count for (queue, clock, horizon), count in counts.items()
                if horizon == rule.horizon_ms and matches(rule.match, {"queue": queue, "clock": clock})
            }  # fmt: skip
            told = {key for key in self._waves if key[0] == rule.name}
            for key in sorted(due.keys() | told):
                out += self._wave(rule, key, due.get(key, 0), at)
        return out

    def advance(self, to_ms: int) -> list[Decision]:
        """Forget clocks that stopped long ago; a stop that is taken back later reopens nothing."""
        while self._stopped and self._stopped[0][0] + self._memory_ms <= to_ms:
            at, clock = self._stopped.popleft()
            told = self._told.get(clock)
            if told is not None and told.stopped_at == at:
                del self._told[clock]
        return []

    def dump(self) -> dict[str, Any]:
        """The state as values that msgpack knows, for `load`; the clocks, which may be many, as one packed."""
        return {
            "told": msgspec.msgpack.encode([(*clock, told) for clock, told in self._told.items()]),
            "waves": [[*key, count] for key, count in sorted(self._waves.items())],
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go on from what `dump` gave."""
        held = msgspec.msgpack.decode(state["told"], type=list[tuple[str, str, int, Told]])
        self._told = {(ticket, clock, cycle): told for ticket, clock, cycle, told in held}
        stops = [(one.stopped_at, clock) for clock, one in self._told.items() if one.stopped_at is not None]
        self._stopped = deque(sorted(stops))
        self._waves = {(rule, queue, clock): count for rule, queue, clock, count in state["waves"]}

    def _raise(self, clock: Clock, moment: Moment, kind: AlertKind) -> list[Decision]:
        fields = dict(zip(DIMS, moment.dims, strict=True)) | {"clock": moment.clock, "policy": moment.policy}
        for base in self._rules:
            rule = base.in_phase(self._phase_at(moment.at_ms))
            if rule.kind == kind and rule.enabled and matches(rule.match, fields):
                told = self._told.setdefault(clock, Told())
                told.alerts[kind] = (rule.name, moment.at_ms, moment.policy)
                return [self._decision(clock, moment, kind, told, "raise")]
        return []

    def _decision(self, clock: Clock, moment: Moment, kind: str, told: Told, state: Any, reason: str = "") -> Decision:
        name, at, policy = told.alerts[kind]
        labels = {"ticket_id": moment.ticket_id, "clock": moment.clock, "policy": policy}
        if moment.cycle:
            labels["cycle"] = str(moment.cycle)
        evidence: dict[str, Any] = {key: value for key, value in zip(DIMS, moment.dims, strict=True) if value}
        evidence |= {"target_ms": moment.target_ms, "elapsed_ms": moment.elapsed_ms}
        if kind == "sla_warning" and state == "raise":
            evidence["left_ms"] = moment.target_ms - moment.elapsed_ms
        base = next((one for one in self._rules if one.name == name), None)
        severity = base.in_phase(self._phase_at(at)).severity if base is not None else "warning"
        return Decision(
            rule=name, kind=KIND_OF[kind.removeprefix("sla_")], state=state, severity=severity, labels=labels,
            at=moment.at_ms, starts_at=at, value=float(moment.elapsed_ms), baseline=float(moment.target_ms),
            evidence=evidence, reason=reason,
        )  # fmt: skip

    def _wave(self, rule: BreachWaveRule, key: tuple[str, str, str], count: int, at: int) -> list[Decision]:
        told = self._waves.get(key)
        # A wave ebbs below half of its height, so that one ticket more or less does not flap.
        holds = rule.enabled and (count > rule.above if told is None else count > rule.above / 2)
        if not holds and told is None:
            return []
        if holds:
            self._waves[key] = count
        else:
            del self._waves[key]
        state: Any = "raise" if told is None else "update" if holds else "clear"
        if state == "update" and count == told:
            return []
        _, queue, clock = key
        return [Decision(
            rule=rule.name, kind="threshold", state=state, severity=rule.severity,
            labels={"queue": queue, "clock": clock}, at=at, starts_at=at,
            value=float(count), baseline=rule.above,
            evidence={"figure": FORECAST, "horizon_ms": rule.horizon_ms, "count": count},
        )]  # fmt: skip
