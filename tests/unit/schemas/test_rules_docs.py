"""The examples of docs/rules.md are read by the very parser."""

import re
from pathlib import Path

from alerts.rules import shipped_rules
from schemas.peaks import parse_peaks
from schemas.rules import parse_rules, with_peaks
from schemas.rules.read import COMMON, IN_PEAKS, SHAPES
from schemas.yaml import load_yaml

PAGE = Path(__file__).parents[3] / "docs" / "rules.md"


def test_the_examples_are_valid() -> None:
    rules_text, peaks_text = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    rules = parse_rules(load_yaml(rules_text, "rules"), source="rules")
    plan = parse_peaks(load_yaml(peaks_text, "peaks"), source="peaks")
    assert len(with_peaks((*shipped_rules(), *rules), plan, source="peaks")) == len(rules) + len(shipped_rules())


def test_every_key_is_told() -> None:
    page = PAGE.read_text(encoding="utf-8")
    keys = {*COMMON, *IN_PEAKS, *(key for _, own in SHAPES.values() for key in own)}
    assert [key for key in sorted(keys) if not re.search(rf"\b{key}\b", page)] == []
