import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from accelerate import Accelerator
from datasets import Dataset

from aslstm.commands.flags import CommandParser, add_settings
from aslstm.commands.train import parse_settings
from aslstm.data.corpora import CorpusSource
from aslstm.data.text_sources import TextSource
from aslstm.errors import UserError
from aslstm.model_folder.layout import check_model_folder
from aslstm.training.data import TrainingData
from aslstm.training.run import TrainedModel, output_folders, recipe_of, train
from aslstm.training.settings import (
    DataSettings,
    ModelSettings,
    OutputSettings,
    PretrainingSettings,
    PretrainSettings,
    TrainingSettings,
    TrainSettings,
    flags_of,
)
from aslstm.training.starting_weights import read_starting_point
from tests.support.commands import contents, run_command
from tokenization import ASLSTMTokenizer

# The recipe in a state that version 0.2.0 saved, before its flags were dataclasses.
FLAGS = (
    "--embedding_size", "8", "--hidden_size", "4", "--max_train_samples", "100", "--num_train_epochs", "1",
    "--checkpointing_steps", "1", "--output_dir", "model",
)  # fmt: skip
OLD_RECIPE = {
    "--dataset": "sample", "--encoding": "utf-8", "--selection": "all", "--max_train_samples": 100, "--streaming": False,
    "--steps_per_epoch": 500, "--strip_emoji": False, "--min_count": 2, "--min_emoji_count": 2, "--model_max_length": 512,
    "--emoji_fusion": "attention", "--attention_key": "embedding", "--classifier_input": "attention_and_query",
    "--unidirectional": False, "--no_max_pooling": False, "--embedding_size": 8, "--hidden_size": 4,
    "--num_hidden_layers": 1, "--hidden_dropout_prob": 0.5, "--learning_rate": 0.002, "--embedding_learning_rate": 0.002,
    "--weight_decay": 0.01, "--warmup_ratio": 0.05, "--max_grad_norm": 1.0, "--label_smoothing": 0.1,
    "--emoji_spelling_prob": 0.2, "--logit_adjustment": 1.0, "--emoji_prior_weight": 0.0, "--word_spelling_prob": 0.3,
    "--emoji_row_repeats": 0, "--class_weight": "none", "--per_device_train_batch_size": 64,
    "--per_device_eval_batch_size": 256, "--gradient_accumulation_steps": 1, "--num_train_epochs": 1,
    "--early_stopping_patience": 4, "--select": "macro_f1", "--seed": 0, "--average_runs": 1, "--bag_of_words_weight": 0.0,
    "processes": 1, "mixed precision": "no",
}  # fmt: skip
OF_DATA = {"rows", "tokens"}


@pytest.fixture(scope="module")
def data(tokenizer: ASLSTMTokenizer) -> TrainingData:
    rows = Dataset.from_dict({"input_ids": [[1], [2]], "labels": [0, 1], "row": [0, 1]})
    labels = {"validation": np.array([0, 1])}
    return TrainingData(tokenizer, [], rows, {"validation": rows}, ["a", "b"], Counter(a=1, b=1), labels, {})


def recipe(data: TrainingData, *flags: str) -> dict[str, Any]:
    settings = parse_settings(flags)
    resolved = replace(settings, model=read_starting_point(settings.model)[1])
    return recipe_of(resolved, Accelerator(cpu=True), data)


def test_a_run_that_an_older_version_began_goes_on(data: TrainingData) -> None:
    found = recipe(data, *FLAGS)
    assert {name: value for name, value in found.items() if name not in OF_DATA} == OLD_RECIPE
    assert set(found) == set(OLD_RECIPE) | OF_DATA
    assert all(type(found[name]) is type(value) for name, value in OLD_RECIPE.items())


def test_a_run_with_other_flags_is_another_run(data: TrainingData) -> None:
    other = recipe(data, *FLAGS, "--segmenter", "jieba", "--learning_rate", "0.1")
    differing = {name for name in other if other[name] != OLD_RECIPE.get(name)} - OF_DATA
    assert differing == {"--segmenter", "--learning_rate", "--embedding_learning_rate"}


