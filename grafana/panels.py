"""The kinds of panel that the wall has: a tile, a lamp, lines, bars, a table, states over time.

Each takes its query and says what it shows; sizes are in Grafana's grid of 24 columns.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, Self, cast

from grafana_foundation_sdk.builders import bargauge, common, dashboard, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common as look
from grafana_foundation_sdk.models import dashboard as model

from grafana import colours
from grafana.queries import CLICKHOUSE, PROMETHEUS, Metric, Query

SHARE: Final = "percentunit"
MS: Final = "ms"
COUNT: Final = "locale"
COUNTDOWN: Final = "dtdhms"
NAME_OF_LINE: Final = "${__field.labels.%s}"


def named(figures: Mapping[str, str]) -> dict[str, str]:
    """Figures' names, each with the value whose figure it is behind it, where lines are of values."""
    return {figure: f"{shown} {NAME_OF_LINE % 'value'}" for figure, shown in figures.items()}


class Buildable(Protocol):
    """What every panel of the SDK has, and we use."""

    def grid_pos(self, grid_pos: model.GridPos) -> Self: ...
    def id(self, id_val: int) -> Self: ...
    def build(self) -> model.Panel: ...


@dataclass(frozen=True)
class Panel:
    """A panel, its size, and what it asks ClickHouse: None where it asks Prometheus, or nobody."""

    builder: Buildable
    width: int
    height: int
    query: Query | None = None


@dataclass(frozen=True)
class Column:
    """A table's column: how it is called and drawn. `hidden`: there for links only."""

    title: str
    unit: str = ""
    steps: colours.Steps = ()
    link: str = ""
    width: int = 0
    hidden: bool = False
    mapping: Mapping[str, str] = field(default_factory=dict)  # value -> colour


def link(title: str, url: str) -> Builder[model.DashboardLink]:
    """To another dashboard, in the same time."""
    return dashboard.DashboardLink(title).type(model.DashboardLinkType.LINK).url(url).icon("external link")


def tile(
    title: str,
    query: Query,
    *,
    unit: str,
    steps: colours.Steps,
    width: int,
    height: int,
    url: str = "",
    font: int = 0,
    decimals: int | None = None,
    nothing: str = "–",
    mapping: Mapping[str, tuple[str, str]] | None = None,
    fields: Mapping[str, tuple[str, colours.Steps]] | None = None,
) -> Panel:
    """One figure, on a colour. With `font` the name stands inside, to be read from afar, and not in the panel's head.

    `mapping`: value -> text and colour. Several figures of a row stand side by side; `fields` tells how each is called
    and coloured.
    """
    builder = (
        stat.Panel()
        .datasource(CLICKHOUSE)
        .with_target(query.target())
        .unit(unit)
        .thresholds(_thresholds(steps))
        .color_scheme(dashboard.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
        .color_mode(look.BigValueColorMode.BACKGROUND_SOLID)
        .graph_mode(look.BigValueGraphMode.NONE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False).fields("/.*/"))
        .no_value(nothing)
    )
    if decimals is not None:
        builder.decimals(decimals)
    if mapping:
        builder.mappings([_value_map(mapping)])
    if url:
        builder.data_links([link(title, url)])
    for name, (shown, own) in (fields or {}).items():
        builder.override_by_name(name, [
            model.DynamicConfigValue("displayName", shown), model.DynamicConfigValue("thresholds", _steps(own)),
        ])  # fmt: skip
    names = list(query.columns)
    if font:
        builder.text_mode(look.BigValueTextMode.VALUE_AND_NAME).justify_mode(look.BigValueJustifyMode.CENTER)
        builder.text(common.VizTextDisplayOptions().title_size(font * 9 // 20).value_size(font))
        if len(names) == 1:
            builder.display_name(title)
    else:
        builder.title(title)
    return Panel(cast(Buildable, builder), width, height, query)


def lines(
    title: str,
    query: Query | Sequence[Metric],
    *,
    unit: str,
    width: int,
    height: int = 8,
    by: str = "value",
    names: Mapping[str, str] | None = None,
    steps: colours.Steps = (),
    stacked: bool = False,
    bars: bool = False,
    colour: Mapping[str, str] | None = None,
    url: str = "",
    low: float | None = 0,
) -> Panel:
    """Lines over time. `by`: the column that names a line; `names`, `colour`: of a figure, where lines are figures."""
    builder = (
        timeseries.Panel()
        .title(title)
        .unit(unit)
        .line_width(2)
        .fill_opacity(60 if bars else 30 if stacked else 8)
        .show_points(look.VisibilityMode.NEVER)
        .span_nulls(False)
        .legend(
            common.VizLegendOptions()
            .display_mode(look.LegendDisplayMode.TABLE)
            .placement(look.LegendPlacement.RIGHT if width > 12 else look.LegendPlacement.BOTTOM)
            .calcs(["lastNotNull", "max"])
            .show_legend(True)
        )
        .tooltip(common.VizTooltipOptions().mode(look.TooltipDisplayMode.MULTI).sort(look.SortOrder.DESCENDING))
    )
    if low is not None:
        builder.min(low)
    if bars:
        builder.draw_style(look.GraphDrawStyle.BARS)
    if stacked:
        builder.stacking(common.StackingConfig().mode(look.StackingMode.NORMAL))
    if steps:
        builder.thresholds(_thresholds(steps))
        builder.thresholds_style(common.GraphThresholdsStyleConfig().mode(look.GraphThresholdsStyleMode.DASHED))
    if url:
        builder.data_links([link(title, url)])
    for name, shown in (names or {}).items():
        builder.override_by_name(name, [model.DynamicConfigValue("displayName", shown)])
    for name, value in (colour or {}).items():
        fixed = {"mode": "fixed", "fixedColor": value}
        builder.override_by_name(name, [model.DynamicConfigValue("color", fixed)])
    if isinstance(query, Query):
        builder.datasource(CLICKHOUSE).with_target(query.target())
        if by in query.columns:
            builder.display_name(NAME_OF_LINE % by)
        return Panel(cast(Buildable, builder), width, height, query)
    builder.datasource(PROMETHEUS)
    for at, metric in enumerate(query):
        builder.with_target(metric.target(chr(ord("A") + at)))
    return Panel(cast(Buildable, builder), width, height)


def gauge_of(
    title: str,
    metrics: Sequence[Metric],
    *,
    unit: str,
    steps: colours.Steps,
    width: int,
    height: int = 4,
) -> Panel:
    """One figure of Prometheus, on a colour."""
    builder = (
        stat.Panel()
        .title(title)
        .datasource(PROMETHEUS)
        .unit(unit)
        .thresholds(_thresholds(steps))
        .color_mode(look.BigValueColorMode.BACKGROUND_SOLID)
        .graph_mode(look.BigValueGraphMode.AREA)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False).fields(""))
        .no_value("–")
    )
    for at, metric in enumerate(metrics):
        builder.with_target(metric.target(chr(ord("A") + at)))
    return Panel(cast(Buildable, builder), width, height)


