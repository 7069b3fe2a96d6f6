"""Predicts or trains with two threads whenever a line comes on standard input, and prints how many seconds each turn took.

``benchmarks.speed`` asks it for turns while the cores are free and while they are busy.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from aslstm.commands.flags import CommandParser, run
from aslstm.data.corpora import CorpusSource, load_split

NUM_THREADS = 2
NUM_POSTS = 8_192


def work_of(name: str, folder: Path, data_dir: Path) -> Callable[[], object]:
    """Return the work of one turn.

    Args:
        name: ``predict`` or ``train``.
        folder: A model folder with graphs, for ``predict``.
        data_dir: The folder of NLPCC 2014, or one that contains it.
    """
    if name == "train":
        # Imported here and not above: torch reads its variables, which the command sets, when it is imported.
        from benchmarks.training_speed import TrainingRun

        return TrainingRun(data_dir, "attention", bidirectional=False).train_epoch
    from benchmarks.speed_of_answers import label_all, rust_classifier

    posts = load_split(CorpusSource("nlpcc2014", data_dir), "test")["text"][:NUM_POSTS]
    classifier = rust_classifier(folder, NUM_THREADS)
    return lambda: label_all(classifier, posts)


def main() -> None:
    """Work once to warm up, then at every line."""
    parser = CommandParser("work_in_turns", __doc__)
    parser.add_argument("--work", choices=("predict", "train"), required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data_dir", type=Path, required=True)
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(NUM_THREADS)
    work = work_of(arguments.work, arguments.model, arguments.data_dir)
    work()
    for _ in sys.stdin:
        start = time.perf_counter()
        work()
        print(time.perf_counter() - start, flush=True)


if __name__ == "__main__":
    run(main)
