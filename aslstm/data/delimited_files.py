"""Takes an open text file and gives its rows: a table whose cells any character parts, or a post on each line.

Which it is, which character it is, and whether the first row names the columns, the beginning of the file tells.
"""

import csv
import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from aslstm.errors import UserError
from aslstm.text_files import MAX_LINE_BYTES, BadRow

from .column_names import date_rank, normal_name, text_rank
from .columns import names_of
from .dates import parse_time
from .file_formats import Rows, Table, TextFile, named_columns

# The first ones win where two characters part the rows equally well.
_USUAL = ",\t;|\x01\x1f，^~¦§"
_NEVER = frozenset("\"'_.()[]{}<>（）【】《》“”‘’ \r\n\ufeff\ufffd/\\+-")
_NAMES = {",": "comma", "\t": "tab", ";": "semicolon", "|": "vertical bar", "，": "full-width comma", "\x01": "U+0001"}
_ROWS = 200
_LEAST_AGREEMENT = 0.8
_LABEL_NAMES = frozenset(("label", "labels", "emotion", "sentiment", "标签", "情绪", "情感", "类别", "id", "user", "author"))
# What only a post has, and no name of a column.
_OF_POSTS = re.compile(r"[。！？!?…]|，.|\[[^\[\]\s]{1,8}\]|[\U0001f300-\U0001faff]|https?:")
_LONGEST_NAME = 40
_SEPARATOR_LINE = re.compile("sep=(.)\r?\n")  # the first line of a file that is made for Excel


class Layout(NamedTuple):
    """Says how the cells of a file are parted.

    Attributes:
        delimiter: The character between two cells; "" for a post on each line.
        names: The names of the columns, if the first row does not name them.
        skipped: How many lines come before the first row.
    """

    delimiter: str
    names: tuple[str, ...] = ()
    skipped: int = 0

    @property
    def shown(self) -> str:
        """The delimiter as people write it."""
        return _NAMES.get(self.delimiter, repr(self.delimiter)) + (", no header" if self.names else "")


def find_layout(file: TextFile, suffix: str) -> Layout:
    """Return how the cells of a text file are parted.

    Args:
        file: The open file.
        suffix: What the name says: with ``.csv`` or ``.tsv`` it is a table, also if it has one column.
    """
    head = file.head()
    is_table = suffix in (".csv", ".tsv", ".tab")
    if match := _SEPARATOR_LINE.match(head):
        return Layout(match[1], skipped=1)
    rows_of = {delimiter: _rows(head, delimiter, file.source.is_whole) for delimiter in _candidates(head, suffix)}
    agreements = {delimiter: _agreement(rows) for delimiter, rows in rows_of.items() if rows and len(rows[0]) > 1}
    likely = [delimiter for delimiter, agreement in agreements.items() if agreement >= _LEAST_AGREEMENT]
    best = max(likely, key=lambda one: len(rows_of[one][0]) * agreements[one], default="")
    usual = "\t" if suffix in (".tsv", ".tab") else ","
    if not best:
        return Layout(usual if is_table else "")
    names = _names_without_header(rows_of[best])
    if is_table or _is_table(rows_of[best], agreements[best], best, has_header=not names):
        return Layout(best, names)
    return Layout("")


def _candidates(head: str, suffix: str) -> list[str]:
    first = head.lstrip("\n").split("\n", 1)[0]
    found = {one for one in first if not one.isalnum() and one not in _NEVER and (ord(one) < 0x3000 or one == "，")}
    order = ("\t" if suffix == ".tsv" else "") + _USUAL
    return sorted(found, key=lambda one: (order.find(one) if one in order else len(order), one))


def _rows(head: str, delimiter: str, is_whole: bool) -> list[list[str]]:
    lines = head.split("\n")[: 4 * _ROWS]
    try:
        rows = [row for row in itertools.islice(csv.reader((f"{line}\n" for line in lines), delimiter=delimiter), _ROWS) if row]
    except (csv.Error, TypeError):
        return []
    return rows if is_whole or len(rows) < 2 else rows[:-1]


def _agreement(rows: Sequence[Sequence[str]]) -> float:
    """Return the share of rows that have as many cells as the first one."""
    return sum(len(row) == len(rows[0]) for row in rows) / len(rows)


