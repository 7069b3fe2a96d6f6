"""A model folder in other hands: a bare environment, another folder, a fresh process, the stock Trainer."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from datasets import Dataset
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
)

from aslstm.data.corpora import CorpusSource, load_corpus
from modeling_aslstm.configuration_aslstm import EMOJI_FUSIONS
from tests.support.commands import PART_OF_SAMPLE, ROOT, TINY_TRAINING, run_command

MINIMAL_PYTHON = ROOT / ".venv-minimal" / "bin" / "python"
POSTS = ["今天又加班[泪]", "今天又加班[太开心]", "", "😂😂", "Nice 一天👍🏽，[泪流满面流]", "明天三点开会"]
EMOJI = [["[泪]"], ["[太开心]"], None, ["😂", "😂"], ["👍🏽", "[泪流满面流]"], None]

CLASSIFY = """
import importlib.util, json, sys
folder, posts = json.loads(sys.argv[1])
assert not any(name in sys.modules for name in ("tokenization", "modeling_aslstm"))
from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification, AutoTokenizer, pipeline
for auto_class in (AutoConfig, AutoTokenizer, AutoModel, AutoModelForSequenceClassification):
    auto_class.from_pretrained(folder, trust_remote_code=True)
results = {}
for task in ("text-classification", "sentiment-analysis"):
    results[task] = pipeline(task, model=folder, trust_remote_code=True)(posts, top_k=None)
effects = pipeline("text-classification", model=folder, trust_remote_code=True)(posts, emoji_effect=True)
results["emoji"] = [result["emoji_effect"] and result["emoji_effect"]["emoji"] for result in effects]
names = ("datasets", "accelerate", "gensim", "aslstm")
results["packages"] = {name: importlib.util.find_spec(name) is not None for name in names}
results["ours"] = [m for m in sys.modules if m.split(".")[0] in ("tokenization", "modeling_aslstm")]
print(json.dumps(results))
"""


def classify_elsewhere(python: Path, folder: Path, cwd: Path) -> dict:
    """Load a folder and classify POSTS in a fresh process, away from the repository."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    environment |= {"HF_HOME": str(cwd / "hf"), "XDG_CACHE_HOME": str(cwd / "cache")}
    result = subprocess.run(
        [str(python), "-c", CLASSIFY, json.dumps([str(folder), POSTS])],
        capture_output=True, text=True, encoding="utf-8", cwd=cwd, env=environment,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


@torch.no_grad()
def scores_here(folder: Path) -> list[dict[str, float]]:
    """Label -> score of each post, by the packages of this repository."""
    from modeling_aslstm import ASLSTMForSequenceClassification
    from tokenization import ASLSTMTokenizer

    tokenizer = ASLSTMTokenizer.from_pretrained(folder)
    model = ASLSTMForSequenceClassification.from_pretrained(folder).eval()
    logits = model(**tokenizer(POSTS, padding=True, return_tensors="pt")).logits
    names = model.config.id2label
    return [{names[i]: float(p) for i, p in enumerate(row)} for row in logits.softmax(-1)]


@pytest.mark.skipif(not MINIMAL_PYTHON.exists(), reason="needs .venv-minimal, which `make test` makes")
def test_a_bare_environment_loads_the_folder_and_agrees(model_folder: Path, tmp_path: Path) -> None:
    found = classify_elsewhere(MINIMAL_PYTHON, model_folder, tmp_path)
    assert found["packages"] == dict.fromkeys(("datasets", "accelerate", "gensim", "aslstm"), False)
    assert found["ours"] == []
    assert found["emoji"] == EMOJI
    for task in ("text-classification", "sentiment-analysis"):
        for entries, expected in zip(found[task], scores_here(model_folder), strict=True):
            for entry in entries:
                assert entry["score"] == pytest.approx(expected[entry["label"]], abs=1e-5)


@pytest.mark.parametrize("emoji_fusion", [fusion for fusion in EMOJI_FUSIONS if fusion != "attention"])
def test_every_fusion_trains_and_loads_in_a_fresh_process(emoji_fusion: str, tmp_path: Path) -> None:
    folder = tmp_path / emoji_fusion
    run_command("train", "--output_dir", folder, "--emoji_fusion", emoji_fusion, *TINY_TRAINING)
    found = classify_elsewhere(Path(sys.executable), folder, tmp_path)
    assert found["emoji"] == EMOJI
    for entries, expected in zip(found["text-classification"], scores_here(folder), strict=True):
        for entry in entries:
            assert entry["score"] == pytest.approx(expected[entry["label"]], abs=1e-5)


def test_saving_again_what_was_loaded_keeps_every_file(model_folder: Path, tmp_path: Path) -> None:
    AutoTokenizer.from_pretrained(model_folder, trust_remote_code=True).save_pretrained(tmp_path)
    model = AutoModelForSequenceClassification.from_pretrained(model_folder, trust_remote_code=True)
    model.save_pretrained(tmp_path)
    assert {p.name for p in tmp_path.glob("*.py")} == {p.name for p in model_folder.glob("*.py")}
    assert set(AutoConfig.from_pretrained(tmp_path, trust_remote_code=True).auto_map) == set(model.config.auto_map)
    assert AutoModel.from_pretrained(tmp_path, trust_remote_code=True).config.vocab_size == model.config.vocab_size


def test_fine_tuning_with_the_stock_trainer_to_another_number_of_labels(model_folder: Path, tmp_path: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(model_folder, trust_remote_code=True)
    model = AutoModelForSequenceClassification.from_pretrained(
        model_folder, trust_remote_code=True, num_labels=2, ignore_mismatched_sizes=True
    )
    assert (model.config.label_prior, model.config.decision_prior_weight, model.config.temperature) == (None, 0.0, 1.0)
    rows = load_corpus(CorpusSource())["train"].select(range(PART_OF_SAMPLE["train"]))
    rows = rows.filter(lambda row: row["label"] in ("happiness", "anger"))

    def encode(row: dict) -> dict:
        return {**tokenizer(row["text"], truncation=True), "labels": int(row["label"] == "happiness")}

    encoded: Dataset = rows.map(encode, remove_columns=rows.column_names)
    split = encoded.train_test_split(test_size=100, seed=0)
    trainer = Trainer(
        model=model,
        args=TrainingArguments(
            output_dir=str(tmp_path), num_train_epochs=6, per_device_train_batch_size=32, learning_rate=1e-2,
            report_to="none", save_strategy="no", disable_tqdm=True, use_cpu=True, seed=0,
        ),
        train_dataset=split["train"],
        data_collator=DataCollatorWithPadding(tokenizer),
    )  # fmt: skip
    trainer.train()
    predictions = trainer.predict(split["test"])
    assert predictions.predictions.shape == (100, 2)
    assert (predictions.predictions.argmax(1) == predictions.label_ids).mean() >= 0.75
    trainer.save_model(str(tmp_path / "tuned"))
    assert AutoModelForSequenceClassification.from_pretrained(tmp_path / "tuned", trust_remote_code=True).num_labels == 2
