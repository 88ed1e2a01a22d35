"""What ClickHouse knows of alerts: which there are, how one went, what people did, whom was told. Questions only.

Instants are ms since the epoch. For the command, and for a page.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, Protocol

import msgspec

from schemas.results import Alert, AlertAction, Delivery

SHOWN: Final = 1_000  # alerts at once
INSTANTS: Final = frozenset({"at", "starts_at", "ends_at", "alert_at", "until"})


class Asks(Protocol):
    """What of `storage.client.ClickHouse` is needed; its errors pass through."""

    def execute(self, sql: str, params: Any = None) -> list[tuple[Any, ...]]: ...


class AlertState(NamedTuple):
    """An alert as it stands."""

    alert_id: str
    rule: str
    kind: str
    state: str  # firing, acknowledged, snoozed, resolved
    severity: str
    fired_at: int
    starts_at: int
    said_at: int
    resolved_at: int | None
    acknowledged_at: int | None
    labels: dict[str, str]
    value: float | None
    highest_value: float | None
    baseline: float | None
    peak: str | None
    summary: str  # as it was said last


class SilenceState(NamedTuple):
    """A silence that was asked for and not ended by hand."""

    silence_id: str
    who: str
    at: int
    until: int
    matchers: dict[str, list[str]]
    comment: str


class History:
    """Asks one database."""

    def __init__(self, client: Asks, *, database: str) -> None:
        self._client = client
        self._db = database

    def alerts(
        self, *, since_ms: int, resolved: bool = False, severity: str = "", rule: str = "", kind: str = ""
    ) -> list[AlertState]:
        """Those that are open or were told of since an instant, the newest first; `resolved`: also those over."""
        wanted = ["(state != 'resolved' OR %(resolved)s)", "(said_at >= fromUnixTimestamp64Milli(%(since)s))"]
        given = {"severity": severity, "rule": rule, "kind": kind}
        wanted += [f"{name} = %({name})s" for name, value in given.items() if value]
        return self._states(
            " AND ".join(wanted), {**given, "since": since_ms, "resolved": int(resolved)}, most=SHOWN
        )  # fmt: skip

    def alert(self, alert_id: str) -> AlertState | None:
        """One alert; None if it is not known."""
        found = self._states("alert_id = %(alert_id)s", {"alert_id": alert_id}, most=1)
        return found[0] if found else None

    def ids(self, prefix: str) -> list[str]:
        """The alerts whose id begins so; ten at most."""
        rows = self._client.execute(
            f"SELECT DISTINCT alert_id FROM {self._db}.alerts WHERE startsWith(alert_id, %(prefix)s) "
            "ORDER BY alert_id LIMIT 10",
            {"prefix": prefix},
        )
        return [row[0] for row in rows]

    def transitions(self, alert_id: str) -> list[Alert]:
        """What was said of an alert, in order; `moment` settles what comes first at one instant."""
        rows = self._rows(
            Alert, "alert_transitions_v", "alert_id = %(alert_id)s", {"alert_id": alert_id},
            order="at, indexOf(['firing', 'updated', 'resolved'], status)",
        )  # fmt: skip
        return [Alert(**{**row, "evidence": msgspec.json.decode(row["evidence"])}) for row in rows]

    def actions(self, alert_id: str) -> list[AlertAction]:
        """What people did to an alert, or to a silence, in order."""
        return self._actions("alert_id = %(alert_id)s", {"alert_id": alert_id})

    def actions_of(self, action_ids: Sequence[str]) -> list[AlertAction]:
        """What became of actions; those that no worker has taken are missing."""
        return self._actions("action_id IN %(ids)s", {"ids": tuple(action_ids)}) if action_ids else []

    def false_alarms(self, *, since_ms: int) -> list[AlertAction]:
        """The alerts that people called false."""
        where = "action = 'false_alarm' AND refused = '' AND at >= fromUnixTimestamp64Milli(%(since)s)"
        return self._actions(where, {"since": since_ms})

    def deliveries(self, alert_id: str) -> list[Delivery]:
        """Who was told of an alert, and who was not, in order."""
        where = "alert_id = %(alert_id)s"
        rows = self._rows(Delivery, "deliveries_v", where, {"alert_id": alert_id}, order="at, channel, attempt")
        return [Delivery(**row) for row in rows]

    def silences(self, *, now_ms: int) -> list[SilenceState]:
        """The silences that go on."""
        rows = self._rows(
            AlertAction, "alert_actions_v",
            "action = 'silence' AND refused = '' AND until > fromUnixTimestamp64Milli(%(now)s) AND alert_id NOT IN "
            f"(SELECT alert_id FROM {self._db}.alert_actions_v WHERE action = 'unsilence' AND refused = '')",
            {"now": now_ms}, order="at",
        )  # fmt: skip
        return [
            SilenceState(row["alert_id"], row["actor"], row["at"], row["until"], row["matchers"], row["comment"])
            for row in rows
        ]

    def _states(self, where: str, params: dict[str, Any], *, most: int) -> list[AlertState]:
        columns = [
            f"toUnixTimestamp64Milli({name})" if name.endswith("_at") else name
            for name in (*AlertState._fields[:-1], "last_summary")
        ]
        rows = self._client.execute(
            f"SELECT {', '.join(columns)} FROM {self._db}.alerts_v WHERE {where} "
            f"ORDER BY fired_at DESC, alert_id LIMIT {most}",
            params,
        )
        return [AlertState(*row) for row in rows]

    def _actions(self, where: str, params: dict[str, Any]) -> list[AlertAction]:
        rows = self._rows(AlertAction, "alert_actions_v", where, params, order="at, written_at")
        return [AlertAction(**row) for row in rows]

    def _rows(
        self, row_type: type[Any], view: str, where: str, params: dict[str, Any], *, order: str
    ) -> list[dict[str, Any]]:  # fmt: skip
        names: tuple[str, ...] = row_type._fields
        columns = [f"toUnixTimestamp64Milli(t.{name})" if name in INSTANTS else f"t.{name}" for name in names]
        rows = self._client.execute(
            f"SELECT {', '.join(columns)} FROM {self._db}.{view} AS t WHERE {where} ORDER BY {order}", params
        )
        return [dict(zip(names, row, strict=True)) for row in rows]
