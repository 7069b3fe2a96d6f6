"""Takes a file that a visitor uploads, or pasted lines, and gives its rows within the app's limits.

An error names the file without the folder in which it was stored, and is told in the language of the page.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from aslstm.data.file_formats import LINE_FORMATS, NumberedRow, Row, refuse_bad
from aslstm.data.row_readers import read_posts
from aslstm.errors import UserError
from aslstm.prediction.predictor import fault_of_text

from .faults import ToldError, told
from .texts import TEXTS, AppTexts

MAX_POSTS = 20_000
MAX_POST_CHARACTERS = 60_000  # Such a post is answered within a second.
MAX_PASTED_CHARACTERS = 1_000_000
MAX_COLUMNS = 200
MAX_LINE_MEGABYTES = 1
SUFFIXES = (".csv", ".tsv", ".jsonl", ".txt")  # nothing compressed: a small file may hold gigabytes
FORMATS = "CSV, TSV, JSON Lines, TXT"
TEXT_COLUMN = "text"  # the name that the only column of pasted lines and plain text gets
_SHOWN_ROWS = 3
_SHOWN_CHARACTERS = 60
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_PROBED_BYTES = 1 << 20


class Upload(NamedTuple):
    """Holds what is known of a file before its posts are labelled.

    Attributes:
        columns: The names of its columns.
        text_column: The column that holds the posts, as far as can be told.
        num_rows: The number of rows.
        num_blank: The number of rows without a text in that column.
        first_rows: The cells of the first rows, cut to what is shown.
    """

    columns: list[str]
    text_column: str
    num_rows: int
    num_blank: int
    first_rows: list[list[str]]


def open_rows(path: Path, encoding: str) -> Iterator[NumberedRow]:
    """Yield the numbered rows of an upload: this is the only place where the app opens one.

    Args:
        path: The file.
        encoding: The encoding of a text file, or "" to find it out.

    Raises:
        UserError: The file or a row cannot be read.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UserError(f"{path.name}: expected a file ending in {', '.join(SUFFIXES)}, found {path.suffix!r}")
    encoding = encoding or _encoding_of(path)
    return refuse_bad(read_posts(path, suffix=suffix, text_column=TEXT_COLUMN, encoding=encoding).rows)


def _encoding_of(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(_PROBED_BYTES)
    try:
        # The last character may be cut.
        start[: max(len(start) - 4, 0)].decode("utf-8") if len(start) == _PROBED_BYTES else start.decode("utf-8")
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8"


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
    progress(TEXTS[language].reading)
    rows = _rows(path, encoding, language)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text_column = suggested_column(columns, rows)
    first = [[_shown(row.get(name)) for name in columns] for row in rows[:_SHOWN_ROWS]]
    return Upload(columns, text_column, len(rows), sum(_is_blank(row.get(text_column)) for row in rows), first)


def read_upload(path: Path, *, text_column: str, encoding: str, language: str) -> tuple[list[Row], str]:
    """Return the rows of an upload and the name of their column of posts.

    Args:
        path: The file.
        text_column: The column that the visitor chose, or "" to find it out.
        encoding: The encoding of a text file, or "" to find it out.
        language: The language of the page.

    Raises:
        ToldError: The file cannot be read, a text is none or too long, or the file is larger than the app allows.
    """
    rows = _rows(path, encoding, language)
    column = text_column or suggested_column(list(rows[0]), rows)
    for number, row in enumerate(rows, start=1):
        if _is_blank(row.get(column)) and column in row:
            row[column] = ""
        elif fault := fault_of_text(f", row {number}", row, column):
            raise told(UserError(fault), language)
        check_length(row[column], TEXTS[language])
    check_number(sum(bool(row[column].strip()) for row in rows), TEXTS[language])
    return rows, column


def _rows(path: Path, encoding: str, language: str) -> list[Row]:
    texts = TEXTS[language]
    if path.suffix.lower() in LINE_FORMATS:
        check_shape(path, texts)
    rows = []
    try:
        for _, row in islice(open_rows(path, encoding), MAX_POSTS + 1):
            if len(row) > MAX_COLUMNS:
                raise ToldError(texts.too_many_columns.format(limit=MAX_COLUMNS, found=len(row)))
            rows.append(row)
    except UserError as error:
        raise told(error, language, path) from error
    # A file of nothing but blank lines has no posts, however many lines there are.
    check_number(len(rows) if any(not _is_blank(cell) for row in rows for cell in row.values()) else 0, texts)
    return rows


def suggested_column(columns: Sequence[str], rows: Sequence[Row]) -> str:
    """Return the column that most likely holds the posts: ``text``, or else the one with the most Chinese characters."""
    if TEXT_COLUMN in columns:
        return TEXT_COLUMN
    return max(columns, key=lambda name: sum(len(_CHINESE.findall(str(row.get(name) or ""))) for row in rows), default="")


def read_lines(lines: str, language: str) -> list[Row]:
    """Return a row for each pasted line that is not blank.

    Raises:
        ToldError: There are no lines, too many or too long ones.
    """
    texts = TEXTS[language]
    if len(lines) > MAX_PASTED_CHARACTERS:
        raise ToldError(texts.too_much_pasted.format(limit=MAX_PASTED_CHARACTERS, found=len(lines)))
    rows = [{TEXT_COLUMN: line} for line in lines.split("\n") if line.strip()]
    check_number(len(rows), texts)
    for row in rows:
        check_length(row[TEXT_COLUMN], texts)
    return rows


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

    Raises:
        ToldError: The file has such a line.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if len(line) > MAX_LINE_MEGABYTES * 1_000_000:
                raise ToldError(texts.long_line.format(number=number, limit=MAX_LINE_MEGABYTES))
            columns = 1 + line.count(b"\t" if path.suffix == ".tsv" else b",")
            if number == 1 and path.suffix != ".jsonl" and columns > MAX_COLUMNS:
                raise ToldError(texts.too_many_columns.format(limit=MAX_COLUMNS, found=columns))


def check_number(num_posts: int, texts: AppTexts) -> None:
    """Refuse a number of posts that is not allowed.

    Raises:
        ToldError: There are no posts or too many.
    """
    if not num_posts:
        raise ToldError(texts.no_posts)
    if num_posts > MAX_POSTS:
        raise ToldError(texts.too_many.format(limit=MAX_POSTS))


def _is_blank(cell: object) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _shown(cell: object) -> str:
    text = "" if cell is None else str(cell)
    return text[:_SHOWN_CHARACTERS] + "…" * (len(text) > _SHOWN_CHARACTERS)
