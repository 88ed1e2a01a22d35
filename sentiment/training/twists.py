"""Sentences that mean the other side of what their words say, or say it in slang: lessons for the nets alone.

Decides which slang, mock praise, double negation and rhetorical question stands on which side, and what is told of a
meal that came late, cold or short; words and frames are our own. Praise that is meant stands beside what is mocked,
so that the fact behind it decides.
"""

from collections.abc import Iterator

from sentiment.training.facts import filled


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_THINGS = "手机 耳机 衣服 裤子 鞋子 奶粉 面膜 洗发水 水果 键盘 台灯 锅 杯子 书 包 被子 平板 零食 玩具 充电宝 拖把 枕头"
FACETS = _words("质量 味道 做工 客服 物流 包装 效果 手感 口感 面料 音质 画质 售后 服务 颜色 性价比")
MOCKING = ("真好", "好得很", "可真好", "真棒", "真是一流", "真不错啊", "好极了")  # said with a sneer beside SCORN

_GOOD_SLANG = """
    入股不亏 闭眼入 闭眼冲 冲就完了 给我冲 按头安利 狠狠爱住了 爱住了 一整个爱住 爱了爱了 拿捏了 拿捏得死死的 赢麻了
    香疯了 真的香 太香了 香迷糊了 无限回购 回购无数次 空瓶回购 本命 神仙好物 宝藏好物 挖到宝了 捡到宝了 种草成功
    没踩雷 没有踩雷 不踩雷 值得冲 值得入 良心卖家 天花板级别 封神了 一口沦陷 吊打专柜 平替之王 血赚 赚到了 性价比拉满
    质感拉满 氛围感拉满 颜值爆表 上头了 太上头了 顶呱呱 杠杠的 嘎嘎好用 嘎嘎香 贼好用 贼好吃 贼拉好 老好吃了 巴适得板
    倍儿棒 美滋滋 爽歪歪 棒棒哒 666 奈斯 太奈斯了 五星走起 神了 yyds啊 绝绝子啊 太绝了爱了 好家伙真香 DNA动了 心动了
    被惊艳到 惊艳到我了 绝美 美哭了 美到犯规 稳得一批 稳如老狗 无脑入 锁死了 钉在购物车里 必入 必囤 囤就对了 跪求补货
    买它 家人们冲 姐妹们冲 安利给全世界 好用到哭 好吃到哭 好吃到舔盘 好吃到跺脚 真正的良心 国货之光 国货崛起
"""
_BAD_SLANG = """
    大雷 踩大雷 天雷 巨雷 雷中雷 避坑 大坑 巨坑 快逃 快跑 快跑别回头 谁买谁后悔 谁买谁知道 智商税 交了智商税 割韭菜
    又被割了 当了一回韭菜 大冤种 冤种本种 我就是那个冤种 被背刺了 背刺老用户 翻车了 大翻车 翻车现场 照骗 纯纯照骗
    买家秀惨案 一眼假 拉胯 太拉胯了 拉垮 摆烂 下头 太下头了 无语子 大无语 栓Q 裂开了 我裂开 我真的会谢 会谢 血压上来了
    血压飙升 高血压犯了 破防了 整破防了 人麻了 我麻了 麻了麻了 绷不住了 整不会了 给我整不会了 一言难尽 辣眼睛 劝退
    果断劝退 垃圾中的战斗机 坑爹 坑爹货 山寨 太拉了 太水了 鸡肋 吃灰 毁三观 欲哭无泪 呵呵哒 醉了 也是醉了 我服了
    服了服了 无力吐槽 槽点满满 懒得吐槽 狗都不用 狗都不吃 白瞎了 糟心 闹心 膈应 坑到姥姥家 心态崩了 心态炸了 emo了
    一生黑 拉进黑名单 脱粉 取关了 凉凉 打脸了 疯狂打脸 吃了哑巴亏 套路满满 套路太深 玩文字游戏 达咩 大可不必
    就这也敢卖 离大谱 离了个大谱 什么鬼 什么玩意儿 啥玩意 闹呢 逗我呢 玩我呢 糊弄鬼呢 当我傻子 把人当猴耍 拔草了
    种草变拔草 长草到拔草 黑心商家 奇葩 奇葩店 奇葩客服 缺德 缺大德 良心被狗吃了 想钱想疯了 吃相难看 店大欺客 杀熟
    大数据杀熟 踩坑 深坑 无底洞 吐血 气到吐血 气炸 气笑了 笑不活了真差 寄了 直接寄 芭比Q了 拉倒吧 算我倒霉 认栽
    自认倒霉 长记性了 交学费了 学费交了 花钱买罪受 花钱买教训 花钱找气受 洗洗睡吧 没眼看 不忍直视 惨不忍睹 呕 yue了
    yue
"""
_SLANG_FRAMES = """
    {slang} 这{thing}{slang} {thing}{slang} 买的{thing}，{slang} {slang}，说的就是这个{thing} 家人们，{slang}
"""
_GOOD_USED = filled(_SLANG_FRAMES, slang=_GOOD_SLANG, thing=_THINGS)
_BAD_USED = filled(_SLANG_FRAMES, slang=_BAD_SLANG, thing=_THINGS)

