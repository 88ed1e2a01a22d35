"""Rows become columns."""

import json

import pytest

from schemas.errors import PermanentError
from schemas.results import Alert, DeadLetter
from storage.rows import REFUSED, TABLES, Block, refused, table_of, to_block, weight
from tests.unit.storage.stand_ins import make_review, make_window


def test_a_row_of_an_unknown_type_is_refused() -> None:
    with pytest.raises(PermanentError, match="int is no row of a table"):
        table_of(3)  # type: ignore[arg-type]  # the point of the test


def test_rows_become_columns_of_the_same_order() -> None:
    block = to_block([make_review(1), make_review(2)])
    assert block.table == "reviews"
    assert len(block) == 2
    assert dict(zip(block.names, block.columns, strict=True))["event_id"] == ["e1", "e2"]


def test_percentiles_spread_over_three_columns_and_absent_ones_are_null() -> None:
    block = to_block([make_window(1), make_window(2, first_response_ms=None, resolution_ms=(1, 2, 3))])
    columns = dict(zip(block.names, block.columns, strict=True))
    assert columns["first_response_p50_ms"] == [100, None]
    assert columns["first_response_p99_ms"] == [300, None]
    assert columns["resolution_p90_ms"] == [None, 2]


def test_evidence_is_kept_as_json() -> None:
    alert = Alert("a", "r", "threshold", "firing", "info", 1, 1, None, {}, None, None, None, "", {"n": ["质量"]}, "")
    block = to_block([alert])
    column = block.columns[block.names.index("evidence")]
    assert json.loads(column[0]) == {"n": ["质量"]}


def test_a_dead_letter_can_always_be_written() -> None:
    block = to_block([DeadLetter("reviews", 0, 1, 2, "not_json", "bad \ud800", b"\xff")])
    assert block.columns[block.names.index("detail")] == ["bad \\ud800"]


def test_a_refused_row_is_named_by_where_its_event_stood() -> None:
    letters = refused(to_block([make_review(7)]), why="because", now_ms=9)
    assert [(x.topic, x.partition, x.offset, x.reason, x.detail) for x in letters] == [
        ("store:reviews", 0, 7, REFUSED, "because")
    ]
    assert json.loads(letters[0].raw)["event_id"] == "e7"


def test_a_refused_row_without_a_place_is_the_same_letter_each_time() -> None:
    first, second = (refused(to_block([make_window(1)]), why=why, now_ms=9)[0] for why in ("a", "b"))
    other = refused(to_block([make_window(2)]), why="a", now_ms=9)[0]
    assert first.partition == -1
    assert first.offset == second.offset != other.offset
    assert 0 <= first.offset < 2**63


def test_a_refused_row_that_no_json_holds_is_kept_readable() -> None:
    letters = refused(to_block([make_review(1, text="\ud800", topic_offset=2**70)]), why="", now_ms=9)
    assert b"\\ud800" in letters[0].raw
    assert letters[0].partition == -1


def test_a_part_of_a_block_is_those_rows() -> None:
    part = to_block([make_review(i) for i in range(5)]).part(1, 3)
    assert part.columns[0] == ["e1", "e2"]
    assert len(Block("t", (), [])) == 0


def test_long_texts_and_full_sketches_weigh_more() -> None:
    assert weight([make_review(1, text="长" * 20_000)]) > 40_000 > weight([make_review(1)])
    assert weight([DeadLetter("t", 0, 0, 0, "", "", b"x" * 9_000)]) > 9_000
    assert weight([make_window(1, first_response_sketch=dict.fromkeys(range(500), 1))]) > 20_000
    assert weight([]) == 0


def test_every_table_has_its_rows_type() -> None:
    assert len({table.name for table in TABLES.values()}) == len(TABLES) == 12
