"""The encoder without transformers: the tokenizer's own ids, their places and the emoji of a post, from one normalisation."""

import copy
import gzip
import itertools
import json
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aslstm.words.vocabulary import build_tokenizer, build_vocabulary
from tests.fuzz.fuzzed_posts import EMOJI, TRAPS
from tests.support.commands import ROOT, SHARED_DATA, TEXTS
from tokenization import ASLSTMTokenizer, EncodedPost, PostEncoder
from tokenization.text_normalization import SEPARATOR, SWITCHES, TextNormalizer

PARTS = st.sampled_from([*TRAPS, *TEXTS, "泪流满面", "[泪流满面]", SEPARATOR]) | st.sampled_from(EMOJI) | st.text(max_size=6)
POSTS = st.lists(st.lists(PARTS, max_size=8).map("".join), min_size=1, max_size=5)
ADDED = ["我真的会谢", "PK掉", "[龘龘]"]
MORE_TEXTS = [*TEXTS[:7], "", "\x00", "我真的会谢[泪流满面]👍🏽<pad>", "pk掉[龘龘]！！！！！", "今天" * 600 + "[怒]", "<topic>"]


@pytest.fixture(scope="module", params=["jieba", "rjieba, nothing changed", "rjieba, with added tokens"])
def own(request: pytest.FixtureRequest) -> ASLSTMTokenizer:
    segmenter, _, variant = request.param.partition(", ")
    switches = dict.fromkeys(SWITCHES, False) if variant == "nothing changed" else {}
    made = build_tokenizer(build_vocabulary([*TEXTS, "泪流满面"]), segmenter=segmenter, max_emoji=3, **switches)
    if variant == "with added tokens":
        made.add_tokens(ADDED)
        made.add_special_tokens({"additional_special_tokens": ["<topic>"]})
    return made