# What praises by itself; the fact behind it tells whether it is meant.
PRAISE = _words("""
    好得很 真行 可真行 你可真行 真有你的 牛 真牛 厉害了 太厉害了 绝了 真是绝了 服了 真是服了 佩服 佩服佩服 真棒 棒极了
    好极了 太好了 真不错 真可以 真是可以 没谁了 也是没谁了 真会玩 真能耐 感动 感动哭了 谢谢啊 谢谢你们了 谢谢店家
    好样的 干得漂亮 长见识了 开眼了 大开眼界 惊喜 好大的惊喜 真是惊喜 良心 真良心 真大方 真贴心 真体贴 真讲究 真专业
    真敬业 神奇 了不起 太牛了 不愧是旗舰店 不愧是网红店 不愧是爆款 名不虚传 果然名牌 真是长脸 有水平 水平真高 太有才了
    可以的 真靠谱 太感人了 质量真是好 服务真到位 品控真好 效率可真高
""")
MEANT = _words("""
    真不错 真棒 太好了 好样的 良心 真良心 真大方 真贴心 真体贴 真专业 真靠谱 惊喜 真是惊喜 谢谢店家 谢谢你们了 绝了
    真是绝了 牛 真牛 厉害了 佩服 服了 名不虚传 不愧是大品牌 感动 效率可真高 服务真到位 质量真是好 可以的 有水平
    感动哭了
""")
SCORN = _words("""
    呵呵 呵呵呵 呵呵了 哼 呸 啧啧 嗯呵呵 切 ？？？ 呵呵，真行 呵，可真行 真是服了 我也是服了 真是服了你们 真服了这家店
    无语 笑死 笑死我了 真逗 可笑 搞笑呢 醉了 我谢谢你 我谢谢你全家 太可笑了 真好意思 好意思 还好意思卖 脸皮真厚
""")
PROOFS = filled(
    """
    {span}坏{times} {span}修了{times} {span}就{fail} 用了{span}就{fail} 才用{span}，{fail} 第{times}次就{fail}
    刚开箱就{fail} 等了{long} 发货用了{long} 快递走了{long} 客服{long}不回 退款等了{long} 换了{times}还是{fail}
    换来的还是{fail} 一碰就{fail} 没洗就{fail} 充{span}电用十分钟 买{times}坏{times} 发{times}错{times}
    寄来一个{fail}的 保修期刚过就{fail} 问{times}客服没一个回 催了{times}才发货 打了{times}电话都占线 评价全是刷的
    送的赠品比{thing}还好用 新的还不如旧的 售后踢皮球 说好的{thing}变成空盒 越用越{fail} 一年修了{times}
    """,
    span="三天 两天 一周 五天 半个月 一个月 十天 四天 一晚上 两小时",
    times="两次 三次 四次 五次 两回 三回",
    fail="坏 碎 裂 掉色 死机 漏水 断 黑屏 散架 生锈 起球 发霉 卡死 没电 变形 脱胶",
    long="半个月 十天 一周 二十天 一个月 五天 三天 八天", thing=_THINGS,
)  # fmt: skip
_MOCKED = filled(
    """
    说好的{praise}呢 说好{praise}的呢 {praise}？不存在的 {praise}？呵呵 {praise}？骗鬼呢 {praise}？做梦 {praise}个鬼
    {praise}个屁 {praise}才怪 {praise}？我信你个鬼 好一个{praise} 所谓的{praise}，呵呵 所谓{praise}不过如此
    号称{praise}，结果呢 号称{praise}，笑话 还敢说{praise} 也好意思叫{praise} 这也能叫{praise} 这就叫{praise}？
    这就是{praise}？ 这就是你们的{praise} 宣传{praise}，实际呵呵 吹得{praise}，拿到手傻眼 写着{praise}，收到笑了
    评论都说{praise}，我笑了 “{praise}”，谁信 标题写{praise}，脸呢 {praise}在哪里 {praise}，你信吗
    {praise}？一个字，假 {praise}都是骗人的
    """,
    praise="""
    正品 高品质 全新 顺丰包邮 无理由退货 七天无理由 保温 防水 静音 现货 新鲜 纯棉 真皮 原装 旗舰配置 超长续航 五星服务
    贴心服务 品质保证 大牌品质 秒发 极速退款 进口 手工 无添加 买贵退差 终身保修 假一赔十 精品 不掉色 显瘦 包邮
    无甜味剂 足斤足两
    """,
)  # fmt: skip
_JESTS = filled(
    """
    {thing}拿来{rag}正好 买来{rag}还行 只配{rag} 也就{rag}的水平 {thing}的唯一用处是{rag} 唯一的优点是{little}
    优点只有{little} 除了{little}一无是处 要说优点嘛，{little} {facet}好到我想{anger} {facet}好得我想{anger}
    好用到我想{anger} 好到想{anger} 感动得想{anger} 惊喜到想{anger} 快得像{snail} 比{snail}还快一点 速度堪比{snail}
    {snail}都比这快 发货比{snail}还准时 客服回复快得像{snail} 除了{facet}差哪都好 除了{facet}其他都差
    {facet}差出了新高度 {facet}烂得很稳定 {facet}一如既往地差 {facet}稳定地差 {facet}从不让人失望，每次都差
    {facet}差得有创意 {facet}真是一绝，绝对的差 祝生意兴隆，反正我不来了 祝老板发财，我先退货 祝贵店早日倒闭
    {thing}质量太好，舍不得用第二次 恭喜我成为{fool} 恭喜自己喜提{fool} 我大概就是{fool} 感谢让我当了{fool}
    感谢商家给我上了一课 谢谢商家教我做人 谢谢你让我学会了退货 店家真会挑，专挑坏的发 运气真好，就我收到坏的
    我运气可真好，件件有问题 {thing}真环保，用一次就扔 {thing}真省电，根本开不了 {thing}真静音，压根没声音
    {thing}真减肥，吃不下去 盒子比{thing}值钱 包装比{thing}好 看图片就好，别买 快递小哥是唯一的亮点 打分不能零分真遗憾
    一颗星都嫌多 给一星是因为不能给零星 不给一星发不出去 五星是给快递的 好评是被逼的 好评返现骗来的好评 为了返现才好评
    手滑点了五星，别信 五星好评反着看 反向推荐 反向安利 推荐给仇人 送给讨厌的人正好 建议老板自己用用
    建议店家自己吃一口 建议厂家回炉重造 设计师自己用过吗 质检员放假了吧 品控去哪了 良心不会痛吗 心不会痛吗 钱好赚吗
    是来搞笑的吗 是认真的吗 逗谁呢 做慈善呢，白送你钱
    """,
    thing=_THINGS, facet=" ".join(FACETS), rag="当抹布 垫桌脚 当摆设 砸核桃 喂猫 垫箱底 当废品 占地方 擦地 压泡面",
    little="便宜 盒子好看 快递快 包邮 颜色没错 没寄丢 字印得清楚 还没炸 能退货",
    anger="砸了 扔了 骂人 报警 投诉 退货 哭 撞墙",
    snail="蜗牛 乌龟 牛车 树懒 老牛", fool="冤大头 韭菜 小白鼠 试验品 冤种 提款机",
)  # fmt: skip

