"""Takes a code that stands for an emoji elsewhere than on weibo and gives the weibo code or emoji of the same meaning.

The codes are those of QQ and WeChat, bilibili, Slack and GitHub: ``/流泪`` and ``[Sob]``
are ``[流泪]``, ``:joy:`` is 😂. Only codes of the tables here and of the ``emoji`` package are read; whatever else stays.
"""

import re

import emoji

from .emoji_splitting import CONTENT_MARKERS, fold_emoji

# The names of QQ and WeChat. These are hardly anything but names of emoji, so a slash and such a name may follow a word.
_DISTINCT_NAMES = (
    "流泪", "大哭", "快哭了", "笑哭", "捂脸", "偷笑", "坏笑", "奸笑", "憨笑", "呲牙", "龇牙", "撇嘴", "发呆", "抠鼻",
    "抓狂", "擦汗",
    "冷汗", "流汗", "糗大了", "翻白眼", "白眼", "左哼哼", "右哼哼", "猪头", "吃瓜", "飞吻", "嘿哈", "旺柴", "苦涩",
    "裂开", "打脸",
    "泪奔", "喷血", "敲打", "托腮", "斜眼笑", "亲亲", "抱拳", "鼓掌", "勾引", "可怜", "加油加油", "让我看看", "皱眉",
    "机智", "叹气",
)  # fmt: skip
# These names are everyday words too ("开心/难过"): a slash and such a name stand apart from words.
_EVERYDAY_NAMES = (
    "微笑", "得意", "害羞", "尴尬", "发怒", "调皮", "惊讶", "难过", "闭嘴", "惊恐", "咒骂", "疑问", "折磨", "骷髅",
    "再见", "哈欠",
    "鄙视", "委屈", "阴险", "愉快", "傲慢", "饥饿", "悠闲", "奋斗", "拥抱", "握手", "胜利", "拳头", "差劲", "爱你",
    "爱心", "心碎",
    "玫瑰", "凋谢", "嘴唇", "蛋糕", "咖啡", "啤酒", "西瓜", "菜刀", "便便", "月亮", "太阳", "礼物", "示爱", "爱情",
    "跳跳", "发抖",
    "怄火", "转圈", "磕头", "回头", "跳绳", "挥手", "投降", "激动", "街舞", "献吻", "加油", "红包", "福", "庆祝",
    "滑稽", "无奈", "生气",
    "晕", "汗", "衰", "困", "吓", "吐", "嘘", "强", "弱", "酷", "色", "睡", "耶", "哇",
)  # fmt: skip
# The English names of WeChat and weibo in lower case -> the Chinese ones.
_CHINESE_NAMES = {
    "smile": "微笑", "grimace": "撇嘴", "drool": "色", "scowl": "发呆", "coolguy": "得意", "sob": "流泪", "shy": "害羞",
    "silent": "闭嘴", "sleep": "睡", "cry": "大哭", "awkward": "尴尬", "angry": "发怒", "tongue": "调皮",
    "grin": "呲牙",
    "surprise": "惊讶", "frown": "难过", "ruthless": "酷", "blush": "冷汗", "scream": "抓狂", "puke": "吐",
    "chuckle": "偷笑",
    "joyful": "愉快", "slight": "白眼", "smug": "傲慢", "hungry": "饥饿", "drowsy": "困", "panic": "惊恐",
    "sweat": "流汗",
    "laugh": "憨笑", "commando": "悠闲", "determined": "奋斗", "scold": "咒骂", "shocked": "疑问", "shhh": "嘘",
    "dizzy": "晕",
    "tormented": "折磨", "toasted": "衰", "skull": "骷髅", "hammer": "敲打", "wave": "再见", "speechless": "擦汗",
    "nosepick": "抠鼻", "clap": "鼓掌", "shame": "糗大了", "trick": "坏笑", "yawn": "哈欠", "shrunken": "委屈",
    "tearingup": "快哭了", "sly": "阴险", "kiss": "亲亲", "wrath": "吓", "whimper": "可怜", "rose": "玫瑰",
    "wilt": "凋谢",
    "lips": "嘴唇", "heart": "爱心", "brokenheart": "心碎", "hug": "拥抱", "thumbsup": "强", "thumbsdown": "弱",
    "shake": "握手", "peace": "胜利", "fight": "抱拳", "beckon": "勾引", "fist": "拳头", "pinky": "差劲",
    "rockon": "爱你",
    "inlove": "爱情", "blowkiss": "飞吻", "waddle": "跳跳", "tremble": "发抖", "aaagh!": "怄火", "twirl": "转圈",
    "kotow": "磕头", "surrender": "投降", "hooray": "激动", "smooch": "献吻", "hey": "嘿哈", "facepalm": "捂脸",
    "smirk": "奸笑", "smart": "机智", "concerned": "皱眉", "yeah!": "耶", "onlooker": "吃瓜", "goforit": "加油",
    "sweats": "汗",
    "omg": "天啊", "respect": "社会社会", "noprob": "好的", "mybad": "打脸", "keepfighting": "加油加油", "wow": "哇",
    "rich": "发", "broken": "裂开", "hurt": "苦涩", "sigh": "叹气", "letmesee": "让我看看", "awesome": "666",
    "boring": "翻白眼", "packet": "红包", "party": "庆祝", "happy": "笑脸", "sick": "生病", "flushed": "脸红",
    "lol": "破涕为笑", "terror": "恐惧", "letdown": "失望", "duh": "无语", "worship": "合十", "worry": "担心",
    "doge": "狗头",
    "good": "赞", "haha": "哈哈", "ok": "好的", "no": "不要", "orz": "跪了", "v5": "威武",
}  # fmt: skip
# Chinese names of one picture.
_SAME_PICTURE = {"旺柴": "狗头", "龇牙": "呲牙"}
# Sets of animated emoji on weibo, whose mark stands before the name ("[bed凌乱]"), and series of bilibili ("[tv_大哭]").
_ANIMATED_SETS = "ala|ali|bed|bm|bobo|bofu|c|cai|din|dino|g|gst|lb|lt|lxh|lxhx|moc|ppb|toto|xb|xkl"
_SERIES = "tv|小电视|2233娘|热词系列|蛆音娘"
_IN_A_SET = rf"(?:{_ANIMATED_SETS}|(?:{_SERIES})_)(?P<in_a_set>[\u4e00-\u9fff]{{1,8}})"
# The look at the first letter spares most weibo codes the rest.
_FIRST_LETTER = "a-z" + "".join(sorted({name[0] for name in (*_SERIES.split("|"), *_SAME_PICTURE)}))
BRACKETED_CODE = re.compile(
    rf"[\[［](?=[{_FIRST_LETTER}])(?:{_IN_A_SET}|(?P<english>[a-z][a-z0-9!]{{1,12}})|(?P<same>{'|'.join(_SAME_PICTURE)}))[\]］]",
    re.IGNORECASE,
)

