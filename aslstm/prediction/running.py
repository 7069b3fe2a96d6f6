"""Takes :class:`PredictSettings`, writes the rows of a file with the model's answers, and gives how many rows have which label.

The work is done in chunks. A run that is killed can be resumed, and several processes can share one run.
"""

import hashlib
import io
import logging
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from itertools import tee
from typing import Any

from tqdm import tqdm

from aslstm.data.answer_names import AnswerNames
from aslstm.data.cleaning import CleaningCounts
from aslstm.data.found_files import FoundFiles, Named
from aslstm.disk import is_stream, locked
from aslstm.errors import UserError
from aslstm.files import json_text, sha256
from aslstm.model_folder.layout import checksums_of, peek_config

from .backends import choose_backend
from .chunks import CHUNK_CHARACTERS, CHUNK_ROWS, Chunk, read_chunks
from .files import Summary, TableStyle, json_lines, write_csv
from .parts import Parts
from .predict_settings import (
    REASONS,
    SETTINGS_OF_ANSWERS,
    STANDARD_STREAM,
    Places,
    PredictSettings,
    check_places,
    places_of,
    with_formats,
)
from .predictor import BatchPredictor, added_columns, kinds_of_answers
from .processes import Processes, join_processes
from .row_answers import RowAnswerer
from .settings import InferenceSettings

logger = logging.getLogger(__name__)

# In these formats every value is a text.
_TEXT_FORMATS = ("csv", "tsv")


@contextmanager
def _alone(settings: PredictSettings, places: Places) -> Iterator[None]:
    """Keep other runs from writing the output while this context lasts; the first process does so for all."""
    if places.output == STANDARD_STREAM or os.environ.get("RANK", "0") != "0":
        yield
        return
    with locked(places.output):
        check_places(settings, places)  # Another run may have written the output since the first check.
        yield


def predict_file(settings: PredictSettings, tell: Callable[[str], None] = logger.info) -> Summary | None:
    """Read the posts, answer them and write the answers.

    Args:
        settings: What is answered, by which model, and where the answers go.
        tell: A function that is called with each line that says what was found out about an input.

    Returns:
        How many rows have which label, and how many were passed over. This is None in every process but the first, and if
        the reader of standard output has closed it.

    Raises:
        UserError: The settings or the input are bad; what is done of a file can be resumed.
    """
    places = places_of(settings)
    settings = with_formats(settings, places)
    try:
        with _alone(settings, places):
            return _predict(settings, places, tell)
    except KeyboardInterrupt as error:
        if not Parts(places.output, str(settings.output_format)).folder.exists():
            raise
        again = "start anew with `overwrite`" if places.has_stream else "go on with `resume`"
        raise KeyboardInterrupt(again) from error


def _predict(settings: PredictSettings, places: Places, tell: Callable[[str], None]) -> Summary | None:
    added = _added_columns(settings)
    choose_backend(settings.model, settings.inference.backend)  # A missing package is found before a file is read.
    text_columns = None if settings.text_column is None else (settings.text_column,)
    named = Named(text_columns, encoding=settings.encoding, table=settings.table, format=settings.input_format)
    files = FoundFiles(places.inputs, named)
    chunks = read_chunks(files, added=added, stop=settings.on_error == "stop")
    answer = _load_answerer(settings)  # A damaged model is the only line that is said.
    if os.environ.get("RANK", "0") == "0":
        for line in files.lines():
            tell(line)
    try:
        if places.output == STANDARD_STREAM:
            return _predict_to_stdout(settings, chunks, answer)
        return _predict_to_file(settings, places, files, chunks, answer)
    except BrokenPipeError:
        # The reader of our standard output has closed it. Without this, Python would complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return None
    except OSError as error:
        again = "then run again" if places.output == STANDARD_STREAM else "then go on with `resume`"
        raise UserError(
            f"`output` {places.output}: expected a place to write, found: {error.strerror or error}; make room, {again}"
        ) from error


def _progress_bar(processes: Processes) -> tqdm:
    """Return a bar that counts the posts of this process and shows how many are answered in a second."""
    of_all = f" (process 1 of {processes.world_size})" if processes.world_size > 1 else ""
    return tqdm(desc=f"Predicting{of_all}", unit=" posts", disable=processes.rank > 0)


