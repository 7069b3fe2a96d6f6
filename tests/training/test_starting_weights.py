import json
import logging
import re
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import emoji
import numpy as np
import pytest
import torch
from datasets import Dataset
from gensim.models import KeyedVectors
from safetensors.torch import load_file, save_file

from aslstm.commands.flags import CommandParser, add_settings, make_settings
from aslstm.errors import UserError
from aslstm.model_folder import choosing
from aslstm.prediction.classifier import Classifier
from aslstm.training.batches import encode_rows
from aslstm.training.first_classifier import fit_first_classifier
from aslstm.training.model import make_model, make_tokenizer
from aslstm.training.publishing import OutputFolder, TrainingRecord
from aslstm.training.settings import ModelSettings
from aslstm.training.starting_weights import (
    StartingModel,
    StartingPoint,
    read_starting_point,
    start_emoji_vectors,
)
from modeling_aslstm import ASLSTMForEmojiPrediction, ASLSTMForSequenceClassification
from tests.support.commands import PART_OF_SAMPLE, SAMPLE, SMALL_CORPUS, TEXTS, run_command
from tests.training.test_model import NAMES, SETTINGS
from tokenization import ASLSTMTokenizer
from tokenization.emoji_splitting import split_emoji

COUNTS = Counter(dict.fromkeys(NAMES, 2))
OLD_TEXTS = [*TEXTS, "旧的词[旧码]眼泪流下来"]
NEW_TEXTS = ["今天又加班[泪]", "新鲜的词汇[新码]", "大笑😂", "泪"]


def tokenizer_of(texts: list[str], start: StartingModel | None = None) -> ASLSTMTokenizer:
    return make_tokenizer(texts, new_words=(), start=start, min_count=1, min_emoji_count=1, model_max_length=64)


@pytest.fixture(scope="module")
def tokenizer() -> ASLSTMTokenizer:
    texts = [*TEXTS, "眼泪流下来", "泪", "笑哭了的脸", "大笑", "哭"]
    return make_tokenizer(texts, new_words=(), min_count=1, min_emoji_count=2, model_max_length=64)


@pytest.fixture(scope="module")
def model(tokenizer: ASLSTMTokenizer) -> ASLSTMForSequenceClassification:
    torch.manual_seed(0)
    return make_model(tokenizer, SETTINGS, NAMES, COUNTS)


def vector(model: ASLSTMForSequenceClassification, tokenizer: ASLSTMTokenizer, token: str) -> torch.Tensor:
    return model.aslstm.word_embeddings.weight[tokenizer.get_vocab()[token]].detach()


# ---- another model's weights ----


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> StartingModel:
    """A model folder with every weight at random, as training would leave it."""
    torch.manual_seed(1)
    tokenizer = tokenizer_of(OLD_TEXTS)
    old = make_model(tokenizer, SETTINGS, NAMES, COUNTS)
    with torch.no_grad():
        for parameter in old.parameters():
            parameter.normal_()
    folder = tmp_path_factory.mktemp("models") / "old"
    OutputFolder(folder).publish(old, tokenizer, TrainingRecord("files"))
    return StartingModel(folder)


@pytest.fixture
def source(start: StartingModel) -> ASLSTMForSequenceClassification:
    return ASLSTMForSequenceClassification.from_pretrained(start.folder)


def fresh(tokenizer: ASLSTMTokenizer, names: list[str] = NAMES) -> ASLSTMForSequenceClassification:
    torch.manual_seed(2)
    return make_model(tokenizer, SETTINGS, names, dict.fromkeys(names, 1))


