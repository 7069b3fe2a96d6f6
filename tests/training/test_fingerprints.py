"""The contents of the rows: told from one another, compared at a resume, and never taken from a stale cache."""

import json
import os
import shutil
import time
from pathlib import Path

import pytest
from datasets import Dataset

from aslstm.data.corpora import CorpusSource, read_splits
from aslstm.files import json_text, write_checksums
from aslstm.training.fingerprints import RowsFingerprint, fingerprint_of_rows
from tests.support.commands import COMMANDS, SAMPLE, run_command

ROWS = [("好", "a"), ("今天", "b"), ("好\ud83d", "a")]


def fingerprint(rows: list[tuple[str, str]]) -> str:
    found = RowsFingerprint()
    for text, label in rows:
        found.add([text], [label])
    return found.hexdigest()


def test_texts_labels_and_their_order_count() -> None:
    others = [
        ROWS[::-1],
        ROWS[:2],
        [("好", "b"), ("今天", "a"), ROWS[2]],
        [("好a", ""), *ROWS[1:]],
        [("今天", "a"), ("好", "b"), ROWS[2]],
    ]
    found = {fingerprint(rows) for rows in [ROWS, *others]}
    assert len(found) == 1 + len(others)
    assert fingerprint([("1 1 ab", "c")]) != fingerprint([("1", "1"), ("ab", "c")])


def test_rows_of_a_stream_and_of_a_data_set_have_one_fingerprint() -> None:
    rows = ROWS[:2] * 700
    data = Dataset.from_dict({"label": [label for _, label in rows], "text": [text for text, _ in rows], "post": ["1"] * 1400})
    assert fingerprint_of_rows(data) == fingerprint(rows)
    assert fingerprint_of_rows(data.select([1, 0])) == fingerprint(ROWS[1::-1])


def test_a_file_that_is_replaced_by_one_of_the_same_size_and_time_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"

    def labels(first: str, second: str) -> list[str]:
        path.write_text("".join(json.dumps({"text": "好", "label": label}) + "\n" for label in (first, second)), "utf-8")
        os.utime(path, ns=(10**18, 10**18))
        return read_splits(CorpusSource(train_file=path))["train"]["label"][:]

    assert labels("a", "b") == ["a", "b"]
    assert labels("b", "a") == ["b", "a"]
    assert labels("a", "b") == ["a", "b"]


def test_hashing_takes_far_less_than_a_hundredth_of_a_training() -> None:
    rows = [json.loads(line) for line in (SAMPLE / "train.jsonl").read_text(encoding="utf-8").splitlines()]
    data = Dataset.from_dict({name: [row[name] for row in rows] for name in ("text", "label")})
    started = time.perf_counter()
    fingerprint_of_rows(data)
    # One epoch of a million rows takes minutes.
    assert (time.perf_counter() - started) / len(rows) * 1_000_000 < 60


# ---- kill, change, resume ----

SIZES = ("--embedding_size", "8", "--hidden_size", "4", "--num_train_epochs", "2", "--checkpointing_steps", "3")


def shuffle_labels(path: Path) -> None:
    """Give each row the label of the next one; size, counts and time stay."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    labels = [row["label"] for row in rows]
    status = path.stat()
    lines = [
        json.dumps(row | {"label": label}, ensure_ascii=False) + "\n"
        for row, label in zip(rows, labels[1:] + labels[:1], strict=True)
    ]
    path.write_text("".join(lines), encoding="utf-8")
    os.utime(path, ns=(status.st_mtime_ns, status.st_mtime_ns))


@pytest.fixture
def killed(tmp_path: Path) -> list[str | Path]:
    """The flags of a training on files of its own, which was killed after its first state."""
    for split in ("train", "validation"):
        lines = (SAMPLE / f"{split}.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
        rows = [json.loads(line) for line in lines[:400]]
        content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (tmp_path / f"{split}.jsonl").write_text(content, encoding="utf-8")
    flags: list[str | Path] = ["--train_file", tmp_path / "train.jsonl", "--validation_file", tmp_path / "validation.jsonl"]
    flags += ["--output_dir", tmp_path / "model", *SIZES]
    result = COMMANDS.run(["-m", "aslstm", "train", *flags], killed_at=("open", "step-00000006.partial/state.json'"))
    assert result.returncode == -9, result.stderr
    return flags


@pytest.mark.parametrize("split", ["train", "validation"])
def test_labels_that_were_shuffled_since_are_noticed(killed: list[str | Path], tmp_path: Path, split: str) -> None:
    shuffle_labels(tmp_path / f"{split}.jsonl")
    result = run_command("train", *killed, "--resume_from_checkpoint", check=False)
    assert result.returncode == 2
    last = result.stderr.splitlines()[-1]
    assert last.startswith(f"error: --resume_from_checkpoint: expected the run that was begun, with contents of {split} ")
    assert last.endswith("; give the same flags and data")


def test_a_state_of_a_version_without_fingerprints_is_resumed(killed: list[str | Path], tmp_path: Path) -> None:
    shutil.copytree(tmp_path / "model-checkpoints", tmp_path / "kept")
    result = run_command("train", *killed, "--resume_from_checkpoint")
    assert "resumed in epoch" in result.stderr and "is not checked" not in result.stderr
    weights = (tmp_path / "model" / "model.safetensors").read_bytes()
    for name in ("model", "model-checkpoints"):
        shutil.rmtree(tmp_path / name)
    (tmp_path / "kept").rename(tmp_path / "model-checkpoints")
    shutil.rmtree(tmp_path / "model-checkpoints" / "step-00000006.partial")
    state = tmp_path / "model-checkpoints" / "step-00000003"
    content = json.loads((state / "state.json").read_text(encoding="utf-8"))
    content["recipe"] = {name: value for name, value in content["recipe"].items() if not name.startswith("contents of ")}
    (state / "state.json").write_text(json_text(content), encoding="utf-8")
    write_checksums(state)
    result = run_command("train", *killed, "--resume_from_checkpoint")
    assert "resumed in epoch" in result.stderr and "whether the rows are the same is not checked" in result.stderr
    assert (tmp_path / "model" / "model.safetensors").read_bytes() == weights
