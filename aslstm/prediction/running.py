"""Takes :class:`PredictSettings`, writes the rows of a file with the model's answers, and gives how many rows have which label.

The work is done in chunks. A run that is killed can be resumed, and several processes can share one run.
"""

import hashlib
import io
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import MISSING, asdict, dataclass, field, replace
from datetime import timedelta
from itertools import tee
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm

from aslstm.data.file_formats import READERS, Row, suffix_of
from aslstm.disk import is_stream, locked
from aslstm.errors import UserError, check_encoding, check_packages
from aslstm.files import json_text, sha256
from aslstm.model_folder.layout import checksums_of, gives_polarity
from aslstm.settings import check_settings, setting
from aslstm.spreadsheets import RAW_CELLS_HELP

from .chunks import CHUNK_CHARACTERS, CHUNK_ROWS, Chunk, read_chunks
from .files import OUTPUT_FORMATS, Types, json_lines, write_csv
from .parts import Parts, Summary
from .predictor import BatchPredictor, added_columns
from .settings import InferenceSettings

STANDARD_STREAM = Path("-")
# The settings that the answers depend on, beside the input, the model, how it is run and how rows are cut into chunks.
SETTINGS_OF_ANSWERS = ("input_format", "output_format", "text_column", "encoding", "prefix", "attention", "contributions")


@dataclass(frozen=True)
class PredictSettings:
    """Says what is answered, by which model, and where the answers go.

    Raises:
        UserError: A value is not possible, or two values contradict each other.
    """

    model: Path = setting(MISSING, "model folder")
    input: Path = setting(MISSING, "posts: txt (a post on each line), jsonl, csv, tsv, parquet, xml, also .gz; - for stdin")
    output: Path = setting(MISSING, "answers: jsonl, csv or parquet; - for stdout, as they come")
    input_format: str | None = setting(None, "default: by the name", choices=[suffix[1:] for suffix in READERS])
    output_format: str | None = setting(None, "default: by the name", choices=OUTPUT_FORMATS)
    text_column: str = setting("text", "name of the column of the posts")
    encoding: str = setting("utf-8", "encoding of text files, e.g. GB18030")
    prefix: str = setting("", "what stands before the names of the added columns, e.g. predicted_")
    attention: bool = setting(False, "add the weight of every word")
    contributions: bool = setting(
        False, "add how much every word and emoji speaks for each label; reads a post once more for each of them"
    )
    raw_cells: bool = setting(False, f"in CSV, {RAW_CELLS_HELP}")
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
        check_encoding(self.encoding)
        if self.overwrite and self.resume:
            raise UserError("expected `overwrite` or `resume`, found both; leave out one of them")


def with_formats(settings: PredictSettings) -> PredictSettings:
    """Return the settings with the formats that the names of the files tell, after a check of the places.

    Raises:
        UserError: A name tells no format, or a place cannot be read or written in this way.
    """
    if settings.input_format is None:
        if settings.input == STANDARD_STREAM:
            raise UserError("`input` -: expected `input_format`, found none; name one, e.g. jsonl")
        settings = replace(settings, input_format=suffix_of(settings.input)[1:])
    output = settings.output
    if settings.output_format is None:
        output_format = output.suffix[1:].lower()
        if output_format not in OUTPUT_FORMATS:
            raise UserError(
                f"`output` {output}: expected a name ending in .jsonl, .csv or .parquet, found {output.name!r}; rename it or "
                "add `output_format`"
            )
        settings = replace(settings, output_format=output_format)
    if settings.output_format == "parquet":
        check_packages("parquet", "pyarrow")
    if settings.resume or number_of_processes() > 1:
        for path in (settings.input, output):
            if path == STANDARD_STREAM or is_stream(path):
                raise UserError(
                    f"expected files with `resume` or several processes, found {path}, which is read or written once; name "
                    "files"
                )
    if output == STANDARD_STREAM:
        if settings.output_format == "parquet" or settings.on_error == "report":
            raise UserError(
                f"`output` -: expected jsonl or csv and no `on_error` report, found {settings.output_format} and "
                f"{settings.on_error}; name a file"
            )
        return settings
    check_places(settings)
    return settings


