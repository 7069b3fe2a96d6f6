"""Takes an upload or pasted lines, labels every post, and writes the labelled rows and the report as files.

This is the work of a process of its own (:mod:`jobs`); the functions take and give what can be sent between processes.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from aslstm.data.answer_names import as_answered
from aslstm.data.cleaning import CleaningCounts
from aslstm.data.file_formats import Row
from aslstm.data.known_corpora import shown_names
from aslstm.errors import UserError
from aslstm.prediction.files import as_text, write_csv
from aslstm.prediction.predictor import BatchPredictor
from aslstm.prediction.row_answers import RowAnswerer
from aslstm.report import page as report_page
from aslstm.report.tables import build_tables
from aslstm.workbooks import Sheet, write_workbook

from .answers import Answers, load
from .faults import told
from .serving import PAGE
from .texts import TEXTS, AppTexts
from .uploads import Posts, read_lines, read_upload

ROWS = ("rows.xlsx", "rows.csv")
_CHUNK = 256
# What the names of answers begin with where the upload has a column of such a name, above all if it was labelled before.
_PREFIX = "aslstm_"
# Columns of answers that only the report needs.
_OF_REPORT = ("scores", "attention", "emoji_effect")
# How much of the work is done when the posts have been read, answered and drawn.
_READ, _ANSWERED, _DRAWN = 0.05, 0.75, 0.9

# Is called with the share of the work that is done, and with a line that says what is being done.
Progress = Callable[[tuple[float, str]], Any]


class Labelled(NamedTuple):
    """Says what was labelled.

    Attributes:
        num_posts: The number of posts that have a label.
        num_blank: The number of rows without a text.
        num_cleaned: The number of posts that were cleaned of what a crawler left.
        labels: The labels of the model.
        counts: The number of posts of each label that occurs, the most frequent first.
    """

    num_posts: int
    num_blank: int
    num_cleaned: int
    labels: list[str]
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
            posts = read_upload(Path(file), text_column=text_column, encoding=encoding, language=language)
        else:
            posts = read_lines(lines, language)
        answers = load(model)
        labelling = _Labelling(answers, posts, language, progress)
        page = report_of(labelling.answered(), posts, labelling.prefix, language)
        progress((_DRAWN, texts.writing))
        Path(output, PAGE).write_text(page, encoding="utf-8")
        for name in ROWS:
            write_labelled(Path(output, name), labelling.rows, labelling.columns(), labelling.counts, texts)
    except UserError as error:
        raise told(error, language) from error
    num_posts, labels = labelling.counts.total(), answers.classifier.label_names
    # The page may be read in another language afterwards.
    label_of = {name: label for label, name in shown_names(labels, language).items()}
    counts = {label_of[name]: count for name, count in labelling.counts.most_common()}
    return Labelled(num_posts, len(posts.rows) - num_posts, labelling.cleaning.num_changed, labels, counts)


class _Labelling:
    """Labels rows while a report reads them, and keeps them without what only the report needs.

    Args:
        answers: The loaded model.
        posts: The rows.
        language: The language of the names of labels and columns.
        progress: As for :func:`label_posts`.

    Attributes:
        prefix: What the names of the added columns begin with.
        rows: The rows that were labelled so far, in their order.
        counts: The number of posts of each label, by its name.
        cleaning: The number of posts that were cleaned.
    """

    def __init__(self, answers: Answers, posts: Posts, language: str, progress: Progress) -> None:
        self._posts, self._texts, self._progress = posts, TEXTS[language], progress
        self.prefix = ""
        taken = {name for row in posts.rows for name in row}
        self._answer = self._answerer(answers, language)
        while taken & {*self._answer.columns.values(), *self._answer.cleaning_columns}:
            self.prefix += _PREFIX
            self._answer = self._answerer(answers, language)
        self.rows: list[Row] = []
        self.counts: Counter[str] = Counter()
        self.cleaning = CleaningCounts()

    def _answerer(self, answers: Answers, language: str) -> RowAnswerer:
        predictor = BatchPredictor(answers.classifier, prefix=self.prefix, attention=answers.has_weights, emoji_effect=True)
        return RowAnswerer(predictor, language=language)

    def answered(self) -> Iterator[Row]:
        """Yield the rows that have a label as a report reads them; all rows are in ``rows`` afterwards."""
        label, column = self._answer.columns["label"], self._posts.text_column
        left_out = {self._answer.columns[name] for name in _OF_REPORT if name in self._answer.columns}
        total = len(self._posts.rows)
        for start in range(0, total, _CHUNK):
            chunk = self._posts.rows[start : start + _CHUNK]
            written = [row for row in chunk if row[column].strip()]
            labelled, cleaning = self._answer([row[column] for row in written], written)
            self.cleaning += cleaning
            of_chunk = iter(labelled)
            for given in chunk:
                row = next(of_chunk) if given[column].strip() else given
                self.rows.append({name: value for name, value in row.items() if name not in left_out})
                if row.get(label):
                    self.counts[row[label]] += 1
                    yield as_answered(row, column, self.prefix)[0]
            done = start + len(chunk)
            share = _READ + (_ANSWERED - _READ) * done / total
            self._progress((share, self._texts.answering.format(done=done, total=total)))
        self._progress((_ANSWERED, self._texts.drawing))

    def columns(self) -> list[str]:
        """Return the names of the columns of all rows: those of the upload first."""
        given = dict.fromkeys(name for row in self._posts.rows for name in row)
        return list(given | dict.fromkeys(name for row in self.rows for name in row))


def report_of(rows: Iterable[Mapping[str, Any]], posts: Posts, prefix: str, language: str) -> str:
    """Return the page of the report on labelled rows: the only place where the app makes one.

    Args:
        rows: The rows with the answers, which are read once.
        posts: What was read, with the names of the columns.
        prefix: What the names of the columns of answers begin with.
        language: The language of the page.

    Raises:
        UserError: The rows cannot be counted.
    """
    texts = TEXTS[language]
    tables = build_tables(
        rows, text_column=posts.text_column, date_column=posts.date_column or None, prefix=prefix, place=texts.many_posts
    )
    return report_page.render(tables, title=texts.report_title, language=language, has_files=False)


def write_labelled(path: Path, rows: Sequence[Row], columns: Sequence[str], counts: Mapping[str, int], texts: AppTexts) -> None:
    """Write labelled rows: the only place where the app does so.

    Args:
        path: The file to write; its ending tells the format, ``.xlsx`` or ``.csv``.
        rows: The rows with the answers.
        columns: The names of their columns.
        counts: The number of posts of each label, for a second sheet.
        texts: The texts of the page.
    """
    if path.suffix == ".xlsx":
        sheets = [
            Sheet(texts.many_posts, columns, ([_cell(row.get(name)) for name in columns] for row in rows)),
            Sheet(texts.counts, (texts.label, texts.posts), list(counts.items())),
        ]
        write_workbook(path, sheets)
        return
    # The byte order mark makes Excel read Chinese.
    with path.open("w", encoding="utf-8-sig", errors="replace", newline="") as file:
        write_csv(file, rows, columns, header=True)


def _cell(value: Any) -> Any:
    return as_text(value) if isinstance(value, list | dict) else value
