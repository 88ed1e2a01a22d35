"""The built dashboards: the same bytes again, whole, and in both languages."""

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from agents import metrics
from grafana.annotations import ALERTS, PEAKS
from grafana.board import COLUMNS, NAMES, Board
from grafana.boards import alerts, pipeline, service, wall
from grafana.build import DIRECTORY, boards, path_of, render
from grafana.text import LANGUAGES
from grafana.variables import DIMENSIONS
from schemas import events
from storage.migrate import DDL

BOARDS: Final = [pytest.param(board, id=str(path_of(board))) for board in boards()]
UNITS_OF_FULL_HD: Final = 28  # a unit is 30 px and 8 px between: 28 of them and the margin are 1,080


@pytest.mark.parametrize("board", BOARDS)
def test_building_again_gives_the_same_bytes(board: Board) -> None:
    assert (DIRECTORY / path_of(board)).read_text(encoding="utf-8") == render(board)


def test_nothing_else_lies_among_the_built() -> None:
    built = {path_of(board) for board in boards()}
    assert {path.relative_to(DIRECTORY) for path in DIRECTORY.rglob("*") if path.is_file()} == built


def test_every_dashboard_is_there_in_every_language_with_a_uid_of_its_own() -> None:
    every = list(boards())
    assert {(board.name, board.language) for board in every} == {(name, one) for name in NAMES for one in LANGUAGES}
    assert len({board.uid for board in every}) == len(every)
    assert all(len(board.uid) <= 40 for board in every)


@pytest.mark.parametrize("board", BOARDS)
def test_panels_lie_side_by_side_and_within_the_grid(board: Board) -> None:
    taken: set[tuple[int, int]] = set()
    panels = board.to_json()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= COLUMNS
        assert not cells & taken
        taken |= cells


@pytest.mark.parametrize(("make", "scale"), [(wall.board, 1), (wall.board_4k, 2)])
def test_a_wall_fills_its_screen_without_a_gap_and_without_scrolling(make: Any, scale: int) -> None:
    panels = make("zh").to_json()["panels"]
    area = sum(panel["gridPos"]["w"] * panel["gridPos"]["h"] for panel in panels)
    assert max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels) == UNITS_OF_FULL_HD * scale
    assert area == COLUMNS * UNITS_OF_FULL_HD * scale


def test_both_languages_ask_the_same() -> None:
    def shape(board: Board) -> list[tuple[str, dict[str, str]]]:
        return [(place, dict(query.columns)) for place, query in board.queries()]

    chinese, english = ([board for board in boards() if board.language == one] for one in LANGUAGES)
    assert [shape(board) for board in chinese] == [shape(board) for board in english]


def test_english_dashboards_hold_no_chinese_but_what_is_data() -> None:
    for board in boards():
        if board.language == "en":
            assert re.findall(r"[\u4e00-\u9fff]+", render(board)) == [], board.name


def test_there_is_a_variable_for_every_dimension() -> None:
    assert {one.name for one in DIMENSIONS} == set(events.DIMENSIONS)


def test_every_dashboard_over_clickhouse_has_them_all() -> None:
    for board in boards():
        names = {choice.name for choice in board.choices}
        assert board.prometheus or set(events.DIMENSIONS) <= names, board.name
        assert ("queue" in names and "priority" in names) == (board.name in OF_TICKETS), board.name


OF_TICKETS: Final = ("wall", "wall-4k", "service", "alerts")  # whose rows know a ticket's queue and priority
# What cannot be cut, or not by all, and why. Of tables that know a dimension, every other query asks for its variable.
WHOLE: Final = {
    wall.EVENT_AGE: "how far event time has come is one for all",
    wall.STORE_AGE: "as is when the last row was written",
    wall.COVERAGE: "counts the channels",
    wall.DEAD_LETTERS: "what could not be read has no dimensions",
    service.STORY: "one ticket",
    alerts.STORY: "one alert",
    ALERTS.query.sql: "marks stand over lines of any slice",
    **{one.query.sql: "offers the values" for board in boards() for one in board.choices if one.query is not None},
}
# Windows know few mixtures. These lines and tables stand by one dimension and are narrowed by it.
BY_ONE: Final = re.compile(r"dimension = '(\w+(?:\+\w+)?)'")


@pytest.mark.parametrize("board", BOARDS)
def test_every_query_asks_for_the_variables_that_its_tables_know(board: Board) -> None:
    columns = known_columns()
    for place, query in board.queries():
        if board.prometheus or any(whole in query.sql for whole in WHOLE):
            continue
        wanted: set[str] = set()
        for table in re.findall(r"(?:FROM|JOIN)\s+(\w+)", query.sql):
            by_one = BY_ONE.findall(query.sql)
            wanted |= set("+".join(by_one).split("+")) - {"all"} if by_one else columns.get(table, set())
        asked = set(re.findall(r"\$\{(\w+):singlequote\}", query.sql))
        assert wanted <= asked, place


def known_columns() -> dict[str, set[str]]:
    """By table and view: which of the variables it has a column for, or tells otherwise."""
    sliced = set(events.DIMENSIONS)
    known: dict[str, set[str]] = {"windows": sliced, "windows_latest": sliced}
    known |= dict.fromkeys(("alerts", "alerts_v", "alert_transitions_v"), sliced | {"queue", "priority"})
    for path in DDL.glob("*.sql"):
        for name, body in re.findall(
            r"CREATE TABLE IF NOT EXISTS \{db\}\.(\w+).*?\((.*?)\nENGINE", path.read_text(), re.S
        ):
            found = set(re.findall(r"^    (\w+) ", body, re.M)) & (sliced | {"queue", "priority"})
            if found and name != "alerts":
                # A ticket's dimensions are those of its clocks: not every step brings them along.
                known[name] = known[f"{name}_v"] = found
    assert known["tickets_v"] == known["sla_clocks_v"] == sliced | {"queue", "priority"}
    assert known["complaints"] == known["reviews"] == sliced
    return known