_FINE = "好 好用 好吃 满意 舒服 漂亮 耐用 结实 值 新鲜 快 干净 清楚 划算 合适 柔软 靠谱 流畅 专业 贴心 精致 方便"
_FOUL = "差 难用 难吃 失望 难受 丑 贵 坑 臭 慢 脏 模糊 卡 薄 硬 吵 敷衍 难看 假 麻烦 粗糙"
_GOOD_NEGATIONS = filled(
    """
    不是不{fine} 没有不{fine}的 没有哪里不{fine} 没有哪点不{fine} 哪里不{fine}了 哪里不{fine}？ 哪儿不{fine}
    有什么不{fine}的 谁说不{fine} 谁说不{fine}的 谁敢说不{fine} 谁说这个不{fine}，我觉得很{fine} 能不{fine}吗
    怎么可能不{fine} 怎么会不{fine} 这还不{fine}？ 难道不{fine}吗 何止是{fine} 岂止是{fine} 不要太{fine}
    别提多{fine}了 说不{fine}是假的 不能说不{fine} 没法说不{fine} 并非不{fine} 并不是不{fine} 没一处不{fine}
    无一不{fine} 不能再{fine}了 没理由不{fine} 不{fine}才怪 不算不{fine} 不是{fine}，是非常{fine} 不是一般{fine}
    没见过这么{fine}的 没见过比这更{fine}的 找不出比这{fine}的 想不{fine}都难 不得不说{fine} 没人觉得不{fine}
    没有谁说不{fine} 哪有不{fine}的道理
    """,
    fine=_FINE,
) + filled(
    """
    谁说{foul} 谁说{foul}的 谁说{foul}了 哪里{foul}了 怎么可能{foul} 怎么会{foul} 难道还{foul}不成 {foul}才怪
    想说{foul}都难 没有一点{foul}的地方 从没{foul}过 就没{foul}过 并非{foul} 没那么{foul} 没有别人说的{foul}
    不像评论说的{foul} 不会{foul}到哪去 {foul}是不可能的 没有理由{foul} 说{foul}的都是瞎说 说{foul}的是同行吧
    一点{foul}的感觉都没有 哪有{foul}，明明很好
    """,
    foul=_FOUL,
)  # fmt: skip
_BAD_NEGATIONS = filled(
    """
    不能说不{foul} 没有不{foul}的 没有一个不{foul} 何止是{foul} 岂止是{foul} 不要太{foul} 别提多{foul}了
    说不{foul}是假的 不{foul}是假的 不能再{foul}了 没见过这么{foul}的 没见过比这{foul}的 再没有比这{foul}的
    不是一般{foul} 不是一般的{foul} 不是{foul}，是非常{foul} 想不{foul}都难 不{foul}才怪 能不{foul}吗 怎么会不{foul}
    怎么可能不{foul} 就没有不{foul}的 没有最{foul}，只有更{foul} 哪次不{foul} 有哪一次不{foul} 谁说不{foul}，我跟谁急
    难道不{foul}吗 这还不{foul}？
    """,
    foul=_FOUL,
) + filled(
    """
    谁说{fine} 谁说{fine}的 哪里{fine}了 哪里{fine}？ 哪{fine}了 {fine}在哪 怎么可能{fine} 能{fine}吗 能{fine}才怪
    {fine}才怪 这也叫{fine}？ 这叫{fine}？ 这能叫{fine} 不见得{fine} 未必{fine} 没一处{fine} 没一点{fine}的地方
    从没{fine}过 就没{fine}过 {fine}不到哪去 {fine}不到哪里去 没有别人说的{fine} 不像评论说的{fine} 没觉得{fine}
    看不出{fine}在哪 想说{fine}都难 没法昧着良心说{fine} 谈不上{fine} 说{fine}的是托吧 说{fine}的都是托
    说{fine}的良心呢 有什么{fine}的 有多{fine}？没觉得 不是不{fine}，是太差 不是不想说{fine}，是说不出口
    """,
    fine=_FINE,
)  # fmt: skip

