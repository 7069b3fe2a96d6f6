import math
import subprocess
import sys

import pytest

from aslstm.words.measuring import measure_words
from aslstm.words.new_words import Thresholds, _is_phrase, discover_words, known_words
from aslstm.words.ngram_counting import clean
from tests.support.commands import ROOT

BEFORE = ("今天", "这家店", "真的", "妈妈说", "他唱歌", "天气", "电影", "新衣服", "晚饭", "老师", "演技", "风景")
BEHIND = ("了", "啊", "呢", "吧", "哦", "呀", "哈", "嘛", "好吃", "开心", "喜欢", "推荐")


def posts_with(*words: str) -> list[str]:
    """Each word between all mixtures of its surroundings, in a corpus that is mostly about other things."""
    posts = [before + word + behind for word in words for before in BEFORE for behind in BEHIND]
    return posts + [before + behind for before in BEFORE for behind in BEHIND] * 80


POSTS = posts_with("绝绝子", "不错")


@pytest.mark.parametrize("method", ["characters", "words"])
def test_a_coined_word_is_found_with_its_measures(method: str) -> None:
    found = {word.word: word for word in discover_words(POSTS, method=method)}
    assert "绝绝子" in found
    word = found["绝绝子"]
    assert word.count == len(BEFORE) * len(BEHIND)
    # The last characters of BEFORE differ, the first ones of BEHIND too.
    assert word.left_entropy == pytest.approx(math.log(len(BEFORE)), abs=1e-9 if method == "words" else 0.5)
    assert word.score == pytest.approx(word.cohesion * math.sqrt(word.left_entropy * word.right_entropy))
    assert "绝绝子" in word.example
    assert "不错" not in found, "jieba's dictionary has it"


def test_known_words_are_kept_where_asked() -> None:
    assert "不错" in {word.word for word in discover_words(POSTS, method="characters", known=())}


def test_no_discovery_finds_nothing() -> None:
    assert discover_words(POSTS, method="jieba") == []


def test_chunks_do_not_show_in_words_measures_or_examples() -> None:
    options = {"method": "characters", "known": (), "thresholds": Thresholds(5, 0.0, 0.0, 0.0)}
    whole = discover_words(POSTS, **options)
    assert len(whole) > 5
    assert discover_words(POSTS, **options, chunk_characters=sum(map(len, POSTS)) // 50, num_workers=2) == whole


@pytest.mark.parametrize(
    ("word", "cohesion", "is_phrase"),
    [
        ("让我", 3.0, True),
        ("忙的", 3.5, True),
        ("我们", 5.0, False),
        ("这本书", 5.0, True),
        ("给孩子", 9.0, True),
        ("10分钟", 9.0, True),
        ("月1日", 9.0, True),
        ("2g", 9.0, True),
        ("服务人员", 9.0, True),
        ("给人的感觉", 9.0, True),
        ("并不", 3.0, False),
        ("hold住", 5.0, False),
        ("3q", 5.0, False),
        ("4s店", 5.0, False),
        ("90后", 5.0, False),
        ("绝绝子", 5.0, False),
    ],
)
def test_the_boundary_test(word: str, cohesion: float, is_phrase: bool) -> None:
    assert _is_phrase(word, cohesion, {"服务", "人员", "孩子", "本书", "感觉", "不"}) == is_phrase


def test_half_of_a_word_is_no_word() -> None:
    found = {word.word for word in discover_words(POSTS, method="characters", known=())}
    assert not found & {"绝绝", "绝子"}


def test_mixed_runs_are_found() -> None:
    posts = posts_with("hold住")
    assert "hold住" in {word.word for word in discover_words(posts, method="characters")}


def test_the_length_counts_a_run_as_one_character() -> None:
    posts = posts_with("hold住")
    assert "hold住" in {word.word for word in discover_words(posts, method="characters", max_word_length=2)}
    assert "绝绝子" not in {word.word for word in discover_words(POSTS, method="characters", max_word_length=2)}


def test_a_word_that_jieba_cannot_keep_is_not_found() -> None:
    kept, too_long = "qz" * 31 + "q住", "qz" * 32 + "住"
    found = {word.word for word in discover_words(posts_with(kept, too_long), method="characters")}
    assert kept in found and too_long not in found


def test_given_words_have_the_measures_of_found_ones() -> None:
    found = {word.word: word for word in discover_words(POSTS, method="characters")}
    measured = measure_words(["绝绝子", "没有的词"], clean(POSTS))
    assert [word.word for word in measured] == ["绝绝子"]
    for name in ("count", "cohesion", "left_entropy", "right_entropy", "score"):
        assert getattr(measured[0], name) == pytest.approx(getattr(found["绝绝子"], name), abs=1e-9)


def test_given_words_overlap_stand_next_to_units_and_have_an_example_that_holds_them() -> None:
    repeated = measure_words(["哈哈"], clean(["哈哈哈"]))[0]
    assert (repeated.count, repeated.cohesion) == (2, pytest.approx(math.log(2 * 3 / (3 * 3))))
    assert repeated.left_entropy == repeated.right_entropy == pytest.approx(math.log(2))
    assert measure_words(["绝子"], clean(["hold绝子了", "world绝子啊"]))[0].left_entropy == pytest.approx(math.log(2))
    assert "绝绝子" in measure_words(["绝绝子"], clean(["天气很好今日出门" * 12 + "绝绝子"]))[0].example


@pytest.mark.parametrize("posts", [[], [""], ["一行"], ["no Chinese at all"], ["哈" * 1_000_000]])
def test_a_corpus_without_words_gives_none(posts: list[str]) -> None:
    assert discover_words(posts, method="characters") == []


@pytest.mark.parametrize(("units", "count"), [(1, 5), (1_000_000, 5), (4_000_000, 10), (3_500_000_000, 296)])
def test_the_smallest_count_follows_the_root_of_the_size(units: int, count: int) -> None:
    assert Thresholds().count_for(units) == count
    assert Thresholds(min_count=7).count_for(units) == 7


@pytest.mark.parametrize("options", [{"method": "magic"}, {"max_word_length": 1}])
def test_impossible_arguments_are_refused(options: dict) -> None:
    with pytest.raises(ValueError, match="expected"):
        discover_words(POSTS, **options)


def test_characters_need_neither_jieba_nor_transformers() -> None:
    code = (
        "import sys; from aslstm.words.new_words import discover_words\n"
        "discover_words(['绝绝子'] * 9, method='characters', known=())\n"
        "assert not {'jieba', 'transformers', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_known_words_are_those_of_jieba() -> None:
    words = known_words()
    assert {"不错", "人民", "b超"} <= words
    assert not {"绝绝子", "B超"} & words
