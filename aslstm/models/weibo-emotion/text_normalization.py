"""Change a text before it is split: all rules of normalisation are here.

Takes the user's text and gives the text that the tokenizer sees, on request with the place of every character in the original.
Each change is a switch that is saved in ``tokenizer_config.json``, so that training and serving see the same text. Unicode
emoji are never changed.
"""

import html
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

from .emoji_codes import BRACKETED_CODE, SHORTCODE, SLASH_CODE, read_bracketed_code, read_shortcode, read_slash_code
from .emoji_splitting import BMP_EMOJI_CHARACTERS, EMOJI_BASES, KEYCAP, UNICODE_EMOJI, is_content_marker
from .kaomoji import FACE, FACE_SIGN, read_face

# Chinese and Japanese letters, their punctuation, and full-width forms. White space between two of these has no meaning.
_CJK = "\u2e80-\u303f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef"
_COMBINING = "\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\u3099\u309a\ufe20-\ufe2f\u1160-\u11ff"
# The texts of a batch are joined with this character. It is removed from every text first, so it never comes from a text.
SEPARATOR = "\x00"
# Control characters except white space, and zero-width and direction marks. U+200D stays, because emoji use it.
_INVISIBLE = "\x01-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u061c\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"
# Two Arabic phrases that Unicode has as one character each, of which NFKC makes 18 and 8; of any other it makes six at most.
# They stay as they are, because a text of them would become 18 times as long.
_LONG_EXPANSIONS = "\ufdfa\ufdfb"
# Where a URL ends although the next character could belong to it: at a keycap emoji, at the next URL, and at the two slashes of
# a repost ("//@name:").
_IN_URL = rf"(?!{KEYCAP}|https?://|//(?![a-z0-9/]))"
# The short links of weibo have letters and digits alone. Other URLs may have more, but end with none of what a sentence has.
_URL = (
    rf"(?:https?://|(?<![a-z0-9]))t\.cn/(?:{_IN_URL}[a-z0-9])+"
    rf"|(?:https?://|www\.)(?:{_IN_URL}[a-z0-9\-._~:/?#@!$&'*+,;=%])*{_IN_URL}[a-z0-9/=]"
)

Replacement = str | Callable[[re.Match[str]], str]
# The rules that new tokenizers follow. A saved tokenizer names those that its model was trained with; one that names none is
# older than the number and follows 1.
TEXT_RULES = 2


class Rule(NamedTuple):
    """One change of a text.

    Attributes:
        pattern: What is replaced.
        replacement: The new text, which refers to no group of the pattern, or a function of the match that returns it.
        guard: A quick pattern that every text with a match contains, or None. Texts without it skip the slow pattern.
        first_text_rules: The first number of the text rules that the change belongs to.
        last_text_rules: The last number of these.
    """

    pattern: re.Pattern[str]
    replacement: Replacement
    guard: re.Pattern[str] | None = None
    first_text_rules: int = 1
    last_text_rules: int = TEXT_RULES


def _unescape_html(match: re.Match[str]) -> str:
    return html.unescape(match.group())


def _normalize_cluster(match: re.Match[str]) -> str:
    cluster = match.group()
    return (
        cluster
        if cluster[0] in _LONG_EXPANSIONS or UNICODE_EMOJI.fullmatch(cluster)
        else unicodedata.normalize("NFKC", cluster)
    )


def _join_pair(match: re.Match[str]) -> str:
    return match.group().encode("utf-16-le", "surrogatepass").decode("utf-16-le")


def _drop_marker(match: re.Match[str]) -> str:
    return " " if is_content_marker(match[1]) else match.group()


def _lower(match: re.Match[str]) -> str:
    return match.group().lower()


def _class_of(characters: Iterable[str]) -> str:
    """Return characters as ranges for the inside of a regular expression's class.

    >>> _class_of("dabc")
    'a-d'
    """
    points = sorted(map(ord, set(characters)))
    firsts = [p for i, p in enumerate(points) if i == 0 or points[i - 1] != p - 1]
    lasts = [p for i, p in enumerate(points) if i == len(points) - 1 or points[i + 1] != p + 1]
    return "".join(f"{re.escape(chr(a))}-{re.escape(chr(b))}" for a, b in zip(firsts, lasts, strict=True))


