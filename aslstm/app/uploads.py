"""Takes a file that a visitor uploads, or pasted lines, and gives its rows within the app's limits.

An error names the file without the folder in which it was stored, and is told in the language of the page.
"""

import unicodedata
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from aslstm.data.columns import MISSING, value_at
from aslstm.data.file_formats import Row, refuse_bad
from aslstm.data.formats import LINE_FORMATS, SUFFIXES
from aslstm.data.found_files import FoundFile, Named, find_file
from aslstm.errors import UserError

from .faults import ToldError, told
from .texts import TEXTS, AppTexts

MAX_POSTS = 20_000
MAX_POST_CHARACTERS = 60_000  # Such a post is answered within a second.
MAX_PASTED_CHARACTERS = 1_000_000
MAX_COLUMNS = 200
MAX_LINE_MEGABYTES = 1
FORMATS = "CSV, TSV, TXT, Excel, JSON, SQLite, Parquet, HTML, ZIP"
TEXT_COLUMN = "text"  # the name that the column of pasted lines gets
# A column that no file has: with it, a file tells its columns also where it cannot tell that of the posts.
_NO_COLUMN = "\0"
_SHOWN_ROWS = 3
_SHOWN_CHARACTERS = 60


class Upload(NamedTuple):
    """Holds what is known of a file before its posts are labelled.

    Attributes:
        columns: The names of its columns.
        text_column: The column that holds the posts, or "" if that cannot be told.
        date_column: The column of dates, or "".
        num_rows: The number of rows.
        num_blank: The number of rows without a text in that column.
        first_rows: The cells of the first rows, cut to what is shown.
    """

    columns: list[str]
    text_column: str
    date_column: str
    num_rows: int
    num_blank: int
    first_rows: list[list[str]]


class Posts(NamedTuple):
    """Holds the rows of an upload, whose column of posts is a text everywhere.

    Attributes:
        rows: The rows.
        text_column: The name of the column of posts.
        date_column: The name of the column of dates, or "".
    """

    rows: list[Row]
    text_column: str
    date_column: str


def open_upload(path: Path, text_column: str, encoding: str) -> FoundFile:
    """Open an upload: this is the only place where the app opens one.

    Args:
        path: The file.
        text_column: The column of posts, or "" to find it out.
        encoding: The encoding of a text file, or "" to find it out.

    Raises:
        UserError: The file cannot be read, or its column of posts cannot be told.
    """
    return find_file(path, Named((text_column,) if text_column else None, encoding=encoding or None))


def look_at(path: Path, encoding: str, language: str, progress: Callable[[str], Any]) -> Upload:
    """Return what is known of an upload, whose rows are all read once.

    Args:
        path: The file.
        encoding: The encoding of a text file, or "" to find it out.
        language: The language of the page.
        progress: A function that is called with a line that says what is being done.

    Raises:
        ToldError: The file cannot be read, or it is larger than the app allows.
    """
    texts = TEXTS[language]
    progress(texts.reading)
    check_shape(path, texts)
    try:
        found, is_told = _open_to_look(path, encoding)
        rows: list[list[str]] = []
        num_blank = 0
        for _, row in islice(refuse_bad(found.rows()), MAX_POSTS + 1):
            _check_columns(row, texts)
            num_blank += is_told and _is_blank(found.text_of(row))
            rows.append([_shown(value_at(row, name)) for name in found.columns] if len(rows) < _SHOWN_ROWS else [])
    except UserError as error:
        raise told(error, language, path) from error
    _check_number(len(rows), len(rows) - num_blank, texts)
    column = found.text_columns[0] if is_told else ""
    return Upload(found.columns, column, found.date_column, len(rows), num_blank, rows[:_SHOWN_ROWS])


def _open_to_look(path: Path, encoding: str) -> tuple[FoundFile, bool]:
    """Return an open upload, and whether it tells its column of posts."""
    try:
        return open_upload(path, "", encoding), True
    except UserError:
        # If the file itself cannot be read, this raises the error again.
        return open_upload(path, _NO_COLUMN, encoding), False


