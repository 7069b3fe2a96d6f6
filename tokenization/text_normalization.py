"""Everything that changes a text before it is split.

Takes the user's text, gives the text that the tokenizer sees, with or without the place of every character in the
original. Each change is a switch that is saved in ``tokenizer_config.json``, so that training and serving see the same
text. Unicode emoji are never changed.
"""

import html
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

from .emoji_codes import BRACKETED_CODE, SHORTCODE, SLASH_CODE, read_bracketed_code, read_shortcode, read_slash_code
from .emoji_splitting import BMP_EMOJI_CHARACTERS, CONTENT_MARKERS, EMOJI_BASES, KEYCAP, UNICODE_EMOJI
from .kaomoji import FACE, FACE_SIGN, read_face

# Chinese and Japanese letters, their punctuation, and full-width forms: between two of these white space says nothing.
_CJK = "\u2e80-\u303f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef"
_COMBINING = "\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\u3099\u309a\ufe20-\ufe2f\u1160-\u11ff"
# What texts of a batch are joined with. It is taken out of every text first, so it never comes from one.
SEPARATOR = "\x00"
# Controls but white space, zero-width and direction marks, and lone surrogates. U+200D stays: emoji use it.
_INVISIBLE = "\x01-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u061c\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"

Replacement = str | Callable[[re.Match[str]], str]
# The rules that new tokenizers follow. A saved tokenizer names those that its model was trained with; one that names none is
# older than the number and follows 1.
TEXT_RULES = 2