def _changed_characters() -> dict[str, str]:
    """Return every character between U+0080 and U+FFFF that NFKC changes, with what it becomes."""
    # Most blocks, as those of Chinese characters, hold none and are passed over as a whole: this is done at every start.
    blocks = ("".join(map(chr, range(first, first + 64))) for first in range(0x80, 0x10000, 64) if not 0xD800 <= first < 0xE000)
    changed = (c for block in blocks if not unicodedata.is_normalized("NFKC", block) for c in block)
    return {c: new for c in changed if c not in _LONG_EXPANSIONS and (new := unicodedata.normalize("NFKC", c)) != c}


def _is_simple(character: str, changed: str) -> bool:
    """Return whether a character can be changed alone: neither it nor its replacement can be part of an emoji or cluster."""
    return character not in EMOJI_BASES and _ANY_COMBINING.search(character + changed) is None


def _simple(match: re.Match[str]) -> str:
    return _SIMPLE[match.group()]


def _look_up(table: Mapping[str, str], match: re.Match[str]) -> str:
    return table.get(match.group(), match.group())


def _character_rule(table: Mapping[str, str]) -> Rule:
    """Return the rule that looks characters up in a table."""
    # Python's re tests characters above U+FFFF one by one: all are looked up.
    below = _class_of(c for c in table if c <= "\uffff")
    return Rule(re.compile(f"[{below}\U00010000-\U0010ffff]"), partial(_look_up, table))


def _shorten_white_space(match: re.Match[str]) -> str:
    first, last = match.span()
    around = match.string[max(first - 1, 0) : first] + match.string[last : last + 1]
    return "" if len(around) == 2 and _IS_CJK.match(around[0]) and _IS_CJK.match(around[1]) else " "


def _shorten_run(match: re.Match[str]) -> str:
    return match[1] * 3 if _RUNNING.match(match[1]) else match.group()


_IS_CJK = re.compile(f"[{_CJK}]")
_ANY_COMBINING = re.compile(f"[{_COMBINING}]")
_CHANGED = _changed_characters()
# Nearly every post has full-width punctuation; each such character is one look-up.
_SIMPLE = {c: changed for c, changed in _CHANGED.items() if _is_simple(c, changed)}
# Runs of letters and signs are shortened, but not runs of digits ("10000" is not "1000") or of emoji.
_RUNNING = re.compile(f"[^\\d\\s{SEPARATOR}{BMP_EMOJI_CHARACTERS}\U00010000-\U0010ffff]")


