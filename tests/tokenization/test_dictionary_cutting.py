"""The words of jieba, cut by our own pass over its dictionary and model: compared with jieba itself."""

import copy
import os
from collections.abc import Iterator
from dataclasses import replace

import jieba
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jieba import finalseg

from aslstm.data.known_corpora import SAMPLE_FOLDER
from aslstm.words.vocabulary import build_tokenizer, build_vocabulary
from tokenization import UserWord
from tokenization.dictionary_cutting import DictionaryCutter, HiddenMarkovModel
from tokenization.word_segmentation import WordSegmenter, can_be_kept

MODEL = HiddenMarkovModel(finalseg.start_P, finalseg.trans_P, finalseg.emit_P)


def cutter_of(reference: jieba.Tokenizer) -> DictionaryCutter:
    return DictionaryCutter(reference.FREQ, reference.total, MODEL, finalseg.Force_Split_Words)


def new_reference() -> jieba.Tokenizer:
    tokenizer = jieba.Tokenizer()
    tokenizer.tmp_dir = os.devnull
    tokenizer.initialize()
    return tokenizer


@pytest.fixture(scope="module")
def reference() -> jieba.Tokenizer:
    return new_reference()


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
def shared_set() -> Iterator[set[str]]:
    """What all tokenizers of jieba in one process never guess; it is as before after the test."""
    before = set(finalseg.Force_Split_Words)
    yield finalseg.Force_Split_Words
    finalseg.Force_Split_Words.intersection_update(before)


def state_of_jieba() -> list[object]:
    """Return a copy of what everybody who uses jieba in one process shares."""
    default = jieba.dt
    shared = finalseg.start_P, finalseg.trans_P, finalseg.emit_P, default.FREQ, default.user_word_tag_tab
    return [*map(copy.deepcopy, shared), set(finalseg.Force_Split_Words), default.total]


# What a sentence of each word is cut into, and into what where the word is never made. jieba guesses the first and knows the
# other two.
SENTENCES = {
    "绝绝子": ("今天 绝绝子 啊", "今天 绝 绝 子 啊"),
    "北京": ("我 在 北京 工作", "我 在 北 京 工作"),
    "中华人民共和国": ("爱 中华人民共和国", "爱 中华 人民共和国"),
}


@pytest.mark.parametrize("order", [("never", "always"), ("always", "never")])
def test_a_word_that_one_tokenizer_never_makes_is_a_word_of_another(shared_set: set[str], order: tuple[str, str]) -> None:
    always, never = ([words.split() for words in cut] for cut in zip(*SENTENCES.values(), strict=True))
    texts = ["".join(words) for words in always]
    assert [jieba.lcut(text) for text in texts] == always
    before = state_of_jieba()
    vocabulary = build_vocabulary(texts * 2)
    kinds = {
        "always": (build_tokenizer(vocabulary), always),
        "never": (build_tokenizer(replace(vocabulary, user_words=[UserWord(word, 0) for word in SENTENCES])), never),
    }
    in_order = [kinds[name] for name in order]
    for tokenizer, _ in in_order:
        tokenizer.tokenize("好")  # reads the dictionary and the user words
    for tokenizer, expected in in_order:
        assert [tokenizer.post_encoder.segmenter.cut(text) for text in texts] == expected
    assert state_of_jieba() == before
    assert [jieba.lcut(text) for text in texts] == always


@pytest.mark.parametrize("use_hmm", [True, False])
def test_words_that_are_never_made_are_those_of_jieba(shared_set: set[str], use_hmm: bool) -> None:
    posts = (SAMPLE_FOLDER / "train.jsonl").read_text(encoding="utf-8").splitlines()[:500]
    reference = new_reference()
    seen = sorted({word for post in posts for word in reference.cut(post, HMM=use_hmm) if can_be_kept(word)})
    never_words = [UserWord(word, 0) for word in seen[::3]]
    # What was never made may be made later, and the other way round.
    user_words = [UserWord(seen[1], 9), *never_words, UserWord(seen[1], 0), *(UserWord(seen[i], 9) for i in range(0, 900, 9))]
    segmenter = WordSegmenter(user_words, use_hmm=use_hmm)
    found = [segmenter.cut(post) for post in posts]
    assert not shared_set & {word.word for word in never_words}
    for word in user_words:
        reference.add_word(*word)
    assert found == [reference.lcut(post, HMM=use_hmm) for post in posts]
    assert segmenter.engine.tokenizer.FREQ == reference.FREQ


def test_long_rows_of_unknown_characters_are_cut(reference: jieba.Tokenizer) -> None:
    row = "龘靐齉爩" * 200
    cutter = cutter_of(reference)
    assert cutter.cut(row, True) == reference.lcut(row)
    assert "".join(cutter.cut(row * 50, True)) == row * 50
