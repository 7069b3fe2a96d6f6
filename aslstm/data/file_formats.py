"""Takes the path of a file, with one reader for each format, and gives its rows as numbered dictionaries.

Readers only read: nothing here changes a text, and every error message names the file and the row. A row that cannot be read
is yielded as a :class:`BadRow` if the rows after it can be read; an error that spoils the whole file is raised.
"""

import csv
import gzip
import io
import itertools
import json
import xml.etree.ElementTree as ElementTree
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

from aslstm.errors import UserError, check_packages
from aslstm.text_files import MAX_LINE_BYTES, BadRow, format_of, open_bytes, read_lines

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

T = TypeVar("T")
Row = dict[str, Any]

# How deep the values of a JSON object may lie in each other.
MAX_NESTING = 100
# The parser reads an unfinished tag again with every piece of the file, so 16 times as much would take 256 times as long.
MAX_ELEMENT_BYTES = 1 << 22


# The number of the last line of a row (or of the row itself, where the file has no lines), and the row.
NumberedRow = tuple[int, Row]


def refuse_bad(values: Iterable[T | BadRow]) -> Iterator[T]:
    """Yield the values, and raise the first bad row."""
    for value in values:
        if isinstance(value, BadRow):
            raise value
        yield value


def names_of(names: Iterable[str]) -> str:
    """Write column names for a message of one line."""
    return ", ".join(name if name.isprintable() else repr(name) for name in map(str, names))


def _refuse_repeated(path: Path, names: list[str]) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise UserError(f"{path}: expected distinct column names, found {repeated} more than once; rename them")


def read_json_lines(path: Path, encoding: str) -> Iterator[NumberedRow | BadRow]:
    """Yield the JSON object of each line; blank lines are skipped."""
    for number, line in enumerate(read_lines(path, encoding), start=1):
        if isinstance(line, BadRow):
            yield line
            continue
        content = line.strip()
        if not content:
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:  # a JSONDecodeError, a number of 5,000 digits, or 10,000 brackets
            fault = f"a JSON object, found {content[:60]!r} ({error})"
        else:
            fault = "" if isinstance(row, dict) else f"a JSON object, found {content[:60]!r}; write one object on each line"
            fault = fault or _fault_of_nesting(row)
        yield BadRow(f"{path}, line {number}: expected {fault}", number, content) if fault else (number, row)


def _fault_of_nesting(row: Row) -> str:
    """Return what is wrong with the depth of a row, or "": later steps go through its values level by level."""
    values: list[Any] = [row]
    for _ in range(MAX_NESTING):
        inner = (value.values() if isinstance(value, dict) else value for value in values)
        values = [one for one in itertools.chain.from_iterable(inner) if isinstance(one, dict | list)]
        if not values:
            return ""
    return f"JSON of at most {MAX_NESTING} levels, found more; write the inner levels as text"


def read_delimited(path: Path, encoding: str, delimiter: str) -> Iterator[NumberedRow | BadRow]:
    """Yield the rows of a CSV or TSV file that has a header line.

    Args:
        path: The file to read.
        encoding: The encoding of the file.
        delimiter: The character between two fields.

    Raises:
        UserError: The header cannot be read.
    """
    lines: list[str | BadRow] = []  # The lines of the row that is being read.

    def texts() -> Iterator[str]:
        size = 0
        for number, line in enumerate(read_lines(path, encoding), start=1):
            content = line.content if isinstance(line, BadRow) else line
            size = len(content) + (size if lines else 0)
            if size > MAX_LINE_BYTES:
                raise UserError(
                    f"{path}, line {number}: expected a row of at most {MAX_LINE_BYTES:,} characters, found more; close the "
                    "quotation mark that it opens, or cut it"
                )
            lines.append(line)
            yield content

    # A field may be as long as a row. This setting is the only one that the csv module has for the whole process.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_LINE_BYTES))
    reader = csv.reader(texts(), delimiter=delimiter, strict=True)
    header: list[str] = []
    while True:
        lines.clear()
        message = ""
        try:
            fields = next(reader, None)
        except csv.Error as error:
            message = f"{path}, line {reader.line_num}: expected delimited text, found: {error}; correct the line"
            fields = []
        if fields is None:
            return
        undecoded = [line for line in lines if isinstance(line, BadRow)]
        if header and fields and len(fields) != len(header):
            message = (
                f"{path}, line {reader.line_num}: expected {len(header)} fields ({names_of(header)}), found "
                f"{len(fields)}; quote fields that hold the delimiter"
            )
        if undecoded or message:
            content = "".join(line.content if isinstance(line, BadRow) else line for line in lines)
            bad = BadRow(str(undecoded[0]) if undecoded else message, reader.line_num, content)
            if not header:
                raise bad
            yield bad
        elif header and fields:
            yield reader.line_num, dict(zip(header, fields, strict=True))
        elif fields:
            _refuse_repeated(path, fields)
            header = fields


def read_json_list(path: Path, encoding: str) -> Iterator[NumberedRow]:
    """Yield the objects of a JSON list, which is how SMP2020-EWECT is published."""
    yield from _json_list(path, refuse_bad(read_lines(path, encoding)))


