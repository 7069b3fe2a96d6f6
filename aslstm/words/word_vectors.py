"""Files of word vectors, of any of the field's formats, and an embedding that starts from them.

Reads word2vec text and binary, GloVe text, fastText ``.vec`` and ``.bin`` (also ``.gz`` but for fastText's ``.bin``), gives
gensim's ``KeyedVectors``. gensim's own files are pickles, which can run code: they are refused with the way to convert them.
"""

import gzip
import logging
import mmap
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from gensim.models import KeyedVectors
from gensim.models.fasttext import FastTextKeyedVectors, load_facebook_vectors

from aslstm.errors import UserError
from tokenization import ASLSTMTokenizer
from tokenization.vocabulary_files import is_name_piece

logger = logging.getLogger(__name__)

FASTTEXT_MAGIC = struct.pack("<i", 793712314)
PICKLE_START = b"\x80"
# Standard deviation of the numbers that a model starts from.
VECTOR_STD = 0.4


def read_vectors(path: Path) -> KeyedVectors:
    """Read a file of vectors; its format is told from its first bytes.

    Raises:
        UserError: no such file, a pickle, or a damaged or unknown format.
    """
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            start = file.read(512)
        if start.startswith(PICKLE_START):
            raise UserError(
                f"{path}: expected word2vec, GloVe or fastText vectors, found a pickle, which can run code; if it is yours: "
                "KeyedVectors.load(path).save_word2vec_format('vectors.vec')"
            )
        if start.startswith(FASTTEXT_MAGIC):
            if path.suffix == ".gz":
                raise ValueError("a packed .bin of fastText, which must be unpacked first")
            _check_fasttext_vocabulary(path)
            return load_facebook_vectors(str(path))
        first_line = start.split(b"\n")[0].split()
        has_header = len(first_line) == 2 and all(part.isdigit() for part in first_line)
        if has_header and 0 in map(int, first_line):
            raise ValueError("a header that promises no vector")
        is_binary = has_header and _is_binary(start, int(first_line[1]))
        if not is_binary:
            _check_text(path, has_header=has_header)
        vectors = KeyedVectors.load_word2vec_format(str(path), binary=is_binary, no_header=not has_header)
        if not np.isfinite(vectors.vectors).all():
            raise ValueError("a number that is not finite")
        return vectors
    except OSError as error:
        raise UserError(f"{path}: expected a readable file of vectors, found: {error}; check the path") from error
    except (ValueError, EOFError, IndexError, KeyError, AssertionError, NotImplementedError, MemoryError, OverflowError,
            struct.error, zlib.error) as error:  # fmt: skip
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise UserError(
            f"{path}: expected word2vec, GloVe or fastText vectors, found: {reason}; fetch or write the file again"
        ) from error


def _check_text(path: Path, *, has_header: bool) -> None:
    """Refuse a text without vectors or with lines of several lengths: numpy would spread a single number over a vector.

    Raises:
        ValueError: such a text.
    """
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
        size = int(next(file).split()[1]) if has_header else None
        number = 0
        for number, line in enumerate(file, start=1):
            found = line.rstrip().count(b" ")
            size = found if size is None else size
            if found != size or size == 0:
                raise ValueError(f"{found} numbers in vector {number}, {size or 'one or more'} expected")
        if number == 0:
            raise ValueError("no vector")


def _check_fasttext_vocabulary(path: Path) -> None:
    """Refuse a file that ends within its vocabulary: gensim would look for the end of the word for ever.

    The layout is fastText's: magic, version, 12 int32, a double; three int32, two int64; then each word, a zero byte, its
    count (int64) and kind (int8).

    Raises:
        ValueError: such a file.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        num_words = struct.unpack_from("<i", content, 64)[0]
        place = 92
        for number in range(num_words):
            end = content.find(b"\0", place)
            if end < 0:
                raise ValueError(f"the end of the file after {number} of {num_words} words")
            place = end + 10


def _is_binary(start: bytes, vector_size: int) -> bool:
    """Whether what follows the header is word2vec's binary form: four bytes a number, not numbers in writing."""
    second_line = start.split(b"\n", 1)[1]
    _, _, numbers = second_line.partition(b" ")
    written = numbers.split(b"\n")[0][: 4 * vector_size]
    return not written or any(byte not in b"0123456789+-.eEinfNa \r\t" for byte in written)


@torch.no_grad()
def start_from_vectors(
    embedding: torch.Tensor, tokenizer: ASLSTMTokenizer, vectors: KeyedVectors, token_counts: Mapping[int, int]
) -> set[int]:
    """Fill the rows of an embedding from vectors, in place, and report how much of the training text they cover.

    The vectors are centred, brought to a standard deviation of ``VECTOR_STD`` and cut at the 99th percentile of their
    lengths. fastText's ``.bin`` composes a vector for words and characters that it never saw.

    Args:
        embedding: (vocab_size, embedding_size) float.
        tokenizer: names the rows.
        vectors: of words and emoji.
        token_counts: how often training has each id.

    Returns:
        The ids whose vector is now one of their own.

    Raises:
        UserError: vectors of another size than the embedding's, or none that fits.
    """
    if vectors.vector_size != embedding.size(1):
        raise UserError(
            f"--vectors: expected vectors of size {embedding.size(1)} (--embedding_size), found {vectors.vector_size}"
        )
    composes = isinstance(vectors, FastTextKeyedVectors)
    own: set[int] = set()
    rows: dict[int, np.ndarray] = {}
    for token, token_id in tokenizer.get_vocab().items():
        if token in tokenizer.all_special_tokens or is_name_piece(token):
            continue
        if token in vectors.key_to_index:
            own.add(token_id)
        elif not composes or (tokenizer.emoji_token_offset <= token_id and not token.startswith("[")):
            continue  # a Unicode emoji has no letters to compose from; its Chinese name is the better start
        rows[token_id] = vectors[token]
    if not own:
        raise UserError("--vectors: expected vectors of words that training has, found none of them; check the file")
    ids = sorted(rows)
    matrix = torch.tensor(np.stack([rows[i] for i in ids]), dtype=torch.float32)
    matrix -= matrix.mean(0)
    matrix *= VECTOR_STD / matrix.std().clamp(min=1e-9)
    lengths = matrix.norm(dim=1, keepdim=True)
    matrix *= (lengths.quantile(0.99) / lengths.clamp(min=1e-9)).clamp(max=1.0)
    embedding[ids] = matrix.to(embedding)
    words = sum(not is_name_piece(token) for token in tokenizer.get_vocab())
    logger.info(
        "vectors: %d of %d tokens of the vocabulary have one of their own, %d a composed one",
        len(own), words, len(ids) - len(own),
    )  # fmt: skip
    seen = sum(token_counts.values())
    if seen:  # the tokens of a stream are not counted
        logger.info(
            "of the %d tokens of training %.2f %% and %.2f %%", seen,
            100 * sum(token_counts.get(i, 0) for i in own) / seen,
            100 * sum(token_counts.get(i, 0) for i in set(ids) - own) / seen,
        )  # fmt: skip
    return own
