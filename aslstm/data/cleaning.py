r"""Takes a post as a crawler saved it and gives what its author wrote, with the chain of reposts behind it.

This is for files: it removes what a page or a program put around the words, and tells by which rule. What belongs to every
text, such as links, mentions and markers like ``[视频]``, is a matter of the tokenizer
(``tokenization/text_normalization.py``), so that a model from the Hub reads it in the same way.

>>> clean('笑死<span class="url-icon"><img alt="[允悲]" src="x.png"></span>//@小明:转发微博')
Cleaned(text='笑死[允悲]', chain='//@小明:转发微博', rules=('HTML', 'repost chains'))
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from .html_text import text_of_html

NO_CLEAN_HELP = (
    "read posts as they are in the file, also HTML, chains of reposts (//@name:), tails such as 全文 or 来自 iPhone客户端, and "
    "other leftovers of a crawler"
)
# U+200D stays, because emoji are joined by it.
_ZERO_WIDTH = "\u200b\u200c\u200e\u200f\u2060\ufeff\u00ad"
_GAP = f"[\\s{_ZERO_WIDTH}]"
# A post without any of these holds no leftover; most posts are such.
_ANY_SIGN = re.compile(
    f"[<&·{_ZERO_WIDTH}\ue627]|[/／|]{{2}}|RT|{{%|链接|地图|来自|全文|展开|收起|我在|发布于|属地|视频|转发|分享|轉發|epost"
)
_ZERO_WIDTH_RUN = re.compile(f"[{_ZERO_WIDTH}]+")
_MARK = re.compile("{%[^{}%]{0,80}%}|\ue627")
# Behind "//@", or what older programs wrote for it, stand the words of those who posted before, also where the name is cut off.
_CHAIN = re.compile(r"(?<![:：/／])[/／]{2}[ \t]*[@＠]|\|\|[ \t]*[@＠]|\bRT[ \t]*[@＠][^\s:：@]{1,30}[:：]")
_LINK_TEXT = re.compile(
    f"(?:^|(?<={_GAP}))O?(?:网页链接|網頁鏈接)|O?(?:网页链接|網頁鏈接)(?!\\w)|O网页链接"
    f"|(?:^|(?<={_GAP})|L)[^\\s，。！？：、…@#]{{1,20}}的(?:微博|秒拍|美拍)视频(?=$|{_GAP})"
)

# ---- tails: what pages and programs write behind a post ----

# "..." before 全文 is the page's own sign of a cut. A letter behind it is what the icon font of s.weibo.com leaves. Without any
# of these, "求全文" and "全文" behind a space are words of the author.
_MORE = (
    f"(?:\\.{{3}}|…{{1,2}}|[{_ZERO_WIDTH}\\n]){_GAP}*(?:展开全文|收起全文|查看全文|全文|展开|收起)[cdO]?"
    f"|{_GAP}*(?:(?:展开全文|全文|展开)c|(?:收起全文|收起)d)"
    f"|{_GAP}+(?:展开全文|收起全文|展开|收起)"
)
_PLACE = (
    f"(?:(?:^|{_GAP}+)(?:\\[位置\\])?[^\\s·]{{1,15}}·[^\\s·]{{1,25}})?{_GAP}*(?:\\[?显示地图\\]?)"
    r"|我在(?:这里|這裡)?[:：]\s*(?:[^\s:：，。]{1,30}\s*)?(?:https?:\S{0,60}|显示地图)"
    r"|我在(?:这里|這裡)[:：]\s*#[^#\n]{1,30}#"
    f"|{_GAP}+2[\u4e00-\u9fff]{{2,8}}·[^\\s·]{{1,25}}"
    f"|{_GAP}*IP\\s*属地[:：]\\s*[\u4e00-\u9fff]{{2,8}}"
)
_REGIONS = (
    "北京|天津|上海|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南|四川|贵州|云南|陕西|甘肃|青海"
    "|内蒙古|广西|西藏|宁夏|新疆|(?:中国)?(?:香港|澳门|台湾)|海外|美国|英国|日本|韩国|加拿大|澳大利亚|新西兰|新加坡|马来西亚|泰国|法国|德国"
)
_TIME = (
    r"(?:(?:(?:\d{4}[-年/])?\d{1,2}[-月/]\d{1,2}日?|今天|昨天|刚刚|\d{1,3}\s*(?:秒|分钟|小时|天)前)(?:\s*\d{1,2}:\d{2}(?::\d{2})?)?"
    r"|\d{1,2}:\d{2})"
)
_BRANDS = (
    "iPhone|iPad|Android|安卓|HUAWEI|Huawei|华为|荣耀|HONOR|nova|Mate|小米|Xiaomi|Redmi|红米|MIUI|OPPO|vivo|iQOO|OnePlus|一加|realme|真我"
    "|魅族|MEIZU|三星|Samsung|SAMSUNG|Galaxy|努比亚|nubia|中兴|ZTE|Moto|Lenovo|联想|Nokia|诺基亚|Sony|索尼|Windows|Mac|HarmonyOS|鸿蒙"
)
_PROGRAMS = (
    "客户端|浏览器|网页版|手机版|触屏版|极速版|轻享版|国际版|专业版|概念版|视频号|超话|超级话题|生日动态|粉丝头条|时光机|微博定时"
    r"|微博\s*weibo\.com|weibo\.(?:com|cn)|新浪微博|新浪博客|微博云剪|秒拍网页版|分享按钮|随手拍|微博搞笑"
)
_DEVICE = (
    f"(?:[^\\s，。！？、；@#]{{0,12}}\\s?(?:{_PROGRAMS})|(?:{_BRANDS})[\\w +\\-.·（）()]{{0,24}}(?:客户端|手机|系列|版)"
    f"|(?:{_BRANDS})[A-Za-z0-9 +\\-.()（）]{{0,24}})"
)
_SOURCE = (
    f"(?:^|{_GAP}+|(?<=[。！？!?…\\])）~～]))(?:{_TIME}\\s*)?来自\\s*{_DEVICE}"
    f"|(?:^|{_GAP}+){_TIME}\\s*来自\\s*(?:{_REGIONS})"
    f"|(?:^|{_GAP}+)发布于\\s*(?:{_REGIONS})"
)
# What weibo.cn writes below a post.
_BUTTONS = (
    r"(?:\s*\[?组图共\d{1,2}张\]?)?(?:\s*原图)?(?:\s*(?:赞|转发|评论|原文转发|原文评论)\[\d{1,9}\])+(?:\s*收藏)?"
    f"(?:\\s*{_TIME}(?:\\s*来自\\s*{_DEVICE})?)?"
)
_TAILS = {
    "全文 and 展开": re.compile(f"(?:{_MORE}){_GAP}*\\Z"),
    "places": re.compile(f"(?:{_PLACE}){_GAP}*\\Z"),
    "sources": re.compile(f"(?:{_SOURCE}|{_BUTTONS}){_GAP}*\\Z"),
}
_RULES_IN_CHINESE = {
    "marks": "标记", "repost chains": "转发链", "全文 and 展开": "全文、展开", "places": "位置", "sources": "来源",
    "texts of links": "链接文字", "zero-width characters": "零宽字符", "nothing written": "没有写字",
}  # fmt: skip
# No tail is longer and no post has more, so that a long post costs no more than a short one.
_MAX_TAIL = 200
_MAX_TAILS = 8
# What weibo writes for somebody who wrote nothing.
_SIGNS = r"[\s.。,，:：!！~～…]*"
_NOTHING_WRITTEN = re.compile(
    f"{_SIGNS}(?:转发微博|轉發微博|快转微博|Repost|分享图片|分享单图|分享圖片|分享视频){_SIGNS}", re.IGNORECASE
)


class Cleaned(NamedTuple):
    """Holds what the author of a post wrote.

    Attributes:
        text: The words of the author; "" if there are none.
        chain: The words of those who posted before, from ``//@`` on; "" if there are none.
        rules: The names of the rules that changed the post; if there are none, ``text`` is the post as it was.
    """

    text: str
    chain: str
    rules: tuple[str, ...]


def clean(post: str) -> Cleaned:
    """Return what the author of a post wrote, without the leftovers of a crawler; a clean post stays as it is.

    >>> clean("今天真的太难过了 //@某人:转发微博").text, clean("等了一天...全文").text, clean("转发微博").text
    ('今天真的太难过了', '等了一天', '')
    >>> clean("求全文，https://t.cn/abc 里没有").rules
    ()
    """
    if not _ANY_SIGN.search(post):
        return Cleaned(post, "", ())
    rules: dict[str, None] = {}
    text = _changed(post, text_of_html(post), "HTML", rules)
    text = _changed(text, _MARK.sub("", text), "marks", rules)
    chain = ""
    if found := _CHAIN.search(text):
        chain = _ZERO_WIDTH_RUN.sub(_parting, text[found.start() :]).strip()
        text = text[: found.start()]
        text = "" if not text.strip(" \t\n:：") else text  # A colon alone is what is left of a name.
        rules["repost chains"] = None
    text = _without_tails(text, rules)
    text = _changed(text, _LINK_TEXT.sub(" ", text), "texts of links", rules)
    text = _changed(text, _ZERO_WIDTH_RUN.sub(_parting, text), "zero-width characters", rules)
    if _NOTHING_WRITTEN.fullmatch(text):
        text = _changed(text, "", "nothing written", rules)
    return Cleaned(text.strip(), chain, tuple(rules)) if rules else Cleaned(post, "", ())


def name_of_rule(rule: str, language: str) -> str:
    """Return the name of a rule in a language, ``en`` or ``zh``.

    >>> name_of_rule("repost chains", "zh"), name_of_rule("HTML", "zh")
    ('转发链', 'HTML')
    """
    return _RULES_IN_CHINESE.get(rule, rule) if language == "zh" else rule


def _changed(before: str, after: str, rule: str, rules: dict[str, None]) -> str:
    """Return the text after a rule, and note the rule if it changed the text."""
    if after != before:
        rules[rule] = None
    return after


def _parting(run: re.Match[str]) -> str:
    """Return what stands for zero-width characters: a space where a link or a Latin word would grow without them."""
    before, after = run.string[max(run.start() - 1, 0) : run.start()], run.string[run.end() : run.end() + 1]
    return " " if before.isascii() and before.isalnum() and after.isalnum() else ""


def _without_tails(text: str, rules: dict[str, None]) -> str:
    """Return a text without what pages write behind it, one tail after the other."""
    for _ in range(_MAX_TAILS):
        start = max(0, len(text) - _MAX_TAIL)
        found = {rule: match for rule, tail in _TAILS.items() if (match := tail.search(text, start))}
        if not found:
            break
        rule = min(found, key=lambda rule: found[rule].start())
        text = text[: found[rule].start()]
        rules[rule] = None
    return text


@dataclass
class CleaningCounts:
    """Counts the posts that were cleaned.

    Attributes:
        num_posts: The number of posts that were looked at.
        num_changed: The number of posts that a rule changed.
        rules: The number of posts that each rule changed; several rules may change one post.
    """

    num_posts: int = 0
    num_changed: int = 0
    rules: Counter[str] = field(default_factory=Counter)

    def add(self, rules: Iterable[str]) -> None:
        """Count a post by the rules that changed it."""
        found = list(rules)
        self.num_posts += 1
        self.num_changed += bool(found)
        self.rules.update(found)

    def __add__(self, other: "CleaningCounts") -> "CleaningCounts":
        """Return the counts of the posts of both."""
        return CleaningCounts(self.num_posts + other.num_posts, self.num_changed + other.num_changed, self.rules + other.rules)

    def line(self) -> str:
        """Return in one line how many posts were changed by which rule, or "" if none was.

        >>> CleaningCounts(12, 3, Counter({"HTML": 1, "repost chains": 2})).line()
        'cleaned 3 of 12 posts: repost chains 2, HTML 1 (`no_clean` leaves them)'
        """
        if not self.num_changed:
            return ""
        by_rule = ", ".join(f"{rule} {count:,}" for rule, count in self.rules.most_common())
        return f"cleaned {self.num_changed:,} of {self.num_posts:,} posts: {by_rule} (`no_clean` leaves them)"
