"""Takes an Excel workbook and gives the rows of its sheets: the first row that is as wide as the table names the columns.

Cells have the types of Python: a date is a ``datetime``, a formula is its value. A cell that is merged over several rows gives
its value to each of them.
"""

import itertools
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO
from xml.etree.ElementTree import ParseError

from aslstm.errors import UserError, check_packages
from aslstm.packed_files import WHOLE_WORKBOOK, Unpacked
from aslstm.text_files import BadRow

from .file_formats import NumberedRow, Rows, Table, named_columns

MAX_PART_BYTES = 1 << 29
_ROWS_BEFORE_HEADER = 10
_OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # .xls, and the envelope of anything with a password
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
# A formula whose value was never stored, and the places that are merged.
_UNKNOWN_VALUE = re.compile(
    rb'<c r="([A-Z]+[0-9]+)"[^>]*>\s*<f\b[^>]*(?:/>|>[^<]*</f>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>', re.ASCII
)
_MERGED = re.compile(rb'<mergeCell ref="([A-Z]+)([0-9]+):([A-Z]+)([0-9]+)"')
_PIECE = 1 << 22
_OVERLAP = 1 << 13
_BROKEN = (
    OSError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    EOFError,
    ParseError,
    zlib.error,
    zipfile.BadZipFile,
)


def is_old_workbook(head: bytes) -> bool:
    """Return whether a file is a workbook of Excel 97 to 2003, or one with a password."""
    return head.startswith(_OLD)


@contextmanager
def _one_line_errors(path: Any) -> Iterator[None]:
    try:
        yield
    except _BROKEN as error:
        found = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{path}: {WHOLE_WORKBOOK}, found: {found[:200]}; fetch it again, or save it again in Excel") from error


def read_workbook(source: Unpacked) -> list[Table]:
    """Return the sheets of an ``.xlsx`` workbook, the hidden ones last.

    Raises:
        UserError: The workbook is broken or too large, or the reader is not installed.
    """
    check_packages("files", "openpyxl")
    # Imported here and not above: few files are workbooks.
    from openpyxl import load_workbook

    file = source.seekable("Excel")
    with _one_line_errors(source.path):
        _check_sizes(source.path, file)
        workbook = load_workbook(file, read_only=True, data_only=True)
        sheets = sorted(workbook.worksheets, key=lambda sheet: sheet.sheet_state != "visible")
        tables = [_sheet(source.path, file, sheet) for sheet in sheets]
    if not tables:
        raise UserError(f"{source.path}: expected a workbook with a sheet of cells, found none; save it again in Excel")
    return tables


def _check_sizes(path: Any, file: BinaryIO) -> None:
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        if "xl/workbook.xml" not in names:
            kind = next(
                (kind for part, kind in _OTHER_DOCUMENTS.items() if any(part in name for name in names)), "another document"
            )
            raise UserError(f"{path}: expected an Excel workbook (.xlsx), found {kind}; save the table as .xlsx or CSV")
        largest = max(archive.infolist(), key=lambda part: part.file_size)
        if largest.file_size > MAX_PART_BYTES:
            raise UserError(
                f"{path}: expected sheets and texts of at most {MAX_PART_BYTES:,} bytes, found {largest.file_size:,} in "
                f"{largest.filename}; save the sheet as CSV"
            )


_OTHER_DOCUMENTS = {
    "xl/workbook.bin": "a binary workbook (.xlsb)",
    "word/": "a Word document",
    "ppt/": "slides",
    "content.xml": "an OpenDocument",
}


def _sheet(path: Any, file: BinaryIO, sheet: Any) -> Table:
    # Some programs write a size that is too small, and cells outside of it would be lost.
    sheet.reset_dimensions()
    unknown, merged = _places(file, sheet._worksheet_path)
    cells = _filled(enumerate(sheet.iter_rows(values_only=True), start=1), merged)
    place = f"{path}, sheet {sheet.title}"
    notes = ("merged cells repeated",) if merged else ()
    return Table(_without_unknown(path, place, rows_of_cells(place, cells), unknown), sheet.title, notes=notes)


