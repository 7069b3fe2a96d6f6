import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from datasets import Dataset

from aslstm.commands.train import parse_settings
from aslstm.errors import UserError
from aslstm.training.batches import Collator, encode_rows
from aslstm.training.data import TrainingData
from aslstm.training.decision import loss_priors
from aslstm.training.model import make_model
from aslstm.training.publishing import OutputFolder
from aslstm.training.run import make_trainer
from aslstm.training.settings import ModelSettings, TrainingSettings, TrainSettings
from aslstm.training.starting_weights import read_starting_point
from tokenization import ASLSTMTokenizer

# Without emoji: 3 none, 1 sad. With emoji: 1 none, 3 sad. Of all rows that training counts: 4 and 4.
ROWS = [
    ("明天开会", "none"), ("地点不变", "none"), ("再来", "none"), ("好累", "sad"),
    ("快递[怒]", "none"), ("好累[泪]", "sad"), ("又加班[泪]", "sad"), ("[怒]丢了", "sad"),
]  # fmt: skip
SHARES = {False: {"none": 0.75, "sad": 0.25}, True: {"none": 0.25, "sad": 0.75}}


@pytest.fixture
def data(tokenizer: ASLSTMTokenizer) -> TrainingData:
    rows = Dataset.from_list([{"text": text, "label": label} for text, label in ROWS])
    encoded = encode_rows(rows, tokenizer, ["none", "sad"])
    labels = np.array(encoded["labels"])
    none_rows = np.zeros(len(labels), dtype=bool)
    return TrainingData(
        tokenizer, [], encoded, {"validation": encoded}, ["none", "sad"], Counter(none=4, sad=4),
        {"validation": labels}, {"validation": none_rows},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("weight", "expected"),
    [(0.0, [[0.5, 0.5], [0.5, 0.5]]), (0.5, [[0.625, 0.375], [0.375, 0.625]]), (0.8, [[0.7, 0.3], [0.3, 0.7]])],
)
def test_priors_move_from_the_shares_of_all_rows_to_those_of_each_kind(
    weight: float, expected: list[list[float]], data: TrainingData
) -> None:
    np.testing.assert_allclose(loss_priors(weight, data), [expected])


def test_rows_shown_again_change_no_prior(data: TrainingData) -> None:
    again = data.train.select([*range(8), 4, 5, 6, 7])
    repeated = TrainingData(**vars(data) | {"train": again})
    np.testing.assert_allclose(loss_priors(0.5, repeated), loss_priors(0.5, data))


def test_a_corpus_without_emoji_has_one_prior(data: TrainingData) -> None:
    plain = TrainingData(**vars(data) | {"train": data.train.select(range(4)), "label_counts": Counter(none=3, sad=1)})
    np.testing.assert_allclose(loss_priors(0.5, plain), [[[0.75, 0.25], [0.75, 0.25]]])


def test_posts_with_soft_labels_have_shares_of_their_own(data: TrainingData) -> None:
    soft = [{"input_ids": data.train[i]["input_ids"], "labels": 0, "row": 8 + i} for i in range(8)]
    gold = np.eye(2)[data.train["labels"]].tolist()
    both = Dataset.from_list(
        [dict(row) | {"targets": target, "is_soft": 0} for row, target in zip(data.train, gold, strict=True)]
        + [row | {"targets": [0.9, 0.1] if i < 4 else [0.7, 0.3], "is_soft": 1} for i, row in enumerate(soft)]
    )
    of_gold, of_soft = loss_priors(0.5, TrainingData(**vars(data) | {"train": both}))
    np.testing.assert_allclose(of_gold, loss_priors(0.5, data)[0])
    np.testing.assert_allclose(of_soft, [[0.85, 0.15], [0.75, 0.25]])


@pytest.mark.parametrize(("weight", "adjustment"), [(0.0, 1.0), (0.5, 1.0), (0.9, 0.7)])
def test_the_loss_is_that_of_a_loop_over_rows(weight: float, adjustment: float, data: TrainingData, tmp_path: Path) -> None:
    settings = TrainSettings(
        model=read_starting_point(ModelSettings(embedding_size=8))[1],
        training=TrainingSettings(emoji_prior_weight=weight, logit_adjustment=adjustment, label_smoothing=0.0),
    )
    model = make_model(data.tokenizer, settings.model, data.label_names, data.label_counts).eval()
    trainer = make_trainer(settings, Accelerator(cpu=True), data, model, OutputFolder(tmp_path / "out"))
    losses = []
    for (text, label), row in zip(ROWS, data.train, strict=True):
        shares = {name: (1 - weight) * 0.5 + weight * share for name, share in SHARES["[" in text].items()}
        with torch.no_grad():
            z = model(torch.tensor([row["input_ids"]])).logits[0].tolist()
        scores = [math.exp(z[i] + adjustment * math.log(shares[name])) for i, name in enumerate(data.label_names)]
        losses.append(-math.log(scores[data.label_names.index(label)] / sum(scores)))
    batch = Collator(data.tokenizer)(list(data.train))
    assert trainer.loss_of(batch).item() == pytest.approx(np.mean(losses), rel=1e-5)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--emoji_prior_weight", "1"), "`emoji_prior_weight`: expected 0 or more and less than 1, found 1.0"),
        (("--emoji_prior_weight", "0.5", "--logit_adjustment", "0"), "`emoji_prior_weight`: expected `logit_adjustment`"),
        (
            ("--emoji_prior_weight", "0.5", "--streaming", "--train_file", "x", "--validation_file", "y"),
            "expected `streaming` or `emoji_prior_weight`, found both",
        ),
    ],
)
def test_impossible_weights_are_refused(flags: tuple[str, ...], message: str) -> None:
    with pytest.raises(UserError, match=f"^{message}"):
        parse_settings(flags)
