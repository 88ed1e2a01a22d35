"""Texts as customers really write them, with the label a careful person would give, by phenomenon. Written by hand.

Invalid reviews (default praise, ads, links, nothing at all) are neutral: the engine keeps them out of the windows by
sentiment/validity.py, whose verdict counts here as well.
"""

NEGATIVE, NEUTRAL, POSITIVE = "negative", "neutral", "positive"

# phenomenon → label → texts, parted by "|"
_TABLE = {
    "plain": {
        POSITIVE: (
            "质量很好，物流也快，推荐购买|味道香浓，孩子很爱喝|房间宽敞，早餐丰富，下次还住这里|"
            "屏幕清晰，运行流畅，满意"
        ),
        NEGATIVE: "用了三天就开不了机，太失望了|水果烂了一半，没法吃|房间有霉味，隔音极差|洗完头皮发痒，怀疑是假货",
    },
    "traditional": {
        POSITIVE: (
            "質量很好，非常滿意|這個價錢買到真的很划算|物流很快，包裝完整|賣家很熱情，謝謝|顏色漂亮，穿起來舒服"
        ),
        NEGATIVE: (
            "東西很爛，再也不買了|客服態度極差，沒人處理|收到是壞的，要求退貨|發貨太慢，等了半個月|質量太差，一碰就斷"
        ),
    },
    "full-width": {
        POSITIVE: "ＧＯＯＤ，很满意|Ｎｉｃｅ！质量不错|１００分，好评！！！|　　很　好　用　　",
        NEGATIVE: "ＢＡＤ，太差了|垃　圾　东　西|Ｌ Ｊ 产品，不要买|０分都嫌多！！！",
    },
    "emoji": {
        POSITIVE: "😍😍😍|👍👍|收到货啦🥰|东西到了😊很好|❤️❤️爱了|宝宝很喜欢🎉",
        NEGATIVE: "😡😡😡|👎|就这？🙄|等了十天💢|又坏了😤|客服呢🤬🤬|💩一样的东西",
    },
    "kaomoji": {
        POSITIVE: "很可爱 (^_^)|好喜欢 ^_^|开心 o(∩_∩)o|^o^ 味道不错",
        NEGATIVE: "碎了 T_T|又没货了 QAQ|坏了 orz|等到花都谢了 -_-|颜色不对 >_<|破了个洞 T T",
    },
    "repeated": {
        POSITIVE: "好好好好好好|太太太好看了|超超超超级喜欢|赞赞赞赞赞！！！！！|很很很满意",
        NEGATIVE: "太太太差了|烂烂烂烂烂|差差差差差！！！|骗骗骗人的|慢慢慢死了|垃圾垃圾垃圾垃圾",
    },
    "slang": {
        POSITIVE: (
            "这家店yyds|真香，已经回购三次|性价比绝绝子|闭眼入，不踩雷|被种草了，果然好用|666，物超所值|宝藏店铺，吹爆"
        ),
        NEGATIVE: (
            "蚌埠住了，这也能卖|姐妹们避雷这家|又踩坑了|纯纯智商税|妥妥的割韭菜|大冤种就是我|质量拉胯|"
            "辣鸡商家|开箱就翻车|直接劝退"
        ),
    },
    "pinyin": {
        POSITIVE: "hao评|很nice，下次还来|zhen的很好用",
        NEGATIVE: "laji东西|tmd又坏了|lj商家不发货|sb客服",
    },
    "negation": {
        POSITIVE: (
            "一点都不卡，很流畅|没有异味，孩子能用|不掉色也不起球|完全不油腻|没有色差，和图片一样|"
            "用着不烫手，挺好|没有让我失望"
        ),
        NEGATIVE: (
            "不好用|一点都不新鲜|没有宣传的那么好|不值这个价|穿着不舒服|不推荐购买|并不满意|没有想象中的好|"
            "不会再来了|不甜，不好吃"
        ),
    },
    "double negation": {
        POSITIVE: (
            "不是不好用，是非常好用|没有什么不满意的|不得不说真的好|不能不说很划算|没有一个地方不喜欢|"
            "不可能不满意|挑不出不好的地方"
        ),
        NEGATIVE: "不得不说真的差|不能不说很失望|不得不退货|没有一次不出问题|没有一件不坏的",
    },
    "contrast": {
        POSITIVE: (
            "快递慢了点，但是东西真的好|包装一般，不过质量很满意|虽然有点贵，但是物有所值|"
            "开始担心不好用，结果很满意|等得久了些，可是味道很好"
        ),
        NEGATIVE: (
            "东西不错但是客服太差|外观漂亮，可惜用两天就坏了|价格便宜，但质量太差|看着挺好，就是根本不能用|"
            "说得好听，结果不给退款|包装很好，但是里面全碎了|味道还行，不过吃完拉肚子"
        ),
    },
    "degree": {
        POSITIVE: "非常非常满意|相当不错|还不错|挺好的|比想象的好太多|好到爆",
        NEGATIVE: "非常差劲|极其失望|差到极点|有点失望|不怎么样|相当难用|简直垃圾",
    },
    "sarcasm": {
        NEGATIVE: (
            "呵呵，真是好质量，一天就坏|这就是所谓的正品？|可真行，催了三次不发货|厉害了，第一次见这么烂的|"
            "说好的次日达呢？|真是谢谢你们，让我白等一周|客服真会踢皮球，佩服|好一个五星酒店，连热水都没有"
        ),
    },
    "complaint": {
        NEGATIVE: (
            "我要退款，客服一直不处理|再不解决我就投诉12315|订单显示签收，我根本没收到|"
            "少发一件，联系不上商家|申请退货三天了没人理|刚买就降价，不给价保|怀疑是假货，要求赔偿|"
            "承诺的赠品没有|扣了我两次钱|物流停了一个星期"
        ),
        POSITIVE: "客服很快帮我解决了问题，点赞|退款当天就到账，服务好|换货很顺利，满意",
    },
    "copied praise": {
        POSITIVE: (
            "宝贝收到了，质量非常好，与卖家描述的完全一致，非常满意|物流很快，包装仔细严实，卖家服务态度很好|"
            "卖家发货速度快，宝贝和描述一样，五星好评"
        ),
    },
    "no stance": {
        NEUTRAL: (
            "帮同学买的|还没有用，用了再说|今天刚收到|请问这款保修几年？|尺码是XL，颜色深蓝|给家里老人买的|"
            "下单三件，黑色两件|什么时候发货|一般般|不好不坏，中规中矩"
        ),
    },
    "invalid": {
        NEUTRAL: (
            "此用户没有填写评价|系统默认好评|此用户没有填写评价内容|用户未填写评价内容|"
            "https://example.com/abc|加微信领优惠券 vx: abc12345|！！！！|。。。。。。|"
        ),
    },
    "other language": {
        NEUTRAL: "Пришло вчера|La talla es M|주문번호 확인|これは何ですか",
        POSITIVE: "very good product|I love it|excellent quality",
        NEGATIVE: "very bad quality|terrible service|I want a refund",
    },
}

