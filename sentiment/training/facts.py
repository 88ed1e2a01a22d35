"""What customers state without praising or blaming: clauses in words of our own, by what they tell.

Decides what a statement without a stance looks like; `stance.py` learns from these clauses, the judge's own weights do
not. A group (who it is for, what it is like, …) is a set of frames and the words that fill them.
"""

from collections.abc import Iterator


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def filled(frames: str, **slots: str) -> tuple[str, ...]:
    """Every frame with every word of its first slot, and by turns those of its others."""
    words = {name: _words(text) for name, text in slots.items()}
    found = []
    for frame in _words(frames):
        named = [name for name in words if "{" + name + "}" in frame]
        for turn in range(len(words[named[0]]) if named else 1):
            found.append(frame.format_map({name: words[name][(turn * (7 if k else 1)) % len(words[name])]
                                           for k, name in enumerate(named)}))  # fmt: skip
    return tuple(dict.fromkeys(found))


THINGS = """
    衣服 裤子 鞋子 外套 裙子 手机 电脑 平板 耳机 键盘 书 奶粉 牛奶 苹果 橙子 洗发水 沐浴露 面膜 水杯 台灯 被子 枕头
    热水器 冰箱 空调 电饭煲 玩具 茶叶 大米 零食 手表 背包 纸巾 充电器 鼠标 教材 药 猫粮 货 快递 包裹 东西 宝贝 商品
"""
PEOPLE = """
    妈妈 爸爸 爸妈 父母 老人 老婆 老公 爱人 女朋友 男朋友 儿子 女儿 孩子 宝宝 小孩 弟弟 妹妹 姐姐 哥哥 爷爷 奶奶 外公
    外婆 公公 婆婆 岳母 同事 同学 朋友 闺蜜 室友 领导 老板 客户 邻居 亲戚 侄子 外甥 舅舅 阿姨 叔叔 自己 家里人 单位
    公司 学校
"""
WHEN = """
    今天 昨天 前天 刚刚 刚 上午 中午 下午 晚上 早上 傍晚 昨晚 今早 周一 周三 周五 周六 周末 星期天 上周 上个月 这个月
    月初 月底 年前 年后 三天前 前几天 十月 五月 去年 国庆 春节 中秋 双十一 双十二 六一八 元旦
"""
COLOURS = "黑色 白色 红色 蓝色 绿色 灰色 粉色 黄色 紫色 米色 棕色 咖啡色 银色 金色 藏青 酒红 橘色 透明"
NUMBERS = "一 两 三 四 五 六 七 八 十 十二 二十 5 10 24"
_UNITS = "件 个 盒 箱 瓶 双 套 本 台 包 袋 条 支 罐 桶 斤 提 只 份 把 张 片"
_PLACES = """
    驿站 快递柜 门卫 前台 小区门口 物业 丰巢 代收点 楼下 门口 传达室 邻居家 公司 单位 学校 家里 收发室 超市
"""
_ROOMS = "卧室 客厅 厨房 阳台 办公室 宿舍 书房 车上 浴室 店里 教室 仓库 老家 出租屋 床头 桌上 柜子里 冰箱里"
_COURIERS = "顺丰 中通 圆通 申通 韵达 邮政 京东 EMS 极兔 德邦 百世 菜鸟 自营"
_CITIES = """
    北京 上海 广州 深圳 杭州 成都 武汉 南京 西安 重庆 天津 苏州 义乌 云南 山东 四川 海南 新疆 江西 福建 东北 本地
"""

