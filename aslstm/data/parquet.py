"""Takes an open Parquet file and gives its rows; imported only where such a file is read, because pyarrow is large."""

import itertools
import json
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow
import pyarrow.parquet

from aslstm.errors import UserError
from aslstm.text_files import MAX_LINE_BYTES, is_packed

# How many rows are taken out of a file at once, so that memory stays flat; fewer where the file says that they are long.
_ROWS_AT_ONCE = 4096
_BYTES_AT_ONCE = 1 << 26
_PIECE_BYTES = 1 << 20
MAX_COPIED_BYTES = 1 << 33


@contextmanager
def _one_line_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, pyarrow.ArrowException) as error:
        message = str(error).splitlines()[0]
        raise UserError(f"{path}: expected a Parquet file, found: {message}; check or write it again") from error


def open_file(path: Path, file: BinaryIO) -> pyarrow.parquet.ParquetFile:
    """Open a Parquet file.

    Args:
        path: The path of the file, or ``-`` for standard input.
        file: The open file. A compressed file, a pipe and standard input go through a temporary file, because the end of a
            Parquet file is read first.

    Raises:
        UserError: The file is not a Parquet file.
    """
    with _one_line_errors(path):
        if str(path) == "-" or is_packed(path) or not file.seekable():
            temporary = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the Parquet file that reads it)
            with file:
                while piece := file.read(_PIECE_BYTES):
                    temporary.write(piece)
                    if temporary.tell() > MAX_COPIED_BYTES:
                        raise UserError(
                            f"{path}: expected at most {MAX_COPIED_BYTES:,} bytes of Parquet in standard input or a .gz file, "
                            "found more; save or unpack it, and name that file"
                        )
            file = temporary
        # Without a buffer, a column of a whole row group would be in memory at once.
        return pyarrow.parquet.ParquetFile(file, buffer_size=1 << 20)


def rows_of(path: Path, file: pyarrow.parquet.ParquetFile) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the numbered rows of an open Parquet file, which is read batch by batch.

    Args:
        path: The path of the file, for error messages.
        file: The open file, which is closed at the end.

    Raises:
        UserError: The file is damaged.
    """
    with _one_line_errors(path), file:
        batches = (batch.to_pylist() for batch in _bounded_batches(path, file))
        yield from enumerate(itertools.chain.from_iterable(batches), start=1)


def _bounded_batches(path: Path, file: pyarrow.parquet.ParquetFile) -> Iterator[pyarrow.RecordBatch]:
    groups = [file.metadata.row_group(i) for i in range(file.metadata.num_row_groups)]
    bytes_of_row = max((group.total_byte_size // max(group.num_rows, 1) for group in groups), default=0)
    num_rows = max(1, min(_ROWS_AT_ONCE, _BYTES_AT_ONCE // max(bytes_of_row, 1)))
    first = 1
    for batch in file.iter_batches(num_rows):
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            # Only a long batch can have a long cell, and the bytes of a batch are known at once.
            sizes = [column[i : i + 1].nbytes for i in range(len(batch))] if column.nbytes > MAX_LINE_BYTES else [0]
            if (longest := max(sizes)) > MAX_LINE_BYTES:
                raise UserError(
                    f"{path}, row {first + sizes.index(longest)}: expected a cell of at most {MAX_LINE_BYTES:,} bytes, found "
                    f"{longest:,} in column {name!r}; cut it or take it out"
                )
        yield batch
        first += len(batch)


def class_names_of(file: pyarrow.parquet.ParquetFile, column: str) -> list[str]:
    """Return the names of the classes of a column that ``datasets`` wrote as numbers or lists of these; [] for any other."""
    written = (file.schema_arrow.metadata or {}).get(b"huggingface", b"{}")
    try:
        feature = json.loads(written)["info"]["features"][column]
        # The classes of a list stand one level deeper.
        feature = feature[0] if isinstance(feature, list) else feature.get("feature", feature)
        return list(feature["names"]) if feature["_type"] == "ClassLabel" else []
    except (
        AttributeError,
        IndexError,
        KeyError,
        TypeError,
        ValueError,
    ):  # Nothing about this column, or the metadata of another program.
        return []
