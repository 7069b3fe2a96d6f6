import io
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from transformers import pipeline

from aslstm.prediction.attention_view import (
    Piece,
    contribution_pieces,
    heaviest_pieces,
    pieces_for_and_against,
    pieces_of,
    show_attention,
    show_contributions,
)
from modeling_aslstm.results_aslstm import attention_entries
from tests.support.commands import ROOT
from tokenization import ASLSTMTokenizer

POSTS = [
    "今天又加班[泪]",
    "<script>alert(1)</script>太好吃了😂",
    '"><img src=x onerror=alert(1)> 气死我了[怒]',
    "[bold]今天[/bold] & \x1b[31m红\u202e反[泪]",
    "Nice 一天， http://example.com/a?b=1&c=2 👨‍👩‍👧",
    "",
]


class Page(HTMLParser):
    """The text and the elements of a page, as a browser reads them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.shaded: list[tuple[str, float]] = []
        self.outlined: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data
        tag, attributes = self.tags[-1] if self.tags else ("", {})
        if tag == "span" and "title" in attributes:
            self.shaded.append((data, float(attributes["title"] or 0)))
        elif tag == "span" and "outline" in (attributes.get("style") or ""):
            self.outlined.append(data)


@pytest.fixture(scope="module")
def results(model_folder: Path) -> list[dict[str, Any]]:
    classify = pipeline("text-classification", model=str(model_folder), trust_remote_code=True)
    return classify(POSTS, return_attention=True, emoji_effect=True, return_contributions=True)


def in_terminal(view: Any, *, color: bool) -> str:
    console = Console(file=io.StringIO(), force_terminal=color, color_system="truecolor" if color else None, width=200)
    console.print(view)
    return console.file.getvalue()


def test_posts_are_shown_as_text_whatever_they_hold(results: list[dict[str, Any]]) -> None:
    page = Page(show_attention(results, POSTS)._repr_html_())
    assert {tag for tag, _ in page.tags} == {"div", "b", "span"}
    assert all(set(attributes) <= {"style", "title"} for _, attributes in page.tags)
    for post in POSTS:
        assert post.replace("\x1b", "\ufffd").replace("\u202e", "\ufffd") in page.text
    assert not set(page.text) & {"\x1b", "\u202e"}


def test_contributions_of_posts_are_shown_as_text_whatever_they_hold(results: list[dict[str, Any]]) -> None:
    page = Page(show_contributions(results, POSTS)._repr_html_())
    assert {tag for tag, _ in page.tags} == {"div", "b", "span"}
    assert all(set(attributes) <= {"style", "title"} for _, attributes in page.tags)
    for post in POSTS:
        assert post.replace("\x1b", "\ufffd").replace("\u202e", "\ufffd") in page.text
    colored = in_terminal(show_contributions(results, POSTS), color=True)
    assert "\x1b[31m" not in colored and "\u202e" not in colored
    assert "\x1b" not in repr(show_contributions(results, POSTS))


CONTRIBUTIONS = [("今天", 0, False, 0.5), ("好", 2, False, 0.0), ("加班", 4, False, -1.0), ("[泪]", 6, True, 2.0)]


def contributions_result() -> dict[str, Any]:
    """An answer to 今天好，加班[泪] whose words and emoji have round contributions."""
    entries = [
        {
            "token": token,
            "start": start,
            "end": start + len(token),
            "is_emoji": is_emoji,
            "contributions": {"sadness": value, "anger": -value},
        }
        for token, start, is_emoji, value in CONTRIBUTIONS
    ]
    return {"label": "sadness", "score": 0.9, "contributions": entries}


def test_words_and_emoji_are_coloured_by_how_they_speak_for_the_answer() -> None:
    page = Page(show_contributions(contributions_result(), "今天好，加班[泪]")._repr_html_())
    styles = [(attributes["title"], attributes["style"]) for tag, attributes in page.tags if tag == "span"]
    assert [title for title, _ in styles] == ["+0.50", "-1.00", "+2.00"]
    assert [str(style).split("background:")[1] for _, style in styles] == [
        "rgba(255,140,0,0.25)", "rgba(70,130,220,0.50)", "rgba(255,140,0,1.00)",
    ]  # fmt: skip
    assert ["outline" in str(style) for _, style in styles] == [False, False, True]
    assert page.text == "sadness 0.90今天好，加班[泪]"
    other = contributions_result() | {"label": "anger"}
    assert 'title="-2.00"' in show_contributions(other)._repr_html_()


def test_a_terminal_names_what_speaks_for_the_answer_and_against_it() -> None:
    result = contributions_result()
    shown = repr(show_contributions(result, "今天好，加班[泪]")).splitlines()
    assert shown == ["sadness 0.90", "今天好，加班[泪]", "  for: [泪] +2.00  今天 +0.50", "  against: 加班 -1.00"]
    colored = in_terminal(show_contributions(result), color=True)
    assert "\x1b[1;4;30;48;2;255;140;0m[泪]" in colored and "48;2;162;192;238m加班" in colored
    pieces = contribution_pieces(result["contributions"], "sadness", "今天好，加班[泪]")
    assert "".join(piece.text for piece in pieces) == "今天好，加班[泪]"
    for_it, against = pieces_for_and_against(pieces, 1)
    assert [piece.text for piece in for_it + against] == ["[泪]", "加班"]


def test_results_without_contributions_are_refused() -> None:
    with pytest.raises(
        ValueError, match=r"show_contributions: expected results with 'contributions', found label, score; call"
    ):
        show_contributions({"label": "a", "score": 1.0})
    with pytest.raises(ValueError, match=r"return_contributions=True and without top_k"):
        show_contributions([[{"label": "a", "score": 1.0}]])


def test_words_are_shaded_by_their_weight_and_emoji_are_outlined(results: list[dict[str, Any]]) -> None:
    page = Page(show_attention(results[0], POSTS[0])._repr_html_())
    entries = results[0]["attention"]
    largest = max(entry["weight"] for entry in entries)
    seen = {entry["token"]: entry["weight"] for entry in entries if entry["weight"] / largest >= 0.01}
    assert dict(page.shaded) == pytest.approx(seen, abs=5e-4)
    shades = [float(a["style"].split(",")[-1].rstrip(")")) for _, a in page.tags if "title" in a and a["style"]]
    assert shades == pytest.approx([weight / largest for weight in seen.values()], abs=0.006)
    assert page.outlined == ["[泪]"]


def test_the_view_has_label_score_and_what_the_emoji_did(results: list[dict[str, Any]]) -> None:
    result, effect = results[0], results[0]["emoji_effect"]
    for text in (Page(show_attention(result)._repr_html_()).text, repr(show_attention(result))):
        assert text.startswith(f"{result['label']} {result['score']:.2f}")
        for name, part in (("without emoji", effect["without_emoji"]), ("emoji alone", effect["without_words"])):
            assert f"{name}: {part['label']} {part['score']:.2f}" in text
        assert ("words and emoji" in text) == effect["disagree"]
    for words, emoji, told in (
        ("happiness", "anger", "words and emoji disagree"),
        ("glee", "woe", "words and emoji get different labels"),  # Who knows which is positive?
        ("sadness", "anger", "words and emoji get different labels"),  # A model without polarities says so.
    ):
        parts = {"without_emoji": {"label": words, "score": 0.9}, "without_words": {"label": emoji, "score": 0.9}}
        assert repr(show_attention(result | {"emoji_effect": effect | parts | {"disagree": True}})).endswith(told)
        assert "words and emoji" not in repr(show_attention(result | {"emoji_effect": effect | parts | {"disagree": False}}))


def test_a_terminal_shows_colour_and_never_what_a_post_commands(results: list[dict[str, Any]]) -> None:
    colored = in_terminal(show_attention(results, POSTS), color=True)
    assert "\x1b[30;48;2;255;140;0m" in colored  # black on the full orange: the heaviest word of a post
    assert "\x1b[31m" not in colored and "\u202e" not in colored
    plain = in_terminal(show_attention(results, POSTS), color=False)
    assert "\x1b" not in plain
    assert "[bold]今天[/bold] & \ufffd[31m红\ufffd反[泪]" in plain


def test_printing_to_a_file_gives_plain_text(results: list[dict[str, Any]]) -> None:
    shown = repr(show_attention(results[0], POSTS[0]))
    assert shown.splitlines()[1] == POSTS[0]
    assert "\x1b" not in shown


def test_without_its_text_a_space_stands_for_what_lies_between() -> None:
    entries = [
        {"token": token, "start": start, "end": start + len(token), "weight": 0.5, "is_emoji": False}
        for token, start in (("今天", 0), ("加班", 5))
    ]
    result = {"label": "sadness", "score": 1.0, "attention": entries}
    assert repr(show_attention(result)).splitlines()[1] == "今天 加班"
    long = "今天@某人加班！" + "好" * 500
    assert repr(show_attention(result, long)).splitlines()[1] == long


@pytest.mark.parametrize(
    ("given", "texts", "message"),
    [
        ({"label": "a", "score": 1.0}, None, "'attention', found label, score; call the pipeline with"),
        ([[{"label": "a", "score": 1.0}]], None, "found list"),
        ([{"label": "a", "score": 1.0, "attention": []}], ["a", "b"], "a text for each of 1 results, found 2"),
    ],
)
def test_what_cannot_be_shown_is_a_clear_error(given: Any, texts: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        show_attention(given, texts)


def test_it_needs_no_torch_and_html_needs_no_rich() -> None:
    code = (
        "import sys; sys.modules |= {'torch': None, 'rich': None}\n"
        "from aslstm.prediction.attention_view import show_attention; "
        "print(show_attention({'label': 'a', 'score': 1.0, 'attention': []}, '好')._repr_html_())"
    )
    assert "好" in subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True).stdout


def entries_of(tokenizer: ASLSTMTokenizer, text: str) -> list[dict[str, Any]]:
    (post,) = tokenizer.encode_with_offsets([text])
    weights = [1 / len(post.ids)] * len(post.ids)
    return attention_entries(text, post.spans, post.ids, weights, tokenizer)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("今天//@小明:好", ["今天", "//@小明:", "好"]),
        ("回复@小明：好", ["回复@小明：", "好"]),
        ("重3㎏", ["重", "3", "㎏"]),
        ("好哈哈哈哈哈哈", ["好", "哈哈哈哈哈哈"]),
        ("[泪流满面]好", ["[泪流满面]", "好"]),
        ("看http://t.cn/A6abc，好", ["看", "http://t.cn/A6abc", "，", "好"]),
    ],
)
def test_each_stretch_of_a_post_is_shown_once(tokenizer: ASLSTMTokenizer, text: str, shown: list[str]) -> None:
    result = {"label": "a", "score": 1.0, "attention": entries_of(tokenizer, text)}
    pieces = pieces_of(result["attention"], text)
    assert [piece.text for piece in pieces] == shown
    assert sum(piece.weight for piece in pieces) == pytest.approx(sum(entry["weight"] for entry in result["attention"]))
    assert max(piece.shade for piece in pieces) == 1
    assert Page(show_attention(result, text)._repr_html_()).text.removeprefix("a 1.00") == text
    lines = repr(show_attention(result, text)).splitlines()
    assert lines[1] == text
    assert lines[2].count("//@小明:") <= 1
    without = repr(show_attention(result)).splitlines()[1]
    assert without == text.replace("http://t.cn/A6abc", " ")


def test_the_heaviest_pieces_come_first_and_none_without_a_weight() -> None:
    pieces = [Piece("a", 0.1), Piece("b", 0.5), Piece(" "), Piece("c", 0.4)]
    assert [piece.text for piece in heaviest_pieces(pieces, 2)] == ["b", "c"]
    assert len(heaviest_pieces(pieces, 9)) == 3
