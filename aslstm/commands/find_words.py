"""Find the new words of raw posts: files in, a table of words out, best first.

aslstm find-words --input posts.txt --output new_words.tsv
aslstm find-words --input 'corpus/*.jsonl.gz' more.csv --text_column content --output new_words.tsv
zcat posts.gz | aslstm find-words --input - --output new_words.tsv
aslstm find-words --input posts.txt --method tagger --output new_words.tsv

The table (word, count, cohesion, left_entropy, right_entropy, score, example) is for ``aslstm train --new_words``; take out by
hand what you do not like.
"""

import argparse
import logging
import os
import time
from collections.abc import Sequence
from pathlib import Path

from aslstm.data.text_sources import TextSource
from aslstm.errors import UserError, check_packages
from aslstm.files import check_output_file, replacing
from aslstm.words.new_word_files import write_new_words
from aslstm.words.new_words import METHODS, Thresholds, discover_words

from .flags import CommandParser, add_settings, make_settings

logger = logging.getLogger(__name__)


def parse_arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Read and check the command line.

    Raises:
        UserError: a value that is not possible.
    """
    parser = CommandParser("find-words", "Find the new words of raw posts.")
    add_settings(parser, TextSource)
    parser.add_argument("--output", type=Path, required=True, help="the table (TSV)")
    parser.add_argument("--overwrite", action="store_true", help="replace an output that exists")
    parser.add_argument("--method", choices=(*METHODS, "tagger"), default="words")
    parser.add_argument(
        "--max_word_length", type=int, default=6, help="in characters; a run of letters or digits counts as one"
    )
    parser.add_argument("--min_count", type=int, help="default: 5 up to a million characters, then with their root")
    for name, meaning in (
        ("min_cohesion", "nats between the parts of a word"),
        ("min_entropy", "nats of its surroundings, on either side"),
        ("min_score", "cohesion times the geometric mean of the entropies"),
    ):
        parser.add_argument(f"--{name}", type=float, default=Thresholds._field_defaults[name], help=meaning)
    parser.add_argument("--include_known", action="store_true", help="keep words that jieba's dictionary has")
    parser.add_argument("--num_workers", type=int, default=min(2, os.cpu_count() or 1), help="processes")
    arguments = parser.parse_args(given)
    min_count = 1 if arguments.min_count is None else arguments.min_count
    if arguments.max_word_length < 2 or arguments.num_workers < 1 or min_count < 1:
        raise UserError(
            "expected --max_word_length 2 or more, --num_workers and --min_count 1 or more, found "
            f"{arguments.max_word_length}, {arguments.num_workers}, {arguments.min_count}"
        )
    if "-" in arguments.input and arguments.method == "tagger":
        raise UserError("--method tagger: expected files, which it reads twice, found standard input; save the posts first")
    check_output_file(arguments.output, overwrite=arguments.overwrite)
    return arguments


def main(given: Sequence[str] | None = None) -> None:
    """Find words and write the table."""
    arguments = parse_arguments(given)
    source = make_settings(TextSource, arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if arguments.method == "tagger":
        check_packages("tagger", "torch", "transformers", "torchcrf")
    started = time.perf_counter()
    thresholds = Thresholds(arguments.min_count, arguments.min_cohesion, arguments.min_entropy, arguments.min_score)
    words = discover_words(
        source.texts(),
        method="words" if arguments.method == "tagger" else arguments.method,
        thresholds=thresholds,
        max_word_length=arguments.max_word_length,
        known=() if arguments.include_known else None,
        num_workers=arguments.num_workers,
    )
    if arguments.method == "tagger":
        # Imported here: the other methods need no torch, which takes seconds to import.
        from aslstm.training.rare_words import add_rare_words

        words = add_rare_words(words, list(source.texts()), max_word_length=arguments.max_word_length)
    with replacing(arguments.output) as partial:
        write_new_words(partial, words)
    logger.info("%d words in %.1f s: %s", len(words), time.perf_counter() - started, arguments.output)
    logger.info("%s", " ".join(word.word for word in words[:20]))
