import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from aslstm.commands.train import parse_settings
from aslstm.errors import UserError
from tests.support.commands import PART_OF_SAMPLE, ROOT, TINY_TRAINING, run_command

METRICS = {"num_examples", "accuracy", "macro_f1", "macro_f1_emotions", "majority_accuracy", "per_class", "intervals_95"}


def read_results(folder: Path) -> dict:
    return json.loads((folder / "eval_results.json").read_text(encoding="utf-8"))


def test_results_hold_validation_and_test_with_and_without_emoji(model_folder: Path) -> None:
    results = read_results(model_folder)
    assert set(results) == {"validation", "validation_emoji", "test", "test_emoji"}
    assert all(set(metrics) == METRICS for metrics in results.values())
    assert results["test"]["num_examples"] == PART_OF_SAMPLE["test"]


def test_the_decision_rule_is_fitted_and_saved(model_folder: Path) -> None:
    config = json.loads((model_folder / "config.json").read_text(encoding="utf-8"))
    assert len(config["label_prior"]) == 8
    assert config["temperature"] != 1.0


def test_the_same_seed_gives_the_same_weights(model_folder: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    run_command("train", "--output_dir", again, *TINY_TRAINING)
    first, second = (load_file(folder / "model.safetensors") for folder in (model_folder, again))
    assert all((first[name] == second[name]).all() for name in first)


def test_averaged_runs_are_the_mean_of_runs_of_their_seeds(model_folder: Path, tmp_path: Path) -> None:
    flags = ("--init_from", model_folder, "--num_train_epochs", "1", "--emoji_row_repeats", "1")
    run_command("train", "--output_dir", tmp_path / "mean", "--average_runs", "2", "--seed", "5", *flags)
    run_command("train", "--output_dir", tmp_path / "single", "--seeds", "5", "10005", *flags)
    mean = load_file(tmp_path / "mean" / "model.safetensors")
    first, second = (load_file(tmp_path / "single" / f"seed-{seed}" / "model.safetensors") for seed in (5, 10005))
    assert any(not torch.equal(first[name], second[name]) for name in mean)
    for name in mean:
        torch.testing.assert_close(mean[name], (first[name] + second[name]) / 2, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--average_runs", "2"), "`average_runs`: expected `init_from`, found none"),
        (("--average_runs", "0"), "`average_runs`: expected 1 or more, found 0"),
        (("--bag_of_words_weight", "1"), "`bag_of_words_weight`: expected 0 or more and less than 1, found 1.0"),
        (("--streaming", "--bag_of_words_weight", "0.4"), "expected `streaming` or `bag_of_words_weight`, found both"),
        (("--emoji_row_repeats", "-1"), "`emoji_row_repeats`: expected 0 or more, found -1"),
        (("--embedding_learning_rate", "nan"), "`embedding_learning_rate`: expected a number above 0, found nan"),
        (("--init_from", ".", "--average_runs", "2", "--checkpointing_steps", "1"), "expected `average_runs` 1 with states"),
        (
            ("--checkpointing_steps", "0"),
            "`checkpointing_steps`: expected a number of steps above 0 or 'epoch', found '0'",
        ),
        (("--streaming", "--checkpointing_steps", "epoch"), "expected `streaming` or `checkpointing_steps`, found both"),
        (("--seeds", "1", "--resume_from_checkpoint", "step-1"), "`resume_from_checkpoint`: expected latest with `seeds`"),
    ],
)
def test_impossible_flags_are_refused(flags: tuple[str, ...], message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["train.py", *flags])
    with pytest.raises(UserError, match=f"^{re.escape(message)}"):
        parse_settings()


@pytest.mark.parametrize("emoji_fusion", ["attention", "concat"])
def test_two_processes_really_run_and_cover_each_test_row_once(emoji_fusion: str, tmp_path: Path) -> None:
    folder = tmp_path / "two"
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2",
        "-m", "aslstm", "train", "--output_dir", str(folder), "--emoji_fusion", emoji_fusion, *TINY_TRAINING,
    ]  # fmt: skip
    result = subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", env={**os.environ, "ACCELERATE_USE_CPU": "true"}
    )
    assert result.returncode == 0, result.stderr
    assert "processes: 2" in result.stderr
    results = read_results(folder)
    assert results["test"]["num_examples"] == PART_OF_SAMPLE["test"]
    assert sum(label["support"] for label in results["test"]["per_class"].values()) == PART_OF_SAMPLE["test"]


