r"""Gives tests invented posts, each as its author wrote it and as a crawler or a page saved it, and posts that only look so."""

_EMOJI = '<span class="url-icon"><img alt="[{}]" src="https://x.cn/m/emoticon/icon/x.png" style="width:1em;" /></span>'
_ICON = "<span class='url-icon'><img style='width: 1rem' src='https://x.cn/timeline_card_small_{}_default.png'></span>"


def _emoji(name: str) -> str:
    return _EMOJI.format(name)


def _link(icon: str, text: str) -> str:
    shown = f'{_ICON.format(icon)}<span class="surl-text">{text}</span>'
    return f'<a data-url="http://t.cn/A6" href="https://x.cn?a=1&amp;b=2">{shown}</a>'


# As written, and as crawled.
PAIRS = [
    # chains of reposts
    ("今天真的太难过了", "今天真的太难过了 //@某人:转发微博"),
    ("笑死我了[允悲]", "笑死我了[允悲]//@小鹿:哈哈哈哈[doge]//@路人甲:转发微博"),
    ("回复@路人甲:说得对[赞]", "回复@路人甲:说得对[赞] //@路人甲:这个政策真的好"),
    ("气死了[怒]", "气死了[怒]//@热心市民小王：太过分了！//@晚报:某小区停水三天"),
    ("希望人没事", "希望人没事 //@小"),
    ("好感动[泪]", "好感动[泪]／／＠爱笑的眼睛：转发微博"),
    ("一起加油", "一起加油||@跑步的猪: 今天跑了十公里"),
    ("求带走", "求带走 RT @吃货小分队: 新店开业送甜品"),
    ("心疼这个孩子", "心疼这个孩子 // @小镇青年:转起来"),
    ("好想去", "好想去//<a href='/n/旅行家'>@旅行家</a>:三月的樱花开了"),
    # HTML of m.weibo.cn
    ("笑死[允悲]", "笑死" + _emoji("允悲")),
    (
        "@小明 你看这个[允悲]笑死",
        '<a href=\'/n/小明\'>@小明</a> 你看这个<span class="url-icon"><img alt=[允悲] src="x.png"></span>笑死',
    ),
    (
        "#考研成绩# 过了过了[泪][泪]",
        '<a href="https://m.weibo.cn/search?q=%23"><span class="surl-text">#考研成绩#</span></a> 过了过了' + _emoji("泪") * 2,
    ),
    ("今天好累\n不想上班[抓狂]", "今天好累<br />不想上班" + _emoji("抓狂")),
    ("排队三小时，服务员还甩脸色[怒]", "排队三小时，服务员还甩脸色" + _emoji("怒") + _link("web", "网页链接")),
    ("终于吃到了[太开心]", "终于吃到了" + _emoji("太开心") + " " + _link("location", "成都·春熙路")),
    ("这段看哭了[泪]", "这段看哭了" + _emoji("泪") + " " + _link("video", "电影频道的微博视频")),
    ("等了一天也没人来修[怒骂]", "等了一天也没人来修" + _emoji("怒骂") + '...<a href="/status/4900000000000001">全文</a>'),
    ("外婆走了，我好想她[泪]", "外婆走了，我好想她" + _emoji("泪") + '<span class="expand">展开</span>'),
    ("谢谢大家的生日祝福[心][心]", "<p>谢谢大家的生日祝福" + _emoji("心") * 2 + "</p>"),
    ("明天要手术了，有点怕", '明天要手术了，<b>有点怕</b><i class="wbicon">c</i>'),
    ("好吃到跺脚😋", '好吃到跺脚<img class="face" alt="😋" title="😋" src=https://x.cn/1.png>'),
    ("又下雨了[衰]", "又下雨了<img src='//img.t.sinajs.cn/a.gif' title='[衰]' alt='[衰]' type='face'>"),
    ("偷偷笑[偷笑]", '偷偷笑<img alt=\\"[偷笑]\\" src=\\"https://x.cn/1.png\\">'),
    ("今晚一起看球[给力]", "<div>今晚一起看球" + _emoji("给力") + "</div><!-- end -->"),
    ("看完直接破防了[泪]", "看完直接破防了" + _emoji("泪") + '<a href="x"><i class="W_ficon ficon_cd_place">2</i>杭州</a>'),
    # escaped once more, and entities
    ("笑死[允悲]", "笑死&lt;span class=&quot;url-icon&quot;&gt;&lt;img alt=&quot;[允悲]&quot; /&gt;&lt;/span&gt;"),
    ("爱你们 <3 晚安", "爱你们 &lt;3 晚安"),
    ("吃饭&睡觉&打豆豆，开心", "吃饭&amp;睡觉&amp;打豆豆，开心"),
    ("今天 好开心😂", "今天&nbsp;好开心&#128514;"),
    ("笑哭了😂", "笑哭了&#55357;&#56834;"),
    ("生气😡", "生气&#x1F621;"),
    ('他说"滚"，我好难过', "他说&quot;滚&quot;，我好难过"),
    ("a<b 还用你说，烦", "a&amp;lt;b 还用你说，烦"),
    # tails that close a long post
    ("开会开到现在，饭都没吃", "开会开到现在，饭都没吃...全文"),
    ("这家酒店服务太差，房间有霉味", "这家酒店服务太差，房间有霉味 展开c"),
    ("写了一大段都白写了[怒]", "写了一大段都白写了[怒]…展开全文"),
    ("这就是我的二十岁，谢谢你们", "这就是我的二十岁，谢谢你们\u200b收起"),
    ("终于把论文交了[鼓掌]", "终于把论文交了[鼓掌]收起全文d"),
    ("他又一次骗了我", "他又一次骗了我…… 全文"),
    # links, marks and icons
    ("太难过了", "太难过了 O网页链接"),
    ("气炸了，大家评评理", "气炸了，大家评评理 网页链接"),
    ("开心到转圈[太开心]", "开心到转圈[太开心] L小鹿爱跳舞的微博视频"),
    ("新歌太好听了", "{%推广%}新歌太好听了"),
    ("好怕打雷", "好怕打雷\ue627"),
    # places and sources
    ("今天好开心[哈哈]", "今天好开心[哈哈] 北京·三里屯 显示地图"),
    ("买疯了，买疯了[晕]", "买疯了，买疯了[晕] 我在:http://t.cn/zlCe8xE"),
    ("今早跑了五公里！", "今早跑了五公里！我在这里：#儋州市#"),
    ("风好大，差点被吹走", "风好大，差点被吹走 2青岛·五四广场"),
    ("加班到十点[泪]", "加班到十点[泪] 来自 iPhone客户端"),
    ("新手机真香", "新手机真香 来自HUAWEI Mate 40 Pro"),
    ("讨厌下雨天", "讨厌下雨天 10月01日 12:30 来自微博 weibo.com"),
    ("他怎么可以这样。", "他怎么可以这样。来自微博网页版"),
    ("被狗追了一路，吓死", "被狗追了一路，吓死 今天 08:26 来自广东"),
    ("隔壁又装修，烦死了", "隔壁又装修，烦死了 发布于 浙江"),
    ("恭喜恭喜[鼓掌]", "恭喜恭喜[鼓掌] IP属地：四川"),
    ("海边的晚霞[心]", "海边的晚霞[心] [组图共3张] 原图 赞[3] 转发[2] 评论[1] 收藏 10月01日 12:30 来自iPhone客户端"),
    # characters of no width
    ("今天也要开心呀", "今天也要开心呀 \u200b\u200b\u200b"),
    ("好难过\ufeff啊".replace("\ufeff", ""), "好\u200b难过\ufeff啊"),
    ("一家人👨\u200d👩\u200d👧 出去玩", "一家人👨\u200d👩\u200d👧 出去玩\u200b\u200b"),
    # several at once
    ("太过分了[怒]", "太过分了" + _emoji("怒") + "//<a href='/n/a'>@小a</a>:转发微博" + _link("web", "网页链接") + " ...全文"),
    ("累瘫[泪]", "累瘫" + _emoji("泪") + " 上海·外滩 显示地图 来自 iPhone客户端 \u200b\u200b"),
]
# Nobody wrote anything in these; what stands there is weibo's, or another's.
NOTHING_WRITTEN = [
    "转发微博",
    "转发微博。",
    "轉發微博",
    "Repost",
    "分享图片",
    "转发微博 \u200b",
    "//@路人甲:这个政策真的好",
    "转发微博//@小明:哈哈",
    ": //@小明:哈哈",
    "<span>转发微博</span>",
    " 来自 iPhone客户端",
    "网页链接",
    "\u200b\u200b",
    "<br/>",
    _link("web", "网页链接"),
]
# The words of an author, although they look like leftovers.
UNTOUCHED = [
    "求全文",
    "求 全文",
    "看完全文我哭了",
    "文章太长没看完全文",
    "请展开说说",
    "把桌子收起",
    "点击网页链接就能看",
    "礼物来自iPhone",
    "我来自北京",
    "这条消息 来自 华为的朋友",
    "我在：家里躺着哭",
    "我在这里:等你",
    "心情<崩溃>了",
    "我<3你",
    "a<b 且 b>c",
    "1<2<3",
    '<script>alert("[泪]")</script>',
    "他说//她说",
    "有人@我 ||说话",
    "转发微博能抽奖吗",
    "转发微博😂",
    "分享图片给你看",
    "今天 真难过 地图也没用",
    "R&D太累",
    "http://x.cn/?a=1&para=2&lt=3",
    "#话题# 我爱你",
    "👨\u200d👩\u200d👧",
    "{你好}",
    "100%的努力",
    "下午 2点半见",
    "发布于北京的新规",
    "本书发布于 昨天",
    "赞一个",
    "评论[1]",
    " 前后有空格 ",
    "",
    "[视频]好看",
    "http://t.cn/A6abc 好看",
    "@小明 你好",
    "我最爱看他的微博视频了",
    "不想说话...",
    "全文完",
    "来自 远方的祝福",
]
