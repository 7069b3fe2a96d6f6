"""Holds what the readers of all formats take and give: an open text file, and tables of numbered rows.

Readers only read: nothing here changes a text, and every error message names the file and the row. A row that cannot be read
is yielded as a :class:`BadRow` if the rows after it can be read; an error that spoils the whole file is raised.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from aslstm.errors import UserError
from aslstm.packed_files import Unpacked
from aslstm.text_files import BadRow, lines_of

T = TypeVar("T")
Row = dict[str, Any]

# The number of the first line of a row (or of the row itself, where the file has no lines), and the row.
NumberedRow = tuple[int, Row]
Rows = Iterator[NumberedRow | BadRow]


@dataclass
class Table:
    """Holds the rows of a file, or of one of the sheets or tables that a file has.

    Attributes:
        rows: The rows, which can be read once.
        name: The name of the sheet or table, or "" if the file has no such names.
        types: The pyarrow types of the columns; only Parquet and Arrow tell these.
        count: A function that returns the number of rows without reading them, if the format knows it.
        classes: A function that returns the names of the classes of a column of numbers, if the file has such names.
        notes: What a reader should know of the rows, for the line that says what was found.
    """

    rows: Rows
    name: str = ""
    types: dict[str, Any] = field(default_factory=dict)
    count: Callable[[], int] | None = None
    classes: Callable[[str], list[str]] = lambda column: []
    notes: tuple[str, ...] = ()


class TextFile(NamedTuple):
    """Holds an open text file.

    Attributes:
        source: The open file.
        encoding: Its encoding.
        is_found: Whether the encoding was found; then a line of UTF-8 in a file of another encoding is a bad row.
    """

    source: Unpacked
    encoding: str
    is_found: bool

    @property
    def path(self) -> Path:
        """The path of the file, for messages."""
        return self.source.path

    def lines(self) -> Iterator[str | BadRow]:
        """Yield the lines; see :func:`aslstm.text_files.lines_of`."""
        refuse_utf8 = self.is_found and self.encoding in ("gb18030", "big5hkscs")
        return lines_of(self.source.file, str(self.path), self.encoding, refuse_utf8=refuse_utf8)

    def head(self) -> str:
        """Return the text of the first whole lines; what is not in the encoding is U+FFFD."""
        text = self.source.head.decode(self.encoding, "replace").removeprefix("\ufeff")
        return text if self.source.is_whole else text[: text.rfind("\n") + 1] or text


def refuse_bad(values: Iterable[T | BadRow]) -> Iterator[T]:
    """Yield the values, and raise the first bad row."""
    for value in values:
        if isinstance(value, BadRow):
            raise value
        yield value


def refuse_repeated(place: str | Path, names: Sequence[str]) -> None:
    """Refuse two columns of one name.

    Raises:
        UserError: There are such columns.
    """
    repeated = sorted({name for name in names if list(names).count(name) > 1})
    if repeated:
        raise UserError(f"{place}: expected distinct column names, found {repeated} more than once; rename them")


def named_columns(place: str | Path, cells: Sequence[Any]) -> list[str]:
    """Return the names of the columns of a header; of several that are blank, each is named after its place.

    >>> named_columns("a.csv", ["", "text"]), named_columns("a.csv", ["text", "", None])
    (['', 'text'], ['text', 'column 2', 'column 3'])

    Raises:
        UserError: Two columns have one name.
    """
    names = ["" if cell is None else str(cell).strip() for cell in cells]
    if names.count("") > 1:
        names = [name or f"column {i}" for i, name in enumerate(names, start=1)]
    refuse_repeated(place, names)
    return names
