"""Text to ids and back: what a token is, truncation, offsets, saving, and any text at all."""

import copy
import json
import os
import pickle
import subprocess
import sys
import time
from pathlib import Path

import datasets
import pytest
from conftest import TEXTS
from datasets.fingerprint import Hasher
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenization import ASLSTMTokenizer, UserWord, build_tokenizer, build_vocabulary

# The characters of the names must have been seen for the pieces to have ids of their own.
SEEN_NAMES = ["泪流满面"] * 2
UNSEEN = ["<unk_emoji>", "##泪", "##流", "##满", "##面"]
FRAGMENTS = ["[泪]", "[泪流满面]", "[龘]", "[", "😂", "👍🏽", "\u200d", "\ufe0f", "🏽", "<pad>", "<unk_emoji>", "##泪", "//@a:", "&lt;", "ﷺ"]
ANY_TEXT = st.lists(st.sampled_from([*FRAGMENTS, *TEXTS]) | st.text(st.characters(), max_size=6), max_size=10).map("".join)


@pytest.fixture(scope="module")
def spelling_tokenizer() -> ASLSTMTokenizer:
    """Knows the pieces of [泪流满面], and not the code."""
    return build_tokenizer(build_vocabulary([*TEXTS, *SEEN_NAMES]))


def is_emoji_id(tokenizer: ASLSTMTokenizer, token_id: int) -> bool:
    return tokenizer.emoji_token_offset <= token_id < tokenizer.emoji_token_offset + tokenizer.num_emoji_tokens


# ---- tokens ----


def test_words_and_emoji_stand_in_the_order_of_the_text(tokenizer):
    tokens = tokenizer.tokenize("气死我了[怒]。再也不买了[泪]😂")
    assert [t for t in tokens if is_emoji_id(tokenizer, tokenizer.convert_tokens_to_ids(t))] == ["[怒]", "[泪]", "😂"]
    assert "".join(tokens) == "气死我了[怒]。再也不买了[泪]😂"


def test_an_unknown_word_is_spelled_in_characters(tokenizer):
    assert "累死" not in tokenizer.get_vocab()
    assert tokenizer.tokenize("累死") == ["累", "死"]
    assert tokenizer("累死龘").input_ids == [*tokenizer.convert_tokens_to_ids(["累", "死"]), tokenizer.unk_token_id]


def test_an_unseen_code_is_spelled_in_emoji_ids_and_decodes_to_itself(spelling_tokenizer):
    tokens = spelling_tokenizer.tokenize("累[泪流满面]")
    ids = spelling_tokenizer("累[泪流满面]").input_ids
    assert tokens == ["累", *UNSEEN]
    assert [is_emoji_id(spelling_tokenizer, i) for i in ids] == [False] + [True] * 5
    assert len(set(ids)) == 6
    assert spelling_tokenizer.decode(ids) == "累[泪流满面]"


def test_an_unseen_character_of_a_name_has_an_emoji_id(tokenizer):
    ids = tokenizer("[龘龘]").input_ids
    assert ids
    assert all(is_emoji_id(tokenizer, i) for i in ids)


@pytest.mark.parametrize(("text", "token"), [("👍🏽", "👍"), ("👍", "👍"), ("❤️", "❤️"), ("👩🏿‍🚀", "👩‍🚀"), ("1️⃣", "1️⃣"), ("🇨🇳", "🇨🇳")])
def test_forms_of_an_emoji_share_a_token(tokenizer, text, token):
    assert tokenizer.tokenize(f"好{text}") == ["好", token]
    assert is_emoji_id(tokenizer, tokenizer.convert_tokens_to_ids(token))


@pytest.mark.parametrize("text", ["<pad>", "<unk>", "<mask>", "<pad><unk>[PAD]", "<unk_emoji>", "＜pad＞", "&lt;pad&gt;", "##泪", "##"])
def test_user_text_never_yields_a_special_token(tokenizer, text):
    tokens = tokenizer.tokenize(f"好{text}累")
    emoji_spelled = {"<unk_emoji>", "##p", "##a", "##d"} if "[" in text else set()
    assert not set(tokens) & ({"<pad>", "<unk>", "<mask>", "<unk_emoji>", "##泪"} - emoji_spelled)
    assert not {tokenizer.pad_token_id, tokenizer.mask_token_id} & set(tokenizer(text).input_ids)


