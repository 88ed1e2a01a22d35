"""The numbers and names by which a person can be reached or found, for `sentiment.privacy`.

Every finder takes a folded text (see `sentiment.privacy.fold`) and yields the stretches [start, end) of its kind. They
may overlap; who wins is decided there.
"""

import re
from collections.abc import Iterator
from typing import Final

PHONE: Final = "[手机号]"
LANDLINE: Final = "[电话]"
IDENTITY: Final = "[身份证]"
DOCUMENT: Final = "[证件号]"
BANK_CARD: Final = "[银行卡]"
EMAIL: Final = "[邮箱]"
ADDRESS: Final = "[地址]"
WECHAT: Final = "[微信号]"
QQ: Final = "[QQ号]"
PLATE: Final = "[车牌号]"
ORDER: Final = "[单号]"
MASKS: Final = frozenset((PHONE, LANDLINE, IDENTITY, DOCUMENT, BANK_CARD, EMAIL, ADDRESS, WECHAT, QQ, PLATE, ORDER))

Span = tuple[int, int, str]

# Digits as they are spoken and written, with the ones for telephone numbers (幺, 洞) and for banks (壹).
NUMERALS: Final = "零〇一二三四五六七八九幺壹贰叁肆伍陆柒捌玖两洞拐勾"
_NUMERAL_VALUES: Final = str.maketrans(NUMERALS + "oOlI", "0" + "0123456789" + "1" + "123456789" + "2" + "079" + "0011")

# --- e-mail, accounts, plates

_EMAIL: Final = re.compile(
    r"(?<![A-Za-z0-9._%+\-])[A-Za-z0-9._%+\-]{1,64} ?(?:@|[(\[]at[)\]]|艾特|#(?=(?:qq|163|126|sina|gmail|foxmail)\.)) ?"
    r"[A-Za-z0-9\u4e00-\u9fff](?:[A-Za-z0-9\u4e00-\u9fff\-]{0,40}?(?:\.|[(\[]dot[)\]]|点)){1,4}"
    r"(?:[A-Za-z]{2,10}|中国|公司|网络)",
    re.IGNORECASE,
)
# Every alternative begins with a letter, not a class, so that `re` skips ahead to it.
ACCOUNT_HINT: Final = re.compile(
    "微信|微[ ❤♥]|威信|薇信|薇[ ❤♥:：]|威[:：]|维信|徽信|卫星|绿泡泡|加微|加薇|扣[扣:：]|抠抠|企鹅|球球"
    "|v|V|w[xX]|W[xX]|wei|Wei|WEI|weC|wec|WeC|q|Q"
    "|护照|通行证|军官证|台胞证|回乡证|社保|军字"
)
_WECHAT: Final = re.compile(
    r"(?:[微薇][ ❤♥]{0,2}信|[微薇][❤♥]|[薇威](?=[:：])|威信|维信|徽信|卫星(?=[号:：])|绿泡泡"
    r"|weixin|wechat|v信|v❤|加微|加薇|加v"
    r"|(?<![A-Za-z])(?:vx|wx|v(?=[ ]?[:：])|(?<=[+➕])v)(?![A-Za-z])"
    # A V alone, where what follows is too much of a name for a model's: letters and then digits.
    r"|(?<![A-Za-z0-9])v(?= (?=[a-z0-9_\-]{7})[a-z_\-]{2,12}[0-9]{3,12}(?![A-Za-z0-9])))"
    r"(?P<mark>(?:[号码账帐户同:：是为加我 =\-,，(【「“\"\n]|搜索|id(?=[:：是为 ])){0,6})"
    r"(?P<id>[A-Za-z0-9][A-Za-z0-9_\-]{4,19})(?![A-Za-z0-9_])",
    re.IGNORECASE,
)
_QQ: Final = re.compile(
    r"(?:(?<![A-Za-z])q ?q|扣扣|抠抠|扣(?=[:：])|企鹅|(?<![A-Za-z])q群|球球|加q"
    r"|(?<![A-Za-z])q(?=[:： ]))"
    r"[群号码:：是为加我 =\-,，(【「“\"~～]{0,6}(?P<id>[1-9][0-9]{4,10}(?![0-9])"
    rf"|(?<=[号码:：是为])[1-9][0-9]{{2,3}}(?:[ \-][0-9]{{3,4}}){{1,2}}(?![0-9])|[{NUMERALS}]{{6,11}})",
    re.IGNORECASE,
)
_PLATE: Final = re.compile(
    r"(?P<province>[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使])(?P<city>[A-HJ-NP-Za-hj-np-z])"
    r"(?P<dot>[ ·•.\-]?)(?P<tail>[A-HJ-NP-Za-hj-np-z0-9]{5,6}|[A-HJ-NP-Z0-9]{4}[挂学警港澳领])(?![A-Za-z0-9])"
)
# 新R7000P is a laptop as well as a car of Hotan: these provinces' signs are everyday words.
_EVERYDAY_PROVINCES: Final = frozenset("新黑青云宁贵吉")
_DOCUMENT: Final = re.compile(
    r"(?:护照|通行证|军官证|台胞证|回乡证|社保卡?|军字第)[号码:：是为 ]{0,4}(?P<id>[A-Za-z]{0,2}[0-9]{6,10})(?![0-9])"
)


