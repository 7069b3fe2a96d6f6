"""The short way to an answer: ``aslstm.analyze``, ``aslstm.load`` and the default model."""

import dataclasses
import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest

import aslstm
from aslstm.errors import UserError
from aslstm.model_folder.choosing import BUILT_IN_MODEL, MODEL_VARIABLE
from aslstm.prediction import analysis
from aslstm.prediction.analysis import Analysis, Analyzer
from tests.support.commands import run_command

POSTS = ["今天又加班[泪]", "", "好耶🎉😂", "明天下午三点开会"]
needs_no_built_in_model = pytest.mark.skipif(BUILT_IN_MODEL.is_dir(), reason="this checkout has a built-in model")


@pytest.fixture
def default_model(onnx_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The model of the tests as the default model, which no other test has loaded."""
    analysis._default_analyzer.cache_clear()
    monkeypatch.setenv(MODEL_VARIABLE, str(onnx_folder))
    yield onnx_folder
    analysis._default_analyzer.cache_clear()


def test_a_result_has_the_fields_of_the_answer(onnx_folder: Path) -> None:
    classify = aslstm.load(onnx_folder, backend="onnx", num_threads=1)
    results = classify(POSTS)
    for result, answer in zip(results, classify.answers(POSTS), strict=True):
        scores = dict(zip(classify.label_names, answer.probabilities.tolist(), strict=True))
        assert result.scores == scores
        assert list(result.scores.values()) == sorted(scores.values(), reverse=True)
        assert (result.label, result.score) == next(iter(result.scores.items()))
        assert (result.polarity, result.polarity_score) == (answer.polarity, answer.polarity_score)
    assert [result.emoji for result in results] == [["[泪]"], [], ["🎉", "😂"], []]
    with pytest.raises(dataclasses.FrozenInstanceError):
        results[0].label = "none"  # type: ignore[misc]


def test_the_representation_is_one_short_line() -> None:
    result = Analysis("sad", 2 / 3, {"sad": 2 / 3, "glad": 1 / 3}, "negative", -1 / 3, ["[泪]"])
    assert repr(result) == (
        "Analysis(label='sad', score=0.667, scores={'sad': 0.667, 'glad': 0.333}, polarity='negative', "
        "polarity_score=-0.333, emoji=['[泪]'])"
    )
    assert "polarity=None, polarity_score=None" in repr(dataclasses.replace(result, polarity=None, polarity_score=None))


def test_a_text_gives_one_result_and_any_series_a_list(default_model: Path) -> None:
    one = aslstm.analyze(POSTS[0])
    assert isinstance(one, Analysis)
    expected = aslstm.load(default_model)(POSTS)
    for series in (POSTS, tuple(POSTS), iter(POSTS), np.array(POSTS), pandas.Series(POSTS, index=[3, 2, 1, 0])):
        assert aslstm.analyze(series) == expected
    assert (one.label, one.emoji) == (expected[0].label, ["[泪]"])
    assert one.score == pytest.approx(expected[0].score, abs=1e-5)
    assert aslstm.analyze([]) == [] and aslstm.analyze(POSTS[:1]) == [one]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (None, "texts: expected a text or a list of texts, found None"),
        (b"bytes", "texts: expected a text or a list of texts, found b'bytes'; decode bytes"),
        (5, "texts: expected a text or a list of texts, found 5"),
        ({"text": "好"}, "texts: expected a text or a list of texts, found {'text': '好'}"),
        (pandas.DataFrame({"text": ["好"]}), "texts: expected a text or a list of texts, found "),
        (["好", float("nan")], "text 2: expected a text, found nan"),
        (["好", None], "text 2: expected a text, found None"),
        (pandas.Series(["好", None]), "text 2: expected a text, found "),
        ([b"bytes"], "text 1: expected a text, found b'bytes'"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_is_no_text_is_refused(default_model: Path, texts: Any, message: str) -> None:
    with pytest.raises(ValueError) as raised:
        aslstm.analyze(texts)
    assert str(raised.value).startswith(message)


def test_a_text_of_five_megabytes_is_answered_soon(default_model: Path) -> None:
    aslstm.analyze("好")
    start = time.monotonic()
    result = aslstm.analyze("今天又加班" * 1_000_000 + "[泪]")
    assert result.emoji == ["[泪]"]
    assert time.monotonic() - start < 60


def test_the_model_is_loaded_once_for_many_threads(default_model: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(aslstm.analyze, POSTS * 8))
    expected = [aslstm.analyze(post) for post in POSTS]
    assert [result.label for result in found] == [result.label for result in expected] * 8
    assert analysis._default_analyzer.cache_info().misses == 1


def _label_of(post: str) -> str:
    return aslstm.analyze(post).label


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="needs fork")
def test_a_forked_process_answers_also_if_the_fork_was_during_a_call(default_model: Path) -> None:
    expected = [_label_of(post) for post in POSTS]
    with analysis._LOCK.get(), multiprocessing.get_context("fork").Pool(2) as pool:
        found = pool.map_async(_label_of, POSTS)
        assert found.get(timeout=60) == expected


def test_the_variable_names_the_default_model(default_model: Path) -> None:
    assert aslstm.model_path() == default_model
    assert isinstance(aslstm.load(), Analyzer)


@needs_no_built_in_model
def test_without_a_model_one_line_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(MODEL_VARIABLE, raising=False)
    analysis._default_analyzer.cache_clear()
    message = r"^model: expected a model, found none: .*; name a model folder, or set the variable ASLSTM_MODEL to one$"
    for call in (aslstm.model_path, aslstm.load, lambda: aslstm.analyze("好")):
        with pytest.raises(UserError, match=message):
            call()
    (tmp_path / "posts.txt").write_text("好\n", encoding="utf-8")
    flags = ("--input", tmp_path / "posts.txt", "--output", tmp_path / "out.jsonl")
    for command in (("predict", *flags), ("try",)):
        refused = run_command(*command, check=False, cwd=tmp_path, ASLSTM_MODEL="")
        assert refused.returncode == 2
        assert refused.stderr.splitlines()[-1].startswith("error: model: expected a model, found none")


def test_commands_take_the_default_model(onnx_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "posts.txt").write_text("好[泪]\n", encoding="utf-8")
    flags = ("--input", tmp_path / "posts.txt", "--backend", "onnx", "--output")
    run_command("predict", *flags, tmp_path / "default.jsonl", ASLSTM_MODEL=str(onnx_folder))
    run_command("predict", *flags, tmp_path / "named.jsonl", "--model", onnx_folder)
    assert (tmp_path / "default.jsonl").read_bytes() == (tmp_path / "named.jsonl").read_bytes()
    assert "明天轮到我上台讲" in run_command("try", ASLSTM_MODEL=str(onnx_folder)).stdout


def test_a_folder_that_is_no_model_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"expected a model folder with config\.json, found none"):
        aslstm.load(tmp_path)
