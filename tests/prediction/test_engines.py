"""Ray Data and Spark run for real, in processes of their own, and give the answers of this process."""

import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas
import pytest

from aslstm.prediction.predictor import BatchPredictor
from tests.support.commands import ROOT, SAMPLE

NUM_POSTS = 2_000
BATCH_SIZE = 250
COLUMNS = "label string, score double, scores map<string,double>, polarity string, polarity_score double, emoji array<string>"


@pytest.fixture(scope="module")
def posts() -> list[str]:
    """Real posts of the sample, again and again, with an empty one and one without letters among them."""
    texts = [*pandas.read_json(SAMPLE / "train.jsonl", lines=True)["text"], "", "[泪]🎉"]
    return [texts[i % len(texts)] for i in range(NUM_POSTS)]


@pytest.fixture(scope="module")
def expected(onnx_folder: Path, posts: list[str]) -> dict[str, list[Any]]:
    return BatchPredictor(onnx_folder, backend="onnx", batch_size=1).answers(posts)


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that are started import what this one does."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), *sys.path]))
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)


def check_answers(found: Iterable[Any], posts: list[str], expected: dict[str, list[Any]]) -> None:
    """Every post is there once, with the answer that it gets alone in this process."""
    rows = sorted(found, key=lambda row: row["id"])
    assert [row["id"] for row in rows] == list(range(len(posts)))
    assert [row["text"] for row in rows] == posts
    for name in ("label", "score", "scores", "polarity", "polarity_score"):
        assert [row[name] for row in rows] == expected[name], name
    assert [list(row["emoji"]) for row in rows] == expected["emoji"]


@pytest.mark.usefixtures("workers")
def test_ray_data_maps_batches(onnx_folder: Path, posts: list[str], expected: dict[str, list[Any]]) -> None:
    ray = pytest.importorskip("ray", reason="needs Ray, which has no wheel for this Python: the extra 'engines'")
    ray.init(num_cpus=2, include_dashboard=False, object_store_memory=100_000_000)
    try:
        rows = ray.data.from_items([{"id": i, "text": text} for i, text in enumerate(posts)])
        answered = rows.map_batches(
            BatchPredictor,
            fn_constructor_args=[str(onnx_folder)],
            fn_constructor_kwargs={"backend": "onnx", "batch_size": 1, "num_threads": 1},
            batch_size=BATCH_SIZE,
            concurrency=2,
        )
        check_answers(answered.take_all(), posts, expected)
    finally:
        ray.shutdown()


def has_java() -> bool:
    home = os.environ.get("JAVA_HOME")
    return bool(shutil.which("java") or (home and Path(home, "bin", "java").is_file()))


@pytest.mark.skipif(not has_java(), reason="needs Java 17 or newer: make java")
@pytest.mark.usefixtures("workers")
def test_spark_maps_frames(onnx_folder: Path, posts: list[str], expected: dict[str, list[Any]]) -> None:
    sql = pytest.importorskip("pyspark.sql", reason="needs PySpark: the extra 'engines'")
    folder = str(onnx_folder)

    def answers(frames: Iterator[pandas.DataFrame]) -> Iterator[pandas.DataFrame]:
        yield from map(BatchPredictor(folder, backend="onnx", batch_size=1, num_threads=1), frames)

    spark = (
        sql.SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", BATCH_SIZE)
        # For a few seconds of work, Java's best compiler costs more than it saves.
        .config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        .getOrCreate()
    )
    try:
        rows = spark.createDataFrame(list(enumerate(posts)), "id long, text string")
        check_answers(rows.mapInPandas(answers, f"id long, text string, {COLUMNS}").collect(), posts, expected)
    finally:
        spark.stop()