def _names_without_header(rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return names for the columns if the first row is one of posts; () if it names them."""
    header = rows[0]
    if any(_is_known(name) for name in header) or not any(_is_no_name(cell) for cell in header):
        return ()
    return tuple(f"column_{i}" for i in range(1, len(header) + 1))


def _is_known(name: str) -> bool:
    return text_rank(name) is not None or date_rank(name) is not None or normal_name(name) in _LABEL_NAMES


def _is_no_name(cell: str) -> bool:
    cell = cell.strip()
    is_long = len(cell) > _LONGEST_NAME or _OF_POSTS.search(cell) is not None
    return is_long or (bool(cell) and (cell.lstrip("-").isdecimal() or parse_time(cell) is not None))


def _is_table(rows: Sequence[Sequence[str]], agreement: float, delimiter: str, *, has_header: bool) -> bool:
    """Return whether a file whose name does not say so is a table, and no post on each line that has, say, a comma."""
    if has_header:
        return agreement > 0.95 and any(_is_known(name) for name in rows[0])
    is_short = all(len(cell) <= 12 for cell in (row[0] for row in rows))
    most_common = Counter(len(row) for row in rows).most_common(1)[0][1]
    return delimiter == "\t" and is_short and len(rows) > 2 and most_common == len(rows)


def read_delimited(file: TextFile, layout: Layout) -> list[Table]:
    """Return the rows of a table.

    Raises:
        UserError: The header cannot be read. This is raised while the rows are taken.
    """
    return [Table(_delimited(file, layout))]


def _delimited(file: TextFile, layout: Layout) -> Rows:
    path, skipped = file.path, layout.skipped
    lines: list[str | BadRow] = []  # The lines of the row that is being read.

    def texts() -> Iterator[str]:
        size = 0
        for number, line in enumerate(itertools.islice(file.lines(), skipped, None), start=1 + skipped):
            content = line.content if isinstance(line, BadRow) else line
            size = len(content) + (size if lines else 0)
            if size > MAX_LINE_BYTES:
                raise UserError(
                    f"{path}, line {number - len(lines)}: expected a row of at most {MAX_LINE_BYTES:,} characters, found more; "
                    "close the quotation mark that it opens, or cut it"
                )
            lines.append(line)
            yield content

    # A field may be as long as a row. This setting is the only one that the csv module has for the whole process.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_LINE_BYTES))
    reader = csv.reader(texts(), delimiter=layout.delimiter, strict=True)
    header = list(layout.names)
    while True:
        lines.clear()
        fault: csv.Error | None = None
        try:
            fields = next(reader, None)
        except csv.Error as error:
            fault, fields = error, []
        if fields is None:
            return
        # The first line of the row: behind a quotation mark that is never closed, the last one would be that of the file.
        number = reader.line_num + skipped - max(len(lines) - 1, 0)
        message = "" if fault is None else f"{path}, line {number}: {_words_of(fault)}"
        undecoded = [line for line in lines if isinstance(line, BadRow)]
        if header and fields and len(fields) != len(header):
            message = (
                f"{path}, line {number}: expected {len(header)} fields ({names_of(header)}), found {len(fields)}; quote "
                "fields that hold the delimiter"
            )
        if undecoded or message:
            content = "".join(line.content if isinstance(line, BadRow) else line for line in lines)
            bad = BadRow(str(undecoded[0]) if undecoded else message, number, content)
            if not header:
                raise bad
            yield bad
        elif header and fields:
            yield number, dict(zip(header, fields, strict=True))
        elif fields:
            header = named_columns(path, fields)


def _words_of(fault: csv.Error) -> str:
    if str(fault) == "unexpected end of data":
        return (
            "expected delimited text in which each quotation mark is closed, found the end of the file; close or double the "
            "one that opens here"
        )
    return f"expected delimited text, found: {fault}; correct the line"


def read_plain(file: TextFile, column: str) -> list[Table]:
    """Return a post for each line, also for blank ones.

    Args:
        file: The open file.
        column: The name of the only column.
    """
    return [Table(_plain(file, column))]


def _plain(file: TextFile, column: str) -> Rows:
    for number, line in enumerate(file.lines(), start=1):
        yield line if isinstance(line, BadRow) else (number, {column: line.removesuffix("\n").removesuffix("\r")})
