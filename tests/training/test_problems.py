"""What is fitted on validation, and what is not fitted on a handful of rows."""

import logging
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from datasets import Dataset

from aslstm.data.labels import MULTI_LABEL, SINGLE_LABEL
from aslstm.training.data import TrainingData
from aslstm.training.problems import Problem, problem_of
from aslstm.training.settings import TrainingSettings
from tokenization import ASLSTMTokenizer

NAMES = ["positive", "negative", "neutral"]
FEW = "validation has {} rows, fewer than 50: no temperature or threshold is fitted"


def make_problem(tokenizer: ASLSTMTokenizer, labels: np.ndarray, problem_type: str) -> Problem:
    rows = Dataset.from_dict({"input_ids": [[1]] * len(labels), "labels": labels.tolist()})
    with_emoji = np.zeros(len(labels), dtype=bool)
    data = TrainingData(
        tokenizer, [], rows, {"validation": rows}, NAMES, Counter(dict.fromkeys(NAMES, 10)), {"validation": labels},
        {"validation": with_emoji}, problem_type=problem_type,
    )  # fmt: skip
    return problem_of(data, TrainingSettings(), torch.device("cpu"))


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.message.startswith("validation has")]


@pytest.mark.parametrize("num_rows", [5, 49, 50])
def test_one_label_is_fitted_on_fifty_rows_or_more(
    num_rows: int, tokenizer: ASLSTMTokenizer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    labels = np.arange(num_rows) % 3
    logits = np.eye(3)[labels]  # Every answer is right, so the best temperature is the lowest, and the scores are 1.
    problem = make_problem(tokenizer, labels, SINGLE_LABEL)
    config = SimpleNamespace(label_prior=[1 / 3] * 3, temperature=1.0, polarity_threshold=0.5)
    model = SimpleNamespace(config=config)
    assert problem.fit_decision(model, logits) == {}  # type: ignore[arg-type]
    assert config.decision_prior_weight == 1.0
    assert config.polarity_of_labels == dict(zip(NAMES, NAMES, strict=True))
    if num_rows < 50:
        assert (config.temperature, config.polarity_threshold) == (1.0, 0.5)
        assert messages(caplog) == [FEW.format(num_rows)]
        # The epoch is chosen by the decision that will be saved.
        assert problem.validate(logits)["loss"] == pytest.approx(np.log(np.e + 2) - 1)
    else:
        assert config.temperature < 0.1 and messages(caplog) == []
        assert problem.validate(logits)["loss"] < 1e-3


@pytest.mark.parametrize("num_rows", [5, 50])
def test_thresholds_are_fitted_on_fifty_rows_or_more(
    num_rows: int, tokenizer: ASLSTMTokenizer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    labels = np.zeros((num_rows, 3), dtype=int)
    labels[::2] = 1
    logits = np.where(labels == 1, -1.0, -2.0)  # Scores of .27 and .12: a threshold of .2 answers every row.
    problem = make_problem(tokenizer, labels, MULTI_LABEL)
    classifier = torch.nn.Linear(2, 3)
    with torch.no_grad():
        classifier.bias.zero_()
    fitted = problem.fit_decision(SimpleNamespace(classifier=classifier), logits)  # type: ignore[arg-type]
    if num_rows < 50:
        assert fitted == {"thresholds": dict.fromkeys(NAMES, 0.5)}
        assert classifier.bias.tolist() == [0.0, 0.0, 0.0]
        assert messages(caplog) == [FEW.format(num_rows)]
        assert problem.validate(logits)["macro_f1"] == 0.0
    else:
        assert fitted == {"thresholds": dict.fromkeys(NAMES, 0.26)}
        assert classifier.bias.detach().numpy() == pytest.approx(np.full(3, np.log(0.74 / 0.26)), rel=1e-4)
        assert messages(caplog) == []
        assert problem.validate(logits)["macro_f1"] == 1.0
