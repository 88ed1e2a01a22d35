"""A store that holds windows already learns what tells of the judge, without losing a row."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded.clickhouse import ClickHouseServer, start
from storage.client import ClickHouse, ClickHouseSettings
from storage.migrate import DDL, migrate
from storage.rows import to_block
from tests.unit.storage.stand_ins import make_window

pytestmark = pytest.mark.embedded

NEW = ("compared", "invalid_share", "uncertain_share", "duplicate_share", "drift")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseServer]:
    with start(tmp_path_factory.mktemp("clickhouse")) as running:
        yield running


def _insert(client: ClickHouse, *, fields: dict[str, object], without: tuple[str, ...] = ()) -> None:
    block = to_block([make_window(0, **fields)])
    kept = [i for i, name in enumerate(block.names) if name not in without]
    client.insert("pw.windows", [block.names[i] for i in kept], [block.columns[i] for i in kept])


def test_old_rows_have_no_answer_and_new_ones_reach_every_view(server: ClickHouseServer, tmp_path: Path) -> None:
    before = tmp_path / "before"
    before.mkdir()
    for path in sorted(DDL.glob("*.sql"))[:5]:
        shutil.copy(path, before)
    client = ClickHouse(ClickHouseSettings(host=server.host, port=server.port, timeout_ms=20_000))
    migrate(client, database="pw", directory=before)
    _insert(client, without=NEW, fields={"value": "手机"})
    migrate(client, database="pw")
    told: dict[str, object] = dict(zip(NEW, (40, 0.1, 0.2, 0.3, 0.4), strict=True))
    _insert(client, fields={"value": "女装", **told})
    wanted = f"SELECT value, {', '.join(NEW)} FROM pw.%s ORDER BY value"
    expected = [("女装", 40, 0.1, 0.2, 0.3, 0.4), ("手机", 0, None, None, None, None)]
    assert client.execute(wanted % "windows_v") == expected
    assert client.execute(wanted % "windows_latest") == expected
    client.close()