_DISHES = """
    米饭 菜 汤 面 粥 炸鸡 饺子 奶茶 咖啡 披萨 薯条 麻辣烫 盖饭 炒饭 汉堡 烤串 酸菜鱼 凉皮 馄饨 包子 小龙虾 排骨 鸡腿
    寿司 煎饼 豆浆 蛋糕 水果捞 烤鱼 螺蛳粉
"""
_TOOLS = "餐具 筷子 勺子 吸管 手套 醋包 辣椒 纸巾"
_BAD_MEALS = filled(
    """
    {dish}凉了 {dish}冷了 {dish}到手是冰的 {dish}凉透了才到 {dish}坨成一块 {dish}洒了 {dish}洒了一半 {dish}洒了一袋子
    {dish}漏得到处都是 {dish}没送 {dish}少一份 {dish}少了一份 {dish}只有半份 {dish}里有头发 {dish}里有钢丝
    {dish}是生的 {dish}没熟 {dish}糊了 {dish}馊了 {dish}酸了 {dish}化了 点的{dish}，送来别的 点了{dish}没给
    点两份{dish}只来一份 {dish}的盖子没盖 {dish}撒在袋子里 {dish}被压扁了 {dish}咬了一口全吐了 {dish}吃了两口扔了
    吃完{dish}拉肚子 吃了{dish}闹肚子 {long}才送到 送了{long} 送餐送了{long} 等了{long} 等餐{long} 下单{long}才来
    {long}还没到 {long}了骑手还没取餐 超时{long} 晚了{long} 没给{tool} {tool}没给 没放{tool} 没有{tool} 少一副{tool}
    少{tool} 连{tool}都没给 备注要{tool}没给 {tool}一个都没有 打包盒裂了 袋子破了 袋子底漏了 盒子压瘪了 汤全洒在袋子里
    骑手扔门口就走 骑手没打电话 放楼下就走了 送到隔壁楼 送错楼了 送成别人的 骑手点了送达人没到 显示送达没见到
    商家说没货又不退 商家说漏了不补 电话打不通 自己下去取的 自己去店里拿的 外卖被人拿走了 拿到别人的餐
    """,
    dish=_DISHES, long="两个小时 一个半小时 快两小时 三小时 一个多小时 100分钟 俩小时 四十分钟", tool=_TOOLS,
)  # fmt: skip
_GOOD_MEALS = filled(
    """
    {dish}还烫手 {dish}到了还冒热气 {dish}热的 {dish}还是热乎的 {dish}一滴没洒 {dish}一点没漏 {dish}多给了一份
    {dish}给得满满的 {dish}都吃光了 {dish}连汤都喝完了 {dish}孩子吃了两碗 {dish}又点了一份 {dish}天天点
    {dish}点了十几次了 {dish}当天现做的 {short}就送到 {short}就到了 提前{short}到 下单{short}就来了 才{short}就到
    {tool}给了好几份 {tool}都有 {tool}也配齐了 {tool}多给了两份 汤一点没洒 包了三层 包得一点没漏 袋子封得好好的
    骑手送到门口 骑手送上六楼 骑手打电话提醒 下雨也没迟到 漏了一样马上补送 少一份老板退了钱 老板送了瓶饮料
    老板送了小菜
    """,
    dish=_DISHES, short="二十分钟 十五分钟 半小时 十分钟 不到半小时 二十来分钟", tool=_TOOLS,
)  # fmt: skip


def twisted() -> Iterator[tuple[str, bool]]:
    """Slang, mockery, double negation and meals with whether they are positive, each text once, in a fixed order."""
    seen: dict[str, bool] = {}
    for texts, positive in (
        (_GOOD_USED, True),
        (_BAD_USED, False),
        (_GOOD_NEGATIONS, True),
        (_BAD_NEGATIONS, False),
        (_MOCKED, False),
        (_JESTS, False),
        (PROOFS, False),
        (_GOOD_MEALS, True),
        (_BAD_MEALS, False),
    ):
        for text in texts:
            seen.setdefault(text, positive)
    yield from seen.items()
