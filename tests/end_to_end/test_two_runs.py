"""Two runs on one output, the input among the outputs, pipes: commands refuse in one line and lose nothing."""

import os
import shutil
import sys
import threading
import time
from pathlib import Path

import pytest

from aslstm.disk import locked
from tests.support.commands import COMMANDS, SAMPLE, SMALL_CORPUS, contents, run_command
from tests.support.prediction_runs import write_txt

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs pipes and links")

SIZES = (*SMALL_CORPUS, "--embedding_size", "8", "--hidden_size", "4", "--max_train_samples", "400")


def refused(name: str, *flags: str | Path) -> str:
    """The one line that a command says before it ends with 2."""
    result = run_command(name, *flags, check=False)
    assert result.returncode == 2, result.stdout + result.stderr
    lines = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1 and "Traceback" not in result.stderr
    return lines[0]


def sizes_and_times(folder: Path) -> dict[Path, tuple[int, int]]:
    """Of all files; to read the file of a lock would end the lock of this process."""
    statuses = {path: path.stat() for path in folder.rglob("*") if path.is_file()}
    return {path: (status.st_size, status.st_mtime_ns) for path, status in statuses.items()}


@pytest.fixture
def posts(tmp_path: Path) -> Path:
    return write_txt(tmp_path / "posts.txt", [{"text": "今天天气真的很好[泪]"}] * 50)


def test_a_command_waits_for_no_other_but_names_it(onnx_folder: Path, posts: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(onnx_folder, model)
    answers = tmp_path / "answers.jsonl"
    answers.write_text('{"text": "累[泪]", "label": "sad", "score": 0.9, "scores": {"sad": 0.9}, "emoji": ["[泪]"]}\n', "utf-8")
    commands: list[tuple[str, str, Path, tuple[str | Path, ...]]] = [
        ("find-words", "output", tmp_path / "words.tsv", ("--input", posts, "--output", tmp_path / "words.tsv")),
        ("train-vectors", "output", tmp_path / "v.bin", ("--input", posts, "--output", tmp_path / "v.bin")),
        ("export-onnx", "model", model, ("--model", model, "--overwrite")),
        ("report", "output", tmp_path / "report", ("--input", answers, "--output", tmp_path / "report")),
        ("evaluate", "plot", tmp_path / "a.png", ("--model", model, "--backend", "onnx", "--plot", tmp_path / "a.png")),
        ("describe", "output", tmp_path / "described", ("--output", tmp_path / "described")),
        ("train", "output_dir", tmp_path / "new", ("--output_dir", tmp_path / "new", *SIZES)),
        ("pretrain", "output_dir", tmp_path / "new", ("--input", posts, "--output_dir", tmp_path / "new")),
    ]
    for name, argument, place, flags in commands:
        with locked(place):
            before = sizes_and_times(tmp_path)
            found = refused(name, *flags)
            assert sizes_and_times(tmp_path) == before, name
        words = f"error: --{argument} {place}: expected no other run that writes to it, found one (process {os.getpid()} on "
        assert found.startswith(words), found
    assert not list(tmp_path.glob(".*.lock"))


def test_two_trainings_with_states_do_not_disturb_each_other(tmp_path: Path) -> None:
    output = tmp_path / "model"
    command: list[str | Path] = ["-m", "aslstm", "train", "--output_dir", output, "--checkpointing_steps", "2", *SIZES]
    with (tmp_path / "log").open("wb") as log:
        first = COMMANDS.start([*command, "--num_train_epochs", "3"], stdout=log, stderr=log)
    while not list(tmp_path.glob("model-checkpoints/step-*")):
        assert first.poll() is None, (tmp_path / "log").read_text(encoding="utf-8")
        time.sleep(0.001)
    for again in ((), ("--resume_from_checkpoint",)):
        other = COMMANDS.run([*command, *again])
        assert other.returncode == 2
        assert other.stderr.splitlines()[-1].startswith(
            f"error: --output_dir {output}: expected no other run that writes to it, found one (process {first.pid} on "
        )
    assert first.wait() == 0, (tmp_path / "log").read_text(encoding="utf-8")
    assert (output / "model.safetensors").exists() and not (tmp_path / ".model.lock").exists()


def test_no_command_writes_into_what_it_reads(onnx_folder: Path, posts: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "test.jsonl"
    shutil.copyfile(SAMPLE / "test.jsonl", corpus)
    (tmp_path / "words.tsv").symlink_to(posts)
    (tmp_path / "vectors.bin").hardlink_to(posts)
    table = tmp_path / "report" / "labels.csv"
    table.parent.mkdir()
    table.write_text("text,label\na,b\n", encoding="utf-8")
    model = ("--model", onnx_folder, "--backend", "onnx")
    before = contents(tmp_path)
    for name, flags in (
        ("find-words", ("--input", posts, "--output", tmp_path / "words.tsv", "--overwrite")),
        ("train-vectors", ("--input", posts, "--output", tmp_path / "vectors.bin", "--overwrite")),
        ("evaluate", (*model, "--train_file", corpus, "--test_file", corpus, "--save_predictions", corpus)),
        ("report", ("--input", table, "--output", table.parent, "--overwrite")),
    ):
        found = refused(name, *flags)
        assert "found the same; choose another" in found or "that the report does not replace, found one" in found
        assert contents(tmp_path) == before
    same = refused("evaluate", *model, "--output", tmp_path / "a.json", "--save_predictions", tmp_path / "a.json")
    assert same.endswith("a.json: expected another file than --output, found the same; choose another")


def test_a_link_stays_and_its_target_is_written(posts: Path, tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "words.tsv"
    link.symlink_to(target)
    run_command("find-words", "--input", posts, "--output", link)
    assert link.is_symlink() and target.read_text(encoding="utf-8").startswith("word\t")
    (tmp_path / "models").mkdir()
    (tmp_path / "model").symlink_to(tmp_path / "models")
    run_command("train", "--output_dir", tmp_path / "model", *SIZES, "--num_train_epochs", "1")
    assert (tmp_path / "model").is_symlink() and (tmp_path / "models" / "model.safetensors").exists()


def test_a_pipe_is_read_whole_or_refused(onnx_folder: Path, posts: Path, tmp_path: Path) -> None:
    def pipe(name: str, source: Path) -> Path:
        os.mkfifo(tmp_path / name)
        threading.Thread(target=(tmp_path / name).write_bytes, args=(source.read_bytes(),), daemon=True).start()
        return tmp_path / name

    run_command("find-words", "--input", posts, "--output", tmp_path / "expected.tsv")
    run_command("find-words", "--input", pipe("pipe.txt", posts), "--output", tmp_path / "words.tsv")
    assert (tmp_path / "words.tsv").read_bytes() == (tmp_path / "expected.tsv").read_bytes()
    corpus = tmp_path / "corpus.jsonl"
    os.mkfifo(corpus)
    words = f"error: {corpus}: expected a file, which is read more than once, found a pipe or a device; save it first"
    output = ("--output_dir", tmp_path / "model")
    assert refused("train", "--train_file", corpus, *output) == words
    streaming = ("--streaming", "--steps_per_epoch", "1", "--validation_file", SAMPLE / "validation.jsonl")
    assert refused("train", "--train_file", corpus, *streaming, *output) == words
    assert refused("describe", "--train_file", corpus) == words
    test = ("--train_file", SAMPLE / "train.jsonl", "--test_file", corpus)
    assert refused("evaluate", "--model", onnx_folder, "--backend", "onnx", *test) == words