class Rule(NamedTuple):
    """One change: every match of ``pattern`` becomes ``replacement``, which refers to no group where it is a text.

    A text without a character of ``guard`` has no match, and is spared a slow pattern. The rule belongs to the text rules from
    ``first_text_rules`` to ``last_text_rules``.
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
    return cluster if UNICODE_EMOJI.fullmatch(cluster) else unicodedata.normalize("NFKC", cluster)


def _lower(match: re.Match[str]) -> str:
    return match.group().lower()


def _class_of(characters: Iterable[str]) -> str:
    """The inside of a class of a regular expression, as ranges.

    >>> _class_of("dabc")
    'a-d'
    """
    points = sorted(map(ord, set(characters)))
    firsts = [p for i, p in enumerate(points) if i == 0 or points[i - 1] != p - 1]
    lasts = [p for i, p in enumerate(points) if i == len(points) - 1 or points[i + 1] != p + 1]
    return "".join(f"{re.escape(chr(a))}-{re.escape(chr(b))}" for a, b in zip(firsts, lasts, strict=True))


def _changed_characters() -> dict[str, str]:
    """Every character of the BMP beyond ASCII that NFKC changes, with what it becomes."""
    above = (chr(point) for point in range(0x80, 0x10000) if not 0xD800 <= point < 0xE000)
    return {c: changed for c in above if (changed := unicodedata.normalize("NFKC", c)) != c}


def _is_simple(character: str, changed: str) -> bool:
    """Whether a character can be changed alone: no part of an emoji or of a cluster, nor is what it becomes."""
    return character not in EMOJI_BASES and _ANY_COMBINING.search(character + changed) is None


def _simple(match: re.Match[str]) -> str:
    return _SIMPLE[match.group()]


def _look_up(table: Mapping[str, str], match: re.Match[str]) -> str:
    return table.get(match.group(), match.group())


def _character_rule(table: Mapping[str, str]) -> Rule:
    """The rule that looks characters up in a table."""
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
# The full-width punctuation of nearly every post, one look-up each.
_SIMPLE = {c: changed for c, changed in _CHANGED.items() if _is_simple(c, changed)}
# Letters and signs, but no digits ("10000" is not "1000") and no emoji.
_RUNNING = re.compile(f"[^\\d\\s{SEPARATOR}{BMP_EMOJI_CHARACTERS}\U00010000-\U0010ffff]")


# In the order in which they apply. The key is the tokenizer's switch.
RULES: Mapping[str, tuple[Rule, ...]] = {
    # Not choices of the user, this and "remove_invisible": no vocabulary file could hold these characters.
    "remove_separators": (Rule(re.compile(SEPARATOR), ""),),
    "unescape_html": (Rule(re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,30});"), _unescape_html),),
    "remove_invisible": (Rule(re.compile(f"[{_INVISIBLE}\ud800-\udfff]"), ""),),
    # What a tokenizer's own table of characters says. It comes first, so that codes and markers in traditional script are read.
    "map_characters": (),
    # Before NFKC, which takes many faces apart. Each becomes a code that is in use, or that spells what it means.
    "read_emoji_codes": (
        Rule(BRACKETED_CODE, read_bracketed_code, first_text_rules=2),
        Rule(FACE, read_face, FACE_SIGN, first_text_rules=2),
        Rule(SLASH_CODE, read_slash_code, first_text_rules=2),
        Rule(SHORTCODE, read_shortcode, first_text_rules=2),
    ),
    # Cluster by cluster, so that every character keeps its place; at most 30 marks, since ordering n marks costs n².
    "normalize_unicode": (
        Rule(re.compile(f"[{_class_of(_SIMPLE)}](?![{_COMBINING}])"), _simple),
        Rule(
            re.compile(
                # The look ahead spares nearly every character of a post the long test for emoji.
                f"(?=[^\x00-\x7f\u4e00-\u9fff]|[\x21-\x7e]\ufe0f?[{_COMBINING}])(?:{UNICODE_EMOJI.pattern}"
                f"|[^\x00-\x7f\u4e00-\u9fff{_COMBINING}][{_COMBINING}]{{0,30}}|[\x21-\x7e][{_COMBINING}]{{1,30}})"
            ),
            _normalize_cluster,
            # Without the blocks of emoji, which NFKC does not change.
            re.compile(
                f"[{_COMBINING}{_class_of(_CHANGED.keys() - _SIMPLE.keys())}\U00010000-\U0001f2ff\U0001fb00-\U0010ffff]"
            ),
        ),
    ),
    "lower_case": (Rule(re.compile("[A-Z\xc0-\xde\u0100-\u058f\u10a0-\u10ff\u1e00-\u1fff\u2c00-\u2cff]"), _lower),),
    # The digit or # of a keycap emoji behind a URL belongs to the emoji.
    "remove_urls": (
        Rule(
            re.compile(
                rf"(?:https?://|www\.|(?<![a-z0-9])t\.cn/)(?:(?!{KEYCAP})[A-Za-z0-9\-._~:/?#@!$&'*+,;=%])+", re.IGNORECASE
            ),
            " ",
            re.compile("[.:]"),
        ),
    ),
    # "//@name:" and "回复@name:" say that another voice follows; who it is says nothing.
    "shorten_reposts": (Rule(re.compile(r"(?://|回复)[ \t]{0,3}@[^\s:：@/\x00]{1,30}[:：]"), "//"),),
    "remove_content_markers": (Rule(re.compile(r"\[(?:" + "|".join(sorted(CONTENT_MARKERS)) + r")\]"), " "),),
    "remove_cjk_white_space": (Rule(re.compile(r"\s+"), _shorten_white_space),),
    # 哈哈哈哈哈 and 哈哈哈 are one word.
    "shorten_runs": (Rule(re.compile(r"(.)\1{3,}"), _shorten_run),),
}
SWITCHES = tuple(name for name in RULES if name not in ("remove_separators", "remove_invisible", "map_characters"))


class AlignedText(NamedTuple):
    """A changed text and where it came from: character i stands for ``original[starts[i] : ends[i]]``."""

    text: str
    starts: list[int]
    ends: list[int]


def _find_matches(rule: Rule, joined: str) -> Iterator[re.Match[str]]:
    """The matches of a rule in joined texts; a text without a character of the guard is passed over."""
    if rule.guard is None:
        yield from rule.pattern.finditer(joined)
        return
    end = -1
    while (found := rule.guard.search(joined, end + 1)) is not None:
        start = joined.rfind(SEPARATOR, 0, found.start()) + 1
        end = joined.find(SEPARATOR, found.start())
        end = len(joined) if end < 0 else end
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
        # A character that becomes another one keeps its place, so the lists stay as they are: the rule of nearly every match.
        if len(old) > 1 or len(new) != 1:
            moved.append((first, last, len(new)))
    if not parts:
        return aligned
    parts.append(text[done:])
    return AlignedText("".join(parts), *_move(starts, ends, moved)) if moved else AlignedText("".join(parts), starts, ends)


def _move(starts: list[int], ends: list[int], moved: list[tuple[int, int, int]]) -> tuple[list[int], list[int]]:
    """Places after stretches ``first:last`` have become so many characters.

    The characters of a changed stretch all stand for the whole of it: it may be as long as before and yet in another order,
    as the marks of a cluster.
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
    """The chosen changes, in order.

    Args:
        characters: what single characters become: traditional characters with the simplified ones.
        text_rules: the number of the rules that a model was trained with, 1 to :data:`TEXT_RULES`.
        switches: a value for each name in :data:`SWITCHES`.

    Raises:
        ValueError: a name that is no switch, or text rules that are not known here.

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
        """The text that is split into tokens."""
        return self.normalize_joined([text])

    def normalize_joined(self, texts: Iterable[str]) -> str:
        """The texts that are split into tokens, with :data:`SEPARATOR` between them; no rule looks across it.

        Posts are short: what a regular expression costs to start is more than what it does, so they share the start.
        """
        # The first rule, "remove_separators".
        joined = SEPARATOR.join([text.replace(SEPARATOR, "") for text in texts])
        for pattern, replacement, guard, *_ in self._rules[1:]:
            if guard is None:
                joined = pattern.sub(replacement, joined)
            elif guard.search(joined):
                one_by_one = joined.split(SEPARATOR)
                joined = SEPARATOR.join([pattern.sub(replacement, t) if guard.search(t) else t for t in one_by_one])
        return joined

    def normalize_with_offsets(self, text: str) -> AlignedText:
        """The same text, with the place of every character in the original."""
        return self.normalize_joined_with_offsets([text])

    def normalize_joined_with_offsets(self, texts: Sequence[str]) -> AlignedText:
        """What :meth:`normalize_joined` gives, with the place of every character in the text that it comes from.

        The separators between the texts have places that say nothing.
        """
        starts: list[int] = []
        for text in texts:
            # The first rule, "remove_separators".
            starts += [i for i, c in enumerate(text) if c != SEPARATOR] if SEPARATOR in text else range(len(text))
            starts.append(0)
        del starts[-1:]
        joined = SEPARATOR.join([text.replace(SEPARATOR, "") for text in texts])
        aligned = AlignedText(joined, starts, [start + 1 for start in starts])
        for rule in self._rules[1:]:
            aligned = _apply_aligned(aligned, rule)
        return aligned
