import numpy as np
import pytest
from sklearn.metrics import accuracy_score, classification_report, confusion_matrix, f1_score

from aslstm.data.known_corpora import KNOWN_CORPORA, LABEL_MAPS
from aslstm.errors import UserError
from aslstm.metrics import evaluate_probabilities, map_labels, map_probabilities

NAMES = ["anger", "happiness", "none"]


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


def test_figures_are_scikit_learns() -> None:
    labels, probabilities = make_rows()
    answers = probabilities.argmax(1)
    found = evaluate_probabilities(labels, probabilities, NAMES)
    report = classification_report(labels, answers, target_names=NAMES, output_dict=True)
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
        found = evaluate_probabilities(labels, probabilities, NAMES)
        low, high = found["intervals_95"]["accuracy"]
        assert low < accuracy_score(labels, probabilities.argmax(1)) < high
        widths.append(high - low)
    assert widths[1] < widths[0] / 2


def test_three_rows_of_one_label_are_evaluated() -> None:
    found = evaluate_probabilities(np.array([2, 2, 2]), np.array([[0.1, 0.1, 0.8]] * 3), NAMES)
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
