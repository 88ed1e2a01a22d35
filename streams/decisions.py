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
from alerts.detectors.spikes.config import SpikeConfig
from alerts.detectors.spikes.detector import SpikeDetector
from alerts.detectors.threshold import ThresholdDetector
from alerts.lifecycle import Lifecycle
from alerts.peaks import Peak
from schemas.peaks import Peaks
from schemas.results import PANE_MS, Alert
from schemas.rules import Rule, SpikeRule
from sentiment.words import Words
from streams import window_pages
from streams.evidence import Evidence
from streams.facts import Facts, Forecast
from streams.rule_windows import RuleWindows
from streams.spike_rules import by_rule, spike_config

PROVISIONAL_MS: Final = PANE_MS  # a pane closes provisionally so long after the newest event time
LOOK_AHEAD_MS: Final = 60_000  # how often forecasts are weighed, in event time
LISTEN_MS: Final = 30_000  # and how often silence is looked for

INCIDENTS: Final = "incidents/"  # pages' names begin so

SourceKey = tuple[str, int]
ONE_SOURCE: Final[SourceKey] = ("", 0)


class Decisions:
    """All rules at once. A deterministic fold over facts and the passing of event time."""

    def __init__(self, rules: tuple[Rule, ...], peaks: Peaks, *, words: Words) -> None:
        self.peak = Peak(peaks)
        self._rules = {rule.name: rule for rule in rules}
        enabled = tuple(rule for rule in rules if rule.enabled)
        configs = [(pair, spike_config(pair, peaks)) for pair in _spike_pairs(enabled)]
        named = [(_spike_name(pair, config), pair, config) for pair, config in configs]
        self._spikes = {name: SpikeDetector(config) for name, _, config in named}
        self._pairs = {name: [rule.name for rule in pair if rule is not None] for name, pair, _ in named}
        self._thresholds = (
            ThresholdDetector(enabled, phase_at=self.peak.phase_at),
            SlaBreachRateDetector(enabled, phase_at=self.peak.phase_at),
        )
        self._sla = SlaDetector(enabled, phase_at=self.peak.phase_at)
        self._silent = FeedSilentDetector(enabled, phase_at=self.peak.phase_at)
        self._windows = RuleWindows(enabled, phase_at=self.peak.phase_at)
        self._evidence = Evidence(words)
        self._forecasts: dict[SourceKey, Mapping[Forecast, int]] = {}
        self._weighed_at = self._listened_at = 0
        self.lifecycle = Lifecycle(rules, phase_at=self.peak.phase_at)
        self._actions = Actions(self.lifecycle)
        self._pages: set[str] = set()  # that a snapshot holds, of those that come and go with rules
        self._stale: set[str] = set()

    def feed(self, facts: Facts, *, newest_ms: int, source: SourceKey = ONE_SOURCE) -> Iterator[Alert]:
        """Take facts; `newest_ms`: the event time that has been reached with them."""
        self.peak.feed(facts.feeds)
        for spikes in self._spikes.values():
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
        for spikes in self._spikes.values():
            yield from self._decide(spikes.advance(newest_ms))
        if newest_ms - self._listened_at >= LISTEN_MS:
            self._listened_at = newest_ms
            yield from self._decide(self._silent.advance(newest_ms))
        for row, rules in self._windows.advance((newest_ms - PROVISIONAL_MS) // PANE_MS, self._thresholds):
            for detector in self._thresholds:
                yield from self._decide(detector.on_window_row(row, of=rules))
        reached = self._windows.reached()
        for detector in self._thresholds:
            yield from self._decide(detector.advance(reached))
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
        """The state as pages; an empty one is of what a configuration before this one had."""
        stale, self._stale = self._stale, set()
        yield from ((name, b"") for name in sorted(stale))
        for name, spikes in self._spikes.items():
            yield f"spikes/{name}", spikes.dump()
        yield "rules", msgspec.msgpack.encode(self._state())
        incidents = {f"{INCIDENTS}{name}": page for name, page in self.lifecycle.pages().items()}
        gone = {name for name in self._pages if name.startswith(INCIDENTS)} - incidents.keys()
        yield from ((name, b"") for name in sorted(gone))
        yield from incidents.items()
        self._pages = (self._pages - gone) | incidents.keys()
        for group in self._windows.groups:
            group.settle()
            for name, page in window_pages.dump_dirty(group.windows):
                self._pages.add(f"windows/{group.name}/{name}")
                yield f"windows/{group.name}/{name}", page
        self._pages |= {f"spikes/{name}" for name in self._spikes}

    def load(self, pages: Mapping[str, bytes]) -> list[Alert]:
        """Take over the pages of a snapshot, as `succeed` does when they were saved under other rules."""
        state: Any = msgspec.msgpack.decode(pages["rules"], strict=False)
        for group in self._windows.groups:
            own = _under(f"windows/{group.name}/", pages)
            if own:
                window_pages.load(group.windows, own)
        self._take_pages({name for name in pages if "/" in name})
        return self._take(state, spikes=_under("spikes/", pages), incidents=_under(INCIDENTS, pages))

    def succeed(self, other: "Decisions") -> list[Alert]:
        """Go on from where those of another configuration stand; what the change of rules makes of what runs.

        A rule that looks at the same figures and slices goes on with what it knows; one that does not begins anew.
        `other` must not be used after.
        """
        groups = {group.name: group for group in other._windows.groups}
        for group in self._windows.groups:
            if group.name in groups:
                group.succeed(groups[group.name])
        self._take_pages(other._pages)
        spikes = {name: detector.dump() for name, detector in other._spikes.items()}
        return self._take(other._state(), spikes=spikes, incidents=other.lifecycle.pages())

    def _state(self) -> dict[str, Any]:
        """All but the windows, the spike detectors and the incidents."""
        return {
            "thresholds": [detector.dump() for detector in self._thresholds],
            "sla": self._sla.dump(),
            "silent": self._silent.dump(),
            "lifecycle": self.lifecycle.dump(),
            "actions": self._actions.dump(),
            "peak": self.peak.dump(),
            "evidence": self._evidence.dump(),
            "forecasts": [[*source, list(counts.items())] for source, counts in self._forecasts.items()],
            "weighed_at": self._weighed_at,
            "listened_at": self._listened_at,
            "reached": {group.name: group.reached for group in self._windows.groups},
            "spikes": {rule: name for name, pair in self._pairs.items() for rule in pair},
        }

    def _take(
        self, state: dict[str, Any], *, spikes: Mapping[str, bytes], incidents: Mapping[str, bytes]
    ) -> list[Alert]:
        for name, detector in self._spikes.items():
            if name in spikes:
                detector.load(spikes[name])
        for threshold, held in zip(self._thresholds, state["thresholds"], strict=True):
            threshold.load(held)
        self._sla.load(state["sla"])
        self._silent.load(state["silent"])
        self.lifecycle.load(state["lifecycle"], incidents)
        self._actions.load(state["actions"])
        self.peak.load(state["peak"])
        self._evidence.load(state["evidence"])
        self._forecasts = {
            (topic, partition): {tuple(key): count for key, count in counts}
            for topic, partition, counts in state["forecasts"]
        }
        self._weighed_at, self._listened_at = state["weighed_at"], state["listened_at"]
        for group in self._windows.groups:
            group.reached = max(group.reached, state["reached"].get(group.name, 0))
        now = {rule: name for name, pair in self._pairs.items() for rule in pair}
        anew = {rule for rule, name in state["spikes"].items() if now.get(rule, name) != name}
        return self.lifecycle.reconfigure(self._rules.values(), anew=anew)

    def _take_pages(self, names: set[str]) -> None:
        """What of saved pages is of no more use."""
        ours = (
            *(f"windows/{group.name}/" for group in self._windows.groups),
            *(f"spikes/{one}" for one in self._spikes),
            INCIDENTS,
        )
        self._pages = {name for name in names if name.startswith(ours)}
        self._stale = names - self._pages

    def _decide(self, decisions: Iterable[Decision]) -> Iterator[Alert]:
        for decision in decisions:
            allowed = self._in_phase(decision)
            if allowed is None:
                continue
            evidence = self._evidence.enrich(allowed.evidence, at=allowed.at)
            yield from self.lifecycle.decide(allowed._replace(evidence=evidence))

    def _in_phase(self, decision: Decision) -> Decision | None:
        """What a spike's rule makes of a decision, here and now: None if it does not speak of it."""
        base = self._rules.get(decision.rule)
        if not isinstance(base, SpikeRule):
            return decision
        running = self.lifecycle.runs(decision.rule, decision.labels)
        return by_rule(decision, base, phase=self.peak.phase_at(decision.at), running=running)


def _under(kind: str, pages: Mapping[str, bytes]) -> dict[str, bytes]:
    """The pages whose names begin so, by the rest of their names."""
    return {name.removeprefix(kind): page for name, page in pages.items() if name.startswith(kind)}


def _spike_pairs(rules: Iterable[Rule]) -> list[tuple[SpikeRule | None, SpikeRule | None]]:
    """A detector watches one rule of each kind; more of a kind have detectors of their own."""
    of_kind: dict[str, list[SpikeRule]] = {"negative_spike": [], "complaint_spike": []}
    for rule in rules:
        if isinstance(rule, SpikeRule):
            of_kind[rule.kind].append(rule)
    return list(zip_longest(of_kind["negative_spike"], of_kind["complaint_spike"]))


def _spike_name(pair: tuple[SpikeRule | None, SpikeRule | None], config: SpikeConfig) -> str:
    """What a detector's state is good for: the same rules on the same slices."""
    slices = " ".join("+".join(one) for one in config.slices)
    return ",".join(rule.name if rule is not None else "" for rule in pair) + ":" + slices


def _summed(forecasts: Iterable[Mapping[Forecast, int]]) -> dict[Forecast, int]:
    total: dict[Forecast, int] = {}
    for counts in forecasts:
        for key, count in counts.items():
            total[key] = total.get(key, 0) + count
    return total
