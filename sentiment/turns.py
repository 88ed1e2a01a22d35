"""Sentences whose single words mislead: double negation, irony, vain hopes. Lines for training, written by hand.

Decides which frames and halves are training lines with which label. They are few on purpose: n-grams learn from them
that each half belongs to the other side, so a full crossing of all words cost accuracy on reviews of every kind.
"""

from collections.abc import Iterator, Sequence


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_GOOD_DOUBLES = _words("""
    没有一次不{0} 没有一件不{0}的 没人说不{0} 谁敢说不{0} 不会不{0} 不得不承认{0} 怎么会不{0} 不是不{0}，是很{0}
    从来没有不{0}过 不{0}是不可能的 没法不{0}
""")
_BAD_DOUBLES = _words("""
    不得不说{0} 不能不说{0} 不得不承认{0} 没有一次不{0} 没有一个不{0}的 没有最{0}只有更{0} 不{0}才怪 不是一般的{0}
    没有比这更{0}的 想不{0}都难
""")
# The same by deed: what one cannot help doing, and what never fails to happen.
_GOOD_DEEDS = _words("夸一句 推荐 回购 再买 五星 点赞 来 支持")
_BAD_DEEDS = _words("退货 退款 差评 投诉 吐槽 换货 扔掉 重买 放弃 找客服 拉黑 举报 取消 返修")
_GOOD_DEED_FRAMES = _words("""
    不得不{0} 不能不{0} 没有理由不{0} 不{0}对不起卖家 不{0}说不过去 怎么能不{0} 忍不住{0} 必须{0} 没法不{0}
""")
_BAD_DEED_FRAMES = _words("""
    不得不{0} 不能不{0} 只好{0} 只能{0} 不{0}不行了 被逼得{0} 忍不住要{0} 不{0}都不解决 怎么能不{0} 必须{0} 逼我{0}
    真想{0}
""")
_FAULTS = _words("坏 迟到 出错 出问题 漏 碎 死机 掉线 缺货 拖延 发错 涨价 烂 卡")
_FAULT_FRAMES = _words(
    "没有一次不{0} 没有一个不{0}的 没有一回不{0} 没有哪天不{0} 没有不{0}的时候 不{0}才怪 每次都{0} 总是{0}"
)
# No single one that does not: the count word varies, what follows decides.
_ONES = _words(
    "没有一个不 没有一件不 没有一次不 没有一样不 没有一款不 没有一处不 没有哪个不 没有哪次不 没一个不 找不到一个不"
)
_GOOD_RESTS = _words("满意 好吃 好用 喜欢的 漂亮的 合适 新鲜的 夸的 推荐的 认真的 精致的 开心")
_BAD_RESTS = _words("出错 坏 漏的 迟到 碎的 烂的 发霉的 失望的 卡 返修的 超时 掉色的")
_NO_FAULT_FRAMES = _words("从来没{0}过 一次都没{0}过 没有{0}过 从不{0} 没{0}过一次 一个都没{0}")
# What one saw or knew before, and what came of it.
_HOPES = _words("""
    看着不错 看起来很好 图片好看 页面说得好 宣传得好 评价都说好 第一次买挺好 以前质量很好 刚开始挺好用 说是正品
    说得天花乱坠 卖的时候很热情 客服态度好 赠品不少 颜色很正 价格不贵 发货快 物流快 面料舒服 做工还行 屏幕清楚
""")
_LETDOWNS = _words("""
    实物差远了 实际很差 这次太差了 现在越来越差 没几天就坏了 问题一大堆 里面是坏的 用着很难受 全是假的 售后没人管
    洗一次就变形 根本没法用 有股怪味 不给退 吃坏肚子 充不进电 掉色严重 开机就卡
""")
_DASHED = _words("，结果 ，没想到 ，谁知道 ，可 ，却 ，其实 ，现在 ，但 ，就是 ，可惜")
_WORRIES = _words("""
    本来没抱希望 本来担心不合适 以为是便宜货 之前还犹豫 看评价还担心 虽然贵了点 虽然等了几天 包装有点破 样子普通
    卖相不好看 快递有点慢 少了个配件 开始不会装 盒子压坏了 客服回复慢 颜色和想的不同
""")
_RELIEFS = _words("""
    收到很惊喜 真的很好用 质量很好 效果很好 非常满意 完全值得 东西没问题 客服马上补发了 味道很好 穿着很合身 大家都说好
    用起来特别顺手 实物很漂亮 里面完好 孩子很喜欢
""")
_SAVED = _words("，没想到 ，结果 ，不过 ，但 ，还好 ，好在 ，但是 ，幸好 ，可是")

