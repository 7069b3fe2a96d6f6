"""Takes a model, answers 100,000 posts in Ray Data and in Spark on this machine, and compares them with those of one process.

python -m benchmarks.engines --model outputs/nlpcc2014

Both engines run two processes that answer, each on one thread. It needs the extra ``engines``, and Java for Spark.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas

from aslstm.commands.flags import CommandParser, run
from aslstm.data.corpora import CorpusSource, load_split
from aslstm.prediction.predictor import BatchPredictor

ROOT = Path(__file__).parent.parent
NUM_PROCESSES = 2
ADDED = "label string, score double, scores map<string,double>, polarity string, polarity_score double, emoji array<string>"
WITHOUT_POLARITY = "label string, score double, scores map<string,double>, emoji array<string>"


def answer_in_ray(model: Path, source: Path, options: dict[str, Any]) -> pandas.DataFrame:
    """Return the posts of a Parquet file with the answers of Ray Data."""
    import ray

    # One more than answer: reading takes one as well, and waits for ever where the others have all.
    ray.init(num_cpus=NUM_PROCESSES + 1, include_dashboard=False, log_to_driver=False)
    try:
        posts = ray.data.read_parquet(str(source))
        answered = posts.map_batches(
            BatchPredictor, fn_constructor_args=[str(model)], fn_constructor_kwargs=options, batch_size=1024,
            concurrency=NUM_PROCESSES,
        )  # fmt: skip
        frame: pandas.DataFrame = answered.to_pandas()
        return frame
    finally:
        ray.shutdown()


def answer_in_spark(model: Path, source: Path, options: dict[str, Any]) -> pandas.DataFrame:
    """Return the posts of a Parquet file with the answers of Spark."""
    from pyspark.sql import SparkSession

    folder = str(model)
    has_polarity = BatchPredictor(folder, **options).classifier.config.polarity_of_labels is not None

    def answers(frames: Iterator[pandas.DataFrame]) -> Iterator[pandas.DataFrame]:
        yield from map(BatchPredictor(folder, **options), frames)

    spark = (
        SparkSession.builder.master(f"local[{NUM_PROCESSES}]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", 1024)
        .getOrCreate()
    )
    try:
        posts = spark.read.parquet(str(source)).repartition(NUM_PROCESSES)
        answered = posts.mapInPandas(answers, f"id long, text string, {ADDED if has_polarity else WITHOUT_POLARITY}")
        return pandas.DataFrame([row.asDict() for row in answered.collect()])
    finally:
        spark.stop()


def answer_here(model: Path, source: Path, options: dict[str, Any]) -> pandas.DataFrame:
    """Return the posts of a Parquet file with the answers of this process."""
    return BatchPredictor(model, **options)(pandas.read_parquet(source))


def rows_of(frame: pandas.DataFrame) -> list[dict[str, Any]]:
    """Return the rows in the order of their ids, as plain values."""
    rows = frame.sort_values("id").to_dict("records")
    return [row | {"scores": dict(row["scores"]), "emoji": list(row["emoji"])} for row in rows]


def main() -> None:
    """Answer, compare and print a table."""
    parser = CommandParser("engines", "Ray Data and Spark beside one process.")
    parser.add_argument("--model", type=Path, required=True, help="a model folder with onnx/")
    parser.add_argument("--num_posts", type=int, default=100_000)
    arguments = parser.parse_args()
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), *sys.path])
    os.environ["PYSPARK_PYTHON"] = sys.executable
    texts = load_split(CorpusSource(), "train")["text"][:]
    # One post at a time, so that the int8 graph gives the same scores however an engine cuts the rows.
    options = {"backend": "onnx", "batch_size": 1, "num_threads": 1}
    ways: dict[str, Callable[..., pandas.DataFrame]] = {
        "one process": answer_here, "Ray Data": answer_in_ray, "Spark": answer_in_spark
    }  # fmt: skip
    expected: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "posts.parquet")
        # The number makes every post another one, so that a row that is lost, doubled or mixed up is seen.
        posts = [f"{texts[i % len(texts)]} {i}" for i in range(arguments.num_posts)]
        pandas.DataFrame({"id": range(len(posts)), "text": posts}).to_parquet(source)
        print(f"{'':<14}{'seconds':>9}{'a second':>10}   {'rows equal to those of one process'}")
        for name, answer in ways.items():
            started = time.perf_counter()
            frame = answer(arguments.model.resolve(), source, options)
            seconds = time.perf_counter() - started
            rows = rows_of(frame)
            expected = expected or rows
            equal = sum(row == other for row, other in zip(rows, expected, strict=True))
            print(f"{name:<14}{seconds:>9.1f}{len(rows) / seconds:>10,.0f}   {equal:,} of {len(expected):,}", flush=True)


if __name__ == "__main__":
    run(main)
