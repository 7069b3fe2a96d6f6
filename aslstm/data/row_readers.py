"""Takes any readable file and gives labelled rows for training, or texts alone."""

from collections.abc import Callable, Iterator
from pathlib import Path

from aslstm.disk import is_stream
from aslstm.errors import UserError
from aslstm.text_files import BadRow

from .columns import MISSING, names_of, value_at
from .faulty_rows import faulty_row, good_row
from .file_formats import Row, refuse_bad
from .found_files import FoundFile, Named, find_file
from .labels import SINGLE_LABEL, labels_of_columns, named_classes, several_columns
from .row_checks import NoLabelError, RowChecker, TextFaultError

# In these formats each row names its columns, or has none.
_FORMATS_WITHOUT_HEADER = ("txt", "json", "jsonl")


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


def read_rows(
    path: Path,
    *,
    text_column: str | None,
    label_column: str,
    encoding: str | None = None,
    problem_type: str = SINGLE_LABEL,
    keep_faulty: bool = False,
) -> Iterator[Row]:
    """Yield the rows of any readable file as ``text``, ``label`` and ``post``; rows of one post share the last.

    Args:
        path: The file to read.
        text_column: The name of the column of texts in the file; None if it is to be found.
        label_column: The name of the column of labels in the file; in a multi-label corpus also the names of columns of 0 and
            1, with commas between them.
        encoding: The encoding of text files; None if it is to be found.
        problem_type: Whether a post has one label or any number of them, as the config of a model names it.
        keep_faulty: Whether a row that cannot be read or has no label is yielded, with what is wrong with it as
            :mod:`faulty_rows` says, instead of raised.

    Raises:
        UserError: The file cannot be read, is malformed or has no row; or a column, a text or a label is missing.
    """
    found = find_labelled_file(path, text_column=text_column, encoding=encoding)
    names = found.class_names(label_column)
    check = RowChecker(str(path), found.text_columns[0], problem_type)
    number = 0
    for number, one in enumerate(found.rows(), start=1):
        try:
            if isinstance(one, BadRow):
                raise one
            row = one[1] if found.format == "xml" else _labelled(check, number, found, one[1], label_column, names)
        except (BadRow, NoLabelError, TextFaultError) as error:
            if not keep_faulty:
                raise
            yield faulty_row(number, error)
        else:
            yield good_row(row) if keep_faulty else row
    if number == 0:
        raise UserError(f"{path}: expected at least one row, found none; check the file")


def _labelled(check: RowChecker, number: int, found: FoundFile, row: Row, label_column: str, names: list[str]) -> Row:
    """Return ``text``, ``label`` and ``post`` of a row; ``names`` are those of classes that the file numbers."""
    several = several_columns(label_column, check.problem_type)
    text = found.text_of(row)
    values = {check.text_column: text, **{column: value_at(row, column) for column in several or (label_column,)}}
    for column, value in values.items():
        if value is MISSING:
            # A column that the first row of a table lacks is missing in its header.
            place = "header" if number == 1 and found.format not in _FORMATS_WITHOUT_HEADER else f"row {number}"
            flag = "text_column" if column == check.text_column else "label_column"
            raise UserError(
                f"{check.place}, {place}: expected a column {column!r}, found {names_of(row)}; name it with `{flag}`"
            )
    label = labels_of_columns(values, several) if several else named_classes(values[label_column], names)
    return check(number, text, label) | {"post": str(row.get("weibo_id", number))}
