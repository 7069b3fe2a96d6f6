"""Takes an error of the library and gives the sentence that a visitor of the app reads, in the language of the page.

An error of the library is written for the command line: it is English and names arguments. A visitor has neither, so the app
has sentences of its own. :data:`FAULTS` tells the errors apart by the words that stand in their messages.
"""

import re
from pathlib import Path
from typing import NamedTuple

from aslstm.errors import UserError
from aslstm.text_files import BadRow

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
        r"found (?:one|another file, or a database) with a password",
        "文件有密码；请去掉密码再上传。",
        "The file has a password; save it without.",
    ),
    Fault(
        r"as in the lines before, found UTF-8",
        "从这一行起换了编码；请把整个文件另存为 UTF-8。",
        "From this row on, the encoding is another; save the whole file as UTF-8.",
    ),
    Fault(
        r"expected (?P<encoding>[\w-]+), found byte",
        "这一行的编码不是 {encoding}；请在“编码”里选别的，或把文件另存为 UTF-8。",
        "This row is not in the encoding {encoding}; choose another encoding, or save the file as UTF-8.",
    ),
    Fault(
        r"expected distinct column names, found (?P<found>.*) more than once",
        "有两列同名：{found}；请改名。",
        "Two columns have the same name: {found}; rename one.",
    ),
    Fault(
        r"expected a column of posts, found|expected one column of posts|expected texts in column",
        "看不出哪一列是微博；请在菜单里选。",
        "It cannot be told which column holds the posts; choose one in the menu.",
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
    Fault(
        r"expected (?:a line|a row|a cell|cells|a page|a JSON list|a workbook|sheets and texts|an XML element) of at most"
        r"|expected at most [0-9,]+ bytes|a larger one|string or blob too big",
        "这里的内容太长，放不下；请删短，或检查换行和引号。",
        "What stands here is too long; shorten it, or check line ends and quotation marks.",
    ),
    Fault(
        r"the value of the formula",
        "公式没有算出的值；请在 Excel 里打开并保存一次。",
        "A formula has no computed value; open the file in Excel and save it once.",
    ),
    Fault(
        r"a zip archive of one file, found (?P<found>[0-9,]+)",
        "压缩包里应只有一个文件，现有 {found} 个；请解压后上传其中一个。",
        "An archive should hold one file, but this one holds {found}; unpack it and upload one of them.",
    ),
    Fault(
        r"a database that no program writes",
        "数据库正被别的程序使用；请关掉那个程序，或上传一份副本。",
        "Another program uses the database; close it, or upload a copy.",
    ),
    Fault(
        r"a database with tables|a workbook with a sheet|a page with a table",
        "文件里没有表格；请检查文件。",
        "The file holds no table; check it.",
    ),
    Fault(
        r"expected a table or a text, found|expected an Excel workbook \(\.xlsx\), found",
        "这种文件里没有可读的表格或文字；请另存为 .xlsx 或 CSV。",
        "This kind of file holds no table or text that can be read; save it as .xlsx or CSV.",
    ),
    Fault(
        r"expected a JSON object|JSON list|JSON of at most",
        "这里不是可用的 JSON；应当每行一个对象，或一个对象的列表。",
        "This is no JSON that can be used; write one object on each line, or a list of objects.",
    ),
    Fault(
        r"expected (?:a |an )?(?:whole|readable)|expected an Excel workbook|Parquet file|Arrow|Feather|opinionated",
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
