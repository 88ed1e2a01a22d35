"""What a careful person knows of words that the training reviews hardly hold: emoji, slang, negation, complaint words.

Decides which signs and phrases lean which way. Written by hand for this project. Emoji become one of two symbols when
a text is folded; the phrases are extra lines of the training, so that judging itself knows no rules but weights.
"""

from collections.abc import Iterator

from sentiment.meals import meal_facts, meal_lines
from sentiment.turns import turn_lines


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(phrase.strip() for phrase in text.split("|"))


POSITIVE_EMOJI = (
    "😀😃😄😁😆😊🙂😇🥰😍🤩😘😗😚😙😋😎🤗🥳😺😸😻👍👏🙌💪💯🔥❤🧡💛💚💙💜💖💗💓💕💞💝🌹🌸🎉🎊✨⭐🌟👌✌☺☻♥♡😌🤝💐🏆🥇✔✅"
)
NEGATIVE_EMOJI = "😠😡🤬😤😒🙄😞😔😟😕🙁☹😣😖😫😩😢😭😨😰😱😥😓🤢🤮😷🤒💩👎👿😾😿💔😑😐🤦🤡🖕❌🆘😵💢🚫😬👹☠💀😧😦😳"
# The two symbols again, as characters that fold to them.
_GLAD, _ANGRY = POSITIVE_EMOJI[0], NEGATIVE_EMOJI[0]

_GOOD = _words("""
    好 不错 满意 喜欢 舒服 好用 划算 给力 靠谱 漂亮 好看 好吃 开心 推荐 值 合适 方便 贴心 清晰 流畅 结实 干净
    新鲜 棒 赞 惊喜 舒适 便宜 实惠 耐用 细心 热情 专业
""")
_BAD = _words("""
    差 烂 难用 失望 难看 难吃 坑 垃圾 慢 脏 假 破 糟糕 恶心 敷衍 粗糙 劣质 无语 后悔 气人 差劲 离谱 坑人 生气
    难受 臭 卡 吵 麻烦 贵
""")

