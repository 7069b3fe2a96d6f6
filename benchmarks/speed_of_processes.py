"""Measures what whole processes need: to start, in memory, and beside other programs; and how fast training is."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from itertools import product
from pathlib import Path

from benchmarks.measuring import REPEATS, Result, median_seconds, run_measured
from benchmarks.training_speed import DIRECTIONS, OTHER_TARGET, TARGETS, measure_original, measure_training
from modeling_aslstm.configuration_aslstm import EMOJI_FUSIONS

POST = "今天又加班[泪]"
# What any answer with ONNX and rjieba imports, with the dictionary in memory.
_IMPORTS = "import numpy, onnxruntime, rjieba; rjieba.cut('今天')"
_PYSENTI = f"import pysenti; pysenti.RuleClassifier().classify({POST!r})"
_BUSY = "while True: pass"
_NUM_CORES = 2


def _predict(folder: Path, work: Path) -> list[str]:
    posts = work / "posts.txt"
    posts.write_text(f"{POST}\n", encoding="utf-8")
    command = [sys.executable, "-m", "aslstm", "predict", "--model", str(folder), "--backend", "onnx", "--overwrite"]
    return [*command, "--input", str(posts), "--output", str(work / "answers.csv")]


def measure_start(folder: Path, posts: list[str], data_dir: Path) -> Iterator[Result]:
    """Measure a fresh process of ``aslstm predict`` on one post, compared with one of pysenti, and its peak memory.

    The bound is a process that imports numpy, onnxruntime and rjieba with its dictionary and does nothing.
    """
    with tempfile.TemporaryDirectory() as name:
        commands = {"imports": [sys.executable, "-c", _IMPORTS], "pysenti": [sys.executable, "-c", _PYSENTI]}
        commands["predict"] = _predict(folder.absolute(), Path(name))
        runs = {key: partial(run_measured, command) for key, command in commands.items()}
        for run in runs.values():  # This fills the disk cache and jieba's cache of its dictionary.
            run()
        seconds = median_seconds(runs, REPEATS)
        title = "first answer of a fresh process, aslstm predict beside pysenti"
        best = seconds["imports"] / seconds["pysenti"]
        yield Result(title, seconds["predict"] / seconds["pysenti"], 0.6, True, 0.4, best)
        memory = {key: run().megabytes for key, run in runs.items()}
        yield Result("peak memory of that process, MB", memory["predict"], 150.0, True, 100.0, memory["imports"])


def measure_size(folder: Path, posts: list[str], data_dir: Path) -> Iterator[Result]:
    """Measure the megabytes of the files that serving the int8 graph needs; the bound is the graph alone."""
    files = [p for p in folder.rglob("*") if p.is_file() and p.name not in ("model.safetensors", "model.onnx")]
    graph = (folder / "onnx" / "model_int8.onnx").stat().st_size / 1e6
    yield Result("int8 folder, MB", sum(p.stat().st_size for p in files) / 1e6, 12.0, True, bound=graph)


def measure_sharing(folder: Path, posts: list[str], data_dir: Path) -> Iterator[Result]:
    """Measure prediction and training with two threads while both cores are busy, compared with free cores.

    The bound is the fair share of a machine that two other threads use as well.
    """
    for work in ("predict", "train"):
        command = [sys.executable, "-m", "benchmarks.work_in_turns", "--work", work, "--data_dir", str(data_dir)]
        command += ["--model", str(folder)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as worker:
            free, busy = [], []
            for _ in range(REPEATS):
                free.append(_seconds_of_turn(worker))
                with ExitStack() as stack:
                    for _ in range(_NUM_CORES):
                        loop = stack.enter_context(subprocess.Popen([sys.executable, "-c", _BUSY]))
                        stack.callback(loop.kill)
                    busy.append(_seconds_of_turn(worker))
            worker.stdin.close()  # type: ignore[union-attr]
        ratio = sorted(free)[REPEATS // 2] / sorted(busy)[REPEATS // 2]
        yield Result(f"two threads {work} while both cores are busy, beside free cores", ratio, 0.35, aim=0.5, bound=0.5)


def _seconds_of_turn(worker: "subprocess.Popen[str]") -> float:
    """Ask a worker for one turn of its work and return how long it took."""
    assert worker.stdin is not None and worker.stdout is not None
    print("go", file=worker.stdin, flush=True)
    return float(worker.stdout.readline())


def measure_training_speed(folder: Path, posts: list[str], data_dir: Path) -> Iterator[Result]:
    """Measure the rows per second of training, compared with the procedure of the original project; it has no bound."""
    for fusion, directions in product(EMOJI_FUSIONS, DIRECTIONS):
        ratio = measure_training(data_dir, fusion, bidirectional=directions == 2) / measure_original(data_dir)
        how = f"{fusion}, {'both directions' if directions == 2 else 'one direction'}"
        aim = 800.0 if (fusion, directions) == ("attention", 1) else None
        yield Result(f"training, {how}, beside the original's procedure", ratio, TARGETS.get(fusion, OTHER_TARGET), aim=aim)
