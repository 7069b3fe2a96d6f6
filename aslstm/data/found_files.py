"""Takes the path of any file of posts and gives its posts, and in one line what was found out about it.

:func:`find_file` is the one door to files: it finds the format, the encoding, the sheet or table, the column of posts and that
of dates, each of which can be named instead. :class:`FoundFiles` reads several files as if they were one.
"""

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from aslstm.disk import is_stream
from aslstm.errors import UserError
from aslstm.packed_files import Unpacked, open_unpacked
from aslstm.text_files import BadRow

from .column_names import text_rank
from .columns import (
    MISSING,
    Column,
    DateColumn,
    columns_of,
    find_date_column,
    find_text_column,
    is_epoch_column,
    leaves_of,
    names_of,
    value_at,
)
from .dates import CHINA, parse_time
from .file_formats import NumberedRow, Row, Table
from .formats import CELL_FORMATS, LINE_FORMATS, Reading, read_tables
from .row_checks import text_fault

# What is read of a file to find its columns and, if that is all of it, the number of its rows.
_SAMPLE_ROWS = 5000
_SAMPLE_CHARACTERS = 1 << 22
_TABLE_ROWS = 200  # of each table, where there are several


@dataclass(frozen=True)
class Named:
    """Holds what the user says of a file; whatever is None is found out.

    Attributes:
        text_column: The names that the column of posts may have; of several, the first that a row has is read. A name with dots
            is a column inside of JSON objects, and a name with a plus is two columns.
        date_column: The name of the column of dates.
        encoding: The encoding of text files.
        table: The sheet of a workbook, the table of a database, or the list of a JSON file.
        format: A key of :data:`aslstm.data.formats.FORMATS`.
        reference_time: When the file was written, for dates such as "3分钟前"; by default its time on the disk.
    """

    text_column: tuple[str, ...] | None = None
    date_column: str | None = None
    encoding: str | None = None
    table: str | None = None
    format: str | None = None
    reference_time: datetime | None = None


class Post(NamedTuple):
    """Holds a row of a file.

    Attributes:
        place: The file and the number of the line or row, for messages.
        number: The number of the line, or of the row where the file has no lines.
        row: The row with all of its columns, as the file has it.
        text: The text of the post, which may be "".
    """

    place: str
    number: int
    row: Row
    text: str


