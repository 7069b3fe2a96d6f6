"""A folder that the stock ``Trainer`` saved, without card and checksums, under the project's own commands."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from datasets import Dataset
from huggingface_hub import ModelCard
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
    pipeline,
)

from aslstm.errors import UserError
from aslstm.files import CHECKSUMS
from aslstm.model_folder.layout import check_model_folder
from aslstm.model_folder.staging import name_in_card
from aslstm.prediction.classifier import Classifier
from aslstm.prediction.onnx_pipeline import OnnxPipeline
from aslstm.training.starting_weights import StartingModel
from tests.support.commands import contents, run_command

POSTS = ["今天又加班[泪]", "今天又加班[太开心]，奖金到手😂", "", "气死我了[怒]"]


@pytest.fixture(scope="module")
def trainer_folder(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("stock")
    tokenizer = AutoTokenizer.from_pretrained(model_folder, trust_remote_code=True)
    options: dict[str, Any] = {"num_labels": 2, "ignore_mismatched_sizes": True, "trust_remote_code": True}
    model = AutoModelForSequenceClassification.from_pretrained(model_folder, **options)
    rows = Dataset.from_dict({"text": POSTS, "label": [0, 1, 0, 1]})
    rows = rows.map(lambda batch: tokenizer(batch["text"], truncation=True), batched=True, remove_columns=["text"])
    arguments = TrainingArguments(str(work / "run"), max_steps=2, report_to=[], use_cpu=True, save_strategy="no")
    collator = DataCollatorWithPadding(tokenizer)
    trainer = Trainer(model, arguments, train_dataset=rows, data_collator=collator, processing_class=tokenizer)
    trainer.train()
    trainer.save_model(str(work / "tuned"))
    return work / "tuned"


def test_every_command_takes_the_folder_and_answers_as_the_pipeline_does(trainer_folder: Path, tmp_path: Path) -> None:
    assert not (trainer_folder / CHECKSUMS).exists() and not (trainer_folder / "README.md").exists()
    folder = tmp_path / "tuned"
    shutil.copytree(trainer_folder, folder)
    expected = pipeline("text-classification", model=str(folder), trust_remote_code=True)(POSTS)
    (tmp_path / "posts.jsonl").write_text("".join(json.dumps({"text": post}) + "\n" for post in POSTS), encoding="utf-8")
    run_command("export-onnx", "--model", folder)
    for backend in ("torch", "onnx"):
        flags = ("--model", folder, "--input", tmp_path / "posts.jsonl", "--output", tmp_path / f"{backend}.csv")
        result = run_command("predict", *flags, "--backend", backend)
        assert f"has no {CHECKSUMS}" in result.stderr
        with (tmp_path / f"{backend}.csv").open(encoding="utf-8-sig", newline="") as file:
            found = list(csv.DictReader(file))
        # In a file, a post without words has no label.
        labels = [answer["label"] if post else "" for post, answer in zip(POSTS, expected, strict=True)]
        assert [row["label"] for row in found] == labels
        scores = [answer["score"] for post, answer in zip(POSTS, expected, strict=True) if post]
        assert np.allclose([float(row["score"]) for row in found if row["label"]], scores, atol=0.05)
    run_command("try", folder)
    run_command("nearest", "加班", "--model", folder)
    assert StartingModel(folder).config.num_labels == 2
    result = run_command("push", "--model", folder, "--repo", "alice/tuned", "--dry_run")
    assert "has no card README.md, so the Hub will say nothing of the model; aslstm finish writes one" in result.stderr
    assert "script_table.txt" in result.stdout and "training_args.bin" not in result.stdout


def test_finish_adds_what_a_folder_lacks_and_changes_nothing_else(trainer_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "tuned"
    shutil.copytree(trainer_folder, folder)
    (folder / "README.md").write_text(
        "---\ntags:\n- generated_from_trainer\nlicense: mit\n---\n\nMy own words.\n", encoding="utf-8"
    )
    before = contents(folder)
    result = run_command("finish", folder)
    assert result.stdout.startswith(f"{folder}: added README.md, ") and "eval_results.json" in result.stdout
    after = contents(folder)
    assert {name for name in before if before[name] != after[name]} == {"README.md"}
    card = ModelCard.load(folder / "README.md")
    assert card.data.license == "mit" and "My own words." in card.text
    assert {"generated_from_trainer", "custom_code"} <= set(card.data.tags or ())
    listed = json.loads((folder / CHECKSUMS).read_text(encoding="utf-8"))
    assert "training_args.bin" in after and "training_args.bin" not in listed
    check_model_folder(folder)
    assert run_command("finish", folder).stdout == f"{folder}: complete, nothing to add\n"
    assert name_in_card((folder / "README.md").read_bytes(), "alice/tuned")


def test_labels_that_a_user_names_keep_their_names(model_folder: Path, tmp_path: Path) -> None:
    names = {0: "差评", 1: "好评"}
    options: dict[str, Any] = {"id2label": names, "label2id": {name: i for i, name in names.items()}, "trust_remote_code": True}
    model = AutoModelForSequenceClassification.from_pretrained(model_folder, ignore_mismatched_sizes=True, **options)
    model.train()
    model.save_pretrained(tmp_path / "tuned")
    AutoTokenizer.from_pretrained(model_folder, trust_remote_code=True).save_pretrained(tmp_path / "tuned")
    assert Classifier(tmp_path / "tuned", backend="torch").label_names == ["差评", "好评"]
    again = AutoModelForSequenceClassification.from_pretrained(tmp_path / "tuned", num_labels=2, trust_remote_code=True)
    assert again.config.id2label == names and again.config.label2id == options["label2id"]


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer_config.json", "vocab.txt", "emoji_vocab.txt"])
def test_a_folder_that_lacks_a_file_to_load_is_refused(trainer_folder: Path, tmp_path: Path, name: str) -> None:
    shutil.copytree(trainer_folder, tmp_path / "tuned")
    (tmp_path / "tuned" / name).unlink()
    with pytest.raises(UserError, match=f"expected a model folder with {name}, found none; train or fetch it again"):
        check_model_folder(tmp_path / "tuned")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ([], r"config.json: expected the values of a config by their names, found \[\]"),
        ({"num_hidden_layers": 10**6}, "config.json: num_hidden_layers: expected 100 or less, found 1000000"),
        ({"dtype": "int8"}, "config.json: dtype: expected one of .*, found 'int8'"),
        ({"id2label": {"0": "sad", "1": "sad"}}, "config.json: id2label: expected labels that differ"),
        ({"hidden_size": 9}, "model.safetensors: expected the weights of the model, found: "),
        ({"emoji_token_offset": 99}, "expected a tokenizer with .*; load both from the same folder"),
    ],
    ids=str,
)
def test_a_config_that_no_model_can_have_is_one_line(trainer_folder: Path, tmp_path: Path, change: Any, message: str) -> None:
    folder = tmp_path / "tuned"
    shutil.copytree(trainer_folder, folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config = config | {"clause_end_token_ids": []} | change if isinstance(change, dict) else change
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(UserError, match=message) as raised:
        Classifier(folder)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("number", "message"),
    [(None, "found: expected every weight in the model folder, found none of this size for classifier.bias"),
     (float("nan"), "model.safetensors: expected finite weights, found NaN in classifier.bias"),
     (float("inf"), "scores: expected finite numbers, found NaN or infinity")],
)  # fmt: skip
def test_weights_that_are_missing_or_no_numbers_end_predict_with_one_line(
    trainer_folder: Path, tmp_path: Path, number: float | None, message: str
) -> None:
    folder = tmp_path / "tuned"
    shutil.copytree(trainer_folder, folder)
    weights = load_file(folder / "model.safetensors")
    if number is None:
        del weights["classifier.bias"]
    else:
        weights["classifier.bias"].fill_(number)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    (tmp_path / "posts.txt").write_text("今天\n", encoding="utf-8")
    flags = ("--model", folder, "--input", tmp_path / "posts.txt", "--output", tmp_path / "out.csv")
    result = run_command("predict", *flags, check=False)
    assert result.returncode == 2 and message in result.stderr.splitlines()[-1]
    assert result.stderr.splitlines()[-1].startswith("error: ")
    assert not (tmp_path / "out.csv").exists()


def test_labels_follow_their_ids_without_torch_too(trainer_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "tuned"
    shutil.copytree(trainer_folder, folder)
    run_command("export-onnx", "--model", folder)
    expected = OnnxPipeline(folder)(POSTS, top_k=None)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert "id2label" not in config or len(config["id2label"]) == 2
    (folder / "config.json").write_text(json.dumps(config | {"id2label": {"1": "LABEL_1", "0": "LABEL_0"}}), encoding="utf-8")
    assert OnnxPipeline(folder)(POSTS, top_k=None) == expected


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_a_folder_that_was_saved_in_half_precision_answers(model_folder: Path, tmp_path: Path, dtype: torch.dtype) -> None:
    model = AutoModelForSequenceClassification.from_pretrained(model_folder, trust_remote_code=True, dtype=dtype)
    model.save_pretrained(tmp_path / "half")
    AutoTokenizer.from_pretrained(model_folder, trust_remote_code=True).save_pretrained(tmp_path / "half")
    half, whole = (Classifier(folder, backend="torch").predict(POSTS) for folder in (tmp_path / "half", model_folder))
    assert half == pytest.approx(whole, abs=0.02)
