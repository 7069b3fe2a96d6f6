"""Takes the path of a file and gives its bytes, unpacked where it is packed, whatever its name says.

Packed are files of gzip, bzip2, xz and Zstandard, and a zip archive that holds one file. What a file is is read from its first
bytes: a name may be wrong, or a browser may have unpacked the file without changing the name.
"""

import bz2
import gzip
import io
import lzma
import shutil
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, NamedTuple

from .errors import UserError, check_packages

# Enough of a file to tell its format, its encoding and its delimiter.
HEAD_BYTES = 1 << 18
MAX_COPIED_BYTES = 1 << 33
_MOST_LAYERS = 3  # a .csv.gz inside of a .zip has two
_ZIP = b"PK\x03\x04"
# Members of an archive that its maker did not put there on purpose.
_IGNORED = ("__MACOSX/", ".DS_Store", "Thumbs.db")
# An Office document is a zip archive with one of these.
_DOCUMENT = ("[Content_Types].xml", "mimetype")
_WORKBOOKS = (".xlsx", ".xlsm")
WHOLE_WORKBOOK = "expected a whole Excel workbook (.xlsx)"
SUFFIXES_OF_PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip")


# What reading a damaged file raises; ZstdError is added where that package is imported.
_ERRORS: list[type[Exception]] = [OSError, EOFError, RuntimeError, zlib.error, lzma.LZMAError, zipfile.BadZipFile]


class Unpacked(NamedTuple):
    """Holds an open file.

    Attributes:
        path: The path that was opened, for messages.
        name: The name of what is read, without the endings of packing: that of the member of a zip archive.
        file: The bytes from the first one on.
        head: The first ``HEAD_BYTES`` of them.
        is_plain: Whether the bytes are those of the file on the disk, so that it can also be opened by its path.
    """

    path: Path
    name: str
    file: BinaryIO
    head: bytes
    is_plain: bool

    @property
    def suffix(self) -> str:
        """The ending of the name, in small letters."""
        return PurePosixPath(self.name).suffix.lower()

    @property
    def is_whole(self) -> bool:
        """Whether the head is the whole file."""
        return len(self.head) < HEAD_BYTES

    def seekable(self, what: str) -> BinaryIO:
        """Return the bytes as a file that can be read at any place: a copy, where it is packed or a pipe.

        Args:
            what: The name of the format, for the message.

        Raises:
            UserError: There are too many bytes to copy.
        """
        return _seekable(self.path, self.file, what)

    def on_disk(self, folder: Path, what: str) -> Path:
        """Return the path of a file with these bytes: a copy in a folder, where it is packed or a pipe."""
        if self.is_plain:
            self.file.close()
            return self.path
        copy = folder / "copy"
        with self.seekable(what) as source, copy.open("wb") as target:
            shutil.copyfileobj(source, target)
        return copy


def _seekable(path: Path, file: BinaryIO, what: str) -> BinaryIO:
    if file.seekable() and file is not sys.stdin.buffer:
        file.seek(0)
        return file
    copy = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as what reads it)
    while piece := file.read(1 << 20):
        copy.write(piece)
        if copy.tell() > MAX_COPIED_BYTES:
            raise UserError(
                f"{path}: expected at most {MAX_COPIED_BYTES:,} bytes of {what} in standard input or a packed file, found "
                "more; save or unpack it, and name that file"
            )
    file.close()
    copy.seek(0)
    return copy


