"""Find the emoji in a text: Unicode grapheme clusters and weibo codes such as ``[泪]``.

Takes a text and gives its pieces in order. Nothing here changes the text or knows a vocabulary.
"""

import re
from functools import lru_cache
from typing import NamedTuple

import emoji

_FULLY_QUALIFIED = emoji.STATUS["fully_qualified"]
_SKIN_TONES = "\U0001f3fb-\U0001f3ff"
_SELECTORS_AND_TONES = re.compile(f"[\ufe0e\ufe0f{_SKIN_TONES}]")
_TONE_IN_NAME = re.compile(r"_(?:medium-)?(?:light|dark|medium)_skin_tone")

# Names in square brackets that mark attached content, not a feeling. "[视频]" stands in 362 sentences of the NLPCC 2014
# test and in none of its training sentences.
CONTENT_MARKERS = frozenset((
    "视频", "投票", "活动", "转发", "图片", "组图", "图集", "动图", "原图",
    "查看图片", "链接", "网页链接", "直播", "直播回放", "文章", "长文", "长微博", "头条文章",
    "位置", "定位", "置顶", "超话", "语音", "音频", "附件", "文件", "表情",
    "动画表情", "推广", "广告", "抽奖详情", "全文", "展开全文", "展开", "收起",
    "微博", "地点", "坐标", "转载", "轉發", "原创", "首发", "短信分享", "中字", "删除", "防吞",
    "小程序", "聊天记录", "转账", "闪照", "图",
    "gif", "pdf", "mp3", "mp4", "jpg", "png", "img", "url", "quote", "cp", "br",
))  # fmt: skip
# Words that make any name with them a content marker: no name of an emoticon in the corpora below has one.
_CONTENT_NOUNS = (
    "视频|視頻|音频|图片|圖片|照片|组图|組圖|多图|动图|圖集|图集|配图|截图|原图|长图|大图|链接|連結|鏈接|网址|网页|網頁|文章"
    "|话题|話題|超话|超話|直播|语音|語音|附件|文件|投票|抽奖|问卷|定位|位置|公告|名片|二维码|字幕|表情包"
)
# Names that platforms make of a count or of what a click does, as in "[组图共4张]", "[3张图]", "[图1]", "[查看详情]". A list of
# exact names could not hold them.
_CONTENT_MARKER = re.compile(
    rf"[^\W_]*(?:{_CONTENT_NOUNS})[^\W_]*"
    r"|(?:点击|查看|观看|打开|展开|收起|播放|收听|下载|来自)[^\W_]*"
    r"|[图共]*(?:[0-9]{1,4}|[一二两三四五六七八九十几多]{1,3})[张幅]图?"
    r"|[图附][0-9]{1,3}|[0-9]{1,3}[图pP]|[0-9]{1,4}(?:分钟|小时|秒)[^\W_]*"
)
# Numbers, days and single Latin letters in brackets are text: "[12]", "[5月21日]", and swear words written as "[f][u]".
_TEXT_IN_BRACKETS = re.compile(r"\d+(?:月(?:\d+日)?)?|[a-zA-Z]")


def _strip_selectors(grapheme: str) -> str:
    # A skin tone that stands alone is an emoji of its own and must not become nothing.
    return _SELECTORS_AND_TONES.sub("", grapheme) or grapheme


def _canonical_spellings() -> dict[str, str]:
    """Return for each bare spelling the fully qualified spelling without a skin tone.

    The fully qualified spelling ("❤" with U+FE0F) is the token, because the emoji vocabularies of saved models hold this one.
    A couple of two skin tones is a ZWJ sequence of two persons, but without the tones it is one character, so the two
    spellings are matched by their names.
    """
    qualified = {e: data["en"] for e, data in emoji.EMOJI_DATA.items() if data["status"] <= _FULLY_QUALIFIED}
    without_tone = {name: e for e, name in qualified.items() if not _TONE_IN_NAME.search(name)}
    # "kiss_person_person_dark_skin_tone_…" is a toned "kiss".
    bare_names = {e: _TONE_IN_NAME.sub("", name).replace("_person_person", "") for e, name in qualified.items()}
    return {_strip_selectors(e): without_tone.get(name, e) for e, name in bare_names.items()}


_CANONICAL = _canonical_spellings()