@pytest.mark.parametrize(
    "flags",
    [
        ("--strip_emoji", "--class_weight", "balanced", "--select", "loss", "--emoji_prior_weight", "0.5"),
        ("--gradient_accumulation_steps", "2", "--mixed_precision", "bf16", "--report_to", "tensorboard"),
        ("--class_weight", "sqrt", "--select", "accuracy", "--logit_adjustment", "0", "--bag_of_words_weight", "0.4"),
    ],
    ids=" ".join,
)
def test_flags_train_a_whole_folder(flags: tuple[str, ...], tmp_path: Path) -> None:
    folder = tmp_path / "flags"
    run_command("train", "--output_dir", folder, *TINY_TRAINING, *flags)
    assert read_results(folder)["test"]["num_examples"] == PART_OF_SAMPLE["test"]
    assert (tmp_path / "flags-logs").exists() == ("tensorboard" in flags)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="oneDNN's limit of instructions is for x86")
def test_bf16_is_float32_where_the_processor_has_no_lstm_for_it() -> None:
    code = "from aslstm.training.steps import usable_precision; print(usable_precision('bf16'), usable_precision(None))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "ONEDNN_MAX_CPU_ISA": "AVX2"}
    environment |= {"ACCELERATE_MIXED_PRECISION": "no", "ACCELERATE_USE_CPU": "true"}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert result.stdout == "no None\n"
    assert "mixed precision: this processor has no LSTM in bf16 (on x86 it takes AVX-512); training in float32" in result.stderr


def test_own_files_with_other_column_names_train(tmp_path: Path) -> None:
    lines = ["review,stars"]
    for i in range(60):
        lines += [f"真好吃，第{i}次来[太开心],5", f"太难吃了，第{i}次踩雷[怒],1"]
    source = tmp_path / "posts.csv"
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    folder = tmp_path / "own"
    run_command(
        "train", "--train_file", source, "--text_column", "review", "--label_column", "stars", "--output_dir", folder,
        "--num_train_epochs", "2", "--embedding_size", "16", "--hidden_size", "8",
    )  # fmt: skip
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert config["id2label"] == {"0": "1", "1": "5"}
    assert set(read_results(folder)) == {"validation", "validation_emoji"}


def test_a_second_run_on_the_same_data_neither_counts_words_nor_tokenizes(tmp_path: Path) -> None:
    cache = {"HF_DATASETS_CACHE": str(tmp_path / "datasets")}
    for name, hash_seed in (("first", "1"), ("second", "2")):
        result = run_command("train", "--output_dir", tmp_path / name, *TINY_TRAINING, PYTHONHASHSEED=hash_seed, **cache)
        for work in ("Counting words", "Tokenizing"):
            assert (work in result.stderr) == (name == "first"), work
        for stage in ("reading", "segmentation and vocabulary", "tokenization", "training", "decision rule", "saving"):
            assert re.search(rf"^{stage} +\d+\.\d +\d+%$", result.stderr, re.MULTILINE), stage
    first, second = (load_file(tmp_path / name / "model.safetensors") for name in ("first", "second"))
    assert all(torch.equal(first[name], second[name]) for name in first)
    tokens = [(tmp_path / name / "vocab.txt").read_bytes() for name in ("first", "second")]
    assert tokens[0] == tokens[1]


def test_several_seeds_train_a_folder_each_and_report_their_mean(tmp_path: Path) -> None:
    result = run_command("train", "--output_dir", tmp_path / "seeds", "--seeds", "1", "2", *TINY_TRAINING)
    figures = [read_results(tmp_path / "seeds" / f"seed-{seed}")["test"]["macro_f1"] for seed in (1, 2)]
    assert figures[0] != figures[1]
    assert "mean ± sd of 2 seeds" in result.stdout
    assert f"{sum(figures) / 2:.4f}" in result.stdout


@pytest.mark.parametrize("selection", ["has_clauses", "has_emoji"])
def test_a_selection_trains_on_its_rows(selection: str, tmp_path: Path) -> None:
    run_command(
        "train",
        "--output_dir",
        tmp_path / "model",
        "--selection",
        selection,
        *TINY_TRAINING,
        "--max_train_samples",
        str(PART_OF_SAMPLE["train"]),
    )
    assert 0 < read_results(tmp_path / "model")["test"]["num_examples"] < PART_OF_SAMPLE["test"]