# Praise that the fact behind it turns round.
_IRONIES = _words("""
    质量真好 速度真快 真准时 服务真周到 真会做生意 真有诚意 真讲信用 感谢商家 不愧是大牌 真是良心 效率真高 可真厉害
    说好的品质呢 这就是品质保证
""")
_PROOFS = _words("""
    用一天就坏 等了半个月 晚了两小时 电话都不接 里面是空的 少了一半 退款拖一个月 说话不算数 给我寄个坏的 一洗就烂
    全是假的 三天没人理 打开就碎了
""")
# How much: the word for the extent counts for both sides, so it never leans alone.
_FLAWED = _words("贵 慢 咸 辣 油 硬 脏 吵 卡 臭 丑 重 薄 难吃 难看 难闻 冷 小气")
_DIRE = _words("""
    {0}得要死 {0}得吓人 {0}得不行 {0}得没法说 {0}得不像话 {0}到家了 {0}到不能忍 {0}爆了 {0}得让人想哭
""")
_FINE = _words("好吃 好看 好用 舒服 漂亮 便宜 香 甜 快 实惠 新鲜 流畅 清楚 可爱 软 暖和 贴心 划算")
_GRAND = _words(
    "{0}得很 {0}得没话说 {0}得没得挑 {0}到尖叫 {0}得不要不要的 {0}爆了 {0}到飞起 {0}得让人感动 蛮{0}的 {0}极了"
)


def turn_lines(good: Sequence[str], bad: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Hand-written training lines with whether they are positive, in a fixed order; the words fill the frames."""
    for words, frames, every, positive in (
        (good, _GOOD_DOUBLES, 4, True),
        (bad, _BAD_DOUBLES, 4, False),
        (_GOOD_DEEDS, _GOOD_DEED_FRAMES, 2, True),
        (_BAD_DEEDS, _BAD_DEED_FRAMES, 2, False),
        (_FAULTS, _FAULT_FRAMES, 2, False),
        (_FAULTS, _NO_FAULT_FRAMES, 2, True),
        (_FLAWED, _DIRE, 2, False),
        (_FINE, _GRAND, 2, True),
    ):
        for i, word in enumerate(words):
            yield from ((frame.format(word), positive) for j, frame in enumerate(frames) if (i + j) % every == 0)
    yield from ((line, True) for line in in_turn(_ONES, ("",), _GOOD_RESTS, every=5))
    yield from ((line, False) for line in in_turn(_ONES, ("",), _BAD_RESTS, every=5))
    yield from ((line, False) for line in in_turn(_HOPES, _DASHED, _LETDOWNS, every=19))
    yield from ((line, False) for line in in_turn(_IRONIES, ("，", "啊，", "！"), _PROOFS, every=5))
    yield from ((line, True) for line in in_turn(_WORRIES, _SAVED, _RELIEFS, every=17))


def in_turn(first: Sequence[str], between: Sequence[str], second: Sequence[str], *, every: int) -> Iterator[str]:
    """One in `every` of all ways to join a first half to another second one, such that each of them takes part."""
    for i, left in enumerate(first):
        for j, right in enumerate(second):
            for k, middle in enumerate(between):
                if (i + j + k) % every == 0 and left != right:
                    yield f"{left}{middle}{right}"