def fold_emoji(grapheme: str) -> str:
    """Return the one spelling that all forms of an emoji share: fully qualified and without a skin tone.

    A ZWJ sequence that the ``emoji`` package does not know becomes its first element.

    >>> fold_emoji("👍🏽") == "👍" and fold_emoji("1⃣") == "1️⃣"
    True
    """
    bare = _strip_selectors(grapheme)
    return _CANONICAL.get(bare) or _CANONICAL.get(bare.split("\u200d")[0], grapheme)


# Symbols up to U+FFFF that Unicode shows as text unless U+FE0F follows, and that people use as emoji without it too: how
# often they are bare and how often qualified in 753,138 posts and sentences (NLPCC 2014, weibo_senti_100k, SMP2020-EWECT, the
# reposts of the CED rumour corpus, COLD, LCCC and BRIGHTER). Up to 30 bare occurrences of each were read. These others are
# text when they are bare: ♂ (85 bare, 6 qualified) and ♀ (10, 3) are letters ("年♂夜♂饭") or what is left of a lost emoji; ‼
# (33, 24) is punctuation; ↖ and ↗ (4, 0), ⚗ (2, 0) and ☄ (1, 0) are parts of faces such as "↖(^ω^)↗"; 〰 (2, 0) and ™ (1, 0)
# are signs. The corpora show no bare one of the rest, which stay what Unicode says.
_EMOJI_WHEN_BARE = {
    "❤": (42, 25), "☀": (23, 2), "❄": (17, 32), "☺": (11, 4), "✌": (2, 6), "✈": (2, 2), "☁": (1, 3), "⚠": (1, 0),
    "❣": (1, 0), "♥": (1, 0), "☹": (0, 2),
}  # fmt: skip
_SINGLE = sorted(e for e in emoji.EMOJI_DATA if len(e) == 1)
_EMOJI_BY_DEFAULT = "".join(e for e in _SINGLE if emoji.EMOJI_DATA[e]["status"] <= _FULLY_QUALIFIED)
# Symbols (©, ☎) that Unicode has as emoji only with U+FE0F, a skin tone or inside a ZWJ sequence.
_TEXT_DEFAULT_CHARACTERS = "".join(e for e in _SINGLE if emoji.EMOJI_DATA[e]["status"] > _FULLY_QUALIFIED)
# All of these above U+FFFF (🕳, 🌧) are pictures wherever the corpora have them.
_BARE_CHARACTERS = "".join(e for e in _TEXT_DEFAULT_CHARACTERS if e > "\uffff" or e in _EMOJI_WHEN_BARE)
# Characters that are emoji by themselves, for use inside a character class of a regular expression.
EMOJI_CHARACTERS = _EMOJI_BY_DEFAULT + _BARE_CHARACTERS
# Those up to U+FFFF alone, because a class compares with the characters above it one after the other.
BMP_EMOJI_CHARACTERS = "".join(c for c in EMOJI_CHARACTERS if c <= "\uffff")


def _unicode_emoji_pattern() -> str:
    """Return a regular expression that matches whole emoji as UTS #51 defines them: keycaps, flags, ZWJ and tag sequences."""
    modifier = f"(?:\ufe0f?[{_SKIN_TONES}]|\ufe0f)"
    tags = "(?:[\U000e0020-\U000e007e]+\U000e007f)?"
    any_element = f"[{EMOJI_BASES}]{modifier}?{tags}"
    by_default = f"[{_EMOJI_BY_DEFAULT}]\ufe0e?{modifier}?{tags}"
    # U+FE0E asks for a symbol of text.
    text_default = f"[{_TEXT_DEFAULT_CHARACTERS}](?:{modifier}|(?=\u200d{any_element}))|[{_BARE_CHARACTERS}](?!\ufe0e)"
    # At most seven joiners: the longest known sequence has four, and a hostile chain is cut into small pieces.
    zwj_sequence = f"(?:{by_default}|{text_default})(?:\u200d{any_element}){{0,7}}"
    # Python's re compares a character with those of a class above U+FFFF one after the other. Looking first at what any emoji
    # begins with avoids this for nearly every character of a post, which makes splitting ten times as fast.
    return f"(?=[0-9#*{_FIRST}])(?:{KEYCAP}|[\U0001f1e6-\U0001f1ff]{{2}}|{zwj_sequence})"


