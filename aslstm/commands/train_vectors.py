"""Train vectors of words and emoji in one space, on raw posts of any number of files, labelled or not.

aslstm train-vectors --input posts.txt --output vectors.bin
aslstm train-vectors --input a.jsonl.gz b.csv --text_column text review --output vectors.bin
aslstm train-vectors --input posts.txt --method word2vec --output vectors.vec

FastText is written in fastText's own binary form, which also gives vectors to words it never saw; word2vec as text. Both
are for ``aslstm train --vectors``, ``aslstm pretrain --vectors`` and ``aslstm nearest``.
"""

import argparse
import logging
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from gensim.models import FastText, Word2Vec
from gensim.models.fasttext import save_facebook_model

from aslstm.data.text_sources import TextSource
from aslstm.errors import UserError
from aslstm.files import check_output_file, replacing
from aslstm.words.new_word_files import read_new_words
from aslstm.words.text_splitting import split_texts
from tokenization.word_segmentation import keep_whole

from .flags import CommandParser, add_settings, check_seed, make_settings

logger = logging.getLogger(__name__)


def parse_arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Read and check the command line.

    Raises:
        UserError: a value that is not possible.
    """
    parser = CommandParser("train-vectors", "Train vectors of words and emoji.")
    add_settings(parser, TextSource)
    parser.add_argument("--output", type=Path, required=True, help=".bin with fasttext, .vec with word2vec")
    parser.add_argument("--overwrite", action="store_true", help="replace an output that exists")
    parser.add_argument("--method", choices=("fasttext", "word2vec"), default="fasttext")
    parser.add_argument("--vector_size", type=int, default=128)
    parser.add_argument("--window", type=int, default=5, help="words on either side")
    parser.add_argument("--min_count", type=int, default=2, help="rarer words get no vector of their own")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--num_buckets", type=int, default=200_000, help="of hashed character n-grams (fasttext)")
    parser.add_argument("--max_ngram_length", type=int, default=3, help="of character n-grams, from 1 (fasttext)")
    parser.add_argument("--new_words", type=Path, help="keep the words of this table of aslstm find-words whole")
    parser.add_argument("--seed", type=int, default=0, help="the same vectors again only with --num_workers 1")
    parser.add_argument("--num_workers", type=int, default=min(2, os.cpu_count() or 1))
    arguments = parser.parse_args(given)
    for name in ("vector_size", "window", "min_count", "epochs", "num_buckets", "max_ngram_length", "num_workers"):
        if getattr(arguments, name) < 1:
            raise UserError(f"--{name}: expected 1 or more, found {getattr(arguments, name)}")
    suffix = ".bin" if arguments.method == "fasttext" else ".vec"
    if arguments.output.suffix != suffix:
        raise UserError(
            f"--output {arguments.output}: expected a name ending in {suffix} with --method {arguments.method}, found "
            f"{arguments.output.suffix or 'no ending'!r}"
        )
    check_seed(arguments.seed)
    check_output_file(arguments.output, overwrite=arguments.overwrite)
    return arguments


def train_vectors(corpus_file: Path, arguments: argparse.Namespace) -> FastText | Word2Vec:
    """Skip-gram vectors of a file with a post a line, its tokens separated by spaces (gensim reads it in C)."""
    options = {
        "corpus_file": str(corpus_file),
        "sg": 1,
        "sample": 1e-4,
        "workers": arguments.num_workers,
        **{name: getattr(arguments, name) for name in ("vector_size", "window", "min_count", "epochs", "seed")},
    }
    if arguments.method == "word2vec":
        return Word2Vec(**options)
    # From one character on: most Chinese characters mean something by themselves, and the names of emoji are made of them.
    return FastText(**options, min_n=1, max_n=arguments.max_ngram_length, bucket=arguments.num_buckets)


def main(given: Sequence[str] | None = None) -> None:
    """Split the posts, train and write."""
    arguments = parse_arguments(given)
    source = make_settings(TextSource, arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logger.setLevel(logging.INFO)
    started = time.perf_counter()
    user_words = keep_whole(word.word for word in read_new_words(arguments.new_words)) if arguments.new_words else []
    with tempfile.TemporaryDirectory() as folder:
        corpus_file = Path(folder) / "tokens.txt"
        num_tokens = 0
        with corpus_file.open("w", encoding="utf-8", newline="\n") as file:
            for tokens in split_texts(
                source.texts(), user_words=user_words, use_hmm=not user_words, num_workers=arguments.num_workers
            ):
                num_tokens += len(tokens)
                file.write(" ".join(tokens) + "\n")
        logger.info("%d tokens in %.0f s", num_tokens, time.perf_counter() - started)
        try:
            model = train_vectors(corpus_file, arguments)
        except RuntimeError as error:  # gensim's word for a vocabulary without a word
            raise UserError(
                f"--input: expected words that occur {arguments.min_count} times, found none in {num_tokens} tokens; give "
                "more text or lower --min_count"
            ) from error
    vectors = model.wv
    own = sum(vectors.get_vecattr(token, "count") for token in vectors.key_to_index)
    logger.info(
        "%d vectors in %.0f s; %.2f %% of the tokens have one of their own",
        len(vectors), time.perf_counter() - started, 100 * own / num_tokens,
    )  # fmt: skip
    with replacing(arguments.output) as partial:
        if arguments.method == "fasttext":
            save_facebook_model(model, str(partial))
        else:
            vectors.save_word2vec_format(str(partial))
    logger.info("saved %s", arguments.output)