_GOOD_SLANG = _words("""
    yyds 绝绝子 真香 爱了爱了 种草了 回购 无限回购 闭眼入 冲就完了 绝了好用 神仙单品 宝藏店铺 良心卖家 吹爆 666
    nice 好评 五星好评 点赞 物超所值 性价比高 爱了 爱不释手 無可挑剔 无可挑剔 没得说 没毛病 完美 名不虚传 必入
    tql 赞赞赞 好好用 狠狠爱住 入股不亏 超预期 超出预期 省心 老顾客了 会再来 还会再来 值得拥有 强烈推荐 hao hen
    很nice good very great excellent love it perfect ^_^ ^o^ (^^) o(∩_∩)o
""")
_BAD_SLANG = _words("""
    蚌埠住了 绷不住了 避雷 踩坑 踩雷 拔草 智商税 割韭菜 翻车 大冤种 冤大头 辣鸡 辣眼睛 垃圾玩意 坑爹 坑死了 黑店
    骗子 假货 骗人 上当 上当了 被骗了 退货 要退货 退款 不退款 不给退款 拒绝退款 投诉 要投诉 12315 举报 三无产品
    二手货 翻新机 货不对板 虚假宣传 霸王条款 质量堪忧 一言难尽 无力吐槽 心累 劝退 谁买谁后悔 再也不买 不会再买
    别买 千万别买 不要买 慎买 慎入 差评 给差评 零分 一星 lj 垃jj laji sb nmsl wtf tmd 尼玛 卧槽什么玩意 吐了
    yue了 服了 真的服了 栓q 我真的会谢 破防了 气死 气死我了 血压上来了 无语子 下头 拉胯 摆烂 踢皮球 已读不回
    装死 不理人 没人理 联系不上 bad terrible awful worst refund scam t_t qaq orz tat >_< (╯°□°) -_- =_= 555
    呜呜呜
""")
_GOOD_PHRASES = _words("""
    不是不好用 没有不满意 没什么不好 没什么可挑剔的 挑不出毛病 找不到缺点 没有任何问题 一点问题都没有 没有异味
    不卡顿 不掉色 不起球 没有色差 没有破损 没有失望 没让我失望 没让人失望 从不失望 没有后悔 不后悔 不得不说好
    不得不赞 不能不说好 不可能不喜欢 谁能不爱 没有人会不喜欢 怎么可能不好 好得不得了 好到没朋友 好用到哭
    好吃到哭 好看哭了 便宜没坏 不愧是大品牌 难得的好 没想到这么好 比想象的好 比想象中好 比预期好 一如既往的好
    一直都很好 问题解决了 客服很快解决了 很快就退款了 退款很快 退货很方便 及时处理了 换货很快 服务没话说
""")
_BAD_PHRASES = _words("""
    不是很好 不是很满意 不怎么好 不怎么样 也就那样 没有想象的好 没有想象中好 没有描述的好 不如预期
    没有宣传的那么好 好不了多少 好个屁 好什么好 哪里好了 好意思卖 说好的呢 说好的正品呢 高兴得太早 白高兴一场
    谈不上好 算不上好 称不上满意 没有一次满意 没一个好的 没有一点好 不能说好 毫无优点 一无是处 真是好样的
    真是谢谢了 呵呵了 呵呵 可真行 真有你的 您可真行 这就是所谓的正品 这就是你们的服务 这服务绝了 真是长见识了
    开了眼了 佩服佩服 厉害了我的客服 好一个正品 用一次就坏 用一次就坏了 没用几天就坏了 三天就坏 刚到就坏
    刚买就降价 收到是坏的 开不了机 充不进电 一碰就掉 洗一次就破 等了半个月 等了一个月 还没到 还没收到 一直不发货
    不发货 迟迟不发货 催了也没用 物流停滞 丢件 少发 漏发 发错货 包装破损 碎了 漏了 压扁了 发霉 过期 有虫 有头发
    有异味 客服不理 客服不回 客服态度差 客服太差 没人处理 没人管 推卸责任 互相推诿 不给换 不给退 不解决
    拖着不处理 扣钱 乱扣费 多收钱 先涨后降 价保不给 泄露信息
""")

# Facts and questions without a stance: they come with both labels, so that they pull to the middle.
_FACTS = _words("""
    收到了 已收到 今天收到货 还没用 还没试 没拆开 帮朋友买的 给爸妈买的 给孩子买的 替同事买的 第一次买
    等用了再来评价 用过再评 过段时间追评 先放着 上周下的单 昨天下单今天到 尺码是L 颜色是黑色 买了两件 一共三件
    货到付款 请问什么时候发货 怎么使用 有没有说明书 保修多久 可以开发票吗 这个是什么材质 支持七天无理由吗
    快递是顺丰 规格500ml 型号是标准版 一般 一般般 还行吧 凑合 中规中矩 普普通通 说不上好坏 不好不坏 没什么感觉
    无 暂无评价 ok hello thanks please the product is this item my order 1 2 123 。 arrived 商品 hola gracias
    bonjour merci 感觉一般 暂时不评价
""")