# Every character that can begin an emoji, alone or with U+FE0F.
EMOJI_BASES = _EMOJI_BY_DEFAULT + _TEXT_DEFAULT_CHARACTERS
_FIRST = "".join(c for c in EMOJI_BASES if c <= "\uffff") + "\U00010000-\U0010ffff"
# What an emoji or a code begins with. Searching for a class of characters is many times as fast as searching for a pattern
# that begins with alternatives, so the whole pattern is tried only there, and at digits only if the text has a keycap.
_SIGNS = re.compile(f"[\\[{_FIRST}]")
_SIGNS_AND_DIGITS = re.compile(f"[\\[0-9#*{_FIRST}]")
KEYCAP = "[0-9#*]\ufe0f?\u20e3"
UNICODE_EMOJI = re.compile(_unicode_emoji_pattern())
# 1 to 8 letters of any script or digits. No white space, no punctuation, so "[1, 2]" and "[a/b]" are ordinary text.
_WEIBO_CODE = r"\[(?P<name>[^\W_]{1,8})\]"
_EMOJI = re.compile(f"{_WEIBO_CODE}|{UNICODE_EMOJI.pattern}")


class EmojiPiece(NamedTuple):
    """One stretch of a text: an emoji, or what lies between emoji.

    Attributes:
        text: The stretch itself.
        start: Where it begins, so that ``text == source[start : start + len(text)]``.
        is_emoji: Whether it is an emoji.
    """

    text: str
    start: int
    is_emoji: bool


# Posts repeat few names, and looking one up is many times as fast as matching it.
@lru_cache(maxsize=4096)
def is_content_marker(name: str) -> bool:
    """Return whether ``[name]`` says what is attached to a post, and so is neither an emoticon nor a word of the post.

    >>> is_content_marker("组图共4张"), is_content_marker("微博视频"), is_content_marker("泪")
    (True, True, False)
    """
    return name.lower() in CONTENT_MARKERS or _CONTENT_MARKER.fullmatch(name) is not None


@lru_cache(maxsize=4096)
def is_weibo_code_name(name: str) -> bool:
    """Return whether ``[name]`` is a weibo emoji code, which content markers, numbers and single Latin letters are not.

    >>> is_weibo_code_name("泪"), is_weibo_code_name("视频"), is_weibo_code_name("12")
    (True, False, False)
    """
    return not is_content_marker(name) and _TEXT_IN_BRACKETS.fullmatch(name) is None


def split_emoji(text: str) -> list[EmojiPiece]:
    """Split a text into its emoji and what lies between them; the pieces, joined, are the text again.

    >>> [piece.text for piece in split_emoji("好想哭[泪]😭真的")]
    ['好想哭', '[泪]', '😭', '真的']
    """
    pieces = []
    end = 0
    for sign in (_SIGNS_AND_DIGITS if "\u20e3" in text else _SIGNS).finditer(text):
        match = _EMOJI.match(text, sign.start()) if sign.start() >= end else None
        if match is None or ((name := match.group("name")) is not None and not is_weibo_code_name(name)):
            continue
        if match.start() > end:
            pieces.append(EmojiPiece(text[end : match.start()], end, is_emoji=False))
        pieces.append(EmojiPiece(match.group(), match.start(), is_emoji=True))
        end = match.end()
    if end < len(text):
        pieces.append(EmojiPiece(text[end:], end, is_emoji=False))
    return pieces


def strip_emoji(text: str) -> str:
    """Return the text without its emoji, to measure how much the emoji contribute.

    >>> strip_emoji("好想哭[泪]😭真的")
    '好想哭真的'
    """
    return "".join(piece.text for piece in split_emoji(text) if not piece.is_emoji)


def is_emoji(text: str) -> bool:
    """Return whether a text is one emoji and nothing else.

    >>> is_emoji("[泪]"), is_emoji("❤"), is_emoji("好😂")
    (True, True, False)
    """
    return [piece.is_emoji for piece in split_emoji(text)] == [True]


def known_unicode_emoji() -> list[str]:
    """Return every Unicode emoji of the ``emoji`` package in its folded spelling, sorted (about 1,900)."""
    return sorted({fold_emoji(e) for e in emoji.EMOJI_DATA})


def chinese_emoji_name(folded: str) -> str:
    """Return the Chinese name that the ``emoji`` package has for a folded Unicode emoji, or "" if it has none.

    >>> chinese_emoji_name("😂")
    '笑哭了'
    """
    emoji.config.load_language("zh")
    name = emoji.EMOJI_DATA.get(folded, {}).get("zh", "")
    return str(name).strip(":").replace("_", " ")
