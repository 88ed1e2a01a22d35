"""Queries are sorted as ClickHouse's own server would take them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedded.chnative.statement import Kind, sort_statement

NULL = "FUNCTION null('a Int8')"


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("SELECT 1", Kind.SELECT),
        ("  -- a remark\n/* and\nanother */ select 1;", Kind.SELECT),
        ("WITH 1 AS x SELECT x", Kind.SELECT),
        ("(SELECT 1) UNION ALL (SELECT 2)", Kind.SELECT),
        ("WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x", Kind.OTHER),
        ("SHOW TABLES", Kind.OTHER),
        ("INSERT INTO t VALUES", Kind.INSERT_BLOCKS),
        ("INSERT INTO t (a, b) VALUES ;", Kind.INSERT_BLOCKS),
        ("INSERT INTO t", Kind.INSERT_BLOCKS),
        ("insert into t format CSV", Kind.INSERT_BLOCKS),
        ("INSERT INTO t (a) SETTINGS async_insert = 0 VALUES", Kind.INSERT_BLOCKS),
        ("INSERT INTO t /* VALUES */ (a) -- (b)\n VALUES", Kind.INSERT_BLOCKS),
        ("INSERT INTO t VALUES (1, ';')", Kind.OTHER),
        ("INSERT INTO t (a) SELECT 1", Kind.OTHER),
        ("INSERT INTO t (SELECT 1)", Kind.OTHER),
        ("INSERT INTO t FORMAT CSV\n1;2'\n", Kind.OTHER),
        ("SELECT 1; SELECT 2", Kind.MANY),
        ("SELECT ';'", Kind.SELECT),
        ("system shutdown", Kind.SHUTDOWN),
        (" /* nothing */ ; "[:-2], Kind.EMPTY),
    ],
)
def test_a_query_is_sorted(sql: str, kind: Kind) -> None:
    assert sort_statement(sql).kind is kind


@pytest.mark.parametrize(
    ("sql", "table", "columns", "text"),
    [
        ("INSERT INTO db.t (a, `b c`) VALUES", "db.t", "a, `b c`", "INSERT INTO db.t (a, `b c`) "),
        ("INSERT INTO `d b`.`t` FORMAT Native", "`d b`.`t`", None, "INSERT INTO `d b`.`t` "),
        ("INSERT INTO TABLE t VALUES", "t", None, "INSERT INTO TABLE t "),
        ("INSERT INTO FUNCTION null('a Int8') VALUES", NULL, None, f"INSERT INTO {NULL} "),
        ("INSERT INTO table VALUES", "table", None, "INSERT INTO table "),
    ],
)  # fmt: skip
def test_an_insert_tells_its_table_and_columns(sql: str, table: str, columns: str | None, text: str) -> None:
    statement = sort_statement(sql)
    assert (statement.table, statement.columns, statement.text) == (table, columns, text)


def test_data_in_the_text_is_left_out_for_clients_that_send_it_once_more() -> None:
    statement = sort_statement("INSERT INTO t (a) VALUES (1), (2); SELECT 3", data_in_text=False)
    assert (statement.kind, statement.text) == (Kind.INSERT_BLOCKS, "INSERT INTO t (a) ")


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("SELECT 1 FORMAT JSON", "SELECT 1 "),
        ("SELECT 1 FORMAT JSON SETTINGS max_threads = 1;", "SELECT 1  SETTINGS max_threads = 1"),
        ("SELECT format FROM t", "SELECT format FROM t"),
        ("SELECT format('{}', x) FROM t", "SELECT format('{}', x) FROM t"),
        ("SELECT a FROM (SELECT a FROM t FORMAT JSON)", "SELECT a FROM (SELECT a FROM t FORMAT JSON)"),
        ("SELECT 'FORMAT CSV'", "SELECT 'FORMAT CSV'"),
        ("SHOW TABLES FORMAT Pretty", "SHOW TABLES "),
    ],
)
def test_the_format_clause_is_the_clients(sql: str, text: str) -> None:
    assert sort_statement(sql).text == text


@given(st.text(max_size=200) | st.text("INSERT VALUES()`'\"; -/*FORMAT\n", max_size=60).map(lambda s: "INSERT " + s))
def test_any_text_is_sorted(sql: str) -> None:
    assert sort_statement(sql).kind in Kind