def test_rows_are_matched_by_token_and_new_ones_stay_as_they_were(
    start: StartingModel, source: ASLSTMForSequenceClassification
) -> None:
    tokenizer = tokenizer_of(NEW_TEXTS)
    model = fresh(tokenizer)
    before = model.aslstm.word_embeddings.weight.detach().clone()
    filled = start.fill(model, tokenizer)
    old, new = set(start.tokenizer.get_vocab()), set(tokenizer.get_vocab())
    assert old - new and new - old and old & new
    assert {"新鲜", "[新码]"} <= new - old and "[旧码]" in old - new
    assert filled == {tokenizer.get_vocab()[token] for token in old & new}
    for token in old & new:
        expected = vector(source, start.tokenizer, token)
        torch.testing.assert_close(vector(model, tokenizer, token), expected, rtol=0, atol=0)
    for token in new - old:
        row = tokenizer.get_vocab()[token]
        torch.testing.assert_close(model.aslstm.word_embeddings.weight[row].detach(), before[row], rtol=0, atol=0)
    moved = [token for token in old & new if tokenizer.get_vocab()[token] != start.tokenizer.get_vocab()[token]]
    assert len(moved) > 100


def test_all_other_layers_are_copied(start: StartingModel, source: ASLSTMForSequenceClassification) -> None:
    tokenizer = tokenizer_of(NEW_TEXTS)
    model = fresh(tokenizer)
    start.fill(model, tokenizer)
    given = source.state_dict()
    for name, weights in model.state_dict().items():
        if "word_embeddings" not in name:
            torch.testing.assert_close(weights, given[name], rtol=0, atol=0)


@pytest.mark.parametrize("names", [["like", "none", "other"], ["none", "like", "sadness"], ["like", "none"], [*NAMES, "fear"]])
def test_a_classifier_of_other_labels_stays_fresh(
    start: StartingModel, source: ASLSTMForSequenceClassification, names: list[str]
) -> None:
    tokenizer = tokenizer_of(NEW_TEXTS)
    model = fresh(tokenizer, names)
    before = {name: weights.clone() for name, weights in model.classifier.state_dict().items()}
    start.fill(model, tokenizer)
    for name, weights in model.classifier.state_dict().items():
        torch.testing.assert_close(weights, before[name], rtol=0, atol=0)
    torch.testing.assert_close(model.aslstm.no_emoji, source.aslstm.no_emoji, rtol=0, atol=0)


def test_a_model_with_the_same_words_and_labels_gives_the_same_answers(
    start: StartingModel, source: ASLSTMForSequenceClassification
) -> None:
    tokenizer = tokenizer_of(NEW_TEXTS, start)
    model = fresh(tokenizer).eval()
    start.fill(model, tokenizer)
    text = "今天又加班[泪]，旧的词[旧码]😂"
    answers = [m(**t([text], return_tensors="pt")).logits for m, t in ((model, tokenizer), (source.eval(), start.tokenizer))]
    torch.testing.assert_close(*answers)


@pytest.mark.parametrize("names", [NAMES, ["bad", "good"]])
def test_the_log_says_how_much_was_copied(start: StartingModel, caplog: pytest.LogCaptureFixture, names: list[str]) -> None:
    tokenizer = tokenizer_of(NEW_TEXTS)
    model = fresh(tokenizer, names)
    caplog.set_level(logging.INFO)
    filled = start.fill(model, tokenizer)
    layers = len(model.state_dict()) - 1 - (0 if names == NAMES else len(model.classifier.state_dict()))
    classifier = "and its classifier" if names == NAMES else "a new classifier"
    counts = f"{len(filled)} of {len(tokenizer)} tokens (it has {len(start.tokenizer)}), {layers} of {layers} other weights"
    assert f"started from {start.folder}: {counts}, {classifier}" in caplog.text


def test_layers_of_another_shape_stay_fresh_and_are_not_counted(
    start: StartingModel, source: ASLSTMForSequenceClassification, caplog: pytest.LogCaptureFixture
) -> None:
    tokenizer = tokenizer_of(NEW_TEXTS)
    torch.manual_seed(2)
    settings = replace(SETTINGS, no_max_pooling=True)
    model = make_model(tokenizer, settings, NAMES, COUNTS)
    before = model.classifier.weight.detach().clone()
    caplog.set_level(logging.INFO)
    start.fill(model, tokenizer)
    torch.testing.assert_close(model.classifier.weight.detach(), before, rtol=0, atol=0)
    torch.testing.assert_close(model.aslstm.no_emoji, source.aslstm.no_emoji, rtol=0, atol=0)
    others = len(model.state_dict()) - 1
    assert f"{others - 1} of {others} other weights" in caplog.text


