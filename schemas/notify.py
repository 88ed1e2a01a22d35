"""The shapes of notify.yaml: who is told of an alert, over which channels, how often, and who hears next.

Values only; `notify_read.py` makes them of a file, `alerts/notify/` acts on them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from schemas.zones import DEFAULT_ZONE

ChannelKind = Literal["dingtalk", "feishu", "wecom", "webhook", "alertmanager", "apprise"]
Language = Literal["zh", "en"]
Updates = Literal["none", "important", "all"]

KINDS: Final[tuple[ChannelKind, ...]] = ("dingtalk", "feishu", "wecom", "webhook", "alertmanager", "apprise")
LINK_NAMES: Final = ("wall", "claim", "false_alarm", "snooze")


class Secret:
    """A text that shows in no repr, str, log or error; only `reveal` gives it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the wire."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __reduce__(self) -> str:
        raise TypeError("a secret is not pickled")


NO_SECRET: Final = Secret("")


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """Somebody on call, by what the channels know him by."""

    name: str
    phone: str = ""  # DingTalk
    open_id: str = ""  # Feishu
    wecom: str = ""
    channels: tuple[str, ...] = ()  # that reach him alone, used when an alert escalates to him


@dataclass(frozen=True, kw_only=True, slots=True)
class Channel:
    """One place that messages go to, with what it can take."""

    name: str
    kind: ChannelKind
    url: Secret
    secret: Secret = NO_SECRET
    card: bool = False  # DingTalk's action card, WeCom's template card
    language: Language = "zh"
    timeout_ms: int = 5000
    limits: tuple[tuple[int, int], ...] = ()  # at most so many messages in so many ms
    reserve: int = 0  # of the tightest limit, kept for critical alerts
    monthly_quota: int | None = None
    max_bytes: int = 20_000
    failover: tuple[str, ...] = ()
    retry_unsure: bool = False  # try again where nobody knows whether the first try arrived
    resend_ms: int = 60_000  # Alertmanager: active alerts are sent again this often
    headers: Mapping[str, Secret] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """Which alerts go where. Of a list the first that matches counts, and further ones while `go_on`."""

    match: Mapping[str, frozenset[str]] = field(default_factory=dict)
    channels: tuple[str, ...] = ()
    roster: str = ""
    escalation: str = ""
    resolved: bool = True
    updates: Updates = "important"
    bundle_ms: int = 60_000  # alerts of single tickets of one queue wait so long for each other
    go_on: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Rotation:
    """People in turn: each for `every_ms` of wall clock time, from `start_wall` on; only within `minutes`."""

    people: tuple[str, ...]
    start_wall: int
    every_ms: int
    minutes: tuple[int, int] | None = None  # of the day, from and to; may cross midnight
    weekdays: frozenset[int] | None = None  # 0 is Monday; of the day on which the span began


@dataclass(frozen=True, kw_only=True, slots=True)
class Override:
    """Who stands in, from an instant to another."""

    people: tuple[str, ...]
    start_ms: int
    end_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Roster:
    """Who is on call."""

    name: str
    timezone: str = DEFAULT_ZONE
    rotations: tuple[Rotation, ...] = ()
    overrides: tuple[Override, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """Who is told when nobody has claimed an alert for so long."""

    after_ms: int
    people: tuple[str, ...] = ()
    roster: str = ""
    channels: tuple[str, ...] = ()  # besides those of the people; empty: the route's


@dataclass(frozen=True, kw_only=True, slots=True)
class Escalation:
    """Person, second, lead: the steps in time order."""

    name: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class NotifyConfig:
    """All of notify.yaml."""

    timezone: str = DEFAULT_ZONE
    links: Mapping[str, str] = field(default_factory=dict)  # wall, claim, …: with {alert_id} in them
    templates: str = ""  # a folder whose templates go before those that ship
    people: Mapping[str, Person] = field(default_factory=dict)
    channels: Mapping[str, Channel] = field(default_factory=dict)
    routes: tuple[Route, ...] = ()
    rosters: Mapping[str, Roster] = field(default_factory=dict)
    escalations: Mapping[str, Escalation] = field(default_factory=dict)

    def secrets(self) -> frozenset[str]:
        """Every text that may show nowhere."""
        found = {one for c in self.channels.values() for one in (c.url, c.secret, *c.headers.values())}
        return frozenset(one.reveal() for one in found if one)
