"""Measures how long commands take to start, and prints the medians of runs in fresh processes.

python -m benchmarks.cold_start --model DIR        # a model folder with ONNX graphs

Each round runs every row of the table once, so that a machine that gets slower slows all rows alike. For comparison, the rows
called floors only import the packages that answering needs and load the dictionary.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from aslstm.commands.flags import CommandParser, run

ROUNDS = 7
FLOORS = {
    "numpy, onnxruntime, rjieba with its dictionary": "import numpy, onnxruntime, rjieba; rjieba.Jieba().cut('今天', False)",
    "numpy, onnxruntime, jieba with its dictionary": "import numpy, onnxruntime, jieba; jieba.lcut('今天')",
}


def seconds_of(command: list[str]) -> float:
    """Return the wall time of a process, which must end with exit code 0."""
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def main() -> None:
    """Measure and print the table."""
    parser = CommandParser("cold_start", __doc__)
    parser.add_argument("--model", type=Path, required=True, help="model folder with ONNX graphs")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        posts = Path(folder, "posts.txt")
        posts.write_text("今天又加班[泪]\n", encoding="utf-8")
        predict = ["predict", "--model", str(arguments.model.absolute()), "--backend", "onnx", "--input", str(posts)]
        rows = {name: [sys.executable, "-c", code] for name, code in FLOORS.items()} | {
            "aslstm predict, one post": [
                *(sys.executable, "-m", "aslstm", *predict),
                *("--output", str(Path(folder, "out.csv")), "--overwrite"),
            ],
            "import aslstm": [sys.executable, "-c", "import aslstm"],
            "python -c pass": [sys.executable, "-c", "pass"],
            "aslstm --help": [sys.executable, "-m", "aslstm", "--help"],
        }
        for command in rows.values():  # This fills the disk cache and jieba's cache of its dictionary.
            seconds_of(command)
        rounds = [{name: seconds_of(command) for name, command in rows.items()} for _ in range(ROUNDS)]
    for name in rows:
        print(f"{name:<48}{statistics.median(one[name] for one in rounds):>7.2f} s")
    for name in FLOORS:
        above = statistics.median(one["aslstm predict, one post"] - one[name] for one in rounds)
        print(f"{'predict above ' + name:<62}{above:>7.2f} s")


if __name__ == "__main__":
    run(main)
