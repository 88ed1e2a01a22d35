"""What the worker counts for its metrics beyond what its parts keep anyway: plain numbers of the whole process.

They outlive the partitions that come and go. What a worker reads again after a crash counts again: these are for
watching, the exact counts are in ClickHouse. Labels are of bounded cardinality: a name beyond the first
`MOST_NAMES` counts as `other`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Final

from schemas.histogram import DELAYS_S, WORKS_S, Histogram
from schemas.results import Alert
from sla.policy import FIELDS
from streams.facts import Facts

MOST_NAMES: Final = 40
OTHER: Final = "other"
UNKNOWN: Final = "unknown"
INVALID: Final = "invalid"  # no customer's own words: outside the negative share
# Seconds of working time: from a chat's first answer to a return that takes days.
CLOCKS_S: Final = (30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 14400.0, 28800.0, 86400.0, 172800.0, 259200.0)

_PRIORITY: Final = FIELDS.index("priority")

Place = tuple[str, int]  # topic, partition


class Names:
    """The first so many names as they are, every later one as `other`."""

    def __init__(self, most: int = MOST_NAMES) -> None:
        self._most = most
        self._known: set[str] = set()

    def __call__(self, name: str) -> str:
        if not name:
            return UNKNOWN
        if name not in self._known:
            if len(self._known) >= self._most:
                return OTHER
            self._known.add(name)
        return name


class WorkerFigures:
    """Counted in the event loop, read there at a scrape."""

    def __init__(self) -> None:
        self.config = ""  # the version of the configuration in force
        self.reviews: Counter[tuple[str, str]] = Counter()  # category, sentiment
        self.complaints: Counter[tuple[str, str]] = Counter()  # category, severity
        self.orders: Counter[str] = Counter()  # category; orders, not events
        self.dead_letters: Counter[tuple[str, str]] = Counter()  # topic, reason
        self.clocks: Counter[tuple[str, str, str]] = Counter()  # clock, priority, what happened to it
        self.took: defaultdict[str, Histogram] = defaultdict(lambda: Histogram(CLOCKS_S))  # clock
        self.due: dict[Place, dict[tuple[str, int], int]] = {}  # (clock, horizon in ms): how many will breach
        self.alerts: Counter[tuple[str, str, str]] = Counter()  # kind, severity, status
        self.alert_delay = Histogram(DELAYS_S)
        self.timers: defaultdict[str, Histogram] = defaultdict(lambda: Histogram(WORKS_S))
        self.saved_bytes: Counter[str] = Counter()  # topic
        self._categories, self._priorities = Names(), Names()

    def absorb(self, place: Place, facts: Facts) -> None:
        """Count what came of a chunk of a source partition, or of its clock."""
        name = self._categories
        for review in facts.reviews:
            self.reviews[name(review.category), INVALID if review.invalid else review.label] += 1
        for complaint in facts.complaints:
            self.complaints[name(complaint.category), complaint.severity or UNKNOWN] += 1
        for orders in facts.orders:
            self.orders[name(orders.category)] += orders.count
        for letter in facts.dead_letters:
            self.dead_letters[letter.topic, letter.reason] += 1
        for transition in facts.transitions:
            priority = self._priorities(transition.dims[_PRIORITY])
            self.clocks[transition.clock, priority, transition.kind] += 1
            if transition.kind in ("met", "stopped"):
                self.took[transition.clock].add(transition.elapsed_ms / 1000)
        if facts.forecast is not None:
            due: Counter[tuple[str, int]] = Counter()
            for (_, clock, horizon_ms), count in facts.forecast.items():
                due[clock, horizon_ms] += count
            self.due[place] = dict(due)

    def told(self, alerts: Iterable[Alert], now_ms: int) -> None:
        """Count transitions of alerts that the broker has."""
        for alert in alerts:
            self.alerts[alert.kind, alert.severity, alert.status] += 1
            self.alert_delay.add(max(0, now_ms - alert.at) / 1000)

    def gone(self, place: Place) -> None:
        """Forget what is known of a partition that is another worker's now."""
        self.due.pop(place, None)
