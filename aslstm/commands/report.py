"""Takes the flags of ``aslstm report`` and turns the answers of ``aslstm predict`` into a page of charts.

aslstm report --input out.jsonl --output report/
aslstm report --input out.csv --output report/ --date_column created_at --language zh --title 话题

It writes ``index.html``, which needs no other file and no network, and beside it each chart as PNG and as CSV.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import MISSING, dataclass, replace
from pathlib import Path
from typing import Any

from aslstm.data import columns
from aslstm.data.file_formats import refuse_bad
from aslstm.data.found_files import FoundFile, Named, find_file
from aslstm.disk import is_same_file, locked
from aslstm.errors import UserError, check_encoding, check_packages
from aslstm.settings import setting
from aslstm.spreadsheets import unguarded

from .flags import CommandParser, add_settings, make_settings, say


@dataclass(frozen=True)
class FileSettings:
    """Says what is read and where the report is written.

    Raises:
        UserError: The encoding does not exist, or the output is a file or a folder that holds files.
    """

    input: Path = setting(MISSING, "what aslstm predict wrote, in any format that it reads")
    output: Path = setting(MISSING, "folder of the report")
    overwrite: bool = setting(False, "write into a folder that holds files")
    encoding: str | None = setting(None, "encoding of text files, e.g. GB18030; default: found")

    def __post_init__(self) -> None:
        if self.encoding is not None:
            check_encoding(self.encoding)
        self.check_output()

    def check_output(self) -> None:
        """Refuse a place that is taken.

        Raises:
            UserError: A file is there, or a folder that holds files and must not be written to.
        """
        if self.output.exists() and not self.output.is_dir():
            raise UserError(f"`output` {self.output}: expected a folder, found a file; choose another name")
        if self.output.is_dir() and any(self.output.iterdir()) and not self.overwrite:
            raise UserError(
                f"`output` {self.output}: expected a new or an empty folder, found files; choose another or add `overwrite`"
            )


def read_predictions(found: FoundFile) -> Iterator[dict[str, Any]]:
    """Yield the rows of a file; the text and the date of each are in columns of their own, also if they lie in others."""
    is_table = found.format in ("csv", "tsv")
    column = found.text_columns[0]
    for _, row in refuse_bad(found.rows()):
        text = found.text_of(row)
        given = _unguarded_row(row) if is_table else row
        if text is not columns.MISSING:
            given = {**given, column: unguarded(text) if is_table and isinstance(text, str) else text}
        if found.date_column:
            given = {**given, found.date_column: found.time_of(row) or given.get(found.date_column)}
        yield given


def _unguarded_row(row: dict[str, Any]) -> dict[str, Any]:
    """Undo what :mod:`aslstm.spreadsheets` does to the cells that ``aslstm predict`` writes."""
    return {unguarded(name): unguarded(cell) if isinstance(cell, str) else cell for name, cell in row.items()}


def main(given: Sequence[str] | None = None) -> None:
    """Write the report and print how many posts it is about."""
    check_packages("report", "altair", "jinja2", "vl_convert", "mplfonts")
    # Imported here, after the check that the packages of the extra "report" are installed.
    from aslstm.report.writing import PAGE, ReportSettings, write_report, written_files

    parser = CommandParser("report", "Make a page of charts from the answers of aslstm predict.")
    add_settings(parser, FileSettings, ReportSettings)
    arguments = parser.parse_args(given)
    files = make_settings(FileSettings, arguments)
    settings = make_settings(ReportSettings, arguments)
    settings = replace(settings, title=settings.title or files.input.name.removesuffix(".gz").rsplit(".", 1)[0])
    if any(is_same_file(path, files.input) for path in written_files(files.output)):
        raise UserError(f"`input` {files.input}: expected a file that the report does not replace, found one; move it")
    with locked(files.output):
        files.check_output()  # Another run may have written it since.
        named = None if settings.text_column is None else (settings.text_column,)
        found = find_file(files.input, Named(named, date_column=settings.date_column, encoding=files.encoding))
        say(found.line(), sys.stderr)
        settings = replace(
            settings, text_column=found.text_columns[0], date_column=settings.date_column or found.date_column or None
        )
        tables = write_report(read_predictions(found), files.output, settings, place=str(files.input))
    print(f"{tables.num_posts} posts, {len(tables.labels)} labels: {files.output / PAGE}")
