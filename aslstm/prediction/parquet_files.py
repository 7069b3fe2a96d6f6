"""Takes rows with answers and writes them as Parquet; imported only where that is asked for, because pyarrow is large.

A column of different types is JSON text, and half of a surrogate pair is ``?``, as :mod:`files` says.
"""

import itertools
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from aslstm.data.file_formats import Row

from .files import Types, as_text

# Parts that are one row group of a Parquet file.
_PARTS_PER_ROW_GROUP = 4
# Levels of nested values; more are written as JSON text.
_MAX_DEPTH = 30


def types_of_answers(names: Sequence[str], label_names: Sequence[str], prefix: str = "") -> Types:
    """Return the types in Parquet of the columns that :class:`BatchPredictor` adds.

    Args:
        names: The names of the added columns.
        label_names: The labels of the model.
        prefix: What the names begin with.
    """
    number = pyarrow.float64()
    scores = pyarrow.struct([(name, number) for name in label_names])
    side = pyarrow.struct([("label", pyarrow.string()), ("score", number)])
    place = [("token", pyarrow.string()), ("start", pyarrow.int64()), ("end", pyarrow.int64())]
    is_emoji = ("is_emoji", pyarrow.bool_())
    types = {
        "label": pyarrow.string(),
        "score": number,
        "scores": scores,
        "labels": pyarrow.list_(pyarrow.string()),
        "polarity": pyarrow.string(),
        "polarity_score": number,
        "emoji": pyarrow.list_(pyarrow.string()),
        "attention": pyarrow.list_(pyarrow.struct([*place, ("weight", number), is_emoji])),
        "contributions": pyarrow.list_(pyarrow.struct([*place, is_emoji, ("contributions", scores)])),
        "emoji_effect": pyarrow.struct([
            ("emoji", pyarrow.list_(pyarrow.string())), ("without_emoji", side), ("without_words", side),
            ("difference", scores), ("disagree", pyarrow.bool_()),
        ]),
    }  # fmt: skip
    return {name: types[name.removeprefix(prefix)] for name in names}


def write_table(path: Path, rows: Sequence[Row], types: Types) -> None:
    """Write rows; ``types`` are those of the columns whose types are known."""
    pyarrow.parquet.write_table(_to_table(rows, types), path)


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
    # Parquet has no object without fields, and pyarrow does not read columns that are nested much deeper.
    return _to_text(values) if "struct<>" in str(column.type) or _depth_of(column.type) > _MAX_DEPTH else column


def _depth_of(kind: pyarrow.DataType) -> int:
    return 1 + max((_depth_of(kind.field(i).type) for i in range(kind.num_fields)), default=0)


def _to_text(values: Iterable[Any]) -> pyarrow.Array:
    return pyarrow.array([None if value is None else as_text(value) for value in values], pyarrow.string())


def join_tables(parts: Sequence[Path], target: Path) -> None:
    """Write one Parquet file of many, in order, with a few of them in memory."""
    schema = _common_schema(pyarrow.parquet.read_schema(part) for part in parts)
    with pyarrow.parquet.ParquetWriter(target, schema) as writer:
        for start in range(0, len(parts), _PARTS_PER_ROW_GROUP):
            group = parts[start : start + _PARTS_PER_ROW_GROUP]
            writer.write_table(pyarrow.concat_tables([_fit(pyarrow.parquet.read_table(part), schema) for part in group]))


def _common_schema(schemas: Iterable[pyarrow.Schema]) -> pyarrow.Schema:
    """Return the columns of all parts, each with a type that can hold the values of every part, or else text."""
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
