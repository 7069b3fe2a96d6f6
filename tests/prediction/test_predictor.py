import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest

from aslstm.errors import UserError
from aslstm.files import write_checksums
from aslstm.prediction.predictor import BatchPredictor

POSTS = ["今天又加班[泪]", "", "好耶🎉😂", "明天下午三点开会"]
ADDED = ["label", "score", "scores", "polarity", "polarity_score", "emoji"]


@pytest.fixture(scope="module")
def predictor(onnx_folder: Path) -> BatchPredictor:
    return BatchPredictor(onnx_folder, backend="onnx", num_threads=1)


def test_a_frame_and_a_dictionary_of_arrays_get_the_same_columns(predictor: BatchPredictor) -> None:
    frame = pandas.DataFrame({"id": [7, 8, 9, 10], "text": POSTS}, index=[3, 1, 2, 0])
    found = predictor(frame)
    assert list(found.columns) == ["id", "text", *ADDED]
    assert found[["id", "text"]].equals(frame)
    assert found["emoji"].tolist() == [["[泪]"], [], ["🎉", "😂"], []]
    arrays = predictor({"id": np.arange(4), "text": np.array(POSTS)})
    assert list(arrays) == ["id", "text", *ADDED]
    assert all(isinstance(array, np.ndarray) and array.shape == (4,) for array in arrays.values())
    # As text, because a score that is missing is not equal to itself.
    assert repr({name: arrays[name].tolist() for name in ADDED}) == repr({name: found[name].tolist() for name in ADDED})
    expected = predictor.classifier.predict(POSTS)
    labels = [predictor.label_names[i] for i in expected.argmax(1)]
    assert found["label"].tolist() == [label if text else "" for label, text in zip(labels, POSTS, strict=True)]
    full = found[found["text"] != ""]
    assert [list(scores.values()) for scores in full["scores"]] == pytest.approx(np.delete(expected, 1, axis=0), abs=1e-6)
    assert full["score"].tolist() == pytest.approx(np.delete(expected.max(1), 1), abs=1e-6)


@pytest.mark.parametrize("text", ["", " \n", "http://t.cn/A6abc", "\u200b", "[视频]"])
def test_a_post_without_words_has_no_label(predictor: BatchPredictor, text: str) -> None:
    found = predictor.answers([text, "。"])
    nothing = {"label": "", "score": None, "scores": None, "polarity": "", "polarity_score": None, "emoji": []}
    assert {name: values[0] for name, values in found.items()} == nothing
    assert found["label"][1] in predictor.label_names


def test_batches_do_not_depend_on_those_before(predictor: BatchPredictor) -> None:
    frame = pandas.DataFrame({"text": POSTS})
    first = predictor(frame)
    predictor(pandas.DataFrame({"text": ["别的", "[怒]" * 300]}))
    assert predictor(frame).equals(first)


def test_lists_of_one_length_stay_lists(predictor: BatchPredictor) -> None:
    found = predictor({"text": np.array(["好[泪]", "[怒]"])})["emoji"]
    assert found.shape == (2,) and found.tolist() == [["[泪]"], ["[怒]"]]


def test_an_empty_batch_gets_the_columns(predictor: BatchPredictor) -> None:
    found = predictor(pandas.DataFrame({"text": pandas.Series([], dtype=str)}))
    assert list(found.columns) == ["text", *ADDED] and len(found) == 0
    full = predictor(pandas.DataFrame({"text": POSTS}))
    assert found[ADDED].dtypes.equals(full[ADDED].dtypes)
    arrays, full_arrays = predictor({"text": np.array([], dtype=str)}), predictor({"text": np.array(POSTS)})
    kinds = [[of[name].dtype.kind for name in ADDED] for of in (arrays, full_arrays)]
    assert kinds == [["U", "f", "O", "U", "f", "O"]] * 2
    assert all(arrays[name].shape == (0,) for name in ADDED)


def test_a_prefix_and_attention(onnx_folder: Path) -> None:
    predictor = BatchPredictor(onnx_folder, backend="onnx", text_column="post", prefix="p_", attention=True)
    found = predictor(pandas.DataFrame({"post": POSTS, "label": "gold"}))
    assert list(found.columns) == ["post", "label", *(f"p_{name}" for name in ADDED), "p_attention"]
    for text, entries in zip(POSTS, found["p_attention"], strict=True):
        assert all(text[entry["start"] : entry["end"]] == entry["token"] for entry in entries)
        assert sum(entry["weight"] for entry in entries) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"post": POSTS}, ["expected a text in column 'text'", "found post", "`text_column`"]),
        ({"text": [*POSTS[:3], None]}, ["row 4 of the batch", "expected a text", "nan"]),
        ({"text": [1, 2, 3, 4]}, ["row 1 of the batch", "expected a text", "1"]),
        ({"text": POSTS, "score": 1}, ["no column score", "found text, score", "prefix"]),
    ],
    ids=str,
)
def test_bad_batches_are_one_line(predictor: BatchPredictor, columns: dict, words: list[str]) -> None:
    with pytest.raises(UserError) as raised:
        predictor(pandas.DataFrame(columns))
    assert [word for word in words if word not in str(raised.value)] == []
    assert len(str(raised.value).splitlines()) == 1


def test_a_model_without_attention_and_an_unknown_backend_are_refused(onnx_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(onnx_folder, folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(config | {"emoji_fusion": "context"}), encoding="utf-8")
    write_checksums(folder)
    assert not BatchPredictor(folder, backend="onnx").attention
    with pytest.raises(UserError, match=r"return_attention: expected a model .* found 'context'"):
        BatchPredictor(folder, backend="onnx", attention=True)
    with pytest.raises(UserError, match="`backend`: expected one of torch, onnx, found 'jax'"):
        BatchPredictor(onnx_folder, backend="jax")
    with pytest.raises(UserError, match=r"expected a model folder with config\.json"):
        BatchPredictor(tmp_path)


@pytest.mark.parametrize("texts", ["今天", None, float("nan"), {"text": "今天"}], ids=repr)
def test_a_single_text_is_no_batch(predictor: BatchPredictor, texts: Any) -> None:
    for call in (lambda: predictor.answers(texts), lambda: predictor({"text": texts})):
        with pytest.raises(UserError, match=r"^the batch: expected a list of texts, found .*; put a single text into a list"):
            call()
    with pytest.raises(ValueError, match=r"^texts: expected a list of texts, found .*; put a single text into a list"):
        predictor.classifier.predict(texts)


@pytest.mark.parametrize("value", [None, float("nan"), {"text": "今天"}, ["今天"]], ids=repr)
def test_an_entry_that_is_no_text_is_named(predictor: BatchPredictor, value: Any) -> None:
    with pytest.raises(UserError, match=r"^row 2 of the batch: expected a text in column 'text', found "):
        predictor({"text": ["今天", value]})
    for call in (predictor.classifier.predict, predictor.classifier.answers):
        with pytest.raises(ValueError, match=r"^text 2: expected a text, found "):
            call(["今天", value])
