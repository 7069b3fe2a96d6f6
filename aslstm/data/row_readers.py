"""Files to rows: labelled rows for training, texts alone, or whole rows for predicting, out of any readable file."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from aslstm.errors import UserError

from .file_formats import (
    READERS,
    BadRow,
    NumberedRow,
    Row,
    names_of,
    open_parquet,
    read_parquet,
    read_plain,
    refuse_bad,
    suffix_of,
)


def check_row(place: str, number: int, text: Any, label: Any) -> Row:
    """``text`` and ``label`` of one row as strings.

    Raises:
        UserError: something else than a text and a label.
    """
    if not isinstance(text, str) or not isinstance(label, str | int) or isinstance(label, bool) or label == "":
        raise UserError(
            f"{place}, row {number}: expected a text and a label (text or whole number), found {text!r:.60} and "
            f"{label!r:.60}; mend the row"
        )
    # Half of a surrogate pair cannot be stored as UTF-8; the tokenizer drops it too.
    return {"text": text.encode("utf-8", "ignore").decode("utf-8"), "label": str(label), "post": str(number)}


def read_texts(path: Path, *, text_columns: Sequence[str], encoding: str = "utf-8") -> Iterator[str]:
    """The texts of any readable file, labels or not; a ``.txt`` file holds a post a line, or a JSON list of objects.

    Args:
        path: as in :func:`read_rows`, or ``-`` for lines of standard input.
        text_columns: names that the column may have; the first that a row has is taken.
        encoding: of text files.

    Raises:
        UserError: an unreadable or malformed file, or a row without such a column.
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
        if not isinstance(row[column], str):
            raise UserError(f"{path}, row {number}: expected a text in column {column!r}, found {row[column]!r:.60}")
        yield row[column]


def read_rows(path: Path, *, text_column: str, label_column: str, encoding: str = "utf-8") -> Iterator[Row]:
    """Rows of any readable file as ``text``, ``label`` and ``post``, which rows of one post share.

    Args:
        path: ``.jsonl``, ``.csv``, ``.tsv``, ``.parquet``, a JSON list in ``.txt`` or NLPCC 2014 ``.xml``, also with ``.gz``.
        text_column: its name in the file.
        label_column: its name in the file.
        encoding: of text files.

    Raises:
        UserError: an unreadable or malformed file, a missing column, a row without text or label, or no row at all.
    """
    rows = READERS[suffix_of(path)](path, encoding)
    number = 0
    for number, (_, row) in enumerate(refuse_bad(rows), start=1):
        if ".xml" in path.suffixes:
            yield row
            continue
        for column in (text_column, label_column):
            if column not in row:
                raise UserError(
                    f"{path}, row {number}: expected a column {column!r}, found {names_of(row)}; name it with `text_column` or "
                    "`label_column`"
                )
        checked = check_row(str(path), number, row[text_column], row[label_column])
        yield checked | {"post": str(row.get("weibo_id", number))}
    if number == 0:
        raise UserError(f"{path}: expected at least one row, found none; check the file")


class Posts(NamedTuple):
    """Whole rows of a file, and the types (pyarrow's) of its columns where the file is Parquet, which says them."""

    rows: Iterator[NumberedRow | BadRow]
    types: dict[str, Any]


def read_posts(path: Path, *, suffix: str, text_column: str, encoding: str = "utf-8") -> Posts:
    """Every row of any readable file with all of its columns; bad rows are yielded, not raised.

    Args:
        path: a file, or ``-`` for standard input.
        suffix: of ``READERS``; a ``.txt`` file holds a post a line, or a JSON list of objects.
        text_column: the only column of a post a line.
        encoding: of text files.

    Raises:
        UserError: a file that cannot be read, also when the rows are taken.
    """
    if suffix == ".parquet":
        file = open_parquet(path)
        return Posts(read_parquet(path, file), {field.name: field.type for field in file.schema_arrow})
    if suffix == ".txt":
        return Posts(read_plain(path, encoding, text_column), {})
    return Posts(READERS[suffix](path, encoding), {})
