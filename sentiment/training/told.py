"""What customers tell as a plain fact although it praises or blames: a part is missing, a child fell ill, it fits.

Decides which clauses, in words of our own, take a stance without a word of praise or blame, and on which side;
`stance.py` learns from them what is no statement, beside the clauses of facts.py, which they resemble, and the nets
learn the sides. The n-grams learn nothing from them.
"""

from collections.abc import Iterator

from sentiment.training.facts import COLOURS, COUNTED, NUMBERS, PEOPLE, THINGS, WHEN, filled

_BODIES = """
    过敏 起疹子 起红点 发痒 长痘 红肿 脱皮 拉肚子 肚子疼 吐了 恶心 头晕 头疼 咳嗽 发烧 打喷嚏 流鼻涕 胃不舒服 嗓子疼
    眼睛疼 耳朵疼 脚磨破了 磨出水泡 腰疼 睡不着 失眠 牙疼 掉头发 起泡 烫伤 划伤了手 扎手 上火
"""
_USES = "用了 吃了 喝了 穿了 戴了 抹了 擦了 试了 洗了 闻了"
_PARTS = """
    充电器 数据线 说明书 螺丝 盖子 遥控器 电池 发票 赠品 保修卡 耳机 袋子 吸管 勺子 插头 支架 底座 光盘 滤网 鞋带 扣子
    腰带 配件 小票 内胆 封面 餐具 筷子
"""
_HURT = """
    破的 碎的 裂的 坏的 漏的 瘪的 压扁的 空的 脏的 湿的 化了的 馊的 烂的 发霉的 生锈的 变形的 拆过的 用过的 断的 旧的
    过期的 臭的 开线的 掉色的 缺角的
"""
_FAILS = """
    不亮了 不转了 不响了 没反应 开不了机 充不上电 连不上网 黑屏 死机 漏水 漏电 漏油 漏气 断了 裂了 掉皮 掉漆 脱胶 开线
    起球 缩水 褪色 生锈 变形 发黑 发黄 散架 卡住了 自动关机 不制冷 不加热 有异响 冒烟 跳闸 进水 返修 罢工了 报废了
"""
_SPANS = "一天 两天 三天 一周 十天 半个月 一个月 两个月 一次 两次 几次 不到一周 没几天 没两天 第二天 当天"
_FLAWS = """
    有划痕 有污渍 有裂缝 有毛边 有线头 有气泡 有坑 有头发 有虫子 有胶印 有黑点 有破洞 有磨损 有灰 有霉点 有指纹 有缺口
    缺页 少页 印歪了 装反了 盖不严 拧不开 关不上 按不动 插不进去 对不上 站不稳 不平 是歪的 是旧的 是二手的 是翻新的
    是仿的
"""
_SMELLS = "霉味 怪味 臭味 胶水味 塑料味 酸味 油漆味 烟味 汽油味 馊味 腥味 药味"

