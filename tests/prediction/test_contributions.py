"""Contributions by leave-one-out: against a loop over the posts' ids and texts, and in every way in which they are given."""

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import pipeline

from aslstm.prediction.classifier import Classifier
from aslstm.prediction.onnx_pipeline import OnnxPipeline
from aslstm.prediction.predictor import BatchPredictor
from modeling_aslstm.contributions_aslstm import contributions_of_posts, entries_of_post, log_odds
from tests.support.commands import run_command
from tests.support.prediction_runs import ADDED
from tokenization import ASLSTMTokenizer

POSTS = [
    "今天又加班[泪]",
    "",
    "好",
    "😂😂",
    "Nice 一天👍🏽，[泪流满面流]！！",
    "//@小明:重3㎏，太好吃了[太开心]",
    "今天" * 20 + "[怒]",
]


@pytest.fixture(scope="module")
def classify(onnx_folder: Path) -> Any:
    return pipeline("text-classification", model=str(onnx_folder), trust_remote_code=True)


@pytest.fixture(scope="module")
def classifier(onnx_folder: Path) -> Classifier:
    return Classifier(onnx_folder, backend="torch")


@pytest.fixture(scope="module")
def exact(onnx_folder: Path) -> OnnxPipeline:
    return OnnxPipeline(onnx_folder, file_name="model.onnx", num_threads=1)


def assert_close(found: Any, expected: Any, tolerance: float) -> None:
    """The same words and emoji, with contributions that differ by the tolerance at most."""
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert {**one, "contributions": None} == {**other, "contributions": None}
        assert one["contributions"] == pytest.approx(other["contributions"], abs=tolerance)


def odds_of_ids(model: Any, ids: list[int]) -> dict[str, float]:
    """The log-odds of each label for ids that are read alone, from the probabilities in double precision."""
    with torch.inference_mode():
        probabilities = model(torch.tensor([ids])).logits[0].double().softmax(0)
    return {
        label: math.log(p / (1 - p)) for label, p in zip(model.config.id2label.values(), probabilities.tolist(), strict=True)
    }


@pytest.mark.parametrize("text", POSTS)
def test_contributions_are_those_of_a_loop_that_leaves_out_ids(classify: Any, text: str) -> None:
    found = classify(text, return_contributions=True)[0]["contributions"]
    (post,) = classify.tokenizer.encode_with_offsets([text])
    whole = odds_of_ids(classify.model, post.ids)
    for entry in found:
        kept = [
            i for i, (start, end) in zip(post.ids, post.spans, strict=True) if end <= entry["start"] or start >= entry["end"]
        ]
        without = odds_of_ids(classify.model, kept or [classify.tokenizer.unk_token_id])
        expected = {label: whole[label] - without[label] for label in whole}
        assert entry["contributions"] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("text", ["今天 加班 [泪]", "太好吃了", "😂", "开会 [太开心] 😂 好"])
def test_contributions_are_those_of_texts_with_a_word_taken_out(classify: Any, text: str) -> None:
    def odds(part: str) -> dict[str, float]:
        return {entry["label"]: math.log(entry["score"] / (1 - entry["score"])) for entry in classify(part, top_k=None)}

    whole = odds(text)
    for entry in classify(text, return_contributions=True)[0]["contributions"]:
        without = odds(f"{text[: entry['start']]} {text[entry['end'] :]}")
        assert entry["contributions"] == pytest.approx({label: whole[label] - without[label] for label in whole}, abs=1e-3)


def test_every_word_and_emoji_has_one_entry_in_the_order_of_the_text(classifier: Classifier) -> None:
    tokens = []
    for text, answer in zip(POSTS, classifier.answers(POSTS, contributions=True), strict=True):
        entries = answer.contributions or []
        assert all(set(entry) == {"token", "start", "end", "is_emoji", "contributions"} for entry in entries)
        assert all(text[entry["start"] : entry["end"]] == entry["token"] != "" for entry in entries)
        assert all(one["end"] <= other["start"] for one, other in pairwise(entries))
        assert all(list(entry["contributions"]) == classifier.label_names for entry in entries)
        assert [entry["token"] for entry in entries if entry["is_emoji"]] == answer.emoji
        tokens.append([entry["token"] for entry in entries])
    assert tokens[1] == [] and tokens[3] == ["😂", "😂"]
    assert tokens[4].count("[泪流满面流]") == 1
    assert tokens[5][0] == "//@小明:" and tokens[5].count("㎏") == 1


