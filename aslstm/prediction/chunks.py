"""Takes files of posts and gives them in chunks, each of which is read, answered and written at once.

Rows without a text are told from the others.
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from aslstm.data.file_formats import Row
from aslstm.data.found_files import FoundFiles, Post
from aslstm.errors import UserError
from aslstm.text_files import BadRow

from .predictor import refuse_taken

# Characters count too, so that memory stays flat also if every post is long.
CHUNK_ROWS = 4096
CHUNK_CHARACTERS = 1 << 21


class Chunk(NamedTuple):
    """Holds successive rows of the input: those that can be answered with their texts, and those that cannot."""

    rows: list[Row]
    texts: list[str]
    bad: list[BadRow]


def read_chunks(files: FoundFiles, *, added: Sequence[str], stop: bool) -> Iterator[Chunk]:
    """Return the chunks of files; the first chunk is read here.

    Args:
        files: The files to read.
        added: The names of the columns that will be added.
        stop: Whether a bad row is raised.

    Raises:
        UserError: The files cannot be read, the first chunk has no good row, a column has the name of one that will be added,
            or, with ``stop``, a row is bad. This may also be raised later, while the chunks are taken.
    """
    for file in files.files:
        if file.has_header:
            refuse_taken(str(file.path), file.columns, added)
    chunks = _cut(_checked(files, added, stop))
    first = next(chunks, None)
    if first is None:
        raise UserError(f"{files.paths[0]}: expected at least one row, found none; check the file")
    if not first.rows:
        # Most likely another column or encoding is meant, and passing over every row would not help.
        raise first.bad[0]
    return itertools.chain([first], chunks)


def _checked(files: FoundFiles, added: Sequence[str], stop: bool) -> Iterator[Post | BadRow]:
    for post in files.posts():
        if isinstance(post, BadRow):
            if stop:
                raise UserError(f"{post}; or go on without it: --on_error skip or report")
        else:
            refuse_taken(post.place, post.row, added)
        yield post


def _cut(posts: Iterator[Post | BadRow]) -> Iterator[Chunk]:
    """Yield chunks whose borders depend on the rows alone."""
    while True:
        chunk = Chunk([], [], [])
        room = CHUNK_CHARACTERS
        for post in itertools.islice(posts, CHUNK_ROWS):
            if isinstance(post, BadRow):
                chunk.bad.append(post)
                room -= len(post.content)
            else:
                chunk.rows.append(post.row)
                chunk.texts.append(post.text)
                room -= len(post.text)
            if room <= 0:
                break
        if not chunk.rows and not chunk.bad:
            return
        yield chunk
