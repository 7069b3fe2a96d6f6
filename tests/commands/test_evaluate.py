import json
from pathlib import Path
from typing import Any

import pytest
from sklearn.metrics import accuracy_score, f1_score

from aslstm.commands.evaluate import name_of_data
from aslstm.commands.flags import show_flags
from aslstm.data.corpora import CorpusSource
from aslstm.errors import UserError
from aslstm.prediction.classifier import Classifier
from tests.support.commands import PART_OF_SAMPLE, SHARED_DATA, SMALL_CORPUS, run_command

SECTIONS = [
    "all rows", "rows with emoji", "rows without emoji", "emoji removed", "emoji shuffled between rows", "words removed",
]  # fmt: skip


def write_rows(path: Path, rows: list[tuple[str, str]]) -> Path:
    path.write_text("".join(json.dumps({"text": t, "label": label}) + "\n" for t, label in rows), encoding="utf-8")
    return path


def test_the_report_agrees_with_scikit_learn_on_the_saved_predictions(model_folder: Path, tmp_path: Path) -> None:
    files = {name: tmp_path / name for name in ("out.json", "answers.jsonl", "confusion.png")}
    result = run_command(
        "evaluate", "--model", model_folder, *SMALL_CORPUS, "--output", files["out.json"],
        "--save_predictions", files["answers.jsonl"], "--plot", files["confusion.png"],
    )  # fmt: skip
    figures = json.loads(files["out.json"].read_text(encoding="utf-8"))
    answers = [json.loads(line) for line in files["answers.jsonl"].read_text(encoding="utf-8").splitlines()]
    gold, given = [a["label"] for a in answers], [a["prediction"] for a in answers]
    assert len(answers) == PART_OF_SAMPLE["test"]
    assert figures["all rows"]["accuracy"] == pytest.approx(accuracy_score(gold, given))
    assert figures["all rows"]["macro_f1"] == pytest.approx(f1_score(gold, given, average="macro"))
    trained = json.loads((model_folder / "eval_results.json").read_text(encoding="utf-8"))
    assert figures["all rows"]["macro_f1"] == pytest.approx(trained["test"]["macro_f1"])
    assert figures["rows with emoji"]["macro_f1"] == pytest.approx(trained["test_emoji"]["macro_f1"])
    assert [name for name in SECTIONS if name not in figures or name not in result.stdout] == []
    assert files["confusion.png"].read_bytes().startswith(b"\x89PNG")
    # The polarity by its definition, with the threshold of the model.
    config = json.loads((model_folder / "config.json").read_text(encoding="utf-8"))
    polarities = config["polarity_of_labels"]

    def polarity_of(probabilities: dict[str, float]) -> str:
        sums = {one: sum(p for label, p in probabilities.items() if polarities[label] == one) for one in polarities.values()}
        if sums["neutral"] > config.get("polarity_threshold", 0.5):
            return "neutral"
        return "positive" if sums["positive"] >= sums["negative"] else "negative"

    expected = f1_score(
        [polarities[label] for label in gold], [polarity_of(a["probabilities"]) for a in answers], average="macro"
    )
    assert figures["all rows"]["macro_f1_polarity"] == pytest.approx(expected)
    model, data, _, header = result.stdout.splitlines()[:4]
    assert model == f"model: {model_folder}" and data == f"data: {SMALL_CORPUS[-1]}, {len(answers)} rows"
    first = next(line for line in result.stdout.splitlines() if "all rows" in line)
    assert "polarity" in header and f"{expected:.4f}" in first
    assert "polarity: macro-F1 of negative, neutral and positive" in result.stdout
    assert all("macro_f1_polarity" in figures[name] for name in SECTIONS)


@pytest.mark.parametrize(
    ("given", "split", "expected"),
    [
        ({}, "test", "the test split of the sample corpus of this package"),
        ({"dataset": "nlpcc2014"}, "test", "the test split of nlpcc2014"),
        ({"train_file": Path("a.csv"), "test_file": Path("b.csv")}, "test", "b.csv"),
        ({"train_file": Path("a.csv")}, "validation", "the validation split of a.csv"),
    ],
)
def test_what_is_scored_is_named(given: dict[str, Any], split: str, expected: str) -> None:
    assert name_of_data(CorpusSource(**given), split) == expected


