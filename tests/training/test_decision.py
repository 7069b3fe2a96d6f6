from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from aslstm.data.known_corpora import polarity_of_labels
from aslstm.training.decision import fit_polarity_threshold, fit_prior_weight, fit_temperature, log_loss, mean_scores
from modeling_aslstm.results_aslstm import polarity_entry


def test_log_loss_is_the_mean_of_the_negative_log_probabilities() -> None:
    logits = np.log(np.array([[0.7, 0.2, 0.1], [0.25, 0.5, 0.25]])) + np.array([[3.0], [-2.0]])
    assert log_loss(logits, np.array([0, 2])) == pytest.approx(-(np.log(0.7) + np.log(0.25)) / 2)


@pytest.mark.parametrize("temperature", [0.25, 1.0, 4.0])
def test_the_temperature_that_makes_shares_and_probabilities_agree_is_found(temperature: float) -> None:
    # Three of four rows are label 0, and at temperature 1 the logits say three to one.
    logits = np.tile([np.log(3.0), 0.0], (400, 1)) * temperature
    labels = np.array([0, 0, 0, 1] * 100)
    assert fit_temperature(logits, labels) == pytest.approx(temperature, rel=1e-3)


def test_the_fitted_temperature_is_no_worse_than_any_of_a_grid() -> None:
    random = np.random.default_rng(0)
    logits = random.normal(size=(300, 5)) * 3
    labels = random.integers(0, 5, 300)
    fitted = log_loss(logits / fit_temperature(logits, labels), labels)
    assert fitted <= min(log_loss(logits / t, labels) for t in np.geomspace(0.06, 18, 200)) + 1e-6


def test_a_prior_that_changes_nothing_keeps_its_full_weight() -> None:
    random = np.random.default_rng(0)
    assert fit_prior_weight(random.normal(size=(50, 4)), random.integers(0, 4, 50), np.full(4, 0.25)) == 1.0


@pytest.mark.parametrize("weight", [0.3, 0.6, 1.0])
def test_the_weight_that_made_the_labels_is_found(weight: float) -> None:
    prior = np.array([0.7, 0.2, 0.1])
    logits = np.random.default_rng(1).normal(size=(20_000, 3))
    labels = (logits + weight * np.log(prior)).argmax(1)
    assert fit_prior_weight(logits, labels, prior) == pytest.approx(weight, abs=0.051)


def naive_scores(logits: np.ndarray, labels: np.ndarray, prior: np.ndarray) -> list[float]:
    every = list(range(len(prior)))
    scores = []
    for i in range(31):
        predictions = [int(np.argmax([z + i * 0.05 * np.log(p) for z, p in zip(row, prior, strict=True)])) for row in logits]
        macro_f1 = f1_score(labels, predictions, labels=every, average="macro", zero_division=0)
        scores.append((macro_f1 + accuracy_score(labels, predictions)) / 2)
    return scores


@pytest.mark.parametrize("seed", range(5))
def test_the_weight_has_the_best_neighbourhood_of_the_curve(seed: int) -> None:
    random = np.random.default_rng(seed)
    prior = np.array([0.6, 0.3, 0.1])
    labels = random.choice(3, 120, p=prior)
    logits = random.normal(size=(120, 3)) + np.eye(3)[labels]
    scores = naive_scores(logits, labels, prior)
    # At its ends the curve goes on as it is there.
    longer = [scores[0]] * 2 + scores + [scores[-1]] * 2
    means = [sum(longer[i : i + 5]) / 5 for i in range(31)]
    found = round(fit_prior_weight(logits, labels, prior) / 0.05)
    assert means[found] == pytest.approx(max(means))
    nearer = [means[i] for i in range(31) if abs(i - 20) < abs(found - 20)]
    assert all(mean < max(means) - 1e-9 for mean in nearer)


def test_the_mean_score_is_scikit_learns() -> None:
    random = np.random.default_rng(0)
    labels, answers = random.integers(0, 4, 60), random.integers(0, 3, (5, 60))
    expected = [
        (f1_score(labels, row, labels=range(4), average="macro", zero_division=0) + accuracy_score(labels, row)) / 2
        for row in answers
    ]
    assert mean_scores(labels, answers, 4) == pytest.approx(expected)


def test_the_threshold_of_neutral_answers_that_made_the_labels_is_found() -> None:
    # Rows are neutral where "none" has 0.31 or more, so 0.30 alone separates them from 0.30 and less.
    neutral = np.array([0.1, 0.2, 0.29, 0.3, 0.31, 0.4, 0.6, 0.9])
    probabilities = np.stack([neutral, 1 - neutral], axis=1)
    labels = np.array([1, 1, 1, 1, 0, 0, 0, 0])
    assert fit_polarity_threshold(probabilities, labels, ["neutral", "positive"]) == 0.3
    assert fit_polarity_threshold(probabilities, np.ones(8, int), ["neutral", "positive"]) == 0.9


def test_of_equal_thresholds_the_nearest_to_the_middle_is_taken() -> None:
    probabilities = np.array([[0.2, 0.8, 0.0], [0.2, 0.0, 0.8], [0.95, 0.05, 0.0]])
    polarities = ["neutral", "positive", "negative"]
    assert fit_polarity_threshold(probabilities, np.array([1, 2, 0]), polarities) == 0.5  # 0.20 to 0.94 are all right.
    assert fit_polarity_threshold(probabilities[:, [1, 2]], np.array([0, 1, 0]), ["positive", "negative"]) == 0.5


@pytest.mark.parametrize("seed", range(3))
def test_no_threshold_is_better_than_the_fitted_one(seed: int) -> None:
    random = np.random.default_rng(seed)
    names = ["like", "happiness", "sadness", "fear", "surprise", "none"]
    polarities = polarity_of_labels(names)
    assert polarities is not None
    labels = random.integers(0, 6, 150)
    probabilities = random.dirichlet(np.full(6, 0.3), 150) * 0.7 + 0.3 * np.eye(6)[labels]
    gold = [polarities[names[label]] for label in labels]

    def score(threshold: float) -> float:
        config = SimpleNamespace(id2label=dict(enumerate(names)), polarity_of_labels=polarities, polarity_threshold=threshold)
        given = [polarity_entry(row, config)["polarity"] for row in probabilities.tolist()]
        return float(f1_score(gold, given, average="macro", labels=["negative", "neutral", "positive"]))

    scores = {threshold / 100: score(threshold / 100) for threshold in range(101)}
    fitted = fit_polarity_threshold(probabilities, labels, list(polarities.values()))
    assert scores[fitted] == pytest.approx(max(scores.values()))
    nearer = [one for threshold, one in scores.items() if abs(threshold - 0.5) < abs(fitted - 0.5) - 1e-9]
    assert all(one < max(scores.values()) - 1e-9 for one in nearer)
