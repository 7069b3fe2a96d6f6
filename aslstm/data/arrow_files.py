"""Takes an open Parquet, Feather or Arrow file and gives its rows; imported only where it is read, because pyarrow is large."""

import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow
import pyarrow.ipc
import pyarrow.parquet

from aslstm.errors import UserError
from aslstm.packed_files import Unpacked
from aslstm.text_files import MAX_LINE_BYTES

from .file_formats import NumberedRow, Table, refuse_repeated

# How many rows are taken out of a file at once, so that memory stays flat; fewer where the file says that they are long.
_ROWS_AT_ONCE = 4096
_BYTES_AT_ONCE = 1 << 26
_STREAM = b"\xff\xff\xff\xff"


@contextmanager
def _one_line_errors(path: Path, what: str) -> Iterator[None]:
    try:
        yield
    except (OSError, EOFError, UnicodeDecodeError, pyarrow.ArrowException) as error:
        message = str(error).splitlines()[0]
        raise UserError(f"{path}: expected {what} file, found: {message}; check or write it again") from error


def read_parquet(source: Unpacked) -> list[Table]:
    """Return the rows of a Parquet file, which is read batch by batch.

    Raises:
        UserError: The file is not a Parquet file, or has two columns of one name.
    """
    with _one_line_errors(source.path, "a Parquet"):
        # Without a buffer, a column of a whole row group would be in memory at once.
        file = pyarrow.parquet.ParquetFile(source.seekable("Parquet"), buffer_size=1 << 20)
    schema = file.schema_arrow
    groups = [file.metadata.row_group(i) for i in range(file.metadata.num_row_groups)]
    bytes_of_row = max((group.total_byte_size // max(group.num_rows, 1) for group in groups), default=0)
    num_rows = max(1, min(_ROWS_AT_ONCE, _BYTES_AT_ONCE // max(bytes_of_row, 1)))
    return [_table(source.path, "a Parquet", schema, lambda: file.iter_batches(num_rows), lambda: file.metadata.num_rows)]


def read_arrow(source: Unpacked) -> list[Table]:
    """Return the rows of a Feather file or of a file or stream of Arrow, which is read batch by batch.

    Raises:
        UserError: The file is no such file, or has two columns of one name.
    """
    with _one_line_errors(source.path, "a Feather or Arrow"):
        if source.head.startswith(_STREAM):
            stream = pyarrow.ipc.open_stream(source.file)
            return [_table(source.path, "an Arrow", stream.schema, lambda: iter(stream), None)]
        file = pyarrow.ipc.open_file(source.seekable("Arrow"))
    batches = lambda: (file.get_batch(i) for i in range(file.num_record_batches))  # noqa: E731
    return [_table(source.path, "a Feather or Arrow", file.schema, batches, None)]


def _table(
    path: Path,
    what: str,
    schema: pyarrow.Schema,
    batches: Callable[[], Iterable[pyarrow.RecordBatch]],
    count: Callable[[], int] | None,
) -> Table:
    refuse_repeated(path, schema.names)
    types = {field.name: field.type for field in schema}
    return Table(_rows(path, what, batches), types=types, count=count, classes=lambda column: class_names_of(schema, column))


def _rows(path: Path, what: str, batches: Callable[[], Iterable[pyarrow.RecordBatch]]) -> Iterator[NumberedRow]:
    with _one_line_errors(path, what):
        rows = (batch.to_pylist() for batch in _bounded(path, batches()))
        yield from enumerate(itertools.chain.from_iterable(rows), start=1)


def _bounded(path: Path, batches: Iterable[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
    """Yield the batches, in pieces that memory bears, and refuse a cell that is too long."""
    first = 1
    for whole in batches:
        for start in range(0, max(len(whole), 1), _ROWS_AT_ONCE):
            batch = whole.slice(start, _ROWS_AT_ONCE)
            for name, column in zip(batch.schema.names, batch.columns, strict=True):
                # Only a long batch can have a long cell, and the bytes of a batch are known at once.
                sizes = [column[i : i + 1].nbytes for i in range(len(batch))] if column.nbytes > MAX_LINE_BYTES else [0]
                if (longest := max(sizes)) > MAX_LINE_BYTES:
                    raise UserError(
                        f"{path}, row {first + sizes.index(longest)}: expected a cell of at most {MAX_LINE_BYTES:,} bytes, "
                        f"found {longest:,} in column {name!r}; cut it or take it out"
                    )
            yield batch
            first += len(batch)


def class_names_of(schema: pyarrow.Schema, column: str) -> list[str]:
    """Return the names of the classes of a column that ``datasets`` wrote as numbers or lists of these; [] for any other."""
    written = (schema.metadata or {}).get(b"huggingface", b"{}")
    try:
        feature = json.loads(written)["info"]["features"][column]
        # The classes of a list stand one level deeper.
        feature = feature[0] if isinstance(feature, list) else feature.get("feature", feature)
        return list(feature["names"]) if feature["_type"] == "ClassLabel" else []
    # There is nothing about this column, or the metadata are another program's.
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return []
