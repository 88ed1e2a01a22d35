"""ClickHouse's engine in a process of its own, with the users and the configuration that files give it.

One process holds one engine, so who asks with other rights is another process: `ask` starts this file as one. In: JSON
with `path`, `config` ("" for none) and `statements`. Out: JSON, for each its answer, or its error and the error's code.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
OK: Final = 0
Answer = tuple[int, str]  # OK and what was answered, or an error's code and its text


def ask(folder: Path, sql: Sequence[str], *, config: str = "", users: str = "") -> list[Answer]:
    """What the engine over `folder` says to each statement; `config`, `users`: texts of such files."""
    if users:
        assert not config
        (folder / "users.xml").write_text(users, encoding="utf-8")
        config = (
            f"<clickhouse><user_directories><users_xml><path>{folder / 'users.xml'}</path></users_xml>"
            "</user_directories></clickhouse>"
        )
    if config:
        (folder / "config.xml").write_text(config, encoding="utf-8")
    asked = {
        "path": str(folder / "data"),
        "config": str(folder / "config.xml") if config else "",
        "statements": list(sql),
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.services.engine_child"],
        input=json.dumps(asked), capture_output=True, text=True, timeout=120, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return [(code, text) for code, text in json.loads(done.stdout)]


def main() -> None:
    asked = json.load(sys.stdin)
    options = f"?config-file={asked['config']}" if asked["config"] else ""
    session: Any = import_module("chdb.session").Session(asked["path"] + options)
    answers: list[Answer] = []
    for statement in asked["statements"]:
        try:
            answers.append((OK, str(session.query(statement, "TSV"))))
        except RuntimeError as error:  # whatever the engine says comes as this
            code = re.search(r"Code: (\d+)", str(error))
            answers.append((int(code[1]) if code else -1, str(error)))
    json.dump(answers, sys.stdout)
    sys.stdout.flush()
    session.close()


if __name__ == "__main__":
    main()