# Written later, before the judge of that day was asked: the texts above had been looked at while the lexicon grew.
_LATER_TABLE = {
    "plain": {
        POSITIVE: "粥熬得很稠，配的小菜也爽口|键盘手感很棒，打字安静|书的印刷精美，纸张厚实",
        NEGATIVE: "盒饭送来已经凉透了，米饭夹生|电池半天就没电，发热严重|书页缺了十几页，像盗版",
    },
    "traditional": {POSITIVE: "餐點很美味，外送員也有禮貌", NEGATIVE: "等了兩個鐘頭才送到，湯都灑了"},
    "full-width": {POSITIVE: "ＰＥＲＦＥＣＴ！推荐！", NEGATIVE: "差　评，退　款！"},
    "emoji": {POSITIVE: "奶茶好喝🥰下次还点", NEGATIVE: "饭里有根头发🤮"},
    "kaomoji": {POSITIVE: "送来还是热的 (^o^)", NEGATIVE: "汤全洒在袋子里了 T_T"},
    "repeated": {POSITIVE: "好吃好吃好吃好吃", NEGATIVE: "难吃难吃难吃！！！！"},
    "slang": {
        POSITIVE: "这家麻辣烫真的绝绝子，yyds|无限回购的程度",
        NEGATIVE: "大家千万别踩雷，我已经替你们试过了|退退退",
    },
    "pinyin": {POSITIVE: "hen好吃", NEGATIVE: "zhen难吃，tmd"},
    "negation": {
        POSITIVE: "不咸不腻，刚刚好|送得不慢，还是热的|没有破损，一个都没坏|不算贵，分量足|肉一点也不柴",
        NEGATIVE: "没放餐具，怎么吃|肉不新鲜|送到已经不热了|不怎么好吃|一点味道都没有|份量不够一个人吃",
    },
    "double negation": {
        POSITIVE: "没有哪次不满意|不是不甜，是特别甜|不会不喜欢的|没有理由不给好评|这个价格不能说不便宜",
        NEGATIVE: "没有一回不迟到的|不能不给差评|不得不说难吃|不是不想给好评，是真的太差|没有一家比它更差的",
    },
    "contrast": {
        POSITIVE: (
            "包装有点简陋，但是味道很棒|骑手迟到了几分钟，不过态度很好，菜也好吃|本来没抱希望，没想到这么好用|"
            "卖相一般，吃起来却很香|盒子压扁了，还好里面的东西完好，很满意"
        ),
        NEGATIVE: (
            "味道还可以，就是送得太慢，菜都凉了|以前挺好吃的，现在越来越差|图片看着诱人，实物差远了|"
            "骑手态度很好，可是菜里有虫子|价格不贵，但是吃了拉肚子|面料舒服，结果洗一次就缩水得不能穿"
        ),
    },
    "degree": {POSITIVE: "好吃得停不下来|满意极了|蛮不错的", NEGATIVE: "咸得发苦|贵得离谱|慢得要命"},
    "sarcasm": {
        NEGATIVE: "三十分钟送达？我等了两个小时，真准时|一份牛肉饭里找到两块牛肉，老板真大方|恭喜你们，成功失去一个顾客"
    },
    "complaint": {
        NEGATIVE: (
            "少送一份米饭，打电话没人接|点的是微辣，送来是特辣|说好有发票，结果没有|没到就点了送达|"
            "下单一小时后才告诉我没货，只能取消"
        ),
        POSITIVE: "漏了一双筷子，打电话后马上补送，服务很好",
    },
    "copied praise": {POSITIVE: "味道好，分量足，送餐快，五星好评，下次还会光顾"},
    "no stance": {
        NEUTRAL: (
            "点了两份，一份带回家|晚上七点送到|中午订的，给同事点的|可以备注不要香菜吗|这家店在几楼？|还没吃，吃完再说|"
            "买来送人的，不知道怎么样|规格是五斤装|昨天取的快递，还没打开|换了个地址，改送公司"
        ),
    },
    "invalid": {NEUTRAL: "该用户未及时评价，系统默认好评|？？？？？？|加QQ群领红包 123456789"},
    "other language": {
        NEUTRAL: "Ho ricevuto il pacco ieri",
        POSITIVE: "delicious, will order again",
        NEGATIVE: "the food was cold and the delivery was late",
    },
}

