"""Takes rows with answers and their counts and writes them as an Excel workbook; imported only where that is asked for.

The first sheet holds the rows, with a colour behind each label; the second counts the labels, and the third what was cleaned,
where something was. What a text begins with never makes it a formula.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from aslstm.colors import colors_of, pale
from aslstm.data.cleaning import name_of_rule
from aslstm.data.file_formats import Row
from aslstm.data.known_corpora import LANGUAGES_OF_LABELS, label_names
from aslstm.workbooks import Sheet, write_workbook

from .files import Summary, TableStyle, as_text

_TEXTS = {
    "en": {"rows": "posts", "labels": "counts", "cleaning": "cleaning"},
    "zh": {
        "rows": "帖子", "labels": "统计", "cleaning": "清理",
        "label": "标签", "posts": "条数", "share": "占比", "(no words)": "（没有文字）", "rule": "清理规则",
    },
}  # fmt: skip
_WIDTHS = {
    "score": 9,
    "polarity_score": 9,
    "scores": 24,
    "emoji": 16,
    "attention": 24,
    "contributions": 24,
    "answered_text": 60,
}
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,10})?")


def write_xlsx(path: Path, rows: Iterable[Row], columns: Sequence[str], style: TableStyle, summary: Summary) -> int:
    """Write the rows and their counts, and return how many cells were cut.

    Args:
        path: The file to write.
        rows: The rows, which are read once.
        columns: The names of the columns that any row has.
        style: How the table is written.
        summary: The counts of the rows.
    """
    texts = _TEXTS[style.language]
    fills = fills_of(summary.labels)
    shown = style.columns
    posts = Sheet(
        texts["rows"],
        columns,
        ([*_cells(row, columns, style)] for row in rows),
        fills={shown[name]: fills for name in ("label", "polarity") if name in shown},
        formats={shown[name]: "0.000" for name in ("score", "polarity_score") if name in shown},
        widths={style.text_column: 60} | {shown[name]: width for name, width in _WIDTHS.items() if name in shown},
    )
    return write_workbook(path, [posts, *_counts(summary, fills, style.language)])


def fills_of(labels: Iterable[str]) -> dict[str, str]:
    """Return the colour behind each label and polarity: behind the known ones in every language, and behind these labels."""
    known = {name: label for language in LANGUAGES_OF_LABELS for label, name in label_names(language).items()}
    colors = colors_of(list(dict.fromkeys(known.values())))
    others = colors_of([label for label in labels if label and label not in known])
    return {name: pale(color) for name, color in ({name: colors[label] for name, label in known.items()} | others).items()}


def _cells(row: Row, columns: Sequence[str], style: TableStyle) -> Iterator[Any]:
    for name in columns:
        cell = row.get(name)
        if isinstance(cell, str) and style.reads_numbers and name != style.text_column:
            cell = _number_of(cell)
        yield as_text(cell) if isinstance(cell, list | dict) else cell


def _number_of(text: str) -> Any:
    """Return the number that a text is, where Excel would write it in the same way; any other text stays.

    >>> [_number_of(text) for text in ("33", "0.5", "007", "1.50", "4912345678901234567")]
    [33, 0.5, '007', '1.50', '4912345678901234567']
    """
    if not _NUMBER.fullmatch(text):
        return text
    number = float(text) if "." in text else int(text)
    return number if str(number) == text else text


def _counts(summary: Summary, fills: dict[str, str], language: str) -> Iterator[Sheet]:
    texts = _TEXTS[language]

    def named(*names: str) -> list[str]:
        return [texts.get(name, name) for name in names]

    total = summary.labels.total() or 1
    labels = [(label or named("(no words)")[0], count, count / total) for label, count in summary.labels.items()]
    columns = named("label", "posts", "share")
    yield Sheet(
        texts["labels"], columns, labels, fills={columns[0]: fills}, formats={columns[2]: "0.0%"}, widths={columns[0]: 16}
    )
    if summary.cleaning.num_changed:
        columns = named("rule", "posts")
        rules = [(name_of_rule(rule, language), count) for rule, count in summary.cleaning.rules.most_common()]
        yield Sheet(texts["cleaning"], columns, rules, widths={columns[0]: 24})
