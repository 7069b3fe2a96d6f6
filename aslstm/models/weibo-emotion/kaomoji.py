"""Takes a face made of characters, such as ``(╥﹏╥)``, ``T_T`` or ``orz``, and gives the weibo code of what it shows.

The code is named in Chinese: ``[泪]``. So all faces of one meaning are one emoji, and a face that training never showed means
what its name means.

A face is an eye, a mouth and an eye; cheeks, brackets and arms around them say nothing. Eyes that cry, rage or shine decide
what it shows; otherwise the mouth does, where it is one that shows something, and else the eyes. A face without brackets needs
eyes of the table.
"""

import re
import unicodedata
from functools import cache

from .emoji_splitting import BMP_EMOJI_CHARACTERS

# Pairs of a left and a right eye, that decide whatever the mouth is.
_STRONG_EYES = {
    "泪": "TT ㄒㄒ ╥╥ ಥಥ ππ QQ ;; ⊤⊤ ꒦꒦",
    "怒": "`´ `′ ‵′ ˋˊ òó ╬╬ ◣◢ ▼▼",
    "星星眼": "☆☆ ★★ ✪✪ ✧✧",
    "爱你": "♥♥ ♡♡ ❤❤",
    "鄙视": "¬¬ ￢￢ ﹁﹁",
    "斜眼": "→→ ←←",
    "晕": "@@ xx XX ×× ++",
}
# Pairs that give way to a mouth that shows something.
_WEAK_EYES = {
    "嘻嘻": "^^ ∩∩ ⌒⌒ ≧≦ ≥≤ ◠◠ ❛❛ ᵔᵔ ´` ´′ ′‵ ‘’",
    "可爱": "◕◕ ･･ ・・ ·· •• ●● ｡｡",
    "抓狂": ">< ⋟⋞",
    "无语": "== -- −− ── 눈눈 ಠಠ ーー ｰｰ ￣￣ ¯¯ ˉˉ ▔▔",
    "吃惊": "⊙⊙ OO oo oO Oo 00 ◎◎ °° ﾟﾟ ゜゜ ŐŐ ꒪꒪",
    "无奈": "╯╰ ﹀﹀",
    "满足": "︶︶ ˘˘",
}
_MOUTHS = {
    "嘻嘻": "▽∇▿∀‿◡ᴗᗨㅂᄇᗜ︶",
    "可爱": "ωᴥㅅﻌ",
    "吃惊": "Дд□△",
    "委屈": "﹏",
    "亲亲": "εзɜ³",
    "馋嘴": "﹃ρ",
    "怒": "皿益",
    "哼": "︿ヘへ",
}
# A left eye and a mouth that show something else together.
_TOGETHER = {
    ("╯", "▽"): "无奈", ("╯", "□"): "囧", ("╯", "口"): "囧", ("╯", "^"): "哼", ("╯", "3"): "亲亲",
    ("`", "ω"): "得意", ("‵", "ω"): "得意", ("￣", "3"): "亲亲", ("^", "3"): "亲亲", ("o", "^"): "嘻嘻", ("=", "^"): "嘻嘻",
    ("≧", "3"): "亲亲", ("･", "_"): "无语", ("・", "_"): "无语", ("•", "_"): "无语", ("T", "3"): "亲亲",
    (">", "w"): "可爱", ("=", "w"): "可爱", ("-", "w"): "可爱",
}  # fmt: skip
# What is no eye, mouth and eye, or has a mouth that only these faces may have outside of brackets.
_OWN_BUILDS = {
    "跪了": "orz Orz ORZ OTZ Otz otz OTL 囧rz",
    "泪": "QAQ QwQ QWQ qaq qwq QvQ QoQ QOQ TAT TwT TvT ToT TOT T.T T-T Q.Q T^T Q^Q",
    "嘻嘻": "^.^ ^-^ ^o^ ^O^ ^0^ ^v^ ^V^ >v< >o<",
    "可爱": "OwO owo =w= -w- >w< 0w0",
    "亲亲": "^3^",
    "吃惊": "OAO O.O o.O O.o",
    "抓狂": ">.< >A<",
    "无语": "=.= -.- =A= -A-",
}
# "(:з」∠)", somebody who lies on the floor.
_LYING = "」∠"

_FULL_WIDTH = {0xFF01 + i: 0x21 + i for i in range(94)}
_EYES = {pair: name for eyes in (_STRONG_EYES, _WEAK_EYES) for name, pairs in eyes.items() for pair in pairs.split()}
_STRONG = frozenset(pair for pairs in _STRONG_EYES.values() for pair in pairs.split())
_NAME_OF_MOUTH = {mouth: name for name, mouths in _MOUTHS.items() for mouth in mouths}
_NAME_OF_BUILD = {face: name for name, faces in _OWN_BUILDS.items() for face in faces.split()}
_TELLING = "".join(_NAME_OF_MOUTH)


def _both_widths(characters: str) -> str:
    """Return a class of characters, and of the full-width forms of those of ASCII."""
    wide = (chr(ord(character) + 0xFEE0) for character in characters if "!" <= character <= "~")
    return f"[{re.escape(''.join(sorted({*characters, *wide})))}]"


def _bare_pattern() -> str:
    """Return the pattern of faces without brackets: letters must not belong to a word or a name, signs to a line of signs."""
    faces = {pair: f"{_both_widths(pair[0])}[_＿{_TELLING}]{{1,3}}{_both_widths(pair[1])}" for pair in _EYES}
    # The longest first, since the first that fits is taken.
    faces |= {build: re.escape(build) for build in sorted(_NAME_OF_BUILD, key=len, reverse=True)}
    of_letters = "|".join(faces[face] for face in faces if face[0].isalnum())
    of_signs = "|".join(faces[face] for face in faces if not face[0].isalnum())
    letters = f"(?<![A-Za-z0-9_@/.])(?:{of_letters})(?![A-Za-z0-9_])"
    return f"(?:{letters}|(?<![_=+\\-/])(?:{of_signs})(?![_=+\\-])[|｜]{{0,4}})"


