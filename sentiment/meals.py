"""What customers say of meals, fresh goods and whoever brings them: lines for training, written by hand.

Decides which phrases and which pairs of phrases are training lines with which label; sentiment.lexicon adds them to
its own. Praise of the food beside a complaint of the delivery is a complaint if that comes last or is the graver one.
"""

from collections.abc import Iterator

from sentiment.turns import in_turn


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_FOODS = _words("""
    饭 米饭 菜 汤 面 粥 肉片 鸡肉 牛肉 鱼 虾 饺子 米粉 青菜 水果 蛋糕 面包 奶茶 咖啡 披萨 薯条 炸鸡 烤鸭 豆腐 鸡蛋 包子
    馄饨 麻辣烫 火锅 寿司 汉堡 套餐 盖饭 炒饭 凉皮 烧烤 排骨 小吃 甜点 果汁
""")
_GOOD_FOOD = _words("""
    好吃 很好吃 非常好吃 特别好吃 挺好吃的 真好吃 很香 很新鲜 还是热的 还热乎着 热乎乎的 很烫 很入味 很嫩 很鲜 很足
    量很大 给得很多 料很足 很干净 不腻 不油 不咸 不难吃 一点都不腻 味道不错 味道很好 很实惠 很赞 口感很好 咸淡合适
    很酥脆 很软糯
""")
_BAD_FOOD = _words("""
    凉了 都凉了 凉透了 冷了 是冷的 冰凉的 洒了 全洒了 撒了一半 漏了 酸了 馊了 变质了 有股怪味 不新鲜 一点都不新鲜
    不怎么新鲜 没熟 是生的 夹生 糊了 烧焦了 太咸 咸死了 太淡 没味道 没有味道 太油 油腻 太辣 太甜 太硬 咬不动 太少
    少得可怜 没几块 难吃 很难吃 难吃死了 不好吃 真不好吃 一点都不好吃 一点也不好吃 不怎么好吃 坨了 泡烂了 不热 不够热
    里有头发 里有虫子 里有苍蝇 里吃出虫子 没送 少了一份 送错了 不值这个价 不行
""")
_CARRIERS = _words("""
    送餐 配送 外卖 骑手 送餐员 配送员 快递 快递员 外卖小哥 快递小哥 送餐小哥 小哥 送货 物流 送外卖的
""")
_GOOD_CARRYING = _words("""
    很快 速度快 特别快 超快 挺快的 神速 准时 很准时 很及时 不慢 不算慢 提前到了 态度好 态度很好 很有礼貌 很热情 很客气
    人很好 送上楼 很负责 给力 很棒 辛苦了 服务好
""")
_BAD_CARRYING = _words("""
    太慢 太慢了 很慢 慢死了 好慢 慢得要命 超慢 真慢 速度慢 超时 严重超时 迟到 晚了一个小时 不准时 不及时 态度差 态度恶劣
    态度很不好 态度极差 不接电话 不打电话 没礼貌 不送上楼 送错地方 乱扔 骂人 很不耐烦 太差 找不到地方 没送到就点了送达
    让我自己下楼拿 有待提高 还能再慢点吗
""")
_LONG = _words("""
    一个小时 一个多小时 一个半小时 快一个小时 两小时 两个小时 两个多小时 快两个小时 三个小时 三个多小时 2个小时
    1个多小时 半天 大半天 一上午 一下午 好久 很久 80分钟 90分钟
""")
_LONG_FRAMES = (
    "等了{0}", "等了{0}才到", "足足等了{0}", "{0}才送到", "{0}才送来", "{0}了还没到", "送了{0}", "下单{0}才收到",
    "{0}都没送到",
)  # fmt: skip
_SHORT = _words("十分钟 十几分钟 20分钟 二十分钟 二十多分钟 半小时 不到半小时 不到一个小时 没多久 一会儿 很快")
_SHORT_FRAMES = ("{0}就到了", "{0}就送到了", "下单{0}就送来了", "{0}就收到了")
_EXTRAS = _words("""
    筷子 一次性筷子 餐具 勺子 吸管 纸巾 发票 饮料 可乐 米饭 小菜 汤 酱料 调料包 赠品 醋 配菜 餐巾纸
""")
_MISSING_FRAMES = (
    "没给{0}", "没送{0}", "没放{0}", "没有{0}", "少{0}", "少送{0}", "忘了放{0}", "漏了{0}", "连{0}都没有",
    "说好的{0}没有", "{0}也没给", "{0}呢？", "备注了要{0}还是没有",
)  # fmt: skip
# What stands alone, and what a complaint or praise ends with.
_GOOD_ENDS = _words("""
    还会再点 下次还点 下次还会光顾 会再来的 会经常点 经常点 常点他家 一直在这家点 每次都点这家 老顾客了 回头客 值得推荐
    推荐 全家都爱吃 孩子爱吃 同事都说好吃 吃得很饱 吃撑了 两个人够吃 分量足 份量足 量大实惠 量很足 物美价廉 性价比高
    价格实惠 包装很好 包装严实 包装很用心 送餐快 送得很快 送餐很快 速度很快 准时送达 还是热的 味道好 味道不错 味道很好
    味道赞 好吃 很好吃 真心好吃 超级好吃 一如既往的好吃 好喝 很好喝 新鲜 食材新鲜 干净卫生 很满意 赞 老板人很好
    商家态度好 店家很贴心 还送了小礼物 送了饮料 服务周到 很棒 好评 五分好评 不错 很不错 挺不错的 可以 还可以的 味道正宗
    很地道 够味 支持 划算 很划算 给力 打电话说少了一份马上就补送了 下大雨还准时送到 辛苦骑手了 谢谢小哥
""")
_BAD_ENDS = _words("""
    再也不点了 以后不点了 以后不会点了 不会再点 不会再订了 最后一次点 没有下次了 再也不会光顾 拉黑了 给差评 差评 不推荐
    后悔点了 吃完拉肚子 拉肚子了 吃坏肚子 吃完肚子疼 不卫生 不干净 没吃就扔了 全倒了 直接倒掉了 没法吃 没法喝 吃不下
    难以下咽 一口都没吃完 浪费钱 浪费粮食 饿死了 饿了一下午 饿着肚子等 打电话没人接 电话打不通 打了好几个电话都不接
    商家不接电话 店家态度差 商家态度恶劣 客服没人理 催了也没用 催单没人理 没收到餐 到现在还没送到 还没送到 根本没送
    没送到就显示送达 显示送达却没收到 无故取消订单 商家取消了订单 接了单又取消 让我自己取消 叫我退单 退单了 不给退款
    多收钱 还要加钱 乱收配送费 配送费太贵 没有发票 不给开发票 送错了 送错菜 送错餐了 给错了 和点的不一样 不是我点的
    跟图片不一样 与图片不符 图片和实物差太多 不看备注 备注不看 备注了也没用 说了不要辣还放辣 不要香菜还放香菜
    少送一个菜 少了一份 漏送 分量太少 份量少 量太少了 量少 吃不饱 根本不够吃 塞牙缝都不够 太贵 太贵了 不值 不值这个价
    性价比低 性价比太低 不划算 越来越差 越来越难吃 越来越少 越来越慢 越来越贵 一次不如一次 大不如前 没以前好吃了
    不如以前 质量下降 包装太差 包装破了 盒子都压烂了 袋子里全是汤 汤全洒了 洒得到处都是 全漏出来了 凉了 都凉了 菜都凉了
    送到都凉了 到了都是凉的 没法忍 吃出头发 吃出虫子 吃出苍蝇 有头发 有虫子 有苍蝇 像剩饭 像剩菜 过夜的 隔夜的 不新鲜
    肉是臭的 一股馊味 味道怪怪的 味道很一般 味道差 味道太差 难吃 太难吃了 难喝 难吃到爆 真难吃 不好吃 不好喝 没味道
    没什么味道 太咸了 咸得没法吃 太油了 全是油 太淡 太辣了 都是土豆 肉少得可怜 几乎没有肉 全是骨头 没熟 还是生的
    硬得像石头 米饭太硬 面都坨了 送餐太慢 送得太慢 速度太慢 太慢了 慢 超时了 迟到一个小时 送餐员态度差 很失望 失望 坑人
    太坑了 垃圾 无语
""")
# A first half of small weight; then comes what counts.
_PRAISED = _words("""
    味道不错 味道还可以 味道可以 味道挺好 好吃 挺好吃的 东西好吃 菜品不错 分量足 包装不错 价格实惠 商家态度好 送得挺快
    以前挺好的 一直在这家点 第一次觉得不错 水果挺甜 店家服务不错
""")
_BLAMED = _words("""
    送得太慢 送餐太慢了 配送太慢 等了一个多小时 等了两个小时 速度太慢 送到都凉了 菜都凉了 汤洒了 分量太少 量太少了
    骑手态度太差 送餐员态度恶劣 少送了一样 没给餐具 包装太差 太咸了 太油了 价格太贵 不新鲜 越来越差了 不会再点了 有头发
""")
_BUT = ("，但是", "，但", "，不过", "，可是", "，就是", "，可惜", "，只是")
_FLAWS = _words("送得慢了点 等得久了点 稍微有点凉 包装一般 有点小贵 配送晚了几分钟 量不算大 下雨晚到了一会儿")
_REDEEMED = _words("味道很好 很好吃 真的好吃 骑手态度很好 服务很好 商家马上补送了 食材很新鲜 很满意 下次还点")
# Facts of an order, without a stance.
_PLACES = _words("公司 家里 学校 楼下 前台 宿舍 门卫 驿站 单位 医院 酒店 老家")
_PLACE_FRAMES = ("送到{0}", "放在{0}了", "寄到{0}的", "地址改成{0}", "在{0}取的", "送到{0}的")
_DEEDS = _words("吃 喝 穿 看 装 试 打开 拆 用 尝 洗 安装 开封 读 煮")
_DEED_FRAMES = (
    "还没{0}", "还没{0}呢", "还没有{0}", "没{0}过，不知道怎么样", "{0}了再评价", "{0}过再说", "等{0}了再来评",
    "打算周末{0}", "过几天再{0}", "没{0}呢，等{0}了再评", "等有空{0}", "还没来得及{0}，先放着",
)  # fmt: skip
_ORDERED = _words("一份 两份 三份 五份 十份 两杯 三杯 一单 四人份 两个套餐")
_ORDERED_FRAMES = ("点了{0}", "要了{0}", "订了{0}，中午吃", "{0}，一份带走", "一共{0}")
_ASKED = _words("""
    可以不放葱吗 可以备注少辣吗 几点营业 几点关门 几点能送到 能送到学校吗 起送价是多少 配送费多少 在哪里取 能开发票吗
    有儿童餐吗 店在几楼 怎么预订 有清真的吗 能加饭吗 现在还能点吗
""")
_ASKED_FRAMES = ("{0}", "{0}？", "请问{0}？", "想问{0}")


