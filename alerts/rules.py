"""Which rules and which promotion plan count: what ships, or what a user's file says instead of it.

A section that a file leaves out keeps what ships; a section that it has replaces it as a whole. The sections
`policies` and `presets` of the same file are parsed by `sla/`.
"""

from importlib import resources
from typing import Any

from schemas.errors import ConfigError
from schemas.peaks import Peaks, parse_peaks
from schemas.rules import Rule, parse_rules, with_peaks
from schemas.strict import Mistakes, Node
from schemas.yaml import load_yaml

SECTIONS = ("policies", "presets", "rules")
DEFAULT_RULES = "default_rules.yaml"
DEFAULT_PEAKS = "default_peaks.yaml"


def load_rules(text: str | None, *, source: str, peaks: Peaks | None = None) -> tuple[Rule, ...]:
    """The rules of a file's text, or those that ship; with what the promotion plan changes of them.

    Raises ConfigError with every mistake of the text, unknown sections included.
    """
    document = {} if text is None else load_yaml(text, source)
    return rules_of(document, source=source, peaks=peaks)


def rules_of(document: Any, *, source: str, peaks: Peaks | None = None) -> tuple[Rule, ...]:
    """As `load_rules`, of a document that was read already."""
    mistakes = Mistakes(source)
    fields = Node({} if document is None else document, "", mistakes).fields(SECTIONS)
    found: list[str] = []
    rules: tuple[Rule, ...] = ()
    try:
        mistakes.stop()
    except ConfigError as error:
        found.extend(error.mistakes)
    try:
        rules = parse_rules(fields["rules"].value, source=source) if "rules" in fields else shipped_rules()
    except ConfigError as error:
        found.extend(error.mistakes)
    if found:
        raise ConfigError(found)
    return rules if peaks is None else with_peaks(rules, peaks, source="peaks")


def load_peaks(text: str | None, *, source: str) -> Peaks:
    """The promotion plan of a file's text, or the one that ships. Raises ConfigError with every mistake."""
    if text is None:
        return parse_peaks(load_yaml(_shipped(DEFAULT_PEAKS), DEFAULT_PEAKS), source=DEFAULT_PEAKS)
    return parse_peaks(load_yaml(text, source), source=source)


def shipped_rules() -> tuple[Rule, ...]:
    """The rules that ship with the product."""
    document = load_yaml(_shipped(DEFAULT_RULES), DEFAULT_RULES)
    return parse_rules(document["rules"], source=DEFAULT_RULES)


def _shipped(name: str) -> str:
    return resources.files("alerts").joinpath(name).read_text(encoding="utf-8")
