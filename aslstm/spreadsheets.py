"""Takes cells of a table that may come from anybody's posts, and writes CSV whose cells no spreadsheet runs as formulas.

A text that begins with the sign of a formula gets an apostrophe in front, as OWASP advises against CSV injection. A text that
has apostrophes before such a sign gets one more, so that :func:`unguarded` always gives the text back.
"""

import csv
import re
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

RAW_CELLS_HELP = "write texts that begin with =, +, - or @ as they are, although a spreadsheet takes them for formulas"
_FORMULA = re.compile("'*[=+\\-@＝＋－＠\t\r\n]")
_GUARDED = re.compile("'+[=+\\-@＝＋－＠\t\r\n]")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def guarded(text: str) -> str:
    """Return a text as a cell that no spreadsheet runs.

    >>> guarded("=1+1"), guarded("'=1+1"), guarded("好"), guarded("it's")
    ("'=1+1", "''=1+1", '好', "it's")
    """
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(cell: str) -> str:
    """Return the text of a cell that :func:`guarded` gave.

    >>> unguarded("'=1+1"), unguarded("''=1+1"), unguarded("-1"), unguarded("'tis")
    ('=1+1', "'=1+1", '-1', "'tis")
    """
    return cell[1:] if _GUARDED.match(cell) else cell


def write_rows(file: TextIO, rows: Iterable[Sequence[Any]], *, raw_cells: bool = False, keep_numbers: bool = False) -> None:
    """Write rows as CSV; lines end as RFC 4180 has it, so that a lone CR in a text is quoted.

    Args:
        file: The file, opened with ``newline=""``.
        rows: The cells of each row. Those that are no text, such as numbers, are written as they are.
        raw_cells: Whether texts are written as they are, too.
        keep_numbers: Whether texts such as "-0.53" stay numbers for a spreadsheet, which are harmless.
    """

    def shown(cell: Any) -> Any:
        is_harmless = raw_cells or not isinstance(cell, str) or (keep_numbers and _NUMBER.fullmatch(cell))
        return cell if is_harmless else guarded(cell)

    csv.writer(file).writerows([*map(shown, row)] for row in rows)