@pytest.mark.parametrize("empty", ["", "  ", "\n", "\u3000\u2028", "\x00", "\ud83d", "\u200d", "\ufe0f", "[视频]"])
def test_a_text_without_tokens_is_one_unk_alone_and_in_a_batch(tokenizer, empty):
    assert tokenizer(empty).input_ids == [tokenizer.unk_token_id]
    assert tokenizer([empty, "今天", empty]).input_ids == [[1], tokenizer("今天").input_ids, [1]]


def test_padding_stands_behind_and_is_masked(tokenizer):
    batch = tokenizer(["今天又加班[泪]", ""], padding=True)
    assert batch.input_ids[1] == [1] + [0] * (len(batch.input_ids[0]) - 1)
    assert batch.attention_mask == [[1] * len(batch.input_ids[0]), [1] + [0] * (len(batch.input_ids[0]) - 1)]
    assert set(batch) == {"input_ids", "attention_mask"}


@pytest.mark.parametrize("text", ["今天又加班[泪]", "love this song😂单曲循环", "气死我了[怒]。好累", "this is love"[8:]])
def test_decode_gives_known_text_back(tokenizer, text):
    assert tokenizer.decode(tokenizer(text).input_ids) == text


@settings(deadline=None, max_examples=60)
@given(text=st.lists(st.sampled_from(["今天", "累", "气死我了", "。", "[泪]", "[怒]", "😂", "👍", "[泪流满面]"]), max_size=12).map("".join))
def test_decode_is_the_inverse_on_chinese_and_emoji(spelling_tokenizer, text):
    plain = spelling_tokenizer.normalize(text)
    assert spelling_tokenizer.decode(spelling_tokenizer(text).input_ids, skip_special_tokens=True) == plain


# ---- truncation ----


def test_truncation_drops_words_first_and_keeps_the_order(tokenizer):
    text = "今天又加班[泪]，真的好累！！[怒]今天😂"
    kept = tokenizer(text, truncation=True, max_length=5).input_ids
    assert tokenizer.convert_ids_to_tokens(kept) == [*tokenizer.tokenize(text)[:2], "[泪]", "[怒]", "😂"]


def test_truncation_keeps_the_first_64_emoji(tokenizer):
    text = "😂" * 40 + "累" + "[泪]" * 40 + "今天又加班，" * 40
    tokens = tokenizer.convert_ids_to_tokens(tokenizer(text, truncation=True, max_length=80).input_ids)
    assert tokens[: 40 + 1 + 24] == ["😂"] * 40 + ["累"] + ["[泪]"] * 24
    assert len(tokens) == 80
    assert not {"😂", "[泪]"} & set(tokens[65:])


@pytest.mark.parametrize("text", ["[泪流满面]今天又加班[怒]今天又加班", "今天[怒]今天[泪流满面]今天", "今天又加班[泪流满面][泪流满面]"])
@pytest.mark.parametrize("max_length", range(1, 9))
def test_a_spelled_emoji_is_kept_whole_or_not_at_all(spelling_tokenizer, text, max_length):
    ids = spelling_tokenizer(text, truncation=True, max_length=max_length).input_ids
    assert 1 <= len(ids) <= max_length
    tokens = spelling_tokenizer.convert_ids_to_tokens(ids)
    assert sum(token.startswith("##") for token in tokens) == 4 * tokens.count("<unk_emoji>")


@pytest.mark.parametrize("max_length", range(1, 7))
def test_an_emoji_spelled_with_unseen_characters_is_kept_whole_or_not_at_all(tokenizer, max_length):
    whole = tokenizer("[龘龘龘龘]").input_ids
    ids = tokenizer("[龘龘龘龘]今天今天今天", truncation=True, max_length=max_length).input_ids
    assert [i for i in ids if is_emoji_id(tokenizer, i)] in (whole, [])