def may_hold_email(folded: str) -> bool:
    """A cheap look; several of these are faster than one pattern, which could not skip ahead."""
    return "@" in folded or "at" in folded or "AT" in folded or "艾特" in folded or "#" in folded


def emails(folded: str) -> Iterator[Span]:
    for match in _EMAIL.finditer(folded):
        yield match.start(), match.end(), EMAIL


def accounts(folded: str) -> Iterator[Span]:
    for match in _WECHAT.finditer(folded):
        name = match["id"]
        # Letters alone are a word as often as an account (微信wechat): those need a sign that a name follows.
        if any(c.isdigit() or c in "_-" for c in name) or (len(name) >= 6 and _named(folded, match)):
            if name.isdigit() and len(name) == 11 and name[0] == "1":
                yield *match.span("id"), PHONE
            else:
                yield *match.span("id"), WECHAT
    for match in _QQ.finditer(folded):
        yield *match.span("id"), QQ
    for match in _DOCUMENT.finditer(folded):
        yield *match.span("id"), DOCUMENT


def _named(folded: str, match: re.Match[str]) -> bool:
    return any(c in "号:：是为" for c in match["mark"]) or folded[max(0, match.start() - 2) : match.start()] == "我的"


def plates(folded: str) -> Iterator[Span]:
    for match in _PLATE.finditer(folded):
        tail = match["tail"]
        called = "车牌" in folded[max(0, match.start() - _CALLS_AFTER) : match.start()]
        if sum(c.isdigit() for c in tail) < (1 if called else 2 if tail[-1] > "z" else 3):
            continue
        if match["province"] in _EVERYDAY_PROVINCES and "车" not in folded and match["dot"] not in ("·", "•"):
            continue
        yield match.start(), match.end(), PLATE


# --- numbers

