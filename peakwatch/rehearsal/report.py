"""What a rehearsal comes to: how many pages, when, for whom, by which rule; plain figures, shown elsewhere.

A page is a message on which somebody is to act: an alert is new, worse or unmuted, or nobody has claimed it. Updates
and ends are messages, too, but no pages. A digest counts once, and once for each rule, channel and person in it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from alerts.notify.rehearsal import Page, Rehearsed, rings
from peakwatch.rehearsal.incidents import Incident
from schemas.instants import format_instant
from schemas.zones import DAY_MS, offset_ms, wall_ms

MINUTE_MS: Final = 60_000
WEEK_MS: Final = 7 * DAY_MS
NOBODY: Final = "-"  # no roster: whoever reads the channel


class Night(NamedTuple):
    """The hours in which a page wakes somebody: minutes of the day on a zone's wall clock, may cross midnight."""

    start_minute: int
    end_minute: int
    timezone: str

    def holds(self, at_ms: int) -> bool:
        """Whether an instant lies in the night."""
        minute = wall_ms(self.timezone, at_ms) // MINUTE_MS % 1440
        return (minute - self.start_minute) % 1440 < (self.end_minute - self.start_minute) % 1440


@dataclass(frozen=True, slots=True)
class Line:
    """One page, as it is listed."""

    at: str
    night: bool
    channel: str
    people: tuple[str, ...]
    rules: tuple[str, ...]
    why: str  # new, worse, again, unmuted, unclaimed 5 min
    alerts: int  # several: a digest
    held_back_ms: int
    title: str


@dataclass(frozen=True, slots=True)
class Share:
    """What one channel, person or rule had of it."""

    name: str
    pages: int
    at_night: int
    messages: int
    alerts: int  # incidents that these messages told of
    digests: int = 0
    held_back: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """A rehearsal in figures."""

    began: str
    ended: str
    days: float
    pages: int
    at_night: int
    messages: int
    digests: int
    held_back: int  # messages that the budget let wait
    longest_held_ms: int
    escalations: int  # pages because nobody had claimed
    waiting: int  # transitions that had not gone out at the end
    alerts: int  # incidents
    muted: dict[str, int]  # transitions that nobody was told of, by what muted them
    skipped: int  # that no route wanted, or that came to nothing while they waited
    channels: tuple[Share, ...]
    people: tuple[Share, ...]
    rules: tuple[Share, ...]
    log: tuple[Line, ...]

    @property
    def pages_per_week(self) -> float:
        """At the rate of the replay."""
        return self.pages / max(self.days, 1e-9) * 7


def report_of(told: Rehearsed, incidents: Sequence[Incident], *, night: Night, began_ms: int, ended_ms: int) -> Report:
    """The figures of a rehearsal over a span of event time."""
    rings = [page for page in told.pages if page.rings]
    held = [page.held_ms for page in told.pages if page.held_ms]
    return Report(
        began=instant(began_ms, night), ended=instant(ended_ms, night), days=round((ended_ms - began_ms) / DAY_MS, 4),
        pages=len(rings), at_night=sum(night.holds(page.at) for page in rings), messages=len(told.pages),
        digests=sum(len(page.alerts) > 1 for page in told.pages), held_back=len(held),
        longest_held_ms=max(held, default=0), escalations=sum(page.unclaimed_min > 0 for page in rings),
        waiting=told.waiting, alerts=len(incidents), muted=dict(sorted(told.muted.items())),
        skipped=sum(told.outcomes.get(name, 0) for name in ("skipped", "superseded", "unrouted")),
        channels=_shares(told.pages, night, lambda page: (page.channel,)),
        people=_shares(told.pages, night, lambda page: page.named or (NOBODY,)),
        rules=_by_rule(told.pages, incidents, night), log=tuple(_line(page, night) for page in rings),
    )  # fmt: skip


def instant(at_ms: int, night: Night) -> str:
    """RFC 3339 by the wall clock of the people."""
    return format_instant(at_ms, offset_minutes=offset_ms(night.timezone, at_ms) // MINUTE_MS)


def _shares(pages: Sequence[Page], night: Night, names_of: Callable[[Page], Iterable[str]]) -> tuple[Share, ...]:
    """By each name that a page has, the busiest first."""
    of: dict[str, list[Page]] = {}
    for page in pages:
        for name in dict.fromkeys(names_of(page)):
            of.setdefault(name, []).append(page)
    return _busiest(_share(name, mine, [page for page in mine if page.rings], night) for name, mine in of.items())


def _by_rule(pages: Sequence[Page], incidents: Sequence[Incident], night: Night) -> tuple[Share, ...]:
    """By rule; of a digest only the rules for which it rings have a page. `alerts` counts those never told, too."""
    found = []
    alerts = Counter(one.rule for one in incidents)
    for name, count in alerts.items():
        mine = [page for page in pages if any(one.rule == name for one in page.alerts)]
        ringing = [
            page for page in mine
            if page.rings and any(one.rule == name and (page.unclaimed_min or rings(one)) for one in page.alerts)
        ]  # fmt: skip
        found.append(replace(_share(name, mine, ringing, night), alerts=count))
    return _busiest(found)


def _share(name: str, pages: Sequence[Page], ringing: Sequence[Page], night: Night) -> Share:
    return Share(
        name, len(ringing), sum(night.holds(page.at) for page in ringing), len(pages),
        len({one.alert_id for page in pages for one in page.alerts}), sum(len(page.alerts) > 1 for page in pages),
        sum(page.held_ms > 0 for page in pages),
    )  # fmt: skip


def _busiest(shares: Iterable[Share]) -> tuple[Share, ...]:
    return tuple(sorted(shares, key=lambda one: (-one.pages, -one.messages, one.name)))


def _line(page: Page, night: Night) -> Line:
    ringing = [one for one in page.alerts if page.unclaimed_min or rings(one)]
    why = "new" if any(one.status == "firing" for one in ringing) else _WHY.get(ringing[0].reason, ringing[0].reason)
    return Line(
        instant(page.at, night), night.holds(page.at), page.channel, page.named,
        tuple(dict.fromkeys(one.rule for one in ringing)),
        f"unclaimed {page.unclaimed_min} min" if page.unclaimed_min else why,
        len(page.alerts), page.held_ms, page.title,
    )  # fmt: skip


_WHY: Final = {"escalated": "worse"}