def test_a_model_that_starts_from_another_keeps_its_tokens_and_gives_names_to_new_emoji(
    start: StartingModel, source: ASLSTMForSequenceClassification
) -> None:
    tokenizer = tokenizer_of(NEW_TEXTS, start)
    assert set(start.tokenizer.get_vocab()) < set(tokenizer.get_vocab())
    torch.manual_seed(2)
    model = make_model(
        tokenizer, SETTINGS, NAMES, COUNTS, model_class=ASLSTMForEmojiPrediction, start=StartingPoint(start, None)
    )
    assert isinstance(model, ASLSTMForEmojiPrediction)
    for token in start.tokenizer.get_vocab():
        expected = vector(source, start.tokenizer, token)
        torch.testing.assert_close(vector(model, tokenizer, token), expected, rtol=0, atol=0)
    assert "##鲜" not in start.tokenizer.get_vocab()
    torch.testing.assert_close(vector(model, tokenizer, "##鲜"), vector(model, tokenizer, "鲜"), rtol=0, atol=0)


def test_a_model_comes_before_vectors(start: StartingModel, source: ASLSTMForSequenceClassification) -> None:
    tokenizer = tokenizer_of(NEW_TEXTS)
    vectors = KeyedVectors(SETTINGS.embedding_size)
    words = ["今天", "新鲜", "词汇", "[泪]", "[新码]"]
    vectors.add_vectors(words, np.random.default_rng(0).normal(size=(5, SETTINGS.embedding_size)).astype(np.float32))
    model = make_model(tokenizer, SETTINGS, NAMES, COUNTS, start=StartingPoint(start, vectors))
    alone = make_model(tokenizer, SETTINGS, NAMES, COUNTS, start=StartingPoint(None, vectors))
    for token in ("今天", "[泪]"):
        torch.testing.assert_close(vector(model, tokenizer, token), vector(source, start.tokenizer, token), rtol=0, atol=0)
    for token in ("新鲜", "[新码]"):
        torch.testing.assert_close(vector(model, tokenizer, token), vector(alone, tokenizer, token), rtol=0, atol=0)