_NAMES = "|".join(sorted((*_DISTINCT_NAMES, *_EVERYDAY_NAMES), key=len, reverse=True))
# No path, URL or date: no letter, digit, slash or point before it. No sentence either: no grammar behind it ("/微笑着"), and
# no other word behind the next slash.
SLASH_CODE = re.compile(rf"/(?<![A-Za-z0-9/.:~_-].)(?P<name>{_NAMES})(?![着了过起得地的])(?!/(?!{_NAMES})\w)")
# Ends in codes of which the first one is none of the two words of "开心/难过".
_ENDS_IN_SLASH_CODES = re.compile(rf"(?:(?<![\w/])/(?:{_NAMES})|/(?:{'|'.join(_DISTINCT_NAMES)}))(?:/(?:{_NAMES}))*\Z")
_WORD = re.compile(r"\w")

# No time and no score: no letter or digit before it, and more than digits in it.
SHORTCODE = re.compile(r":(?<![A-Za-z0-9].)(?![0-9]{1,80}:)[a-zA-Z0-9_+-]{1,80}:")


def read_bracketed_code(match: re.Match[str]) -> str:
    """Return the weibo code of a code in square brackets that has an English name or the mark of a set.

    >>> BRACKETED_CODE.sub(read_bracketed_code, "[Facepalm][bed凌乱][Bracket][泪]")
    '[捂脸][凌乱][Bracket][泪]'
    """
    name = match["in_a_set"] or _SAME_PICTURE.get(match["same"]) or _CHINESE_NAMES.get((match["english"] or "").lower())
    return f"[{name}]" if name and name not in CONTENT_MARKERS else match.group()


def read_slash_code(match: re.Match[str]) -> str:
    """Return the weibo code of a code of QQ or WeChat, or the text as it is where the slash may stand between two words.

    >>> SLASH_CODE.sub(read_slash_code, "好累/流泪/汗 开心/难过 /难过")
    '好累[流泪][汗] 开心/难过 [难过]'
    """
    name = match["name"]
    text, start, end = match.string, *match.span()
    follows_a_word = _WORD.match(text[start - 1 : start]) and not _ENDS_IN_SLASH_CODES.search(text, max(start - 24, 0), start)
    if name not in _DISTINCT_NAMES and (follows_a_word or _WORD.match(text[end : end + 1])):
        return match.group()
    return f"[{_SAME_PICTURE.get(name, name)}]"


def read_shortcode(match: re.Match[str]) -> str:
    """Return the Unicode emoji of a shortcode of the ``emoji`` package, in its own or in lower case.

    >>> SHORTCODE.sub(read_shortcode, "好:joy: 10:30:20 :nothing:")
    '好😂 10:30:20 :nothing:'
    """
    code = match.group()
    found = (emoji.emojize(spelling, language="alias") for spelling in (code, code.lower()))
    return next((fold_emoji(one) for one in found if not one.startswith(":")), code)
