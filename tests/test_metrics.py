from functools import partial

import numpy as np
import pytest
from scipy.stats import bootstrap
from sklearn.dummy import DummyClassifier
from sklearn.metrics import accuracy_score, classification_report, confusion_matrix, f1_score

from aslstm.data.known_corpora import KNOWN_CORPORA, LABEL_MAPS
from aslstm.errors import UserError
from aslstm.metrics import compute_metrics, evaluate_probabilities, intervals_95, map_labels, map_probabilities

NAMES = ["anger", "like", "none"]


def test_six_rows_by_hand() -> None:
    labels = np.array([0, 0, 1, 2, 2, 2])
    predictions = np.array([0, 1, 1, 2, 2, 0])
    metrics = compute_metrics(labels, predictions, NAMES)
    # anger: 1 right of 2 predicted and 2 there; like: 1 of 2 and 1; none: 2 of 2 and 3.
    assert metrics["per_class"] == {
        "anger": {"precision": 1 / 2, "recall": 1 / 2, "f1": 1 / 2, "support": 2},
        "like": {"precision": 1 / 2, "recall": 1.0, "f1": pytest.approx(2 / 3), "support": 1},
        "none": {"precision": 1.0, "recall": pytest.approx(2 / 3), "f1": pytest.approx(4 / 5), "support": 3},
    }
    assert metrics["num_examples"] == 6
    assert metrics["accuracy"] == pytest.approx(4 / 6)
    assert metrics["macro_f1"] == pytest.approx((1 / 2 + 2 / 3 + 4 / 5) / 3)
    assert metrics["macro_f1_emotions"] == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert metrics["majority_accuracy"] == pytest.approx(3 / 6)


@pytest.mark.parametrize("num_labels", [2, 8])
@pytest.mark.parametrize("seed", range(3))
def test_figures_are_those_of_scikit_learn(num_labels: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    labels = random.choice(num_labels, 200, p=np.arange(1, num_labels + 1) / sum(range(1, num_labels + 1)))
    predictions = np.where(random.random(200) < 0.5, labels, random.integers(0, num_labels, 200))
    names = [f"label {i}" for i in range(num_labels - 1)] + ["none"]
    metrics = compute_metrics(labels, predictions, names)
    every = list(range(num_labels))
    report = classification_report(labels, predictions, labels=every, target_names=names, output_dict=True, zero_division=0)
    assert metrics["accuracy"] == pytest.approx(accuracy_score(labels, predictions))
    assert metrics["macro_f1"] == pytest.approx(report["macro avg"]["f1-score"])
    assert metrics["macro_f1_emotions"] == pytest.approx(
        f1_score(labels, predictions, labels=every[:-1], average="macro", zero_division=0)
    )
    majority = DummyClassifier(strategy="most_frequent").fit(np.zeros((200, 1)), labels)
    assert metrics["majority_accuracy"] == pytest.approx(majority.score(np.zeros((200, 1)), labels))
    for name in names:
        expected = {"f1" if key == "f1-score" else key: value for key, value in report[name].items()}
        assert metrics["per_class"][name] == pytest.approx(expected)


def test_labels_that_the_rows_lack_count_as_zero_in_macro_f1() -> None:
    metrics = compute_metrics(np.array([0, 0]), np.array([0, 0]), ["a", "b", "c", "d"])
    assert metrics["macro_f1"] == pytest.approx(1 / 4)
    assert metrics["per_class"]["d"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0}


def test_without_a_label_none_there_is_no_figure_of_the_emotions_alone() -> None:
    assert "macro_f1_emotions" not in compute_metrics(np.array([0, 1]), np.array([0, 1]), ["negative", "positive"])


def test_intervals_are_those_of_a_bootstrap_over_the_rows() -> None:
    generator = np.random.default_rng(3)
    labels = generator.integers(0, 4, 300)
    predictions = np.where(generator.random(300) < 0.6, labels, generator.integers(0, 4, 300))
    found = intervals_95(labels, predictions, 5)
    macro_f1 = partial(f1_score, labels=range(5), average="macro", zero_division=0)
    for name, statistic in (("accuracy", accuracy_score), ("macro_f1", macro_f1)):
        drawn = bootstrap(
            (labels, predictions), statistic, n_resamples=500, paired=True, vectorized=False, method="percentile", rng=0
        )
        assert found[name] == pytest.approx(list(drawn.confidence_interval), abs=0.012)


# ---- the full account of probabilities ----

EMOTIONS = ["anger", "happiness", "none"]


def make_rows(num_rows: int = 200) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 3, num_rows)
    logits = generator.normal(size=(num_rows, 3)) + 1.5 * np.eye(3)[labels]
    return labels, np.exp(logits) / np.exp(logits).sum(1, keepdims=True)


