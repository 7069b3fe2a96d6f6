import gzip
import logging
import struct
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from gensim.models import FastText, KeyedVectors
from gensim.models.fasttext import save_facebook_model

from aslstm.errors import UserError
from aslstm.text_files import MAX_LINE_BYTES
from aslstm.words.text_splitting import split_texts
from aslstm.words.word_vectors import VECTOR_STD, read_vectors, start_from_vectors
from tests.support.commands import TEXTS
from tokenization import ASLSTMTokenizer
from tokenization.vocabulary_files import is_name_piece

WORDS = ["今天", "加班", "[泪]", "😂", "好", "没见过的词"]
SIZE = 4


@pytest.fixture(scope="module")
def vectors() -> KeyedVectors:
    made = KeyedVectors(SIZE)
    made.add_vectors(WORDS, np.random.default_rng(0).normal(size=(len(WORDS), SIZE)).astype(np.float32))
    return made


@pytest.fixture(scope="module")
def fasttext() -> FastText:
    texts = list(split_texts(TEXTS))
    return FastText(texts, vector_size=SIZE, min_count=1, min_n=1, max_n=3, bucket=100, epochs=1, seed=0, workers=1)


def write_text(vectors: KeyedVectors, path: Path) -> Path:
    vectors.save_word2vec_format(str(path))
    return path


def write_binary(vectors: KeyedVectors, path: Path) -> Path:
    vectors.save_word2vec_format(str(path), binary=True)
    return path


def write_glove(vectors: KeyedVectors, path: Path) -> Path:
    vectors.save_word2vec_format(str(path), write_header=False)
    return path


def write_original_binary(vectors: KeyedVectors, path: Path) -> Path:
    """As word2vec.c writes it: a line end behind every vector."""
    rows = [f"{word} ".encode() + vectors[word].astype("<f4").tobytes() + b"\n" for word in vectors.key_to_index]
    path.write_bytes(f"{len(rows)} {SIZE}\n".encode() + b"".join(rows))
    return path


def write_fasttext_text(vectors: KeyedVectors, path: Path) -> Path:
    """As fastText writes a .vec: a space behind every line."""
    rows = [f"{word} {' '.join(map(str, vectors[word].tolist()))} \n" for word in vectors.key_to_index]
    path.write_text(f"{len(rows)} {SIZE}\n{''.join(rows)}", encoding="utf-8")
    return path


WRITERS = [write_text, write_binary, write_glove, write_original_binary, write_fasttext_text]
Writer = Callable[[KeyedVectors, Path], Path]


def assert_same(found: KeyedVectors, expected: KeyedVectors) -> None:
    assert list(found.key_to_index) == list(expected.key_to_index)
    np.testing.assert_allclose(found.vectors, expected.vectors, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["vectors.vec", "vectors.bin", "vectors"])
@pytest.mark.parametrize("write", WRITERS)
def test_every_format_gives_the_same_vectors_whatever_its_name(
    vectors: KeyedVectors, tmp_path: Path, write: Writer, name: str
) -> None:
    assert_same(read_vectors(write(vectors, tmp_path / name)), vectors)


@pytest.mark.parametrize("write", WRITERS)
def test_a_packed_file_is_read(vectors: KeyedVectors, tmp_path: Path, write: Writer) -> None:
    packed = tmp_path / "vectors.gz"
    packed.write_bytes(gzip.compress(write(vectors, tmp_path / "plain").read_bytes()))
    assert_same(read_vectors(packed), vectors)


@pytest.mark.parametrize("number", [0.0, 1.0, -1e-8, 1e30, 0.1])
@pytest.mark.parametrize("write", WRITERS)
def test_text_is_told_from_binary_by_any_number(tmp_path: Path, write: Writer, number: float) -> None:
    odd = KeyedVectors(SIZE)
    odd.add_vectors(["一", "e", "3"], np.full((3, SIZE), number, dtype=np.float32))
    assert_same(read_vectors(write(odd, tmp_path / "vectors")), odd)


def test_a_binary_file_with_long_vectors_is_told_by_what_its_first_bytes_show(tmp_path: Path) -> None:
    long = KeyedVectors(300)
    long.add_vectors(["一", "二"], np.random.default_rng(1).normal(size=(2, 300)).astype(np.float32))
    assert_same(read_vectors(write_binary(long, tmp_path / "long.bin")), long)
    assert_same(read_vectors(write_text(long, tmp_path / "long.vec")), long)


