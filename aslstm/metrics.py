"""Predictions to figures, and the decision rule that is fitted on validation.

Takes arrays of labels, predictions or logits; gives plain dictionaries and numbers. All figures are scikit-learn's.
"""

from typing import Any

import numpy as np
import sklearn.metrics
from scipy.optimize import minimize_scalar
from scipy.special import softmax
from sklearn.metrics import accuracy_score, precision_recall_fscore_support

NO_EMOTION = "none"
PRIOR_WEIGHTS = np.linspace(0.0, 1.5, 31)
NUM_RESAMPLES = 200
NUM_INTERVAL_RESAMPLES = 1000


def compute_metrics(labels: np.ndarray, predictions: np.ndarray, label_names: list[str]) -> dict[str, Any]:
    """Figures of one split.

    Args:
        labels: (num_examples,) int, indices into ``label_names``.
        predictions: (num_examples,) int, likewise.
        label_names: every label of the model.

    Returns:
        ``num_examples``, ``accuracy``, ``macro_f1``, ``macro_f1_emotions`` (without the label "none", where there is one),
        ``majority_accuracy`` (always answering the commonest label of these rows) and ``per_class``.
    """
    every = list(range(len(label_names)))
    precision, recall, f1, support = precision_recall_fscore_support(labels, predictions, labels=every, zero_division=0)
    metrics = {
        "num_examples": len(labels),
        "accuracy": float(accuracy_score(labels, predictions)),
        "macro_f1": float(np.mean(f1)),
        "majority_accuracy": float(np.max(support) / len(labels)),
        "per_class": {
            name: {
                "precision": float(precision[i]),
                "recall": float(recall[i]),
                "f1": float(f1[i]),
                "support": int(support[i]),
            }
            for i, name in enumerate(label_names)
        },
    }
    if NO_EMOTION in label_names:
        metrics["macro_f1_emotions"] = float(np.mean([f1[i] for i in every if label_names[i] != NO_EMOTION]))
    return metrics


def intervals_95(labels: np.ndarray, predictions: np.ndarray, num_labels: int) -> dict[str, list[float]]:
    """Lower and upper end of ``accuracy`` and ``macro_f1``: 95 % percentile bootstrap over the rows.

    Both follow from the confusion matrix, and that of rows drawn with replacement is a multinomial draw of its cells.

    Args:
        labels: (num_examples,) int.
        predictions: (num_examples,) int.
        num_labels: of the model.
    """
    cells = sklearn.metrics.confusion_matrix(labels, predictions, labels=range(num_labels)).ravel()
    drawn = np.random.default_rng(0).multinomial(len(labels), cells / len(labels), NUM_INTERVAL_RESAMPLES)
    drawn = drawn.reshape(-1, num_labels, num_labels)
    hits = drawn.diagonal(axis1=1, axis2=2)
    f1 = 2 * hits / np.maximum(drawn.sum(1) + drawn.sum(2), 1)
    scores = {"accuracy": hits.sum(1) / len(labels), "macro_f1": f1.mean(1)}
    return {name: np.percentile(values, [2.5, 97.5]).tolist() for name, values in scores.items()}


def fit_prior_weight(logits: np.ndarray, labels: np.ndarray, label_prior: np.ndarray) -> float:
    """The weight of the log prior for macro-F1 and accuracy together (their mean), by the one-standard-error rule.

    1 is what the prior itself asks for. Another weight needs evidence: of all weights whose score lies within one standard
    error of the best, the one nearest to 1 is taken (Breiman et al. 1984, section 3.4.3). The curve is flat and the rare
    labels few, so its peak is much a matter of chance (figures of other rules: benchmarks/decision_rule.py).

    Args:
        logits: (num_examples, num_labels) before any decision rule.
        labels: (num_examples,) int.
        label_prior: (num_labels,) shares in training.
    """
    answers = np.stack([(logits + weight * np.log(label_prior)).argmax(1) for weight in PRIOR_WEIGHTS])
    scores = mean_scores(labels, answers, logits.shape[1])
    rows = np.random.default_rng(0).integers(0, len(labels), (NUM_RESAMPLES, len(labels)))
    best = int(scores.argmax())
    error = np.std([mean_scores(labels[drawn], answers[best : best + 1, drawn], logits.shape[1])[0] for drawn in rows])
    good = PRIOR_WEIGHTS[scores >= scores[best] - error]
    return float(good[np.abs(good - 1.0).argmin()])


def mean_scores(labels: np.ndarray, answers: np.ndarray, num_labels: int) -> np.ndarray:
    """The mean of macro-F1 and accuracy of several lists of answers, (num_lists,).

    Args:
        labels: (num_examples,) int.
        answers: (num_lists, num_examples) int.
        num_labels: of the model.
    """
    # Counted here, because scikit-learn takes 50 times as long for the thousands of lists of a bootstrap.
    right = answers == labels
    hits = np.stack([np.bincount(labels[row], minlength=num_labels) for row in right])
    given = np.stack([np.bincount(row, minlength=num_labels) for row in answers])
    f1 = 2 * hits / np.maximum(given + np.bincount(labels, minlength=num_labels), 1)
    return (f1.mean(1) + right.mean(1)) / 2


def log_loss(logits: np.ndarray, labels: np.ndarray) -> float:
    """Mean cross entropy of logits (num_examples, num_labels) against labels (num_examples,)."""
    return float(sklearn.metrics.log_loss(labels, softmax(logits, axis=1), labels=np.arange(logits.shape[1])))


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature that gives the lowest log loss on validation (Guo et al. 2017, arXiv:1706.04599)."""
    found = minimize_scalar(lambda log_t: log_loss(logits / np.exp(log_t), labels), bounds=(-3.0, 3.0), method="bounded")
    return float(np.exp(found.x))
