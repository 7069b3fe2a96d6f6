"""What a crawler left around a post is taken out, and nothing that its author wrote."""

import time
from collections import Counter

import pytest

from aslstm.data.cleaning import CleaningCounts, clean
from aslstm.data.html_text import text_of_html
from tests.support.crawled_posts import NOTHING_WRITTEN, PAIRS, UNTOUCHED


@pytest.mark.parametrize(("written", "crawled"), PAIRS)
def test_a_crawled_post_becomes_what_was_written(written: str, crawled: str) -> None:
    found = clean(crawled)
    assert found.text == written and found.rules
    assert clean(found.text) == (written, "", ()), "cleaning twice changes nothing"


@pytest.mark.parametrize("post", NOTHING_WRITTEN)
def test_a_post_in_which_nobody_wrote_is_empty(post: str) -> None:
    assert clean(post).text == "" and clean(post).rules


@pytest.mark.parametrize("post", UNTOUCHED)
def test_what_only_looks_like_a_leftover_stays(post: str) -> None:
    assert clean(post) == (post, "", ())


def test_the_chain_of_reposts_is_kept_whole() -> None:
    found = clean("笑死[允悲]//<a href='/n/小鹿'>@小鹿</a>:哈哈<br/>哈\u200b//@路人甲:转发微博")
    assert found.chain == "//@小鹿:哈哈\n哈//@路人甲:转发微博"


def test_tags_that_pages_do_not_have_are_text_also_beside_those_that_they_have() -> None:
    assert text_of_html("x<y<br/>心情<崩溃>了<script>f()</script>") == "x<y\n心情<崩溃>了<script>f()</script>"
    assert text_of_html('<a title="a>b" href=x>好</a><A\nHREF="x">呀</A >') == "好呀"


def test_posts_are_counted_by_rule() -> None:
    counts = CleaningCounts()
    for post in ("好", "好//@a:b", "<br/>好//@a:b"):
        counts.add(clean(post).rules)
    assert counts == CleaningCounts(3, 2, Counter({"repost chains": 2, "HTML": 1}))
    assert counts + counts == CleaningCounts(6, 4, Counter({"repost chains": 4, "HTML": 2}))
    assert CleaningCounts(3).line() == ""


@pytest.mark.parametrize(
    "piece",
    [
        *("<a ", '<a href="', "<", "<a b='", "<!--", "&amp;", "<a><span><img location ", "\u200b ", "来自", "我在:", "...全文"),
        *("a\u200b", "{%", "赞[1]", "RT @", " 展开", ">全文", "<a '\"", "<a b=", "<a" + " " * 999),
    ],
)
def test_a_hostile_post_takes_no_longer_than_its_length_asks(piece: str) -> None:
    started = time.process_time()
    clean(piece * (200_000 // len(piece)))
    # The slowest of these takes 0.4 s; time that grows with the square of the length would take minutes.
    assert time.process_time() - started < 5