def naive_calibration_error(labels: np.ndarray, probabilities: np.ndarray, num_bins: int) -> float:
    """Gap between confidence and accuracy in bins of confidence, weighted by their rows."""
    total = 0.0
    for i in range(num_bins):
        rows = [r for r in range(len(labels)) if i / num_bins < probabilities[r].max() <= (i + 1) / num_bins]
        if rows:
            confidence = np.mean([probabilities[r].max() for r in rows])
            accuracy = np.mean([probabilities[r].argmax() == labels[r] for r in rows])
            total += len(rows) / len(labels) * abs(confidence - accuracy)
    return total


def test_the_full_account_is_scikit_learns() -> None:
    labels, probabilities = make_rows()
    answers = probabilities.argmax(1)
    found = evaluate_probabilities(labels, probabilities, EMOTIONS)
    report = classification_report(labels, answers, target_names=EMOTIONS, output_dict=True)
    assert found["accuracy"] == pytest.approx(report["accuracy"])
    assert found["macro_f1"] == pytest.approx(report["macro avg"]["f1-score"])
    assert found["weighted_f1"] == pytest.approx(report["weighted avg"]["f1-score"])
    assert found["micro_f1_emotions"] == pytest.approx(f1_score(labels, answers, labels=[0, 1], average="micro"))
    assert found["macro_f1_emotions"] == pytest.approx((report["anger"]["f1-score"] + report["happiness"]["f1-score"]) / 2)
    assert found["confusion_matrix"] == confusion_matrix(labels, answers).tolist()
    assert found["expected_calibration_error"] == pytest.approx(naive_calibration_error(labels, probabilities, 15), abs=1e-6)


def test_intervals_hold_the_figure_and_narrow_with_more_rows() -> None:
    widths = []
    for num_rows in (100, 1600):
        labels, probabilities = make_rows(num_rows)
        found = evaluate_probabilities(labels, probabilities, EMOTIONS)
        low, high = found["intervals_95"]["accuracy"]
        assert low < accuracy_score(labels, probabilities.argmax(1)) < high
        widths.append(high - low)
    assert widths[1] < widths[0] / 2


def test_three_rows_of_one_label_are_evaluated() -> None:
    found = evaluate_probabilities(np.array([2, 2, 2]), np.array([[0.1, 0.1, 0.8]] * 3), EMOTIONS)
    assert found["accuracy"] == 1.0
    assert found["majority_accuracy"] == 1.0


def test_probabilities_add_up_over_a_map() -> None:
    names = ["anger", "happiness", "like", "none", "surprise"]
    probabilities = np.array([[0.1, 0.2, 0.3, 0.15, 0.25]])
    mapped, targets = map_probabilities(probabilities, names, "nlpcc2014_to_polarity")
    assert targets == ["negative", "none", "positive"]
    np.testing.assert_allclose(mapped, [[0.1, 0.4, 0.5]])


def test_a_label_that_a_map_lacks_is_an_error() -> None:
    assert map_labels(["happy", "neutral"], "smp2020_ewect_to_nlpcc2014") == ["happiness", "none"]
    with pytest.raises(UserError, match=r"expected labels among .* found joy"):
        map_labels(["happy", "joy"], "smp2020_ewect_to_nlpcc2014")


def test_maps_lead_to_the_labels_of_their_target() -> None:
    emotions = set(LABEL_MAPS["nlpcc2014_to_polarity"])
    assert set(LABEL_MAPS["smp2020_ewect_to_nlpcc2014"].values()) <= emotions
    polarity = set(KNOWN_CORPORA["weibo_senti_100k"].label_names.values()) | {"none"}
    assert {name for key in LABEL_MAPS if key.endswith("polarity") for name in LABEL_MAPS[key].values()} == polarity
