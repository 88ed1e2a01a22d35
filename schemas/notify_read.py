"""notify.yaml as values: an unknown key is a mistake, names must exist, and all mistakes come at once.

No message shows a value that may be a secret. `{env: NAME}` stands for what the environment, handed in, says.
"""

import itertools
import re
from collections.abc import Callable, Collection, Mapping
from typing import Final, TypeVar
from urllib.parse import urlsplit

from schemas.notify import (
    KINDS,
    LINK_NAMES,
    NO_SECRET,
    Channel,
    ChannelKind,
    Escalation,
    Language,
    NotifyConfig,
    Override,
    Person,
    Roster,
    Rotation,
    Route,
    Secret,
    Step,
    Updates,
)
from schemas.strict import Fields, Mistakes, Node
from schemas.zones import DAY_MS, DEFAULT_ZONE, instant_of_wall, read_minute, read_wall, read_zone

T = TypeVar("T")

MINUTE_MS: Final = 60_000
WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
UPDATES: Final[tuple[Updates, ...]] = ("none", "important", "all")
LANGUAGES: Final[tuple[Language, ...]] = ("zh", "en")
# What the platforms document of their group bots: messages in a time, and the largest body in bytes.
LIMITS: Final[Mapping[ChannelKind, tuple[tuple[int, int], ...]]] = {
    "dingtalk": ((20, MINUTE_MS),), "feishu": ((100, MINUTE_MS), (5, 1000)), "wecom": ((20, MINUTE_MS),),
    "webhook": (), "alertmanager": (), "apprise": (),
}  # fmt: skip
MAX_BYTES: Final[Mapping[ChannelKind, int]] = {
    "dingtalk": 20_000, "feishu": 20_000, "wecom": 4096, "webhook": 1_000_000, "alertmanager": 1_000_000,
    "apprise": 20_000,
}  # fmt: skip
_TOP: Final = ("timezone", "language", "links", "templates", "people", "channels", "routes", "rosters", "escalations")
_HANDLES: Final = {"phone": r"\+?[0-9-]{3,20}", "open_id": r"[A-Za-z0-9_-]{1,64}", "wecom": r"[A-Za-z0-9_.@-]{1,64}"}
_NO_NODES: Final[list[Node]] = []
_NO_STEPS: Final[tuple[Step, ...]] = ()
_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)


def parse_notify(raw: object, *, source: str, environment: Mapping[str, str]) -> NotifyConfig:
    """The document of a notify file; ConfigError holds every mistake as `source: channels[1].url: …`."""
    mistakes = Mistakes(source)
    top = Node({} if raw is None else raw, "", mistakes).fields(_TOP)
    language = top.take("language", _language, LANGUAGES[0])
    zone = top.take("timezone", read_zone, DEFAULT_ZONE)
    channels = _named(top, "channels", lambda f: _channel(f, language=language, environment=environment))
    config = NotifyConfig(
        timezone=zone,
        links=top.take("links", _links, {}),
        templates=top.take("templates", lambda n: n.text(max_chars=1000), ""),
        people=_named(top, "people", _person),
        channels=channels,
        rosters=_named(top, "rosters", lambda f: _roster(f, zone=zone)),
        escalations=_named(top, "escalations", _escalation),
        routes=top.take("routes", lambda n: tuple(_route(one) for one in n.items(at_most=1000)), ()),
    )
    _check_names(top, config)
    mistakes.stop()
    return config


def _named(top: Fields, key: str, read: Callable[[Fields], T]) -> dict[str, T]:
    """A list of mappings with a `name` each, by name."""
    found: dict[str, T] = {}
    for node in top.take(key, _items, _NO_NODES):
        if not isinstance(node.value, dict):
            node.mistakes.add(node.place, "is not a mapping")
            continue
        fields = node.fields(_KEYS[key])
        name = fields.need("name", lambda n: n.text(max_chars=100), stand_in="")
        value = read(fields)
        if name in found:
            fields.wrong("name", f"{name!r} stands twice")
        elif name:
            found[name] = value
    return found


def _items(node: Node) -> list[Node]:
    return node.items(at_most=1000)


def _language(node: Node) -> Language:
    return node.one_of(LANGUAGES)


def _kind(node: Node) -> ChannelKind:
    return node.one_of(KINDS)


def _names(node: Node) -> tuple[str, ...]:
    return tuple(one.text(max_chars=100) for one in node.one_or_many())


def _links(node: Node) -> dict[str, str]:
    links = {}
    fields = node.fields(LINK_NAMES)
    for name in LINK_NAMES:
        if name in fields:
            text = fields[name].text(max_chars=1000)
            if text and not text.startswith(("https://", "http://")):
                fields[name].wrong("is no http or https address")
            links[name] = text
    return links


