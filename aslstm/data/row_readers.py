"""Takes any readable file and gives labelled rows for training, texts alone, or whole rows for predicting."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from aslstm.disk import is_stream
from aslstm.errors import UserError

from .faulty_rows import faulty_row, good_row
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
from .labels import SINGLE_LABEL, labels_of_columns, named_classes, several_columns
from .row_checks import NoLabelError, RowChecker, TextFaultError, text_fault


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


def read_rows(
    path: Path,
    *,
    text_column: str,
    label_column: str,
    encoding: str = "utf-8",
    problem_type: str = SINGLE_LABEL,
    keep_faulty: bool = False,
) -> Iterator[Row]:
    """Yield the rows of any readable file as ``text``, ``label`` and ``post``; rows of one post share the last.

    Args:
        path: The file to read: ``.jsonl``, ``.csv``, ``.tsv``, ``.parquet``, a JSON list in ``.txt`` or NLPCC 2014 ``.xml``,
            also with ``.gz``.
        text_column: The name of the column of texts in the file.
        label_column: The name of the column of labels in the file; in a multi-label corpus also the names of columns of 0 and
            1, with commas between them.
        encoding: The encoding of text files.
        problem_type: Whether a post has one label or any number of them, as the config of a model names it.
        keep_faulty: Whether a row that cannot be read or has no label is yielded, with what is wrong with it as
            :mod:`faulty_rows` says, instead of raised.

    Raises:
        UserError: The file cannot be read, is malformed or has no row; or a column, a text or a label is missing.
    """
    suffix = suffix_of(path)
    file = open_parquet(path) if suffix == ".parquet" else None
    rows = READERS[suffix](path, encoding) if file is None else read_parquet(path, file)
    names = class_names(file, label_column) if file is not None else []
    check = RowChecker(str(path), text_column, problem_type)
    number = 0
    for number, one in enumerate(rows, start=1):
        try:
            if isinstance(one, BadRow):
                raise one
            row = one[1] if suffix == ".xml" else _labelled(check, number, one[1], (text_column, label_column), names)
        except (BadRow, NoLabelError, TextFaultError) as error:
            if not keep_faulty:
                raise
            yield faulty_row(number, error)
        else:
            yield good_row(row) if keep_faulty else row
    if number == 0:
        raise UserError(f"{path}: expected at least one row, found none; check the file")


def _labelled(check: RowChecker, number: int, row: Row, columns: tuple[str, str], names: list[str]) -> Row:
    """Return ``text``, ``label`` and ``post`` of a row; ``names`` are those of classes that the file numbers."""
    text_column, label_column = columns
    several = several_columns(label_column, check.problem_type)
    for column in (text_column, *(several or (label_column,))):
        if column not in row:
            raise UserError(
                f"{check.place}, row {number}: expected a column {column!r}, found {names_of(row)}; name it with `text_column` "
                "or `label_column`"
            )
    label = labels_of_columns(row, several) if several else named_classes(row[label_column], names)
    return check(number, row[text_column], label) | {"post": str(row.get("weibo_id", number))}


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
