"""Takes the path of a file, plain or packed, and gives its bytes, or its lines as text.

A byte order mark tells the encoding of a text file, whatever encoding is named. A line has at most ``MAX_LINE_BYTES`` bytes,
because a packed file of a few megabytes may hold a line that fills the memory.
"""

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from .errors import UserError
from .packed_files import SUFFIXES_OF_PACKED, open_unpacked

MAX_LINE_BYTES = 1 << 26
# How much of a line that is too long is kept to be shown.
_SHOWN_BYTES = 240
_PIECE_BYTES = 1 << 20
# The marks of UTF-32 come first, because that of UTF-16 begins one of them.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF8, "utf-8"),
)
# What a name without a byte order means where the file has no mark: the order that Windows writes.
_ORDERS = {"utf-16": "utf-16-le", "utf-32": "utf-32-le", "utf-8-sig": "utf-8"}


class BadRow(UserError):
    r"""Describes a row that cannot be read.

    Args:
        message: The error message, which is one line.
        number: The number of the line, or of the row where the file has no lines.
        content: The text of the row, or its beginning if it is too long; bytes that are not text are written like ``\xbd``.
    """

    def __init__(self, message: str, number: int, content: str) -> None:
        super().__init__(message)
        self.number = number
        self.content = content


def is_packed(path: Path) -> bool:
    """Return whether the name of a file says that it is packed."""
    return path.suffix.lower() in SUFFIXES_OF_PACKED


def open_bytes(path: Path) -> BinaryIO:
    """Open a file, plain or packed, to read its bytes; ``-`` is standard input.

    Raises:
        UserError: The file cannot be opened.
    """
    return open_unpacked(path).file


def read_lines(path: Path, encoding: str = "utf-8") -> Iterator[str | BadRow]:
    """Yield the lines of a text file as :func:`lines_of` does.

    Args:
        path: The file to read, or ``-`` for standard input.
        encoding: The encoding of a file without a byte order mark.

    Raises:
        UserError: The file cannot be opened, or is packed and damaged.
    """
    with open_bytes(path) as file:
        yield from lines_of(file, str(path), encoding)


def marked_encoding(start: bytes) -> str | None:
    """Return the encoding that the byte order mark at the start of a file tells, if there is one."""
    return next((name for mark, name in _MARKS if start.startswith(mark)), None)


def lines_of(file: BinaryIO, place: str, encoding: str, *, refuse_utf8: bool = False) -> Iterator[str | BadRow]:
    """Yield the lines of an open text file with their line ends; only a line feed ends a line.

    Args:
        file: The open file.
        place: The path of the file, for messages.
        encoding: The encoding of a file without a byte order mark.
        refuse_utf8: Whether a line of UTF-8 is bad. In GB18030 it could be read, and would be other characters.

    Yields:
        Each line, or a :class:`BadRow` for a line that is too long or not in the encoding.

    Raises:
        UserError: The file is packed and damaged.
    """
    start = file.readline(4)  # This is enough to see a mark, and never reaches into the second line.
    encoding = marked_encoding(start) or _ORDERS.get(codecs.lookup(encoding).name, encoding)
    for number, (line, is_whole) in enumerate(_byte_lines(file, start, "\n".encode(encoding)), start=1):
        if not is_whole:
            message = (
                f"{place}, line {number}: expected a line of at most {MAX_LINE_BYTES:,} bytes, found a longer one; cut it or "
                "take it out"
            )
            yield BadRow(message, number, line.decode(encoding, "ignore"))
            continue
        if refuse_utf8 and is_chinese_utf8(line):
            message = (
                f"{place}, line {number}: expected {encoding.upper()} as in the lines before, found UTF-8; a file has one "
                "encoding: convert the line"
            )
            yield BadRow(message, number, line.decode("utf-8"))
            continue
        try:
            text = line.decode(encoding)
        except UnicodeDecodeError as error:
            yield _undecoded(place, number, encoding, error)
            continue
        yield text if number > 1 else text.removeprefix("\ufeff")


def is_chinese_utf8(line: bytes) -> bool:
    """Return whether bytes are UTF-8 with Chinese characters or emoji, which those of GB18030 and Big5 hardly ever are.

    >>> is_chinese_utf8("今天好".encode()), is_chinese_utf8("今天好".encode("gb18030")), is_chinese_utf8(b"text")
    (True, False, False)
    """
    if line.isascii():
        return False
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    # Two bytes of GB18030 may be one character of UTF-8, but a Greek or Cyrillic one; U+FFFD is itself a broken character.
    return "\ufffd" not in text and any(character >= "\u2e80" for character in text)


def _byte_lines(file: BinaryIO, piece: bytes, newline: bytes) -> Iterator[tuple[bytes, bool]]:
    """Yield each line and whether it is whole; of a line that is too long, only the beginning is yielded.

    Args:
        file: The open file.
        piece: What was read of the first line.
        newline: The line feed as the encoding writes it; its width is that of every code unit.
    """
    width = len(newline)
    line = bytearray()
    beginning = b""
    while True:
        # In UTF-16, the byte of a line feed is also a half of other characters, such as U+4E0A, so pieces end at whole units.
        if width > 1:
            piece += file.read(-len(piece) % width)
        if not line and piece.endswith(newline):  # most lines
            yield piece, True
            piece = file.readline(_PIECE_BYTES)
            continue
        line += piece
        if len(line) > MAX_LINE_BYTES:
            beginning = beginning or bytes(line[:_SHOWN_BYTES])
            del line[:-width]
        if not piece or line.endswith(newline):
            if line:
                yield beginning or bytes(line), not beginning
            if not piece:
                return
            line.clear()
            beginning = b""
        piece = file.readline(_PIECE_BYTES)


def _undecoded(place: str, number: int, encoding: str, error: UnicodeDecodeError) -> BadRow:
    message = (
        f"{place}, line {number}: expected {encoding.upper()}, found byte {error.object[error.start]:#04x} at column "
        f"{error.start + 1}; name another with `encoding`, e.g. GB18030, or convert the file"
    )
    return BadRow(message, number, error.object.decode(encoding, "backslashreplace"))
