"""What must hold of a store after workers have taken an evening, whatever happened to them meanwhile."""

from base64 import b64encode
from typing import Any, Final

from schemas.instants import parse_instant
from schemas.topics import SOURCES
from tests.parity.arena import Arena, Replayed, difference
from tests.parity.evening import Evening

Clock = tuple[str, str]  # ticket, clock
Moments = dict[Clock, int]

# A ledger of ever the same key keeps its highest version: what was told and taken back stands if told again after.
STANDING: Final = """
    SELECT ticket_id, clock, min(toUnixTimestamp64Milli(at)) FROM (
        SELECT ticket_id, clock, at, maxIf(version, kind = '{kind}') AS told,
            maxIf(version, kind = 'corrected_{kind}') AS taken_back, countIf(kind = 'corrected_{kind}') AS times
        FROM {{db}}.sla_transitions_v WHERE kind IN ('{kind}', 'corrected_{kind}') GROUP BY ticket_id, clock, at
    ) WHERE told > taken_back OR times = 0 GROUP BY ticket_id, clock
    HAVING min(toUnixTimestamp64Milli(at)) < {end_ms}
"""


def check_windows(arena: Arena, sent: Evening, replayed: Replayed) -> None:
    """Every window up to the last pane, figure by figure."""
    told = difference(arena.windows(until_ms=sent.end_ms), replayed.windows)
    assert told == "", f"{told}\n{arena.last_words()}"


def check_rows(arena: Arena, sent: Evening, replayed: Replayed) -> None:
    """Each event that can be read once, each that cannot whole among the dead letters."""
    late = 0
    for topic in SOURCES:
        found = arena.rows(f"SELECT event_id, late FROM {{db}}.{topic}_v")
        assert sorted(row[0] for row in found) == sorted(sent.events[topic])
        late += sum(row[1] for row in found)
    assert late == replayed.summary["late"] > 0
    letters = arena.rows("SELECT base64Encode(raw) FROM {db}.dead_letters_v")
    assert sorted(row[0] for row in letters) == sorted(map(_base64, sent.unreadable))
    assert len(letters) == replayed.summary["dead_letters"] > 0


def check_clocks(arena: Arena, sent: Evening, replayed: Replayed) -> None:
    """Breaches and warnings up to the end stand in the ledger at their instants, and no others."""
    for kind, field in (("breach", "breached_at"), ("warning", "warned_at")):
        expected = _moments(replayed.sla, field)
        rows = arena.rows(STANDING.format(kind=kind, end_ms=sent.end_ms))
        found = {(row[0], row[1]): row[2] for row in rows}
        wrong = {clock: (found.get(clock), at) for clock, at in expected.items() if found.get(clock) != at}
        wrong |= {clock: (at, None) for clock, at in found.items() if clock not in expected}
        assert not wrong, f"{kind}: {len(wrong)} of {len(expected)}, found for due: {sorted(wrong.items())[:5]}"
        assert len(expected) > 20


def check_alerts(arena: Arena, replayed: Replayed) -> None:
    """Whatever breach a replay calls about, and that stands at its end, the workers called about at the same instant.

    Of those that did not stand either may call about more, and take it back: how far event time has come is known by
    topic in a replay, by partition and wall clock in a worker, and an answer may come just before or just after that.
    The workers' time also goes on behind the end.
    """
    standing = _moments(replayed.sla, "breached_at")
    called = {_name(alert, parse_instant(alert["at"])) for alert in replayed.alerts if _fires(alert)}
    expected = {name for name in called if standing.get(name[:2]) == name[3]}
    rows = arena.rows(
        "SELECT labels, toUnixTimestamp64Milli(at) FROM {db}.alert_transitions_v "
        "WHERE kind = 'sla_breach' AND status = 'firing'"
    )
    assert len(expected) > 20
    untold = expected - {_name({"labels": labels}, at) for labels, at in rows}
    assert not untold, f"{len(untold)} of {len(expected)} not told: {sorted(untold)[:5]}\n{arena.last_words()}"


def _fires(alert: dict[str, Any]) -> bool:
    return bool(alert["kind"] == "sla_breach" and alert["status"] == "firing")


def _name(alert: dict[str, Any], at_ms: int) -> tuple[str, str, str, int]:
    labels = alert["labels"]
    return labels["ticket_id"], labels["clock"], labels["policy"], at_ms


def _moments(lines: list[dict[str, Any]], field: str) -> Moments:
    return {(line["ticket_id"], line["clock"]): parse_instant(line[field]) for line in lines if line[field]}


def _base64(raw: bytes) -> str:
    return b64encode(raw).decode()
