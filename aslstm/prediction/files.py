"""Rows with answers to files: the parts that a run writes as it goes, and JSON Lines, CSV or Parquet of all of them.

Parts are JSON Lines, or Parquet where that is asked for. What a format cannot hold has one rule each: a nested value in CSV,
and a column of different types in Parquet, is JSON text; a date in JSON is its text; half of a surrogate pair, which only JSON
can hold, is ``?`` in the others. What is known of Parquet stands in :mod:`parquet_files`.
"""

import csv
import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from aslstm.data.file_formats import Row

OUTPUT_FORMATS = ("jsonl", "csv", "parquet")
# The types (pyarrow's) of the columns that are known, by name.
Types = dict[str, Any]


def part_suffix(output_format: str) -> str:
    """The ending of the parts."""
    return ".parquet" if output_format == "parquet" else ".jsonl"


def write_part(path: Path, rows: Sequence[Row], types: Types) -> None:
    """Write rows as a part; ``types`` are the known ones, in Parquet."""
    if path.suffix == ".parquet":
        # Imported here and not above, as below: pyarrow is large, and few outputs are Parquet.
        from .parquet_files import write_table

        write_table(path, rows, types)
    else:
        path.write_bytes(json_lines(rows))


def join_parts(parts: Sequence[Path], columns: Sequence[str], output_format: str, target: Path) -> None:
    """Write one file of all parts, with one part or one row group in memory.

    Args:
        parts: in order.
        columns: of all rows, for CSV.
        output_format: one of ``OUTPUT_FORMATS``.
        target: the file.
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
            write_csv(text_file, (), columns, header=True)
            for part in parts:
                write_csv(text_file, _read_json_lines(part), columns)


def json_lines(rows: Iterable[Row]) -> bytes:
    r"""A JSON object a line. Half of a surrogate pair is written as JSON does, ``\ud83d``.

    >>> json_lines([{"text": "好😀", "half": chr(0xD83D)}]).decode()
    '{"text": "好😀", "half": "\\ud83d"}\n'
    """
    return "".join(json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in rows).encode("utf-8", "backslashreplace")


def _read_json_lines(path: Path) -> Iterator[Row]:
    with path.open("rb") as file:
        yield from map(json.loads, file)


def write_csv(file: TextIO, rows: Iterable[Row], columns: Sequence[str], *, header: bool = False) -> None:
    """Write rows, and the header if asked; lines end as RFC 4180 has it, so that a lone CR in a text is quoted."""
    writer = csv.writer(file)
    if header:
        writer.writerow(columns)
    writer.writerows([as_text(row.get(name)) for name in columns] for row in rows)


def as_text(value: Any) -> str:
    """A string as it is, nothing as "", anything else as JSON."""
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False, default=str)