# The rules in the order in which they apply. The key is the tokenizer's switch.
RULES: Mapping[str, tuple[Rule, ...]] = {
    # The rules of _ALWAYS cannot be switched off, because no vocabulary file can hold what they take out.
    "remove_separators": (Rule(re.compile(SEPARATOR), ""),),
    # Some programs write a character above U+FFFF, such as an emoji, as two surrogates.
    "join_surrogates": (Rule(re.compile("[\ud800-\udbff][\udc00-\udfff]"), _join_pair),),
    "unescape_html": (Rule(re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,30});"), _unescape_html),),
    # Before the rules that change characters: full-width punctuation ends a URL, but not what becomes of it; and so does a
    # zero-width space. The digit or # of a keycap emoji that follows a URL belongs to the emoji.
    "remove_urls": (Rule(re.compile(_URL, re.IGNORECASE | re.ASCII), " ", re.compile(r":/|w\.|W\.|t\.c|t\.C|T\.c|T\.C")),),
    "remove_invisible": (Rule(re.compile(f"[{_INVISIBLE}\ud800-\udfff]"), ""),),
    # A tokenizer's own table of characters comes first, so that codes and markers in traditional script are read.
    "map_characters": (),
    # This comes before NFKC, which takes many faces apart. Each becomes a code that is in use, or that spells what it means.
    "read_emoji_codes": (
        Rule(BRACKETED_CODE, read_bracketed_code, first_text_rules=2),
        Rule(FACE, read_face, FACE_SIGN, first_text_rules=2),
        Rule(SLASH_CODE, read_slash_code, first_text_rules=2),
        Rule(SHORTCODE, read_shortcode, first_text_rules=2),
    ),
    # Cluster by cluster, so that the place of every character is known. A cluster has at most 30 marks, because ordering n
    # marks takes n² steps.
    "normalize_unicode": (
        Rule(re.compile(f"[{_class_of(_SIMPLE)}](?![{_COMBINING}])"), _simple),
        Rule(
            re.compile(
                # The look-ahead avoids the long test for emoji at nearly every character of a post.
                f"(?=[^\x00-\x7f\u4e00-\u9fff]|[\x21-\x7e]\ufe0f?[{_COMBINING}])(?:{UNICODE_EMOJI.pattern}"
                f"|[^\x00-\x7f\u4e00-\u9fff{_COMBINING}][{_COMBINING}]{{0,30}}|[\x21-\x7e][{_COMBINING}]{{1,30}})"
            ),
            _normalize_cluster,
            # The blocks of emoji are left out, because NFKC does not change them.
            re.compile(
                f"[{_COMBINING}{_class_of(_CHANGED.keys() - _SIMPLE.keys())}\U00010000-\U0001f2ff\U0001fb00-\U0010ffff]"
            ),
        ),
    ),
    "lower_case": (Rule(re.compile("[A-Z\xc0-\xde\u0100-\u058f\u10a0-\u10ff\u1e00-\u1fff\u2c00-\u2cff]"), _lower),),
    # "//@name:" and "回复@name:" say that somebody else's words follow. The name itself has no meaning.
    "shorten_reposts": (Rule(re.compile(r"(?://|回复)[ \t]*@[^\s:：@/\x00]{1,30}[:：]"), "//"),),
    "remove_content_markers": (Rule(re.compile(r"\[([^\W_]{1,16})\]"), _drop_marker),),
    "remove_cjk_white_space": (Rule(re.compile(r"\s\s*"), _shorten_white_space),),
    # 哈哈哈哈哈 and 哈哈哈 become one word.
    "shorten_runs": (Rule(re.compile(r"(.)\1\1\1+"), _shorten_run),),
}
_ALWAYS = ("remove_separators", "join_surrogates", "remove_invisible", "map_characters")
SWITCHES = tuple(name for name in RULES if name not in _ALWAYS)


class AlignedText(NamedTuple):
    """A changed text and the places it came from.

    Attributes:
        text: The changed text.
        starts: For each character of ``text`` where its source begins in the original.
        ends: For each character of ``text`` where its source ends, so that i stands for ``original[starts[i] : ends[i]]``.
    """

    text: str
    starts: list[int]
    ends: list[int]


def _guarded(guard: re.Pattern[str], joined: str) -> Iterator[tuple[int, int]]:
    """Yield where each of the joined texts that contain the guard begins and ends."""
    end = -1
    while (found := guard.search(joined, end + 1)) is not None:
        start = joined.rfind(SEPARATOR, 0, found.start()) + 1
        end = joined.find(SEPARATOR, found.start())
        end = len(joined) if end < 0 else end
        yield start, end


def _find_matches(rule: Rule, joined: str) -> Iterator[re.Match[str]]:
    """Yield the matches of a rule in joined texts."""
    if rule.guard is None:
        yield from rule.pattern.finditer(joined)
        return
    for start, end in _guarded(rule.guard, joined):
        yield from rule.pattern.finditer(joined, start, end)


def _apply_aligned(aligned: AlignedText, rule: Rule) -> AlignedText:
    text, starts, ends = aligned
    parts: list[str] = []
    moved: list[tuple[int, int, int]] = []
    done = 0
    for match in _find_matches(rule, text):
        old = match.group()
        new = rule.replacement if isinstance(rule.replacement, str) else rule.replacement(match)
        if new == old:
            continue
        first, last = match.span()
        parts += text[done:first], new
        done = last
        # A character that becomes one other character keeps its place, so the lists need no change. Nearly all matches are so.
        if len(old) > 1 or len(new) != 1:
            moved.append((first, last, len(new)))
    if not parts:
        return aligned
    parts.append(text[done:])
    return AlignedText("".join(parts), *_move(starts, ends, moved)) if moved else AlignedText("".join(parts), starts, ends)


