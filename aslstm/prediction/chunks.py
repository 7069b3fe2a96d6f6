"""Takes a file of posts and gives it in chunks, each of which is read, answered and written at once.

Rows without a text are told from the others.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from aslstm.data.file_formats import LINE_FORMATS, BadRow, NumberedRow, Row
from aslstm.data.row_readers import read_posts
from aslstm.errors import UserError

from .files import Types, json_lines
from .predictor import fault_of_text, refuse_taken

# Characters count too, so that memory stays flat also if every post is long.
CHUNK_ROWS = 4096
CHUNK_CHARACTERS = 1 << 21


class Chunk(NamedTuple):
    """Holds successive rows of the input: those that can be answered, and those that cannot."""

    rows: list[Row]
    bad: list[BadRow]


def read_chunks(
    path: Path, *, suffix: str, text_column: str, encoding: str, added: Sequence[str], stop: bool
) -> tuple[Iterator[Chunk], Types]:
    """Return the chunks of a file and the types of its columns, as far as the file tells them; the first chunk is read here.

    Args:
        path: The file to read, or ``-`` for standard input.
        suffix: A key of ``file_formats.READERS`` that tells the format.
        text_column: The name of the column of texts.
        encoding: The encoding of text files.
        added: The names of the columns that will be added.
        stop: Whether a bad row is raised.

    Raises:
        UserError: The file cannot be read, its first chunk has no good row, a column has the name of one that will be added,
            or, with ``stop``, a row is bad. This may also be raised later, while the chunks are taken.
    """
    posts = read_posts(path, suffix=suffix, text_column=text_column, encoding=encoding)
    place = f"{path}, {'line' if suffix in LINE_FORMATS else 'row'}"
    chunks = _cut(_check(posts.rows, place, text_column, added, stop), text_column)
    first = next(chunks, None)
    if first is None:
        raise UserError(f"{path}: expected at least one row, found none; check the file")
    if not first.rows:
        # Most likely another column or encoding is meant, and passing over every row would not help.
        raise first.bad[0]
    return itertools.chain([first], chunks), posts.types


def _check(
    rows: Iterable[NumberedRow | BadRow], place: str, text_column: str, added: Sequence[str], stop: bool
) -> Iterator[Row | BadRow]:
    for numbered in rows:
        if isinstance(numbered, BadRow):
            bad = numbered
        else:
            number, row = numbered
            where = f"{place} {number}"
            refuse_taken(where, row, added)
            fault = fault_of_text(where, row, text_column)
            if not fault:
                yield row
                continue
            if text_column not in row and stop:  # Then most rows lack it, and to pass over them would leave nothing.
                raise UserError(fault)
            bad = BadRow(fault, number, json_lines([row]).decode().rstrip("\n"))
        if stop:
            raise UserError(f"{bad}; or go on without it: --on_error skip or report")
        yield bad


def _cut(rows: Iterator[Row | BadRow], text_column: str) -> Iterator[Chunk]:
    """Yield chunks whose borders depend on the rows alone."""
    while True:
        chunk = Chunk([], [])
        room = CHUNK_CHARACTERS
        for row in itertools.islice(rows, CHUNK_ROWS):
            if isinstance(row, BadRow):
                chunk.bad.append(row)
                room -= len(row.content)
            else:
                chunk.rows.append(row)
                room -= len(row[text_column])
            if room <= 0:
                break
        if not chunk.rows and not chunk.bad:
            return
        yield chunk
