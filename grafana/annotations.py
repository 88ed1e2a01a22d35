"""What is drawn over every line in time: alerts while they lasted, and the phases of promotions."""

from dataclasses import dataclass
from typing import Any, Final

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as model

from grafana import colours
from grafana.queries import CLICKHOUSE, Query
from grafana.sql import ALIVE_ALERTS, LAST_OF_ALERT
from grafana.text import Say


@dataclass(frozen=True)
class Annotation:
    """Spans of time with a text: columns `time`, `timeEnd`, `title`, `text`, `tags`."""

    name: str
    zh: str
    en: str
    colour: str
    query: Query

    def builder(self, say: Say) -> Builder[model.AnnotationQuery]:
        """For the SDK, whose target knows no SQL."""
        return (
            build.AnnotationQuery()
            .name(say(self.zh, self.en))
            .datasource(CLICKHOUSE)
            .enable(True)
            .icon_color(self.colour)
            .target(_Target(self.query))
        )


class _Target(model.AnnotationTarget, Builder[model.AnnotationTarget]):
    def __init__(self, query: Query) -> None:
        super().__init__()
        self._query = query

    def build(self) -> model.AnnotationTarget:
        return self

    def to_json(self) -> dict[str, Any]:
        return self._query.to_json("Anno")


def _spans(sql: str) -> Query:
    return Query(sql, {"time": "time", "timeEnd": "time", "title": "text", "text": "text", "tags": "text"})


ALERTS: Final = Annotation(
    "alerts",
    "告警",
    "Alerts",
    colours.RED,
    _spans(f"""SELECT first AS time, if(last_status = 'resolved', last, $__toTime_ms) AS timeEnd, rule AS title,
  said AS text, concat(kind, ',', last_severity) AS tags
FROM
(
  SELECT min(at) AS first, max(at) AS last, {LAST_OF_ALERT.format("status")} AS last_status, any(rule) AS rule,
    argMin(summary, at) AS said, any(kind) AS kind, {LAST_OF_ALERT.format("severity")} AS last_severity
  FROM alerts
  WHERE {ALIVE_ALERTS}
  GROUP BY alert_id
)
WHERE last_severity != 'info' AND time <= $__toTime_ms AND timeEnd >= $__fromTime_ms
ORDER BY time
LIMIT 200"""),
)
PEAKS: Final = Annotation(
    "peaks",
    "大促阶段",
    "Promotion phases",
    colours.BLUE,
    _spans("""SELECT starts_at AS time, ends_at AS timeEnd, title, phase AS text, concat(peak, ',', edition) AS tags
FROM peaks_v
WHERE starts_at <= $__toTime AND ends_at >= $__fromTime
ORDER BY time
LIMIT 200"""),
)
