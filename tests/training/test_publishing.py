import hashlib
import json
import os
import re
import shlex
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from huggingface_hub import ModelCard

from aslstm.commands.train import parse_settings
from aslstm.errors import UserError
from aslstm.files import CHECKSUMS, write_checksums
from aslstm.metrics import compute_metrics
from aslstm.model_folder.layout import CARD, REQUIRED_FILES, check_model_folder
from aslstm.prediction.onnx_pipeline import OnnxPipeline
from aslstm.training.model import make_model
from aslstm.training.publishing import PRETRAINING, OutputFolder, TrainingRecord, fill_card
from aslstm.training.settings import ModelSettings, OutputSettings, TrainSettings, flags_of
from aslstm.words.vocabulary import Vocabulary, build_tokenizer, build_vocabulary
from modeling_aslstm import ASLSTMConfig, ASLSTMForSequenceClassification
from modeling_aslstm.results_aslstm import FOLDER_FORMAT
from tests.support.commands import ROOT, contents, files_no_larger_than
from tokenization import ASLSTMTokenizer

NAMES = ["like", "none", "sadness"]
# Code that travels today and did not in older versions, whose folders are whole without it.
LATER_FILES = [
    "post_encoding.py", "encoded_posts.py", "emoji_codes.py", "kaomoji.py", "calls_aslstm.py", "config_values.py",
    "contributions_aslstm.py", "dictionary_cutting.py",
]  # fmt: skip
ARTEFACTS = [name for name in (*REQUIRED_FILES, *LATER_FILES) if name != CHECKSUMS]


@pytest.fixture(scope="module")
def settings() -> TrainSettings:
    return parse_settings(["--strip_emoji", "--seed", "3", "--output_dir", "somewhere/private"])


@pytest.fixture(scope="module")
def record(settings: TrainSettings) -> TrainingRecord:
    labels, predictions = np.array([0, 1, 1, 2]), np.array([0, 1, 2, 2])
    figures = {split: compute_metrics(labels, predictions, NAMES) for split in ("validation", "test", "test_emoji")}
    figures["test"]["intervals_95"] = {"accuracy": [0.25, 1.0], "macro_f1": [0.5, 0.9375]}
    num_rows = {"train": 100, "validation": 4, "test": 4}
    return TrainingRecord("sample", flags_of(settings), 5, 7, figures, num_rows)


@pytest.fixture(scope="module")
def model(tokenizer: ASLSTMTokenizer) -> ASLSTMForSequenceClassification:
    settings = ModelSettings(
        "attention", "embedding", "attention_and_query",
        embedding_size=8, hidden_size=4, num_hidden_layers=1, hidden_dropout_prob=0.1,
    )  # fmt: skip
    return make_model(tokenizer, settings, NAMES, {"like": 1, "none": 2, "sadness": 1})


Publish = Callable[[Path], Path]


@pytest.fixture(scope="module")
def publish(model: ASLSTMForSequenceClassification, tokenizer: ASLSTMTokenizer, record: TrainingRecord) -> Publish:
    def write(path: Path) -> Path:
        OutputFolder(path).publish(model, tokenizer, record)
        return path

    return write


