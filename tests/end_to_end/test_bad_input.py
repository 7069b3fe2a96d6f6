"""Each case is one run of ``aslstm train``; variants stand in the tests of the readers."""

import json
import os
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.commands import run_command

Arguments = list[str | Path]


def json_lines(path: Path, posts: list[dict[str, str]]) -> Path:
    path.write_text("".join(json.dumps(post) + "\n" for post in posts), encoding="utf-8")
    return path


def good_posts(count: int = 40) -> list[dict[str, str]]:
    return [{"text": f"post {i}", "label": "ab"[i % 2]} for i in range(count)]


def missing_file(folder: Path) -> Arguments:
    return ["--train_file", folder / "nowhere.jsonl"]


def malformed_line(folder: Path) -> Arguments:
    path = json_lines(folder / "train.jsonl", good_posts())
    path.write_text(path.read_text(encoding="utf-8") + '{"text": "cut he', encoding="utf-8")
    return ["--train_file", path]


def unknown_label(folder: Path) -> Arguments:
    test = [{"text": "fine", "label": "a"}, {"text": "odd", "label": "zzz"}]
    return [
        "--train_file", json_lines(folder / "train.jsonl", good_posts()),
        "--test_file", json_lines(folder / "test.jsonl", test),
    ]  # fmt: skip


def absent_column(folder: Path) -> Arguments:
    path = folder / "train.csv"
    path.write_text("review,stars\ngood,5\nbad,1\n", encoding="utf-8")
    return ["--train_file", path, "--text_column", "review"]


def empty_split(folder: Path) -> Arguments:
    return [
        "--train_file", json_lines(folder / "train.jsonl", good_posts()),
        "--validation_file", json_lines(folder / "validation.jsonl", []),
    ]  # fmt: skip


def xml_cut_in_half(folder: Path) -> Arguments:
    posts = "".join(f'<weibo id="{i}"><sentence id="1" opinionated="N">post {i}</sentence></weibo>' for i in range(40))
    whole = f"<Data>{posts}</Data>"
    (folder / "Training data for Emotion Classification.xml").write_text(whole[: len(whole) // 2], encoding="utf-8")
    (folder / "EmotionClassficationTest.xml").write_text(whole, encoding="utf-8")
    return ["--dataset", "nlpcc2014", "--data_dir", folder]


def two_encodings(folder: Path) -> Arguments:
    path = folder / "train.csv"
    path.write_bytes("text,label\n好,a\n".encode() + "今天开心,b\n".encode("gb18030"))
    return ["--train_file", path]


def nonsense_fusion(folder: Path) -> Arguments:
    return ["--emoji_fusion", "nonsense"]


def impossible_number(folder: Path) -> Arguments:
    return ["--seed", "-1"]


def output_below_a_file(folder: Path) -> Arguments:
    (folder / "file").write_text("", encoding="utf-8")
    return ["--output_dir", folder / "file" / "model"]


def output_with_other_files(folder: Path) -> Arguments:
    (folder / "home").mkdir()
    (folder / "home" / "thesis.txt").write_text("my own", encoding="utf-8")
    return ["--output_dir", folder / "home"]


class Case(NamedTuple):
    make: Callable[[Path], Arguments]
    words: list[str]


CASES = {
    case.make.__name__: case
    for case in (
        Case(missing_file, ["nowhere.jsonl", "No such file"]),
        Case(malformed_line, ["train.jsonl, line 41", "JSON", "cut he"]),
        Case(unknown_label, ["test.jsonl, row 2", "(a, b)", "'zzz'"]),
        Case(absent_column, ["train.csv, header", "'label'", "review, stars", "--label_column"]),
        Case(empty_split, ["validation.jsonl", "at least one row", "found none"]),
        Case(xml_cut_in_half, ["Training data for Emotion Classification.xml", "post", "XML"]),
        Case(two_encodings, ["train.csv, line 3", "UTF-8", "--encoding"]),
        Case(nonsense_fusion, ["--emoji_fusion", "'nonsense'", "'attention'", "'hierarchical'"]),
        Case(impossible_number, ["--seed", "-1"]),
        Case(output_below_a_file, ["--output_dir", "model", "expected a place to write"]),
        Case(output_with_other_files, ["--output_dir", "home", "found other files"]),
    )
}


class Run(NamedTuple):
    folder: Path
    before: set[Path]
    result: subprocess.CompletedProcess[str]


def run_case(name: str, folder: Path) -> Run:
    (folder / "data").mkdir(parents=True)
    arguments = CASES[name].make(folder / "data")
    if "--output_dir" not in arguments:
        arguments = [*arguments, "--output_dir", folder / "model"]
    before = set(folder.rglob("*"))
    # Should a run go on where it ought to stop, let it not go on for long.
    short = ["--num_train_epochs", "1", "--max_train_samples", "100", "--embedding_size", "8", "--hidden_size", "4"]
    return Run(folder, before, run_command("train", *short, *arguments, check=False))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """All cases at once, as many at a time as there are cores: a run mostly imports."""
    root = tmp_path_factory.mktemp("runs")
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return dict(zip(CASES, pool.map(lambda name: run_case(name, root / name), CASES), strict=True))


@pytest.mark.parametrize("name", CASES)
def test_bad_input_ends_with_one_line_and_code_2(runs: dict[str, Run], name: str) -> None:
    result = runs[name].result
    assert "Traceback" not in result.stderr + result.stdout
    lines = result.stderr.splitlines()
    errors = [line for line in lines if line.startswith("error:")]
    assert len(errors) == 1 and lines[-1] == errors[0]
    assert [word for word in CASES[name].words if word not in errors[0]] == []
    assert "expected" in errors[0] or "invalid choice" in errors[0]
    assert result.returncode == 2


@pytest.mark.parametrize("name", CASES)
def test_bad_input_leaves_no_folder_behind(runs: dict[str, Run], name: str) -> None:
    run = runs[name]
    assert run.result.returncode != 0
    assert set(run.folder.rglob("*")) == run.before
