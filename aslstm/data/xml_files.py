"""Takes an open file of XML or HTML and gives its rows: the sentences of NLPCC 2014, or the tables of a page.

Some sites write a page with a table and name it ``.xls``.
"""

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, BinaryIO

from aslstm.errors import UserError
from aslstm.packed_files import Unpacked
from aslstm.text_files import MAX_LINE_BYTES

from .file_formats import NumberedRow, Table, TextFile, refuse_bad
from .sheets import rows_of_cells

# The parser reads an unfinished tag again with every piece of the file, so 16 times as much would take 256 times as long.
MAX_ELEMENT_BYTES = 1 << 22


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


def read_nlpcc2014_xml(source: Unpacked) -> list[Table]:
    """Read the original XML of NLPCC 2014 (training and test): each sentence is a row of ``text``, ``label`` and ``post``.

    The label is ``emotion-1-type`` for an opinionated sentence, and ``none`` for any other.
    """
    return [Table(_sentences(source.path, source.file))]


def _sentences(path: Path, file: BinaryIO) -> Iterator[NumberedRow]:
    post = "?"
    number = 0
    try:
        with file:
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
    except (ElementTree.ParseError, ValueError, LookupError) as error:
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


class _Tables(HTMLParser):
    """Collects the cells of the tables of a page as text; a table inside of a cell is a part of the cell."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[list[list[str]]] = []
        self._depth = 0
        self._cell: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a table, a row or a cell; a picture in a cell stands for the text that replaces it."""
        if tag == "table":
            self._depth += 1
            if self._depth == 1:
                self.tables.append([])
        if self._depth != 1:
            return
        if tag == "tr":
            self._end_cell()
            self.tables[-1].append([])
        elif tag in ("td", "th") and self.tables[-1]:
            self._end_cell()
            self._cell = []
        elif self._cell is not None and tag in ("br", "p", "div"):
            self._cell.append("\n")
        elif self._cell is not None and tag == "img":
            self._cell.append(dict(attrs).get("alt") or "")

    def handle_endtag(self, tag: str) -> None:
        """End a cell or a table."""
        if tag in ("td", "th", "tr", "table") and self._depth == 1:
            self._end_cell()
        if tag == "table" and self._depth:
            self._depth -= 1

    def handle_data(self, data: str) -> None:
        """Add text to the cell."""
        if self._cell is not None:
            self._cell.append(data)

    def _end_cell(self) -> None:
        if self._cell is not None:
            self.tables[-1][-1].append("".join(self._cell).strip())
            self._cell = None


def read_html(file: TextFile) -> list[Table]:
    """Return the tables of a page.

    Raises:
        UserError: The page is too long or has no table.
    """
    parser, size = _Tables(), 0
    for line in refuse_bad(file.lines()):
        size += len(line)
        if size > MAX_LINE_BYTES:
            raise UserError(
                f"{file.path}: expected a page of at most {MAX_LINE_BYTES:,} characters, found a longer one; save it as CSV"
            )
        parser.feed(line)
    parser.close()
    tables = [cells for cells in parser.tables if len(cells) > 1]
    if not tables:
        raise UserError(f"{file.path}: expected a page with a table of posts, found none; save the posts as CSV or text")
    return [_table_of(file.path, i, cells, len(tables)) for i, cells in enumerate(tables, start=1)]


def _table_of(path: Path, number: int, cells: list[list[Any]], num_tables: int) -> Table:
    name = f"table {number}" if num_tables > 1 else ""
    return Table(rows_of_cells(str(path), enumerate(cells, start=1)), name)
