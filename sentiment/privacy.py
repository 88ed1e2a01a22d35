"""Masks what identifies a person in a text (PIPL) before it is stored, shown or sent.

Decides which stretch of a text is a telephone number, an identity card, a bank card, an e-mail address, a
WeChat or QQ account, a licence plate, an order number or a postal address, and puts the kind in its place:
``[手机号]``. Postal addresses are found by `sentiment.addresses`. Names of people are left to nobody: a text
that names one keeps it.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Final

from sentiment import addresses, identifiers
from sentiment.identifiers import Span

Finder = Callable[[str], Iterator[Span]]


def mask_text(text: str) -> str:
    """The text with every personal number, account and address replaced by its kind.

    Never raises, costs time linear in the text, and a masked text comes back as it is. Characters outside the
    masked stretches are kept to the byte (full-width forms are only read as their plain ones).
    """
    # A mask can bring two stretches together that were no match apart, hence again until nothing changes;
    # every round takes characters away that are in no mask, so this ends.
    while True:
        masked = _mask_once(text)
        if masked == text:
            return text
        text = masked


def _mask_once(text: str) -> str:
    has_ascii = _PLAIN.search(text) is not None
    has_numerals = _NUMERAL_RUN.search(text) is not None
    if not has_ascii and not has_numerals and _TRADITIONAL.search(text) is None and addresses.HINT.search(text) is None:
        return text
    folded = fold(text)
    spans: list[Span] = []
    for finder in _finders(folded, has_ascii, has_numerals):
        found = _disjoint(finder(folded))
        for start, end, _ in found:  # blanked, so that a later finder cannot see it
            folded = f"{folded[:start]}{_BLANK * (end - start)}{folded[end:]}"
        spans += found
    if not spans:
        return text
    return _replace(text, sorted(spans))


def fold(text: str) -> str:
    """The text, same length, with digits, letters and separators of any width or style as plain ASCII, and the
    traditional characters that addresses and accounts are told by as simplified ones."""
    if _ODD.search(text) is not None:
        text = _ODD.sub(_fold_match, text)
    return text if _TRADITIONAL.search(text) is None else text.translate(_SIMPLIFIED)


def _finders(folded: str, has_ascii: bool, has_numerals: bool) -> Iterator[Finder]:
    """Those finders whose cheap condition holds, in the order of what wins when two could match."""
    if has_ascii:
        if identifiers.may_hold_email(folded):
            yield identifiers.emails
        yield identifiers.plates
    if (has_ascii or has_numerals) and identifiers.ACCOUNT_HINT.search(folded):
        yield identifiers.accounts
    if has_ascii and _FIVE_DIGITS.search(folded):
        yield identifiers.long_numbers
        yield identifiers.phones
        yield identifiers.orders
    if has_numerals:
        yield identifiers.spoken_phones
    if addresses.HINT.search(folded):
        yield _places


def _disjoint(spans: Iterable[Span]) -> list[Span]:
    """The spans without those that overlap an earlier one; at one start the one that was found first wins."""
    kept: list[Span] = []
    end = 0
    for span in sorted(spans, key=lambda span: span[0]):
        if span[0] >= end:
            kept.append(span)
            end = span[1]
    return kept


def _replace(text: str, spans: list[Span]) -> str:
    parts: list[str] = []
    at = 0
    for start, end, kind in spans:
        parts += (text[at:start], kind)
        at = end
        while text[at : at + 1] in _TRAILERS and at < len(text):  # what is left of a keycap's last digit
            at += 1
    parts.append(text[at:])
    return "".join(parts)


# --- reading widths and styles

_BLANK: Final = "\x01"
_TRAILERS: Final = "\ufe0f\u20e3\u200b\u200d"
# Digits of any script, letters and @; full-width, raised, circled ones and those in brackets too.
_PLAIN: Final = re.compile(
    r"[\dA-Za-z@＠Ａ-Ｚａ-ｚ\u00b2\u00b3\u00b9\u2070-\u2089\u2460-\u249b\u24ea-\u24ff\u2776-\u2793\u3220-\u3228\u3280-\u3288]"
)
_NUMERAL_RUN: Final = re.compile(rf"[{identifiers.NUMERALS}](?:[ \-,，、.]?[{identifiers.NUMERALS}0-9０-９oO]){{5}}")
# Fewer digits than five are no number of a person.
_FIVE_DIGITS: Final = re.compile(r"[0-9](?:[^0-9A-Za-z]{0,3}[0-9oOIl]){4}")
# Everything that is neither plain ASCII nor a common Chinese character or sign.
_ODD: Final = re.compile(r"[^\x00-\x7f\u3001-\u3020\u3400-\u4dbf\u4e00-\u9fff，。！？；]")
# What addresses, accounts and orders are told by, where the traditional character is another one.
_SIMPLIFIED: Final = str.maketrans(
    "號樓棟單區縣鄉鎮東廣灣臺園廈莊場門層組戶內慶遼寧蘇陝雲貴龍電話機訂運遞貨碼賬帳證為衛護",
    "号楼栋单区县乡镇东广湾台园厦庄场门层组户内庆辽宁苏陕云贵龙电话机订运递货码账帐证为卫护",
)
_TRADITIONAL: Final = re.compile(f"[{''.join(map(chr, _SIMPLIFIED))}]")


def _fold_match(match: re.Match[str]) -> str:
    return _fold_character(match[0])


@lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    digit = unicodedata.digit(character, None)
    if digit is None and "\u3220" <= character <= "\u3288":  # (一) and 一 in a circle
        digit = int(unicodedata.numeric(character, 0)) or None
    if digit is not None and digit < 10:
        return str(digit)
    category = unicodedata.category(character)
    if category == "Pd":
        return "-"
    # Invisible characters, joiners and the parts of a keycap emoji stand between digits to defeat filters.
    if category in ("Zs", "Cf", "Mn", "Me"):
        return " "
    plain = unicodedata.normalize("NFKC", character)
    return plain if len(plain) == 1 and plain.isascii() else character


def _places(folded: str) -> Iterator[Span]:
    for start, end in addresses.find(folded):
        yield start, end, identifiers.ADDRESS
