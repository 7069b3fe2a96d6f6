"""Takes an upload or pasted lines, labels every post, and writes the labelled rows and the report as files.

This is the work of a process of its own (:mod:`jobs`); the functions take and give what can be sent between processes.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from aslstm.data.file_formats import Row
from aslstm.data.known_corpora import label_names, shown_names
from aslstm.errors import UserError
from aslstm.prediction.files import as_text
from aslstm.prediction.predictor import BatchPredictor
from aslstm.report import charts as report_charts
from aslstm.report import page as report_page
from aslstm.report.tables import build_tables
from aslstm.spreadsheets import write_rows

from .answers import Answers, load
from .faults import told
from .serving import PAGE
from .texts import TEXTS, AppTexts
from .uploads import read_lines, read_upload

ROWS = ("rows.csv",)
_CHUNK = 256
# The prefix keeps columns of an upload from being taken for answers.
_PREFIX = "aslstm_"
# How much of the work is done when the posts have been read, answered and drawn.
_READ, _ANSWERED, _DRAWN = 0.05, 0.75, 0.9

# Is called with the share of the work that is done, and with a line that says what is being done.
Progress = Callable[[tuple[float, str]], Any]


class Labelled(NamedTuple):
    """Says what was labelled.

    Attributes:
        num_posts: The number of posts that have a label.
        num_blank: The number of rows without a text.
        counts: The number of posts of each label that occurs, by its name in the language of the page, the most frequent first.
    """

    num_posts: int
    num_blank: int
    counts: dict[str, int]


def label_posts(
    model: str, lines: str, file: str | None, text_column: str, encoding: str, language: str, output: str, progress: Progress
) -> Labelled:
    """Label the posts of a file, or of pasted lines if no file is given, and write the results into a folder.

    Args:
        model: The model folder.
        lines: The pasted posts, one on each line.
        file: The path of an upload.
        text_column: The name of the column of posts, or "" to find it out.
        encoding: The encoding of the upload, or "" to find it out.
        language: The language of the page, of the report and of the added columns.
        output: The folder to write to.
        progress: A function that is called with the share of the work that is done and a line about it.

    Raises:
        ToldError: The file or the lines cannot be read or are too large, or the model folder is damaged.
    """
    texts = TEXTS[language]
    progress((0.0, texts.reading))
    try:
        if file:
            rows, column = read_upload(Path(file), text_column=text_column, encoding=encoding, language=language)
        else:
            rows = read_lines(lines, language)
            column = next(iter(rows[0]))
        answers = load(model)
        labelled = _Labelling(answers, rows, column, texts, progress)
        page = report_of(labelled.posts(), column, language)
        progress((_DRAWN, texts.writing))
        Path(output, PAGE).write_text(page, encoding="utf-8")
        for name in ROWS:
            write_labelled(Path(output, name), named_columns(labelled.rows, texts, language, answers))
    except UserError as error:
        raise told(error, language) from error
    names = shown_names(answers.classifier.label_names, language)
    counts = Counter(names[row[_PREFIX + "label"]] for row in labelled.rows if row.get(_PREFIX + "label"))
    return Labelled(counts.total(), len(rows) - counts.total(), dict(counts.most_common()))


class _Labelling:
    """Labels rows while a report reads them, and keeps them without what only the report needs.

    Args:
        answers: The loaded model.
        rows: The rows.
        column: The column of posts.
        texts: The texts of the page.
        progress: As for :func:`label_posts`.
    """

    def __init__(self, answers: Answers, rows: Sequence[Row], column: str, texts: AppTexts, progress: Progress) -> None:
        self._predictor = BatchPredictor(answers.classifier, prefix=_PREFIX, attention=answers.has_weights)
        self._given, self._column, self._texts, self._progress = rows, column, texts, progress
        self.rows: list[Row] = []

    def posts(self) -> Iterator[Row]:
        """Yield the rows that have a text, with the answers; all rows are in ``rows`` afterwards."""
        kept = {_PREFIX + name for name in self._texts.columns}
        total = len(self._given)
        for start in range(0, total, _CHUNK):
            chunk = self._given[start : start + _CHUNK]
            posts = [row for row in chunk if row[self._column].strip()]
            answers = self._predictor.answers([row[self._column] for row in posts])
            numbers = iter(range(len(posts)))
            for row in chunk:
                if not row[self._column].strip():
                    self.rows.append(row)
                    continue
                number = next(numbers)
                added = {name: values[number] for name, values in answers.items()}
                self.rows.append(row | {name: value for name, value in added.items() if name in kept})
                yield row | added
            done = start + len(chunk)
            share = _READ + (_ANSWERED - _READ) * done / total
            self._progress((share, self._texts.answering.format(done=done, total=total)))
        self._progress((_ANSWERED, self._texts.drawing))


def report_of(rows: Iterator[Row], text_column: str, language: str) -> str:
    """Return the page of the report on labelled rows: the only place where the app makes one.

    Raises:
        UserError: The rows cannot be counted.
    """
    texts = TEXTS[language]
    tables = build_tables(rows, text_column=text_column, prefix=_PREFIX, place=texts.many_posts)
    charts = {name: chart.to_dict() for name, chart in report_charts.build(tables, language).items()}
    return report_page.render(tables, charts, title=texts.report_title, language=language, has_files=False)


def named_columns(rows: Sequence[Row], texts: AppTexts, language: str, answers: Answers) -> list[list[Any]]:
    """Return the cells of a table, its header first; what the app added is named in the language of the page.

    Args:
        rows: The rows with the answers.
        texts: The texts of the page.
        language: The language of the page.
        answers: The loaded model.
    """
    given = list(dict.fromkeys(name for row in rows for name in row if not name.startswith(_PREFIX)))
    added = [name for name in texts.columns if any(row.get(_PREFIX + name) is not None for row in rows)]
    names = shown_names(answers.classifier.label_names, language) | label_names(language)
    header = list(given)
    for name in added:
        title = texts.columns[name]
        while title in header:  # The upload may have such a column, above all if it was labelled before.
            title += " (AS-LSTM)"
        header.append(title)

    def shown(name: str, value: Any) -> Any:
        if name == "emoji":
            return " ".join(value or [])
        return names.get(value, value) if name in ("label", "polarity") else value

    return [header, *([*map(row.get, given), *(shown(name, row.get(_PREFIX + name)) for name in added)] for row in rows)]


def write_labelled(path: Path, table: Sequence[Sequence[Any]]) -> None:
    """Write a table, its header first: the only place where the app writes labelled rows.

    Args:
        path: The file to write; its ending tells the format.
        table: The cells of the header and of each row.
    """
    # The byte order mark makes Excel read Chinese.
    with path.open("w", encoding="utf-8-sig", errors="replace", newline="") as file:
        cells = ([cell if isinstance(cell, int | float) else as_text(cell) for cell in row] for row in table)
        write_rows(file, cells, keep_numbers=True)
