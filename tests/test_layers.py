"""The architecture, held by the syntax trees: arrows point one way, pure folders stay pure, the README's tree is true.

A new arrow belongs into `ARROWS` only after somebody has thought about it.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
NOTIFY = "alerts/notify"

# What a folder may import of ours. `schemas` is open to all but `sentiment`, which is usable alone.
ARROWS: dict[str, set[str]] = {
    "schemas": set(),
    "sentiment": set(),
    "sla": {"schemas"},
    "alerts": {"schemas"},
    NOTIFY: {"schemas", "alerts"},
    "streams": {"schemas", "alerts", "sla", "sentiment"},
    "storage": {"schemas"},
    "embedded": {"schemas"},
    # sentiment: `remote_judge` answers as its judge does; sla: `batches` carries its transitions over the wire;
    # alerts: what people do to them comes by a topic.
    "agents": {"schemas", "streams", "storage", "alerts", NOTIFY, "sentiment", "sla"},
    "grafana": {"schemas"},
    "peakwatch": {
        "schemas", "streams", "storage", "alerts", NOTIFY, "sentiment", "sla", "agents", "embedded", "grafana",
    },
    "bench": {
        "schemas", "streams", "storage", "sentiment", "sla", "alerts", NOTIFY, "agents", "embedded", "peakwatch",
        "grafana",
    },
}  # fmt: skip
PURE = ("schemas", "sentiment", "sla", "streams", "alerts")
IMPURE = {
    "asyncio", "http", "multiprocessing", "requests", "secrets", "select", "signal", "socket", "ssl", "subprocess",
    "tempfile", "threading", "time", "uuid",
    "aiohttp", "aiokafka", "apprise", "chdb", "clickhouse_driver", "faust", "kafka", "rich",
}  # fmt: skip
# A training run may use several processors: a test says that it writes the same.
MAY = {"sentiment/training/second.py": {"multiprocessing.get_context"}}
UNSEEDED = {"random", "np.random", "numpy.random"}
SEEDED = {"Random", "default_rng", "Generator", "PCG64", "SeedSequence"}
CLOCKS = {"now", "utcnow", "today"}


class Module(NamedTuple):
    path: Path
    folder: str
    tree: ast.Module

    def at(self, node: ast.AST) -> str:
        return f"{self.path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"


def modules() -> list[Module]:
    found = []
    for name in sorted({folder.split("/")[0] for folder in ARROWS}):
        for path in sorted((ROOT / name).rglob("*.py")):
            folder = NOTIFY if path.is_relative_to(ROOT / NOTIFY) else name
            found.append(Module(path, folder, ast.parse(path.read_text(encoding="utf-8"))))
    return found


MODULES = modules()


def imported(module: Module) -> Iterator[tuple[ast.AST, str]]:
    """Every name of a module that is imported, also inside a function."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            # `from alerts import notify` names a folder by its second word.
            yield from ((node, f"{node.module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and called(node) in ("import_module", "importlib.import_module", "__import__"):
            first = node.args[0] if node.args else None
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield node, first.value


def called(node: ast.Call) -> str:
    return ast.unparse(node.func)


def folder_of(name: str) -> str | None:
    """The folder of ours that a module's name stands for."""
    first, _, rest = name.partition(".")
    if first == "alerts" and rest.split(".")[0] == "notify":
        return NOTIFY
    return first if first in ARROWS else None


def backward(module: Module) -> list[str]:
    """The imports that no arrow allows."""
    return [
        f"{module.at(node)}: {module.folder} may not import {folder}"
        for node, name in imported(module)
        if (folder := folder_of(name)) not in (None, module.folder) and folder not in ARROWS[module.folder]
    ]


def impure(module: Module) -> list[str]:
    """What reaches for the world outside: servers, threads, clocks, the environment, unseeded chance."""
    allowed = MAY.get(module.path.relative_to(ROOT).as_posix(), set())
    reached = ((node, name) for node, name in imported(module) if name.split(".")[0] in IMPURE and name not in allowed)
    found = [f"{module.at(node)}: imports {name}" for node, name in reached]
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Attribute):
            continue
        owner = ast.unparse(node.value)
        if (
            (owner == "os" and node.attr in ("environ", "getenv", "urandom"))
            or (owner in UNSEEDED and node.attr not in SEEDED)
            or (node.attr in CLOCKS and owner.split(".")[-1] in ("datetime", "date"))
        ):
            found.append(f"{module.at(node)}: {owner}.{node.attr}")
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and called(node).split(".")[-1] in SEEDED - {"Generator"} and not node.args:
            found.append(f"{module.at(node)}: {called(node)} without a seed")
    return found


def test_every_import_follows_an_arrow() -> None:
    assert [wrong for module in MODULES for wrong in backward(module)] == []


def test_every_folder_with_code_has_its_arrows() -> None:
    with_code = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert with_code <= set(ARROWS)


def test_no_arrow_points_back() -> None:
    seen: set[str] = set()
    while len(seen) < len(ARROWS):
        ready = {folder for folder, to in ARROWS.items() if folder not in seen and to <= seen}
        assert ready, f"a ring among {sorted(set(ARROWS) - seen)}"
        seen |= ready


def test_pure_folders_reach_for_nothing_outside() -> None:
    assert [wrong for module in MODULES if module.folder in PURE for wrong in impure(module)] == []


def test_only_storage_imports_the_driver_of_clickhouse() -> None:
    users = {
        module.folder for module in MODULES for _, name in imported(module) if name.startswith("clickhouse_driver")
    }
    assert users <= {"storage", "bench"}


@pytest.mark.parametrize(
    ("folder", "source"),
    [
        ("schemas", "import streams.engine"), ("sentiment", "from schemas.errors import BadEvent"),
        ("streams", "def late():\n    from storage.writer import Writer"), ("sla", "from alerts import lifecycle"),
        ("streams", "from alerts import notify"), ("alerts", "import alerts.notify.pipeline"),
        ("streams", "from importlib import import_module\nimport_module('peakwatch.cli')"),
    ],
)  # fmt: skip
def test_an_arrow_that_points_back_is_seen(folder: str, source: str) -> None:
    assert backward(Module(ROOT / "some.py", folder, ast.parse(source)))


@pytest.mark.parametrize(
    "source",
    [
        "import socket", "from time import time", "def f():\n    import threading", "import os\nos.environ['A']",
        "import random\nrandom.random()", "import numpy as np\nnp.random.normal()", "import random\nrandom.Random()",
        "import datetime as dt\ndt.datetime.now()", "from numpy.random import default_rng\ndefault_rng()",
    ],
)  # fmt: skip
def test_a_reach_for_the_outside_is_seen(source: str) -> None:
    assert impure(Module(ROOT / "some.py", "streams", ast.parse(source)))


def tree_of_the_readme() -> dict[str, list[str]]:
    """Folders and what is listed in each: the block of the README whose first line is a folder."""
    blocks = re.findall(r"^```\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.M | re.S)
    (block,) = [block for block in blocks if re.match(r"\w+/ ", block)]
    found: dict[str, list[str]] = {}
    folder = ""
    for line in block.splitlines():
        name = line.split()[0]
        if line[0] == " ":
            found[folder].append(name)
        else:
            folder = name.rstrip("/")
            found[folder] = []
    return found


def test_what_the_readme_s_tree_names_is_on_the_disk() -> None:
    named = [Path(folder, name) for folder, names in tree_of_the_readme().items() for name in ("", *names)]
    assert [str(path) for path in named if not (ROOT / path).exists()] == []


def test_every_folder_with_code_is_in_the_readme_s_tree() -> None:
    with_code = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert with_code <= set(tree_of_the_readme())
