"""Stage 2, deciding: observations, transitions, feeds and deltas in; alerts out.

Composes the detectors, the evidence and the lifecycle, in that order; what each decides is its own business.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from typing import Any, Final

import msgspec

from alerts.actions import Action, Actions, Outcome
from alerts.decision import Decision
from alerts.detectors.feed_silent import FeedSilentDetector
from alerts.detectors.sla import SlaDetector
from alerts.detectors.sla_breach_rate import SlaBreachRateDetector
from alerts.detectors.spikes.detector import SpikeDetector
from alerts.detectors.threshold import ThresholdDetector
from alerts.lifecycle import Lifecycle
from schemas.peaks import Peaks
from schemas.results import PANE_MS, Alert
from schemas.rules import Rule, SpikeRule, matches, slice_parts
from sentiment.words import Words
from streams import window_pages
from streams.evidence import Evidence
from streams.facts import Facts, Forecast
from streams.rule_windows import RuleWindows
from streams.spike_rules import spike_config

PROVISIONAL_MS: Final = PANE_MS  # a pane closes provisionally so long after the newest event time
LOOK_AHEAD_MS: Final = 60_000  # how often forecasts are weighed, in event time
LISTEN_MS: Final = 30_000  # and how often silence is looked for

SourceKey = tuple[str, int]
ONE_SOURCE: Final[SourceKey] = ("", 0)


class Decisions:
    """All rules at once. A deterministic fold over facts and the passing of event time."""

    def __init__(self, rules: tuple[Rule, ...], peaks: Peaks, *, words: Words) -> None:
        self._peaks = peaks
        self._rules = {rule.name: rule for rule in rules}
        enabled = tuple(rule for rule in rules if rule.enabled)
        self._spikes = [SpikeDetector(spike_config(pair, peaks)) for pair in _spike_pairs(enabled)]
        self._thresholds = (
            ThresholdDetector(enabled, phase_at=peaks.phase_at),
            SlaBreachRateDetector(enabled, phase_at=peaks.phase_at),
        )
        self._sla = SlaDetector(enabled, phase_at=peaks.phase_at)
        self._silent = FeedSilentDetector(enabled, phase_at=peaks.phase_at)
        self._windows = RuleWindows(enabled, phase_at=peaks.phase_at)
        self._evidence = Evidence(words)
        self._forecasts: dict[SourceKey, Mapping[Forecast, int]] = {}
        self._weighed_at = self._listened_at = 0
        self.lifecycle = Lifecycle(rules, phase_at=peaks.phase_at)
        self._actions = Actions(self.lifecycle)

    def feed(self, facts: Facts, *, newest_ms: int, source: SourceKey = ONE_SOURCE) -> Iterator[Alert]:
        """Take facts; `newest_ms`: the event time that has been reached with them."""
        for spikes in self._spikes:
            spikes.observe(facts.observations)
        self._evidence.observe(facts.observations)
        if facts.forecast is not None:
            self._forecasts[source] = facts.forecast
        self._windows.add(facts.deltas)
        for transition in facts.transitions:
            yield from self._decide(self._sla.on_transition(transition))
        yield from self._decide(self._silent.feed(facts.feeds))
        yield from self.advance(newest_ms)

    def advance(self, newest_ms: int) -> Iterator[Alert]:
        """What the passing of event time brings."""
        for spikes in self._spikes:
            yield from self._decide(spikes.advance(newest_ms))
        if newest_ms - self._listened_at >= LISTEN_MS:
            self._listened_at = newest_ms
            yield from self._decide(self._silent.advance(newest_ms))
        for row, rules in self._windows.advance((newest_ms - PROVISIONAL_MS) // PANE_MS, self._thresholds):
            for detector in self._thresholds:
                yield from self._decide(detector.on_window_row(row, of=rules))
        for detector in self._thresholds:
            yield from self._decide(detector.advance(newest_ms))
        yield from self._decide(self._sla.advance(newest_ms))
        if self._forecasts and newest_ms - self._weighed_at >= LOOK_AHEAD_MS:
            self._weighed_at = newest_ms
            yield from self._decide(self._sla.on_forecast(newest_ms, _summed(self._forecasts.values())))
        self._evidence.forget(newest_ms)
        yield from self.lifecycle.advance(newest_ms)

    def act(self, action: Action) -> Outcome:
        """What a person does to an alert, at this place of the fold."""
        return self._actions.apply(action)

    def dump(self) -> Iterator[tuple[str, bytes]]:
        """The state as pages."""
        for number, spikes in enumerate(self._spikes):
            yield f"spikes/{number}", spikes.dump()
        state = {
            "thresholds": [detector.dump() for detector in self._thresholds],
            "sla": self._sla.dump(),
            "silent": self._silent.dump(),
            "lifecycle": self.lifecycle.dump(),
            "actions": self._actions.dump(),
            "evidence": self._evidence.dump(),
            "forecasts": [[*source, list(counts.items())] for source, counts in self._forecasts.items()],
            "weighed_at": self._weighed_at,
            "reached": [group.reached for group in self._windows.groups],
        }
        yield "rules", msgspec.msgpack.encode(state)
        for number, group in enumerate(self._windows.groups):
            group.settle()
            for name, page in window_pages.dump_dirty(group.windows):
                yield f"windows/{number}/{name}", page

    def load(self, pages: Mapping[str, bytes]) -> None:
        """Take over the pages of a snapshot; what a changed configuration has no place for is left."""
        state: Any = msgspec.msgpack.decode(pages["rules"], strict=False)
        for number, spikes in enumerate(self._spikes):
            if f"spikes/{number}" in pages:
                spikes.load(pages[f"spikes/{number}"])
        for detector, held in zip(self._thresholds, state["thresholds"], strict=True):
            detector.load(held)
        self._sla.load(state["sla"])
        self._silent.load(state["silent"])
        self.lifecycle.load(state["lifecycle"])
        self._actions.load(state.get("actions", []))
        self._evidence.load(state["evidence"])
        self._forecasts = {
            (topic, partition): {tuple(key): count for key, count in counts}
            for topic, partition, counts in state["forecasts"]
        }
        self._weighed_at = state["weighed_at"]
        for group, reached in zip(self._windows.groups, state["reached"], strict=False):
            group.reached = reached
        for number, group in enumerate(self._windows.groups):
            kind = f"windows/{number}/"
            panes = {name.removeprefix(kind): page for name, page in pages.items() if name.startswith(kind)}
            if panes:
                window_pages.load(group.windows, panes)

    def _decide(self, decisions: Iterable[Decision]) -> Iterator[Alert]:
        for decision in decisions:
            allowed = self._in_phase(decision)
            if allowed is None:
                continue
            evidence = self._evidence.enrich(allowed.evidence, at=allowed.at)
            yield from self.lifecycle.decide(allowed._replace(evidence=evidence))

    def _in_phase(self, decision: Decision) -> Decision | None:
        """What a spike's rule makes of a decision in the promotion's phase: None if it does not speak there."""
        base = self._rules.get(decision.rule)
        if not isinstance(base, SpikeRule) or decision.state == "clear":
            return decision
        labels = decision.labels
        if base.match and not matches(base.match, slice_parts(labels.get("dimension", ""), labels.get("value", ""))):
            return None
        rule = base.in_phase(self._peaks.phase_at(decision.at))
        if not rule.enabled:
            return None
        if decision.state == "raise" and rule.min_ratio is not None and _ratio(decision) < rule.min_ratio:
            return None
        return decision if rule.severity == base.severity else decision._replace(severity=rule.severity)


def _spike_pairs(rules: Iterable[Rule]) -> list[tuple[SpikeRule | None, SpikeRule | None]]:
    """A detector watches one rule of each kind; more of a kind have detectors of their own."""
    of_kind: dict[str, list[SpikeRule]] = {"negative_spike": [], "complaint_spike": []}
    for rule in rules:
        if isinstance(rule, SpikeRule):
            of_kind[rule.kind].append(rule)
    return list(zip_longest(of_kind["negative_spike"], of_kind["complaint_spike"]))


def _ratio(decision: Decision) -> float:
    if decision.value is None or not decision.baseline:
        return float("inf")
    return decision.value / decision.baseline


def _summed(forecasts: Iterable[Mapping[Forecast, int]]) -> dict[Forecast, int]:
    total: dict[Forecast, int] = {}
    for counts in forecasts:
        for key, count in counts.items():
            total[key] = total.get(key, 0) + count
    return total