@pytest.mark.parametrize("board", BOARDS)
def test_a_query_uses_only_variables_that_its_dashboard_has(board: Board) -> None:
    known = {choice.name for choice in board.choices}
    for place, query in board.queries():
        used = set(re.findall(r"\$\{(\w+)[:}]|\$(?!_)(\w+)", query.sql))
        assert {one or other for one, other in used} <= known, place


@pytest.mark.parametrize("board", BOARDS)
def test_links_lead_to_dashboards_that_exist_and_to_variables_that_they_have(board: Board) -> None:
    variables = {one.uid: {choice.name for choice in one.choices} for one in boards()}
    language = {one.uid: one.language for one in boards()}
    for url in _urls(board.to_json()):
        uid = url.removeprefix("/d/").partition("?")[0]
        assert language[uid] == board.language
        assert set(re.findall(r"var-(\w+)=", url)) <= variables[uid]


def test_every_tile_of_the_wall_leads_somewhere() -> None:
    tiles = [panel for panel in wall.board("zh").to_json()["panels"] if panel["type"] == "stat"]
    assert tiles
    assert all(panel["fieldConfig"]["defaults"]["links"] for panel in tiles)


def test_where_a_tile_of_the_wall_leads_to_rows_are_listed() -> None:
    boards_ = {one.uid: one.to_json() for one in boards()}
    led_to = {url.removeprefix("/d/").partition("?")[0] for url in _urls(wall.board("zh").to_json())}
    assert led_to >= {f"pw-{name}" for name in ("sentiment", "service", "complaints", "alerts", "promo", "pipeline")}
    for uid in led_to:
        assert [panel for panel in boards_[uid]["panels"] if panel["type"] == "table"], uid


def test_a_row_of_the_wall_leads_to_the_story_of_its_alert() -> None:
    (table,) = (panel for panel in wall.board("zh").to_json()["panels"] if panel["type"] == "table")
    assert any("/d/pw-alerts?" in url and "var-alert=${__data.fields.alert_id}" in url for url in _urls(table))


@pytest.mark.parametrize("board", BOARDS)
def test_alerts_and_promotion_phases_are_marked_on_every_dashboard(board: Board) -> None:
    marks = board.to_json()["annotations"]["list"]
    assert [one["target"]["rawSql"] for one in marks] == [ALERTS.query.sql, PEAKS.query.sql]


@pytest.mark.parametrize("board", BOARDS)
def test_every_variable_that_can_be_chosen_changes_a_query(board: Board) -> None:
    asked = "\n".join(query.sql for _, query in board.queries())
    assert [one.name for one in board.choices if not re.search(rf"\$\{{?{one.name}\b", asked)] == []


@pytest.mark.parametrize(("make", "scale"), [(wall.board, 1), (wall.board_4k, 2)])
def test_figures_of_the_wall_are_read_from_five_metres(make: Any, scale: int) -> None:
    """On 55 inches of 16:9; a digit has seven tenths of its size. ISO 9241-303 asks for 20 to 22 minutes of arc where
    much is read, and 16 at least.
    """

    def minutes_of_arc(px: float) -> float:
        height_mm = 55 * 25.4 * 9 / math.hypot(16, 9) * px / (1080 * scale)
        return math.degrees(math.atan(0.7 * height_mm / 5000)) * 60

    sizes = [panel["options"]["text"] for panel in make("zh").to_json()["panels"] if panel["type"] == "stat"]
    large = [one for one in sizes if one["valueSize"] == wall.FONT * scale]
    lamps = [one for one in sizes if one["valueSize"] == wall.LAMP * scale]
    assert (len(large), len(lamps)) == (6, 4)
    assert all(minutes_of_arc(one["valueSize"]) > 22 for one in large)
    assert all(minutes_of_arc(one["valueSize"]) > 16 for one in lamps)
    assert all(minutes_of_arc(one["valueSize"]) > 13 for one in sizes)
    assert all(minutes_of_arc(one["titleSize"]) > 5 for one in sizes)  # what a healthy eye can tell apart


def test_the_pipeline_asks_for_metrics_that_workers_have() -> None:
    folder = Path(metrics.__file__ or "").parent
    source = "\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py")))
    asked = set(re.findall(r"peakwatch_(\w+)", render(pipeline.board("en"))))
    assert asked
    for name in asked:
        bare = re.sub(r"_(total|bucket)$", "", name)
        found = f'"{bare}"' in source or (bare.startswith("store_") and f'"{bare.removeprefix("store_")}"' in source)
        assert found, f"peakwatch_{name}"


def _urls(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, one in value.items():
            if key == "url" and isinstance(one, str):
                yield one
            else:
                yield from _urls(one)
    elif isinstance(value, list):
        for one in value:
            yield from _urls(one)


def test_the_files_are_json_that_keeps_its_letters() -> None:
    text = (DIRECTORY / "zh" / "wall.json").read_text(encoding="utf-8")
    assert "差评率" in text
    assert json.loads(text)["uid"] == "pw-wall"
