"""Labels of every type on the whole way of a corpus: train, evaluate, predict, report, push."""

import functools
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import datasets
import pytest

from aslstm.prediction.classifier import Classifier
from tests.support.commands import run_command

WORDS = {"好": ["太好看了[太开心]", "喜欢😂", "好吃", "开心"], "坏": ["气死我了[怒]", "难过[泪]", "失望", "好累"]}
PLACES = ["店里", "路上", "公司", "家里", "学校", "车站"]
TINY = ("--num_train_epochs", "1", "--embedding_size", "8", "--hidden_size", "4")


def posts(count: int) -> list[tuple[str, str]]:
    """Invented posts, each with the kind of its words."""
    chooser = random.Random(0)
    kinds = [chooser.choice(list(WORDS)) for _ in range(count)]
    return [(f"{chooser.choice(PLACES)}{i}，{chooser.choice(WORDS[kind])}", kind) for i, kind in enumerate(kinds)]


class Case(NamedTuple):
    """How a corpus names its labels: by kind of post, and what the model is to call them."""

    labels: dict[str, Any]
    names: list[str]
    flags: tuple[str, ...] = ()


MANY = {"好": ["喜悦"], "坏": ["愤怒", "悲伤"]}
CASES = {
    "integers": Case({"好": 1, "坏": 0}, ["0", "1"]),
    "floats": Case({"好": 4.5, "坏": 2.0}, ["2", "4.5"]),
    "Chinese": Case({"好": "非常满意", "坏": "不满意"}, ["不满意", "非常满意"]),
    "stars": Case({"好": "★★★★★", "坏": "★☆☆☆☆"}, ["★☆☆☆☆", "★★★★★"]),
    "classes": Case({"好": 1, "坏": 0}, ["差评", "好评"]),
    "several": Case(MANY, ["喜悦", "悲伤", "愤怒"], ("--problem_type", "multi_label_classification")),
}


def write_corpus(folder: Path, name: str) -> tuple[str, ...]:
    """Write train and test in a form that holds labels of this type, and return the flags that name them."""
    case = CASES[name]
    rows = {split: [{"text": text, "label": case.labels[kind]} for text, kind in posts(80)] for split in ("train", "test")}
    for row in rows["test"]:
        row["text"] += "。"
    if name == "classes":
        features = datasets.Features(text=datasets.Value("string"), label=datasets.ClassLabel(names=["差评", "好评"]))
        splits = {split: datasets.Dataset.from_list(part, features=features) for split, part in rows.items()}
        datasets.DatasetDict(splits).save_to_disk(folder / "corpus")
        return "--dataset", str(folder / "corpus")
    for split, part in rows.items():
        path = folder / f"{split}.{'parquet' if name == 'floats' else 'jsonl'}"
        if name == "floats":
            datasets.Dataset.from_list(part).to_parquet(path)
        else:
            path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in part), encoding="utf-8")
    suffix = "parquet" if name == "floats" else "jsonl"
    return "--train_file", str(folder / f"train.{suffix}"), "--test_file", str(folder / f"test.{suffix}")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, tuple[str, ...]]]:
    """Train a tiny model for a type of labels, and return its folder and the flags of its corpus."""

    @functools.cache
    def train(name: str) -> tuple[Path, tuple[str, ...]]:
        work = tmp_path_factory.mktemp("labels")
        corpus = write_corpus(work, name)
        run_command("train", *corpus, *CASES[name].flags, *TINY, "--output_dir", work / "model")
        return work / "model", corpus

    return train


@pytest.mark.parametrize("name", CASES)
def test_labels_of_every_type_go_the_whole_way(
    trained: Callable[[str], tuple[Path, tuple[str, ...]]], tmp_path: Path, name: str
) -> None:
    case = CASES[name]
    model, corpus = trained(name)
    config = json.loads((model / "config.json").read_text(encoding="utf-8"))
    assert sorted(config["id2label"].values()) == sorted(case.names)
    test = corpus[-2:] if name != "classes" else corpus  # A test file alone is enough.
    run_command("evaluate", "--model", model, *test, "--output", tmp_path / "figures.json")
    figures = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    assert figures["labels"] == list(config["id2label"].values()) and figures["all rows"]["num_examples"] == 80
    lines = "".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text, _ in posts(12))
    (tmp_path / "posts.jsonl").write_text(lines, encoding="utf-8")
    run_command("predict", "--model", model, "--input", tmp_path / "posts.jsonl", "--output", tmp_path / "answers.jsonl")
    answers = [json.loads(line) for line in (tmp_path / "answers.jsonl").read_text(encoding="utf-8").splitlines()]
    for answer in answers:
        assert answer["scores"].keys() == set(case.names)
        best = max(answer["scores"], key=answer["scores"].get)
        if name == "several":
            above = {label for label, score in answer["scores"].items() if score >= 0.5}
            assert set(answer["labels"]) == above and answer["label"] == (best if above else "")
        else:
            assert answer["label"] == best and "labels" not in answer
    if any(answer["label"] for answer in answers):
        run_command("report", "--input", tmp_path / "answers.jsonl", "--output", tmp_path / "report")
        assert (tmp_path / "report" / "index.html").is_file()
    if name in ("classes", "several"):  # The process that tries the copy imports torch and transformers anew, which takes long.
        result = run_command("push", "--model", model, "--repo", "alice/tiny", "--dry_run")
        assert "dry run: nothing was sent" in result.stdout


def test_thresholds_are_part_of_the_weights(trained: Callable[[str], tuple[Path, tuple[str, ...]]]) -> None:
    model, _ = trained("several")
    results = json.loads((model / "eval_results.json").read_text(encoding="utf-8"))["validation"]
    assert results["thresholds"].keys() == set(CASES["several"].names)
    assert {"macro_f1", "micro_f1", "accuracy", "intervals_95"} <= results.keys()
    classifier = Classifier(model, backend="torch")
    assert classifier.config.problem_type == "multi_label_classification"
    assert "label_prior" not in vars(classifier.config) or classifier.config.label_prior is None
    scores = classifier.predict([text for text, _ in posts(80)])
    assert ((scores > 0) & (scores < 1)).all() and not (abs(scores.sum(1) - 1) < 1e-6).all()
    card = (model / "README.md").read_text(encoding="utf-8")
    assert "whose score is .5 or more" in card and "--problem_type multi_label_classification" in card


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--bag_of_words_weight", "0.5"), "expected --problem_type single_label_classification or no --bag_of_words_weight"),
        (("--class_weight", "sqrt"), "expected --problem_type single_label_classification or no --class_weight"),
        (("--problem_type", "regression"), "--problem_type: expected single_label_classification or multi_label_class"),
    ],
)
def test_what_several_labels_cannot_have_is_refused_before_anything_is_read(
    tmp_path: Path, flags: tuple[str, ...], message: str
) -> None:
    several = ("--train_file", tmp_path / "none.jsonl", "--problem_type", "multi_label_classification")
    result = run_command("train", *several, *flags, check=False)
    assert result.returncode == 2 and message in result.stderr
