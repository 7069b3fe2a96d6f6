"""Posts of a file in, the same rows with the model's answers out, and a count of each label.

Run as ``aslstm predict --model DIR --input posts.jsonl --output answers.jsonl``; see ``--help``. Memory does
not grow with the input. A killed run goes on with ``--resume`` and gives the same file. Under ``torchrun`` or ``accelerate
launch`` the processes share the rows.
"""

import argparse
import hashlib
import io
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm

from aslstm.data.file_formats import READERS, Row, suffix_of
from aslstm.errors import UserError, check_encoding, check_packages
from aslstm.files import CHECKSUMS, check_output_file
from aslstm.prediction.chunks import CHUNK_CHARACTERS, CHUNK_ROWS, Chunk, read_chunks
from aslstm.prediction.files import OUTPUT_FORMATS, Types, json_lines, write_csv
from aslstm.prediction.parts import Parts
from aslstm.prediction.predictor import BatchPredictor, added_columns
from aslstm.prediction.settings import InferenceSettings

from .flags import CommandParser, add_settings, make_settings

STANDARD_STREAM = Path("-")
# What the answers depend on, besides the input, the model, how it is run and how rows are cut into chunks.
FLAGS_OF_ANSWERS = ("input_format", "output_format", "text_column", "encoding", "prefix", "attention")


class Processes(NamedTuple):
    """Which of how many processes this is, and how to wait until all have come to the same place."""

    rank: int
    world_size: int
    wait: Callable[[], None]


def parse_arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line, or what is given."""
    parser = CommandParser("predict", "Label the posts of a file.")
    parser.add_argument("--model", type=Path, required=True, help="a model folder")
    parser.add_argument(
        "--input",
        type=Path,
        required=True,
        help="txt (a post a line), jsonl, csv, tsv, parquet, xml, also .gz; - for stdin",
    )
    parser.add_argument("--output", type=Path, required=True, help="jsonl, csv or parquet; - for stdout, as they come")
    parser.add_argument("--input_format", choices=[suffix[1:] for suffix in READERS], help="default: by the name")
    parser.add_argument("--output_format", choices=OUTPUT_FORMATS, help="default: by the name")
    parser.add_argument("--text_column", default="text", help="its name in the input")
    parser.add_argument("--encoding", default="utf-8", help="of text files, e.g. GB18030")
    parser.add_argument("--prefix", default="", help="stands before the names of the added columns, e.g. predicted_")
    parser.add_argument("--attention", action="store_true", help="add the weight of every word")
    parser.add_argument(
        "--on_error", choices=("stop", "skip", "report"), default="stop",
        help="a row that cannot be read ends the run, is passed over, or is kept in OUTPUT.errors.jsonl with the reason",
    )  # fmt: skip
    again = parser.add_mutually_exclusive_group()
    again.add_argument("--overwrite", action="store_true", help="replace the output, or an unfinished run")
    again.add_argument("--resume", action="store_true", help="go on with an unfinished run")
    add_settings(parser, InferenceSettings)
    arguments = parser.parse_args(given)
    arguments.inference = make_settings(InferenceSettings, arguments)
    return arguments


def check_arguments(arguments: argparse.Namespace) -> None:
    """Complete the formats from the names, and refuse what cannot be.

    Raises:
        UserError: such flags.
    """
    check_encoding(arguments.encoding)
    if arguments.input_format is None:
        if arguments.input == STANDARD_STREAM:
            raise UserError("--input -: expected --input_format, found none; name one, e.g. jsonl")
        arguments.input_format = suffix_of(arguments.input)[1:]
    if arguments.output_format is None:
        arguments.output_format = arguments.output.suffix[1:]
        if arguments.output_format not in OUTPUT_FORMATS:
            raise UserError(
                f"--output {arguments.output}: expected a name ending in .jsonl, .csv or .parquet, found "
                f"{arguments.output.name!r}; rename it or add --output_format"
            )
    if arguments.output_format == "parquet":
        check_packages("parquet", "pyarrow")
    if STANDARD_STREAM in (arguments.input, arguments.output) and (arguments.resume or number_of_processes() > 1):
        raise UserError("expected files with --resume or several processes, found -, which is read or written once; name files")
    if arguments.output == STANDARD_STREAM:
        if arguments.output_format == "parquet" or arguments.on_error == "report":
            raise UserError(
                "--output -: expected jsonl or csv and no --on_error report, found "
                f"{arguments.output_format} and {arguments.on_error}; name a file"
            )
        return
    # A run that is resumed was already allowed to replace its output.
    check_output_file(arguments.output, overwrite=arguments.overwrite or arguments.resume)
    if arguments.output.exists() and arguments.input.exists() and arguments.output.samefile(arguments.input):
        raise UserError(f"--output {arguments.output}: expected another file than --input, found the same; choose another")


def state_of(arguments: argparse.Namespace, inference: InferenceSettings) -> dict[str, Any]:
    """What a run must have in common with one that it continues; ``inference`` is how the model is run."""
    state: dict[str, Any] = {}
    for name, path in (("input", arguments.input), ("model", arguments.model / CHECKSUMS)):
        with path.open("rb") as file:
            state[name] = hashlib.file_digest(file, "sha256").hexdigest()
    state |= {f"--{name}": getattr(arguments, name) for name in FLAGS_OF_ANSWERS}
    state |= {f"--{name}": value for name, value in asdict(inference).items()}
    return state | {"chunks": [CHUNK_ROWS, CHUNK_CHARACTERS]}


def number_of_processes() -> int:
    """How many the launcher started."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def join_processes() -> Processes:
    """Meet the other processes, if there are any."""
    if number_of_processes() == 1:
        return Processes(0, 1, lambda: None)
    check_packages("train", "accelerate", "torch")
    # Imported here and not above: it imports torch.
    from accelerate import PartialState

    # The last wait is as long as the slowest process works.
    state = PartialState(cpu=True, timeout=timedelta(days=30))
    return Processes(state.process_index, state.num_processes, state.wait_for_everyone)


