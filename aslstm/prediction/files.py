"""Takes rows with answers and writes them to files: the parts of a run, and then one file of all of them.

The one file is JSON Lines, CSV, Parquet or an Excel workbook; parts are JSON Lines, or Parquet where that is asked for. What a
format cannot hold has one rule each: a nested value in CSV and Excel, and a column of different types in Parquet, is JSON text;
a date in JSON is its text; half of a surrogate pair, which only JSON can hold, is ``?`` in the others. What is known of Parquet
is in :mod:`parquet_files`, and of Excel in :mod:`xlsx_files`.
"""

import itertools
import json
import math
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, TextIO

from aslstm.data.cleaning import CleaningCounts
from aslstm.data.file_formats import Row
from aslstm.spreadsheets import write_rows

OUTPUT_FORMATS = ("jsonl", "csv", "xlsx", "parquet")
# The types (pyarrow's) of the columns that are known, by name.
Types = dict[str, Any]
# The parts of a workbook keep dates under this name, which no column has, so that they become cells of dates.
_DATE = "\x00date"


@dataclass(frozen=True)
class Summary:
    """Holds what is to be said of all rows.

    Attributes:
        labels: The number of rows of each label; rows without a word have the label "".
        num_errors: The number of rows that were passed over.
        cleaning: The number of rows that were cleaned.
        num_cut: The number of cells that were too long for a workbook and were cut.
        output: The file of the rows, or None for standard output.
    """

    labels: Counter[str]
    num_errors: int
    cleaning: CleaningCounts = field(default_factory=CleaningCounts)
    num_cut: int = 0
    output: Path | None = None


@dataclass(frozen=True)
class TableStyle:
    """Says how rows are written as a table, which CSV and Excel are.

    Attributes:
        raw_cells: Whether CSV has texts as they are, although a spreadsheet may run them as formulas.
        byte_order_mark: Whether CSV begins with the mark by which Excel knows UTF-8.
        language: The language of what a workbook says beside the rows, ``en`` or ``zh``.
        text_column: The name of the column of posts.
        columns: The names of the columns of answers by what :class:`BatchPredictor` calls them without a prefix.
        reads_numbers: Whether texts that are numbers become numbers in a workbook, because the input had only text.
    """

    raw_cells: bool = False
    byte_order_mark: bool = False
    language: str = "en"
    text_column: str = "text"
    columns: Mapping[str, str] = field(default_factory=dict)
    reads_numbers: bool = False


def part_suffix(output_format: str) -> str:
    """Return the ending of the names of parts."""
    return ".parquet" if output_format == "parquet" else ".jsonl"


def write_part(path: Path, rows: Sequence[Row], types: Types, *, keeps_dates: bool = False) -> None:
    """Write rows as a part.

    Args:
        path: The file to write.
        rows: The rows with their answers.
        types: The known types of columns, in Parquet.
        keeps_dates: Whether dates stay dates in JSON Lines, for :func:`join_parts` to read.
    """
    if path.suffix == ".parquet":
        # Imported here and not above, as below: pyarrow is large, and few outputs are Parquet.
        from .parquet_files import write_table

        write_table(path, rows, types)
    else:
        path.write_bytes(json_lines(rows, _kept_date if keeps_dates else str))


def join_parts(
    parts: Sequence[Path],
    columns: Sequence[str],
    output_format: str,
    target: Path,
    style: TableStyle = TableStyle(),
    summary: Summary = Summary(Counter(), 0),
) -> int:
    """Write one file of all parts, with one part or one row group in memory, and return how many cells were cut.

    Args:
        parts: The files of the parts, in order.
        columns: The names of the columns that any row has, for a table.
        output_format: One of ``OUTPUT_FORMATS``.
        target: The file to write.
        style: How a table is written.
        summary: What a workbook says beside the rows.
    """
    if output_format == "parquet":
        from .parquet_files import join_tables

        join_tables(parts, target)
    elif output_format == "jsonl":
        with target.open("wb") as file:
            for part in parts:
                with part.open("rb") as source:
                    shutil.copyfileobj(source, file)
    elif output_format == "xlsx":
        from .xlsx_files import write_xlsx

        return write_xlsx(target, _read_parts(parts), columns, style, summary)
    else:
        encoding = "utf-8-sig" if style.byte_order_mark else "utf-8"
        with target.open("w", encoding=encoding, errors="replace", newline="") as text_file:
            write_csv(text_file, _read_parts(parts), columns, header=True, raw_cells=style.raw_cells)
    return 0


def json_lines(rows: Iterable[Row], default: Callable[[Any], Any] = str) -> bytes:
    r"""Return a line with a JSON object for each row. Half of a surrogate pair is written as JSON does, ``\ud83d``.

    >>> json_lines([{"text": "好😀", "half": chr(0xD83D), "infinite": [1e999]}]).decode()
    '{"text": "好😀", "half": "\\ud83d", "infinite": [null]}\n'
    """
    return "".join(_json_line(row, default) for row in rows).encode("utf-8", "backslashreplace")


def _json_line(row: Row, default: Callable[[Any], Any]) -> str:
    encode = _JSON[default].encode
    try:
        return encode(row) + "\n"
    except ValueError:  # JSON has no word for these numbers, and most readers refuse the NaN that Python writes.
        return encode(_without_infinite(row)) + "\n"


def _kept_date(value: Any) -> Any:
    return {_DATE: value.isoformat()} if isinstance(value, date) else str(value)


def _found_date(value: dict[str, Any]) -> Any:
    if value.keys() != {_DATE}:
        return value
    return datetime.fromisoformat(value[_DATE]) if "T" in value[_DATE] else date.fromisoformat(value[_DATE])


_JSON: dict[Callable[[Any], Any], json.JSONEncoder] = {
    default: json.JSONEncoder(ensure_ascii=False, default=default, allow_nan=False) for default in (str, _kept_date)
}


def _without_infinite(value: Any) -> Any:
    """Return a value of JSON with null in the place of numbers that are not finite."""
    if isinstance(value, dict):
        return {name: _without_infinite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_infinite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _read_parts(paths: Iterable[Path]) -> Iterator[Row]:
    for path in paths:
        with path.open("rb") as file:
            for line in file:
                yield json.loads(line, object_hook=_found_date)


def write_csv(
    file: TextIO, rows: Iterable[Row], columns: Sequence[str], *, header: bool = False, raw_cells: bool = False
) -> None:
    """Write rows as CSV, and the header if asked; see :func:`aslstm.spreadsheets.write_rows`."""
    cells = ([as_text(row.get(name)) for name in columns] for row in rows)
    write_rows(file, itertools.chain([columns] if header else [], cells), raw_cells=raw_cells, keep_numbers=True)


def as_text(value: Any) -> str:
    """Return a string as it is, ``""`` for None, and anything else as JSON."""
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False, default=str)