class FoundFile:
    """Holds an open file and what was found out about it.

    Attributes:
        path: The path of the file.
        text_columns: The names that the column of posts may have; only one where it was found.
        date_column: The name of the column of dates, or "".
        columns: The dotted names of all columns of the first rows.
        num_rows: The number of rows, bad ones included, or None if the file is larger than what was read of it.
        types: The pyarrow types of the columns; only Parquet and Arrow tell these.
    """

    def __init__(self, source: Unpacked, named: Named) -> None:
        self.path = source.path
        self._named = named
        names = named.text_column or ("text",)
        self._reading = read_tables(source, named=named.format, encoding=named.encoding, column=names[0])
        self._table, self._others = _choose_table(self.path, self._reading, named)
        self.types: dict[str, Any] = self._table.types
        self._sample, is_whole = _sample_of(self._table)
        rows = [one[1] for one in self._sample if not isinstance(one, BadRow)]
        described = columns_of(rows)
        self.columns = [column.name for column in described]
        # A file without a row has no column to be found, and says so where rows are needed.
        self.text_columns = named.text_column or ((find_text_column(described, str(self.path)),) if rows else names)
        self._dates = find_date_column(described, self.text_columns[0], named.date_column) if rows else DateColumn("")
        self.date_column = self._dates.name
        self._num_read = len(self._sample)
        self.num_rows = self._num_read if is_whole else self._table.count and self._table.count()
        self.reference_time = named.reference_time or _time_of(source)

    @property
    def format(self) -> str:
        """The format, a key of :data:`aslstm.data.formats.FORMATS`."""
        return self._reading.format

    @property
    def date_is_named(self) -> bool:
        """Whether the user named the column of dates."""
        return self._named.date_column is not None

    def unread_date(self) -> str:
        """Return an example of the dates if none in the first rows can be read, else ""; it is known before :meth:`rows`."""
        rows = (one[1] for one in self._sample if not isinstance(one, BadRow))
        return "" if any(self.time_of(row) is not None for row in rows) else self._dates.unread

    @property
    def has_posts_alone(self) -> bool:
        """Whether the file is text with a post on each line."""
        return self.format == "txt"

    @property
    def has_header(self) -> bool:
        """Whether the columns are named once for all rows; in JSON each row names its own."""
        return self.format not in ("json", "jsonl")

    def class_names(self, column: str) -> list[str]:
        """Return the names of the classes of a column of numbers, if the library ``datasets`` wrote the file; else []."""
        return self._table.classes(column)

    def rows(self) -> Iterator[NumberedRow | BadRow]:
        """Yield the rows with their numbers, once; a row that cannot be read is a :class:`BadRow`."""
        sample, self._sample = self._sample, []
        return itertools.chain(sample, self._table.rows)

    def posts(self) -> Iterator[Post | BadRow]:
        """Yield the rows with their texts, once; a row without a text is a :class:`BadRow`, too."""
        unit = "line" if self.format in LINE_FORMATS else "row"
        for numbered in self.rows():
            if isinstance(numbered, BadRow):
                yield numbered
                continue
            number, row = numbered
            place = f"{self.path}, {unit} {number}"
            text = self.text_of(row)
            fault = self._fault_of(row, text)
            yield (
                BadRow(f"{place}: {fault}", number, json.dumps(row, ensure_ascii=False, default=str))
                if fault
                else Post(place, number, row, text)
            )

    def text_of(self, row: Row) -> Any:
        """Return the text of a row, or ``MISSING``; in a cell of a workbook or a database, a number is a text, too."""
        text = next((value for name in self.text_columns if (value := value_at(row, name)) is not MISSING), MISSING)
        if self.format in CELL_FORMATS and text is not MISSING and not isinstance(text, str):
            return "" if text is None else str(text)
        return text

    def _fault_of(self, row: Row, text: Any) -> str:
        if text is not MISSING:
            return text_fault(text, self.text_columns[0])
        names = " or ".join(map(repr, self.text_columns))
        return f"expected a text in column {names}, found {names_of(row)}; name it with `text_column`"

    def time_of(self, row: Row) -> datetime | None:
        """Return when the post of a row was published, on the clock that it was written by; None if that cannot be read."""
        if not self.date_column:
            return None
        value = value_at(row, self.date_column)
        epoch = self.date_is_named or is_epoch_column(self.date_column)
        return None if value is MISSING else parse_time(value, epoch=epoch, reference=self.reference_time)

    def line(self) -> str:
        """Return what was found out about the file, as one line.

        For example: ``国庆.csv: GB18030, comma, text column 微博正文, date column 发布时间, 3,412 rows``.
        """
        words = self._reading.shown
        if self._table.name:
            kind = {"sqlite": "table", "json": "list", "html": ""}.get(self.format, "sheet")
            others = f" (not {names_of(self._others)})" if self._others else ""
            words.append(f"{kind} {self._table.name}{others}".strip())
        words += self._table.notes
        if not self.has_posts_alone:
            words.append(f"text column {' or '.join(self.text_columns)}")
            words.append(self._words_of_dates())
        num_rows = self._num_read if self.num_rows is None else self.num_rows
        words.append(f"{'over ' * (self.num_rows is None)}{num_rows:,} row{'s' * (num_rows != 1)}")
        return f"{self.path.name}: {', '.join(words)}"

    def _words_of_dates(self) -> str:
        if not self.date_column:
            return "no date column"
        if self._dates.unread:
            return f"date column {self.date_column} (cannot be read: {self._dates.unread!r})"
        relative = f" (some are relative to {self.reference_time:%Y-%m-%d %H:%M})" if self._dates.is_relative else ""
        return f"date column {self.date_column}{relative}"


def find_file(path: Path, named: Named | None = None) -> FoundFile:
    """Open any file of posts, and find out what it is and which of its columns holds the posts.

    Args:
        path: The file, or ``-`` for standard input.
        named: What is not to be found out.

    Raises:
        UserError: The file cannot be read, or its column of posts cannot be told.
    """
    return FoundFile(open_unpacked(path), named or Named())


def _time_of(source: Unpacked) -> datetime:
    try:
        return datetime.fromtimestamp(source.path.stat().st_mtime, CHINA).replace(tzinfo=None)
    except OSError:  # standard input
        return datetime.now(CHINA).replace(tzinfo=None)


def _size_of(row: Row) -> int:
    return sum(len(value) for _, value in leaves_of(row) if isinstance(value, str))


def _sample_of(table: Table, limit: int = _SAMPLE_ROWS) -> tuple[list[NumberedRow | BadRow], bool]:
    """Return the first rows, and whether these are all."""
    sample: list[NumberedRow | BadRow] = []
    room = _SAMPLE_CHARACTERS
    for one in table.rows:
        if len(sample) >= limit or room <= 0:
            table.rows = itertools.chain([one], table.rows)
            return sample, False
        sample.append(one)
        room -= len(one.content) if isinstance(one, BadRow) else _size_of(one[1])
    return sample, True


