"""The docs name every setting, with the default that holds, and every figure of a window."""

import re
from dataclasses import fields
from pathlib import Path

from schemas.errors import ConfigError
from schemas.results import WindowRow
from schemas.settings import Settings, read_settings

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
DOCUMENT = DOCS / "operations.md"
ROW = re.compile(r"^\| `(\w+)` \| (.*?) \| (.*?) \|$", re.MULTILINE)


def _rows() -> list[tuple[str, str, str]]:
    return ROW.findall(DOCUMENT.read_text(encoding="utf-8").partition("## Topics")[0])


def _shown(name: str, value: object) -> str:
    """A default as `peakwatch.yaml` writes it."""
    if name.endswith("_ms"):
        assert isinstance(value, int)
        units = {"d": 86_400_000, "m": 60_000, "s": 1_000, "ms": 1}
        unit = next(name for name, size in units.items() if value % size == 0)
        return f"`{value // units[unit]}{unit}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return ", ".join(f"`{part}`" for part in value)
    return f"`{value}`" if value != "" else "none"


def test_the_table_of_settings_is_the_settings() -> None:
    told = {name: default for name, default, _ in _rows()}
    real = {field.name.removesuffix("_ms"): _shown(field.name, field.default) for field in fields(Settings)}
    assert told == real


def test_every_variable_that_we_ask_people_to_set_may_stand_beside_the_settings() -> None:
    files = [ROOT / "README.md", ROOT / "docker-compose.yml", ROOT / "scripts/kafka", ROOT / "scripts/make-env"]
    for folder, kind in (("docs", "*.md"), ("peakwatch", "*.py"), ("grafana", "*.yaml"), ("deploy", "*.yaml")):
        files += (ROOT / folder).rglob(kind)
    named = {name for file in files for name in re.findall(r"\bPEAKWATCH_[A-Z_]*[A-Z]\b", file.read_text("utf-8"))}
    assert len(named) > 20
    named.remove("PEAKWATCH_WORKER_PORT")  # docs/operations.md: what Kubernetes must not set
    unknown: list[str] = []
    try:
        read_settings(None, dict.fromkeys(named, "1"))
    except ConfigError as error:  # most are no numbers; what counts is that they are known
        unknown = [mistake for mistake in error.mistakes if "unknown" in mistake]
    assert unknown == []


def test_every_setting_is_explained() -> None:
    assert all(len(meaning) > 10 for _, _, meaning in _rows())


def test_every_figure_of_a_window_is_defined() -> None:
    section = (DOCS / "architecture.md").read_text(encoding="utf-8").partition("## Figures of a window")[2]
    defined = {name for row in section.splitlines() if row.startswith("| `") for name in re.findall(r"`(\w+)`", row)}
    key = {"window_seconds", "window_end", "dimension", "value"}
    assert set(WindowRow._fields) - key - defined == set()