def test_a_library_trains_with_settings_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = TrainSettings(
        corpus=CorpusSource("sample"),
        data=DataSettings(max_train_samples=100),
        model=ModelSettings(embedding_size=8, hidden_size=4),
        training=TrainingSettings(num_train_epochs=1, seeds=(1, 2)),
        output=OutputSettings(output_dir=tmp_path),
    )
    reported: list[TrainedModel] = []
    models = train(settings, report=reported.append)
    assert [model.folder.name for model in models] == ["seed-1", "seed-2"] and reported == models
    for model in models:
        check_model_folder(model.folder)
        # The test split is not read where nobody asks for its figures.
        assert 0 <= model.results["validation"]["accuracy"] <= 1 and "test" not in model.results
    assert capsys.readouterr().out == ""


def test_a_model_is_replaced_only_where_that_is_asked_for_or_its_training_goes_on(model_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(model_folder, tmp_path / "runs" / "seed-2")
    seeds = TrainSettings(training=TrainingSettings(seeds=(1, 2)), output=OutputSettings(output_dir=tmp_path / "runs"))
    with pytest.raises(UserError, match=r"^`output_dir` .*seed-2: expected a new folder, found a model; choose another name"):
        output_folders(seeds)
    for output_settings in (replace(seeds.output, overwrite=True), replace(seeds.output, resume_from_checkpoint="latest")):
        folders = output_folders(replace(seeds, output=output_settings))
        assert [output.path.name for output in folders] == ["seed-1", "seed-2"]
    # It is refused before anything is read.
    before = contents(tmp_path)
    output = ("--output_dir", tmp_path / "runs" / "seed-2")
    of_teachers = ("--teachers", tmp_path / "none", "--input", tmp_path / "no.csv")
    for command in (("train",), ("distil", *of_teachers)):
        result = run_command(*map(str, command), "--train_file", tmp_path / "no.csv", *output, check=False)
        assert result.returncode == 2
        assert result.stderr.splitlines()[-1] == (
            f"error: --output_dir {output[1]}: expected a new folder, found a model; choose another name or add --overwrite"
        )
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TrainingSettings(seeds=(1, -1)), "`seeds`: expected 0 to 4294967295, found -1"),
        (lambda: TrainingSettings(seeds=(1, 2, 1)), "`seeds`: expected different numbers, found 1 2 1; a run that is counted"),
        (lambda: TrainingSettings(logit_adjustment=float("nan")), "`logit_adjustment`: expected a finite number, found nan"),
        (lambda: ModelSettings(emoji_fusion="nonsense"), "`emoji_fusion`: expected one of .*attention.*, found 'nonsense'"),
        (lambda: DataSettings(discover_words="words", new_words=Path("a.tsv")), "expected `discover_words` or `new_words`"),
        (lambda: DataSettings(selection="has_emoji", streaming=True), "expected `streaming` with all rows, found `selection`"),
        (lambda: PretrainingSettings(also_learn=("sample", "mine")), "`also_learn`: expected one of sample, .*, found 'mine'"),
        (lambda: PretrainingSettings(min_emoji_count=0), "`min_emoji_count`: expected 1 or more, found 0"),
        (lambda: OutputSettings(checkpointing_steps=-1), "`checkpointing_steps`: expected a number of steps above 0"),
    ],
)
def test_impossible_settings_are_refused(make: Any, message: str) -> None:
    with pytest.raises(UserError, match=f"^{message}"):
        make()


def test_what_is_left_open_follows_from_the_rest() -> None:
    assert DataSettings(selection="new_words").discover_words == "words"
    assert TrainingSettings(learning_rate=0.5).embedding_learning_rate == 0.5
    assert OutputSettings(checkpointing_steps="20").checkpointing_steps == 20
    assert TrainSettings(CorpusSource("alice/posts")).output_dir == Path("outputs/alice--posts")


@pytest.mark.parametrize(
    "classes",
    [
        (CorpusSource, DataSettings, ModelSettings, TrainingSettings, OutputSettings),
        (TextSource, PretrainingSettings, ModelSettings),
    ],
    ids=["train", "pretrain"],
)
def test_every_setting_is_a_flag_with_help(classes: tuple[type, ...]) -> None:
    parser = CommandParser("train", "Train a model.")
    add_settings(parser, *classes)
    names = [action.dest for action in parser._actions if action.dest != "help"]
    assert len(names) == len(set(names)) and all(action.help for action in parser._actions)
    if TextSource in classes:
        assert set(names) == set(flags_of(PretrainSettings(TextSource(("posts.txt",)))))
    else:
        assert set(names) == set(flags_of(TrainSettings()))
