from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aslstm.words.text_splitting import TEXTS_AT_ONCE, TextSplitter, is_emoji_code, split_texts
from aslstm.words.vocabulary import build_tokenizer, build_vocabulary
from tests.support.commands import TEXTS
from tokenization.word_segmentation import UserWord, keep_whole

MORE_TEXTS = [
    "PK掉 他们  绝绝子[没见过][爱你]",
    "好冷❄️❄ 1⃣👍🏿👩🏽‍🚀🇨🇳",
    "//@某人: 看这里 http://t.cn/abc &amp; 哈哈哈哈哈哈",
    "[视频] 数组[1, 2]和[12] [ ] []",
    "\u3000\n\t全角　空格 end of line\n",
    "只有一个词",
]
ALL_TEXTS = [*TEXTS, *MORE_TEXTS]


def test_a_text_gives_the_tokens_of_a_tokenizer_that_knows_all_its_words() -> None:
    tokenizer = build_tokenizer(build_vocabulary(ALL_TEXTS, min_count=1, min_emoji_count=1))
    assert list(split_texts(ALL_TEXTS)) == [tokenizer.tokenize(text) for text in ALL_TEXTS]


@pytest.mark.parametrize("use_hmm", [True, False])
def test_user_words_and_switches_are_those_of_the_tokenizer(use_hmm: bool) -> None:
    user_words = keep_whole(["绝绝子", "pk掉"])
    switches = {"lower_case": False, "shorten_runs": False}
    vocabulary = build_vocabulary(ALL_TEXTS, min_count=1, min_emoji_count=1, user_words=user_words, use_hmm=use_hmm, **switches)
    tokenizer = build_tokenizer(vocabulary, use_hmm=use_hmm, **switches)
    split = list(split_texts(ALL_TEXTS, user_words=user_words, use_hmm=use_hmm, **switches))
    assert split == [tokenizer.tokenize(text) for text in ALL_TEXTS]
    assert "绝绝子" in split[len(TEXTS)]
    assert "哈" * 6 in "".join(split[len(TEXTS) + 2])


def test_a_user_word_is_normalised_as_the_text_is() -> None:
    (tokens,) = split_texts(["他们ＰＫ掉了"], user_words=[UserWord("PK掉")])
    assert "pk掉" in tokens


def test_words_are_whole_and_every_emoji_is_one_token() -> None:
    (tokens,) = split_texts(["今天又加班[没见过的码]👍🏽👩🏽‍🚀1⃣"])
    assert tokens == ["今天", "又", "加班", "[没见过的码]", "👍", "👩‍🚀", "1️⃣"]


@pytest.mark.parametrize(("tones", "folded"), [("👍👍🏻👍🏽👍🏿", "👍"), ("❤️❤️", "❤️"), ("🙏🏻🙏", "🙏")])
def test_the_skin_tones_of_an_emoji_are_one_token(tones: str, folded: str) -> None:
    (tokens,) = split_texts([f"好{tones}"])
    assert set(tokens[1:]) == {folded} and len(tokens) > 2


def test_brackets_that_are_no_code_are_split_as_text() -> None:
    (tokens,) = split_texts(["数组[1, 2]和[12]和[a/b][泪]"])
    assert [token for token in tokens if is_emoji_code(token)] == ["[泪]"]
    assert tokens.count("[") == 3


@pytest.mark.parametrize("text", ["", " ", "\n", "\u3000\t \u2028", "\x00\u200b", "\ud800"])
def test_a_text_without_any_token_gives_none(text: str) -> None:
    assert list(split_texts(["前", text, "后"])) == [["前"], [], ["后"]]


SPLITTER = TextSplitter()  # jieba reads its dictionary once


@given(st.text(max_size=40))
def test_no_token_has_white_space_or_is_empty(text: str) -> None:
    (tokens,) = SPLITTER.split([text])
    assert all(token and not any(character.isspace() for character in token) for token in tokens)


@pytest.mark.parametrize("count", [0, 1, 2 * TEXTS_AT_ONCE + 3])
def test_two_workers_give_what_one_gives_in_the_same_order(count: int) -> None:
    texts = [f"第{i}条{ALL_TEXTS[i % len(ALL_TEXTS)]}" for i in range(count)]
    user_words = keep_whole(["绝绝子"])
    alone = list(split_texts(texts, user_words=user_words, use_hmm=False, num_workers=1))
    assert list(split_texts(texts, user_words=user_words, use_hmm=False, num_workers=2)) == alone
    assert len(alone) == count
    assert all(str(i) in tokens for i, tokens in enumerate(alone))


def test_one_worker_reads_texts_as_they_are_needed() -> None:
    read = 0

    def endless() -> Iterator[str]:
        nonlocal read
        while True:
            read += 1
            yield "好"

    split = split_texts(endless())
    assert next(split) == ["好"]
    assert read == TEXTS_AT_ONCE


@pytest.mark.parametrize(
    ("token", "is_code"),
    [
        ("[泪]", True),
        ("[太开心]", True),
        ("[", False),
        ("]", False),
        ("泪", False),
        ("", False),
        ("😂", False),
        ("##泪", False),
    ],
)
def test_a_code_is_told_from_a_bracket(token: str, is_code: bool) -> None:
    assert is_emoji_code(token) == is_code
