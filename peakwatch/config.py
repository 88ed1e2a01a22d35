"""Configuration files to values: what ships, and what a user's files put in its place; all mistakes at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from schemas.errors import ConfigError
from schemas.notify import NotifyConfig
from schemas.peaks import Peaks, check_names, parse_peaks
from schemas.rules import Rule, parse_rules, with_peaks
from schemas.yaml import load_yaml
from sla.calendar import parse_calendars
from sla.policy import Policy, parse_policies
from sla.presets import parse_presets
from sla.promises import Promises
from sla.working_time import Calendar

T = TypeVar("T")

ROOT: Final = Path(__file__).resolve().parent.parent
SHIPPED_RULES: Final = ROOT / "alerts" / "default_rules.yaml"
SHIPPED_PEAKS: Final = ROOT / "alerts" / "default_peaks.yaml"
SHIPPED_POLICIES: Final = ROOT / "sla" / "assets" / "default_policies.yaml"
SHIPPED_CALENDARS: Final = ROOT / "sla" / "assets" / "calendars.yaml"


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that decides what an event leads to."""

    policies: tuple[Policy, ...]
    calendars: dict[str, Calendar]
    rules: tuple[Rule, ...]
    peaks: Peaks
    notify: NotifyConfig | None = None  # None: nobody is told

    @property
    def promises(self) -> Promises:
        """The policies, with what the promotion plan changes of their targets."""
        return Promises(self.policies, self.peaks)


def load_config(
    *,
    rules: Path | None = None,
    calendars: Path | None = None,
    peaks: Path | None = None,
    notify: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Config:
    """What the files say; a file or section left out: what ships. ConfigError holds the mistakes of all of them.

    `environment`: where `notify` finds its secrets.
    """
    mistakes: list[str] = []
    rules_file = _sections(rules, ("policies", "presets", "rules"), mistakes)
    calendars_file = _sections(calendars, ("calendars",), mistakes)
    shipped = _parse(lambda: parse_calendars(_shipped(SHIPPED_CALENDARS, "calendars"), source=""), mistakes)
    own = {}
    if "calendars" in calendars_file:
        own = _parse(lambda: parse_calendars(calendars_file["calendars"], source=str(calendars)), mistakes) or {}
    known = {**(shipped or {}), **own}
    parsed_peaks = _parse(lambda: parse_peaks(_document(peaks or SHIPPED_PEAKS), source=_name(peaks)), mistakes)
    policies_raw = rules_file.get("policies", _shipped(SHIPPED_POLICIES, "policies"))
    policies = _parse(lambda: parse_policies(policies_raw, known, source=_name(rules)), mistakes)
    presets = _parse(lambda: parse_presets(rules_file.get("presets", []), known, source=_name(rules)), mistakes)
    rules_raw = rules_file.get("rules", _shipped(SHIPPED_RULES, "rules"))
    parsed_rules = _parse(lambda: parse_rules(rules_raw, source=_name(rules)), mistakes)
    parsed_notify = None
    if notify is not None:
        from alerts.notify.config import load_notify  # with its HTTP clients it would slow every replay's start

        parsed_notify = _parse(
            lambda: load_notify(notify, environment={} if environment is None else environment), mistakes
        )
    if mistakes or policies is None or parsed_rules is None or parsed_peaks is None:
        raise ConfigError(dict.fromkeys(mistakes))
    rules_of_peaks = _parse(lambda: with_peaks(parsed_rules, parsed_peaks, source=_name(peaks)), mistakes)
    rosters = None if parsed_notify is None else parsed_notify.rosters
    targets = {policy.name for policy in (*(presets or ()), *policies)}
    _parse(lambda: check_names(parsed_peaks, policies=targets, rosters=rosters, source=_name(peaks)), mistakes)
    if mistakes or rules_of_peaks is None:
        raise ConfigError(mistakes)
    return Config((*(presets or ()), *policies), known, rules_of_peaks, parsed_peaks, parsed_notify)


def _sections(path: Path | None, known: tuple[str, ...], mistakes: list[str]) -> dict[str, Any]:
    if path is None:
        return {}
    document = _parse(lambda: _document(path), mistakes)
    if document is None:
        return {}
    if not isinstance(document, dict):
        mistakes.append(f"{path}: not a mapping with the keys {', '.join(known)}")
        return {}
    mistakes += [
        f"{path}: {key}: unknown, not one of {', '.join(known)}"
        for key in document
        if key not in known and not key.startswith("x-")
    ]
    return {key: value for key, value in document.items() if key in known}


def _document(path: Path) -> Any:
    try:
        return load_yaml(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise ConfigError([f"{path}: {error.strerror or error}"]) from None
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: not UTF-8 at byte {error.start}"]) from None


def _shipped(path: Path, section: str) -> Any:
    return _document(path)[section]


def _name(path: Path | None) -> str:
    return "" if path is None else str(path)


def _parse(parse: Callable[[], T], mistakes: list[str]) -> T | None:
    try:
        return parse()
    except ConfigError as error:
        mistakes += error.mistakes
        return None
