"""Measures the memory of ``aslstm predict`` on a million posts and compares a killed and resumed run with an unbroken one.

python -m benchmarks.predicting --model outputs/nlpcc2014 --data_dir DIR

The posts are those of the NLPCC 2014 test, repeated. For each format it prints the peak memory of the process with 10,000 posts
and with all of them, the posts per second, and whether the resumed run gives the same bytes (for Parquet: the same rows).
"""

import filecmp
import itertools
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import pyarrow
import pyarrow.parquet

from aslstm.commands.flags import CommandParser, add_settings, make_settings, run
from aslstm.data.corpora import CorpusSource, load_split
from aslstm.errors import UserError
from aslstm.prediction.chunks import CHUNK_ROWS
from aslstm.prediction.files import OUTPUT_FORMATS
from aslstm.prediction.settings import InferenceSettings
from benchmarks.measuring import Cost, megabytes_of

PREDICT = ("-m", "aslstm", "predict")
FEW_ROWS = 10_000
ALLOWED_GROWTH_MB = 300


def write_posts(path: Path, texts: list[str], num_rows: int) -> None:
    """Write numbered posts as JSON Lines."""
    with path.open("w", encoding="utf-8") as file:
        for number, text in enumerate(itertools.islice(itertools.cycle(texts), num_rows)):
            file.write(json.dumps({"id": number, "text": text}, ensure_ascii=False) + "\n")


def run_predict(command: list[str], output: Path, *, kill_after: int | None = None) -> Cost:
    """Run the command to its end, or kill it by SIGKILL after it has written ``kill_after`` parts.

    Raises:
        RuntimeError: The command ended in another way than expected.
    """
    started = time.perf_counter()
    log = output.with_name("log.txt")
    with log.open("wb") as file:
        process = subprocess.Popen([*command, "--output", str(output)], stderr=file)
    parts = output.with_name(f"{output.name}.parts")
    while kill_after and process.poll() is None and len(list(parts.glob("[0-9]*.json"))) < kill_after:
        time.sleep(0.05)
    if kill_after:
        process.kill()
    # This gives the usage of this child only; waiting by subprocess would not.
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != (-signal.SIGKILL if kill_after else 0) or output.exists() == bool(kill_after):
        raise RuntimeError(f"predict.py ended with {process.returncode}: {log.read_text(encoding='utf-8').splitlines()[-1:]}")
    return Cost(time.perf_counter() - started, megabytes_of(usage))


def row_batches(path: Path) -> Iterable[pyarrow.RecordBatch]:
    """Read the rows of a Parquet file in batches that do not depend on how it was written."""
    with pyarrow.parquet.ParquetFile(path) as file:
        yield from file.iter_batches(CHUNK_ROWS)


def is_same(one: Path, other: Path) -> bool:
    """Return whether two outputs and their counts are the same."""
    counts = [path.with_name(f"{path.name}.counts.json").read_bytes() for path in (one, other)]
    if one.suffix != ".parquet":
        return counts[0] == counts[1] and filecmp.cmp(one, other, shallow=False)
    pairs = itertools.zip_longest(row_batches(one), row_batches(other))
    return counts[0] == counts[1] and all(a is not None and b is not None and a.equals(b) for a, b in pairs)


def count_rows(path: Path) -> int:
    """Return the number of rows in the counts beside an output."""
    return sum(json.loads(path.with_name(f"{path.name}.counts.json").read_bytes()).values())


def main() -> None:
    """Measure every format and print the table."""
    parser = CommandParser("predicting", "Memory and resuming of predict.py.")
    parser.add_argument("--model", type=Path, required=True, help="a model folder")
    parser.add_argument("--data_dir", type=Path, required=True, help="folder of NLPCC 2014")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--formats", nargs="+", choices=OUTPUT_FORMATS, default=list(OUTPUT_FORMATS))
    add_settings(parser, InferenceSettings)
    arguments = parser.parse_args()
    inference = make_settings(InferenceSettings, arguments)
    num_parts = math.ceil(arguments.rows / CHUNK_ROWS)
    if num_parts < 2:
        raise UserError(f"--rows: expected more than {CHUNK_ROWS}, the rows of a part, found {arguments.rows}")
    texts = load_split(CorpusSource(dataset="nlpcc2014", data_dir=arguments.data_dir), "test")["text"][:]
    print(
        f"{'format':<9}{'rows':>10}{'peak MB, 10,000':>17}{'peak MB, all':>14}{'within 300':>12}{'posts/s':>9}"
        f"{'killed at':>11}{'resumed, s':>12}{'same file':>11}"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_posts(folder / "10000_posts.jsonl", texts, FEW_ROWS)
        write_posts(folder / "posts.jsonl", texts, arguments.rows)
        command = [sys.executable, *PREDICT, "--model", str(arguments.model)]
        command += [text for name, value in asdict(inference).items() if value for text in (f"--{name}", str(value))]
        for suffix in arguments.formats:
            few = run_predict([*command, "--input", str(folder / "10000_posts.jsonl")], folder / f"few.{suffix}")
            whole, broken = (folder / f"{name}.{suffix}" for name in ("whole", "broken"))
            of_all = [*command, "--input", str(folder / "posts.jsonl")]
            unbroken = run_predict(of_all, whole)
            run_predict(of_all, broken, kill_after=num_parts // 2)
            resumed = run_predict([*of_all, "--resume"], broken)
            growth = unbroken.megabytes - few.megabytes
            same = is_same(whole, broken) and count_rows(broken) == arguments.rows
            print(
                f"{suffix:<9}{arguments.rows:>10}{few.megabytes:>17.0f}{unbroken.megabytes:>14.0f}"
                f"{'pass' if growth <= ALLOWED_GROWTH_MB else 'FAIL':>12}{arguments.rows / unbroken.seconds:>9.0f}"
                f"{f'{num_parts // 2}/{num_parts}':>11}{resumed.seconds:>12.0f}{'pass' if same else 'FAIL':>11}",
                flush=True,
            )
            for path in folder.glob(f"*.{suffix}"):
                if path.stem in ("whole", "broken"):
                    path.unlink()


if __name__ == "__main__":
    run(main)
