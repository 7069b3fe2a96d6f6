"""The answers of ``aslstm predict``, in every format."""

import gzip
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from transformers import pipeline

from aslstm.commands.report import read_predictions
from aslstm.data.found_files import find_file
from aslstm.prediction.chunks import CHUNK_ROWS
from tests.support.commands import ROOT
from tests.support.prediction_runs import (
    ADDED,
    EMOJI,
    POSTS,
    PREDICT,
    WRITERS,
    answer,
    read_csv,
    read_lines,
    write_lines,
    write_parquet,
    write_txt,
)


@pytest.fixture(scope="module")
def answers(onnx_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    """What the numbered posts give as JSON Lines."""
    folder = tmp_path_factory.mktemp("answers")
    posts = write_lines(folder / "posts.jsonl", [{"id": i, "text": text} for i, text in enumerate(POSTS)])
    answer(onnx_folder, "--input", posts, "--output", folder / "out.jsonl")
    return read_lines(folder / "out.jsonl")


# ---- the answers ----


def test_rows_come_back_in_order_with_their_columns_and_are_counted(model_folder: Path, tmp_path: Path) -> None:
    rows = [{"id": -i, "text": text, "nested": {"a": [i, None]}} for i, text in enumerate(POSTS)]
    posts = write_lines(tmp_path / "posts.jsonl", rows)
    answer(model_folder, "--input", posts, "--output", tmp_path / "out.jsonl", "--attention", backend="torch")
    found = read_lines(tmp_path / "out.jsonl")
    assert [{name: row[name] for name in ("id", "text", "nested")} for row in found] == rows
    assert list(found[0]) == ["id", "text", "nested", *ADDED, "attention"]
    assert [row["emoji"] for row in found] == EMOJI
    labels = list(json.loads((model_folder / "config.json").read_text(encoding="utf-8"))["id2label"].values())
    counts = json.loads((tmp_path / "out.jsonl.counts.json").read_text(encoding="utf-8"))
    # The second post has no words.
    assert counts == {label: Counter(row["label"] for row in found)[label] for label in labels} | {"": 1}
    assert {path.name for path in tmp_path.iterdir()} == {"posts.jsonl", "out.jsonl", "out.jsonl.counts.json"}


def test_labels_scores_and_attention_are_those_of_the_pipeline(model_folder: Path, tmp_path: Path) -> None:
    posts = write_lines(tmp_path / "posts.jsonl", [{"text": text} for text in POSTS])
    answer(model_folder, "--input", posts, "--output", tmp_path / "out.jsonl", "--attention", backend="torch")
    classify = pipeline("text-classification", model=str(model_folder), trust_remote_code=True)
    found = read_lines(tmp_path / "out.jsonl")
    texts = [row.get("answered_text", row["text"]) for row in found]
    for row, entries in zip(found, classify(texts, top_k=None, return_attention=True, polarity=True), strict=True):
        if not row["text"]:
            assert (row["label"], row["score"], row["scores"], row["polarity"]) == ("", None, None, "")
            continue
        assert row["label"] == entries[0]["label"]
        assert row["scores"] == pytest.approx({entry["label"]: entry["score"] for entry in entries}, abs=2e-6)
        assert row["score"] == row["scores"][row["label"]] == max(row["scores"].values())
        weights = [entry.pop("weight") for entry in row["attention"]]
        assert weights == pytest.approx([entry.pop("weight") for entry in entries[0]["attention"]], abs=1e-6)
        assert row["attention"] == entries[0]["attention"]
        assert row["polarity"] == entries[0]["polarity"]
        assert row["polarity_score"] == pytest.approx(entries[0]["polarity_score"], abs=2e-6)


def test_a_prefix_keeps_the_labels_of_the_input(onnx_folder: Path, tmp_path: Path, answers: list[dict]) -> None:
    rows = [{"text": text, "label": "gold", "score": 5} for text in POSTS]
    posts = write_lines(tmp_path / "posts.jsonl", rows)
    answer(onnx_folder, "--input", posts, "--output", tmp_path / "out.csv", "--prefix", "predicted_")
    found = read_csv(tmp_path / "out.csv")
    assert [(row["label"], row["score"]) for row in found] == [("gold", "5")] * len(POSTS)
    assert [row["predicted_label"] for row in found] == [row["label"] for row in answers]
    counts = json.loads((tmp_path / "out.csv.counts.json").read_text(encoding="utf-8"))
    assert sum(counts.values()) == len(POSTS) and "gold" not in counts


def test_the_last_line_names_the_file_that_was_written(
    onnx_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    posts = write_txt(tmp_path / "posts.txt", [{"text": "好[泪]"}])
    answer(onnx_folder, posts)
    assert capsys.readouterr().err.splitlines()[-1] == f"saved {tmp_path / 'posts.labelled.csv'}"
    assert (tmp_path / "posts.labelled.csv").is_file()


def test_torch_is_not_imported_for_onnx(onnx_folder: Path, tmp_path: Path) -> None:
    posts = write_txt(tmp_path / "posts.txt", [{"text": "好[泪]"}])
    code = (
        "import runpy, sys\nsys.argv = ['aslstm', 'predict', *sys.argv[1:]]\n"
        "runpy.run_module('aslstm', run_name='__main__')\nassert 'torch' not in sys.modules\n"
    )
    flags = ["--model", onnx_folder, "--backend", "onnx", "--input", posts, "--output", tmp_path / "out.csv"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code, *flags], env=environment, check=True, capture_output=True)
    assert (tmp_path / "out.csv").exists()


# ---- formats ----


@pytest.mark.parametrize("suffix", [s + gz for s in WRITERS for gz in ("", ".gz")])
def test_every_input_format_gives_the_same_answers(onnx_folder: Path, tmp_path: Path, answers: list[dict], suffix: str) -> None:
    path = WRITERS[suffix.removesuffix(".gz")](tmp_path / f"posts{suffix.removesuffix('.gz')}", [
        {"id": i, "text": text} for i, text in enumerate(POSTS)
    ])  # fmt: skip
    if suffix.endswith(".gz"):
        packed = path.with_name(f"{path.name}.gz")
        packed.write_bytes(gzip.compress(path.read_bytes()))
        path = packed
    answer(onnx_folder, "--input", path, "--output", tmp_path / "out.jsonl")
    found = read_lines(tmp_path / "out.jsonl")
    expected = [dict(row) for row in answers]
    for row in expected:
        if ".txt" in suffix:
            del row["id"]
        elif ".csv" in suffix:
            row["id"] = str(row["id"])
    assert found == expected


def test_csv_holds_nested_values_as_json(onnx_folder: Path, tmp_path: Path, answers: list[dict]) -> None:
    rows = [{"text": text, "id": i, "tags": ["a", i]} for i, text in enumerate(POSTS)] + [
        {"text": "回车\r换行\n", "late": True}
    ]
    answer(onnx_folder, "--input", write_lines(tmp_path / "posts.jsonl", rows), "--output", tmp_path / "out.csv")
    found = read_csv(tmp_path / "out.csv")
    assert list(found[0]) == ["text", "id", "tags", *ADDED, "answered_text", "late"]
    for row, expected in zip(found, answers, strict=False):
        assert row["text"] == expected["text"]
        assert json.loads(row["tags"]) == ["a", expected["id"]]
        assert (row["label"], row["late"]) == (expected["label"], "")
        assert json.loads(row["emoji"]) == expected["emoji"]
        if not row["text"]:
            assert row["scores"] == row["score"] == ""
            continue
        assert json.loads(row["scores"]) == pytest.approx(expected["scores"], abs=0.02)
        assert float(row["score"]) == pytest.approx(expected["score"], abs=0.02)
    assert found[-1]["text"] == "回车\r换行\n"
    assert (found[-1]["id"], found[-1]["tags"], found[-1]["late"]) == ("", "", "true")


def test_parquet_keeps_the_types_of_its_columns(onnx_folder: Path, tmp_path: Path, answers: list[dict]) -> None:
    number = len(POSTS)
    table = pyarrow.table({
        "text": pyarrow.array(POSTS, pyarrow.large_string()),
        "day": pyarrow.array(range(number), pyarrow.timestamp("ns", tz="Asia/Shanghai")),
        "topic": pyarrow.array([None, "甲"] * number, pyarrow.string())[:number].dictionary_encode(),
        "raw": pyarrow.array([b"\xff"] * number),
        "small": pyarrow.array(range(number), pyarrow.int8()),
        "pairs": pyarrow.array([[("a", 1)]] * number, pyarrow.map_(pyarrow.string(), pyarrow.int32())),
        "nothing": pyarrow.nulls(number),
    })  # fmt: skip
    pyarrow.parquet.write_table(table, tmp_path / "posts.parquet", row_group_size=3)
    answer(onnx_folder, "--input", tmp_path / "posts.parquet", "--output", tmp_path / "out.parquet")
    found = pyarrow.parquet.read_table(tmp_path / "out.parquet")
    assert found.select(table.column_names).cast(table.schema).to_pylist() == table.to_pylist()
    assert [found.schema.field(name).type for name in table.column_names] == [field.type for field in table.schema]
    assert found.select(ADDED).to_pylist() == [{name: row[name] for name in ADDED} for row in answers]


def test_standard_input_and_output(onnx_folder: Path, tmp_path: Path, answers: list[dict]) -> None:
    command = [sys.executable, *PREDICT, "--model", onnx_folder, "--backend", "onnx", "--num_threads", "1", "--input", "-"]
    posts = write_parquet(tmp_path / "posts.parquet", [{"id": i, "text": text} for i, text in enumerate(POSTS)])
    piped = [*command, "--output", "-", "--input_format", "parquet", "--output_format"]
    result = subprocess.run([*piped, "jsonl"], input=posts.read_bytes(), capture_output=True, check=True)
    assert [json.loads(line) for line in result.stdout.split(b"\n")[:-1]] == answers
    assert b"posts/s" in result.stderr and result.stderr.splitlines()[-1].startswith(b"7 posts: ")
    result = subprocess.run([*piped, "csv"], input=posts.read_bytes(), capture_output=True, check=True)
    (tmp_path / "out.csv").write_bytes(result.stdout)
    assert [row["label"] for row in read_csv(tmp_path / "out.csv")] == [row["label"] for row in answers]
    assert {path.name for path in tmp_path.iterdir()} == {"posts.parquet", "out.csv"}


def test_a_reader_that_has_enough_is_no_error(onnx_folder: Path, tmp_path: Path) -> None:
    posts = write_txt(tmp_path / "posts.txt", [{"text": f"好{i}"} for i in range(2 * CHUNK_ROWS)])
    command = [sys.executable, *PREDICT, "--model", onnx_folder, "--backend", "onnx", "--input", posts, "--output", "-"]
    with subprocess.Popen([*command, "--output_format", "jsonl"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        assert json.loads(process.stdout.readline())["text"] == "好0"
        process.stdout.close()
        assert b"Error" not in process.stderr.read()
    assert process.returncode == 0


def test_half_of_a_surrogate_pair_passes_through_json(onnx_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "posts.jsonl").write_text('{"text": "好\\ud83d[泪]", "\\ud83d": "\\ude00"}\n', encoding="utf-8")
    for name in ("out.jsonl", "out.csv", "out.parquet"):
        answer(onnx_folder, "--input", tmp_path / "posts.jsonl", "--output", tmp_path / name, "--attention")
    assert (
        read_lines(tmp_path / "out.jsonl")[0] | {"text": "好\ud83d[泪]", "\ud83d": "\ude00"}
        == (read_lines(tmp_path / "out.jsonl")[0])
    )
    assert read_csv(tmp_path / "out.csv")[0]["text"] == "好?[泪]"
    assert pyarrow.parquet.read_table(tmp_path / "out.parquet").to_pylist()[0]["text"] == "好?[泪]"


def test_a_spreadsheet_runs_no_cell_of_csv_and_a_report_reads_the_texts(onnx_folder: Path, tmp_path: Path) -> None:
    texts = ["=1+1", "@小明 [泪]", "＝好", "'=x", "好", "-0.5", "\tx", "+1(2)"]
    rows = [{"text": text, "=id": -i, "-0.53": "-0.53"} for i, text in enumerate(texts)]
    posts = write_lines(tmp_path / "posts.jsonl", rows)
    answer(onnx_folder, "--input", posts, "--output", tmp_path / "out.csv")
    found = read_csv(tmp_path / "out.csv")
    assert [row["text"] for row in found] == ["'=1+1", "'@小明 [泪]", "'＝好", "''=x", "好", "-0.5", "'\tx", "'+1(2)"]
    assert [row["'=id"] for row in found] == [str(-i) for i in range(len(texts))]
    assert {row["-0.53"] for row in found} == {"-0.53"}
    assert [row["text"] for row in read_predictions(find_file(tmp_path / "out.csv"))] == texts
    answer(onnx_folder, "--input", posts, "--output", tmp_path / "raw.csv", "--raw_cells")
    assert [row["text"] for row in read_csv(tmp_path / "raw.csv")] == texts


def test_names_in_capitals_tell_the_format(onnx_folder: Path, tmp_path: Path) -> None:
    posts = write_txt(tmp_path / "POSTS.TXT", [{"text": "好"}])
    answer(onnx_folder, "--input", posts, "--output", tmp_path / "OUT.CSV")
    assert [row["text"] for row in read_csv(tmp_path / "OUT.CSV")] == ["好"]


@pytest.mark.parametrize("levels", [29, 60, 95])
def test_nested_values_become_text_where_parquet_cannot_be_read_so_deep(onnx_folder: Path, tmp_path: Path, levels: int) -> None:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    answer(
        onnx_folder,
        "--input",
        write_lines(tmp_path / "a.jsonl", [{"text": "好", "more": value}]),
        "--output",
        tmp_path / "a.parquet",
    )
    (found,) = pyarrow.parquet.read_table(tmp_path / "a.parquet")["more"].to_pylist()
    assert (found if levels < 30 else json.loads(found)) == value