def test_a_fasttext_file_has_the_vectors_of_its_model_and_composes_others(fasttext: FastText, tmp_path: Path) -> None:
    path = tmp_path / "vectors.bin"
    save_facebook_model(fasttext, str(path))
    found = read_vectors(path)
    assert set(found.key_to_index) == set(fasttext.wv.key_to_index)
    for word in (*fasttext.wv.key_to_index, "从没见过", "[泪流满面]"):
        np.testing.assert_allclose(found[word], fasttext.wv[word], rtol=1e-5, atol=1e-6)
    assert "从没见过" not in found.key_to_index and np.abs(found["从没见过"]).max() > 0


def refusal_of(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        read_vectors(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: expected ") and len(message.splitlines()) == 1
    return message


@pytest.mark.parametrize("name", ["vectors.kv", "vectors.bin", "vectors.vec"])
def test_a_pickle_is_refused_with_the_way_to_convert_it(vectors: KeyedVectors, tmp_path: Path, name: str) -> None:
    vectors.save(str(tmp_path / name))
    message = refusal_of(tmp_path / name)
    assert "pickle" in message
    assert "KeyedVectors.load(path).save_word2vec_format('vectors.vec')" in message


def test_the_conversion_that_the_refusal_names_works(vectors: KeyedVectors, tmp_path: Path) -> None:
    vectors.save(str(tmp_path / "vectors.kv"))
    KeyedVectors.load(str(tmp_path / "vectors.kv")).save_word2vec_format(str(tmp_path / "vectors.vec"))
    assert_same(read_vectors(tmp_path / "vectors.vec"), vectors)


@pytest.mark.parametrize("name", ["vectors.vec", "vectors.bin", "vectors.gz"])
def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path, name: str) -> None:
    assert "check the path" in refusal_of(tmp_path / name)
    (tmp_path / name).mkdir()
    assert "check the path" in refusal_of(tmp_path / name)


@pytest.mark.parametrize(
    "content",
    [
        b"   6 4",
        b"6 4\n",
        b"6 4",
        b"1 0\n\n",
        b"2 2\n\xe5\xa5\xbd 1 2\n",
        b"2 3\n\xe5\xa5\xbd 1 2 3\n\xe6\xb3\xaa 1 2\n",
        b"2 2\n\xe5\xa5\xbd 1 2\n\xe6\xb3\xaa 1 two\n",
        b"\xe5\xa5\xbd 1 2 3\n\xe6\xb3\xaa 1 2\n",
        b"\xe5\xa5\xbd 1 2\n\n\xe6\xb3\xaa 1 2\n",
        b"\xe5\xa5\xbd 1 2\n\xe6\xb3\xaa 1 2 3\n",
        b"just a text without any number\n",
        b'{"text": "no vectors"}\n',
        b"\xff\xfe\x00\x01" * 50,
        b"\x1f\x8b" + bytes(200),
    ],
)
def test_a_file_that_holds_no_whole_vectors_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "vectors").write_bytes(content)
    refusal_of(tmp_path / "vectors")


@pytest.mark.parametrize("content", [b"", b"\n", b"  \n\n", b"0 4\n", b"\xe5\xa5\xbd\n", bytes(1000), b"6"])
def test_a_file_without_any_vector_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "vectors").write_bytes(content)
    refusal_of(tmp_path / "vectors")


@pytest.mark.parametrize(
    "content",
    [b"2 2\n\xe5\xa5\xbd 1 2\n\xe6\xb3\xaa 1\n", b"\xe5\xa5\xbd 1 2 3\n\xe6\xb3\xaa 4\n"],
)
def test_a_line_of_one_number_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "vectors").write_bytes(content)
    refusal_of(tmp_path / "vectors")


def test_a_header_with_impossible_sizes_is_refused(vectors: KeyedVectors, tmp_path: Path) -> None:
    for header in (b"999999999999 300", b"3 999999999999999", b"99999999999999999999 4"):
        _, rows = write_text(vectors, tmp_path / "vectors").read_bytes().split(b"\n", 1)
        (tmp_path / "vectors").write_bytes(header + b"\n" + rows)
        refusal_of(tmp_path / "vectors")


@pytest.mark.parametrize("write", [write_text, write_binary, write_original_binary])
def test_a_cut_file_is_refused(vectors: KeyedVectors, tmp_path: Path, write: Writer) -> None:
    whole = write(vectors, tmp_path / "vectors").read_bytes()
    # Within the last line of a text a number that is cut is a number still.
    for length in range(3, whole.index(WORDS[-1].encode()), 3):
        (tmp_path / "vectors").write_bytes(whole[:length])
        refusal_of(tmp_path / "vectors")