def check_places(settings: PredictSettings) -> None:
    """Check the places of the output and of what is written beside it.

    Raises:
        UserError: A file cannot be written, exists, or is the input.
    """
    # A run that is resumed was already allowed to replace its output.
    parts = Parts(settings.output, str(settings.output_format))
    parts.check_places(settings.input, overwrite=settings.overwrite or settings.resume)


@contextmanager
def _alone(settings: PredictSettings) -> Iterator[None]:
    """Keep other runs from writing the output while this context lasts; the first process does so for all."""
    if settings.output == STANDARD_STREAM or os.environ.get("RANK", "0") != "0":
        yield
        return
    with locked(settings.output):
        check_places(settings)  # Another run may have written the output since the first check.
        yield


def predict_file(settings: PredictSettings) -> Summary | None:
    """Read the posts, answer them and write the answers.

    Returns:
        How many rows have which label, and how many were passed over. This is None in every process but the first, and if
        the reader of standard output has closed it.

    Raises:
        UserError: The settings or the input are bad; what is done of a file can be resumed.
    """
    settings = with_formats(settings)
    try:
        with _alone(settings):
            return _predict(settings)
    except KeyboardInterrupt as error:
        if not Parts(settings.output, str(settings.output_format)).folder.exists():
            raise
        again = "start anew with `overwrite`" if is_stream(settings.input) else "go on with `resume`"
        raise KeyboardInterrupt(again) from error


def _predict(settings: PredictSettings) -> Summary | None:
    chunks, types = read_chunks(
        settings.input,
        suffix=f".{settings.input_format}",
        text_column=settings.text_column,
        encoding=settings.encoding,
        added=added_columns(
            settings.prefix,
            polarity=gives_polarity(settings.model),
            attention=settings.attention,
            contributions=settings.contributions,
        ),
        stop=settings.on_error == "stop",
    )
    try:
        if settings.output == STANDARD_STREAM:
            return _predict_to_stdout(settings, chunks)
        return _predict_to_file(settings, chunks, types)
    except BrokenPipeError:
        # The reader of our standard output has closed it. Without this, Python would complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return None
    except OSError as error:
        again = "then run again" if settings.output == STANDARD_STREAM else "then go on with `resume`"
        raise UserError(
            f"`output` {settings.output}: expected a place to write, found: {error.strerror or error}; make room, {again}"
        ) from error


class Processes(NamedTuple):
    """Says which of how many processes this is; ``wait`` returns when all processes have called it."""

    rank: int
    world_size: int
    wait: Callable[[], None]


