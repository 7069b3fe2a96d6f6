"""Takes any readable file and gives labelled rows for training, texts alone, or whole rows for predicting."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from aslstm.disk import is_stream
from aslstm.errors import UserError

from .file_formats import (
    READERS,
    BadRow,
    NumberedRow,
    Row,
    class_names,
    names_of,
    open_parquet,
    read_parquet,
    read_plain,
    refuse_bad,
    suffix_of,
)
from .row_checks import RowChecker, text_fault


def check_can_be_read_again(path: Path) -> None:
    """Refuse a pipe or a device for a corpus, which is read several times: by a hash, by processes, by later epochs.

    Raises:
        UserError: The path can be read only once.
    """
    if is_stream(path):
        raise UserError(f"{path}: expected a file, which is read more than once, found a pipe or a device; save it first")


def read_texts(path: Path, *, text_columns: Sequence[str], encoding: str = "utf-8") -> Iterator[str]:
    """Yield the texts of any readable file, whether it has labels or not.

    A ``.txt`` file holds a post on each line, or a JSON list of objects.

    Args:
        path: The file to read, as in :func:`read_rows`, or ``-`` for the lines of standard input.
        text_columns: The names that the column of texts may have; the first that a row has is taken.
        encoding: The encoding of text files.

    Raises:
        UserError: The file cannot be read or is malformed, or a row has no such column.
    """
    suffix = ".txt" if str(path) == "-" else suffix_of(path)
    rows = read_plain(path, encoding, text_columns[0]) if suffix == ".txt" else READERS[suffix](path, encoding)
    for number, (_, row) in enumerate(refuse_bad(rows), start=1):
        column = next((name for name in text_columns if name in row), None)
        if column is None:
            raise UserError(
                f"{path}, row {number}: expected a text in column {' or '.join(map(repr, text_columns))}, found "
                f"{names_of(row)}; name it with `text_column`"
            )
        if fault := text_fault(row[column], column):
            raise UserError(f"{path}, row {number}: {fault}")
        yield row[column]


def read_rows(path: Path, *, text_column: str, label_column: str, encoding: str = "utf-8") -> Iterator[Row]:
    """Yield the rows of any readable file as ``text``, ``label`` and ``post``; rows of one post share the last.

    Args:
        path: The file to read: ``.jsonl``, ``.csv``, ``.tsv``, ``.parquet``, a JSON list in ``.txt`` or NLPCC 2014 ``.xml``,
            also with ``.gz``.
        text_column: The name of the column of texts in the file.
        label_column: The name of the column of labels in the file.
        encoding: The encoding of text files.

    Raises:
        UserError: The file cannot be read, is malformed or has no row; or a column, a text or a label is missing.
    """
    suffix = suffix_of(path)
    file = open_parquet(path) if suffix == ".parquet" else None
    rows = READERS[suffix](path, encoding) if file is None else read_parquet(path, file)
    names = class_names(file, label_column) if file is not None else []
    check = RowChecker(str(path), text_column)
    number = 0
    for number, (_, row) in enumerate(refuse_bad(rows), start=1):
        if suffix == ".xml":
            yield row
            continue
        for column in (text_column, label_column):
            if column not in row:
                raise UserError(
                    f"{path}, row {number}: expected a column {column!r}, found {names_of(row)}; name it with `text_column` or "
                    "`label_column`"
                )
        label = row[label_column]
        if names and isinstance(label, int):
            label = names[label] if 0 <= label < len(names) else None  # The library writes -1 where there is no label.
        yield check(number, row[text_column], label) | {"post": str(row.get("weibo_id", number))}
    if number == 0:
        raise UserError(f"{path}: expected at least one row, found none; check the file")


class Posts(NamedTuple):
    """Holds the whole rows of a file, and the pyarrow types of its columns; only a Parquet file tells these."""

    rows: Iterator[NumberedRow | BadRow]
    types: dict[str, Any]


def read_posts(path: Path, *, suffix: str, text_column: str, encoding: str = "utf-8") -> Posts:
    """Read every row of any readable file with all of its columns; bad rows are yielded, not raised.

    Args:
        path: The file to read, or ``-`` for standard input.
        suffix: A key of ``READERS`` that tells the format; ``.txt`` is a post on each line, or a JSON list of objects.
        text_column: The name that the only column gets where the file holds a post on each line.
        encoding: The encoding of text files.

    Raises:
        UserError: The file cannot be read. This may also be raised later, while the rows are taken.
    """
    if suffix == ".parquet":
        file = open_parquet(path)
        return Posts(read_parquet(path, file), {field.name: field.type for field in file.schema_arrow})
    if suffix == ".txt":
        return Posts(read_plain(path, encoding, text_column), {})
    return Posts(READERS[suffix](path, encoding), {})
