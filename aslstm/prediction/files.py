"""Takes rows with answers and writes them to files: the parts of a run, and then one file of all of them.

The one file is JSON Lines, CSV or Parquet; parts are JSON Lines, or Parquet where that is asked for. What a format cannot hold
has one rule each: a nested value in CSV, and a column of different types in Parquet, is JSON text; a date in JSON is its text;
half of a surrogate pair, which only JSON can hold, is ``?`` in the others. What is known of Parquet is in
:mod:`parquet_files`.
"""

import itertools
import json
import math
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from aslstm.data.file_formats import Row
from aslstm.spreadsheets import write_rows

OUTPUT_FORMATS = ("jsonl", "csv", "parquet")
# The types (pyarrow's) of the columns that are known, by name.
Types = dict[str, Any]


def part_suffix(output_format: str) -> str:
    """Return the ending of the names of parts."""
    return ".parquet" if output_format == "parquet" else ".jsonl"


def write_part(path: Path, rows: Sequence[Row], types: Types) -> None:
    """Write rows as a part; ``types`` are the known ones, in Parquet."""
    if path.suffix == ".parquet":
        # Imported here and not above, as below: pyarrow is large, and few outputs are Parquet.
        from .parquet_files import write_table

        write_table(path, rows, types)
    else:
        path.write_bytes(json_lines(rows))


def join_parts(
    parts: Sequence[Path], columns: Sequence[str], output_format: str, target: Path, *, raw_cells: bool = False
) -> None:
    """Write one file of all parts, with one part or one row group in memory.

    Args:
        parts: The files of the parts, in order.
        columns: The names of the columns that any row has, for CSV.
        output_format: One of ``OUTPUT_FORMATS``.
        target: The file to write.
        raw_cells: Whether CSV has texts as they are, although a spreadsheet may run them as formulas.
    """
    if output_format == "parquet":
        from .parquet_files import join_tables

        join_tables(parts, target)
    elif output_format == "jsonl":
        with target.open("wb") as file:
            for part in parts:
                with part.open("rb") as source:
                    shutil.copyfileobj(source, file)
    else:
        with target.open("w", encoding="utf-8", errors="replace", newline="") as text_file:
            rows = itertools.chain.from_iterable(map(_read_json_lines, parts))
            write_csv(text_file, rows, columns, header=True, raw_cells=raw_cells)


def json_lines(rows: Iterable[Row]) -> bytes:
    r"""Return a line with a JSON object for each row. Half of a surrogate pair is written as JSON does, ``\ud83d``.

    >>> json_lines([{"text": "好😀", "half": chr(0xD83D), "infinite": [1e999]}]).decode()
    '{"text": "好😀", "half": "\\ud83d", "infinite": [null]}\n'
    """
    return "".join(map(_json_line, rows)).encode("utf-8", "backslashreplace")


_JSON = json.JSONEncoder(ensure_ascii=False, default=str, allow_nan=False)


def _json_line(row: Row) -> str:
    try:
        return _JSON.encode(row) + "\n"
    except ValueError:  # JSON has no word for these numbers, and most readers refuse the NaN that Python writes.
        return _JSON.encode(_without_infinite(row)) + "\n"


def _without_infinite(value: Any) -> Any:
    """Return a value of JSON with null in the place of numbers that are not finite."""
    if isinstance(value, dict):
        return {name: _without_infinite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_infinite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _read_json_lines(path: Path) -> Iterator[Row]:
    with path.open("rb") as file:
        yield from map(json.loads, file)


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