@pytest.fixture(scope="module")
def published(publish: Publish, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish(tmp_path_factory.mktemp("models") / "小模型")


def test_a_published_folder_is_whole_and_alone(published: Path) -> None:
    check_model_folder(published)
    files = {path.name for path in published.iterdir()}
    assert set(REQUIRED_FILES) <= files
    assert {name for name in files if name.endswith(".py")} == {name for name in ARTEFACTS if name.endswith(".py")}
    assert [path.name for path in published.parent.iterdir()] == [published.name]
    assert not [name for name in contents(published) if name.endswith((".bin", ".pt", ".pkl", ".pickle"))]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_every_file_has_the_mode_that_the_umask_gives(publish: Publish, tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        folder = publish(tmp_path / "shared")
    finally:
        os.umask(before)
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in folder.iterdir()}
    assert modes == dict.fromkeys(modes, "0o640")
    assert folder.stat().st_mode & 0o777 == 0o750


def test_checksums_are_those_of_every_other_file(published: Path) -> None:
    found = json.loads((published / CHECKSUMS).read_text(encoding="utf-8"))
    files = contents(published)
    del files[CHECKSUMS]
    assert found == {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


def test_the_results_are_saved_as_they_were(published: Path, record: TrainingRecord) -> None:
    assert json.loads((published / "eval_results.json").read_text(encoding="utf-8")) == record.results


def test_the_folder_loads_to_the_same_model_and_tokenizer(
    published: Path, model: ASLSTMForSequenceClassification, tokenizer: ASLSTMTokenizer
) -> None:
    loaded = ASLSTMForSequenceClassification.from_pretrained(published)
    assert all((weight == loaded.state_dict()[name]).all() for name, weight in model.state_dict().items())
    text = "今天又加班[太开心]，[没见过]😂"
    assert ASLSTMTokenizer.from_pretrained(published)(text) == tokenizer(text)


def spoil(published: Path, tmp_path: Path, name: str, content: bytes | None) -> str:
    folder = tmp_path / "spoiled"
    shutil.copytree(published, folder)
    (folder / name).unlink() if content is None else (folder / name).write_bytes(content)
    with pytest.raises(UserError) as caught:
        check_model_folder(folder)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_a_folder_of_an_older_version_is_whole_without_the_code_that_came_later(published: Path, tmp_path: Path) -> None:
    folder = tmp_path / "older"
    shutil.copytree(published, folder)
    for name in LATER_FILES:
        (folder / name).unlink()
    write_checksums(folder)
    check_model_folder(folder)
    text = "今天又加班[太开心]，[没见过]😂"
    assert ASLSTMTokenizer.from_pretrained(folder)(text) == ASLSTMTokenizer.from_pretrained(published)(text)


@pytest.mark.parametrize("name", [name for name in (*REQUIRED_FILES, *LATER_FILES) if name != CHECKSUMS])
def test_a_missing_file_is_named(published: Path, tmp_path: Path, name: str) -> None:
    assert name in spoil(published, tmp_path, name, None)


@pytest.mark.parametrize("name", [name for name in (*ARTEFACTS, "user_dict.txt") if name != CARD])
def test_a_changed_byte_is_found_and_its_file_named(published: Path, tmp_path: Path, name: str) -> None:
    content = bytearray((published / name).read_bytes() or b"\n")
    content[len(content) // 2] ^= 1
    assert name in spoil(published, tmp_path, name, bytes(content))


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]", b"null", b'{"config.json": 5}', b"{}"])
def test_checksums_that_say_nothing_of_the_files_are_refused(published: Path, tmp_path: Path, content: bytes) -> None:
    assert spoil(published, tmp_path, CHECKSUMS, content)


@pytest.mark.parametrize(
    "name", ["../secret.txt", "a/../../secret.txt", "{}/secret.txt", "..\\secret.txt", "C:\\secret.txt", "C:x"]
)
@pytest.mark.parametrize("is_right", [True, False])
def test_checksums_of_a_file_outside_are_refused_whatever_they_say(
    published: Path, tmp_path: Path, name: str, is_right: bool
) -> None:
    name = name.format(tmp_path)
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    checksums = json.loads((published / CHECKSUMS).read_text(encoding="utf-8"))
    checksums[name] = hashlib.sha256(b"secret" if is_right else b"guess").hexdigest()
    message = spoil(published, tmp_path, CHECKSUMS, json.dumps(checksums).encode())
    path = tmp_path / "spoiled" / CHECKSUMS
    assert message == f"{path}: expected files of the folder, found {name!r}, which leads out; fetch the folder again"


def with_format(published: Path, folder: Path, number: object) -> Path:
    """A copy, whole, whose config has this number, or none."""
    shutil.copytree(published, folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert config.pop("folder_format") == FOLDER_FORMAT
    config |= {} if number is None else {"folder_format": number}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    write_checksums(folder)
    return folder


@pytest.mark.parametrize("number", [FOLDER_FORMAT + 1, 0, "1", None, []])
def test_a_folder_of_a_newer_format_is_refused_and_one_of_none_is_the_first(
    published: Path, tmp_path: Path, number: object
) -> None:
    folder = with_format(published, tmp_path / "model", number)
    if number is None:
        check_model_folder(folder)
        assert ASLSTMConfig.from_pretrained(folder).to_dict()["folder_format"] == FOLDER_FORMAT
        return
    found = re.escape(repr(number))
    message = rf"folder_format: expected {FOLDER_FORMAT} or older, found {found}, of a newer version; update AS-LSTM or .*"
    with pytest.raises(UserError, match=f"^{re.escape(str(folder / 'config.json'))}: {message}$"):
        check_model_folder(folder)
    for load in (
        lambda: ASLSTMForSequenceClassification.from_pretrained(folder),
        lambda: OnnxPipeline(folder, ASLSTMTokenizer.from_pretrained(folder)),
    ):
        with pytest.raises(ValueError, match=f"{message}$"):
            load()


def test_a_newer_format_is_told_before_the_files_that_it_lacks(published: Path, tmp_path: Path) -> None:
    folder = with_format(published, tmp_path / "model", FOLDER_FORMAT + 1)
    (folder / "vocab.txt").unlink()
    with pytest.raises(UserError, match="update AS-LSTM"):
        check_model_folder(folder)


def test_a_folder_with_other_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("my own", encoding="utf-8")
    with pytest.raises(UserError, match="other files"):
        OutputFolder(tmp_path)
    assert contents(tmp_path) == {"thesis.txt": b"my own"}


def test_a_file_in_the_place_of_the_folder_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "model").write_text("my own", encoding="utf-8")
    with pytest.raises(UserError, match="found a file"):
        OutputFolder(tmp_path / "model")
    assert contents(tmp_path) == {"model": b"my own"}


@pytest.mark.parametrize(
    "place",
    ["file/model", "file/deeper/model", "x" * 300, "/", "model/.."],
    ids=["below a file", "deep below a file", "longer than any name", "the root", "the folder above"],
)
def test_a_place_where_nothing_can_be_written_is_refused_before_training(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UserError, match="`output_dir`"):
        OutputFolder(tmp_path / place)


def test_a_name_too_long_for_the_folders_beside_it_is_refused_before_training(tmp_path: Path) -> None:
    # Common file systems take names of 255 bytes; a staging folder's name is longer than the model's.
    with pytest.raises(UserError, match="`output_dir`"):
        OutputFolder(tmp_path / ("x" * 254))


@pytest.mark.parametrize("is_there", [True, False])
def test_a_read_only_place_is_refused_before_training(tmp_path: Path, is_there: bool) -> None:
    locked = tmp_path / "locked"
    (locked / "model" if is_there else locked).mkdir(parents=True)
    locked.chmod(0o555)
    try:
        if os.access(locked, os.W_OK):
            pytest.skip("this user may write to read-only folders")
        with pytest.raises(UserError, match="Permission denied"):
            OutputFolder(locked / "model")
    finally:
        locked.chmod(0o755)


def test_an_empty_folder_is_filled(publish: Publish, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    check_model_folder(publish(tmp_path / "model"))


def test_an_older_model_folder_is_replaced_as_a_whole_and_what_others_put_there_stays(publish: Publish, tmp_path: Path) -> None:
    folder = publish(tmp_path / "model")
    (folder / "README.md").write_text("old", encoding="utf-8")
    (folder / "onnx").mkdir()
    (folder / "onnx" / "model.onnx").write_text("the graph of the old weights", encoding="utf-8")
    write_checksums(folder)
    (folder / "my_notes.txt").write_text("mine", encoding="utf-8")
    (folder / "charts").mkdir()
    (folder / "charts" / "a.png").write_text("mine", encoding="utf-8")
    publish(folder)
    check_model_folder(folder)
    assert not (folder / "onnx").exists()
    assert (folder / "README.md").read_text(encoding="utf-8") != "old"
    assert (folder / "my_notes.txt").read_text(encoding="utf-8") == "mine"
    assert (folder / "charts" / "a.png").read_text(encoding="utf-8") == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_model_that_may_not_be_replaced_is_refused_and_left_alone(publish: Publish, tmp_path: Path) -> None:
    folder = publish(tmp_path / "model")
    before = contents(folder)
    message = rf"^`output_dir` {re.escape(str(folder))}: expected a new folder, found a model; choose another name or add `ove"
    with pytest.raises(UserError, match=message):
        OutputFolder(folder, replaces=False)
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(UserError, match="expected a new folder, found a model"):
        OutputFolder(tmp_path / "link", replaces=False)
    assert contents(folder) == before
    OutputFolder(folder, replaces=True)
    # What is left of a model without its weights is none, and neither are states of training beside the folder.
    (folder / "model.safetensors").unlink()
    OutputFolder(folder, replaces=False)
    (tmp_path / "other-checkpoints").mkdir()
    OutputFolder(tmp_path / "other", replaces=False)


@pytest.mark.parametrize("failing", ["weights", "vocabulary", "results", "card"])
@pytest.mark.parametrize("is_there", [True, False])
def test_a_publication_that_fails_leaves_what_was_there(
    publish: Publish,
    model: ASLSTMForSequenceClassification,
    tokenizer: ASLSTMTokenizer,
    record: TrainingRecord,
    tmp_path: Path,
    failing: str,
    is_there: bool,
) -> None:
    folder = tmp_path / "model"
    before = contents(publish(folder)) if is_there else {}
    limit = nullcontext()
    if failing == "weights":
        limit = files_no_larger_than(40_000)
    elif failing == "vocabulary":
        known = build_vocabulary(["好"])
        words = known.words + [f"{i:x}" for i in range(0x10000, 0x20000)]
        tokenizer = build_tokenizer(Vocabulary(words, known.emoji, []))
        limit = files_no_larger_than(300_000)
    elif failing == "results":
        record = replace(record, results={"test": {**record.results["test"], "accuracy": np.float32(0.5)}})
    else:
        record = replace(record, results={"test": {"num_examples": 4}})
    output = OutputFolder(folder)
    with limit, pytest.raises(Exception, match=r"too large|not JSON serializable|accuracy"):
        output.publish(model, tokenizer, record)
    assert [path.name for path in tmp_path.iterdir()] == (["model"] if is_there else [])
    assert contents(folder) == before


@pytest.fixture(scope="module")
def card(published: Path) -> ModelCard:
    return ModelCard.load(published / "README.md")


def test_the_metadata_of_the_card_is_what_the_hub_reads(card: ModelCard, record: TrainingRecord) -> None:
    data = card.data.to_dict()
    assert data["language"] == "zh"
    assert data["license"] == "apache-2.0"
    assert data["library_name"] == "transformers"
    assert data["pipeline_tag"] == "text-classification"
    assert "custom_code" in data["tags"]
    (entry,) = data["model-index"]
    figures = {
        (result["dataset"]["split"].removesuffix("_emoji"), "emoji" in str(result["dataset"]), metric["type"]): metric["value"]
        for result in entry["results"]
        for metric in result["metrics"]
    }
    assert figures == {
        (split.removesuffix("_emoji"), split.endswith("_emoji"), kind): round(metrics[key], 4)
        for split, metrics in record.results.items()
        for kind, key in (("accuracy", "accuracy"), ("f1", "macro_f1"))
    }


def test_the_text_of_the_card_tells_the_run_and_no_paths(card: ModelCard) -> None:
    assert "{{" not in card.content and "}}" not in card.content
    assert "# 小模型" in card.text
    assert "Labels: like, none, sadness." in card.text
    assert "Weights of epoch 5 of 7." in card.text
    assert "train 100, validation 4, test 4" in card.text
    assert "| test, rows with emoji | 4 | 0.750 |" in card.text
    assert "| test | 4 | 0.750 (0.250–1.000) | " in card.text and " (0.500–0.938) | " in card.text
    assert "private" not in card.content and str(ROOT) not in card.content


@pytest.mark.parametrize(
    ("dataset", "title", "hub_ids", "caveat"),
    [
        ("weibo_senti_100k", "weibo_senti_100k", ["dirtycomputer/weibo_senti_100k"], "labels were derived from its emoticons"),
        ("alice/posts", "alice/posts", ["alice/posts"], "Check the licence of your corpus"),
        ("files", "custom corpus", None, "Check the licence of your corpus"),
    ],
)
def test_the_card_names_the_data_and_what_to_know_of_it(
    dataset: str,
    title: str,
    hub_ids: list[str] | None,
    caveat: str,
    model: ASLSTMForSequenceClassification,
    record: TrainingRecord,
) -> None:
    card = ModelCard(fill_card("small", model, replace(record, dataset=dataset)))
    assert card.data.datasets == hub_ids
    assert f"Trained on: {title} (rows: " in card.text
    assert caveat in card.text


def test_the_card_says_what_too_few_rows_of_validation_were_not_fitted_on(
    model: ASLSTMForSequenceClassification, record: TrainingRecord
) -> None:
    def chosen(num_rows: int, results: dict[str, Any]) -> str:
        given = replace(record, num_rows={"train": 100, "validation": num_rows}, results=results)
        return fill_card("small", model, given).split("over the rows. ")[1].split("\n\n")[0].replace("\n", " ")

    end = "were chosen on validation; test was read once."
    assert chosen(50, record.results) == f"Epoch, decision prior weight (0.00) and temperature (1.000) {end}"
    few = "because validation has fewer than 50 rows"
    assert chosen(49, record.results) == f"The temperature is 1, {few}; epoch and decision prior weight (0.00) {end}"
    assert "intervals over the rows. Nothing was chosen on validation; no test" in fill_card(
        "small", model, TrainingRecord("files", num_rows={"validation": 5}, script=PRETRAINING)
    )
    several = {"validation": record.results["validation"] | {"thresholds": {"sad": 0.5}}}
    assert f"No thresholds were fitted, {few}; the epoch was chosen on validation; no test" in chosen(49, several)


PROJECT_FIGURES = ("## Beside the baselines", "## Ablation", "## New words", "## Speed", "NLPCC 2014", "SMP2020", "±")


@pytest.mark.parametrize("dataset", ["files", "alice/posts"])
def test_the_card_of_ones_own_data_carries_no_figures_of_this_project(
    dataset: str, model: ASLSTMForSequenceClassification, record: TrainingRecord
) -> None:
    own = replace(record, dataset=dataset, results={"validation": record.results["validation"]})
    text = ModelCard(fill_card("small", model, own)).text
    assert [words for words in PROJECT_FIGURES if words in text] == []
    assert "chosen on validation; no test split was scored." in text and "read once" not in text
    assert "another one: `aslstm evaluate --model DIR" in text and "any model and corpus.\n\n## Limits and risks" in text
    # With a test file that was scored, the card says so; of a model of another program it says nothing.
    assert "chosen on validation; test was read once." in fill_card("small", model, replace(record, dataset=dataset))
    assert "on validation is not known.\n" in fill_card("small", model, TrainingRecord("files", script=""))


def test_the_card_of_a_known_corpus_keeps_the_figures_of_this_project(card: ModelCard) -> None:
    assert [words for words in PROJECT_FIGURES if words not in card.text] == []
    assert "chosen on validation; test was read once." in card.text
    assert "of the next table, and\n`aslstm evaluate" in card.text and "any model and corpus.\n\n## Beside the bas" in card.text


def test_the_recipe_of_the_card_is_a_command_line_that_train_takes(card: ModelCard, settings: TrainSettings) -> None:
    recipe = card.text.split("accelerate launch train_scripts/train.py")[1].split("```")[0].replace("\\\n", " ")
    found = parse_settings(shlex.split(recipe))
    assert found == replace(settings, output=OutputSettings())
    assert found.output_dir == Path("outputs/sample")
