"""Text to ids and back: what a token is, truncation, offsets, saving, and any text at all."""

import contextlib
import copy
import json
import os
import pickle
import subprocess
import sys
import time

import datasets
import pytest
from datasets.fingerprint import Hasher
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from aslstm.words.vocabulary import build_tokenizer, build_vocabulary
from tests.support.commands import TEXTS
from tokenization import ASLSTMTokenizer, PostEncoder
from tokenization.text_normalization import TEXT_RULES

CHINESE_AND_EMOJI = st.lists(st.sampled_from(["气死我了", *"累。😂👍", "[泪]", "[泪流满面]"]), max_size=12).map("".join)
PLAIN_TEXT = st.lists(st.sampled_from(["今天又加班", *"累。😂龘", "[泪]", "1️⃣", "love "]), min_size=1, max_size=12).map("".join)
HOSTILE = ["今天又加班真的好累", "[", "[泪", "😂\u200d", "//@", "\ud83d", "\x00", "\u200f", "e\u0301", "中\u3000"]


@pytest.fixture(scope="module")
def spelling_tokenizer() -> ASLSTMTokenizer:
    """Knows the pieces of [泪流满面], and not the code."""
    return build_tokenizer(build_vocabulary([*TEXTS, "泪流满面"]))


def is_emoji_id(tokenizer: ASLSTMTokenizer, token_id: int) -> bool:
    return tokenizer.emoji_token_offset <= token_id < tokenizer.emoji_token_offset + tokenizer.num_emoji_tokens


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
    assert tokens == ["累", "<unk_emoji>", "##泪", "##流", "##满", "##面"]
    assert [is_emoji_id(spelling_tokenizer, i) for i in ids] == [False] + [True] * 5
    assert len(set(ids)) == 6
    assert spelling_tokenizer.decode(ids) == "累[泪流满面]"


@pytest.mark.parametrize(("text", "token"), [("👍🏽", "👍"), ("❤️", "❤️"), ("👩🏿‍🚀", "👩‍🚀"), ("1️⃣", "1️⃣"), ("🇨🇳", "🇨🇳")])
def test_forms_of_an_emoji_share_a_token(tokenizer, text, token):
    assert tokenizer.tokenize(f"好{text}") == ["好", token]
    assert is_emoji_id(tokenizer, tokenizer.convert_tokens_to_ids(token))


@pytest.mark.parametrize(
    "text", ["<pad>", "<unk>", "<mask>", "<pad><unk>", "<unk_emoji>", "＜pad＞", "&lt;pad&gt;", "##泪", "##"]
)
def test_user_text_never_yields_a_special_token(tokenizer, text):
    for sentence in (text, f"好{text}累"):
        assert not set(tokenizer.tokenize(sentence)) & {"<pad>", "<unk>", "<mask>", "<unk_emoji>", "##泪"}
        assert not any(i in (0, 2) or is_emoji_id(tokenizer, i) for i in tokenizer(sentence).input_ids)


@pytest.mark.parametrize("code", ["[PAD]", "[UNK]", "[CLS]", "[MASK]"])
def test_the_special_tokens_of_other_models_are_weibo_codes(tokenizer, code):
    assert all(is_emoji_id(tokenizer, i) for i in tokenizer(code).input_ids)


@pytest.mark.parametrize("empty", ["", "  ", "\n", "\u3000\u2028", "\x00", "\ud83d", "\u200d", "\ufe0f", "[视频]"])
def test_a_text_without_tokens_is_one_unk_alone_and_in_a_batch(tokenizer, empty):
    assert tokenizer(empty).input_ids == [tokenizer.unk_token_id]
    assert tokenizer([empty, "今天", empty]).input_ids == [[1], tokenizer("今天").input_ids, [1]]
    assert tokenizer.tokenize_with_offsets(empty) == [("<unk>", 0, 0)]


def test_padding_stands_behind_and_is_masked(tokenizer):
    batch = tokenizer(["今天又加班[泪]", ""], padding=True)
    assert batch.input_ids[1] == [1] + [0] * (len(batch.input_ids[0]) - 1)
    assert batch.attention_mask == [[1] * len(batch.input_ids[0]), [1] + [0] * (len(batch.input_ids[0]) - 1)]
    assert set(batch) == {"input_ids", "attention_mask"}


@pytest.mark.parametrize("text", ["今天又加班[泪]", "love this song😂单曲循环", "气死我了[怒]。好累", "love song"])
def test_decode_gives_known_text_back(tokenizer, text):
    assert tokenizer.decode(tokenizer(text).input_ids) == text


