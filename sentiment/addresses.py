"""Finds postal addresses in Chinese texts, for `sentiment.privacy`.

An address is masked when it leads to a door or a street: a road with a number, a building with a flat, a
compound with a building, or province-city-district down to a road, town or village. A city or a district
alone is no address: texts tell them all the time, and they lead to nobody.
"""

import re
from collections.abc import Iterator
from typing import Final

_PROVINCES: Final = (
    "北京|天津|上海|重庆|河北|河南|云南|辽宁|黑龙江|湖南|安徽|山东|新疆|江苏|浙江|江西|湖北|广西|甘肃|山西|内蒙古"
    "|陕西|吉林|福建|贵州|广东|青海|西藏|四川|宁夏|海南|台湾|香港|澳门"
)
# What cannot be in the name of a place, so that 我住在杭州市 is not masked from 我 on.
_NOT_NAMES: Final = "我你他她它您们在住是到寄送的了这与给让往离去没不很就也还说叫请把被找走过着个号址店因"


def _name_class() -> str:
    """Chinese characters without `_NOT_NAMES`, as the inside of a character class."""
    ranges, low = [], 0x4E00
    for code in sorted(map(ord, _NOT_NAMES)):
        if code > low:
            ranges.append(f"\\u{low:04x}-\\u{code - 1:04x}")
        low = code + 1
    ranges.append(f"\\u{low:04x}-\\u9fff")
    return "".join(ranges)


# Said before an address and also part of names (解放路), so cut off afterwards.
_SAID_BEFORE: Final = "放从来自于和发为"
_NAME: Final = f"[{_name_class()}]"
_NUMBER: Final = r"[0-9一二三四五六七八九十百零〇]{1,5}"
_COMPOUND: Final = r"(?:小区|花园|公寓|家园|新村|[苑庄园村]|大厦|广场|社区|大院|别墅|宿舍|家属院|工业园|科技园|产业园)"