def _person(fields: Fields) -> Person:
    handles = {}
    for key, pattern in _HANDLES.items():
        handles[key] = fields.take(key, lambda n: n.text(max_chars=100), "")
        if handles[key] and not re.fullmatch(pattern, handles[key], re.ASCII):
            fields[key].wrong("has characters that no such id has")
    return Person(
        name=fields.need("name", Node.text, stand_in=""), channels=fields.take("channels", _names, ()), **handles
    )


def _channel(fields: Fields, *, language: Language, environment: Mapping[str, str]) -> Channel:
    def secret(node: Node) -> Secret:
        return _secret(node, environment)

    kind = fields.need("kind", _kind, stand_in=KINDS[0])
    url = fields.need("url", secret, stand_in=NO_SECRET)
    if url and kind != "apprise" and not _is_http(url.reveal()):
        fields.wrong("url", "is no http or https address")
    limits = LIMITS[kind]
    if "per_minute" in fields:
        limits = ((fields["per_minute"].whole(at_least=1, at_most=100_000), MINUTE_MS), *limits[1:])
    tightest = min((most for most, per_ms in limits if per_ms == MINUTE_MS), default=0)
    reserve = fields.take("reserve", lambda n: n.whole(), tightest // 4)
    if reserve and reserve >= tightest:
        fields.wrong("reserve", f"{reserve} leaves nothing of {tightest} a minute for alerts that are not critical")
    return Channel(
        name=fields.need("name", Node.text, stand_in=""), kind=kind, url=url, limits=limits, reserve=reserve,
        secret=fields.take("secret", secret, NO_SECRET),
        card=fields.take("card", Node.flag, False),
        language=fields.take("language", _language, language),
        timeout_ms=fields.take("timeout", lambda n: n.duration_ms(at_least_ms=1000, at_most_ms=60_000), 5000),
        monthly_quota=fields.take("monthly_quota", lambda n: n.whole(at_least=1), None),
        max_bytes=fields.take("max_bytes", lambda n: n.whole(at_least=500, at_most=MAX_BYTES[kind]), MAX_BYTES[kind]),
        failover=fields.take("failover", _names, ()),
        retry_unsure=fields.take("retry_unsure", Node.flag, kind in ("webhook", "alertmanager", "apprise")),
        resend_ms=fields.take("resend", lambda n: n.duration_ms(at_least_ms=1000, at_most_ms=3_600_000), MINUTE_MS),
        headers=fields.take("headers", lambda n: _headers(n, secret), {}),
    )  # fmt: skip


def _secret(node: Node, environment: Mapping[str, str]) -> Secret:
    """A text, or `{env: NAME}`; no mistake shows it."""
    if isinstance(node.value, dict):
        name = node.fields(("env",)).need("env", Node.text, stand_in="")
        if name and not environment.get(name):
            node.mistakes.add(node.place, f"the environment has no {name}")
        return Secret(environment.get(name, ""))
    if not isinstance(node.value, str) or not node.value.strip():
        node.mistakes.add(node.place, "is neither a text nor {env: NAME}")
        return NO_SECRET
    return Secret(node.value)


def _headers(node: Node, read: Callable[[Node], Secret]) -> dict[str, Secret]:
    found = {}
    for key, value in node.entries() if isinstance(node.value, dict) else ():
        secret = read(value)
        if not _HEADER.fullmatch(key) or any(char in secret.reveal() for char in "\r\n\0"):
            value.mistakes.add(value.place, "is no header")
        found[key] = secret
    if not isinstance(node.value, dict):
        node.mistakes.add(node.place, "is not a mapping")
    return found


def _is_http(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _roster(fields: Fields, *, zone: str) -> Roster:
    own = fields.take("timezone", read_zone, zone)
    return Roster(
        name=fields.need("name", Node.text, stand_in=""), timezone=own,
        rotations=fields.take("rotations", lambda n: tuple(_rotation(one) for one in n.items(at_most=100)), ()),
        overrides=fields.take("overrides", lambda n: tuple(_override(one, own) for one in n.items()), ()),
    )  # fmt: skip


def _rotation(node: Node) -> Rotation:
    fields = node.fields(("people", "from", "every", "hours", "weekdays"))
    return Rotation(
        people=fields.need("people", _names, stand_in=()),
        start_wall=fields.need("from", read_wall, stand_in=0),
        every_ms=fields.take("every", lambda n: n.duration_ms(at_least_ms=3_600_000), DAY_MS),
        minutes=fields.take("hours", _hours, None),
        weekdays=fields.take("weekdays", _weekdays, None),
    )


def _weekdays(node: Node) -> frozenset[int]:
    return frozenset(WEEKDAYS.index(one.one_of(WEEKDAYS)) for one in node.one_or_many())


def _hours(node: Node) -> tuple[int, int]:
    fields = node.fields(("from", "to"))
    start, end = (fields.need(key, read_minute, stand_in=stand_in) for key, stand_in in (("from", 0), ("to", 1)))
    if start == end:
        fields.wrong("to", "is the same as from; leave hours out for the whole day")
    return start, end


def _override(node: Node, zone: str) -> Override:
    fields = node.fields(("people", "from", "to"))
    start, end = (instant_of_wall(zone, fields.need(key, read_wall, stand_in=0)) for key in ("from", "to"))
    if "from" in fields and "to" in fields and end <= start:
        fields.wrong("to", "is not after from")
    return Override(people=fields.need("people", _names, stand_in=()), start_ms=start, end_ms=end)


def _escalation(fields: Fields) -> Escalation:
    steps = fields.need("steps", lambda n: tuple(_step(one) for one in n.items(at_most=20)), stand_in=_NO_STEPS)
    if any(after.after_ms <= before.after_ms for before, after in itertools.pairwise(steps)):
        fields.wrong("steps", "are not in order of after")
    return Escalation(name=fields.need("name", Node.text, stand_in=""), steps=steps)


def _step(node: Node) -> Step:
    fields = node.fields(("after", "people", "roster", "channels"))
    if ("people" in fields) == ("roster" in fields):
        fields.wrong("people", "or roster: one of them is needed")
    return Step(
        after_ms=fields.need("after", lambda n: n.duration_ms(at_least_ms=1000), stand_in=1000),
        people=fields.take("people", _names, ()),
        roster=fields.take("roster", Node.text, ""),
        channels=fields.take("channels", _names, ()),
    )


def _route(node: Node) -> Route:
    fields = node.fields(("match", "channels", "roster", "escalation", "resolved", "updates", "bundle", "continue"))
    return Route(
        match=fields.take("match", _match, {}),
        channels=fields.need("channels", _names, stand_in=()),
        roster=fields.take("roster", Node.text, ""),
        escalation=fields.take("escalation", Node.text, ""),
        resolved=fields.take("resolved", Node.flag, True),
        updates=fields.take("updates", lambda n: n.one_of(UPDATES), "important"),
        bundle_ms=fields.take("bundle", lambda n: n.duration_ms(at_most_ms=3_600_000), MINUTE_MS),
        go_on=fields.take("continue", Node.flag, False),
    )


def _match(node: Node) -> dict[str, frozenset[str]]:
    return {key: frozenset(one.text(empty=True) for one in value.one_or_many()) for key, value in node.entries()}


def _check_names(top: Fields, config: NotifyConfig) -> None:
    """What names something names what there is."""
    people, channels, rosters = config.people, config.channels, config.rosters

    def known(place: str, names: Collection[str], known_names: Collection[str], what: str) -> None:
        for name in names:
            if name and name not in known_names:
                top.wrong(place, f"there is no {what} {name!r}")

    for i, person in enumerate(people.values()):
        known(f"people[{i}].channels", person.channels, channels, "channel")
    for i, channel in enumerate(channels.values()):
        known(f"channels[{i}].failover", channel.failover, channels.keys() - {channel.name}, "other channel")
    for i, roster in enumerate(rosters.values()):
        for j, rotation in enumerate(roster.rotations):
            known(f"rosters[{i}].rotations[{j}].people", rotation.people, people, "person")
        for j, override in enumerate(roster.overrides):
            known(f"rosters[{i}].overrides[{j}].people", override.people, people, "person")
    for i, escalation in enumerate(config.escalations.values()):
        for j, step in enumerate(escalation.steps):
            known(f"escalations[{i}].steps[{j}].people", step.people, people, "person")
            known(f"escalations[{i}].steps[{j}].roster", (step.roster,), rosters, "roster")
            known(f"escalations[{i}].steps[{j}].channels", step.channels, channels, "channel")
    for i, route in enumerate(config.routes):
        known(f"routes[{i}].channels", route.channels, channels, "channel")
        known(f"routes[{i}].roster", (route.roster,), rosters, "roster")
        known(f"routes[{i}].escalation", (route.escalation,), config.escalations, "escalation")
    taking_all = next((i for i, one in enumerate(config.routes[:-1]) if not one.match and not one.go_on), None)
    if taking_all is not None:
        top.wrong(f"routes[{taking_all + 1}]", f"is never reached: routes[{taking_all}] takes everything")
    if config.channels and (not config.routes or config.routes[-1].match):
        top.wrong("routes", "the last one must match everything (no match), so that no alert gets lost")


_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "people": ("name", "phone", "open_id", "wecom", "channels"),
    "channels": (
        "name", "kind", "url", "secret", "card", "language", "timeout", "per_minute", "reserve", "monthly_quota",
        "max_bytes", "failover", "retry_unsure", "resend", "headers",
    ),
    "rosters": ("name", "timezone", "rotations", "overrides"),
    "escalations": ("name", "steps"),
}  # fmt: skip