_LONG: Final = re.compile(r"(?<![0-9])(?<![0-9][.])[0-9](?:[ \-]{0,2}[0-9]){13,29}(?:[ \-]?[Xx])?(?![0-9])")
_DOTTED_CARD: Final = re.compile(r"(?<![0-9.])[0-9]{4}(?:[.·][0-9]{4}){3}(?:[.·][0-9]{1,3})?(?![0-9])")
_RUN14: Final = re.compile(r"(?<![0-9A-Za-z])(?<![0-9][.])[0-9]{14,40}(?![0-9]*[.][0-9])[Xx]?")
_MOBILE: Final = re.compile(
    r"(?<![0-9])(?<![0-9][.])(?:[(]?(?:\+|00)? ?86[)]?[ \-]{0,2})?(?:[(](?=1[3-9][0-9][)]))?"
    r"(?P<number>1[ \-.·_*~]{0,3}[3-9](?:[ \-.·_,，、/*~|→\t\n)]{0,3}[0-9oOIl]){9})(?![0-9])"
)
_LANDLINE: Final = re.compile(
    r"(?<![0-9])(?<![0-9][.])(?:(?:\+|00)86[ \-]?)?(?:"
    r"[(]0[1-9][0-9]{1,2}[)][ \-]?[1-9][0-9]{2,3}[ \-]?[0-9]{4}"
    r"|0(?:10|2[0-9]|[3-9][0-9]{2})(?:[ \-]{1,3}[1-9]|[2-9])[0-9]{2,3}[ \-]?[0-9]{4}"
    r"|09[0-9]{2}[ \-]?[0-9]{3}[ \-]?[0-9]{3}"
    r"|86[ \-](?:10|2[0-9]|[3-9][0-9]{2})[ \-][2-9][0-9]{2,3}[ \-]?[0-9]{4}"
    r")(?:[ \-]?(?:转|轉|分机|ext\.?|x)[ :：]?[0-9]{1,6})?(?![0-9])"
)
_FOREIGN: Final = re.compile(r"(?:\+ ?[1-9][0-9]{0,2}|(?<![0-9])00(?:852|853|886))(?:[ \-()]{0,2}[0-9]){6,13}(?![0-9])")
_CALLED: Final = re.compile(
    r"(?:电话|座机|固话|致电|联系方式|联系号码|(?<![A-Za-z])(?:tel|phone|mobile)(?![A-Za-z]))"
    r"[号码:：是为 .]{0,4}"
    r"(?P<id>[2-9][0-9]{2,3}[ \-]?[0-9]{4}|[0-9]{10,13})(?![0-9])",
    re.IGNORECASE,
)
_ORDER: Final = re.compile(
    r"(?:订单|单号|运单|快递|物流|交易|流水|工单|退货|退款|售后|发票|取件码|包裹|(?<![A-Za-z])order)"
    r"[^0-9A-Za-z，。！？；\n\x01]{0,6}(?:(?:id|no)[ .:：=#]{0,3})?"
    r"(?P<id>[0-9]{4}(?: [0-9]{4}){2,5}(?: [0-9]{1,3})?(?![0-9])|(?:[A-Za-z]{1,6}[\- ]?)?[0-9]{4,}(?:-?[0-9A-Za-z]+)*)",
    re.IGNORECASE,
)
_PARCEL: Final = re.compile(r"(?<![A-Za-z0-9])(?!ISBN)[A-Z]{1,5}[0-9]{9,22}(?:[A-Z]{2})?(?![A-Za-z0-9])", re.IGNORECASE)
_CARD: Final = re.compile("卡|账号|帐号|账户|帐户|银行")
_CALLS_AFTER: Final = 8
_PDD: Final = re.compile(r"(?<![0-9])[0-9]{6}-[0-9]{12,18}(?![0-9])")
_SEPARATORS: Final = re.compile(r"[ \-.·_,，、/*~|→\t\n)]+")
_LISTED: Final = re.compile(r"[,，、/*~|→\n]")
_LISTED_GROUPS: Final = frozenset(((3, 4, 4), (1,) * 11))
_PHONE_GROUPS: Final = frozenset(
    (
        (11,),
        (3, 4, 4),
        (4, 3, 4),
        (4, 4, 3),
        (3, 8),
        (7, 4),
        (5, 6),
        (6, 5),
        (3, 3, 5),
        (3, 5, 3),
        (3, 3, 3, 2),
        (3, 2, 2, 2, 2),
        (3, 4, 2, 2),
        (3, 2, 2, 4),
    )
)


def long_numbers(folded: str) -> Iterator[Span]:
    """Identity cards, bank cards, and what is too long to be anything but the number of an order or a
    parcel."""
    for match in _PDD.finditer(folded):
        yield match.start(), match.end(), ORDER
    for match in _DOTTED_CARD.finditer(folded):
        if _kind_of_long(re.sub("[.·]", " ", match[0])) == BANK_CARD:
            yield match.start(), match.end(), BANK_CARD
    for match in _LONG.finditer(folded):
        kind = _kind_of_long(match[0]) or (BANK_CARD if _is_called_card(folded, match) else "")
        if kind:
            yield match.start(), match.end(), kind
    for match in _RUN14.finditer(folded):
        # Few different digits are a customer's laughter (2333…, 6666…).
        kind = _kind_of_long(match[0]) or (ORDER if len(set(match[0])) > 3 else "")
        if kind:
            yield match.start(), match.end(), kind


def _is_called_card(folded: str, match: re.Match[str]) -> bool:
    """Sixteen digits or more that the text calls a card: one mistyped digit makes it no less personal."""
    before = folded[max(0, match.start() - _CALLS_AFTER) : match.start()]
    return 16 <= sum(c.isdigit() for c in match[0]) <= 19 and _CARD.search(before) is not None


