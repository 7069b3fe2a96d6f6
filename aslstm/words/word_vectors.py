"""Takes a file of word vectors and gives gensim's ``KeyedVectors``, or an embedding that starts from them.

The formats are word2vec text and binary, GloVe text, and fastText ``.vec`` and ``.bin``; all but the last may be packed with
gzip. gensim's own files are pickles, which can run code: they are refused with the way to convert them.
"""

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
from aslstm.text_files import is_packed, open_bytes
from tokenization import ASLSTMTokenizer
from tokenization.vocabulary_files import is_name_piece

from .word2vec_files import START_BYTES, read_word2vec

logger = logging.getLogger(__name__)

FASTTEXT_MAGIC = struct.pack("<i", 793712314)
PICKLE_START = b"\x80"
# Standard deviation of the numbers that a model starts from.
VECTOR_STD = 0.4


def read_vectors(path: Path) -> KeyedVectors:
    """Read a file of vectors; its format is told from its first bytes.

    Raises:
        UserError: There is no such file, it is a pickle, or its format is damaged or unknown.
    """
    try:
        with open_bytes(path) as file:
            start = file.read(START_BYTES)
        if start.startswith(PICKLE_START):
            raise UserError(
                f"{path}: expected word2vec, GloVe or fastText vectors, found a pickle, which can run code; if it is yours: "
                "KeyedVectors.load(path).save_word2vec_format('vectors.vec')"
            )
        if start.startswith(FASTTEXT_MAGIC):
            if is_packed(path):
                raise ValueError("a packed .bin of fastText, which must be unpacked first")
            _check_fasttext_vocabulary(path)
            return load_facebook_vectors(str(path))
        vectors = read_word2vec(path, start)
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


def _check_fasttext_vocabulary(path: Path) -> None:
    """Refuse a file that ends within its vocabulary: gensim would look for the end of the word for ever.

    The layout is fastText's: magic, version, 12 int32, a double; three int32, two int64; then each word, a zero byte, its
    count (int64) and kind (int8).

    Raises:
        ValueError: The file ends within its vocabulary.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        num_words = struct.unpack_from("<i", content, 64)[0]
        place = 92
        for number in range(num_words):
            end = content.find(b"\0", place)
            if end < 0:
                raise ValueError(f"the end of the file after {number} of {num_words} words")
            place = end + 10


@torch.no_grad()
def start_from_vectors(
    embedding: torch.Tensor, tokenizer: ASLSTMTokenizer, vectors: KeyedVectors, token_counts: Mapping[int, int]
) -> set[int]:
    """Fill the rows of an embedding from vectors, in place, and report how much of the training text they cover.

    The vectors are centred, brought to a standard deviation of ``VECTOR_STD`` and cut at the 99th percentile of their
    lengths. fastText's ``.bin`` composes a vector for words and characters that it never saw.

    Args:
        embedding: The embedding, (vocab_size, embedding_size) float.
        tokenizer: The tokenizer, which names the rows of the embedding.
        vectors: The vectors of words and emoji.
        token_counts: How often each id occurs in training.

    Returns:
        The ids whose vector is now one of their own.

    Raises:
        UserError: The vectors have another size than the embedding, or none of them belongs to a known token.
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
