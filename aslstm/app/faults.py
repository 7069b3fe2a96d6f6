"""Takes an error of the library and gives the sentence that a visitor of the app reads, in the language of the page.

An error of the library is written for the command line: it is English and names arguments. A visitor has neither, so the app
has sentences of its own. :data:`FAULTS` tells the errors apart by the words that stand in their messages.
"""

import re
from pathlib import Path
from typing import NamedTuple

from aslstm.data.file_formats import BadRow
from aslstm.errors import UserError

from .texts import TEXTS


class ToldError(UserError):
    """Tells a visitor about bad input, in the language of the page."""


class Fault(NamedTuple):
    """Holds a kind of error.

    Attributes:
        message: A pattern that occurs in the messages of these errors; its named groups are put into the sentences.
        zh: The Chinese sentence.
        en: The English sentence.
    """

    message: str
    zh: str
    en: str


FAULTS = (
    Fault(
        r"expected a file ending in (?P<expected>.+?), found '(?P<found>.*)'",
        "认不出这种文件；请用 {expected}（Excel 里可“另存为”）。",
        "This kind of file is not known; use {expected} (“save as” in Excel).",
    ),
    Fault(
        r"expected (?P<encoding>[\w-]+), found byte",
        "这一行的编码不是 {encoding}；请在“编码”里选别的，或把文件另存为 UTF-8。",
        "This row is not in the encoding {encoding}; choose another encoding, or save the file as UTF-8.",
    ),
    Fault(
        r"expected distinct column names, found \[(?P<found>.*)\] more than once",
        "有两列同名：{found}；请改名。",
        "Two columns have the same name: {found}; rename one.",
    ),
    Fault(
        r"expected a text in column '(?P<column>.*)', found (?P<found>.*); name it",
        "没有“{column}”这一列；现有的列：{found}。请在菜单里选。",
        "There is no column “{column}”; the columns are: {found}. Choose one in the menu.",
    ),
    Fault(
        r"expected a text in column '(?P<column>.*)', found (?P<found>.*); correct",
        "“{column}”列里应是文字，这里是 {found}；请选别的列，或改正这一行。",
        "The column “{column}” should hold text, but here is {found}; choose another column, or correct the row.",
    ),
    Fault(
        r"expected (?P<expected>[0-9,]+) fields .*, found (?P<found>[0-9,]+)",
        "应有 {expected} 格，这里有 {found} 格；含分隔符的格子要加引号。",
        "There should be {expected} cells, but here are {found}; quote cells that hold the separator.",
    ),
    Fault(
        r"expected delimited text|close the quotation mark",
        "引号没有配对；请改正这一行。",
        "A quotation mark is not closed; correct the row.",
    ),
    Fault(
        r"a text of at most (?P<expected>[0-9,]+) characters .*, found (?P<found>[0-9,]+)",
        "一格最多 {expected} 个字符，这里有 {found} 个；请删短。",
        "A cell may have at most {expected} characters, but here are {found}; shorten it.",
    ),
    Fault(r"expected (?:a line|a row) of at most", "这一行太长；请检查换行。", "This line is too long; check the line ends."),
    Fault(
        r"expected a JSON object|JSON list|levels",
        "这里不是可用的 JSON；应当每行一个对象，或一个对象的列表。",
        "This is no JSON that can be used; write one object on each line, or a list of objects.",
    ),
    Fault(
        r"whole gzip file|well-formed XML|XML element|Parquet file",
        "文件已损坏或不完整；请重新下载或导出。",
        "The file is damaged or not whole; fetch or export it again.",
    ),
    Fault(
        r"install the extra",
        "这台服务器没有装读这种文件的软件；请另存为 UTF-8 的 CSV。",
        "This server lacks the software for such files; save the file as CSV UTF-8.",
    ),
    Fault(
        r"expected a model folder|model folder|expected the file that was saved|checksums|config\.json",
        "这个模型目录不完整或已损坏；请换一个。",
        "This model folder is incomplete or damaged; choose another.",
    ),
)
UNKNOWN = Fault(
    "",
    "读不了这个文件；请在 Excel 里另存为 .xlsx 或 UTF-8 的 CSV 再试。",
    "This file cannot be read; save it in Excel as .xlsx or as CSV UTF-8, and try again.",
)
_ROW = re.compile(r"(?:, line|, row|after line) ([0-9]+)")


def told(error: UserError, language: str, path: Path | None = None) -> ToldError:
    """Return an error whose message is the sentence for a visitor; a row that the error names is named too.

    Args:
        error: An error of the library, or one that is told already.
        language: The language of the page.
        path: The file that the error is about, whose name is no part of what is wrong.
    """
    if isinstance(error, ToldError):
        return error
    message = str(error).replace(str(path), "") if path else str(error)
    pairs = ((fault, re.search(fault.message, message)) for fault in FAULTS)
    fault, match = next((pair for pair in pairs if pair[1]), (UNKNOWN, None))
    values = match.groupdict() if match else {}
    sentence = (fault.zh if language == "zh" else fault.en).format(**values)
    return ToldError(_row_of(error, message, language) + sentence)


def _row_of(error: UserError, message: str, language: str) -> str:
    found = _ROW.search(message)
    number = error.number if isinstance(error, BadRow) else int(found[1]) if found else 0
    return TEXTS[language].in_row.format(number=number) if number else ""