def _places(file: BinaryIO, part: str) -> tuple[dict[int, str], list[tuple[int, int, int]]]:
    """Return the row and name of each cell whose value is not known, and the column and rows of each merged place."""
    unknown: dict[int, str] = {}
    merged: dict[tuple[int, int, int], None] = {}
    with zipfile.ZipFile(file) as archive, archive.open(part) as xml:
        before = b""
        while piece := xml.read(_PIECE):
            window = before + piece
            for match in _UNKNOWN_VALUE.finditer(window):
                name = match[1].decode()
                unknown.setdefault(int(name.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")), name)
            for column, first, _, last in _MERGED.findall(window):
                if int(last) > int(first):
                    merged[_column_number(column), int(first), int(last)] = None
            before = window[-_OVERLAP:]
    return unknown, list(merged)


def _column_number(letters: bytes) -> int:
    """Return the number of a column from 0.

    >>> _column_number(b"A"), _column_number(b"AB")
    (0, 27)
    """
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def _filled(rows: Iterable[tuple[int, Iterable[Any]]], merged: list[tuple[int, int, int]]) -> Iterator[tuple[int, list[Any]]]:
    """Yield the cells of each row; one that is merged with a cell above has the value of that."""
    starts = {(first, column): last for column, first, last in merged}
    active: dict[int, tuple[int, Any]] = {}  # column -> last row, value
    for number, row in rows:
        cells = list(row)
        for column in range(len(cells)) if merged else ():
            if last := starts.get((number, column)):
                active[column] = (last, cells[column])
        for column, (last, value) in active.items():
            if number <= last and column < len(cells) and cells[column] is None:
                cells[column] = value
        yield number, cells


def _without_unknown(path: Any, place: str, rows: Rows, unknown: dict[int, str]) -> Rows:
    """Yield the rows; one with a formula whose value was never stored is bad, and so is what a broken sheet raises."""
    with _one_line_errors(path):
        for row in rows:
            if not isinstance(row, BadRow) and row[0] in unknown:
                message = (
                    f"{place}, row {row[0]}: expected the value of the formula in {unknown[row[0]]}, found none; open the "
                    "workbook in Excel and save it"
                )
                row = BadRow(message, row[0], str(list(row[1].values())))
            yield row


def rows_of_cells(place: str, rows: Iterable[tuple[int, list[Any]]]) -> Iterator[NumberedRow]:
    """Yield the rows of a sheet as dictionaries; rows without any cell are passed over.

    The header is the first row that fills more than half of the columns: a title above it fills one.

    Args:
        place: The sheet, for messages.
        rows: The number and the cells of each row.

    Raises:
        UserError: Two columns have one name.
    """
    filled = ((number, cells) for number, cells in rows if any(not _is_blank(cell) for cell in cells))
    first = list(itertools.islice(filled, _ROWS_BEFORE_HEADER))
    widths = [sum(not _is_blank(cell) for cell in cells) for _, cells in first]
    # Where a row has gaps, the header is still as wide as most.
    start = next((i for i, width in enumerate(widths) if width * 2 > max(widths)), 0)
    if not first:
        return
    header = list(first[start][1])
    while header and _is_blank(header[-1]):
        header.pop()
    names = named_columns(place, header)
    for number, cells in itertools.chain(first[start + 1 :], filled):
        row = dict(zip(names, [*cells, *[None] * (len(names) - len(cells))], strict=False))
        more = {f"column {i}": cell for i, cell in enumerate(cells[len(names) :], start=len(names) + 1) if not _is_blank(cell)}
        yield number, row | more


def _is_blank(cell: Any) -> bool:
    return cell is None or cell == ""


def read_old_workbook(source: Unpacked) -> list[Table]:
    """Return the sheets of a workbook of Excel 97 to 2003, which is read whole.

    Raises:
        UserError: The workbook has a password or is broken, or the reader is not installed.
    """
    file = source.seekable("Excel")
    content = file.read(MAX_PART_BYTES + 1)
    if _ENCRYPTED in content:
        raise UserError(f"{source.path}: expected a workbook without a password, found one with a password; save it without")
    if len(content) > MAX_PART_BYTES:
        raise UserError(f"{source.path}: expected a workbook of at most {MAX_PART_BYTES:,} bytes, found more; save it as CSV")
    check_packages("files", "python_calamine")
    # Imported here and not above: few files are old workbooks.
    from python_calamine import CalamineError, CalamineWorkbook

    file.seek(0)
    try:
        workbook = CalamineWorkbook.from_filelike(file)
        sheets = [(name, workbook.get_sheet_by_name(name)) for name in workbook.sheet_names]
        return [_old_sheet(f"{source.path}, sheet {name}", name, sheet) for name, sheet in sheets]
    except (CalamineError, *_BROKEN) as error:
        found = " ".join(str(error).split())[:200]
        kind = "without a password" if "assword" in found else "that is whole"
        raise UserError(f"{source.path}: expected an Excel workbook {kind}, found: {found}; save it again in Excel") from error


def _old_sheet(place: str, name: str, sheet: Any) -> Table:
    merged = [(first[1], first[0] + 1, last[0] + 1) for first, last in sheet.merged_cell_ranges or () if last[0] > first[0]]
    rows = enumerate(
        ([None if cell == "" else cell for cell in row] for row in sheet.to_python(skip_empty_area=False)), start=1
    )
    return Table(rows_of_cells(place, _filled(rows, merged)), name, notes=("merged cells repeated",) if merged else ())
