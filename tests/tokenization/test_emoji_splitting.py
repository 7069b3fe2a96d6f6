"""Emoji in text: Unicode graphemes against the ``emoji`` package, weibo codes against a table."""

import re

import emoji
import pytest

from tokenization import split_emoji, strip_emoji
from tokenization.emoji_splitting import CONTENT_MARKERS, chinese_emoji_name, fold_emoji, known_unicode_emoji

FULLY_QUALIFIED = {e: data["en"] for e, data in emoji.EMOJI_DATA.items() if data["status"] == emoji.STATUS["fully_qualified"]}
TEXT_DEFAULT = [e for e, data in emoji.EMOJI_DATA.items() if len(e) == 1 and data["status"] == emoji.STATUS["unqualified"]]
EMOJI_BY_NAME = {name: e for e, name in FULLY_QUALIFIED.items()}
TONE_IN_NAME = re.compile(r"_(?:light|medium-light|medium|medium-dark|dark)_skin_tone")


def emoji_in(text: str) -> list[str]:
    return [piece.text for piece in split_emoji(text) if piece.is_emoji]


def pieces_between_words(middle: str) -> list[tuple[str, bool]]:
    return [(piece.text, piece.is_emoji) for piece in split_emoji(f"好{middle}累")]


def test_every_fully_qualified_emoji_is_one_piece_between_two_characters():
    broken = [e for e in FULLY_QUALIFIED if pieces_between_words(e) != [("好", False), (e, True), ("累", False)]]
    assert len(FULLY_QUALIFIED) > 3000
    assert broken == []


def test_every_known_emoji_is_split_off_in_its_folded_spelling():
    assert [e for e in known_unicode_emoji() if emoji_in(f"好{e}累") != [e]] == []


def test_text_default_symbols_are_text_without_a_variation_selector():
    assert {"©", "®", "™", "‼", "ℹ", "▶", "☎", "✔", "♂"} <= set(TEXT_DEFAULT)
    assert [c for c in TEXT_DEFAULT if pieces_between_words(c) != [(f"好{c}累", False)]] == []


def test_text_default_symbols_with_a_variation_selector_are_emoji():
    assert [c for c in TEXT_DEFAULT if emoji_in(f"好{c}\ufe0f累") != [f"{c}\ufe0f"]] == []


@pytest.mark.parametrize("text", ["❤\ufe0e", "☎\ufe0e", "123", "#话题#", "*", "🇨", "\u200d", "\ufe0f", "\u20e3"])
def test_bare_parts_and_text_presentation_are_text(text):
    assert emoji_in(f"好{text}累") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("😂😂", ["😂", "😂"]),
        ("👨‍👩‍👧‍👦😂", ["👨‍👩‍👧‍👦", "😂"]),
        ("👩🏽‍🚀", ["👩🏽‍🚀"]),
        ("❤️‍🔥", ["❤️‍🔥"]),
        ("🏳️‍🌈", ["🏳️‍🌈"]),
        ("🇨🇳🇺🇸", ["🇨🇳", "🇺🇸"]),
        ("🇨🇳🇺", ["🇨🇳"]),
        ("🏴󠁧󠁢󠁥󠁮󠁧󠁿🏴", ["🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🏴"]),
        ("1️⃣2️⃣#️⃣*️⃣", ["1️⃣", "2️⃣", "#️⃣", "*️⃣"]),
        ("👍🏻👍👍🏿", ["👍🏻", "👍", "👍🏿"]),
        ("😂\u200d累", ["😂"]),
    ],
)
def test_grapheme_clusters_are_whole(text, expected):
    assert emoji_in(text) == expected


@pytest.mark.parametrize("code", ["[泪]", "[泪流满面]", "[doge]", "[允悲]", "[2018加油]", "[喵喵]", "[一二三四五六七八]"])
def test_names_in_square_brackets_are_weibo_codes(code):
    assert pieces_between_words(code) == [("好", False), (code, True), ("累", False)]


NO_CODES = ["[]", "[ ]", "[泪 流]", "[泪\n]", "[泪,流]", "[泪，流]", "[泪_流]", "[a/b]", "[1, 2]", "[12]", "[2024]", "[😂]"]


@pytest.mark.parametrize("text", [*NO_CODES, "[一二三四五六七八九]", "[泪", "泪]", "【泪】", "(泪)"])
def test_other_brackets_are_no_weibo_codes(text):
    assert [e for e in emoji_in(text) if e.startswith("[")] == []


def test_content_markers_are_text():
    assert {"视频", "投票", "图片", "直播"} <= CONTENT_MARKERS
    assert [name for name in CONTENT_MARKERS if emoji_in(f"好[{name}]累")] == []


def test_only_the_innermost_brackets_make_a_code():
    assert emoji_in("[[泪]]") == ["[泪]"]
    assert emoji_in("[视频[泪]]") == ["[泪]"]
    assert emoji_in("[泪][泪]") == ["[泪]", "[泪]"]


@pytest.mark.parametrize(
    ("text", "words"), [("好想哭[泪]😭真的", "好想哭真的"), ("[视频]好☎", "[视频]好☎"), ("👍🏽[泪]1️⃣", ""), ("", "")]
)
def test_strip_emoji_leaves_the_words(text, words):
    assert strip_emoji(text) == words


def test_skin_tones_fold_to_the_emoji_of_the_same_name_without_tone():
    toned = {e: TONE_IN_NAME.sub("", name) for e, name in FULLY_QUALIFIED.items() if TONE_IN_NAME.search(name)}
    expected = {e: EMOJI_BY_NAME[base] for e, base in toned.items() if base in EMOJI_BY_NAME}
    assert len(expected) > 1500
    assert {e: fold_emoji(e) for e in expected if fold_emoji(e) != expected[e]} == {}


def test_every_spelling_folds_to_one_known_emoji():
    assert {fold_emoji(e) for e in emoji.EMOJI_DATA} == set(known_unicode_emoji())
    assert [e for e in known_unicode_emoji() if fold_emoji(e) != e] == []
    unqualified = {e: EMOJI_BY_NAME[data["en"]] for e, data in emoji.EMOJI_DATA.items() if data["status"] > 2}
    assert [e for e, full in unqualified.items() if fold_emoji(e) != fold_emoji(full)] == []


@pytest.mark.parametrize(
    ("grapheme", "folded"), [("👍🏽", "👍"), ("❤", "❤️"), ("1⃣", "1️⃣"), ("😂\u200d🚀", "😂"), ("🏽", "🏽"), ("👩🏽‍🚀", "👩‍🚀")]
)
def test_fold_emoji_on_hand_made_cases(grapheme, folded):
    assert fold_emoji(grapheme) == folded


def test_chinese_names_are_plain_words():
    assert chinese_emoji_name("😂") == "笑哭了"
    assert chinese_emoji_name("好") == ""
    names = [chinese_emoji_name(e) for e in known_unicode_emoji() if chinese_emoji_name(e)]
    assert len(names) > 1800
    assert [name for name in names if "_" in name or name != name.strip(": ")] == []
