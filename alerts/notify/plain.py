"""Text that others wrote, made harmless for every channel's markup.

Reviews, product names and agents' notes go into chat messages. Whatever a platform's markdown takes as markup,
a mention or a link becomes its full-width look-alike, which every Chinese reader reads at ease. Look-alikes were
preferred to each platform's own escapes, since those are documented in part only and differ by client.
"""

import re
import unicodedata
from typing import Final

_WIDE: Final = {ord(char): ord(char) + 0xFEE0 for char in "@<>[](){}*`~|\\#&!^$"}
_LINE_START: Final = re.compile(r"^\s*(?:[-+=]|\d+[.)])(?=\s)")
_WORD_DOT: Final = re.compile(r"(?<=\w)\.(?=[^\W\d_])")  # `evil.com` would become a link, 2.5 would not
_LONE_UNDERSCORE: Final = re.compile(r"__+|(?<!\w)_|_(?!\w)")
_JOINER: Final = "\u200d"  # families of emoji


def plain(text: object, *, max_chars: int = 1000) -> str:
    """One line without markup, mentions, links, control or direction characters."""
    line = " ".join("".join(char for char in str(text) if _is_seen(char)).split())
    if len(line) > max_chars:
        line = line[: max_chars - 1] + "…"
    line = _LINE_START.sub(lambda match: match[0].translate(_BULLETS), line)
    line = line.translate(_WIDE).replace("://", "：//")
    line = _WORD_DOT.sub("．", line)
    return _LONE_UNDERSCORE.sub(lambda match: "＿" * len(match[0]), line)


def _is_seen(char: str) -> bool:
    return char == _JOINER or char.isspace() or unicodedata.category(char) not in _HIDDEN


_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_BULLETS: Final = {ord(char): ord(char) + 0xFEE0 for char in "-+=.)"}