def test_a_folder_that_is_not_whole_is_refused(start: StartingModel, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes((start.folder / "config.json").read_bytes())
    with pytest.raises(UserError, match="expected a model folder with"):
        StartingModel(tmp_path)


# ---- the command line ----


def read(*flags: str | Path) -> tuple[ModelSettings, StartingPoint]:
    parser = CommandParser("train", "Train a model.")
    add_settings(parser, ModelSettings)
    settings = make_settings(ModelSettings, parser.parse_args([str(flag) for flag in flags]))
    start, resolved = read_starting_point(settings)
    return resolved, start


def sizes(arguments: ModelSettings) -> tuple[int | None, int | None, int | None]:
    return arguments.embedding_size, arguments.hidden_size, arguments.num_hidden_layers


@pytest.fixture
def vector_file(tmp_path: Path) -> Path:
    path = tmp_path / "vectors.vec"
    path.write_text(f"1 {SETTINGS.embedding_size}\n今天 {' '.join(['1'] * SETTINGS.embedding_size)}\n", encoding="utf-8")
    return path


def test_sizes_that_are_left_open_are_those_of_the_start(start: StartingModel, vector_file: Path) -> None:
    assert sizes(read()[0]) == (128, 128, 1)
    assert sizes(read("--init_from", start.folder)[0]) == (12, 6, 2)
    assert sizes(read("--vectors", vector_file)[0]) == (12, 128, 1)
    assert sizes(read("--vectors", vector_file, "--hidden_size", "5")[0]) == (12, 5, 1)
    assert sizes(read("--embedding_size", "3", "--hidden_size", "4", "--num_hidden_layers", "5")[0]) == (3, 4, 5)


def test_choices_that_are_left_open_are_those_of_the_start(start: StartingModel, vector_file: Path) -> None:
    assert read()[0].emoji_fusion == "attention"
    assert read("--init_from", start.folder)[0].emoji_fusion == start.config.emoji_fusion == SETTINGS.emoji_fusion
    assert read("--init_from", start.folder, "--emoji_fusion", "concat")[0].emoji_fusion == "concat"
    assert read("--init_from", start.folder)[0].no_max_pooling == (not start.config.use_max_pooling)
    assert (read()[0].unidirectional, read("--init_from", start.folder)[0].unidirectional) == (False, True)


def default_start(*flags: str | Path) -> tuple[str, tuple[int | None, int | None, int | None]]:
    """What rows of the user's own are trained from: init_from, and the sizes."""
    parser = CommandParser("train", "Train a model.")
    add_settings(parser, ModelSettings)
    settings = make_settings(ModelSettings, parser.parse_args([str(flag) for flag in flags]))
    resolved = read_starting_point(settings, is_own=True)[1]
    return str(resolved.init_from), sizes(resolved)


def test_rows_of_ones_own_start_from_the_built_in_model_unless_something_speaks_against_it(
    start: StartingModel, vector_file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("ASLSTM_MODEL", str(start.folder))
    caplog.set_level(logging.INFO)
    assert default_start() == ("built-in", (12, 6, 2))
    assert f"starting from the model {start.folder}; with `init_from` none, from random weights" in caplog.text
    assert default_start("--hidden_size", "6") == ("built-in", (12, 6, 2))
    caplog.clear()
    assert default_start("--hidden_size", "7") == ("none", (128, 7, 1))
    assert [record.message for record in caplog.records] == [
        "starting from random weights: `hidden_size` is 7, not 6 as in the built-in model"
    ]
    assert default_start("--vectors", vector_file) == ("none", (12, 128, 1))
    assert default_start("--init_from", "none") == ("none", (128, 128, 1))
    assert default_start("--init_from", start.folder) == (str(start.folder), (12, 6, 2))
    with pytest.raises(UserError, match="`hidden_size`: expected 6 as in what `init_from`"):
        default_start("--init_from", "built-in", "--hidden_size", "7")
    # A known corpus has no such default, but takes the name.
    assert read()[1].model is None
    named = read("--init_from", "built-in")[1].model
    assert named is not None and named.folder == start.folder


def test_without_a_built_in_model_one_line_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("ASLSTM_MODEL", raising=False)
    monkeypatch.setattr(choosing, "BUILT_IN_MODEL", tmp_path / "absent")
    caplog.set_level(logging.INFO)
    assert default_start() == ("none", (128, 128, 1))
    assert "starting from random weights: this version has no built-in model" in caplog.text
    with pytest.raises(UserError, match="expected a model, found none: this version has no built-in one"):
        read("--init_from", "built-in")


def test_half_precision_starts_a_model_of_full_precision(start: StartingModel, tmp_path: Path) -> None:
    folder = tmp_path / "half"
    shutil.copytree(start.folder, folder)
    (folder / "checksums.json").unlink()
    weights = {name: values.half() for name, values in load_file(folder / "model.safetensors").items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(config | {"dtype": "float16"}), encoding="utf-8")
    half = StartingModel(folder)
    tokenizer = tokenizer_of(NEW_TEXTS, half)
    model = fresh(tokenizer, ["差评", "好评"])
    half.fill(model, tokenizer)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    vectors = weights["aslstm.word_embeddings.weight"]
    expected = vectors[half.tokenizer.get_vocab()["[泪]"]].float()
    torch.testing.assert_close(vector(model, tokenizer, "[泪]"), expected, rtol=0, atol=0)


def test_a_new_classifier_begins_as_a_regression_on_what_the_model_says(start: StartingModel) -> None:
    texts = [f"{word}{i}" for i in range(20) for word in ("今天好累[泪]", "太好吃了[太开心]")]
    tokenizer = tokenizer_of(texts, start)
    model = fresh(tokenizer, ["差评", "好评"])
    start.fill(model, tokenizer)
    rows = encode_rows(Dataset.from_dict({"text": texts, "label": ["差评", "好评"] * 20}), tokenizer, ["差评", "好评"])
    fit_first_classifier(model, rows, 1.0)
    with torch.inference_mode():
        logits = model(**tokenizer(texts, return_tensors="pt", padding=True)).logits
    assert logits.argmax(1).tolist() == [0, 1] * 20


def test_vectors_of_another_size_than_the_start_are_refused(start: StartingModel, tmp_path: Path) -> None:
    path = tmp_path / "other.vec"
    path.write_text("1 3\n今天 1 2 3\n", encoding="utf-8")
    with pytest.raises(UserError, match="`vectors`: expected vectors of size 12 as in `init_from`, found 3"):
        read("--init_from", start.folder, "--vectors", path)


def test_what_is_named_is_read_and_nothing_else(start: StartingModel, vector_file: Path) -> None:
    assert read()[1] == StartingPoint(None, None)
    _, both = read("--init_from", start.folder, "--vectors", vector_file, "--embedding_size", "12")
    assert both.model is not None and both.model.folder == start.folder
    assert both.vectors is not None and list(both.vectors.key_to_index) == ["今天"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--init_from", "FOLDER", "--embedding_size", "13"), "`embedding_size`: expected 12 as in what `init_from`"),
        (("--init_from", "FOLDER", "--hidden_size", "7"), "`hidden_size`: expected 6 as in what `init_from`"),
        (("--init_from", "FOLDER", "--num_hidden_layers", "1"), "`num_hidden_layers`: expected 2 as in what `init_from`"),
        (
            ("--vectors", "VECTORS", "--embedding_size", "13"),
            "`embedding_size`: expected 12 as in what `init_from` or `vectors`",
        ),
        (("--vectors", "VECTORS", "--embedding_size", "0"), "`embedding_size`: expected 1 or more, found 0"),
        (("--hidden_size", "-4"), "`hidden_size`: expected 1 or more, found -4"),
        (("--num_hidden_layers", "0"), "`num_hidden_layers`: expected 1 or more, found 0"),
        (("--hidden_dropout_prob", "1"), "`hidden_dropout_prob`: expected 0 or more and less than 1, found 1.0"),
        (("--hidden_dropout_prob", "nan"), "`hidden_dropout_prob`: expected 0 or more and less than 1, found nan"),
    ],
)
def test_a_size_that_is_impossible_or_another_is_refused(
    start: StartingModel, vector_file: Path, flags: tuple[str, ...], message: str
) -> None:
    places = {"FOLDER": str(start.folder), "VECTORS": str(vector_file)}
    with pytest.raises(UserError, match=re.escape(message)) as caught:
        read(*(places.get(flag, flag) for flag in flags))
    assert len(str(caught.value).splitlines()) == 1


# ---- names of emoji ----


def test_a_name_piece_starts_as_its_character(model: ASLSTMForSequenceClassification, tokenizer: ASLSTMTokenizer) -> None:
    pieces = [token for token in tokenizer.get_vocab() if token.startswith("##") and len(token) == 3]
    with_word = [piece for piece in pieces if tokenizer.get_vocab().get(piece[2:], 10**9) < tokenizer.emoji_token_offset]
    assert "##泪" in with_word
    for piece in with_word:
        torch.testing.assert_close(vector(model, tokenizer, piece), vector(model, tokenizer, piece[2:]), rtol=0, atol=0)


def test_a_unicode_emoji_starts_as_the_mean_of_its_chinese_name(
    model: ASLSTMForSequenceClassification, tokenizer: ASLSTMTokenizer
) -> None:
    vocabulary, start = tokenizer.get_vocab(), tokenizer.emoji_token_offset
    checked = 0
    for token in vocabulary:
        name = emoji.demojize(token, language="zh", delimiters=("", "")).replace("_", " ")
        if name == token or not emoji.is_emoji(token):
            continue
        known = [word for word in tokenizer.tokenize(name) if vocabulary.get(word, start) < start]
        if known:
            total = sum(vector(model, tokenizer, word) for word in known)
            torch.testing.assert_close(vector(model, tokenizer, token), total / len(known))
            checked += 1
    assert checked > 100


def test_the_face_with_tears_of_joy_starts_between_the_words_of_its_name(
    model: ASLSTMForSequenceClassification, tokenizer: ASLSTMTokenizer
) -> None:
    words = tokenizer.tokenize("笑哭了")
    assert "".join(words) == "笑哭了"
    mean = torch.stack([vector(model, tokenizer, word) for word in words]).mean(0)
    torch.testing.assert_close(vector(model, tokenizer, "😂"), mean)


def test_words_and_codes_and_padding_keep_their_own_start(tokenizer: ASLSTMTokenizer) -> None:
    vectors = torch.randn(len(tokenizer), 4)
    vectors[0] = 0.0
    before = vectors.clone()
    start_emoji_vectors(vectors, tokenizer)
    start = tokenizer.emoji_token_offset
    torch.testing.assert_close(vectors[:start], before[:start], rtol=0, atol=0)
    for code in ("<unk_emoji>", "[泪]", "[太开心]"):
        row = tokenizer.get_vocab()[code]
        torch.testing.assert_close(vectors[row], before[row], rtol=0, atol=0)


def test_an_emoji_that_has_a_vector_of_its_own_keeps_it(tokenizer: ASLSTMTokenizer) -> None:
    vectors = torch.randn(len(tokenizer), 4)
    before = vectors.clone()
    own = {tokenizer.get_vocab()[token] for token in ("😂", "##泪")}
    start_emoji_vectors(vectors, tokenizer, own)
    for token, is_kept in (("😂", True), ("##泪", True), ("##哭", False)):
        row = tokenizer.get_vocab()[token]
        assert torch.equal(vectors[row], before[row]) == is_kept


# ---- what an unseen code means ----


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    """Trained on a part of the sample corpus for a few seconds; half of the codes are spelled, which trains their pieces."""
    folder = tmp_path_factory.mktemp("trained") / "sample"
    sizes = ("--embedding_size", "64", "--hidden_size", "32")
    run_command(
        "train", *SMALL_CORPUS, "--output_dir", folder, "--num_train_epochs", "8", "--emoji_spelling_prob", "0.5", *sizes
    )
    return Classifier(folder, backend="torch")


# Codes that training never showed, codes that mean the same, and codes that mean something else.
UNSEEN_CODES = (
    ("[泪流满面]", "[泪]", "[太开心]"), ("[泪崩]", "[泪]", "[太开心]"), ("[泪奔]", "[泪]", "[太开心]"),
    ("[愤怒]", "[怒]", "[太开心]"), ("[怒火]", "[怒]", "[太开心]"), ("[怒气]", "[怒]", "[心]"),
    ("[吐了]", "[吐]", "[太开心]"), ("[呕吐]", "[吐]", "[心]"), ("[开心死了]", "[太开心]", "[泪]"),
    ("[开心果]", "[太开心]", "[怒]"), ("[爱心]", "[心]", "[怒]"), ("[惊讶]", "[吃惊]", "[心]"),
)  # fmt: skip


def test_unseen_codes_move_the_answer_as_their_meaning_does(classifier: Classifier) -> None:
    # One code alone is a matter of chance in a model of so few posts: over six seeds its ratio went from .4 to 2.2, while the
    # median of the twelve stayed between .52 and .86.
    table = classifier.encoder.table
    lines = (SAMPLE / "validation.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)["text"] for line in lines[: PART_OF_SAMPLE["validation"]]]
    posts = [text for text in texts if not any(piece.is_emoji for piece in split_emoji(text))]
    assert len(posts) > 50
    ratios = []
    for unseen, meant, other in UNSEEN_CODES:
        assert unseen not in table and meant in table and other in table
        assert "<unk_emoji>" in classifier.encoder.tokenize(unseen)
        found, near, far = (classifier.predict([post + code for post in posts]) for code in (unseen, meant, other))
        ratios.append(np.abs(found - near).sum(1).mean() / np.abs(found - far).sum(1).mean())
    assert np.median(ratios) < 0.85
