"""What changes a text before it is split: every switch on and off, and the places of the characters."""

import html
import unicodedata

import emoji
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenization.text_normalization import SWITCHES, TextNormalizer

NOTHING = TextNormalizer(**dict.fromkeys(SWITCHES, False))

# Switch, text, the text with only this switch on. With the switch off, nothing changes.
ONE_SWITCH = [
    ("unescape_html", "&lt;3 &amp; &#20320;&#x597D;", "<3 & 你好"),
    ("unescape_html", "A&B &nosuchentity; &;", "A&B &nosuchentity; &;"),
    ("unescape_html", "&amp;lt;", "&lt;"),
    ("normalize_unicode", "ＡＢＣ１２３！", "ABC123!"),
    ("normalize_unicode", "①㎏ﬁ", "1kgfi"),
    ("normalize_unicode", "cafe\u0301", "caf\u00e9"),
    ("normalize_unicode", "［泪］", "[泪]"),
    ("normalize_unicode", "\u1112\u1161\u11ab", "한"),
    ("lower_case", "LOVE Ünïcode ПРИВЕТ", "love ünïcode привет"),
    ("remove_urls", "看http://t.cn/RqzT1aB，好", "看 ，好"),
    ("remove_urls", "看https://weibo.com/a?b=c#d[泪]", "看 [泪]"),
    ("remove_urls", "www.baidu.com和t.cn/abc", " 和 "),
    ("remove_urls", "HTTP://T.CN/A", " "),
    ("remove_urls", "start.cn/a是文件", "start.cn/a是文件"),
    ("shorten_reposts", "好//@小明:真的//@Li_4：是", "好//真的//是"),
    ("shorten_reposts", "回复@小明:好", "//好"),
    ("shorten_reposts", "@小明 你好", "@小明 你好"),
    ("remove_content_markers", "看[视频]好[查看图片]", "看 好 "),
    ("remove_content_markers", "[泪]视频", "[泪]视频"),
    ("remove_cjk_white_space", "今天 好\u3000开\n心", "今天好开心"),
    ("remove_cjk_white_space", "I  love\u2028you 你 a", "I love you 你 a"),
    ("remove_cjk_white_space", "好 [泪]", "好 [泪]"),
    ("shorten_runs", "哈哈哈哈哈哈！！！！", "哈哈哈！！！"),
    ("shorten_runs", "哈哈哈 10000 ----", "哈哈哈 10000 ---"),
]


def only(switch: str, value: bool = True) -> TextNormalizer:
    return TextNormalizer(**{name: (name == switch) == value for name in SWITCHES})


@pytest.mark.parametrize(("switch", "text", "expected"), ONE_SWITCH)
def test_a_switch_makes_its_change_alone(switch, text, expected):
    assert only(switch).normalize(text) == expected
    assert NOTHING.normalize(text) == text


def test_the_table_shows_every_switch_at_work():
    assert {switch for switch, text, expected in ONE_SWITCH if text != expected} == set(SWITCHES)


@pytest.mark.parametrize(
    ("switch", "text", "on", "off"),
    [
        ("unescape_html", "好&hearts;", "好♥", "好&hearts;"),
        ("normalize_unicode", "好ﬁ", "好fi", "好ﬁ"),
        ("lower_case", "好A", "好a", "好A"),
        ("remove_urls", "好http://t.cn/a", "好 ", "好http://t.cn/a"),
        ("shorten_reposts", "好//@a:累", "好//累", "好//@a:累"),
        ("remove_content_markers", "好[视频]累", "好累", "好[视频]累"),
        ("remove_cjk_white_space", "好 累", "好累", "好 累"),
        ("shorten_runs", "好好好好好", "好好好", "好好好好好"),
    ],
)
def test_one_switch_off_leaves_the_others_on(switch, text, on, off):
    assert TextNormalizer().normalize(text) == on
    assert only(switch, False).normalize(text) == off


def test_the_changes_work_together():
    text = "今天 好 开心！！！！！！ [视频] //@小明: LOVE&amp;PEACE http://t.cn/RqzT1 [泪]"
    assert TextNormalizer().normalize(text) == "今天好开心!!! // love&peace [泪]"


def test_an_unknown_switch_is_refused_by_name():
    with pytest.raises(ValueError, match="lowercase"):
        TextNormalizer(lowercase=True)


@pytest.mark.parametrize("invisible", "\x00\x1b\x7f\u200b\u200e\u200f\u202e\ufeff\ud83d\udfff", ids=ascii)
def test_characters_that_show_nothing_go_whatever_the_switches(invisible):
    assert TextNormalizer().normalize(f"好{invisible}累") == "好累"
    assert NOTHING.normalize(f"好{invisible}累") == "好累"


def test_unicode_emoji_are_never_changed():
    sentences = [f"好{e}累" for e, data in emoji.EMOJI_DATA.items() if data["status"] == emoji.STATUS["fully_qualified"]]
    normalizer = TextNormalizer()
    assert [sentence for sentence in sentences if normalizer.normalize(sentence) != sentence] == []


@pytest.mark.parametrize("grapheme", ["😂", "⭐", "❌", "☎️", "1️⃣", "🇨🇳"])
def test_runs_of_an_emoji_keep_their_length(grapheme):
    assert TextNormalizer().normalize("好" + grapheme * 6) == "好" + grapheme * 6


@pytest.mark.parametrize("grapheme", ["😂", "👍🏽", "☎️", "1️⃣", "#️⃣"])
def test_an_emoji_behind_a_url_stays(grapheme):
    assert TextNormalizer().normalize("看http://t.cn/a" + grapheme) == "看 " + grapheme


@settings(deadline=None, max_examples=100)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_html_is_unescaped_as_the_standard_library_escapes_it(text):
    assert only("unescape_html").normalize(html.escape(text)) == NOTHING.normalize(text)


@pytest.mark.parametrize("block", [(0x21, 0x7F), (0x4E00, 0xA000), (0xFF01, 0xFFEF), (0x2460, 0x2500), (0x3200, 0x3400)])
def test_unicode_forms_are_those_of_the_standard_library(block):
    text = "".join(chr(code) for code in range(*block) if chr(code) not in emoji.EMOJI_DATA)
    assert only("normalize_unicode").normalize(text) == unicodedata.normalize("NFKC", text)


def test_offsets_point_at_the_source_of_every_character():
    text = "Ａ 好&amp;哈哈哈哈哈ﬁ"
    aligned = TextNormalizer().normalize_with_offsets(text)
    sources = [(c, text[start:end]) for c, start, end in zip(aligned.text, aligned.starts, aligned.ends, strict=True)]
    run = [("哈", "哈哈哈哈哈")] * 3
    assert sources == [("a", "Ａ"), (" ", " "), ("好", "好"), ("&", "&amp;"), *run, ("f", "ﬁ"), ("i", "ﬁ")]


def test_marks_in_another_order_stand_for_their_whole_cluster():
    # A cedilla comes before an accent; "q" joins with neither.
    aligned = TextNormalizer().normalize_with_offsets("好q\u0301\u0327")
    assert aligned == ("好q\u0327\u0301", [0, 1, 1, 1], [1, 4, 4, 4])


@settings(deadline=None, max_examples=100)
@given(st.text("今天好开心泪你我他a1。", max_size=30))
def test_text_that_stays_keeps_its_places(text):
    aligned = TextNormalizer(shorten_runs=False).normalize_with_offsets(text)
    assert aligned.text == text
    assert aligned.starts == list(range(len(text)))
    assert aligned.ends == list(range(1, len(text) + 1))
