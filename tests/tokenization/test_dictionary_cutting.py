"""The words of jieba, cut by our own pass over its dictionary and model: compared with jieba itself."""

import os
from collections.abc import Iterator

import jieba
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jieba import finalseg

from aslstm.data.known_corpora import SAMPLE_FOLDER
from tokenization import UserWord
from tokenization.dictionary_cutting import DictionaryCutter, HiddenMarkovModel
from tokenization.word_segmentation import WordSegmenter

MODEL = HiddenMarkovModel(finalseg.start_P, finalseg.trans_P, finalseg.emit_P)


def cutter_of(reference: jieba.Tokenizer) -> DictionaryCutter:
    return DictionaryCutter(reference.FREQ, reference.total, MODEL, finalseg.Force_Split_Words)


@pytest.fixture(scope="module")
def reference() -> jieba.Tokenizer:
    tokenizer = jieba.Tokenizer()
    tokenizer.tmp_dir = os.devnull
    tokenizer.initialize()
    return tokenizer


@pytest.mark.parametrize("use_hmm", [True, False])
def test_posts_are_cut_as_jieba_cuts_them(reference: jieba.Tokenizer, use_hmm: bool) -> None:
    cutter = cutter_of(reference)
    posts = (SAMPLE_FOLDER / "train.jsonl").read_text(encoding="utf-8").splitlines()[:1500]
    assert len(posts) == 1500
    for post in posts:
        assert cutter.cut(post, use_hmm) == reference.lcut(post, HMM=use_hmm)


# Words of the dictionary, names and rare characters that it lacks, and everything at which jieba cuts or joins.
WORDS = [
    "今天",
    "又",
    "加班",
    "中华人民共和国",
    "的",
    "哈",
    "囧",
    "绝绝子",
    "韩冬",
    "龘",
    "鿕",
    "〇",
    "a1",
    "B",
    "3.14%",
    "3-3",
]
PIECES = st.sampled_from([*WORDS, "\r\n", *"5+#&._%- \t\r\n\u3000\x00\ud83d，。!😂éあ"])


@settings(deadline=None, max_examples=400)
@given(pieces=st.lists(PIECES | st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), max_size=30), use_hmm=st.booleans())
def test_any_text_is_cut_as_jieba_cuts_it(reference: jieba.Tokenizer, pieces: list[str], use_hmm: bool) -> None:
    text = "".join(pieces)
    assert cutter_of(reference).cut(text, use_hmm) == reference.lcut(text, HMM=use_hmm)


# Characters that the model knows from one place in a word alone: every way through them is impossible, and some equally so.
KNOWN_ONCE = {
    place: [c for c in seen if "一" <= c <= "龥" and sum(c in others for others in finalseg.emit_P.values()) == 1][:40]
    for place, seen in finalseg.emit_P.items()
}


@settings(deadline=None, max_examples=400)
@given(
    text=st.text(st.sampled_from([*"的一是啊龘鿕", *(c for seen in KNOWN_ONCE.values() for c in seen)]), min_size=1, max_size=6)
)
def test_ways_that_are_equally_impossible_end_as_they_do_in_jieba(text: str) -> None:
    assert all(KNOWN_ONCE.values())
    assert MODEL.cut(text) == list(finalseg.cut(text))


@settings(deadline=None, max_examples=150)
@given(
    words=st.dictionaries(st.text("甲乙丙丁a", min_size=1, max_size=5), st.integers(0, 3), min_size=1, max_size=12),
    text=st.text("甲乙丙丁戊a", max_size=24),
    use_hmm=st.booleans(),
)
def test_ties_end_as_they_do_in_jieba(
    tmp_path_factory: pytest.TempPathFactory, words: dict[str, int], text: str, use_hmm: bool
) -> None:
    path = tmp_path_factory.mktemp("dictionary") / "dict.txt"
    # jieba takes the logarithm of the sum, so one word has a frequency.
    path.write_text("".join(f"{word} {frequency}\n" for word, frequency in {**words, "己": 1}.items()), encoding="utf-8")
    reference = jieba.Tokenizer(str(path))
    reference.tmp_dir = os.devnull
    reference.initialize()
    assert cutter_of(reference).cut(text, use_hmm) == reference.lcut(text, HMM=use_hmm)


@pytest.fixture
def never_words() -> Iterator[set[str]]:
    before = set(finalseg.Force_Split_Words)
    yield finalseg.Force_Split_Words
    finalseg.Force_Split_Words.intersection_update(before)


def test_a_user_word_without_frequency_is_never_guessed(never_words: set[str]) -> None:
    assert "绝绝子" in WordSegmenter().cut("今天绝绝子啊")
    assert WordSegmenter([UserWord("绝绝子", 0)]).cut("今天绝绝子啊") == ["今天", "绝", "绝", "子", "啊"]
    assert never_words >= {"绝绝子"}


def test_long_rows_of_unknown_characters_are_cut(reference: jieba.Tokenizer) -> None:
    row = "龘靐齉爩" * 200
    cutter = cutter_of(reference)
    assert cutter.cut(row, True) == reference.lcut(row)
    assert "".join(cutter.cut(row * 50, True)) == row * 50