def test_a_corpus_without_emoji_says_so(model_folder: Path, tmp_path: Path) -> None:
    rows = [("今天加班", "sadness"), ("好开心", "happiness"), ("明天开会", "none")]
    train = write_rows(tmp_path / "train.jsonl", rows)
    test = write_rows(tmp_path / "test.jsonl", rows)
    result = run_command("evaluate", "--model", model_folder, "--train_file", train, "--test_file", test)
    assert "no row has an emoji" in result.stdout
    assert "emoji removed" not in result.stdout


def test_a_post_without_emotion_may_be_called_neutral(onnx_folder: Path, tmp_path: Path) -> None:
    def scored(neutral: str) -> str:
        rows = [
            ("今天下午三点开会", neutral),
            ("气死我了[怒]", "negative"),
            ("太好吃了[太开心]", "positive"),
            ("在家", neutral),
        ]
        test = write_rows(tmp_path / "test.jsonl", rows)
        flags = ("--backend", "onnx", "--test_file", test, "--map_predictions", "nlpcc2014_to_polarity")
        return run_command("evaluate", "--model", onnx_folder, *flags).stdout

    assert scored("neutral") == scored("none")


def test_a_label_outside_the_models_is_an_error(model_folder: Path, tmp_path: Path) -> None:
    rows = [("今天加班", "sadness"), ("好开心", "glee")]
    train, test = (write_rows(tmp_path / f"{split}.jsonl", rows) for split in ("train", "test"))
    flags = ("--model", model_folder, "--train_file", train, "--test_file", test)
    result = run_command("evaluate", *flags, check=False)
    assert result.returncode == 2
    assert "row 2" in result.stderr.splitlines()[-1] and "'glee'" in result.stderr


@pytest.mark.parametrize("flag", ["--output", "--save_predictions", "--plot"])
def test_a_place_without_a_folder_is_refused_before_the_work(tmp_path: Path, flag: str) -> None:
    place = tmp_path / "no" / "figures.png"
    result = run_command("evaluate", "--model", tmp_path / "none", flag, place, check=False)
    assert result.stderr == f"error: {flag} {place}: expected an existing folder, found none; make it first\n"
    assert result.returncode == 2


def test_the_int8_graph_is_scored_like_the_model(onnx_folder: Path, tmp_path: Path) -> None:
    flags = ("--backend", "onnx", "--batch_size", "64", "--num_threads", "1", "--output", tmp_path / "out.json")
    run_command("evaluate", "--model", onnx_folder, *SMALL_CORPUS, *flags)
    found = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["all rows"]
    trained = json.loads((onnx_folder / "eval_results.json").read_text(encoding="utf-8"))["test"]
    assert found["macro_f1"] == pytest.approx(trained["macro_f1"], abs=0.02)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_threads": 0}, "--num_threads: expected 1 or more, found 0"),
        ({"batch_size": 0}, "--batch_size: expected 1 or more, found 0"),
        ({"backend": "onnx"}, "model_int8.onnx: expected an ONNX graph, found none; write it with aslstm export-onnx"),
    ],
    ids=str,
)
def test_settings_of_inference_that_cannot_be_are_one_line(model_folder: Path, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as raised:
        Classifier(model_folder, **settings)
    assert message in show_flags(str(raised.value)) and "\n" not in str(raised.value)
    flags = [text for name, value in settings.items() for text in (f"--{name}", str(value))]
    result = run_command("evaluate", "--model", model_folder, *flags, check=False)
    assert result.returncode == 2 and result.stderr.splitlines()[-1].endswith(message)


@pytest.mark.skipif(not SHARED_DATA.exists(), reason="needs the research corpora beside the project")
def test_a_model_is_scored_on_a_corpus_with_other_labels(model_folder: Path) -> None:
    result = run_command(
        "evaluate", "--model", model_folder, "--dataset", "smp2020_ewect", "--data_dir", SHARED_DATA / "smp2020_ewect",
        "--map_labels", "smp2020_ewect_to_polarity", "--map_predictions", "nlpcc2014_to_polarity",
    )  # fmt: skip
    assert "like → positive" in result.stdout and "neutral → none" in result.stdout
    assert "2000" in result.stdout
    assert "polarity: macro-F1 of negative, neutral and positive" in result.stdout
