"""Takes the tables of a report and gives one Excel workbook with a sheet for each, and one for the posts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aslstm import workbooks
from aslstm.colors import pale
from aslstm.printing import printable
from aslstm.workbooks import Sheet

from .charts import named_colors
from .naming import named_in, names_of_labels
from .tables import ReportTables, Table
from .texts import LANGUAGES

_WIDTHS = {"text": 80, "example": 60, "words": 40}
_FORMATS = {"share": "0.0%", "low": "0.0%", "high": "0.0%", "z": "0.0", "expected": "0.0", "score": "0.00"}
_FORMATS |= {"mean_score": "0.00", "words_score": "0.00", "emoji_score": "0.00"}
_LABELS = ("label", "polarity", "words_label", "emoji_label")


def write_workbook(path: Path, tables: ReportTables, language: str) -> None:
    """Write every table of a report, with its headings and labels in a language, and the posts that the page lists."""
    texts = LANGUAGES[language]
    shown = named_in(language, tables).tables | {"posts": _posts(tables, language)}
    fills = {name: pale(color) for name, color in named_colors(tables, language).items()}

    def sheet(name: str, table: Table) -> Sheet:
        headings = {column: texts.columns[column] for column in table.columns}
        return Sheet(
            texts.sections[name].heading,
            list(headings.values()),
            (_cells(row) for row in table.rows),
            fills={heading: fills for column, heading in headings.items() if column in _LABELS},
            formats={heading: _FORMATS[column] for column, heading in headings.items() if column in _FORMATS},
            widths={heading: _WIDTHS.get(column, 16) for column, heading in headings.items()},
        )

    workbooks.write_workbook(path, [sheet(name, table) for name, table in shown.items()])


def _cells(row: Sequence[Any]) -> list[Any]:
    return [printable(cell) if isinstance(cell, str) else cell for cell in row]


def _posts(tables: ReportTables, language: str) -> Table:
    names = names_of_labels(tables, language)
    columns = ("date",) * (tables.first_day is not None) + ("label", "score") + ("group",) * bool(tables.groups) + ("text",)
    values = (
        {"date": str(post.day or ""), "label": names[post.label], "score": post.score, "group": post.group, "text": post.text}
        for post in tables.posts
    )
    return Table(columns, [tuple(of_post[column] for column in columns) for of_post in values])
