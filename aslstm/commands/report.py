"""Takes the flags of ``aslstm report`` and turns the answers of ``aslstm predict`` into a page of charts.

aslstm report --input out.jsonl --output report/
aslstm report --input out.csv --output report/ --date_column created_at --language zh --title 话题

It writes ``index.html``, which needs no other file and no network, and beside it each chart as PNG and as CSV.
"""

from collections.abc import Iterator, Sequence
from dataclasses import MISSING, dataclass, replace
from pathlib import Path
from typing import Any

from aslstm.data.answer_names import as_answered
from aslstm.data.cleaning import NO_CLEAN_HELP, CleaningCounts
from aslstm.data.file_formats import READERS, refuse_bad
from aslstm.disk import is_same_file, locked
from aslstm.errors import UserError, check_encoding, check_packages
from aslstm.settings import setting
from aslstm.spreadsheets import unguarded
from aslstm.text_files import format_of

from .flags import CommandParser, add_settings, make_settings, show_flags

FORMATS = (".jsonl", ".csv", ".tsv", ".parquet")


@dataclass(frozen=True)
class FileSettings:
    """Says what is read and where the report is written.

    Raises:
        UserError: The encoding does not exist, or the output is a file or a folder that holds files.
    """

    input: Path = setting(MISSING, "what aslstm predict wrote: JSON Lines, CSV, TSV (also .gz), Parquet")
    output: Path = setting(MISSING, "folder of the report")
    overwrite: bool = setting(False, "write into a folder that holds files")
    encoding: str = setting("utf-8", "encoding of text files, e.g. GB18030")
    no_clean: bool = setting(False, NO_CLEAN_HELP)

    def __post_init__(self) -> None:
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


def read_predictions(path: Path, encoding: str) -> Iterator[dict[str, Any]]:
    """Read the rows of a file.

    Raises:
        UserError: The file cannot be read, or the ending of its name is not one of ``FORMATS``.
    """
    suffix = format_of(path)
    if suffix not in FORMATS:
        raise UserError(f"`input` {path}: expected a file ending in {', '.join(FORMATS)}, found {path.suffix!r}")
    rows = (row for _, row in refuse_bad(READERS[suffix](path, encoding)))
    return map(_unguarded_row, rows) if suffix == ".csv" else rows


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
    cleaning = CleaningCounts()

    def answered() -> Iterator[dict[str, Any]]:
        for row in read_predictions(files.input, files.encoding):
            named, cleaned = as_answered(row, settings.text_column, settings.prefix, cleans=not files.no_clean)
            cleaning.add(cleaned.rules)
            yield named

    with locked(files.output):
        files.check_output()  # Another run may have written it since.
        tables = write_report(answered(), files.output, settings, place=str(files.input))
    if line := cleaning.line():
        print(show_flags(line))
    print(f"{tables.num_posts} posts, {len(tables.labels)} labels: {files.output / PAGE}")