def read_upload(path: Path, *, text_column: str, encoding: str, language: str) -> Posts:
    """Return the rows of an upload.

    Args:
        path: The file.
        text_column: The column that the visitor chose, or "" to find it out.
        encoding: The encoding of a text file, or "" to find it out.
        language: The language of the page.

    Raises:
        ToldError: The file cannot be read, a text is none or too long, or the file is larger than the app allows.
    """
    texts = TEXTS[language]
    check_shape(path, texts)
    rows: list[Row] = []
    try:
        found = open_upload(path, text_column, encoding)
        column = found.text_columns[0]
        for post in islice(refuse_bad(found.posts()), MAX_POSTS + 1):
            _check_columns(post.row, texts)
            check_length(post.text, texts)
            rows.append({**post.row, column: post.text})
    except UserError as error:
        raise told(error, language, path) from error
    _check_number(len(rows), sum(not _is_blank(row[column]) for row in rows), texts)
    return Posts(rows, column, found.date_column)


def read_lines(lines: str, language: str) -> Posts:
    """Return a row for each pasted line that is not blank.

    Raises:
        ToldError: There are no lines, too many or too long ones.
    """
    texts = TEXTS[language]
    if len(lines) > MAX_PASTED_CHARACTERS:
        raise ToldError(texts.too_much_pasted.format(limit=MAX_PASTED_CHARACTERS, found=len(lines)))
    rows = [{TEXT_COLUMN: line} for line in lines.split("\n") if line.strip()]
    _check_number(len(rows), len(rows), texts)
    for row in rows:
        check_length(row[TEXT_COLUMN], texts)
    return Posts(rows, TEXT_COLUMN, "")


def check_length(post: str, texts: AppTexts) -> None:
    """Refuse a post that is too long to be answered at once.

    Raises:
        ToldError: The post has too many characters, in itself or in the form in which the model reads it.
    """
    # One character may stand for eighteen.
    if len(post) > MAX_POST_CHARACTERS or (found := len(unicodedata.normalize("NFKC", post))) > MAX_POST_CHARACTERS:
        found = len(post) if len(post) > MAX_POST_CHARACTERS else found
        raise ToldError(texts.too_long.format(limit=MAX_POST_CHARACTERS, found=found))


def check_shape(path: Path, texts: AppTexts) -> None:
    """Refuse a file of rows with too many columns or with a line that is too long, before a reader holds it in memory.

    This looks at files that their names call CSV, TSV or JSON Lines. Of all others, the job that reads them is within bounds.

    Raises:
        ToldError: The file has such a line.
    """
    if SUFFIXES.get(path.suffix.lower()) not in LINE_FORMATS:
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if len(line) > MAX_LINE_MEGABYTES * 1_000_000:
                raise ToldError(texts.long_line.format(number=number, limit=MAX_LINE_MEGABYTES))
            columns = 1 + line.count(b"\t" if path.suffix.lower() == ".tsv" else b",")
            if number == 1 and path.suffix.lower() in (".csv", ".tsv") and columns > MAX_COLUMNS:
                raise ToldError(texts.too_many_columns.format(limit=MAX_COLUMNS, found=columns))


def _check_number(num_rows: int, num_posts: int, texts: AppTexts) -> None:
    # A file of nothing but blank lines has no posts, however many lines there are.
    if not num_posts:
        raise ToldError(texts.no_posts)
    if num_rows > MAX_POSTS:
        raise ToldError(texts.too_many.format(limit=MAX_POSTS))


def _check_columns(row: Row, texts: AppTexts) -> None:
    if len(row) > MAX_COLUMNS:
        raise ToldError(texts.too_many_columns.format(limit=MAX_COLUMNS, found=len(row)))


def _is_blank(cell: object) -> bool:
    return cell is None or cell is MISSING or (isinstance(cell, str) and not cell.strip())


def _shown(cell: object) -> str:
    text = "" if cell is None or cell is MISSING else str(cell)
    return text[:_SHOWN_CHARACTERS] + "…" * (len(text) > _SHOWN_CHARACTERS)
