"""What ships with the product: calendars and policies, read from `sla/assets` when asked."""

from collections.abc import Mapping
from pathlib import Path

from schemas.yaml import load_yaml
from sla.calendar import Calendar, load_calendars
from sla.policy import Policy, parse_policies

_ASSETS = Path(__file__).parent / "assets"


def default_calendars() -> dict[str, Calendar]:
    """`always`, and China's office and service hours with the holidays known so far."""
    return load_calendars((_ASSETS / "calendars.yaml").read_text(encoding="utf-8"), "calendars.yaml")


def default_policies(calendars: Mapping[str, Calendar]) -> tuple[Policy, ...]:
    """A first reply within an hour, solved within a day."""
    source = "default_policies.yaml"
    document = load_yaml((_ASSETS / source).read_text(encoding="utf-8"), source)
    assert isinstance(document, dict)
    return parse_policies(document["policies"], calendars, source=source)
