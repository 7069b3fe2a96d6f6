"""Takes the tables of a report and gives one Excel workbook with a sheet for each, and one for the posts.

Texts stay texts, whatever sign they begin with: no cell is a formula.
"""

from pathlib import Path
from typing import Any

import xlsxwriter

from aslstm.printing import printable

from .charts import named_colors
from .naming import named_in, names_of_labels
from .tables import ReportTables, Table
from .texts import LANGUAGES

_MAX_SHEET_NAME = 31
_MAX_CELL = 32_767
_WIDTHS = {"text": 80, "example": 60, "words": 40}
_FORMATS = {"share": "0.0%", "low": "0.0%", "high": "0.0%", "z": "0.0", "expected": "0.0", "score": "0.00"}
_FORMATS |= {"mean_score": "0.00", "words_score": "0.00", "emoji_score": "0.00"}


def write_workbook(path: Path, tables: ReportTables, language: str) -> None:
    """Write every table of a report, with its headings and labels in a language, and the posts that the page lists."""
    texts = LANGUAGES[language]
    shown = named_in(language, tables).tables | {"posts": _posts(tables, language)}
    colors = named_colors(tables, language)
    # Links and formulas would be made of posts; temporary files would be left behind if the process is killed.
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
    with xlsxwriter.Workbook(path, options) as book:
        bold = book.add_format({"bold": True, "bottom": 1})
        labels = {name: book.add_format({"font_color": color, "bold": True}) for name, color in colors.items()}
        formats = {form: book.add_format({"num_format": form}) for form in set(_FORMATS.values())}
        for name, table in shown.items():
            sheet = book.add_worksheet(texts.sections[name].heading[:_MAX_SHEET_NAME])
            sheet.freeze_panes(1, 0)
            sheet.autofilter(0, 0, len(table.rows), len(table.columns) - 1)
            for column, heading in enumerate(table.columns):
                sheet.set_column(column, column, _WIDTHS.get(heading, 16))
                sheet.write_string(0, column, texts.columns[heading], bold)
            for number, row in enumerate(table.rows, start=1):
                for column, value in enumerate(row):
                    kind = table.columns[column]
                    form = labels.get(value) if isinstance(value, str) else formats.get(_FORMATS.get(kind, ""))
                    _write(sheet, number, column, value, form)


def _write(sheet: Any, row: int, column: int, value: Any, form: Any) -> None:
    if isinstance(value, str):
        sheet.write_string(row, column, printable(value)[:_MAX_CELL], form)
    elif isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    else:
        sheet.write_number(row, column, value, form)


def _posts(tables: ReportTables, language: str) -> Table:
    names = names_of_labels(tables, language)
    columns = ("date",) * (tables.first_day is not None) + ("label", "score") + ("group",) * bool(tables.groups) + ("text",)
    values = (
        {"date": str(post.day or ""), "label": names[post.label], "score": post.score, "group": post.group, "text": post.text}
        for post in tables.posts
    )
    return Table(columns, [tuple(of_post[column] for column in columns) for of_post in values])