def _choose_table(path: Path, reading: Reading, named: Named) -> tuple[Table, list[str]]:
    """Return the table that is read, and the names of the others that have posts.

    It is the first one whose column of texts is named as one, or else the first one in which a column of texts is found.
    """
    tables = reading.tables
    if named.table is not None:
        chosen = next((table for table in tables if table.name == named.table), None)
        if chosen is None:
            raise UserError(
                f"`table`: expected one of {names_of(table.name for table in tables)} in {path}, found {named.table!r}"
            )
        return chosen, []
    if len(tables) == 1:
        return tables[0], []
    found: list[tuple[int, Table]] = []
    for table in tables:
        sample, _ = _sample_of(table, _TABLE_ROWS)
        table.rows = itertools.chain(sample, table.rows)
        columns = columns_of([one[1] for one in sample if not isinstance(one, BadRow)])
        if columns:
            found.append((_fit(columns, named.text_column), table))
    if not found:
        return tables[0], []
    best = min(found, key=lambda one: one[0])
    return best[1], [table.name for fit, table in found if table is not best[1] and fit < _NO_TEXTS]


_NO_TEXTS = 3


def _fit(columns: list[Column], text_column: Sequence[str] | None) -> int:
    """Return how well a table fits: 0 where a column is named as one of posts, ``_NO_TEXTS`` where none holds any."""
    if text_column is not None:
        return 0 if any(column.name in text_column for column in columns) else _NO_TEXTS
    ranks = [rank[0] for column in columns if column.texts and column.has_texts and (rank := text_rank(column.last_name))]
    if ranks and min(ranks) < 2:
        return 0
    try:
        find_text_column(columns, "")
    except UserError:
        return _NO_TEXTS
    return 1 if ranks else 2


class FoundFiles:
    """Reads several files as one; each row of several says in the column ``source`` from which file it comes.

    Where the columns of posts have several names, they are called ``text`` in all rows, and those of dates ``date``.

    Args:
        paths: The files.
        named: What is not to be found out, of every file.

    Attributes:
        files: What was found out about each file. Standard input and pipes are read from these; other files are opened again.
        source_column: The name of the column that says which file, or "" for a single file.

    Raises:
        UserError: A file cannot be read, or its column of posts cannot be told.
    """

    def __init__(self, paths: Sequence[Path], named: Named | None = None) -> None:
        self._named = named or Named()
        self.paths = list(paths)
        self.files = [find_file(path, self._named) for path in self.paths]
        columns = {name.split(".")[0] for file in self.files for name in file.columns}
        free = (name for name in itertools.chain(("source", "source_file"), _numbered("source_file")) if name not in columns)
        self.source_column = next(free) if len(self.paths) > 1 else ""
        self._renamed = {
            name: len({one for file in self.files if (one := which(file))}) > 1
            for name, which in (("text", lambda file: file.text_columns[0]), ("date", lambda file: file.date_column))
        }
        repeated = len({path.name for path in self.paths}) < len(self.paths)
        self._names = [str(path) if repeated else path.name for path in self.paths]

    @property
    def types(self) -> dict[str, Any]:
        """The pyarrow types of the columns, if all files have the same."""
        first = self.files[0].types
        return first if all(file.types == first for file in self.files[1:]) and not any(self._renamed.values()) else {}

    @property
    def text_column(self) -> str:
        """The name of the column of posts in the rows of :meth:`posts`."""
        return "text" if self._renamed["text"] else self.files[0].text_columns[0]

    def lines(self) -> list[str]:
        """Return what was found out about each file, one line for each."""
        return [file.line() for file in self.files]

    def posts(self) -> Iterator[Post | BadRow]:
        """Yield the posts of all files, once."""
        for path, file, name in zip(self.paths, self.files, self._names, strict=True):
            # The rows that were read to find the columns of all files are not kept in memory.
            again = file if len(self.files) == 1 or is_stream(path) else find_file(path, self._named_as(file))
            if not self.source_column:
                yield from again.posts()
                return
            for post in again.posts():
                yield post if isinstance(post, BadRow) else post._replace(row=self._row_of(post, again, name))

    def _named_as(self, file: FoundFile) -> Named:
        return replace(self._named, text_column=file.text_columns, date_column=self._named.date_column)

    def _row_of(self, post: Post, file: FoundFile, name: str) -> Row:
        row = post.row
        for new, is_renamed in self._renamed.items():
            old = file.text_columns[0] if new == "text" else file.date_column
            if is_renamed and old and old != new:
                if new in row:
                    raise UserError(
                        f"{post.place}: expected no column {new!r} beside {old!r}, which is called so because the files have "
                        "other names for it, found one; label the files one by one"
                    )
                value = value_at(row, old)
                row = {new if key == old else key: value for key, value in row.items()}
                row.setdefault(new, None if value is MISSING else value)
        return {**row, self.source_column: name}


def _numbered(name: str) -> Iterator[str]:
    return (f"{name}_{i}" for i in itertools.count(2))
