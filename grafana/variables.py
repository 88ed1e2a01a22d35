"""The dashboards' variables: one for every dimension, the windows' length, and what tickets and alerts are told by."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as model

from grafana.queries import CLICKHOUSE, PLUGIN, Query
from grafana.text import Say

ALL: Final = "$__all"


@dataclass(frozen=True)
class Variable:
    """A choice at the top of a dashboard: its values come from ClickHouse, or are `values`, or are typed in."""

    name: str
    zh: str
    en: str
    query: Query | None = None
    values: Mapping[str, str] | None = None  # label -> value
    one: bool = False  # exactly one value, the first to begin with
    hidden: bool = False  # chosen by the address alone

    def unseen(self) -> "Variable":
        """The same for a screen on a wall, which has no menus: `?var-NAME=VALUE` chooses."""
        return replace(self, hidden=True)

    def builder(self, say: Say) -> Builder[model.VariableModel]:
        """For the SDK."""
        if self.query is None:
            return self._custom(say) if self.values else build.TextBoxVariable(self.name).label(say(self.zh, self.en))
        variable = (
            build.QueryVariable(self.name)
            .label(say(self.zh, self.en))
            .datasource(CLICKHOUSE)
            .query({"queryType": "sql", "rawSql": self.query.sql, "refId": self.name})
            .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        )
        if self.hidden:
            # Nobody looks at what is offered, so it is not asked for with every refresh.
            variable.hide(model.VariableHide.HIDE_VARIABLE).refresh(model.VariableRefresh.ON_DASHBOARD_LOAD)
        if self.one:
            return variable
        everything = model.VariableOption(selected=True, text=say("全部", "All"), value=ALL)
        return variable.multi(True).include_all(True).current(everything)

    def _custom(self, say: Say) -> Builder[model.VariableModel]:
        pairs = list((self.values or {}).items())
        options = [
            model.VariableOption(selected=at == 0, text=label, value=value) for at, (label, value) in enumerate(pairs)
        ]
        return (
            build.CustomVariable(self.name)
            .label(say(self.zh, self.en))
            .values(", ".join(f"{label} : {value}" for label, value in pairs))
            .options(options)
            .current(options[0])
        )


def _of_dimension(name: str, zh: str, en: str) -> Variable:
    sql = f"""SELECT value FROM windows_latest
WHERE window_seconds = 86400 AND dimension = '{name}' AND value != ''
ORDER BY reviews + complaints + tickets_created DESC, value
LIMIT 500"""
    return Variable(name, zh, en, Query(sql, {"value": "text"}))


def _of_column(name: str, zh: str, en: str, *, table: str, at: str) -> Variable:
    sql = f"SELECT DISTINCT {name} FROM {table} WHERE $__timeFilter({at}) ORDER BY {name} LIMIT 500"
    return Variable(name, zh, en, Query(sql, {name: "text"}))


DIMENSIONS: Final = (
    _of_dimension("category", "品类", "Category"),
    _of_dimension("channel", "渠道", "Channel"),
    _of_dimension("region", "地区", "Region"),
    _of_dimension("customer_tier", "会员等级", "Customer tier"),
    _of_dimension("shop_id", "店铺", "Shop"),
    _of_dimension("product_id", "商品", "Product"),
)
QUEUE: Final = _of_column("queue", "队列", "Queue", table="sla_transitions", at="at")
PRIORITY: Final = _of_column("priority", "优先级", "Priority", table="sla_transitions", at="at")
RULE: Final = _of_column("rule", "规则", "Rule", table="alerts", at="at")
SEVERITY: Final = Variable(
    "severity",
    "级别",
    "Severity",
    Query("SELECT arrayJoin(['critical', 'warning', 'info']) AS severity", {"severity": "text"}),
)
PEAK: Final = Variable(
    "peak",
    "大促",
    "Promotion",
    Query(
        "SELECT peak, any(title) AS name FROM peaks_v WHERE starts_at <= $__toTime\n"
        "GROUP BY peak ORDER BY max(starts_at) DESC",
        {"peak": "text", "name": "text"},
    ),
    one=True,
)
WINDOW: Final = Variable(
    "window",
    "窗口",
    "Window",
    values={"5 min": "300", "1 min": "60", "15 min": "900", "1 h": "3600", "24 h": "86400"},
)
TICKET: Final = Variable("ticket", "工单号", "Ticket")
ALERT: Final = Variable("alert", "告警号", "Alert")


def clickhouse(say: Say) -> Builder[model.VariableModel]:
    """Which ClickHouse data source."""
    return build.DatasourceVariable("clickhouse").label(say("数据源", "Data source")).type(PLUGIN)


def prometheus() -> Builder[model.VariableModel]:
    """Which Prometheus data source."""
    return build.DatasourceVariable("prometheus").label("Prometheus").type("prometheus")
