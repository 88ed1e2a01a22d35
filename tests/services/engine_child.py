"""Run by test_reader.py: ClickHouse's engine in a process of its own, with the users that a file gives it.

In: JSON with `path`, `config` ("" for none) and `statements`. Out: JSON, for each its answer, or its error and
the error's code. One process holds one engine, so who asks with other rights is another process.
"""

import json
import re
import sys
from importlib import import_module
from typing import Any


def main() -> None:
    asked = json.load(sys.stdin)
    options = f"?config-file={asked['config']}" if asked["config"] else ""
    session: Any = import_module("chdb.session").Session(asked["path"] + options)
    answers: list[tuple[int, str]] = []
    for statement in asked["statements"]:
        try:
            answers.append((0, str(session.query(statement, "TSV"))))
        except RuntimeError as error:  # whatever the engine says comes as this
            code = re.search(r"Code: (\d+)", str(error))
            answers.append((int(code[1]) if code else -1, str(error)))
    json.dump(answers, sys.stdout)
    sys.stdout.flush()
    session.close()


if __name__ == "__main__":
    main()
