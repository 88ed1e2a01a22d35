"""A backup by ClickHouse itself, as docs/operations.md says, with the configuration that Compose mounts."""

import re
from pathlib import Path
from typing import Final

import pytest

from storage.ddl import Retention, read_steps, render
from storage.migrate import BOOK, DDL
from tests.services.engine_child import OK, ROOT, ask

pytestmark = pytest.mark.embedded

PLACE: Final = "/var/lib/clickhouse/backups/"


def told(verb: str) -> str:
    """The statement of the docs, in which the name of the backup is `NAME`."""
    (found,) = set(re.findall(rf"{verb} DATABASE peakwatch (?:TO|FROM) Disk\('backups', 'NAME'\)",
                              (ROOT / "docs" / "operations.md").read_text("utf-8")))  # fmt: skip
    return str(found).replace("NAME", "before")


def test_what_was_lost_after_a_backup_comes_back_and_the_tables_go_on(tmp_path: Path) -> None:
    config = (ROOT / "deploy" / "clickhouse" / "peakwatch.xml").read_text("utf-8")
    assert PLACE in config
    (tmp_path / "backups").mkdir()
    steps = [BOOK, *(step for step in read_steps(DDL) if not step.optional)]
    make = [sql for one in steps for sql in render(one, database="peakwatch", cluster=None, retention=Retention())]
    window = "INSERT INTO peakwatch.windows (window_seconds, window_end, dimension, reviews) SELECT 60, {}, 'all', {}"
    newest = "SELECT reviews FROM peakwatch.windows_latest"
    answers = ask(
        tmp_path,
        [
            *make, window.format(1, 5), "INSERT INTO peakwatch.schema_migrations (number) SELECT 1",
            told("BACKUP"), "DROP DATABASE peakwatch SYNC", told("RESTORE"),
            newest, "SELECT count() FROM peakwatch.schema_migrations FINAL",
            window.format(2, 7), newest,  # what feeds the newest windows came back as well
        ],
        config=config.replace(PLACE, f"{tmp_path / 'backups'}/"),
    )  # fmt: skip
    assert [text for code, text in answers if code != OK] == []
    assert [text.split("\t")[-1].strip() for _, text in answers[-7:]] == [
        "BACKUP_CREATED", "", "RESTORED", "5", "1", "", "7",
    ]  # fmt: skip