def bars(
    title: str,
    query: Query,
    *,
    unit: str,
    steps: colours.Steps,
    width: int,
    height: int = 8,
    url: str = "",
) -> Panel:
    """One bar a row, named by its text: columns of one text and one figure, since each figure would be a bar."""
    assert sorted(query.columns.values()) == ["number", "text"]
    builder = (
        bargauge.Panel()
        .title(title)
        .datasource(CLICKHOUSE)
        .with_target(query.target())
        .unit(unit)
        .min(0)
        .thresholds(_thresholds(steps))
        .orientation(look.VizOrientation.HORIZONTAL)
        .display_mode(look.BarGaugeDisplayMode.BASIC)
        .value_mode(look.BarGaugeValueMode.TEXT)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(True).fields("").limit(30))
    )
    if url:
        builder.data_links([link(title, url)])
    return Panel(cast(Buildable, builder), width, height, query)


def rows(
    title: str,
    query: Query,
    columns: Mapping[str, Column],
    *,
    width: int = 24,
    height: int = 9,
    large: bool = False,
) -> Panel:
    """A table; what is not among `columns` keeps its name."""
    builder = (
        table.Panel()
        .title(title)
        .datasource(CLICKHOUSE)
        .with_target(query.target())
        .cell_height(look.TableCellHeight.LG if large else look.TableCellHeight.SM)
        .show_header(True)
    )
    for name, column in columns.items():
        builder.override_by_name(name, _column(column))
    return Panel(cast(Buildable, builder), width, height, query)


def states(title: str, query: Query, *, by: str, width: int = 24, height: int = 10) -> Panel:
    """What was in which state when: columns `time`, `by`, `state`."""
    mapping = {state: (state, colour) for state, colour in {**colours.SEVERITIES, **colours.STATES}.items()}
    builder = (
        statetimeline.Panel()
        .title(title)
        .datasource(CLICKHOUSE)
        .with_target(query.target())
        .mappings([_value_map(mapping)])
        .merge_values(True)
        .show_value(look.VisibilityMode.NEVER)
        .row_height(0.8)
        .with_transformation(
            model.DataTransformerConfig(
                id_val="partitionByValues",
                options={"fields": [by], "keepFields": False, "naming": {"asLabels": True}},
            )
        )
        .display_name(NAME_OF_LINE % by)
    )
    return Panel(cast(Buildable, builder), width, height, query)


def _thresholds(steps: colours.Steps) -> dashboard.ThresholdsConfig:
    return (
        dashboard.ThresholdsConfig()
        .mode(model.ThresholdsMode.ABSOLUTE)
        .steps([model.Threshold(value=value, color=colour) for value, colour in steps])
    )


def _steps(steps: colours.Steps) -> dict[str, object]:
    """Thresholds as an override holds them."""
    return {"mode": "absolute", "steps": [{"value": value, "color": colour} for value, colour in steps]}


def _value_map(mapping: Mapping[str, tuple[str, str]]) -> model.ValueMap:
    return model.ValueMap(
        options={
            value: model.ValueMappingResult(text=text, color=colour, index=at)
            for at, (value, (text, colour)) in enumerate(mapping.items())
        }
    )


def _column(column: Column) -> list[model.DynamicConfigValue]:
    properties: dict[str, object] = {"displayName": column.title}
    if column.hidden:
        properties["custom.hidden"] = True
    if column.unit:
        properties["unit"] = column.unit
    if column.width:
        properties["custom.width"] = column.width
    if column.steps:
        properties["thresholds"] = _steps(column.steps)
        properties["color"] = {"mode": "thresholds"}
        properties["custom.cellOptions"] = {"type": "color-text"}
    if column.mapping:
        properties["mappings"] = [_value_map({value: (value, colour) for value, colour in column.mapping.items()})]
        properties["custom.cellOptions"] = {"type": "color-background", "mode": "basic"}
    if column.link:
        properties["links"] = [{"title": column.title, "url": column.link}]
    return [model.DynamicConfigValue(name, value) for name, value in properties.items()]
