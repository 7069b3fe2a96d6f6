"""Takes raw posts and gives a file with vectors of words and emoji in one space, trained by gensim.

The file has fastText's own binary form, which also gives vectors to words that it never saw, or is word2vec as text.
"""

import logging
import os
import tempfile
import time
from collections.abc import Iterable
from dataclasses import MISSING, dataclass
from pathlib import Path
from typing import Any

from gensim.models import FastText, Word2Vec
from gensim.models.fasttext import save_facebook_model

from aslstm.errors import UserError
from aslstm.files import check_output_file, replacing
from aslstm.settings import check_settings, seed_setting, setting
from tokenization.word_segmentation import keep_whole

from .new_word_files import read_new_words
from .text_splitting import split_texts

logger = logging.getLogger(__name__)

SUFFIXES = {"fasttext": ".bin", "word2vec": ".vec"}


@dataclass(frozen=True)
class VectorSettings:
    """Says how vectors are trained, and which file holds them.

    Raises:
        UserError: A value is not possible, or the file exists already.
    """

    output: Path = setting(MISSING, "file of vectors: .bin with fasttext, .vec with word2vec")
    overwrite: bool = setting(False, "replace an output that exists")
    method: str = setting("fasttext", "how vectors are trained and written", choices=tuple(SUFFIXES))
    vector_size: int = setting(128, "numbers of a vector", at_least=1)
    window: int = setting(5, "words on either side that are predicted", at_least=1)
    min_count: int = setting(2, "rarer words get no vector of their own", at_least=1)
    epochs: int = setting(5, "passes over the posts", at_least=1)
    num_buckets: int = setting(200_000, "buckets of hashed character n-grams (fasttext)", at_least=1)
    max_ngram_length: int = setting(3, "longest character n-gram; the shortest has 1 (fasttext)", at_least=1)
    new_words: Path | None = setting(None, "keep the words of this table of aslstm find-words whole")
    seed: int = seed_setting("seed; the same vectors again only with `num_workers` 1")
    num_workers: int = setting(min(2, os.cpu_count() or 1), "processes that split texts, and threads that train", at_least=1)

    def __post_init__(self) -> None:
        check_settings(self)
        suffix = SUFFIXES[self.method]
        if self.output.suffix != suffix:
            raise UserError(
                f"`output` {self.output}: expected a name ending in {suffix} with `method` {self.method}, found "
                f"{self.output.suffix or 'no ending'!r}"
            )
        check_output_file(self.output, overwrite=self.overwrite)


def fit_vectors(corpus_file: Path, settings: VectorSettings) -> FastText | Word2Vec:
    """Skip-gram vectors of a file with a post on each line, its tokens separated by spaces (gensim reads it in C)."""
    options: dict[str, Any] = {
        "corpus_file": str(corpus_file),
        "sg": 1,
        "sample": 1e-4,
        "workers": settings.num_workers,
        **{name: getattr(settings, name) for name in ("vector_size", "window", "min_count", "epochs", "seed")},
    }
    if settings.method == "word2vec":
        return Word2Vec(**options)
    # From one character on: most Chinese characters mean something by themselves, and the names of emoji are made of them.
    return FastText(**options, min_n=1, max_n=settings.max_ngram_length, bucket=settings.num_buckets)


def train_vectors(texts: Iterable[str], settings: VectorSettings) -> None:
    """Split the posts, train and write the file.

    Args:
        texts: Raw posts, each read once.
        settings: See :class:`VectorSettings`.

    Raises:
        UserError: No word occurs often enough.
    """
    started = time.perf_counter()
    user_words = keep_whole(word.word for word in read_new_words(settings.new_words)) if settings.new_words else []
    with tempfile.TemporaryDirectory() as folder:
        corpus_file = Path(folder) / "tokens.txt"
        num_tokens = 0
        with corpus_file.open("w", encoding="utf-8", newline="\n") as file:
            for tokens in split_texts(texts, user_words=user_words, use_hmm=not user_words, num_workers=settings.num_workers):
                num_tokens += len(tokens)
                file.write(" ".join(tokens) + "\n")
        logger.info("%d tokens in %.0f s", num_tokens, time.perf_counter() - started)
        try:
            model = fit_vectors(corpus_file, settings)
        except RuntimeError as error:  # gensim's word for a vocabulary without a word
            raise UserError(
                f"`input`: expected words that occur {settings.min_count} times, found none in {num_tokens} tokens; give "
                "more text or lower `min_count`"
            ) from error
    vectors = model.wv
    own = sum(vectors.get_vecattr(token, "count") for token in vectors.key_to_index)
    logger.info(
        "%d vectors in %.0f s; %.2f %% of the tokens have one of their own",
        len(vectors), time.perf_counter() - started, 100 * own / num_tokens,
    )  # fmt: skip
    with replacing(settings.output) as partial:
        if settings.method == "fasttext":
            save_facebook_model(model, str(partial))
        else:
            vectors.save_word2vec_format(str(partial))
    logger.info("saved %s", settings.output)
