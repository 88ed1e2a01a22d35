"""A dashboard put together: panels flow from left to right and from the top, variables and annotations as asked for.

The JSON is a function of the code alone: no clock, no chance, one order.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as model

from grafana import variables
from grafana.annotations import ALERTS, PEAKS, Annotation
from grafana.panels import Panel
from grafana.queries import Query
from grafana.text import Language, speaker, uid

COLUMNS: Final = 24
TAG: Final = "peakwatch"
NAMES: Final = ("wall", "wall-4k", "sentiment", "service", "complaints", "alerts", "promo", "pipeline")


@dataclass(frozen=True)
class Section:
    """A heading and its panels; a wall has none."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True)
class Board:
    """What a dashboard shows. `name` is its file's name, and its uid with `pw-` before it."""

    name: str
    title: str
    description: str
    language: Language
    sections: Sequence[Section]
    choices: Sequence[variables.Variable] = ()
    annotations: Sequence[Annotation] = (ALERTS, PEAKS)
    prometheus: bool = False  # whether panels ask it, beside ClickHouse
    since: str = "now-6h"
    refresh: str = "30s"
    wall: bool = False
    links: Sequence[str] = field(default_factory=tuple)  # names of dashboards

    @property
    def uid(self) -> str:
        return uid(self.name, self.language)

    @property
    def panels(self) -> Iterator[Panel]:
        """All panels, from the top."""
        for section in self.sections:
            yield from section.panels

    def queries(self) -> Iterator[tuple[str, Query]]:
        """All that it asks ClickHouse, and for what."""
        for at, panel in enumerate(self.panels):
            if panel.query is not None:
                yield f"{self.name} panel {at + 1}", panel.query
        for choice in self.choices:
            if choice.query is not None:
                yield f"{self.name} ${choice.name}", choice.query
        for annotation in self.annotations:
            yield f"{self.name} {annotation.name}", annotation.query

    def to_json(self) -> dict[str, Any]:
        """The dashboard as Grafana keeps it."""
        say = speaker(self.language)
        builder = (
            build.Dashboard(self.title)
            .uid(self.uid)
            .description(self.description)
            .tags([TAG, self.language])
            .timezone("browser")
            .tooltip(model.DashboardCursorSync.CROSSHAIR)
            .time(self.since, "now")
            .refresh(self.refresh)
            .timepicker(build.TimePicker().hidden(self.wall).refresh_intervals(["5s", "10s", "30s", "1m", "5m"]))
            .readonly()
        )
        if self.prometheus:
            builder.with_variable(variables.prometheus())
        builder.with_variable(variables.clickhouse(say))
        for choice in self.choices:
            builder.with_variable(choice.builder(say))
        for annotation in self.annotations:
            builder.annotation(annotation.builder(say))
        for target in self.links:
            title = _TITLES[target][self.language]
            builder.link(
                build.DashboardLink(title)
                .type(model.DashboardLinkType.LINK)
                .icon("dashboard")
                .tooltip(title)
                .url(f"/d/{uid(target, self.language)}")
                .include_vars(True)
                .keep_time(True)
            )
        body: dict[str, Any] = json.loads(json.dumps(builder.build(), cls=JSONEncoder))
        body["panels"] = list(self._placed())
        return body

    def _placed(self) -> Iterator[dict[str, Any]]:
        number = y = 0
        for section in self.sections:
            if section.title:
                number += 1
                position = {"h": 1, "w": COLUMNS, "x": 0, "y": y}
                yield {
                    "type": "row",
                    "title": section.title,
                    "id": number,
                    "collapsed": False,
                    "gridPos": position,
                    "panels": [],
                }
                y += 1
            skyline = [y] * COLUMNS
            for panel in section.panels:
                number += 1
                x, top = _place(skyline, panel.width)
                panel.builder.id(number).grid_pos(model.GridPos(h=panel.height, w=panel.width, x=x, y=top))
                skyline[x : x + panel.width] = [top + panel.height] * panel.width
                yield json.loads(json.dumps(panel.builder.build(), cls=JSONEncoder))
            y = max(skyline)


def _place(skyline: Sequence[int], width: int) -> tuple[int, int]:
    """Where a panel goes: as high up as it can, and there as far left, the way Grafana lets panels rise."""
    tops = [max(skyline[x : x + width]) for x in range(COLUMNS - width + 1)]
    return tops.index(min(tops)), min(tops)


_TITLES: Final[dict[str, dict[Language, str]]] = {
    "wall": {"zh": "值班大屏", "en": "Ops wall"},
    "wall-4k": {"zh": "值班大屏 4K", "en": "Ops wall 4K"},
    "sentiment": {"zh": "口碑情绪", "en": "Sentiment"},
    "service": {"zh": "客服服务", "en": "Service"},
    "complaints": {"zh": "投诉", "en": "Complaints"},
    "alerts": {"zh": "告警", "en": "Alerts"},
    "promo": {"zh": "大促复盘", "en": "Promo review"},
    "pipeline": {"zh": "数据管道", "en": "Pipeline"},
}


def title_of(name: str, language: Language) -> str:
    """A dashboard's title."""
    return f"PeakWatch · {_TITLES[name][language]}"


ALL_CHOSEN: Final = "${__all_variables}"  # for `go`: what is chosen here is chosen there


def go(name: str, language: Language, *variables_: str) -> str:
    """A link to a dashboard in the same time, with further variables as `name=value`."""
    more = "".join(f"&{one}" if one == ALL_CHOSEN else f"&var-{one}" for one in variables_)
    return f"/d/{uid(name, language)}?${{__url_time_range}}{more}"
