"""No room on the disk, by a limit on the size of files: one clear line, and what was there before stays as it was."""

import csv
import json
import shutil
import sys
from pathlib import Path

import pytest

from aslstm.commands import evaluate as evaluate_model
from aslstm.commands import export_onnx, report, train
from aslstm.commands import find_words as discover_words
from aslstm.commands.flags import run
from aslstm.errors import UserError
from tests.support.commands import TINY_TRAINING, contents, files_no_larger_than
from tests.support.prediction_runs import answer, write_txt


def call(main: object, monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> None:
    monkeypatch.setattr(sys, "argv", ["script", *map(str, arguments)])
    run(main)  # type: ignore[arg-type]


def said(capfd: pytest.CaptureFixture[str]) -> str:
    """What a script said last."""
    return capfd.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_predictions_leave_the_output_before_and_go_on(onnx_folder: Path, tmp_path: Path, suffix: str) -> None:
    # Two chunks, of different rows, so that Parquet cannot make the whole smaller than a limit.
    posts = write_txt(tmp_path / "posts.txt", [{"text": f"{i * i * 7919} 今天[泪]"} for i in range(4_200)])
    output, unbroken = tmp_path / f"out{suffix}", tmp_path / f"unbroken{suffix}"
    answer(onnx_folder, "--input", posts, "--output", unbroken)
    output.write_bytes(b"before")
    size = unbroken.stat().st_size
    for limit, again in ((size // 5, "--overwrite"), (size - 100, "--resume")):  # a part fails, then the whole
        with files_no_larger_than(limit), pytest.raises(UserError) as raised:
            answer(onnx_folder, "--input", posts, "--output", output, again)
        assert str(raised.value).startswith(f"`output` {output}: expected a place to write, found: ")
        assert str(raised.value).endswith("; make room, then go on with `resume`") and "\n" not in str(raised.value)
        assert output.read_bytes() == b"before"
        assert len(list(tmp_path.glob(f"{output.name}.parts/0*[!n]"))) == (0 if again == "--overwrite" else 2)
    answer(onnx_folder, "--input", posts, "--output", output, "--resume")
    assert output.read_bytes() == unbroken.read_bytes()


@pytest.mark.parametrize("limit", [1_000, 100_000])
def test_an_export_leaves_the_folder_as_it_was(
    onnx_folder: Path, tmp_path: Path, limit: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(onnx_folder, folder)
    before = contents(folder)
    with files_no_larger_than(limit), pytest.raises(SystemExit, match="2"):
        call(export_onnx.main, monkeypatch, "--model", folder, "--overwrite")
    assert said(capfd) == f"error: {folder}: expected a place to write, found: File too large; make room, then run again"
    assert contents(folder) == before
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_report_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("altair", reason="needs the extra report")
    predictions, folder = tmp_path / "out.csv", tmp_path / "report"
    with predictions.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            [["text", "label", "score", "scores", "emoji"], ["累[泪]", "sad", "0.9", '{"sad": 0.9}', '["[泪]"]']]
        )
    call(report.main, monkeypatch, "--input", predictions, "--output", folder, "--title", "before")
    before = contents(folder)
    assert {"index.html", "labels.png"} <= set(before)
    limit = max(map(len, before.values())) * 9 // 10  # All files fit but the largest.
    with files_no_larger_than(limit), pytest.raises(SystemExit, match="2"):
        call(report.main, monkeypatch, "--input", predictions, "--output", folder, "--title", "after", "--overwrite")
    reason = "expected a place to write, found: File too large; choose another, then run again"
    assert said(capfd) == f"error: --output {folder}: {reason}"
    assert contents(folder) == before


def test_training_leaves_the_model_before(
    model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(model_folder, folder)
    before = contents(folder)
    with files_no_larger_than(400_000), pytest.raises(SystemExit, match="2"):  # the weights fit, a state of training does not
        call(train.main, monkeypatch, "--output_dir", folder, "--overwrite", "--checkpointing_steps", "3", *TINY_TRAINING)
    place = f"{folder}-checkpoints/step-00000003"
    assert said(capfd).startswith(f"error: {place}: expected room for a state of training, found: ")
    assert contents(folder) == before
    assert list((tmp_path / "model-checkpoints").iterdir()) == []


def test_a_corpus_that_cannot_be_cached_is_one_line(
    onnx_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    corpus = tmp_path / "test.jsonl"
    rows = [{"text": f"今天[泪] {i}", "label": "sadness"} for i in range(2_000)]
    corpus.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    flags = ("--model", onnx_folder, "--backend", "onnx", "--train_file", corpus, "--test_file", corpus)
    with files_no_larger_than(1_000), pytest.raises(SystemExit, match="2"):
        call(evaluate_model.main, monkeypatch, *flags)
    assert said(capfd) == "error: expected room on the disk, found: File too large; make room, then run again"


@pytest.mark.parametrize("flag", ["--output", "--save_predictions", "--plot"])
def test_an_evaluation_leaves_the_figures_before(
    onnx_folder: Path, tmp_path: Path, flag: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    figures = tmp_path / "figures.png"
    figures.write_bytes(b"before")
    flags = ("--model", onnx_folder, "--backend", "onnx", flag, figures)
    call(evaluate_model.main, monkeypatch, *flags)
    size = figures.stat().st_size
    figures.write_bytes(b"before")
    with files_no_larger_than(size - 1), pytest.raises(SystemExit, match="2"):
        call(evaluate_model.main, monkeypatch, *flags)
    assert said(capfd) == "error: expected room on the disk, found: File too large; make room, then run again"
    assert contents(tmp_path) == {"figures.png": b"before"}


def test_numbers_that_numpy_cannot_write_are_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    posts = write_txt(tmp_path / "posts.txt", [{"text": "今天天气真的很好"}] * 1_000)
    output = tmp_path / "words.tsv"
    with files_no_larger_than(1_000), pytest.raises(SystemExit, match="2"):
        call(discover_words.main, monkeypatch, "--input", posts, "--output", output, "--num_workers", "1")
    assert said(capfd).startswith("error: expected room on the disk, found: ")
    assert not output.exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_device_is_one_line_and_other_errors_are_not_hidden(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(lambda: Path("/dev/full").write_text("a", encoding="utf-8"))  # type: ignore[arg-type,return-value]
    assert (
        capfd.readouterr().err
        == "error: expected room on the disk, found: No space left on device; make room, then run again\n"
    )
    with pytest.raises(FileNotFoundError):
        run(lambda: Path("/no/such/file").write_text("a", encoding="utf-8"))  # type: ignore[arg-type,return-value]
