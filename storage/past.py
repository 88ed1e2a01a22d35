"""What was usual before an alert, asked back from ClickHouse: rows of the days before, added up where they are alike.

Questions only. Of one slice each row is told apart by whether it has the slice's value of each dimension, by its hour
and, for reviews, by what the judge said; sums fade with age. Read are the tables and not their views: a row that came
twice changes no rate, and sorting it out would take longer than all the rest. Instants are ms since the epoch.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from schemas.rules import slice_parts
from storage.history import Asks

MOST_SPANS: Final = 200  # of other alerts; older ones count as usual time
HOUR_MS: Final = 3_600_000
_MS: Final = "toUnixTimestamp64Milli(event_time)"


class Span(NamedTuple):
    """From when to when an alert's slice was not as usual."""

    parts: dict[str, str]  # by dimension
    starts_at: int
    ends_at: int


class Fading(NamedTuple):
    """Half-lives of what is learnt for long, and of the level of the last hours; the zone whose hours count."""

    long_ms: int
    level_ms: int
    zone_ms: int


class Group(NamedTuple):
    """Rows alike. Of orders `came` is the number of orders."""

    match: tuple[int, ...]  # of each dimension of the slice: 1 its value, 0 another, -1 none
    hour: int  # 0 to 23, on Saturdays and Sundays 24 more
    odds: float  # of reviews: log odds of positive by the judge, to half a nat
    came: float
    long: float  # the same, faded
    level: float


class Past:
    """Asks one database."""

    def __init__(self, client: Asks, *, database: str) -> None:
        self._client = client
        self._db = database

    def spikes(self, kind: str, *, begin: int, end: int, but: str) -> list[Span]:
        """The slices and times of alerts of a kind, newest first, one left out."""
        rows = self._client.execute(
            "SELECT labels, toUnixTimestamp64Milli(starts_at), toUnixTimestamp64Milli(resolved_at) "
            f"FROM {self._db}.alerts_v WHERE kind = %(kind)s AND alert_id != %(but)s "
            "AND starts_at < fromUnixTimestamp64Milli(%(end)s) "
            "AND (resolved_at IS NULL OR resolved_at > fromUnixTimestamp64Milli(%(begin)s)) "
            f"ORDER BY starts_at DESC LIMIT {MOST_SPANS}",
            {"kind": kind, "but": but, "begin": begin, "end": end},
        )
        return [
            Span(slice_parts(labels["dimension"], labels["value"]), int(starts_at), int(ends_at or end))
            for labels, starts_at, ends_at in rows
        ]

    def denominators(self, *, begin: int, end: int) -> tuple[int | None, int | None]:
        """Of a time, when the first complaint came, and the newest count of orders."""
        inside = "event_time >= fromUnixTimestamp64Milli(%(begin)s) AND event_time < fromUnixTimestamp64Milli(%(end)s)"
        rows = self._client.execute(
            f"SELECT (SELECT minOrNull({_MS}) FROM {self._db}.complaints WHERE NOT late AND {inside}), "
            f"(SELECT maxOrNull({_MS}) FROM {self._db}.orders WHERE NOT late AND {inside})",
            {"begin": begin, "end": end},
        )
        first, last = rows[0]
        return first, last

    def reviews(
        self, parts: Mapping[str, str], *, begin: int, end: int, fading: Fading, but: Sequence[Span]
    ) -> list[Group]:
        """The judged reviews of the whole stream in a time, but for those of other incidents."""
        score = "least(greatest(score, 0.003), 0.997)"
        odds = f"round(2 * log({score} / (1 - {score}))) / 2"
        return self._groups("reviews", "1", odds, "AND invalid = ''", parts, begin, end, fading, but)

    def complaints(
        self, parts: Mapping[str, str], *, begin: int, end: int, fading: Fading, but: Sequence[Span]
    ) -> list[Group]:
        """The same of complaints."""
        return self._groups("complaints", "1", "0", "", parts, begin, end, fading, but)

    def orders(
        self, parts: Mapping[str, str], *, begin: int, end: int, fading: Fading, but: Sequence[Span]
    ) -> list[Group]:
        """The same of orders."""
        # A count is of the time before its instant, so one on the hour belongs to the hour before.
        zoned = fading._replace(zone_ms=fading.zone_ms - 1)
        return self._groups("orders", "count", "0", "", parts, begin, end, zoned, but)

    def _groups(
        self, table: str, weight: str, odds: str, kept: str, parts: Mapping[str, str], begin: int, end: int,
        fading: Fading, but: Sequence[Span],
    ) -> list[Group]:  # fmt: skip
        hours = f"intDiv({_MS} + {fading.zone_ms}, {HOUR_MS})"
        hour = f"{hours} %% 24 + if((intDiv({hours}, 24) + 3) %% 7 >= 5, 24, 0)"  # the epoch was a Thursday
        match = [f"multiIf({name} = %(of_{name})s, 1, {name} = '', -1, 0)" for name in parts]
        faded = [f"sum({weight} * exp2(({_MS} - {end}) / {half_ms}))" for half_ms in (fading.long_ms, fading.level_ms)]
        params: dict[str, object] = {"begin": begin, "end": end}
        params |= {f"of_{name}": value for name, value in parts.items()}
        where = ""
        for number, span in enumerate(but):
            inside = [f"{name} = %(not_{number}_{name})s" for name in span.parts]
            inside += [f"{_MS} >= {span.starts_at}", f"{_MS} < {span.ends_at}"]
            params |= {f"not_{number}_{name}": value for name, value in span.parts.items()}
            where += f" AND NOT ({' AND '.join(inside)})"
        rows = self._client.execute(
            f"SELECT [{', '.join(match)}]::Array(Int8), {hour}, {odds}, sum({weight}), {', '.join(faded)} "
            f"FROM {self._db}.{table} WHERE NOT late {kept} AND event_time >= fromUnixTimestamp64Milli(%(begin)s) "
            f"AND event_time < fromUnixTimestamp64Milli(%(end)s){where} GROUP BY 1, 2, 3",
            params,
        )
        return [
            Group(tuple(match), int(hour), float(odds), float(count), float(long), float(level))
            for match, hour, odds, count, long, level in rows
        ]
