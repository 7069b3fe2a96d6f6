"""``aslstm distil``: teachers answer, a student learns."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.support.commands import SAMPLE, TINY_TRAINING, run_command

FLAGS = (*TINY_TRAINING, "--seed", "3")


@pytest.fixture(scope="module")
def posts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Posts without labels, one of them twice, and one of the test split."""
    rows = [json.loads(line)["text"] for line in (SAMPLE / "train.jsonl").read_text(encoding="utf-8").splitlines()[400:700]]
    tested = json.loads((SAMPLE / "test.jsonl").read_text(encoding="utf-8").splitlines()[0])["text"]
    path = tmp_path_factory.mktemp("posts") / "posts.jsonl"
    lines = [json.dumps({"text": text}, ensure_ascii=False) for text in (*rows, rows[0], tested)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def student(posts: Path, model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("distil") / "student"
    result = run_command("distil", "--teachers", model_folder, "--input", posts, "--output_dir", folder, *FLAGS)
    # The post of the test split is left out, and the repeated one is learned once.
    assert "learning the answers of teachers on 300 posts beside 400 rows of train" in result.stderr
    return folder


def test_the_student_is_a_model_folder_whose_prior_counts_the_answers(student: Path, model_folder: Path) -> None:
    config = json.loads((student / "config.json").read_text(encoding="utf-8"))
    assert config["id2label"] == json.loads((model_folder / "config.json").read_text(encoding="utf-8"))["id2label"]
    (answers,) = (student.parent / "student-teachers").glob("*-*.jsonl")
    rows = [json.loads(line) for line in answers.read_text(encoding="utf-8").splitlines()]
    soft = np.array([[row["scores"][name] for name in config["id2label"].values()] for row in rows[:-1]]).sum(0)
    gold = np.array(config["label_prior"]) * 700 - soft
    assert np.abs(gold - gold.round()).max() < 0.01
    assert round(gold.sum()) == 400
    run = run_command(
        "predict", "--model", student, "--input", answers, "--output", student.parent / "out.jsonl", "--prefix", "s_"
    )
    assert "301 posts" in run.stderr


def test_a_second_run_reads_the_answers_again_and_gives_the_same_model(posts: Path, student: Path, model_folder: Path) -> None:
    weights = (student / "model.safetensors").read_bytes()
    again = ("distil", "--teachers", model_folder, "--input", posts, "--output_dir", student, *FLAGS)
    refused = run_command(*again, check=False)
    assert refused.returncode == 2
    assert refused.stderr.splitlines()[-1].endswith(
        "expected a new folder, found a model; choose another name or add --overwrite"
    )
    result = run_command(*again, "--overwrite")
    assert "answers 301 posts" not in result.stderr
    assert (student / "model.safetensors").read_bytes() == weights


def test_bad_input_is_one_line(posts: Path, student: Path, model_folder: Path, tmp_path: Path) -> None:
    output = ("--input", str(posts), "--output_dir", str(tmp_path / "x"))
    for teachers, words in (
        ([model_folder, model_folder], ["--teachers", "found one twice"]),
        ([tmp_path], [str(tmp_path), "expected"]),
    ):
        result = run_command("distil", "--teachers", *teachers, *output, check=False)
        assert result.returncode == 2
        (line,) = [line for line in result.stderr.splitlines() if line.startswith("error:")]
        assert [word for word in words if word not in line] == []
