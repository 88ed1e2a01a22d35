"""The rows that an alert rested on, asked back from ClickHouse: windows, events of a slice, a ticket's story, a feed.

Questions only; what they prove is for whoever asks. Instants are ms since the epoch; spans are open at their end.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple

from schemas.results import WindowRow
from storage.history import Asks
from storage.rows import TABLES

ORDERS_MS: Final = 3_600_000
_PERCENTILED: Final = ("first_response_ms", "resolution_ms")
_IN: Final = "event_time >= fromUnixTimestamp64Milli(%(begin)s) AND event_time < fromUnixTimestamp64Milli(%(end)s)"


class Told(NamedTuple):
    """What a detector saw of one review or complaint."""

    at: int
    customer: str
    negative: bool
    score: float = 0.5  # of a review: 1 is positive
    where: str = ""  # the shop, or else the category, in which a customer's anger counts once


class StepRow(NamedTuple):
    """A ticket's step, as the clocks see it."""

    at: int
    action: str
    offset: int
    seq: int | None
    bot: bool
    fields: dict[str, str]  # of `created`


class LedgerRow(NamedTuple):
    """A line of the SLA ledger."""

    kind: str
    at: int
    policy: str
    policy_version: str
    calendar_version: str
    target_ms: int
    elapsed_ms: int