# A text without any of these has no address; the first character alone decides most, which is what makes it
# cheap.
HINT: Final = re.compile(
    rf"[路街道巷弄同][东南西北中]?[一二三四五六七八九]?段? ?{_NUMBER} ?[号弄]"
    rf"|[省市区县盟旗]{_NAME}{{1,9}}(?:[路街巷弄村镇乡]|大道|小区|花园|胡同|科技园)"
    rf"|[栋幢座元楼][0-9一二三四五六七八九十]"
    rf"|[园区寓苑庄村厦场社舍][0-9A-Za-z一二三四五六七八九十]{{1,4}}[栋幢座号室-]"
    r"|[城府湾邸郡都庭居轩阁区][0-9]{1,3}-[0-9]{1,2}-[0-9]{3}"
    r"|地址|住址|家住"
)
_DOOR: Final = (
    rf"(?:[ ,，\-]?(?:{_NUMBER}(?:[\-之]{_NUMBER}){{0,3}}|[A-Za-z]) ?"
    rf"(?:号楼|号院|号门|楼栋|单元|组团|[号弄栋幢座室房楼层户组队期]|门(?!口))(?:内|之[0-9一二三])?)"
)
_ROAD: Final = re.compile(
    rf"(?:[路街巷]|大道|胡同|[东西南北中]道)[东南西北中]?(?:[一二三四五六七八九]?段)?"
    rf"(?:{_NAME}{{0,4}}[路街巷弄])? ?第?"
    rf"{_NUMBER}(?:[\-之]{_NUMBER})? ?(?:[号弄院]|(?=-[0-9]{{1,4}}-[0-9]))"
)
_BUILDING: Final = re.compile(
    rf"(?:{_NUMBER} ?(?:号(?:宿舍|公寓|教工|学生|家属)?楼|号院|栋|幢|单元)|[0-9A-Za-z] ?(?:号楼|栋|座))[ ,，\-]?"
    rf"(?:(?:{_NUMBER}|[A-Za-z]) ?(?:单元|[室房户门]|楼|层|号(?!楼))|[0-9]{{3,4}}(?![0-9元块年]))"
)
_ESTATE: Final = re.compile(
    rf"{_COMPOUND} ?第?(?:(?:{_NUMBER}|[A-Za-z]) ?(?:号楼|单元|[栋幢座号室组])|[0-9]{{1,4}}(?:-[0-9]{{1,4}}){{1,3}})"
)
# 区 is told of shops and stores, too: there only a building tells that somebody lives in it.
_QUARTER: Final = re.compile(rf"{_NAME}[东西南北一二三四五六七八九十]区 ?{_NUMBER}(?:号楼|[栋幢])")
# Building, entrance and flat: nothing else is written so behind a place, but for a date.
_FLAT: Final = r"[0-9]{1,3}-[0-9]{1,2}-(?!(?:19|20)[0-9]{2}(?![0-9]))[0-9]{3,4}(?![0-9\-])"
_NAMED_FLAT: Final = re.compile(rf"(?:{_NAME}[城府湾邸郡都庭居轩阁]|[A-Za-z]区){_FLAT}")
# 道 is a word of its own (知道, 味道): only behind a district is it a road.
_AVENUE: Final = re.compile(rf"[区市]{_NAME}{{1,4}}(?<![知味频通报轨管渠])道{_NUMBER}号")
_LEVEL: Final = rf"(?:街道|大道|大街|胡同|[路街巷弄村镇乡]|{_COMPOUND})"
_CHAIN: Final = re.compile(
    rf"(?:(?:{_PROVINCES})(?:省|市|自治区|壮族自治区|回族自治区|维吾尔自治区)?|{_NAME}{{2,4}}市)"
    rf"(?:{_NAME}{{1,6}}?(?<![市地景小城校郊园战])[市州盟区县旗])"
    rf"(?:{_NAME}{{1,6}}?[区县市])?(?:{_NAME}{{0,8}}?{_LEVEL}){{1,4}}"
)
_CUED: Final = re.compile(
    rf"(?:地址|住址|家住)(?:[:：是为在 ]{{0,3}})"
    rf"(?P<place>{_NAME}{{2,24}}[0-9A-Za-z\-]{{0,6}}(?:{_NAME}|号){{0,4}})"
)
_LEADS_SOMEWHERE: Final = re.compile(rf"{_NAME}{{2}}(?:[镇乡村路街巷弄栋幢室]|小区|单元)|[省市].*[区县]")
_LEFT: Final = re.compile(
    rf"(?:(?:{_PROVINCES})(?:省|市|自治区)?)?"
    rf"(?:{_NAME}{{1,6}}?(?:自治[州县]|街道|[市州盟区县旗镇乡村])[ ,，]?){{0,4}}{_NAME}{{0,6}}$"
)
_RIGHT: Final = re.compile(
    rf"(?:{_DOOR}|{_NAME}{{1,5}}?[村组屯寨](?!民)|[ ,，]?{_NAME}{{1,8}}?{_COMPOUND}(?={_DOOR}|[0-9])"
    r"|[\- ]?[0-9]{1,5}(?:[\-][0-9]{1,5}){0,3}(?![0-9元块年月天个])|(?<=[元楼])[一二三四五六七八九零〇]{3,4})*"
)
_LOOK_BACK: Final = 32
_CORES: Final = (_CHAIN, _ROAD, _AVENUE, _ESTATE, _QUARTER, _NAMED_FLAT, _BUILDING)


def find(text: str) -> Iterator[tuple[int, int]]:
    """The stretches [start, end) that are addresses, in order, without overlap."""
    cores = [match.span() for pattern in _CORES for match in pattern.finditer(text)]
    cores += [m.span("place") for m in _CUED.finditer(text) if _LEADS_SOMEWHERE.search(m["place"])]
    begun, done = 0, 0
    for start, end in sorted(cores):
        if end <= done:
            continue
        if start > done:
            left = _LEFT.search(text, max(done, start - _LOOK_BACK), start)
            start = left.start() if left else start
            while text[start] in _SAID_BEFORE and start < end:
                start += 1
        right = _RIGHT.match(text, end)
        end = right.end() if right else end
        # What touches what came before is the rest of the same address.
        if start > done:
            if done:
                yield begun, done
            begun = start
        done = end
    if done:
        yield begun, done
