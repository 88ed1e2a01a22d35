"""Alerts as a message: a first line for the lock screen and a body in the channel's markup, from templates.

Templates are jinja2 in a sandbox. Whatever one writes out is made plain (`plain.py`) unless `bold`, `link` or
`quote` made it, so no template can forget to escape what a customer wrote.
"""

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from alerts.notify.bundling import RANK
from alerts.notify.errors import SendError
from alerts.notify.facts import facts_of, group_of, links_of
from alerts.notify.markup import MARKUPS, Markup, Ready, safe_address
from alerts.notify.plain import plain
from schemas.errors import ConfigError
from schemas.notify import Channel, Language, Person
from schemas.results import Alert, AlertSeverity

BRIEFEST: Final = 3
MAX_LISTED: Final = (30, 20, 10, 5)  # alerts that a digest names, by how brief it must be
ALMOST: Final = 0.8
NAMES: Final = ("title", "alert", "digest")
LANGUAGES: Final[tuple[Language, ...]] = ("zh", "en")
_TAILS: Final = tuple(f"{name}.{language}.j2" for name in NAMES for language in LANGUAGES)
_SHIPPED: Final = Path(__file__).with_name("templates")


class Message(NamedTuple):
    """What a sender sends."""

    title: str  # plain, one line
    body: str  # in the channel's markup; without the title
    mentions: tuple[Person, ...]
    alerts: tuple[Alert, ...]
    severity: AlertSeverity
    resolved: bool
    links: Mapping[str, str]  # by name (`wall`, `claim` …), safe; those that are configured
    language: Language
    brief: int
    unclaimed_min: int = 0  # above 0: a step of an escalation is in it


class Templates:
    """The templates that ship, and before them those of the user's folder."""

    def __init__(self, folder: str = "") -> None:
        self.folder = folder
        folders = [folder, str(_SHIPPED)] if folder else [str(_SHIPPED)]
        self._environments = {
            id(markup): _environment(folders, markup) for markup in {id(m): m for m in MARKUPS.values()}.values()
        }

    def render(self, name: str, channel: Channel, facts: Mapping[str, Any]) -> str:
        """The text of `KIND.NAME.LANGUAGE.j2` or `NAME.LANGUAGE.j2`; SendError if the template fails."""
        markup = MARKUPS[channel.kind]
        tail = f"{name}.{channel.language}.j2"
        tried = tail
        try:
            template = self._environments[id(markup)].select_template([f"{channel.kind}.{tail}", tail])
            tried = str(template.name)
            text = template.render(facts)
        except jinja2.TemplateSyntaxError as error:
            raise SendError("broken", f"template {error.name or tried}, line {error.lineno}: {error.message}") from None
        except (jinja2.TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise SendError("broken", f"template {tried}: {type(error).__name__}: {error}") from None
        return markup.new_line.join(line for line in map(str.strip, text.splitlines()) if line)

    def check(self, sample: Sequence[Alert], channels: Sequence[Channel]) -> None:
        """Try every template with samples; ConfigError holds every mistake, also names that no template has."""
        mistakes = [f"{name}: no message asks for it; did you mean {meant}?" for name, meant in self._misspelt()]
        for channel in channels:
            for language in LANGUAGES:
                tried = Channel(name="", kind=channel.kind, url=channel.url, language=language)
                for alert in sample:
                    mistakes += self._try(tried, facts_of(alert, language=language, now_ms=alert.at, links={}))
        if mistakes:
            raise ConfigError(f"{self.folder or 'templates'}: {text}" for text in dict.fromkeys(mistakes))

    def _try(self, channel: Channel, facts: Mapping[str, Any]) -> Iterator[str]:
        extra = {"items": [facts, facts], "total": 3, "unlisted": 1, "unclaimed_min": 10, "group": {}, "buttons": False}
        for name in NAMES:
            try:
                self.render(name, channel, {**facts, **extra})
            except SendError as error:
                yield str(error).removeprefix("broken: template ")

    def _misspelt(self) -> Iterator[tuple[str, str]]:
        """Files of the user's folder that are almost named like a template; others may be included by one."""
        known = [*_TAILS, *(f"{kind}.{tail}" for kind in MARKUPS for tail in _TAILS)]
        names = sorted(path.name for path in Path(self.folder).iterdir()) if self.folder else []
        for name in names:
            close = difflib.get_close_matches(name, known, n=1, cutoff=ALMOST)
            if close and name not in known:
                yield name, close[0]


def compose(
    templates: Templates, channel: Channel, alerts: Sequence[Alert], *, now_ms: int, links: Mapping[str, str],
    mentions: Sequence[Person] = (), brief: int = 0, unclaimed_min: int = 0,
) -> Message:  # fmt: skip
    """One alert's message, or the digest of several; `unclaimed_min`: unclaimed for so long."""
    alerts = sorted(alerts, key=lambda one: (-RANK[one.severity], -one.at, one.alert_id))
    worst, several = alerts[0], len(alerts) > 1
    facts = [
        facts_of(one, language=channel.language, now_ms=now_ms, links=links, brief=brief)
        for one in alerts[: MAX_LISTED[brief]]
    ]
    values = {
        **facts[0], "items": facts if several else [], "total": len(alerts), "unlisted": len(alerts) - len(facts),
        "unclaimed_min": unclaimed_min, "group": group_of(alerts), "buttons": channel.card or channel.kind == "feishu",
    }  # fmt: skip
    title = templates.render("title", channel, values)
    buttons = {name: safe_address(address) for name, address in links_of(worst, links).items()}
    buttons = {name: address for name, address in buttons.items() if address and (name == "wall" or not several)}
    return Message(
        title=" ".join(title.split()),
        body=templates.render("digest" if several else "alert", channel, values),
        mentions=tuple(mentions), alerts=tuple(alerts), severity=worst.severity,
        resolved=all(one.status == "resolved" for one in alerts),
        links=buttons, language=channel.language, brief=brief,
    )  # fmt: skip


def shorten(text: str, max_bytes: int) -> str:
    """At most so many bytes of UTF-8, cut between lines if there is more than one, else between characters."""
    if len(text.encode()) <= max_bytes:
        return text
    cut = text.encode()[: max(0, max_bytes - 3)].decode(errors="ignore")
    head, newline, _ = cut.rpartition("\n")
    return (head if newline else cut) + "…"


def _environment(folders: Sequence[str], markup: Markup) -> ImmutableSandboxedEnvironment:
    def finish(value: object) -> object:
        return value if isinstance(value, Ready) else plain(value)

    def wrap(how: Callable[[str], str]) -> Callable[[object], Ready]:
        return lambda value: Ready(how(str(finish(value)))) if str(value) else Ready("")

    def link(text: object, address: object) -> Ready:
        safe = safe_address(address)
        return Ready(markup.link(plain(text), safe)) if safe else Ready("")

    environment = ImmutableSandboxedEnvironment(
        loader=jinja2.FileSystemLoader(list(folders)), undefined=jinja2.StrictUndefined, finalize=finish,
        trim_blocks=True, lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip
    environment.globals = {
        "bold": wrap(markup.bold), "quote": wrap(markup.quote), "link": link, "range": environment.globals["range"],
    }  # fmt: skip
    return environment