# Written before any judge was asked about them: what states facts only, and short texts that do take a stance.
_STANCE_TABLE = {
    "facts only": {
        NEUTRAL: (
            "快递放驿站了，还没去拿|已经签收|货收到了，还没来得及看|今天中午到的|昨天拍的，今天就送来了|给我妈买的生日礼物|"
            "这是第三次在这里下单|买了两箱，一箱送人|灰色的，L码|用的是满减券|发的中通快递|从广州发出的|"
            "放在办公室里用|老公拿走了，我还没见到|等孩子用了再来说|先占个位置，以后补上|客服几点上班？|请问这个可以放微波炉吗|"
            "电池是另外买的|里面有一根线和一本说明书|我买的是十六寸的|身高165，体重110，穿M|刚拆开，还没通电|"
            "公司采购，一共要了二十台|住了两个晚上，十二点退的房|房间在八楼|看到第三章了|全书分上下两册|老师让买的课本|"
            "订单里有三样东西，分两个包裹寄|家里那台用了八年，这是换新的|上次买的是红色，这次买的是黑色|"
            "洗衣液和柔顺剂一起拍的|快过年了，囤一点|保质期到明年六月|产地写的是云南|帮邻居代收的|还在路上|"
            "改了一下收货地址|需要发票，抬头写公司名|备注了不要辣|两个人吃的午饭|上个月买的，这周才打开|"
            "去年也是双十一买的|安装师傅说明天上午过来|正在充电|试用装，一共五小包|没用过这个牌子"
        ),
    },
    "short stance": {
        POSITIVE: (
            "收到了，很满意|到了，比图片好看|签收了，包装完好，开心|给妈妈买的，她很喜欢|第三次买了，一直信赖|"
            "昨天下单今天就到，真快|灰色的，很百搭|用券买的，太划算了|孩子用了说舒服|两箱都很新鲜|"
            "住了两晚，睡得很香|送人的，朋友夸好看|还没用，看着就很高级|师傅上门安装，很耐心|换新的了，好用多了|"
            "买了三次了，放心|尺码刚刚好|味道可以的，推荐|老公说好|值这个价"
        ),
        NEGATIVE: (
            "到了，坏的|收到了，少了一件|签收时箱子是破的|给妈妈买的，她嫌太硬|第二次买，味道不如上次|昨天才到，等了八天|"
            "灰色的，掉毛|用券比不用还贵|孩子用了过敏|两箱里烂了半箱|住了一晚就想走|送人的，丢人|还没用就坏了|"
            "师傅上门乱收费|换新的还是坏|买了三件，件件有线头|尺码偏小，穿不了|味道怪怪的，不敢吃|老公说白花钱|"
            "客服几点上班？从来没人回|还在路上，都十天了|已签收？我根本没收到|打开一看是别人退的|充了一夜电还是开不了"
        ),
    },
}

