from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from aslstm.training import rare_words
from aslstm.training.rare_words import HidingSegmenter, add_rare_words, collate, propose_words, train_tagger
from aslstm.training.word_tagger import WordTagger, WordTaggerConfig, tags_of_words, words_of_tags
from aslstm.words.new_words import discover_words
from tests.words.test_new_words import posts_with

# Known words that the tagger sees hidden and whole in turn.
WORDS = ("开心", "难过", "电影", "朋友", "老师", "晚饭", "天气", "音乐", "手机", "衣服", "学校", "公司")
RUNS = [f"我{a}了{b}也{c}" for a in WORDS for b in WORDS for c in WORDS if len({a, b, c}) == 3]


@pytest.fixture(scope="module")
def segmenter() -> HidingSegmenter:
    return HidingSegmenter()


@pytest.fixture(scope="module")
def tagger(segmenter: HidingSegmenter) -> WordTagger:
    return train_tagger(RUNS, segmenter, embedding_size=16, hidden_size=16)


@given(st.lists(st.text(alphabet="甲乙丙", min_size=1, max_size=5), min_size=1))
def test_tags_and_words_say_the_same(words: list[str]) -> None:
    assert words_of_tags("".join(words), tags_of_words(words)) == words


@given(st.lists(st.tuples(st.sampled_from("甲乙"), st.integers(0, 3)), min_size=1))
def test_any_tags_cut_a_text_without_loss(tagged: list[tuple[str, int]]) -> None:
    text = "".join(character for character, _ in tagged)
    assert "".join(words_of_tags(text, [tag for _, tag in tagged])) == text


def test_a_segmenter_forgets_for_a_while_and_for_good(segmenter: HidingSegmenter) -> None:
    assert segmenter.cut("看电影") == ["看", "电影"]
    with segmenter.hidden(["电影"]):
        assert segmenter.cut("看电影") == ["看", "电", "影"]
    assert segmenter.cut("看电影") == ["看", "电影"]
    assert HidingSegmenter(forgotten={"电影"}).cut("看电影") == ["看", "电", "影"]


def test_the_tagger_joins_crumbs_of_words_that_it_knows_from_training(tagger: WordTagger, segmenter: HidingSegmenter) -> None:
    with segmenter.hidden(["音乐", "手机"]):
        proposals = propose_words(tagger, ["我音乐了手机也开心", "我手机了老师也音乐"], segmenter)
    assert {"音乐", "手机"} <= set(proposals)


def test_no_proposal_breaks_a_known_word(tagger: WordTagger, segmenter: HidingSegmenter) -> None:
    for word in propose_words(tagger, RUNS[:50], segmenter):
        assert not any(word.endswith(known[0]) or word.startswith(known[1]) for known in WORDS)


def test_padding_does_not_show_in_the_tags(tagger: WordTagger) -> None:
    tagger.eval()
    rows = [{"input_ids": tagger.encode(run), "dictionary_tags": tags_of_words(list(run))} for run in ("我开心", RUNS[0])]
    together = tagger.tag(**collate(rows))
    assert together == [tagger.tag(**collate([row]))[0] for row in rows]
    assert [len(tags) for tags in together] == [3, len(RUNS[0])]


def test_a_saved_tagger_gives_the_same_scores(tagger: WordTagger, tmp_path: Path) -> None:
    tagger.eval()
    tagger.save_pretrained(tmp_path)
    loaded = WordTagger.from_pretrained(tmp_path).eval()
    batch = collate([{"input_ids": tagger.encode(RUNS[0]), "dictionary_tags": tags_of_words(list(RUNS[0]))}])
    assert torch.equal(tagger(**batch).logits, loaded(**batch).logits)
    assert loaded.tag(**batch) == tagger.tag(**batch)


def test_a_character_that_stands_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="expected each once"):
        WordTaggerConfig("甲乙甲")


def test_rare_words_come_beside_the_found_ones_with_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rare_words, "NUM_EPOCHS", 2)
    posts = posts_with("绝绝子")[:3000]
    found = discover_words(posts, method="words")
    words = add_rare_words(found, posts, max_word_length=6)
    assert {word.word for word in found} <= {word.word for word in words}
    assert [word.score for word in words] == sorted((word.score for word in words), reverse=True)
    assert all(word.count >= 1 and word.word in "".join(posts) for word in words)


def test_texts_without_chinese_change_nothing() -> None:
    assert add_rare_words([], ["no Chinese", ""], max_word_length=6) == []
