"""Find the new words of raw posts: files in, a table of words out, best first.

python train_scripts/discover_words.py --input posts.txt --output new_words.tsv
python train_scripts/discover_words.py --input 'corpus/*.jsonl.gz' more.csv --text_column content --output new_words.tsv
zcat posts.gz | python train_scripts/discover_words.py --input - --output new_words.tsv
python train_scripts/discover_words.py --input posts.txt --method tagger --output new_words.tsv

The table (word, count, cohesion, left_entropy, right_entropy, score, example) is for ``train.py --new_words``; take out by
hand what you do not like.
"""

import argparse
import glob
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path

from new_word_files import write_new_words
from row_readers import read_texts
from tokenization.new_words import METHODS, Thresholds, discover_words
from user_errors import OneLineArgumentParser, UserError, run

logger = logging.getLogger(__name__)


def parse_arguments() -> argparse.Namespace:
    """Read and check the command line.

    Raises:
        UserError: a value that is not possible.
    """
    parser = OneLineArgumentParser(
        description="Find the new words of raw posts.", formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument(
        "--input", nargs="+", required=True, help="text, JSONL, CSV, TSV, Parquet, also .gz; globs; - for stdin"
    )
    parser.add_argument("--output", type=Path, required=True, help="the table (TSV)")
    parser.add_argument("--overwrite", action="store_true", help="replace an output that exists")
    parser.add_argument("--text_column", default="text", help="its name in the files")
    parser.add_argument("--encoding", default="utf-8", help="of text files, e.g. GB18030")
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
    arguments = parser.parse_args()
    min_count = 1 if arguments.min_count is None else arguments.min_count
    if arguments.max_word_length < 2 or arguments.num_workers < 1 or min_count < 1:
        raise UserError(
            "expected --max_word_length 2 or more, --num_workers and --min_count 1 or more, found "
            f"{arguments.max_word_length}, {arguments.num_workers}, {arguments.min_count}"
        )
    try:
        "".encode(arguments.encoding)
    except LookupError as error:
        raise UserError(f"--encoding: expected the name of an encoding, e.g. GB18030, found {arguments.encoding!r}") from error
    if "-" in arguments.input and arguments.method == "tagger":
        raise UserError("--method tagger: expected files, which it reads twice, found standard input; save the posts first")
    if arguments.output.is_dir():
        raise UserError(f"--output {arguments.output}: expected the name of a table, found a folder; name a file in it")
    if arguments.output.exists() and not arguments.overwrite:
        raise UserError(f"--output {arguments.output}: expected a new file, found one; choose another or add --overwrite")
    if not arguments.output.absolute().parent.is_dir():
        raise UserError(f"--output {arguments.output}: expected an existing folder, found none; make it first")
    return arguments


def input_paths(patterns: list[str]) -> list[Path]:
    """The files of paths and globs.

    Raises:
        UserError: a pattern that no file has.
    """
    paths = []
    for pattern in patterns:
        found = ["-"] if pattern == "-" else sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 (takes absolute ones)
        if not found:
            raise UserError(f"--input {pattern}: expected a file, found none; check the path")
        paths += [Path(path) for path in found]
    return paths


def all_texts(arguments: argparse.Namespace) -> Iterator[str]:
    """The posts of all files, one after the other."""
    for path in input_paths(arguments.input):
        yield from read_texts(path, text_column=arguments.text_column, encoding=arguments.encoding)


def main() -> None:
    """Find words and write the table."""
    arguments = parse_arguments()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    started = time.perf_counter()
    thresholds = Thresholds(arguments.min_count, arguments.min_cohesion, arguments.min_entropy, arguments.min_score)
    words = discover_words(
        all_texts(arguments),
        method="words" if arguments.method == "tagger" else arguments.method,
        thresholds=thresholds,
        max_word_length=arguments.max_word_length,
        known=() if arguments.include_known else None,
        num_workers=arguments.num_workers,
    )
    if arguments.method == "tagger":
        # Imported here: the other methods need no torch, which takes seconds to import.
        from rare_words import add_rare_words

        words = add_rare_words(words, list(all_texts(arguments)), max_word_length=arguments.max_word_length)
    partial = arguments.output.with_name(f".{arguments.output.name}.partial")
    write_new_words(partial, words)
    partial.replace(arguments.output)
    logger.info("%d words in %.1f s: %s", len(words), time.perf_counter() - started, arguments.output)
    logger.info("%s", " ".join(word.word for word in words[:20]))


if __name__ == "__main__":
    run(main)
