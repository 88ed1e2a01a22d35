"""What a panel asks for, and what it must get: the SQL, the shape of the answer, and its columns.

The columns are the panel's side of a bargain; a test runs every query and holds ClickHouse to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.dashboard import DataSourceRef

PLUGIN: Final = "grafana-clickhouse-datasource"
PLUGIN_VERSION: Final = "4.11.2"
CLICKHOUSE: Final = DataSourceRef(type_val=PLUGIN, uid="${clickhouse}")
PROMETHEUS: Final = DataSourceRef(type_val="prometheus", uid="${prometheus}")

Kind = Literal["time", "number", "text"]
Shape = Literal["series", "table"]

# The plugin's numbers for how the answer becomes a frame: a table as it is; series made wide, by label.
_FORMATS: Final = {"series": 0, "table": 1}
_TYPES: Final = {"series": "timeseries", "table": "table"}


@dataclass(frozen=True)
class Query:
    """`columns`: name to kind, in the answer's order. `at_least`: rows that a running shop's answer has."""

    sql: str
    columns: Mapping[str, Kind]
    shape: Shape = "table"
    at_least: int = 1

    def target(self, ref: str = "A") -> "Target":
        """For a panel."""
        return Target(self.to_json(ref))

    def to_json(self, ref: str = "A") -> dict[str, object]:
        """As the plugin keeps it."""
        return {
            "datasource": CLICKHOUSE.to_json(),
            "editorType": "sql",
            "format": _FORMATS[self.shape],
            "pluginVersion": PLUGIN_VERSION,
            "queryType": _TYPES[self.shape],
            "rawSql": self.sql,
            "refId": ref,
        }


def series(sql: str, *figures: str, by: str = "") -> Query:
    """Lines over time: column `time`, a text that names the line where there are several, and figures."""
    label: dict[str, Kind] = {by: "text"} if by else {}
    numbers: dict[str, Kind] = dict.fromkeys(figures, "number")
    return Query(sql, {"time": "time", **label, **numbers}, "series")


def numbers(sql: str, *figures: str) -> Query:
    """One row of figures."""
    return Query(sql, dict.fromkeys(figures, "number"))


@dataclass(frozen=True)
class Metric:
    """What is asked of Prometheus; `legend` is its template for a line's name."""

    expr: str
    legend: str = ""
    instant: bool = False

    def target(self, ref: str = "A") -> "Target":
        """For a panel."""
        return Target(
            {
                "datasource": PROMETHEUS.to_json(),
                "editorMode": "code",
                "expr": self.expr,
                "format": "time_series",
                "instant": self.instant,
                "legendFormat": self.legend or "__auto",
                "range": not self.instant,
                "refId": ref,
            }
        )


@dataclass
class Target(Dataquery, Builder[Dataquery]):
    """A query as the SDK takes one: it knows no ClickHouse, so this is its builder and its model in one."""

    body: dict[str, object] = field(default_factory=dict)

    def build(self) -> Dataquery:
        """Itself."""
        return self

    def to_json(self) -> dict[str, Any]:
        """As it stands in the dashboard."""
        return self.body