def test_a_post_of_one_entry_is_compared_with_the_empty_text(classify: Any) -> None:
    (entry,) = classify("😂", return_contributions=True)[0]["contributions"]
    whole, nothing = (odds_of_ids(classify.model, classify.tokenizer.encode(text)) for text in ("😂", ""))
    assert entry["contributions"] == pytest.approx({label: whole[label] - nothing[label] for label in whole}, abs=1e-4)


def test_both_backends_and_the_pipelines_agree(classify: Any, classifier: Classifier, exact: OnnxPipeline) -> None:
    expected = classify(POSTS, return_contributions=True)
    found = exact(POSTS, return_contributions=True, batch_size=3)
    answers = classifier.answers(POSTS, contributions=True)
    for one, other, answer in zip(expected, found, answers, strict=True):
        assert one["label"] == other["label"]
        assert_close(other["contributions"], one["contributions"], 1e-4)
        assert_close(answer.contributions, one["contributions"], 1e-4)


@pytest.mark.parametrize(
    "options", [{"batch_size": 1}, {"batch_size": 4}, {"padding": "max_length", "max_length": 60}], ids=str
)
@pytest.mark.parametrize("side", ["left", "right"])
def test_contributions_do_not_depend_on_batches_and_padding(classify: Any, side: str, options: dict[str, Any]) -> None:
    alone = [classify(post, return_contributions=True, top_k=None)[0]["contributions"] for post in POSTS]
    classify.tokenizer.padding_side = side
    try:
        together = classify(POSTS, return_contributions=True, top_k=None, **options)
    finally:
        classify.tokenizer.padding_side = "right"
    for one, entries in zip(alone, together, strict=True):
        for other in entries:
            assert_close(other["contributions"], one, 1e-4)


@pytest.mark.parametrize("batch_size", [1, 2, 256])
def test_the_classifier_gives_the_same_in_batches_of_any_size(
    classifier: Classifier, exact: OnnxPipeline, batch_size: int
) -> None:
    expected = classifier.answers(POSTS, contributions=True)
    for other in (classifier, exact.classifier):
        found = other.answers(POSTS, contributions=True, batch_size=batch_size)
        for one, answer in zip(expected, found, strict=True):
            assert one.probabilities == pytest.approx(answer.probabilities, abs=1e-5)
            assert_close(answer.contributions, one.contributions, 1e-4)


def test_all_reasons_and_the_polarity_can_be_asked_for_at_once(classify: Any, exact: OnnxPipeline) -> None:
    asked = {"return_attention": True, "emoji_effect": True, "return_contributions": True}
    names = {"label", "score", "attention", "emoji_effect", "contributions"}
    for one, other in zip(classify(POSTS, **asked), exact(POSTS, **asked), strict=True):
        assert set(one) == set(other) == names
        assert_close(other["contributions"], one["contributions"], 1e-4)
    asked["polarity"] = True
    for one, other in zip(classify(POSTS, **asked), exact(POSTS, **asked), strict=True):
        assert set(one) == set(other) == names | {"polarity", "polarity_score"}
        assert one["polarity"] == other["polarity"]
        assert_close(other["contributions"], one["contributions"], 1e-4)


def test_truncation_bounds_how_often_a_post_is_read(classifier: Classifier) -> None:
    text = "今天" * 600 + "[怒]"
    (answer,) = classifier.answers([text], contributions=True)
    assert answer.contributions is not None
    assert len(answer.contributions) == classifier.encoder.model_max_length == 512
    assert answer.contributions[-1]["token"] == "[怒]"


