import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from transformers import pipeline

from aslstm.model_folder.onnx_graphs import export_graph
from aslstm.prediction.classifier import Classifier
from aslstm.prediction.onnx_pipeline import OnnxPipeline
from modeling_aslstm import ASLSTMForSequenceClassification
from tests.support.commands import ROOT
from tokenization import ASLSTMTokenizer

POSTS = ["今天又加班[泪]", "今天又加班[太开心]", "", "😂😂", "！！！", "Nice 一天👍🏽，[泪流满面流]", "今天" * 2000 + "[怒]"]
SERVING_FILES = (
    "config.json", "tokenizer_config.json", "vocab.txt", "emoji_vocab.txt", "user_dict.txt", "script_table.txt",
    "onnx/model_int8.onnx",
)  # fmt: skip

CLASSIFY = """
import json, sys
from aslstm.prediction.onnx_pipeline import OnnxPipeline
from tokenization import ASLSTMTokenizer

folder, posts = json.loads(sys.argv[1])
classify = OnnxPipeline(folder, ASLSTMTokenizer.from_pretrained(folder), num_threads=1)
print(json.dumps([classify(posts, top_k=None, return_attention=True, emoji_effect=True), "torch" in sys.modules]))
"""


@pytest.fixture(scope="module")
def classify(onnx_folder: Path) -> Any:
    return pipeline("text-classification", model=str(onnx_folder), trust_remote_code=True)


@pytest.fixture(scope="module")
def exact(onnx_folder: Path) -> OnnxPipeline:
    return OnnxPipeline(onnx_folder, ASLSTMTokenizer.from_pretrained(onnx_folder), "model.onnx", num_threads=1)


@pytest.fixture(scope="module")
def int8(onnx_folder: Path) -> OnnxPipeline:
    return OnnxPipeline(onnx_folder, ASLSTMTokenizer.from_pretrained(onnx_folder), num_threads=1)


def numbers_to_approx(value: Any, tolerance: float) -> Any:
    """The same result, to be compared by ``==`` with its floats up to the tolerance."""
    if isinstance(value, float):
        return pytest.approx(value, abs=tolerance)
    if isinstance(value, list):
        return [numbers_to_approx(entry, tolerance) for entry in value]
    return {key: numbers_to_approx(entry, tolerance) for key, entry in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize("texts", [POSTS[0], POSTS, POSTS[1:2]], ids=["text", "list", "list of one"])
@pytest.mark.parametrize("arguments", [{}, {"top_k": None}, {"top_k": 1}, {"top_k": 3}, {"top_k": 100}], ids=str)
@pytest.mark.parametrize("reasons", [{}, {"return_attention": True}, {"emoji_effect": True, "return_attention": True}], ids=str)
def test_results_are_those_of_the_torch_pipeline(
    classify: Any, exact: OnnxPipeline, texts: Any, arguments: dict, reasons: dict
) -> None:
    expected = classify(texts, **reasons, **arguments)
    found = exact(texts, batch_size=3, **reasons, **arguments)
    assert found == numbers_to_approx(expected, 1e-5)


def test_no_texts_give_no_results(int8: OnnxPipeline) -> None:
    assert int8([]) == []


@pytest.mark.parametrize("options", [{}, {"top_k": None}, {"top_k": 1}, {"return_attention": True}], ids=str)
def test_dictionaries_of_a_text_give_what_the_torch_pipeline_gives(classify: Any, exact: OnnxPipeline, options: Any) -> None:
    for inputs in ({"text": POSTS[0]}, [{"text": post} for post in POSTS], [POSTS[0], {"text": POSTS[1]}], tuple(POSTS)):
        assert exact(inputs, **options) == numbers_to_approx(classify(inputs, **options), 1e-5)


@pytest.mark.parametrize(
    "value", [None, float("nan"), 5, b"text", ["a", "b"], {}, {"text": None}, {"text": "a", "text_pair": "b"}], ids=str
)
def test_what_is_no_text_is_refused_in_one_line(int8: OnnxPipeline, value: Any) -> None:
    for inputs in ([POSTS[0], value], value):
        if inputs == ["a", "b"]:
            continue  # a list of texts
        with pytest.raises(ValueError, match=r"expected one text, found .*; give a text alone, or several in a list") as raised:
            int8(inputs)
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("problem_type", "num_labels"), [("multi_label_classification", 3), ("regression", 3), (None, 1), ("regression", 1)]
)
def test_scores_of_other_problems_are_those_of_the_torch_pipeline(
    model_folder: Path, tmp_path: Path, problem_type: str | None, num_labels: int
) -> None:
    options: dict[str, Any] = {"num_labels": num_labels, "ignore_mismatched_sizes": True, "problem_type": problem_type}
    model = ASLSTMForSequenceClassification.from_pretrained(model_folder, **options)
    model.save_pretrained(tmp_path)
    tokenizer = ASLSTMTokenizer.from_pretrained(model_folder)
    tokenizer.save_pretrained(tmp_path)
    (tmp_path / "onnx").mkdir()
    export_graph(model, tmp_path / "onnx" / "model.onnx")
    stock = pipeline("text-classification", model=str(tmp_path), trust_remote_code=True)
    expected = stock(POSTS, top_k=None)
    assert OnnxPipeline(tmp_path, tokenizer, "model.onnx")(POSTS, top_k=None) == numbers_to_approx(expected, 1e-5)
    by_label = [{entry["label"]: entry["score"] for entry in entries} for entries in expected]
    classifier = Classifier(tmp_path)
    found = [dict(zip(classifier.label_names, row, strict=True)) for row in classifier.predict(POSTS).tolist()]
    assert found == numbers_to_approx(by_label, 1e-5)