def test_a_packed_file_that_is_cut_is_refused(vectors: KeyedVectors, tmp_path: Path) -> None:
    packed = gzip.compress(write_text(vectors, tmp_path / "plain").read_bytes())
    for content in (packed[: len(packed) // 2], packed[:5], packed[:30] + bytes(len(packed) - 30)):
        (tmp_path / "vectors.gz").write_bytes(content)
        refusal_of(tmp_path / "vectors.gz")


def test_whether_a_file_is_packed_is_told_by_its_bytes_and_not_by_its_name(vectors: KeyedVectors, tmp_path: Path) -> None:
    plain = write_text(vectors, tmp_path / "plain.gz")
    assert_same(read_vectors(plain), vectors)
    packed = tmp_path / "packed.vec"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert_same(read_vectors(packed), vectors)


def test_a_cut_fasttext_file_is_refused(fasttext: FastText, tmp_path: Path) -> None:
    path = tmp_path / "vectors.bin"
    save_facebook_model(fasttext, str(path))
    whole = path.read_bytes()
    # What follows the vectors of words and n-grams is the output layer, which no vector needs.
    start = whole.index(struct.pack("<qq", len(fasttext.wv) + 100, SIZE))
    for length in [*range(4, 84), *range(start, start + 16 + 4 * SIZE * (len(fasttext.wv) + 100), 97)]:
        path.write_bytes(whole[:length])
        refusal_of(path)


def test_a_fasttext_file_that_is_cut_within_a_word_is_refused(fasttext: FastText, tmp_path: Path) -> None:
    path = tmp_path / "vectors.bin"
    save_facebook_model(fasttext, str(path))
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.index("今天".encode()) + 3])
    refusal_of(path)


def test_a_fasttext_file_with_spoiled_numbers_never_ends_in_another_error(fasttext: FastText, tmp_path: Path) -> None:
    path = tmp_path / "vectors.bin"
    save_facebook_model(fasttext, str(path))
    whole = path.read_bytes()
    for place in range(4, 100, 4):
        path.write_bytes(whole[:place] + b"\xff\xff\xff\xff" + whole[place + 4 :])
        try:
            read_vectors(path)
        except UserError as error:
            assert str(error).startswith(f"{path}: expected ")


@pytest.mark.parametrize("has_header", [True, False])
@pytest.mark.parametrize("token", ["as soon as", "iPhone 6s", ". . ."])
def test_a_token_of_a_text_may_hold_spaces(tmp_path: Path, token: str, has_header: bool) -> None:
    lines = [f"{token} 0.25 -1e-3 3", "好 1 2 3"]
    content = "\n".join(["2 3", *lines] if has_header else lines) + "\n"
    (tmp_path / "vectors").write_text(content, encoding="utf-8")
    found = read_vectors(tmp_path / "vectors")
    assert list(found.key_to_index) == [token, "好"]
    np.testing.assert_allclose(found.vectors, [[0.25, -1e-3, 3], [1, 2, 3]], rtol=1e-6)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_text_with_a_byte_order_mark_is_read(vectors: KeyedVectors, tmp_path: Path, encoding: str) -> None:
    content = write_glove(vectors, tmp_path / "plain").read_text(encoding="utf-8")
    (tmp_path / "vectors").write_text(content, encoding=encoding)
    assert_same(read_vectors(tmp_path / "vectors"), vectors)


def test_of_a_token_that_comes_twice_the_first_vector_counts(tmp_path: Path) -> None:
    (tmp_path / "vectors").write_text("3 2\n好 1 2\n好 3 4\n泪 5 6\n", encoding="utf-8")
    found = read_vectors(tmp_path / "vectors")
    assert {word: found[word].tolist() for word in found.key_to_index} == {"好": [1, 2], "泪": [5, 6]}


def test_a_binary_token_without_an_end_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    (tmp_path / "vectors.gz").write_bytes(gzip.compress(b"9 2\n" + b"w \0\0\0\0\0\0\0\0" + b"\0" * 20_000_000))
    assert "a token of more than 4,096 bytes after 1 vectors" in refusal_of(tmp_path / "vectors.gz")