def number_of_processes() -> int:
    """Return how many processes the launcher started."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def join_processes() -> Processes:
    """Meet the other processes, if there are any, and return what is known of them."""
    if number_of_processes() == 1:
        return Processes(0, 1, lambda: None)
    check_packages("train", "accelerate", "torch")
    # Imported here and not above: it imports torch.
    from accelerate import PartialState

    # The last wait is as long as the slowest process works.
    state = PartialState(cpu=True, timeout=timedelta(days=30))
    return Processes(state.process_index, state.num_processes, state.wait_for_everyone)


def _progress_bar(processes: Processes) -> tqdm:
    """Return a bar that counts the posts of this process and shows how many are answered in a second."""
    of_all = f" (process 1 of {processes.world_size})" if processes.world_size > 1 else ""
    return tqdm(desc=f"Predicting{of_all}", unit=" posts", disable=processes.rank > 0)


def _texts_of(predictor: BatchPredictor, rows: Sequence[Row]) -> list[str]:
    return [row[predictor.text_column] for row in rows]


def _with_columns(rows: Sequence[Row], columns: dict[str, list[Any]]) -> list[Row]:
    """Return the rows with the added columns."""
    return [row | dict(zip(columns, values, strict=True)) for row, *values in zip(rows, *columns.values(), strict=True)]


def _state_of(settings: PredictSettings, inference: InferenceSettings) -> dict[str, Any]:
    """Return what a run must have in common with one that it continues; ``inference`` says how the model is run."""
    # A stream can be read only once, and a run of it cannot be resumed: nothing is compared.
    state: dict[str, Any] = {"input": "a stream" if is_stream(settings.input) else sha256(settings.input)}
    state["model"] = hashlib.sha256(json_text(checksums_of(settings.model)).encode()).hexdigest()
    state |= {f"--{name}": getattr(settings, name) for name in SETTINGS_OF_ANSWERS}
    state |= {f"--{name}": value for name, value in asdict(inference).items()}
    return state | {"chunks": [CHUNK_ROWS, CHUNK_CHARACTERS]}


def _predict_to_file(settings: PredictSettings, chunks: Iterable[Chunk], types: Types) -> Summary | None:
    """Answer the chunks that have no part yet, then join the parts."""
    predictor = _load_predictor(settings)
    parts = Parts(settings.output, str(settings.output_format))
    state = _state_of(settings, predictor.classifier.settings)
    parts.check(state, resume=settings.resume, overwrite=settings.overwrite)
    if settings.output_format == "parquet":
        # Imported here and not above: it imports pyarrow, which the other formats do not need.
        from .parquet_files import types_of_answers

        types = types | types_of_answers(predictor.added, predictor.label_names, settings.prefix)
    processes = join_processes()
    processes.wait()  # Nothing is changed before all processes have checked.
    if processes.rank == 0:
        parts.start(state, resume=settings.resume)
    processes.wait()
    num_parts = 0

    def own_chunks() -> Iterator[tuple[int, Chunk]]:
        nonlocal num_parts
        for index, chunk in enumerate(chunks):
            num_parts += 1
            if index % processes.world_size == processes.rank and not parts.has(index):
                yield index, chunk

    # The model is a chunk or two ahead of the writer.
    ahead, behind = tee(own_chunks())
    of_each = predictor.answers_of_each(_texts_of(predictor, chunk.rows) for _, chunk in ahead)
    with _progress_bar(processes) as bar:
        for columns, (index, chunk) in zip(of_each, behind, strict=False):
            parts.write(index, _with_columns(chunk.rows, columns), chunk.bad, predictor.added[0], types)
            bar.update(len(chunk.rows))
    processes.wait()
    if processes.rank != 0:
        return None
    return parts.join(num_parts, predictor.label_names, report=settings.on_error == "report", raw_cells=settings.raw_cells)


def _predict_to_stdout(settings: PredictSettings, chunks: Iterable[Chunk]) -> Summary:
    """Answer and write one chunk after the other.

    Raises:
        UserError: In CSV, a later chunk has a column that the first does not have.
    """
    predictor = _load_predictor(settings)
    labels = Counter(dict.fromkeys(predictor.label_names, 0))
    num_errors = 0
    columns: dict[str, None] = {}
    with _progress_bar(Processes(0, 1, lambda: None)) as bar:
        for chunk in chunks:
            # Whoever reads a stream waits for each chunk, so none is held back for the next one.
            rows = _with_columns(chunk.rows, predictor.answers(_texts_of(predictor, chunk.rows)))
            found = dict.fromkeys(name for row in rows for name in row)
            if settings.output_format == "jsonl":
                content = json_lines(rows)
            else:
                if columns and not found.keys() <= columns.keys():
                    new = ", ".join(found.keys() - columns.keys())
                    raise UserError(f"`output` -: expected the columns of the first rows, found also {new}; name a file")
                text = io.StringIO(newline="")
                write_csv(text, rows, list(columns or found), header=not columns, raw_cells=settings.raw_cells)
                content = text.getvalue().encode("utf-8", "replace")
            columns = columns or found
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()
            labels.update(row[predictor.added[0]] for row in rows)
            num_errors += len(chunk.bad)
            bar.update(len(rows))
    return Summary(labels, num_errors)


def _load_predictor(settings: PredictSettings) -> BatchPredictor:
    """Load the model as the settings say."""
    names = ("text_column", "prefix", "attention", "contributions")
    given = {name: getattr(settings, name) for name in names}
    return BatchPredictor(settings.model, **given, **asdict(settings.inference))