# What a face in brackets is made of: no Chinese word, no brackets, and no emoji. A few Chinese characters are mouths.
_INSIDE = f"(?:[皿益口]|[^\u3400-\u4dbf\u4e00-\u9fff()（）\\[\\]\n\x00\ufe0f\u20e3{BMP_EMOJI_CHARACTERS}\U00010000-\U0010ffff])"
_LEFT_ARMS = r"╮╭┑┐┌└ヽヾ\\＼oO乁ლ↖_ε✧♪Σ∑∠づっ"
_RIGHT_ARMS = "[╭╮┍┌┘ゝ／ノﾉ/oOづっ↗_و✧ゞσ╯┛]{1,3}"
_BRACKETED = (
    f"(?:(?<![A-Za-z0-9])[{_LEFT_ARMS}]{{1,3}} ?)?[(（](?P<inside>{_INSIDE}{{2,16}})[)）]"
    f"(?:{_RIGHT_ARMS}(?![A-Za-z0-9]))?(?P<table>︵ ?┻[━─]┻)?"
)
_FIRST_SIGN = _both_widths("".join(face[0] for face in (*_EYES, *_NAME_OF_BUILD)))
# The look at what a face begins with spares nearly every character of a post the many eyes.
FACE = re.compile(f"(?=[(（{_LEFT_ARMS}]|{_FIRST_SIGN})(?:{_BRACKETED}|(?P<bare>{_bare_pattern()}))")


def _sign_pattern() -> str:
    """Return the pattern of what every face has: a character that little else has, or the whole of its own build.

    It begins with a class of characters, which is found many times as fast as one of many strings.
    """
    rare = f"{_TELLING}_＿^⊙≧╯∠ㄒ￣∩"
    firsts = {build[0]: re.escape(build[0]) for build in _NAME_OF_BUILD}
    builds = (
        f"(?<={first})(?:{'|'.join(re.escape(build[1:]) for build in _NAME_OF_BUILD if build[0] == character)})"
        for character, first in firsts.items()
    )
    return f"[{rare}{''.join(firsts.values())}](?:(?<=[{rare}])|{'|'.join(builds)})"


FACE_SIGN = re.compile(_sign_pattern())
_UNKNOWN_FACE = re.compile(f"(?P<left>\\S) ?[{_TELLING}]{{1,2}} ?(?P<right>\\S)")
# What stands beside the face in its brackets: cheeks, sweat and arms, but no words and no numbers.
_NO_CHEEKS = re.compile("[A-Za-kmnp-z0-9]")


# These two are compiled at their first use, because each takes longer than reading a thousand posts, and few posts need them.
@cache
def _bare() -> re.Pattern[str]:
    """Return what a face without brackets is, for those among words in brackets."""
    return re.compile(_bare_pattern())


@cache
def _known_face() -> re.Pattern[str]:
    """Return what a face with eyes of the table is, for the inside of brackets."""
    mouth = f" ?[_.\\-oO0wWvVuU3AxXー口^Ёё{_TELLING}]{{1,3}} ?"
    return re.compile("|".join(f"{re.escape(pair[0])}{mouth}{re.escape(pair[1])}" for pair in _EYES))


def _name_of_core(core: str) -> str:
    """Return what an eye, a mouth and an eye show, or "" if they are no face."""
    left, mouth, right = core[0], core[1:-1].strip(), core[-1]
    telling = next((c for c in mouth if c in _NAME_OF_MOUTH), mouth[:1])
    of_eyes = _EYES.get(left + right, "")
    of_mouth = "" if left + right in _STRONG else _NAME_OF_MOUTH.get(telling)
    return _TOGETHER.get((left, telling)) or of_mouth or of_eyes


def _name_of_inside(inside: str) -> str:
    """Return what a face in brackets shows, or "" if it is no face."""
    # Brows are marks that combine with the eyes.
    plain = "".join(c for c in inside.translate(_FULL_WIDTH) if unicodedata.category(c) != "Mn")
    if _LYING in plain:
        return "累"
    found = _known_face().search(plain)
    if found is None and (found := _UNKNOWN_FACE.search(plain)) is not None:
        left, right = found["left"], found["right"]
        # Letters are eyes where they are the same and of no alphabet that has these mouths.
        if any(c.isalnum() for c in (left, right)) and not (left == right > "\u0530"):
            return ""
    if found is None or _NO_CHEEKS.search(plain[: found.start()] + plain[found.end() :]):
        return ""
    return _name_of_core(found.group())


def _read_bare(match: re.Match[str]) -> str:
    face = match.group()
    plain = face.rstrip("|｜").translate(_FULL_WIDTH)
    return f"[{_NAME_OF_BUILD.get(plain) or _name_of_core(plain)}]"


def read_face(match: re.Match[str]) -> str:
    """Return the weibo code of a face that :data:`FACE` has found; what is no face after all stays.

    >>> FACE.sub(read_face, "(╥﹏╥)又加班orz(今天)")
    '[泪]又加班[跪了](今天)'
    """
    if match["bare"]:
        return _read_bare(match)
    name = "怒" if match["table"] else _name_of_inside(match["inside"])
    # A bare face may stand among words in brackets.
    return f"[{name}]" if name else _bare().sub(_read_bare, match.group())