def test_a_binary_file_whose_token_holds_a_space_is_refused(tmp_path: Path) -> None:
    odd = KeyedVectors(SIZE)
    odd.add_vectors(["hello", "my name", "坏"], np.eye(3, SIZE, dtype=np.float32))
    odd.save_word2vec_format(str(tmp_path / "vectors"), binary=True)
    assert "does one hold a space?" in refusal_of(tmp_path / "vectors")


def test_a_text_line_without_an_end_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    (tmp_path / "vectors.gz").write_bytes(gzip.compress(b"\xe5\xa5\xbd 1 2\n" + b"1" * (MAX_LINE_BYTES + 1)))
    assert "line 2: expected a line of at most 67,108,864 bytes" in refusal_of(tmp_path / "vectors.gz")


# ---- an embedding that starts from vectors ----


@pytest.fixture
def embedding(tokenizer: ASLSTMTokenizer) -> torch.Tensor:
    torch.manual_seed(0)
    return torch.randn(len(tokenizer), SIZE)


def ids_of(tokenizer: ASLSTMTokenizer, words: list[str]) -> list[int]:
    return sorted(tokenizer.get_vocab()[word] for word in words if word in tokenizer.get_vocab())


def vectors_of(words: list[str], size: int = SIZE, seed: int = 0) -> KeyedVectors:
    made = KeyedVectors(size)
    made.add_vectors(words, np.random.default_rng(seed).normal(3.0, 2.0, size=(len(words), size)).astype(np.float32))
    return made


def words_of(tokenizer: ASLSTMTokenizer) -> list[str]:
    """Words and whole emoji."""
    return [token for token in tokenizer.get_vocab() if token not in tokenizer.all_special_tokens and not is_name_piece(token)]


def test_rows_with_a_vector_are_filled_and_returned_and_others_stay(
    tokenizer: ASLSTMTokenizer, embedding: torch.Tensor
) -> None:
    before = embedding.clone()
    own = start_from_vectors(embedding, tokenizer, vectors_of(WORDS), {})
    assert own == set(ids_of(tokenizer, WORDS)) and len(own) == len(WORDS) - 1
    assert set((embedding != before).any(1).nonzero().flatten().tolist()) == own


def test_filled_rows_are_the_vectors_after_one_common_shift_and_scale(
    tokenizer: ASLSTMTokenizer, embedding: torch.Tensor
) -> None:
    words = words_of(tokenizer)
    given = vectors_of(words)
    start_from_vectors(embedding, tokenizer, given, {})
    ids = [tokenizer.get_vocab()[word] for word in words]
    expected = torch.tensor(given.vectors) - torch.tensor(given.vectors).mean(0)
    torch.testing.assert_close(torch.cosine_similarity(embedding[ids], expected), torch.ones(len(words)))
    ratios = embedding[ids].norm(dim=1) / expected.norm(dim=1)
    # All but the longest hundredth, which are cut.
    assert (ratios > ratios.max() * (1 - 1e-4)).float().mean() > 0.985
    assert embedding[ids].std().item() == pytest.approx(VECTOR_STD, rel=0.02)


def test_the_longest_vectors_are_cut_to_one_length(tokenizer: ASLSTMTokenizer, embedding: torch.Tensor) -> None:
    words = words_of(tokenizer)
    given = vectors_of(words)
    given.vectors[:5] *= 1000
    start_from_vectors(embedding, tokenizer, given, {})
    lengths = embedding[[tokenizer.get_vocab()[word] for word in words]].norm(dim=1)
    torch.testing.assert_close(lengths[:5], lengths.max().expand(5))


def test_vectors_of_any_scale_and_place_give_the_same_start(tokenizer: ASLSTMTokenizer, embedding: torch.Tensor) -> None:
    words = words_of(tokenizer)
    other = embedding.clone()
    given, moved = vectors_of(words), vectors_of(words)
    moved.vectors[:] = 50 * moved.vectors + 7
    start_from_vectors(embedding, tokenizer, given, {})
    start_from_vectors(other, tokenizer, moved, {})
    torch.testing.assert_close(embedding, other, rtol=1e-3, atol=1e-3)


def test_special_tokens_and_name_pieces_are_left_alone(tokenizer: ASLSTMTokenizer, embedding: torch.Tensor) -> None:
    words = ["<pad>", "<unk>", "<mask>", "##泪", "今天", "加班"]
    before = embedding.clone()
    assert start_from_vectors(embedding, tokenizer, vectors_of(words), {}) == set(ids_of(tokenizer, ["今天", "加班"]))
    for token in ("<pad>", "<unk>", "<mask>", "##泪"):
        row = tokenizer.get_vocab()[token]
        torch.testing.assert_close(embedding[row], before[row], rtol=0, atol=0)


