"""Takes the rows that ``aslstm predict`` writes and gives a folder with a report.

The folder holds the page ``index.html``, which works without any other file, each table as CSV, each chart as PNG, and all
tables in one Excel workbook.
"""

import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aslstm.charts import png
from aslstm.data.cleaning import CleaningCounts
from aslstm.disk import put_file
from aslstm.errors import UserError
from aslstm.settings import check_settings, setting
from aslstm.spreadsheets import RAW_CELLS_HELP, write_rows

from . import charts, page
from .facts import ModelFacts, facts_of
from .tables import NAMES, ReportTables, Table, build_tables
from .texts import LANGUAGES
from .workbook import write_workbook

PAGE = "index.html"


@dataclass(frozen=True)
class ReportSettings:
    """Says which columns of the rows a report reads, and in which language it is written.

    Raises:
        UserError: There is no such language.
    """

    text_column: str | None = setting(None, "name of the column of the posts; default: found by its name or content")
    prefix: str = setting("", "what stands before the names of the predictions, as aslstm predict was given it")
    date_column: str | None = setting(None, "name of the column of dates; default: found by its name or content")
    compare_by: str | None = setting(None, "name of a column of few values, whose groups are compared, e.g. a city")
    title: str | None = setting(None, "title of the page; default: the name of the input")
    raw_cells: bool = setting(False, RAW_CELLS_HELP)
    language: str = setting("en", "language of headings and explanations", choices=sorted(LANGUAGES))

    def __post_init__(self) -> None:
        check_settings(self)


def write_report(
    rows: Iterable[Mapping[str, Any]],
    output: Path,
    settings: ReportSettings,
    *,
    place: str = "predictions",
    model: Callable[[], ModelFacts | None] = lambda: None,
    cleaning: Callable[[], CleaningCounts | None] = lambda: None,
) -> ReportTables:
    """Count the rows, draw the charts and write the folder; nothing of an earlier report is touched before all is drawn.

    Args:
        rows: The predictions, which are read once.
        output: The folder to write, created if missing.
        settings: The columns, the title and the language of the report.
        place: The file or data set that the rows come from, for error messages and for the page.
        model: A function that returns what is known of the model that labelled the rows; it is called when they have been read.
        cleaning: A function that returns how many posts were cleaned, or None if they are shown as they were; likewise.

    Raises:
        UserError: The rows cannot be counted, or nothing can be written there.
    """
    tables = build_tables(
        rows,
        text_column=settings.text_column or "text",
        date_column=settings.date_column,
        compare_by=settings.compare_by,
        prefix=settings.prefix,
        place=place,
    )
    title, language = settings.title or output.name, settings.language
    drawn = charts.build(tables, language, title)
    facts = facts_of(model(), place=place, columns=_columns(settings), cleaning=cleaning(), language=language)
    html = page.render(tables, title=title, language=language, pictures=drawn.keys(), facts=facts)
    try:
        output.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new.", dir=output) as new:
            for name, chart in drawn.items():
                Path(new, f"{name}.png").write_bytes(png(chart))
            for name, table in tables.tables.items():
                write_csv(Path(new, f"{name}.csv"), table, raw_cells=settings.raw_cells)
            write_workbook(Path(new, page.WORKBOOK), tables, language)
            Path(new, PAGE).write_text(html, encoding="utf-8")
            written = {path.name for path in Path(new).iterdir()}
            # The page is moved last, so that it is never there without its files.
            for name in sorted(written, key=lambda name: name == PAGE):
                put_file(Path(new, name), output / name)
        for path in written_files(output):
            if path.name not in written:  # This file is left from an earlier report.
                path.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(
            f"`output` {output}: expected a place to write, found: {error.strerror}; choose another, then run again"
        ) from error
    return tables


def _columns(settings: ReportSettings) -> list[str]:
    """Return the columns that the report was told to read."""
    return [name for name in (settings.text_column, settings.date_column, settings.compare_by) if name is not None]


def written_files(output: Path) -> list[Path]:
    """Return the files of a folder that a report may write or remove."""
    names = [PAGE, page.WORKBOOK, *(f"{name}.{suffix}" for name in (*NAMES, *page.PICTURES) for suffix in ("png", "csv"))]
    return [output / name for name in dict.fromkeys(names)]


def write_csv(path: Path, table: Table, *, raw_cells: bool = False) -> None:
    """Write a table for a spreadsheet: with a byte order mark, so that Excel reads Chinese, and without formulas."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        write_rows(file, [table.columns, *table.rows], raw_cells=raw_cells)
