"""Takes a file of word2vec (text or binary) or GloVe (text), and gives its vectors as gensim's ``KeyedVectors``.

gensim's own readers take a space within a token for the end of the token, and hold a token without an end in memory.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path

import numpy as np
from gensim.models import KeyedVectors

from aslstm.text_files import is_packed, open_bytes, read_lines

MAX_TOKEN_BYTES = 4096
# How much is read of a file to tell its format: more than the first line of a text has.
START_BYTES = 1 << 16
_PIECE_BYTES = 1 << 20
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f]")
_MOST_PACKED = 1032  # gzip cannot make anything smaller than this.

Entry = tuple[str, np.ndarray]


def read_word2vec(path: Path, start: bytes) -> KeyedVectors:
    """Read a file of vectors.

    Args:
        path: The file, plain or packed.
        start: Its first ``START_BYTES`` bytes.

    Raises:
        ValueError: The file has another format, or is cut or damaged.
    """
    header = start.split(b"\n")[0].split()
    if len(header) != 2 or not all(part.isdigit() for part in header):
        return _read_text(path, None)
    count, size = map(int, header)
    if not count or not size:
        raise ValueError("a header that promises no vector")
    if count * size > path.stat().st_size * (_MOST_PACKED if is_packed(path) else 1):
        raise ValueError(f"a header that promises {count} vectors of {size} numbers, which the file is too short for")
    if _is_text(start, size):
        return _read_text(path, (count, size))
    return _filled(count, size, _binary_entries(path, count, size))


def _is_text(start: bytes, size: int) -> bool:
    """Return whether numbers follow the first token of a file in writing, and not as four bytes each."""
    line, newline, _ = start.split(b"\n", 1)[1].partition(b"\n")
    parts = line.rstrip().split(b" ")
    # Without its end, the line shows only some of its numbers.
    numbers = parts[-size:] if newline or len(start) < START_BYTES else parts[len(parts) // 2 : -1]
    return 0 < len(numbers) < len(parts) and all(map(_is_number, numbers))


def _is_number(text: str | bytes) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _read_text(path: Path, header: tuple[int, int] | None) -> KeyedVectors:
    count, size = header or (sum(1 for _ in read_lines(path)), 0)
    if not count:
        raise ValueError("no vector")
    lines = islice(_text_lines(path), 0 if header is None else 1, None)
    entries = _text_entries(lines, count, size)
    if header is None:
        first = next(entries)
        return _filled(count, len(first[1]), chain([first], entries))
    return _filled(count, size, entries)


def _text_lines(path: Path) -> Iterator[str]:
    for line in read_lines(path):
        if not isinstance(line, str):
            raise ValueError(str(line).removeprefix(f"{path}, "))
        yield line.rstrip(" \t\r\n")


def _text_entries(lines: Iterator[str], count: int, size: int) -> Iterator[Entry]:
    """Yield tokens and vectors; without a header (``size`` 0), the numbers at the end of the first line tell the size."""
    has_header = size > 0
    number = 0
    for number, line in enumerate(islice(lines, count), start=1):
        parts = line.split(" ")
        size = size or next((i for i, part in enumerate(reversed(parts[1:])) if not _is_number(part)), len(parts) - 1)
        extra = len(parts) - 1 - size
        # A token may have spaces, but not a number in them where only the first line has told how many numbers follow.
        if extra < 0 or not size or (extra and not has_header and _is_number(parts[extra])):
            raise ValueError(f"{len(parts) - 1} numbers in vector {number}, {size or 'one or more'} expected")
        yield " ".join(parts[: extra + 1]), np.array(parts[extra + 1 :], dtype=np.float32)
    if number < count:
        raise ValueError(f"the end of the file after {number} of {count} vectors")


def _binary_entries(path: Path, count: int, size: int) -> Iterator[Entry]:
    with open_bytes(path) as file:
        file.readline(START_BYTES)  # the header
        buffer, place = b"", 0
        for number in range(count):
            if len(buffer) - place < MAX_TOKEN_BYTES + 4 * size:
                buffer, place = buffer[place:] + file.read(max(_PIECE_BYTES, 4 * size)), 0
            end = buffer.find(b" ", place, place + MAX_TOKEN_BYTES)
            if end < 0 and len(buffer) - place >= MAX_TOKEN_BYTES:
                raise ValueError(f"a token of more than {MAX_TOKEN_BYTES:,} bytes after {number} vectors")
            if end < 0 or len(buffer) < end + 1 + 4 * size:
                raise ValueError(f"the end of the file after {number} of {count} vectors")
            # Some programs end each vector with a line feed.
            token = buffer[place:end].decode("utf-8").lstrip("\n")
            if _CONTROLS.search(token):
                # The vector behind a token with a space is read from too early on, and its last bytes fall to the next token.
                raise ValueError(f"a token that is no text, {token[-20:]!r}, after {number} vectors; does one hold a space?")
            yield token, np.frombuffer(buffer, np.float32, size, end + 1)
            place = end + 1 + 4 * size


def _filled(count: int, size: int, entries: Iterable[Entry]) -> KeyedVectors:
    """Fill ``KeyedVectors`` in place; of a token that comes twice, the first vector counts."""
    vectors = KeyedVectors(size, count, dtype=np.float32)
    tokens: dict[str, int] = {}
    for token, vector in entries:
        if token not in tokens:
            vectors.vectors[len(tokens)] = vector
            tokens[token] = len(tokens)
    vectors.index_to_key = list(tokens)
    vectors.key_to_index = tokens
    vectors.vectors = vectors.vectors[: len(tokens)]
    return vectors