class _Guarded(io.RawIOBase):
    """Gives the bytes of a file behind those that were read of it already, and turns the errors of unpacking into one line.

    Args:
        start: The bytes that were read already.
        file: The file that gives the others.
        place: The path of the file, for messages.
        kind: What the file is packed with, or "".
    """

    def __init__(self, start: bytes, file: Any, place: str, kind: str) -> None:
        self._start = memoryview(start)
        self._file = file
        self._place = place
        self._kind = kind

    def readable(self) -> bool:
        """Return that the file can be read."""
        return True

    def close(self) -> None:
        """Close the file, except standard input."""
        if not self.closed and self._file is not sys.stdin.buffer:
            self._file.close()
        super().close()

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer.

        Raises:
            UserError: The file is damaged.
        """
        if self._start:
            piece: Any = self._start[: len(buffer)]
            self._start = self._start[len(piece) :]
        else:
            try:
                piece = self._file.read(len(buffer))
            except tuple(_ERRORS) as error:
                if not self._kind:
                    raise
                found = " ".join(str(error).split()) or type(error).__name__
                raise UserError(f"{self._place}: expected a whole {self._kind} file, found: {found}; fetch it again") from error
        buffer[: len(piece)] = piece
        return len(piece)


def open_unpacked(path: Path) -> Unpacked:
    """Open a file and unpack it; ``-`` is standard input.

    Raises:
        UserError: The file cannot be opened, is damaged, or is an archive of several files.
    """
    name, file = path.name, _opened(path)
    is_plain = file.seekable() and str(path) != "-"
    for _ in range(_MOST_LAYERS):
        head = file.read(HEAD_BYTES)
        file = _from_start(path, head, file)
        unpacker = next((one for one in _UNPACKERS if head.startswith(one[0])), None)
        if unpacker is not None:
            _, kind, reader = unpacker
            name, file = _without_suffix(name), _buffered(b"", reader(file), path, kind)
        elif head.startswith(_ZIP):
            file = _seekable(path, file, "zip")
            member = _member(path, name, file)
            if member is None:
                break
            name, file = member
        else:
            break
        is_plain = False
    return Unpacked(path, _without_suffix(name), file, head, is_plain)


def _opened(path: Path) -> BinaryIO:
    try:
        return sys.stdin.buffer if str(path) == "-" else path.open("rb")
    except OSError as error:
        raise UserError(f"{path}: expected a readable file, found: {error.strerror}; check the path") from error


def _from_start(path: Path, head: bytes, file: BinaryIO) -> BinaryIO:
    """Return the file as it was before the head was read of it."""
    if file.seekable() and file is not sys.stdin.buffer:
        file.seek(0)
        return file
    return _buffered(head, file, path, "")


def _buffered(start: bytes, file: Any, path: Path, kind: str) -> BinaryIO:
    return io.BufferedReader(_Guarded(start, file, str(path), kind), 1 << 17)


def _without_suffix(name: str) -> str:
    return name[: -len(PurePosixPath(name).suffix)] if name.lower().endswith(SUFFIXES_OF_PACKED[:-1]) else name


def _zstd_reader(file: BinaryIO) -> Any:
    check_packages("files", "zstandard")
    # Imported here and not above: few files are packed with it.
    import zstandard

    _ERRORS.append(zstandard.ZstdError)
    return zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)


_UNPACKERS: tuple[tuple[bytes, str, Callable[[BinaryIO], Any]], ...] = (
    (b"\x1f\x8b", "gzip", lambda file: gzip.GzipFile(fileobj=file)),
    (b"\x28\xb5\x2f\xfd", "Zstandard", _zstd_reader),
    (b"BZh", "bzip2", bz2.BZ2File),
    (b"\xfd7zXZ\x00", "xz", lzma.LZMAFile),
)


def _member(path: Path, name: str, file: BinaryIO) -> tuple[str, BinaryIO] | None:
    """Return the name and the bytes of the one file of an archive, here called ``name``; None if it is an Office document."""
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        if name.lower().endswith(_WORKBOOKS):
            raise UserError(f"{path}: {WHOLE_WORKBOOK}, found: {error}; fetch it again, or save it again in Excel") from error
        raise UserError(f"{path}: expected a whole zip file, found: {error}; fetch it again") from error
    files = [one for one in archive.infolist() if not one.is_dir() and not any(part in one.filename for part in _IGNORED)]
    if any(one.filename in _DOCUMENT for one in files):
        file.seek(0)
        return None
    if len(files) != 1:
        names = ", ".join(sorted(_name_of(one) for one in files)[:5]) or "none"
        raise UserError(f"{path}: expected a zip archive of one file, found {len(files)} ({names}); unpack it and name them")
    if files[0].flag_bits & 1:
        raise UserError(f"{path}: expected an archive without a password, found one with a password; unpack it first")
    try:
        return PurePosixPath(_name_of(files[0])).name, _buffered(b"", archive.open(files[0]), path, "zip")
    except (NotImplementedError, RuntimeError, zipfile.BadZipFile) as error:
        raise UserError(f"{path}: expected a whole zip file, found: {error}; unpack it first") from error


def _name_of(member: zipfile.ZipInfo) -> str:
    """Return the name of a member; Windows in China writes it in GBK, which Python takes for the code page 437."""
    if member.flag_bits & 0x800:
        return member.filename
    try:
        return member.filename.encode("cp437").decode("gb18030")
    except ValueError:
        return member.filename