def meal_lines() -> Iterator[tuple[str, bool]]:
    """Hand-written training lines about food and delivery with whether they are positive, in a fixed order."""
    for positive, subjects, predicates, every in (
        (True, _FOODS, _GOOD_FOOD, 4),
        (False, _FOODS, _BAD_FOOD, 4),
        (True, _CARRIERS, _GOOD_CARRYING, 2),
        (False, _CARRIERS, _BAD_CARRYING, 2),
    ):
        yield from ((line, positive) for line in in_turn(subjects, ("",), predicates, every=every))
    yield from ((frame.format(time), False) for time in _LONG for frame in _LONG_FRAMES)
    yield from ((frame.format(time), True) for time in _SHORT for frame in _SHORT_FRAMES)
    yield from ((frame.format(extra), False) for extra in _EXTRAS for frame in _MISSING_FRAMES)
    for positive, ends in ((True, _GOOD_ENDS), (False, _BAD_ENDS)):
        for end in ends:
            yield from ((line, positive) for line in (end, f"{end}！", f"，{end}，"))
        yield from ((line, positive) for line in in_turn(ends, ("，",), ends, every=len(ends) // 3))
    yield from ((line, False) for line in in_turn(_PRAISED, _BUT, _BLAMED, every=11))
    yield from ((line, True) for line in in_turn(_FLAWS, _BUT[:4], _REDEEMED, every=5))


def meal_facts() -> Iterator[str]:
    """Facts and questions about an order that take no stance."""
    for words, frames in (
        (_PLACES, _PLACE_FRAMES),
        (_DEEDS, _DEED_FRAMES),
        (_ORDERED, _ORDERED_FRAMES),
        (_ASKED, _ASKED_FRAMES),
    ):
        yield from (frame.format(word) for word in words for frame in frames)