_MISSING = filled(
    """
    少了{counted} 少{counted} 少发{counted} 少给{counted} 漏发{counted} 漏了{counted} 缺{counted} 只到了{counted}
    只收到{counted} 只有{counted} 只发了{counted} 还差{counted} 差{counted}没到 数了数少{counted} 没有{part}
    没给{part} 没放{part} 少了{part} 缺了{part} 漏放{part} {part}没了 {part}没有 {part}没见到 {part}不见了
    找不到{part} {part}没收到 {part}没寄 {part}少一个 {part}缺一个 {part}忘了放 忘了给{part} 里面没有{part}
    说有{part}，没有 说好送{part}，没送 里面是空的 盒子是空的 是空盒子 袋子里什么都没有 里面没东西 东西没在里面
    快递丢了 货丢了 件丢了 没收到货 我没收到 根本没送来 没送来 没人送 显示签收，没收到
    """,
    counted=" ".join(COUNTED[::5]), part=_PARTS,
)  # fmt: skip
_HARMED = filled(
    """
    {who}用了{body} {who}吃了{body} {who}喝了{body} {who}穿了{body} {who}戴了{body} {who}抹了{body} {use}{body}
    {use}就{body} {use}以后{body} {use}之后{body} {use}一次就{body} {use}一晚{body} {use}第二天{body} 全家{body}
    {who}{body}了 {who}说{body} 住了一晚{body} 回来就{body} 用后{body} 吃完{body} 喝完{body} 去了医院 送医院了
    {who}去医院了 上医院看了 {who}住院了
    """,
    who=PEOPLE, body=_BODIES, use=_USES,
)  # fmt: skip
_WASTED = filled(
    """
    {who}说白花钱了 {who}说浪费钱 {who}说买亏了 {who}说我被骗 {who}骂我乱花钱 {who}说不值 {who}说上当 {who}嫌贵
    {who}嫌弃 {who}不要 {who}不肯用 {who}不爱吃 {who}不喜欢 {who}嫌小 {who}嫌大 {who}说难用 {who}说没用 {who}让退
    {who}让我退掉 {who}笑我 {who}看了摇头 {who}扔了 白花{price} 白花了{price} 白扔{price} 亏了{price} 多花了{price}
    多收{price} 多扣{price} 贵了{price} 被坑{price} 少退{price} 只退{price} {price}打了水漂 {price}白花了 {price}没了
    {price}买个教训 钱白花了 白买了 买来没用 买了没用过一次 用不上 用不了 没法用 放着落灰 压箱底了 扔了 扔垃圾桶了
    直接扔了 丢掉了 送人都没人要 闲置了 {when}就降价 {when}降了{price} {when}便宜{price} 刚买就便宜{price}
    买完便宜{price} 买贵了 差价不退 不给差价 钱没退 款没退 没退款 运费自己出 退货要自己付运费 退回去又寄回来
    """,
    who=PEOPLE, price="十块 二十 三十 五十 一百 两百 三百多 五百 一千 几十块 几百块 八块", when=WHEN,
)  # fmt: skip
_BROKEN = filled(
    """
    到手是{hurt} 收到是{hurt} 拿到是{hurt} 打开是{hurt} 拆开是{hurt} 送来是{hurt} 来的是{hurt} 给我个{hurt}
    {thing}是{hurt} {part}是{hurt} 盒子是{hurt} 箱子是{hurt} 瓶子是{hurt} 有{counted}是{hurt} {counted}都是{hurt}
    里面{hurt} 一半是{hurt} 用了{span}就{fail} 用{span}就{fail} 用{span}{fail} 才{span}就{fail} 穿{span}就{fail}
    洗{span}{fail} {thing}{fail} {part}{fail} {span}就{fail} 一用就{fail} 一开就{fail} 装上就{fail} 到手就{fail}
    又{fail} {when}买的，{fail} {thing}{flaw} {part}{flaw} 上面{flaw} 里面{flaw} 边上{flaw} 屏幕上{flaw} 外壳{flaw}
    鞋底{flaw} 杯口{flaw} 封面{flaw} 一股{smell} 有{smell} 打开有{smell} 房间有{smell} {thing}有{smell} 都是{smell}
    {span}了还有{smell} 散不掉的{smell} 过期了 已经过期 快过期了 临期的 还有{number}天过期 生产日期是前年的
    生产日期被涂了 没有生产日期 保质期过了
    """,
    hurt=_HURT, fail=_FAILS, flaw=_FLAWS, smell=_SMELLS, span=_SPANS, thing=THINGS, part=_PARTS,
    counted=" ".join(COUNTED[3::17]), when=WHEN, number=NUMBERS,
)  # fmt: skip
_WRONG = filled(
    """
    买的{colour}，来的{other} 拍的{colour}发{other} 要{colour}给{other} 说是{colour}，其实是{other}
    订的{thing}，来的是{another} 发错了 发错颜色 发错尺码 发错型号 发成{thing}了 给我发了{thing} 不是我买的 不是我要的
    不是{colour} 跟图片不是一个颜色 和图片不一样 跟描述不一样 不是这个牌子 大了{number}号 小了{number}号 大一圈 小一圈
    偏大 偏小 太长 太短 太紧 太松 穿不上 穿不进去 套不上 装不下 放不下 装不上 塞不进 扣不上 拉不上 尺码不对 码不对
    型号不对 数量不对 重量不够 不够{number}斤 只有{number}两 缺斤少两 称了少{number}两 容量只有一半 内存只有一半
    不支持 不兼容 用不了这个电压 等了{number}天 等了{number}个小时 {number}天了没动静 {number}天没发货
    {number}天还没到 {number}天才到 催了{number}次 打了{number}个电话没人接 换了{number}次 退了{number}次
    修了{number}次 师傅没来 约好没来 没人来装 没人接电话 没人回 没人理 不回消息 不接电话 不肯退 不让退 不给换 不承认
    不认账 不管了 拖着 房间没打扫 没有热水 没空调 空调不制冷 隔壁吵到半夜 半夜被吵醒 床单没换 有蟑螂 房间有蚊子 没窗户
    一晚没睡
    """,
    colour=COLOURS, other="白色 黑色 灰色 蓝色 红色 粉色 绿色", thing=THINGS,
    another="袜子 空盒 抹布 石头 别的 旧的 小号的", number=NUMBERS,
)  # fmt: skip
_GOOD = filled(
    """
    一个没少 一件没少 一样不少 一个没坏 没有坏的 没坏 没碎 没破 没漏 完整 包得严严实实 里三层外三层 多给了{part}
    多送{part} 还送了{part} 还送{counted} 多了{counted} 送了好多 {part}也有 {part}都全 {part}齐全 配件都在 {who}天天用
    {who}每天都用 {who}抱着不放 {who}不肯脱 {who}爱吃 {who}抢着吃 {who}吃光了 {who}喝光了 {who}还要 {who}还想要
    {who}也要一个 {who}又要买 {who}夸我 {who}笑了 {who}很开心 {who}说好吃 {who}说好用 {who}说好看 {who}说舒服
    {who}说值 {who}说买对了 {who}也买了 {who}穿正好 {who}穿着合身 {who}用着顺手 {who}一眼看中 {who}收到很高兴
    比店里便宜{price} 比商场便宜{price} 省了{price} 便宜了{price} 只要{price} 才{price} {price}就买到了 降价给退了差价
    差价马上退了 退款到账了 马上给换了 当天就补发了 补发了{part} 换了新的给我 师傅{number}分钟就装好 师傅准时到
    说{when}到就{when}到 比说的早到 早到一天 提前到了 当天就到 {number}小时就到 一天就到 隔天就到 {when}下单当天到
    用了{number}年没坏 用了{number}年还好好的 用到现在没坏 摔了几次没坏 洗了{number}次不变形 一点没褪色 不起球 不掉毛
    不漏 不卡 不掉 不臭 不闷 不夹脚 没味道 没有味道 没异味 跟新的一样 合身 正合适 刚刚好 大小正好 长短正好 尺寸刚好
    颜色和图片一样 跟图片一模一样 和描述一样 是正品 验过是真的 扫码是正品 还会来 还来 还在这家买 一直在这买 吃完又买
    用完再来 已经第{number}次回购 推荐给{who}了 睡到天亮 一觉到天亮
    """,
    part=_PARTS, counted=" ".join(COUNTED[1::31]), who=PEOPLE, number=NUMBERS,
    price="十块 二十 五十 一百 两百 三百多 一半 几十块", when="今天 明天 上午 中午 周六 三天",
)  # fmt: skip


def told_clauses() -> Iterator[str]:
    """Each clause once, in a fixed order."""
    yield from (clause for clause, _ in told_sides())


def told_sides() -> Iterator[tuple[str, bool]]:
    """The same with whether they praise."""
    sides: dict[str, bool] = dict.fromkeys((*_MISSING, *_HARMED, *_WASTED, *_BROKEN, *_WRONG), False)
    yield from (sides | {clause: True for clause in _GOOD if clause not in sides}).items()
