"""A feed that has fallen silent: a topic × channel, or a whole topic, far beyond its learnt cadence.

What a setting means: `false_alarm_days: 30` is about one false alarm in 30 days, all feeds together. A gap
can begin after every pane that had an event, so a silence is an alarm when its probability (`cadence.py`)
is under 1 / (30 * the panes with an event a day, of all feeds). Nothing is said of a feed known for less than
`min_history`, nor of a silence under `min_silence`, which leaves room for a producer's restart.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from alerts.decision import Decision
from alerts.detectors.cadence import Cadence, dump_cadence, load_cadence, new_cadence
from alerts.rhythm import PhaseAt, no_phase
from schemas.results import PANE_MS
from schemas.rules import FeedSilentRule, Rule, matches
from schemas.zones import DEFAULT_ZONE

WHOLE_TOPIC: Final = "*"
RETIRE_MS: Final = 48 * 3_600_000  # silent for so long, a feed counts as given up: learnt anew
FORGET_MS: Final = 30 * 86_400_000  # a feed that was never alarming is forgotten
MAX_FEEDS: Final = 2000  # channels are free text: beyond this, new ones are left unwatched
OVERDUE: Final = 5.0  # events: a channel that owes so many fell silent before its topic did
HEAVY: Final = 0.2  # share of a topic's orders; without a channel so large, all rates of complaints are wrong

Feed = tuple[str, str]  # topic, channel
Due = tuple[int, bool, Feed, str]  # when, whether of a channel, feed, rule ('': given up)
_SPIKE: Final = {"reviews": "negative_spike", "complaints": "complaint_spike", "orders": "complaint_spike"}


class Coverage(NamedTuple):
    """How much of what should be heard is heard."""

    expected: int
    alive: int
    silent: tuple[Feed, ...]

    @property
    def share(self) -> float | None:
        """Alive of expected feeds; None while nothing is expected yet."""
        return self.alive / self.expected if self.expected else None


class FeedSilentDetector:
    """All rules of the kind feed_silent. `advance` only up to what every input has been read to."""

    def __init__(self, rules: Iterable[Rule], *, phase_at: PhaseAt = no_phase, zone: str = DEFAULT_ZONE) -> None:
        self._phase_at = phase_at
        self._zone = zone
        self._feeds: dict[Feed, Cadence] = {}
        self._told: dict[Feed, str] = {}  # feed -> the rule that told of it
        self._now = 0
        self.reconfigure(rules)

    def reconfigure(self, rules: Iterable[Rule]) -> None:
        """Go on with other rules; what was learnt stays."""
        self._rules = {rule.name: rule for rule in rules if isinstance(rule, FeedSilentRule)}
        for feed in [feed for feed, name in self._told.items() if name not in self._rules]:
            del self._told[feed]
            self._feeds[feed].silent_since = None

    def feed(self, counts: Mapping[tuple[str, str, int], int]) -> list[Decision]:
        """Events by topic, channel and pane number since the epoch; a feed that speaks clears its alarm."""
        out: list[Decision] = []
        whole: dict[tuple[str, int], int] = {}
        for (topic, channel, pane), count in sorted(counts.items(), key=lambda item: (item[0][2], item[0])):
            whole[topic, pane] = whole.get((topic, pane), 0) + count
            out += self._seen((topic, channel), (pane + 1) * PANE_MS, count)
        for (topic, pane), count in whole.items():
            out += self._seen((topic, WHOLE_TOPIC), (pane + 1) * PANE_MS, count)
        return out

    def advance(self, to_ms: int) -> list[Decision]:
        """The silences that became alarms by an instant, each at the end of the pane in which it did."""
        if to_ms <= self._now:
            return []
        since, self._now = self._now, to_ms
        gaps = sum(one.panes for one in self._feeds.values())
        due = [one for feed in self._feeds for one in self._due(feed, since, gaps)]
        heapq.heapify(due)
        out: list[Decision] = []
        while due:
            at, narrow, feed, name = heapq.heappop(due)
            if name:
                out += self._raise(feed, self._rules[name], at)
                if narrow is False:
                    out += self._fold(feed[0], at)
                for one in self._due(feed, at - 1, gaps) if feed in self._told else ():
                    heapq.heappush(due, one)
            elif feed in self._told:
                out += self._retire(feed, at)
        for feed in [feed for feed, one in self._feeds.items() if to_ms - one.last_at > FORGET_MS]:
            if feed not in self._told:
                del self._feeds[feed]
        return out

    def coverage(self) -> Coverage:
        """Which of the learnt feeds speak, by the alarms that go on."""
        least = min((rule.min_history_ms for rule in self._rules.values()), default=0)
        learnt = [feed for feed, one in self._feeds.items()
                  if feed[1] != WHOLE_TOPIC and one.last_at - one.first_at >= least]  # fmt: skip
        silent = tuple(sorted(
            feed for feed in learnt if feed in self._told or (feed[0], WHOLE_TOPIC) in self._told
        ))  # fmt: skip
        return Coverage(len(learnt), len(learnt) - len(silent), silent)

    def dump(self) -> dict[str, Any]:
        """The state as plain values for `load`."""
        return {
            "now": self._now,
            "feeds": [[*feed, dump_cadence(one)] for feed, one in sorted(self._feeds.items())],
            "told": [[*feed, name] for feed, name in sorted(self._told.items())],
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go on from what `dump` gave."""
        self._now = state["now"]
        self._feeds = {(topic, channel): load_cadence(one) for topic, channel, one in state["feeds"]}
        self._told = {(topic, channel): name for topic, channel, name in state["told"]}
        self.reconfigure(list(self._rules.values()))

    def _seen(self, feed: Feed, end: int, count: int) -> list[Decision]:
        known = self._feeds.get(feed)
        if known is None:
            if len(self._feeds) >= MAX_FEEDS:
                return []
            known = self._feeds[feed] = new_cadence(end - PANE_MS)
        name = self._told.get(feed)
        out: list[Decision] = []
        if name is not None and end > known.last_at:
            out.append(self._decision(feed, self._rules[name], "clear", end, ""))
            del self._told[feed]
        if (feed[0], WHOLE_TOPIC) in self._told:
            known.silent_since = known.last_at  # what was lost with the whole topic teaches nothing
        known.seen(end, count, zone=self._zone)
        known.silent_since = None
        return out

    def _due(self, feed: Feed, since: int, gaps: float) -> Iterator[Due]:
        """What time alone brings for a feed, after `since` and by now: an alarm, or its end as given up."""
        cadence = self._feeds[feed]
        if feed in self._told:
            at = cadence.last_at + RETIRE_MS
            if since < at <= self._now:
                yield at, True, feed, ""
        elif cadence.silent_since is None:
            for base in self._rules.values():
                rule = base.in_phase(self._phase_at(cadence.last_at))
                alarm_at = self._alarm_at(feed, cadence, rule, since=since, gaps=gaps)
                if alarm_at is not None:
                    yield alarm_at, feed[1] != WHOLE_TOPIC, feed, rule.name
                    return

    def _alarm_at(self, feed: Feed, cadence: Cadence, rule: FeedSilentRule, *, since: int, gaps: float) -> int | None:
        """The end of the first pane by which the silence is an alarm under a rule; None if it is none yet."""
        watched = rule.enabled and feed[0] in rule.topics and matches(rule.match, {"channel": feed[1]})
        if not watched or cadence.last_at - cadence.first_at < rule.min_history_ms:
            return None
        first = max(cadence.last_at + rule.min_silence_ms, since + 1)
        last = min(self._now, cadence.last_at + RETIRE_MS - PANE_MS)
        low, high = -(-first // PANE_MS), last // PANE_MS
        limit = 1.0 / (rule.false_alarm_days * max(1.0, gaps))
        if high < low or cadence.oddness(high * PANE_MS, zone=self._zone) >= limit:
            return None
        while low < high:  # the longer the silence the odder: halve to the first pane
            middle = (low + high) // 2
            if cadence.oddness(middle * PANE_MS, zone=self._zone) < limit:
                high = middle
            else:
                low = middle + 1
        return low * PANE_MS

    def _raise(self, feed: Feed, rule: FeedSilentRule, at: int) -> list[Decision]:
        topic = (feed[0], WHOLE_TOPIC)
        if topic in self._told or (feed == topic and not self._speaks_for_all(topic)):
            return []
        self._told[feed] = rule.name
        self._feeds[feed].silent_since = self._feeds[feed].last_at
        return [self._decision(feed, rule.in_phase(self._phase_at(at)), "raise", at, "")]

    def _fold(self, topic: str, at: int) -> list[Decision]:
        """A topic that is silent as a whole is one alarm: those of its channels are folded into it."""
        if (topic, WHOLE_TOPIC) not in self._told:
            return []
        channels = sorted(one for one in self._told if one[0] == topic and one[1] != WHOLE_TOPIC)
        out = [self._decision(one, self._rules[self._told[one]], "clear", at, "folded") for one in channels]
        for one in channels:
            del self._told[one]
        return out

    def _speaks_for_all(self, topic: Feed) -> bool:
        """Not if it has but one channel, nor while an earlier silence makes the others look slow."""
        channels = [one for one in self._feeds if one[0] == topic[0] and one != topic]
        last = self._feeds[topic].last_at
        return len(channels) > 1 and not any(
            self._feeds[one].expected(last, zone=self._zone) > OVERDUE for one in channels
        )

    def _retire(self, feed: Feed, at: int) -> list[Decision]:
        decision = self._decision(feed, self._rules[self._told[feed]], "clear", at, "retired")
        del self._told[feed], self._feeds[feed]
        return [decision]

    def _decision(self, feed: Feed, rule: FeedSilentRule, state: Any, at: int, reason: str) -> Decision:
        cadence = self._feeds[feed]
        coverage, silent_ms = self.coverage(), at - cadence.last_at
        expected = round(cadence.expected(at, zone=self._zone), 1)
        return Decision(
            rule=rule.name, kind="feed_silent", state=state, severity=rule.severity,
            labels={"topic": feed[0], "channel": feed[1]}, at=at, starts_at=cadence.last_at,
            value=silent_ms / 1000.0, baseline=None,
            evidence={
                "silent_seconds": silent_ms // 1000, "expected": expected, "coverage": coverage.share,
                "feeds_expected": coverage.expected, "feeds_alive": coverage.alive,
                "inhibits": self._inhibits(feed),
            },
            reason=reason,
        )  # fmt: skip

    def _inhibits(self, feed: Feed) -> list[dict[str, str]]:
        """The spikes that rest on the feed: of its channel, or of the kind where their whole base is gone."""
        topic, channel = feed
        kind = _SPIKE.get(topic)
        if kind is None:
            return []
        whole = self._feeds.get((topic, WHOLE_TOPIC))
        heavy = topic == "orders" and whole is not None and self._feeds[feed].recent > HEAVY * whole.recent
        if channel == WHOLE_TOPIC or heavy:
            return [{"kind": kind}]
        return [{"kind": kind, "channel": channel}]
