"""A batch is encoded as one joined text: the ids are those of each post alone; and jieba in Rust cuts what jieba cuts."""

import gzip
import itertools
import json
import os
import pickle
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from aslstm.words.vocabulary import build_tokenizer, build_vocabulary
from tests.support.commands import ROOT, SHARED_DATA, TEXTS
from tokenization import ASLSTMTokenizer, UserWord, split_emoji
from tokenization.emoji_splitting import UNICODE_EMOJI
from tokenization.text_normalization import _COMBINING, SEPARATOR, TextNormalizer
from tokenization.word_segmentation import WordSegmenter

MINIMAL_PYTHON = ROOT / ".venv-minimal" / "bin" / "python"
# What joining could let run together: marks, runs, names, URLs and white space at the edges, and the separator itself.
EDGES = ["", "\0", " ", "\n", "\u3000", "\u0301", "\u3099", "哈", "哈哈哈", "!", "//@a", "b:", "http://t.cn/", "x", "&am", "p;"]
EDGES += ["[泪", "]", "[泪]", "😂", "👨\u200d", "👩", "1", "\ufe0f\u20e3", "ℹ️", "ｶ", "ﾞ", "１", "①", "ﬁ"]
EDGES += ["今天又加班", "2.3rom", "3-3", "gmail.com"]
POSTS = st.lists(st.lists(st.sampled_from(EDGES) | st.text(max_size=5), max_size=5).map("".join), min_size=1, max_size=6)


@pytest.fixture(scope="module", params=["jieba", "rjieba"])
def either(request: pytest.FixtureRequest) -> ASLSTMTokenizer:
    return build_tokenizer(build_vocabulary(TEXTS), segmenter=request.param)


@given(POSTS)
def test_joined_texts_are_normalised_as_each_alone(posts: list[str]) -> None:
    normalizer = TextNormalizer()
    alone = [normalizer.normalize(post) for post in posts]
    assert normalizer.normalize_joined(posts).split(SEPARATOR) == alone
    assert [normalizer.normalize_with_offsets(post).text for post in posts] == alone


@given(st.text(max_size=8))
def test_characters_changed_one_by_one_are_as_their_clusters_are(text: str) -> None:
    """Every cluster through unicodedata, without the short way for single characters."""
    clusters = re.compile(
        f"(?:{UNICODE_EMOJI.pattern}|[^\x00-\x7f\u4e00-\u9fff{_COMBINING}][{_COMBINING}]{{0,30}}|[\x21-\x7e][{_COMBINING}]{{1,30}})"
    )

    def change(match: re.Match[str]) -> str:
        return match[0] if UNICODE_EMOJI.fullmatch(match[0]) else unicodedata.normalize("NFKC", match[0])

    switches = dict.fromkeys(TextNormalizer().switches, False)
    bare = TextNormalizer(**switches).normalize(text)
    assert TextNormalizer(**switches | {"normalize_unicode": True}).normalize(text) == clusters.sub(change, bare)


@given(POSTS)
def test_a_batch_has_the_ids_of_each_post_alone(either: ASLSTMTokenizer, posts: list[str]) -> None:
    # ``tokenize`` goes token by token and knows nothing of batches.
    alone = [either.convert_tokens_to_ids(either.tokenize(post)) for post in posts]
    assert either.encode_batch(posts) == alone
    assert either(posts)["input_ids"] == alone
    assert either.encode_batch(posts, max_length=3) == [
        either(post, truncation=True, max_length=3)["input_ids"] for post in posts
    ]


def test_texts_longer_than_a_stretch_are_cut_alike_in_a_batch(either: ASLSTMTokenizer) -> None:
    posts = ["今天又加班" * 700, "好累", "加" * 999 + "😂" + "班" * 2500]
    assert either(posts)["input_ids"] == [either(post)["input_ids"] for post in posts]


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("padding", [True, "max_length"])
def test_padded_tensors_are_those_of_the_base_class(tokenizer: ASLSTMTokenizer, side: str, padding: bool | str) -> None:
    options = {"padding": padding, "max_length": 40, "padding_side": side, "return_tensors": "pt"}
    found = tokenizer(TEXTS, truncation=True, **options)
    expected = tokenizer.pad({"input_ids": [tokenizer(text)["input_ids"] for text in TEXTS]}, **options)
    assert set(found) == set(expected) == {"input_ids", "attention_mask"}
    for name in expected:
        assert found[name].dtype == torch.int64
        assert torch.equal(found[name], expected[name])


