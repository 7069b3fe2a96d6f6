"""The flags that name raw posts, and the posts: any number of files and known corpora, labelled or not."""

import argparse
import glob
from collections.abc import Iterator
from pathlib import Path

from aslstm.errors import UserError

from .row_readers import read_texts


def add_text_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    group = parser.add_argument_group("texts")
    group.add_argument(
        "--input", nargs="+", required=True, help="text, JSONL, CSV, TSV, Parquet, XML, also .gz; globs; - for stdin"
    )
    group.add_argument(
        "--text_column", nargs="+", default=["text"], help="its name in the files; of several the first that a row has"
    )
    group.add_argument("--encoding", default="utf-8", help="of text files, e.g. GB18030")


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
        yield from read_texts(path, text_columns=arguments.text_column, encoding=arguments.encoding)
