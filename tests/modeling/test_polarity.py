"""The polarity of an answer: its exact value, and the same value in every way of asking."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from transformers import pipeline

from aslstm.files import write_checksums
from aslstm.prediction.classifier import Classifier
from aslstm.prediction.onnx_pipeline import OnnxPipeline
from aslstm.prediction.predictor import BatchPredictor
from modeling_aslstm.results_aslstm import polarity_entry
from tests.support.commands import run_command

POSTS = ["今天又加班[泪]", "今天又加班[太开心]", "", "😂😂", "明天开会"]
POLARITIES = {"like": "positive", "happiness": "positive", "fear": "negative", "none": "neutral", "surprise": "neutral"}


def config_of(polarities: dict[str, str] | None = POLARITIES, threshold: float = 0.5) -> SimpleNamespace:
    labels = dict(enumerate(polarities or POLARITIES))
    return SimpleNamespace(id2label=labels, polarity_of_labels=polarities, polarity_threshold=threshold)


@pytest.mark.parametrize(
    ("probabilities", "threshold", "polarity", "score"),
    [
        ([0.25, 0.25, 0.125, 0.25, 0.125], 0.5, "positive", 0.375),
        ([0.125, 0.0, 0.375, 0.25, 0.25], 0.5, "negative", -0.25),  # The threshold itself is not above it.
        ([0.125, 0.0, 0.375, 0.25, 0.25], 0.4375, "neutral", -0.25),
        ([0.125, 0.125, 0.25, 0.25, 0.25], 0.5, "positive", 0.0),  # A score of 0 is positive.
        ([1.0, 0.0, 0.0, 0.0, 0.0], 0.5, "positive", 1.0),
        ([0.0, 0.0, 1.0, 0.0, 0.0], 0.5, "negative", -1.0),
        ([0.0, 0.0, 0.0, 1.0, 0.0], 1.0, "positive", 0.0),  # Nothing is above 1.
    ],
    ids=str,
)
def test_the_polarity_is_a_sum_of_the_labels(probabilities: list[float], threshold: float, polarity: str, score: float) -> None:
    found = polarity_entry(probabilities, config_of(threshold=threshold))
    assert found == {"polarity": polarity, "polarity_score": score}


def test_a_model_without_neutral_labels_is_never_neutral_and_one_without_polarity_gives_none() -> None:
    config = config_of({"bad": "negative", "good": "positive"}, threshold=0.0)
    assert [polarity_entry(row, config)["polarity"] for row in ([0.75, 0.25], [0.5, 0.5])] == ["negative", "positive"]
    assert polarity_entry([0.2] * 5, config_of(None)) == {}


@pytest.fixture(scope="module")
def torch_pipeline(onnx_folder: Path) -> Any:
    return pipeline("text-classification", model=str(onnx_folder), trust_remote_code=True)


def polarities_of(results: list[dict[str, Any]]) -> list[tuple[str, float]]:
    return [(result["polarity"], pytest.approx(result["polarity_score"], abs=1e-5)) for result in results]


def test_every_way_of_asking_gives_the_sum_of_the_scores(onnx_folder: Path, torch_pipeline: Any) -> None:
    exact = OnnxPipeline(onnx_folder, file_name="model.onnx")
    classifier = Classifier(onnx_folder, backend="torch")
    config = classifier.config
    scores = [[{e["label"]: e["score"] for e in entries}[label] for label in classifier.label_names]
              for entries in torch_pipeline(POSTS, top_k=None)]  # fmt: skip
    expected = polarities_of([polarity_entry(row, config) for row in scores])
    asked = [
        torch_pipeline(POSTS, polarity=True),
        torch_pipeline(POSTS, polarity=True, function_to_apply="none", emoji_effect=True),
        [entries[-1] for entries in torch_pipeline(POSTS, polarity=True, top_k=2)],
        exact(POSTS, polarity=True),
        exact(POSTS, polarity=True, return_attention=True),
        [answer._asdict() for answer in classifier.answers(POSTS)],
        [answer._asdict() for answer in classifier.answers(POSTS, attention=True)],
    ]
    for results in asked:
        assert [(result["polarity"], result["polarity_score"]) for result in results] == expected
    columns = BatchPredictor(classifier).answers(POSTS)
    # A row of a file gets no answer where there is nothing to read; a caller who asks about one text does.
    of_rows = [pair if text else ("", None) for text, pair in zip(POSTS, expected, strict=True)]
    assert list(zip(columns["polarity"], columns["polarity_score"], strict=True)) == of_rows
    assert "polarity" not in torch_pipeline(POSTS[0])[0] and "polarity" not in exact(POSTS[0])[0]
    assert "polarity" not in torch_pipeline(POSTS[0], polarity=False, return_attention=True)[0]


@pytest.fixture(scope="module")
def old_folder(onnx_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder as it was saved before there was a polarity."""
    folder = tmp_path_factory.mktemp("saved") / "old"
    shutil.copytree(onnx_folder, folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    old = {name: value for name, value in config.items() if not name.startswith("polarity")}
    assert len(old) < len(config)
    (folder / "config.json").write_text(json.dumps(old), encoding="utf-8")
    write_checksums(folder)
    return folder


def test_a_folder_without_polarity_answers_as_before(onnx_folder: Path, old_folder: Path) -> None:
    predictor = BatchPredictor(old_folder, backend="onnx")
    assert predictor.added == ["label", "score", "scores", "emoji"]
    with_polarity = BatchPredictor(onnx_folder, backend="onnx").answers(POSTS)
    assert predictor.answers(POSTS) == {name: with_polarity[name] for name in predictor.added}
    (answer,) = predictor.classifier.answers(POSTS[:1])
    assert (answer.polarity, answer.polarity_score) == (None, None)
    asked = pipeline("text-classification", model=str(old_folder), trust_remote_code=True)
    for classify in (OnnxPipeline(old_folder), asked):
        assert set(classify(POSTS[0])[0]) == {"label", "score"}
        with pytest.raises(ValueError, match=r"^polarity: expected a model with polarity_of_labels .* found none; call it wit"):
            classify(POSTS[0], polarity=True)


def test_a_column_named_polarity_is_refused_where_one_is_added(onnx_folder: Path, old_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "posts.jsonl").write_text('{"text": "好[泪]", "polarity": "gut"}\n', encoding="utf-8")
    flags = ("--backend", "onnx", "--input", tmp_path / "posts.jsonl", "--output")
    refused = run_command("predict", "--model", onnx_folder, *flags, tmp_path / "new.jsonl", check=False)
    assert refused.returncode == 2
    assert "line 1: expected no column polarity, which is to be added, found text, polarity" in refused.stderr
    run_command("predict", "--model", onnx_folder, "--prefix", "p_", *flags, tmp_path / "new.jsonl")
    run_command("predict", "--model", old_folder, *flags, tmp_path / "old.jsonl")
    new, old = (json.loads((tmp_path / name).read_text(encoding="utf-8")) for name in ("new.jsonl", "old.jsonl"))
    added = ["label", "score", "scores", "polarity", "polarity_score", "emoji"]
    assert list(new) == ["text", "polarity", *(f"p_{name}" for name in added)]
    assert list(old) == ["text", "polarity", "label", "score", "scores", "emoji"]
