"""Takes an open file and gives the format that it has by its content, its tables, and a few words on how it is read.

The name of a file is asked only where its content fits several formats: a file of one column of posts may be CSV, or text.
"""

from typing import NamedTuple

from aslstm.errors import UserError, check_encoding, check_packages
from aslstm.packed_files import Unpacked
from aslstm.text_files import marked_encoding

from . import databases, delimited_files, json_files, sheets, xml_files
from .encodings import find_encoding, shown_encoding
from .file_formats import Table, TextFile

# What the flag takes, and how the format is called in a sentence.
FORMATS = {
    "txt": "a post on each line",
    "jsonl": "JSON Lines",
    "json": "JSON",
    "csv": "",
    "tsv": "",
    "parquet": "Parquet",
    "arrow": "Arrow",
    "xlsx": "Excel",
    "xls": "Excel 97",
    "sqlite": "SQLite",
    "html": "HTML",
    "xml": "NLPCC XML",
}
# The formats whose rows are numbered by the lines of the file, where a message can name one.
LINE_FORMATS = ("csv", "tsv", "jsonl")
# The formats in which a cell without anything is a text without anything, and a number may be a post.
CELL_FORMATS = ("xlsx", "xls", "sqlite")
# Endings of the names of files that hold posts; a folder is searched for these.
SUFFIXES = {
    ".txt": "txt", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".csv": "csv", ".tsv": "tsv", ".tab": "tsv",
    ".parquet": "parquet", ".pq": "parquet", ".feather": "arrow", ".arrow": "arrow", ".xlsx": "xlsx", ".xlsm": "xlsx",
    ".xls": "xls", ".db": "sqlite", ".sqlite": "sqlite", ".sqlite3": "sqlite", ".html": "html", ".htm": "html", ".xml": "xml",
}  # fmt: skip
_MAGIC = (
    (b"PAR1", "parquet"),
    (b"ARROW1", "arrow"),
    (b"\xff\xff\xff\xff", "arrow"),
    (b"SQLite format 3\0", "sqlite"),
    (b"PK\x03\x04", "xlsx"),
)
_OTHERS = {
    b"%PDF": "a PDF",
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf'\x1c": "a 7z archive",
    b"PK\x05\x06": "an empty zip archive",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"{\\rtf": "a Word document",
    b"\x80\x04\x95": "a pickle",
}
# Only these cannot be read as text at all, so that their names tell them.
_BINARY = ("parquet", "arrow", "sqlite", "xlsx", "xls")
_HTML = ("<!doctype html", "<html", "<table", "<meta", "<head", "<style", "<body")


class Reading(NamedTuple):
    """Holds how a file is read.

    Attributes:
        format: A key of ``FORMATS``.
        encoding: The encoding as people write it, or "" for a format that has one of its own.
        delimiter: The delimiter as people write it, or "".
        tables: The tables of the file.
    """

    format: str
    encoding: str
    delimiter: str
    tables: list[Table]

    @property
    def shown(self) -> list[str]:
        """What was found, in words."""
        return [one for one in (FORMATS[self.format], self.encoding, self.delimiter) if one]


def read_tables(source: Unpacked, *, named: str | None, encoding: str | None, column: str) -> Reading:
    """Find out what a file is, and return how it is read.

    Args:
        source: The open file.
        named: The format if the user named it, a key of ``FORMATS``.
        encoding: The encoding if the user named it.
        column: The name that the only column of a file with a post on each line gets.

    Raises:
        UserError: The file cannot be read.
    """
    for magic, other in _OTHERS.items():
        if source.head.startswith(magic):
            raise UserError(f"{source.path}: expected a table or a text, found {other}; save the posts as text, CSV or .xlsx")
    kind = named or _binary_format(source)
    if kind is not None and kind in _BINARY:
        return Reading(kind, "", "", _BINARY_READERS[kind](source))
    if encoding is not None:
        check_encoding(encoding)
    if (b"<?xml" in source.head[:200] and not encoding and named is None) or kind == "xml":
        return Reading("xml", "", "", xml_files.read_nlpcc2014_xml(source))
    found = marked_encoding(source.head) or encoding or find_encoding(source.head)
    file = TextFile(source, found, is_found=encoding is None)
    return _read_text(file, named, column)


def _binary_format(source: Unpacked) -> str | None:
    """Return the format of a file that is no text, or "xml"; None for a text."""
    head = source.head
    kind = next((kind for magic, kind in _MAGIC if head.startswith(magic)), None)
    if kind is None and sheets.is_old_workbook(head):
        return "xls"
    by_name = SUFFIXES.get(source.suffix)
    if kind is None and by_name == "xml":
        return by_name
    # A file that should be a database and is none, perhaps because it has a password, is no text either; an .xls may be one.
    is_broken = kind is None and by_name in _BINARY and by_name != "xls" and not _is_text(head)
    return by_name if is_broken else kind


def _is_text(head: bytes) -> bool:
    text = head[:4096].decode(find_encoding(head), "replace")
    return (text.count("\ufffd") + text.count("\0")) * 50 < len(text)


def _read_text(file: TextFile, named: str | None, column: str) -> Reading:
    suffix = f".{named}" if named else file.source.suffix
    head, shown = file.head(), shown_encoding(file.encoding)
    kind = named or _text_format(head, SUFFIXES.get(suffix))
    if kind == "html":
        return Reading("html", shown, "", xml_files.read_html(file))
    if kind == "jsonl":
        return Reading("jsonl", shown, "", json_files.read_json_lines(file))
    if kind == "json":
        return Reading("json", shown, "", json_files.read_json(file))
    layout = delimited_files.find_layout(file, suffix)
    if named == "txt" or not layout.delimiter:
        return Reading("txt", shown, "", delimited_files.read_plain(file, column))
    kind = "tsv" if layout.delimiter == "\t" else "csv"
    return Reading(kind, shown, layout.shown, delimited_files.read_delimited(file, layout))


def _text_format(head: str, by_name: str | None) -> str | None:
    """Return "jsonl", "json" or "html" for a text that is one of these; None for any other."""
    if head.lstrip().lower().startswith(_HTML):
        return "html"
    if json_files.is_json(head):
        # The lines of a broken file are named one by one where its name says that each is an object.
        return "json" if json_files.is_document(head) else "jsonl"
    is_like_json = head.lstrip()[:1] in ("{", "[", "")
    return by_name if by_name in ("jsonl", "json") and is_like_json else None


def _read_parquet(source: Unpacked) -> list[Table]:
    check_packages("parquet", "pyarrow")
    # Imported here and not above: pyarrow is large, and few files are Parquet.
    from .arrow_files import read_parquet

    return read_parquet(source)


def _read_arrow(source: Unpacked) -> list[Table]:
    check_packages("parquet", "pyarrow")
    from .arrow_files import read_arrow

    return read_arrow(source)


_BINARY_READERS = {
    "parquet": _read_parquet,
    "arrow": _read_arrow,
    "sqlite": databases.read_database,
    "xlsx": sheets.read_workbook,
    "xls": sheets.read_old_workbook,
}
