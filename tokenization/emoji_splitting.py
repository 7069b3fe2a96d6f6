"""Find the emoji in a text: Unicode grapheme clusters and weibo codes such as ``[泪]``.

Takes a string, gives pieces of it in order; it changes nothing and knows no vocabulary.
"""

import re
from typing import NamedTuple

import emoji

_FULLY_QUALIFIED = emoji.STATUS["fully_qualified"]
_SKIN_TONES = "\U0001f3fb-\U0001f3ff"
_SELECTORS_AND_TONES = re.compile(f"[\ufe0e\ufe0f{_SKIN_TONES}]")

# Names in square brackets that mark attached content, not a feeling. "[视频]" stands in 362 sentences of the NLPCC 2014
# test and in none of its training sentences.
CONTENT_MARKERS = frozenset((
    "视频", "投票", "活动", "转发", "图片", "组图", "图集", "动图", "原图",
    "查看图片", "链接", "网页链接", "直播", "直播回放", "文章", "长文", "长微博", "头条文章",
    "位置", "定位", "置顶", "超话", "语音", "音频", "附件", "文件", "表情",
    "动画表情", "推广", "广告", "抽奖详情", "全文", "展开全文", "展开", "收起",
))  # fmt: skip


def _strip_selectors(grapheme: str) -> str:
    # A skin tone that stands alone is an emoji of its own and must not become nothing.
    return _SELECTORS_AND_TONES.sub("", grapheme) or grapheme


# Bare spelling -> the fully qualified spelling without a skin tone. The selector is kept because "❤" without it is text:
# a word "❤" and an emoji "❤️" must not share one token.
_CANONICAL = {
    _strip_selectors(e): e
    for e in emoji.EMOJI_DATA
    if emoji.EMOJI_DATA[e]["status"] <= _FULLY_QUALIFIED and (len(e) == 1 or not re.search(f"[{_SKIN_TONES}]", e))
}


def fold_emoji(grapheme: str) -> str:
    """The one spelling that all forms of an emoji share: no skin tone, fully qualified.

    A ZWJ sequence that the ``emoji`` package does not know falls back to its first element.

    >>> fold_emoji("👍🏽") == "👍" and fold_emoji("1⃣") == "1️⃣"
    True
    """
    bare = _strip_selectors(grapheme)
    return _CANONICAL.get(bare) or _CANONICAL.get(bare.split("\u200d")[0], grapheme)


def _character_class(characters: list[str]) -> str:
    return "[" + "".join(re.escape(c) for c in sorted(characters)) + "]"


def _unicode_emoji_pattern() -> str:
    """A regular expression for whole emoji graphemes after UTS #51: keycaps, flags, ZWJ and tag sequences.

    The two base classes come from the ``emoji`` package: characters that are emoji by themselves, and text-default
    symbols (``©``, ``☎``), which are emoji only with U+FE0F, a skin tone or inside a ZWJ sequence.
    """
    single = [e for e in emoji.EMOJI_DATA if len(e) == 1]
    regional = "[\U0001f1e6-\U0001f1ff]"
    by_default = [e for e in single if emoji.EMOJI_DATA[e]["status"] <= _FULLY_QUALIFIED]
    text_default = [e for e in single if emoji.EMOJI_DATA[e]["status"] > _FULLY_QUALIFIED]
    emoji_default, text = _character_class(by_default), _character_class(text_default)
    modifier = f"(?:\ufe0f?[{_SKIN_TONES}]|\ufe0f)"
    tags = "(?:[\U000e0020-\U000e007e]+\U000e007f)?"
    any_element = f"(?:{emoji_default}|{text}){modifier}?{tags}"
    element = f"(?:{emoji_default}[\ufe0e]?{modifier}?{tags}|{text}(?:{modifier}|(?=\u200d{any_element})))"
    # "{1,7}": the longest known sequence has four joiners; the bound keeps a hostile chain of joiners in small pieces.
    return f"[0-9#*]\ufe0f?\u20e3|{regional}{{2}}|{element}(?:\u200d{any_element}){{0,7}}"


UNICODE_EMOJI = re.compile(_unicode_emoji_pattern())
# 1 to 8 letters of any script or digits. No white space, no punctuation, so "[1, 2]" and "[a/b]" are ordinary text.
_WEIBO_CODE = r"\[(?P<name>[^\W_]{1,8})\]"
_EMOJI = re.compile(f"{_WEIBO_CODE}|{UNICODE_EMOJI.pattern}")


class EmojiPiece(NamedTuple):
    """One stretch of a text, ``text == source[start : start + len(text)]``: an emoji, or what lies between emoji."""

    text: str
    start: int
    is_emoji: bool


def is_weibo_code_name(name: str) -> bool:
    """Whether ``[name]`` is a weibo emoji code: not a content marker and not a number.

    >>> is_weibo_code_name("泪"), is_weibo_code_name("视频"), is_weibo_code_name("12")
    (True, False, False)
    """
    return name not in CONTENT_MARKERS and not name.isdecimal()


def split_emoji(text: str) -> list[EmojiPiece]:
    """Split a text at its emoji; the pieces in order make up the text again.

    >>> [piece.text for piece in split_emoji("好想哭[泪]😭真的")]
    ['好想哭', '[泪]', '😭', '真的']
    """
    pieces = []
    end = 0
    for match in _EMOJI.finditer(text):
        name = match.group("name")
        if name is not None and not is_weibo_code_name(name):
            continue
        if match.start() > end:
            pieces.append(EmojiPiece(text[end : match.start()], end, is_emoji=False))
        pieces.append(EmojiPiece(match.group(), match.start(), is_emoji=True))
        end = match.end()
    if end < len(text):
        pieces.append(EmojiPiece(text[end:], end, is_emoji=False))
    return pieces


def strip_emoji(text: str) -> str:
    """The text without its emoji, for measuring what emoji are worth.

    >>> strip_emoji("好想哭[泪]😭真的")
    '好想哭真的'
    """
    return "".join(piece.text for piece in split_emoji(text) if not piece.is_emoji)


def known_unicode_emoji() -> list[str]:
    """Every Unicode emoji of the ``emoji`` package in its folded spelling, sorted (about 1,900)."""
    return sorted({fold_emoji(e) for e in emoji.EMOJI_DATA})


def chinese_emoji_name(folded: str) -> str:
    """The Chinese name of a folded Unicode emoji (``emoji`` package, language ``zh``), or "" where it has none.

    >>> chinese_emoji_name("😂")
    '笑哭了'
    """
    emoji.config.load_language("zh")
    name = emoji.EMOJI_DATA.get(folded, {}).get("zh", "")
    return str(name).strip(":").replace("_", " ")