@pytest.fixture(scope="module")
def folder(own: ASLSTMTokenizer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tokenizer, saved."""
    path = tmp_path_factory.mktemp("saved")
    own.save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def encoder(folder: Path) -> PostEncoder:
    return PostEncoder.from_folder(folder)


def expected_post(tokenizer: ASLSTMTokenizer, text: str, max_length: int | None) -> EncodedPost:
    """The same by the tokenizer's other methods, which go token by token and text by text."""
    spans = tokenizer.tokenize_with_offsets(text)
    ids = tokenizer.convert_tokens_to_ids([span.token for span in spans])
    kept = tokenizer.kept_positions(ids, len(ids) if max_length is None else max_length)
    return EncodedPost([ids[i] for i in kept], [spans[i][1:] for i in kept], tokenizer.emoji_in(text))


def check_equal(encoder: PostEncoder, tokenizer: ASLSTMTokenizer, texts: Sequence[str], max_length: int | None) -> None:
    posts = encoder.encode_with_offsets(texts, max_length=max_length)
    assert posts == [expected_post(tokenizer, text, max_length) for text in texts]
    assert posts == tokenizer.encode_with_offsets(texts, max_length=max_length)
    limits = {} if max_length is None else {"truncation": True, "max_length": max_length}
    assert [post.ids for post in posts] == [tokenizer(text, **limits)["input_ids"] for text in texts]
    assert [post.ids for post in posts] == encoder.encode_batch(texts, max_length=max_length)


@settings(max_examples=150)
@given(texts=POSTS, max_length=st.none() | st.integers(1, 20))
def test_ids_places_and_emoji_are_those_of_the_tokenizer(
    own: ASLSTMTokenizer, encoder: PostEncoder, texts: list[str], max_length: int | None
) -> None:
    check_equal(encoder, own, texts, max_length)


@pytest.mark.parametrize("max_length", [None, 1, 4, 512])
def test_chosen_posts_are_encoded_as_the_tokenizer_encodes_them(
    own: ASLSTMTokenizer, encoder: PostEncoder, max_length: int | None
) -> None:
    check_equal(encoder, own, MORE_TEXTS * 20, max_length)  # more than are joined at once
    assert encoder.encode_batch([]) == encoder.encode_with_offsets([]) == []


@pytest.mark.skipif(not SHARED_DATA.is_dir(), reason="needs the research corpora")
def test_real_posts_are_encoded_as_the_tokenizer_encodes_them(own: ASLSTMTokenizer, encoder: PostEncoder) -> None:
    with gzip.open(SHARED_DATA / "nlpcc2014" / "train.jsonl.gz", "rt", encoding="utf-8") as file:
        check_equal(encoder, own, [json.loads(line)["text"] for line in itertools.islice(file, 2_000)], 30)


@settings(max_examples=150)
@given(texts=POSTS, switches=st.fixed_dictionaries(dict.fromkeys(SWITCHES, st.booleans())))
def test_joined_texts_keep_the_places_that_each_has_alone(texts: list[str], switches: dict[str, bool]) -> None:
    normalizer = TextNormalizer(**switches)
    joined = normalizer.normalize_joined_with_offsets(texts)
    assert joined.text == normalizer.normalize_joined(texts)
    start = 0
    for text in texts:
        alone = normalizer.normalize_with_offsets(text)
        end = start + len(alone.text)
        assert (joined.text[start:end], joined.starts[start:end], joined.ends[start:end]) == alone
        start = end + 1


@settings(max_examples=100)
@given(texts=POSTS)
def test_spans_and_emoji_of_a_post_do_not_depend_on_its_neighbours(encoder: PostEncoder, texts: list[str]) -> None:
    assert encoder.encode_with_offsets(texts) == [post for text in texts for post in encoder.encode_with_offsets([text])]


def test_an_example_written_out() -> None:
    encoder = build_tokenizer(build_vocabulary([*TEXTS, "泪流满面"])).post_encoder
    text = "今天 好&amp;[泪流满面]👍🏽"
    (post,) = encoder.encode_with_offsets([text])
    assert [text[start:end] for start, end in post.spans] == ["今天", "好", "&amp;", "[泪流满面]", *"泪流满面", "👍🏽"]
    assert post.ids == [
        encoder.table.id_of(t) for t in ["今天", "好", "&", "<unk_emoji>", "##泪", "##流", "##满", "##面", "👍"]
    ]
    assert post.emoji == ["[泪流满面]", "👍🏽"]


def test_truncation_keeps_emoji_first_and_tells_of_those_that_it_drops(tokenizer: ASLSTMTokenizer) -> None:
    text = "今天又加班" + "[泪]" * 100
    (post,) = tokenizer.encode_with_offsets([text], max_length=70)
    assert len(post.ids) == len(post.spans)
    assert [text[start:end] for start, end in post.spans].count("[泪]") == 64
    assert post.emoji == ["[泪]"] * 100


def test_the_encoder_of_a_folder_is_that_of_the_saved_tokenizer(
    own: ASLSTMTokenizer, encoder: PostEncoder, folder: Path
) -> None:
    loaded = ASLSTMTokenizer.from_pretrained(folder)
    check_equal(encoder, loaded, MORE_TEXTS, 512)
    for name in ("emoji_token_offset", "num_emoji_tokens", "max_emoji", "model_max_length", "unk_token_id", "pad_token_id"):
        assert getattr(encoder, name) == getattr(own, name) == getattr(loaded, name)
    assert len(encoder) == len(own) == len(own.post_encoder)
    assert encoder.segmenter.segmenter == own.init_kwargs["segmenter"]
    assert encoder.normalizer.switches == own.post_encoder.normalizer.switches


def test_truncation_keeps_an_emoji_that_was_added(tokenizer: ASLSTMTokenizer) -> None:
    own = copy.deepcopy(tokenizer)
    own.add_tokens(["[龘龘]", "绝绝孑"])
    text = "今天又加班，绝绝孑[龘龘][泪]"
    kept = own.convert_ids_to_tokens(own(text, truncation=True, max_length=3).input_ids)
    assert kept == ["今天", "[龘龘]", "[泪]"]
    assert [text[start:end] for start, end in own.encode_with_offsets([text], max_length=2)[0].spans] == ["[龘龘]", "[泪]"]


@pytest.mark.parametrize("added", ["❤", "❤️", "😂"])
def test_an_emoji_that_is_known_gets_no_second_id(tokenizer: ASLSTMTokenizer, added: str) -> None:
    own = copy.deepcopy(tokenizer)
    own.add_tokens([added])
    assert len(own) == len(tokenizer)
    assert own(f"好{added}").input_ids == tokenizer(f"好{added}").input_ids


def test_an_emoji_bare_qualified_and_as_surrogates_is_one_token_in_a_saved_vocabulary(encoder: PostEncoder) -> None:
    heart, laugh = encoder.table.id_of("❤\ufe0f"), encoder.table.id_of("😂")
    assert heart != encoder.unk_token_id != laugh
    assert encoder.encode_batch(["❤", "❤\ufe0f", "\ud83d\ude02", "😂"]) == [[heart], [heart], [laugh], [laugh]]
    assert [post.emoji for post in encoder.encode_with_offsets(["好❤", "\ud83d\ude02"])] == [["❤"], ["\ud83d\ude02"]]


@pytest.mark.parametrize("max_length", [None, 1, 30])
def test_a_long_text_is_truncated_as_if_all_its_words_were_cut(own: ASLSTMTokenizer, max_length: int | None) -> None:
    encoder = own.post_encoder
    texts = [
        "好累[泪]",
        "今天又加班，" * 2000 + "[怒]好😂" * 20,
        "\u200d \n" * 5000 + "今天[泪]",
        "😂[泪]" * 6000,
        "真的" * 7000,
        "",
    ]
    whole = encoder.encode_with_offsets(texts)
    cut = [post if max_length is None else encoder._truncate(post, max_length) for post in whole]
    assert encoder.encode_with_offsets(texts, max_length=max_length) == cut
    assert encoder.encode_batch(texts, max_length=max_length) == [post.ids for post in cut]


@pytest.mark.parametrize("unit", ["哈嘿", "龘靐", "ﷺ", "㌖ﷺ", "http://!", "的了是"])
def test_hostile_text_that_is_truncated_takes_no_longer_when_it_is_longer(tokenizer: ASLSTMTokenizer, unit: str) -> None:
    start = time.process_time()
    assert len(tokenizer.encode_batch([unit * (400_000 // len(unit))], max_length=512)[0]) <= 512
    assert time.process_time() - start < 5


def test_a_limit_of_emoji_that_is_changed_later_is_followed(tokenizer: ASLSTMTokenizer) -> None:
    changed = copy.deepcopy(tokenizer)
    changed.max_emoji = 1
    assert len(changed("[泪][怒]今天今天", truncation=True, max_length=3)["input_ids"]) == 3
    assert tokenizer.max_emoji == 64
    assert changed.encode_batch(["[泪][怒]今天"], max_length=2) == [tokenizer.encode_batch(["[泪]今天"])[0]]


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda used: pickle.loads(pickle.dumps(used))])
def test_a_used_encoder_is_copied_without_what_it_remembers(encoder: PostEncoder, duplicate) -> None:
    expected = encoder.encode_with_offsets(MORE_TEXTS), encoder.encode_batch(MORE_TEXTS)
    assert len(pickle.dumps(encoder)) == len(pickle.dumps(duplicate(encoder)))
    assert (duplicate(encoder).encode_with_offsets(MORE_TEXTS), duplicate(encoder).encode_batch(MORE_TEXTS)) == expected


WITHOUT_TRANSFORMERS = """
import json, sys
for name in ("torch", "transformers", "tokenizers", "numpy"):
    sys.modules[name] = None
from tokenization.post_encoding import PostEncoder
encoder = PostEncoder.from_folder(sys.argv[1])
print(json.dumps([len(encoder), encoder.encode_with_offsets(json.loads(sys.argv[2]), max_length=9)]))
"""


def test_a_folder_is_enough_without_transformers_torch_and_numpy(own: ASLSTMTokenizer, folder: Path) -> None:
    process = subprocess.run(
        [sys.executable, "-c", WITHOUT_TRANSFORMERS, str(folder), json.dumps(MORE_TEXTS)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.returncode == 0, process.stderr
    expected = [len(own), own.encode_with_offsets(MORE_TEXTS, max_length=9)]
    assert json.loads(process.stdout) == json.loads(json.dumps(expected))


def test_a_folder_without_a_user_dictionary_has_no_user_words(folder: Path, tmp_path: Path) -> None:
    for name in ("tokenizer_config.json", "vocab.txt", "emoji_vocab.txt", "script_table.txt"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    assert PostEncoder.from_folder(tmp_path).user_words == []


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("tokenizer_config.json", None, "tokenizer_config.json: expected a file of a saved tokenizer, found none"),
        ("vocab.txt", None, "vocab.txt: expected a file of a saved tokenizer, found none"),
        ("tokenizer_config.json", b"{", "tokenizer_config.json: expected a saved tokenizer, found: JSONDecodeError"),
        ("tokenizer_config.json", b"[]", "tokenizer_config.json: expected a saved tokenizer, found"),
        ("tokenizer_config.json", b'{"added_tokens_decoder": {"x": {}}}', "tokenizer_config.json: expected a saved"),
        ("tokenizer_config.json", b'{"num_emoji_tokens": 5}', "emoji_vocab.txt: expected 5 lines .num_emoji_tokens."),
        ("vocab.txt", b"<pad>\n<unk>\n<mask>\nw", "vocab.txt: expected a line break at the end"),
        ("script_table.txt", None, "expected script_table.txt beside vocab.txt, found none"),
        ("script_table.txt", "淚泪\n愛".encode(), "script_table.txt: expected lines of two characters each, found '愛'"),
        ("script_table.txt", "淚泪\n愛爱".encode(), "script_table.txt: expected lines of two characters each, found '愛爱'"),
        ("script_table.txt", b"\xff", "script_table.txt: expected UTF-8"),
        ("user_dict.txt", b"a b c d\n", "user_dict.txt, line 1: expected 'word .frequency. .tag.'"),
    ],
)
def test_a_damaged_folder_is_refused_in_one_line(
    folder: Path, tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    for path in folder.glob("*.[jt][sx]*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / name).unlink() if content is None else (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        PostEncoder.from_folder(tmp_path)
    assert "\n" not in str(caught.value)