def test_the_chosen_segmenter_is_saved_and_pickled(tmp_path: Path) -> None:
    build_tokenizer(build_vocabulary(TEXTS), segmenter="rjieba").save_pretrained(tmp_path)
    loaded = ASLSTMTokenizer.from_pretrained(tmp_path)
    assert loaded.init_kwargs["segmenter"] == "rjieba"
    assert pickle.loads(pickle.dumps(loaded)).encode_batch(TEXTS) == loaded.encode_batch(TEXTS)
    assert type(loaded.post_encoder.segmenter.engine).__name__ == "_RustJieba"
    with pytest.raises(ValueError, match="segmenter: expected one of jieba, rjieba, found 'pkuseg'"):
        ASLSTMTokenizer.from_pretrained(tmp_path, segmenter="pkuseg")


@pytest.mark.skipif(not MINIMAL_PYTHON.exists(), reason="needs .venv-minimal, which `make test` makes")
def test_without_rjieba_the_folder_loads_with_jieba_and_says_so_once(tmp_path: Path) -> None:
    folder = tmp_path / "fast"
    fast = build_tokenizer(build_vocabulary(TEXTS), segmenter="rjieba")
    fast.save_pretrained(folder)
    code = (
        "import json, sys; from transformers import AutoTokenizer\n"
        "both = [AutoTokenizer.from_pretrained(sys.argv[1], trust_remote_code=True) for _ in range(2)]\n"
        "print(json.dumps([one(json.loads(sys.argv[2]))['input_ids'] for one in both]))"
    )
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    result = subprocess.run(
        [str(MINIMAL_PYTHON), "-c", code, str(folder), json.dumps(TEXTS)],
        capture_output=True, text=True, encoding="utf-8", cwd=tmp_path, env={**environment, "HF_HOME": str(tmp_path / "hf")},
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == [fast(TEXTS)["input_ids"]] * 2
    assert result.stderr.count("segmenter rjieba is not installed") == 1


def test_user_words_are_kept_by_both() -> None:
    words = [UserWord("绝绝子"), UserWord("我真的会谢", 50, "n"), UserWord("hold住"), UserWord("a-b")]
    text = "她绝绝子，我真的会谢，hold住a-b和c-d，3-3，gmail.com，pw1100g"
    for use_hmm in (True, False):
        cut = [WordSegmenter(words, use_hmm=use_hmm, segmenter=name).cut(text) for name in ("jieba", "rjieba")]
        assert cut[0] == cut[1]
        assert {word.word for word in words} <= set(cut[0])


@pytest.mark.skipif(not SHARED_DATA.is_dir(), reason="needs the research corpora")
def test_both_cut_20000_real_posts_alike() -> None:
    with gzip.open(SHARED_DATA / "nlpcc2014" / "train.jsonl.gz", "rt", encoding="utf-8") as file:
        posts = [json.loads(line)["text"] for line, _ in zip(file, range(20_000), strict=False)]
    jieba, rust = WordSegmenter(), WordSegmenter(segmenter="rjieba")
    normalizer = TextNormalizer()
    texts = [piece.text for post in posts for piece in split_emoji(normalizer.normalize(post)) if not piece.is_emoji]
    both = number = other = 0
    different = set()
    for text in texts:
        words, rust_words = jieba.cut(text), rust.cut(text)
        ends, rust_ends = (set(_spans(cut)) for cut in (words, rust_words))
        both, number, other = both + len(ends & rust_ends), number + len(ends), other + len(rust_ends)
        different |= {(a, b) for a, b in zip(words, rust_words, strict=False) if a != b}
    assert 2 * both / (number + other) >= 0.9995
    # What differs is two ways of cutting that are as likely as each other, decided by the last digit of a sum of logarithms.
    assert len(different) <= 10, different


def _spans(words: list[str]) -> list[tuple[int, int]]:
    ends = [0]
    for word in words:
        ends.append(ends[-1] + len(word))
    return list(itertools.pairwise(ends))


def test_encoding_imports_neither_torch_nor_reads_the_dictionary_before_use(tmp_path: Path) -> None:
    build_tokenizer(build_vocabulary(TEXTS)).save_pretrained(tmp_path)
    code = (
        "import sys; from tokenization import ASLSTMTokenizer\n"
        "loaded = ASLSTMTokenizer.from_pretrained(sys.argv[1]); assert loaded.post_encoder.segmenter._engine is None\n"
        "assert loaded.encode_batch(['好累[泪]']); assert loaded.post_encoder.segmenter._engine is not None\n"
        "assert 'torch' not in sys.modules"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, env=environment)