@settings(deadline=None, max_examples=60)
@given(text=CHINESE_AND_EMOJI)
def test_decode_is_the_inverse_on_chinese_and_emoji(spelling_tokenizer, text):
    plain = spelling_tokenizer.normalize(text)
    assert spelling_tokenizer.decode(spelling_tokenizer(text).input_ids, skip_special_tokens=True) == plain


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


@pytest.mark.parametrize(
    "text", ["[泪流满面]今天又加班[怒]今天", "今天[怒]今天[泪流满面]今天", "今天又加班[泪流满面][泪流满面]"]
)
@pytest.mark.parametrize("max_length", range(1, 9))
def test_a_spelled_emoji_is_kept_whole_or_not_at_all(spelling_tokenizer, text, max_length):
    ids = spelling_tokenizer(text, truncation=True, max_length=max_length).input_ids
    assert 1 <= len(ids) <= max_length
    tokens = spelling_tokenizer.convert_ids_to_tokens(ids)
    assert sum(token.startswith("##") for token in tokens) == 4 * tokens.count("<unk_emoji>")


@pytest.mark.parametrize("max_length", range(1, 7))
def test_an_emoji_spelled_with_unseen_characters_is_kept_whole_or_not_at_all(tokenizer, max_length):
    whole = tokenizer("[龘靐齉爩]").input_ids
    ids = tokenizer("[龘靐齉爩]今天今天今天", truncation=True, max_length=max_length).input_ids
    assert [i for i in ids if is_emoji_id(tokenizer, i)] in (whole, [])


def test_an_emoji_too_long_for_the_limit_does_not_leave_an_empty_row(spelling_tokenizer):
    assert 1 <= len(spelling_tokenizer("[泪流满面]", truncation=True, max_length=3).input_ids) <= 3


def test_the_default_limit_is_512(tokenizer):
    ids = tokenizer("今天又加班，" * 400 + "[泪]", truncation=True).input_ids
    assert len(ids) == 512
    assert ids[-1] == tokenizer.convert_tokens_to_ids("[泪]")


def test_offsets_point_into_the_users_own_text(spelling_tokenizer):
    text = "今天 好&amp;[泪流满面]👍🏽"
    spans = [(token, text[start:end]) for token, start, end in spelling_tokenizer.tokenize_with_offsets(text)]
    name = [(f"##{c}", c) for c in "泪流满面"]
    assert spans == [("今天", "今天"), ("好", "好"), ("&", "&amp;"), ("<unk_emoji>", "[泪流满面]"), *name, ("👍", "👍🏽")]


def test_the_emoji_of_a_text_stand_as_the_user_wrote_them(spelling_tokenizer):
    assert spelling_tokenizer.emoji_in("今天 好&amp;[泪流满面]👍🏽［泪］&#128514;[视频]") == [
        "[泪流满面]",
        "👍🏽",
        "［泪］",
        "&#128514;",
    ]
    assert spelling_tokenizer.emoji_in("") == []
    assert len(spelling_tokenizer.emoji_in("好[泪]" * 1_000)) == 1_000  # though truncation keeps 64


@settings(deadline=None, max_examples=80)
@given(text=PLAIN_TEXT)
def test_a_span_is_the_token_where_normalisation_changes_nothing(tokenizer, text):
    assume(tokenizer.normalize(text) == text)
    spans = tokenizer.tokenize_with_offsets(text)
    assert [text[start:end] for _, start, end in spans] == [token for token, *_ in spans]
    assert "".join(token for token, *_ in spans) == text.replace(" ", "")


def test_added_words_are_whole_behind_the_emoji_range_and_after_saving(tokenizer, tmp_path):
    own = copy.deepcopy(tokenizer)
    words = ["我真的会谢", "PK掉", "c++", "[龘龘]", "yyds"]
    assert own.add_tokens(words) == 5
    own.save_pretrained(tmp_path)
    for loaded in (own, ASLSTMTokenizer.from_pretrained(tmp_path)):
        for i, word in enumerate(words):
            assert loaded.tokenize(f"好，{word}。") == ["好", ",", loaded.normalize(word), "。"]
            assert loaded(word).input_ids == [tokenizer.emoji_token_offset + tokenizer.num_emoji_tokens + i]
            assert loaded.decode(loaded(word).input_ids) == loaded.normalize(word)
        assert len(loaded) == loaded.vocab_size + 5


@pytest.mark.parametrize("word", ["", " ", "[视频]", "好[泪]", "好😂", "http://t.cn/a"])
def test_what_is_no_single_token_is_not_added(tokenizer, word):
    with pytest.raises(ValueError, match="expected one word or one emoji"):
        copy.deepcopy(tokenizer).add_tokens([word])