def test_fasttext_composes_vectors_for_words_and_codes_it_never_saw(
    tokenizer: ASLSTMTokenizer, embedding: torch.Tensor, caplog: pytest.LogCaptureFixture
) -> None:
    texts = [[token for token in tokens if token not in ("今天", "[泪]", "😂")] for tokens in split_texts(TEXTS)]
    wv = FastText(texts, vector_size=SIZE, min_count=1, min_n=1, max_n=3, bucket=100, epochs=1, seed=0, workers=1).wv
    before = embedding.clone()
    caplog.set_level(logging.INFO)
    own = start_from_vectors(embedding, tokenizer, wv, {})
    changed = set((embedding != before).any(1).nonzero().flatten().tolist())
    vocabulary = tokenizer.get_vocab()
    assert {vocabulary["今天"], vocabulary["[泪]"]} <= changed - own
    assert vocabulary["😂"] not in changed and vocabulary["[太开心]"] in own
    assert own == set(ids_of(tokenizer, list(wv.key_to_index)))
    assert f"{len(changed - own)} a composed one" in caplog.text
    filled = sorted(changed)
    raw = torch.tensor(np.stack([wv[tokenizer.convert_ids_to_tokens(i)] for i in filled]))
    cosine = torch.cosine_similarity(embedding[filled], raw - raw.mean(0))
    torch.testing.assert_close(cosine, torch.ones(len(filled)), rtol=0, atol=1e-3)


def test_the_log_says_how_much_of_training_the_vectors_cover(
    tokenizer: ASLSTMTokenizer, embedding: torch.Tensor, caplog: pytest.LogCaptureFixture
) -> None:
    counts = Counter(token_id for text in TEXTS for token_id in tokenizer(text)["input_ids"])
    caplog.set_level(logging.INFO)
    own = start_from_vectors(embedding, tokenizer, vectors_of(WORDS), counts)
    tokens = [token for text in TEXTS for token in tokenizer.tokenize(text)]
    share = 100 * sum(token in WORDS for token in tokens) / len(tokens)
    assert 0 < share < 100
    assert f"vectors: {len(own)} of " in caplog.text
    assert f"of the {len(tokens)} tokens of training {share:.2f} % and 0.00 %" in caplog.text


def test_vectors_of_another_size_are_refused_and_change_nothing(tokenizer: ASLSTMTokenizer, embedding: torch.Tensor) -> None:
    before = embedding.clone()
    with pytest.raises(UserError, match=f"--vectors: expected vectors of size {SIZE} .*, found 7"):
        start_from_vectors(embedding, tokenizer, vectors_of(WORDS, size=7), {})
    torch.testing.assert_close(embedding, before, rtol=0, atol=0)


def test_vectors_without_a_common_word_are_refused_and_change_nothing(
    tokenizer: ASLSTMTokenizer, embedding: torch.Tensor, fasttext: FastText
) -> None:
    before = embedding.clone()
    for given in (vectors_of(["zebra", "##泪", "<pad>"]), FastText([["zebra"]], vector_size=SIZE, min_count=1, bucket=100).wv):
        with pytest.raises(UserError, match="found none of them"):
            start_from_vectors(embedding, tokenizer, given, {})
    torch.testing.assert_close(embedding, before, rtol=0, atol=0)


@pytest.mark.parametrize("words", [["今天"], ["今天", "加班"]])
def test_one_or_two_common_words_leave_finite_numbers(
    tokenizer: ASLSTMTokenizer, embedding: torch.Tensor, words: list[str]
) -> None:
    start_from_vectors(embedding, tokenizer, vectors_of(words), {})
    assert embedding.isfinite().all()


def test_vectors_that_are_all_the_same_leave_finite_numbers(tokenizer: ASLSTMTokenizer, embedding: torch.Tensor) -> None:
    given = vectors_of(WORDS)
    given.vectors[:] = 1.0
    start_from_vectors(embedding, tokenizer, given, {})
    assert embedding.isfinite().all()


@pytest.mark.parametrize("number", ["nan", "inf"])
def test_numbers_that_are_not_finite_are_refused(tmp_path: Path, number: str) -> None:
    (tmp_path / "vectors").write_text(f"2 2\n好 1 2\n泪 {number} 1\n", encoding="utf-8")
    assert "not finite" in refusal_of(tmp_path / "vectors")
