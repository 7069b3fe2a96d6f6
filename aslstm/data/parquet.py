"""Takes an open Parquet file and gives its rows; imported only where such a file is read, because pyarrow is large."""

import itertools
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow
import pyarrow.parquet

from aslstm.errors import UserError

# How many rows are taken out of a file at once, so that memory stays flat.
_ROWS_AT_ONCE = 4096


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
        if str(path) == "-" or path.suffix == ".gz" or not file.seekable():
            temporary = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the Parquet file that reads it)
            with file:
                shutil.copyfileobj(file, temporary)
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
        batches = (batch.to_pylist() for batch in file.iter_batches(_ROWS_AT_ONCE))
        yield from enumerate(itertools.chain.from_iterable(batches), start=1)
