"""How each channel writes bold, a link, a quote and a mention; all text that goes in is made plain first."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlsplit

from alerts.notify.plain import plain
from schemas.notify import ChannelKind, Person


class Ready(str):
    """Text in a channel's markup already: written by us or by the user's template, never by a customer."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Markup:
    """One way to write; each function takes plain text and gives markup."""

    bold: Callable[[str], str]
    link: Callable[[str, str], str]
    quote: Callable[[str], str]
    mention: Callable[[Person], str]  # "" where the person has no id there
    new_line: str = "\n"


def safe_address(address: object) -> str:
    """The address if it is a plain http(s) one, with what markup could end it by encoded; else ""."""
    try:
        text = str(address).strip()
        parts = urlsplit(text)
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return ""
    return quote(text, safe=":/?#@!$&'+,;=%~-._", encoding="utf-8", errors="replace")


DINGTALK: Final = Markup(
    bold=lambda text: f"**{text}**",
    link=lambda text, address: f"[{text}]({address})",
    quote=lambda text: f"> {text}",
    mention=lambda person: f"@{person.phone}" if person.phone else "",
    new_line="\n\n",  # one line break alone is none in its markdown
)
FEISHU: Final = Markup(
    bold=lambda text: f"**{text}**",
    link=lambda text, address: f"[{text}]({address})",
    quote=lambda text: f"「{text}」",
    mention=lambda person: f"<at id={person.open_id}></at>" if person.open_id else "",
)
WECOM: Final = Markup(
    bold=lambda text: f"**{text}**",
    link=lambda text, address: f"[{text}]({address})",
    quote=lambda text: f"> {text}",
    mention=lambda person: f"<@{person.wecom}>" if person.wecom else "",
)
PLAIN: Final = Markup(
    bold=lambda text: text,
    link=lambda text, address: f"{text}: {address}",
    quote=lambda text: f"“{text}”",
    mention=lambda person: plain(person.name),
)
LABELS: Final[Mapping[str, Mapping[str, str]]] = {
    "zh": {"wall": "看板", "claim": "认领", "false_alarm": "误报", "snooze": "稍后提醒", "on_call": "值班"},
    "en": {"wall": "Wall", "claim": "Claim", "false_alarm": "False alarm", "snooze": "Snooze", "on_call": "On call"},
}
MARKUPS: Final[Mapping[ChannelKind, Markup]] = {
    "dingtalk": DINGTALK, "feishu": FEISHU, "wecom": WECOM, "webhook": PLAIN, "alertmanager": PLAIN,
    "apprise": PLAIN,
}  # fmt: skip
