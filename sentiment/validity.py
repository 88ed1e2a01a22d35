"""Decides whether a text is a customer's own words at all: not the platform's default praise, an
advertisement, a bare link, or noise. What a valid text means is the judge's business, and a copied one
`sentiment.neardup`'s.

In doubt a text is valid: an invalid one leaves the sentiment windows, and a complaint must never be lost that
way.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, Literal

import numpy as np

from sentiment.codepoints import PairSet, encode

Validity = Literal["", "empty", "default_praise", "ad", "link", "noise"]

REASONS: Final[tuple[Validity, ...]] = ("empty", "default_praise", "ad", "link", "noise")


def validity_batch(texts: Sequence[str]) -> list[Validity]:
    """For every text ``""`` if it is valid, else the reason why it is not. Never raises."""
    if not texts:
        return []
    return [validity(text) if suspect else "" for text, suspect in zip(texts, _suspects(texts), strict=True)]


def validity(text: str) -> Validity:
    """As `validity_batch`, for one text, without the short cut for ordinary ones."""
    stripped = text.strip(_BLANKS)
    if not stripped:
        return "empty"
    if len(stripped) <= _LONGEST_DEFAULT and _DEFAULT.fullmatch(stripped):
        return "default_praise"
    has_link = _LINK_SIGN.search(stripped) is not None and _LINK.search(stripped) is not None
    if has_link and len(_NOT_A_WORD.sub("", _LINK.sub("", stripped))) < _WORDS_BESIDE_A_LINK:
        return "link"
    if _is_ad(stripped, has_link):
        return "ad"
    return "noise" if _is_noise(stripped) else ""


# What shows nothing: blanks, controls, joiners, directions, a byte order mark, variation selectors.
_NOTHING_SHOWN: Final = (
    (0x00, 0x20), (0x7F, 0xA0), (0x2000, 0x200F), (0x2028, 0x202F), (0x205F, 0x206F), (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
)  # fmt: skip
_BLANKS: Final = "\u1680\u3000" + "".join(
    chr(code) for first, last in _NOTHING_SHOWN for code in range(first, last + 1)
)

# --- default praise

_LONGEST_DEFAULT: Final = 48
_WHO: Final = (
    r"[此该該这這本]?[个個位]?"
    r"(?:用户|用戶|买家|買家|顾客|顧客|会员|會員|客户|客戶|评价方|評價方|消费者|消費者|匿名用户)"
)
# Sentences that platforms write where the customer wrote nothing. The whole text must be made of them:
# "自动给我默认好评，恶心" is a complaint.
_DEFAULT_SENTENCE: Final = (
    rf"(?:(?:[0-9一二三]+[天日]内?)?(?:{_WHO})?(?:超时|超時|在?规定时间内|在?規定時間內)?"
    r"(?:没有|沒有|未|暂未|暫未|尚未|暂无|暫無|没|沒)(?:在?规定时间内|及时|及時|主动|按时)?"
    r"(?:填写|填寫|做出|作出|发表|發表|进行|進行|留下|给出|撰写)?(?:任何|文字)?"
    r"(?:评价|評價|评论|評論|评语|點評|点评|反馈)(?:内容|內容|信息|了)?"
    rf"|(?:系统|系統|平台|默认|默認|自动|自動|{_WHO}|已|为|給予|给予|方|超时|超時|即|将|5星|五星|全五星|商品|,|，| )*"
    r"(?:默认|默認|(?:系统|系統)(?:自动|自動))(?:给予|給予|为|為|给|給)?(?:了|全)?(?:5星|五星|5分|五分|满分)?"
    r"(?:好评|好評|评价|評價|五星|5星)(?:处理)?"
    rf"|{_WHO}(?:觉得|覺得|认为|認為)商品(?:非常|较|較|很)?(?:好|不错|不錯)[,，](?:给出|給出)了?(?:[5五]星)?(?:好评|好評))"
)
_DEFAULT: Final = re.compile(rf"[\[(（【「\"“ *]*(?:{_DEFAULT_SENTENCE}[\])）】」\"”。.!！,，~～;；:： …*]*)+")

# --- links and advertisements

_LINK: Final = re.compile(
    r"(?:https?://|www\.)[^\s\u4e00-\u9fff，。！？]+|(?<![A-Za-z0-9@.])[A-Za-z0-9][A-Za-z0-9\-]{0,40}"
    r"\.(?:com|cn|net|top|xyz|shop|cc|vip|club|info|tk|me)(?![A-Za-z])(?:/[^\s\u4e00-\u9fff，。！？]*)?",
    re.IGNORECASE,
)
_LINK_SIGN: Final = re.compile(r"[.:][A-Za-z/]")
_NOT_A_WORD: Final = re.compile(r"[^\u3400-\u9fffA-Za-z]")
_WORDS_BESIDE_A_LINK: Final = 8
_CONTACT: Final = (
    "加我|加微|加薇|加威|加v|加V|加q|加Q|加群|微信|薇信|威信|vx|VX|Vx|v信|V信|wx|WX|扫码|掃碼|扫一扫|"
    "私聊|私我|公众号|qq|QQ|q群|Q群|群号|进群|联系我|联系电话|咨询热线|官方群"
)
_PROMOTION: Final = (
    "兼职|兼職|日赚|日入|月入|日结|躺赚|赚钱项目|代开|贷款|套现|返利|返现群|优惠券|优惠卷|内部券|"
    "内部价|福利群|领券|领优惠|领红包|发福利|全网最低|厂家直销|一手货源|货源|批发|招代理|诚招|招聘|"
    "加盟|免费领|免费送|刷单|刷钻|刷信誉|做任务|淘宝搜|抖音搜|搜索店铺|高仿|原单|A货|微商|代购|代刷|"
    "棋牌|彩票|博彩|娱乐城|包过|办证|减肥药|增高药|壮阳|裸聊|约炮|信用卡代还|网贷|好评返现"
)
# Every alternative begins with a letter, not a class: only then does `re` skip ahead by first letters.
_CONTACT_SIGN: Final = re.compile(_CONTACT)
_PROMOTION_SIGN: Final = re.compile(_PROMOTION)
_INVITES: Final = re.compile("加我|加微|加薇|加威|加v|加V|加q|加Q|加群|进群|扫码|私聊|私我|联系我")
_ACCOUNT: Final = re.compile(
    r"(?:微信|薇信|威信|[vV][xX信]|[wW][xX]|[qQ][qQ]|(?<![A-Za-z])[vV](?=[:：])|群|加[vVqQ我微薇]信?)[号群:：是 ]{0,4}"
    r"(?:[A-Za-z0-9_\-]{5,}|\[微信号\]|\[QQ号\]|\[手机号\])"
)
# Who tells of a fraud uses the swindler's words; who complains speaks of the shop.
_TELLS: Final = re.compile(
    "骗|騙|投诉|投訴|举报|舉報|客服|退款|退货|退貨|卖家|賣家|商家|店家|差评|差評|上当|上當|让我|叫我|要我|非要|诱导|小心|别信|质量|质感|"
    "物流|快递|收到|快遞|報警|报警|恶心|垃圾|假货|假的|坑|忽悠|套路|无语|失望|太差|没送|不送|打不开|打不通|不信|烂|又不|不给|没给|不认|不能|不了|没有用"
)
_LONGEST_AD: Final = 160
_LONGEST_BARE_CONTACT: Final = 30


def _is_ad(text: str, has_link: bool) -> bool:
    """A promise with a way to reach who makes it, or hardly more than an account, and nobody tells of it."""
    if len(text) > _LONGEST_AD:
        return False
    promised = len(set(_PROMOTION_SIGN.findall(text)))
    contact = _CONTACT_SIGN.search(text) is not None
    invited = _INVITES.search(text) is not None
    if not promised and not (invited and len(text) <= _LONGEST_BARE_CONTACT):
        return False
    account = has_link or _ACCOUNT.search(text) is not None
    reached = contact or account if promised else account
    return (reached or promised > 2) and _TELLS.search(text) is None


# --- noise

# Punctuation that says nothing; brackets, ^ _ > < are left out, since faces are made of them.
_SIGNS_AND_DIGITS: Final = re.compile(r"[\s。．.,，、…~～!！?？\-—*#·'\"“”‘’`|/\\+＋0-9０-９%￥$&@]+")
_VALUED_DIGITS: Final = re.compile(r"[^0-9]*(?:6{2,}|8{2,}|9{2,}|2?3{3,}|[1-5]|100|10(?:/10)?|520|1314|7456|94)[^0-9]*")
_ONE_UNIT: Final = re.compile(r"(?P<unit>.{1,3}?)(?P=unit){3,}(?P<rest>.{0,2})", re.DOTALL)
_FILLERS: Final = frozenset("啊哦噢嗯呃额呵吧呀哈嘿唔咦的了一二三是在有和就我你他不人哒啦嘛呢喔滴丶丨亅1234567890")
_KEYS: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_LETTERS_ONLY: Final = re.compile(r"[A-Za-z]{5,}")


def _is_noise(text: str) -> bool:
    if _SIGNS_AND_DIGITS.fullmatch(text):
        return _VALUED_DIGITS.fullmatch(text) is None
    repeated = _ONE_UNIT.fullmatch(text)
    if repeated:
        # 啊啊啊啊烂: what comes last may be all that is said.
        unit, rest = repeated["unit"], repeated["rest"]
        says_nothing = all(c in _FILLERS or not c.isalnum() for c in unit + rest)
        return says_nothing and not _laughs(unit) and _is_flat(unit + rest)
    return _LETTERS_ONLY.fullmatch(text) is not None and _is_mash(text.lower())


def _laughs(unit: str) -> bool:
    return "哈" in unit or "嘿" in unit


def _is_flat(unit: str) -> bool:
    """Whether a repeated unit holds no emoji or face: those are an opinion however often they come."""
    return all(ord(c) < 0x2190 or 0x3000 <= ord(c) <= 0x9FFF or 0xFF00 <= ord(c) <= 0xFFEF for c in unit) and not (
        set(unit) & set("^_><()（）:;=")
    )


def _is_mash(letters: str) -> bool:
    """Whether letters are a hand on the keyboard: neighbours on a row, or hardly a vowel."""
    neighbours = sum(
        any(abs(row.find(a) - row.find(b)) <= 2 for row in _KEYS if a in row and b in row) for a, b in pairwise(letters)
    )
    vowels = sum(letter in "aeiouy" for letter in letters)
    return neighbours >= 0.8 * (len(letters) - 1) and vowels <= 0.25 * len(letters)


# --- the short cut


def _words(pattern: str) -> list[str]:
    return pattern.split("|")


_SIGNS: Final = PairSet(
    ["默认", "默認", "好评", "好評", "评价", "評價", "评论", "評論", "评语", "反馈", "点评", "點評", "http", "www"]
    + [f".{letter}" for letter in "cntxsviCNTXSVI"]
    + _words(_CONTACT)
    + _words(_PROMOTION)
)
# By code point: a blank that `str.strip` leaves. The repetition that is counted would hold it.
_HIDDEN: Final = np.zeros(0x10000, dtype=np.bool_)
_HIDDEN[[ord(blank) for blank in _BLANKS if not blank.isspace()]] = True


def _suspects(texts: Sequence[str]) -> list[bool]:
    """The texts that need a closer look: one of the signs, something invisible, no Chinese character, hardly any, or
    much repetition."""
    batch = encode(texts)
    codes, starts, lengths = batch
    chinese = np.add.reduceat((codes >= 0x4E00) & (codes <= 0x9FFF), starts, dtype=np.intp)
    repeated = np.zeros(len(codes), dtype=np.bool_)
    for distance in (1, 2, 3):
        repeated[distance:] |= codes[distance:] == codes[:-distance]
    repetition = np.add.reduceat(repeated, starts, dtype=np.intp)
    hidden = np.logical_or.reduceat(_HIDDEN[np.minimum(codes, len(_HIDDEN) - 1)], starts)
    suspects: list[bool] = (_SIGNS.in_texts(batch) | hidden | (chinese < 3) | (2 * repetition >= lengths)).tolist()
    return suspects
