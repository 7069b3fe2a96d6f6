"""Files to rows: each reader takes a path and yields dictionaries, and names file and row in every complaint.

Readers only read; nothing here changes a text.
"""

import csv
import gzip
import json
import sys
import xml.etree.ElementTree as ElementTree
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow
import pyarrow.parquet

from user_errors import UserError

Row = dict[str, Any]


def _open(path: Path) -> BinaryIO:
    try:
        if str(path) == "-":
            return sys.stdin.buffer
        return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]
    except OSError as error:
        raise UserError(f"{path}: expected a readable file, found: {error.strerror}; check the path") from error


def _lines(path: Path, encoding: str) -> Iterator[str]:
    """The lines of a text file (with or without a BOM, plain or .gz), split on LF only, line ends kept."""
    number = 0
    try:
        with _open(path) as file:
            for number, line in enumerate(file, start=1):
                yield line.decode(encoding).removeprefix("\ufeff" if number == 1 else "")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path}, line {number}: expected {encoding.upper()}, found byte "
            f"{error.object[error.start]:#04x} at column {error.start + 1}; "
            "name another with --encoding, e.g. GB18030, or convert the file"
        ) from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UserError(f"{path}, after line {number}: expected a whole gzip file, found: {error}; fetch it again") from error


def _names(names: Iterable[str]) -> str:
    """Column names for a message of one line."""
    return ", ".join(name if name.isprintable() else repr(name) for name in map(str, names))


def _refuse_repeated(path: Path, names: list[str]) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise UserError(f"{path}: expected distinct column names, found {repeated} more than once; rename them")


def read_json_lines(path: Path, encoding: str) -> Iterator[Row]:
    """One JSON object a line; blank lines are passed over."""
    for number, line in enumerate(_lines(path, encoding), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:  # a JSONDecodeError, a number of 5,000 digits, or 10,000 brackets
            raise UserError(f"{path}, line {number}: expected a JSON object, found {line.strip()[:60]!r} ({error})") from error
        if not isinstance(row, dict):
            raise UserError(f"{path}, line {number}: expected a JSON object, found {line.strip()[:60]!r}; one object a line")
        yield row


def read_delimited(path: Path, encoding: str, delimiter: str) -> Iterator[Row]:
    """CSV or TSV with a header line."""
    reader = csv.reader(_lines(path, encoding), delimiter=delimiter, strict=True)
    header: list[str] | None = None
    try:
        for fields in reader:
            if header is None:
                header = fields or None
                if header is None:
                    continue
                _refuse_repeated(path, header)
            elif fields and len(fields) != len(header):
                raise UserError(
                    f"{path}, line {reader.line_num}: expected {len(header)} fields ({_names(header)}), found "
                    f"{len(fields)}; quote fields that hold the delimiter"
                )
            elif fields:
                yield dict(zip(header, fields, strict=True))
    except csv.Error as error:
        raise UserError(f"{path}, line {reader.line_num}: expected delimited text, found: {error}; mend the line") from error


def read_json_list(path: Path, encoding: str) -> Iterator[Row]:
    """A JSON list of objects, as SMP2020-EWECT is published."""
    try:
        rows = json.loads("".join(_lines(path, encoding)))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: expected a JSON list of objects, found: {error}; fetch the file again") from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UserError(f"{path}: expected a JSON list of objects, found something else; fetch the file again")
    yield from rows


def read_parquet(path: Path) -> Iterator[Row]:
    """A Parquet file, batch by batch."""
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            _refuse_repeated(path, file.schema_arrow.names)
            for batch in file.iter_batches():
                yield from batch.to_pylist()
    except (OSError, UnicodeDecodeError, pyarrow.ArrowException) as error:
        message = str(error).splitlines()[0]
        raise UserError(f"{path}: expected a Parquet file, found: {message}; check or write it again") from error


def read_nlpcc2014_xml(path: Path) -> Iterator[Row]:
    """The original XML of NLPCC 2014 (training and test), a row a sentence: ``text``, ``label``, ``post``.

    The label is ``emotion-1-type`` of an opinionated sentence, else ``none``.
    """
    post = "?"
    try:
        with _open(path) as file:
            for event, element in ElementTree.iterparse(file, events=("start", "end")):
                if element.tag == "weibo":
                    if event == "start":
                        post = element.attrib.get("id", "?")
                    else:
                        element.clear()
                elif element.tag == "sentence" and event == "end":
                    yield {"text": element.text or "", "label": _nlpcc2014_label(path, post, element.attrib), "post": post}
    except (ElementTree.ParseError, EOFError, gzip.BadGzipFile, zlib.error, ValueError, LookupError) as error:
        # ValueError and LookupError: a declared encoding that the parser does not read.
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
            f"emotion-1-type, found {attributes}; mend the sentence"
        )
    return label