# Harm and content told as plain facts, facts that look like them, and more of what the judge was weakest in: written
# before the lessons about the first and before any judge was asked. Counted apart: it holds none of the easy phenomena.
_HARD_TABLE = {
    "told harm": {
        NEGATIVE: (
            "收货，配件缺一个|到手才发现没有充电线|说是三包，打开两包|箱子里只有九瓶|赠品没给|说明书都没有一张|"
            "签收了，里面是空盒|给孩子买的，穿一次就开线|妈妈用了脸上起疹子|宝宝喝了拉肚子|吃完胃疼了一晚|爸爸戴了耳朵疼|"
            "老婆说钱打水漂了|买回来就吃灰|用不上，浪费钱|第二天就降了五十|买完就降价|昨天到的，今天就不亮了|"
            "白色的，发黄|买的是L，来的是S|拍的黑色发来红色|订的大床房，给的标间|约了上午，师傅晚上才来|住了一晚，身上全是包|"
            "收到时已经化了|拆开一股霉味|生产日期是去年的|还有十天就过期|鞋底脱胶|屏幕有划痕"
        ),
        POSITIVE: (
            "收到了，一件不少|赠品也给了|多送了一包|给妈妈买的，她天天用|宝宝喝了不哭不闹|比店里省了两百|说三天到，第二天就到了|"
            "买的是L，正合身|用了半年还跟新的一样|爸爸戴上就不肯摘"
        ),
    },
    "facts beside them": {
        NEUTRAL: (
            "收到两件，还有一件明天到|赠品是一包纸巾|给妈妈买的，她住在老家|孩子用的，今年五岁|买的是L，平时也穿L|"
            "昨天到的，今天寄回老家了|箱子里有十二瓶|订的大床房，住一晚|约了师傅明天上午|生产日期是今年三月的|"
            "老公付的钱|拆开放在桌上了|白色的，和上次一样|屏幕是六寸的|宝宝六个月，还没喝|买了三包，用了一包|"
            "吃完饭去取的|配件要另外买|充电线是两米的|五十块钱买的"
        ),
    },
    "facts of an order": {
        NEUTRAL: (
            "箱子里两本书加一个书签|一共四样，分三个快递|备注写的是送到西门|发票开个人，金额五十六|周五退的房，押金第二天退|"
            "生日送给婆婆的围巾|留言让放物业|订单拆成两个单号|内有螺丝六颗、扳手一把|地址填的是老家|过节备的年货|"
            "换季添一件|两双一起下单，尺码不同|早上六点出门，没吃早餐|餐具要了三份|抬头开的是学校|前台在二楼|"
            "姐姐先拿去用了|上午下单，还没付尾款|没穿过这家的衣服"
        ),
    },
    "slang": {
        POSITIVE: "这波血赚|直接封神|好用到原地起飞|本命单品了|狠狠拿捏住我了|颜值在线|yyds，没跑了|回头客预定",
        NEGATIVE: (
            "大无语事件|纯属交学费|踩大雷了|纯纯的怨种|谁懂啊，又被坑了|快跑，别买|"
            "买了个寂寞|一整个破防|水得一批|这操作给我整不会了"
        ),
    },
    "sarcasm": {
        NEGATIVE: (
            "好家伙，快递走了半个月，是用脚走来的吧|这质量，能撑到开箱真不容易|客服真有耐心，耐心地不回我|"
            "感谢卖家让我学会了修电器|原来五星级酒店的毛巾是抹布做的|发货真积极，催了五次才动"
        ),
    },
    "double negation": {
        POSITIVE: "没有谁吃了不说好|不能不服这质量|哪有不回购的道理|不可能不推荐给朋友|没有一点不合适的地方",
        NEGATIVE: "没有一次不出岔子|不得不说太坑了|不投诉是不行了|没法不生气|不是不能忍，是忍无可忍",
    },
}


def _cases(table: dict[str, dict[str, str]]) -> tuple[tuple[str, str, str], ...]:
    return tuple(
        (phenomenon, text, label)
        for phenomenon, by_label in table.items()
        for label, texts in by_label.items()
        for text in texts.split("|")
    )


EARLY_CASES = _cases(_TABLE)
LATER_CASES = _cases(_LATER_TABLE)
STANCE_CASES = _cases(_STANCE_TABLE)
CASES = EARLY_CASES + LATER_CASES + STANCE_CASES
HARD_CASES = _cases(_HARD_TABLE)