def _state_of(settings: PredictSettings, places: Places, inference: InferenceSettings) -> dict[str, Any]:
    """Return what a run must have in common with one that it continues; ``inference`` says how the model is run."""
    # A stream can be read only once, and a run of it cannot be resumed: nothing is compared.
    inputs = ["a stream" if is_stream(path) else sha256(path) for path in places.inputs]
    state: dict[str, Any] = {"input": inputs if len(inputs) > 1 else inputs[0]}
    state["model"] = hashlib.sha256(json_text(checksums_of(settings.model)).encode()).hexdigest()
    state |= {f"--{name}": getattr(settings, name) for name in SETTINGS_OF_ANSWERS}
    state |= {f"--{name}": value for name, value in asdict(inference).items()}
    return state | {"chunks": [CHUNK_ROWS, CHUNK_CHARACTERS]}


def _predict_to_file(
    settings: PredictSettings, places: Places, files: FoundFiles, chunks: Iterable[Chunk], answer: RowAnswerer
) -> Summary | None:
    """Answer the chunks that have no part yet, then join the parts."""
    predictor = answer.predictor
    parts = Parts(places.output, str(settings.output_format))
    state = _state_of(settings, places, predictor.classifier.settings)
    parts.check(state, resume=settings.resume, overwrite=settings.overwrite)
    types = files.types
    if settings.output_format == "parquet":
        # Imported here and not above: it imports pyarrow, which the other formats do not need.
        from .parquet_files import types_of_answers

        known = types_of_answers(predictor.added, predictor.label_names, settings.prefix)
        types = types | {answer.columns[name.removeprefix(settings.prefix)]: kind for name, kind in known.items()}
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
    of_each = answer.of_each((chunk.texts, chunk.rows) for _, chunk in ahead)
    with _progress_bar(processes) as bar:
        for answered, (index, chunk) in zip(of_each, behind, strict=False):
            parts.write(index, answered, chunk.bad, answer.columns["label"], types)
            bar.update(len(chunk.rows))
    processes.wait()
    if processes.rank != 0:
        return None
    style = TableStyle(
        raw_cells=settings.raw_cells,
        byte_order_mark=places.output.suffix.lower() == ".csv" and not settings.no_bom,
        language=settings.language,
        text_column=files.text_column,
        columns=answer.columns,
        reads_numbers=all(file.format in _TEXT_FORMATS for file in files.files),
    )
    return parts.join(num_parts, answer.labels, style, report=settings.on_error == "report")


def _predict_to_stdout(settings: PredictSettings, chunks: Iterable[Chunk], answer: RowAnswerer) -> Summary:
    """Answer and write one chunk after the other.

    Raises:
        UserError: In CSV, a later chunk has a column that the first does not have.
    """
    labels = Counter(dict.fromkeys(answer.labels, 0))
    num_errors, cleaning = 0, CleaningCounts()
    columns: dict[str, None] = {}
    with _progress_bar(Processes(0, 1, lambda: None)) as bar:
        for chunk in chunks:
            # Whoever reads a stream waits for each chunk, so none is held back for the next one.
            rows, counts = answer(chunk.texts, chunk.rows)
            # Any later row may be cleaned, so that the header has these columns in any case.
            found = dict.fromkeys([*(name for row in rows for name in row), *answer.cleaning_columns])
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
            labels.update(row[answer.columns["label"]] for row in rows)
            cleaning += counts
            num_errors += len(chunk.bad)
            bar.update(len(rows))
    return Summary(labels, num_errors, cleaning)


def _added_columns(settings: PredictSettings) -> list[str]:
    """Return the names of all columns that a row may get, which none of the input may have."""
    asked = {name: getattr(settings, name) for name in REASONS}
    names = added_columns(settings.prefix, kinds_of_answers(peek_config(settings.model)), **asked)
    return AnswerNames(settings.language, [], settings.prefix).columns(names, cleans=not settings.no_clean)


def _load_answerer(settings: PredictSettings) -> RowAnswerer:
    """Load the model as the settings say."""
    names = ("prefix", *REASONS)
    given = {name: getattr(settings, name) for name in names}
    predictor = BatchPredictor(settings.model, **given, **asdict(settings.inference))
    return RowAnswerer(predictor, cleans=not settings.no_clean, language=settings.language)