READERS: dict[str, Callable[[Path, str], Iterator[Row]]] = {
    ".jsonl": read_json_lines,
    ".csv": lambda path, encoding: read_delimited(path, encoding, ","),
    ".tsv": lambda path, encoding: read_delimited(path, encoding, "\t"),
    ".txt": read_json_list,
    ".parquet": lambda path, encoding: read_parquet(path),
    ".xml": lambda path, encoding: read_nlpcc2014_xml(path),
}


def check_row(place: str, number: int, text: Any, label: Any) -> Row:
    """``text`` and ``label`` of one row as strings.

    Raises:
        UserError: something else than a text and a label.
    """
    if not isinstance(text, str) or not isinstance(label, str | int) or isinstance(label, bool) or label == "":
        raise UserError(
            f"{place}, row {number}: expected a text and a label (text or whole number), found {text!r:.60} and "
            f"{label!r:.60}; mend the row"
        )
    # Half of a surrogate pair cannot be stored as UTF-8; the tokenizer drops it too.
    return {"text": text.encode("utf-8", "ignore").decode("utf-8"), "label": str(label), "post": str(number)}


def _reader(path: Path) -> Callable[[Path, str], Iterator[Row]]:
    suffix = Path(path.name.removesuffix(".gz")).suffix
    if suffix not in READERS or (suffix == ".parquet" and path.suffix == ".gz"):
        raise UserError(f"{path}: expected a file ending in {', '.join(READERS)} (.gz but for Parquet), found {path.suffix!r}")
    return READERS[suffix]


def read_texts(path: Path, *, text_columns: Sequence[str], encoding: str = "utf-8") -> Iterator[str]:
    """The texts of any readable file, labels or not; a ``.txt`` file holds a post a line, or a JSON list of objects.

    Args:
        path: as in :func:`read_rows`, or ``-`` for lines of standard input.
        text_columns: names that the column may have; the first that a row has is taken.
        encoding: of text files.

    Raises:
        UserError: an unreadable or malformed file, or a row without such a column.
    """
    is_plain = str(path) == "-" or Path(path.name.removesuffix(".gz")).suffix == ".txt"
    if is_plain:
        lines = _lines(path, encoding)
        first = next(lines, "")  # standard input can be read once
        if not first.startswith("[{"):
            yield first
            yield from lines
            return
    for number, row in enumerate(_reader(path)(path, encoding), start=1):
        column = next((name for name in text_columns if name in row), None)
        if column is None:
            raise UserError(
                f"{path}, row {number}: expected a text in column {' or '.join(map(repr, text_columns))}, found "
                f"{_names(row)}; name it with --text_column"
            )
        if not isinstance(row[column], str):
            raise UserError(f"{path}, row {number}: expected a text in column {column!r}, found {row[column]!r:.60}")
        yield row[column]


def read_rows(path: Path, *, text_column: str, label_column: str, encoding: str = "utf-8") -> Iterator[Row]:
    """Rows of any readable file as ``text``, ``label`` and ``post``, which rows of one post share.

    Args:
        path: ``.jsonl``, ``.csv``, ``.tsv``, ``.parquet``, a JSON list in ``.txt`` or NLPCC 2014 ``.xml``, also with ``.gz``.
        text_column: its name in the file.
        label_column: its name in the file.
        encoding: of text files.

    Raises:
        UserError: an unreadable or malformed file, a missing column, a row without text or label, or no row at all.
    """
    reader = _reader(path)
    number = 0
    for number, row in enumerate(reader(path, encoding), start=1):
        if ".xml" in path.suffixes:
            yield row
            continue
        for column in (text_column, label_column):
            if column not in row:
                raise UserError(
                    f"{path}, row {number}: expected a column {column!r}, found {_names(row)}; name it with --text_column or "
                    "--label_column"
                )
        checked = check_row(str(path), number, row[text_column], row[label_column])
        yield checked | {"post": str(row.get("weibo_id", number))}
    if number == 0:
        raise UserError(f"{path}: expected at least one row, found none; check the file")