class Grounds:
    """Asks one database."""

    def __init__(self, client: Asks, *, database: str) -> None:
        self._client = client
        self._db = database

    def window(self, *, seconds: int, dimension: str, value: str, at_ms: int) -> WindowRow | None:
        """The newest window of a key that ends at or before an instant, as the store has it now; None: none so long
        that something of it could still count.
        """
        table = TABLES[WindowRow]
        columns = [
            f"toUnixTimestamp64Milli(w.{name})" if name == "window_end" else f"w.{name}" for name in table.columns
        ]
        rows = self._client.execute(
            f"SELECT {', '.join(columns)} FROM {self._db}.windows_v AS w "
            "WHERE w.window_seconds = %(seconds)s AND w.dimension = %(dimension)s AND w.value = %(value)s "
            "AND w.window_end <= fromUnixTimestamp64Milli(%(at)s) "
            "AND w.window_end > fromUnixTimestamp64Milli(%(since)s) "
            "ORDER BY w.window_end DESC LIMIT 1",
            {"seconds": seconds, "dimension": dimension, "value": value, "at": at_ms, "since": at_ms - seconds * 1000},
        )
        return _window(dict(zip(table.columns, rows[0], strict=True))) if rows else None

    def reviews(
        self, parts: Mapping[str, str], *, begin: int, end: int, by: Collection[str] | None = None
    ) -> list[Told]:
        """The judged reviews of a slice, in order of arrival; `by`: only those of these customers."""
        columns, kept = "label = 'negative', score", "NOT late AND invalid = ''"
        return self._told("reviews", columns, kept, parts, begin=begin, end=end, by=by)

    def complaints(
        self, parts: Mapping[str, str], *, begin: int, end: int, by: Collection[str] | None = None
    ) -> list[Told]:
        """The complaints of a slice, in order of arrival; `by`: only those of these customers."""
        return self._told("complaints", "true, 0.5", "NOT late", parts, begin=begin, end=end, by=by)

    def orders(self, parts: Mapping[str, str], *, begin: int, end: int) -> float:
        """Orders of a slice: each count spread over the time since the one before it, an hour at most."""
        where, params = _slice(parts)
        rows = self._client.execute(
            "SELECT toUnixTimestamp64Milli(event_time) AS at, sum(count) "
            f"FROM {self._db}.orders_v WHERE NOT late AND {_IN}{where} GROUP BY at ORDER BY at",
            {**params, "begin": begin - ORDERS_MS, "end": end + ORDERS_MS},
        )
        found, before = 0.0, begin - ORDERS_MS
        for at, count in rows:
            inside = min(at, end) - max(before, begin)
            found += count * max(0, inside) / max(1, at - before)
            before = at
        return found

    def steps(self, ticket_id: str) -> list[StepRow]:
        """A ticket's steps in order of arrival."""
        names = ("category", "channel", "region", "customer_tier", "shop_id", "product_id", "priority", "queue")
        rows = self._client.execute(
            f"SELECT toUnixTimestamp64Milli(event_time), action, topic_offset, seq, bot, {', '.join(names)} "
            f"FROM {self._db}.tickets_v WHERE ticket_id = %(ticket_id)s ORDER BY topic_offset",
            {"ticket_id": ticket_id},
        )
        return [
            StepRow(at, action, offset, seq, bool(bot), dict(zip(names, fields, strict=True)))
            for at, action, offset, seq, bot, *fields in rows
        ]

    def ledger(self, ticket_id: str, clock: str, cycle: int) -> list[LedgerRow]:
        """What happened to a clock, under which policy and calendar, in order."""
        rows = self._client.execute(
            "SELECT kind, toUnixTimestamp64Milli(at), policy, policy_version, calendar_version, target_ms, elapsed_ms "
            f"FROM {self._db}.sla_transitions_v WHERE ticket_id = %(ticket)s AND clock = %(clock)s "
            "AND cycle = %(cycle)s ORDER BY at, version",
            {"ticket": ticket_id, "clock": clock, "cycle": cycle},
        )
        return [LedgerRow(*row) for row in rows]

    def breached(self, *, queue: str, clock: str, begin: int, end: int) -> int:
        """Clocks of a queue whose breach fell into a span and stands."""
        rows = self._client.execute(
            f"SELECT count() FROM {self._db}.sla_verdicts_v WHERE queue = %(queue)s AND clock = %(clock)s "
            "AND verdict = 'breached' AND verdict_at > fromUnixTimestamp64Milli(%(begin)s) "
            "AND verdict_at <= fromUnixTimestamp64Milli(%(end)s)",
            {"queue": queue, "clock": clock, "begin": begin, "end": end},
        )
        return int(rows[0][0])

    def feed(self, topic: str, channel: str, *, begin: int, end: int) -> tuple[int, int | None]:
        """Events of a feed in a span that were not late, and the newest of them; `*` is every channel."""
        where, params = ("", {}) if channel == "*" else (" AND channel = %(channel)s", {"channel": channel})
        rows = self._client.execute(
            f"SELECT count(), toUnixTimestamp64Milli(max(event_time)) FROM {self._db}.{topic}_v "
            f"WHERE NOT late AND {_IN}{where}",
            {**params, "begin": begin, "end": end},
        )
        count, newest = rows[0]
        return int(count), int(newest) if count else None

    def fired(self, *, begin: int, end: int) -> int:
        """New alerts in a span, those of single tickets left out."""
        rows = self._client.execute(
            f"SELECT count() FROM {self._db}.alerts_v WHERE NOT mapContains(labels, 'ticket_id') "
            "AND NOT mapContains(labels, 'storm') AND fired_at > fromUnixTimestamp64Milli(%(begin)s) "
            "AND fired_at <= fromUnixTimestamp64Milli(%(end)s)",
            {"begin": begin, "end": end},
        )
        return int(rows[0][0])

    def _told(
        self, table: str, columns: str, kept: str, parts: Mapping[str, str], *, begin: int, end: int,
        by: Collection[str] | None,
    ) -> list[Told]:  # fmt: skip
        if by is not None and not by:
            return []
        where, params = _slice(parts)
        if by is not None:
            where += " AND customer IN %(by)s"
            params["by"] = tuple(by)
        rows = self._client.execute(
            f"SELECT toUnixTimestamp64Milli(event_time), customer, {columns}, if(shop_id = '', category, shop_id) "
            f"FROM {self._db}.{table}_v WHERE {kept} AND {_IN}{where} ORDER BY received_at, topic_offset",
            {**params, "begin": begin, "end": end},
        )
        return [Told(at, customer, bool(hit), float(score), where) for at, customer, hit, score, where in rows]


def _slice(parts: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    where = "".join(f" AND {name} = %(slice_{name})s" for name in parts)
    return where, {f"slice_{name}": value for name, value in parts.items()}


def _window(row: dict[str, Any]) -> WindowRow:
    for name in _PERCENTILED:
        base = name.removesuffix("_ms")
        values = tuple(row.pop(f"{base}_p{number}_ms") for number in (50, 90, 99))
        row[name] = None if None in values else values
    return WindowRow(**row)