def progress_bar(processes: Processes) -> tqdm:
    """Posts of this process, and how many a second."""
    of_all = f" (process 1 of {processes.world_size})" if processes.world_size > 1 else ""
    return tqdm(desc=f"Predicting{of_all}", unit=" posts", disable=processes.rank > 0)


def answer(predictor: BatchPredictor, rows: list[Row]) -> list[Row]:
    """The rows with the added columns."""
    columns = predictor.answers([row[predictor.text_column] for row in rows])
    return [row | dict(zip(columns, values, strict=True)) for row, *values in zip(rows, *columns.values(), strict=True)]


def predict_to_file(arguments: argparse.Namespace, chunks: Iterable[Chunk], types: Types) -> None:
    """Answer what has no part yet, then join the parts."""
    predictor = load_predictor(arguments)
    parts = Parts(arguments.output, arguments.output_format)
    state = state_of(arguments, predictor.classifier.settings)
    parts.check(state, resume=arguments.resume, overwrite=arguments.overwrite)
    if arguments.output_format == "parquet":
        # Imported here and not above: it imports pyarrow, which the other formats do not need.
        from aslstm.prediction.parquet_files import types_of_answers

        types = types | types_of_answers(predictor.added, predictor.label_names)
    processes = join_processes()
    processes.wait()  # until all have checked
    if processes.rank == 0:
        parts.start(state, resume=arguments.resume)
    processes.wait()
    num_parts = 0
    with progress_bar(processes) as bar:
        for index, chunk in enumerate(chunks):
            num_parts += 1
            if index % processes.world_size == processes.rank and not parts.has(index):
                parts.write(index, answer(predictor, chunk.rows), chunk.bad, predictor.added[0], types)
                bar.update(len(chunk.rows))
    processes.wait()
    if processes.rank == 0:
        summary = parts.join(num_parts, predictor.label_names, report=arguments.on_error == "report")
        print_summary(summary.labels, summary.num_errors)


def predict_to_stdout(arguments: argparse.Namespace, chunks: Iterable[Chunk]) -> None:
    """Answer and write, chunk by chunk.

    Raises:
        UserError: in CSV, a column that the first chunk has not.
    """
    predictor = load_predictor(arguments)
    labels = Counter(dict.fromkeys(predictor.label_names, 0))
    num_errors = 0
    columns: dict[str, None] = {}
    with progress_bar(Processes(0, 1, lambda: None)) as bar:
        for chunk in chunks:
            rows = answer(predictor, chunk.rows)
            found = dict.fromkeys(name for row in rows for name in row)
            if arguments.output_format == "jsonl":
                content = json_lines(rows)
            else:
                if columns and not found.keys() <= columns.keys():
                    new = ", ".join(found.keys() - columns.keys())
                    raise UserError(f"--output -: expected the columns of the first rows, found also {new}; name a file")
                text = io.StringIO(newline="")
                write_csv(text, rows, list(columns or found), header=not columns)
                content = text.getvalue().encode("utf-8", "replace")
            columns = columns or found
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()
            labels.update(row[predictor.added[0]] for row in rows)
            num_errors += len(chunk.bad)
            bar.update(len(rows))
    print_summary(labels, num_errors)


def load_predictor(arguments: argparse.Namespace) -> BatchPredictor:
    """The model as the flags say."""
    names = ("text_column", "prefix", "attention")
    given = {name: getattr(arguments, name) for name in names}
    return BatchPredictor(arguments.model, **given, **asdict(arguments.inference))


def print_summary(labels: Mapping[str, int], num_errors: int) -> None:
    """How many rows have which label, on standard error: standard output may hold rows."""
    counts = ", ".join(f"{label} {count}" for label, count in labels.items())
    skipped = f"; {num_errors} rows passed over" if num_errors else ""
    print(f"{sum(labels.values())} posts: {counts}{skipped}", file=sys.stderr)


def main(given: Sequence[str] | None = None) -> None:
    """Read, answer and write, as the command line says or what is given."""
    arguments = parse_arguments(given)
    check_arguments(arguments)
    chunks, types = read_chunks(
        arguments.input,
        suffix=f".{arguments.input_format}",
        text_column=arguments.text_column,
        encoding=arguments.encoding,
        added=added_columns(arguments.prefix, attention=arguments.attention),
        stop=arguments.on_error == "stop",
    )
    try:
        if arguments.output == STANDARD_STREAM:
            predict_to_stdout(arguments, chunks)
        else:
            predict_to_file(arguments, chunks, types)
    except BrokenPipeError:
        # Whoever read our standard output has enough; Python would complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        again = "run again" if arguments.output == STANDARD_STREAM else "--resume"
        raise UserError(
            f"--output {arguments.output}: expected a place to write, found: {error.strerror or error}; mend it, then {again}"
        ) from error
