"""Takes the rows that ``aslstm predict`` writes and gives a folder with a report.

The folder holds the page ``index.html``, which works without any other file, and each chart as PNG and as CSV.
"""

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aslstm.charts import png
from aslstm.disk import put_file
from aslstm.errors import UserError
from aslstm.settings import check_settings, setting
from aslstm.spreadsheets import RAW_CELLS_HELP, write_rows

from . import charts, page
from .tables import NAMES, ReportTables, Table, build_tables
from .texts import LANGUAGES

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
    title: str | None = setting(None, "title of the page; default: the name of the input")
    raw_cells: bool = setting(False, RAW_CELLS_HELP)
    language: str = setting("en", "language of headings and explanations", choices=sorted(LANGUAGES))

    def __post_init__(self) -> None:
        check_settings(self)


def write_report(
    rows: Iterable[Mapping[str, Any]], output: Path, settings: ReportSettings, *, place: str = "predictions"
) -> ReportTables:
    """Count the rows, draw the charts and write the folder; nothing of an earlier report is touched before all is drawn.

    Args:
        rows: The predictions, which are read once.
        output: The folder to write, created if missing.
        settings: The columns, the title and the language of the report.
        place: The file or data set that the rows come from, for error messages.

    Raises:
        UserError: The rows cannot be counted, or nothing can be written there.
    """
    tables = build_tables(
        rows, text_column=settings.text_column or "text", date_column=settings.date_column, prefix=settings.prefix, place=place
    )
    drawn = charts.build(tables, settings.language)
    specifications = {name: chart.to_dict() for name, chart in drawn.items()}
    html = page.render(tables, specifications, title=settings.title or output.name, language=settings.language)
    try:
        output.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new.", dir=output) as new:
            for name, chart in drawn.items():
                Path(new, f"{name}.png").write_bytes(png(chart))
                write_csv(Path(new, f"{name}.csv"), tables.tables[name], raw_cells=settings.raw_cells)
            Path(new, PAGE).write_text(html, encoding="utf-8")
            # The page is moved last, so that it is never there without its files.
            for path in sorted(Path(new).iterdir(), key=lambda path: path.name == PAGE):
                put_file(path, output / path.name)
        for name in set(NAMES) - set(drawn):  # These files are left from an earlier report.
            for suffix in ("png", "csv"):
                (output / f"{name}.{suffix}").unlink(missing_ok=True)
    except OSError as error:
        raise UserError(
            f"`output` {output}: expected a place to write, found: {error.strerror}; choose another, then run again"
        ) from error
    return tables


def written_files(output: Path) -> list[Path]:
    """Return the files of a folder that a report may write or remove."""
    return [output / PAGE, *(output / f"{name}.{suffix}" for name in NAMES for suffix in ("png", "csv"))]


def write_csv(path: Path, table: Table, *, raw_cells: bool = False) -> None:
    """Write a table for a spreadsheet: with a byte order mark, so that Excel reads Chinese, and without formulas."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        write_rows(file, [table.columns, *table.rows], raw_cells=raw_cells)