def _kind_of_long(number: str) -> str:
    groups = [len(group) for group in re.split(r"[ \-]+", number)]
    plain = re.sub(r"[ \-]", "", number).upper()
    if len(plain) == 18 and is_identity_card(plain):
        return IDENTITY
    if len(plain) == 15 and plain.isdigit() and is_old_identity_card(plain):
        return IDENTITY
    # A card is printed in fours; the last group may be anything. Some write its bank's six digits and the rest.
    in_fours = (all(size == 4 for size in groups[:-1]) and groups[-1] <= 4) or len(groups) == 1 or groups[0] == 6
    if 15 <= len(plain) <= 19 and plain.isdigit() and in_fours and len(set(plain)) > 1 and is_bank_card(plain):
        return BANK_CARD
    return ""


def phones(folded: str) -> Iterator[Span]:
    taken: list[Span] = []
    for match in _MOBILE.finditer(folded):
        groups = tuple(len(group) for group in _SEPARATORS.split(match["number"]))
        # Commas and slashes stand between prices as well: there only the usual groups are a number.
        usual = _LISTED_GROUPS if _LISTED.search(match["number"]) else _PHONE_GROUPS
        if (groups in usual or (usual is _PHONE_GROUPS and max(groups) <= 2)) and len(set(match["number"])) > 2:
            taken.append((match.start(), match.end(), PHONE))
    taken += [(m.start(), m.end(), LANDLINE) for m in _LANDLINE.finditer(folded)]
    taken += [(m.start(), m.end(), LANDLINE) for m in _FOREIGN.finditer(folded)]
    taken += [(*m.span("id"), LANDLINE) for m in _CALLED.finditer(folded)]
    yield from taken


def orders(folded: str) -> Iterator[Span]:
    taken: list[Span] = []
    for match in _ORDER.finditer(folded):
        digits = sum(c.isdigit() for c in match["id"])
        if digits >= 8 and not _is_date(match["id"]):
            taken.append((*match.span("id"), ORDER))
    taken += [(m.start(), m.end(), ORDER) for m in _PARCEL.finditer(folded)]
    yield from taken


_SPOKEN: Final = re.compile(rf"(?<![{NUMERALS}0-9])[{NUMERALS}0-9](?:[ \-,，、.]?[{NUMERALS}0-9oO]){{9,17}}[Xx]?")


def spoken_phones(folded: str) -> Iterator[Span]:
    """Telephone numbers spelled in Chinese numerals (一三八…), also mixed with digits."""
    for match in _SPOKEN.finditer(folded):
        at = [match.start() + i for i, character in enumerate(match[0]) if character not in " -,，、."]
        number = "".join(folded[i] for i in at).translate(_NUMERAL_VALUES)
        if len(number) == 18 and is_identity_card(number.upper()):
            yield match.start(), match.end(), IDENTITY
        elif re.match("1[3-9][0-9]{9}", number):
            yield match.start(), at[10] + 1, PHONE  # a twelfth numeral belongs to what is said next
        elif number[0] == "0" and len(set(number)) > 3:
            yield match.start(), match.end(), LANDLINE


# --- check digits

_IDENTITY_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_IDENTITY_CHECK: Final = "10X98765432"
_DAYS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def is_identity_card(number: str) -> bool:
    """Whether 18 characters are a resident identity number: region, date of birth and check character (GB
    11643)."""
    if not (number[:17].isdigit() and "1" <= number[0] <= "9" and _is_birthday(number[6:14])):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(number, _IDENTITY_WEIGHTS, strict=False))
    return _IDENTITY_CHECK[total % 11] == number[17]


def is_old_identity_card(number: str) -> bool:
    """Whether 15 digits are an identity number of before 1999: no check digit, so region and date have to
    do."""
    return number[:2] in _REGIONS and _is_birthday("19" + number[6:12])


def is_bank_card(number: str) -> bool:
    """Whether a card's number passes the Luhn test and begins as one of the card schemes in use does."""
    if number[0] not in "34569":
        return False
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


# The first two digits of an identity number: the province.
_REGIONS: Final = frozenset(
    f"{tens}{ones}" for tens, last in zip("123456", (5, 3, 7, 6, 4, 5), strict=True) for ones in range(1, last + 1)
) | {"50"}


def _is_birthday(yyyymmdd: str) -> bool:
    year, month, day = int(yyyymmdd[:4]), int(yyyymmdd[4:6]), int(yyyymmdd[6:])
    return 1900 <= year <= 2099 and 1 <= month <= 12 and 1 <= day <= _DAYS[month - 1]


def _is_date(number: str) -> bool:
    """A date beside the word order (订单20231111) is no order number."""
    plain = number.replace("-", "")
    return len(plain) == 8 and plain.isdigit() and _is_birthday(plain)
