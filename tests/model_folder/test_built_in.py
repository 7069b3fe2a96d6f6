"""The model that ships with the package: whole, small, with the package's own code, and right about plain posts."""

import json
from pathlib import Path

import pytest

import aslstm
from aslstm.data.known_corpora import KNOWN_LABELS
from aslstm.model_folder.card import read_card
from aslstm.model_folder.choosing import BUILT_IN_MODEL, MODEL_VARIABLE, folder_of, model_path
from aslstm.model_folder.layout import INT8_GRAPH, check_code, check_model_folder
from aslstm.model_folder.loading import load_model
from tests.support.commands import run_command

MAX_MEGABYTES = 16
PLAIN_POSTS = {
    "今天太开心了，终于拿到offer[太开心]": "positive",
    "这家店的菜真好吃，下次还来": "positive",
    "又被老板骂了，好难过😭": "negative",
    "气死我了，什么破快递[怒]": "negative",
    "有点害怕，一个人走夜路": "negative",
    "明天下午三点在二楼会议室开会": "neutral",
}

NEGATED_POSTS = (
    "不开心", "不高兴", "我很不开心", "今天不开心", "一点都不开心", "并不开心", "我不快乐", "不喜欢", "我不喜欢",
    "不喜欢这个颜色，退了", "心情不好", "这家店不好吃", "没意思", "一点也不好笑", "不满意", "不是很满意",
    "没觉得好看", "不推荐购买",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _no_other_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(MODEL_VARIABLE, raising=False)


def test_the_folder_is_whole_and_small() -> None:
    check_model_folder(BUILT_IN_MODEL)
    size = sum(path.stat().st_size for path in BUILT_IN_MODEL.rglob("*") if path.is_file())
    assert size <= MAX_MEGABYTES * 1e6
    assert [path.name for path in (BUILT_IN_MODEL / "onnx").iterdir()] == [INT8_GRAPH]


def test_it_reads_negated_feelings() -> None:
    answers = aslstm.load(backend="onnx")(list(NEGATED_POSTS))
    assert [text for text, answer in zip(NEGATED_POSTS, answers, strict=True) if answer.polarity_score >= 0] == []


def test_its_code_is_that_of_the_package() -> None:
    # After a change of code that travels: python train_scripts/recipes/refresh_code.py
    check_code(BUILT_IN_MODEL, trust_code=False)


def test_weights_are_halves_that_load_as_float32() -> None:
    config = json.loads((BUILT_IN_MODEL / "config.json").read_text(encoding="utf-8"))
    assert config["dtype"] == "float32"
    model = load_model(BUILT_IN_MODEL)
    assert {weight.dtype.__str__() for weight in model.parameters()} == {"torch.float32"}
    stored = (BUILT_IN_MODEL / "model.safetensors").stat().st_size
    assert stored < 2.1 * sum(weight.numel() for weight in model.parameters())


def test_labels_have_a_polarity_and_chinese_names() -> None:
    labels = list(load_model(BUILT_IN_MODEL).config.id2label.values())
    assert set(labels) == {"none", "like", "happiness", "sadness", "anger", "disgust", "fear", "surprise"}
    assert set(labels) <= set(KNOWN_LABELS)


@pytest.mark.parametrize("backend", ["torch", "onnx"])
def test_plain_posts_get_their_polarity(backend: str) -> None:
    answers = aslstm.load(backend=backend)(list(PLAIN_POSTS))
    assert {text: answer.polarity for text, answer in zip(PLAIN_POSTS, answers, strict=True)} == PLAIN_POSTS


def test_an_emoji_decides_what_words_leave_open() -> None:
    happy, angry = aslstm.analyze(["今天又加班[太开心]", "今天又加班[怒]"])
    assert (happy.polarity, angry.polarity) == ("positive", "negative")


def test_the_card_says_what_it_was_trained_on() -> None:
    card = read_card(BUILT_IN_MODEL)
    assert (card.corpus, card.num_posts) == ("openly licensed texts and the sample corpus", 376_039)
    assert "Not measured yet" not in (BUILT_IN_MODEL / "README.md").read_text(encoding="utf-8")


def test_its_name_stands_for_its_folder_unless_there_is_a_folder_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(MODEL_VARIABLE, str(tmp_path))
    assert folder_of("built-in") == folder_of(Path("built-in")) == BUILT_IN_MODEL
    monkeypatch.setenv(MODEL_VARIABLE, "built-in")
    assert model_path() == BUILT_IN_MODEL
    (tmp_path / "built-in").mkdir()
    assert folder_of("built-in") == Path("built-in")


def test_commands_take_its_name(tmp_path: Path) -> None:
    rows = [{"text": text, "label": "none" if polarity == "neutral" else "anger"} for text, polarity in PLAIN_POSTS.items()]
    (tmp_path / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    named = ("--model", "built-in", "--backend", "onnx")
    evaluated = run_command("evaluate", *named, "--test_file", "test.jsonl", cwd=tmp_path)
    assert f"model: {BUILT_IN_MODEL}" in evaluated.stdout
    predicted = run_command("predict", *named, "test.jsonl", "--output", "answers.jsonl", "--prefix", "p_", cwd=tmp_path)
    assert "6 posts: " in predicted.stderr
    assert "sadness" in run_command("try", "--model", "built-in", "好难过[泪]", cwd=tmp_path).stdout
    assert run_command("nearest", "--model", "built-in", "[泪]", cwd=tmp_path).stdout.startswith("[泪]: ")
