"""A file of posts in chunks that are read, answered and written at once; rows without a text are told from the others."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from aslstm.data.file_formats import LINE_FORMATS, BadRow, NumberedRow, Row
from aslstm.data.row_readers import read_posts
from aslstm.errors import UserError

from .files import Types, json_lines
from .predictor import fault_of_text, refuse_taken

# Characters count too: memory is to stay flat also where every post is long.
CHUNK_ROWS = 4096
CHUNK_CHARACTERS = 1 << 21


class Chunk(NamedTuple):
    """Rows of the input, one after the other, and those among them that cannot be answered."""

    rows: list[Row]
    bad: list[BadRow]


def read_chunks(
    path: Path, *, suffix: str, text_column: str, encoding: str, added: Sequence[str], stop: bool
) -> tuple[Iterator[Chunk], Types]:
    """The chunks of a file, and the types of its columns where it says them; the first chunk is read here.

    Args:
        path: a file, or ``-`` for standard input.
        suffix: of ``file_formats.READERS``.
        text_column: the column of the texts.
        encoding: of text files.
        added: names of the columns that will be added.
        stop: whether a bad row is raised.

    Raises:
        UserError: a file that cannot be read, one without a good row in its first chunk, a column with the name of one to be
            added, or, with ``stop``, a bad row; also when the chunks are taken.
    """
    posts = read_posts(path, suffix=suffix, text_column=text_column, encoding=encoding)
    place = f"{path}, {'line' if suffix in LINE_FORMATS else 'row'}"
    chunks = _cut(_check(posts.rows, place, text_column, added, stop), text_column)
    first = next(chunks, None)
    if first is None:
        raise UserError(f"{path}: expected at least one row, found none; check the file")
    if not first.rows:
        # Most likely another column or encoding is meant: to pass over every row would help nobody.
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
            bad = BadRow(fault, number, json_lines([row]).decode().rstrip("\n"))
        if stop:
            raise UserError(f"{bad}; or go on without it: --on_error skip or report")
        yield bad


def _cut(rows: Iterator[Row | BadRow], text_column: str) -> Iterator[Chunk]:
    """Chunks that depend on nothing but the rows."""
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