def test_an_emoji_too_long_for_the_limit_does_not_leave_an_empty_row(spelling_tokenizer):
    assert len(spelling_tokenizer("[泪流满面]", truncation=True, max_length=3).input_ids) in (1, 2, 3)


def test_the_default_limit_is_512(tokenizer):
    assert len(tokenizer("今天又加班，" * 400 + "[泪]", truncation=True).input_ids) == 512
    assert tokenizer("今天又加班，" * 400 + "[泪]", truncation=True).input_ids[-1] == tokenizer.convert_tokens_to_ids("[泪]")


# ---- offsets ----


def test_offsets_point_into_the_users_own_text(spelling_tokenizer):
    text = "今天 好&amp;[泪流满面]👍🏽"
    spans = [(token, text[start:end]) for token, start, end in spelling_tokenizer.tokenize_with_offsets(text)]
    name = [(f"##{c}", c) for c in "泪流满面"]
    assert spans == [("今天", "今天"), ("好", "好"), ("&", "&amp;"), ("<unk_emoji>", "[泪流满面]"), *name, ("👍", "👍🏽")]


def test_a_text_without_tokens_has_one_span_of_nothing(tokenizer):
    assert tokenizer.tokenize_with_offsets(" ") == [("<unk>", 0, 0)]


@settings(deadline=None, max_examples=150)
@given(text=ANY_TEXT)
def test_spans_hold_the_tokens_of_tokenize(tokenizer, text):
    spans = tokenizer.tokenize_with_offsets(text)
    assert [span.token for span in spans] == tokenizer.tokenize(text)
    assert [span.start for span in spans] == sorted(span.start for span in spans)
    assert all(0 <= span.start <= span.end <= len(text) for span in spans)


@settings(deadline=None, max_examples=80)
@given(text=st.lists(st.sampled_from(["今天又加班", "累", "。", "[泪]", "😂", "love ", "1️⃣", "龘"]), min_size=1, max_size=12).map("".join))
def test_a_span_is_the_token_where_normalisation_changes_nothing(text):
    tokenizer = PLAIN_TOKENIZER
    spans = tokenizer.tokenize_with_offsets(text)
    assert tokenizer.normalize(text) == text
    assert [text[start:end] for _, start, end in spans] == [token for token, *_ in spans]
    assert "".join(token for token, *_ in spans) == text.replace(" ", "")


# ---- added tokens and files ----


def added(tokenizer: ASLSTMTokenizer, *words: str) -> ASLSTMTokenizer:
    own = copy.deepcopy(tokenizer)
    own.add_tokens(list(words))
    return own


@pytest.mark.parametrize("word", ["我真的会谢", "PK掉", "c++", "[龘龘]", "yyds"])
def test_an_added_word_is_whole_behind_the_emoji_range_and_after_saving(tokenizer, tmp_path, word):
    own = added(tokenizer, word)
    own.save_pretrained(tmp_path)
    for loaded in (own, ASLSTMTokenizer.from_pretrained(tmp_path)):
        assert loaded.tokenize(f"好，{word}。") == ["好", ",", loaded.normalize(word), "。"]
        assert loaded(word).input_ids == [tokenizer.vocab_size]
        assert loaded.decode(loaded(word).input_ids) == loaded.normalize(word)
        assert len(loaded) == loaded.vocab_size + 1


@pytest.mark.parametrize("word", ["", " ", "[视频]", "好[泪]", "a b", "http://t.cn/a", "café", "привет", "です", "(╯□╰)", "😂👍", "☺🏽"])
def test_an_added_token_is_refused_unless_text_can_yield_it(tokenizer, word):
    own = copy.deepcopy(tokenizer)
    try:
        own.add_tokens([word])
    except ValueError as error:
        assert repr(word) in str(error)  # noqa: PT017
    else:
        assert len(own.tokenize(word)) == 1
