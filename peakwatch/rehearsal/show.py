"""A rehearsal for people: tables on a terminal, plain lines anywhere else; the same words in both."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from peakwatch.rehearsal.compare import Comparison, Found, Moved
from peakwatch.rehearsal.report import NOBODY, Report, Share
from peakwatch.rehearsal.run import Rehearsal
from peakwatch.rehearsal.suggest import Advice
from peakwatch.terminal import readable
from schemas.strict import show_ms

MOST: Final = 40  # lines of a list; --json has all
Rows = Sequence[Sequence[str]]


class Table(NamedTuple):
    """Rows under a title; `marked` are the rows to stand out, `right` the columns of numbers."""

    title: str
    head: Sequence[str]
    rows: Rows
    right: frozenset[int] = frozenset()
    marked: frozenset[int] = frozenset()


def show(found: Rehearsal, *, terminal: bool) -> None:
    """Print it."""
    parts = [*_report(found), *(_comparison(found.comparison) if found.comparison else ())]
    parts += _advice(found.advice, found.report) if found.advice else ()
    parts = [_none(part) if isinstance(part, Table) else part for part in parts]
    if terminal:
        _draw(parts)
        return
    for part in parts:
        print(part if isinstance(part, str) else "\n".join(plain(part)))


def _none(table: Table) -> str | Table:
    return table if table.rows else f"{table.title}: none"


def plain(table: Table) -> list[str]:
    """A table as lines of text, in columns."""
    rows = [table.head, *(tuple(map(readable, row)) for row in table.rows)]
    widths = [max(cells(row[i]) for row in rows) for i in range(len(table.head))]
    lines = [table.title] if table.title else []
    for row in rows:
        parts = []
        for i, text in enumerate(row):
            pad = " " * (widths[i] - cells(text))
            parts.append(pad + text if i in table.right else text + pad)
        lines.append(("  " + "  ".join(parts)).rstrip())
    return lines


def cells(text: str) -> int:
    """How wide a text is on a terminal."""
    from rich.cells import cell_len

    return cell_len(text)


def _report(found: Rehearsal) -> list[str | Table]:
    report = found.report
    start = found.night.start_minute
    night = "after midnight" if start == 0 else f"from {start // 60:02}:{start % 60:02} to the morning"
    rate = f", {report.pages_per_week:.0f} a week at this rate" if report.days >= 1 else ""
    parts: list[str | Table] = [
        f"{_count(report.pages, 'page')}, {report.at_night} {night}, in {_span(report.days)}{rate}",
        f"{_count(report.messages, 'message')} of {_count(report.alerts, 'alert')}: {_count(report.pages, 'page')}, "
        f"{report.messages - report.pages} updates and ends; {_count(report.digests, 'digest')}, "
        f"{report.held_back} held back by a budget{_longest(report)}, {_count(report.escalations, 'escalation')}",
    ]
    if report.muted or report.waiting:
        muted = ", ".join(f"{by} {count}" for by, count in report.muted.items())
        parts.append(f"not told: muted {muted or 0}; {report.waiting} still waiting at the end")
    parts += [_log(report), *(_shares(*one) for one in (
        ("By rule", report.rules), ("By channel", report.channels), ("By person", report.people),
    ))]  # fmt: skip
    return parts


def _log(report: Report) -> Table:
    rows = [
        (
            _short(line.at), " ".join(f"@{name}" for name in line.people) or NOBODY, line.channel,
            f"{'+'.join(line.rules)}: {line.why}" + (f", {line.alerts} in one" if line.alerts > 1 else "")
            + (f", held back {show_ms(line.held_back_ms // 1000 * 1000)}" if line.held_back_ms else ""), line.title,
        )
        for line in report.log[:MOST]
    ]  # fmt: skip
    night = frozenset(i for i, line in enumerate(report.log[:MOST]) if line.night)
    return Table(_title("Who would have been paged", len(report.log)), ("when", "who", "channel", "why", "what"),
                 rows, marked=night)  # fmt: skip


def _shares(title: str, shares: Sequence[Share]) -> Table:
    rows = [
        (one.name, *map(str, (one.pages, one.at_night, one.messages, one.alerts, one.digests, one.held_back)))
        for one in shares
    ]
    head = ("", "pages", "at night", "messages", "alerts", "digests", "held back")
    return Table(title, head, rows, right=frozenset(range(1, 7)))


def _comparison(found: Comparison) -> list[str | Table]:
    new, old = found.rules, found.against
    rows = [
        (
            one.rule, f"{one.pages_against} → {one.pages}", f"{one.at_night_against} → {one.at_night}",
            f"{one.alerts_against} → {one.alerts}", str(one.new), str(one.gone), str(one.earlier), str(one.later),
            _later(one.median_later_ms),
        )
        for one in found.by_rule
    ]  # fmt: skip
    rows.append(("all", f"{old.pages} → {new.pages}", f"{old.at_night} → {new.at_night}",
                 f"{old.alerts} → {new.alerts}", str(len(found.new)), str(len(found.gone)),
                 str(sum(one.later_ms < 0 for one in found.moved)), str(sum(one.later_ms > 0 for one in found.moved)),
                 ""))  # fmt: skip
    head = ("rule", "pages", "at night", "alerts", "new", "gone", "earlier", "later", "median")
    return [
        Table("Against the other rules (there → here)", head, rows, right=frozenset(range(1, 9)),
              marked=frozenset({len(rows) - 1})),
        _found("New: only these rules would have told", found.new),
        _found("Gone: only the other rules would have told", found.gone),
        _moved(found.moved),
    ]  # fmt: skip


def _moved(moved: Sequence[Moved]) -> Table:
    rows = [(_short(one.was_at), _short(one.at), _later(one.later_ms), one.rule, one.summary) for one in moved[:MOST]]
    return Table(_title("Earlier or later", len(moved)), ("there", "here", "by", "rule", "what"), rows)


def _found(title: str, found: Sequence[Found]) -> Table:
    rows = [
        (_short(one.fired_at), show_ms(one.lasted_ms // 1000 * 1000), one.severity, one.rule, one.summary)
        for one in found[:MOST]
    ]
    return Table(_title(title, len(found)), ("when", "lasted", "severity", "rule", "what"), rows)


def _advice(advice: Advice, report: Report) -> list[str | Table]:
    parts: list[str | Table] = [
        f"For {advice.wished_per_week:g} pages a week, {advice.wished:g} in this time: these settings would have made "
        f"{advice.pages_then} instead of {advice.pages}"
    ]
    if report.days < 7:
        parts.append(f"mind: {_span(report.days)} say little of a week; replay one for a figure to rely on")
    if advice.fixed > advice.wished:
        parts.append(f"mind: {advice.fixed} of them come from rules that have no such setting, more than is wished")
    elif not advice.reached:
        parts.append("mind: no setting that was tried keeps to the wish")
    rows = [
        (one.rule, one.setting, one.suggested if one.suggested != one.setting else "as it is", str(one.pages),
         str(one.pages_then), "; ".join(f"{setting}: {pages}" for setting, pages in one.tried))
        for one in advice.rules
    ]  # fmt: skip
    marked = frozenset(i for i, one in enumerate(advice.rules) if one.suggested != one.setting)
    head = ("rule", "now", "suggested", "pages now", "then", "tried (pages of this rule alone)")
    parts.append(Table("Suggested settings", head, rows, right=frozenset({3, 4}), marked=marked))
    parts.append(_found("Lost: nobody would have been told any more", advice.lost))
    if advice.gained:
        parts.append(_found("Gained", advice.gained))
    return parts


def _draw(parts: Iterable[str | Table]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table as Drawn
    from rich.text import Text

    console = Console()
    for number, part in enumerate(parts):
        if isinstance(part, str):
            console.print(Text(part, style="bold" if number == 0 else ""))
            continue
        drawn = Drawn(title=part.title, title_justify="left", box=box.SIMPLE_HEAD, title_style="bold")
        for i, name in enumerate(part.head):
            last = i == len(part.head) - 1
            drawn.add_column(name, justify="right" if i in part.right else "left", no_wrap=not last and i != 3)
        for i, row in enumerate(part.rows):
            drawn.add_row(*map(Text, map(readable, row)), style="bold yellow" if i in part.marked else "")
        console.print(drawn)


def _title(title: str, count: int) -> str:
    if count > MOST:
        return f"{title} (the first {MOST} of {count}; --json has all)"
    return f"{title} ({count})" if count else title


def _count(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _longest(report: Report) -> str:
    return f" (the longest {show_ms(report.longest_held_ms // 1000 * 1000)})" if report.held_back else ""


def _later(ms: float) -> str:
    if not ms:
        return ""
    return f"{show_ms(max(1000, abs(round(ms)) // 1000 * 1000))} {'later' if ms > 0 else 'earlier'}"


def _short(at: str) -> str:
    """`11-11 00:12:10` of an RFC 3339 text."""
    return at[5:19].replace("T", " ")


def _span(days: float) -> str:
    return show_ms(round(days * 1440) * 60_000)
