"""The flags that name a corpus, the same for every script."""

import argparse
import os
from pathlib import Path

from aslstm.data.corpora import CorpusSource
from aslstm.data.known_corpora import KNOWN_CORPORA
from aslstm.errors import UserError, check_encoding


def add_corpus_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    group = parser.add_argument_group("corpus")
    group.add_argument(
        "--dataset",
        help=f"{', '.join(KNOWN_CORPORA)}, or a data set of the Hub (owner/name); default: sample, or the files given",
    )
    group.add_argument("--data_dir", type=Path, default=os.environ.get("ASLSTM_DATA"), help="folder of a known corpus")
    group.add_argument("--train_file", type=Path, help="JSON Lines, CSV, TSV, Parquet, also .gz")
    group.add_argument("--validation_file", type=Path, help="default: a tenth of train")
    group.add_argument("--test_file", type=Path)
    group.add_argument("--text_column", help="default: that of a known corpus, or text")
    group.add_argument("--label_column", help="default: that of a known corpus, or label")
    group.add_argument("--encoding", default="utf-8", help="of text files, e.g. GB18030")


def resolve_corpus_arguments(arguments: argparse.Namespace) -> None:
    """Check the flags and fill in what follows from them: the data set's name and the data folder as a path.

    Raises:
        UserError: flags that contradict each other, or an encoding that does not exist.
    """
    files = [name for name in ("train_file", "validation_file", "test_file") if getattr(arguments, name)]
    if arguments.dataset and files:
        raise UserError(f"expected --dataset or --train_file, found both ({arguments.dataset}, --{files[0]})")
    if files and not arguments.train_file:
        raise UserError(f"expected --train_file beside --{files[0]}, found none")
    check_encoding(arguments.encoding)
    arguments.dataset = "files" if files else arguments.dataset or "sample"
    arguments.data_dir = Path(arguments.data_dir) if arguments.data_dir else None


def corpus_source(arguments: argparse.Namespace) -> CorpusSource:
    """Where the data come from, after :func:`resolve_corpus_arguments`."""
    return CorpusSource(**{name: getattr(arguments, name) for name in CorpusSource.__dataclass_fields__})
