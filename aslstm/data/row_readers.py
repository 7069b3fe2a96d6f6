"""Takes any readable file and gives labelled rows for training, or texts alone."""

from collections.abc import Callable, Iterator
from pathlib import Path

from aslstm.disk import is_stream
from aslstm.errors import UserError

from .columns import MISSING, names_of, value_at
from .file_formats import Row, refuse_bad
from .found_files import FoundFile, Named, find_file
from .row_checks import RowChecker


def check_can_be_read_again(path: Path) -> None:
    """Refuse a pipe or a device for a corpus, which is read several times: by a hash, by processes, by later epochs.

    Raises:
        UserError: The path can be read only once.
    """
    if is_stream(path):
        raise UserError(f"{path}: expected a file, which is read more than once, found a pipe or a device; save it first")


def read_texts(path: Path, named: Named | None = None, *, tell: Callable[[str], None] | None = None) -> Iterator[str]:
    """Yield the texts of any readable file, whether it has labels or not.

    Args:
        path: The file to read, or ``-`` for standard input.
        named: What is not to be found out about the file.
        tell: A function that is called with the line that says what was found out.

    Raises:
        UserError: The file cannot be read or is malformed, or a row has no text.
    """
    found = find_file(path, named)
    if tell is not None:
        tell(found.line())
    for post in refuse_bad(found.posts()):
        yield post.text


def find_labelled_file(path: Path, *, text_column: str | None, encoding: str | None = None) -> FoundFile:
    """Open a file of labelled rows; see :func:`found_files.find_file`."""
    return find_file(path, Named(text_column=None if text_column is None else (text_column,), encoding=encoding))


def read_rows(path: Path, *, text_column: str | None, label_column: str, encoding: str | None = None) -> Iterator[Row]:
    """Yield the rows of any readable file as ``text``, ``label`` and ``post``; rows of one post share the last.

    Args:
        path: The file to read.
        text_column: The name of the column of texts in the file; None if it is to be found.
        label_column: The name of the column of labels in the file.
        encoding: The encoding of text files; None if it is to be found.

    Raises:
        UserError: The file cannot be read, is malformed or has no row; or a column, a text or a label is missing.
    """
    found = find_labelled_file(path, text_column=text_column, encoding=encoding)
    names = found.class_names(label_column)
    column = found.text_columns[0]
    check = RowChecker(str(path), column)
    number = 0
    for number, (_, row) in enumerate(refuse_bad(found.rows()), start=1):
        if found.format == "xml":
            yield row
            continue
        text, label = found.text_of(row), value_at(row, label_column)
        for name, value in ((column, text), (label_column, label)):
            if value is MISSING:
                raise UserError(
                    f"{path}, row {number}: expected a column {name!r}, found {names_of(row)}; name it with `text_column` or "
                    "`label_column`"
                )
        if names and isinstance(label, int):
            label = names[label] if 0 <= label < len(names) else None  # The library writes -1 where there is no label.
        yield check(number, text, label) | {"post": str(row.get("weibo_id", number))}
    if number == 0:
        raise UserError(f"{path}: expected at least one row, found none; check the file")
