"""Show what a topic feels: the predictions of ``aslstm predict`` in, a report that anybody can open out.

aslstm report --input out.jsonl --output report/
aslstm report --input out.csv --output report/ --date_column created_at --language zh --title 话题

Writes ``index.html``, which holds all it needs and asks the network for nothing, and each chart as PNG and as CSV beside it.
"""

import argparse
import csv
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from aslstm.data.file_formats import READERS, refuse_bad
from aslstm.errors import UserError, check_encoding
from aslstm.report.tables import NAMES, Table, build_tables
from aslstm.report.texts import LANGUAGES

from .flags import CommandParser

FORMATS = (".jsonl", ".csv", ".tsv", ".parquet")
PAGE = "index.html"
# What a spreadsheet takes for the beginning of a formula.
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def parse_arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Read and check the command line.

    Raises:
        UserError: a value that is not possible.
    """
    parser = CommandParser("report", "Report on predictions.")
    parser.add_argument("--input", type=Path, required=True, help="what aslstm predict wrote: JSONL, CSV, TSV (.gz), Parquet")
    parser.add_argument("--output", type=Path, required=True, help="the folder of the report")
    parser.add_argument("--overwrite", action="store_true", help="write into a folder that holds files")
    parser.add_argument("--text_column", default="text")
    parser.add_argument("--prefix", default="", help="before the names of the predictions, as aslstm predict was given it")
    parser.add_argument("--date_column", help="default: the first column that has a date, if any")
    parser.add_argument("--encoding", default="utf-8", help="of text files, e.g. GB18030")
    parser.add_argument("--title", help="default: the name of the input")
    parser.add_argument("--language", choices=sorted(LANGUAGES), default="en", help="of headings and explanations")
    arguments = parser.parse_args(given)
    check_encoding(arguments.encoding)
    output = arguments.output
    if output.exists() and not output.is_dir():
        raise UserError(f"--output {output}: expected a folder, found a file; choose another name")
    if output.is_dir() and any(output.iterdir()) and not arguments.overwrite:
        raise UserError(f"--output {output}: expected a new or an empty folder, found files; choose another or add --overwrite")
    return arguments


def read_predictions(path: Path, encoding: str) -> Iterator[dict[str, Any]]:
    """The rows of a file.

    Raises:
        UserError: an unreadable or malformed file.
    """
    suffix = Path(path.name.removesuffix(".gz")).suffix
    if suffix not in FORMATS:
        raise UserError(f"--input {path}: expected a file ending in {', '.join(FORMATS)}, found {path.suffix!r}")
    return (row for _, row in refuse_bad(READERS[suffix](path, encoding)))


def write_csv(path: Path, table: Table) -> None:
    """Write a table for a spreadsheet: with a byte order mark, so that Excel reads Chinese, and without formulas."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(table.columns)
        writer.writerows([_harmless(cell) for cell in row] for row in table.rows)


def _harmless(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_SIGNS) else cell


def main(given: Sequence[str] | None = None) -> None:
    """Count, draw and write."""
    arguments = parse_arguments(given)
    # Imported here and not above: flags are refused before these packages are imported, which takes a second.
    from aslstm.report import charts as report_charts
    from aslstm.report import page as report_page

    rows = read_predictions(arguments.input, arguments.encoding)
    columns = {name: getattr(arguments, name) for name in ("text_column", "date_column", "prefix")}
    tables = build_tables(rows, **columns, place=str(arguments.input))
    charts = report_charts.build(tables, arguments.language)
    title = arguments.title or arguments.input.name.removesuffix(".gz").rsplit(".", 1)[0]
    specifications = {name: chart.to_dict() for name, chart in charts.items()}
    page = report_page.render(tables, specifications, title=title, language=arguments.language)
    output = arguments.output
    try:
        output.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new.", dir=output) as new:
            # All of it is written before anything of the last report is touched.
            for name, chart in charts.items():
                Path(new, f"{name}.png").write_bytes(report_charts.png(chart))
                write_csv(Path(new, f"{name}.csv"), tables.tables[name])
            Path(new, PAGE).write_text(page, encoding="utf-8")
            # The page comes last, so that it never stands without its files.
            for path in sorted(Path(new).iterdir(), key=lambda path: path.name == PAGE):
                path.replace(output / path.name)
        for name in set(NAMES) - set(charts):  # of the last report
            for suffix in ("png", "csv"):
                (output / f"{name}.{suffix}").unlink(missing_ok=True)
    except OSError as error:
        raise UserError(
            f"--output {output}: expected a place to write, found: {error.strerror}; mend it, then run again"
        ) from error
    print(f"{tables.num_posts} posts, {len(tables.labels)} labels: {output / PAGE}")