def _json_list(path: Path, lines: Iterable[str]) -> Iterator[NumberedRow]:
    content = io.StringIO()
    for number, line in enumerate(lines, start=1):
        if content.tell() + len(line) > MAX_LINE_BYTES:
            raise UserError(
                f"{path}, line {number}: expected a JSON list of at most {MAX_LINE_BYTES:,} characters, found a longer one; "
                "write it as JSON Lines"
            )
        content.write(line)
    try:
        rows = json.loads(content.getvalue())
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: expected a JSON list of objects, found: {error}; fetch the file again") from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UserError(f"{path}: expected a JSON list of objects, found something else; fetch the file again")
    for number, row in enumerate(rows, start=1):
        if fault := _fault_of_nesting(row):
            raise UserError(f"{path}, row {number}: expected {fault}")
        yield number, row


def read_plain(path: Path, encoding: str, text_column: str) -> Iterator[NumberedRow | BadRow]:
    """Yield a post for each line, also for blank ones, or the objects of a JSON list, which ``.txt`` files of corpora hold."""
    lines = read_lines(path, encoding)
    first = next(lines, None)  # Standard input can be read only once.
    if isinstance(first, str) and first.startswith("[{"):
        yield from _json_list(path, itertools.chain([first], refuse_bad(lines)))
        return
    for number, line in enumerate(itertools.chain([] if first is None else [first], lines), start=1):
        yield line if isinstance(line, BadRow) else (number, {text_column: line.removesuffix("\n").removesuffix("\r")})


def open_parquet(path: Path) -> "ParquetFile":
    """Open a Parquet file.

    Raises:
        UserError: The file is not a Parquet file, has two columns of one name, or needs a package that is not installed.
    """
    check_packages("parquet", "pyarrow")
    # Imported here and not above: pyarrow is large, and few files are Parquet.
    from .parquet import open_file

    file = open_file(path, open_bytes(path))
    _refuse_repeated(path, file.schema_arrow.names)
    return file


def class_names(file: "ParquetFile", column: str) -> list[str]:
    """Return the names of the classes of a column of numbers, if the library ``datasets`` wrote the file; else []."""
    from .parquet import class_names_of

    return class_names_of(file, column)


def read_parquet(path: Path, file: "ParquetFile | None" = None) -> Iterator[NumberedRow]:
    """Yield the rows of a Parquet file, which is read batch by batch.

    Args:
        path: The file to read.
        file: The file as an object, if it is open already.
    """
    file = file or open_parquet(path)
    from .parquet import rows_of

    yield from rows_of(path, file)


class _BoundedSource:
    """Gives the bytes of a file to a parser, and refuses an element that never ends.

    Attributes:
        num_bytes: The number of bytes that were read since the parser found the last element.
    """

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self.num_bytes = 0
        self._file = file
        self._path = path

    def read(self, size: int = -1, /) -> bytes:
        """Read at most ``size`` bytes.

        Raises:
            UserError: The element that is being read is too long.
        """
        self.num_bytes += size
        if self.num_bytes > MAX_ELEMENT_BYTES:
            raise UserError(
                f"{self._path}: expected an XML element of at most {MAX_ELEMENT_BYTES:,} bytes, found more; check the file"
            )
        return self._file.read(size)


def read_nlpcc2014_xml(path: Path) -> Iterator[NumberedRow]:
    """Read the original XML of NLPCC 2014 (training and test): each sentence is a row of ``text``, ``label`` and ``post``.

    The label is ``emotion-1-type`` for an opinionated sentence, and ``none`` for any other.
    """
    post = "?"
    number = 0
    try:
        with open_bytes(path) as file:
            source = _BoundedSource(file, path)
            for event, element in ElementTree.iterparse(source, events=("start", "end")):
                source.num_bytes = 0
                if element.tag == "weibo":
                    if event == "start":
                        post = element.attrib.get("id", "?")
                    else:
                        element.clear()
                elif element.tag == "sentence" and event == "end":
                    number += 1
                    label = _nlpcc2014_label(path, post, element.attrib)
                    yield number, {"text": element.text or "", "label": label, "post": post}
    except (ElementTree.ParseError, EOFError, gzip.BadGzipFile, zlib.error, ValueError, LookupError) as error:
        # ValueError and LookupError mean that the parser does not know the encoding that the file declares.
        raise UserError(
            f"{path}, in post {post}: expected whole, well-formed XML, found: {error}; fetch the file again"
        ) from error


def _nlpcc2014_label(path: Path, post: str, attributes: dict[str, str]) -> str:
    opinionated = attributes.get("opinionated")
    if opinionated == "N":
        return "none"
    label = attributes.get("emotion-1-type")
    if opinionated != "Y" or not label:
        raise UserError(
            f'{path}, post {post}, sentence {attributes.get("id", "?")}: expected opinionated="N", or "Y" with an '
            f"emotion-1-type, found {attributes}; correct the sentence"
        )
    return label


LINE_FORMATS = (".jsonl", ".csv", ".tsv")  # A .txt file with a post on each line is one too.
READERS: dict[str, Callable[[Path, str], Iterator[NumberedRow | BadRow]]] = {
    ".jsonl": read_json_lines,
    ".csv": lambda path, encoding: read_delimited(path, encoding, ","),
    ".tsv": lambda path, encoding: read_delimited(path, encoding, "\t"),
    ".txt": read_json_list,
    ".parquet": lambda path, encoding: read_parquet(path),
    ".xml": lambda path, encoding: read_nlpcc2014_xml(path),
}


def suffix_of(path: Path) -> str:
    """Return the ending of a file name that tells the format, in small letters and without ``.gz``.

    Raises:
        UserError: No reader has this ending.
    """
    suffix = format_of(path)
    if suffix not in READERS:
        raise UserError(
            f"{path}: expected a file ending in {', '.join(READERS)} (also with .gz), found {path.suffix!r}; save another "
            "table as CSV UTF-8 first"
        )
    return suffix