def test_no_more_rows_are_read_at_once_than_asked_and_each_once(tokenizer: ASLSTMTokenizer) -> None:
    # The logits of a post are sums over its tokens: a contribution is then what the entry itself adds.
    config = type("Config", (), {"id2label": {0: "a", 1: "b"}, "problem_type": "multi_label_classification"})
    config.emoji_token_offset, config.num_emoji_tokens = tokenizer.emoji_token_offset, tokenizer.num_emoji_tokens
    weights = np.random.default_rng(0).normal(size=(len(tokenizer), 2))
    batches: list[int] = []

    def logits_of(rows: list[list[int]]) -> list[list[float]]:
        return [weights[row].sum(0).tolist() for row in rows]

    def read(rows: list[list[int]]) -> list[list[float]]:
        batches.append(len(rows))
        return logits_of(rows)

    texts = POSTS[3:]
    posts = [(post.ids, post.spans) for post in tokenizer.encode_with_offsets(texts)]
    logits = logits_of([ids for ids, _ in posts])
    found = contributions_of_posts(texts, posts, logits, read, config, unk_token_id=tokenizer.unk_token_id, batch_size=3)
    num_entries = 0
    for (ids, spans), entries in zip(posts, found, strict=True):
        own = entries_of_post(spans, ids, config)
        num_entries += len(own)
        for entry, place in zip(entries, own, strict=True):
            added = weights[[ids[i] for i in place.positions]].sum(0)
            assert list(entry["contributions"].values()) == pytest.approx(added.tolist())
    assert sum(batches) == num_entries
    assert set(batches[:-1]) == {3} and batches[-1] <= 3


@given(st.lists(st.floats(-30, 30), min_size=2, max_size=6))
def test_log_odds_are_those_of_the_softmax(logits: list[float]) -> None:
    powers = np.exp(np.array(logits))
    expected = [math.log(power / np.delete(powers, i).sum()) for i, power in enumerate(powers)]
    assert log_odds(logits, None) == pytest.approx(expected, abs=1e-9)
    assert sum(1 / (1 + math.exp(-value)) for value in log_odds(logits, None)) == pytest.approx(1)


def test_log_odds_of_other_problems_and_of_large_and_bad_logits() -> None:
    assert log_odds([2.0, -3.0], "multi_label_classification") == log_odds([2.0, -3.0], "regression") == [2.0, -3.0]
    assert log_odds([1.5], None) == [1.5]
    assert log_odds([5000.0, 0.0, -5000.0], None) == [5000.0, -5000.0, -10000.0]
    assert log_odds([1.0, 1.0], "single_label_classification") == [0.0, 0.0]
    with pytest.raises(ValueError, match="scores: expected finite numbers"):
        log_odds([math.nan, 1.0], None)


def test_predict_gives_a_column_in_every_format(onnx_folder: Path, classifier: Classifier, tmp_path: Path) -> None:
    source = tmp_path / "posts.jsonl"
    source.write_text("".join(json.dumps({"text": post}) + "\n" for post in POSTS), encoding="utf-8")
    arguments = (
        "predict",
        "--model",
        onnx_folder,
        "--backend",
        "torch",
        "--input",
        source,
        "--prefix",
        "p_",
        "--contributions",
        "--no_clean",
    )
    for name in ("out.jsonl", "out.csv", "out.parquet"):
        run_command(*arguments, "--output", tmp_path / name)
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert list(rows[0]) == ["text", *(f"p_{name}" for name in ADDED), "p_contributions"]
    for row, answer in zip(rows, classifier.answers(POSTS, contributions=True), strict=True):
        assert_close(row["p_contributions"], answer.contributions, 1e-4)
    table = pyarrow.parquet.read_table(tmp_path / "out.parquet")
    fields = table.schema.field("p_contributions").type.value_type
    assert [field.name for field in fields] == ["token", "start", "end", "is_emoji", "contributions"]
    assert [field.name for field in fields.field("contributions").type] == classifier.label_names
    assert table.column("p_contributions").to_pylist() == [row["p_contributions"] for row in rows]
    assert json.dumps(rows[0]["p_contributions"][0]["token"], ensure_ascii=False) in (
        (tmp_path / "out.csv").read_text(encoding="utf-8").replace('""', '"')
    )


def test_a_frame_gets_attention_and_contributions(onnx_folder: Path) -> None:
    predictor = BatchPredictor(onnx_folder, backend="onnx", attention=True, contributions=True, num_threads=1)
    found = predictor({"text": np.array(POSTS)})
    assert list(found) == ["text", *ADDED, "attention", "contributions"]
    assert [len(entries) for entries in found["contributions"]][:3] == [4, 0, 1]