# The same by frame: who it is for, when it came, what was ordered, what is asked.
_PERSONS = _words("""
    爸妈 孩子 老公 老婆 朋友 同事 邻居 亲戚 婆婆 弟弟 室友 领导 老师 妹妹 家里人 客户 女儿 儿子 外婆 舅舅
""")
_PERSON_FRAMES = ("给{0}买的", "帮{0}买的", "替{0}下的单", "{0}让我买的", "是{0}要的", "给{0}用的")
_TIMES = _words("刚刚 今天 昨天 前天 上午 下午 晚上 周末 刚才 昨晚")
_TIME_FRAMES = ("{0}收到", "{0}到的货", "{0}下的单", "{0}才拆开", "{0}签收的")
_NUMBERS = _words("一 两 四 五 六 十")
_NUMBER_FRAMES = (
    "买了{0}件",
    "下单{0}个",
    "订了{0}双",
    "一共{0}箱",
    "要了{0}份，白色的",
    "{0}盒装，一大一小",
    "拍了{0}件，都是蓝色",
    "{0}瓶，白的",
)
_QUESTIONS = _words("""
    保修多久 能开发票吗 是什么材质 几天能到 有赠品吗 支持分期吗 怎么安装 还有货吗 什么时候补货 什么时候能到
    有活动吗 哪里产的 多大尺寸 怎么退换 能用多久 有别的颜色吗
""")
_QUESTION_FRAMES = ("{0}", "{0}？", "请问{0}", "请问{0}？", "想问一下{0}", "客服，{0}")
_MIDDLING = _words("""
    马马虎虎 不算好也不算坏 不好也不坏 过得去 普普通通吧 中等水平 没什么特别的 先用着看 等用了再说 用几天再来评
    还没来得及用 还没有试 先收着 没拆封 放着没用 回头再评 说不上来 没有感觉 马马虎虎吧 不功不过
""")
_THINGS = _words("衣服 鞋子 手机 书 杯子 洗发水 水果 奶粉 耳机 键盘 被子 灯 包 玩具 茶叶 平板 电脑 裤子 牛奶 热水器")
_THING_FRAMES = (
    "买的是{0}", "{0}是送人的", "{0}放家里了", "{0}还没拆", "拍的{0}，等到货", "{0}是在活动时买的", "第一次在网上买{0}",
    "{0}，不知道怎么样", "给家里添置的{0}",
)  # fmt: skip
_FACETS = _words("""
    颜色是白色 颜色选的灰色 尺码M 尺码拍的XXL 规格是十斤装 型号是pro 容量128G 套餐二 标配版 身高170体重60 电压220v
    保质期一年 产地山东 红色和蓝色各一件 大号的 单人份
""")
_FACET_FRAMES = ("{0}", "买的{0}", "我买的{0}", "{0}，自己用的")

_GOOD_FRAMES = _words("""
    {good} 很{good} 非常{good} 太{good}了 真{good} 超级{good} 挺{good}的 不是不{good} 没有不{good} 不得不说{good}
    不能说不{good} 确实{good} 特别{good} 不{bad} 一点都不{bad} 一点也不{bad} 没有{bad} 并不{bad} 完全不{bad}
    不算{bad} 不会{bad} 没有什么不{good}的 没有一处不{good} 不可能不{good} 挑不出不{good}的地方 比想象的{good}
""")
_BAD_FRAMES = _words("""
    {bad} 很{bad} 非常{bad} 太{bad}了 真{bad} 超级{bad} 有点{bad} {bad}死了 又{bad} 不{good} 一点都不{good}
    一点也不{good} 不太{good} 没有那么{good} 没想象中{good} 谈不上{good} 哪里{good}了 不够{good} 并不{good} 不能更{bad}
    特别{bad} 相当{bad} 里面全{bad}了
""")
# After the turn stands what counts; both halves are words that the reviews know.
_TURNS = ("但是", "但", "不过", "可是", "就是", "然而")
_KIND_HALVES = ("东西不错", "衣服很好看", "质量可以", "外观漂亮", "味道还行", "包装很好", "价格便宜")
_ANGRY_HALVES = ("客服太差", "物流太慢", "用两天就坏了", "售后不理人", "质量太差", "根本不能用", "再也不会买")
_SMALL_FLAWS = ("物流慢了点", "包装简单", "价格有点贵", "颜色一般", "等了几天", "开始不太会用")
_GLAD_ENDS = ("东西很好", "质量真的不错", "很满意", "客服解决了", "值得购买", "还会再来")

