"""What Grafana and its ClickHouse data source make of a query before ClickHouse sees it.

Written after the documentation of grafana-clickhouse-datasource 4.x, in its order: `$__conditionalAll`, then the
dashboard's variables, then the macros of time. Only what the wall uses; any other macro is an error, so that a typo
does not pass as SQL.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from schemas.errors import ConfigError

Value = str | list[str]
ALL: Final = "$__all"
_CONDITIONAL: Final = "$__conditionalAll("
_VARIABLE: Final = re.compile(r"\$\{(\w+)(?::(\w+))?\}|\$(?!__)(\w+)")
_MACRO: Final = re.compile(r"\$__(\w+)(\(([^()]*)\))?")


@dataclass(frozen=True)
class Context:
    """The time that a dashboard shows, in ms; a point's width, in s; what is chosen, ALL for everything.

    `offered`: a variable's values, which stand for ALL where no `$__conditionalAll` does.
    """

    from_ms: int
    to_ms: int
    interval_s: int = 30
    chosen: Mapping[str, Value] = field(default_factory=dict)
    offered: Mapping[str, list[str]] = field(default_factory=dict)


def expand(sql: str, context: Context) -> str:
    """The SQL that reaches ClickHouse; ConfigError for a macro or a variable that nobody knows."""
    return _times(_variables(_conditionals(sql, context), context), context)


def _conditionals(sql: str, context: Context) -> str:
    while (start := sql.rfind(_CONDITIONAL)) >= 0:
        condition, variable, end = _arguments(sql, start + len(_CONDITIONAL))
        name = variable.strip().strip("${}")
        if name not in context.chosen:
            raise ConfigError([f"$__conditionalAll: there is no variable {variable.strip()}"])
        everything = context.chosen[name] in (ALL, [ALL], "")
        sql = sql[:start] + ("1=1" if everything else condition) + sql[end:]
    return sql


def _arguments(sql: str, start: int) -> tuple[str, str, int]:
    """The two arguments from `start` on, and where the macro ends. As the plugin does, brackets are all it minds."""
    depth, comma = 1, -1
    for at in range(start, len(sql)):
        depth += {"(": 1, ")": -1}.get(sql[at], 0)
        if depth == 0:
            if comma < 0:
                break
            return sql[start:comma], sql[comma + 1 : at], at + 1
        if sql[at] == "," and depth == 1:
            if comma >= 0:
                break
            comma = at
    raise ConfigError([f"$__conditionalAll: not two arguments: {sql[start : start + 60]}"])


def _variables(sql: str, context: Context) -> str:
    def one(match: re.Match[str]) -> str:
        name, style = match[1] or match[3], match[2] or ""
        if name not in context.chosen:
            raise ConfigError([f"there is no variable ${name}"])
        value = context.chosen[name]
        values = value if isinstance(value, list) else [value]
        if values == [ALL]:
            values = list(context.offered.get(name, ()))
        if style == "singlequote":
            return ",".join("'" + one.replace("'", "\\'") + "'" for one in values)
        if style:
            raise ConfigError([f"${{{name}:{style}}}: the wall uses singlequote alone"])
        return "'" + "','".join(values) + "'" if isinstance(value, list) else value

    return _VARIABLE.sub(one, sql)


def _times(sql: str, context: Context) -> str:
    from_s, to_s = context.from_ms // 1000, context.to_ms // 1000
    plain = {
        "fromTime": f"toDateTime({from_s})",
        "toTime": f"toDateTime({to_s})",
        "fromTime_ms": f"fromUnixTimestamp64Milli({context.from_ms})",
        "toTime_ms": f"fromUnixTimestamp64Milli({context.to_ms})",
        "interval_s": str(max(context.interval_s, 1)),
    }
    of_column = {
        "timeFilter": "{0} >= " + plain["fromTime"] + " AND {0} <= " + plain["toTime"],
        "timeFilter_ms": "{0} >= " + plain["fromTime_ms"] + " AND {0} <= " + plain["toTime_ms"],
        "timeInterval": f"toStartOfInterval(toDateTime({{0}}), INTERVAL {plain['interval_s']} second)",
    }

    def one(match: re.Match[str]) -> str:
        name, argument = match[1], match[3]
        if name in plain and not argument:
            return plain[name] + (match[2] or "")
        if name in of_column and argument:
            return of_column[name].format(argument.strip())
        raise ConfigError([f"{match[0]}: a macro that the wall does not know"])

    return _MACRO.sub(one, sql)