def test_int8_answers_alike_alone_and_in_batches(classify: Any, int8: OnnxPipeline) -> None:
    together = int8(POSTS, batch_size=4)
    assert together == numbers_to_approx(classify(POSTS), 0.05)
    # The range of the LSTM's inputs is measured on the whole batch, so others in it move the score a little.
    assert [int8(post)[0] for post in POSTS] == numbers_to_approx(together, 0.02)


def test_a_serving_folder_classifies_in_a_fresh_process_without_torch(
    onnx_folder: Path, int8: OnnxPipeline, tmp_path: Path
) -> None:
    (tmp_path / "onnx").mkdir()
    for name in SERVING_FILES:
        shutil.copy(onnx_folder / name, tmp_path / name)
    command = [sys.executable, "-c", CLASSIFY, json.dumps([str(tmp_path), POSTS])]
    output = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=ROOT, check=True).stdout
    found, has_torch = json.loads(output)
    assert found == numbers_to_approx(int8(POSTS, top_k=None, return_attention=True, emoji_effect=True), 1e-6)
    assert not has_torch


CLASSIFY_WITHOUT_TRANSFORMERS = """
import json, sys
for name in ("torch", "transformers", "tokenizers"):
    sys.modules[name] = None
from aslstm.prediction.onnx_pipeline import OnnxPipeline
from tokenization.post_encoding import PostEncoder

folder, posts = json.loads(sys.argv[1])
classify = OnnxPipeline(folder, PostEncoder.from_folder(folder), num_threads=1)
print(json.dumps([classify(posts), classify(posts, top_k=None, return_attention=True, emoji_effect=True)]))
"""


def test_an_encoder_without_transformers_serves_as_the_tokenizer_does(onnx_folder: Path, int8: OnnxPipeline) -> None:
    command = [sys.executable, "-c", CLASSIFY_WITHOUT_TRANSFORMERS, json.dumps([str(onnx_folder), POSTS])]
    output = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=ROOT, check=True).stdout
    expected = [int8(POSTS), int8(POSTS, top_k=None, return_attention=True, emoji_effect=True)]
    assert json.loads(output) == numbers_to_approx(expected, 1e-6)


def test_the_cards_example_runs_and_answers_as_the_pipeline_does(onnx_folder: Path, int8: OnnxPipeline) -> None:
    card = (onnx_folder / "README.md").read_text(encoding="utf-8")
    example = next(code for code in re.findall(r"```python\n(.*?)```", card, re.DOTALL) if "onnxruntime" in code)
    output = subprocess.run(
        [sys.executable, "-c", example], capture_output=True, text=True, encoding="utf-8", cwd=onnx_folder.parent, check=True
    ).stdout
    posts = re.findall(r'"(今天[^"]+)"', example)
    assert len(posts) == 2
    assert output.split() == [result["label"] for result in int8(posts)]


@pytest.mark.parametrize("damage", ["missing", "empty", "no graph", "half a graph"])
def test_a_missing_or_damaged_graph_is_one_clear_line(onnx_folder: Path, tmp_path: Path, damage: str) -> None:
    shutil.copytree(onnx_folder, tmp_path / "model")
    path = tmp_path / "model" / "onnx" / "model_int8.onnx"
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes({"empty": b"", "no graph": b"<html>", "half a graph": content[: len(content) // 2]}[damage])
    with pytest.raises(ValueError, match=r"model_int8.onnx: expected an ONNX graph, found") as raised:
        OnnxPipeline(tmp_path / "model", ASLSTMTokenizer.from_pretrained(onnx_folder))
    assert "\n" not in str(raised.value)


def test_attention_of_a_fusion_without_weights_is_a_clear_error(onnx_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(onnx_folder, tmp_path / "model")
    path = tmp_path / "model" / "config.json"
    config = json.loads(path.read_text(encoding="utf-8")) | {"emoji_fusion": "concat"}
    path.write_text(json.dumps(config), encoding="utf-8")
    text_only = OnnxPipeline(tmp_path / "model", ASLSTMTokenizer.from_pretrained(onnx_folder))
    with pytest.raises(ValueError, match=r"return_attention: expected .* found 'concat'"):
        text_only(POSTS[0], return_attention=True)


def test_a_tokenizer_of_another_model_is_refused(onnx_folder: Path, tokenizer: ASLSTMTokenizer) -> None:
    with pytest.raises(ValueError, match=r"expected a tokenizer with .* load both from the same folder"):
        OnnxPipeline(onnx_folder, tokenizer)
