"""Takes what a user asks of ``aslstm predict`` and gives it checked: :class:`PredictSettings` and :class:`Places`."""

from dataclasses import MISSING, dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from aslstm.data.cleaning import NO_CLEAN_HELP
from aslstm.data.formats import FORMATS, SUFFIXES
from aslstm.data.known_corpora import LANGUAGES_OF_LABELS
from aslstm.data.text_sources import COLUMN_HELP, ENCODING_HELP, FILES_HELP, TABLE_HELP, paths_of
from aslstm.disk import is_stream
from aslstm.errors import UserError, check_encoding, check_packages
from aslstm.packed_files import SUFFIXES_OF_PACKED
from aslstm.settings import check_settings, setting
from aslstm.spreadsheets import RAW_CELLS_HELP
from aslstm.workbooks import check_can_write

from .files import OUTPUT_FORMATS
from .parts import Parts
from .processes import number_of_processes
from .settings import InferenceSettings

STANDARD_STREAM = Path("-")
# The settings that the answers depend on, beside the input, the model, how it is run and how rows are cut into chunks.
_SETTINGS_OF_READING = ("input_format", "text_column", "encoding", "table", "no_clean")
REASONS = ("attention", "contributions", "emoji_effect")
SETTINGS_OF_ANSWERS = (*_SETTINGS_OF_READING, "output_format", "prefix", *REASONS, "language")


@dataclass(frozen=True)
class PredictSettings:
    """Says what is answered, by which model, and where the answers go.

    Raises:
        UserError: A value is not possible, or two values contradict each other.
    """

    model: Path = setting(MISSING, "model folder")
    input: tuple[str, ...] = setting(MISSING, FILES_HELP)
    output: Path | None = setting(
        None,
        "answers: jsonl, csv, xlsx (Excel) or parquet; - for stdout, as they come; default: NAME.labelled.csv beside the input",
    )
    input_format: str | None = setting(None, "default: found", choices=list(FORMATS))
    output_format: str | None = setting(None, "default: by the name", choices=OUTPUT_FORMATS)
    text_column: str | None = setting(None, COLUMN_HELP)
    encoding: str | None = setting(None, ENCODING_HELP)
    table: str | None = setting(None, TABLE_HELP)
    prefix: str = setting("", "what stands before the names of the added columns, e.g. predicted_")
    attention: bool = setting(False, "add the weight of every word")
    contributions: bool = setting(
        False, "add how much every word and emoji speaks for each label; reads a post once more for each of them"
    )
    emoji_effect: bool = setting(
        False, "add the answers for the words alone and for the emoji alone, which a report compares; three times the work"
    )
    no_clean: bool = setting(False, NO_CLEAN_HELP)
    language: str = setting(
        "en", "language of the names of the added columns and of the labels in them", choices=LANGUAGES_OF_LABELS
    )
    raw_cells: bool = setting(False, f"in CSV, {RAW_CELLS_HELP}")
    no_bom: bool = setting(False, "leave out the byte order mark of a .csv file, without which Excel misreads Chinese")
    on_error: str = setting(
        "stop",
        "a row that cannot be read ends the run (stop), is passed over (skip), or is kept in OUTPUT.errors.jsonl with the "
        "reason (report)",
        choices=("stop", "skip", "report"),
    )
    overwrite: bool = setting(False, "replace the output, or an unfinished run")
    resume: bool = setting(False, "go on with an unfinished run")
    inference: InferenceSettings = field(default_factory=InferenceSettings)

    def __post_init__(self) -> None:
        check_settings(self)
        if self.encoding is not None:
            check_encoding(self.encoding)
        if self.overwrite and self.resume:
            raise UserError("expected `overwrite` or `resume`, found both; leave out one of them")


class Places(NamedTuple):
    """Holds the files that are read, and the file that is written."""

    inputs: list[Path]
    output: Path

    @property
    def has_stream(self) -> bool:
        """Whether one of the inputs can be read only once."""
        return any(path == STANDARD_STREAM or is_stream(path) for path in self.inputs)


def places_of(settings: PredictSettings) -> Places:
    """Return the files of the settings; without an output it is a table that is named after the first input.

    Raises:
        UserError: No file fits an input, or standard input names no output.
    """
    output = settings.output
    if output is None:
        first = Path(settings.input[0])
        if first == STANDARD_STREAM:
            raise UserError("`input` -: expected `output`, found none; name a file, or - for standard output")
        while first.suffix.lower() in (*SUFFIXES, *SUFFIXES_OF_PACKED):
            first = first.with_suffix("")
        name = "".join(one for one in first.name if one not in "*?[]") or "posts"
        folder = first.parent if first.parent.is_dir() else Path()
        output = folder / f"{name}.labelled.{settings.output_format or 'csv'}"
    return Places(paths_of(settings.input, leave_out=Parts(output, "").written()), output)


def with_formats(settings: PredictSettings, places: Places) -> PredictSettings:
    """Return the settings with the format that the name of the output tells, after a check of the places.

    Raises:
        UserError: The name tells no format, or a place cannot be read or written in this way.
    """
    output = places.output
    settings = replace(settings, output=output)
    if settings.output_format is None:
        output_format = output.suffix[1:].lower()
        if output_format not in OUTPUT_FORMATS:
            raise UserError(
                f"`output` {output}: expected a name ending in .jsonl, .csv, .xlsx or .parquet, found {output.name!r}; "
                "rename it or add `output_format`"
            )
        settings = replace(settings, output_format=output_format)
    if settings.output_format == "parquet":
        check_packages("parquet", "pyarrow")
    if settings.output_format == "xlsx":
        check_can_write()
    if settings.resume or number_of_processes() > 1:
        for path in (*places.inputs, output):
            if path == STANDARD_STREAM or is_stream(path):
                raise UserError(
                    f"expected files with `resume` or several processes, found {path}, which is read or written once; name "
                    "files"
                )
    if output == STANDARD_STREAM:
        if settings.output_format in ("parquet", "xlsx") or settings.on_error == "report":
            raise UserError(
                f"`output` -: expected jsonl or csv and no `on_error` report, found {settings.output_format} and "
                f"{settings.on_error}; name a file"
            )
        return settings
    check_places(settings, places)
    return settings


def check_places(settings: PredictSettings, places: Places) -> None:
    """Check the places of the output and of what is written beside it.

    Raises:
        UserError: A file cannot be written, exists, or is the input.
    """
    # A run that is resumed was already allowed to replace its output.
    parts = Parts(places.output, str(settings.output_format))
    parts.check_places(places.inputs, overwrite=settings.overwrite or settings.resume)
