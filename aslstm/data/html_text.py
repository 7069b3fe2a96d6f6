"""Takes HTML as the pages of weibo have it and gives its text, in a time that grows with its length alone.

The parser of the standard library takes more than half a minute for 60,000 characters of tags that do not end, and anybody can
write such a post.
"""

import html
import re

from tokenization.emoji_splitting import UNICODE_EMOJI

_NAMES = "a|abbr|b|blockquote|br|center|div|em|font|h[1-6]|hr|i|img|label|li|ol|p|pre|s|small|span|strong|sub|sup|u|ul|video"
_BLOCKS = re.compile("blockquote|br|div|h[1-6]|hr|li|ol|p|pre|ul", re.IGNORECASE)
# An attribute has a value, unlike the words of "a<b 且 b>c". A value in quotation marks may hold ">"; none holds "<", so that
# every search ends at the next tag.
_REST = r"""\s*/?(?:>|\s[\w:@-]{1,40}\s*=(?:(?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+>|[^<>]*+>))"""
_TAG = re.compile(f"</?({_NAMES}){_REST}", re.IGNORECASE)
_COMMENT = re.compile(r"<!--[^<>]{0,500}-->")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,30});")
_PAIR = re.compile(r"&#(\d{5}|[xX][0-9a-fA-F]{4});&#(\d{5}|[xX][0-9a-fA-F]{4});")
_ALT = re.compile(r"""\b(?:alt|title)\s*=\s*\\?["']?(\[[^\W_]{1,16}\]|[^\s"'<>\[\]\\]{1,16})""", re.IGNORECASE)
# The icon before a place, a link or a video: a character of a font, whose letter is no word. A place is in one link with its.
_ICON = re.compile(r"<i\b[^<>]{0,200}icon[^<>]{0,200}>[^<>]{0,3}</i>", re.IGNORECASE)
_PLACE = re.compile(
    r"<a\b[^<>]{0,1000}>\s*(?:<span[^<>]{0,200}>\s*<img\b[^<>]{0,500}location[^<>]{0,500}>"
    r"|<i\b[^<>]{0,200}icon[^<>]{0,200}>\s*2\s*</i>|<i\b[^<>]{0,200}(?:cd_place|location)[^<>]{0,200}>[^<>]{0,3}</i>)"
    r"(?:[^<]|<(?!/?a\b)){0,500}</a>",
    re.IGNORECASE,
)
# What opens or closes a long post is a link of its own; without the line end it would become one with the last word.
_MORE = re.compile(r">\s*((?:展开|收起|查看)?全文|展开|收起)(?=\s*(?:<i\b[^<>]{0,200}>[^<>]{0,3}</i>\s*)?</)")
# Names of names: "&amp;lt;" is "<" after two rounds.
_MAX_ROUNDS = 3


def text_of_html(text: str) -> str:
    r"""Return the text of HTML; a text that has neither a tag nor an entity stays as it is.

    Images of emoji become the emoji, links their text, ``<br/>`` a line end, and places that stand as a link are left out. What
    looks like a tag that no page of weibo has, such as ``<崩溃>`` or ``<script>``, is text.

    >>> text_of_html("a&lt;b"), text_of_html("我<3你"), text_of_html("好<br/>呀<img alt='[心]' src=x>")
    ('a<b', '我<3你', '好\n呀[心]')
    """
    for _ in range(_MAX_ROUNDS):
        if _TAG.search(text):
            break
        # Only where the entities hide tags is the whole text HTML that was escaped once more.
        if (text := _unescaped(before := text)) == before:
            return text
    else:
        return text
    text = _ICON.sub("", _PLACE.sub("", _MORE.sub(r">\n\1", _COMMENT.sub("", text))))
    return _unescaped(_TAG.sub(_text_of_tag, text))


def _unescaped(text: str) -> str:
    if "&" not in text:
        return text
    return _ENTITY.sub(lambda match: html.unescape(match.group()).replace("\xa0", " "), _PAIR.sub(_joined_pair, text))


def _joined_pair(match: re.Match[str]) -> str:
    """Return the character that some programs write as two numbers, such as ``&#55357;&#56834;`` for an emoji."""
    high, low = (int(number[1:], 16) if number[0] in "xX" else int(number) for number in match.groups())
    if not (0xD800 <= high < 0xDC00 <= low < 0xE000):
        return match.group()
    return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))


def _text_of_tag(match: re.Match[str]) -> str:
    tag, name = match.group(), match[1].lower()
    if name == "img":
        # The image of an emoji names it; what other images say is no word of the author.
        shown = next(iter(_ALT.findall(tag)), "")
        return shown if shown.startswith("[") or UNICODE_EMOJI.fullmatch(shown) else ""
    return "\n" if _BLOCKS.fullmatch(name) else ""