_ARRIVAL = filled(
    """
    {when}收到 {when}收到的 {when}到的 {when}到货 {when}到货的 {when}签收 {when}签收的 {when}送到 {when}拿到
    {when}取的件 {when}送来的 {when}下的单 {when}拍的 {when}买的 {when}订的 {when}付的款 {when}发的货 {when}才去拿
    {when}拆的 {when}打开的 {when}就下单了 {when}下单，{when}到 {when}买的今天到 {thing}收到了 {thing}到了
    {thing}已收到 {thing}已经收到 {thing}今天到的 {thing}签收了 收到{thing}了 {thing}还在路上 {thing}还没到
    {thing}还没收到 放在{place}了 快递放{place}了 在{place}拿的 放{place}还没去取 是{place}代收的 去{place}取的
    寄到{place}了 送到{place}的 收到 收到了 已收到 已收货 已签收 签收了 到货了 货到了 收货了 到了 已到 拿到了 已取件
    本人签收 他人代签 收到商品 已经到了 已经收到货了 刚收到货 东西收到 确认收货 已确认收货 等快递 等收货 正在派送
    物流显示已签收 快递员打过电话了
    """,
    when=WHEN, thing=THINGS, place=_PLACES,
)  # fmt: skip
_NOT_USED = filled(
    """
    {thing}还没用 {thing}还没拆 {thing}没打开 {thing}还没试 {thing}先放着 还没用{thing} {thing}没拆封 {when}才用
    等{when}再用 准备{when}用 还没用 没用过 还没试 没试过 还没开封 没拆开 还没拆 未拆封 没来得及用 还没来得及打开
    还没来得及试 还没穿 没穿过 还没看 没看完 还没吃 还没喝 还没尝 还没安装 还没装 没装上 还没开机 没激活 未使用
    尚未使用 暂时没用 先放着 先收着 先留着 放着以后用 留着冬天穿 留着过年用 等用了再说 用了再评 用后再评 用过再来评价
    以后再评价 过几天再评 过段时间再来说 用一段时间再评论 等用完再来追评 待追评 追评 以后追评 先评价后使用 试用中
    正在用 刚用 刚开始用 才用一次 用了一次 用了两天 刚用两天 用了一周 用了一个月 正在试用 看了一半 刚看几页 看到第五章
    还没看几页 刚翻开 还没读 正在看 在看 准备看 打算明天看 打算周末装 等师傅来装 等人来安装 不知道怎么样
    不知道效果如何 效果还不知道 好不好还不知道 还不清楚 暂时看不出来 看不出来 还看不出 有待观察 有待检验 观察中 待观察
    再看看 看看再说 以后再说 再说吧 暂不评价 不作评价 不评价 没什么好说的 没什么要说的 没意见 无意见 不了解 没研究过
    没比较过 没对比
    """,
    when=WHEN, thing=THINGS,
)  # fmt: skip
_FOR_WHOM = filled(
    """
    给{who}买的 帮{who}买的 替{who}买的 给{who}用的 给{who}的 是{who}要的 {who}让买的 {who}要买的 {who}让我下的单
    {who}在用 {who}用的 {who}挑的 {who}选的 {who}买的 {who}收的 {who}签收的 {who}拿走了 送给{who}的 送{who}的
    寄给{who}的 寄给{who}了 买给{who} 买来送{who} 给{who}带的 {who}还没用 {who}还没看到 {who}还没试 等{who}回来再试
    已经给{who}了 拿给{who}了 帮{who}下单 帮{who}带的 {who}托我买的 不是{who}用 {who}的生日礼物 给{who}准备的 送人
    送人的 送礼 送礼用 代买 代购 帮别人买的 替人买的 自用 自己用 公司用 单位采购 公司采购 集体采购 生日礼物 年会用
    活动用 开店用 结婚用的 旅游用 出差用 上学用 考试用 搬家用 过年送礼 家用 全家用 做道具用
    """,
    who=PEOPLE,
)  # fmt: skip
COUNTED = tuple(f"{number}{unit}" for number in _words(NUMBERS) for unit in _words(_UNITS))
_HOW_MANY = filled(
    """
    买了{counted} 一共{counted} 拍了{counted} 下单{counted} {counted}装 {counted}装的 要了{counted} 订了{counted}
    总共{counted} 这次买了{counted} 第{number}次买 第{number}次购买 第{number}次下单 第{number}次在网上买
    买过{number}次 买了{number}次 第{number}单 用了{number}年 用了{number}个月 买了{number}年了 第{number}次来
    首次购买 头一回买 初次购买 再次购买 又买了一次 又下了一单 又买了{counted} 上次买了{counted} 每样一份 各一件
    各要了一个 大小各一 一大一小 两个颜色各一 一人一件 一家三口一人一个 分两次发的 分两个包裹 分三个箱子
    一箱{number}瓶 一盒{number}包 一包{number}片 {number}斤装 {number}本一套
    """,
    counted=" ".join(COUNTED[::3]), number=NUMBERS,
)  # fmt: skip
_LIKE = filled(
    """
    {colour} {colour}的 颜色是{colour} 颜色是{colour}的 买的{colour} 选的{colour} 拍的{colour} 要的{colour}
    我买的是{colour} 这款是{colour}的 {thing}是{colour}的 买的是{thing} 拍的{thing} 买了{thing} 这是{thing}
    下单了{thing} {thing}一份 换了{thing} 家里缺{thing} 需要{thing} 需要买{thing} {colour}和白色各一
    一个{colour}一个黑色 有{colour}可选 发的是{colour} 图片上是{colour} 尺码{size} 码数{size} 买的{size} 选的{size}
    拍的{size} {size}码 平时穿{size} 我穿{size} 尺码是{size} 拍了{size}码 换成{size} 规格{amount} 容量{amount}
    净含量{amount} {amount}的 {amount}装 买的{amount} 一瓶{amount} 内存{amount} 重量{amount} 型号{model} 买的是{model}
    套餐{number} 版本是{model} 选了{model} 我要的{model} 系统是{system} 装的{system} 预装{system} 身高{height}
    身高{height}，体重{weight} {height}，{weight}斤 体重{weight}斤 我{height} 净身高{height} 长{height}厘米
    宽{weight}厘米 屏幕{inch}寸 {inch}寸的 共{pages}页 全书{pages}页 一共{pages}页 分上下册 分三册 精装 平装 精装本
    平装本 作者是外国人 译本 中英对照 第二版 双语版 带光盘 附送光盘 塑封的 盒装的 袋装的 瓶装的 散装的 进口的 国产的
    产地{city} {city}产的 {city}生产 {city}发货 从{city}发的 {city}寄出 厂家在{city} 生产日期是{when} 保质期一年
    保质期十八个月 保质期{weight}天 电压220伏 功率{pages}瓦 三孔插头 两孔插头 送了一个袋子 送了{thing} 赠品是{thing}
    附赠{thing} 里面有说明书 里面有一根线 里面是{thing} 箱子里是{thing} 一个主机一根线 带说明书 带发票 有发票 没要发票
    开了发票 发票在箱子里 有保修卡 保修一年 保修两年 带充电器 不带充电器 要自己装电池 电池另买 材质是棉 是棉的
    不锈钢的 塑料的 木头的 玻璃的 长袖 短袖 长款 短款 男款 女款 男女同款 儿童款 夏天的 冬天的 春秋穿的 秋冬款
    """,
    colour=COLOURS,
    thing=THINGS,
    when=WHEN,
    city=_CITIES,
    number=NUMBERS,
    size="S M L XL XXL 36 38 40 42 均码 大号 小号 中号 175 加大",
    amount="500ml 250克 1升 2升 5斤 十斤 128G 256G 8G 1公斤 200克 750毫升 32G",
    model="标准版 pro 青春版 基础款 旗舰版 经典款 A款 B款 高配 低配 新款 老款",
    system="win10 win7 安卓 linux XP 鸿蒙 ios",
    height="165 170 175 158 180 168",
    weight="50 55 60 65 70 110 120 130 90 180",
    inch="14 15 10 7 5 27 32", pages="200 300 480 1000 800 1500",
)  # fmt: skip
_BUYING = filled(
    """
    {price}买的 花了{price} 到手{price} 单价{price} 原价{price} 现价{price} 付了{price} 一共{price} 总价{price}
    {price}一件 {price}包邮 {price}拍的 用了优惠券 用券买的 满减买的 凑单买的 凑单 凑满减 活动时买的 搞活动买的 秒杀的
    秒杀买的 预售买的 预售 拼单买的 拼团买的 赠品 试用装 试用品 换购的 积分换的 刷卡付的 货到付款 分期买的
    用礼品卡买的 做活动 打折时买的 {when}活动买的 {when}囤的 囤货 囤着 屯着用 备用 备着 先备一个 换季买的 随便买的
    随手拍的 顺便买的 顺便买了{thing} 和{thing}一起买的 跟{thing}一起下单的 搭着{thing}买的 家里用完了 用完了补货
    旧的坏了换的 旧的送人了 换新的 以前用别的牌子 之前用的是别家的 没买过这个牌子 头一次用这个牌子 换个牌子试试
    换个口味 想试试 买来试试 试试看 买来看看 看看 朋友介绍的 同事介绍的 在店里看过 在实体店试过 看别人买的 看广告买的
    看直播买的 网上搜到的 路过看到的 在网上订的 电话订的 手机下单 用手机拍的 第一次网购 首次网购 注册后第一单 新用户
    老用户 会员
    """,
    price="九块九 十块 二十多 三十元 五十 一百 一百块 199 299 一千多 两千 五千 8元 15.8 39.9",
    when=WHEN,
    thing=THINGS,
)  # fmt: skip
_DELIVERY = filled(
    """
    {courier}发的 {courier}送的 {courier}快递 发的{courier} 走的{courier} 快递是{courier} 用的{courier} {courier}配送
    {courier}小哥送来的 {courier}送到的 发{courier} {courier}到付 从{city}到{place} 从{city}发货 {city}仓发的
    仓库在{city} 从{city}寄来 寄往{city} 物流到{city}了 在{city}中转 {when}从{city}发出 {when}显示已发货 还没发货
    等发货 等待发货 预计{when}到 说是{when}到 显示{when}送达 大概{when}到 {number}天到 {number}天到货 {number}天收到
    路上走了{number}天 自提 自提的 上门自提 自己去取的 送货上门 放门口了 改了地址 改地址了 换了收货地址 收货人是{who}
    电话写的{who}的 请放{place} 请送到{place} 请打电话 送之前打电话 麻烦放{place} 包裹{number}公斤 纸箱装的 用纸箱装的
    泡沫箱装的 袋子装的 快递袋装的
    """,
    courier=_COURIERS, city=_CITIES, place=_PLACES, when=WHEN, number=NUMBERS, who=PEOPLE,
)  # fmt: skip
_USING = filled(
    """
    放{room} 放在{room} 放{room}用 放在{room}用 放{room}了 {room}用的 摆在{room} 装在{room} 装{room}了 挂在{room}
    存在{room} {room}放一个 买来放{room} {room}里用 早上喝 晚上用 每天用一次 早晚各一次 一天一片 一天两次 饭后吃
    冲水喝 泡水喝 加热喝 炖汤用 炒菜用 煮粥用 做蛋糕用 拌面吃 蘸着吃 睡前喝 早餐吃 当早餐 当零食 上班穿 跑步穿 在家穿
    睡觉穿 上课用 写作业用 做笔记用 打游戏用 看电影用 听歌用 办公用 上网课用 学英语用 练字用 洗头用 洗澡用 洗车用
    露营用 拍照用 下载软件用 装了软件 装了系统 重装了系统 贴了膜 配了个套 买了保护套 插上电了 充上电了 充电中 在充电
    正在安装 正在更新 正在洗 刚洗了 洗了一次 洗了还没干 晾着 放冰箱了 放冷藏了 冻着呢 分给同事了 分给大家了 给狗吃的
    给猫吃的 喂鱼用 浇花用 种在阳台 种下了 养着
    """,
    room=_ROOMS,
)  # fmt: skip
_VISIT = filled(
    """
    住了{number}晚 住了{number}天 住{number}楼 订了{number}间 {number}个人住 {number}个人去的 {number}人间
    {number}个人吃的 带{who}住的 带{who}去的 和{who}一起去的 和{who}一起住的 跟{who}来的 陪{who}来的 帮{who}订的
    替{who}订房 {when}入住 {when}退房 {when}去的 {when}住的 {when}来的 {when}预订的 出差住的 出差 旅游住的 路过住一晚
    开会住的 公司订的 大床房 双床房 标间 标准间 单人间 三人间 家庭房 套房 含早 不含早 没吃早餐 不带早餐 十二点退房
    两点入住 下午办的入住 在{number}楼吃早餐 打车去的 开车去的 坐地铁去的 从机场过去的 离车站两公里 附近有超市
    对面是学校 旁边是银行 楼下有便利店 第一次住 第一次来{city} 去{city}出差 到{city}玩 在{city}转机 点了{food}
    点的{food} 要了{food} 一份{food} {food}一份 {number}份{food} 加了{food} 没放{food} 备注不要{food} 不要{food} 微辣
    中辣 不辣 少冰 去冰 半糖 堂食 打包 外带 {when}点的 中午点的外卖 晚上点的外卖 午饭 晚饭 早饭 夜宵 加班餐 工作餐
    """,
    number=NUMBERS,
    who=PEOPLE,
    when=WHEN,
    city=_CITIES,
    food="米饭 面条 饺子 奶茶 咖啡 炒饭 火锅 披萨 香菜 葱 蒜 可乐 粥 鸡腿饭 酸辣粉 盖饭 烤鸭 豆浆",
)  # fmt: skip
_ASKED = filled(
    """
    {ask} {ask}？ 请问{ask} 请问{ask}？ 想问下{ask} 问一下{ask}？ 客服{ask}？ 老板{ask} 亲{ask} 你好，{ask}？
    有人知道{ask}吗 谁知道{ask} {thing}怎么用？ {thing}什么时候发货？ {thing}有货吗 {thing}保修多久？ {thing}多少钱
    {thing}能退吗？ {thing}什么时候到？ {thing}有几种颜色 {thing}怎么洗 是{colour}的吗 有{colour}的吗？ {colour}还有吗
    能开发票吗 客服在吗 在吗 在不在 有人吗 谁有说明书 求说明书 求教程 怎么弄 咋用 为什么 是吗 真的吗 有谁用过
    有用过的吗 可以货到付款吗 怎么联系客服 客服电话是多少 电话多少 几点上班 几点下班 几点营业 周末上班吗 门店在哪
    在哪里提货 在哪取 怎么开发票
    """,
    thing=THINGS, colour=COLOURS, ask="""
    几天能到 什么时候发货 什么时候补货 什么快递 保修几年 怎么安装 怎么连接 怎么充电 怎么保存 能不能机洗 要不要预约
    可以换码吗 能改地址吗 有大一号的吗 孕妇能用吗 小孩能吃吗 老人能用吗 一次放多少 每天吃几次 尺寸是多少 多重 多长
    几页 是哪一年出版的 适合几岁 电池能用多久 支持无线吗 送不送赠品 能不能分期 有没有优惠 怎么退货 运费谁出 是什么面料
    几点能送到 送到哪里 密码是多少 在哪里看物流""",
)  # fmt: skip
_FILLERS = filled(
    """
    没什么 无 没有 没了 嗯 嗯嗯 哦 哦哦 啊 呃 额 ok OK okay 1 11 111 123 1234 666666 abc test 测试 打卡 签到 占位 占楼
    占坑 路过 凑字数 凑够字数 字数不够 凑十个字 评价一下 来评价了 来评论了 补评价 忘了评价 忘记评价了 补个评价
    才想起来评价 太忙了忘了评价 来晒单 晒单 上图 见图 如图 看图 见图片 无图 没拍照 没拍照片 懒得拍照 拍个照 拍照留念
    图片是随手拍的 一般 一般般 一般般吧 还行 还行吧 凑合 凑合用 将就 中等 普通 普普通通 就那样 马马虎虎 不好不坏
    不好也不坏 说不上好 说不上好坏 说不好 谈不上好坏 没感觉 没什么感觉 没有特别的感觉 感觉一般 平平淡淡 中规中矩
    无功无过 你好 您好 早上好 谢谢 知道了 明白 了解 好的 行 可 是的 对 同上 如题 见标题 转发 关注 已关注 收藏了 已收藏
    加购物车了 已下单 已付款 已评价 系统自动评价 到此一游 某某 商品 订单 快递 物流 包裹 卖家 客服
    """
)
_ORDER = filled(
    """
    里面有{part}和{other} 里面有{part}、{other} 盒里有{part}，还有{other} 箱子里有{thing}和{part}
    里面装着{part}和{other} 内含{part} 内附{part} 附{part}一份 配了{part}和{other} 包裹里是{thing}和{other}
    一袋是{thing}，一袋是{another} 有{number}张{part} 有{number}个{part} {thing}{number}样 订单里有{number}样
    订单里{number}件东西 一单{number}件 一单{number}样东西 一共{number}样东西 {number}样东西一起买的 分{number}个包裹
    分{number}个包裹寄 分{number}次寄 拆成{number}个包裹 {number}个单号 {thing}和{another}一个包裹
    {thing}和{another}分开发 {thing}和{another}同一天买的 {thing}先到，{another}后到 {thing}到了，{another}还在路上
    还有{number}件没发 尾款还没付 定金付了 {when}付的尾款 {when}付的定金 押金{price} 押金退了 押金已退 备注了{note}
    备注{note} 备注写了{note} 留言{note} 留言写了{note} 写了{note} 要求{note} 请{note} 麻烦{note} 需要{paper}
    要{paper} 要了{paper} 开了{paper} 请开{paper} {paper}抬头写{title} {paper}抬头是{title} 抬头写{title}
    抬头开{title} 抬头是{title} {paper}开{title} 税号在备注里 {paper}已经开了 {paper}发邮箱 {paper}还没开
    地址写的{place} 地址是{place} 填的{place} 收货地址是{place} 收件人写{who} {who}的生日 {who}过生日 {who}生日买的
    {who}的礼物 给{who}的礼物 给{who}买的礼物 给{who}买的节日礼物 给{who}买的新年礼物 {who}过节用的 {who}结婚送的
    {who}开学用的 {who}先用着 {who}拿去用了 {who}带走了 {who}还没回来 {who}还没看见 {who}还没拆 {who}收着
    放{who}那里了 快{fest}了 快{fest}了，备点 快{fest}了，买点 {fest}要用 {fest}前买的 {fest}用的 为{fest}准备的
    {fest}送人 换季买的 天冷了买的 天热了买的 开学买的 搬家买的 没用过这家的 没穿过这个牌子 没吃过这家的 没住过这里
    没买过这家 没喝过这个 住{number}个晚上 住了{number}晚，{hour}退房 {hour}退的房 {hour}入住的 {hour}办的入住
    {hour}到的酒店 {hour}出门 {hour}送来的 {hour}打的电话 前台在{number}楼 餐厅在{number}楼 电梯到{number}楼 先占位
    先占着 先占个坑 先写着 先记一笔 以后补 之后补上 回头补 改天补图 有空再补 有空再写 以后再补评价
    """,
    part="说明书 电源线 数据线 保修卡 螺丝 扳手 书签 贴纸 干燥剂 合格证 遥控器 电池 海报 明信片 鞋盒 衣架",
    other="保修卡 说明书 一根线 一本册子 一个袋子 两节电池 一张卡 一把尺子 一个盒子 一包螺丝",
    thing=THINGS, another="袜子 毛巾 牙刷 本子 杯子 手套 袋子", number=NUMBERS, when=WHEN, place=_PLACES, who=PEOPLE,
    note="少油 少放盐 不要葱 放门口 周末送 不要打电话 要大号 发顺丰 要红色 尽快发 分开装 送到楼下 多给一双筷子",
    paper="发票 收据 电子发票 纸质发票 增值税票 小票", title="公司 个人 单位 学校 公司名 单位名称 医院",
    hour="十二点 两点 晚上八点 早上七点 半夜 中午",
    price="两百 一百 五百 三百", fest="过年 过节 中秋 端午 开学 国庆 元旦 春节 生日 入冬 夏天",
)  # fmt: skip
_GROUPS = {
    "arrival": _ARRIVAL,
    "not used": _NOT_USED,
    "for whom": _FOR_WHOM,
    "how many": _HOW_MANY,
    "what it is like": _LIKE,
    "buying": _BUYING,
    "delivery": _DELIVERY,
    "using": _USING,
    "visit": _VISIT,
    "questions": _ASKED,
    "fillers": _FILLERS,
    "order": _ORDER,
}


def fact_clauses() -> Iterator[tuple[str, str]]:
    """Each clause with its group, once, in a fixed order."""
    seen = set()
    for group, clauses in _GROUPS.items():
        for clause in clauses:
            if clause not in seen:
                seen.add(clause)
                yield group, clause
