"""Takes tables and writes them as sheets of an Excel workbook (``.xlsx``), row by row, so that memory stays flat.

The header stays in sight, every column has a filter, and no cell is run: whatever a text begins with, it is stored as text. The
same tables give the same bytes. What Excel cannot hold has one rule each: a table of more than 1,048,576 rows goes on in more
sheets, and a text of more than 32,767 characters is cut, which the caller is told.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import UserError, check_packages

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

MAX_ROWS, MAX_COLUMNS, MAX_CHARACTERS = 1_048_576, 16_384, 32_767
# Excel counts in UTF-16: an emoji above U+FFFF is two of its characters. A cell keeps this sign of a cut.
_CUT = "…"
# A number of more digits would lose the last ones, as the id of a post does.
_MAX_INTEGER = 10**15
_WIDTHS = (8, 60)
# When a workbook was made is not written, so that the same rows give the same file.
_CREATED = datetime(2000, 1, 1)
_FORMULA = re.compile("[=+\\-@＝＋－＠\t\r\n]")


@dataclass(frozen=True)
class Sheet:
    """Holds a table and how it looks.

    Attributes:
        name: The name of the sheet, which Excel cuts at 31 characters.
        columns: The names of the columns.
        rows: The cells of each row: texts, numbers, truth values, dates, or None for an empty cell.
        fills: For the name of a column the colour behind each of its values, such as ``{"label": {"anger": "#f4b6b6"}}``.
        formats: For the name of a column the form of its numbers, such as ``{"share": "0.0%"}``.
        widths: For the name of a column its width in characters; any other gets that of its name.
    """

    name: str
    columns: Sequence[str]
    rows: Iterable[Sequence[Any]]
    fills: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    formats: Mapping[str, str] = field(default_factory=dict)
    widths: Mapping[str, int] = field(default_factory=dict)


def check_can_write() -> None:
    """Refuse to go on without the package that writes workbooks.

    Raises:
        UserError: It is not installed.
    """
    check_packages("files", "xlsxwriter", instead="name a .csv file")


def write_workbook(path: Path, sheets: Sequence[Sheet]) -> int:
    """Write sheets as a workbook and return how many texts were cut.

    Args:
        path: The file to write. What is unfinished lies beside it.
        sheets: The sheets in their order; their rows are read once.

    Raises:
        UserError: The package is not installed, or a table has more columns than Excel can hold.
        OSError: The file cannot be written.
    """
    check_can_write()
    # Imported here and not above, because few commands write workbooks.
    import xlsxwriter
    from xlsxwriter.exceptions import FileCreateError

    workbook = xlsxwriter.Workbook(
        str(path), {"constant_memory": True, "tmpdir": str(path.parent), "default_date_format": "yyyy-mm-dd hh:mm:ss"}
    )
    workbook.set_properties({"created": _CREATED})
    writer = _Writer(workbook)
    try:
        for sheet in sheets:
            writer.write(sheet)
    finally:
        try:
            workbook.close()
        except FileCreateError as error:
            raise error.args[0] from error
    return writer.num_cut


class _Writer:
    """Writes sheets into one workbook; ``num_cut`` counts the texts that were cut."""

    def __init__(self, workbook: "Workbook") -> None:
        self.workbook = workbook
        self.num_cut = 0
        header = {"bold": True, "bottom": 1, "valign": "top"}
        # The second is that of a name which would be a formula.
        self._headers = [workbook.add_format(header), workbook.add_format(header | {"quote_prefix": True})]
        self._formats: dict[tuple[str | None, str | None, bool], Format] = {}

    def write(self, sheet: Sheet) -> None:
        """Write a table, in as many sheets as it needs."""
        if len(sheet.columns) > MAX_COLUMNS:
            raise UserError(
                f"{self.workbook.filename}: expected at most {MAX_COLUMNS:,} columns in .xlsx, found {len(sheet.columns):,}; "
                "name a .jsonl or .parquet file"
            )
        rows = iter(sheet.rows)
        for number in itertools.count(1):
            first = next(rows, None)
            if first is None and number > 1:
                return
            part = itertools.islice(rows, MAX_ROWS - 2)
            name = sheet.name if number == 1 else f"{sheet.name} {number}"
            self._write_one(sheet, name, part if first is None else itertools.chain([first], part))

    def _write_one(self, sheet: Sheet, name: str, rows: Iterator[Sequence[Any]]) -> None:
        worksheet: Worksheet = self.workbook.add_worksheet(name[:31])
        for place, column in enumerate(sheet.columns):
            worksheet.set_column(place, place, sheet.widths.get(column, min(max(_width(column) + 4, _WIDTHS[0]), _WIDTHS[1])))
            self._write_text(worksheet, 0, place, column, self._headers[bool(_FORMULA.match(column))])
        number = 0
        for number, row in enumerate(rows, start=1):
            for place, (column, cell) in enumerate(zip(sheet.columns, row, strict=True)):
                self._write_cell(worksheet, number, place, cell, sheet, column)
        worksheet.freeze_panes(1, 0)
        if sheet.columns:
            last = len(sheet.columns) - 1
            worksheet.autofilter(0, 0, number, last)
            # The id of a post and a text such as 666 are text; Excel would mark each of them as a mistake.
            worksheet.ignore_errors({"number_stored_as_text": _area(number, last)})

    def _write_cell(self, worksheet: "Worksheet", row: int, place: int, cell: Any, sheet: Sheet, column: str) -> None:
        if cell is None or cell == "":
            return
        if isinstance(cell, bool):
            worksheet.write_boolean(row, place, cell)
        elif isinstance(cell, int | float) and abs(cell) < _MAX_INTEGER:
            worksheet.write_number(row, place, cell, self._format(None, sheet.formats.get(column)))
        elif isinstance(cell, date) and cell.year >= 1900 and getattr(cell, "tzinfo", None) is None:
            days = "yyyy-mm-dd" if not isinstance(cell, datetime) else "yyyy-mm-dd hh:mm:ss"
            worksheet.write_datetime(row, place, cell, self._format(None, days))
        else:
            text = str(cell)
            fill = sheet.fills.get(column, {}).get(text)
            self._write_text(worksheet, row, place, text, self._format(fill, None, is_guarded=bool(_FORMULA.match(text))))

    def _write_text(self, worksheet: "Worksheet", row: int, place: int, text: str, form: "Format | None") -> None:
        # Half of a surrogate pair, U+FFFE and U+FFFF cannot stand in XML.
        storable = text.encode("utf-8", "replace").decode("utf-8").translate({0xFFFE: "?", 0xFFFF: "?"})
        if len(storable) * 2 > MAX_CHARACTERS and _units(storable) > MAX_CHARACTERS:
            storable = _cut(storable)
            self.num_cut += 1
        worksheet.write_string(row, place, storable, form)

    def _format(self, fill: str | None, numbers: str | None, *, is_guarded: bool = False) -> "Format | None":
        """Return the form of a cell, each made once; a guarded text stays text when somebody edits its cell."""
        key = (fill, numbers, is_guarded)
        if key == (None, None, False):
            return None
        if key not in self._formats:
            form = {"bg_color": fill, "num_format": numbers, "quote_prefix": is_guarded or None}
            self._formats[key] = self.workbook.add_format({name: value for name, value in form.items() if value is not None})
        return self._formats[key]


def _area(num_rows: int, last_column: int) -> str:
    from xlsxwriter.utility import xl_range

    return str(xl_range(0, 0, num_rows, last_column))


def _width(text: str) -> int:
    """Return how many Latin characters a text is as wide as."""
    return sum(1 if character < "\u1100" else 2 for character in text)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _cut(text: str) -> str:
    units = text.encode("utf-16-le")[: 2 * (MAX_CHARACTERS - 1)]
    return units.decode("utf-16-le", "ignore") + _CUT
