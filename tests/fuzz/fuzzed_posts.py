"""Posts made of a fuzzer's bytes: rich in what trips a splitter, beside raw Unicode.

Takes bytes as atheris' ``FuzzedDataProvider`` hands them out, gives text; and gives the bytes of a text, to start from.
"""

from typing import TYPE_CHECKING

import emoji

if TYPE_CHECKING:
    from atheris import FuzzedDataProvider

# Longer than most posts. What length alone breaks, tests/test_safety.py tries with a megabyte.
LONGEST_POST = 200

TRAPS = [
    # Codes, markers and brackets that are neither.
    *("[泪]", "[泪流满面]", "[太开心]", "[龘靐]", "[视频]", "[12]", "[ℹ]", "[e\u0301]", "［泪］", "[[", "]]", "[", "]", "[没"),
    # Codes of other places, faces, and their parts.
    *("/流泪", "/难过", "/强", "/", "[Facepalm]", "[bed凌乱]", "[moc转发]", "[tv_大哭]", "[旺柴]", ":joy:", ":+1:", ":100:"),
    *("[淚]", "/流淚", "(╥﹏╥)", "T_T", "orz", "QAQ", "^_^", "-_-|||", "╮(╯▽╰)╭", "(╯°□°）╯︵ ┻━┻", "_(:з」∠)_"),
    *("(", "）", "_", "^", "▽", "o", "T", "╯"),
    # Emoji: tones, families, flags, keycaps, tags, symbols that are emoji only at times, and their parts.
    *("😂", "❤️", "❤", "👍🏽", "👩🏿\u200d🚀", "👨\u200d👩\u200d👧\u200d👦", "🏳️\u200d🌈", "🇨🇳", "🇨", "1️⃣", "#⃣", "*\ufe0f", "☎"),
    *("🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "🏽", "™", "©️", "ℹ️", "Ⓜ️", "㊗️", "〰", "♂", "⭐", "☎️"),
    *("🕳", "🌧", "☺", "☀\ufe0e", "❤\u200d🔥", "♥️", "\ud83d\ude02"),
    *("\u200d", "\ufe0f", "\ufe0e", "\u20e3", "\U000e0067", "\U000e007f", "\U0001f1e6"),
    # What normalisation takes out or rewrites, and its halves.
    *("//@", "//@a", "//@小明:", "回复@", "回复 @a：", "@", ":", "//", "http://", "http://t.cn/a1", "www.", "t.cn/", "https://a.b/?c=[泪]"),
    *("http://t.cn/a1，", "[图片]", "[3张图]", "[话题]#"),
    *("&", "&amp;", "&amp;lt;", "&#x1F602;", "&#128514;", "&#0;", "&#xD83D;", "&#9;", "&nGt;", "&ThickSpace;", "&#", ";"),
    *("哈哈哈哈", "！！！！", "1111", "aaaa", "ha", "Ａ", "１", "①", "㎏", "ﬁ", "ﷺ", "İ", "ẞ", "ſ", "\u212a", "ǅ", "¨", "´"),
    # Marks, jamo and voiced kana.
    *("\u0301", "\u0327\u0301", "\u0301\u0327", "\u0344", "\u3099", "ｶﾞ", "か\u3099", "\u1112\u1161\u11ab", "\u1160"),
    *("\uffa0", "中\u0344", "q\u0301\u0327"),
    # White space, line separators, and what shows nothing.
    *(" ", "\t", "\n", "\r\n", "\u3000", "\x85", "\u2028", "\u2029", "\x1c", "\x1f", "\x0b", "\xa0", "\u1680", "\u180e"),
    *("\x00", "\x01", "\x7f", "\xad", "\u200b", "\u200f", "\u202e", "\u2066", "\ufeff", "\ud83d", "\ude02", "\udfff", "\ue000"),
    *("\U000f0000", "\U0010ffff", "\uffff", "\ufffd"),
    # Words, and what a word segmenter cuts in its own way.
    *("今天", "又加班", "真的好累", "单曲循环", "龘", "𠮷", "love ", "LOVE", "c++", "3-3", "gmail.com", "2.3rom", "100%"),
    *("，", "。", "?", "<pad>", "<unk>", "<unk_emoji>", "##泪", "##", "a.b-", "yyds", "绝绝子", "PK掉"),
]  # fmt: skip

# In every spelling that the package knows, sequences of up to ten characters among them.
EMOJI = sorted(emoji.EMOJI_DATA)

# Where random characters are drawn from, 128 in a row.
_BLOCKS = (
    *(0x0, 0x80, 0x100, 0x300, 0x380, 0x580, 0x600, 0xE00, 0x1100, 0x1180, 0x1E00, 0x2000, 0x2080, 0x2100, 0x2180, 0x2300),
    *(0x2460, 0x2600, 0x2680, 0x2700, 0x2B00, 0x2E80, 0x3000, 0x3080, 0x3200, 0x3280, 0x4E00, 0x9F80, 0xA960, 0xAC00, 0xD7B0),
    *(0xD800, 0xE000, 0xF900, 0xFE00, 0xFE80, 0xFF00, 0xFF80, 0x1D100, 0x1D400, 0x1F100, 0x1F180, 0x1F200, 0x1F300, 0x1F380),
    *(0x1F400, 0x1F600, 0x1F680, 0x1F780, 0x1F900, 0x1FA80, 0x20000, 0x2F800, 0xE0000, 0xE0080, 0xE0100, 0x10FF80),
)  # fmt: skip
_REPEATS = (2, 3, 4, 5, 8, 9, 31, 33)
_RAW, _TRAP, _EMOJI, _BLOCK, _REPEAT = range(5)

# Posts to start from.
SEEDS = [
    "",
    "今天又加班[泪]，真的好累！！",
    "气死我了[怒]。再也不买了[泪]😂",
    "love this song😂，单曲循环",
    "明天下午三点开会，地点不变。",
    "好&amp;[泪流满面]👍🏽［泪］&#128514;[视频]",
    "今天 好 开心！！！！！！ //@小明: LOVE http://t.cn/RqzT1 [泪]",
    "回复@小明:👨‍👩‍👧‍👦🇨🇳1️⃣❤️",
    "\u1112\u1161\u11abcafe\u0301 ｶﾞ①㎏ﬁ",
    "\x00\u200b\ufeff\ud83d\u2028",
    "哈哈哈哈哈哈哈哈[[泪]][12][一二三四五六七八九]",
    "<pad>##泪<unk_emoji>",
]


def make_post(data: "FuzzedDataProvider") -> str:
    """A post of at most :data:`LONGEST_POST` characters: traps, emoji, characters of one block, raw Unicode, repetitions."""
    post = last = ""
    for _ in range(data.ConsumeIntInRange(0, 9)):
        kind = data.ConsumeIntInRange(_RAW, _REPEAT)
        if kind == _RAW:
            last = data.ConsumeUnicode(data.ConsumeIntInRange(0, 63))
        elif kind == _TRAP:
            last = TRAPS[data.ConsumeIntInRange(0, len(TRAPS) - 1)]
        elif kind == _EMOJI:
            last = EMOJI[data.ConsumeIntInRange(0, len(EMOJI) - 1)]
        elif kind == _BLOCK:
            last = chr(_BLOCKS[data.ConsumeIntInRange(0, len(_BLOCKS) - 1)] + data.ConsumeIntInRange(0, 127))
        else:
            last = (last * _REPEATS[data.ConsumeIntInRange(0, len(_REPEATS) - 1)])[:LONGEST_POST]
        post = (post + last)[:LONGEST_POST]
    return post


def input_of(post: str) -> bytes:
    """The input of which a target makes this post of up to 63 characters, and from then on takes the least of every choice.

    A provider takes numbers from the end of the bytes and text from their beginning, where a first byte of 0 says UTF-32.
    """
    return b"\0" + post.encode("utf-32-le", "surrogatepass") + bytes([len(post), _RAW, 1])
