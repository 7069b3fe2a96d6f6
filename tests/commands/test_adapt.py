"""``aslstm adapt``: the decision rule of a model is fitted to posts without labels."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from aslstm.files import write_checksums
from aslstm.model_folder.layout import check_model_folder
from aslstm.prediction.classifier import Classifier
from tests.support.commands import PART_OF_SAMPLE, SAMPLE, contents, run_command

# A topic that saddens is of another kind than the sample, whose labels are equally frequent.
MOSTLY = "sadness"


def sad_posts() -> list[str]:
    rows = [json.loads(line) for line in (SAMPLE / "test.jsonl").read_text(encoding="utf-8").splitlines()]
    sad = [row["text"] for row in rows if row["label"] == MOSTLY][:90]
    return sad + [row["text"] for row in rows if row["label"] != MOSTLY][:30]


@pytest.fixture(scope="module")
def posts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The posts in a file, with one of which the model reads nothing."""
    path = tmp_path_factory.mktemp("posts") / "posts.txt"
    path.write_text("\n".join([*sad_posts(), "http://t.cn/A6xyz"]) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def adapted_folder(posts: Path, onnx_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    before = contents(onnx_folder)
    folder = tmp_path_factory.mktemp("adapted") / "adapted"
    result = run_command("adapt", "--model", onnx_folder, "--input", posts, "--output_dir", folder)
    assert result.stdout.splitlines()[-1].startswith("120 posts: ")
    assert contents(onnx_folder) == before
    return folder


def test_every_probability_is_shifted_by_what_the_posts_say_over_what_was_expected(
    adapted_folder: Path, onnx_folder: Path
) -> None:
    classifier = Classifier(onnx_folder, backend="torch")
    given = classifier.predict(sad_posts())
    shifted = given * given.mean(0) / np.array(classifier.config.expected_shares)
    now = Classifier(adapted_folder, backend="torch")
    found = now.predict(sad_posts())
    assert found == pytest.approx(shifted / shifted.sum(1, keepdims=True), abs=1e-5)
    assert np.abs(found - given).max() > 0.01
    assert now.config.expected_shares == pytest.approx(found.mean(0), abs=1e-5)


def test_it_is_a_model_folder_whose_card_says_so_and_whose_old_graphs_are_gone(
    adapted_folder: Path, onnx_folder: Path, posts: Path, tmp_path: Path
) -> None:
    check_model_folder(adapted_folder)
    assert (onnx_folder / "onnx").is_dir() and not (adapted_folder / "onnx").exists()
    card = (adapted_folder / "README.md").read_text(encoding="utf-8")
    assert card.count("## Adapted") == 1 and "fitted to 120 posts without labels" in card
    run_command("predict", "--model", adapted_folder, "--input", posts, "--output", tmp_path / "labelled.csv")


def test_a_model_that_is_adapted_already_stays_as_it_is(adapted_folder: Path, posts: Path, tmp_path: Path) -> None:
    folder = tmp_path / "again"
    run_command("adapt", "--model", adapted_folder, "--input", posts, "--output_dir", folder)
    again, before = (Classifier(one, backend="torch").predict(sad_posts()) for one in (folder, adapted_folder))
    assert again == pytest.approx(before, abs=1e-5)
    assert (folder / "README.md").read_text(encoding="utf-8").count("## Adapted") == 1


def test_training_says_what_a_model_expects(model_folder: Path) -> None:
    shares = json.loads((model_folder / "config.json").read_text(encoding="utf-8"))["expected_shares"]
    lines = (SAMPLE / "validation.jsonl").read_text(encoding="utf-8").splitlines()[: PART_OF_SAMPLE["validation"]]
    rows = [json.loads(line)["text"] for line in lines]
    assert sum(shares) == pytest.approx(1)
    assert shares == pytest.approx(Classifier(model_folder, backend="torch").predict(rows).mean(0), abs=1e-4)


def test_bad_input_is_one_line_and_writes_nothing(
    model_folder: Path, adapted_folder: Path, posts: Path, tmp_path: Path
) -> None:
    few = tmp_path / "few.txt"
    few.write_text("今天又加班[泪]\n" * 49, encoding="utf-8")
    old = tmp_path / "old"
    shutil.copytree(model_folder, old)
    config = json.loads((old / "config.json").read_text(encoding="utf-8"))
    (old / "config.json").write_text(json.dumps(config | {"expected_shares": None}), encoding="utf-8")
    write_checksums(old)
    labels = [["喜悦"], ["愤怒", "悲伤"]] * 40
    rows = [json.dumps({"text": f"今天第{number}条", "label": given}) for number, given in enumerate(labels)]
    (tmp_path / "several.jsonl").write_text("\n".join(rows), encoding="utf-8")
    several = tmp_path / "several"
    files = ("--train_file", tmp_path / "several.jsonl", "--problem_type", "multi_label_classification")
    run_command("train", *files, "--output_dir", several, "--num_train_epochs", "1", "--hidden_size", "4")
    new = tmp_path / "new"
    for model, given, output, words in (
        (model_folder, few, new, ["50 posts", "found 49"]),
        (old, posts, new, [str(old), "expected_shares"]),
        (several, posts, new, [str(several), "one label", "multi_label_classification"]),
        (model_folder, tmp_path / "none.txt", new, ["--input", "found none"]),
        (model_folder, posts, adapted_folder, ["--output_dir", "--overwrite"]),
    ):
        result = run_command("adapt", "--model", model, "--input", given, "--output_dir", output, check=False)
        assert result.returncode == 2
        (line,) = [line for line in result.stderr.splitlines() if line.startswith("error:")]
        assert [word for word in words if word not in line] == []
        assert not new.exists()
