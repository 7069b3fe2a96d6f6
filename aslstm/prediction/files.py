"""Rows with answers to files: the parts that a run writes as it goes, and JSON Lines, CSV or Parquet of all of them.

Parts are JSON Lines, or Parquet where that is asked for. What a format cannot hold has one rule each: a nested value in CSV,
and a column of different types in Parquet, is JSON text; a date in JSON is its text; half of a surrogate pair, which only JSON
can hold, is ``?`` in the others.
"""

import csv
import itertools
import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

import pyarrow
import pyarrow.parquet

from aslstm.data.file_formats import Row

OUTPUT_FORMATS = ("jsonl", "csv", "parquet")
Types = dict[str, pyarrow.DataType]

# Parts that are one row group of a Parquet file.
_PARTS_PER_ROW_GROUP = 4


def types_of_answers(names: Sequence[str], label_names: Sequence[str]) -> Types:
    """Types in Parquet of the columns that :class:`BatchPredictor` adds, in its order."""
    entry = {
        "token": pyarrow.string(), "start": pyarrow.int64(), "end": pyarrow.int64(), "weight": pyarrow.float64(),
        "is_emoji": pyarrow.bool_(),
    }  # fmt: skip
    types = (
        pyarrow.string(),
        pyarrow.float64(),
        pyarrow.struct([(name, pyarrow.float64()) for name in label_names]),
        pyarrow.list_(pyarrow.string()),
        pyarrow.list_(pyarrow.struct(list(entry.items()))),
    )
    return dict(zip(names, types, strict=False))


def part_suffix(output_format: str) -> str:
    """The ending of the parts."""
    return ".parquet" if output_format == "parquet" else ".jsonl"


def write_part(path: Path, rows: Sequence[Row], types: Types) -> None:
    """Write rows as a part; ``types`` are the known ones, in Parquet."""
    if path.suffix == ".parquet":
        pyarrow.parquet.write_table(_to_table(rows, types), path)
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
        _join_parquet(parts, target)
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
    writer.writerows([_as_text(row.get(name)) for name in columns] for row in rows)


def _as_text(value: Any) -> str:
    """A string as it is, nothing as "", anything else as JSON."""
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False, default=str)


def _to_table(rows: Sequence[Row], types: Types) -> pyarrow.Table:
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: _to_column([row.get(name) for row in rows], types.get(name)) for name in names}
    return pyarrow.table({name.encode("utf-8", "replace").decode(): column for name, column in columns.items()})


def _to_column(values: list[Any], known: pyarrow.DataType | None) -> pyarrow.Array:
    try:
        column = pyarrow.array(values, known)
    except UnicodeEncodeError:
        storable = json.dumps(values, ensure_ascii=False).encode("utf-8", "replace")
        return _to_column(json.loads(storable), known)
    except (pyarrow.ArrowException, OverflowError):
        if known is not None:
            raise
        return _to_text(values)
    # Parquet has no object without fields.
    return _to_text(values) if "struct<>" in str(column.type) else column


def _to_text(values: Iterable[Any]) -> pyarrow.Array:
    return pyarrow.array([None if value is None else _as_text(value) for value in values], pyarrow.string())


def _join_parquet(parts: Sequence[Path], target: Path) -> None:
    schema = _common_schema(pyarrow.parquet.read_schema(part) for part in parts)
    with pyarrow.parquet.ParquetWriter(target, schema) as writer:
        for start in range(0, len(parts), _PARTS_PER_ROW_GROUP):
            group = parts[start : start + _PARTS_PER_ROW_GROUP]
            writer.write_table(pyarrow.concat_tables([_fit(pyarrow.parquet.read_table(part), schema) for part in group]))


def _common_schema(schemas: Iterable[pyarrow.Schema]) -> pyarrow.Schema:
    """The columns of all parts, each with the type that holds those of all, or else text."""
    fields: dict[str, pyarrow.Field] = {}
    for field in itertools.chain.from_iterable(schemas):
        known = fields.setdefault(field.name, field)
        if known.type != field.type:
            try:
                both = [pyarrow.schema([known]), pyarrow.schema([field])]
                fields[field.name] = pyarrow.unify_schemas(both, promote_options="permissive").field(0)
            except pyarrow.ArrowTypeError:
                fields[field.name] = pyarrow.field(field.name, pyarrow.string())
    return pyarrow.schema(list(fields.values()))


def _fit(table: pyarrow.Table, schema: pyarrow.Schema) -> pyarrow.Table:
    columns = []
    for field in schema:
        column = table.column(field.name) if field.name in table.column_names else pyarrow.nulls(len(table), field.type)
        if column.type != field.type:
            if pyarrow.types.is_floating(field.type):
                column = column.cast(field.type, safe=False)
            elif pyarrow.types.is_string(field.type):
                column = _to_text(column.to_pylist())
            else:
                column = pyarrow.array(column.to_pylist(), field.type)
        columns.append(column)
    return pyarrow.table(columns, schema=schema)