# English, and facts in other languages: customers abroad write them.
_GOOD_ENGLISH = _phrases("""
    good|great|nice|excellent|perfect|fast|fresh|tasty|delicious|beautiful|comfortable|wonderful|amazing|cheap|useful|
    friendly|love it|works well|well made|highly recommended|five stars|will buy again|would order again|fast delivery|
    good value|worth the money|as described|very happy|thank you so much
""")
_BAD_ENGLISH = _phrases("""
    bad|terrible|awful|poor|slow|broken|late|cold|dirty|ugly|rude|fake|useless|horrible|disgusting|expensive|damaged|
    disappointed|wrong item|never again|do not buy|waste of money|does not work|stopped working|never arrived|
    not delivered|missing parts|no refund|bad quality|no reply|one star|smells bad
""")
_ENGLISH_FRAMES = ("{0}", "very {0}", "it is {0}", "it was {0}!", "so {0}", "the product: {0}", "{0}, {0}")
_FOREIGN_FACTS = _phrases("""
    arrived yesterday|size M|ordered two|for my mother|not opened yet|when will it ship?|blue color|it came today|
    llegó ayer|talla L|lo compré para mi madre|color azul|reçu hier|taille 40|commandé pour ma mère|couleur noire|
    gestern angekommen|Größe M|für meine Mutter|Farbe blau|arrivato ieri|taglia S|per mia madre|chegou ontem|tamanho M|
    получил вчера|размер M|для мамы|昨日届きました|サイズはMです|母のために買いました|어제 도착했어요|사이즈 M|
    엄마 드리려고 샀어요|nhận hôm qua|cỡ M|ได้รับเมื่อวาน|وصل أمس
""")


def lines() -> Iterator[tuple[str, bool]]:
    """Hand-written training lines with whether they are positive, in a fixed order."""
    for good in _GOOD:
        yield from ((frame.format(good=good), True) for frame in _GOOD_FRAMES if "{good}" in frame)
        yield from ((frame.format(good=good), False) for frame in _BAD_FRAMES if "{good}" in frame)
    for bad in _BAD:
        yield from ((frame.format(bad=bad), True) for frame in _GOOD_FRAMES if "{bad}" in frame)
        yield from ((frame.format(bad=bad), False) for frame in _BAD_FRAMES if "{bad}" in frame)
    for phrases, positive in (
        (_GOOD_SLANG, True),
        (_GOOD_PHRASES, True),
        (_BAD_SLANG, False),
        (_BAD_PHRASES, False),
        ((_GLAD, _GLAD * 2, f"买了{_GLAD}", f"收到了{_GLAD}"), True),
        ((_ANGRY, _ANGRY * 2, f"买了{_ANGRY}", f"收到了{_ANGRY}", f"呵呵{_ANGRY}", f"真好{_ANGRY}"), False),
    ):
        for phrase in phrases:
            yield phrase, positive
            yield f"{phrase}！", positive
            yield f"，{phrase}，", positive
    for phrases, positive in ((_GOOD_ENGLISH, True), (_BAD_ENGLISH, False)):
        yield from ((frame.format(phrase), positive) for phrase in phrases for frame in _ENGLISH_FRAMES)
    yield from meal_lines()
    for fact in (*_FACTS, *_framed_facts(), *_FOREIGN_FACTS, *meal_facts()):
        yield from ((line, positive) for line in (fact, f"{fact}。") for positive in (True, False))
    for turn in _TURNS:
        yield from ((f"{kind}{turn}{angry}", False) for kind in _KIND_HALVES for angry in _ANGRY_HALVES)
        yield from ((f"{flaw}，{turn}{glad}", True) for flaw in _SMALL_FLAWS for glad in _GLAD_ENDS if turn != "就是")
    yield from turn_lines(_GOOD, _BAD)


def _framed_facts() -> Iterator[str]:
    for words, frames in (
        (_PERSONS, _PERSON_FRAMES),
        (_TIMES, _TIME_FRAMES),
        (_NUMBERS, _NUMBER_FRAMES),
        (_QUESTIONS, _QUESTION_FRAMES),
        (_THINGS, _THING_FRAMES),
        (_FACETS, _FACET_FRAMES),
    ):
        yield from (frame.format(word) for word in words for frame in frames)
    yield from _MIDDLING