def _move(starts: list[int], ends: list[int], moved: list[tuple[int, int, int]]) -> tuple[list[int], list[int]]:
    """Return the places after some stretches of the text have been replaced.

    Every character of a replacement stands for the whole stretch, because a replacement of the same length may have its
    characters in another order, as the marks of a cluster.

    Args:
        starts: Where the source of each character begins.
        ends: Where the source of each character ends.
        moved: The first position of each replaced stretch, the position behind its last, and its new number of characters.
    """
    new_starts: list[int] = []
    new_ends: list[int] = []
    done = 0
    for first, last, length in moved:
        new_starts += starts[done:first]
        new_starts += [starts[first]] * length
        new_ends += ends[done:first]
        new_ends += [ends[last - 1]] * length
        done = last
    return new_starts + starts[done:], new_ends + ends[done:]


class TextNormalizer:
    """Applies the chosen changes in order.

    Args:
        characters: What single characters become, such as traditional characters with the simplified ones.
        text_rules: The number of the rules that a model was trained with, from 1 to :data:`TEXT_RULES`.
        switches: A value for each name in :data:`SWITCHES`. A switch that is not given is on.

    Raises:
        ValueError: A name is no switch, or the text rules are not known here.

    >>> TextNormalizer().normalize("今天 好 开心！！！！！！")
    '今天好开心!!!'
    """

    def __init__(
        self, characters: Mapping[str, str] = MappingProxyType({}), /, *, text_rules: int = TEXT_RULES, **switches: bool
    ) -> None:
        unknown = sorted(set(switches) - set(SWITCHES))
        if unknown:
            raise ValueError(f"expected normalisation switches among {list(SWITCHES)}, found {unknown}")
        if text_rules not in range(1, TEXT_RULES + 1):
            raise ValueError(f"expected text_rules from 1 to {TEXT_RULES}, found {text_rules!r}; install a newer aslstm")
        self.text_rules = text_rules
        self.switches = {name: bool(switches.get(name, True)) for name in SWITCHES}
        rules = dict(RULES)
        if characters:
            rules["map_characters"] = (_character_rule(dict(characters)),)
        chosen = [rule for name in rules if self.switches.get(name, True) for rule in rules[name]]
        self._rules = [rule for rule in chosen if rule.first_text_rules <= text_rules <= rule.last_text_rules]

    def normalize(self, text: str) -> str:
        """Return the text that is split into tokens."""
        return self.normalize_joined([text])

    def normalize_joined(self, texts: Iterable[str]) -> str:
        """Return the texts that are split into tokens, joined with :data:`SEPARATOR`; no rule looks across it.

        Posts are short, so starting a regular expression takes longer than its work on one post. Joined posts need one start.
        """
        # This is the first rule, "remove_separators".
        joined = SEPARATOR.join([text.replace(SEPARATOR, "") for text in texts])
        for pattern, replacement, guard, *_ in self._rules[1:]:
            if guard is None:  # The first character of these patterns is of a set, which the search jumps to.
                joined = pattern.sub(replacement, joined)
                continue
            parts: list[str] = []
            done = 0
            for start, end in _guarded(guard, joined):
                parts += joined[done:start], pattern.sub(replacement, joined[start:end])
                done = end
            joined = "".join(parts) + joined[done:] if parts else joined
        return joined

    def normalize_with_offsets(self, text: str) -> AlignedText:
        """Return what :meth:`normalize` does, with the place of every character in the original."""
        return self.normalize_joined_with_offsets([text])

    def normalize_joined_with_offsets(self, texts: Sequence[str]) -> AlignedText:
        """Return what :meth:`normalize_joined` does, with the place of every character in the text that it comes from.

        The places of the separators between the texts have no meaning.
        """
        starts: list[int] = []
        for text in texts:
            # This is the first rule, "remove_separators".
            starts += [i for i, c in enumerate(text) if c != SEPARATOR] if SEPARATOR in text else range(len(text))
            starts.append(0)
        del starts[-1:]
        joined = SEPARATOR.join([text.replace(SEPARATOR, "") for text in texts])
        aligned = AlignedText(joined, starts, [start + 1 for start in starts])
        for rule in self._rules[1:]:
            aligned = _apply_aligned(aligned, rule)
        return aligned