def test_a_token_is_refused_unless_text_can_yield_it(tokenizer):
    own = copy.deepcopy(tokenizer)
    yielded = {}
    for word in ("a-b", "☎", "café", "привет", "です", "(╯□╰)", "👍🏽"):
        with contextlib.suppress(ValueError):
            own.add_tokens([word])
            yielded[word] = own.tokenize(f"好{word}累")
    assert {word: tokens for word, tokens in yielded.items() if tokens != ["好", own.normalize(word), "累"]} == {}


@pytest.mark.parametrize("number", [-100, -1, 10**6])
def test_an_id_that_no_token_has_is_named(tokenizer, number):
    for decode in (tokenizer.decode, tokenizer.convert_ids_to_tokens):
        with pytest.raises(
            IndexError, match=f"token ids: expected 0 to {len(tokenizer) - 1}, found {number}; .* by 0, the id of"
        ):
            decode([3, number])


def test_a_saved_tokenizer_keeps_its_switches_limits_and_ids(tmp_path):
    own = build_tokenizer(build_vocabulary(TEXTS, lower_case=False), lower_case=False, max_emoji=2, model_max_length=8)
    own.save_pretrained(tmp_path)
    loaded = ASLSTMTokenizer.from_pretrained(tmp_path)
    text = "LOVE love[泪][泪][怒]" + "今天又加班" * 5
    assert loaded(text, truncation=True) == own(text, truncation=True)
    assert (loaded.max_emoji, loaded.model_max_length, loaded.split_special_tokens) == (2, 8, True)
    assert loaded.tokenize("LOVE") == list("LOVE")
    assert loaded.get_vocab() == own.get_vocab()


def test_a_new_tokenizer_follows_the_newest_text_rules_and_an_old_folder_the_first(tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path)
    config_file = tmp_path / "tokenizer_config.json"
    config = json.loads(config_file.read_text(encoding="utf-8"))
    assert ASLSTMTokenizer.from_pretrained(tmp_path).post_encoder.normalizer.text_rules == TEXT_RULES
    assert PostEncoder.from_folder(tmp_path).normalizer.text_rules == config.pop("text_rules") == TEXT_RULES
    config_file.write_text(json.dumps(config), encoding="utf-8")
    assert PostEncoder.from_folder(tmp_path).normalizer.text_rules == 1
    old = ASLSTMTokenizer.from_pretrained(tmp_path)
    old.save_pretrained(tmp_path)
    assert json.loads(config_file.read_text(encoding="utf-8"))["text_rules"] == old.post_encoder.normalizer.text_rules == 1


LOAD_ELSEWHERE = """
import json, sys
from transformers import AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1], trust_remote_code=True)
print(json.dumps([tokenizer(text).input_ids for text in json.loads(sys.argv[2])]))
"""


def test_a_stranger_loads_it_with_auto_tokenizer(tokenizer, tmp_path):
    own = copy.deepcopy(tokenizer)
    own.add_tokens(["我真的会谢"])
    own.save_pretrained(tmp_path / "model")
    texts = [*TEXTS[:7], "", "我真的会谢[泪流满面]👍🏽<pad>"]
    (tmp_path / "elsewhere").mkdir()
    process = subprocess.run(
        [sys.executable, "-c", LOAD_ELSEWHERE, str(tmp_path / "model"), json.dumps(texts)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=tmp_path / "elsewhere",
        env={**os.environ, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "1"},
    )
    assert process.returncode == 0, process.stderr
    assert json.loads(process.stdout) == [own(text).input_ids for text in texts]


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda used: pickle.loads(pickle.dumps(used))])
def test_a_copy_gives_the_same_ids(tokenizer, duplicate):
    assert duplicate(tokenizer)(TEXTS) == tokenizer(TEXTS)


def test_use_does_not_change_the_fingerprint(tokenizer):
    own = copy.deepcopy(tokenizer)
    before = Hasher.hash(own)
    own([*TEXTS, "今天又加班" * 600])
    own.tokenize_with_offsets("今天[泪流满面]")
    assert Hasher.hash(own) == before


def test_a_dataset_is_mapped_in_two_processes(tokenizer):
    rows = datasets.Dataset.from_dict({"text": TEXTS})
    mapped = rows.map(lambda row: tokenizer(row["text"]), num_proc=2)
    assert mapped["input_ids"][:] == tokenizer(TEXTS).input_ids


@pytest.mark.parametrize("unit", HOSTILE, ids=ascii)
def test_a_megabyte_of_anything_takes_seconds(tokenizer, unit):
    text = unit * (2**20 // len(unit.encode("utf-8", "surrogatepass")))
    start = time.process_time()
    assert 1 <= len(tokenizer(text, truncation=True).input_ids) <= 512
    assert tokenizer.tokenize_with_offsets(text[:50_000])
    assert time.process_time() - start < 20
